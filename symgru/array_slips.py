"""Arrays and sequences taken otherwise: the same numbers in other places, in another order, or fewer of them.

What changes nothing in an array or a sequence gives it back as it is. Changes of a cell are module `slips`'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from weakref import WeakKeyDictionary

import numpy as np
from sympy import Symbol

from symgru.algebra import Mat
from symgru.layout import Layout
from symgru.network import Array, Tensor, Weights

Names = tuple[str, ...]


# ------------------------------------------------------------------------------ arrays


@dataclass(frozen=True)
class Exchanged:
    """Each pair of arrays exchanged, where both have one shape."""

    pairs: tuple[tuple[str, str], ...]

    def __call__(self, weights: Weights) -> Weights:
        new = dict(weights)
        for a, b in self.pairs:
            if weights[a].value.shape == weights[b].value.shape:
                new[a], new[b] = weights[b], weights[a]
        return new


@dataclass(frozen=True)
class Transposed:
    """Rows taken for columns, where there are as many."""

    names: Names

    def __call__(self, weights: Weights) -> Weights:
        square = (n for n in self.names if len(set(weights[n].value.shape)) == 1)
        return {**weights, **{n: weights[n].T for n in square}}


@dataclass(frozen=True)
class Interleaved:
    """The columns of the gates taken in turn, z, r, n, z, r, n, in place of one block after the other."""

    rows: tuple[Names, ...]

    def __call__(self, weights: Weights) -> Weights:
        new: dict[str, Tensor] = dict(weights)
        for row in self.rows:
            value = np.concatenate([weights[n].value for n in row])
            text = np.concatenate([weights[n].text for n in row])
            new |= {n: Tensor(value[k :: len(row)], text[k :: len(row)]) for k, n in enumerate(row)}
        return new


@dataclass(frozen=True)
class Shortened:
    """Every number typed with so many decimals."""

    decimals: int

    def __call__(self, weights: Weights) -> Weights:
        return {name: _shortened(t, self.decimals) for name, t in weights.items()}


_SHORT: WeakKeyDictionary[Tensor, dict[int, Tensor]] = WeakKeyDictionary()  # an array is taken for many others


def _shortened(t: Tensor, decimals: int) -> Tensor:
    made = _SHORT.setdefault(t, {})
    if decimals not in made:
        texts = np.array([_short(str(text), decimals) for text in t.text.ravel()], dtype=object)
        made[decimals] = Tensor(texts.astype(np.float64).reshape(t.text.shape), texts.reshape(t.text.shape))
    return made[decimals]


def _short(text: str, decimals: int) -> str:
    long = int(Decimal(text).as_tuple().exponent) < -decimals
    return str(Decimal(text).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)) if long else text


def exchanged_rows(own: Layout) -> Exchanged | None:
    """The two bias rows exchanged, gate by gate."""
    if len(own.biases) < 2:
        return None
    return Exchanged(pairs(own.biases[0], own.biases[1]))


def exchanged_kernels(own: Layout) -> Exchanged | None:
    """Kernel and recurrent kernel exchanged."""
    return Exchanged(pairs(own.kernel, own.recurrent))


def pairs(first: Iterable[Symbol], second: Iterable[Symbol]) -> tuple[tuple[str, str], ...]:
    """Names of one gate in two arrays."""
    by_gate = {_gate(s): s.name for s in second}
    return tuple((s.name, by_gate[_gate(s)]) for s in first if _gate(s) in by_gate)


def _gate(s: Symbol) -> str:
    return str(s.name).partition("_")[2]


def stacked_rows(own: Layout) -> tuple[Names, ...]:
    """Every array that holds a block for each gate."""
    rows: tuple[tuple[Symbol, ...], ...] = (own.kernel, own.recurrent, *own.biases)
    return tuple(tuple(s.name for s in row) for row in rows if len(row) == len(own.recurrent) > 1)


def interleaved(own: Layout) -> Interleaved | None:
    rows = stacked_rows(own)
    return Interleaved(rows) if rows else None


def transposed(pick: Callable[[Layout], tuple[Mat, ...]]) -> Callable[[Layout], Transposed]:
    return lambda own: Transposed(tuple(m.name for m in pick(own)))


# ------------------------------------------------------------------------------ sequences


def rearranged(change: Callable[[Array], Array]) -> Callable[[Tensor], Tensor]:
    """The same numbers in another order or number; `change` is given (batch, time, features)."""
    return lambda x: Tensor(change(x.value), change(x.text))


def in_one_step(of: Callable[[Sequence[Fraction]], Fraction | int]) -> Callable[[Tensor], Tensor]:
    """All steps made into one: `of` is applied to each feature's typed numbers."""

    def collapse(x: Tensor) -> Tensor:
        series = np.moveaxis(x.text, 1, -1).reshape(-1, x.text.shape[1])
        numbers = [Fraction(of([Fraction(str(t)) for t in row])) for row in series]
        texts = [str(Decimal(q.numerator) / q.denominator) for q in numbers]
        shape, values = (x.text.shape[0], 1, x.text.shape[2]), [float(q) for q in numbers]
        return Tensor(np.array(values).reshape(shape), np.array(texts, dtype=object).reshape(shape))

    return collapse


def mean(numbers: Sequence[Fraction]) -> Fraction:
    return Fraction(sum(numbers)) / len(numbers)


def backwards(x: Array) -> Array:
    return x[:, ::-1]


def first_only(x: Array) -> Array:
    return x[:, :1]


def column_by_column(x: Array) -> Array:
    """(time, features) read down its columns; the steps of one feature as a table of the fewest rows above 1."""
    batch, steps, features = x.shape
    rows = steps if features > 1 else next((k for k in range(2, steps) if steps % k == 0), 1)
    return x.reshape(batch, rows, -1).transpose(0, 2, 1).reshape(x.shape)


def twice(x: Array) -> Array:
    return np.concatenate([x, x], axis=1)


def without_last(x: Array) -> Array:
    return x[:, :-1] if x.shape[1] > 1 else x


def without_zeros(x: Array) -> Array:
    """Without the steps at which everything is 0, where others are left; for one sequence."""
    told = [t for t in range(x.shape[1]) if any(float(v) for v in x[0, t])]
    return x[:, told] if told else x
