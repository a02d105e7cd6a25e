"""What several tests share: small networks from a seed, and honest skips."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from symgru.building import build
from symgru.network import Layer, Network, Tensor, chain

ROOT = Path(__file__).parent.parent
SEED = ROOT / "examples" / "seed.json"


def pytest_addoption(parser):
    parser.addoption("--update", action="store_true", help="rewrite the files in generated/ that differ")


def need(program: str) -> str:
    """The path of a program that pip cannot bring; skips where it is absent, fails where nothing may be skipped."""
    found = shutil.which(program)
    if found is None:
        if os.environ.get("SYMGRU_REQUIRE_ALL") == "1":
            pytest.fail(f"{program} is required (SYMGRU_REQUIRE_ALL=1) and not installed")
        pytest.skip(f"{program} is not installed")
    return found


def need_installed(name: str, extra: str = "frameworks") -> None:
    """A module of a package in an extra is there; skips and fails as `need` does."""
    package = name.partition(".")[0]
    if importlib.util.find_spec(package) is None:
        how = f"pip install -e '.[{extra}]'"
        if os.environ.get("SYMGRU_REQUIRE_ALL") == "1":
            pytest.fail(f"{package} is required (SYMGRU_REQUIRE_ALL=1) and not installed: {how}")
        pytest.skip(f"{package} is not installed: {how}")


def need_package(name: str, extra: str = "frameworks"):
    """The module itself."""
    need_installed(name, extra)
    return importlib.import_module(name)


def random_network(specs, features, dtype="float32", seed=0, scale=1.0, name="net") -> Network:
    """Layers of (kind, units, options) with uniform random weights, biases included."""
    rng = np.random.default_rng(seed)
    layers, width = [], features
    for i, (kind, units, options) in enumerate(specs):
        cell = build(kind, options)
        sizes = {"H": units, "D": width}
        weights = {}
        for p in cell.params:
            shape = tuple(sizes[d] for d in cell.dims[p])
            weights[p.name] = Tensor.of((scale * rng.uniform(-1, 1, shape) / np.sqrt(shape[-1])).astype(dtype))
        layers.append(Layer(f"{kind}_{i + 1}", kind, kind, options, weights))
        width = units
    return chain(layers, dtype=dtype, features=features, name=name)


def random_input(network: Network, steps: int, batch: int = 1, seed: int = 1) -> Tensor:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(batch, steps, network.features)).astype(np.float32)
    return Tensor.of(x.astype(np.float64), Tensor.of(x).text)


@pytest.fixture(scope="session")
def seed_network() -> Network:
    from symgru.readers import read

    return read(SEED)


@pytest.fixture(scope="session")
def seed_input(seed_network) -> Tensor:
    from symgru.readers import read_input

    given = read_input("1,2,9,8", seed_network)
    return Tensor(given.value, given.text)
