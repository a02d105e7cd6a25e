"""Phases found from the equations alone: what must be complete before what."""

import numpy as np
import pytest

from symgru.algebra import Across, Dot, Mat, Vec, add, mul, terms, walk
from symgru.building import build
from symgru.cell import Cell, h, h1, x
from symgru.cells import CELLS, n, r, y, z
from symgru.domains import Float64
from symgru.schedule import schedule

every_cell = pytest.mark.parametrize("name", CELLS)


def phases(plan):
    """Phases as plain names, to read."""
    return [
        {
            "start": {str(acc): [str(b) for b in biases] for acc, biases in p.start.items()},
            "groups": {str(v): [(str(acc), str(m)) for acc, m in pairs] for v, pairs in p.groups.items()},
            "across": [(str(lhs), str(name), str(v)) for lhs, name, v in p.across],
            "lanes": [str(lhs) for lhs, _ in p.lanes],
        }
        for p in plan.phases
    ]


def test_gru_has_one_phase():
    """Reset after: r multiplies what the product gave, so that nothing has to be complete first."""
    plan = schedule(build("gru", {}))
    (phase,) = phases(plan)
    assert set(phase["groups"]) == {"x", "h"}
    assert sorted(m for _, m in phase["groups"]["x"]) == ["W_n", "W_r", "W_z"]
    assert sorted(m for _, m in phase["groups"]["h"]) == ["U_n", "U_r", "U_z"]
    assert sorted(phase["start"].values()) == [["b_n"], ["c_n"], ["d_r"], ["d_z"]], "z and r are one sum each, n two"
    fed = {acc: [m for v in ("x", "h") for a, m in phase["groups"][v] if a == acc] for acc in phase["start"]}
    assert sorted(fed.values()) == [["U_n"], ["W_n"], ["W_r", "U_r"], ["W_z", "U_z"]]
    assert phase["lanes"] == ["z", "r", "n", "h1"]
    assert plan.kept == ()


def test_gru_before_has_two_phases():
    """Reset before: U_n reads r * h, which is complete only when every unit has its r."""
    plan = schedule(build("gru_before", {}))
    first, second = phases(plan)
    assert [sorted(m for _, m in first["groups"][v]) for v in ("x", "h")] == [["W_r", "W_z"], ["U_r", "U_z"]]
    assert [m for _, m in second["groups"]["x"]] == ["W_n"]
    (operand,) = [v for v in second["groups"] if v != "x"]
    assert [m for _, m in second["groups"][operand]] == ["U_n"]
    assert operand in first["lanes"]
    assert {"z", "r"} <= set(first["lanes"])
    assert second["lanes"] == ["n", "h1"]
    assert {str(v) for v in plan.kept} == {operand, "z"}
    (product,) = [e for p in plan.phases for lhs, e in p.lanes if str(lhs) == operand]
    assert product == mul(r, h)


def test_dense_softmax():
    plan = schedule(build("dense", {"activation": "softmax"}))
    first, second = phases(plan)
    assert first["groups"].keys() == {"x"}
    ((lhs, name, operand),) = second["across"]
    assert (lhs, name) == ("y", "softmax")
    assert operand in first["lanes"] or operand in first["start"]
    assert second["groups"] == {}
    assert [str(v) for v in plan.kept] == [operand]


def test_dense_linear_is_one_sum():
    plan = schedule(build("dense", {}))
    (phase,) = phases(plan)
    assert list(phase["start"].values()) == [["b"]]
    assert phase["lanes"] == ["y"]
    assert plan.kept == ()


def test_without_biases_sums_start_at_nothing():
    (phase,) = phases(schedule(build("gru", {"use_bias": False})))
    assert set(map(tuple, phase["start"].values())) == {()}


@every_cell
def test_every_matrix_is_used_once_and_every_line_is_there(name):
    plan = schedule(build(name, {}))
    used = [m for p in plan.phases for pairs in p.groups.values() for _, m in pairs]
    assert sorted(map(str, used)) == sorted(str(p) for p in plan.cell.params if isinstance(p, Mat))
    made = [lhs for p in plan.phases for lhs in [*(a for a, _, _ in p.across), *(lane for lane, _ in p.lanes)]]
    assert set(plan.cell.defined) <= set(made)
    assert len(made) == len(set(made))
    assert not any(isinstance(node, Dot | Across) for p in plan.phases for _, e in p.lanes for node in walk(e))


@every_cell
def test_nothing_is_read_before_it_is_complete(name):
    """Within a phase a lane sees the accumulators and earlier lanes of its own unit; sums read whole vectors."""
    plan = schedule(build(name, {}))
    cell = plan.cell
    complete = {*cell.inputs, *(before for before, _ in cell.states)}
    here = {*cell.params, *complete}
    for phase in plan.phases:
        assert set(phase.groups) <= complete
        assert {v for _, _, v in phase.across} <= complete
        here |= {lhs for lhs, _, _ in phase.across} | set(phase.start)
        for lhs, e in phase.lanes:
            assert {s for s in walk(e) if s.is_Symbol} <= here
            here.add(lhs)
        complete |= here


@pytest.mark.parametrize("name", ["gru", "gru_before"])
@pytest.mark.parametrize("sizes", [{"H": 1, "D": 1}, {"H": 8, "D": 3}, {"H": 2, "D": 40}], ids=str)
def test_multiply_adds_of_a_gru(name, sizes):
    H, D = sizes["H"], sizes["D"]
    assert schedule(build(name, {})).multiply_adds(sizes) == 3 * (D * H + H * H)
    assert schedule(build("dense", {"activation": "softmax"})).multiply_adds(sizes) == D * H


def test_weights_merge_the_two_biases():
    plan = schedule(build("gru", {}))
    rng = np.random.default_rng(4)
    own = {str(p): rng.normal(size=3).astype(np.float32) for p in CELLS["gru"].params}
    merged = plan.weights(own)
    assert set(merged) == {str(p) for p in plan.cell.params}
    for gate in "zr":
        expected = own[f"b_{gate}"].astype(np.float64) + own[f"c_{gate}"].astype(np.float64)
        assert np.array_equal(merged[f"d_{gate}"], expected)
        assert merged[f"d_{gate}"].dtype == np.float64, "rounded to float32 once, by the backend"
    for name in ("b_n", "c_n", "W_z", "U_n"):
        assert np.array_equal(merged[name], own[name])
    assert not {"b_z", "c_z", "b_r", "c_r"} & set(merged)


def test_a_schedule_computes_what_the_cell_computes():
    """Phases run by hand in float64 against the equations in float64."""
    for name in CELLS:
        cell = build(name, {})
        plan = schedule(cell)
        rng = np.random.default_rng(3)
        sizes = {"H": 4, "D": 3}
        own = {p.name: rng.normal(size=[sizes[k] for k in cell.dims[p]]) for p in cell.params}
        inputs = {"x": rng.normal(size=3), "h": rng.normal(size=4)}
        values = plan.weights(own) | inputs
        for phase in plan.phases:
            for acc, biases in phase.start.items():
                values[acc.name] = sum((values[b.name] for b in biases), np.zeros(4))
            for operand, pairs in phase.groups.items():
                for acc, m in pairs:
                    values[acc.name] = values[acc.name] + values[m.name] @ values[operand.name]
            assert not phase.across
            for lhs, e in phase.lanes:
                lane = Cell("lane", ((lhs, e),), inputs=cell.inputs, states=cell.states)
                values[lhs.name] = Float64().step(lane)(values["x"], values["h"], values)[lhs.name]
        right = Float64().step(cell)(inputs["x"][None], inputs["h"][None], own)[cell.output.name][0]
        assert np.abs(values[cell.output.name] - right).max() <= 1e-14


def test_names_that_are_taken_are_not_taken_again():
    """A cell with lines a_n, s_n and u_n of its own gets accumulators under other names."""
    a, s, u = (Vec(k, real=True) for k in ("a_n", "s_n", "u_n"))
    W, U = Mat("W", real=True), Mat("U", real=True)
    cell = Cell("taken", ((a, x * x), (s, x + x), (u, x), (n, add(W @ x, mul(z, add(U @ h, a)), s)), (h1, n)))
    plan = schedule(cell)
    made = [str(lhs) for p in plan.phases for lhs in [*p.start, *(lane for lane, _ in p.lanes)]]
    assert len(made) == len(set(made)), "an accumulator must not hide a line of the cell"


def test_a_sum_of_sums_is_found_in_the_softmax_argument():
    plan = schedule(build("dense", {"activation": "softmax", "use_bias": False}))
    assert list(plan.phases[0].start.values()) == [()]
    assert [str(lhs) for p in plan.phases for lhs, _, _ in p.across] == [str(y)]
    assert terms(plan.cell.equations[0][1]) == (plan.cell.equations[0][1],)
