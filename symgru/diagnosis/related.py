"""Where each array of a layer comes from in another layer: the same numbers elsewhere, turned, rounded, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from symgru.diagnosis.number_slips import BFLOAT16, FLOAT16
from symgru.network import Array, Tensor

CLOSE = 1e-6  # relative: what float32 may make of a number that was computed once more
AKIN = 0.9  # a correlation from which on weights are the same ones, changed
MOST_DECIMALS = 5  # more are as good as all that a float32 has
SOME = 3  # numbers from which on a scale says something
Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Source:
    """What an array holds: the sum of the other layer's arrays `of` (none: it is 0), changed as `how` says.

    `known`: whether it comes from there at all; if not, `off` is the largest difference to the array of its own name,
    and `akin` the correlation of the two.
    """

    name: str
    of: tuple[str, ...] = ()
    how: str = ""
    known: bool = True
    off: float = 0.0
    akin: float = 0.0

    @property
    def own(self) -> bool:
        """Whether it is the array of the same name, or as good as that: both are 0."""
        return self.known and not self.how and self.of in ((self.name,), ())

    @property
    def gate(self) -> str:
        """The gate of the array that it holds."""
        return gate(self.of[0] if self.of else self.name)


def letter(name: str) -> str:
    """W of W_z."""
    return name.partition("_")[0]


def gate(name: str) -> str:
    """z of W_z; "" of W."""
    return name.partition("_")[2]


def sources(own: Weights, other: Weights) -> dict[str, Source]:
    """Where each array of `other` comes from in `own`, exactly where that is possible; arrays that a layer lacks are
    0 there."""
    arrays = {name: t.value.astype(np.float64) for name, t in own.items()}
    held = {name: t.value.astype(np.float64) for name, t in other.items()}
    for mine, theirs in ((arrays, held), (held, arrays)):
        for name, a in theirs.items():
            if name[0] in "bc" and name not in mine:
                mine[name] = np.zeros_like(a)
    return {name: _source(name, held[name], arrays) for name in sorted(held, key=lambda n: (n[0] in "bc", n))}


def _source(name: str, b: Array, arrays: Mapping[str, Array]) -> Source:
    for of, how, made in _candidates(name, arrays):
        if made.shape == b.shape and np.array_equal(made, b):
            return Source(name, of, how)
    if not b.any():
        return Source(name, (), "0")
    for of, how, made in _candidates(name, arrays):  # sums and the like, computed in float32
        if made.shape == b.shape and (made.any() and _close(made, b)):
            return Source(name, of, how)
    a = arrays.get(name)
    if a is None or a.shape != b.shape:
        return Source(name, known=False)
    for n in [name, *(n for n in arrays if n[0] == name[0] and n != name)]:
        if arrays[n].shape == b.shape and (digits := _decimals(arrays[n], b)):
            return Source(name, (n,), f"with {digits} decimal{'s' * (digits > 1)}")
    factor = float(np.vdot(a, b) / np.vdot(a, a)) if a.any() else 0.0
    if b.size >= SOME and factor and _close(factor * a, b):
        return Source(name, (name,), f"times {factor:.6g}")
    return Source(name, known=False, off=float(np.abs(a - b).max()), akin=_correlation(a, b))


def _close(a: Array, b: Array) -> bool:
    return bool(np.abs(a - b).max() <= CLOSE * np.abs(b).max())


def _decimals(a: Array, b: Array) -> int:
    """The decimals that b was written with, if it is a with fewer of them; else 0."""
    for digits in range(1, MOST_DECIMALS + 1):
        unit = 10.0**-digits
        if np.abs(np.round(b, digits) - b).max() <= CLOSE * unit + CLOSE * np.abs(b).max():
            return digits if b.any() and np.abs(a - b).max() < unit else 0
    return 0


def _correlation(a: Array, b: Array) -> float:
    if a.size < SOME or not a.any() or not b.any():
        return 0.0
    return float(np.vdot(a, b) / np.sqrt(np.vdot(a, a) * np.vdot(b, b)))


def _candidates(name: str, arrays: Mapping[str, Array]) -> Iterator[tuple[tuple[str, ...], str, Array]]:
    """What an array may hold, the likeliest first: arrays of its kind whole, sums of two biases, turned, rounded."""
    alike = sorted(
        (n for n in arrays if n[0] == name[0] or {n[0], name[0]} == {"b", "c"}),
        key=lambda n: (n != name, n[0] != name[0], gate(n) != gate(name), n),
    )
    for n in alike:
        yield (n,), "", arrays[n]
    if name[0] in "bc":
        for g in sorted({gate(n) for n in alike}, key=lambda g: (g != gate(name), g)):
            pair = [n for n in ("b", "c") if _named(n, g) in arrays]
            if len(pair) == 2:
                of = tuple(_named(n, g) for n in pair)
                yield of, "", arrays[of[0]] + arrays[of[1]]
                of32 = (arrays[n].astype(np.float32) for n in of)
                yield of, "", np.asarray(sum(of32), dtype=np.float64)
    for how, turn in TURNED.items():
        for n in alike:
            if arrays[n].ndim == 2 or how == "negated":
                yield (n,), how, turn(arrays[n])
    for how, shorten in ROUNDED.items():
        for n in alike:
            yield (n,), how, shorten(arrays[n])


def _named(letter: str, gate: str) -> str:
    return f"{letter}_{gate}" if gate else letter


TURNED: Mapping[str, Callable[[Array], Array]] = {
    "transposed": lambda a: a.T,
    "negated": lambda a: -a,
    "transposed and negated": lambda a: -a.T,
    "reshaped": lambda a: a.reshape(a.shape[::-1]),
    "transposed, then reshaped": lambda a: a.T.reshape(a.shape),
}
ROUNDED: Mapping[str, Callable[[Array], Array]] = {
    "": lambda a: a.astype(np.float32).astype(np.float64),
    "in float16": lambda a: FLOAT16(Tensor(a)).value,
    "in bfloat16": lambda a: BFLOAT16(Tensor(a)).value,
}
