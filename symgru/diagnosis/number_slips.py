"""What goes otherwise with numbers: arrays that are laid otherwise or held in fewer bits, sequences that are scaled.

As the changes of module `slips` they find an array by the part it plays. A change that does not concern an array or a
sequence gives it back as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, localcontext

import numpy as np

from symgru.array_slips import Names, pairs, rearranged
from symgru.layout import Layout
from symgru.network import Array, Tensor, Weights
from symgru.slips import chosen

Change = Callable[[Tensor], Tensor]

# ------------------------------------------------------------------------------ whole arrays


@dataclass(frozen=True)
class Whole:
    """Arrays changed as a whole, each given by the names of its blocks: (rows of all gates, columns) or, of a bias,
    every number in a row."""

    arrays: tuple[Names, ...]
    change: Change

    def __call__(self, weights: Weights) -> Weights:
        new = dict(weights)
        for names in self.arrays:
            ends = np.cumsum([len(weights[name].value) for name in names])
            changed = self.change(_joined([weights[name] for name in names]))
            starts = (0, *ends[:-1])
            new |= {name: changed[a:b] for name, a, b in zip(names, starts, ends, strict=True)}
        return new


def _joined(tensors: list[Tensor]) -> Tensor:
    """One below the other."""
    return Tensor(np.concatenate([t.value for t in tensors]), np.concatenate([t.text for t in tensors]))


def _names(own: Layout) -> dict[str, Names]:
    return {name: tuple(s.name for row in rows for s in row) for name, rows in own.arrays.items()}


def everywhere(change: Change) -> Callable[[Layout], Whole]:
    """A change of every array."""
    return lambda own: Whole(tuple(_names(own).values()), change)


def matrices(change: Change) -> Callable[[Layout], Whole]:
    """A change of the kernel and of the recurrent kernel."""
    return lambda own: Whole(tuple(names for name, names in _names(own).items() if "kernel" in name), change)


def both_bias_rows(change: Change) -> Callable[[Layout], Whole | None]:
    """A change of a bias of two rows; None where there is one."""

    def made(own: Layout) -> Whole | None:
        rows = own.arrays.get("bias", ())
        return Whole((_names(own)["bias"],), change) if len(rows) == 2 else None

    return made


def _rows_for_columns(rows: Array) -> Array:
    """The framework's array holds `rows` as its columns. Its numbers, row after row, fill an array of the rows' shape:
    what reshape does where a transposition was meant."""
    return rows.T.reshape(rows.shape)


def _in_turn(bias: Array) -> Array:
    """The numbers of both rows one after the other, read as pairs (b, c)."""
    return bias.reshape(-1, 2).T.ravel()


RESHAPED = rearranged(_rows_for_columns)
IN_TURN = rearranged(_in_turn)

# ------------------------------------------------------------------------------ fewer bits


def _recomputed(change: Callable[[Array], Array]) -> Change:
    """Other numbers; a person reads their shortest decimals."""
    return lambda t: Tensor(change(t.value.astype(np.float64)))


def _half(v: Array) -> Array:
    with np.errstate(over="ignore"):
        return v.astype(np.float16).astype(np.float64)


def _brain(v: Array) -> Array:
    """The upper 16 bits of the float32, rounded to even."""
    with np.errstate(over="ignore"):
        bits = v.astype(np.float32).view(np.uint32)
    upper = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return np.where(np.isfinite(v), upper.astype(np.uint32).view(np.float32), v).astype(np.float64)


def _bytes(v: Array) -> Array:
    """-127 to 127 times a scale that is the largest number's, without its sign, over 127."""
    scale = np.abs(v).max(initial=0) / 127
    return np.rint(v / scale) * scale if scale else v


FLOAT16, BFLOAT16, INT8 = map(_recomputed, (_half, _brain, _bytes))

# ------------------------------------------------------------------------------ signs


def unsigned(t: Tensor) -> Tensor:
    """Every number without its minus sign."""
    return Tensor(np.abs(t.value), _without_minus(t.text))


def _without_minus(text: Array) -> Array:
    return np.array([str(s).removeprefix("-") for s in text.ravel()], dtype=object).reshape(text.shape)


@dataclass(frozen=True)
class Unsigned:
    """One number of a tensor without its minus sign, where the tensor has that place."""

    place: tuple[int, ...]

    def __call__(self, t: Tensor) -> Tensor:
        if any(k >= length for k, length in zip(self.place, t.value.shape, strict=True)):
            return t
        value, text = t.value.copy(), t.text.copy()
        value[self.place], text[self.place] = abs(value[self.place]), str(text[self.place]).removeprefix("-")
        return Tensor(value, text)


@dataclass(frozen=True)
class Of:
    """A change of one weight array of a gate."""

    name: str
    change: Change

    def __call__(self, weights: Weights) -> Weights:
        return {**weights, self.name: self.change(weights[self.name])}


# ------------------------------------------------------------------------------ two arrays, or one more


@dataclass(frozen=True)
class StateFirst:
    """Each gate's kernel and recurrent kernel, stacked as [x; h], cut as if they were [h; x]."""

    pairs: tuple[tuple[str, str], ...]

    def __call__(self, weights: Weights) -> Weights:
        new = dict(weights)
        for kernel, recurrent in self.pairs:
            stacked = _joined([weights[kernel].T, weights[recurrent].T])
            units = len(weights[recurrent].value)
            new[recurrent], new[kernel] = stacked[:units].T, stacked[units:].T
        return new


def state_first(own: Layout) -> StateFirst:
    return StateFirst(pairs(own.kernel, own.recurrent))


@dataclass(frozen=True)
class Doubled:
    """Each first array in the place of the second too."""

    pairs: tuple[tuple[str, str], ...]

    def __call__(self, weights: Weights) -> Weights:
        return {**weights, **{other: weights[one] for one, other in self.pairs}}


def bias_twice(row: int) -> Callable[[Layout], Doubled | None]:
    """One row of the bias in the place of the other; None where there is one row, or where they are of other gates."""

    def made(own: Layout) -> Doubled | None:
        rows = own.arrays.get("bias", ())
        if len(rows) != 2:
            return None
        return Doubled(tuple((one.name, other.name) for one, other in zip(rows[row], rows[1 - row], strict=True)))

    return made


@dataclass(frozen=True)
class Skipped:
    """Kernels that leave what they are given as it is."""

    names: Names

    def __call__(self, weights: Weights) -> Weights:
        return {**weights, **{name: Tensor(np.eye(len(weights[name].value))) for name in self.names}}


def kernel_skipped(own: Layout) -> Skipped:
    return Skipped(tuple(m.name for m in own.kernel))


@dataclass(frozen=True)
class Choosing:
    """The weights with what `slips.unit_by_unit` needs beside them."""

    units: int

    def __call__(self, weights: Weights) -> Weights:
        one_hot = np.eye(self.units)
        return {**weights, **{chosen(k + 1).name: Tensor(row) for k, row in enumerate(one_hot)}}


# ------------------------------------------------------------------------------ sequences


def _standardised(x: Array) -> Array:
    spread = x.std(axis=1, keepdims=True)
    return np.where(spread > 0, (x - x.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1), x)


def _between_0_and_1(x: Array) -> Array:
    low, high = x.min(axis=1, keepdims=True), x.max(axis=1, keepdims=True)
    return np.where(high > low, (x - low) / np.where(high > low, high - low, 1), x)


def _by_the_largest(x: Array) -> Array:
    largest = np.abs(x).max(axis=1, keepdims=True)
    return x / np.where(largest > 0, largest, 1)


STANDARDISED, BETWEEN_0_AND_1, BY_THE_LARGEST = map(_recomputed, (_standardised, _between_0_and_1, _by_the_largest))


def times(factor: int) -> Change:
    """Every number multiplied, as its decimals are."""
    return _scaled(lambda v: v * factor)


def over(divisor: int) -> Change:
    """Every number divided, to the digits of a float."""
    return _scaled(lambda v: v / divisor)


def _scaled(change: Callable[[Decimal], Decimal]) -> Change:
    def scaled(t: Tensor) -> Tensor:
        with localcontext(prec=17):
            texts = [format(change(Decimal(str(text))).normalize(), "f") for text in t.text.ravel()]
        text = np.array(texts, dtype=object).reshape(t.text.shape)
        return Tensor(text.astype(np.float64), text)

    return scaled


def without_first(x: Array) -> Array:
    return x[:, 1:] if x.shape[1] > 1 else x


def first_twice(x: Array) -> Array:
    return np.concatenate([x[:, :1], x], axis=1)


def last_twice(x: Array) -> Array:
    return np.concatenate([x, x[:, -1:]], axis=1)


def batch_for_time(x: Array) -> Array:
    """The axes (batch, time, ...) exchanged, where both are longer than 1."""
    return x.swapaxes(0, 1) if min(x.shape[:2]) > 1 else x


def refolded(x: Array) -> Array:
    """(time, batch, features) reshaped to (batch, time, features), where a transposition was meant."""
    batch, steps, features = x.shape
    return x.swapaxes(0, 1).reshape(batch, steps, features)
