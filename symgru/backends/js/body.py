"""The statements of `predict`: one for each call of a network, for one sample."""

from __future__ import annotations

from collections.abc import Iterator

from symgru.backends.js.functions import Functions
from symgru.backends.js.maps import expression
from symgru.backends.model import Unit
from symgru.backends.numpy.functions import is_masked
from symgru.backends.numpy.interface import Interface
from symgru.backends.numpy.weights import Weights
from symgru.errors import Unsupported
from symgru.maps import MAPS
from symgru.network import Call, Edge, Layer, Network, Shape


class Body:
    """The statements and the names of the values. `interface` says what comes in and goes out."""

    def __init__(self, network: Network, functions: Functions, interface: Interface) -> None:
        self.network, self.interface = network, interface
        self.weights = Weights(network)
        self.facts = interface.body
        self.shapes = interface.shapes
        self.functions = {name: functions.name(unit) for name, unit in self.facts.units.items()}
        self.inputs = {
            put.id: "x" if len(network.inputs) == 1 else f"x_{put.id}" for put in network.inputs
        }  # x_ before a name keeps it apart from every word of the language

    def lines(self) -> Iterator[str]:
        ends = [self.value(edge) for edge in self.facts.ends]
        last = self.network.calls[-1].id
        alone = self.facts.ends == (Edge(last),) and last not in self.facts.recurrent  # nobody else reads it
        for call, layer in self.network:
            value = self._map(call, layer) if layer.kind in MAPS else self._cell(call, layer)
            yield f"const {'y' if alone and call.id == last else f'y_{call.id}'} = {value};"
        if not alone:
            yield f"const y = {ends[0]};" if len(ends) == 1 else f"const y = [{', '.join(ends)}];"

    def states(self) -> list[str]:
        """The last states of the recurrent calls whose first ones come from outside."""
        return [self.value(Edge(name, "state")) for name in self.facts.given]

    def value(self, edge: Edge) -> str:
        """A value as it is written where it is read."""
        if edge.port == "input":
            return self.inputs[edge.source]
        unit = self.facts.units.get(edge.source)
        last = unit is not None and unit.recurrent and (edge.port == "state" or not unit.sequences)
        return f"y_{edge.source}" + (".at(-1)" if last else "")  # a recurrent call gives every state

    def _map(self, call: Call, layer: Layer) -> str:
        tables = [layer.weights[name].value.shape for name in MAPS[layer.kind].tables]
        args = [*map(self.value, call.args), *(self.weights.tables(layer) if tables else [])]
        shapes: list[Shape] = [*(self.shapes[edge] for edge in call.args), *tables]
        try:
            return expression(layer.kind, layer.options, args, shapes, self.network.dtype)
        except Unsupported as error:
            raise Unsupported(f"layer {layer.id}: {error}") from None

    def _cell(self, call: Call, layer: Layer) -> str:
        unit, function = self.facts.units[call.id], self.functions[call.id]
        more = [self._argument(layer)] if self._argument(layer) else []
        if unit.recurrent:
            start = self.value(call.initial[0]) if call.initial else f"h_{call.id}"
            mask = [self.value(call.mask)] if call.mask and is_masked(unit) else []
            return f"{function}({', '.join([self.value(call.args[0]), *more, *mask, start])})"
        return self._everywhere(call, unit, function, more)

    def _everywhere(self, call: Call, unit: Unit, function: str, more: list[str]) -> str:
        """A layer without a state, at each time step of its input where that has any."""
        args, shapes = [*map(self.value, call.args)], [self.shapes[edge] for edge in call.args]
        depth = len(shapes[0]) - 1
        if len(set(shapes)) > 1 or depth > 1 and len(args) > 1:
            said = " and ".join(map(str, shapes))
            raise Unsupported(f"layer {call.layer}: {unit.layer.kind} of shapes {said} is not emitted as JavaScript")
        if depth == 0:
            return f"{function}({', '.join([*args, *more])})"
        if depth == 1:
            at_t = ["x_t", *(f"{other}[t]" for other in args[1:])]
            head = "(x_t, t)" if len(args) > 1 else "(x_t)"
            return f"{args[0]}.map({head} => {function}({', '.join([*at_t, *more])}))"
        return f"along({args[0]}, {depth}, (x_t) => {function}({', '.join(['x_t', *more])}))"

    def _argument(self, layer: Layer) -> str:
        """What a cell's function is given as its weights; "" where it takes none."""
        places, constants = self.weights.places[layer.id], self.weights.constants(layer)
        own = f"weights.slice({places.start}, {places.stop})" if places else ""
        if not constants:
            return own
        return f"[{', '.join([*([f'...{own}'] if own else []), *constants])}]"
