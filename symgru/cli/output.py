"""What a command says beside its results: that it is at work, what it wrote; and whether a terminal can show them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, TypeVar

import click

from symgru.errors import UnusableInput
from symgru.writing import Piece

P = TypeVar("P", bound=Piece)

if TYPE_CHECKING:
    from rich.live import Live
    from rich.spinner import Spinner


def plain_ascii() -> bool:
    """Whether the output cannot show σ."""
    if sys.stdout is None:
        raise UnusableInput("standard output is closed: name a file with -o")
    try:
        "σ·₁²".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return True
    return False


class Waiting:
    """A sign of life on a terminal's standard error once something has taken a second; nothing elsewhere.

    Within another one it only changes what that one says.
    """

    _outer: Waiting | None = None

    def __init__(self, for_what: str, after: float = 1.0) -> None:
        self.text, self.after = for_what, after
        self._timer: Timer | None = None
        self._live: Live | None = None
        self._spinner: Spinner | None = None
        self._before = ""

    def __enter__(self) -> Waiting:
        outer = Waiting._outer
        if outer is not None:
            self._before = outer.text
            outer.say(self.text)
            return outer
        Waiting._outer = self
        if sys.stderr is not None and sys.stderr.isatty():
            self._timer = Timer(self.after, self._show)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        if Waiting._outer is not self:
            assert Waiting._outer is not None
            Waiting._outer.say(self._before)
            return
        Waiting._outer = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()  # it may be just about to show the sign
        if self._live is not None:
            self._live.stop()

    def _show(self) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        self._spinner = Spinner("dots", self.text)
        console = Console(stderr=True)
        # what is printed meanwhile stays on its own stream
        live = Live(self._spinner, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
        live.start()
        self._live = live

    def say(self, text: str) -> None:
        """What is being done now."""
        self.text = text
        if self._spinner is not None:
            self._spinner.update(text=text)

    def watch(self, pieces: Iterable[P], name: str) -> Iterator[P]:
        """The pieces of a file as they are written, with how much there is so far."""
        written = shown = 0
        for piece in pieces:
            yield piece
            written += len(piece)
            if written - shown > 1_000_000:
                shown = written
                self.say(f"writing {name}: {written / 1e6:.0f} MB")


def waiting(for_what: str) -> Waiting:
    """`with waiting("asking Keras"): ...`"""
    return Waiting(for_what)


def say_written(places: Iterable[Path]) -> None:
    for place in places:
        click.echo(f"wrote {place}", err=True)
