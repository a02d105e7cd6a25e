"""What the forward of a live module does, followed by torch.fx, as an architecture.

torch.fx runs forward once with stand-ins for the arrays and records what is done with them. Only what the table below
knows is taken; torch_model compares the network with the module's own numbers before it is handed out. Anything else
(control flow that depends on numbers, packed sequences, transposed arrays) needs an architecture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from symgru.errors import Unsupported
from symgru.network import Network, Tensor
from symgru.readers.checks import printable

Entry = dict[str, object]
Describe = Callable[[Any, str], Entry | None]
ACTIVATIONS = {  # functions and methods of torch without numbers of their own
    "relu": "relu",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "silu": "silu",
    "selu": "selu",
    "mish": "mish",
    "softsign": "softsign",
    "logsigmoid": "log_sigmoid",
    "hardswish": "hard_silu",
    "hardsigmoid": "hard_sigmoid",
    "relu6": "relu6",
}
ALONG = ("softmax", "log_softmax")
JOINED = {"add": "add", "mul": "multiply"}
RECURRENT = ("gru", "rnn")
UNNAMED = ("activation", "last", "mean", "flatten", "dropout", "identity", "concatenate", "add", "multiply")
STEPS = 5  # of the random input
SAME = ("dropout", "contiguous", "detach", "clone")


@dataclass(frozen=True)
class _Of:
    """Something of a recurrent module that is no single value: what it returns, its h_n, or one row of h_n."""

    what: str
    name: str
    row: int = 0


def architecture(module: Any, describe: Describe) -> dict[str, object]:
    """Layers and outputs as torch_layers.network takes them. Raises Unsupported where forward cannot be followed."""
    try:
        graph = import_module("torch.fx").symbolic_trace(module).graph
    except Exception as error:
        # whatever a user's forward raises when it is given a stand-in for an array
        raise Unsupported(f"torch.fx cannot follow it ({printable(type(error).__name__, 40)})") from None
    return _Trace(module, describe).follow(graph.nodes)


def _plain(entries: list[Entry], outputs: list[str]) -> dict[str, object]:
    """The same without the names that nobody needs, so that a chain of layers is described as one."""

    def used() -> set[object]:
        given = (entry.get("from", []) for entry in entries)
        return {*outputs, *(name for each in given for name in (each if isinstance(each, list) else [each]))}

    for entry in entries:
        if entry["kind"] in RECURRENT and entry["name"] not in used():
            entry["output"] = "h_n"
    before = "x"
    for entry in entries:
        if entry["from"] == before:
            del entry["from"]
        before = f"{entry['name']}.last_state" if entry.get("output") == "h_n" else str(entry["name"])
    ends = [] if outputs == [before] else outputs
    outputs = ends
    for entry in entries:
        if entry["kind"] in UNNAMED and entry["name"] not in used():
            del entry["name"]
    return {"layers": entries, "outputs": ends}


class _Trace:
    def __init__(self, module: Any, describe: Describe) -> None:
        self.modules, self.describe = dict(module.named_modules()), describe
        self.entries: list[Entry] = []
        self.known: dict[Any, str | _Of] = {}
        self.names: set[str] = {"x"}
        self.both: dict[str, bool] = {}

    def follow(self, nodes: Sequence[Any]) -> dict[str, object]:
        for node in nodes:
            if node.op == "output":
                given = node.args[0]
                ends = given if isinstance(given, tuple | list) else (given,)
                return _plain(self.entries, [self.value(end, states=True) for end in ends])
            found = self.step(node)
            if found is None:
                raise Unsupported(
                    f"its forward does what is not read: {printable(node.format_node() or node.name, 100)}"
                )
            self.known[node] = found
        raise Unsupported("its forward gives nothing back")

    def value(self, node: Any, *, states: bool = False) -> str:
        """The name of a value in the architecture."""
        found = self.known.get(node) if hasattr(node, "op") else None
        if isinstance(found, str) and found:
            return found
        if isinstance(found, _Of) and found.what == "row" and found.row == -1 and not self.both[found.name]:
            return f"{found.name}.last_state"
        if isinstance(found, _Of) and states:
            raise Unsupported("gives back h_n, or all that a recurrent module returns")
        raise Unsupported("uses a value that is not followed")

    def step(self, node: Any) -> str | _Of | None:
        if node.op == "placeholder":
            return self.input(node)
        if node.op == "call_module":
            return self.module(node)
        if node.op not in ("call_function", "call_method"):
            return None
        name = node.target if node.op == "call_method" else getattr(node.target, "__name__", "")
        if name == "getitem":
            return self.item(node)
        if name in SAME:
            return self.value(node.args[0])
        if name in ("cat", "concat"):
            return self.together(node)
        if name in JOINED and len(node.args) == 2 and all(hasattr(arg, "op") for arg in node.args):
            return self.add(node.name, {"kind": JOINED[name]}, list(map(self.value, node.args)))
        return self.function(node, str(name))

    def input(self, node: Any) -> str | None:
        """The first argument is x; others must not be used."""
        if not self.known:
            return "x"
        return "" if not node.users else None

    def add(self, name: str, entry: Mapping[str, object], given: list[str]) -> str:
        """One more layer under a name that no value has."""
        if name in self.names:
            raise Unsupported(f"calls {printable(name)} twice")
        self.names.add(name)
        self.entries.append({**entry, "name": name, "from": given if len(given) > 1 else given[0]})
        return name

    def module(self, node: Any) -> str | _Of | None:
        name = str(node.target)
        entry = self.describe(self.modules[name], name)
        if entry is None or len(node.args) != 1 or node.kwargs:
            return None
        if entry["kind"] in RECURRENT:
            if entry["batch_first"] is not True:
                raise Unsupported(f"{printable(name)} has batch_first=False, with which axes are not followed")
            self.both[name] = bool(entry["bidirectional"])
            return _Of("pair", self.add(name, entry, [self.value(node.args[0])]))
        if str(entry["kind"]).endswith("_cell"):
            return None
        return self.add(name, entry, [self.value(node.args[0])])

    def item(self, node: Any) -> str | _Of | None:
        """(output, h_n)[k], h_n[-1], output[:, -1]."""
        source, index = node.args
        found = self.known.get(source)
        if isinstance(found, _Of):
            if found.what == "pair" and index in (0, 1) and isinstance(index, int):
                return _Of("states", found.name) if index else found.name
            if found.what == "states" and index in (-1, -2) and isinstance(index, int):
                return _Of("row", found.name, index)
            return None
        all_ = slice(None)
        if isinstance(found, str) and index in ((all_, -1), (all_, -1, all_)):
            return self.add(node.name, {"kind": "last"}, [found])
        return None

    def together(self, node: Any) -> str | None:
        """torch.cat of values along their last axis, or of both directions' final states."""
        given, dim = node.args[0], node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else 0)
        rows = [self.known.get(each) for each in given]
        if all(isinstance(row, _Of) and row.what == "row" for row in rows) and dim in (1, -1) and len(rows) == 2:
            first, second = rows
            if isinstance(first, _Of) and isinstance(second, _Of) and first.name == second.name:
                right = self.both[first.name] and (first.row, second.row) == (-2, -1)
                return f"{first.name}.last_state" if right else None
        if dim not in (-1, 1, 2):
            return None
        return self.add(node.name, {"kind": "concatenate"}, list(map(self.value, given)))

    def function(self, node: Any, name: str) -> str | None:
        given, more = (
            node.args[1:],
            {key: value for key, value in node.kwargs.items() if key not in ("inplace", "_stacklevel")},
        )
        if name in ACTIVATIONS and not given and not more:
            return self.add(
                node.name, {"kind": "activation", "activation": ACTIVATIONS[name]}, [self.value(node.args[0])]
            )
        if name == "gelu" and not given and more.get("approximate", "none") == "none":
            return self.add(node.name, {"kind": "activation", "activation": "gelu_erf"}, [self.value(node.args[0])])
        dim = more.get("dim", given[0] if given else None)
        if name in ALONG and isinstance(dim, int) and more.get("dtype") is None:
            entry = {"kind": "activation", "activation": name, "dim": dim}
            return self.add(node.name, entry, [self.value(node.args[0])])
        if name == "mean" and dim == 1 and not more.get("keepdim"):
            return self.add(node.name, {"kind": "mean"}, [self.value(node.args[0])])
        return None


def compare(module: Any, network: Network) -> None:
    """Raise Unsupported where the network gives other numbers than the module on a random input, in inference."""
    from symgru.domains import Float64
    from symgru.trace import run

    torch, chance = import_module("torch"), np.random.default_rng(0)
    (put,) = network.inputs
    tables = [layer.weights["E"].value for layer in network.layers.values() if layer.kind == "embed"]
    if put.whole:
        x = chance.integers(0, len(tables[0]), (2, STEPS))
    else:
        x = chance.standard_normal((2, STEPS, network.features)).astype(network.dtype)
    training = module.training
    try:
        with torch.no_grad():
            found = module.eval()(torch.from_numpy(x))
            theirs = [y.numpy() for y in (found if isinstance(found, tuple | list) else (found,))]
    except Exception as error:
        # whatever a user's forward raises
        raise Unsupported(f"its forward fails on {x.shape}: {printable(str(error), 80)}") from None
    finally:
        module.train(training)
    ours = run(network, Tensor(x.astype(np.float64)), Float64()).outputs
    limit = 1e-4 if network.dtype == "float32" else 1e-8
    if [y.shape for y in ours] != [y.shape for y in theirs] or not all(
        np.allclose(a, b, limit, limit) for a, b in zip(ours, theirs, strict=True)
    ):
        raise Unsupported("what torch.fx says of it gives other numbers than it does itself")
