"""Networks of the real PyTorch: modules with a forward of their own, saved in every form that symgru reads.

Each forward below is written with torch alone; the architecture beside it says the same in symgru's words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.conftest import need_package
from tests.frameworks.matrix import Case

FORMS = ("pt", "pth", "safetensors", "live", "checkpoint")
ACTIVATIONS = {  # torch's module, its arguments, and symgru's name
    "ReLU": ((), "relu"),
    "ReLU6": ((), "relu6"),
    "LeakyReLU": ((0.3,), ["leaky_relu", 0.3]),
    "ELU": ((1.5,), ["elu", 1.5]),
    "CELU": ((0.7,), ["celu", 0.7]),
    "SELU": ((), "selu"),
    "GELU": ((), "gelu_erf"),
    "SiLU": ((), "silu"),
    "Mish": ((), "mish"),
    "Sigmoid": ((), "sigmoid"),
    "LogSigmoid": ((), "log_sigmoid"),
    "Tanh": ((), "tanh"),
    "Tanhshrink": ((), "tanh_shrink"),
    "Hardtanh": ((-0.3, 0.4), ["clip", -0.3, 0.4]),
    "Hardsigmoid": ((), "hard_sigmoid"),
    "Hardswish": ((), "hard_silu"),
    "Hardshrink": ((0.1,), ["hard_shrink", 0.1]),
    "Softshrink": ((0.1,), ["soft_shrink", 0.1]),
    "Softsign": ((), "softsign"),
    "Softmax": ((-1,), "softmax"),
    "LogSoftmax": ((-1,), "log_softmax"),
    "Softplus": ((), "softplus"),
    "PReLU": ((), None),
}


@dataclass(frozen=True)
class Options:
    """One network: what surrounds the recurrent module, and what of it is used."""

    seed: int
    kind: str = "GRU"  # GRU, RNN, GRUCell, RNNCell
    dtype: str = "float32"
    form: str = "pt"
    layers: int = 1
    both: bool = False
    bias: bool = True
    batch_first: bool = True
    h0: bool = False
    lengths: bool = False
    take: str = "output"  # output, last, h_n, all
    vocabulary: int = 0
    norm: bool = False  # LayerNorm before the recurrent module, BatchNorm1d behind the linear one
    linear: bool = False
    activation: str = ""
    nonlinearity: str = "tanh"
    units: int = 3
    features: int = 2

    @property
    def id(self) -> str:
        said = [f"{self.seed:03d}", self.kind, self.dtype, self.form, f"l{self.layers}", self.take]
        flags = ("both", "h0", "lengths", "norm", "linear", "vocabulary")
        said += [flag for flag in flags if getattr(self, flag)]
        said += [] if self.bias else ["unbiased"]
        said += [] if self.batch_first else ["time_major"]
        said += [self.nonlinearity] if self.kind.startswith("RNN") else []
        return "-".join([*said, *([self.activation] if self.activation else [])])


def options(seed: int) -> Options:
    """A network drawn from a seed."""
    rng = np.random.default_rng(seed)

    def chance(share: float) -> bool:
        return bool(rng.random() < share)

    kind = str(rng.choice(["GRU", "GRU", "GRU", "GRU", "RNN", "GRUCell", "RNNCell"]))
    cell, lengths = kind.endswith("Cell"), chance(0.3)
    take = str(rng.choice(["output", "last", "h_n", "all"]))
    if take == "last" and lengths or cell and take in ("h_n", "all"):
        take = "output"
    behind = chance(0.5) and take != "all"
    return Options(
        seed=seed,
        kind=kind,
        dtype=str(rng.choice(["float32", "float64"])),
        form=FORMS[seed % len(FORMS)],
        layers=1 if cell else int(rng.integers(1, 4)),
        both=not cell and chance(0.4),
        bias=chance(0.8),
        batch_first=chance(0.6),
        h0=chance(0.4),
        lengths=lengths and not cell,
        take=take,
        vocabulary=int(rng.choice([0, 0, 5])),
        norm=chance(0.3),
        linear=behind,
        activation=str(rng.choice(["", *ACTIVATIONS])) if behind else "",
        nonlinearity=str(rng.choice(["tanh", "relu"])),
        units=int(rng.integers(1, 6)),
        features=int(rng.integers(1, 5)),
    )


def model(o: Options) -> Any:
    """The module, its forward written as people write it."""
    torch = need_package("torch")
    nn = torch.nn
    torch.manual_seed(o.seed)

    class Net(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            if o.vocabulary:
                self.emb = nn.Embedding(o.vocabulary, o.features)
            if o.norm:
                self.norm = nn.LayerNorm(o.features)
            more = {"nonlinearity": o.nonlinearity} if o.kind.startswith("RNN") else {}
            if not o.kind.endswith("Cell"):
                more |= {"num_layers": o.layers, "bidirectional": o.both, "batch_first": o.batch_first}
            self.rnn = getattr(nn, o.kind)(o.features, o.units, bias=o.bias, **more)
            width = o.units * (1 + o.both)
            if o.linear:
                self.fc = nn.Linear(width, 4, bias=o.bias)
                if o.norm:
                    self.bn = nn.BatchNorm1d(4)
            if o.activation:
                self.act = getattr(nn, o.activation)(*ACTIVATIONS[o.activation][0])

        def forward(self, x: Any, h0: Any = None, lengths: Any = None) -> Any:
            if o.vocabulary:
                x = self.emb(x)
            if o.norm:
                x = self.norm(x)
            output, h_n = self.cells(x, h0) if o.kind.endswith("Cell") else self.run(x, h0, lengths)
            if o.take == "all":
                return output, h_n.transpose(0, 1)
            if o.take == "h_n":
                y = torch.cat([h_n[-2], h_n[-1]], dim=1) if o.both else h_n[-1]
            else:
                y = output[:, -1] if o.take == "last" else output
            if o.linear:
                y = self.fc(y)
                if o.norm:
                    y = self.bn(y.transpose(1, 2)).transpose(1, 2) if y.dim() == 3 else self.bn(y)
            return self.act(y) if o.activation else y

        def run(self, x: Any, h0: Any, lengths: Any) -> Any:
            steps = x.shape[1]
            x = x if o.batch_first else x.transpose(0, 1)
            if lengths is not None:
                pack, pad = nn.utils.rnn.pack_padded_sequence, nn.utils.rnn.pad_packed_sequence
                packed = pack(x, lengths, batch_first=o.batch_first, enforce_sorted=False)
                output, h_n = self.rnn(packed, h0)
                output, _ = pad(output, batch_first=o.batch_first, total_length=steps)
            else:
                output, h_n = self.rnn(x, h0)
            return output if o.batch_first else output.transpose(0, 1), h_n

        def cells(self, x: Any, h0: Any) -> Any:
            h, found = None if h0 is None else h0[0], []
            for t in range(x.shape[1]):
                h = self.rnn(x[:, t], h)
                found.append(h)
            return torch.stack(found, dim=1), h

    made = Net().eval()
    with torch.no_grad():
        for name, value in made.state_dict().items():
            if value.is_floating_point():
                value.copy_(torch.rand_like(value) + 0.5 if "var" in name else torch.randn_like(value) / 2)
    return made.double() if o.dtype == "float64" else made


def architecture(o: Options) -> dict[str, object]:
    """The same in symgru's words."""
    kind = {"GRUCell": "gru_cell", "RNNCell": "rnn_cell"}.get(o.kind, o.kind.lower())
    recurrent: dict[str, object] = {"kind": kind, "name": "rnn"}
    if o.kind.startswith("RNN"):
        recurrent["nonlinearity"] = o.nonlinearity
    recurrent |= {key: True for key in ("h0", "lengths") if getattr(o, key)}
    if o.take == "h_n":
        recurrent["output"] = "h_n"
    entries: list[dict[str, object]] = []
    if o.vocabulary:
        entries.append({"kind": "embedding", "name": "emb"})
    if o.norm:
        entries.append({"kind": "layer_norm", "name": "norm"})
    entries.append(recurrent)
    if o.take == "last":
        entries.append({"kind": "last"})
    if o.linear:
        entries.append({"kind": "linear", "name": "fc"})
        if o.norm:
            entries.append({"kind": "batch_norm", "name": "bn", "transposed": True})
    if o.activation:
        name = ACTIVATIONS[o.activation][1]
        entries.append({"kind": "prelu", "name": "act"} if name is None else {"kind": "activation", "activation": name})
    return {"layers": entries} | ({"outputs": ["rnn", "rnn.h_n"]} if o.take == "all" else {})


def save(net: Any, form: str, folder: Path, stem: str) -> object:
    """A module in one of the forms."""
    torch = need_package("torch")
    if form == "live":
        return net
    if form == "safetensors":
        path = folder / f"{stem}.safetensors"
        need_package("safetensors.torch").save_file(net.state_dict(), path)
        return path
    path = folder / f"{stem}.{'pth' if form == 'pth' else 'pt'}"
    optimizer = torch.optim.Adam(net.parameters())
    checkpoint = {"epoch": 3, "loss": 0.5, "model": net.state_dict(), "optimizer": optimizer.state_dict(), "tag": None}
    value = checkpoint if form == "checkpoint" else net.state_dict()
    torch.save(value, path, _use_new_zipfile_serialization=form != "pth")
    return path


def inputs(o: Options, steps: int = 5, batch: int = 3) -> list[np.ndarray]:
    """x, then h0 and lengths in the order in which the network names them."""
    rng = np.random.default_rng(o.seed + 1000)
    if o.vocabulary:
        given = [rng.integers(0, o.vocabulary, (batch, steps))]
    else:
        given = [rng.standard_normal((batch, steps, o.features)).astype(o.dtype)]
    if o.h0:
        given.append(rng.standard_normal((batch, o.layers * (1 + o.both), o.units)).astype(o.dtype))
    if o.lengths:
        given.append(rng.permutation([steps, 1, int(rng.integers(1, steps + 1))]))
    return given


def case(o: Options) -> Case:
    def make(folder: object) -> tuple[object, Sequence[np.ndarray], Sequence[np.ndarray]]:
        torch = need_package("torch")
        net, given = model(o), inputs(o)
        tensors = {"x": torch.from_numpy(given[0])}
        if o.h0:
            tensors["h0"] = torch.from_numpy(given[1]).transpose(0, 1).contiguous()
        if o.lengths:
            tensors["lengths"] = torch.from_numpy(given[-1])
        with torch.no_grad():
            found = net(**tensors)
        outputs = [y.numpy() for y in (found if isinstance(found, tuple) else (found,))]
        return save(net, o.form, Path(str(folder)), f"case{o.seed}"), given, outputs

    return Case(o.id, make, o.dtype, architecture=architecture(o))


def sequential(name: str, dtype: str, seed: int) -> Case:
    """A live nn.Sequential of an embedding, a layer of each activation, and a GRU at its end."""

    def make(folder: object) -> tuple[object, Sequence[np.ndarray], Sequence[np.ndarray]]:
        torch = need_package("torch")
        nn = torch.nn
        torch.manual_seed(seed)
        act = getattr(nn, name)(*ACTIVATIONS[name][0])
        net = nn.Sequential(nn.Linear(2, 3), act, nn.Dropout(0.5), nn.GRU(3, 2, batch_first=True)).eval()
        net = net.double() if dtype == "float64" else net
        x = np.random.default_rng(seed).standard_normal((2, 4, 2)).astype(dtype) * 3
        with torch.no_grad():
            y, _ = net(torch.from_numpy(x))
        return net, [x], [y.numpy()]

    return Case(f"sequential-{name}-{dtype}", make, dtype)


def guessed(seed: int) -> Case:
    """A file without a description, where its names leave no choice."""
    o = Options(
        seed, layers=1 + seed % 3, both=seed % 2 == 1, form=FORMS[seed % 3], dtype=("float32", "float64")[seed % 2]
    )
    linear = not o.both

    def make(folder: object) -> tuple[object, Sequence[np.ndarray], Sequence[np.ndarray]]:
        torch = need_package("torch")
        nn = torch.nn
        torch.manual_seed(seed)

        class Net(nn.Module):  # type: ignore[misc, name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.embedding = nn.Embedding(6, 3)
                self.encoder = nn.GRU(3, 4, o.layers, batch_first=True, bidirectional=o.both)
                if linear:
                    self.head = nn.Linear(4, 2)

            def forward(self, x: Any) -> Any:
                y, _ = self.encoder(self.embedding(x))
                return self.head(y) if linear else y

        net = Net().eval()
        net = net.double() if o.dtype == "float64" else net
        x = np.random.default_rng(seed).integers(0, 6, (2, 4))
        with torch.no_grad():
            y = net(torch.from_numpy(x)).numpy()
        return save(net, o.form, Path(str(folder)), f"guessed{seed}"), [x], [y]

    return Case(f"guessed-{o.id}", make, o.dtype)


CASES = [
    *(case(options(seed)) for seed in range(120)),
    *(sequential(name, dtype, 7) for name in ACTIVATIONS for dtype in ("float32", "float64")),
    *(guessed(seed) for seed in range(6)),
]
