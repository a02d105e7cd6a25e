"""What a pickled state_dict is made of: the names that torch.save writes, and the tensors that they describe.

The names are those of torch/_utils.py, torch/serialization.py and torch/storage.py. None of them is looked up or run;
one that a state_dict does not need is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from symgru.errors import Unsupported
from symgru.readers.checks import printable
from symgru.readers.unpickler import ADVICE, Name, damaged, enter

MAX_AXES = 8
Spend = Callable[[int], None]  # counts the work that a call is

STORAGES = {  # the dtype of each of torch's storage classes
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
DTYPES = (*STORAGES.values(), "float", "double", "half", "long", "int", "short")


@dataclass(frozen=True)
class Storage:
    """A stretch of numbers elsewhere in the file."""

    key: str
    dtype: str
    count: int


@dataclass(frozen=True)
class Stored:
    """A tensor as the file describes it: its numbers lie in a storage, `stride` apart along each axis."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


class Vocabulary:
    """What the names in a state_dict's pickle mean; an unpickler.Vocabulary. `storages` are those that it mentions."""

    def __init__(self) -> None:
        self.storages: dict[str, Storage] = {}

    def admit(self, module: str, what: str) -> Name:
        """The name, if a state_dict needs it."""
        full = f"{module}.{what}"
        if full in CALLED or (module == "torch" and (what in STORAGES or what in DTYPES)):
            return Name(full)
        if module.startswith("torch.nn."):
            raise Unsupported(f"holds a pickled module, {printable(full)}, which only running code can load; {ADVICE}")
        raise Unsupported(f"its pickle names {printable(full)}, which would have to be run; {ADVICE}")

    def call(self, name: Name, arguments: tuple[Any, ...], spend: Spend) -> Any:
        """What a name makes of its arguments."""
        made = CALLED.get(name.text)
        if made is None:
            damaged(f"{name.text} is called")
        return made(arguments, spend)

    def persistent(self, given: Any) -> Storage:
        """A persistent id: ('storage', class, key, where it was, how many numbers[, view])."""
        if not isinstance(given, tuple) or len(given) not in (5, 6) or given[0] != "storage":
            raise Unsupported(f"its pickle refers to what is no storage; {ADVICE}")
        kind, key, count = given[1], given[2], given[4]
        dtype = STORAGES.get(kind.text.removeprefix("torch.")) if isinstance(kind, Name) else None
        if dtype is None or not isinstance(key, str) or not _is_count(count) or given[5:] not in ((), (None,)):
            damaged("a storage in it is not described as torch does")
        found = Storage(key, dtype, count)
        if self.storages.setdefault(key, found) != found:
            damaged("one storage in it is described in two ways")
        return found

    def has_attributes(self, value: Any) -> bool:
        """A state_dict has its _metadata, a Parameter may have some; inference needs none of them."""
        return isinstance(value, dict | Stored)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _dict(arguments: tuple[Any, ...], spend: Spend) -> dict[Any, Any]:
    """An OrderedDict, empty or (Python 2) of pairs."""
    target: dict[Any, Any] = {}
    pairs = arguments[0] if arguments else []
    if len(arguments) > 1 or not isinstance(pairs, list | tuple):
        damaged("an OrderedDict is made of what is no list")
    spend(len(pairs))
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            damaged("an OrderedDict is made of what are no pairs")
        enter(target, list(pair))
    return target


def _size(arguments: tuple[Any, ...], spend: Spend) -> tuple[int, ...]:
    if len(arguments) != 1:
        damaged("a torch.Size is made of several things")
    return _axes(arguments[0], "shape")


def _axes(given: Any, what: str) -> tuple[int, ...]:
    if not isinstance(given, tuple | list) or len(given) > MAX_AXES or not all(map(_is_count, given)):
        damaged(f"a tensor's {what} is no tuple of at most {MAX_AXES} numbers from 0 to 2**63")
    return tuple(given)


def _tensor(arguments: tuple[Any, ...], spend: Spend) -> Stored:
    """_rebuild_tensor(storage, offset, shape, stride); _v2 adds requires_grad, hooks, metadata."""
    if not 4 <= len(arguments) <= 7 or not isinstance(arguments[0], Storage) or not _is_count(arguments[1]):
        damaged("a tensor in it is not described as torch does")
    shape, stride = _axes(arguments[2], "shape"), _axes(arguments[3], "stride")
    if len(shape) != len(stride):
        damaged("a tensor has not as many strides as axes")
    return Stored(arguments[0], arguments[1], shape, stride)


def _parameter(arguments: tuple[Any, ...], spend: Spend) -> Stored:
    """_rebuild_parameter(data, requires_grad, hooks); _with_state adds attributes."""
    if not 1 <= len(arguments) <= 4 or not isinstance(arguments[0], Stored):
        damaged("a parameter in it is no tensor")
    return arguments[0]


CALLED: Mapping[str, Callable[[tuple[Any, ...], Spend], Any]] = {
    "collections.OrderedDict": _dict,
    "torch.Size": _size,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch.nn.parameter.Parameter": _parameter,
}
