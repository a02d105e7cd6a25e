"""The common single mistakes as data: what people do, how often, where it is known from, and the change that does it.

`rank` is the place in the list of how often people run into a mistake (1 is the commonest; entries of one rank are
alike in that). Formulas in a text stand in backquotes, and {words} are what a cell calls its parts. An entry that
changes nothing in a cell does not apply to it. Another mistake is another line here.

What one or several lead to on a network's own numbers is module `mistakes`' business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from symgru import array_slips, slips
from symgru.activations import activation
from symgru.algebra import Vec
from symgru.arrangement import stacked
from symgru.building import build
from symgru.cell import Cell
from symgru.comparison import Profile
from symgru.derivation import gates
from symgru.errors import Unsupported
from symgru.gate_orders import Columns, orders
from symgru.layout import Layout, layout
from symgru.network import Array, Layer, Network, Tensor, Weights
from symgru.rules import Transform
from symgru.update_rules import SWAPPED_UPDATE


@dataclass(frozen=True, repr=False)
class Mistake:
    """What people do otherwise in one thing (`kind`): `says` is what was done, `instead` what is right, `rank` how
    common it is, `known_from` where people were seen to do it.

    The rest, of which most have one, says what is otherwise: the cell; the weights; the input; the number that every
    unit's state starts at; the decimals that each line is rounded to; the line of the cell that is taken for its
    output; what is taken of the outputs of all steps, (batch, time, units); what the layers of the network are.
    """

    kind: str
    name: str
    says: str = ""
    instead: str = ""
    cell: Transform | None = None
    weights: Callable[[Weights], Weights] | None = None
    inputs: Callable[[Tensor], Tensor] | None = None
    start: int | None = None
    decimals: int | None = None
    reads: Callable[[Cell], Vec] | None = None
    outputs: Callable[[Array], Array] | None = None
    network: Callable[[Network], Network] | None = None
    rank: int = 0
    known_from: str = ""

    def __repr__(self) -> str:
        return f"<{self.kind}: {self.name}>"


Arrays = Callable[[Layout], Callable[[Weights], Weights] | None]
Words = Mapping[str, str]


@dataclass(frozen=True)
class Entry:
    """A line of the table; for a layer it becomes a Mistake. `arrays` makes the change from where the arrays lie."""

    rank: int
    kind: str
    name: str
    says: str
    instead: str
    known_from: str = ""
    cell: Transform | None = None
    arrays: Arrays | None = None
    inputs: Callable[[Tensor], Tensor] | None = None
    start: int | None = None
    decimals: int | None = None
    reads: Callable[[Cell], Vec] | None = None
    outputs: Callable[[Array], Array] | None = None


SEED = "the question that symgru began with (symgru demo)"
SIGMOID = "take the sigmoid σ"
BOTH_ROWS = "add both rows of the bias: `b` beside the input's product, `c` beside the state's"
STEPWISE = "feed the inputs one after the other, one to each time step, with the state h carried from step to step"
PLACE = "keep {reset} where the equation has it: it multiplies {placed}"
ROUND = "type every weight as it is printed"


def _only(heads: str) -> Callable[[Cell], bool]:
    return lambda cell: slips.gate_heads(cell) == {heads}


def _candidate_is(head: str) -> Callable[[Cell], bool]:
    return lambda cell: slips.candidate_head(cell) == head


MISTAKES = (
    Entry(
        1, "update rule", "swapped",
        "let {update} weigh {weighed}, and {rest} {other}", "let {u} weigh {other} and {rest} {weighed}",
        "keras #785, pytorch #20129, pytorch #60645, CNTK #3292",
        cell=SWAPPED_UPDATE,
    ),
    Entry(
        2, "reset gate", "before the product",
        "let {reset} multiply the state before its product with {U}", PLACE,
        "pytorch #8153, pytorch #99531; ONNX with linear_before_reset=0, Keras with reset_after=False",
        cell=slips.RESET_BEFORE,
    ),
    Entry(
        2, "reset gate", "after the product",
        "let {reset} multiply the product of the state with {U}", PLACE,
        "pytorch #8153, pytorch #99531; ONNX with linear_before_reset=1, Keras with reset_after=True",
        cell=slips.RESET_AFTER,
    ),
    Entry(
        3, "biases", "left out",
        "left the biases out", "add the biases",
        cell=slips.without_biases(lambda rows: [b for row in rows for b in row]),
    ),
    Entry(
        3, "biases", "only the input's",
        "left out the second row of the bias, the state's `c`", BOTH_ROWS,
        "tensorflow #43960; Flax' nnx, which has one row",
        cell=slips.without_biases(lambda rows: rows[1] if len(rows) > 1 else ()),
    ),
    Entry(
        3, "biases", "only the state's",
        "left out the first row of the bias, the input's `b`", BOTH_ROWS,
        "tensorflow #43960",
        cell=slips.without_biases(lambda rows: rows[0] if len(rows) > 1 else ()),
    ),
    Entry(
        3, "biases", "rows exchanged",
        "exchanged the two rows of the bias", BOTH_ROWS,
        arrays=array_slips.exchanged_rows,
    ),
    Entry(
        3, "biases", "outside the reset gate",
        "added {c} outside the bracket that {reset} multiplies", "add {c} inside the bracket that {r} multiplies",
        cell=slips.BIAS_OUTSIDE,
    ),
    Entry(
        5, "activations", "hard sigmoid of Keras 2",
        "took `0.2 a + 0.5`, kept between 0 and 1, for the sigmoid", SIGMOID,
        "Keras 2, whose default recurrent_activation it was",
        cell=slips.activated("hard", activation(["hard_sigmoid", 0.2, 0.5]), where=_only("sigmoid")),
    ),
    Entry(
        6, "activations", "hard sigmoid of Keras 3",
        "took `a/6 + 0.5`, kept between 0 and 1, for the sigmoid", SIGMOID,
        "Keras 3's hard_sigmoid, and PyTorch's Hardsigmoid",
        cell=slips.activated("hard", activation("hard_sigmoid"), where=_only("sigmoid")),
    ),
    Entry(
        6, "activations", "sigmoid for a hard sigmoid",
        "took the sigmoid σ for the hard sigmoid", "take the hard sigmoid that the layer has",
        "Keras 2, whose default recurrent_activation was the hard sigmoid",
        cell=slips.activated(
            "soft", activation("sigmoid"),
            where=lambda cell: any(head.startswith("hard_sigmoid") for head in slips.gate_heads(cell)),
        ),
    ),
    Entry(
        7, "sequence", "summed into one step",
        "summed the sequence into one step", STEPWISE,
        SEED, inputs=array_slips.in_one_step(sum),
    ),
    Entry(
        7, "sequence", "mean in one step",
        "took the mean of the sequence as one step", STEPWISE,
        SEED, inputs=array_slips.in_one_step(array_slips.mean),
    ),
    Entry(
        9, "arrays", "recurrent kernel transposed",
        "took the rows of each recurrent kernel for its columns",
        "the row of a recurrent kernel is the unit it comes from, its column the unit it leads to",
        "keras #8720: PyTorch holds it the other way round than Keras",
        arrays=array_slips.transposed(lambda own: own.recurrent),
    ),
    Entry(
        9, "arrays", "kernel transposed",
        "took the rows of each kernel for its columns",
        "the row of a kernel is the feature it comes from, its column the unit it leads to",
        "keras #8720: PyTorch holds it the other way round than Keras",
        arrays=array_slips.transposed(lambda own: own.kernel),
    ),
    Entry(
        11, "state", "carried over",
        "went on from the last state of an earlier run of the same sequence", "begin at `h_0 = 0`",
        "Keras with stateful=True, predict called twice",
        inputs=array_slips.rearranged(array_slips.twice),
    ),
    Entry(
        11, "state", "begins at 1",
        "began at `h_0 = 1`", "begin at `h_0 = 0`",
        start=1,
    ),
    Entry(
        13, "sequence", "column by column",
        "read the numbers of the sequence column by column", "take one time step after the other, row by row",
        "reshape in place of transpose; Fortran's order", inputs=array_slips.rearranged(array_slips.column_by_column),
    ),
    Entry(
        13, "state", "fresh at every step",
        "began every time step at a state of 0", "carry the state `h` from step to step",
        "time and batch exchanged: PyTorch without batch_first=True", cell=slips.FRESH_STATE,
    ),
    Entry(
        14, "sequence", "zeros skipped",
        "left out the time steps whose input is 0", "work every step: an input of 0 still moves the state",
        "Keras' Masking", inputs=array_slips.rearranged(array_slips.without_zeros),
    ),
    Entry(
        15, "sequence", "last step dropped",
        "stopped one time step too early", "go on to the last input",
        inputs=array_slips.rearranged(array_slips.without_last),
    ),
    Entry(
        16, "activations", "sigmoid and tanh exchanged",
        "took tanh for the gates and the sigmoid for the candidate",
        "take the sigmoid for the gates and tanh for the candidate",
        cell=slips.activated(
            "exchanged", activation("tanh"), activation("sigmoid"),
            where=lambda cell: _only("sigmoid")(cell) and _candidate_is("tanh")(cell),
        ),
    ),
    Entry(
        17, "activations", "linear candidate",
        "left out the activation of {n}", "take {activation} of {n}'s sum",
        cell=slips.activated("linear", candidate=activation("linear")),
    ),
    Entry(
        17, "activations", "relu candidate",
        "took relu for tanh", "take tanh",
        "layers built with activation='relu'",
        cell=slips.activated("relu", candidate=activation("relu"), where=_candidate_is("tanh")),
    ),
    Entry(
        17, "activations", "tanh candidate",
        "took tanh for relu", "take relu",
        "layers built without activation='relu'",
        cell=slips.activated("tanh", candidate=activation("tanh"), where=_candidate_is("relu")),
    ),
    Entry(
        18, "sequence", "reversed",
        "fed the sequence from its end to its beginning", "feed the first input first",
        "Keras with go_backwards=True", inputs=array_slips.rearranged(array_slips.backwards),
    ),
    Entry(
        21, "biases", "the state's only for the candidate",
        "added only {c} of the second row of the bias", BOTH_ROWS,
        "Equinox and MLX, which have no other",
        cell=slips.without_biases(lambda rows: rows[1][:-1] if len(rows) > 1 else ()),
    ),
    Entry(
        22, "gates", "reset gate is 1",
        "left out {reset}, as if it were 1", "multiply by {r}",
        cell=slips.gate_as(lambda own: None if own.reset == own.update else own.reset, 1),
    ),
    Entry(
        22, "gates", "update gate is 0",
        "took {update} as 0", "work {u} out, however small it is",
        SEED, cell=slips.gate_as(lambda own: own.update, 0),
    ),
    Entry(
        22, "gates", "update gate is 1",
        "took {update} as 1", "work {u} out",
        cell=slips.gate_as(lambda own: own.update, 1),
    ),
    Entry(
        23, "reset gate", "on the input's part",
        "let {reset} multiply the input's part of the sum", PLACE,
        cell=slips.RESET_ON_INPUT,
    ),
    Entry(
        23, "reset gate", "on the whole sum",
        "let {reset} multiply the whole sum", PLACE,
        cell=slips.RESET_ON_SUM,
    ),
    Entry(
        27, "activations", "sigmoid of -a",
        "took `σ(-a)` for `σ(a)`", "mind the minus sign in the exponent of e",
        cell=slips.activated("opposite", slips.opposite, where=_only("sigmoid")),
    ),
    Entry(
        27, "activations", "tanh from the sigmoid of a",
        "took `2 σ(a) - 1` for `tanh(a)`", "tanh is `2 σ(2a) - 1`",
        cell=slips.activated("undoubled", candidate=slips.undoubled, where=_candidate_is("tanh")),
    ),
    Entry(
        28, "arrays", "kernels exchanged",
        "exchanged the kernel and the recurrent kernel", "multiply the input with `W` and the state with `U`",
        "weights concatenated as [h; x] for [x; h]", arrays=array_slips.exchanged_kernels,
    ),
    Entry(
        29, "arrays", "gates interleaved",
        "took the columns of the gates in turn", "the columns of a gate stand side by side, one block for each gate",
        arrays=array_slips.interleaved,
    ),
    Entry(
        32, "sequence", "first step only",
        "stopped after the first step", "go on to the last input, with the state h carried from step to step",
        inputs=array_slips.rearranged(array_slips.first_only),
    ),
    *(
        Entry(
            33, "arrays", f"{digits} decimals", f"typed the weights with {digits} decimals", ROUND,
            arrays=lambda own, digits=digits: array_slips.Shortened(digits),  # type: ignore[misc]
        )
        for digits in (2, 3, 4)
    ),
)  # fmt: skip


def mistakes(layer: Layer) -> tuple[Mistake, ...]:
    """What people do otherwise with a recurrent layer, the commonest first.

    Only what can differ in a layer of its kind; whether these weights and an input make it differ, running it tells.
    """
    own = layout(build(layer.kind, layer.options))
    return tuple(sorted([*made_of(MISTAKES, layer), *_orders(own, layer)], key=lambda m: m.rank))


def made_of(table: Iterable[Entry], layer: Layer) -> Iterator[Mistake]:
    """What lines of a table are for a layer; without those that change nothing in a layer of its kind."""
    cell = build(layer.kind, layer.options)
    own, words = layout(cell), _words(cell)
    return (m for entry in table if (m := _of(entry, cell, own, words)))


@dataclass(frozen=True)
class Line:
    """One vector, in whichever lines a cell is written; the output where another mistake leaves it out."""

    vector: Vec

    def __call__(self, cell: Cell) -> Vec:
        return self.vector if self.vector in cell.defined else cell.output


def _of(entry: Entry, cell: Cell, own: Layout, words: Words) -> Mistake | None:
    """A line of the table for a cell; None where it changes nothing there."""
    arrays = entry.arrays(own) if entry.arrays else None
    if entry.arrays and arrays is None or entry.cell and not _changes(entry.cell, cell):
        return None
    read = entry.reads(cell) if entry.reads else None
    if read == cell.output:
        return None
    return Mistake(
        entry.kind,
        entry.name,
        entry.says.format_map(words),
        entry.instead.format_map(words),
        entry.cell,
        arrays,
        entry.inputs,
        entry.start,
        entry.decimals,
        Line(read) if read else None,
        entry.outputs,
        rank=entry.rank,
        known_from=entry.known_from,
    )


def _changes(transform: Transform, cell: Cell) -> bool:
    try:
        return transform(cell).equations != cell.equations
    except Unsupported:  # it changes the update rule of a cell that has none
        return False


def _words(cell: Cell) -> Words:
    """What the cell calls its parts."""
    own, called, update = slips.roles(cell), dict(gates(cell)), Profile(cell).update
    weighed, other = "the candidate", "the old state"
    if update is not None and update.rule == "new":
        weighed, other = other, weighed
    gate = str(own.candidate) if own.update is not None else ""
    suffix = f"_{gate}" if gate else ""

    def part(s: object) -> str:
        return f"the {called.get(s, 'gate')} `{s}`"  # type: ignore[call-overload]

    placed = slips.RESET_BEFORE(cell).equations == cell.equations
    return {
        "update": part(own.update),
        "u": f"`{own.update}`",
        "rest": f"`1 - {own.update}`",
        "weighed": weighed,
        "other": other,
        "reset": part(own.reset),
        "r": f"`{own.reset}`",
        "n": part(own.candidate),
        "activation": slips.candidate_head(cell),
        "U": f"`U{suffix}`",
        "c": f"`c{suffix}`",
        "b": f"`b{suffix}`",
        "placed": "the state (reset_after=False)" if placed else "the product (reset_after=True, as PyTorch)",
    }


ORDERS = {"r | z | n": "PyTorch's and TensorFlow 1's", "z | r | n": "that of Keras and ONNX"}


def _orders(own: Layout, layer: Layer) -> Iterator[Mistake]:
    """The gates' blocks of all arrays taken for one another's."""
    rows = array_slips.stacked_rows(own)
    for (name, columns), (taken, stored) in readings(rows, layer) if rows else ():
        blocks = "blocks" if stacked(layer.notes) else "blocks of columns"
        yield Mistake(
            "gate order",
            name,
            f"took the {blocks} in the order {spelled(taken)}" + whose(taken),
            f"take the {blocks} in the order {spelled(stored)}" + whose(stored),
            weights=columns,
            rank=4,
            known_from="keras #8720, keras #15915",
        )


def readings(rows: tuple[tuple[str, ...], ...], layer: Layer) -> Iterator[tuple[tuple[str, Columns], tuple[str, str]]]:
    """Every wrong order of the gates' blocks as the canonical arrays have it, and the change; and in words of the file
    that the layer came from: the order that its blocks were taken in, and the one in which they lie."""
    (stored, _), *others = orders(rows)
    gates = stored.split(" | ")
    file = stacked(layer.notes)
    file = file if set(file) == set(gates) else tuple(gates)
    for name, columns in others:
        taken = dict(zip(gates, name.split(" | "), strict=True))
        yield (name, columns), (" | ".join(taken[gate] for gate in file), " | ".join(file))


def spelled(order: str) -> str:
    """An order of gates within a sentence."""
    return ", ".join(f"`{letter}`" for letter in order.split(" | "))


def whose(order: str) -> str:
    """Which frameworks have that order, in brackets; "" where none is known."""
    return f" ({ORDERS[order]})" if order in ORDERS else ""
