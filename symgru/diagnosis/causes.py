"""What is different between two layers, in words: their options, and how the one's weights lie in the other.

Names of arrays come from files; who prints a cause makes them harmless.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from symgru.arrangement import RULES, join
from symgru.building import build
from symgru.diagnosis.rarer import catalogue
from symgru.diagnosis.related import AKIN, Source, gate, letter, sources
from symgru.diagnosis.stations import Station
from symgru.errors import SymgruError
from symgru.layout import layout
from symgru.network import Array, Layer, Tensor
from symgru.wording import listed

Kind = Literal["option", "order", "turned", "rounded", "bias", "mistake", "another", "unrelated"]
MOST_SHOWN = 6  # units that are named
CALLED = {"W": "kernel", "U": "recurrent kernel", "b": "bias", "c": "second row of the bias"}
RULE = {
    "after": "lets the reset gate multiply the product of the state with U_n (reset_after=True)",
    "before": "lets the reset gate multiply the state before its product with U_n (reset_after=False)",
    "keep": "lets the update gate z weigh the old state, and 1 - z the candidate",
    "new": "lets the update gate z weigh the candidate, and 1 - z the old state",
}


@dataclass(frozen=True)
class Cause:
    """One difference: `says` is what the second model has, `instead` what is right; both may hold a file's names."""

    kind: Kind
    says: str
    instead: str = ""


def causes(own: Station, its: Station, known: Mapping[str, Source]) -> tuple[Cause, ...]:
    """What differs between two layers: options first, then the weights, by what `sources` found."""
    found = (*_options(own, its), *_weights(own, its, known))
    return found or tuple(_plainly(its, known))


def _plainly(its: Station, known: Mapping[str, Source]) -> Iterator[Cause]:
    """Each array that is another one, where nothing of what people do accounts for it."""
    for s in known.values():
        if not s.own:
            yield Cause(
                "bias" if s.name[0] in "bc" else "order", f"{_named(its, [s.name])} holds {' + '.join(s.of) or 0}"
            )


def _weights(own: Station, its: Station, known: Mapping[str, Source]) -> Iterator[Cause]:
    unbiased = not any(name[0] in "bc" for name in own.layer.weights)  # then the options tell
    unknown = {letter(s.name) for s in known.values() if not s.known and not (unbiased and s.name[0] in "bc")}
    if unknown:
        mistake = _mistake(own.layer, its.layer, unknown)
        if mistake:
            yield mistake
            unknown = set()
        moved = _rows_moved(own.layer, its, unknown)
        yield from dict.fromkeys(moved.values())
        unknown = unknown - set(moved)
    yield from _whole(own, its, unknown)
    yield from _order(its, known)
    yield from _turned(its, known)
    yield from _biases(own.layer, its, known)
    if unknown and not _reshaped(own, its, unknown):
        yield _unrelated(its, [s for s in known.values() if not s.known and letter(s.name) in unknown])


# ---------------------------------------------------------------- options


def _options(own: Station, its: Station) -> Iterator[Cause]:
    if own.recurrent:
        yield from _recurrent_options(own, its)
    a, b = own.layer, its.layer
    biased = [any(name[0] in "bc" for name in layer.weights) for layer in (a, b)]
    if biased[0] != biased[1]:
        said = ("has no biases", "has biases")
        yield Cause("option", f"the second model's layer {said[biased[1]]}", f"the first's {said[biased[0]]}")
    for name in ("activation", "recurrent_activation"):
        if a.options.get(name) != b.options.get(name):
            yield Cause(
                "option",
                f"the second model's {name} is {_spelled(b.options.get(name))}",
                f"the first's is {_spelled(a.options.get(name))}",
            )
    for name in ("epsilon", "axis", "alpha"):
        if a.options.get(name) != b.options.get(name):
            yield Cause(
                "option", f"the second model's {name} is {b.options.get(name)}", f"the first's is {a.options.get(name)}"
            )


def _recurrent_options(own: Station, its: Station) -> Iterator[Cause]:
    """The rules of the cell, and how the layer is called."""
    a, b = own.layer, its.layer
    rules = [RULES.get(build(layer.kind, layer.options).name) for layer in (a, b)]
    if rules[0] and rules[1]:
        for mine, theirs in zip(rules[0], rules[1], strict=True):
            if mine != theirs and mine in RULE and theirs in RULE:
                yield Cause("option", f"the second model {RULE[theirs]}", f"the first {RULE[mine]}")
    elif a.kind != b.kind:
        yield Cause("option", f"the second model's layer is a {b.kind}", f"the first's is a {a.kind}")
    if own.backward != its.backward:
        ends = ("beginning", "end")
        turn = "; turn it round, x[:, ::-1] in Keras and NumPy, x.flip(1) in PyTorch"
        yield Cause(
            "option",
            f"the second model feeds the sequence from its {ends[its.backward]}",
            f"the first from its {ends[own.backward]}{turn}",
        )
    for what, called in (("mask", "mask"), ("initial", "state before the first step")):
        has = [bool(getattr(s.call, what)) for s in (own, its)]
        if has[0] != has[1]:
            yield Cause(
                "option",
                f"the second model gives the layer {'a' if has[1] else 'no'} {called}",
                f"the first gives it {'one' if has[0] else 'none'}",
            )


def _spelled(activation: object) -> str:
    if activation == ["hard_sigmoid", 0.2, 0.5]:
        return "hard_sigmoid as Keras 2 has it, 0.2 a + 0.5 kept between 0 and 1"
    if activation == "hard_sigmoid":
        return "hard_sigmoid, a/6 + 0.5 kept between 0 and 1"
    return str(activation)


# ---------------------------------------------------------------- gates


def _order(its: Station, known: Mapping[str, Source]) -> Iterator[Cause]:
    """Blocks of other gates, told as they lie in the framework's arrays."""
    wrong = [n for n, s in known.items() if s.known and s.of and s.gate != gate(n)]
    if not wrong:
        return
    orders: dict[tuple[str, str], list[str]] = {}
    for array, gates, held in _blocks(its, known):
        if gates != held:
            orders.setdefault((", ".join(held), ", ".join(gates)), []).append(array)
    for (taken, right), arrays in orders.items():
        yield Cause(
            "order",
            f"the gates' blocks of {listed(list(dict.fromkeys(arrays)))} lie in the order {taken}",
            f"{_framework(its)} has them in the order {right}",
        )


def _blocks(its: Station, known: Mapping[str, Source]) -> Iterator[tuple[str, list[str], list[str]]]:
    """For each array with blocks of gates its name, its gates in order, and those whose numbers lie there."""
    if its.convention is not None:
        for name, grid in its.convention.arrays.items():
            for row in grid.rows if grid.is_bias else [grid.blocks]:
                held = [block.names[0] for block in row if block.names[0] in known]
                if len(held) > 1:
                    rows = (
                        [held]
                        if len({letter(n) for n in held}) == 1
                        else [held[: len(held) // 2], held[len(held) // 2 :]]
                    )
                    for part in rows:  # a flat bias has both rows one after the other
                        yield its.arrays[name], [gate(n) for n in part], [known[n].gate for n in part]
        return
    for kind in dict.fromkeys(map(letter, known)):
        held = [n for n in known if letter(n) == kind]
        if len(held) > 1:
            yield f"the {CALLED.get(kind, kind)}", [gate(n) for n in held], [known[n].gate for n in held]


def _framework(its: Station) -> str:
    return its.convention.title.partition(" ")[0] if its.convention else "the model"


# ---------------------------------------------------------------- turned, rounded


def _turned(its: Station, known: Mapping[str, Source]) -> Iterator[Cause]:
    """Arrays that are the right ones changed, all that are changed alike together."""
    found: dict[str, list[str]] = {}
    for s in known.values():
        if s.known and s.how and s.how != "0":
            found.setdefault(s.how, []).append(s.name)
    for how, names in found.items():
        arrays = _named(its, names)
        if how == "negated" and {gate(n) for n in names} == {"z"}:
            yield Cause(
                "turned",
                f"the update gate's weights are negated in {arrays}",
                "a framework whose update gate weighs the candidate wants them so; both models let it weigh the old "
                "state",
            )
        elif how in WORDS:
            yield Cause("turned", f"{arrays}: {WORDS[how]}", INSTEAD[how])
        elif how.startswith("times"):
            yield Cause("turned", f"{arrays}: the first model's numbers {how}", "take them as they are")
        else:
            yield Cause("rounded", f"{arrays}: the first model's numbers {how}", "take all their digits")


WORDS = {
    "transposed": "each gate's block is transposed, its rows taken for its columns",
    "negated": "the numbers are negated",
    "transposed and negated": "each gate's block is transposed, and its numbers negated",
    "reshaped": "the numbers are filled row by row into the transposed shape",
    "transposed, then reshaped": "the numbers are filled row by row into the transposed shape",
}
INSTEAD = {
    "transposed": "a row of PyTorch's and ONNX' arrays is a unit that is led to, in Keras' it is what leads there",
    "negated": "take them with their signs",
    "transposed and negated": "take them with their signs, and transpose between Keras' and PyTorch's arrays once",
    "reshaped": "transpose (.T), do not reshape",
    "transposed, then reshaped": "transpose (.T), do not reshape",
}


def _named(its: Station, names: Sequence[str]) -> str:
    """Arrays by the framework's names; blocks by their own where only some of an array's are meant."""
    if its.convention is not None:
        held = {name: [n for block in grid.blocks for n in block.names] for name, grid in its.convention.arrays.items()}
        whole = [name for name, blocks in held.items() if set(blocks) <= set(names)]
        if {n for name in whole for n in held[name]} == set(names):
            return listed([its.arrays[name] for name in whole])
        within = [name for name, blocks in held.items() if set(blocks) & set(names)]
        return f"{listed(list(names))} in {listed([its.arrays[name] for name in within])}"
    return listed(list(names))


# ---------------------------------------------------------------- biases


def _biases(own: Layer, its: Station, known: Mapping[str, Source]) -> Iterator[Cause]:
    """How the two rows of the bias are taken for one another."""
    of = {
        row: [{letter(n) for n in s.of} for s in known.values() if letter(s.name) == row and s.known and s.how != "0"]
        for row in "bc"
    }
    first, second = ({frozenset(each) for each in of[row]} for row in "bc")
    gone = {row for row in "bc" if any(s.how == "0" for n, s in known.items() if letter(n) == row)}
    both, b, c = frozenset("bc"), frozenset("b"), frozenset("c")
    names = [f"the {CALLED[row]}" for row in "bc"]
    if its.framework == "torch" and its.convention:
        names = [its.arrays[n] for n in its.convention.biases][:2] or names
    where = f"{names[0]} and {names[-1]}"
    rows = "the first row belongs in {}, the second in {}".format(*names) if len(names) == 2 else ""
    why = f"that is right for z and r; but r multiplies the second row's c_n, so {rows}"
    if any(not any(name[0] in "bc" for name in layer.weights) for layer in (own, its.layer)):
        return  # which the options tell
    if not any(t.value.any() for name, t in own.weights.items() if letter(name) in "bc"):
        return
    if first == {c} and second == {b}:
        yield Cause("bias", f"{where} are exchanged", why)
    elif both in first and both in second:
        yield Cause("bias", f"{where} both hold the sum of the two rows, which is counted twice", rows)
    elif both in first and "c" in gone:
        yield Cause("bias", f"{names[0]} holds the sum of both rows, and {names[-1]} is 0", why)
    elif both in second and "b" in gone:
        yield Cause("bias", f"{names[-1]} holds the sum of both rows, and {names[0]} is 0", why)
    elif gone == {"b", "c"}:
        yield Cause("bias", f"{where} are 0: the biases are left out", rows)
    elif gone:
        which = "bc".index(gone.pop())
        yield Cause("bias", f"{names[which]} is 0: the {('first', 'second')[which]} row is left out", rows)
    elif first == second and len(first) == 1 and len(next(iter(first))) == 1 and _rows(own) > 1:
        yield Cause("bias", f"{where} both hold the {'first' if b in first else 'second'} row", rows)
    elif second == {b} and _rows(own) == 1:
        yield Cause("bias", f"{where} both hold the bias, which is counted twice", f"{names[-1]} is to be 0")


def _rows(layer: Layer) -> int:
    return len({letter(name) for name in layer.weights if name[0] in "bc"})


# ---------------------------------------------------------------- whole arrays


def _whole(own: Station, its: Station, unknown: set[str]) -> Iterator[Cause]:
    for array in _reshaped(own, its, unknown):
        yield Cause(
            "turned",
            f"{its.arrays[array]} holds the first model's numbers in their old order, given the new shape (reshape)",
            "transpose (.T), do not reshape; and mind the order of the gates",
        )


def _reshaped(own: Station, its: Station, unknown: set[str]) -> list[str]:
    """Arrays that are the first framework's ones with another shape."""
    if own.convention is None or its.convention is None or not unknown:
        return []
    try:
        a, b = (join(s.convention, s.layer.weights) for s in (own, its))  # type: ignore[arg-type]
    except SymgruError:
        return []
    flat = [x.ravel() for x in a.values()]
    return [
        name
        for name, y in b.items()
        if letter(its.convention.arrays[name].blocks[0].names[0]) in unknown
        and y.any()
        and any(x.shape == y.ravel().shape and np.array_equal(x, y.ravel()) for x in flat)
    ]


def _rows_moved(own: Layer, its: Station, unknown: set[str]) -> dict[str, Cause]:
    """Arrays whose units are the right ones in another order, by their letters; one cause for all of one order."""
    orders: dict[tuple[str, str], list[str]] = {}
    for kind in sorted(unknown):
        names = [n for n in its.layer.weights if letter(n) == kind and n in own.weights]
        right = [(n, k) for n in names for k in range(len(own.weights[n].value))]
        places = {_bytes(own.weights[n].value[k]): (n, k) for n, k in right}
        found = [places.get(_bytes(row)) for n in names for row in its.layer.weights[n].value]
        if right and len(places) == len(right) and None not in found and set(found) == set(right):
            orders.setdefault((_units(right), _units([place for place in found if place])), []).append(kind)
    made: dict[str, Cause] = {}
    for (right_order, order), kinds in orders.items():
        arrays = _named(its, [n for n in its.layer.weights if letter(n) in kinds])
        cause = Cause(
            "order",
            f"{arrays}: the right numbers of each unit, but the units stand in another order: where {right_order} "
            f"should be there are {order}",
            "the units of a gate stand together, one gate after the other",
        )
        made |= dict.fromkeys(kinds, cause)
    return made


def _bytes(row: Array) -> bytes:
    return np.asarray(row, dtype=np.float64).tobytes()


def _units(places: Sequence[tuple[str, int]]) -> str:
    """The first few of units by gate and number: z1, z2, ..."""
    shown = [f"{gate(n)}{k + 1}" for n, k in places[:MOST_SHOWN]]
    return ", ".join([*shown, *(["…"] if len(places) > MOST_SHOWN else [])])


def _mistake(own: Layer, its: Layer, unknown: set[str]) -> Cause | None:
    """A known mistake with the arrays that turns the first layer's unknown arrays into the second's."""
    if own.kind != its.kind or own.kind in ("dense",) or not _recurrent(own):
        return None
    for m in catalogue(own):
        if m.weights is None:
            continue
        try:
            made = m.weights(own.weights)
        except (SymgruError, ValueError):
            continue
        names = [n for n in its.weights if letter(n) in unknown]
        if names and all(n in made and _alike(made[n], its.weights[n]) for n in names):
            return Cause("mistake", f"whoever filled the arrays {m.says.replace('`', '')}", m.instead.replace("`", ""))
    return None


def _recurrent(layer: Layer) -> bool:
    try:
        return bool(layout(build(layer.kind, layer.options)).recurrent)
    except SymgruError:
        return False


def _alike(a: Tensor, b: Tensor) -> bool:
    return a.value.shape == b.value.shape and np.allclose(a.value, b.value, rtol=1e-6, atol=1e-9)


# ---------------------------------------------------------------- no relation


def held_by_another(layer: Layer, others: Sequence[Station]) -> Cause | None:
    """Whether a layer's weights are those of another one of the first model's."""
    for s in others:
        shapes = [{n: t.value.shape for n, t in each.weights.items()} for each in (layer, s.layer)]
        if shapes[0] == shapes[1] and all(each.known for each in sources(s.layer.weights, layer.weights).values()):
            return Cause("another", f"the second model's layer holds the weights of the first's layer {s.layer.label}")
    return None


def _unrelated(its: Station, found: Sequence[Source]) -> Cause:
    """Weights that do not come from the first model's."""
    names = _named(its, [s.name for s in found])
    akin = min(s.akin for s in found)
    off = max(s.off for s in found)
    if akin > AKIN:
        says = f"{names}: the first model's numbers, changed by up to {off:.3g}, as by further training"
        return Cause("unrelated", says, "save both models at the same moment of their training")
    says = f"{names}: numbers that have nothing to do with the first model's (they differ by up to {off:.3g})"
    return Cause("unrelated", says, "copy the weights; these are other ones, freshly drawn or trained on their own")


__all__ = ["Cause", "causes", "held_by_another"]
