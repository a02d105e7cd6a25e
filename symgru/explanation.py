"""The worked example: every number of a network's run, as a person with a pocket calculator gets it.

Every line is computed from the printed numbers only, rounded half up once, and the rounded number is used from then
on, so that whoever types what is printed gets the next line exactly. This is the model of the document; the backends
latex, markdown and text print it.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, cast

import numpy as np
from sympy import Expr, Symbol, tanh

from symgru.activations import Activation, expanded, where_positive
from symgru.algebra import Mat, Ref, Vec, rebuild, sigma, walk
from symgru.cells import Cell, build, layout
from symgru.derivation import named_activations, uses, uses_function
from symgru.domains import Decimals, Step
from symgru.errors import UnusableInput
from symgru.network import Array, Layer, Network, Tensor
from symgru.rounding import Rounding, exactly, round_digits, ulps
from symgru.rules import CALCULATOR, zero_params
from symgru.trace import Run, Trace, exact, run
from symgru.unroll import Assign, lower

DEFAULT_DIGITS, MOST_DIGITS = 4, 6
GUARDS, MOST_DECIMALS = (2, 3, 4), 8  # decimals carried beyond the digits promised
SHOWN = 14  # decimals of an exact value in the verification box
Framework = Callable[[Network, Tensor], tuple[Array, str]]  # its output, and what to call it: "Keras 3.15.1"
Refs = Mapping[Ref, str]


class Chain(Decimals):
    """The rounded chain, which also keeps each value before it was rounded: what a calculator's display shows."""

    def __init__(self, rounding: Rounding) -> None:
        self.seen: list[Decimal] = []
        super().__init__(60, typed=True, rounding=_Watched(rounding, self.seen))
        self.raw: list[dict[str, Array]] = []

    def step(self, cell: Cell) -> Step:
        step = super().step(cell)

        def watched(x: Array, h: Array | None, p: Mapping[str, Array]) -> dict[str, Array]:
            self.seen.clear()
            values = step(x, h, p)
            flat, row = iter(list(self.seen)), {}
            for name, rounded in values.items():  # lines are stored in the order in which they are defined
                unrounded = [next(flat) for _ in range(np.size(rounded))]
                row[name] = np.array(unrounded, dtype=object).reshape(np.shape(rounded))
            self.raw.append(row)
            return values
        return watched


class _Watched(Rounding):
    """A rounding that remembers what it was given."""

    def __init__(self, rounding: Rounding, seen: list[Decimal]) -> None:
        super().__init__(rounding.decimals, rounding.significant)
        object.__setattr__(self, "seen", seen)

    def __call__(self, v: Decimal) -> Decimal:
        cast(Any, self).seen.append(Decimal(v))
        return super().__call__(Decimal(v))


@dataclass(frozen=True)
class Line:
    """lhs = rhs = numeric with `texts` put in = value.

    `numeric` holds elementary functions only, with the branch that applies where a function has several (`branch`
    says which). `text` is the value as printed; where a calculator's ten digits could round otherwise the line is
    risky, and `more` shows two digits more.
    """

    t: int
    lhs: Ref
    rhs: Expr
    numeric: Expr
    texts: Refs
    value: Decimal
    text: str
    risky: bool
    more: str
    branch: tuple[tuple[Ref, bool], ...] = ()


@dataclass(frozen=True)
class Block:
    """One parameter inside an array of get_weights(): rows as the framework has them (a bias has one)."""

    symbol: Symbol
    texts: Array


@dataclass(frozen=True)
class WeightArray:
    """One array of get_weights(): its place in that list, its name, its shape and its blocks, row by row of blocks."""

    place: int
    name: str
    shape: tuple[int, ...]
    blocks: tuple[tuple[Block, ...], ...]
    zero: bool


@dataclass(frozen=True)
class Working:
    """One layer at work: its cell as shown (biases that are 0 left out), and its lines step by step.

    `calculator` is that cell with a line for every entry on a calculator; `timed` says whether there is a time axis.
    """

    place: int
    layer: Layer
    cell: Cell
    calculator: Cell
    sizes: Mapping[str, int]
    timed: bool
    left_out: tuple[Symbol, ...]
    arrays: tuple[WeightArray, ...]
    trace: Trace
    raw: tuple[Mapping[str, Array], ...]
    rounding: Rounding
    typed: bool  # whether x is the network's input, printed as it was typed
    x_texts: Array  # (time, features)

    @property
    def steps(self) -> int:
        return cast(int, self.trace.x.shape[1])

    @cached_property
    def assigns(self) -> tuple[Assign, ...]:
        """The lines of one step in symbols."""
        return lower(self.calculator, self.sizes)

    @property
    def activations(self) -> tuple[Activation, ...]:
        return named_activations(self.cell)

    @property
    def uses_sigma(self) -> bool:
        return uses(self.cell, sigma) or any(uses_function(a.meaning, sigma) for a in self.activations)

    @property
    def uses_tanh(self) -> bool:
        return uses(self.cell, tanh) or any(uses_function(a.meaning, tanh) for a in self.activations)

    @cached_property
    def _params(self) -> dict[Ref, str]:
        return {Ref(p, idx): cast(str, text) for p in self.calculator.params
                for idx, text in np.ndenumerate(self.layer.weights[p.name].text)}

    @cached_property
    def _conditions(self) -> dict[Expr, tuple[Ref, ...]]:
        return {}

    @cached_property
    def _numeric(self) -> dict[tuple[Expr, tuple[bool, ...]], Expr]:
        return {}

    def value(self, name: str, t: int, unit: int) -> str:
        """A gate's or the state's printed value after step t."""
        return self.rounding.text(self.trace.columns[name][0, t - 1, unit])

    def texts(self, t: int) -> Refs:
        """Every scalar that the lines of step t read, as printed."""
        after = {new: old for old, new in self.calculator.states}
        now: dict[Ref, str] = {}
        for k, text in enumerate(self.x_texts[t - 1]):
            now[Ref(self.calculator.inputs[0], (k,), 0)] = text
        for lhs in self.calculator.defined:
            for i in range(self.sizes[self.calculator.dims[lhs][0]]):
                now[Ref(after.get(lhs, lhs), (i,), 0)] = self.value(lhs.name, t, i)
                if lhs in after:
                    now[Ref(after[lhs], (i,), -1)] = self.value(lhs.name, t - 1, i) if t > 1 else "0"
        return cast(Refs, ChainMap(now, self._params))

    def lines(self, t: int) -> Iterator[Line]:
        """The lines of one step, in the order in which they are computed."""
        texts = self.texts(t)
        for assign in self.assigns:
            yield self._line(t, assign, texts)

    def _line(self, t: int, assign: Assign, texts: Refs) -> Line:
        after = dict(self.calculator.states)
        name = after.get(cast(Vec, assign.lhs.of), assign.lhs.of).name
        at = (0, t - 1, assign.lhs.idx[0])
        value = cast(Decimal, self.trace.columns[name][at])
        unrounded = np.broadcast_to(self._raw(name, t), self.trace.columns[name][0, t - 1].shape)[assign.lhs.idx[0]]
        risky = self.rounding.is_risky(unrounded)
        more = self.rounding.more()
        numeric, branch = self._resolved(assign.rhs, texts)
        return Line(t, assign.lhs, assign.rhs, numeric, texts, value, texts[assign.lhs], risky,
                    more.text(more(unrounded)) if risky else "", branch)

    def _raw(self, name: str, t: int) -> Array:
        if self.calculator.states:
            return self.raw[t - 1][name].reshape(-1)
        return cast(Array, self.raw[0][name][0, t - 1])

    def _resolved(self, rhs: Expr, texts: Refs) -> tuple[Expr, tuple[tuple[Ref, bool], ...]]:
        """`rhs` in elementary functions, of every where_positive only the branch that applies."""
        if rhs not in self._conditions:
            nodes = (e for e in walk(expanded(rhs)) if isinstance(e, where_positive))
            self._conditions[rhs] = tuple(dict.fromkeys(cast(Ref, e.args[0]) for e in nodes))
        branch = {condition: Decimal(texts[condition]) > 0 for condition in self._conditions[rhs]}
        key = rhs, tuple(branch.values())
        if key not in self._numeric:
            def choose(e: Expr) -> Expr:
                if not isinstance(e, where_positive):
                    return e
                condition, then, otherwise = e.args
                return cast(Expr, then if branch[cast(Ref, condition)] else otherwise)
            self._numeric[key] = rebuild(expanded(rhs), choose)
        return self._numeric[key], tuple(branch.items())

    def risky_lines(self) -> int:
        return sum(self.rounding.is_risky(v) for row in self.raw for a in row.values() for v in a.ravel())


@dataclass(frozen=True)
class Check:
    """One row of the verification box: an output as somebody computed it, beside the exact one of the same weights."""

    says: str
    component: str  # "" for a single output, else which unit
    value: Decimal
    text: str
    against: str  # "" where the row is an exact value itself
    difference: Decimal
    ulps: float


@dataclass(frozen=True)
class Explanation:
    """Everything that the document says.

    `digits` are promised of the result, `decimals` are carried. `reached` is whether the chain's result has the exact
    digits; where it has not, the document says so.
    """

    network: Network
    x: Tensor
    digits: int
    decimals: int
    reached: bool
    layers: tuple[Working, ...]
    y: Array  # the chain's output
    exact_typed: Array
    exact_stored: Array
    framework: Framework | None = None

    @property
    def promise(self) -> Rounding:
        return promise(self.digits)

    @property
    def results(self) -> Array:
        """The output after the last step, one number for each unit."""
        return cast(Array, self.y.reshape(-1, self.y.shape[-1])[-1])

    @property
    def risky(self) -> int:
        return sum(layer.risky_lines() for layer in self.layers)

    @property
    def uses_tanh(self) -> bool:
        return any(layer.uses_tanh for layer in self.layers)

    @property
    def lines(self) -> int:
        return sum(layer.steps * len(layer.assigns) for layer in self.layers)

    @property
    def stored_differs(self) -> bool:
        """Whether typed and stored weights lead to exact values that differ in the digits shown."""
        return any(round_digits(a, SHOWN) != round_digits(b, SHOWN)
                   for a, b in zip(_last(self.exact_typed), _last(self.exact_stored), strict=True))

    def checks(self) -> Iterator[Check]:
        """The rows that need no framework: the chain, then the exact values."""
        yield from self._rows("this page (rounded chain)", _last(self.y), "typed", Rounding(self.decimals))
        shown = Rounding(SHOWN, 6)
        stored = self.stored_differs
        says = "exact, from the numbers as printed" if stored else "exact"
        yield from self._rows(says, _last(self.exact_typed), "", shown)
        if stored:
            says = f"exact, from the stored {self.network.dtype} numbers"
            yield from self._rows(says, _last(self.exact_stored), "", shown)

    def framework_rows(self) -> Iterator[Check]:
        """What the framework itself gives; it is imported and run only now, which may take seconds."""
        if self.framework is None:
            return
        y, says = self.framework(self.network, self.x)
        against = "stored" if self.stored_differs else "exact"
        yield from self._rows(says, [exactly(v) for v in _last(np.asarray(y))], against, None, _last(np.asarray(y)))

    def _rows(self, says: str, values: Any, against: str, rounding: Rounding | None, floats: Any = None) -> Iterator[Check]:
        exact_values = _last(self.exact_typed if against == "typed" else self.exact_stored)
        if against == "typed" and not self.stored_differs:
            against = "exact"
        for k, v in enumerate(values):
            text = rounding.text(rounding(v)) if rounding else str(Tensor.of(np.asarray(floats[k])).text)
            reference = exact_values[k]
            yield Check(says, f"{k + 1}" if len(values) > 1 else "", v, text, against, v - reference if against else Decimal(0),
                        ulps(v, reference, self.network.dtype) if against else 0.0)


def _last(y: Array) -> Array:
    return cast(Array, y.reshape(-1, y.shape[-1])[-1])


def promise(digits: int) -> Rounding:
    """What is promised of the result: so many decimals, and two significant digits of a tiny one."""
    return Rounding(digits, 2)


def explain(network: Network, x: Tensor, digits: int | None = None, framework: Framework | None = None) -> Explanation:
    """The worked example for one sequence x of shape (1, time, features).

    `digits` are the decimals promised of the result, 1 to 6, 4 where None. `framework` is called when the document
    reaches its row, with the network and x, and gives its output and its name. Raises UnusableInput.
    """
    digits = DEFAULT_DIGITS if digits is None else digits
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= MOST_DIGITS:
        raise UnusableInput(f"digits is {digits!r}; it must be a whole number from 1 to {MOST_DIGITS}")
    _check(network, x)
    typed, stored = exact(network, x, typed=True), exact(network, x)
    cells = {call.id: _shown(layer) for call, layer in network}
    wanted = [promise(digits)(v) for v in typed.ravel()]

    def attempt(guard: int) -> tuple[tuple[Working, ...], Run, bool]:
        rounding = Rounding(min(digits + guard, MOST_DECIMALS))
        chain = Chain(rounding)
        result = run(network, x, chain, rewrite={name: calculator for name, (_, calculator, _) in cells.items()})
        return _working(network, x, result, chain, cells), result, [promise(digits)(v) for v in result.y.ravel()] == wanted

    tried = [attempt(guard) for guard in GUARDS if digits + guard <= MOST_DECIMALS]
    good = [a for a in tried if a[2]]
    best = min(good, key=lambda a: sum(w.risky_lines() for w in a[0])) if good else tried[-1]  # the first of equals
    layers, result, reached = best
    return Explanation(network, x, digits, layers[0].rounding.decimals, reached, layers, result.y, typed, stored, framework)


def _check(network: Network, x: Tensor) -> None:
    if x.value.ndim != 3:
        raise UnusableInput(f"the input has shape {x.value.shape}; expected (1, time, {network.features})")
    if x.value.shape[0] != 1:
        raise UnusableInput(f"the input holds {x.value.shape[0]} sequences and a worked example shows one: "
                            f"give one of them alone, the first as x[0:1]")
    if x.value.shape[2] != network.features or not x.value.shape[1]:
        raise UnusableInput(f"the input has shape {x.value.shape}; expected (1, time, {network.features}) with at least "
                            "one time step")
    if not all(Decimal(text).is_finite() for text in x.text.ravel()):
        raise UnusableInput("the input holds NaN or Inf; a worked example needs finite numbers")


def _shown(layer: Layer) -> tuple[Cell, Cell, tuple[Symbol, ...]]:
    """The cell without biases that are 0, the same in calculator lines, and those biases."""
    cell = build(layer.kind, layer.options)
    zero = tuple(p for p in cell.params if not isinstance(p, Mat) and layer.weights[p.name].is_zero)
    without = zero_params(set(zero))
    return without(cell), without(CALCULATOR(cell)), zero


def _working(network: Network, x: Tensor, result: Run, chain: Chain,
             cells: Mapping[str, tuple[Cell, Cell, tuple[Symbol, ...]]]) -> tuple[Working, ...]:
    rounding = Rounding(cast(Rounding, chain.rounding).decimals)
    layers: list[Working] = []
    used, first, timed = 0, 0, True
    for place, trace in enumerate(result.traces, 1):
        cell, calculator, left_out = cells[trace.call.id]
        rows = trace.x.shape[1] if cell.states else 1
        arrays = tuple(_arrays(trace.layer, first))
        typed = place == 1
        texts = x.text[0] if typed else np.frompyfunc(rounding.text, 1, 1)(trace.x[0])
        layers.append(Working(place, trace.layer, cell, calculator, trace.sizes, timed or bool(cell.states), left_out, arrays,
                              trace, tuple(chain.raw[used : used + rows]), rounding, typed, texts))
        used, first = used + rows, first + len(arrays)
        timed = timed and (not cell.states or bool(trace.layer.options.get("return_sequences", False)))
    return tuple(layers)


def _arrays(layer: Layer, first: int) -> Iterator[WeightArray]:
    """A layer's arrays as get_weights() gives them, cut into the symbols of the equations."""
    own = layout(build(layer.kind, layer.options))
    named = [("kernel", (own.kernel,)), ("recurrent_kernel", (own.recurrent,)), ("bias", own.biases)]
    for place, (name, rows) in enumerate(((n, r) for n, r in named if r and r[0]), first):
        blocks = tuple(tuple(_block(layer, s) for s in row) for row in rows)
        width = sum(block.texts.shape[-1] for block in blocks[0])
        height = len(rows) if name == "bias" else len(blocks[0][0].texts)
        shape = (width,) if name == "bias" and len(rows) == 1 else (height, width)
        zero = all(layer.weights[block.symbol.name].is_zero for row in blocks for block in row)
        yield WeightArray(place, name, shape, blocks, zero)


def _block(layer: Layer, s: Symbol) -> Block:
    return Block(s, np.atleast_2d(layer.weights[s.name].text.T))
