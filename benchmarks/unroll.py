"""How unrolling scales with units and time steps: python benchmarks/unroll.py

For each size, in a process of its own: deriving a GRU (its equations lowered and simplified by the usual rules) and
printing every assignment, as C and as LaTeX, piece by piece to nowhere. Times are after imports. The last table
compares what one more step costs between T = 1,000 and T = 10,000 with what it costs between T = 100 and T = 1,000:
1.0 is linear. Memory is the process's peak, less what it had before.

Writes benchmarks/results/unroll.md and unroll.svg.
"""

from __future__ import annotations

import json
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
UNITS = (1, 4, 16, 64)
STEPS = (10, 100, 1000, 10_000)
TARGETS = ("c", "latex")
RUNS = 3


def pieces(target: str, units: int, steps: int) -> tuple[int, Iterable[str]]:
    """The number of assignments and the text of the whole program."""
    if target == "latex":
        from symgru.backends.latex.document import LATEX, single
        from symgru.backends.notation import at_time
        from symgru.backends.unrolled import ProgramWriter
        from symgru.derivation import derive

        program = derive("gru", units, 1, steps).with_biases.last.program
        blocks = [(times, single(pairs, times[-1])) for times, pairs in ProgramWriter(program, LATEX).blocks()]
        return program.assignments, (at_time(body, t) for times, body in blocks for t in times)
    import numpy as np

    from symgru.backends.c.straight import source_pieces
    from symgru.backends.straight import straight
    from symgru.cells import CELLS
    from symgru.network import Layer, Tensor, chain

    rng = np.random.default_rng(0)
    sizes = {"H": units, "D": 1}
    shapes = {p.name: tuple(sizes[d] for d in CELLS["gru"].dims[p]) for p in CELLS["gru"].params}
    weights = {name: Tensor((rng.uniform(-1, 1, shape)).astype(np.float32)) for name, shape in shapes.items()}
    network = chain([Layer("gru", "gru", "gru", {}, weights)], dtype="float32", features=1)
    line = straight(network, steps, force=True)
    return line.count, source_pieces("net", line, "none")


def measure(target: str, units: int, steps: int) -> None:
    """Print one measurement as JSON."""
    import symgru.backends.c.straight
    import symgru.backends.latex.document
    import symgru.derivation  # noqa: F401

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    count, text = pieces(target, units, steps)
    derived = time.perf_counter()
    size = sum(len(piece) for piece in text)
    end = time.perf_counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(
        json.dumps(
            {"assignments": count, "derive": derived - start, "all": end - start, "MB": size / 1e6, "KB": memory}
        )
    )


def best(target: str, units: int, steps: int) -> dict[str, float]:
    """The fastest of several runs, each in a process of its own."""
    command = [sys.executable, __file__, target, str(units), str(steps)]
    found = [json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout) for _ in range(RUNS)]
    return min(found, key=lambda row: row["all"])


def table(rows: dict[tuple[str, int, int], dict[str, float]]) -> list[str]:
    lines = [
        "| units | steps | assignments | C: derived | C: printed | MB | memory | LaTeX: printed | MB | memory |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for units in UNITS:
        for steps in STEPS:
            c, latex = (rows[target, units, steps] for target in TARGETS)
            cells = [f"{units}", f"{steps:,}", f"{c['assignments']:,.0f}", f"{c['derive']:.3f} s"]
            for row in (c, latex):
                cells += [f"{row['all']:.3f} s", f"{row['MB']:.2f}", f"{row['KB'] / 1024:.0f} MB"]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def marginal(rows: dict[tuple[str, int, int], dict[str, float]]) -> list[str]:
    """What one more step costs late, over what it costs early."""
    lines = [
        "| units | target | µs a step, 100 to 1,000 | 1,000 to 10,000 | ratio | memory a step, 1,000 to 10,000 |",
        "|---|---|---|---|---|---|",
    ]
    for units in UNITS:
        for target in TARGETS:
            a, b, c = (rows[target, units, steps] for steps in STEPS[1:])
            early, late = (b["all"] - a["all"]) / 900, (c["all"] - b["all"]) / 9000
            memory = 1024 * (c["KB"] - b["KB"]) / 9000
            name = {"c": "C", "latex": "LaTeX"}[target]
            lines.append(
                f"| {units} | {name} | {1e6 * early:.1f} | {1e6 * late:.1f} | {late / early:.2f} | {memory:.0f} B |"
            )
    return lines


def plot(rows: dict[tuple[str, int, int], dict[str, float]]) -> str:
    """Seconds over steps, both logarithmic, as an SVG."""
    from math import log10

    width, height, left, top = 640, 400, 60, 20
    x0, x1, y0, y1 = log10(STEPS[0]), log10(STEPS[-1]), -2.5, 2.0

    def at(steps: float, seconds: float) -> tuple[float, float]:
        x = left + (log10(steps) - x0) / (x1 - x0) * (width - left - 130)
        y = top + (y1 - log10(max(seconds, 10**y0))) / (y1 - y0) * (height - top - 50)
        return x, y

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for power in range(int(y0) - 0, int(y1) + 1):
        x, y = at(STEPS[0], 10.0**power)
        end = at(STEPS[-1], 10.0**power)[0]
        parts.append(f'<line x1="{x}" y1="{y:.1f}" x2="{end:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{x - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g} s</text>')
    for steps in STEPS:
        x, y = at(steps, 10**y0)
        parts.append(f'<text x="{x:.1f}" y="{y + 20:.1f}" text-anchor="middle">{steps:,}</text>')
    parts.append(f'<text x="{(width - 100) / 2}" y="{height - 8}" text-anchor="middle">time steps</text>')
    for units, colour in zip(UNITS, ("#1b6ca8", "#2a9d5c", "#c77f1a", "#b03a48"), strict=True):
        for target, dash in zip(TARGETS, ("", ' stroke-dasharray="5 4"'), strict=True):
            points = [at(steps, rows[target, units, steps]["all"]) for steps in STEPS]
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        x, y = at(STEPS[-1], rows["c", units, STEPS[-1]]["all"])
        parts.append(f'<text x="{x + 8:.1f}" y="{y + 4:.1f}" fill="{colour}">{units} unit{"s" * (units > 1)}</text>')
    parts.append(f'<text x="{left + 10}" y="{top + 12}">full lines: C, dashed: LaTeX</text>')
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    import sympy

    rows = {(target, u, t): best(target, u, t) for u in UNITS for t in STEPS for target in TARGETS}
    head = f"{date.today()}, Python {platform.python_version()}, SymPy {sympy.__version__}, {platform.machine()}"
    text = [
        "# Unrolling: time and memory by units and steps",
        "",
        f"Made by `python benchmarks/unroll.py`: {head}; best of {RUNS} runs.",
        "A GRU with one feature, after imports; the text goes to nowhere, piece by piece.",
        "",
        *table(rows),
        "",
        "## What one more step costs",
        "",
        *marginal(rows),
        "",
        "![Seconds over time steps](unroll.svg)",
        "",
    ]
    (RESULTS / "unroll.md").write_text("\n".join(text))
    (RESULTS / "unroll.svg").write_text(plot(rows))
    print("\n".join(text))


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])) if len(sys.argv) > 1 else main()
