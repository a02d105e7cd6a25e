"""Which layers a state_dict's names and shapes are, where that leaves no choice; else the description to complete."""

from __future__ import annotations

import json
from collections.abc import Mapping

from symgru.errors import Unsupported, UnusableInput
from symgru.readers.checks import printable
from symgru.readers.torch_arrays import Arrays
from symgru.readers.torch_recurrent import KINDS, kind_of

Entry = dict[str, object]
MAX_ADVICE = 600


def modules(arrays: Arrays) -> list[str]:
    """The modules that hold arrays, in the file's order."""
    return list(dict.fromkeys(name.rpartition(".")[0] for name in arrays))


def guess(arrays: Arrays) -> tuple[list[Entry], list[str]]:
    """The layers that the names can only mean, and what is assumed with them.

    Read without being told: GRUs (or RNNs) one after the other, an embedding before them, one linear layer behind a GRU
    of one direction. Anything more depends on the model's forward: it is refused with the description to complete.
    """
    entries: list[Entry] = []
    for prefix in modules(arrays):
        entries.append(_kind(arrays, prefix, first=not any(entry["kind"] in KINDS for entry in entries)))
    recurrent = [entry for entry in entries if entry["kind"] in KINDS]
    if not recurrent:
        shown = printable(", ".join(modules(arrays)[:12]), 120)
        raise UnusableInput(f"has no GRU: none of its modules ({shown}) holds weight_ih_l0 or weight_ih")
    other = [printable(entry["name"], 40) for entry in entries if entry["kind"] == "unknown"]
    if other:
        raise Unsupported(
            f"{', '.join(other[:8])}: no layer that symgru reads from a state_dict; export the model with torch.onnx, "
            "which writes its other layers too"
        )
    reason = _unclear(arrays, entries, recurrent)
    if reason:
        raise UnusableInput(
            f"a state_dict does not say what the model's forward does: {reason}; describe it with an architecture "
            f"(--architecture F.json), such as {_advice(entries)}"
        )
    notes = ["the file does not say whether batch_first was set; symgru takes and gives (batch, time, features)"]
    if len(entries) > 1:
        notes.insert(0, f"the layers are read, by their names and shapes, as {_said(entries)}")
    if entries[-1]["kind"] == "linear":
        notes.append(
            "the linear layer is applied at every time step; a model that takes the last step gives y[:, -1], and "
            'an activation behind it is not in the file: describe either with an architecture {"layers": […]}'
        )
    if any(entry["kind"].startswith("rnn") for entry in recurrent if isinstance(entry["kind"], str)):
        notes.append("the file does not say which nonlinearity an nn.RNN has; PyTorch's default, tanh, is taken")
    return entries, notes


def _kind(arrays: Arrays, prefix: str, *, first: bool) -> Entry:
    """What a module is, judged by its arrays' names and shapes; `first`: no recurrent module came before."""
    names = arrays.within(prefix)
    if recurrent := kind_of(arrays, prefix):
        return {"kind": recurrent, "name": prefix}
    if "running_mean" in names:
        return {"kind": "batch_norm", "name": prefix}
    axes = len(arrays.shape(names["weight"])) if "weight" in names else 0
    if axes == 2:
        return {"kind": "embedding" if first and "bias" not in names else "linear", "name": prefix}
    return {"kind": "layer_norm" if axes == 1 and "bias" in names else "unknown", "name": prefix}


def _unclear(arrays: Arrays, entries: list[Entry], recurrent: list[Entry]) -> str:
    """What the names leave open; empty where nothing."""
    kinds = [str(entry["kind"]) for entry in entries]
    first = next(k for k, kind in enumerate(kinds) if kind in KINDS)
    inner = kinds[first : first + len(recurrent)]
    before, after = kinds[:first], kinds[first + len(recurrent) :]
    if any(kind not in KINDS for kind in inner) or before not in ([], ["embedding"]) or after not in ([], ["linear"]):
        return f"{_said(entries)} can be put together in many ways"
    both = [entry for entry in recurrent if _both(arrays, str(entry["name"]))]
    if after and both:
        return "behind a bidirectional GRU a linear layer may take the last step or h_n"
    if len(recurrent) > 1 or before or after:
        return _widths(arrays, entries)
    return ""


def _both(arrays: Arrays, prefix: str) -> bool:
    return "weight_ih_l0_reverse" in arrays.within(prefix)


def _widths(arrays: Arrays, entries: list[Entry]) -> str:
    """Whether each layer takes as many features as the one before gives."""
    given = 0
    for entry in entries:
        prefix, kind = str(entry["name"]), str(entry["kind"])
        names = arrays.within(prefix)
        first = "weight" if "weight" in names else "weight_ih" if kind.endswith("_cell") else "weight_ih_l0"
        shape = arrays.shape(names[first])
        if kind != "embedding" and given and shape[1] != given:
            return f"{printable(prefix)} takes {shape[1]} features where {given} come before it"
        if kind in KINDS:
            given = arrays.shape(names[first.replace("ih", "hh")])[1] * (1 + _both(arrays, prefix))
        else:
            given = shape[1] if kind == "embedding" else shape[0]
    return ""


def _said(entries: list[Entry]) -> str:
    return ", ".join(f"{printable(entry['name'], 30)} ({entry['kind']})" for entry in entries[:8]) + ", …" * (
        len(entries) > 8
    )


def _advice(entries: list[Entry]) -> str:
    """A description to start from: the modules in the file's order, the last step behind the last GRU."""
    proposed: list[Mapping[str, object]] = []
    last = max(k for k, entry in enumerate(entries) if entry["kind"] in KINDS)
    for k, entry in enumerate(entries[:12]):
        if entry["kind"] != "unknown":
            proposed.append(entry)
        if k == last and len(entries) > last + 1:
            proposed.append({"kind": "last"})
    return printable(json.dumps({"layers": proposed}), MAX_ADVICE)
