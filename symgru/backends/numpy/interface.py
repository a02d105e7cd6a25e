"""What `predict` takes and gives, as the module's docstrings, checks and recorded numbers say it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from symgru.backends.numpy.body import Body
from symgru.backends.numpy.literals import literal
from symgru.errors import SymgruError
from symgru.maps import MAPS
from symgru.network import Edge, Input, Network, Shape
from symgru.shapes import shapes
from symgru.yardstick import Vectors, table_sizes

# maps that give each time step of their value from the same step of what they read
STEPWISE = ("slice", "embed", "cast", "not_equal", "not_zero", "both", "unmasked", "erase", "blank", "last")


class Interface:
    """The inputs and outputs of a network as the templates need them."""

    def __init__(self, network: Network, body: Body) -> None:
        self.network, self.body = network, body

    @cached_property
    def open(self) -> Network:
        """The network without fixed numbers of time steps, where it works with any."""
        free = [replace(put, shape=(None, *put.shape[1:])) if _has_time(put) else put for put in self.network.inputs]
        opened = replace(self.network, inputs=tuple(free))
        try:
            shapes(opened)
        except SymgruError:
            return self.network
        return opened

    @cached_property
    def shapes(self) -> dict[Edge, Shape]:
        return shapes(self.open)

    def context(self) -> dict[str, object]:
        """For the module's template."""
        names = list(self.body.inputs.values())
        states = [f"h_{name}" for name in self.body.given]
        none = ", ".join(["None"] * len(states))
        width = max([len("return_states"), *map(len, names)])
        return {
            "predict_says": "The model's output for a batch of inputs.",
            "arguments": ", ".join(names),
            "rows": [f"{name:<{width}}  {self.said(put)}" for put, name in self.inputs],
            "weights_row": f"{'weights':<{width}}  the model's get_weights(); WEIGHTS below where None",
            "states_row": f"{'states':<{width}}  one array (batch, units) for each {self._whose}, "
            "before the first step; zeros where None",
            "return_row": f"{'return_states':<{width}}  also return the states after the last step, "
            "which the next call takes as `states`",
            "x_shapes": "; ".join(self._brief(put, name) for put, name in self.inputs),
            "y_shape": self.y_shape,
            "returns": self._returns(bool(states)),
            "conversions": [self._conversion(put, name) for put, name in self.inputs],
            "checks": list(self._checks()),
            "state_names": states,
            "last_states": [f"new_{name}" for name in self.body.given],
            "none_states": f"({none}{',' if len(states) == 1 else ''})",
            "x_shape": self._axes(self.open.inputs[0]),  # for gradients, which take one input
        }

    @property
    def inputs(self) -> list[tuple[Input, str]]:
        return list(zip(self.open.inputs, self.body.inputs.values(), strict=True))

    @property
    def _whose(self) -> str:
        """The layers whose states come from outside."""
        every = len(self.body.given) == len(self.body.recurrent)
        return "recurrent layer" if every else f"of {', '.join(self.body.given)}"

    def said(self, put: Input) -> str:
        """The shape of an input, and which whole numbers it holds."""
        if not put.whole:
            return self._axes(put)
        rows = table_sizes(self.network).get(put.id)
        return f"{self._axes(put)}, whole numbers" + (f" from 0 to {rows - 1}" if rows else "")

    def _brief(self, put: Input, name: str) -> str:
        return f"{name} {self._axes(put)}"

    @staticmethod
    def _axes(put: Input) -> str:
        return axes(put.shape, timed=_has_time(put))

    @property
    def y_shape(self) -> str:
        """One shape, or those of a tuple."""
        found = [axes(self.shapes[edge]) for edge in self.body.ends]
        return found[0] if len(found) == 1 else ", ".join(found)

    def _returns(self, states: bool) -> str:
        """What predict gives back; on one line, or wrapped."""
        several = len(self.body.ends) > 1
        gives = f"Returns {'a tuple of ' if several else ''}{self.y_shape}{', or (that, states)' if states else ''}."
        text = f"{gives} Computed in the dtype of the weights ({self.network.dtype}), as Keras does."
        return "\n    ".join(textwrap.wrap(text, 115, break_long_words=False, break_on_hyphens=False))

    def _conversion(self, put: Input, name: str) -> str:
        if put.whole:
            return f"{name} = np.asarray({name}, dtype=np.int64)"
        own = self.body.weights.mixed or not any(layer.weights for layer in self.network.layers.values())
        dtype = f"np.{self.network.dtype}" if own else "weights[0].dtype"
        return f"{name} = np.asarray({name}, dtype={dtype})"

    def _checks(self) -> Iterator[tuple[str, str]]:
        """(condition, message): what is refused and what it says."""
        tables = table_sizes(self.network)
        for put, name in self.inputs:
            yield " or ".join(_misfits(put, name)), self._expected(put, name)
            if put.id in tables:
                rows = tables[put.id]
                condition = f"{name}.size and not (0 <= {name}.min() and {name}.max() < {rows})"
                yield condition, f'"{name} holds an index that is not from 0 to {rows - 1}"'
        names = list(self.body.inputs.values())
        if len(names) > 1:
            lengths = ", ".join(f"len({name})" for name in names)
            yield f"len({{{lengths}}}) > 1", f'f"the inputs hold {{{lengths}}} samples; as many are needed"'

    def _expected(self, put: Input, name: str) -> str:
        steps = " with at least one time step" if _has_time(put) and put.shape[0] is None else ""
        return f'f"{name} has shape {{{name}.shape}}; expected {self._axes(put)}{steps}"'

    # The recorded test -----------------------------------------------------------------------------------------------

    def recorded(self, vectors: Vectors) -> dict[str, object]:
        """For the test's template."""
        several_x, several_y = len(vectors.xs) > 1, len(vectors.ys) > 1
        margin = len("    np.array(")
        y_margin = margin if several_y else len("Y = np.array(")
        return {
            "x": "*X" if several_x else "X",
            "several_x": several_x,
            "several_y": several_y,
            "xs": [literal(x.text, margin if several_x else len("X = np.array(")) for x in vectors.xs],
            "ys": [literal(vectors.texts_of(k), y_margin) for k in range(len(vectors.ys))],
            "tolerances": [f"{limit:.2g}" for limit in vectors.tolerances],
            "keeps_time": [len(self.shapes[edge]) > 1 for edge in self.body.ends],
            "streams": self.streams and bool(self.body.given),
        }

    @property
    def streams(self) -> bool:
        """Whether a recording may be cut in two: each step needs nothing but itself, and the states."""
        known = shapes(self.network)
        return (
            all(_has_time(put) for put in self.network.inputs)
            and len(self.body.given) == len(self.body.recurrent)
            and all(edge.port == "y" for edge in self.body.ends)
            and all(self._is_stepwise(call.id, known) for call in self.network.calls)
        )

    def _is_stepwise(self, name: str, known: dict[Edge, Shape]) -> bool:
        call, layer = self.body.calls[name]
        if layer.kind not in MAPS or layer.kind in STEPWISE:
            return True
        args = [known[edge] for edge in call.args]
        return layer.kind == "concatenate" and layer.options["axis"] == len(args[0])


def _has_time(put: Input) -> bool:
    """Whether the first axis of an input is time, which may have any length."""
    return len(put.shape) > 1 or put.shape == (None,) or (put.whole and len(put.shape) == 1)


def axes(shape: Shape, timed: bool = True) -> str:
    """(batch, time, 3)"""
    names = ["time" if n is None and k == 0 and timed else "any" if n is None else str(n) for k, n in enumerate(shape)]
    return f"({', '.join(['batch', *names])}{',' if not names else ''})"


def _misfits(put: Input, name: str) -> Iterator[str]:
    """The conditions under which an array is not this input."""
    yield f"{name}.ndim != {len(put.shape) + 1}"
    for k, n in enumerate(put.shape, 1):
        if n is not None:
            yield f"{name}.shape[{k}] != {n}"
        elif k == 1:
            yield f"{name}.shape[1] == 0"
