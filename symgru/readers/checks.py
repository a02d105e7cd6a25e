"""What every reader refuses, and how an untrusted name is shown in a message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from symgru.errors import UnusableInput

MAX_UNITS = 65_536
MAX_NUMBERS = 2**24  # of one model or one input; each is held as a float and as a decimal text
MAX_TEXT = 64 * 2**20
DTYPES = ("float32", "float64")


def printable(name: object, limit: int = 60) -> str:
    """An untrusted name on one line: control characters escaped, at most `limit` characters."""
    raw = name[: limit + 1] if isinstance(name, str) else str(name)[: limit + 1]
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in raw)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def boolean(value: object, what: str) -> bool:
    """True or False only: Keras takes the text "False" for true without a word."""
    if not isinstance(value, bool):
        raise UnusableInput(f"{what} is {printable(repr(value))}; it must be true or false")
    return value


def whole(value: object, what: str, high: int = MAX_UNITS) -> int:
    """A whole number from 1 to `high`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnusableInput(f"{what} is {printable(repr(value))}; it must be a whole number")
    if not 1 <= value <= high:
        raise UnusableInput(f"{what} is out of range; it must be from 1 to {high}")
    return value


def identifier(value: object, what: str) -> str:
    """A short name such as `tanh`: whether it is known is decided later, but it is never code."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,39}", value):
        raise UnusableInput(f"{what} is {printable(repr(value))}; it must be a name such as 'tanh'")
    return value


def dtype_name(value: object, what: str = "dtype") -> str:
    """float32 or float64."""
    if value not in DTYPES:
        raise UnusableInput(f"{what} is {printable(repr(value))}; it must be 'float32' or 'float64'")
    return str(value)


def mapping(value: object, what: str) -> Mapping[str, object]:
    """A JSON object."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise UnusableInput(f"{what} must be an object with named entries")
    return value


def only(keys: Iterable[str], known: Iterable[str], what: str) -> None:
    """Refuse an entry that nobody would read: it may be a misspelt option."""
    known = list(known)
    for key in keys:
        if key not in known:
            raise UnusableInput(f"{what} has an unknown entry '{printable(key)}'; known are {', '.join(known)}")


def a_file(path: Path, limit: int) -> Path:
    """`path`, if it is a file of 1 to `limit` bytes; messages leave its name to the caller."""
    try:
        if path.is_dir():
            raise UnusableInput("is a directory; a file is needed")
        if not path.exists():
            raise UnusableInput("no such file")
        if not path.is_file():
            raise UnusableInput("is not a regular file")
        size = path.stat().st_size
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise UnusableInput(f"cannot be looked at: {reason(error)}") from None
    if size == 0:
        raise UnusableInput("the file is empty")
    if size > limit:
        raise UnusableInput(f"the file has {size} bytes; at most {limit} are read")
    return path


def text_of(path: Path) -> str:
    """The whole of a UTF-8 text file, a byte order mark left out."""
    try:
        return a_file(path, MAX_TEXT).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UnusableInput("is not UTF-8 text") from None
    except OSError as error:
        raise UnusableInput(f"cannot be read: {reason(error)}") from None


def reason(error: BaseException) -> str:
    """The first words of another library's message, on one line."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return printable(text, 100) or type(error).__name__
