"""The engine of the live web page: a script that works out every line of chosen cells, printed from their equations.

    script = engine({"gru": CELLS["gru"], "gru_before": CELLS["gru_before"], "dense": CELLS["dense"]})

The script is plain JavaScript to be put in a page (no module, no dependency). At its top level it defines:

`CELLS`
    For each cell by the name it was given: `title`; `input` ("x"), `state` ("h", or null) and `output` ("h", "y");
    `params`, each parameter's axes (`W_z: ["H", "D"]`: H units, D features; `b_z: ["H"]`); `arrays`, how the
    parameters lie in get_weights() (`kernel: [["W_z", "W_r", "W_n"]]`, rows of blocks); `gates`, the blocks' letters
    in that order (["z", "r", "n"]); `lines`, what is worked out at a step.

`work(cell, weights, x, {h0, decimals, timed, exact})`
    `weights`: each parameter by its name, `W_z` as units lists of features texts or numbers, `b_z` as a list.
    `x`: steps lists of features texts or numbers. Texts are shown as they are given. `h0`: the state before the first
    step, 0 where it is left out. `decimals`: what each line is rounded to, 8 unless given. `timed`: whether names have
    a time (true where there is a state). `exact`: {x, h0} for the run in double precision, where they are not those of
    the lines (a second layer reads the printed values of the first in its lines, and its doubles there). Gives
    `{sizes: {H, D}, steps: [{t, lines}, ...]}`. A line has

    - `name`, `index` (from 0), `t`: a_z, 0, 1; the state after the step is called h. `ref`: "a_z[0]@1"
    - `exact`: the line in double precision throughout
    - `value`: the rounded chain's text, "-0.90954137", what the lines after it read; `risky` and `more`: whether a
      calculator's ten digits could round otherwise, and then the value with two digits more ("")
    - `left`, `symbols`, `numbers`, `result`: the line in the dialect: a_z_1, W_z·x_1 + ..., (-0.9)·1 + ..., -0.90954137
    - `since`: the conditions that chose a case ("a_n_1 > 0"); "" where there is none

    In these each symbol and number is `<span data-ref="h[0]@2">`: a quantity, its component and its step (0 is before
    the first); of a parameter `W_z[1,0]`, unit 1 and feature 0.

`parseWeights(text)`
    What printing get_weights() gives, as `[{data, dtype}]`; `data` are nested lists of texts.

`readLayers(arrays, cells)`
    Which layers these arrays are, by their shapes: `{layers: [{cell, units, features, arrays}], notes}`. `cell` is a
    name among `cells`, those of CELLS unless given; of two cells with the same arrays the first is meant. `notes` are
    sentences about what shapes cannot tell.

`cutWeights(cell, arrays, order)`
    The arrays of a layer as `weights` for `work`. `order` are the gates as the columns have them (`cell.gates` unless
    given): ["r", "z", "n"] reads the first block as r's.

`parseInput(text, features)`
    `1,2,9,8` or `[[1,2],[3,4]]` as `x`.

What cannot be used is an Error whose message is one line to show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext

from sympy import Expr

from symgru.algebra import Mat, Vec, walk
from symgru.backends.dialect import Dialect
from symgru.backends.js.arithmetic import Arithmetic
from symgru.backends.js.lines import INPUT, TIME, UNIT, CellWriter, biases_of
from symgru.backends.js.text import listed, quoted
from symgru.cell import Cell
from symgru.decimal_domain import pi
from symgru.layout import layout
from symgru.readers import decimals, printed
from symgru.rounding import DISPLAY, PRECISION, SMALLEST, line_rounding
from symgru.rules import CALCULATOR
from symgru.templating import render

SLOT = "\x03"
Written = list[tuple[str, str, str]]
Known = dict[tuple[Expr, frozenset[object]], Written]
DIGITS = 60  # of what a function gives, which is rounded to a few


def engine(cells: Mapping[str, Cell], dialect: Dialect | None = None) -> str:
    """The script for these cells, by the names that the page calls them; lines are written in the dialect (HTML).

    Raises Unsupported for a cell whose lines need more than one unit at a time and are no softmax: normalisations.
    """
    from symgru.backends.html.printer import HTML

    dialect = dialect or HTML
    policy, form = line_rounding(0), dialect.numbers()
    known: Known = {}
    return render(
        "js/engine.js.j2",
        cells=[_cell(name, cell, dialect, known) for name, cell in cells.items()],
        listed=listed,
        quoted=quoted,
        brackets=form.brackets(SLOT).split(SLOT),
        separator=form.separator,
        decimal=dialect.style.decimal,
        time=TIME,
        unit=UNIT,
        input=INPUT,
        digits=DIGITS,
        precision=PRECISION,
        display=DISPLAY,
        smallest=SMALLEST,
        significant=policy.significant,
        fewest=policy.fewest,
        ln10=_constant(lambda: Decimal(10).ln()),
        pi=_constant(pi),
        prompt=printed.PROMPT.pattern,
        calls=printed.CALLS.pattern,
        tokens=printed.TOKENS,
        max_depth=printed.MAX_DEPTH,
        max_digits=decimals.MAX_DIGITS,
        max_exponent=decimals.MAX_EXPONENT,
    )


def _constant(value: Callable[[], Decimal]) -> str:
    """A constant's digits, more than any function needs."""
    with localcontext() as context:
        context.prec = 2 * DIGITS
        return str(value())


def _written(writer: CellWriter, rhs: Expr, known: Known) -> Written:
    """What writes one equation; cells that share it share that."""
    read = {s for s in walk(rhs) if isinstance(s, Vec | Mat)}
    key = rhs, frozenset((s, writer.cell.dims[s], s in writer.cell.params) for s in read)
    if key not in known:
        known[key] = [(quoted(zero), symbols, numbers) for zero, symbols, numbers in writer.written(rhs)]
    return known[key]


def _cell(name: str, cell: Cell, dialect: Dialect, known: Known) -> dict[str, object]:
    calculator = CALCULATOR(cell)
    writer = CellWriter(calculator, dialect)
    after = {new.name: old.name for old, new in cell.states}
    arrays = layout(cell).arrays
    return {
        "name": quoted(name),
        "facts": {
            "title": cell.title or cell.name,
            "input": cell.inputs[0].name,
            "state": next((before.name for before, _ in cell.states), None),
            "output": after.get(cell.output.name, cell.output.name),
            "params": {p.name: cell.dims[p] for p in cell.params},
            "matrices": [p.name for p in cell.params if isinstance(p, Mat)],
            "arrays": {array: [[s.name for s in row] for row in rows] for array, rows in arrays.items()},
            "gates": _gates(cell),
            "axes": {s.name: letters for s, letters in calculator.dims.items()},
            "names": writer.names(),
        },
        "lines": [
            {
                "facts": {
                    "name": after.get(lhs.name, lhs.name),
                    "symbol": lhs.name,
                    "length": calculator.dims[lhs][0],
                    "biases": [p.name for p in biases_of(calculator, rhs)],
                },
                "value": Arithmetic().value(rhs),
                "written": _written(writer, rhs, known),
            }
            for lhs, rhs in calculator.equations
        ],
    }


def _gates(cell: Cell) -> list[str]:
    """What the blocks of an array are called in the order of their columns: z, r, n."""
    return list(dict.fromkeys(s.name.partition("_")[2] for s in layout(cell).kernel))
