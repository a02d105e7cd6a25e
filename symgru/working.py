"""One layer's worked lines: the rounded chain with every number of every step, as a calculator shows it."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import cast

import numpy as np
from sympy import Expr, Rational, Symbol, erf, tanh

from symgru.activations import Activation, expanded, where_positive
from symgru.algebra import Mat, Ref, Vec, rebuild, sigma, walk
from symgru.building import build
from symgru.cell import Cell
from symgru.decimal_domain import ALONE, Decimals, quickly
from symgru.derivation import named_activations, uses, uses_function
from symgru.domains import Step
from symgru.folding import constant
from symgru.layout import BIASES, layout
from symgru.network import Array, Edge, Layer, Network, Tensor
from symgru.rounding import PRECISION, Rounding, line_rounding
from symgru.rules import CALCULATOR, zero_params
from symgru.shapes import shapes
from symgru.trace import Run, Trace, as_called, run
from symgru.unroll import Assign, lower
from symgru.wiring import phrase

Refs = Mapping[Ref, str]
Hidden = Callable[[str, int, int], bool]  # a quantity's name, the step, the unit (counted from 0)
BLANK = "____"  # in place of a value that a reader fills in


class Chain(Decimals):
    """The rounded chain, which also keeps each value before it was rounded: what a calculator's display shows."""

    def __init__(self, rounding: Rounding) -> None:
        super().__init__(PRECISION, typed=True, rounding=rounding)
        self.raw: list[dict[str, Array]] = []
        self._stored: list[Array] = []

    def store(self, v: Array) -> Array:
        self._stored.append(np.asarray(v if isinstance(v, np.ndarray) else Decimal(v), dtype=object))
        return super().store(v)

    def functions(self, cell: Cell) -> Mapping[str, Callable[..., Array]]:
        """A function that is a line's whole right side needs no more digits than that line is rounded to."""
        within = {type(node).__name__ for _, e in cell.equations for a in e.args for node in walk(a)}
        assert self.rounding is not None
        return {name: quickly(f, self.rounding.decimals) for name, f in ALONE.items() if name not in within}

    def step(self, cell: Cell) -> Step:
        step = super().step(cell)

        def watched(x: Array, h: Array | None, p: Mapping[str, Array]) -> dict[str, Array]:
            self._stored.clear()
            values = step(x, h, p)
            self.raw.append(dict(zip(values, self._stored, strict=True)))  # lines are stored in the order defined
            return values

        return watched


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
    branch: tuple[tuple[Expr, bool], ...] = ()


@dataclass(frozen=True)
class Block:
    """One parameter inside an array of get_weights(): rows as the framework has them (a bias has one)."""

    symbol: Symbol
    texts: Array

    @property
    def is_bias(self) -> bool:
        return not isinstance(self.symbol, Mat)


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

    `calculator` is that cell with a line for every entry on a calculator; `timed` says whether there is a time axis;
    `raw` holds the values before they were rounded.
    """

    place: int
    layer: Layer
    shown: Shown
    sizes: Mapping[str, int]
    timed: bool
    arrays: tuple[WeightArray, ...]
    trace: Trace
    raw: tuple[Mapping[str, Array], ...]
    rounding: Rounding
    x_texts: Array  # (time, features), as typed where x is the network's input
    source: str = ""  # what x is, in words, where it is not simply what the layer before gives
    start: tuple[str, ...] = ()  # the state before the first step, where it is given one
    held: tuple[bool, ...] = ()  # the steps at which a mask keeps the state, where there is a mask
    hidden: Hidden | None = None  # which values are blank, for a reader to fill in

    def before(self, unit: int) -> str:
        """The printed state before the first step."""
        return self.start[unit] if self.start else "0"

    def keeps(self, t: int) -> bool:
        """Whether the mask keeps the state at step t."""
        return bool(self.held) and self.held[t - 1]

    @cached_property
    def whole(self) -> Cell:
        """The layer's cell with every bias."""
        return build(self.layer.kind, self.layer.options)

    @property
    def cell(self) -> Cell:
        return self.shown.cell

    @property
    def calculator(self) -> Cell:
        return self.shown.calculator

    @property
    def partly_left_out(self) -> tuple[Symbol, ...]:
        """Biases that are 0 and left out, in arrays that are not 0 as a whole."""
        whole = {block.symbol for array in self.arrays if array.zero for row in array.blocks for block in row}
        return tuple(s for s in self.shown.left_out if s not in whole)

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

    @property
    def uses_erf(self) -> bool:
        return any(uses_function(a.meaning, erf) for a in self.activations)

    @cached_property
    def _params(self) -> dict[Ref, str]:
        return {
            Ref(p, idx): cast(str, text)
            for p in self.calculator.params
            for idx, text in np.ndenumerate(self.layer.weights[p.name].text)
        }

    @cached_property
    def _conditions(self) -> dict[Expr, tuple[Expr, ...]]:
        return {}

    @cached_property
    def _numeric(self) -> dict[tuple[Expr, tuple[bool, ...]], Expr]:
        return {}

    def value(self, name: str, t: int, unit: int) -> str:
        """A gate's or the state's printed value after step t, or BLANK."""
        return BLANK if self.hidden and self.hidden(name, t, unit) else self._text(name, t, unit)

    def _text(self, name: str, t: int, unit: int) -> str:
        return self.rounding.text(self.trace.columns[name][0, t - 1, unit])

    def state(self, t: int) -> tuple[str, ...]:
        """The printed state of every unit after step t, or before the first."""
        units = range(self.sizes["H"])
        ((_, after),) = self.cell.states
        return tuple(self.value(after.name, t, k) if t else self.before(k) for k in units)

    def texts(self, t: int) -> Refs:
        """Every scalar that the lines of step t read, as printed."""
        return self._read(t, self.value)

    def _read(self, t: int, value: Callable[[str, int, int], str]) -> Refs:
        after = {new: old for old, new in self.calculator.states}
        now: dict[Ref, str] = {}
        for k, text in enumerate(self.x_texts[t - 1]):
            now[Ref(self.calculator.inputs[0], (k,), 0)] = text
        for lhs in self.calculator.defined:
            for i in range(self.sizes[self.calculator.dims[lhs][0]]):
                now[Ref(after.get(lhs, lhs), (i,), 0)] = value(lhs.name, t, i)
                if lhs in after:
                    now[Ref(after[lhs], (i,), -1)] = value(lhs.name, t - 1, i) if t > 1 else self.before(i)
        return cast(Refs, ChainMap(now, self._params))

    def lines(self, t: int) -> Iterator[Line]:
        """The lines of one step, in the order in which they are computed; none where a mask keeps the state."""
        if self.keeps(t):
            return
        texts = self.texts(t)
        known = self._read(t, self._text) if self.hidden else texts
        for assign in self.assigns:
            yield self._line(t, assign, texts, known)

    def _line(self, t: int, assign: Assign, texts: Refs, known: Refs) -> Line:
        """`known` are the texts with nothing blank: they say which branch of a function applies."""
        after = dict(self.calculator.states)
        name = after.get(cast(Vec, assign.lhs.of), assign.lhs.of).name
        at = (0, t - 1, assign.lhs.idx[0])
        value = cast(Decimal, self.trace.columns[name][at])
        unrounded = np.broadcast_to(self._raw(name, t), self.trace.columns[name][0, t - 1].shape)[assign.lhs.idx[0]]
        risky = texts[assign.lhs] != BLANK and self.rounding.is_risky(unrounded)
        more = self.rounding.more()
        numeric, branch = self._resolved(assign.rhs, known)
        return Line(
            t,
            assign.lhs,
            assign.rhs,
            numeric,
            texts,
            value,
            texts[assign.lhs],
            risky,
            more.text(more(unrounded)) if risky else "",
            branch,
        )

    def _raw(self, name: str, t: int) -> Array:
        if self.calculator.states:
            return self.raw[t - 1][name].reshape(-1)
        return cast(Array, self.raw[0][name][0, t - 1])

    def _resolved(self, rhs: Expr, texts: Refs) -> tuple[Expr, tuple[tuple[Expr, bool], ...]]:
        """`rhs` in elementary functions, of every where_positive only the branch that applies; which these are."""
        if rhs not in self._conditions:
            nodes = (e for e in walk(expanded(rhs)) if isinstance(e, where_positive))
            self._conditions[rhs] = tuple(dict.fromkeys(cast(Expr, e.args[0]) for e in nodes))
        branch = {condition: _is_positive(condition, texts) for condition in self._conditions[rhs]}
        key = rhs, tuple(branch.values())
        if key not in self._numeric:

            def choose(e: Expr) -> Expr:
                if not isinstance(e, where_positive):
                    return e
                condition, then, otherwise = e.args
                return cast(Expr, then if branch[cast(Expr, condition)] else otherwise)

            self._numeric[key] = rebuild(expanded(rhs), choose)
        return self._numeric[key], tuple((c, branch[c]) for c in dict.fromkeys(_asked(expanded(rhs), branch)))

    @cached_property
    def risky_lines(self) -> int:
        """How many lines a calculator's ten digits could round otherwise."""
        worked = (row for t, row in enumerate(self.raw, 1) if not self.keeps(t))
        return sum(self.rounding.is_risky(v) for row in worked for a in row.values() for v in a.ravel())


@dataclass(frozen=True)
class Shown:
    """A layer's cell as the document shows it: without biases that are 0, and the same in calculator lines."""

    cell: Cell
    calculator: Cell
    left_out: tuple[Symbol, ...]


def _is_positive(condition: Expr, texts: Refs) -> bool:
    """Whether an expression of numbers as they are printed is above 0; not where one of them is no number."""
    if isinstance(condition, Ref):
        return Decimal(texts[condition]) > 0
    numbers = {s: Decimal(texts[s]) for s in walk(condition) if isinstance(s, Ref)}
    if not all(number.is_finite() for number in numbers.values()):
        return False
    return bool(constant(rebuild(condition, lambda s: Rational(str(numbers[s])) if s in numbers else s)) > 0)


def _asked(e: Expr, branch: Mapping[Expr, bool]) -> Iterator[Expr]:
    """The conditions that choose what is computed, from the outermost on."""
    if isinstance(e, where_positive):
        condition, then, otherwise = cast("tuple[Expr, Expr, Expr]", e.args)
        yield condition
        yield from _asked(then if branch[condition] else otherwise, branch)
    else:
        for argument in cast("tuple[Expr, ...]", e.args):
            yield from _asked(argument, branch)


def shown(layer: Layer) -> Shown:
    """What to show of a layer. Lines are split first, so that u keeps its own line where its bias is 0."""
    cell = build(layer.kind, layer.options)
    zero = tuple(p for p in cell.params if not isinstance(p, Mat) and _all_zero(layer.weights[p.name]))
    without = zero_params(set(zero))
    return Shown(without(cell), without(CALCULATOR(cell)), zero)


def _all_zero(tensor: Tensor) -> bool:
    return all(Decimal(text) == 0 for text in tensor.text.ravel())


def work_out(
    network: Network,
    x: Sequence[Tensor],
    cells: Mapping[str, Shown],
    decimals: int | Rounding,
    starts: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Run, tuple[Working, ...]]:
    """Run the chain with so many decimals, or rounded in another way; `cells` holds what is shown of each call that has
    lines of its own, and `starts` the state that a call begins at, a number as typed for each unit, where that is not
    0."""
    rounding = decimals if isinstance(decimals, Rounding) else line_rounding(decimals)
    chain = Chain(rounding)
    rewrite = {call.id: as_called(call, cells[call.id].calculator) for call in network.calls if call.id in cells}
    typed = starts or {}
    states = {name: np.array([list(map(Decimal, texts))], dtype=object) for name, texts in typed.items()}
    result = run(network, x, chain, states, rewrite)
    known, places = shapes(network), _places(network)
    layers: list[Working] = []
    used = 0
    for trace in result.traces:
        recurrent = bool(trace.cell.states)
        rows = trace.x.shape[1] if recurrent else 1
        raw = chain.raw[used : used + rows]
        used += rows
        if trace.call.id not in cells:
            continue
        (edge,) = trace.call.args
        mask = trace.call.mask if recurrent else None
        layers.append(
            Working(
                len(layers) + 1,
                trace.layer,
                cells[trace.call.id],
                trace.sizes,
                recurrent or len(known[edge]) > 1,
                tuple(_arrays(trace.layer, places[trace.layer.id])),
                trace,
                tuple(_unmasked(row, trace.cell) for row in raw) if mask else tuple(raw),
                rounding,
                _texts(network, edge, x, trace.x[0], rounding),
                _source(network, edge, layers[-1].trace.call.id if layers else None),
                tuple(map(rounding.text, result.values[trace.call.initial[0]][0]))
                if trace.call.initial and trace.call.id not in typed
                else tuple(typed.get(trace.call.id, ())),
                tuple(~result.values[mask][0]) if mask else (),
            )
        )
    return result, tuple(layers)


def _unmasked(row: Mapping[str, Array], cell: Cell) -> Mapping[str, Array]:
    """The values of a step whose mask holds: the state is what its line gives."""
    ((_, after),) = cell.states
    fresh = cell.equations[-1][1].args[1]
    return {**row, after.name: row[str(fresh)]}


def _source(network: Network, edge: Edge, before: str | None) -> str:
    """What a layer's input is, in words; "" for the network's only input, and for what the layer before gives."""
    plain = edge.port == "input" and len(network.inputs) == 1 or edge == Edge(before or "")
    return "" if plain else phrase(network, edge)


def _texts(network: Network, edge: Edge, x: Sequence[Tensor], values: Array, rounding: Rounding) -> Array:
    """A layer's input as it is used from there on: as typed where it is typed, else as printed."""
    if edge.port == "input":
        typed = x[next(k for k, put in enumerate(network.inputs) if put.id == edge.source)].text[0]
        return cast(Array, typed if typed.ndim > 1 else typed[None])

    return cast(Array, np.frompyfunc(lambda v: as_used(v, rounding), 1, 1)(values))


def as_used(v: object, rounding: Rounding) -> str:
    """A value of the chain as lines use it: as it is printed, or all of its digits where it was never rounded."""
    number = Decimal(v)  # type: ignore[arg-type]
    return rounding.text(number) if rounding(number) == number else format(number, "f")


def _places(network: Network) -> dict[str, int]:
    """Where each layer's first array is in get_weights()."""
    places, first = {}, 0
    for layer in network.layers.values():
        places[layer.id] = first
        if any(name.startswith("W") for name in layer.weights):
            first += len(layout(build(layer.kind, layer.options)).arrays)
        else:
            first += len(cast("Sequence[str]", layer.options.get("arrays", tuple(layer.weights))))
    return places


def _arrays(layer: Layer, first: int) -> Iterator[WeightArray]:
    """A layer's arrays as get_weights() gives them, cut into the symbols of the equations."""
    own = layout(build(layer.kind, layer.options))
    for place, (name, rows) in enumerate(own.arrays.items(), first):
        blocks = tuple(tuple(_block(layer, s) for s in row) for row in rows)
        width = sum(block.texts.shape[-1] for block in blocks[0])
        height = len(rows) if name in BIASES else len(blocks[0][0].texts)
        shape = (width,) if name in BIASES and len(rows) == 1 else (height, width)
        zero = all(_all_zero(layer.weights[block.symbol.name]) for row in blocks for block in row)
        yield WeightArray(place, name, shape, blocks, zero)


def _block(layer: Layer, s: Symbol) -> Block:
    return Block(s, np.atleast_2d(layer.weights[s.name].text.T))
