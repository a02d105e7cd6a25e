"""The matrix under every mutation: how many cases of each framework notice it.

    python benchmarks/mutations.py [--processes 2] [--write]

Needs every framework of the extra `frameworks`. Each case is made once by its framework, from the seed that the case
holds, and read and run again under each mutation of tests/frameworks/mutations.py. Exit status 1 where a case fails
without a mutation, or a mutation is noticed by no case. --write puts the table into benchmarks/results/mutations.md;
--killers FILE writes which cases notice each mutation, as JSON.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import os
import platform
import sys
import tempfile
import time
import warnings
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
RESULTS = ROOT / "benchmarks" / "results" / "mutations.md"
PACKAGES = (
    *("keras", "tensorflow", "tf-keras", "torch", "onnx", "onnxruntime"),
    *("flax", "dm-haiku", "equinox", "mlx", "numpy"),
)
Found = dict[str, list[str]]  # the cases that notice each mutation, by its name; "" is no mutation


def noticed(framework: str) -> tuple[str, int, Found]:
    """A framework's number of cases, and which of them fail under each mutation that concerns it."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    from tests.frameworks.mutations import MUTATIONS, Made, frameworks

    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        cases = [Made(case, Path(folder) / str(k)) for k, case in enumerate(frameworks(framework)[framework])]
        found: Found = {"": [made.case.id for made in cases if not made.holds()]}
        print(f"{framework}: {len(cases)} cases, made in {time.perf_counter() - start:.0f} s", flush=True)
        for mutation in MUTATIONS:
            if framework in mutation.frameworks:
                with mutation.applied():
                    found[mutation.name] = [made.case.id for made in cases if not made.holds()]
        left = [made.case.id for made in cases if not made.holds()]
        assert left == found[""], f"a mutation was not taken back: {left}"
    print(f"{framework}: done after {time.perf_counter() - start:.0f} s", flush=True)
    return framework, len(cases), found


def installed(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} absent"


def table(names: list[str], results: dict[str, tuple[int, Found]], seconds: float) -> str:
    """The results as Markdown."""
    columns = list(results)
    total = sum(count for count, _ in results.values())
    made = [installed(package) for package in PACKAGES]
    lines = [
        "# Mutations",
        "",
        f"`python benchmarks/mutations.py --write`, {datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, "
        f"{', '.join(made)}. Seeds: those of the cases (tests/frameworks/cases_*.py).",
        "",
        f"{len(names)} mutations of symgru against {total} cases, each made by the framework itself and run in the "
        f"reference; {seconds:.0f} s. A number says how many of a framework's cases fail under the mutation; `-` that "
        "its files do not pass through what is mutated. Without a mutation none fails.",
        "",
        "| mutation | " + " | ".join(f"{name} ({results[name][0]})" for name in columns) + " |",
        "|---|" + "---:|" * len(columns),
    ]
    for name in names:
        counts = [str(len(found[name])) if name in found else "-" for _, found in results.values()]
        lines.append(f"| {name} | {' | '.join(counts)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="write benchmarks/results/mutations.md")
    parser.add_argument("--killers", type=Path, help="write the cases that notice each mutation to this JSON file")
    asked = parser.parse_args()
    from tests.frameworks.mutations import EVERY, MUTATIONS

    start = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(asked.processes, maxtasksperchild=1) as pool:
        done = {name: (count, found) for name, count, found in pool.imap_unordered(noticed, EVERY, chunksize=1)}
    results = {name: done[name] for name in EVERY}
    names = [mutation.name for mutation in MUTATIONS]
    text = table(names, results, time.perf_counter() - start)
    print(text)
    if asked.killers:
        asked.killers.write_text(json.dumps({name: found for name, (_, found) in results.items()}, indent=1))
    wrong = [f"{name}: {case}" for name, (_, found) in results.items() for case in found[""]]
    unseen = [name for name in names if not any(found.get(name) for _, found in results.values())]
    for line in (*(f"fails without a mutation: {w}" for w in wrong), *(f"noticed by no case: {u}" for u in unseen)):
        print(line)
    if asked.write and not wrong and not unseen:
        RESULTS.write_text(text, encoding="utf-8")
    return int(bool(wrong or unseen))


if __name__ == "__main__":
    sys.exit(main())
