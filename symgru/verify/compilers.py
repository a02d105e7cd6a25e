"""Finding a C compiler and turning emitted C into something Python can call."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from symgru.errors import MissingTool, SymgruError

FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wdouble-promotion", "-Wshadow")
NONE_FOUND = "no C compiler found: set CC, install gcc or clang, or run `pip install ziglang`"


def find_compiler() -> list[str] | None:
    """The first of $CC, cc, gcc, clang and `python -m ziglang cc` that is there, as the words of a command."""
    try:
        chosen = shlex.split(os.environ.get("CC", ""))
    except ValueError as e:
        raise MissingTool(f"CC is set to {os.environ['CC'][:60]!r}, which is no command ({e})") from None
    if chosen:
        if shutil.which(chosen[0]) is None:
            raise MissingTool(f"CC is set to {chosen[0][:60]!r}, which is not a program on PATH")
        return chosen
    for name in ("cc", "gcc", "clang"):
        if shutil.which(name):
            return [name]
    return [sys.executable, "-m", "ziglang", "cc"] if importlib.util.find_spec("ziglang") else None


def require_compiler() -> list[str]:
    command = find_compiler()
    if command is None:
        raise MissingTool(NONE_FOUND)
    return command


def compile_program(folder: Path, sources: list[str], output: str, flags: tuple[str, ...] = ()) -> Path:
    """A program from sources in `folder`; raises with the compiler's first message where it fails."""
    target = folder / (output + (".exe" if sys.platform == "win32" else ""))
    _compile([*require_compiler(), *FLAGS, *flags, *sources, "-o", target.name], folder)
    return target


def compile_library(folder: Path, source: str, output: str) -> ctypes.CDLL:
    """A shared library from one source in `folder`, loaded."""
    suffix = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
    target = folder / (output + suffix)
    position = () if sys.platform == "win32" else ("-fPIC",)
    _compile([*require_compiler(), *FLAGS, *position, "-shared", source, "-o", target.name], folder)
    try:
        return ctypes.CDLL(str(target))
    except OSError as e:
        raise SymgruError(f"the compiled library cannot be loaded ({str(e)[:120]}); is it for this machine?") from None


def _compile(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode or done.stderr:
        first = next((line for line in done.stderr.splitlines() if "error" in line or "warning" in line), done.stderr)
        raise SymgruError(
            f"{command[0]} could not compile the emitted C without a word: "
            f"{first[:200] or f'exit status {done.returncode}'}"
        )
    if not (folder / command[-1]).exists():
        raise SymgruError(f"{' '.join(command[:3])[:80]} made no file; CC must name a C compiler")
