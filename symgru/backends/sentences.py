"""The sentences and words that every worked example says of a network, a layer or a check."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import cast

from sympy import Expr, Symbol, exp

from symgru.algebra import Across, Dot, Mat, Vec, walk
from symgru.backends.dialect import Dialect
from symgru.backends.notation import Name, Notation, row_index
from symgru.cell import Cell
from symgru.derivation import Derivation, gates
from symgru.explanation import Explanation
from symgru.wiring import phrase
from symgru.wording import counted
from symgru.working import Working


def elements(cell: Cell, sizes: Mapping[str, int], dialect: Dialect) -> str:
    """Where the elements of a kernel and of a recurrent kernel stand, and from where to where each leads; "" where
    every axis has length 1."""
    said: dict[str, str] = {}
    notation, form, quote = dialect.notation(cell, dict(sizes)), dialect.syntax(), dialect.quote
    for m in (p for p in cell.params if isinstance(p, Mat)):
        units, inputs = cell.dims[m]
        row = row_index(inputs)
        axes = [
            (place, kind, quote(index))
            for place, kind, index, length in (
                ("row", "input" if inputs == "D" else "unit", row, inputs),
                ("column", "unit", "i", units),
            )
            if sizes[length] > 1
        ]
        if row in said or not axes:
            continue
        one, whole = form.name(notation.matrix(m, row, "i")), form.whole(notation.matrix(m), matrix=True)
        across = {"row": "column", "column": "row"} if dialect.style.columns else {}
        stands = [f"{across.get(place, place)} {index}" for place, _, index in axes]
        places = " and ".join(reversed(stands) if across else stands)
        ways = " ".join(f"{'from' if place == 'row' else 'to'} {kind} {index}" for place, kind, index in axes)
        said[row] = f"{quote(one)} stands in {places} of {quote(whole)} and leads {ways}"
    return "; ".join(said.values())


def names(layer: Working, dialect: Dialect) -> Iterator[str]:
    """Sentences that say what the letters of a layer's equations and worked lines are."""
    cell, form = layer.cell, dialect.syntax()
    notation = Notation(layer.calculator, layer.sizes, timed=False)

    def spelled(s: Expr) -> str:
        return dialect.quote(form.name(notation.vector(cast(Symbol, s))))

    yield (
        ", ".join(
            f"{spelled(s)} is the {says}" if k == 0 else f"{spelled(s)} the {says}"
            for k, (s, says) in enumerate(gates(cell))
        )
        + "."
    )
    summed = [letter for letter in ("D", "H") if layer.sizes[letter] > 1 and letter in _summed(cell)]
    if summed:
        counted = {"D": "features" if layer.place == 1 else "inputs", "H": "units"}
        yield (
            f"The sum{'s run' if len(summed) > 1 else ' runs'} over "
            + " and ".join(f"{dialect.quote(f'{k} = {layer.sizes[k]}')} {counted[k]}" for k in summed)
            + "."
        )
    if parts := parts_of_lines(layer, dialect):
        yield f"Each part has a line of its own: {', '.join(parts)}."


def parts_of_lines(layer: Working, dialect: Dialect) -> list[str]:
    """What each line is for that is no equation of the layer, but a part of one: a_z is what σ is taken of in z."""
    cell, calculator, form = layer.cell, layer.calculator, dialect.syntax()
    notation = Notation(calculator, layer.sizes, timed=False)

    def spelled(s: Expr) -> str:
        return dialect.quote(form.name(notation.vector(cast(Symbol, s))))

    return list(dict.fromkeys(_parts(calculator, set(calculator.defined) - set(cell.defined), dialect, spelled)))


def _summed(cell: Cell) -> set[str]:
    """The letters of the lengths that sums in the equations run over."""
    nodes = [node for _, e in cell.equations for node in walk(e)]
    products = {cell.dims[node.args[0]][1] for node in nodes if isinstance(node, Dot)}
    return products | {cell.dims[cell.output][0] for node in nodes if isinstance(node, Across)}


def _parts(cell: Cell, parts: set[Vec], dialect: Dialect, spelled: Callable[[Expr], str]) -> Iterator[str]:
    """What each line that only the calculator needs is for, in reading order."""
    for lhs, rhs in cell.equations:
        for node in walk(rhs):
            for part in (cast(Vec, a) for a in node.args if a in parts):
                if node.is_Mul:
                    others = [spelled(s) for s in node.args if isinstance(s, Vec) and s != part]
                    role = f"{' and '.join(others) or 'a number'} multiplies"
                elif isinstance(node, Dot):
                    matrix = cast(Mat, node.args[0])
                    role = f"{dialect.quote(dialect.syntax().name(Name(*matrix.name.split('_'))))} is multiplied by"
                elif node.is_Function:
                    role = _applied(node, dialect)
                else:
                    continue
                yield f"{spelled(part)} is what {role} in {spelled(lhs)}"


def _applied(node: Expr, dialect: Dialect) -> str:
    """σ is taken of"""
    if isinstance(node, exp):
        return f"{dialect.quote('e')} is raised to"
    name = node.args[0].name if isinstance(node, Across) else type(node).__name__
    return f"{dialect.quote(dialect.syntax().function(name, '').removesuffix('()'))} is taken of"


def ending(e: Explanation) -> str:
    """What the result is where it is not simply what a layer gives, as a sentence; else ""."""
    shown = {layer.trace.call.id for layer in e.layers}
    said = [phrase(e.network, edge) for edge in e.network.outputs if edge.source not in shown]
    if not said:
        return ""
    return (
        f"The result y is {said[0]}." if len(e.network.outputs) == 1 else f"Of the results y is {'; y is '.join(said)}."
    )


def source(layer: Working) -> str:
    """Where a layer's input x comes from, as a sentence; "" for the first of a chain."""
    if layer.source:
        return f"Its input x is {layer.source}, rounded as printed there."
    return f"Its input x is the output of layer {layer.place - 1}, rounded as printed there." if layer.place > 1 else ""


SENTENCE = 2000  # characters of a sentence, as against those of a name


def notes(e: Explanation) -> list[str]:
    """What there is to know of the layers shown, each once."""
    return list(dict.fromkeys(note for layer in e.layers for note in layer.layer.notes))


def held(layer: Working, t: int) -> str:
    """What a step says at which a mask keeps the state."""
    ((_, after),) = layer.cell.states
    values = ", ".join(layer.value(after.name, t, k) for k in range(layer.sizes["H"]))
    return f"The mask does not hold at this step, and the state stays as it was: {values}."


def footnote(e: Explanation) -> str:
    """What the numbers of the verification box are compared with."""
    if e.framework is None:
        return f"The difference is to the exact value{' from the decimals shown above' if e.stored_differs else ''}."
    sides = (
        ": this page's to that from the decimals shown above, the framework's to that from the stored numbers"
        if e.stored_differs
        else ""
    )
    return (
        f"The difference is to the exact value of the same weights{sides}; ulps are units in the last place of a "
        f"{e.network.dtype}."
    )


def scientific(v: float | object) -> str:
    """A small difference with two digits; 0 where there is none."""
    return f"{float(v):.1e}" if float(v) else "0"  # type: ignore[arg-type]


def in_ulps(v: float | None) -> str:
    if v is None:
        return ""
    return f"{v:.1f}" if v < 1000 else f"{v:.0f}"


def operation_kinds(d: Derivation) -> list[str]:
    """The kinds of operation that occur in any stage."""
    return [k for k in ("*", "+", "/", "function") if any(s.after[k] for s in d.stages)]


def kind(cell: Cell) -> str:
    """What a cell is called in a title."""
    return cell.title or cell.name


def sizes_text(layer: Working) -> str:
    """2 units, 3 features."""
    return _sizes(layer.sizes, layer.place)


def _sizes(sizes: Mapping[str, int], place: int) -> str:
    return f"{counted(sizes['H'], 'unit')}, {counted(sizes['D'], 'feature' if place == 1 else 'input')}"


def part_title(d: Derivation, quoted: Callable[[str], str]) -> str:
    """Layer 1, “gru”: GRU, 8 units, 1 feature; what stands over a network's layer. `quoted` makes its name harmless."""
    if d.layer is None:
        return ""
    return f"Layer {d.place}, {quoted(d.layer.label)}: {kind(d.cell)}, {_sizes(d.sizes, d.place)}"
