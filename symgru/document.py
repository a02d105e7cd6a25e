"""A derivation or a worked example as something to print, to save, or to show in a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symgru.backends import DOCUMENTS, backend
from symgru.comparison import Comparison
from symgru.derivation import Derivation, Derivations
from symgru.errors import UnusableInput
from symgru.explanation import Explanation
from symgru.writing import write_text

if TYPE_CHECKING:
    from symgru.proving import Proofs


@dataclass(frozen=True)
class Document:
    """`content` is what it says, free of any format. str() gives plain text; `save` follows the file's ending."""

    content: Comparison | Derivation | Derivations | Explanation | Proofs

    def pieces(self, ending: str, **options: Any) -> Iterator[str]:
        """The text in the format of a file's ending (.tex, .md, .txt), piece by piece, as it becomes known."""
        if ending.lower() not in DOCUMENTS:
            known = ", ".join(DOCUMENTS)
            raise UnusableInput(f"{ending[:20] or 'no ending'}: a file's ending says the format; it can be {known}")
        render = getattr(backend(DOCUMENTS[ending.lower()]), f"render_{type(self.content).__name__.lower()}")
        text = render(self.content, **options)
        yield from [text] if isinstance(text, str) else text

    @property
    def steps(self) -> int:
        """How many time steps it shows."""
        return int(getattr(self.content, "steps", 0))

    def save(self, path: str | Path, **options: Any) -> Path:
        """Write a .tex, .md or .txt file, whole or not at all; show=3 leaves out the middle of many time steps."""
        place = Path(path)
        write_text(place, self.pieces(place.suffix, **options))
        return place

    def __str__(self) -> str:
        return "".join(self.pieces(".txt", header=False))

    def _repr_markdown_(self) -> str:
        return "".join(self.pieces(".md"))
