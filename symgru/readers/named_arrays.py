"""Arrays by their names, as Flax, Haiku, Equinox, MLX, Paddle or TensorFlow 1 give them: which layers they are follows
from the names, and which comes after which from their widths.

An architecture says what names and shapes cannot: {"convention": "flax", or in words {"gates": "rzn", "kernel": "rows",
"bias": "two", "reset": "after", "update": "keep"}, "layers": ["GRUCell_0", {"name": "Dense_0", "activation": "relu"}],
"dtype": "float64", "activation": "relu", "recurrent_activation": "hard_sigmoid", "return_sequences": true}.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from symgru.conventions import CONVENTIONS, DENSE, TABLE, Convention, options, sizes, spelled, split
from symgru.errors import Unsupported, UnusableInput
from symgru.network import Call, Edge, Input, Layer, Network, Tensor, safe_id
from symgru.readers.array_names import Path, paths_of, tokens
from symgru.readers.assemble import Spec, named, network, within
from symgru.readers.checks import MAX_NUMBERS, boolean, dtype_name, mapping, only, printable
from symgru.readers.conventions import activation
from symgru.readers.decimals import shape_of, tensor
from symgru.readers.order import order

MAX_ARRAYS = 512
ASKED = ("convention", "layers", "dtype", "activation", "recurrent_activation", "return_sequences")
OWN = ("name", "convention", "activation", "recurrent_activation", "return_sequences")
WORDS = ("gates", "kernel", "bias", "reset", "update")
SAY = 'say which with a convention, such as {"convention": "torch"} (symgru show --conventions lists them)'
INNER = {path[-2] for c in TABLE for name in c.arrays if len(path := tokens(name)) == 2} - {"w", "u"}  # parts of a cell
EVERY = "the layers give every time step, as they do there; the option return_sequences=false asks for the last alone"
TABLES = ("embedding", "embeddings")


@dataclass(frozen=True)
class Group:
    """Arrays that are one layer: each by its name in the convention."""

    label: str
    convention: Convention
    arrays: Mapping[str, Tensor]
    own: Mapping[str, object] = field(default_factory=dict)

    @property
    def widths(self) -> tuple[int, int]:
        """Features and units."""
        units, features = sizes(self.convention, self.arrays)
        return features, units


def from_named(
    arrays: Mapping[str, object],
    architecture: Mapping[str, object] | None,
    *,
    name: str,
    origin: str,
    notes: Sequence[str] = (),
) -> Network:
    """The network of arrays by their framework's names; values are arrays or nested lists.

    Raises UnusableInput where the names or shapes fit no layer, or more than one.
    """
    asked = mapping(architecture or {}, "the architecture")
    only(asked, ASKED, "the architecture")
    if not 1 <= len(arrays) <= MAX_ARRAYS:
        raise UnusableInput(f"there are {len(arrays)} arrays; from 1 to {MAX_ARRAYS} are read")
    dtype, said = _dtype(arrays, asked)
    paths = paths_of(arrays)
    if sum(int(np.prod(shape_of(arrays[key], printable(key)), dtype=object)) for key in paths.values()) > MAX_NUMBERS:
        raise UnusableInput(f"the arrays hold more than {MAX_NUMBERS} numbers")
    tensors = {path: tensor(arrays[key], dtype, printable(key)) for path, key in paths.items()}
    tables = {path: tensors.pop(path) for path in list(tensors) if path[-1] in TABLES}
    chosen = _convention(asked.get("convention"), "the architecture's convention")
    groups = list(_groups(tensors, (), chosen or _telling(tensors)))
    _check_directions(groups)
    groups, more = _ordered(groups, asked)
    last = max((k for k, group in enumerate(groups) if group.convention.cell != "dense"), default=-1)
    specs = [_spec(group, asked, last=k == last) for k, group in enumerate(groups)]
    if last >= 0 and "return_sequences" not in asked and not groups[last].convention.last:
        more.append(EVERY)
    made = network(specs, dtype=dtype, name=name, origin=origin, notes=[*notes, *said, *more])
    return _embedded(made, tables)


def layer(convention: object, label: str, own: Mapping[str, object], weights: Mapping[str, Any], dtype: str) -> Spec:
    """One layer of a JSON file whose weights are a framework's arrays by name."""
    chosen = _convention(convention, "convention")
    if chosen is None:
        raise UnusableInput(f"{named(label)}: its convention is null; {SAY}")
    arrays = {"/".join(tokens(key)): tensor(data, dtype, printable(key)) for key, data in weights.items()}
    by_name = {"/".join(tokens(name)): name for name in chosen.arrays}
    return _spec(Group(label, chosen, {by_name.get(key, key): array for key, array in arrays.items()}, own), {})


def _dtype(arrays: Mapping[str, object], asked: Mapping[str, object]) -> tuple[str, list[str]]:
    if "dtype" in asked:
        return dtype_name(asked["dtype"], "the architecture's dtype"), []
    found = {str(a.dtype) for a in arrays.values() if isinstance(a, np.ndarray) and a.dtype.kind == "f"}
    halves = sorted(found & {"float16"})
    notes = ["the weights are stored in half precision; symgru computes in float32 with them"] if halves else []
    return ("float64" if found == {"float64"} else "float32"), notes


def _convention(value: object, what: str) -> Convention | None:
    """A convention by its name in the table, or in words."""
    if value is None or isinstance(value, Convention):
        return value
    if isinstance(value, str):
        if value not in CONVENTIONS:
            known = ", ".join(CONVENTIONS)
            raise UnusableInput(f"{what} '{printable(value)}' is not known; known are {known}")
        return CONVENTIONS[value]
    words = mapping(value, what)
    only(words, (*WORDS, "arrays"), what)
    missing = [word for word in WORDS if word not in words]
    if missing:
        raise UnusableInput(f"{what} does not say {', '.join(missing)}; in words it has {', '.join(WORDS)}")
    given = words.get("arrays")
    names: list[str] = ["kernel", "recurrent_kernel", "bias", "recurrent_bias"]
    if given is not None:
        if not isinstance(given, list | tuple) or not all(isinstance(n, str) and _plain(n) for n in given):
            raise UnusableInput(f"{what}: its arrays must be a list of names: {', '.join(names)} or those of the file")
        names = [*given, *names[len(given) :]]
    gates, kernel, bias, reset, update = (str(words[word]) for word in WORDS)
    return spelled(gates, kernel, bias, reset, update, (names[0], names[1], names[2], names[3]))


def _plain(name: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z_][\w/.]{0,60}", name, re.ASCII))


def _telling(tensors: Mapping[Path, Tensor]) -> Convention | None:
    """The convention that one layer's arrays show alone; Linear layers of other frameworks are then ruled out."""
    last = {path[-1] for path in tensors}
    return next((CONVENTIONS[name] for name, sign in (("mlx", "bhn"), ("equinox", "bias_n")) if sign in last), None)


def _groups(tensors: Mapping[Path, Tensor], prefix: Path, chosen: Convention | None) -> Iterator[Group]:
    """The layers below a prefix: all that lies there is one, or each part is for itself."""
    below = {path[len(prefix) :]: array for path, array in tensors.items() if path[: len(prefix)] == prefix}
    convention = _matching(below, prefix, chosen)
    label = "/".join(prefix)
    if convention:
        by_path = {tokens(name): name for name in convention.arrays}
        yield Group(label or convention.name, convention, {by_path[path]: array for path, array in below.items()})
        return
    parts = dict.fromkeys(path[0] for path in below)
    loose = {path: array for path, array in below.items() if len(path) == 1}
    if loose and len(loose) < len(below):
        yield from _groups({(*prefix, *path): array for path, array in loose.items()}, prefix, chosen)
    elif loose or len(INNER.intersection(parts)) > 1:
        raise UnusableInput(_unknown(below, prefix))
    for part in parts:
        if (part,) not in loose:
            yield from _groups(tensors, (*prefix, part), chosen)


def _matching(below: Mapping[Path, Tensor], prefix: Path, chosen: Convention | None) -> Convention | None:
    """The one convention that the names and shapes below a prefix fit."""
    if chosen and _names_fit(chosen, below):
        return chosen
    others = "torch_linear" if chosen and chosen.name == "paddle" else "paddle_linear" if chosen else ""
    known = [c for c in ((*DENSE,) if chosen else (*TABLE, *DENSE)) if c.name != others and _names_fit(c, below)]
    fitting: dict[object, Convention] = {}
    errors = []
    for c in known:
        arrays = {name: below[path] for name in c.arrays if (path := tokens(name)) in below}
        try:
            sizes(c, arrays)
        except UnusableInput as error:
            errors.append(error)
        else:  # conventions that agree in what is there are one
            fitting.setdefault((c.cell, *(c.equation(name) for name in arrays)), c)
    if errors and not fitting:
        with within(named("/".join(prefix) or known[0].name)):
            raise errors[0]
    if len(fitting) > 1:
        titles = " or ".join(c.title for c in fitting.values())
        raise UnusableInput(f"{named('/'.join(prefix) or 'the arrays')}: may be {titles}; {SAY}")
    return next(iter(fitting.values()), None)


def _names_fit(convention: Convention, below: Mapping[Path, Tensor]) -> bool:
    names = {tokens(name) for name in convention.arrays}
    bare = {tokens(name) for name in convention.arrays if name not in convention.biases}
    return set(below) == names or (convention.optional and set(below) == bare)


def _unknown(below: Mapping[Path, Tensor], prefix: Path) -> str:
    place = f"'{printable('/'.join(prefix))}'" if prefix else "the file"
    listed = printable(", ".join("/".join(path) for path in below), 120)
    if {"ig", "hg"} <= {path[0] for path in below}:
        return f"{place} holds {listed}: an LSTM's arrays; symgru reads GRUs"
    return f"{place} holds {listed}, which are not the arrays of one layer that symgru knows; {SAY}"


def _ordered(groups: list[Group], asked: Mapping[str, object]) -> tuple[list[Group], list[str]]:
    """The layers as the architecture lists them, else in the one order in which their widths fit."""
    if "layers" not in asked:
        found = order([group.label for group in groups], [group.widths for group in groups])
        ordered = [groups[k] for k in found]
        names = ", ".join(f"{printable(g.label, 40)} ({g.convention.title})" for g in ordered)
        return ordered, [f"the layers are, by their arrays' names and widths: {names}"]
    layers = asked["layers"]
    if not isinstance(layers, list | tuple):
        raise UnusableInput("the architecture's layers must be a list")
    ordered = []
    for k, entry in enumerate(layers):
        own = {"name": entry} if isinstance(entry, str) else mapping(entry, f"layer {k + 1} of the architecture")
        only(own, OWN, f"layer {k + 1} of the architecture")
        ordered.append(_chosen(groups, own, k))
    left = [group.label for group in groups if group.label not in {g.label for g in ordered}]
    if left:
        raise UnusableInput(f"the architecture does not list the layer '{printable(left[0])}'")
    return ordered, []


def _check_directions(groups: Sequence[Group]) -> None:
    """The names of PyTorch and Paddle tell a backward direction; a chain of layers has none."""
    backward = next((g.label for g in groups if g.label.endswith("_reverse")), None)
    if backward:
        raise Unsupported(
            f"{named(backward)}: is the backward direction of a bidirectional GRU; symgru reads those by name from "
            ".safetensors or .pt"
        )


def _chosen(groups: Sequence[Group], own: Mapping[str, object], k: int) -> Group:
    wanted = own.get("name")
    label = "/".join(tokens(wanted)) if isinstance(wanted, str) else ""
    fits = [g for g in groups if label and (g.label == label or f"/{g.label}".endswith(f"/{label}"))]
    if len(fits) != 1:
        known = printable(", ".join(g.label for g in groups), 120)
        raise UnusableInput(f"layer {k + 1} of the architecture, '{printable(wanted)}', is not one of {known}")
    (group,) = fits
    other = _convention(own.get("convention"), f"the convention of layer {k + 1}")
    return replace(group, own=own, convention=other or group.convention)


def _spec(group: Group, asked: Mapping[str, object], last: bool = True) -> Spec:
    convention, recurrent = group.convention, group.convention.cell != "dense"
    with within(named(group.label)):
        features, units = group.widths
        weights = split(convention, group.arrays)
        full = options(convention, weights)
        common = asked if recurrent else {}
        for key in ("activation", "recurrent_activation"):
            if key in common or key in group.own:
                _choose(convention, full, key, group.own.get(key, common.get(key)))
        given = group.own.get("return_sequences", common.get("return_sequences") if last else None)
        if given is None and last and not convention.last:
            given = True
        if recurrent and given is not None:
            full["return_sequences"] = boolean(given, "return_sequences")
    return Spec(convention.kind, group.label, full, weights, features, units, recurrent, _notes(group))


def _choose(convention: Convention, full: dict[str, object], key: str, value: object) -> None:
    """Another activation, where the framework lets one choose."""
    if key not in full:
        raise UnusableInput(f"{convention.title} has no {key}")
    chosen = activation(value, key)
    if convention.fixed and chosen != full[key]:
        raise UnusableInput(f"{key} is '{printable(chosen)}'; {convention.title} always has {full[key]}")
    full[key] = chosen


def _notes(group: Group) -> tuple[str, ...]:
    convention = group.convention
    if convention.cell == "dense":
        if "activation" in group.own:
            return ()
        return ("weights do not say which activation follows, and linear is assumed; an architecture can give one",)
    return (convention.read_as(group.arrays), *convention.notes)


def _embedded(made: Network, tables: Mapping[Path, Tensor]) -> Network:
    """The network with an embedding in front."""
    if not tables:
        return made
    if len(tables) > 1:
        raise Unsupported(f"has {len(tables)} embeddings; symgru reads one, before the first layer")
    ((path, table),) = tables.items()
    label = "/".join(path[:-1]) or "embedding"
    if table.value.ndim != 2 or table.value.shape[1] != made.features:
        raise UnusableInput(
            f"{named(label)}: its table has shape {table.value.shape}; the next layer takes {made.features} features"
        )
    ident = safe_id(label, set(made.layers), "embedding")
    first, *others = made.calls
    return replace(
        made,
        layers={ident: Layer(ident, label, "embed", {}, {"E": table}), **made.layers},
        calls=(Call(ident, ident, (Edge("x", "input"),)), replace(first, args=(Edge(ident),)), *others),
        inputs=(Input("x", (None,), whole=True),),
    )
