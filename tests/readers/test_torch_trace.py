"""Modules with a forward of their own, followed by torch.fx and compared with themselves; what cannot be is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symgru import load
from symgru.errors import SymgruError
from tests.conftest import need_package


def net(forward: Callable[[Any, Any], Any], *, both: bool = False, batch_first: bool = True, layers: int = 2) -> Any:
    """A module with the parts that forwards use."""
    torch = need_package("torch")
    nn = torch.nn
    torch.manual_seed(3)

    class Net(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.emb = nn.Embedding(7, 2)
            self.gru = nn.GRU(2, 3, layers, bidirectional=both, batch_first=batch_first)
            self.norm = nn.LayerNorm(3 * (1 + both))
            self.drop = nn.Dropout(0.5)
            self.fc = nn.Linear(3 * (1 + both), 4)
            self.out = nn.Linear(4, 2)
            self.act = nn.ELU(0.5)

        def forward(self, x: Any) -> Any:
            return forward(self, x)

    return Net()


def last(m: Any, x: Any) -> Any:
    y, _ = m.gru(m.emb(x))
    return m.out(m.act(m.fc(m.drop(y[:, -1]))))


def final(m: Any, x: Any) -> Any:
    _, h = m.gru(m.emb(x))
    return m.fc(h[-1]).sigmoid()


def both_final(m: Any, x: Any) -> Any:
    torch = need_package("torch")
    h = m.gru(m.emb(x))[1]
    return torch.softmax(m.fc(torch.cat([h[-2], h[-1]], dim=1)), dim=1)


def every(m: Any, x: Any) -> Any:
    functional = need_package("torch").nn.functional
    y = m.norm(m.gru(m.emb(x))[0])
    return functional.log_softmax(m.out(functional.gelu(m.fc(y))), dim=-1)


def several(m: Any, x: Any) -> Any:
    torch = need_package("torch")
    y, h = m.gru(m.emb(x))
    return torch.tanh(m.fc(y.mean(dim=1))), h[-1], m.fc.forward and torch.cat((y, y * y + y), dim=-1)


@pytest.mark.parametrize(
    ("forward", "both"),
    [(last, False), (last, True), (final, False), (both_final, True), (every, False), (every, True)],
)
def test_followed(forward: Callable[[Any, Any], Any], both: bool) -> None:
    torch = need_package("torch")
    module = net(forward, both=both)
    model = load(module)
    assert module.training
    x = torch.randint(0, 7, (3, 6))
    with torch.no_grad():
        theirs = module.eval()(x).numpy()
    assert np.abs(model(x.numpy()) - theirs).max() < 1e-6
    assert any("followed by torch.fx" in note for note in model.network.notes)


def test_several_outputs() -> None:
    torch = need_package("torch")
    module = net(several)
    x = torch.randint(0, 7, (3, 6))
    with torch.no_grad():
        theirs = module.eval()(x)
    for ours, right in zip(load(module)(x.numpy()), theirs, strict=True):
        assert np.abs(ours - right.numpy()).max() < 1e-6


def test_a_chain_stays_a_chain() -> None:
    """What a worked example and emitted C take: no maps where the last step alone is used."""
    assert [layer.kind for _, layer in load(net(final, layers=1)).network] == ["embed", "gru", "dense", "activation"]
    kinds = [layer.kind for _, layer in load(net(last, layers=1)).network]
    assert kinds == ["embed", "gru", "dense", "activation", "dense"]


def branches(m: Any, x: Any) -> Any:
    y, _ = m.gru(m.emb(x))
    return m.fc(y[:, -1]) if y.sum() > 0 else y


def turned(m: Any, x: Any) -> Any:
    y, _ = m.gru(m.emb(x).transpose(0, 1))
    return m.fc(y.transpose(0, 1))


def other_row(m: Any, x: Any) -> Any:
    return m.fc(m.gru(m.emb(x))[1][0])


def states(m: Any, x: Any) -> Any:
    return m.gru(m.emb(x))[1]


def twice(m: Any, x: Any) -> Any:
    return m.act(m.act(m.gru(m.emb(x))[0]))


def wrong_way(m: Any, x: Any) -> Any:
    h = m.gru(m.emb(x))[1]
    return m.fc(need_package("torch").cat([h[-1], h[-2]], dim=1))


def unbound(m: Any, x: Any) -> Any:
    y, _ = m.gru(m.emb(x))
    return m.fc(y[:, -2])


@pytest.mark.parametrize(
    ("forward", "both", "match"),
    [
        (branches, False, "torch.fx cannot follow it .TraceError."),
        (turned, False, "does what is not read: .*transpose"),
        (other_row, False, "does what is not read"),
        (states, False, "gives back h_n"),
        (twice, False, "calls act twice"),
        (wrong_way, True, "does what is not read: .*cat"),
        (unbound, False, "does what is not read: .*getitem"),
    ],
)
def test_what_cannot_be_followed(forward: Callable[[Any, Any], Any], both: bool, match: str) -> None:
    with pytest.raises(SymgruError, match=match) as error:
        load(net(forward, both=both))
    assert str(error.value).isprintable()
    assert 'an architecture, such as {"layers": [' in str(error.value)


def test_numbers_that_differ_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from symgru.readers import torch_trace

    monkeypatch.setitem(torch_trace.ACTIVATIONS, "sigmoid", "tanh")
    with pytest.raises(SymgruError, match="gives other numbers than it does itself"):
        load(net(final))
    with pytest.raises(SymgruError, match="batch_first=False"):
        load(net(final, batch_first=False))
