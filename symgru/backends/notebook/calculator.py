"""The cells of a notebook that compute its lines: what they share, and those of each layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import numpy as np

from symgru.backends.notation import Notation
from symgru.backends.notebook.cells import Code
from symgru.backends.notebook.definitions import definitions
from symgru.backends.notebook.printer import printer
from symgru.backends.notebook.steps import StepWriter
from symgru.errors import SymgruError
from symgru.explanation import Explanation
from symgru.rounding import PRECISION
from symgru.styles import DEFAULT
from symgru.templating import render
from symgru.working import Working

LARGEST = 1e6  # beyond it e^a has more digits than are worth waiting for
HELPERS = frozenset(
    "decimal Decimal ROUND_HALF_UP np context DECIMALS number vector matrix elementwise kept place R written show "
    "predict WEIGHTS".split()
)


class Calculator:
    """A writer for each layer that `shows` its steps, and that Python's decimals can compute."""

    def __init__(self, e: Explanation, shows: Callable[[Working], bool]) -> None:
        self.explanation = e
        self.single = all(size == 1 for layer in e.layers for size in layer.sizes.values())
        self._writers: dict[int, StepWriter] = {}
        self._called: set[str] = set()
        for place, sequence in enumerate((e, *e.others), 1):
            before: StepWriter | None = None
            for layer in sequence.layers:
                before = self._writer(sequence, place, layer, before) if shows(layer) else None
                if before:
                    self._writers[id(layer)] = before

    def __bool__(self) -> bool:
        return bool(self._writers)

    def of(self, layer: Working) -> StepWriter | None:
        return self._writers.get(id(layer))

    def _writer(self, e: Explanation, place: int, layer: Working, before: StepWriter | None) -> StepWriter | None:
        """In the document's own style where Python can spell its symbols."""
        own = f"L{layer.place}_" if layer.place > 1 else ""
        marks = own, f"S{place}_{own}" if place > 1 else own
        notation = Notation(layer.calculator, layer.sizes, layer.timed)
        first = (f"DECIMALS = {e.decimals}",) if self.explanation.others else ()
        follows = None if layer.source else before
        for style in dict.fromkeys((e.style, DEFAULT)):
            called: set[str] = set()
            form = printer(notation, called, self.single, marks, style)
            writer = StepWriter(layer, form, self.single, follows, first)
            if _can_write(writer, called):
                self._called |= called
                return writer
        return None

    def setup(self) -> Code:
        """What the cells of all steps use."""
        e = self.explanation
        found = definitions(self._called, e.layers)
        text = render(
            "notebook/calculator.py.j2",
            precision=PRECISION,
            decimals=e.decimals,
            significant=e.rounding.significant,
            fewest=e.rounding.fewest,
            single=self.single,
            primitives=found.primitives,
            definitions=found.each,
            of_all_units=found.of_all_units,
        )
        return Code(text, folded=True)


def _can_write(writer: StepWriter, called: set[str]) -> bool:
    layer = writer.layer
    try:
        for _, rhs in layer.calculator.equations:
            writer.form.scalar(rhs)
        definitions(called, [layer])
        writer.weights()
        list(map(writer.input, range(1, layer.steps + 1)))
    except SymgruError:
        return False
    return writer.has_names(HELPERS | called) and all(abs(v) < LARGEST for v in _arguments(layer))


def _arguments(layer: Working) -> Iterator[Decimal]:
    """Every number of the layer before it was rounded."""
    return (v for row in layer.raw for values in row.values() for v in np.ravel(values))
