"""Live modules: what torch.nn's classes say of themselves, and what a forward alone knows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgru import load
from symgru.errors import SymgruError, Unsupported
from tests.conftest import need_package


@pytest.fixture
def nn() -> Any:
    torch = need_package("torch")
    torch.manual_seed(1)
    return torch.nn


def refused(module: Any, match: str, architecture: object = None) -> None:
    with pytest.raises(SymgruError, match=match) as error:
        load(module, architecture)  # type: ignore[arg-type]
    assert str(error.value).isprintable()


def test_a_module_alone_with_all_it_returns(nn: Any) -> None:
    torch = need_package("torch")
    gru = nn.GRU(2, 3, num_layers=2, bidirectional=True)
    x, h0 = torch.randn(4, 5, 2), torch.randn(4, 5, 3)
    y, h_n = gru(x, h0)
    model = load(gru, {"layers": [{"kind": "gru", "h0": True}], "outputs": ["output", "h_n"]})
    ours = model(x.transpose(0, 1).numpy(), h0.transpose(0, 1).numpy())
    assert np.allclose(ours[0], y.detach().transpose(0, 1).numpy(), atol=1e-6)
    assert np.allclose(ours[1], h_n.detach().transpose(0, 1).numpy(), atol=1e-6)
    assert any("batch_first is False" in note for note in model.network.notes)


def test_half_precision(nn: Any) -> None:
    torch = need_package("torch")
    gru = nn.GRU(2, 3).bfloat16()
    found = load(gru).network
    assert found.dtype == "float32"
    rows = gru.weight_ih_l0.detach().float().numpy()
    (layer,) = found.layers.values()
    assert np.array_equal(layer.weights["W_z"].value, rows[3:6])
    assert torch.bfloat16 == gru.weight_ih_l0.dtype


def test_a_forward_of_its_own_needs_a_description(nn: Any) -> None:
    class Net(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.RNN(2, 3, nonlinearity="relu", batch_first=True)
            self.norm = nn.LayerNorm(3, eps=0.01)
            self.act = nn.LeakyReLU(0.3)

        def forward(self, x: Any) -> Any:
            return self.act(self.norm(self.rnn(x)[0][:, -1]))

    torch = need_package("torch")
    net, x = Net(), torch.randn(2, 4, 2)
    assert np.allclose(load(net)(x.numpy()), net(x).detach().numpy(), atol=1e-6)  # torch.fx can follow this one
    entries: list[dict[str, object]] = [{"kind": "rnn", "name": "rnn"}, {"kind": "last"}]
    entries += [{"kind": "layer_norm", "name": "norm"}, {"kind": "activation", "name": "act"}]
    model = load(net, {"layers": entries})  # nonlinearity, eps and slope come from the modules
    assert np.allclose(model(x.numpy()), net(x).detach().numpy(), atol=1e-6)
    refused(
        net, "architecture says eps 0.1; the module has 0.01", {"layers": [*entries[:2], {**entries[2], "eps": 0.1}]}
    )
    refused(net, "architecture says kind 'gru'; the module has 'rnn'", {"layers": [{"kind": "gru", "name": "rnn"}]})
    net.forward = lambda x: net.act(net.norm(net.rnn(x)[0][:, -1])) if x.sum() else x
    refused(net, r'its forward was exchanged .*\{"kind": "rnn", "name": "rnn"\}')
    assert np.allclose(load(net, {"layers": entries})(x.numpy()), net(x).detach().numpy(), atol=1e-6)


def test_sequential(nn: Any) -> None:
    torch = need_package("torch")
    net = nn.Sequential(
        nn.Sequential(nn.Embedding(5, 2), nn.LayerNorm(2)), nn.Identity(), nn.GRU(2, 3, batch_first=True)
    )
    x = torch.randint(0, 5, (2, 4))
    assert np.allclose(load(net)(x.numpy()), net(x)[0].detach().numpy(), atol=1e-6)
    refused(nn.Sequential(nn.GRU(2, 3), nn.Linear(3, 1)), "nn.GRU gives a tuple, so that PyTorch itself fails")
    refused(nn.Sequential(nn.Conv1d(2, 3, 1), nn.GRU(2, 3)), "what the forward of Conv1d does is not known")
    refused(nn.Sequential(nn.Linear(2, 3)), "no recurrent layer")


def test_what_is_refused_by_name(nn: Any) -> None:
    torch = need_package("torch")
    refused(nn.LSTM(2, 3), "forward of LSTM does is not known")

    class Own(nn.GRU):  # type: ignore[misc, name-defined]
        def forward(self, *given: Any) -> Any:
            raise NotImplementedError

    refused(Own(2, 3), "forward of Own does is not known")
    hooked = nn.GRU(2, 3)
    hooked.register_forward_hook(lambda *given: None)
    refused(hooked, "has hooks")
    refused(nn.Sequential(nn.Embedding(4, 2, max_norm=1.0), nn.GRU(2, 3)), "max_norm")
    refused(nn.Sequential(nn.LayerNorm((3, 2)), nn.GRU(2, 3)), "normalises 2 axes; one is read")
    refused(nn.Sequential(nn.Flatten(0), nn.GRU(2, 3)), "flattens other axes")
    plain = nn.BatchNorm1d(2, track_running_stats=False)
    refused(nn.Sequential(plain, nn.GRU(2, 3)), "each batch by its own mean")
    refused(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.GRU(2, 3)), "takes .batch, features, time.")
    refused(nn.Sequential(nn.Linear(2, 2), nn.Softmax(dim=1), nn.GRU(2, 3)), "acts along axis 1")
    refused(nn.GRU(2, 3, device="meta"), "is no tensor with numbers")
    broken = nn.GRU(2, 3)
    with torch.no_grad():
        broken.bias_hh_l0[1] = float("nan")
    refused(broken, r"bias_hh_l0 holds nan at \[1\]")
    mixed = nn.Sequential(nn.Linear(2, 2).double(), nn.GRU(2, 3))
    refused(mixed, "its tensors are float32 and float64")


def test_a_pickled_module_is_refused(nn: Any, tmp_path: Any) -> None:
    torch = need_package("torch")
    for zipped in (True, False):
        torch.save(nn.GRU(2, 3), tmp_path / "whole.pt", _use_new_zipfile_serialization=zipped)
        with pytest.raises(Unsupported, match=r"a pickled module, torch.nn.modules.rnn.GRU.*save\(model.state_dict"):
            load(tmp_path / "whole.pt")


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_torch_jit_is_refused(nn: Any, tmp_path: Any) -> None:
    torch = need_package("torch")
    torch.jit.save(torch.jit.trace(nn.Linear(2, 3), torch.ones(1, 2)), tmp_path / "jit.pt")
    with pytest.raises(Unsupported, match="TorchScript archive"):
        load(tmp_path / "jit.pt")
