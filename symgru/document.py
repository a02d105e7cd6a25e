"""A derivation, a worked example or a diagnosis as something to print, to save, or to show in a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symgru.backends import DOCUMENTS, ONE_SEQUENCE, PAGES, WORKED, renderer
from symgru.comparison import Comparison
from symgru.derivation import Derivation, Derivations
from symgru.errors import UnusableInput
from symgru.explanation import Explanation
from symgru.lesson.extent import DETAILS, Extent
from symgru.writing import Piece, write_pieces

if TYPE_CHECKING:
    from symgru.diagnosis.against import Disagreement
    from symgru.diagnosis.findings import Diagnosis
    from symgru.proving import Proofs


@dataclass(frozen=True, repr=False)
class Document:
    """`content` is what it says, free of any format. str() gives plain text; `save` follows the file's ending.

    Options of a worked example: `detail` ("full", "matrix" or "overview", by the network's size where None), `show`=3
    (only the first and last so many time steps), `code`=False (without the equations as NumPy), and for .tex
    `fragment`=True (to be \\input). Of the others: `show`.
    """

    content: Comparison | Derivation | Derivations | Diagnosis | Disagreement | Explanation | Proofs

    def pieces(self, ending: str, **options: Any) -> Iterator[Piece]:
        """The document in the format of a file's ending, piece by piece, as it becomes known: text, or bytes where the
        format is no text."""
        kind = type(self.content).__name__.lower()
        if isinstance(self.content, Explanation):
            if self.content.others and ending.lower() in ONE_SEQUENCE:
                raise UnusableInput(f"{ending} holds one sequence; give one of them alone, the first as x[0:1]")
            options = {"extent": _extent(options), **options}
        made = renderer(self._format(ending), kind)(self.content, **options)
        yield from [made] if isinstance(made, str | bytes) else made

    def _format(self, ending: str) -> str:
        """The backend that writes files of an ending. Raises UnusableInput."""
        more = {"Explanation": WORKED, "Diagnosis": PAGES, "Disagreement": PAGES}.get(type(self.content).__name__, {})
        known = DOCUMENTS | more
        if ending.lower() not in known:
            shown = ", ".join(known)
            raise UnusableInput(f"{ending[:20] or 'no ending'}: a file's ending says the format; it can be {shown}")
        return known[ending.lower()]

    @property
    def steps(self) -> int:
        """How many time steps it shows."""
        return int(getattr(self.content, "steps", 0))

    def save(self, path: str | Path, **options: Any) -> Path:
        """Write a file, whole or not at all, in the format of its ending."""
        place = Path(path)
        write_pieces(place, self.pieces(place.suffix, **options))
        return place

    def text(self, ending: str, **options: Any) -> str:
        """The whole document in a text format."""
        return "".join(map(str, self.pieces(ending, **options)))

    def __repr__(self) -> str:
        """One line; print() shows the whole document."""
        kind = "worked example" if isinstance(self.content, Explanation) else type(self.content).__name__.lower()
        start = str(next(self.pieces(".txt", header=False)))
        first = next((line for line in start.splitlines() if line.strip()), "")
        return f"<{kind}: {first.strip()}>"

    def __str__(self) -> str:
        return self.text(".txt", header=False)

    def _repr_markdown_(self) -> str:
        return self.text(".md")

    def _repr_html_(self) -> str | None:
        from symgru import display

        return display.html(self.content)

    def _repr_latex_(self) -> str | None:
        from symgru import display

        return display.latex(self.content)


def _extent(options: dict[str, Any]) -> Extent:
    """How much is shown; takes what says so out of the options. Raises UnusableInput."""
    chosen = {name: options.pop(name) for name in ("detail", "show", "code") if name in options}
    detail = chosen.get("detail")
    if detail is not None and detail not in DETAILS:
        raise UnusableInput(f"detail is {detail!r}; it can be {', '.join(DETAILS)}")
    return Extent(**chosen)
