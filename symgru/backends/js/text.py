"""Text inside JavaScript: nothing in it ends a string, a comment or the script element it stands in."""

from __future__ import annotations

import json

_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "\u2028": "\\u2028", "\u2029": "\\u2029", "\x7f": "\\u007f"}


def quoted(text: str) -> str:
    """A string literal."""
    return "".join(_UNSAFE.get(c, c) for c in json.dumps(text, ensure_ascii=False))


def in_template(text: str) -> str:
    """Text between backquotes."""
    whole = json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"')
    for found, safe in (("`", "\\`"), ("${", "\\${"), ("</", "<\\/"), ("<!", "<\\!"), *list(_UNSAFE.items())[2:]):
        whole = whole.replace(found, safe)
    return whole


def listed(items: object) -> str:
    """Lists, objects and texts as a literal on one line."""
    return "".join(_UNSAFE.get(c, c) for c in json.dumps(items, ensure_ascii=False))
