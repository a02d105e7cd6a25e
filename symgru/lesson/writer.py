"""What every format does with the parts of a worked example: it prints each in its own way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import cast

from symgru.backends.dialect import Dialect
from symgru.backends.worked import LayerWriter, Written
from symgru.lesson.contributions import is_long
from symgru.lesson.parts import (
    Box,
    Cases,
    Equations,
    Heading,
    Lines,
    Listing,
    Pair,
    Paragraph,
    Part,
    Picture,
    Results,
    Step,
    Table,
    Vectors,
    Weights,
)
from symgru.lesson.prose import Prose
from symgru.working import Working


class Writer(ABC):
    """`prose` says how sentences are written, `formulas` is the dialect of equations, `worked` that of the lines with
    numbers."""

    def __init__(self, prose: Prose, formulas: Dialect, worked: Dialect) -> None:
        self.prose, self.formulas, self.worked = prose, formulas, worked
        self._writers: dict[int, LayerWriter] = {}

    def write(self, parts: Iterable[Part]) -> Iterator[str]:
        """The text of each part, as the parts become known."""
        return map(self.part, parts)

    def part(self, part: Part) -> str:
        """A part as text: the method that is called as its kind."""
        return cast(str, getattr(self, type(part).__name__.lower())(part))

    def layer(self, layer: Working) -> LayerWriter:
        """The one writer of a layer's lines, which keeps what it has printed once."""
        if id(layer) not in self._writers:
            self._writers[id(layer)] = LayerWriter(layer, self.worked)
        return self._writers[id(layer)]

    def written(self, part: Lines) -> list[Written]:
        """The lines that a part asks for."""
        wanted = (
            line
            for line in part.layer.lines(part.t)
            if part.unit in (None, line.lhs.idx[0]) and not is_long(line.rhs, part.longest)
        )
        return list(map(self.layer(part.layer).written, wanted))

    @abstractmethod
    def heading(self, part: Heading) -> str: ...

    @abstractmethod
    def paragraph(self, part: Paragraph) -> str: ...

    @abstractmethod
    def equations(self, part: Equations) -> str: ...

    @abstractmethod
    def results(self, part: Results) -> str: ...

    @abstractmethod
    def step(self, part: Step) -> str: ...

    @abstractmethod
    def lines(self, part: Lines) -> str: ...

    @abstractmethod
    def pair(self, part: Pair) -> str: ...

    @abstractmethod
    def vectors(self, part: Vectors) -> str: ...

    @abstractmethod
    def table(self, part: Table) -> str: ...

    @abstractmethod
    def cases(self, part: Cases) -> str: ...

    @abstractmethod
    def weights(self, part: Weights) -> str: ...

    @abstractmethod
    def picture(self, part: Picture) -> str: ...

    @abstractmethod
    def listing(self, part: Listing) -> str: ...

    @abstractmethod
    def box(self, part: Box) -> str: ...
