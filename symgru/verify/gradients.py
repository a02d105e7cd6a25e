"""Running emitted gradients from Python: the NumPy module's and the C's."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from sympy import Symbol

from symgru.algebra import terms
from symgru.backends import c, numpy
from symgru.backends.c.gradients import Backwards
from symgru.gradients import Gradients
from symgru.network import Array, Network
from symgru.trace import keeps_time
from symgru.verify.compilers import compile_library
from symgru.verify.emitted import _guarded, _imported, _pointer

NAME = "emitted"


def run_numpy_gradients(network: Network, x: Array, dy: Array) -> tuple[list[Array], Array, list[Array]]:
    """The emitted module's `gradients` at x (batch, time, features): dL/d the arrays of get_weights(), the input, and
    the states before the first step."""
    with tempfile.TemporaryDirectory(prefix="symgru-") as name:
        place = Path(name) / f"{NAME}.py"
        place.write_text(numpy.module(network, numpy.Options(name=NAME, gradients=True)), encoding="utf-8")
        with np.errstate(all="ignore"):
            weights, dx, states = _imported(place).gradients(x, dy)
    return weights, dx, states


def compiled_gradients(network: Network) -> Callable[[Array, Array], Gradients]:
    """Compile the emitted C and give its gradients as a function of x (batch, time, features) and of dy, which has the
    shape of the output. A sequence a call; the weights' gradients are summed over the batch."""
    with tempfile.TemporaryDirectory(prefix="symgru-") as name:
        for file, content in c.code(network, c.Options(name=NAME, gradients=True)).items():
            (Path(name) / file).write_bytes(content)
        library = compile_library(Path(name), f"{NAME}.c", NAME)
    layout = Backwards(NAME, network)
    every = keeps_time(network)
    recurrent = [(call.id, p) for call, p in zip(network.calls, layout.pairs, strict=True) if p.unit.recurrent]

    def back(x: Array, dy: Array) -> Gradients:
        x, dy = np.ascontiguousarray(x, np.float32), np.ascontiguousarray(dy, np.float32)
        batch, steps, _ = x.shape
        y = np.empty((batch, steps if every else 1, layout.outputs), np.float32)
        dx, sums = np.empty_like(x), np.zeros(layout.sums_bytes() // 4, np.float32)
        before = np.zeros((batch, sum(p.unit.sizes["H"] for _, p in recurrent)), np.float32)
        for one, out, slope, to_x, start in zip(x, y, dy, dx, before, strict=True):
            state, tape = np.zeros_like(start), np.empty(steps * layout.tape_bytes() // 4, np.float32)
            count = ctypes.c_size_t(steps)
            with _guarded([out, tape]) as places:
                library.emitted_forward(_pointer(state), _pointer(one), count, *places)
            with _guarded([to_x]) as (x_place,):
                places = [_pointer(sums), x_place, _pointer(start)]
                library.emitted_backward(_pointer(one), count, _pointer(slope), _pointer(tape), *places)
        ends = np.cumsum([p.unit.sizes["H"] for _, p in recurrent])[:-1]
        states = dict(zip((call for call, _ in recurrent), np.split(before, ends, axis=1), strict=True))
        return Gradients(y if every else y[:, -1], _weights(layout, sums), dx, states)

    return back


def _weights(layout: Backwards, sums: Array) -> Mapping[str, Mapping[str, Array]]:
    """The C's struct taken apart; a merged bias gives its gradient to both that it stands for."""
    found: dict[str, dict[str, Array]] = {}
    at = 0
    for p in layout.pairs:
        own = found.setdefault(p.unit.layer.id, {})
        merged = {s.name: e for s, e in p.kernel.plan.params.items()}
        for name, shape in p.sums:
            size = int(np.prod(shape))
            array = sums[at : at + size].reshape(shape)
            at += size
            for source in terms(merged[name]) if name in merged else (Symbol(name),):
                own[str(source)] = array
    return found
