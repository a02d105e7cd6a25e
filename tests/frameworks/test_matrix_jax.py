"""Flax, Haiku, Equinox and MLX: what symgru reads from their files gives what they compute."""

from __future__ import annotations

import pytest

from tests.conftest import need_package
from tests.frameworks.cases_jax import CASES
from tests.frameworks.matrix import Case, check

PACKAGES = {"flax": ("jax", "flax"), "haiku": ("jax", "haiku"), "equinox": ("jax", "equinox"), "mlx": ("mlx",)}
EVERY = [(framework, case) for framework, cases in CASES.items() for case in cases]


@pytest.mark.parametrize(("framework", "case"), EVERY, ids=[case.id for _, case in EVERY])
def test_as_the_framework(framework: str, case: Case, tmp_path) -> None:
    for package in PACKAGES[framework]:
        need_package(package)
    check(case, tmp_path, engines=("reference", "numpy"))


EMITTED = ["flax-MGUCell-False-2-3-.", "flax-SimpleCell-2-3-msgpack", "flax-embedded", "haiku-two", "mlx-head"]


@pytest.mark.parametrize(("framework", "case"), [pair for pair in EVERY if pair[1].id in EMITTED], ids=EMITTED)
def test_emitted_c_as_the_framework(framework: str, case: Case, tmp_path) -> None:
    for package in PACKAGES[framework]:
        need_package(package)
    check(case, tmp_path, engines=("c",))
