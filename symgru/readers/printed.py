"""The text that printing weights gives, read without eval and with every number's digits kept.

`[array([[…]], dtype=float32), …]`, the prints of single arrays (no commas), nested lists, `np.float32(…)`,
`<tf.Variable 'gru/kernel:0' shape=(1, 3) dtype=float32, numpy=array(…)>` and Keras 3's `<Variable path=…, value=[…]>`;
PyTorch's `tensor(…)`, `Parameter containing: tensor(…)` and `OrderedDict({'weight_ih_l0': tensor(…)})`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from symgru.errors import UnusableInput
from symgru.readers.checks import MAX_NUMBERS, printable
from symgru.readers.decimals import Typed, canonical

MAX_DEPTH = 8
ADVICE = (
    "print again after np.set_printoptions(threshold=sys.maxsize, floatmode='unique'), "
    "or save the model with model.save('model.keras')"
)
TORCH_ADVICE = (
    "print again after torch.set_printoptions(threshold=sys.maxsize, precision=9), "
    "or save the model with torch.save(model.state_dict(), 'model.pt')"
)
PROMPT = re.compile(r"^(?:>>>.*$|In ?\[[0-9]*\]:.*$|Out ?\[[0-9]*\]:)", re.MULTILINE)
CALLS = re.compile(r"(?:[A-Za-z_]\w*\.)*(?:array|Array|float16|float32|float64|bfloat16)")
TENSOR = re.compile(r"(?:torch\.)?(?:tensor|Tensor)")
PARAMETER = re.compile(r"\bParameter containing:")
NAME = (
    re.compile(  # of a tensor: 'gru.weight_ih_l0': tensor(…), with a comma in pairs, with a space from print(name, p)
        r"(?<![\w.])(?P<quote>['\"]?)(?P<name>[A-Za-z_][\w.]{0,100})(?P=quote)(?=[\s:,=])\s{0,9}[:,=]?\s{0,9}"
        r"(?=(?:torch\.)?tensor\()",
        re.ASCII,
    )
)

TOKENS = {  # the page's script reads by these too, in this order
    "variable": r"<[\w.]*(?:Variable|Tensor)\b[^<>\[\]]{0,2000}?\b(?:numpy|value)=",
    "dots": r"\.\.\.|…",
    "number": r"[-+\u2212]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?(?![\w.])",
    "name": r"[A-Za-z_][\w.]{0,60}",
    "string": "'[^']{0,60}'|\"[^\"]{0,60}\"",
    "mark": r"[\[\](),=>]",
    "end": "$",
}
_TOKEN = re.compile(r"\s*(?:" + "|".join(f"(?P<{kind}>{token})" for kind, token in TOKENS.items()) + ")", re.ASCII)


@dataclass(frozen=True)
class Printed:
    """One array: nested lists of typed numbers, and the dtype that was printed with it."""

    data: object
    dtype: str | None = None


def parse(text: str) -> list[Printed]:
    """The arrays in a printed text, in order. Prompt lines of Python and IPython may stand around them."""
    found = _Parser(PARAMETER.sub("", PROMPT.sub("", text))).everything()
    if len(found) == 1 and isinstance(found[0], list) and not (found[0] and isinstance(found[0][0], Typed)):
        found = found[0]  # one list of arrays, not the arrays one after the other
    if not found:
        raise UnusableInput("there is no array in the text; what printing get_weights() gives is needed")
    return [item if isinstance(item, Printed) else Printed(item) for item in found]


def is_of_torch(text: str) -> bool:
    """Whether a text is PyTorch's print of tensors."""
    return "tensor(" in text


def named(text: str) -> dict[str, Printed] | None:
    """The tensors of a text that gives each a name, as a printed state_dict does; None where there are no names."""
    text = PARAMETER.sub("", PROMPT.sub("", text))
    names = [match["name"] for match in NAME.finditer(text)]
    if not names:
        return None
    bare = re.sub(r"\bOrderedDict(?=\()", "", NAME.sub("", text)).translate(str.maketrans("{}", "[]"))
    found = list(_flat(_Parser(bare).everything()))
    if len(found) != len(names) or len(set(names)) != len(names):
        raise UnusableInput(f"the text has {len(found)} tensors and {len(set(names))} names of tensors")
    return dict(zip(names, found, strict=True))


def _flat(value: object) -> Iterator[Printed]:
    """The tensors in lists and pairs."""
    if isinstance(value, Printed):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _flat(item)
    else:
        raise UnusableInput(f"{printable(value, 24)} stands between the tensors")


def numbers(text: str) -> object:
    """One value: nested lists of typed numbers (several numbers without brackets are one list)."""
    found = [item.data if isinstance(item, Printed) else item for item in _Parser(text).everything()]
    return found[0] if len(found) == 1 else found


class _Parser:
    """Recursive descent over tokens made one at a time; depth and count are bounded."""

    def __init__(self, text: str) -> None:
        self.tokens = self.scan(text)
        self.advice = TORCH_ADVICE if is_of_torch(text) else ADVICE
        self.count = 0
        self.advance()

    def scan(self, text: str) -> Iterator[tuple[str, str]]:
        place = 0
        while True:
            match = _TOKEN.match(text, place)
            if not match:
                self.refuse(text, place)
            kind = str(match.lastgroup)
            yield kind, match[kind]
            if kind == "end":
                return
            place = match.end()

    def refuse(self, text: str, place: int) -> NoReturn:
        rest = text[place:].lstrip()
        if re.match(r"<[\w.]*(Variable|Tensor)\b", rest):
            raise UnusableInput("a variable is printed without its values; print model.get_weights() instead")
        line = text.count("\n", 0, len(text) - len(rest)) + 1
        raise UnusableInput(f"line {line} of the text is not part of an array: '{printable(rest, 24)}'")

    def advance(self) -> None:
        self.kind, self.text = next(self.tokens, ("end", ""))
        if self.kind == "dots":
            raise UnusableInput(f"the text is abbreviated with '...'; {self.advice}")

    def take(self, mark: str) -> bool:
        """Whether the next token is this mark; if so it is consumed."""
        found = self.kind == "mark" and self.text == mark
        if found:
            self.advance()
        return found

    def expect(self, mark: str) -> None:
        if not self.take(mark):
            found = f"'{printable(self.text, 24)}' stands" if self.text else "the text ends"
            raise UnusableInput(f"{found} where '{mark}' was expected")

    def everything(self) -> list[object]:
        found = []
        while self.kind != "end":
            found.append(self.value(0))
            self.take(",")
        return found

    def value(self, depth: int) -> object:
        if depth > MAX_DEPTH:
            raise UnusableInput(f"the lists are nested deeper than {MAX_DEPTH}")
        if self.kind == "number":
            return self.number()
        if self.take("["):
            return self.items("]", depth)
        if self.take("("):
            return self.items(")", depth)
        if self.kind == "variable":
            return self.variable(depth)
        if self.kind == "name":
            return self.call(depth)
        found = f"'{printable(self.text, 24)}' stands" if self.text else "the text ends"
        raise UnusableInput(f"{found} where a number or a list was expected")

    def number(self) -> Typed:
        self.count += 1
        if self.count > MAX_NUMBERS:
            raise UnusableInput(f"the text holds more than {MAX_NUMBERS} numbers")
        number = canonical(self.text)
        self.advance()
        return number

    def items(self, close: str, depth: int) -> list[object]:
        found = []
        while not self.take(close):
            found.append(self.value(depth + 1))
            self.take(",")
        return found

    def variable(self, depth: int) -> Printed:
        """<Variable path=…, shape=…, dtype=float32, value=…>"""
        header = re.search(r"\bdtype=(\w+)", self.text)
        self.advance()
        inner = self.value(depth + 1)
        self.expect(">")
        return Printed(inner.data if isinstance(inner, Printed) else inner, header[1] if header else None)

    def call(self, depth: int) -> object:
        """array(…, dtype=float32), or a number in its type's name: np.float32(0.5)"""
        name = self.text
        if name.lower() in ("nan", "inf", "infinity"):
            raise UnusableInput(f"the text holds {printable(name)}; every number must be finite")
        of_torch = TENSOR.fullmatch(name)
        if not of_torch and not CALLS.fullmatch(name):
            raise UnusableInput(f"'{printable(name, 24)}' is not part of a printed array")
        self.advance()
        self.expect("(")
        inner = self.value(depth + 1)
        dtype = None
        while self.take(","):
            dtype = self.keyword(depth) or dtype
        self.expect(")")
        if isinstance(inner, Typed):
            return inner
        return Printed(inner, dtype or ("float32" if of_torch else "float64"))  # what each leaves out

    def keyword(self, depth: int) -> str | None:
        """`dtype=float32` gives its value; other keywords (shape=…) and a trailing comma are passed over."""
        if self.kind != "name":
            return None
        name = self.text
        self.advance()
        self.expect("=")
        if self.kind not in ("name", "string"):
            self.value(depth + 1)
            return None
        word = self.text.strip("'\"").rpartition(".")[2]
        self.advance()
        return word if name == "dtype" else None
