"""Finding a LaTeX engine and running it: in a folder of its own, without a shell, for a bounded time.

The bytes are the same on every run of one engine: its clock is SOURCE_DATE_EPOCH, and the file's identifier, which TeX
makes from the clock and the folder's name, is left out.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from symgru.errors import MissingTool, SymgruError

NAME = "document"
LIMIT = 300.0  # seconds for a document; one of a thousand pages takes a minute
MOST_RUNS = 4  # a long table has its column widths after two or three
NONE_FOUND = (
    "no LaTeX engine found for a .pdf: install Tectonic (https://tectonic-typesetting.github.io), TeX Live "
    "(Debian: apt install texlive-latex-recommended texlive-pictures lmodern) or MiKTeX; or write .html "
    "or .tex, which need none"
)
SAFE = ("-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "-file-line-error")
STABLE = (
    r"\ifdefined\pdftrailerid\pdftrailerid{}\fi"
    r"\ifdefined\pdfvariable\pdfvariable trailerid {[<00000000000000000000000000000000> "
    r"<00000000000000000000000000000000>]}\fi"
    "\n"
)
_ERRORS = (
    re.compile(rf"^(?:\./)?{NAME}\.tex:(?P<line>\d+): (?P<says>.*)"),  # of -file-line-error
    re.compile(rf"^error: (?:{NAME}\.tex:(?P<line>\d+): )?(?P<says>.*)"),  # of Tectonic
    re.compile(r"^! (?P<says>.*)"),
)
_AGAIN = re.compile(r"Rerun to get|Rerun LaTeX|Table widths have changed")


@dataclass(frozen=True)
class Engine:
    """A program, the others it calls, its options, and whether it runs itself as often as it takes."""

    program: str
    options: tuple[str, ...]
    calls: tuple[str, ...] = ()
    repeats: bool = False

    @property
    def is_there(self) -> bool:
        return all(map(shutil.which, (self.program, *self.calls)))

    @property
    def command(self) -> list[str]:
        return [shutil.which(self.program) or self.program, *self.options, f"{NAME}.tex"]


ENGINES = (
    Engine("tectonic", ("--untrusted", "--keep-logs"), repeats=True),
    Engine("latexmk", ("-norc", "-pdf", *(f"-latexoption={option}" for option in SAFE)), ("pdflatex",), repeats=True),
    *(Engine(program, SAFE) for program in ("pdflatex", "lualatex", "xelatex")),
)


def find_engine() -> Engine | None:
    """The first engine that is on PATH."""
    return next((engine for engine in ENGINES if engine.is_there), None)


def require_engine() -> Engine:
    """The same. Raises MissingTool, saying what to install."""
    engine = find_engine()
    if engine is None:
        raise MissingTool(NONE_FOUND)
    return engine


def typeset(text: Iterable[str], engine: Engine, limit: float = LIMIT) -> bytes:
    """The PDF of a LaTeX document. Raises SymgruError with the engine's first error."""
    with tempfile.TemporaryDirectory(prefix="symgru-") as temporary:
        folder = Path(temporary)
        with (folder / f"{NAME}.tex").open("w", encoding="utf-8") as source:
            source.write(STABLE)
            source.writelines(text)
        for _ in range(1 if engine.repeats else MOST_RUNS):
            said = _run(engine, folder, limit)
            if not _AGAIN.search(said):
                break
        return (folder / f"{NAME}.pdf").read_bytes()


def _run(engine: Engine, folder: Path, limit: float) -> str:
    """What the engine says, on its output and in its log."""
    with subprocess.Popen(
        engine.command,
        cwd=folder,
        env=_environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            _end(process)
            raise SymgruError(
                f"{engine.program} did not finish the document within {limit:.0f} s; --show 3 leaves out the middle of "
                "many time steps"
            ) from None
        except BaseException:
            _end(process)
            raise
    log = folder / f"{NAME}.log"
    said = output.decode("utf-8", "replace") + (log.read_text("utf-8", "replace") if log.exists() else "")
    if process.returncode or not (folder / f"{NAME}.pdf").exists():
        raise SymgruError(f"{engine.program} could not typeset the document: {first_error(said)}")
    return said


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """A clock that stands still, unless the caller has set it; lines of the log that are not cut."""
    return {
        "SOURCE_DATE_EPOCH": "0",
        **own,
        "FORCE_SOURCE_DATE": "1",
        "max_print_line": "1000",
        "openout_any": "p",
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    """The engine and what it has started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def first_error(said: str) -> str:
    """TeX's first error in one line, and what to do."""
    for line in said.splitlines():
        for pattern in _ERRORS:
            if found := pattern.match(line):
                at = found.groupdict().get("line")
                missing = "' not found" in found["says"]
                todo = "install the LaTeX package it belongs to" if missing else "save it as .tex to see where"
                return f"{found['says'].strip().rstrip('.')[:200]}{f' (line {at})' if at else ''}; {todo}"
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
    return f"{last.strip()[:200]}; save it as .tex to see more"
