"""Each mutation of symgru against a case that notices it; benchmarks/mutations.py runs every case against them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import need_package
from tests.frameworks.killers import NOTICED_BY
from tests.frameworks.mutations import MUTATIONS, Made, Mutation, frameworks

PACKAGES = {
    "keras": ("keras",),
    "tf_keras": ("keras", "tf_keras"),
    "torch": ("torch",),
    "onnx": ("onnx", "onnxruntime"),
    "arrays": ("tensorflow", "tf_keras"),
}
JAX = {"flax": ("jax", "flax"), "haiku": ("jax", "haiku"), "equinox": ("jax", "equinox"), "mlx": ("mlx",)}
TRIED = MUTATIONS
Find = Callable[[str, str], Made]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Find:
    """A case by framework and id, its model made once. It holds as long as nothing is mutated."""
    kept: dict[tuple[str, str], Made] = {}

    def find(framework: str, name: str) -> Made:
        if (framework, name) not in kept:
            for package in JAX[name.partition("-")[0]] if framework == "jax" else PACKAGES[framework]:
                need_package(package)
            case = next(case for case in frameworks(framework)[framework] if case.id == name)
            kept[framework, name] = Made(case, tmp_path_factory.mktemp("case"))
            assert kept[framework, name].holds()
        return kept[framework, name]

    return find


def test_mutations_have_cases() -> None:
    assert len(MUTATIONS) >= 25
    assert set(NOTICED_BY) == {mutation.name for mutation in MUTATIONS}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mutation", TRIED, ids=lambda mutation: mutation.name)
def test_the_matrix_notices(mutation: Mutation, made: Find) -> None:
    case = made(*NOTICED_BY[mutation.name])
    with mutation.applied():
        assert not case.holds(), f"{case.case.id} does not notice: {mutation.name}"


def test_a_mutation_is_taken_back(made: Find) -> None:
    for mutation in TRIED[::10]:
        case = made(*NOTICED_BY[mutation.name])
        with mutation.applied():
            assert not case.holds()
        assert case.holds()
