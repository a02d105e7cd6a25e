"""How long a worked example takes, as whole processes: python benchmarks/documents.py

`symgru explain MODEL --input X -o F` in every format but PDF, beside `python -c "import sympy, jinja2, numpy"` in the
same run: one unit and 4 steps may take at most 3 times as long, 32 units and 100 steps at most 15 times. The processes
take turns, so that a slow moment of the machine meets all of them, and the fastest run of each counts. Both networks
are .json files with numbers of 8 decimals; no framework is asked.

Writes benchmarks/results/documents.md.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
FORMATS = ("txt", "md", "tex", "html", "xlsx", "ipynb")
SIZES = ((1, 4, 3), (32, 100, 15))  # units, steps, at most so many times the imports
RUNS = 3
CACHED = {name: v for name, v in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # as Python comes
IMPORTS = [sys.executable, "-c", "import sympy, jinja2, numpy"]


def write_model(units: int, steps: int, folder: Path) -> list[str]:
    """A network and an input as files; the arguments that name them."""
    rng = np.random.default_rng(units)
    shapes = ((1, 3 * units), (units, 3 * units), (2, 3 * units))  # kernel, recurrent kernel, bias
    weights = [np.round(rng.uniform(-0.6, 0.6, shape), 8).tolist() for shape in shapes]
    model, x = folder / f"gru{units}.json", folder / f"x{steps}.json"
    model.write_text(
        json.dumps({"name": f"gru{units}", "layers": [{"kind": "gru", "name": "gru", "weights": weights}]})
    )
    x.write_text(json.dumps(np.round(rng.normal(size=(steps, 1)), 3).tolist()))
    return [str(model), "--input", str(x), "--no-keras"]


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=CACHED)
    return time.perf_counter() - start


def measure(folder: Path) -> dict[tuple[int, str] | None, float]:
    """The fastest run of the imports (None), and of each size in each format."""
    commands: dict[tuple[int, str] | None, list[str]] = {None: IMPORTS}
    for units, steps, _ in SIZES:
        given = write_model(units, steps, folder)
        for kind in FORMATS:
            out = str(folder / f"out{units}.{kind}")
            commands[units, kind] = [sys.executable, "-m", "symgru", "explain", *given, "-o", out]
    best: dict[tuple[int, str] | None, float] = {}
    for _ in range(RUNS):
        for key, command in commands.items():
            best[key] = min(best.get(key, float("inf")), seconds(command))
    return best


def table(best: dict[tuple[int, str] | None, float], folder: Path) -> list[str]:
    lines = [
        "| units | steps | format | seconds | times the imports | at most | size |",
        "|---|---|---|---|---|---|---|",
    ]
    for units, steps, most in SIZES:
        for kind in FORMATS:
            took = best[units, kind]
            size = (folder / f"out{units}.{kind}").stat().st_size / 1000
            ratio = took / best[None]
            said = f"{ratio:.2f}" if ratio <= most else f"**{ratio:.2f}**"
            lines.append(f"| {units} | {steps} | .{kind} | {took:.2f} | {said} | {most} | {size:,.0f} kB |")
    return lines


def main() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        best = measure(folder)
        rows = table(best, folder)
    packages = ", ".join(f"{package} {version(package)}" for package in ("sympy", "jinja2", "numpy"))
    text = [
        "# Worked examples: time by format",
        "",
        f"Made by `python benchmarks/documents.py`: {date.today()}, Python {platform.python_version()}, {packages}, "
        f"{platform.machine()}; fastest of {RUNS} runs, which took turns.",
        f"Importing sympy, jinja2 and numpy takes {best[None]:.2f} s; what exceeds its limit is in bold.",
        "",
        *rows,
        "",
    ]
    (RESULTS / "documents.md").write_text("\n".join(text))
    print("\n".join(text))


if __name__ == "__main__":
    main()
