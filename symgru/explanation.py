"""The worked example: every number of a network's run, as a person with a pocket calculator gets it.

Every line is computed from the printed numbers only, rounded half up once, and the rounded number is used from then
on, so that whoever types what is printed gets the next line exactly. This is the model of the document; the backends
latex, markdown and text print it.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

import numpy as np

from symgru.building import build
from symgru.certified import DIGITS, NOT_INSTALLED, Exact, exact
from symgru.decimal_domain import Decimals
from symgru.errors import SymgruError, UnusableInput
from symgru.maps import MAPS
from symgru.network import Array, Edge, Layer, Network, Tensor, shortest, stored
from symgru.rounding import PRECISION, Rounding, exactly, line_rounding, round_digits, ulps
from symgru.styles import DEFAULT, Style
from symgru.styles.network import Styled, styled
from symgru.trace import Run, last_step, run
from symgru.wiring import is_shown
from symgru.working import Working, shown, work_out

DEFAULT_DIGITS, MOST_DIGITS = 4, 6
GUARDS, MOST_DECIMALS = (2, 3, 4), 8  # decimals carried beyond the digits promised
TOO_LARGE = "the numbers grow beyond what decimals can show; try fewer steps or smaller x"
UNROUNDED = 30  # digits that are as good as all
MOST_SEQUENCES = 20
SHOWN = 14  # decimals of an exact value in the verification box
OWN = Rounding(SHOWN, 6, 6)  # how it is shown there
Framework = Callable[  # its outputs, and what to call it: "Keras 3.15.1"
    [Network, Sequence[Tensor]], tuple[Sequence[Array], str]
]


@dataclass(frozen=True)
class Check:
    """One row of the verification box: an output as somebody computed it, beside the exact one of the same weights."""

    says: str
    component: str  # "" for a single output, else which unit
    text: str
    difference: Decimal | None = None  # None where the row is an exact value itself
    ulps: float | None = None  # of the network's numbers; None where it is not one of them


@dataclass(frozen=True)
class Explanation:
    """Everything that the document says.

    `digits` are promised of the result, `decimals` are carried. `reached` is whether the chain's result has the exact
    digits; where it has not, the document says so.
    """

    network: Network
    inputs: tuple[Tensor, ...]
    digits: int
    decimals: int
    reached: bool
    layers: tuple[Working, ...]
    outputs: tuple[Array, ...]  # the chain's
    values: Mapping[Edge, Array]  # and every value on the way
    exact_typed: tuple[Array, ...]  # one for each output
    exact_stored: tuple[Array, ...]
    doubt: str  # why the exact values, as far as they are shown, are not proven; "" where they are
    framework: Framework | None
    style: Style  # how everything is written
    written: Styled  # the network as the style writes it, and what there is to say of that
    others: tuple[Explanation, ...] = ()  # of the further sequences of a batch

    @property
    def x(self) -> Tensor:
        """The first input."""
        return self.inputs[0]

    @property
    def steps(self) -> int:
        return max(layer.steps for layer in self.layers)

    @property
    def promise(self) -> Rounding:
        return promise(self.digits)

    @property
    def results(self) -> Array:
        """The outputs after the last step, one number for each unit, one output after the other."""
        return last_step(self.outputs)

    @property
    def risky(self) -> int:
        return sum(layer.risky_lines for layer in self.layers)

    @property
    def uses_tanh(self) -> bool:
        return any(layer.uses_tanh for layer in self.layers)

    @property
    def uses_erf(self) -> bool:
        return any(layer.uses_erf for layer in self.layers)

    @property
    def sequence(self) -> int:
        """How many outputs the network gives, where it gives one after every step; the last is shown. Else 0."""
        return next((y.shape[1] for y in self.outputs if y.ndim == 3), 0)

    @property
    def rounding(self) -> Rounding:
        return line_rounding(self.decimals)

    @property
    def lines(self) -> int:
        return sum(layer.steps * len(layer.assigns) for layer in self.layers)

    @property
    def stored_differs(self) -> bool:
        """Whether typed and stored weights lead to exact values that differ in the digits shown."""
        return any(
            round_digits(a, SHOWN) != round_digits(b, SHOWN)
            for a, b in zip(last_step(self.exact_typed), last_step(self.exact_stored), strict=True)
        )

    @cached_property
    def unrounded(self) -> Run:
        """The numbers as typed in decimals of UNROUNDED digits, and no line rounded."""
        return run(self.network, self.inputs, Decimals(UNROUNDED, typed=True))

    def checks(self) -> Iterator[Check]:
        """The rows that need no framework: the chain, then the exact values."""
        typed, stored = last_step(self.exact_typed), last_step(self.exact_stored)
        exact = "exact, not proven" if self.doubt else "exact, proven"
        for k, (v, true) in enumerate(zip(self.results, typed, strict=True)):
            yield Check("this page (rounded chain)", _component(k, self.results), self.rounding.text(v), v - true)
        yield from _exact_rows(f"{exact}, decimals shown above" if self.stored_differs else exact, typed)
        if self.stored_differs:
            yield from _exact_rows(f"{exact}, stored {self.network.dtype} numbers", stored)

    @property
    def proof(self) -> str:
        """What stands behind the exact values, as a sentence."""
        if not self.doubt:
            return "Proven by ball arithmetic: every digit of the exact values is right."
        why = "python-flint is not installed" if self.doubt == NOT_INSTALLED else "ball arithmetic does not settle them"
        return f"Not proven: two decimal precisions agree on the exact values; {why}."

    def framework_rows(self) -> Iterator[Check]:
        """What the framework itself gives; it is imported and run only now, which may take seconds."""
        if self.framework is None:
            return
        try:
            outputs, says = self.framework(self.network, self.inputs)
        except SymgruError as error:  # what symgru reads the framework itself may refuse
            yield Check(f"not asked: {error}", "", "")
            return
        values = last_step([np.asarray(y) for y in outputs])
        texts = shortest(values)
        for k, (v, true) in enumerate(zip(map(exactly, values), last_step(self.exact_stored), strict=True)):
            yield Check(says, _component(k, values), str(texts[k]), v - true, ulps(v, true, self.network.dtype))


def _exact_rows(says: str, values: Array) -> Iterator[Check]:
    return (Check(says, _component(k, values), OWN.text(OWN(v))) for k, v in enumerate(values))


def _component(k: int, values: Array) -> str:
    return str(k + 1) if len(values) > 1 else ""


def promise(digits: int) -> Rounding:
    """What is promised of the result: so many decimals, and two significant digits of a tiny one."""
    return Rounding(digits, 2)


def explain(
    network: Network,
    x: Tensor | Sequence[Tensor],
    digits: int | None = None,
    framework: Framework | None = None,
    style: Style | None = None,
) -> Explanation:
    """The worked example for x of shape (batch, time, features), or one array for each input of the network: of the
    first sequence, with those of the others in `others`.

    `digits` are the decimals promised of the result, 1 to 6, 4 where None. `framework` is called when the document
    reaches its row, with the network and x, and gives its output and its name. Under a `style` whose update rule is the
    other one the lines are those of the same function in that rule. Raises UnusableInput.
    """
    digits = DEFAULT_DIGITS if digits is None else digits
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= MOST_DIGITS:
        raise UnusableInput(f"digits is {digits!r}; it must be a whole number from 1 to {MOST_DIGITS}")
    x = (x,) if isinstance(x, Tensor) else tuple(x)
    _check(network, x)
    written = styled(network, style) if style else Styled(network, network, ())
    first, *others = (
        _explain(written, style or DEFAULT, tuple(each[k : k + 1] for each in x), digits, framework)
        for k in range(len(x[0].value))
    )
    return replace(first, others=tuple(others))


def _explain(
    written: Styled, style: Style, x: tuple[Tensor, ...], digits: int, framework: Framework | None
) -> Explanation:
    """Of one sequence."""
    network = written.original
    cells = {call.id: shown(layer) for call, layer in written.network if _lines_of_its_own(layer)}
    try:
        typed = _exact(network, x, True)
        kept = _exact(network, [stored(each, network.dtype) for each in x], False)
        wanted = [promise(digits)(v) for y in typed.outputs for v in y.ravel()]
        doubt = _doubt(typed) or _doubt(kept)
        tried = [work_out(written.network, x, cells, digits + g) for g in GUARDS if digits + g <= MOST_DECIMALS]
    except decimal.InvalidOperation:  # a number too large to be rounded to decimals
        raise UnusableInput(TOO_LARGE) from None
    if not all(v.is_finite() for e in (typed, kept) for y in e.outputs for v in y.ravel()):
        raise UnusableInput(TOO_LARGE)
    good = [
        (result, layers)
        for result, layers in tried
        if [promise(digits)(v) for y in result.outputs for v in y.ravel()] == wanted
    ]
    # of several with the fewest risky lines the first, which has the fewest decimals
    result, layers = min(good, key=lambda a: sum(w.risky_lines for w in a[1])) if good else tried[-1]
    return Explanation(
        network,
        x,
        digits,
        layers[0].rounding.decimals,
        bool(good),
        layers,
        result.outputs,
        result.values,
        typed.outputs,
        kept.outputs,
        doubt,
        framework,
        style,
        written,
    )


def _lines_of_its_own(layer: Layer) -> bool:
    return layer.kind not in MAPS and is_shown(build(layer.kind, layer.options))


def _exact(network: Network, x: Sequence[Tensor], typed: bool) -> Exact:
    """With all the decimals shown, however large the numbers are."""
    found = exact(network, x, typed)
    size = max(v.adjusted() for y in found.outputs for v in y.ravel())
    return exact(network, x, typed, DIGITS + size) if DIGITS - SHOWN < size <= PRECISION else found


def _doubt(e: Exact) -> str:
    return e.doubt or ("" if e.settles(OWN) else "the digits shown end too near a tie")


def _check(network: Network, x: Sequence[Tensor]) -> None:
    for put, each in zip(network.inputs, x, strict=True):
        shape, axes = each.value.shape, ", ".join("time" if n is None else str(n) for n in put.shape)
        if len(shape) != len(put.shape) + 1:
            raise UnusableInput(f"the input has shape {shape}; expected (batch, {axes})")
        if not 1 <= shape[0] <= MOST_SEQUENCES or shape[0] != len(x[0].value):
            raise UnusableInput(
                f"the input holds {shape[0]} sequences; a worked example shows 1 to {MOST_SEQUENCES}, as many of each "
                "input: give some of them alone, the first as x[0:1]"
            )
        if shape[-1] != put.shape[-1] and put.shape[-1] is not None or not shape[1]:
            raise UnusableInput(f"the input has shape {shape}; expected (batch, {axes}) with at least one time step")
        if not all(Decimal(text).is_finite() for text in each.text.ravel()):
            raise UnusableInput("the input holds NaN or Inf; a worked example needs finite numbers")
    for layer in network.layers.values():
        for name, tensor in layer.weights.items():
            if not np.isfinite(tensor.value).all():
                raise UnusableInput(f"layer {layer.id}: {name} holds NaN or Inf; a worked example needs finite numbers")
