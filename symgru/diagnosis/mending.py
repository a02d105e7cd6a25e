"""How to make the second model give what the first does: the command that converts it, and Python that lays the first
one's weights where they belong. Both are tried before they are told.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import numpy as np

from symgru.arrangement import Convention, split
from symgru.blocks import Grid
from symgru.conversion import Converted, convert
from symgru.diagnosis.stations import Station
from symgru.domains import Float64
from symgru.errors import SymgruError
from symgru.network import Array, Network, Tensor
from symgru.trace import run

CHECKPOINT = "the file is a checkpoint"  # so begins what the reader notes of a state_dict within something else
ENDINGS = (".pt", ".keras", ".onnx")  # that are tried where the second model's own will not do
Two = tuple[Station, Station]


@dataclass(frozen=True)
class Mending:
    """What to do.

    `command` writes the first model in the second one's format, or in another that can hold it (`refused` says why not
    in its own). `code` lays the first model's weights into the second, "" where that is not possible, and `why` says
    why; `network` is the second model with those weights, and `left` the largest difference of the outputs that remains
    then; None where it was not tried.
    """

    command: str = ""
    refused: str = ""
    module: bool = False  # beside the file goes a .py file with the module that loads it
    code: str = ""
    why: str = ""
    network: Network | None = None
    left: float | None = None


def mending(network: Network, other: Network, parted: Sequence[Two], inputs: tuple[Tensor, ...]) -> Mending:
    """What makes `other` give what `network` does, where these pairs of their layers do not agree."""
    made = _command(network, other)
    if not parted:
        return made
    converted: dict[str, Converted] = {}
    for own, its in parted:
        try:
            converted[its.layer.id] = _converted(own, its)
        except SymgruError as error:
            return replace(made, why=str(error))
    code = "\n".join(_code(network, other, parted, converted)) if all(map(_plain, converted.values())) else ""
    mended = _mended(other, converted)
    return replace(made, code=code, network=mended, left=_left(network, mended, inputs))


def _converted(own: Station, its: Station) -> Converted:
    """The first layer's weights as the second's framework lays them; activations are options, and change no weight."""
    if its.convention is None:
        raise SymgruError("where its framework keeps its arrays is not known")
    weights, there = dict(own.layer.weights), its.layer.weights
    if any(name[0] in "bc" for name in weights) and not any(name[0] in "bc" for name in there):
        raise SymgruError(f"layer {its.layer.id} has no biases, and needs them (use_bias=True, bias=True)")
    if not any(name[0] in "bc" for name in weights):
        weights |= {name: Tensor(np.zeros_like(t.value)) for name, t in there.items() if name[0] in "bc"}
    activations = {
        name: getattr(its.convention, name)
        for name in ("activation", "recurrent_activation")
        if own.recurrent and name in own.layer.options
    }
    layer = replace(own.layer, options={**own.layer.options, **activations}, weights=weights)
    return convert(layer, its.convention)


def _mended(other: Network, converted: Mapping[str, Converted]) -> Network:
    """The second model with what was converted for its layers."""
    layers = dict(other.layers)
    for name, made in converted.items():
        weights = split(made.convention, {n: Tensor(a) for n, a in made.arrays.items()})
        layers[name] = replace(layers[name], weights=weights)
    return replace(other, layers=layers)


def _left(network: Network, mended: Network, inputs: tuple[Tensor, ...]) -> float | None:
    """The largest difference that remains, of all outputs; of every step beside one, at the last."""
    try:
        found = [run(each, inputs, Float64()).outputs for each in (network, mended)]
    except (SymgruError, ValueError):
        return None
    pairs = [matched(a, b) for a, b in zip(*found, strict=False)]
    return max(float(np.abs(a - b).max()) for a, b in pairs) if all(a.shape == b.shape for a, b in pairs) else None


def matched(a: Array, b: Array) -> tuple[Array, Array]:
    """Outputs of which one is of every step and the other of the last: both at the last."""
    if {a.ndim, b.ndim} != {2, 3}:
        return a, b
    return a[:, -1] if a.ndim == 3 else a, b[:, -1] if b.ndim == 3 else b


# ---------------------------------------------------------------- the command


def _command(network: Network, other: Network) -> Mending:
    """The conversion in the format of the second model's file, or in one that can hold the first model."""
    from symgru.writers.targets import converted

    own = PurePath(other.origin).suffix.lower()
    refused = ""
    for ending in dict.fromkeys([own, *ENDINGS] if own in (*ENDINGS, ".pth", ".safetensors") else ENDINGS):
        target = f"{PurePath(other.origin).stem or 'B'}_right{ending}"
        try:
            made = converted(network, target)
        except SymgruError as error:
            refused = refused or str(error)
            continue
        if _live(network):
            return Mending(refused=refused)
        command = f"symgru convert {shlex.quote(network.origin)} -o {shlex.quote(target)}"
        return Mending(command, refused, module=any(name.endswith(".py") for name in made.files))
    return Mending(refused=refused)


def _live(network: Network) -> bool:
    """Whether it was read from no file but from a model in memory."""
    return not PurePath(network.origin).suffix


# ---------------------------------------------------------------- the code


def _plain(made: Converted) -> bool:
    """Whether the weights only move: nothing is negated or added up on the way."""
    own = made.layer.weights
    return all(np.array_equal(t.value, own[n].value) if n in own else t.is_zero for n, t in made.weights.items())


def _code(network: Network, other: Network, parted: Sequence[Two], converted: Mapping[str, Converted]) -> Iterator[str]:
    """Python for the second model's side; nothing where it is of a framework that is not written here."""
    frameworks = {its.framework for _, its in parted}
    if frameworks not in ({"torch"}, {"keras"}) or not all(its.layer.kind in ("gru", "dense") for _, its in parted):
        return
    (target,) = frameworks
    if not _written_as(other, target):
        return
    sources = {own.framework for own, _ in parted}
    source = sources.pop() if len(sources) == 1 else ""
    if not (source in ("keras", "torch") and _written_as(network, source)):
        source = "symgru"
    yield from sorted({f"import {source}", f"import {target}", "import numpy as np"}, key=_place)
    yield ""
    if _live(network) or _live(other):
        yield "# first_model and second_model are the two as you have them"
    yield from _opened(network, source, "first")
    yield from _opened(other, target, "second")
    for side, each, framework in (
        ("first", [p[0] for p in parted], source),
        ("second", [p[1] for p in parted], target),
    ):
        if framework == "torch" and any(s.nameless for s in each):
            head = next(s.ends[0] for s in each if s.nameless)
            yield f"{side}_head = {head!a} if any(name.startswith({head!a}) for name in {side}) else ''"
    for own, its in parted:
        yield ""
        yield from _read(own, source)
        yield from _laid_down(its, converted[its.layer.id], target, own)
    yield ""
    if _live(other):
        yield from ["second_model.load_state_dict(second)"] if target == "torch" else []
    elif target == "keras":
        yield f"second_model.save({_right(other)!a})"
    else:
        yield f"torch.save(second, {_right(other)!a})"


def _written_as(network: Network, framework: str) -> bool:
    """Whether it is a file of the framework's that its own functions read and write, or lives in memory."""
    if any(note.startswith(CHECKPOINT) for note in network.notes):
        return False
    endings = {"keras": (".keras", ""), "torch": (".pt", ".pth", "")}
    return PurePath(network.origin).suffix.lower() in endings[framework]


def _opened(network: Network, framework: str, side: str) -> Iterator[str]:
    """Keras' layers by their names, PyTorch's arrays by theirs."""
    if framework == "symgru":
        yield f"{side} = symgru.load({network.origin or 'A'!a}).network.layers"
    elif framework == "torch":
        state = f"{side}_model.state_dict()" if _live(network) else f"torch.load({network.origin!a}, weights_only=True)"
        yield f"{side} = {state}"
    else:
        if not _live(network):
            yield f"{side}_model = keras.saving.load_model({network.origin!a})"
        yield f"{side} = {{layer.name: layer for layer in {side}_model._flatten_layers()}}"


def _place(line: str) -> tuple[bool, str]:
    return line != "import keras", line


def _right(network: Network) -> str:
    own = PurePath(network.origin)
    return f"{own.stem}_right{own.suffix}"


def _read(own: Station, source: str) -> Iterator[str]:
    """The first layer's blocks, each in a variable: kernels transposed where they are Keras'."""
    convention = own.convention
    if source == "symgru" or convention is None:
        yield f"w = first[{own.layer.id!a}].weights  # W_z is units x features, U_z units x units"
        by_gate: dict[str, list[str]] = {}
        for name in own.layer.weights:
            by_gate.setdefault(name[0], []).append(name)
        for names in by_gate.values():
            values = ", ".join(f"w[{name!r}].value" for name in names)
            yield f"{', '.join(names)} = {values}"
        return
    held = {name: grid for name, grid in convention.arrays.items() if _holds(grid, own)}
    if source == "keras":
        yield f"{', '.join(held)} = first[{own.layer.label!a}].get_weights()"
    for name, grid in held.items():
        array = name if source == "keras" else f"first[{_key(own, name, 'first')}].numpy()"
        yield from _cut(grid, array)


def _key(s: Station, array: str, side: str) -> str:
    """The name of an array in a state_dict, as Python."""
    return f"{side}_head + {s.arrays[array]!a}" if s.nameless else ascii(s.arrays[array])


def _holds(grid: Grid, s: Station) -> bool:
    return any(name in s.layer.weights for block in grid.blocks for name in block.names)


def _cut(grid: Grid, array: str) -> Iterator[str]:
    rows = [[block.names[0] for block in row] for row in grid.rows]
    turn = ".T" if grid.blocks[0].turned == "'" else ""
    if len(grid.blocks) == 1:
        yield f"{rows[0][0]} = {array}{turn}"
    elif grid.is_bias:
        left = ", ".join(f"({', '.join(row)})" for row in rows) if len(rows) > 1 else ", ".join(rows[0])
        right = f"(np.split(row, {len(rows[0])}) for row in {array})" if len(rows) > 1 else f"np.split({array}, 3)"
        yield f"{left} = {right}"
    else:
        names = [name for row in rows for name in row]
        yield f"{', '.join(names)} = np.split({array}{turn}, {len(names)})"


def _laid_down(its: Station, made: Converted, target: str, own: Station) -> Iterator[str]:
    """The second layer's arrays from the blocks."""
    convention = made.convention
    there = {name: _laid(convention, name) for name in made.arrays}
    lacking = [n for n in made.weights if n not in own.layer.weights]
    if lacking:
        like = next(n for n in own.layer.weights if n[0] in "WU")
        yield f"{' = '.join(lacking)} = np.zeros(len({like}), {like}.dtype)"
    if target == "torch":
        for name, laid in there.items():
            yield f"second[{_key(its, name, 'second')}] = torch.tensor({laid})"
    else:
        yield f"second[{its.layer.label!a}].set_weights(["
        yield from (f"    {laid}," for laid in there.values())
        yield "])"


def _laid(convention: Convention, array: str) -> str:
    grid = convention.arrays[array]
    turn = ".T" if grid.blocks[0].turned == "'" else ""
    rows = [[block.names[0] for block in row] for row in grid.rows]
    if len(grid.blocks) == 1:
        return f"{rows[0][0]}{turn}"
    if grid.is_bias and len(rows) > 1:
        joined = [f"np.concatenate([{', '.join(row)}])" for row in rows]
        return f"np.stack([{', '.join(joined)}])"
    names = ", ".join(name for row in rows for name in row)
    return f"np.concatenate([{names}]){turn}"
