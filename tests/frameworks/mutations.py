"""symgru made wrong in one place at a time: what the matrix of cases must notice.

A mutation edits the code, the tables or the equations of symgru in the running process, and takes it back. Cases are
made once, by the real framework; under a mutation they are read and run again. A case fails where the result differs
from the framework's by more than the matrix allows, or where the file is refused.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from sympy import evaluate, tanh

from symgru import cells, maps, pointwise
from symgru.algebra import rebuild
from symgru.arrangement import Convention
from symgru.cell import Cell
from symgru.conventions import CONVENTIONS
from symgru.face import load
from tests.frameworks.matrix import LIMITS, Case, difference, listed

Undo = Callable[[], object]
Edit = Callable[[], Undo]


def code(place: str, *changes: tuple[str, str]) -> Edit:
    """A function's source with some of its text exchanged; place is "module:function" or "module:Class.method" behind
    symgru. The function stays the same object, so that every table and import that holds it changes too."""

    def edit() -> Undo:
        module_name, _, path = place.partition(":")
        module = importlib.import_module(f"symgru.{module_name}")
        owner: Any = module
        *outer, name = path.split(".")
        for part in outer:
            owner = getattr(owner, part)
        function = vars(owner)[name]
        source = textwrap.dedent(inspect.getsource(function))
        for old, new in changes:
            assert source.count(old) == 1, f"{place} has {source.count(old)} of {old!r}: the mutation is out of date"
            source = source.replace(old, new)
        namespace = dict(vars(module))
        exec(compile("from __future__ import annotations\n" + source, f"<mutated {place}>", "exec"), namespace)
        before = function.__code__
        function.__code__ = namespace[name].__code__
        return lambda: setattr(function, "__code__", before)

    return edit


def entry(table: dict[str, Any], key: str, change: Callable[[Any], Any]) -> Edit:
    """What a dict holds under a key, changed."""

    def edit() -> Undo:
        before = table[key]
        after = change(before)
        assert after != before, f"the mutation of {key} changes nothing"
        table[key] = after
        return lambda: table.__setitem__(key, before)

    return edit


def helper(name: str, old: str, new: str) -> Edit:
    """A function that maps call."""
    return entry(maps.HELPERS, name, lambda text: text.replace(old, new))


def index_map(kind: str, text: Callable[..., str]) -> Edit:
    """A map that computes something else."""
    return entry(maps.MAPS, kind, lambda found: replace(found, text=text))


def convention(name: str, change: Callable[[str], str], table: Callable[[], Convention] | None = None) -> Edit:
    """What lies where in a framework's arrays, said otherwise."""

    def edit() -> Undo:
        found = table() if table else CONVENTIONS[name]
        kept = dict(vars(found))
        wrong = change(found.text)
        assert wrong != found.text, f"the mutation of {name} changes nothing"
        vars(found)["text"] = wrong
        for cached in ("arrays", "params", "biases"):
            vars(found).pop(cached, None)

        def undo() -> None:
            vars(found).clear()
            vars(found).update(kept)

        return undo

    return edit


def swapped(one: str, other: str, letters: str = "WUbc") -> Callable[[str], str]:
    """Two gates exchanged in the arrays of these letters."""
    exchange = {one: other, other: one}
    pattern = rf"\b([{letters}])_([{one}{other}])\b"
    return lambda text: re.sub(pattern, lambda m: f"{m[1]}_{exchange[m[2]]}", text)


def sides(text: str) -> str:
    """The biases of the input's and of the state's side exchanged."""
    exchange = {"b": "c", "c": "b"}
    return re.sub(r"\b([bc])_([zrn])\b", lambda m: f"{exchange[m[1]]}_{m[2]}", text)


def turned(text: str) -> str:
    """The candidate's recurrent kernel transposed."""
    return re.sub(r"U_n(['~]?)", lambda m: "U_n" if m[1] else "U_n'", text)


def candidate(kind: str) -> Edit:
    """The reset gate on the other side of the product with the recurrent kernel."""
    c = cells
    with evaluate(False):
        wrong = {
            "gru": tanh(c.Wn @ c.x + c.bn + c.Un @ (c.r * c.h) + c.cn),
            "gru_before": tanh(c.Wn @ c.x + c.bn + c.r * (c.Un @ c.h)),
        }[kind]
        wrong = rebuild(wrong)

    def change(cell: Cell) -> Cell:
        return cell.with_equations(tuple((lhs, wrong if lhs == cells.n else rhs) for lhs, rhs in cell.equations))

    return entry(cells.CELLS, kind, change)


def cell(kind: str, other: str) -> Edit:
    """The equations of another cell."""
    return entry(cells.CELLS, kind, lambda _: cells.CELLS[other])


EVERY = ("keras", "tf_keras", "torch", "onnx", "jax", "arrays")
CONCERNED = {
    "Keras": ("keras", "tf_keras", "arrays"),
    "CuDNNGRU": ("tf_keras", "arrays"),
    "PyTorch": ("torch", "arrays"),
    "ONNX": ("onnx",),
    **dict.fromkeys(("Flax", "Haiku", "Equinox", "MLX"), ("jax",)),
    **dict.fromkeys(("TensorFlow 1", "GRUBlockCell"), ("arrays",)),
}


@dataclass(frozen=True)
class Mutation:
    """What is wrong, and the edits that make it so."""

    name: str
    edits: tuple[Edit, ...]

    @property
    def frameworks(self) -> tuple[str, ...]:
        """The matrices whose files pass through what is edited: those of the framework that its name begins with."""
        return next((found for start, found in CONCERNED.items() if self.name.startswith(start)), EVERY)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """symgru with the mutation, inside a with statement; nothing computed before or in it is kept."""
        with ExitStack() as stack:
            stack.callback(forget)
            for edit in self.edits:
                stack.callback(edit())
            forget()
            yield


def forget() -> None:
    """Empty every functools.cache of symgru, which would hide a mutation or outlive it."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "symgru":
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def mutation(name: str, *edits: Edit) -> Mutation:
    return Mutation(name, edits)


def _torch_rnn() -> Convention:
    from symgru.readers.torch_recurrent import RNN

    return RNN


KERAS_RNN, WRAPPERS = "readers.keras_layers.recurrent", "readers.keras_layers.wrappers"
NORMALIZING, TORCH, ONNX = "readers.keras_layers.normalizing", "readers.torch_recurrent", "readers.onnx_recurrent"
ONNX_RNN = f"{ONNX}:_Recurrent"

MUTATIONS = [
    # conventions: what lies where in the arrays
    mutation("Keras: kernels of z and r exchanged", convention("keras", swapped("z", "r", "W"))),
    mutation("Keras: recurrent kernels of r and n exchanged", convention("keras", swapped("r", "n", "U"))),
    mutation("Keras: biases of z and n exchanged", convention("keras", swapped("z", "n", "bc"))),
    mutation("Keras: a recurrent kernel not transposed", convention("keras", turned)),
    mutation("Keras: bias rows exchanged", convention("keras", sides)),
    mutation("Keras, reset before: gates z and r exchanged", convention("keras_before", swapped("z", "r"))),
    mutation("Keras Dense: kernel not transposed", convention("keras_dense", lambda t: t.replace("W'", "W"))),
    mutation("PyTorch: gates r and z exchanged", convention("torch", swapped("z", "r"))),
    mutation("PyTorch: recurrent kernels of r and n exchanged", convention("torch", swapped("r", "n", "U"))),
    mutation("PyTorch: a recurrent kernel transposed", convention("torch", turned)),
    mutation("PyTorch: bias_ih and bias_hh exchanged", convention("torch", sides)),
    mutation(
        "PyTorch GRUCell: bias_ih and bias_hh exchanged",
        code(
            f"{TORCH}:directions",
            (
                "{name: arrays.take(full)",
                '{{"bias_ih": "bias_hh", "bias_hh": "bias_ih"}.get(name, name) if kind == "gru_cell" else name: '
                "arrays.take(full)",
            ),
        ),
    ),
    mutation(
        "PyTorch RNN: recurrent kernel transposed", convention("torch_rnn", lambda t: t.replace("U", "U'"), _torch_rnn)
    ),
    mutation("ONNX: gates z and r exchanged", convention("onnx", swapped("z", "r"))),
    mutation("ONNX, reset after: recurrent biases exchanged", convention("onnx_after", sides)),
    mutation("ONNX, reset after: kernels of r and n exchanged", convention("onnx_after", swapped("r", "n", "W"))),
    mutation("Flax linen: gates r and z exchanged", convention("flax", swapped("z", "r"))),
    mutation("Flax nnx: kernels of r and z exchanged", convention("flax_nnx", swapped("z", "r", "W"))),
    mutation("Haiku: gates z and r exchanged", convention("haiku", swapped("z", "r"))),
    mutation("Equinox: recurrent kernels of r and n exchanged", convention("equinox", swapped("r", "n", "U"))),
    mutation("MLX: gates r and z exchanged", convention("mlx", swapped("z", "r"))),
    mutation("TensorFlow 1: gates r and z exchanged", convention("tf1", swapped("z", "r"))),
    mutation("GRUBlockCell: gates r and z exchanged", convention("tf1_block", swapped("z", "r"))),
    mutation("CuDNNGRU by arrays: bias halves exchanged", convention("cudnn_gru", sides)),
    mutation(
        "CuDNNGRU in Keras 2's files: bias halves exchanged",
        code("readers.keras_v2:from_cudnn", ("bias.reshape(2, -1)", "bias.reshape(2, -1)[::-1]")),
    ),
    # biases
    mutation(
        "the recurrent bias dropped",
        code(
            "arrangement:split",
            (
                "return {name: found[name] for",
                'return {name: _zero(found[name]) if name[0] == "c" else found[name] for',
            ),
        ),
    ),
    mutation(
        "the second of two added biases dropped",
        code("arrangement:split", ("_added(found[first], weight) if", "found[first] if")),
    ),
    # the cells
    mutation("reset before taken for after", candidate("gru")),
    mutation("reset after taken for before", candidate("gru_before")),
    mutation("the update rule exchanged", cell("gru", "gru_new")),
    mutation("the update rule exchanged, reset before", cell("gru_before", "fully_gated")),
    mutation(
        "the mask ignored in the cell", code("cell:masked", ("Select(m, fresh, before,", "Select(m, fresh, fresh,"))
    ),
    mutation("the initial state ignored", code("trace:run", ("before is None and call.initial", "False"))),
    mutation(
        "the first state given as the last",
        code("trace:run", ("= y[:, -1]\n", "= y[:, 0]\n")),
    ),
    # Keras
    mutation("Keras: go_backwards ignored", code(f"{KERAS_RNN}:run", ("if read.go_backwards", "if False"))),
    mutation(
        "Keras: the mask not turned for the backward direction",
        code(f"{KERAS_RNN}:run", ('entry.map("flip", {}, mask) if mask else None', "mask")),
    ),
    mutation("Keras: states returned in reverse", code(f"{KERAS_RNN}:run", ("(y, *states)", "(y, *states[::-1])"))),
    mutation(
        "Keras: 0 before the first step that counts left out",
        code(f"{KERAS_RNN}:_output", ("if (started or read.stateful)", "if False")),
    ),
    mutation(
        "Keras: zero_output_for_mask ignored", code(f"{KERAS_RNN}:_output", ("if read.zero_output:", "if False:"))
    ),
    mutation(
        "Keras: an implicit mask applied beside initial states",
        code(f"{KERAS_RNN}:masked", ("if not given.initial or read.entry.builder.version == 2 else None", "")),
    ),
    mutation(
        "Keras: the backward output not turned back",
        code(f"{WRAPPERS}:bidirectional", ('replace(entry.map("flip", {}, other), mask=other.mask)', "other")),
    ),
    mutation(
        "Keras: Bidirectional's halves exchanged",
        code(f"{WRAPPERS}:bidirectional", ("mode, one, other)", "mode, other, one)")),
    ),
    mutation(
        "Keras: Bidirectional's zeroing at masked steps left out",
        code(f"{WRAPPERS}:_direction", ("replace(read, zero_output=read.return_sequences, forced=True)", "read")),
    ),
    mutation(
        "Keras 2: hard_sigmoid taken for Keras 3's",
        code("readers.keras_config:Options.activation", ("self.version == 2 and", "False and")),
    ),
    mutation(
        "Keras 3: hard_sigmoid taken for Keras 2's",
        code("readers.keras_config:Options.activation", ("self.version == 2 and", "True and")),
    ),
    mutation(
        "Keras: BatchNormalization without its epsilon",
        code(f"{NORMALIZING}:batch_normalization", ('{"eps": eps,', '{"eps": 0.0,')),
    ),
    mutation(
        "Keras: LayerNormalization without its epsilon",
        code(f"{NORMALIZING}:layer_normalization", ('{"eps": eps,', '{"eps": 0.0,')),
    ),
    mutation(
        "Keras: Embedding's mask ignored",
        code("readers.keras_layers.dense:embedding", ("if masks else None", "if False else None")),
    ),
    mutation(
        "Keras, legacy .h5: forward and backward weights exchanged",
        code(
            "readers.keras_legacy:_slots",
            ('("forward_layer", forward), ("backward_layer",', '("backward_layer", forward), ("forward_layer",'),
        ),
    ),
    # maps
    mutation(
        "softmax over the wrong axis", code("domains:_softmax64", ("a.max(-1,", "a.max(0,"), ("e.sum(-1,", "e.sum(0,"))
    ),
    mutation("a window's order reversed", helper("windows", "for k in range(size)", "for k in reversed(range(size))")),
    mutation("causal padding on the wrong side", helper("windows", "reach - 1, 0", "0, reach - 1")),
    mutation(
        "same padding on the wrong side",
        helper("windows", "missing // 2, missing - missing // 2", "-(-missing // 2), missing // 2"),
    ),
    mutation(
        "mean pooling counts the padding", code("maps:_mean_pool", ('o.get("padding", "valid") == "valid"', "True"))
    ),
    mutation("the global mean counts masked steps", code("maps:_global_mean", ("if not mask:", "if True:"))),
    mutation(
        "an embedding's row off by one",
        index_map("embed", lambda o, x, table: f"{table}[{x}.astype(np.int64) - 1]"),
    ),
    mutation("the first step taken for the last", index_map("last", lambda o, x: f"{x}[:, 0]")),
    mutation(
        "a step masked where one feature is the mask's value",
        index_map("not_equal", lambda o, x: f"({x} != {o['value']}).all(axis=-1)"),
    ),
    mutation("masked steps not blanked", index_map("blank", lambda o, x, m: x)),
    mutation(
        "a sequence of n steps counts n - 1",
        index_map("until", lambda o, x, n: f"np.arange({x}.shape[1]) < {n}.reshape(-1, 1) - 1"),
    ),
    mutation("Average adds up only", entry(pointwise.MERGED, "average", lambda _: ("Average", pointwise.add))),
    # PyTorch
    mutation(
        "PyTorch: the backward output not turned back",
        code(f"{TORCH}:_Runs.direction", ("self.flip(y) if back and sequence else y", "y")),
    ),
    mutation(
        "PyTorch: packed sequences turned at their padded length",
        code(f"{TORCH}:_Runs.flip", ("if self.lengths else", "if False else")),
    ),
    mutation(
        "PyTorch: directions exchanged",
        code(f"{TORCH}:module", ("[sequence for sequence, _ in given]", "[sequence for sequence, _ in given[::-1]]")),
    ),
    mutation(
        "PyTorch: the last output taken for h_n",
        code(
            f"{TORCH}:module",
            ("    return graph.beside(tops, axis=1)", '    return graph.map("last", {}, value)'),
            ("if asked.sequence or not top:", "if True:"),
            ("sequence=asked.sequence or not top", "sequence=True"),
        ),
    ),
    mutation(
        "PyTorch: h_n's rows exchanged",
        code(f"{TORCH}:module", ("for state in runs.states]", "for state in runs.states[::-1]]")),
    ),
    mutation(
        "PyTorch: h0's rows exchanged",
        code(f"{TORCH}:_initial", ("for k in range(count)]", "for k in reversed(range(count))]")),
    ),
    mutation(
        "PyTorch: what lies behind a sequence's end not 0", code(f"{TORCH}:module", ("if runs.mask:", "if False:"))
    ),
    # ONNX
    mutation("ONNX: alpha and beta ignored", code(f"{ONNX}:activations", ("next(given, value)", "value or 1.0"))),
    mutation("ONNX: clip ignored", code(f"{ONNX}:_options", ('if "clip" in node.attributes', "if False"))),
    mutation(
        "ONNX: sequence_lens ignored",
        code(f"{ONNX_RNN}._mask", ("    if isinstance(lens", "    return None\n    if isinstance(lens")),
    ),
    mutation(
        "ONNX: linear_before_reset ignored",
        code(f"{ONNX}:_options", ('bool(node.integer("linear_before_reset", 0))', "False")),
        code(f"{ONNX}:_convention", ('node.integer("linear_before_reset", 0)', "0")),
    ),
    mutation("ONNX: layout ignored", code(f"{ONNX_RNN}.__init__", ("layout == 1", "False"))),
    mutation("ONNX: initial_h ignored", code(f"{ONNX_RNN}._initial", ("if item is None:", "if True:"))),
    mutation(
        "ONNX: the backward output not turned back",
        code(f"{ONNX_RNN}._direction", ('edge = builder.map("flip", {}, edge)', "pass")),
    ),
    mutation(
        "ONNX: the mask not turned for the backward direction",
        code(f"{ONNX_RNN}._direction", ('mask = mask and builder.map("flip", {}, mask)', "pass")),
    ),
    mutation("ONNX: directions exchanged", code(f"{ONNX_RNN}._together", ("}, *edges)", "}, *edges[::-1])"))),
]


def frameworks(*wanted: str) -> Mapping[str, Sequence[Case]]:
    """Every framework's cases, or those of the ones that are wanted."""
    found: dict[str, Sequence[Case]] = {}
    for framework in wanted or EVERY:
        module = importlib.import_module(f"tests.frameworks.cases_{framework}")
        if framework == "jax":
            found[framework] = [case for cases in module.CASES.values() for case in cases]
        else:
            found[framework] = module.CASES if hasattr(module, "CASES") else module.cases()
    return found


@dataclass(frozen=True)
class Made:
    """A case with what its framework gave, to be read again and again."""

    case: Case
    folder: Path

    @cached_property
    def parts(self) -> tuple[object, Sequence[np.ndarray], Sequence[np.ndarray]]:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.case.make(self.folder)

    def holds(self) -> bool:
        """Whether symgru reads the file and its reference gives what the framework gave."""
        source, inputs, outputs = self.parts
        try:
            with np.errstate(all="ignore"):
                ours = listed(load(source, self.case.architecture)(*inputs))
        except Exception:  # a mutation may break anything: what raises is noticed
            return False
        if len(ours) != len(outputs):
            return False
        limit = LIMITS[self.case.dtype]
        return all(difference(a, b) <= limit for a, b in zip(ours, outputs, strict=True))
