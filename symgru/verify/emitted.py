"""Running emitted NumPy and C from Python, in a folder that is gone afterwards."""

from __future__ import annotations

import ctypes
import importlib.util
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from symgru.backends import c, numpy
from symgru.backends.model import output_width, recurrent_calls
from symgru.errors import SymgruError
from symgru.network import Array, Network
from symgru.trace import keeps_time
from symgru.verify.compilers import compile_library
from symgru.writing import whole


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
    """The emitted C's two ways to run, on arrays (batch, time, features)."""

    window: Callable[[Array], Array]
    stream: Callable[[Array], Array]


def compiled(network: Network, options: c.Options | None = None) -> Compiled:
    """Compile the emitted C into this process. `window` shapes its output as Keras does; `stream` gives the output
    after every time step, the state going on: (batch, time, outputs)."""
    options = c.Options("emitted", options.scale if options else c.Options().scale)
    # Windows keeps the file of a loaded library, so that there its folder stays
    with tempfile.TemporaryDirectory(prefix="symgru-", ignore_cleanup_errors=sys.platform == "win32") as folder:
        for file, content in c.files(network, options).items():
            (Path(folder) / file).write_bytes(whole(content))
        library = compile_library(Path(folder), "emitted.c", "emitted")
    width, every = output_width(network), keeps_time(network)
    states = sum(4 * layer_units for layer_units in _state_units(network))

    def window(x: Array) -> Array:
        x = np.ascontiguousarray(x, np.float32)
        batch, steps, _ = x.shape
        y = np.empty((batch, steps if every else 1, width), np.float32)
        for row, out in zip(x, y, strict=True):
            with _guarded(out) as place:
                library.emitted_window(_pointer(row), ctypes.c_size_t(steps), place)
        return y if every else y[:, -1]

    def stream(x: Array) -> Array:
        x = np.ascontiguousarray(x, np.float32)
        y = np.empty((*x.shape[:2], width), np.float32)
        for row, out in zip(x, y, strict=True):
            state = ctypes.create_string_buffer(max(states, 4))
            library.emitted_reset(state)
            for t in range(len(row)):
                with _guarded(out[t]) as place:
                    library.emitted_step(state, _pointer(row[t]), place)
        return y

    return Compiled(window, stream)


@contextmanager
def _guarded(out: Array) -> Iterator[Any]:
    """A place for C to write `out`, with marks behind it that must be there afterwards."""
    mark = np.float32(-1.25e-7)
    room = np.full(out.size + 64, mark, np.float32)
    yield _pointer(room)
    if not (room[out.size :] == mark).all():
        raise SymgruError("the emitted C wrote behind its output: please report this with the model")
    out[...] = room[: out.size].reshape(out.shape)


def _state_units(network: Network) -> list[int]:
    from symgru.backends.model import layers

    return [unit.sizes["H"] for unit in layers(network) if unit.recurrent]


def _pointer(a: Array) -> Any:
    return a.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
