"""A convention that is wrong in one place does not pass: each entry of the table is mutated, and the network that is
then read differs from the framework by far more than the matrix tests allow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from symgru import arrangement, conventions
from symgru.arrangement import Convention
from symgru.conventions import CONVENTIONS
from symgru.errors import SymgruError
from symgru.face import load
from symgru.network import Tensor
from symgru.readers import conventions as keras_conventions
from symgru.readers import named_arrays
from tests.conftest import need_package
from tests.frameworks import cases_arrays, cases_jax
from tests.frameworks.matrix import LIMITS, Case, difference, listed

EVERY = {case.id: case for case in [*cases_arrays.CASES, *(c for cases in cases_jax.CASES.values() for c in cases)]}
TRIED = {  # a case of each convention whose framework is tried here, and the packages that it needs
    "keras": ("keras-named-True-(2, 3)", "keras"),
    "keras_before": ("keras-named-False-(2, 3)", "keras"),
    "keras2c": ("keras-keras2c-True-(2, 3)", "keras"),
    "keras2c_before": ("keras-keras2c-False-(2, 3)", "keras"),
    "cudnn_gru": ("cudnn-(2, 3)", "tf_keras"),
    "torch": ("torch", "torch"),
    "tf1": ("tf1-(2, 3)", "tf_keras"),
    "tf1_block": ("tf1_block-(2, 3)", "tensorflow"),
    "flax": ("flax-GRUCell-2-3-msgpack", "flax"),
    "flax_nnx": ("flax-nnx-(2, 3)", "flax"),
    "flax_mgu": ("flax-MGUCell-True-2-3-/", "flax"),
    "flax_mgu_plain": ("flax-MGUCell-False-2-3-.", "flax"),
    "flax_simple": ("flax-SimpleCell-2-3-msgpack", "flax"),
    "haiku": ("haiku-(2, 3)", "haiku"),
    "equinox": ("equinox-(2, 3)", "equinox"),
    "mlx": ("mlx-(2, 3)", "mlx"),
}
OTHER_UPDATE = {"gru": "gru_new", "gru_before": "fully_gated", "fully_gated": "gru_before"}


def gates(convention: Convention) -> list[str]:
    return [name[2:] for name in convention.params if name.startswith("W_")]


def swapped(convention: Convention, one: str, other: str, letters: str = "WUbc") -> Convention:
    """The convention with two gates exchanged in the arrays of these letters."""
    exchange = {one: other, other: one}
    pattern = rf"\b([{letters}])_([{one}{other}])\b"
    return replace(convention, text=re.sub(pattern, lambda m: f"{m[1]}_{exchange[m[2]]}", convention.text))


def mutations(convention: Convention) -> Iterator[tuple[str, Convention]]:
    """Conventions that are wrong in one place."""
    names = gates(convention)
    for k, one in enumerate(names):
        for other in names[k + 1 :]:
            yield f"gates {one} and {other} exchanged", swapped(convention, one, other)
            yield f"kernels of {one} and {other} exchanged", swapped(convention, one, other, "W")
            yield f"recurrent kernels of {one} and {other} exchanged", swapped(convention, one, other, "U")
    if convention.cell in OTHER_UPDATE:
        yield "the update rule exchanged", replace(convention, cell=OTHER_UPDATE[convention.cell])
    turned = convention.text.replace("U_n'", "U_n") if "U_n'" in convention.text else None
    turned = turned or re.sub(r"\b(U_n|U)\b'?", lambda m: m[1] if m[0].endswith("'") else f"{m[1]}'", convention.text)
    yield "a recurrent kernel transposed", replace(convention, text=turned)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Callable[[str], tuple[Case, object, list, list]]:
    """A convention's case, the framework asked once."""
    kept: dict[str, tuple] = {}

    def make(name: str):
        if name not in kept:
            case = EVERY[TRIED[name][0]]
            kept[name] = (case, *case.make(tmp_path_factory.mktemp("case")))
        return kept[name]

    return make


def distance(name: str, case: Case, source, inputs, outputs) -> float:
    """Infinite where the arrays are refused: a mutation that leaves a weight without a place is noticed as well."""
    try:
        ours = listed(load(source, {**(case.architecture or {}), "convention": name})(*inputs))
    except SymgruError:
        return float("inf")
    return max(difference(a, b) for a, b in zip(ours, outputs, strict=True))


@pytest.mark.parametrize("name", TRIED)
def test_mutated_conventions_fail(name: str, made, monkeypatch) -> None:
    need_package("jax" if TRIED[name][1] in ("flax", "haiku", "equinox") else TRIED[name][1])
    need_package(TRIED[name][1])
    case, *rest = made(name)
    limit = LIMITS[case.dtype]
    assert distance(name, case, *rest) <= limit
    right = CONVENTIONS[name]
    tried = list(mutations(right))
    assert len(tried) >= (8 if len(gates(right)) == 3 else 1)
    for what, wrong in tried:
        with monkeypatch.context() as patch:
            patch.setattr(conventions, "CONVENTIONS", {**CONVENTIONS, name: wrong})
            for module in (named_arrays, keras_conventions):
                patch.setattr(module, "CONVENTIONS", {**CONVENTIONS, name: wrong})
            table = tuple(wrong if c.name == name else c for c in conventions.TABLE)
            patch.setattr(named_arrays, "TABLE", table)
            assert distance(name, case, *rest) > 100 * limit, f"{name}: {what} is not noticed"


@pytest.mark.parametrize("name", TRIED)
def test_a_dropped_bias_fails(name: str, made, monkeypatch) -> None:
    need_package("jax" if TRIED[name][1] in ("flax", "haiku", "equinox") else TRIED[name][1])
    need_package(TRIED[name][1])
    case, *rest = made(name)
    held = {n for grid in CONVENTIONS[name].arrays.values() if grid.is_bias for b in grid.blocks for n in b.names[:1]}
    assert held
    for bias in sorted(held):

        def dropping(convention: Convention, arrays, bias: str = bias) -> dict[str, Tensor]:
            weights = arrangement.split(convention, arrays)
            if bias in weights and convention.cell != "dense":
                weights[bias] = Tensor(np.zeros_like(weights[bias].value))
            return weights

        with monkeypatch.context() as patch:
            for module in (named_arrays, keras_conventions):
                patch.setattr(module, "split", dropping)
            assert distance(name, case, *rest) > 100 * LIMITS[case.dtype], f"{name} without {bias} is not noticed"


def test_every_convention_that_was_checked_is_tried() -> None:
    """Those of other files and of Paddle have matrices of their own; the rest was read in the source alone."""
    elsewhere = {"paddle", "onnx", "onnx_after", "onnx_rnn", "torch_rnn", "rtneural"}
    checked = {c.name for c in conventions.TABLE if c.checked}
    assert checked - elsewhere == set(TRIED) - {"keras2c", "keras2c_before"}
    with pytest.raises(SymgruError):
        load({"convention": "none of them", "weights": {"a": [[1.0]]}})
