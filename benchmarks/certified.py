"""How long certified digits take: python benchmarks/certified.py [runs]

Networks as Keras initialises them (a seed each), on a seeded input. Times are after imports: the median of several runs
of the exact output in ball arithmetic, all precisions that were tried included, and once of the same digits from two
decimal precisions that agree, which is what symgru does without python-flint. Both must give the same digits.

Writes benchmarks/results/certified.md; exit status 1 where 8 units, 1,000 steps and 50 digits take a second or more.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

RESULTS = Path(__file__).parent / "results" / "certified.md"


@dataclass(frozen=True)
class Case:
    """`stretch` multiplies the weights: large ones make neighbouring states part, and digits are lost at every step."""

    units: int
    steps: int
    digits: int
    stretch: float = 1.0
    decimals: bool = True  # whether the other way is timed


PROMISED = Case(8, 1000, 50)
CASES = [
    Case(1, 4, 30),
    PROMISED,
    Case(8, 1000, 50, stretch=3.0),
    Case(8, 1000, 1000, decimals=False),
    Case(8, 1000, 4000, decimals=False),
    Case(32, 1000, 50),
    Case(128, 100, 50, decimals=False),
]


def network(case: Case) -> Any:
    """Keras' own GRU, its weights drawn by Keras' initialisers."""
    import keras

    import symgru

    keras.utils.set_random_seed(case.units)
    arrays = keras.Sequential([keras.layers.Input((None, 1)), keras.layers.GRU(case.units)]).get_weights()
    layer = {"kind": "gru", "weights": [(case.stretch * a).tolist() for a in arrays]}
    return symgru.load({"name": "keras", "dtype": "float32", "layers": [layer]})


def seconds(run: Callable[[], Any], runs: int) -> tuple[float, Any]:
    """The median, and the result."""
    times, result = [], None
    for _ in range(runs):
        start = time.perf_counter()
        result = run()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result


def measure(case: Case, runs: int) -> tuple[float, int, float | None]:
    """Seconds of the proof, its bits, and seconds of the decimals."""
    net = network(case)
    x, _ = net.read(np.random.default_rng(1).normal(size=(1, case.steps, 1)).astype(np.float32))
    net.certify(x[:, :1])  # imports
    proof, found = seconds(lambda: net.certify(x, case.digits), runs)
    assert found.proven
    if not case.decimals:
        return proof, found.bits, None
    with mock.patch.dict(sys.modules, {"flint": None}):
        other, same = seconds(lambda: net.certify(x, case.digits), 1)
    assert not same.proven and same.y.tolist() == found.y.tolist()
    return proof, found.bits, other


def report(rows: dict[Case, tuple[float, int, float | None]], runs: int) -> str:
    """The page of figures."""
    import flint

    lines = []
    for case, (proof, bits, other) in rows.items():
        weights = "Keras'" if case.stretch == 1 else f"Keras' times {case.stretch:g}"
        decimals = "" if other is None else f"{other:.3f}"
        lines.append(
            f"| {case.units} | {case.steps:,} | {weights} | {case.digits:,} | {proof:.3f} | {bits:,} | {decimals} |"
        )
    return f"""\
# Certified digits

{date.today()}, Python {platform.python_version()}, python-flint {flint.__version__}, {platform.machine()}. \
Made by `python benchmarks/certified.py`: seconds after
imports, the median of {runs} runs. "bits" is the precision that proved the digits; all that were tried before it are in
the time. "Decimals" is the way without python-flint, timed once: two decimal precisions that agree, and no proof.

| units | steps | weights | digits | seconds | bits | decimals, seconds |
|---|---|---|---|---|---|---|
{chr(10).join(lines)}
"""


def main(runs: int) -> int:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    rows = {case: measure(case, runs) for case in CASES}
    text = report(rows, runs)
    print(text)
    if rows[PROMISED][0] >= 1:
        return 1
    RESULTS.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
