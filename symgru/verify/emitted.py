"""Running emitted NumPy and C from Python, in a folder that is gone afterwards."""

from __future__ import annotations

import ctypes
import importlib.util
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from symgru.backends import c, numpy
from symgru.backends.c.plan import Plan, Port
from symgru.backends.c.stream import Stream
from symgru.backends.c.window import Window
from symgru.backends.model import recurrent_calls
from symgru.errors import SymgruError, Unsupported, UnusableInput
from symgru.network import Array, Network, Shape
from symgru.shapes import with_lengths
from symgru.verify.compilers import compile_library


def run_numpy(network: Network, *x: Array) -> Array:
    """The first output of the emitted module's predict on x (batch, time, features), or on one x for each input."""
    return emitted(network).outputs(*x)[0]


@dataclass(frozen=True)
class Emitted:
    """The emitted NumPy module, imported. `given` are the calls whose states go in and come out."""

    module: Any
    several: bool
    given: tuple[str, ...]

    def outputs(self, *x: Array) -> list[Array]:
        """Every output, in the network's order."""
        return self.run(x, {})[0]

    def run(self, x: Sequence[Array], states: Mapping[str, Array]) -> tuple[list[Array], Mapping[str, Array]]:
        """The outputs from states by call (0 where one has none), and the states after the last step."""
        with np.errstate(all="ignore"):  # a model that overflows is compared, not warned of
            if self.given:
                before = [states.get(name) for name in self.given]
                y, after = self.module.predict(*x, states=before, return_states=True)
            else:
                y, after = self.module.predict(*x), []
        return list(y) if self.several else [y], dict(zip(self.given, after, strict=True))


def emitted(network: Network) -> Emitted:
    """Emit the module, import it, and leave no file."""
    with tempfile.TemporaryDirectory(prefix="symgru-") as name:
        place = Path(name) / "emitted.py"
        place.write_text(numpy.module(network, numpy.Options("emitted")), encoding="utf-8")
        module = _imported(place)
    given = tuple(call.id for call, _ in recurrent_calls(network) if not call.initial)
    return Emitted(module, len(network.outputs) > 1, given)


def _imported(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("symgru_emitted", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes
    return module


@dataclass(frozen=True)
class Compiled:
    """The emitted C in this process. Both ways take an array (batch, time, features), or one for each input, and give
    one array, or a list where the network has several outputs."""

    library: Any
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    shapes: tuple[Shape, ...]  # of each output, as the framework has them
    state: int
    workspace: int
    ahead: str  # what keeps the network from running step by step

    def window(self, *x: Array) -> Array | list[Array]:
        """The outputs of whole sequences, as Keras shapes them."""
        given = [_held(a, port) for a, port in zip(x, self.inputs, strict=True)]
        steps = self._steps(given)
        found: list[list[Array]] = []
        for row in zip(*given, strict=True):
            room = [np.empty(port.size * (steps if port.timed else 1), np.float32) for port in self.outputs]
            with _guarded(room) as places:
                sources = [_pointer(a) for a in row]
                if self.ahead:
                    work = (_numbers(self.workspace),) if self.workspace else ()
                    self.library.emitted_window(*work, *sources, *places)
                else:
                    self.library.emitted_window(*sources, ctypes.c_size_t(steps), *places)
            found.append(room)
        shapes = [
            (steps, *shape[1:]) if port.timed else shape for port, shape in zip(self.outputs, self.shapes, strict=True)
        ]
        y = [
            np.array([row[k] for row in found], np.float32).reshape(len(given[0]), *cast("tuple[int, ...]", shape))
            for k, shape in enumerate(shapes)
        ]
        return y[0] if len(y) == 1 else y

    def stream(self, *x: Array) -> Array | list[Array]:
        """The outputs after every time step, the state going on: (batch, time, numbers of the output).

        Raises Unsupported, naming the layer, where one needs the whole window.
        """
        if self.ahead:
            raise Unsupported(f"the network does not run step by step: {self.ahead}")
        given = [_held(a, port) for a, port in zip(x, self.inputs, strict=True)]
        steps = self._steps(given)
        y = [np.empty((len(given[0]), steps, port.size), np.float32) for port in self.outputs]
        for b, row in enumerate(zip(*given, strict=True)):
            state = _numbers(self.state)
            self.library.emitted_reset(state)
            for t in range(steps):
                sources = [_pointer(a[t] if port.timed else a) for a, port in zip(row, self.inputs, strict=True)]
                with _guarded([each[b, t] for each in y]) as places:
                    self.library.emitted_step(state, *sources, *places)
        return y[0] if len(y) == 1 else y

    def _steps(self, given: list[Array]) -> int:
        steps = {a.shape[1] for a, port in zip(given, self.inputs, strict=True) if port.timed}
        if len(steps) > 1:
            raise UnusableInput(f"the inputs have {' and '.join(map(str, sorted(steps)))} time steps; C takes as many")
        return steps.pop() if steps else 0


def _held(x: Array, port: Port) -> Array:
    """An input as the C takes it: (batch, numbers), or (batch, time, numbers) at each time step."""
    kind = np.dtype(np.int32 if port.whole else np.float32)
    return np.ascontiguousarray(x, kind).reshape(len(x), *((-1,) if port.timed else ()), port.size)


def _numbers(n: int) -> Any:
    return (ctypes.c_float * max(n, 1))()


def compiled(network: Network, options: c.Options | None = None) -> Compiled:
    """Compile the emitted C into this process.

    Raises Unsupported for a layer that is not emitted as C, UnusableInput where it needs the number of time steps and
    neither the network nor the options say it.
    """
    chosen = options or c.Options()
    options = c.Options("emitted", chosen.scale, steps=chosen.steps)
    plan = Plan("emitted", network, options.steps)
    # Windows keeps the file of a loaded library, so that there its folder stays
    with tempfile.TemporaryDirectory(prefix="symgru-", ignore_cleanup_errors=sys.platform == "win32") as folder:
        for file, content in c.code(network, options).items():
            (Path(folder) / file).write_bytes(content)
        library = compile_library(Path(folder), "emitted.c", "emitted")
    state = sum(member.units for member in Stream(plan).members) if plan.streams else 0
    workspace = 0 if plan.streams else Window(plan).size
    shapes = tuple(plan.shapes[port.edge] for port in plan.outputs)
    return Compiled(library, tuple(plan.inputs), tuple(plan.outputs), shapes, state, workspace, plan.ahead)


def compiled_for(network: Network, xs: Sequence[Array]) -> Compiled:
    """The same, for windows of as many time steps as these inputs have, where the network needs their number."""
    fixed = [
        replace(put, shape=x.shape[1:]) if None not in put.shape and put.shape != x.shape[1:] else put
        for put, x in zip(network.inputs, xs, strict=True)
    ]
    network = replace(network, inputs=tuple(fixed))
    try:
        return compiled(network)
    except UnusableInput:
        exact = with_lengths(network, xs)
        if exact is network:
            raise
        return compiled(exact)


@contextmanager
def _guarded(outs: Sequence[Array]) -> Iterator[list[Any]]:
    """Places for C to write each of `outs`, with marks behind them that must be there afterwards."""
    mark = np.float32(-1.25e-7)
    rooms = [np.full(out.size + 64, mark, np.float32) for out in outs]
    yield [_pointer(room) for room in rooms]
    for room, out in zip(rooms, outs, strict=True):
        if not (room[out.size :] == mark).all():
            raise SymgruError("the emitted C wrote behind its output: please report this with the model")
        out[...] = room[: out.size].reshape(out.shape)


def _pointer(a: Array) -> Any:
    return a.ctypes.data_as(ctypes.c_void_p)
