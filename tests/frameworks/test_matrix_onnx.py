"""ONNX models against ONNX Runtime (or ONNX' reference evaluator) and torch; ONNX' own tests of the operator."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from symgru.conventions import CONVENTIONS
from symgru.face import load
from symgru.readers import onnx_recurrent
from tests.conftest import need_package
from tests.frameworks import cases_onnx
from tests.frameworks.matrix import Case, check, difference, listed

OPERATOR = [*cases_onnx.options(), *cases_onnx.functions()]


def name(case: Case) -> str:
    return case.id


@pytest.mark.parametrize("case", OPERATOR, ids=name)
def test_operator(case: Case, tmp_path: Path) -> None:
    need_package("onnx")
    check(case, tmp_path, ("reference", "numpy"))


@pytest.mark.parametrize("case", OPERATOR[::9], ids=name)
def test_operator_in_c(case: Case, tmp_path: Path) -> None:
    need_package("onnx")
    check(case, tmp_path, ("c",))


@pytest.mark.parametrize("case", cases_onnx.surroundings(), ids=name)
def test_surroundings(case: Case, tmp_path: Path) -> None:
    need_package("onnx")
    check(case, tmp_path)


@pytest.mark.parametrize("case", cases_onnx.exports(), ids=name)
def test_exports(case: Case, tmp_path: Path) -> None:
    need_package("torch")
    need_package("onnx")
    check(case, tmp_path, ("reference", "numpy"))


def node_tests() -> list[str]:
    """ONNX' own tests of the operators GRU and RNN (onnx/backend/test/case/node)."""
    return [
        "test_gru_defaults",
        "test_gru_with_initial_bias",
        "test_gru_seq_length",
        "test_gru_batchwise",
        "test_gru_reverse",
        "test_gru_bidirectional",
        "test_simple_rnn_defaults",
        "test_simple_rnn_with_initial_bias",
        "test_rnn_seq_length",
        "test_simple_rnn_batchwise",
        "test_simple_rnn_reverse",
        "test_simple_rnn_bidirectional",
    ]


@pytest.fixture(scope="module")
def backend_tests() -> dict[str, object]:
    """The node tests by name. Making those of other operators overflows, on purpose."""
    need_package("onnx")
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {case.name: case for case in collect_testcases(None)}
    missing = set(node_tests()) - set(found)
    assert not missing, f"onnx has no {missing}"
    return found


@pytest.mark.parametrize("test", node_tests())
def test_node(test: str, backend_tests: dict[str, object], tmp_path: Path) -> None:
    """symgru as the backend: X is the input, the weights that the test feeds are held by the model."""
    import onnx
    from onnx import numpy_helper

    case = backend_tests[test]
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    ((given, wanted),) = case.data_sets
    for put, array in list(zip(model.graph.input, given, strict=True))[1:]:
        model.graph.initializer.append(numpy_helper.from_array(array, put.name))
    onnx.save(model, tmp_path / "model.onnx")
    node = model.graph.node[0]
    layout = next((a.i for a in node.attribute if a.name == "layout"), 0)
    ours = listed(load(tmp_path / "model.onnx")(np.moveaxis(given[0], 1 - layout, 0)))
    assert len(ours) == len(wanted) == len([o for o in node.output if o])
    directions = 2 if "bidirectional" in test else 1
    for a, b in zip(ours, wanted, strict=True):
        states = b.ndim == 3
        batch, direction = (1 - layout, layout) if states else (0, 2) if layout else (2, 1)
        theirs = cases_onnx.batch_first(b, batch if directions == 2 else (batch, direction))
        assert difference(a, theirs) <= 1e-5


@pytest.mark.parametrize("name", ["onnx", "onnx_after", "onnx_rnn"])
def test_a_wrong_convention_is_noticed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two blocks exchanged, or one turned round, in what the table says of an array: far from ONNX Runtime at once."""
    need_package("onnx")
    more = {"op": "RNN"} if name == "onnx_rnn" else {"bias": True}
    case = cases_onnx.gru_case(1, "forward", int(name == "onnx_after"), "none", "given", wanted="Y", **more)
    path, inputs, outputs = case.make(tmp_path)
    assert difference(load(path)(*inputs), outputs[0]) <= 1e-5
    right, tried = CONVENTIONS[name], 0
    for wrong in mutated(right.text):
        monkeypatch.setitem(onnx_recurrent.CONVENTIONS, name, replace(right, text=wrong))
        assert difference(load(path)(*inputs), outputs[0]) > 1e-3, wrong
        tried += 1
    assert tried >= (1 if name == "onnx_rnn" else 9)


def mutated(text: str) -> Iterator[str]:
    """Gates exchanged in all arrays or in one, the candidate's recurrent kernel transposed."""
    for one, other in (("z", "r"), ("z", "n"), ("r", "n")):
        exchange = {one: other, other: one}
        for letters in ("WUbc", "W", "U"):
            if f"_{one}" in text:
                yield re.sub(rf"([{letters}])_([{one}{other}])\b", lambda m, e=exchange: f"{m[1]}_{e[m[2]]}", text)
    yield re.sub(r"(U_n|U\b)", r"\1'", text)
