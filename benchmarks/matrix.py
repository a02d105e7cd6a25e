"""Every case of the matrix in every engine: the reference, emitted NumPy and emitted C against the real framework.

    python benchmarks/matrix.py [FRAMEWORK …] [--write]

The tests run the same cases, but a fixed share of them in C. Needs a C compiler and every framework of the extra
`frameworks`. Exit status 1 where a case differs by more than tests/frameworks/matrix.py allows. --write puts the table
into benchmarks/results/matrix.md.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
RESULTS = ROOT / "benchmarks" / "results" / "matrix.md"
ENGINES = ("reference", "numpy", "c")


def run(framework: str, folder: Path) -> tuple[list[str], list[str]]:
    """The table's rows of a framework, one a precision, and the cases that fail."""
    from symgru.errors import Unsupported
    from tests.frameworks import matrix
    from tests.frameworks.mutations import frameworks

    worst: dict[tuple[str, str], float] = {}
    ran, counts, wrong = Counter[tuple[str, str]](), Counter[str](), []
    for k, case in enumerate(frameworks(framework)[framework]):
        place = folder / f"{framework}{k}"
        place.mkdir()
        made = case.make(place)
        known = replace(case, make=lambda _, made=made: made, c=True)
        counts[case.dtype] += 1
        for engine in ENGINES:
            try:
                found = matrix.check(known, place, (engine,))[engine]
            except Unsupported:  # what the C backend says it does not take
                continue
            except Exception as error:
                wrong.append(f"{framework}: {case.id}, {engine}: {error}")
                continue
            ran[engine, case.dtype] += 1
            worst[engine, case.dtype] = max(worst.get((engine, case.dtype), 0.0), found)
    rows = []
    for dtype, count in sorted(counts.items()):
        cells = [f"{worst.get((e, dtype), 0.0):.1e} ({ran[e, dtype]})" for e in ENGINES]
        rows.append(f"| {framework} | {dtype} | {count} | {' | '.join(cells)} |")
    return rows, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frameworks", nargs="*", help="keras, tf_keras, torch, onnx, jax, arrays; all unless named")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results/matrix.md")
    asked = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    from benchmarks.mutations import PACKAGES, installed
    from tests.frameworks.mutations import EVERY

    start, rows, wrong = time.perf_counter(), [], []
    with tempfile.TemporaryDirectory() as folder:
        for framework in asked.frameworks or EVERY:
            more, failed = run(framework, Path(folder))
            print("\n".join([*more, *failed]), flush=True)
            rows += more
            wrong += failed
    lines = [
        "# The matrix",
        "",
        f"`python benchmarks/matrix.py --write`, {datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, "
        f"{', '.join(map(installed, PACKAGES))}. Seeds: those of the cases (tests/frameworks/cases_*.py); "
        f"{time.perf_counter() - start:.0f} s.",
        "",
        "The worst difference of each engine from the framework, of the largest magnitude and at least of 1; in "
        "brackets how many cases ran. Emitted C computes in float32; it refuses some networks by name.",
        "",
        "| framework | precision | cases | reference | NumPy | C |",
        "|---|---|---:|---:|---:|---:|",
        *rows,
    ]
    if asked.write and not wrong and not asked.frameworks:
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
