"""What a Keras configuration says of one layer: its class, its options, its precision.

Only what is known to leave the result alone is passed over; any other class or option is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import cast

from symgru.errors import Unsupported, UnusableInput
from symgru.readers import conventions
from symgru.readers.checks import DTYPES, boolean, identifier, mapping, printable, whole

HARMLESS = (  # what every layer may say, and what matters in training alone
    "name",
    "trainable",
    "dtype",
    "dropout",
    "recurrent_dropout",
    "seed",
    "implementation",
    "batch_input_shape",
    "synchronized",
    "momentum",
)
TRAINING_ONLY = ("_initializer", "_regularizer", "_constraint")
MIXED = {"mixed_float16": 11, "mixed_bfloat16": 8}  # policies by the significant bits that Keras computes with
Config = Mapping[str, object]
Axes = tuple[int, ...]


def class_of(layer: Config, what: str) -> str:
    """The class name, of Keras' own classes only: another package's GRU may compute anything. An operation, which
    stands among the layers of a functional model, is named "ops.NotEqual"."""
    kind = layer.get("class_name")
    if not isinstance(kind, str):
        raise UnusableInput(f"{what} has no class_name")
    module, registered = layer.get("module"), layer.get("registered_name")
    module = "keras" if module is None and registered in (None, kind) else module
    if not isinstance(module, str) or module.split(".")[0] != "keras" or registered not in (None, kind):
        raise Unsupported(f"{what} is of a custom class, {printable(kind)}; symgru reads Keras' own layers")
    return f"ops.{kind}" if "ops" in module.split(".") else kind


class Options:
    """A layer's options, read one by one; `finish` refuses what nobody has read."""

    def __init__(self, config: Config, version: int = 3) -> None:
        self.config, self.version = config, version
        self.read: set[str] = set()

    def get(self, name: str, usual: object = None) -> object:
        """An option as it stands; `usual` where it is not given."""
        self.read.add(name)
        return self.config.get(name, usual)

    def boolean(self, name: str, usual: bool = False) -> bool:
        return boolean(self.get(name, usual), name)

    def whole(self, name: str, usual: object = None, high: int = 65_536) -> int:
        value = self.get(name, usual)
        if value is None:
            raise UnusableInput(f"its configuration has no {name}")
        return whole(value, name, high)

    def number(self, name: str, usual: float) -> float:
        return number(self.get(name, usual), name)

    def one(self, name: str, usual: object, high: int = 65_536) -> int:
        """A whole number that Keras may hold as a list of one."""
        value = self.get(name, usual)
        if isinstance(value, list | tuple) and len(value) == 1:
            value = value[0]
        return whole(value, name, high)

    def two(self, name: str, usual: object) -> tuple[int, int]:
        """Two whole numbers from 0, or one that stands for both."""
        value = self.get(name, usual)
        both = [value, value] if isinstance(value, int) else value
        if not isinstance(both, list | tuple) or len(both) != 2:
            raise UnusableInput(f"{name} is {printable(repr(value))}; it must be one or two whole numbers")
        before, after = (whole(n, name) if n != 0 or isinstance(n, bool) else 0 for n in both)
        return before, after

    def choice(self, name: str, known: Sequence[object], usual: object) -> object:
        value = self.get(name, usual)
        if not isinstance(value, str | None) or value not in known:
            names = ", ".join(map(str, known))
            raise Unsupported(f"{name} is {printable(repr(value), 30)}; symgru reads {names}")
        return value

    def axes(self, name: str, usual: object, rank: int) -> Axes:
        """Axes counted from 0, the batch, in rising order. `rank` counts the batch."""
        value = self.get(name, usual)
        listed = list(value) if isinstance(value, list | tuple) else [value]
        if not all(isinstance(a, int) and not isinstance(a, bool) and -rank <= a < rank for a in listed):
            raise UnusableInput(f"{name} is {printable(repr(value), 30)}; its input has {rank} axes")
        found = sorted({a % rank for a in cast("list[int]", listed)})
        if 0 in found:
            raise Unsupported(f"{name} is {printable(repr(value), 30)}: it goes over the batch")
        return tuple(found)

    def activation(self, name: str, usual: str = "linear") -> object:
        """A name, or Keras' serialised form of one of its own functions."""
        value = self.get(name, usual)
        found = _own_function(value, name) if isinstance(value, Mapping) else conventions.activation(value, name)
        if self.version == 2 and found == "hard_sigmoid":
            return ["hard_sigmoid", 0.2, 0.5]
        return found

    def finish(self, harmless: Sequence[str] = ()) -> None:
        """Refuse what has not been read and is set."""
        for key, value in self.config.items():
            passed = key in self.read or key in HARMLESS or key in harmless or key.endswith(TRAINING_ONLY)
            if not passed and value is not None and value is not False:
                raise Unsupported(f"the option {printable(key)}={printable(repr(value), 30)} is not known to symgru")


def number(value: object, what: str) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise UnusableInput(f"{what} is {printable(repr(value), 30)}; it must be a number")
    return float(value)


def _own_function(value: Mapping[str, object], what: str) -> str:
    own = value.get("module") in (None, "builtins", "keras.activations")
    name = value.get("config")
    plain = isinstance(name, str) and value.get("registered_name") in (None, "function", name)
    if value.get("class_name") != "function" or not (own and plain and str(name).isidentifier()):
        raise Unsupported(f"{what} is a custom object, {printable(repr(dict(value)))}; a Keras name is needed")
    return identifier(name, what)


def policy_of(config: Config) -> str:
    """The name of a layer's dtype policy: float32, float64, or a mixed one."""
    value = config.get("dtype")
    if isinstance(value, Mapping):
        inner = value.get("config")
        plain = value.get("class_name") in ("DTypePolicy", "Policy") and isinstance(inner, Mapping)
        value = inner.get("name") if plain and isinstance(inner, Mapping) else value.get("class_name")
    if value is None:
        return "float32"
    if not isinstance(value, str) or (value not in DTYPES and value not in MIXED):
        known = ", ".join([*DTYPES, *MIXED])
        raise Unsupported(f"its dtype policy is {printable(value)}; symgru reads {known}")
    return value


def dtype_of(config: Config) -> str:
    """The precision of a layer's weights, and of its computation, but for the mixed policies."""
    policy = policy_of(config)
    return "float32" if policy in MIXED else policy


def mixed_note(config: Config) -> tuple[str, ...]:
    """What to say of a mixed policy."""
    policy = policy_of(config)
    if policy not in MIXED:
        return ()
    bits = MIXED[policy]
    return (
        f"{policy}: Keras computes with {bits} significant bits here, symgru with the float32 weights as they are; "
        f"expect differences of some {2.0**-bits:.0e} of a value for each rounding",
    )


def config_of(layer: Config, what: str) -> Config:
    """The inner configuration of a layer's entry."""
    return mapping(layer.get("config"), what)


def name_of(config: Config, what: str) -> str:
    """A layer's own name."""
    label = config.get("name")
    if not isinstance(label, str):
        raise UnusableInput(f"{what} has no name")
    return label
