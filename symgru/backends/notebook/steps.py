"""A layer's steps as Python decimals: the lines that stand above a cell, computed again and rounded as printed."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from sympy import Symbol

from symgru.algebra import Mat
from symgru.backends.notation import at_time
from symgru.backends.notebook.cells import Code
from symgru.backends.notebook.printer import Python
from symgru.errors import Unsupported
from symgru.network import Array
from symgru.working import Block, Working

MOST_LEFT_OUT = 200  # steps that a folded cell computes
_NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]*(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class StepWriter:
    """Writes one layer of one sequence. `single` says that every axis has length 1, `before` which layer's output it
    reads, where that is all it reads; `first` is what else its first step needs; `given` are the steps written so
    far."""

    layer: Working
    form: Python
    single: bool
    before: StepWriter | None
    first: tuple[str, ...] = ()
    given: set[int] = field(default_factory=set)

    def name(self, s: Symbol, t: int) -> str:
        return at_time(self.form.scalar(s), t)

    def names(self) -> list[str]:
        """Every name that is assigned to, at the first step."""
        cell = self.layer.calculator
        values = [*cell.inputs, *(before for before, _ in cell.states), *cell.defined]
        return [self.form.scalar(p) for p in cell.params] + [self.name(s, 1) for s in values]

    def has_names(self, taken: set[str] | frozenset[str]) -> bool:
        """Whether these are names in Python, and no two the same."""
        names = self.names()
        good = all(name.isidentifier() and not keyword.iskeyword(name) for name in names)
        return good and len({*names, *taken}) == len(names) + len(taken)

    def weights(self) -> Code:
        """An assignment for each parameter in the order of get_weights()."""
        blocks = (block for array in self.layer.arrays for row in array.blocks for block in row)
        shown = [block for block in blocks if block.symbol in self.layer.calculator.params]
        return Code("\n".join(f"{self.form.scalar(b.symbol)} = {self._weight(b)}" for b in shown))

    def _weight(self, block: Block) -> str:
        """A vector; or a matrix as its framework has it, with a row for each input, but with a row for each unit where
        the style's vectors are columns."""
        if not isinstance(block.symbol, Mat):
            return self._value(block.texts[0])
        return self._value(block.texts.T if self.form.style.columns else block.texts, matrix=True)

    def step(self, t: int) -> Code:
        """The lines of one step, and what they print."""
        names = self._left_sides(t)
        code = "\n".join([*self._rows(t), f'show("{" ".join(names)}")'])
        pad = max(map(len, names))
        values = (_listed(self._texts(lhs, t)) for lhs, _ in self.layer.calculator.equations)
        prints = (f"{name:<{pad}} = {value}\n" for name, value in zip(names, values, strict=True))
        return Code(code, "".join(prints))

    def left_out(self, t: int) -> Iterator[Code]:
        """The steps before step t that the document does not show, so that a change reaches it; nothing where they are
        too many."""
        missing = range(max(self.given, default=0) + 1, t)
        if not self.layer.calculator.states or not 0 < len(missing) <= MOST_LEFT_OUT:
            return
        said = f"step {missing[0]}" if len(missing) == 1 else f"steps {missing[0]} to {missing[-1]}"
        rows = (row for k in missing for row in self._rows(k))
        yield Code("\n".join([f"# {said}, worked in the same way", *rows]), folded=True)

    def _rows(self, t: int) -> list[str]:
        """The assignments of one step, which is given from now on."""
        if self.layer.keeps(t):
            start = self._start(t)
            rows = [*start, f"{self._state(t)} = {self._state(t - 1)}  # the mask keeps it"]
        else:
            names, cell = self._left_sides(t), self.layer.calculator
            rows = [
                f"{self.name(cell.inputs[0], t)} = {self.input(t)}",
                *self._start(t),
                *(f"{name} = R({text})" for name, text in zip(names, self._right_sides(t), strict=True)),
            ]
        rows = [*(() if self.given else self.first), *rows]
        self.given.add(t)
        return rows

    def _left_sides(self, t: int) -> list[str]:
        return [self.name(lhs, t) for lhs, _ in self.layer.calculator.equations]

    def _right_sides(self, t: int) -> Iterator[str]:
        return (at_time(text, t) for text in self._printed)

    @cached_property
    def _printed(self) -> list[str]:
        """The right side of each line, for any step."""
        return [self.form.scalar(rhs) for _, rhs in self.layer.calculator.equations]

    def _texts(self, s: Symbol, t: int) -> list[str]:
        """A quantity's printed values after step t."""
        cell = self.layer.calculator
        return [self.layer.value(s.name, t, k) for k in range(self.layer.sizes[cell.dims[s][0]])]

    def input(self, t: int) -> str:
        """As typed, or by the name under which the layer before has computed it."""
        texts, before = self.layer.x_texts[t - 1], self.before
        if before is not None:
            output, at = before.layer.calculator.output, t if self.layer.timed else before.layer.steps
            if at in before.given and before._texts(output, at) == list(map(str, texts)):
                return before.name(output, at)
        return self._value(texts)

    def _start(self, t: int) -> Iterator[str]:
        """The state before the step, where no cell has computed it."""
        if self.layer.calculator.states and t - 1 not in self.given:
            said = "  # what the steps left out come to" if t > 1 else ""
            yield f"{self._state(t - 1)} = {self._value(np.array(self.layer.state(t - 1), dtype=object))}{said}"

    def _state(self, t: int) -> str:
        ((before, _),) = self.layer.calculator.states
        return self.name(before, t + 1)

    def _value(self, texts: Array, matrix: bool = False) -> str:
        """Numbers as they are typed; those of a matrix in columns."""
        if not all(_NUMBER.fullmatch(str(v)) for v in texts.ravel()):
            raise Unsupported("the notebook takes decimal numbers only")
        if self.single:
            return f'number("{texts.ravel()[0]}")'
        if not matrix:
            return f'vector("{" ".join(map(str, texts))}")'
        if len(texts) == 1:
            return f'matrix("{" ".join(map(str, texts[0]))}")'
        widths = [max(map(len, map(str, column))) for column in texts.T]
        rows = ("  ".join(str(v).rjust(w) for v, w in zip(row, widths, strict=True)) for row in texts)
        return "\n    ".join(['matrix("""', *rows]) + '\n""")'


def _listed(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
