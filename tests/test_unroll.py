"""A cell unrolled: the blocks, the number of lines, and their values against tests/oracle.py."""

from itertools import islice

import numpy as np
import pytest

from symgru.activations import activation
from symgru.algebra import Ref
from symgru.backends.model import layers
from symgru.building import build
from symgru.cell import h, h1, x
from symgru.cells import CELLS
from symgru.domains import Float64
from symgru.rules import MERGED_BIASES, ZERO_BIASES, ZERO_STATE
from symgru.trace import run
from symgru.unroll import lower, unroll
from tests import oracle
from tests.conftest import random_input, random_network
from tests.evaluation import evaluate

SIZES = {"H": 3, "D": 2}
RECURRENT = [name for name, cell in CELLS.items() if cell.states]


def evaluated(program, layer, sequence):
    """The values of every line, from a layer's weights."""
    return evaluate(program, {name: t.value for name, t in layer.weights.items()}, sequence)


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("peeled", [True, False])
def test_the_lines_equal_the_oracle(after, steps, peeled):
    network = random_network([("gru", 3, {"reset_after": after})], 2, "float64", seed=steps)
    (unit,) = layers(network)
    given = random_input(network, steps)
    program = unroll(unit.cell, unit.sizes, steps, ZERO_STATE(unit.cell) if peeled else None)
    made = evaluated(program, unit.layer, given.value[0])
    arrays = [a.astype(np.float64) for a in unit.arrays.values()]
    right = oracle.run([("gru", {"reset_after": after}, arrays)], given.value)[0]
    ours = np.array([made["h", (i,), steps] for i in range(3)])
    assert np.abs(ours - right).max() <= 1e-17


@pytest.mark.parametrize("name", RECURRENT)
def test_the_lines_of_every_cell_equal_its_equations(name):
    network = random_network([(name, 3, {})], 2, "float64", seed=9)
    (unit,) = layers(network)
    given = random_input(network, 4)
    made = evaluated(unroll(unit.cell, unit.sizes, 4, ZERO_STATE(unit.cell)), unit.layer, given.value[0])
    reference = run(network, given, Float64()).y[0]
    assert np.abs(np.array([made["h", (i,), 4] for i in range(3)], float) - reference).max() <= 1e-14


def test_softmax_reads_every_unit():
    cell = build("dense", {"activation": "softmax"})
    lines = lower(cell, SIZES)
    assert [line.lhs for line in lines] == [Ref(cell.output, (i,), 0) for i in range(3)]
    for i, line in enumerate(lines):
        name, own, *every = line.rhs.args
        assert str(name) == "softmax"
        assert own == every[i]
        assert len(every) == 3
    network = random_network([("dense", 3, {"activation": "softmax"})], 2, "float64")
    made = evaluated(unroll(cell, SIZES, 1), network.layers["dense_1"], np.array([[0.3, -2.0]]))
    arrays = [network.layers["dense_1"].weights[k].value for k in ("W", "b")]
    right = oracle.dense(np.array([0.3, -2.0]), [arrays[0].T, arrays[1]], activation="softmax")
    assert np.abs(np.array([made["y", (i,), 1] for i in range(3)]) - right).max() <= 1e-17


def test_blocks_without_a_peeled_step():
    program = unroll(CELLS["gru"], SIZES, 7)
    (block,) = program.blocks
    assert (block.start, block.repeat, list(block.times)) == (1, 7, [1, 2, 3, 4, 5, 6, 7])
    assert program.steps == 7
    assert unroll(CELLS["gru"], SIZES, 7, CELLS["gru"]).blocks == program.blocks, "the same cell needs no peeling"


@pytest.mark.parametrize("steps", [1, 2, 100])
def test_the_first_step_is_peeled(steps):
    cell = CELLS["gru"]
    program = unroll(cell, SIZES, steps, ZERO_STATE(cell))
    assert [(b.start, b.repeat) for b in program.blocks] == ([(1, 1), (2, steps - 1)] if steps > 1 else [(1, 1)])
    assert program.steps == steps
    times = [t for t, _ in program.lines()]
    assert times == sorted(times)
    assert {t: times.count(t) for t in set(times)} == dict.fromkeys(range(1, steps + 1), 4 * 3)
    first = program.blocks[0].lines
    assert not any(ref.of == h and ref.dt == -1 for line in first for ref in line.rhs.atoms(Ref))
    if steps > 1:
        assert any(ref.of == h and ref.dt == -1 for line in program.blocks[1].lines for ref in line.rhs.atoms(Ref))


def test_a_peeled_step_keeps_the_shapes_of_the_whole_cell():
    """Without the state nothing in the first step says how long r is, if nothing reads it."""
    cell = ZERO_BIASES(CELLS["gru"])
    program = unroll(cell, {"H": 4, "D": 1}, 3, ZERO_STATE(cell))
    assert len(program.blocks[0].lines) == len(program.blocks[1].lines) == 4 * 4


def test_lines_are_lazy():
    program = unroll(CELLS["gru"], SIZES, 10**12)
    lines = program.lines()
    assert next(lines)[0] == 1
    last_of_few = list(islice(lines, 100))[-1]
    assert last_of_few[0] == 101 // 12 + 1
    assert program.steps == 10**12


def counts(sizes, steps):
    """Counted by hand from the equations with two bias rows, for each unit: z and r have D + H products and two biases,
    n has D + H products, a product with r and two biases, the state two products, a sum and 1 - z."""
    H, D = sizes["H"], sizes["D"]
    return {
        "*": steps * H * (3 * (D + H) + 1 + 2),
        "+": steps * H * (2 * (D + H + 1) + (D + 1) + H + 2),
        "function": steps * H * 3,
        "/": 0,
        "@": 0,
    }


@pytest.mark.parametrize("steps", [1, 2, 10, 10**9])
@pytest.mark.parametrize("sizes", [{"H": 1, "D": 1}, SIZES, {"H": 2, "D": 5}], ids=str)
def test_operations_are_counted_and_linear_in_the_steps(sizes, steps):
    assert unroll(CELLS["gru"], sizes, steps).operations() == counts(sizes, steps)


def test_simplifying_saves_what_it_should():
    """A zero state saves all products with it: H*H in each of three gates, r*(...) goes only with its bias, z*h."""
    cell, H = CELLS["gru"], SIZES["H"]
    whole = unroll(cell, SIZES, 5).operations()
    peeled = unroll(cell, SIZES, 5, ZERO_STATE(cell)).operations()
    assert whole["*"] - peeled["*"] == 3 * H * H + H
    merged = MERGED_BIASES(cell)
    assert whole["+"] - unroll(merged, SIZES, 5).operations()["+"] == 5 * 2 * H


def test_the_new_state_and_the_old_are_one_quantity():
    """h1 at step t is h at step t + 1: the line of h1 defines Ref(h, 0), the lines that read it say Ref(h, -1)."""
    lines = lower(CELLS["gru"], SIZES)
    assert [line.lhs for line in lines[-3:]] == [Ref(h, (i,), 0) for i in range(3)]
    assert all(ref.of != h1 for line in lines for ref in {line.lhs, *line.rhs.atoms(Ref)})
    assert Ref(h, (1,), -1) in lines[0].rhs.atoms(Ref)


def test_each_product_is_written_out_in_the_order_of_the_columns():
    cell = build("dense", {})
    (line, *_) = lower(cell, SIZES)
    W, b = cell.params
    assert line.rhs.args[0].args == (Ref(W, (0, 0)), Ref(x, (0,), 0))
    assert line.rhs.args[1].args == (Ref(W, (0, 1)), Ref(x, (1,), 0))
    assert line.rhs.args[2] == Ref(b, (0,))
    assert activation("linear")(line.rhs) is line.rhs
