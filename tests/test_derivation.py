"""The derivation: its stages, its counts, and its three documents."""

from __future__ import annotations

import re

import pytest

from symgru.backends import latex, markdown, text
from symgru.cells import CELLS
from symgru.derivation import derive, derive_network
from symgru.errors import UnusableInput
from tests.conftest import random_network


def lines(d, rule: str, t: int) -> list[str]:
    from symgru.backends.notation import Notation, at_time
    from symgru.backends.text.printer import TextScalar

    program = next(s.program for s in d.stages if s.rule == rule)
    form = TextScalar(Notation(program.cell, program.sizes, shapes=program.shapes))
    return [at_time(f"{form.scalar(a.lhs)} = {form.scalar(a.rhs)}", t) for when, a in program.lines() if when == t]


def test_stages_of_the_gru() -> None:
    d = derive("gru", steps=4)
    rules = [s.rule for s in d.stages]
    assert rules == ["as written", "zero initial state", "merged biases", "zero biases", "unused lines"]
    assert [sum(s.after.values()) for s in d.stages] == [92, 84, 76, 59, 57]
    assert all(a.after == b.before for a, b in zip(d.stages, d.stages[1:], strict=False))
    _, simplified, _ = d.sections
    assert {str(k): str(v) for k, v in simplified.made.items()} == {"d_z": "b_z + c_z", "d_r": "b_r + c_r"}
    assert [r.key for r in d.idle] == ["constants"]
    assert [r.key for r in d.left_alone] == ["complement", "blend", "half-angle", "constant-inputs", "operands"]


def test_lines_by_hand() -> None:
    d = derive("gru", steps=2)
    assert lines(d, "as written", 2) == [
        "z_2 = σ(W_z·x_2 + b_z + U_z·h_1 + c_z)",
        "r_2 = σ(W_r·x_2 + b_r + U_r·h_1 + c_r)",
        "n_2 = tanh(W_n·x_2 + b_n + r_2·(U_n·h_1 + c_n))",
        "h_2 = z_2·h_1 + (1 - z_2)·n_2",
    ]
    assert lines(d, "merged biases", 1) == [
        "z_1 = σ(W_z·x_1 + d_z)",
        "r_1 = σ(W_r·x_1 + d_r)",
        "n_1 = tanh(W_n·x_1 + b_n + r_1·c_n)",
        "h_1 = (1 - z_1)·n_1",
    ]
    assert lines(d, "unused lines", 1) == ["z_1 = σ(W_z·x_1)", "n_1 = tanh(W_n·x_1)", "h_1 = (1 - z_1)·n_1"]


def test_indices_follow_the_framework() -> None:
    d = derive("gru", units=2, features=3, steps=1)
    assert lines(d, "as written", 1)[1] == (
        "z_1[2] = σ(W_z[1,2]·x_1[1] + W_z[2,2]·x_1[2] + W_z[3,2]·x_1[3] + b_z[2] + "
        "U_z[1,2]·h_0[1] + U_z[2,2]·h_0[2] + c_z[2])"
    )


def test_rules_that_change_nothing_are_named() -> None:
    d = derive("gru_before")
    assert [t.name for t in d.idle] == ["merged biases", "constants"]
    assert "Nothing to do here for: merged biases, constants" in "".join(text.render_derivation(d))
    bare = derive(options={"use_bias": False})
    assert [t.name for t in bare.idle] == ["merged biases", "zero biases", "constants"]


@pytest.mark.parametrize("rules", [None, ["all"], ["all", "constant-inputs"]], ids=str)
@pytest.mark.parametrize("cell", CELLS)
def test_every_rule_used_is_proved(cell: str, rules: list[str] | None) -> None:
    d = derive(cell, rules=rules)
    assert d.full.proved
    assert d.with_biases.proved


@pytest.mark.parametrize("backend", [text, markdown, latex])
def test_documents_show_every_part(backend) -> None:
    document = "".join(backend.render_derivation(derive("gru", units=2, features=2, steps=3)))
    assert "0BSD" in document
    for part in (
        "zero initial state",
        "merged biases",
        "zero biases",
        "unused lines",
        "The recurrence",
        "Unrolled, as written",
        "Without biases",
        "update gate",
        "what it is",
    ):
        assert part in document, part
    assert document == "".join(backend.render_derivation(derive("gru", units=2, features=2, steps=3)))


def test_sum_over_a_general_index() -> None:
    document = "".join(latex.render_derivation(derive(units=2, features=2)))
    assert r"\sum_{j=1}^{D} W_{z,j,i}\,x_{t,j}" in document
    assert r"\sum_{k=1}^{H} U_{z,k,i}\,h_{t-1,k}" in document
    assert r"\mathbf{z}_{t}" in document


def test_lines_are_laid_out_once_however_many_steps(monkeypatch) -> None:
    """What makes the time linear in the steps; the time itself is measured in benchmarks/."""
    from symgru.backends.text import document

    def calls(steps: int) -> int:
        count = 0
        original = document.formula

        def counted(*args, **options):
            nonlocal count
            count += 1
            return original(*args, **options)

        with monkeypatch.context() as patch:
            patch.setattr(document, "formula", counted)
            assert f"h_{steps} = " in "".join(text.render_derivation(derive(steps=steps)))
        return count

    assert calls(3) == calls(3000)


def test_long_derivations_come_piece_by_piece() -> None:
    pieces = latex.render_derivation(derive(steps=1_000_000))
    assert sum(len(next(pieces)) for _ in range(200)) < 1_000_000


def test_sections_of_a_network() -> None:
    """As written, simplified in symbols, and with the numbers; a Dense layer after the last step has one step."""
    network = random_network([("gru", 2, {}), ("dense", 1, {})], 1)
    parts = derive_network(network, 3).parts
    assert [[s.kind for s in d.sections] for d in parts] == [
        ["as written", "simplified", "with numbers"],
        ["as written", "with numbers"],
    ]
    assert [(d.steps, d.timed, d.place) for d in parts] == [(3, True, 1), (1, False, 2)]
    gru, _ = parts
    assert gru.sections[1].rules == ("zero initial state", "merged biases")
    assert gru.sections[2].rules == ("zero initial state", "merged biases", "numbers")
    assert not any(s.closed for d in parts for s in d.sections)
    assert all(d.full.proved for d in parts)
    assert [d.layer.id for d in parts if d.layer] == ["gru_1", "dense_2"]


def test_a_layer_before_the_recurrent_one_runs_at_every_step() -> None:
    network = random_network([("dense", 2, {}), ("gru", 2, {"return_sequences": True}), ("dense", 1, {})], 1)
    assert [(d.steps, d.timed) for d in derive_network(network, 3).parts] == [(3, True)] * 3


@pytest.mark.parametrize(("own", "asked", "steps"), [(None, None, 4), (7, None, 7), (7, 2, 2), (None, 1, 1)])
def test_how_many_steps_of_a_network(own: int | None, asked: int | None, steps: int) -> None:
    network = random_network([("gru", 1, {})], 1).with_steps(own)
    (d,) = derive_network(network, asked).parts
    assert d.steps == d.full.last.program.steps == steps
    assert d.sections[-1].closed is (steps <= 2)


def test_the_same_rules_in_one_text_or_in_a_list() -> None:
    network = random_network([("gru", 1, {})], 1)
    for names in ("blend,numbers", "numbers  blend", ["numbers", "blend"]):
        (d,) = derive_network(network, 2, names).parts
        assert [s.rule for s in d.stages] == ["as written", "blend", "numbers"]


def test_rules_that_were_not_asked_for_are_named() -> None:
    d = derive("gru", rules=["blend"])
    assert [s.rule for s in d.stages] == ["as written", "blend"]
    (network,) = derive_network(random_network([("gru", 1, {})], 1)).parts
    assert [r.key for r in network.left_alone] == ["complement", "blend", "half-angle", "constant-inputs", "operands"]
    assert {r.name for r in network.idle} == {
        "zero biases",
        "constants",
        "pruned weights",
        "constant lines",
        "shared functions",
        "dead lines",
    }


@pytest.mark.parametrize("backend", [text, markdown, latex])
def test_a_document_says_what_each_rule_did_and_saved(backend) -> None:
    """Each with what it rests on, and the operations before and after it."""
    (d,) = derive_network(random_network([("gru", 2, {})], 2), 3, "all").parts
    document = "".join(backend.render_derivation(d))
    rows = [(line, re.findall(r"\d+", line)) for line in document.splitlines()]
    assert len(d.stages) == 7
    kinds = ("*", "+", "function")
    for stage in d.stages[1:]:
        counts = [n for c in (stage.before, stage.after) for n in (*(c[kind] for kind in kinds), sum(c.values()))]
        (numbers,) = (found for line, found in rows if stage.rule in line and len(found) >= len(counts))
        assert numbers[-len(counts) :] == list(map(str, counts))
    for theorem in ("merged-biases", "sigma-complement", "blend", "tanh-sigma"):
        assert f"symgru prove {theorem}" in " ".join(document.split())


@pytest.mark.parametrize("steps", [0, -1, 2.5, "2"])
def test_steps_of_a_network_that_cannot_be_used(steps: object) -> None:
    with pytest.raises(UnusableInput, match=r"steps is .* whole number"):
        derive_network(random_network([("gru", 1, {})], 1), steps)


@pytest.mark.parametrize("given", [{"units": 0}, {"features": -1}, {"steps": 0}, {"steps": 1.5}, {"cell": "lstm\x1b"}])
def test_unusable(given: dict) -> None:
    with pytest.raises(UnusableInput):
        derive(**given)
