"""How long symgru takes, as ratios to what it cannot do without: python benchmarks/speed.py [runs]

Each pair of commands runs in turn (A B A B ...), as whole processes; the ratio is that of the medians. Machines are
noisy, so a ratio counts and a time does not.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
PYTHON = [sys.executable, "-c"]
SYMGRU = [sys.executable, "-m", "symgru"]
SCRIPT = [str(Path(sys.executable).with_name("symgru"))]
LIBRARIES = [*PYTHON, "import sympy, jinja2, numpy"]
SEED = [str(ROOT / "examples" / "seed.json"), "--input", "1,2,9,8"]

PAIRS = [
    ("symgru --help", [*SCRIPT, "--help"], "import click", [*PYTHON, "import click"], 1.3),
    ("import symgru", [*PYTHON, "import symgru"], "python -c pass", [*PYTHON, "pass"], None),
    (
        "symgru explain seed --no-keras",
        [*SCRIPT, "explain", *SEED, "--no-keras"],
        "import sympy, jinja2, numpy",
        LIBRARIES,
        1.6,
    ),
    (
        "symgru derive, 1,000 steps",
        [*SCRIPT, "derive", "--steps", "1000"],
        "250 steps",
        [*SCRIPT, "derive", "--steps", "250"],
        4.0,
    ),
]


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    return time.perf_counter() - start


def ratio(a: list[str], b: list[str], runs: int) -> tuple[float, float, float]:
    """Median of A, median of B, and their ratio."""
    seconds(a), seconds(b)
    pairs = [(seconds(a), seconds(b)) for _ in range(runs)]
    first, second = (statistics.median(column) for column in zip(*pairs, strict=True))
    return first, second, first / second


def main(runs: int) -> None:
    print("| command | against | seconds | seconds | ratio | aim |")
    print("|---|---|---|---|---|---|")
    for name, a, against, b, aim in PAIRS:
        first, second, r = ratio(a, b, runs)
        print(f"| {name} | {against} | {first:.3f} | {second:.3f} | {r:.2f} | {f'at most {aim}' if aim else ''} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
