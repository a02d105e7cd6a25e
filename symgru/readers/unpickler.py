"""What torch.save pickled, read by a small stack machine that runs no code.

A pickle is a program for a stack. Python's own unpickler calls whatever the program names; this one knows a few dozen
instructions, builds dicts, lists, tuples, texts and numbers, and asks a Vocabulary of names (torch_objects.py) what
they mean. Anything else is refused by its name. The instructions are those of pickletools, protocols 0 to 5.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from symgru.errors import Unsupported, UnusableInput

MAX_INSTRUCTIONS = 1_000_000
MAX_NAME = 4096  # bytes of a name of a class or function
ADVICE = "save the weights alone: torch.save(model.state_dict(), F)"


@dataclass(frozen=True)
class Name:
    """A class, function or dtype that the pickle names; it is never looked up."""

    text: str


class Vocabulary(Protocol):
    """What the names in a pickle mean: `admit` refuses those that are not known."""

    def admit(self, module: str, what: str) -> Name: ...

    def call(self, name: Name, arguments: tuple[Any, ...], spend: Callable[[int], None]) -> Any: ...

    def persistent(self, given: Any) -> Any: ...

    def has_attributes(self, value: Any) -> bool: ...


class _Mark:
    """Where the items of a list, dict or tuple begin on the stack."""


MARK = _Mark()


def load(data: bytes, start: int, vocabulary: Vocabulary) -> tuple[Any, int]:
    """The object that the pickle at `start` describes, and where it ends.

    Raises UnusableInput for a damaged pickle, Unsupported for one that holds more than weights.
    """
    machine = Machine(data, start, vocabulary)
    return machine.run(), machine.at


def damaged(why: str) -> NoReturn:
    raise UnusableInput(f"the pickle in it is damaged: {why}")


class Machine:
    """The stack, the memo, and the place in the data."""

    def __init__(self, data: bytes, start: int, vocabulary: Vocabulary) -> None:
        self.data, self.at, self.vocabulary = data, start, vocabulary
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.budget = MAX_INSTRUCTIONS

    def run(self) -> Any:
        while True:
            self.spend(1)
            code = self.take(1)
            if code == b".":
                return self.pop()
            action = ACTIONS.get(code)
            if action is None:
                raise Unsupported(f"its pickle has the instruction {code!r}, which no state_dict needs; {ADVICE}")
            action(self)

    def spend(self, instructions: int) -> None:
        """Count work; what copies items counts each."""
        self.budget -= instructions
        if self.budget < 0:
            raise UnusableInput(f"the pickle in it has more than {MAX_INSTRUCTIONS} instructions")

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            damaged("it ends in the middle of an instruction")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, form: str) -> int:
        return int(struct.unpack(form, self.take(struct.calcsize(form)))[0])

    def line_of_bytes(self) -> bytes:
        end = self.data.find(b"\n", self.at, self.at + MAX_NAME)
        if end < 0:
            damaged("a name in it has no end")
        return self.take(end + 1 - self.at)[:-1]

    def line(self) -> str:
        return _text(self.line_of_bytes())

    def pop(self) -> Any:
        if not self.stack:
            damaged("its stack is empty")
        value = self.stack.pop()
        if value is MARK:
            damaged("a mark is taken for a value")
        return value

    def top(self, kind: type) -> Any:
        if not self.stack or not isinstance(self.stack[-1], kind):
            damaged(f"there is no {kind.__name__} where one is filled")
        return self.stack[-1]

    def marked(self) -> list[Any]:
        """All above the last mark, which goes too."""
        for place in range(len(self.stack) - 1, -1, -1):
            if self.stack[place] is MARK:
                items = self.stack[place + 1 :]
                del self.stack[place:]
                self.spend(len(items))
                return items
        damaged("a mark lacks")

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def put(self, place: int) -> None:
        value = self.pop()
        self.push(value)
        self.memo[place] = value

    def get(self, place: int) -> None:
        if place not in self.memo:
            damaged("it reads from the memo what was never put there")
        self.push(self.memo[place])

    def fill(self, pairs: list[Any]) -> None:
        """Items into the dict on the top of the stack."""
        enter(self.top(dict), pairs)

    def extend(self, items: list[Any]) -> None:
        self.top(list).extend(items)

    def tuple_of(self, count: int) -> None:
        items = [self.pop() for _ in range(count)]
        self.push(tuple(reversed(items)))

    def name(self, module: Any, what: Any) -> None:
        if not isinstance(module, str) or not isinstance(what, str):
            damaged("a name is no text")
        self.push(self.vocabulary.admit(module, what))

    def named_on_stack(self) -> None:
        what, module = self.pop(), self.pop()
        self.name(module, what)

    def call(self) -> None:
        """What a name makes of its arguments."""
        arguments, made_by = self.pop(), self.pop()
        if not isinstance(arguments, tuple) or not isinstance(made_by, Name):
            damaged("what is called is no name, or its arguments are no tuple")
        self.push(self.vocabulary.call(made_by, arguments, self.spend))

    def build(self) -> None:
        """Attributes of what may have some; they are left out."""
        self.pop()
        if not self.stack or not self.vocabulary.has_attributes(self.stack[-1]):
            damaged("attributes are given to what has none")

    def persistent(self) -> None:
        self.push(self.vocabulary.persistent(self.pop()))

    def long(self) -> None:
        self.push(int.from_bytes(self.take(self.number("<B")), "little", signed=True))

    def decimal(self) -> None:
        """Protocol 0's integers; 00 and 01 are its truth values."""
        text = self.line()
        if text in ("00", "01"):
            self.push(text == "01")
            return
        try:
            self.push(int(text[:64].removesuffix("L")))
        except ValueError:
            damaged("a number in it is none")

    def line_of_text(self) -> None:
        """Protocol 0's texts."""
        try:
            self.push(self.line_of_bytes().decode("raw-unicode-escape"))
        except UnicodeDecodeError:
            damaged("a text in it is none")

    def text(self, form: str) -> None:
        self.push(_text(self.take(self.number(form))))


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        damaged("a text in it is not UTF-8")


def enter(target: dict[Any, Any], items: list[Any]) -> None:
    if len(items) % 2:
        damaged("a dict has a key without a value")
    for key, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(key, str | int | float | None):
            damaged("a dict's key is neither a text nor a number")
        target[key] = value


def _protocol(version: int) -> None:
    if version > 5:
        damaged(f"its protocol is {version}; there are 0 to 5")


def _frame(machine: Machine, length: int) -> None:
    if length > len(machine.data) - machine.at:
        damaged("it ends in the middle of a frame")


def _drop(machine: Machine) -> None:
    if not machine.stack:
        damaged("its stack is empty")
    machine.stack.pop()


def _drop_marked(machine: Machine) -> None:
    machine.marked()


def _new_dict(machine: Machine) -> None:
    items = machine.marked()
    machine.push({})
    machine.fill(items)


def _set_item(machine: Machine) -> None:
    value, key = machine.pop(), machine.pop()
    machine.fill([key, value])


def _place(machine: Machine) -> int:
    """Protocol 0's place in the memo."""
    text = machine.line()
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        damaged("a place in its memo is no number")
    return int(text)


ACTIONS: Mapping[bytes, Callable[[Machine], None]] = {
    b"\x80": lambda m: _protocol(m.number("<B")),
    b"\x95": lambda m: _frame(m, m.number("<Q")),
    b"(": lambda m: m.push(MARK),
    b"0": _drop,
    b"1": _drop_marked,
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"I": Machine.decimal,
    b"L": Machine.decimal,
    b"J": lambda m: m.push(m.number("<i")),
    b"K": lambda m: m.push(m.number("<B")),
    b"M": lambda m: m.push(m.number("<H")),
    b"\x8a": Machine.long,
    b"G": lambda m: m.push(struct.unpack(">d", m.take(8))[0]),
    b"V": Machine.line_of_text,
    b"X": lambda m: m.text("<I"),
    b"\x8c": lambda m: m.text("<B"),
    b"\x8d": lambda m: m.text("<Q"),
    b"T": lambda m: m.text("<I"),  # the bytes of Python 2's texts
    b"U": lambda m: m.text("<B"),
    b"}": lambda m: m.push({}),
    b"d": _new_dict,
    b"s": _set_item,
    b"u": lambda m: m.fill(m.marked()),
    b"]": lambda m: m.push([]),
    b"l": lambda m: m.push(m.marked()),
    b"a": lambda m: m.extend([m.pop()]),
    b"e": lambda m: m.extend(m.marked()),
    b")": lambda m: m.push(()),
    b"t": lambda m: m.push(tuple(m.marked())),
    b"\x85": lambda m: m.tuple_of(1),
    b"\x86": lambda m: m.tuple_of(2),
    b"\x87": lambda m: m.tuple_of(3),
    b"p": lambda m: m.put(_place(m)),
    b"q": lambda m: m.put(m.number("<B")),
    b"r": lambda m: m.put(m.number("<I")),
    b"\x94": lambda m: m.put(len(m.memo)),
    b"g": lambda m: m.get(_place(m)),
    b"h": lambda m: m.get(m.number("<B")),
    b"j": lambda m: m.get(m.number("<I")),
    b"c": lambda m: m.name(m.line(), m.line()),
    b"\x93": Machine.named_on_stack,
    b"R": Machine.call,
    b"b": Machine.build,
    b"Q": Machine.persistent,
}
