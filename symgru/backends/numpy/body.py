"""The statements of `predict`: one for each call of a network, and short maps where their value is used."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterator, Mapping
from functools import cached_property

from symgru.backends.model import Unit, units_of
from symgru.backends.numpy.functions import Functions, is_inline, is_masked
from symgru.backends.numpy.literals import assignment
from symgru.backends.numpy.printer import NumPyPrinter
from symgru.backends.numpy.weights import Weights
from symgru.maps import MAPS
from symgru.network import Call, Edge, Layer, Network

TAKEN = {*keyword.kwlist, *dir(builtins), "np", "weights", "states", "return_states", "predict", "y"}


class Body:
    """The statements, the names of the values, and the states on the way in and out."""

    def __init__(self, network: Network, functions: Functions) -> None:
        self.network, self.functions = network, functions
        self.weights = Weights(network)
        self.units: Mapping[str, Unit] = units_of(network)
        self.calls: Mapping[str, tuple[Call, Layer]] = {call.id: (call, layer) for call, layer in network}
        self.ends = network.outputs or (Edge(network.calls[-1].id),)
        self.functions_of = {
            name: functions.name(unit) for name, unit in self.units.items() if not is_inline(unit.folded)
        }
        for unit in self.units.values():
            for _, e in unit.cell.equations if is_inline(unit.folded) else ():
                functions.use(e)
        for _, layer in network:
            if layer.kind in MAPS:
                functions.helpers.update(MAPS[layer.kind].helpers)

    @cached_property
    def inputs(self) -> dict[str, str]:
        """Each input's name in `predict`."""
        if len(self.network.inputs) == 1:
            return {self.network.inputs[0].id: "x"}
        defined = {f.name for f in self.functions.activations} | self.functions.helpers
        taken = TAKEN | defined | set(self.functions_of.values())
        return {put.id: f"x_{put.id}" if put.id in taken else put.id for put in self.network.inputs}

    @cached_property
    def _whole(self) -> set[Edge]:
        return {Edge(put.id, "input") for put in self.network.inputs if put.whole}

    @cached_property
    def recurrent(self) -> list[str]:
        """The recurrent calls in their order."""
        return [name for name, unit in self.units.items() if unit.recurrent]

    @cached_property
    def given(self) -> list[str]:
        """The recurrent calls whose first state comes from outside: all to which the network gives none."""
        return [name for name in self.recurrent if not self.calls[name][0].initial]

    @cached_property
    def _kept(self) -> set[str]:
        """The recurrent calls whose last state is given back, or read."""
        read = {edge.source for edge in (*self.uses, *self.ends) if edge.port == "state"}
        return {*self.given, *read}

    @cached_property
    def uses(self) -> dict[Edge, list[str]]:
        """The calls that read a value, once for each place in their text where it stands."""
        found: dict[Edge, list[str]] = {}
        for call in self.network.calls:
            for edge, count in self._counts(call).items():
                found.setdefault(edge, []).extend([call.id] * count)
        return found

    def _counts(self, call: Call) -> dict[Edge, int]:
        edges = list(dict.fromkeys([*call.args, *([call.mask] if call.mask else []), *call.initial]))
        marks = {edge: f"operand{k}_" for k, edge in enumerate(edges)}
        text = self.text(call, marks)
        return {edge: text.count(mark) for edge, mark in marks.items()}

    @cached_property
    def inlined(self) -> set[str]:
        """Maps that only index or turn round a value that is read once: they stand where they are read."""
        return {
            call.id
            for call, layer in self.network
            if layer.kind in MAPS
            and len(call.args) == 1
            and _is_suffix(layer)
            and len(self.uses.get(Edge(call.id), [])) == 1
            if Edge(call.id) not in self.ends
        }

    @cached_property
    def places(self) -> dict[str, int]:
        """In which statement each call is worked out."""
        found: dict[str, int] = {}
        count = 0
        for call in self.network.calls:
            if call.id not in self.inlined:
                found[call.id] = count
                count += 1
        for call in reversed(self.network.calls):
            if call.id in self.inlined:
                (reader,) = self.uses[Edge(call.id)]
                found[call.id] = found[reader]
        return found

    @cached_property
    def names(self) -> dict[Edge, str]:
        """The variable that holds a value: `y` where the next statement is the last to read it."""
        found = {Edge(name, "input"): variable for name, variable in self.inputs.items()}
        found |= {Edge(name, "state"): f"new_{name}" for name in self.recurrent}
        masks = 0
        last = max(self.places.values())
        for call in self.network.calls:
            if call.id in self.inlined:
                continue
            edge, place = Edge(call.id), self.places[call.id]
            readers = [self.places[reader] for reader in self.uses.get(edge, [])]
            if edge in self.masks:
                masks += 1
                found[edge] = "mask" if masks == 1 else f"mask_{masks}"
            elif edge in self.ends:
                alone = len(self.ends) == 1 and place == last
                found[edge] = "y" if alone else f"y_{call.id}"
            elif not readers and self._is_state(call):
                found[edge] = f"new_{call.id}"
            else:
                found[edge] = "y" if self._passes_on(edge, place, readers) else f"y_{call.id}"
        return found

    def _passes_on(self, edge: Edge, place: int, readers: list[int]) -> bool:
        """Whether the next statement is all that reads a value, and it reads no other that a statement made."""
        if any(reader != place + 1 for reader in readers):
            return False
        return not readers or self._read_by(self.uses[edge][0]) == {edge}

    def _read_by(self, name: str) -> set[Edge]:
        """The values that a call's statement reads, but for inputs, masks and states."""
        call, _ = self.calls[name]
        if name in self.inlined:
            return self._read_by(self.uses[Edge(name)][0])
        return {root for edge in call.args if (root := self._root(edge)).port == "y" and root not in self.masks}

    def _root(self, edge: Edge) -> Edge:
        while edge.source in self.inlined:
            edge = self.calls[edge.source][0].args[0]
        return edge

    @cached_property
    def masks(self) -> set[Edge]:
        """The values that are masks: what a map makes as one, and masks that another map moved."""
        found: set[Edge] = set()
        for call, layer in self.network:
            moved = layer.kind in MAPS and call.args and all(edge in found for edge in call.args)
            if moved or _makes_mask(layer):
                found.add(Edge(call.id))
        return found

    def _is_state(self, call: Call) -> bool:
        """Whether what a call gives is its state."""
        unit = self.units.get(call.id)
        return unit is not None and unit.recurrent and not unit.sequences

    def lines(self) -> Iterator[str]:
        """One statement a call, and the last state of a recurrent one behind it."""
        for call in self.network.calls:
            if call.id in self.inlined:
                continue
            name = self.names[Edge(call.id)]
            values = {edge: self.value(edge) for edge in self._counts(call)}
            yield from assignment(name, self.text(call, values))
            if call.id in self._kept and name != f"new_{call.id}":
                yield f"new_{call.id} = {name}{'' if self._is_state(call) else '[:, -1]'}"
        if len(self.ends) > 1:
            yield from assignment("y", ", ".join(map(self.value, self.ends)))
        elif self.value(self.ends[0]) != "y":
            yield f"y = {self.value(self.ends[0])}"

    def value(self, edge: Edge) -> str:
        """A value as it is written: its variable, or a map of one."""
        if edge.source not in self.inlined:
            return self.names[edge]
        call, _ = self.calls[edge.source]
        return self.text(call, {arg: self.value(arg) for arg in call.args})

    def text(self, call: Call, values: Mapping[Edge, str]) -> str:
        """What a call computes, from the texts of what it reads."""
        layer = self.network.layers[call.layer]
        args = [values[edge] for edge in call.args]
        if layer.kind in MAPS:
            if layer.kind == "embed" and call.args[0] in self._whole:  # whole already
                return f"{self.weights.tables(layer)[0]}[{args[0]}]"
            return MAPS[layer.kind].text(layer.options, *args, *self.weights.tables(layer))
        unit = self.units[call.id]
        if is_inline(unit.folded):
            form = NumPyPrinter({s.name: a for s, a in zip(unit.cell.inputs, args, strict=False)})
            return str(form.doprint(unit.folded.cell.equations[0][1]))
        given = [args[0], self.weights.argument(layer)] if self.weights.argument(layer) else [args[0]]
        if is_masked(unit) and call.mask:
            given.append(values[call.mask])
        if unit.recurrent:
            given.append(values[call.initial[0]] if call.initial else f"h_{call.id}")
            given += ["return_sequences=True"] if unit.sequences else []
        return f"{self.functions_of[call.id]}({', '.join(given)})"


def _makes_mask(layer: Layer) -> bool:
    """Whether a layer is a map whose value is a mask."""
    return layer.kind in MAPS and MAPS[layer.kind].says.startswith("a mask")


def _is_suffix(layer: Layer) -> bool:
    """Whether a map's text is its argument, once, with an index or a method behind it."""
    mark = "operand_"
    if MAPS[layer.kind].tables or _makes_mask(layer):
        return False
    text = MAPS[layer.kind].text(layer.options, mark)
    return text.count(mark) == 1 and text.startswith((f"{mark}[", f"{mark}."))
