"""The proofs, carried out: what `symgru prove` and symgru.prove() give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import perf_counter

from symgru.document import Document
from symgru.errors import UnusableInput
from symgru.proofs import PROOFS, Proof
from symgru.proofs.claims import Argument, Twin
from symgru.proofs.sentences import Sentence


@dataclass(frozen=True)
class Refuted:
    """A false twin: `rejected` by the computation that proves the true statement, and `refuted` at a point."""

    twin: Twin
    rejected: bool
    refuted: bool

    @cached_property
    def statement(self) -> str:
        """The false statement as plain text."""
        return _sentence(self.twin.says)

    @cached_property
    def evidence(self) -> str:
        """Where it is false, and the numbers there: certified enclosures, of which the first digits are shown."""
        return _sentence(self.twin.counterexample.says)

    @property
    def verdict(self) -> str:
        """What is to be said where it is not refuted."""
        return "" if self else "NOT REFUTED"

    def __bool__(self) -> bool:
        return self.rejected and self.refuted


@dataclass(frozen=True)
class Result:
    """A proof that has been carried out.

    `holds` where every step of its argument does, `refuted` has its false twins, and `seconds` is the time that both
    have taken.
    """

    name: str
    argument: Argument
    holds: bool
    refuted: tuple[Refuted, ...]
    seconds: float

    @cached_property
    def statement(self) -> str:
        """What is proved, as plain text."""
        return _sentence(self.argument.statement)

    @property
    def verdict(self) -> str:
        """What is to be said where it is not proved."""
        return "" if self.holds else "NOT PROVED"

    def __bool__(self) -> bool:
        return self.holds and all(self.refuted)

    def __repr__(self) -> str:
        return f"<{self.name}: {self.statement}; {self.verdict or 'proved'}>"


class Proofs(list[Result]):
    """Results, which print as a document with every argument."""

    def save(self, path: str | Path) -> Path:
        """Write the arguments to a .tex, .md or .txt file, whole or not at all."""
        return Document(self).save(path)

    def __str__(self) -> str:
        return str(Document(self))

    def _repr_markdown_(self) -> str:
        return Document(self)._repr_markdown_()


def prove(name: str | None = None) -> Proofs:
    """Carry out all proofs, or the one of that name.

    Each result has `name`, `statement`, `holds`, `seconds`, and `refuted`: the false twins that are refuted beside it.
    Raises UnusableInput where no proof has that name.
    """
    return Proofs(proved(name))


def proved(name: str | None = None) -> Iterator[Result]:
    """The same one by one."""
    if name is not None and name not in PROOFS:
        raise UnusableInput(f"no proof is called {str(name)[:60]!r}; there are {', '.join(PROOFS)}")
    return (_carried_out(proof) for proof in PROOFS.values() if name in (None, proof.name))


def _carried_out(proof: Proof) -> Result:
    start = perf_counter()
    argument = proof.build()
    holds = argument.holds()
    refuted = tuple(Refuted(twin, twin.rejected(), twin.refuted()) for twin in argument.twins)
    return Result(proof.name, argument, holds, refuted, perf_counter() - start)


def _sentence(pieces: Sentence) -> str:
    from symgru.backends.text.proofs import SPEAKER

    return SPEAKER.sentence(pieces)
