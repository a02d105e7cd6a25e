"""The output's exact digits: proven by ball arithmetic, or as two decimal precisions agree on them.

Proven means: the ball that certainly holds the output rounds to one number of so many digits, whichever of its points
is the true one. The precision is doubled until that is so. Without python-flint (the extra `exact`) the digits come
from decimal arithmetic in two precisions that agree; that is strong evidence and no proof, and the result says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal
from math import ceil, log2, log10
from typing import Any

import numpy as np

from symgru.decimal_domain import Decimals
from symgru.domains import Float64
from symgru.errors import Unsupported, UnusableInput
from symgru.maps import MAPS
from symgru.network import Array, Network, Tensor
from symgru.rules import CALCULATOR
from symgru.trace import Run, cell_of, run
from symgru.wording import counted

DIGITS, MOST_DIGITS = 30, 4000  # significant digits, unless asked otherwise and at most
GUARD, MOST_BITS = 64, 16384  # bits beyond the digits asked for to begin with, and of the precision tried last
FARTHEST = 2**22  # bits: numbers down to 10^-1,262,000 are written out as decimals
NOT_INSTALLED = "python-flint is not installed (pip install 'symgru[exact]')"


class Unproven(Unsupported):
    """Ball arithmetic does not settle the digits."""


@dataclass(frozen=True)
class Exact:
    """An output in decimals, and whether its digits are proven.

    `y` holds Decimal objects, in the shape that the framework gives the output. Proven, each is the network's output
    over the real numbers, rounded once to `digits` significant digits, ties to even; one with fewer digits is the
    output itself. `bits` is the precision that proved them, 0 where they are not proven; `doubt` then says why not.
    `more` are a network's outputs after the first.
    """

    y: Array
    digits: int
    bits: int = 0
    doubt: str = ""
    more: tuple[Array, ...] = ()

    @property
    def outputs(self) -> tuple[Array, ...]:
        """Every output, in the network's order."""
        return (self.y, *self.more)

    @property
    def proven(self) -> bool:
        return not self.doubt

    @property
    def label(self) -> str:
        """One line that says which."""
        if self.doubt:
            return f"not proven: {self.doubt}"
        return f"proven: {counted(self.digits, 'digit')}, by ball arithmetic with {self.bits:,} bits"

    def settles(self, rounding: Callable[[Decimal], Decimal]) -> bool:
        """Whether rounding `y` is proven to give what rounding the exact output gives."""
        return self.proven and all(_settled(v, self.digits, rounding) for y in self.outputs for v in y.ravel())


def _settled(v: Decimal, digits: int, rounding: Callable[[Decimal], Decimal]) -> bool:
    figures = v.as_tuple()
    if len(figures.digits) < digits:
        return True  # the output itself
    assert isinstance(figures.exponent, int)
    half = Decimal((0, (5,), figures.exponent - 1))
    context = _context(digits + 1)
    return rounding(context.subtract(v, half)) == rounding(context.add(v, half))


def exact(
    network: Network,
    x: Tensor | Sequence[Tensor],
    typed: bool = False,
    digits: int = DIGITS,
    only_proven: bool = False,
) -> Exact:
    """Every output to `digits` significant digits, for x of shape (batch, time, features) or one x for each input.

    `typed` takes weights and inputs as they are printed or were typed, else as the model stores them in binary.
    Raises Unsupported where the digits cannot be had: with `only_proven` where python-flint is there and 16,384 bits
    do not prove them, else where decimals do not settle them either.
    """
    doubt = _doubt(network, x)
    if not doubt:
        try:
            return _proven(network, x, typed, digits)
        except Unproven as error:
            if only_proven:
                raise
            doubt = str(error)
    y, *more = _agreed(network, x, typed, digits)
    return Exact(y, digits, doubt=doubt, more=tuple(more))


def check_digits(digits: object) -> int:
    """A number of digits that somebody asks for. Raises UnusableInput."""
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= MOST_DIGITS:
        raise UnusableInput(f"digits is {digits!r}; an exact output has a whole number from 1 to {MOST_DIGITS}")
    return digits


def _doubt(network: Network, x: Tensor | Sequence[Tensor]) -> str:
    """Why nothing can be proven; "" where it can."""
    try:
        import flint  # noqa: F401
    except ImportError:
        return NOT_INSTALLED
    given = (x,) if isinstance(x, Tensor) else x
    tensors = (*given, *(t for layer in network.layers.values() for t in layer.weights.values()))
    return "" if all(np.isfinite(t.value).all() for t in tensors) else "the input or a weight is NaN or Inf"


def _flat(found: Run) -> Array:
    """Every number of every output."""
    return np.concatenate([y.ravel() for y in found.outputs])


def _apart(values: Sequence[Decimal], found: Run) -> list[Array]:
    """The numbers as outputs again."""
    ends = np.cumsum([y.size for y in found.outputs])[:-1]
    flat = np.empty(len(values), dtype=object)
    flat[:] = values
    return [part.reshape(y.shape) for part, y in zip(np.split(flat, ends), found.outputs, strict=True)]


# Balls ---------------------------------------------------------------------------------------------------------------


def _proven(network: Network, x: Tensor | Sequence[Tensor], typed: bool, digits: int) -> Exact:
    from symgru.balls import Balls

    bits = min(ceil(digits * log2(10)) + GUARD, MOST_BITS)
    while True:
        domain = Balls(bits, typed)
        found = run(network, x, domain)
        balls = _flat(found)
        with domain.context():
            rounded = [_rounded(ball, digits) for ball in balls]
        known = [v for v in rounded if v is not None]
        if len(known) == len(rounded):
            y, *more = _apart(known, found)
            return Exact(y, digits, bits, more=tuple(more))
        if bits == MOST_BITS:
            open_one = rounded.index(None)
            raise Unproven(_unsettled(balls[open_one], _place(open_one, found), digits))
        bits = min(2 * bits, MOST_BITS)


def _place(k: int, found: Run) -> list[int]:
    """Where the number k of `_flat` stands: the output (where there are several) and its indices."""
    for number, y in enumerate(found.outputs):
        if k < y.size:
            own = [int(i) for i in np.unravel_index(k, y.shape)]
            return own if len(found.outputs) == 1 else [number, *own]
        k -= y.size
    raise IndexError(k)


def _rounded(ball: Any, digits: int) -> Decimal | None:
    """What every point of the ball rounds to; None where they do not agree."""
    if not ball.is_finite():
        return None
    if ball.is_exact():
        return _decimal(ball, digits)
    low, high = _decimal(ball.lower(), digits), _decimal(ball.upper(), digits)
    return None if low is None or low != high else _padded(low, digits)


def _decimal(point: Any, digits: int) -> Decimal | None:
    """A binary number rounded once to `digits` digits, ties to even; None for one too far from 1 to be written out."""
    mantissa, exponent = (int(part) for part in point.man_exp())
    if abs(exponent) > FARTHEST:
        return None
    power = _context(abs(exponent) // 3 + 1).power(Decimal(2), abs(exponent))  # all its digits: log10(2) < 1/3
    round_once = _context(digits).divide if exponent < 0 else _context(digits).multiply
    return round_once(Decimal(mantissa), power)


def _padded(v: Decimal, digits: int) -> Decimal:
    """With all its digits, zeros too: one with fewer would be the output itself."""
    return v.quantize(Decimal((0, (1,), v.adjusted() - digits + 1)), context=_context(digits))


def _context(digits: int) -> Context:
    return Context(prec=digits, rounding=ROUND_HALF_EVEN, Emax=MAX_EMAX, Emin=MIN_EMIN)


def _unsettled(ball: Any, place: list[int], digits: int) -> str:
    """What is known of an output whose digits stay open, and what that means."""
    begin = f"{counted(digits, 'digit')} of the output at {place} cannot be proven with {MOST_BITS:,} bits: "
    known = int(ball.rel_accuracy_bits() * log10(2))
    if not ball.is_finite() or known > 0 and _decimal(ball.mid(), 1) is None:
        return begin + "it is too large or too small to be written out"
    if ball.contains(0) and (limit := _log10(ball.abs_upper())) < -digits:
        return begin + f"it is smaller than 10^{limit} and may be exactly 0, which has no digits"
    if known > digits:
        return begin + f"as far as {known:,} digits tell, they end in a tie; ask for another number of digits"
    return begin + f"only {max(known, 0):,} are known, for the others are lost on the way through the network"


def _log10(size: Any) -> int:
    """The power of ten at or above a binary number."""
    mantissa, exponent = (int(part) for part in size.man_exp())
    return ceil((mantissa.bit_length() + exponent) * log10(2))


# Decimals ------------------------------------------------------------------------------------------------------------

MOST_WORKING = 1500  # digits of the precision that is tried last
MOST_LOST = 650  # digits: a float64 reaches from 10^-324 to 10^308


def _agreed(network: Network, x: Tensor | Sequence[Tensor], typed: bool, digits: int) -> list[Array]:
    """The outputs in two decimal precisions that agree.

    The precision begins high enough for what a float64 run shows: sums of numbers of unlike size, and gates so far
    saturated that 1 - z has many zeros.
    """
    working = digits + 10 + _lost_digits(network, x)
    last = max(working, MOST_WORKING)
    while True:
        runs = [run(network, x, Decimals(p, typed)) for p in (working, working + 15)]
        low, high = map(_flat, runs)
        with Decimals(working + 15).context():
            settled = [_agree(a, b, digits) for a, b in zip(low, high, strict=True)]
        if all(settled) or working == last:
            break
        open_zeros = all(v == 0 for v, known in zip(high, settled, strict=True) if not known)
        working = last if open_zeros else min(2 * working, last)  # 0 may be all that is left of many digits
    # what shrinks with every precision tried is 0: nothing else cancels to so many places
    if any(v and v.adjusted() > -working // 8 for v, known in zip(high, settled, strict=True) if not known):
        raise Unsupported(f"the exact output cannot be had: {working} digits are lost on the way through the network")
    with Decimals(digits).context():
        values = [+v if known else Decimal(0) for v, known in zip(high, settled, strict=True)]
    return _apart(values, runs[-1])


def _lost_digits(network: Network, x: Tensor | Sequence[Tensor]) -> int:
    """How many digits sums and saturated gates may cost, from the sizes that a float64 run meets."""
    cells = {call.id: CALCULATOR(cell_of(call, layer)) for call, layer in network if layer.kind not in MAPS}
    traces = run(network, x, Float64(), rewrite=cells).traces
    given = [x.value] if isinstance(x, Tensor) else [each.value for each in x]
    arrays = [*given, *(t.value for layer in network.layers.values() for t in layer.weights.values())]
    size = max(_largest(a) for a in [*arrays, *(c for trace in traces for c in trace.columns.values())])
    arguments = [c for trace in traces for name, c in trace.columns.items() if name.startswith("a_")]
    depth = max((_largest(a) for a in arguments), default=0.0)  # 1 - tanh(a) is about 2 e^-2a
    return int(min(MOST_LOST, 2 * np.log10(max(size, 1.0)) + 0.87 * depth))


def _largest(a: Array) -> float:
    """The largest magnitude; 10^300 for what is not finite."""
    if not a.size:
        return 0.0
    return float(np.abs(np.nan_to_num(a.astype(np.float64), nan=1e300, posinf=1e300, neginf=-1e300)).max())


def _agree(a: Decimal, b: Decimal, digits: int) -> bool:
    if not (a.is_finite() and b.is_finite()):
        return str(a) == str(b)
    return b != 0 and (a == b or abs(a - b).adjusted() < b.adjusted() - digits)
