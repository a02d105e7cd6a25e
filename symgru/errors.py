"""The errors a user can meet. Each message is one line: what was found, where, and what to do."""

from __future__ import annotations


class SymgruError(Exception):
    """Root of every error that symgru raises on purpose; the command line turns it into exit status 2."""


class UnusableInput(SymgruError):
    """A file, an array or an option cannot be used as it is."""


class Unsupported(SymgruError):
    """The input is sound, but symgru has no rule for it (a layer, an activation, a node of an expression)."""


class MissingTool(SymgruError):
    """Something outside symgru is needed and absent: a compiler, a framework, a LaTeX engine."""
