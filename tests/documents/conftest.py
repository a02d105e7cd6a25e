"""Small random networks, each document in its formats, and what was counted of them at the end of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np
import pytest

from symgru.backends import html, latex, markdown, text, xlsx
from symgru.building import build
from symgru.explanation import Explanation
from symgru.lesson.extent import Extent
from symgru.network import Layer, Network, Tensor, chain

KINDS = ("txt", "md", "tex")
FULL = Extent("full", code=False)
Document = str | bytes


WRITERS: dict[str, Callable[[Explanation, Extent], Document]] = {
    "txt": lambda e, extent: "".join(text.render_explanation(e, extent)),
    "md": lambda e, extent: "".join(markdown.render_explanation(e, extent)),
    "tex": lambda e, extent: "".join(latex.render_explanation(e, extent)),
    "html": lambda e, extent: "".join(html.render_explanation(e, extent)),
    "xlsx": lambda e, extent: xlsx.explanation_bytes(e),
}


def documents(e: Explanation, extent: Extent = FULL, kinds: Iterable[str] = KINDS) -> dict[str, Document]:
    """The worked example in several formats."""
    return {kind: WRITERS[kind](e, extent) for kind in kinds}


def texts(e: Explanation) -> dict[str, str]:
    """Those that are text, as a reader sees them who does not care for markup."""
    return {kind: str(document) for kind, document in documents(e, kinds=(*KINDS, "html")).items()}


def typed(rng: np.random.Generator, *shape: int, decimals: int = 8, scale: float = 0.6) -> Tensor:
    """Numbers with at most so many decimals, stored as float32 and printed as float32 prints."""
    return Tensor.of(np.round(rng.normal(0, scale, shape), decimals).astype(np.float32))


def network(seed: int, layers: list[tuple[str, int, dict]], features: int, scale: float = 0.6) -> Network:
    """A stack of (kind, units, options) with random weights and biases."""
    rng = np.random.default_rng(seed)
    made, width = [], features
    for place, (kind, units, options) in enumerate(layers, 1):
        cell = build(kind, options)
        sizes = {"H": units, "D": width}
        weights = {p.name: typed(rng, *(sizes[d] for d in cell.dims[p]), scale=scale) for p in cell.params}
        made.append(Layer(f"layer_{place}", f"layer {place}", kind, options, weights))
        width = units
    return chain(made, dtype="float32", features=features)


def sequence(seed: int, steps: int, features: int) -> Tensor:
    return typed(np.random.default_rng(seed + 1000), 1, steps, features, decimals=3, scale=1.0)


def counted(reporter: pytest.TerminalReporter, what: str) -> dict[str, Counter[str]]:
    """What the tests have recorded under a name, added up for each format."""
    counts: dict[str, Counter[str]] = {}
    for report in reporter.stats.get("passed", ()):
        for name, value in getattr(report, "user_properties", ()):
            if name == what and report.when == "call":
                for kind, found in value.items():
                    counts[kind] = counts.get(kind, Counter()) + Counter(found)
    return counts


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line for each format: its documents, their worked lines, and how often the digits are the exact ones; and what
    was read back of matrix form and tables."""
    if counts := counted(terminalreporter, "worked lines"):
        terminalreporter.section("worked lines read back from documents of random networks")
    for kind, n in counts.items():
        exact = (
            f"the digits are the exact ones in {n['reached']} ({n['reached'] / n['documents']:.1%}), the others say so"
        )
        lines = f"{n['lines']:,} lines of {n['documents']} documents recomputed, {n['marked']} marked"
        terminalreporter.line(f"{kind:>5}: {lines}; {exact}")
    if counts := counted(terminalreporter, "read back"):
        terminalreporter.section("matrix form and contributions read back")
    for kind, n in counts.items():
        said = (
            f"{n['lines']:,} lines in matrix form ({n['filled']} filled in) with {n['numbers']:,} numbers",
            f"{n['weights']} blocks of weights",
            f"{n['starts']} starts",
            f"{n['sums']} sums with {n['products']} products shown",
            f"{n['lines of one unit']} lines beside them",
        )
        terminalreporter.line(f"{kind:>5}: {', '.join(said)}")
