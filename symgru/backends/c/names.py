"""Names in C: everything external carries the prefix, everything at all is unique and no keyword."""

from __future__ import annotations

import re

import numpy as np

from symgru.errors import UnusableInput
from symgru.printing import nearest

KEYWORDS = set(
    """
    auto break case char const continue default do double else enum extern float for goto if inline int long register
    restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
    alignas alignof and and_eq asm bitand bitor bool catch class compl concept const_cast constexpr decltype delete
    dynamic_cast explicit export false friend mutable namespace new noexcept not not_eq nullptr operator or or_eq
    private protected public reinterpret_cast requires static_assert static_cast template this thread_local throw true
    try typeid typename typeof typeof_unqual using virtual wchar_t xor xor_eq main
    char8_t char16_t char32_t co_await co_return co_yield concept consteval constinit requires
    far near huge interrupt pascal fortran entry complex imaginary noreturn errno stdin stdout stderr
    linux unix i386 arm mips sparc sun vax
""".split()
)  # C99, C23, C++; what old embedded compilers reserve; what gcc or a header may define as a macro
PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,47}\Z")


def prefix(name: str) -> str:
    """A name that the user chose for the C, checked."""
    if not PREFIX.match(name) or name in KEYWORDS or "__" in name or name.endswith(("_", "_test")):
        raise UnusableInput(
            f"--name {name[:60]!r} is no prefix for C: it takes letters, digits and single _, starts "
            "with a letter, does not end in _ or _test, is at most 48 long and no keyword"
        )
    return name


def member(identifier: str) -> str:
    """A struct member for a layer's id, which may be a keyword."""
    return f"{identifier}_" if identifier in KEYWORDS else identifier


def number(value: object) -> str:
    """A float literal that reads back as exactly this float32."""
    wide = nearest(value)
    with np.errstate(over="ignore"):
        held = np.float32(wide)
    if not np.isfinite(held):
        raise UnusableInput(f"{wide:.9g} does not fit into a float32, which the C computes in")
    shortest = str(held)
    return f"{shortest}f" if "." in shortest or "e" in shortest else f"{shortest}.0f"


def text(untrusted: str, length: int = 60) -> str:
    """A name from a file made fit for a comment: printable ASCII, nothing that could end or nest one."""
    printable = re.sub(r"[^ !#%&'()+,\-.0-9:;=@A-Za-z\[\]_]", "?", untrusted)
    return printable if len(printable) <= length else printable[: length - 3] + "..."
