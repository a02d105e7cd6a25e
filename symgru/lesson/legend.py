"""What the letters are that two calculations beside each other are written in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symgru.algebra import Mat, Ref, walk
from symgru.backends.dialect import Dialect
from symgru.backends.notation import taken_apart
from symgru.backends.sentences import names, parts_of_lines
from symgru.backends.worked import LayerWriter
from symgru.lesson.parts import Paragraph
from symgru.lesson.prose import Text, formula, joined, say
from symgru.wording import listed
from symgru.working import Line, Working

BIASES = {"b": "beside the input's product", "c": "beside the state's"}


def legend(own: Working, other: Working, printed: Iterable[Line]) -> Iterator[Paragraph]:
    """Of the letters of both; of the indices, where lines that are `printed` have some."""
    yield Paragraph(lambda p: " ".join((*names(own, p.dialect), *_of_yours(own, other, p.dialect))))
    weights = _weights(own, other)
    indices = list(_indices(own, tuple(printed)))
    if weights or indices:
        yield Paragraph(joined((*([say(weights)] if weights else []), *indices), " "))


def _of_yours(own: Working, other: Working, d: Dialect) -> Iterator[str]:
    known = set(parts_of_lines(own, d))
    if more := [said for said in parts_of_lines(other, d) if said not in known]:
        yield f"In yours {listed(more)}."


def _weights(own: Working, other: Working) -> str:
    """W multiplies the input, U the state, and which bias is which."""
    cells = own.calculator, other.calculator
    dims = {p: cell.dims[p] for cell in cells for p in cell.params}
    fed = {taken_apart(p.name)[0] for p, d in dims.items() if isinstance(p, Mat) and d[-1] == "D"}
    carried = {taken_apart(p.name)[0] for p, d in dims.items() if isinstance(p, Mat) and d[-1] == "H"}
    biases = [b for b in BIASES if any(taken_apart(p.name)[0] == b for p in dims if not isinstance(p, Mat))]
    read = [
        *(f"`{name}` multiplies the input `x`" for name in sorted(fed - carried)),
        *(f"`{name}` the state `h`" if fed else f"`{name}` multiplies the state `h`" for name in sorted(carried - fed)),
    ]
    added = [f"`{b}` is the bias{f' {BIASES[b]}' * (len(biases) > 1)}" for b in biases]
    said = "; ".join(listed(each) for each in (read, added) if each)
    return f"{said}." if said else ""


def _indices(layer: Working, printed: tuple[Line, ...]) -> Iterator[Text]:
    """What stands where in a symbol, by the example of a line and of a weight in it."""
    if layer.sizes["H"] == 1 or not printed:
        return
    refs = [s for line in printed for s in walk(line.rhs) if isinstance(s, Ref) and isinstance(s.of, Mat)]
    line = printed[-1]
    where = [*(["gate"] if taken_apart(line.lhs.of.name)[1] else []), *(["step"] if layer.timed else []), "unit"]
    said = [say(f"{{name}} stand {listed(where)}", name=_name(layer, line.lhs, line.t))]
    dims = layer.calculator.dims
    for ref in {ref.of.name[0]: ref for ref in reversed(refs) if ref.of in dims}.values():
        origin = "unit" if dims[ref.of][-1] == "H" else "feature" if layer.place == 1 else "input"
        if layer.sizes[dims[ref.of][-1]] > 1:
            gate = "gate, " if taken_apart(ref.of.name)[1] else ""
            said.append(say(f"{{name}} {gate}from {origin}, to unit", name=_name(layer, ref, line.t)))
    yield joined((say("In "), joined(said, "; in "), say(".")), "")


def _name(layer: Working, ref: Ref, t: int) -> Text:
    return formula(lambda d: LayerWriter(layer, d).ref(ref, t))
