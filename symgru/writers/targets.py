"""What a file's ending asks for: which writer, and what else belongs to the file."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from symgru.conversion import Converted, Step
from symgru.errors import Unsupported, UnusableInput
from symgru.network import Array, Network
from symgru.writers.arrays import STYLES, TORCH, Named, named

ENDINGS = (".keras", ".onnx", ".pt", ".pth", ".safetensors", ".npz")


@dataclass(frozen=True)
class Conversion:
    """The files to write by name, the first the one that was asked for; what lies in each array as an equation; each
    layer's rewritings with their proofs; and what to know."""

    title: str
    files: Mapping[str, bytes]
    mapping: tuple[str, ...]
    steps: tuple[tuple[str, Step], ...]
    notes: tuple[str, ...] = ()


def converted(network: Network, name: str, to: str | None = None) -> Conversion:
    """The network as the file `name`, whose ending says the format; `to` names a framework for .npz.

    Raises UnusableInput for another ending or framework, Unsupported, naming the layer, for what that cannot express.
    """
    ending = PurePath(name).suffix.lower()
    if ending not in ENDINGS:
        raise UnusableInput(
            f"{ending[:20] or 'no ending'}: a file's ending says the format; it can be {', '.join(ENDINGS)}"
        )
    if ending != ".npz" and to is not None:
        raise UnusableInput(f"--to chooses the names in an .npz file; {ending} has one form")
    if ending in (".keras", ".onnx"):
        return _whole(network, name, ending)
    if ending == ".npz":
        return _npz(network, name, to)
    return _torch(network, name, ending)


def _whole(network: Network, name: str, ending: str) -> Conversion:
    from symgru.writers.keras_file import keras
    from symgru.writers.onnx_file import onnx

    writers: dict[str, tuple[str, Callable[[Network], tuple[bytes, list[Converted]]]]] = {
        ".keras": ("Keras 3", keras),
        ".onnx": ("ONNX", onnx),
    }
    title, write = writers[ending]
    content, made = write(network)
    mapping = tuple(f"{c.layer.id}: {equation}" for c in made for equation in c.equations)
    return Conversion(title, {name: content}, mapping, _steps(made))


def _npz(network: Network, name: str, to: str | None) -> Conversion:
    known = [key for key in STYLES if key != "torch"]
    if to not in STYLES:
        found = "" if to is None else f", not {to[:30]!a}"
        raise UnusableInput(f"an .npz file has a framework's names: say --to {', '.join(['torch', *known])}{found}")
    arrays, made = _arrays(list(named(network, STYLES[to])))
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    layers = [n.converted for n in made if n.converted]
    return Conversion(STYLES[to].title, {name: buffer.getvalue()}, _mapping(made), _steps(layers), WIRING)


WIRING = ("the file holds arrays alone: how the layers are wired is the program's that loads them",)


def _torch(network: Network, name: str, ending: str) -> Conversion:
    from symgru.writers.torch_file import pt, safetensors
    from symgru.writers.torch_module import module

    arrays, made = _arrays(list(named(network, TORCH)))
    files = {name: safetensors(arrays) if ending == ".safetensors" else pt(arrays)}
    notes: tuple[str, ...] = ()
    beside = f"{PurePath(name).stem}_torch.py"
    try:
        files[beside] = module(network, PurePath(name).name).encode()
    except Unsupported as error:
        notes = (f"no module is written beside the weights: {error}",)
    layers = [n.converted for n in made if n.converted]
    return Conversion("PyTorch", files, _mapping(made), _steps(layers), notes)


def _arrays(made: list[Named]) -> tuple[dict[str, Array], list[Named]]:
    return {name: a for n in made for name, a in n.arrays.items()}, made


def _mapping(made: list[Named]) -> tuple[str, ...]:
    return tuple(equation for n in made for equation in n.mapping)


def _steps(made: list[Converted]) -> tuple[tuple[str, Step], ...]:
    return tuple((c.layer.id, step) for c in made for step in c.steps)
