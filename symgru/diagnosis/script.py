"""A script that prints weights and prediction of one and the same model, to settle where a number came from."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from symgru.building import only_layer
from symgru.errors import SymgruError
from symgru.network import Layer, Network, Tensor
from symgru.verify import keras, torch
from symgru.writers.keras_config import recurrent

Framework = Literal["keras", "torch"]
MOST_TYPED = 40  # numbers of an input that are written out
USUAL: Mapping[str, object] = {  # Keras' defaults
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "use_bias": True,
    "reset_after": True,
    "return_sequences": False,
}
OWN = "  # or your own model, after its training"


@dataclass(frozen=True)
class Script:
    """Lines of Python for `framework`, and the command that runs symgru on what they print or save ("" for none).

    `complete`: they run as they stand; else `model` has to be there already.
    """

    framework: Framework
    lines: tuple[str, ...]
    command: str = ""
    complete: bool = True

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"


def script(
    network: Network,
    inputs: Sequence[Tensor],
    path: Path | None = None,
    framework: Framework | None = None,
) -> Script:
    """For a network that is one recurrent layer, and for a file of Keras' (`path`) as it stands; for any other, lines
    that go with the asker's own `model`.

    `framework` is what the network came from; where None, its file's name decides, and Keras where nothing is known.
    """
    file = path or (PurePath(network.origin) if network.origin else None)
    chosen = framework or ("torch" if file is not None and file.suffix.lower() in torch.ENDINGS else "keras")
    if chosen == "torch":
        return _torch(network, inputs)
    if path is not None and keras.loads(path):
        return _keras(_loaded(path), network, inputs, f"symgru run {_shell(str(path))}")
    try:
        layer = only_layer(network)
        made = recurrent(layer, bool(layer.options.get("return_sequences", False)))
    except (SymgruError, KeyError, StopIteration):
        return _keras([], network, inputs, "")
    own = {k: v for k, v in made.config.items() if k != "units" and USUAL.get(k) != v}
    options = "".join(f", {k}={v!r}" for k, v in own.items())
    steps, features = inputs[0].value.shape[1:3]
    dtype = f"keras.config.set_floatx({network.dtype!r})"
    build = [
        *([dtype] if network.dtype != "float32" else []),
        f"model = keras.Sequential([keras.Input(({steps}, {features})), "
        f"keras.layers.{made.class_name}({made.config['units']}{options})]){OWN}",
    ]
    plain = made.class_name == "GRU" and not own
    return _keras(build, network, inputs, "symgru run weights.txt" if plain else "")


def first_step(network: Network, inputs: Sequence[Tensor]) -> str:
    """The command that diagnoses the first of several steps alone, for a network that is one layer; else ""."""
    try:
        only_layer(network)
    except SymgruError:
        return ""
    (x, *others) = inputs
    if others or x.value.ndim != 3 or x.value.shape[1] < 2 or x.value.shape[2] > MOST_TYPED:
        return ""
    typed = _typed((Tensor(x.value[:1, :1], x.text[:1, :1]),))
    return f"symgru diagnose MODEL --input {typed} --claimed ..."


def _loaded(path: Path) -> list[str]:
    return [f"model = keras.saving.load_model({str(path)!r})"]


def _keras(build: list[str], network: Network, inputs: Sequence[Tensor], command: str) -> Script:
    fed, names = _fed(inputs, f", dtype={network.dtype!r}", "np")
    x = names[0] if len(names) == 1 else "[" + ", ".join(names) + "]"
    lines = (
        "import keras, numpy as np",
        f"np.set_printoptions(precision={_digits(network)}, threshold=10**6)  # all digits of a {network.dtype}",
        *build,
        *fed,
        "print(model.get_weights())",
        f"print(model.predict({x}, verbose=0))",
    )
    return Script("keras", lines, _command(command, inputs), bool(build))


def _torch(network: Network, inputs: Sequence[Tensor]) -> Script:
    layer = _only_gru(network)
    fed, names = _fed(inputs, f", dtype=torch.{network.dtype}", "torch")
    lines = [
        "import torch",
        f"torch.set_printoptions(precision={_digits(network)}, threshold=10**6)  # all digits of a {network.dtype}",
    ]
    if layer is not None:
        units, features = layer.weights["U_z"].value.shape[0], layer.weights["W_z"].value.shape[1]
        more = "" if layer.options.get("use_bias", True) else ", bias=False"
        more += "" if network.dtype == "float32" else f", dtype=torch.{network.dtype}"
        lines.append(f"model = torch.nn.GRU({features}, {units}, batch_first=True{more}){OWN}")
    lines += [
        "model.eval()",
        *fed,
        "with torch.no_grad():",
        "    print(model.state_dict())",
        f"    print(model({', '.join(names)}))",
        'torch.save(model.state_dict(), "model.pt")',
    ]
    return Script("torch", tuple(lines), _command("symgru run model.pt" if layer else "", inputs), layer is not None)


def _digits(network: Network) -> int:
    """Significant digits that tell every number of the network's dtype from the others."""
    return 17 if network.dtype == "float64" else 9


def _only_gru(network: Network) -> Layer | None:
    """The layer of a network that is one nn.GRU."""
    try:
        layer = only_layer(network)
    except SymgruError:
        return None
    return layer if layer.kind == "gru" and torch.knows(network) else None


def _fed(inputs: Sequence[Tensor], dtype: str, module: str) -> tuple[list[str], list[str]]:
    """A line for each input, and their names. One that is too long to be typed is replaced by numbers in a row."""
    array = "array" if module == "np" else "tensor"
    names = ["x"] if len(inputs) == 1 else [f"x{k + 1}" for k in range(len(inputs))]
    lines = []
    for name, x in zip(names, inputs, strict=True):
        kind = dtype if x.value.dtype.kind == "f" else ""  # whole numbers stay whole
        if x.value.size <= MOST_TYPED:
            lines.append(f"{name} = {module}.{array}({_nested(x.text.tolist())}{kind})")
        else:
            row = f"{module}.linspace(-1, 1, {x.value.size}{dtype}).reshape({tuple(x.value.shape)})"
            lines.append(f"{name} = {row}  # or your own input")
    return lines, names


def _nested(texts: object) -> str:
    """Nested lists of numbers as typed."""
    if isinstance(texts, list):
        return "[" + ", ".join(map(_nested, texts)) + "]"
    return str(texts)


def _command(command: str, inputs: Sequence[Tensor]) -> str:
    typed = _typed(inputs)
    return f"{command} --input {typed}" if command and typed else ""


def _typed(inputs: Sequence[Tensor]) -> str:
    """The input on a command line; "" where there are several or too many numbers."""
    if len(inputs) != 1 or inputs[0].value.size > MOST_TYPED or inputs[0].value.shape[0] != 1:
        return ""
    (x,) = inputs
    if x.value.ndim == 3 and x.value.shape[2] == 1:
        return _shell(",".join(map(str, x.text.ravel())))
    return _shell(_nested(x.text[0].tolist()).replace(" ", ""))


def _shell(word: str) -> str:
    return shlex.quote(word)
