"""The rarer single mistakes as data, beside the common ones of module `mistake_table`: `symgru diagnose` tries both.

Lines are of the same form and stand in one ranking with the common ones: a mistake and its rarer kin, such as one gate
order in some of the arrays, have places of their own. What depends on how many units a layer has, or on its numbers, is
made for the layer; what depends on the sequence, `earlier_states` and `lost_signs` make for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from sympy import Symbol

from symgru import array_slips, slips
from symgru.activations import activation
from symgru.algebra import Vec
from symgru.array_slips import Names, rearranged
from symgru.building import build
from symgru.cell import Cell
from symgru.diagnosis import number_slips as numbers
from symgru.layout import Layout, layout
from symgru.mistake_table import BOTH_ROWS, PLACE, SIGMOID, Entry, Mistake, made_of, mistakes, readings, spelled, whose
from symgru.network import Array, Layer, Tensor
from symgru.shapes import units
from symgru.wording import listed

ELEMENTWISE = "multiply unit by unit: the product of two vectors is a vector"
STATE = "take the new state, which {update} mixes of the old one and {n}"
AS_GIVEN = "feed the numbers as they are, unless the network was trained on scaled ones"
FULL = "calculate with every digit of the weights"
LINES = "keep every digit from line to line, and round the last one only"
MINUS = "keep the minus sign"
MOST_SIGNS, MOST_NEGATIVE_INPUTS, MOST_STATES, MOST_IN_PLACE = 24, 12, 30, 6  # how many are tried one by one
PARTLY, ONE_GATE = 29, 29  # one array or gate read otherwise than the rest is rarer than all of them (ranks 4 and 9)

# fmt: off
RARER = (
    Entry(
        3, "biases", "without the state's for the candidate",
        "left out {c}, the state's bias of {n}", BOTH_ROWS,
        cell=slips.without_biases(lambda rows: rows[1][-1:] if len(rows) > 1 else ()),
    ),
    Entry(
        3, "biases", "without the input's for the candidate",
        "left out {b}, the input's bias of {n}", BOTH_ROWS,
        cell=slips.without_biases(lambda rows: rows[0][-1:] if len(rows) > 1 else ()),
    ),
    Entry(
        3, "biases", "the input's twice",
        "took the first row of the bias for both", BOTH_ROWS,
        arrays=numbers.bias_twice(0),
    ),
    Entry(
        3, "biases", "the state's twice",
        "took the second row of the bias for both", BOTH_ROWS,
        arrays=numbers.bias_twice(1),
    ),
    Entry(
        13, "arrays", "no recurrent kernel",
        "left out the products with the state", "multiply the state with `U` too",
        cell=slips.without_products(lambda own: own.recurrent),
    ),
    Entry(
        13, "arrays", "no recurrent kernel for the candidate",
        "left out the product with {U}", "multiply the state with {U} too",
        cell=slips.without_products(lambda own: own.recurrent[-1:] if len(own.recurrent) > 1 else ()),
    ),
    Entry(
        13, "sequence", "features reversed",
        "took the features of a step in the reverse order", "take the features in the order of the kernel's rows",
        inputs=rearranged(lambda x: x[..., ::-1]),
    ),
    Entry(
        11, "sequence", "first step twice",
        "worked the first step twice, as if `h_1` were `h_0`", "begin at `h_0 = 0`",
        inputs=rearranged(numbers.first_twice),
    ),
    Entry(
        13, "sequence", "time for batch",
        "took the time steps for the sequences of the batch, and the sequences for the time steps",
        "the axes are batch, time, features",
        "PyTorch without batch_first=True",
        inputs=rearranged(numbers.batch_for_time), outputs=numbers.batch_for_time,
    ),
    Entry(
        13, "sequence", "time and batch reshaped",
        "reshaped the axes time, batch, features into batch, time, features", "exchange two axes by a transposition",
        inputs=rearranged(numbers.refolded),
    ),
    Entry(
        13, "arrays", "kernels reshaped",
        "read the numbers of the kernels row by row into the transposed shape", "exchange two axes by a transposition",
        "reshape in place of transpose",
        arrays=numbers.matrices(numbers.RESHAPED),
    ),
    Entry(
        15, "output", "candidate",
        "gave {n} of the last step for the state", STATE,
        reads=lambda cell: slips.roles(cell).candidate,
    ),
    Entry(
        16, "activations", "sigmoid candidate",
        "took the sigmoid for {n} too", "take {activation} for {n}",
        cell=slips.activated("sigmoid", candidate=activation("sigmoid")),
    ),
    Entry(
        16, "activations", "tanh gates",
        "took tanh for the gates too", "take the sigmoid σ for the gates",
        cell=slips.activated("tanh", activation("tanh")),
    ),
    Entry(
        17, "activations", "linear gates",
        "left out the activation of the gates", SIGMOID,
        cell=slips.activated("linear", activation("linear")),
    ),
    Entry(
        22, "gates", "reset gate is 0",
        "took {reset} as 0", "work {r} out",
        cell=slips.gate_as(lambda own: None if own.reset == own.update else own.reset, 0),
    ),
    Entry(
        22, "output", "update gate",
        "gave {update} of the last step for the state", STATE,
        reads=lambda cell: slips.roles(cell).update or cell.output,
    ),
    Entry(
        22, "output", "reset gate",
        "gave {reset} of the last step for the state", STATE,
        reads=lambda cell: _apart(cell) or cell.output,
    ),
    *(
        Entry(
            30, "scaling", name, f"fed the inputs {done}", AS_GIVEN, known_from, inputs=change,
        )
        for name, done, known_from, change in (
            ("standardised", "less their mean, over their standard deviation", "scikit-learn's StandardScaler",
             numbers.STANDARDISED),
            ("between 0 and 1", "scaled so that the smallest is 0 and the largest 1", "scikit-learn's MinMaxScaler",
             numbers.BETWEEN_0_AND_1),
            ("by the largest", "divided by the largest of them", "scikit-learn's MaxAbsScaler", numbers.BY_THE_LARGEST),
            ("by 10", "divided by 10", "", numbers.over(10)),
            ("by 100", "divided by 100", "percentages", numbers.over(100)),
            ("by 255", "divided by 255", "pixels of an image", numbers.over(255)),
            ("times 100", "multiplied by 100", "percentages", numbers.times(100)),
        )
    ),
    Entry(
        31, "activations", "state activated",
        "took {activation} of the new state too, and went on with it", "the new state has no activation of its own",
        cell=slips.STATE_ACTIVATED,
    ),
    Entry(
        31, "activations", "output activated",
        "took {activation} of the state at the end, as an LSTM does", "the output is the state itself",
        cell=slips.OUTPUT_ACTIVATED, reads=lambda cell: slips.ACTIVATED,
    ),
    Entry(
        32, "sequence", "first step dropped",
        "began at the second step", "begin at the first input",
        inputs=rearranged(numbers.without_first),
    ),
    Entry(
        32, "sequence", "last step twice",
        "worked the last step twice", "stop at the last input",
        inputs=rearranged(numbers.last_twice),
    ),
    Entry(
        33, "signs", "all of the weights",
        "lost every minus sign of the weights", "keep the minus signs",
        arrays=numbers.everywhere(numbers.unsigned),
    ),
    *(
        Entry(33, "rounding", each, f"rounded every line to {each}", LINES, decimals=digits)
        for digits, each in ((4, "4 decimals"), (3, "3 decimals"), (2, "2 decimals"), (1, "1 decimal"))
    ),
    *(
        Entry(34, "arrays", name, f"held the weights in {kind}", FULL, known_from, arrays=numbers.everywhere(change))
        for name, kind, known_from, change in (
            ("float16", "float16, 11 bits of each", "mixed_float16, half precision", numbers.FLOAT16),
            ("bfloat16", "bfloat16, 8 bits of each", "mixed_bfloat16", numbers.BFLOAT16),
            ("int8", "bytes, -127 to 127 times a scale for each array", "quantised models", numbers.INT8),
        )
    ),
    Entry(
        34, "activations", "hard tanh candidate",
        "took `a`, kept between -1 and 1, for {activation} of {n}", "take {activation}",
        "a clipped line in place of tanh",
        cell=slips.activated("hard", candidate=activation("hard_tanh")),
    ),
    Entry(
        35, "biases", "rows in turn",
        "read a flat bias as pairs of `b` and `c`", BOTH_ROWS + "; a flat one holds the whole of `b`, then that of `c`",
        "CuDNNGRU, whose bias is flat",
        arrays=numbers.both_bias_rows(numbers.IN_TURN),
    ),
)
SEVERAL_UNITS = (  # with one unit they change nothing
    Entry(
        24, "products", "summed in the new state",
        "took the sum over the units in both products of the new state", ELEMENTWISE,
        "a dot product where ⊙ stands", cell=slips.summed_in_state(),
    ),
    Entry(
        24, "products", "summed with the old state",
        "took the sum over the units in the product with the old state", ELEMENTWISE,
        "a dot product where ⊙ stands", cell=slips.summed_in_state(new=False),
    ),
    Entry(
        24, "products", "summed with the candidate",
        "took the sum over the units in the product with {n}", ELEMENTWISE,
        "a dot product where ⊙ stands", cell=slips.summed_in_state(old=False),
    ),
    Entry(
        24, "products", "summed with the reset gate",
        "took the sum over the units in the product with {reset}", ELEMENTWISE + ". And " + PLACE,
        "a dot product where ⊙ stands", cell=slips.RESET_SUMMED,
    ),
)
# fmt: on


def _apart(cell: Cell) -> Vec | None:
    """The reset gate, where it is not the update gate too."""
    own = slips.roles(cell)
    return None if own.reset == own.update else own.reset


def catalogue(layer: Layer) -> tuple[Mistake, ...]:
    """The common and the rarer single mistakes with a recurrent layer, the commonest first; each (kind, name) once."""
    return tuple(sorted((*mistakes(layer), *rarer(layer)), key=lambda m: m.rank))


def rarer(layer: Layer) -> tuple[Mistake, ...]:
    """What people do otherwise, beside `mistakes(layer)`; the commonest first.

    Only what can differ in a layer of its kind and size. Weights decide a little: a bias of zeros has no order, and a
    weight that is not negative no minus sign.
    """
    cell = build(layer.kind, layer.options)
    own, size = layout(cell), Size.of(layer, cell)
    table = [
        *RARER,
        *(SEVERAL_UNITS if size.units > 1 else ()),
        *_stacked(size),
        *_skipped(size),
        *_one_gate(own, size),
    ]
    found = [*made_of(table, layer), *_orders(own, layer), *_in_place(cell, size), *_signs(layer)]
    return tuple(sorted(found, key=lambda m: m.rank))


@dataclass(frozen=True)
class Size:
    """How long a layer's vectors are; `features` is 0 where no kernel tells."""

    units: int
    features: int

    @staticmethod
    def of(layer: Layer, cell: Cell) -> Size:
        kernels = [layer.weights[m.name].value.shape[1] for m in layout(cell).kernel]
        return Size(units(cell, layer), kernels[0] if kernels else 0)


# ------------------------------------------------------------------------------ arrays


def _arrays(own: Layout, layer: Layer) -> dict[str, tuple[Names, ...]]:
    """What holds a block for each gate, by what it is called; without a bias that is all 0."""
    named: dict[str, tuple[tuple[Symbol, ...], ...]]
    named = {"kernel": (own.kernel,), "recurrent kernel": (own.recurrent,), "bias": own.biases}
    alike = set(array_slips.stacked_rows(own))
    found = {
        name: tuple(names for row in rows if (names := tuple(s.name for s in row)) in alike)
        for name, rows in named.items()
    }
    if all(layer.weights[name].is_zero for names in found["bias"] for name in names):
        del found["bias"]
    return {name: rows for name, rows in found.items() if rows}


def _orders(own: Layout, layer: Layer) -> Iterator[Mistake]:
    """One order of the gates for some of the arrays, and the right one for the others."""
    arrays = _arrays(own, layer)
    for count in range(1, len(arrays)):
        for chosen in combinations(arrays, count):
            where = listed(chosen)
            for (name, columns), (taken, stored) in readings(tuple(r for a in chosen for r in arrays[a]), layer):
                yield Mistake(
                    "gate order",
                    f"{name} in {where}",
                    f"took the blocks of the {where}, and of nothing else, in the order {spelled(taken)}"
                    + whose(taken),
                    f"take the blocks of every array in the order {spelled(stored)}" + whose(stored),
                    weights=columns,
                    rank=PARTLY,
                )


def _one_gate(own: Layout, size: Size) -> Iterator[Entry]:
    """One gate's rows taken for its columns, where it has as many of both."""
    named = {"kernel": own.kernel, "recurrent kernel": own.recurrent}
    for called, blocks in named.items():
        square = size.units > 1 and (called != "kernel" or size.features == size.units)
        for block in blocks if square and len(blocks) > 1 else ():
            yield Entry(
                ONE_GATE,
                "arrays",
                f"{called} {block} transposed",
                f"took the rows of `{block}` for its columns",
                f"read `{block}` as the others are read",
                arrays=lambda own, name=block.name: array_slips.Transposed((name,)),  # type: ignore[misc]
            )


def _stacked(size: Size) -> Iterator[Entry]:
    """The kernels stacked, begun with the wrong one; where both have one shape that is to exchange them."""
    if size.features not in (0, size.units):
        yield Entry(
            25,
            "arrays",
            "state before input",
            "put the state before the input, `[h; x]`, where the weights are stacked for `[x; h]`",
            "stack the input on the state, `[x; h]`",
            "TensorFlow 1 stacks [x; h], many a drawing [h; x]",
            arrays=numbers.state_first,
        )


def _skipped(size: Size) -> Iterator[Entry]:
    """The kernel left out, where the input is as long as the state."""
    if size.features == size.units:
        yield Entry(
            28,
            "arrays",
            "kernel left out",
            "let the input in as it is, without the kernel",
            "multiply the input with `W`",
            "CuDNN's input mode skip_input",
            arrays=numbers.kernel_skipped,
        )


def _in_place(cell: Cell, size: Size) -> Iterator[Mistake]:
    if cell.states and 1 < size.units <= MOST_IN_PLACE:
        yield Mistake(
            "state",
            "updated in place",
            "wrote each unit's new state over the old one before the next unit was worked",
            "work every unit from the state of the step before",
            cell=slips.unit_by_unit(size.units),
            weights=numbers.Choosing(size.units),
            rank=26,
        )


def _signs(layer: Layer) -> Iterator[Mistake]:
    """One minus sign lost, in a layer of few numbers other than 0."""
    if sum(np.count_nonzero(t.value) for t in layer.weights.values()) > MOST_SIGNS:
        return
    for name, t in layer.weights.items():
        for place in _negative(t):
            which = _place(name, place, t.value.shape)
            yield Mistake(
                "signs",
                f"of {which}",
                f"lost the minus sign of `{which}`",
                MINUS,
                weights=numbers.Of(name, numbers.Unsigned(place)),
                rank=33,
            )


def _negative(t: Tensor) -> list[tuple[int, ...]]:
    return [tuple(map(int, place)) for place in np.argwhere(t.value < 0)]


def _place(name: str, place: Sequence[int], shape: Sequence[int]) -> str:
    """W_z[2,1]: row and column counted from 1; an array of one number has no places."""
    return name if set(shape) == {1} else f"{name}[{','.join(str(k + 1) for k in place)}]"


# ------------------------------------------------------------------------------ made for a sequence


@dataclass(frozen=True)
class UpTo:
    """The outputs of the first `steps` steps."""

    steps: int

    def __call__(self, outputs: Array) -> Array:
        return outputs[:, : self.steps]


def earlier_states(steps: int) -> tuple[Mistake, ...]:
    """The state of an earlier step taken for the last one of so many, at most MOST_STATES of them, the latest.

    That of the first step and of the last but one are in the common table.
    """
    return tuple(
        Mistake(
            "output",
            f"state after step {k}",
            f"took `h_{k}`, the state after step {k}, for the last one",
            f"take `h_{steps}`, the state after the last step",
            outputs=UpTo(k),
            rank=32,
        )
        for k in range(2, steps - 1)[-MOST_STATES:]
    )


def lost_signs(x: Tensor) -> tuple[Mistake, ...]:
    """The minus signs of a sequence lost: of each number, and of all; x has the axes (1, time, features).

    () where it has more than MOST_NEGATIVE_INPUTS of them, but for all together.
    """
    places = _negative(x)
    one = [_lost(x, place) for place in places] if len(places) <= MOST_NEGATIVE_INPUTS else []
    every = Mistake(
        "signs", "all of the inputs", "lost every minus sign of the inputs", MINUS, inputs=numbers.unsigned, rank=33
    )
    return (*one, *([every] if len(places) > 1 else []))


def _lost(x: Tensor, place: tuple[int, ...]) -> Mistake:
    _, step, feature = place
    which = f"x_{step + 1}" + (f"[{feature + 1}]" if x.value.shape[2] > 1 else "")
    return Mistake(
        "signs", f"of {which}", f"lost the minus sign of `{which}`", MINUS, inputs=numbers.Unsigned(place), rank=33
    )
