"""Compilers, the comparison table, and windows against a continuing state."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from symgru.errors import MissingTool, SymgruError
from symgru.network import Tensor
from symgru.scaling import Affine, Scale
from symgru.verify import compare as comparison
from symgru.verify import compilers, keras
from symgru.verify.compare import Row, Skipped, compare, parting
from symgru.verify.emitted import emitted
from tests import oracle
from tests.conftest import random_input, random_network


@pytest.fixture(autouse=True)
def no_keras(monkeypatch):
    """Keras has its own test (tests/frameworks/test_verify_keras.py)."""
    monkeypatch.setattr(keras, "installed", lambda: False)


@pytest.fixture(scope="module")
def network():
    return random_network([("gru", 3, {}), ("dense", 2, {})], 2, seed=5)


def rows_of(network, x, **options):
    return {row.engine: row for row in compare(network, x, **options)}


def test_every_engine_passes(network):
    rows = rows_of(network, random_input(network, 6, batch=2))
    assert set(rows) == {"reference", "Keras", "emitted NumPy", "emitted C, window", "emitted C, step by step"}
    assert isinstance(rows.pop("Keras"), Skipped)
    assert all(row.passed and row.difference < 1e-6 for row in rows.values())
    assert rows["reference"].difference < 1e-15


def test_a_wrong_engine_fails(network, monkeypatch):
    right = emitted(network).outputs
    wrong = SimpleNamespace(outputs=lambda *x: [right(*x)[0] + np.float32(1e-5)])
    monkeypatch.setattr(comparison, "emitted", lambda net: wrong)
    rows = rows_of(network, random_input(network, 6))
    assert not rows["emitted NumPy"].passed
    assert rows["emitted C, window"].passed


def test_nan_fails(network, monkeypatch):
    nothing = SimpleNamespace(outputs=lambda *x: [np.full((1, 2), np.nan, np.float32)])
    monkeypatch.setattr(comparison, "emitted", lambda net: nothing)
    assert not rows_of(network, random_input(network, 2))["emitted NumPy"].passed


def test_float64_model_holds_the_c_to_float32(network):
    wide = random_network([("gru", 3, {})], 2, "float64", seed=6)
    rows = rows_of(wide, random_input(wide, 6))
    assert rows["emitted NumPy"].difference < 1e-14 < rows["emitted C, window"].difference
    assert all(row.passed for row in rows.values() if isinstance(row, Row))


def test_scale_is_inside_the_c(network):
    scale = Scale(Affine(np.float32([20, 30]), np.float32([5, 8])), Affine(np.float32([100, -1]), np.float32([10, 2])))
    x = Tensor.of(random_input(network, 6).value * 6 + 25)
    rows = rows_of(network, x, scale=scale)
    output = rows["emitted C, with --scale"]
    assert output.passed
    normal = (x.value - [20, 30]) / [5, 8]
    arrays = [
        (u.layer.kind, dict(u.layer.options), [a.astype(float) for a in u.arrays.values()])
        for u in comparison_layers(network)
    ]
    expected = oracle.run(arrays, normal) * [10, 2] + [100, -1]
    assert np.abs(output.output - expected).max() < 1e-4


def comparison_layers(network):
    from symgru.backends.model import layers

    return layers(network)


def test_no_compiler_is_said_and_not_an_error(network, monkeypatch):
    monkeypatch.setattr(comparison, "find_compiler", lambda: None)
    assert "ziglang" in rows_of(network, random_input(network, 2))["emitted C"].why
    with pytest.raises(MissingTool, match="compiler"):
        parting(network, random_input(network, 4), 2)


def test_parting_of_window_and_state():
    network = random_network([("gru", 2, {})], 1, seed=8)
    x = random_input(network, 9)
    result = parting(network, x, 4)
    arrays = [
        (u.layer.kind, dict(u.layer.options), [a.astype(float) for a in u.arrays.values()])
        for u in comparison_layers(network)
    ]
    expected = [
        np.abs(oracle.run(arrays, x.value[:, :t]) - oracle.run(arrays, x.value[:, t - 4 : t])).max()
        for t in range(4, 10)
    ]
    assert np.abs(result.differences - np.array(expected, float)).max() < 1e-6
    assert result.differences[0] == 0  # the first window is the whole recording so far
    assert result.worst == (result.differences.max(), int(result.differences.argmax()) + 4)


def test_cc_is_asked_first(monkeypatch):
    monkeypatch.setenv("CC", f"{sys.executable} -m ziglang cc")
    assert compilers.find_compiler() == [sys.executable, "-m", "ziglang", "cc"]
    monkeypatch.setenv("CC", "no-such-compiler -O2")
    with pytest.raises(MissingTool, match="no-such-compiler"):
        compilers.find_compiler()


def test_zig_is_the_last_resort(monkeypatch):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(compilers.shutil, "which", lambda name: None)
    assert compilers.find_compiler() == [sys.executable, "-m", "ziglang", "cc"]
    monkeypatch.setattr(compilers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingTool, match="pip install ziglang"):
        compilers.require_compiler()


def test_a_warning_of_the_compiler_is_an_error(tmp_path):
    (tmp_path / "bad.c").write_text("int main(void) { int unused; return 0; }\n")
    with pytest.raises(SymgruError, match="unused"):
        compilers.compile_program(tmp_path, ["bad.c"], "bad")
