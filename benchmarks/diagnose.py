"""Whether `symgru diagnose` finds the mistakes that were made, and only those.

    python benchmarks/diagnose.py [--cases 2000] [--seed 1] [--jobs 2] [--write]

Five experiments, of which each case is made from the seed and its number:

- recovery: random GRUs in which one or two mistakes are planted (tests/diagnosis/recovery.py). Where the number says
  which, is computed before the search is asked. A tenth of the cases has 8 units.
- chance: a quarter as many random networks with random numbers: what is asserted there is false.
- numbers: a sixteenth as many networks, each with twenty random numbers: the same by the thousand.
- allowance: how far the float32 of Keras and PyTorch is from exact numbers, in units of what a diagnosis allows.
- times of the whole search, in seconds of one core.

Each case is a line of a file in the folder for temporary ones as soon as it is done; run again, the command goes on
from there. With --write the figures go to benchmarks/results/diagnose.md. Exit status 1 where one of them falls short.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import platform
import statistics
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
RESULTS = ROOT / "benchmarks" / "results" / "diagnose.md"
EIGHT = 10  # every so many cases has 8 units
RECOVERED, CERTAIN = 0.99, 1e-3  # what part of the identifiable must be found; chance of a false assertion
NUMBERS = 20  # of one network
FRAMEWORKS, NETWORKS = ("keras", "torch"), 150  # networks run by each
TIMED, GOALS = 5, {(1, 1, 4): 2.0, (8, 4, 20): 20.0}  # units, features, steps: seconds
Record = dict[str, Any]
Task = tuple[str, int, int]  # the experiment, the seed, the case's number


# ------------------------------------------------------------------------------ one case


def done(task: Task) -> Record:
    """A case of an experiment, as a line of the progress."""
    warnings.simplefilter("ignore")
    name, seed, number = task
    start = time.process_time()
    try:
        found = EXPERIMENTS[name](seed, number)
    except Exception:
        found = {"wrong": "raises", "raised": traceback.format_exc(limit=-4)}
    return {"experiment": name, "number": number, **found, "seconds": round(time.process_time() - start, 3)}


def recovery(seed: int, number: int) -> Record:
    from tests.diagnosis import recovery as experiment

    drawn = experiment.draw(*_drawn(seed, 0, number))
    with experiment.run_once():
        expected = experiment.expectation(drawn)
        start = time.process_time()
        found = experiment.outcome(drawn)
    return {**experiment.record(drawn, expected, found), "search": round(time.process_time() - start, 3)}


def chance(seed: int, number: int) -> Record:
    from tests.diagnosis import recovery as experiment

    with experiment.run_once():
        return experiment.by_chance(*_drawn(seed, 1, number))


def numbers(seed: int, number: int) -> Record:
    from tests.diagnosis import recovery as experiment

    return experiment.many_by_chance(*_drawn(seed, 4, number), NUMBERS)


def _drawn(seed: int, experiment: int, number: int) -> tuple[Any, int]:
    """A generator for one case, and its units."""
    import numpy as np

    rng = np.random.default_rng([seed, experiment, number])
    return rng, 8 if number % EIGHT == 0 else int(rng.integers(1, 8))


def frameworks(seed: int, number: int) -> Record:
    """All networks of one framework: models are made once for each size."""
    import numpy as np

    from tests.diagnosis import recovery as experiment

    framework = FRAMEWORKS[number]
    rng = np.random.default_rng([seed, 2, number])
    run: Callable[[Any, Any], Any] = Keras() if framework == "keras" else Torch()
    printed: list[float] = []
    held: list[float] = []
    while len(printed) < NETWORKS:
        units, features = int(rng.choice([1, 2, 3, 5, 8])), int(rng.choice([1, 2, 4]))
        net = experiment.network(rng, units, features)
        if framework == "torch" and not experiment.reset_after(net):
            continue
        x = experiment.sequence(rng, int(rng.integers(2, 21)), features)
        y = np.asarray(run(net, x.value.astype(np.float32)), dtype=np.float64)
        printed.append(experiment.beyond(net, x, y))
        held.append(experiment.beyond(experiment.unprinted(net), x, y))
    return {"framework": framework, "printed": printed, "held": held}


class Keras:
    """Keras' own GRU at every step, (batch, time, units); a model for each size."""

    def __init__(self) -> None:
        self.models: dict[tuple[int, int, bool], Any] = {}

    def __call__(self, net: Any, x: Any) -> Any:
        import keras
        import numpy as np

        from tests.diagnosis import recovery as experiment

        kernel, recurrent, *biases = experiment.stacked(net, "zrn")
        size = len(recurrent), len(kernel), len(biases) == 2
        if size not in self.models:
            units, features, after = size
            layer = keras.layers.GRU(units, return_sequences=True, reset_after=after)
            self.models[size] = keras.Sequential([keras.layers.Input((None, features)), layer])
        self.models[size].set_weights([kernel, recurrent, np.stack(biases) if size[2] else biases[0]])
        return self.models[size](x)


class Torch:
    """PyTorch's own GRU at every step, (batch, time, units)."""

    def __call__(self, net: Any, x: Any) -> Any:
        import torch

        from tests.diagnosis import recovery as experiment

        kernel, recurrent, b, c = experiment.stacked(net, "rzn")
        gru = torch.nn.GRU(len(kernel), len(recurrent), batch_first=True)
        own = {"weight_ih_l0": kernel.T, "weight_hh_l0": recurrent.T, "bias_ih_l0": b, "bias_hh_l0": c}
        gru.load_state_dict({name: torch.tensor(a.copy()) for name, a in own.items()})
        with torch.no_grad():
            return gru(torch.tensor(x))[0].numpy()


def times(seed: int, number: int) -> Record:
    """The whole search several times for one size, without what is imported and made once."""
    import numpy as np

    from tests.diagnosis import recovery as experiment

    size = list(GOALS)[number]
    rng = np.random.default_rng([seed, 3, number])
    seconds = [experiment.seconds(rng, *size) for _ in range(TIMED + 1)]
    return {"size": size, "times": [round(s, 3) for s in seconds[1:]]}


EXPERIMENTS: dict[str, Callable[[int, int], Record]] = {
    "recovery": recovery,
    "chance": chance,
    "numbers": numbers,
    "frameworks": frameworks,
    "times": times,
}


# ------------------------------------------------------------------------------ all of them


def code() -> str:
    """A digest of what decides a case."""
    paths = [*(ROOT / "symgru").rglob("*.py"), ROOT / "tests" / "diagnosis" / "recovery.py"]
    return hashlib.sha256(b"".join(p.read_bytes() for p in sorted(paths))).hexdigest()[:12]


def tasks(seed: int, cases: int) -> list[Task]:
    """What is slow and short last, when the other process has work too."""
    counts = {"times": len(GOALS), "frameworks": len(FRAMEWORKS), "recovery": cases}
    counts |= {"chance": cases // 4, "numbers": cases // 16}
    return [(name, seed, number) for name, count in counts.items() for number in range(count)]


def records(path: Path) -> list[Record]:
    """What is done so far; a line that was cut short is none."""
    found = []
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def run(path: Path, todo: Sequence[Task], jobs: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    own = code()
    with path.open("a", encoding="utf-8") as progress, multiprocessing.get_context("spawn").Pool(jobs) as pool:
        print("", file=progress)  # behind a line that was cut short
        for k, found in enumerate(pool.imap_unordered(done, todo), 1):
            print(json.dumps({**found, "code": own}), file=progress, flush=True)
            if k % 50 == 0 or found.get("wrong"):
                print(f"{k} of {len(todo)} {found.get('wrong', '')}", flush=True)


# ------------------------------------------------------------------------------ figures


def share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({100 * part / whole:.1f} %)" if whole else "none"


def by(cases: Sequence[Record], key: Callable[[Record], object], title: str) -> Iterator[str]:
    """Identifiable and recovered cases, for each value of a key."""
    yield f"| {title} | cases | identifiable | of them found |"
    yield "|---|---:|---:|---:|"
    for value in sorted({key(c) for c in cases}, key=str):
        some = [c for c in cases if key(c) == value]
        sure = [c for c in some if c["identifiable"]]
        right = sum(not c["wrong"] for c in sure)
        rate = f"{right} ({100 * right / len(sure):.1f} %)" if sure else "-"
        yield f"| {value} | {len(some)} | {len(sure)} ({100 * len(sure) / len(some):.0f} %) | {rate} |"
    yield ""


def of_recovery(cases: Sequence[Record]) -> tuple[list[str], bool]:
    whole = [c for c in cases if "identifiable" in c]
    sure, rest = [c for c in whole if c["identifiable"]], [c for c in whole if not c["identifiable"]]
    found = sum(not c["wrong"] for c in sure)
    listed = sum(not c["wrong"] for c in rest)
    again: Counter[str] = sum((Counter(c["again"]) for c in whole), Counter())
    why = Counter(
        "other ways within what is allowed" if c["expected"]["count"] else "chance of 1e-3 and more" for c in rest
    )
    wrong = [c for c in cases if c["wrong"]]
    lines = [
        "## Recovery",
        "",
        f"{len(cases):,} cases; {sum(c['units'] == 8 for c in whole):,} with 8 units. Identifiable, as computed before "
        f"the search: {share(len(sure), len(whole))}. Of these the planted mistakes are the first class reported, and "
        f"asserted, in **{share(found, len(sure))}**.",
        "",
        f"Not identifiable: {share(len(rest), len(whole))}; "
        + "; ".join(f"{why}: {n:,}" for why, n in why.items())
        + f". Called ambiguous, or right, with the planted mistakes in the list: {share(listed, len(rest))}; first in "
        f"the list: {share(sum(c['found']['place'] == 0 for c in rest), len(rest))}.",
        "",
        "Mistakes drawn again, since nobody could tell them: "
        + "; ".join(f"{why}: {n:,}" for why, n in again.most_common())
        + ".",
        "",
        *by(whole, lambda c: c["expected"]["faults"], "fewest mistakes that give the numbers"),
        *by(whole, lambda c: c["digits"], "decimals"),
        *by(whole, lambda c: c["given"], "what is told"),
        *by(whole, lambda c: c["units"], "units"),
        *by(whole, lambda c: c["arithmetic"], "worked in"),
        f"A number is at most {max(c['expected']['away'] for c in whole):.2f} of what is allowed from the planted way.",
        "",
        f"What is otherwise than it must be: {len(wrong)}; in {sum(map(_in_part, wrong))} of them a part of what was "
        "planted is asserted, as it gives the numbers within what is allowed: the rest moves them by less.",
        "",
        *(f"- {_failure(c)}" for c in wrong),
        *([""] if wrong else []),
    ]
    return lines, found >= RECOVERED * len(sure) and listed == len(rest)


def _in_part(c: Record) -> bool:
    """Whether some of the planted mistakes are asserted and no other."""
    if not c["wrong"] or "found" not in c or c["found"]["verdict"] != "explained":
        return False
    return set(c["found"]["first"]) < set(c["planted"])


def _failure(c: Record) -> str:
    if "found" not in c:
        return f"case {c['number']}: {c['wrong']}: {c.get('raised', '').strip().splitlines()[-1:]}"
    e, f = c["expected"], c["found"]
    return (
        f"case {c['number']}: {c['wrong']}. {c['units']} units, {c['steps']} steps, {c['given']}, {c['digits']} "
        f"decimals, {c['arithmetic']}; planted {' + '.join(c['planted'])}, at {e['away']:.2f} of what is allowed; "
        f"chance {e['chance']:.0e}; {e['count']} other ways within what is allowed; place {f['place']} of "
        f"{f['classes']}, the first is {' + '.join(f['first']) or 'none'}"
    )


def of_chance(cases: Sequence[Record]) -> tuple[list[str], bool]:
    return _of_chance("Chance", f"{len(cases):,} random networks", cases)


def of_numbers(cases: Sequence[Record]) -> tuple[list[str], bool]:
    each = [{**said, "number": c["number"]} for c in cases for said in c.get("numbers", [c])]
    return _of_chance("Many numbers", f"{len(cases):,} other networks, each number by itself", each)


def _of_chance(title: str, what: str, cases: Sequence[Record]) -> tuple[list[str], bool]:
    whole = [c for c in cases if "verdict" in c]
    asserted = [c for c in whole if c["verdict"] in ("explained", "right")]
    verdicts = Counter(c.get("verdict", "raises") for c in cases)
    allowed = CERTAIN * len(cases)
    lines = [
        f"## {title}",
        "",
        f"{len(cases):,} claims drawn from [-1, 1] that have nothing to do with the network ({what}): "
        + ", ".join(f"{verdict} {n:,}" for verdict, n in verdicts.most_common())
        + f". False assertions: **{len(asserted)}**, where a chance of {CERTAIN} a claim gives at most {allowed:.1f}.",
        "",
        *_stated(whole, asserted),
        *(f"- false: case {c['number']}, {' '.join(c['claim'])}: {' + '.join(c['first'])}" for c in asserted),
        *([""] if asserted else []),
    ]
    return lines, len(asserted) <= allowed and len(whole) == len(cases)


def _stated(cases: Sequence[Record], asserted: Sequence[Record]) -> Iterator[str]:
    """What chance is said to do beside what it did, by the number of mistakes."""
    told = [c for c in cases if "sure" in c]
    if not told:
        return
    yield "| ways with | stated, fit | found, fit | stated, asserted | found, asserted |"
    yield "|---|---:|---:|---:|---:|"
    for k, name in enumerate(("one mistake", "at most two", "any number")):
        stated, sure = (sum(c[what][k] for c in told) for what in ("stated", "sure"))
        false = [c for c in asserted if min(len(c["first"]), 3) == k + 1]
        yield f"| {name} | {stated:.1f} | {sum(c['hits'][k] for c in told)} | {sure:.2f} | {len(false)} |"
    yield ""
    yield f"Stated are the expected chance hits of all claims, and the chance that one is asserted: at most {CERTAIN} "
    yield "for each number of mistakes."
    yield ""


def of_frameworks(found: Sequence[Record]) -> tuple[list[str], bool]:
    lines = [
        "## Allowance",
        "",
        "The float32 output of frameworks at every step and unit, from the exact one, in units of what is allowed: for "
        "weights as NumPy prints them (printing and arithmetic), and for weights as they are held (arithmetic alone).",
        "",
        "| framework | networks | printed: largest | median | held: largest | median |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for c in found:
        if c.get("wrong"):
            lines.append(f"| {c['wrong']} | {c['raised'].strip().splitlines()[-1]} | | | | |")
            continue
        cells = [f"{f(c[kind]):.3f}" for kind in ("printed", "held") for f in (max, statistics.median)]
        lines.append(f"| {installed(c['framework'])} | {len(c['printed'])} | {' | '.join(cells)} |")
    good = all(not c.get("wrong") and max(*c["printed"], *c["held"]) <= 1 for c in found)
    return [*lines, ""], good


def of_times(found: Sequence[Record]) -> tuple[list[str], bool]:
    lines = [
        "## Times",
        "",
        "The whole search, CPU seconds of one core.",
        "",
        "| units | features | steps | least | median | at most |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    good = True
    for c in found:
        size = tuple(c["size"])
        least, median = min(c["times"]), statistics.median(c["times"])
        good &= median <= GOALS[size]
        lines.append(f"| {' | '.join(map(str, size))} | {least:.2f} | {median:.2f} | {GOALS[size]:.0f} |")
    return [*lines, ""], good


def installed(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} absent"


def report(found: Iterable[Record], seed: int, cases: int, jobs: int) -> tuple[str, bool]:
    """The figures as Markdown, and whether all are as they must be."""
    each: dict[str, list[Record]] = {name: [] for name in EXPERIMENTS}
    for c in sorted({(c["experiment"], c["number"]): c for c in found}.values(), key=lambda c: int(c["number"])):
        each[c["experiment"]].append(c)
    every = [c for some in each.values() for c in some]
    codes = {c["code"] for c in every}
    packages = ", ".join(map(installed, ("numpy", "sympy", "keras", "tensorflow", "torch")))
    lines = [
        "# Diagnose",
        "",
        f"`python benchmarks/diagnose.py --cases {cases} --seed {seed} --jobs {jobs} --write`, "
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {packages}. "
        f"{sum(c['seconds'] for c in every):,.0f} CPU seconds: {_mean(each['recovery'])} a case of recovery, "
        f"{_mean(each['chance'])} one of chance. Digest of the code: {', '.join(sorted(codes))}.",
        "",
    ]
    makers = {
        "recovery": of_recovery,
        "chance": of_chance,
        "numbers": of_numbers,
        "frameworks": of_frameworks,
        "times": of_times,
    }
    good = True
    for name, make in makers.items():
        if each[name]:
            more, fine = make(each[name])
            lines += more
            good &= fine
    return "\n".join(lines).rstrip() + "\n", good


def _mean(cases: Sequence[Record]) -> str:
    return f"{statistics.mean(c['seconds'] for c in cases):.1f} s" if cases else "-"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=2000, help="of recovery; of chance are a quarter as many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", choices=list(EXPERIMENTS), help="one of the experiments")
    parser.add_argument("--progress", type=Path, help="where the cases are kept")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results/diagnose.md")
    asked = parser.parse_args()
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # a process is a core
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    path = asked.progress or Path(tempfile.gettempdir()) / f"symgru-diagnose-{asked.seed}.jsonl"
    wanted = [t for t in tasks(asked.seed, asked.cases) if asked.only in (None, t[0])]
    have = {(c["experiment"], c["number"]) for c in records(path)}
    run(path, [t for t in wanted if (t[0], t[2]) not in have], asked.jobs)
    chosen = {(name, number) for name, _, number in wanted}
    found = [c for c in records(path) if (c["experiment"], c["number"]) in chosen]
    text, good = report(found, asked.seed, asked.cases, asked.jobs)
    print(text)
    if asked.write:
        RESULTS.write_text(text, encoding="utf-8")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
