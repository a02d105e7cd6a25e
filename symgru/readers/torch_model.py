"""A live PyTorch module, by its own methods alone: torch is not imported here.

Its class and options say what each module of torch.nn does; what a module of the user's own does with them, its forward
alone knows, and an architecture must say it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, cast

import numpy as np

from symgru.errors import SymgruError, Unsupported, UnusableInput
from symgru.network import Array, Network
from symgru.readers import torch_layers, torch_trace
from symgru.readers.assemble import named, within
from symgru.readers.checks import mapping, printable
from symgru.readers.torch_arrays import Lazy
from symgru.readers.torch_layers import WANTED

Entry = dict[str, object]
FOLLOWED = "what the model's forward does was followed by torch.fx, and its numbers compared on a random input"
HOOKS = ("_forward_hooks", "_forward_pre_hooks")


def is_module(source: object) -> bool:
    """A torch module, judged by its methods."""
    return callable(getattr(source, "state_dict", None)) and callable(getattr(source, "named_modules", None))


def read_module(module: Any, architecture: Mapping[str, object] | None) -> Network:
    """The network that a live module computes: a module of torch.nn, an nn.Sequential of them, one whose forward
    torch.fx can follow, or any module with an architecture (torch_layers.network), whose entries get their options from
    the modules that they name.

    Raises Unsupported for a module whose forward is not known, UnusableInput for a description that contradicts it.
    """
    asked = dict(mapping(architecture or {}, "the architecture"))
    for name, each in module.named_modules():
        if any(getattr(each, hook, None) for hook in HOOKS):
            raise Unsupported(f"{named(name or 'model')}: has hooks, whose code symgru cannot follow; remove them")
        if "forward" in vars(each) and (each is not module or "layers" not in asked):
            raise Unsupported(
                f"{named(name or 'model')}: its forward was exchanged for another than its class has; describe it "
                f"with an architecture, such as {_advice(module)}"
            )
    if "layers" in asked:
        asked["layers"] = [_completed(module, entry) for entry in _entries(asked["layers"])]
    elif _is_torch(module):
        asked["layers"] = list(_followed(module, ""))
    else:
        return _traced(module, asked)
    return _network(module, asked)


def _network(module: Any, asked: Mapping[str, object], notes: tuple[str, ...] = ()) -> Network:
    name = type(module).__name__
    return torch_layers.network(_tensors(module), asked, name=name, origin=printable(name), notes=notes)


def _traced(module: Any, asked: Entry) -> Network:
    """A module with a forward of its own, if torch.fx can follow it and the numbers agree."""
    try:
        followed = torch_trace.architecture(module, _described)
        network = _network(module, {**followed, **asked}, (FOLLOWED,))
        torch_trace.compare(module, network)
    except SymgruError as error:
        raise Unsupported(
            f"what the forward of {printable(type(module).__name__)} does is not known: {error}; describe the model "
            f"with an architecture, such as {_advice(module)}"
        ) from None
    return network


def _tensors(module: Any) -> dict[str, Lazy]:
    found = {}
    for name, tensor in module.state_dict().items():
        dtype = str(getattr(tensor, "dtype", None)).removeprefix("torch.")
        if not callable(getattr(tensor, "numpy", None)) or getattr(tensor, "is_meta", False):
            raise Unsupported(f"{printable(name)} in the state_dict is no tensor with numbers")
        found[name] = Lazy(tuple(tensor.shape), dtype, partial(_numbers, name, tensor, dtype))
    return found


def _numbers(name: str, tensor: Any, dtype: str) -> Array:
    try:
        held = tensor.detach().cpu()
        return np.array(held.float().numpy() if dtype in ("float16", "bfloat16") else held.numpy())
    except (RuntimeError, TypeError, NotImplementedError):
        raise Unsupported(f"{printable(name)} is a tensor that has no NumPy array: sparse or quantised") from None


def _entries(given: object) -> list[Entry]:
    if not isinstance(given, list | tuple):
        raise UnusableInput("the architecture's layers must be a list")
    return [dict(mapping(entry, f"layer {k + 1} of the architecture")) for k, entry in enumerate(given)]


def _completed(module: Any, entry: Entry) -> Entry:
    """An entry with the options of the module that it names; what it says itself must agree with them."""
    modules = dict(module.named_modules())
    name = entry.get("name", "" if entry.get("kind") in torch_layers.WEIGHTS else None)
    if not isinstance(name, str) or name not in modules:
        return entry
    known = _described(modules[name], name)
    if known is None:
        return entry
    for key, value in known.items():
        if key in entry and key not in WANTED and entry[key] != value:
            raise UnusableInput(
                f"{named(name)}: the architecture says {printable(key)} {printable(repr(entry[key]))}; the module has "
                f"{printable(repr(value))}"
            )
    return {**known, **entry}


def _followed(module: Any, name: str, *, last: bool = True) -> Iterator[Entry]:
    """The entries of a module of torch.nn, or of an nn.Sequential of them. `last`: nothing comes after."""
    if _is_torch(module) and type(module).__name__ == "Sequential":
        children = [(f"{name}.{key}" if name else key, child) for key, child in module.named_children()]
        for k, (label, child) in enumerate(children):
            ends = last and k + 1 == len(children)
            if type(child).__name__ in ("GRU", "RNN") and _is_torch(child) and not ends:
                raise Unsupported(
                    f"{named(label)}: nn.{type(child).__name__} gives a tuple, so that PyTorch itself fails at the "
                    f"layer behind it; describe the model with an architecture, such as {_advice(module)}"
                )
            yield from _followed(child, label, last=ends)
        return
    with within(named(name or type(module).__name__)):
        entry = _described(module, name)
        if entry is None:
            raise Unsupported(
                f"what the forward of {printable(type(module).__name__)} does is not known; describe the model with an "
                f"architecture, such as {_advice(module)}"
            )
        yield entry


def _advice(module: Any) -> str:
    """A description to start from: the modules in the order in which they were made."""
    parts: list[Entry] = []
    for name, each in module.named_modules():
        entry = _described(each, name)
        if entry and entry["kind"] not in ("dropout", "identity"):
            parts.append({key: value for key, value in entry.items() if key in ("kind", "name", "activation")})
    return printable(json.dumps({"layers": parts[:12]}), 600)


def _is_torch(module: Any) -> bool:
    """A class of torch.nn itself: a subclass may have another forward."""
    return type(module).__module__.startswith("torch.nn.modules.")


def _described(module: Any, name: str) -> Entry | None:
    """What a module of torch.nn does, as an entry of an architecture; None for what is not known."""
    if not _is_torch(module):
        return None
    kind = type(module).__name__
    if kind in MODULES:
        found = MODULES[kind](module)
        return None if found is None else {**found, "name": name}
    if kind in ACTIVATIONS:
        given = ACTIVATIONS[kind](module)
        own = given if isinstance(given, dict) else {"activation": given}
        return {"kind": "activation", "name": name, **own}
    return None


def _recurrent(kind: str, module: Any) -> Entry:
    found: Entry = {"kind": kind, "bias": bool(module.bias)}
    if not kind.endswith("_cell"):
        found |= {"batch_first": bool(module.batch_first), "dropout": float(module.dropout)}
        found |= {"num_layers": int(module.num_layers), "bidirectional": bool(module.bidirectional)}
    if kind.startswith("rnn"):
        found["nonlinearity"] = str(module.nonlinearity)
    return found


def _embedding(module: Any) -> Entry:
    if module.max_norm is not None:
        raise Unsupported("max_norm rescales the table in use; it is not read")
    return {"kind": "embedding"}


def _layer_norm(module: Any) -> Entry:
    if len(module.normalized_shape) != 1:
        raise Unsupported(f"normalises {len(module.normalized_shape)} axes; one is read")
    return {"kind": "layer_norm", "eps": float(module.eps)}


def _batch_norm(module: Any) -> Entry:
    if module.running_mean is None:
        raise Unsupported("track_running_stats is False: it normalises each batch by its own mean, in inference too")
    return {"kind": "batch_norm", "eps": float(module.eps)}


def _flatten(module: Any) -> Entry:
    if (module.start_dim, module.end_dim) != (1, -1):
        raise Unsupported("flattens other axes than all but the batch")
    return {"kind": "flatten"}


MODULES: Mapping[str, Callable[[Any], Entry | None]] = {
    "GRU": partial(_recurrent, "gru"),
    "GRUCell": partial(_recurrent, "gru_cell"),
    "RNN": partial(_recurrent, "rnn"),
    "RNNCell": partial(_recurrent, "rnn_cell"),
    "Linear": lambda module: {"kind": "linear"},
    "Embedding": _embedding,
    "LayerNorm": _layer_norm,
    "BatchNorm1d": _batch_norm,
    "PReLU": lambda module: {"kind": "prelu"},
    "Flatten": _flatten,
    "Identity": lambda module: {"kind": "identity"},
    **dict.fromkeys(
        ("Dropout", "Dropout1d", "AlphaDropout", "FeatureAlphaDropout"), lambda module: {"kind": "dropout"}
    ),
}
ACTIVATIONS: Mapping[str, Callable[[Any], object]] = {
    "ReLU": lambda m: "relu",
    "ReLU6": lambda m: "relu6",
    "LeakyReLU": lambda m: ["leaky_relu", float(m.negative_slope)],
    "ELU": lambda m: ["elu", float(m.alpha)],
    "CELU": lambda m: ["celu", float(m.alpha)],
    "SELU": lambda m: "selu",
    "GELU": lambda m: "gelu_erf" if m.approximate == "none" else "gelu_tanh",
    "SiLU": lambda m: "silu",
    "Mish": lambda m: "mish",
    "Sigmoid": lambda m: "sigmoid",
    "LogSigmoid": lambda m: "log_sigmoid",
    "Tanh": lambda m: "tanh",
    "Tanhshrink": lambda m: "tanh_shrink",
    "Hardtanh": lambda m: ["clip", float(m.min_val), float(m.max_val)],
    "Hardsigmoid": lambda m: "hard_sigmoid",
    "Hardswish": lambda m: "hard_silu",
    "Hardshrink": lambda m: ["hard_shrink", float(m.lambd)],
    "Softshrink": lambda m: ["soft_shrink", float(m.lambd)],
    "Softsign": lambda m: "softsign",
    "Softmax": lambda m: {"activation": "softmax", "dim": cast(int, m.dim)},
    "LogSoftmax": lambda m: {"activation": "log_softmax", "dim": cast(int, m.dim)},
    "Softplus": lambda m: "softplus" if m.beta == 1 else ["softplus", float(m.beta)],
}
