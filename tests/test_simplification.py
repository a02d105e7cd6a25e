"""Every rule on every cell: the numbers before and after it, its proof, and that the proof of a false twin fails."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy import Function, Rational, S, tanh

from symgru import folding
from symgru.algebra import Ref, add, mul, rebuild, sigma, terms, walk
from symgru.backends.model import layers
from symgru.backends.text.document import TEXT
from symgru.backends.unrolled import ProgramWriter, made_params
from symgru.building import build
from symgru.cell import h1
from symgru.cells import CELLS, br, r, z
from symgru.domains import Float64
from symgru.errors import Unsupported, UnusableInput
from symgru.folding import Numbers, map_lines
from symgru.network import Tensor
from symgru.simplification import AS_WRITTEN, RULES, USUAL, chosen, proof, simplify
from symgru.trace import run
from symgru.unroll import Assign
from tests import oracle
from tests.conftest import random_input, random_network
from tests.evaluation import evaluate, output

# Long double has a rounding error of 1e-19 (on a machine without it, of 2e-16): a rule may reorder a few dozen
# operations on numbers around 1, each of which a later step may make a few times larger.
TOLERANCE = 1000 * np.finfo(np.longdouble).eps
RECURRENT = [name for name, cell in CELLS.items() if cell.states]
SETS = {
    "usual": USUAL,
    "all": chosen(["all"]),
    "constant inputs too": chosen(["all", "constant-inputs"]),
    **{key: (key,) for key in RULES},
}
KERAS = {"gru": ("gru", {}), "gru_before": ("gru", {"reset_after": False}), "dense": ("dense", {})}


def numbers_of(weights, **options):
    return Numbers({name: Tensor.of(np.asarray(v)) for name, v in weights.items()}, typed=False, **options)


def arrays(network):
    (layer,) = network.layers.values()
    return {name: t.value.astype(np.float64) for name, t in layer.weights.items()}


def sizes(units, features):
    return {"H": units, "D": features}


def written(program):
    """What is computed once and at each step, as the text document writes it, without the number of the step."""
    writer = ProgramWriter(program, TEXT)
    blocks = [[f"{lhs} = {rhs}" for lhs, rhs in pairs] for _, pairs in writer.blocks()]
    lines = [[line.replace("\x01", "t").replace("\x02", "(t-1)") for line in block] for block in blocks]
    return [f"{lhs} = {rhs}" for lhs, rhs in writer.once()], *lines


def largest_difference(stages, weights, x):
    """Between the numbers before any rule and those after each."""
    before, *after = (output(stage.program, weights, x) for stage in stages)
    return max((np.abs(y - before).max() for y in after), default=0)


# The numbers before and after -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_as_written_is_its_reference(name):
    network = random_network([(name, 3, {})], 2, "float64", seed=3)
    x = random_input(network, 3)
    program = simplify(build(name, {}), sizes(3, 2), 3, ()).last.program
    y = output(program, arrays(network), x.value[0])
    assert np.abs(y - run(network, x, Float64()).y[0].reshape(-1, 3)[-1]).max() <= 1e-14  # float64 over three steps
    if name in KERAS:
        kind, options = KERAS[name]
        (unit,) = layers(network)
        weights = [a.astype(np.float64) for a in unit.arrays.values()]
        right = oracle.run([(kind, options, weights)], x.value)[0].reshape(-1, 3)[-1]
        assert np.abs(y - right).max() <= TOLERANCE


@pytest.mark.parametrize("name", CELLS)
def test_the_numbers_are_the_same_after_every_rule(name):
    """With a network's numbers, and in symbols (where zero-biases takes every bias to be 0)."""
    cell = build(name, {})
    network = random_network([(name, 3, {})], 2, seed=5)
    weights, x = arrays(network), random_input(network, 3).value[0]
    bare = {k: v * (v.ndim > 1) for k, v in weights.items()}
    same = np.repeat(x[:1], 3, axis=0)
    for keys in SETS.values():
        given_x = same if "constant-inputs" in keys else x
        full = simplify(cell, sizes(3, 2), 3, keys, numbers_of(weights))
        assert largest_difference(full.stages, weights, given_x) <= TOLERANCE, keys
        symbols = simplify(cell, sizes(3, 2), 3, keys)
        assert largest_difference(symbols.stages, bare, given_x) <= TOLERANCE, keys


ACTIVATIONS = ["tanh", "sigmoid", "relu", "linear", "softsign", "hard_sigmoid", "softmax"]
PLAIN = [0.0, 0.0, 0.0, 1.0, -1.0, 0.5, 2.0, 0.25, -3.0]  # what rules on numbers look for


@st.composite
def networks(draw):
    """A cell, its sizes, steps, weights with many zeros, ones and equal units, an input, and some of the rules."""
    name = draw(st.sampled_from([*RECURRENT, "dense"]))
    options = {"use_bias": draw(st.booleans()), "activation": draw(st.sampled_from(ACTIVATIONS))}
    if CELLS[name].states and draw(st.booleans()):
        options["recurrent_activation"] = draw(st.sampled_from(ACTIVATIONS))
    # softmax over a gate of nothing is refused
    nothing = name in {"type3", "mgu3"} and options.get("use_bias") is False
    assume(not (nothing and options.get("recurrent_activation") == "softmax"))
    cell = build(name, options)
    units, features, steps = (draw(st.integers(1, most)) for most in (3, 2, 3))
    floats = st.integers(-3000, 3000).map(lambda n: float(np.float32(n / 1000)))
    weights = {}
    for p in cell.params:
        shape = [sizes(units, features)[d] for d in cell.dims[p]]
        n = int(np.prod(shape))
        element = st.sampled_from(PLAIN) if draw(st.booleans()) else floats
        weights[p.name] = np.array(draw(st.lists(element, min_size=n, max_size=n))).reshape(shape)
    if units > 1 and draw(st.booleans()):
        for v in weights.values():
            v[1] = v[0]
    keys = chosen(draw(st.lists(st.sampled_from(list(RULES)), unique=True)) or ["all"])
    x = np.array(draw(st.lists(floats, min_size=steps * features, max_size=steps * features)))
    x = x.reshape(steps, features)
    return cell, sizes(units, features), weights, np.repeat(x[:1], steps, 0) if "constant-inputs" in keys else x, keys


@given(networks())
@settings(max_examples=100, deadline=None, derandomize=True)
def test_any_rules_leave_any_network_as_it_is(made):
    cell, size, weights, x, keys = made
    found = simplify(cell, size, len(x), keys, numbers_of(weights))
    scale = max(1, np.abs(output(found.stages[0].program, weights, x)).max())
    assert largest_difference(found.stages, weights, x) <= TOLERANCE * scale
    assert found.proved
    assert {s.rule for s in found.stages[1:]} <= {RULES[key].name for key in (*keys, "unused-lines")}
    assert not {rule.key for rule in found.idle} & {s.rule for s in found.stages}


@given(networks())
@settings(max_examples=80, deadline=None, derandomize=True)
def test_after_the_rules_there_is_nothing_left_for_them(made):
    """What they say holds of the result: no zero weight, no constant or equal line, no equal function, no dead line."""
    cell, size, weights, x, _ = made
    numbers = numbers_of(weights)
    program = simplify(cell, size, len(x), chosen(["all"]), numbers).last.program
    for rule in RULES.values():
        assert rule.scalars is None or rule.scalars(program, numbers) == program, rule.name
    read = {s for _, line in program.lines() for s in walk(line.rhs) if isinstance(s, Ref)}
    for lines in (program.once, *(block.lines for block in program.blocks)):
        functions = Counter(node for line in lines for node in walk(line.rhs) if isinstance(node, Function))
        assert all(n == 1 for n in functions.values())
        for line in lines:
            if not folding.is_output(program, line.lhs):
                assert not line.rhs.is_Rational and not isinstance(line.rhs, Ref)
                assert line.lhs in read
            assert all(s.dt is not None or s in {known.lhs for known in program.once} for s in line.rhs.atoms(Ref))


# Which rules, and what is said of them --------------------------------------------------------------------------------


def test_chosen():
    assert chosen(None) == chosen(["usual"]) == chosen("usual") == USUAL
    assert chosen(["none"]) == chosen("none") == ()
    assert set(chosen("all")) == set(RULES) - {"constant-inputs"}, "which is wrong for most inputs"
    assert chosen(["blend", "merged-biases"]) == chosen("merged-biases, blend") == ("merged-biases", "blend")
    assert chosen(["all", "constant-inputs", "blend"]) == tuple(RULES)
    for nothing in ([], "", " , ", "none,blend", ["all", "none"]):
        with pytest.raises(UnusableInput, match="names of rules, or none alone"):
            chosen(nothing)
    for name in ("merge", "all,", "Blend", "\x1b[31m", "x" * 1000):
        with pytest.raises(UnusableInput, match="no rule is called") as e:
            chosen([name])
        assert len(str(e.value)) < 500 and "\x1b" not in str(e.value) and "merged-biases" in str(e.value)


def test_every_rule_finds_something_to_do():
    """Each on some network, after the rules that make work for it."""
    equal = arrays(random_network([("gru", 2, {})], 1, seed=1))
    for v in equal.values():
        v[1] = v[0]
    nothing = {k: v * 0 for k, v in equal.items()}
    unread = equal | {"U_n": np.diag([0, 1]), "c_n": np.array([0, 1])}  # nothing reads the first unit's reset gate
    last = ("numbers", "constant-lines", "shared-functions", "dead-lines")
    done = {}
    for name, weights, keys in (
        ("gru", equal, ("merged-biases", *last)),
        ("gru", equal, ("zero-initial-state", "complement", "blend", "half-angle", "constant-inputs")),
        ("gru", nothing, ("zero-initial-state", "zero-biases", "unused-lines", *last)),
        ("gru", unread, ("pruned-weights", "dead-lines")),
        ("type3", arrays(random_network([("type3", 2, {})], 1)), ("constants", "operands")),
    ):
        for stage in simplify(CELLS[name], sizes(2, 1), 2, chosen(keys), numbers_of(weights)).stages[1:]:
            done.setdefault(stage.rule, stage)
    assert set(done) == {rule.name for rule in RULES.values()}
    for key, rule in RULES.items():
        assert key == rule.name.replace(" ", "-")
        assert done[rule.name].says == rule.says and done[rule.name].rests_on == rule.rests_on


def test_a_rule_rests_on_a_theorem_that_is_proved():
    from symgru.proofs import PROOFS

    assert {r.rests_on for r in RULES.values() if r.rests_on} == {
        "merged-biases",
        "sigma-complement",
        "blend",
        "tanh-sigma",
    }
    assert {r.rests_on for r in RULES.values() if r.rests_on} <= set(PROOFS)


@pytest.mark.parametrize("name", RECURRENT)
def test_what_a_stage_says_it_saved_is_what_the_programs_count(name):
    found = simplify(
        CELLS[name], sizes(2, 2), 4, chosen(["all", "constant-inputs"]), numbers_of(weights_with_zeros(name))
    )
    assert found.stages[0].rule == AS_WRITTEN
    for before, after in zip(found.stages, found.stages[1:], strict=False):
        assert after.before == before.after == counted(before.program)
        assert after.after == counted(after.program)


def weights_with_zeros(name):
    weights = arrays(random_network([(name, 2, {})], 2, seed=8))
    for v in weights.values():
        v.flat[0] = 0
    return weights


def counted(program):
    """Operations line by line, step by step: what each node of the tree takes. -a is a sign, no product."""
    total = Counter(dict.fromkeys(("+", "*", "/", "@", "function"), 0))
    for _, line in program.lines():
        for node in walk(line.rhs):
            if node.is_Add:
                total["+"] += len(node.args) - 1
            elif node.is_Mul:
                total["*"] += sum(f != -1 for f in node.args) - 1
            elif isinstance(node, Function):
                total["function"] += 1
    return total


# By hand --------------------------------------------------------------------------------------------------------------


def test_constants_are_computed_once():
    found = simplify(CELLS["type3"], sizes(1, 1), 2, ("zero-initial-state", "constants", "unused-lines"))
    assert written(found.last.program) == (
        ["z = σ(b_z)", "r = σ(b_r)"],
        ["n_t = tanh(W_n·x_t + b_n)", "h_t = z·n_t"],
        ["n_t = tanh(W_n·x_t + U_n·(r·h_(t-1)) + b_n)", "h_t = (1 - z)·h_(t-1) + z·n_t"],
    )
    bare = simplify(CELLS["type3"], sizes(1, 1), 2, ("zero-initial-state", "zero-biases", "constants", "unused-lines"))
    assert written(bare.last.program) == (
        [],
        ["n_t = tanh(W_n·x_t)", "h_t = 0.5·n_t"],
        ["n_t = tanh(W_n·x_t + U_n·(0.5·h_(t-1)))", "h_t = 0.5·h_(t-1) + 0.5·n_t"],
    )


def test_with_constant_inputs_the_constant_part_of_a_sum_is_computed_once():
    found = simplify(CELLS["gru"], sizes(2, 1), 3, ("zero-initial-state", "merged-biases", "constant-inputs"))
    once, first, rest = written(found.last.program)
    assert once == [
        *(f"e_z[{i}] = W_z[{i}]·x + d_z[{i}]" for i in (1, 2)),
        *(f"e_r[{i}] = W_r[{i}]·x + d_r[{i}]" for i in (1, 2)),
        *(f"e_n[{i}] = W_n[{i}]·x + b_n[{i}]" for i in (1, 2)),
    ]
    assert first[0] == "z_t[1] = σ(e_z[1])"
    assert first[4] == "n_t[1] = tanh(e_n[1] + r_t[1]·c_n[1])"
    assert rest[0] == "z_t[1] = σ(e_z[1] + U_z[1,1]·h_(t-1)[1] + U_z[2,1]·h_(t-1)[2])"
    assert all("x" not in line for line in (*first, *rest))


def test_a_gate_read_as_its_complement_has_the_same_constant_part():
    """k = σ(-a) of the first step and z = σ(a) of the others need one sum."""
    keys = ("zero-initial-state", "complement", "constant-inputs")
    once, first, rest = written(simplify(CELLS["ligru"], sizes(1, 1), 3, keys).last.program)
    assert once == ["e_z = W_z·x + b_z", "e_n = W_n·x + b_n"]
    assert first == ["k_z_t = σ(-e_z)", "n_t = relu(e_n)", "h_t = k_z_t·n_t"]
    assert rest[0] == "z_t = σ(e_z + U_z·h_(t-1))"


def test_constant_parts_that_differ_have_names_that_differ():
    """A cell with a constant reset gate: r c_n is constant too, but not where it stands beside the state."""
    constant_reset = tuple((lhs, sigma(br, evaluate=False) if lhs == r else e) for lhs, e in CELLS["gru"].equations)
    found = simplify(
        CELLS["gru"].with_equations(constant_reset), sizes(1, 1), 3, ("zero-initial-state", "constant-inputs")
    )
    assert written(found.last.program) == (
        ["e_z = W_z·x + b_z + c_z", "r = σ(b_r)", "e_n = W_n·x + b_n", "e_n2 = W_n·x + b_n + r·c_n"],
        ["z_t = σ(e_z)", "n_t = tanh(e_n2)", "h_t = (1 - z_t)·n_t"],
        ["z_t = σ(e_z + U_z·h_(t-1))", "n_t = tanh(e_n + r·(U_n·h_(t-1) + c_n))", "h_t = z_t·h_(t-1) + (1 - z_t)·n_t"],
    )
    assert found.proved


def test_a_halved_gate_has_halved_weights():
    found = simplify(CELLS["ligru"], sizes(1, 1), 2, ("half-angle",))
    assert found.idle and len(found.stages) == 1, "relu is no tanh: there is no one function that serves"
    found = simplify(CELLS["mgu"], sizes(1, 1), 2, ("half-angle", "blend"))
    assert (
        written(found.last.program)
        == (
            [],
            [
                "f_t = 0.5·(1 + tanh(W'_f·x_t + U'_f·h_(t-1) + b'_f))",
                "n_t = tanh(W_n·x_t + U_n·(f_t·h_(t-1)) + b_n)",
                "h_t = h_(t-1) + f_t·(n_t - h_(t-1))",
            ],
        )
        or written(found.last.program)[1][2] == "h_t = n_t + (1 - f_t)·(h_(t-1) - n_t)"
    )
    assert [f"{a} = {b}" for a, b in made_params(found.last.program.params, TEXT)] == [
        "W'_f = 0.5·W_f",
        "U'_f = 0.5·U_f",
        "b'_f = 0.5·b_f",
    ]


def test_zero_biases_of_a_network_are_those_that_are_zero():
    weights = arrays(random_network([("gru", 2, {})], 1, seed=4))
    weights["b_n"] *= 0
    weights["c_r"] = -weights["b_r"]  # only their sum is 0
    keys = ("merged-biases", "zero-biases")
    found = simplify(CELLS["gru"], sizes(2, 1), 2, keys, numbers_of(weights))
    kept = {p.name for p in found.last.recurrence.rest.params if p.name[0] in "bcd"}
    assert kept == {"d_z", "c_n"}
    assert found.proved
    weights["c_r"][1] = np.nextafter(weights["c_r"][1], 1)
    found = simplify(CELLS["gru"], sizes(2, 1), 2, keys, numbers_of(weights))
    assert {p.name for p in found.last.recurrence.rest.params if p.name[0] in "bcd"} == {"d_z", "d_r", "c_n"}


def test_typed_decimals_and_stored_floats():
    """0.1 as a person wrote it, and as float32 holds it."""
    cell = build("dense", {"use_bias": False})
    W = {"W": Tensor.of(np.array([[0.1]], np.float32))}
    for typed, coefficient in ((True, Rational(1, 10)), (False, Rational(13421773, 134217728))):
        (line,) = simplify(cell, sizes(1, 1), 1, ("numbers",), Numbers(W, typed=typed)).last.program.blocks[0].lines
        assert line.rhs.args[0] == coefficient


# Halves ---------------------------------------------------------------------------------------------------------------

SMALLEST = {"float32": 2.0**-149, "float64": 2.0**-1074}


@pytest.mark.parametrize("dtype", SMALLEST)
def test_a_half_that_is_not_exact_is_refused(dtype):
    network = random_network([("gru", 2, {})], 3, dtype)
    (layer,) = network.layers.values()
    layer.weights["U_r"].value[1, 0] = 3 * SMALLEST[dtype]
    with pytest.raises(Unsupported) as e:
        simplify(CELLS["gru"], sizes(2, 3), 2, chosen("all"), Numbers(layer.weights, dtype, typed=False))
    assert str(e.value).startswith("half angle: U_r[1, 2] is ")  # row 1, column 2 in Keras' orientation
    assert f"no exact half in {dtype}; leave the rule out" in str(e.value)
    layer.weights["U_r"].value[1, 0] = 4 * SMALLEST[dtype]
    assert simplify(CELLS["gru"], sizes(2, 3), 2, chosen("all"), Numbers(layer.weights, dtype, typed=False)).proved


def test_only_what_is_halved_is_looked_at():
    """The candidate's weights keep their size, and so does a bias that is one of two: their sum is halved."""
    weights = arrays(random_network([("gru", 1, {})], 1, seed=2))
    for name in ("W_n", "U_n", "b_n", "c_n", "c_z"):
        weights[name][...] = SMALLEST["float32"]
    found = simplify(CELLS["gru"], sizes(1, 1), 2, ("merged-biases", "half-angle"), numbers_of(weights))
    assert found.last.rule == "half angle"
    with pytest.raises(Unsupported, match=r"half angle: c_z\[1\] is"):
        simplify(CELLS["gru"], sizes(1, 1), 2, ("half-angle",), numbers_of(weights))


# False twins: each looks like what a rule did, and its proof must fail ------------------------------------------------


def wrong_equations(cell):
    """A cell with one mistake in one line, for every line and several mistakes."""
    for k, (lhs, e) in enumerate(cell.equations):

        def changed(new, k=k, lhs=lhs):
            return cell.with_equations((*cell.equations[:k], (lhs, new), *cell.equations[k + 1 :]))

        seen = set()
        for node in walk(e):
            if node.is_Add and node not in seen:
                seen.add(node)
                for t in terms(node):
                    left = add(*(other for other in terms(node) if other != t))
                    yield f"{lhs} without {t}", changed(replaced(e, node, left))
        yield f"-{lhs}", changed(mul(S.NegativeOne, e))
    for k, ((a, e), (b, f)) in enumerate(zip(cell.equations, cell.equations[1:], strict=False)):
        if type(e) is type(f) is sigma:
            exchanged = (*cell.equations[:k], (a, f), (b, e), *cell.equations[k + 2 :])
            yield f"{a} and {b} exchanged", cell.with_equations(exchanged)


@pytest.mark.parametrize("name", ["gru", "fully_gated", "type3", "mgu1", "simple"])
def test_a_mistake_in_a_line_is_caught(name):
    """In the first step, in the others, and in what is computed once. Some are none (nothing reads the reset gate of
    the first step): the proof fails just where the numbers change."""
    found = simplify(CELLS[name], sizes(2, 2), 3, chosen(["all", "constant-inputs"]))
    assert found.proved
    network = random_network([(name, 2, {})], 2, seed=6)
    x = np.repeat(random_input(network, 1).value[0], 3, axis=0)
    caught = 0
    for before, after in zip(found.stages, found.stages[1:], strict=False):
        recurrence = after.recurrence
        weights = {k: v * (v.ndim > 1 or not recurrence.zero) for k, v in arrays(network).items()}
        right = output(after.program, weights, x)
        places = {"first": recurrence.first, "rest": recurrence.rest}
        places |= {"once": recurrence.constants} if recurrence.once else {}
        for place, cell in places.items():
            for says, wrong in wrong_equations(cell):
                twin = replace(recurrence, **{place: wrong.equations if place == "once" else wrong})
                changed = bool(np.abs(output(twin.unroll(sizes(2, 2), 3), weights, x) - right).max() > 1e-9)
                holds = proof(before, replace(after, recurrence=twin), None)
                assert holds is not changed, (after.rule, place, says)
                caught += changed
    assert caught > 10 * len(found.stages[1:]) / 3


@pytest.mark.parametrize("name", ["gru", "type3", "mgu"])
def test_a_wrong_parameter_is_caught(name):
    """Quarters for halves, one bias for two, a difference for a sum, nothing at all."""
    found = simplify(CELLS[name], sizes(2, 2), 3, ("zero-initial-state", "merged-biases", "half-angle"))
    last = found.last
    assert last.rule == "half angle"
    for p, e in last.recurrence.params.items():
        if p not in set(last.recurrence.rest.params):
            continue  # d_z, of which d'_z is half
        for wrong in (mul(Rational(1, 4), e.args[1]), e.args[1], mul(S.NegativeOne, e), S.Zero):
            params = {**last.recurrence.params, p: wrong}
            twin = replace(last, recurrence=replace(last.recurrence, params=params))
            assert proof(found.stages[-2], twin, None) is False, (p, wrong)
    merged = simplify(CELLS["gru"], sizes(2, 2), 3, ("merged-biases",))
    for p, e in merged.last.recurrence.params.items():
        b, c = e.args
        for wrong in (b, c, add(b, mul(S.NegativeOne, c)), mul(b, c)):
            params = {**merged.last.recurrence.params, p: wrong}
            twin = replace(merged.last, recurrence=replace(merged.last.recurrence, params=params))
            assert proof(merged.stages[0], twin, None) is False, (p, wrong)


def test_an_assumption_that_is_not_made_is_caught():
    """Left out though nothing says that it is 0: a bias, the state at the first step, the state at every step."""
    cell = CELLS["gru"]
    found = simplify(cell, sizes(2, 2), 3, ("zero-initial-state", "zero-biases"))
    written_, zero_state, zero_biases = (s for s in found.stages if s.rule != "unused lines")
    for stage, before, change in (
        (zero_state, written_, {"zero_start": False}),
        (zero_biases, zero_state, {"zero": frozenset()}),
        (zero_state, written_, {"rest": zero_state.recurrence.first}),
    ):
        twin = replace(stage, recurrence=replace(stage.recurrence, **change))
        assert proof(before, stage, None) is True
        assert proof(before, twin, None) is False


def replaced(e, node, other):
    return rebuild(e, lambda s: other if s == node else s)


def wrong_lines(lines):
    """The lines with one mistake: a summand or a factor gone, a number changed, a sign, two lines exchanged."""
    for k, line in enumerate(lines):

        def changed(rhs, k=k, line=line):
            return (*lines[:k], Assign(line.lhs, rhs), *lines[k + 1 :])

        for node in set(walk(line.rhs)):
            if node.is_Add or node.is_Mul:
                for gone in set(node.args) - {S.One, S.NegativeOne}:
                    make = add if node.is_Add else mul
                    left = make(*(a for a in node.args if a != gone))
                    yield changed(replaced(line.rhs, node, left))
            if node.is_Rational:
                yield changed(replaced(line.rhs, node, node + Rational(1, 1024)))
            if isinstance(node, sigma | tanh):
                yield changed(replaced(line.rhs, node, mul(S.NegativeOne, node)))
        other = next((other for other in lines[:k] if other.lhs.of == line.lhs.of and other.rhs != line.rhs), None)
        if other is not None:
            yield tuple(Assign(a.lhs, {line: other, other: line}.get(a, a).rhs) for a in lines)


@pytest.mark.parametrize("name", ["gru", "gru_before", "type3"])
def test_a_mistake_with_numbers_is_caught(name):
    """After every rule on numbers, in any line; the numbers say that it is one."""
    weights = weights_with_zeros(name)
    x = random_input(random_network([(name, 2, {})], 2), 3).value[0]
    numbers = numbers_of(weights)
    found = simplify(CELLS[name], sizes(2, 2), 3, USUAL, numbers)
    assert found.proved
    caught = 0
    rng = np.random.default_rng(1)
    for before, after in zip(found.stages, found.stages[1:], strict=False):
        if RULES[after.rule.replace(" ", "-")].scalars is None:
            continue
        program, right = after.program, output(after.program, weights, x)
        twins = [replace(program, once=lines) for lines in wrong_lines(program.once)]
        for k, block in enumerate(program.blocks):
            for lines in wrong_lines(block.lines):
                blocks = (*program.blocks[:k], replace(block, lines=lines), *program.blocks[k + 1 :])
                twins.append(replace(program, blocks=blocks))
        for k in rng.choice(len(twins), min(25, len(twins)), replace=False):
            changed = bool(np.abs(output(twins[k], weights, x) - right).max() > 1e-12)
            assert proof(before, replace(after, program=twins[k]), numbers) is not changed
            caught += changed
    assert caught > 40


def test_a_rule_that_works_numbers_out_wrongly_is_caught(monkeypatch):
    """The proof does not fold with the rules' own arithmetic."""
    weights = weights_with_zeros("gru")

    def wrong(e):
        return add(*terms(e)[:-1]) if len(terms(e)) > 2 else e

    monkeypatch.setattr(folding, "_fold_sum", wrong)
    found = simplify(CELLS["gru"], sizes(2, 2), 3, USUAL, numbers_of(weights))
    assert found.proved is False
    monkeypatch.undo()
    monkeypatch.setattr(folding, "_fold_product", lambda e: mul(*e.args[1:]))
    assert simplify(CELLS["gru"], sizes(2, 2), 3, USUAL, numbers_of(weights)).proved is False


def test_a_proof_needs_every_output():
    """A unit's line gone, and a line that reads another unit."""
    weights = weights_with_zeros("gru")
    numbers = numbers_of(weights)
    found = simplify(CELLS["gru"], sizes(2, 2), 3, ("numbers",), numbers)
    before, after = found.stages
    (block,) = after.program.blocks
    gone = replace(after.program, blocks=(replace(block, lines=block.lines[:-1]),))
    assert proof(before, replace(after, program=gone), numbers) is False

    def other_unit(e):
        swapped = {Ref(z, (0,), 0): Ref(z, (1,), 0), Ref(z, (1,), 0): Ref(z, (0,), 0)}
        return rebuild(e, lambda s: swapped.get(s, s))

    assert h1 in CELLS["gru"].defined
    assert proof(before, replace(after, program=map_lines(after.program, other_unit)), numbers) is False


def test_the_evaluation_of_the_tests_refuses_what_was_never_computed():
    """It would not do to read a 0 where a line is missing."""
    program = simplify(CELLS["gru"], sizes(1, 1), 2, ()).last.program
    (block,) = program.blocks
    broken = replace(program, blocks=(replace(block, lines=block.lines[1:]),))
    with pytest.raises(KeyError, match="z"):
        evaluate(broken, arrays(random_network([("gru", 1, {})], 1)), np.ones((2, 1)))
