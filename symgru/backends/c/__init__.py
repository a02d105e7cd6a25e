"""C99 for networks of recurrent cells and what surrounds them: a header, a source and a test program."""

from __future__ import annotations

from symgru.backends.c.files import Options, code, files

__all__ = ["Options", "code", "files"]
