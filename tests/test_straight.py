"""Straight-line C and NumPy: read, counted, compiled, run, and compared with exact numbers."""

import ast
import ctypes
import re
import subprocess
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from sympy import Symbol

from symgru.algebra import Across, Ref, walk
from symgru.backends import c, numpy
from symgru.backends.model import layers
from symgru.backends.straight import MOST, straight
from symgru.building import build
from symgru.cells import CELLS
from symgru.domains import Float64
from symgru.errors import UnusableInput
from symgru.face import Model, load
from symgru.network import Layer, Network, Tensor, chain
from symgru.simplification import RULES
from symgru.trace import exact, keeps_time, run
from symgru.unroll import Assign
from symgru.verify.compilers import compile_library, compile_program
from symgru.verify.emitted import _guarded, _imported, _pointer
from symgru.writing import whole
from symgru.yardstick import NEARBY, largest_difference, nearby_error, recorded
from tests import oracle
from tests.conftest import random_input, random_network

SEQUENCES = {"return_sequences": True}
RECURRENT = [name for name, cell in CELLS.items() if cell.states]
STACKS = {
    "gru": [("gru", 3, {})],
    "one": [("gru", 1, {})],
    "before": [("gru", 2, {"reset_after": False})],
    "bare": [("gru", 3, {"use_bias": False}), ("dense", 2, {"use_bias": False})],
    "sequences": [("gru", 2, SEQUENCES)],
    "softmax": [("gru", 3, SEQUENCES), ("gru", 2, {}), ("dense", 3, {"activation": "softmax"})],
    "relu": [("gru", 2, SEQUENCES), ("gru", 3, {"reset_after": False}), ("dense", 2, {"activation": "relu"})],
    "dense first": [("dense", 3, {"activation": "softsign"}), ("gru", 2, {}), ("dense", 1, {})],
    "all along": [("gru", 2, SEQUENCES), ("dense", 2, {"activation": "elu"}), ("dense", 3, {"activation": "softmax"})],
}
CONSTANT_GATES = [("type3", 3, {"activation": "gelu"}), ("mgu3", 2, {**SEQUENCES, "recurrent_activation": "softmax"})]
WITH_SOFTMAX = [("gru", 3, {"activation": "softmax", "recurrent_activation": "hard_sigmoid"})]
ALL = {**STACKS, "constant gates": CONSTANT_GATES[::-1], "softmax inside": WITH_SOFTMAX}
STEPS = 5
RULE_SETS = ("usual", "all", "none")


def network_of(name, dtype="float32") -> Network:
    return random_network(ALL[name], 2, dtype, seed=len(name), name=name.replace(" ", "_"))


def texts(network, target, x=None, **options):
    """{file name: text} of straight-line code."""
    backend = {"c": c, "numpy": numpy}[target]
    made = backend.files(network, backend.Options(**{"unrolled": True, "steps": STEPS} | options), x)
    return {name: whole(content).decode() for name, content in made.items()}


def write(folder, files):
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def module_of(network, folder, x=None, **options):
    """The emitted module and its test, imported."""
    files = texts(network, "numpy", x, name="emitted", **options)
    write(folder, files)
    module = _imported(folder / "emitted.py")
    namespace = {}
    exec(files["test_emitted.py"].replace("from emitted import predict\n", ""), namespace)
    namespace["predict"] = module.predict
    return module, namespace


def body(source):
    """The statements of `predict` between its checks and its output."""
    (function,) = (node for node in ast.parse(source).body if getattr(node, "name", "") == "predict")
    (block,) = (node for node in function.body if isinstance(node, ast.With))
    return block.body


def window_body(source):
    return source[source.index("_window(const float *x, float *y)\n{") :]


# NumPy ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ALL)
def test_the_module_gives_what_the_equations_give(name, dtype, tmp_path):
    network = network_of(name, dtype)
    x = random_input(network, STEPS, batch=3)
    right = exact(network, x)
    ceiling = recorded(network, x, nearby=True).tolerance
    for rules in RULE_SETS:
        module, test = module_of(network, tmp_path, rules=rules)
        y = module.predict(x.value)
        assert y.dtype == dtype
        assert y.shape == right.shape
        assert largest_difference(y, right) <= ceiling, rules
        test["test_recorded"]()


@pytest.mark.parametrize("name", STACKS)
def test_the_module_agrees_with_the_oracle(name, tmp_path):
    """Keras' layers as tests/oracle.py has them, in long double; float64's rounding over five steps."""
    network = network_of(name, "float64")
    x = random_input(network, STEPS, batch=3)
    parts = [
        (u.layer.kind, dict(u.layer.options), [a.astype(float) for a in u.arrays.values()]) for u in layers(network)
    ]
    y = module_of(network, tmp_path, rules="all")[0].predict(x.value)
    assert np.abs(y - oracle.run(parts, x.value)).max() <= 1e-14


@pytest.mark.parametrize("name", ALL)
def test_float32_stays_float32(name, tmp_path):
    """Every value on the way, not the output alone."""
    network = network_of(name)
    x = random_input(network, STEPS, batch=3).value
    for rules in RULE_SETS:
        source = texts(network, "numpy", rules=rules)[f"{network.name}.py"]
        assert source.count("    return y\n") == 1
        namespace = {}
        exec(source.replace("    return y\n", "    return locals()\n"), namespace)
        values = namespace["predict"](x)
        assert len(values) > 10
        assert {name: v.dtype for name, v in values.items() if v.dtype != np.float32} == {}


def assigned_and_read(statements):
    """Names in the order in which they are assigned, each with the names that its line reads."""
    for statement in statements:
        assert isinstance(statement, ast.Assign), ast.dump(statement)
        (target,) = statement.targets
        names = [e.id for e in target.elts] if isinstance(target, ast.Tuple) else [target.id]
        read = {n.id for n in ast.walk(statement.value) if isinstance(n, ast.Name)}
        yield [n for n in names if n != "_"], read


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("name", ALL)
def test_every_name_is_assigned_once_before_it_is_read_and_read_afterwards(name, rules):
    source = texts(network_of(name), "numpy", rules=rules)[f"{network_of(name).name}.py"]
    module = ast.parse(source)
    known = {"x", "np", *(node.name for node in module.body if isinstance(node, ast.FunctionDef))}
    unread = set()
    for names, read in assigned_and_read(body(source)):
        assert read <= known
        assert not known & set(names)
        known |= set(names)
        unread = (unread - read) | set(names)
    outputs = {n.id for n in ast.walk(module) if isinstance(n, ast.Name) and n.id in unread}
    stored = re.findall(r"^    y\[:, [\d, ]+\] = (\w+)$", source, re.MULTILINE)
    assert outputs == unread <= set(stored), "what nothing reads is not computed"
    assert set(stored) <= known


def test_shapes_are_checked(tmp_path):
    module, _ = module_of(network_of("gru"), tmp_path)
    for shape in ((3, STEPS + 1, 2), (3, STEPS, 1), (STEPS, 2)):
        with pytest.raises(ValueError, match=r"expected \(batch, 5, 2\)"):
            module.predict(np.zeros(shape))
    assert module.predict(np.zeros((0, STEPS, 2))).shape == (0, 3)


# Numbers in unlucky places --------------------------------------------------------------------------------------------


def layer(kind, options, **weights):
    return Layer(kind, kind, kind, options, {k: Tensor.of(np.array(v, np.float32)) for k, v in weights.items()})


def made(*parts, features=1):
    parts = [replace(part, id=f"{part.kind}_{k}") for k, part in enumerate(parts, 1)]
    return chain(parts, dtype="float32", features=features, name="net")


GRU_1 = layer("gru", {}, **{p.name: [[0.5]] if p.name[0] in "WU" else [0.25] for p in CELLS["gru"].params})
UNLUCKY = {
    "an output that is a number": made(
        layer("simple", {}, W=[[0.5], [0]], U=[[0.5, 0], [0, 0]], b=[0.25, 0]),
    ),
    "nothing but numbers": made(
        layer("simple", SEQUENCES, W=[[0]], U=[[0]], b=[0]),
        layer("dense", {"activation": "sigmoid"}, W=[[1]], b=[0]),
    ),
    "softmax of numbers": made(
        GRU_1, layer("dense", {"activation": "softmax"}, W=[[0], [0], [0]], b=[1, -1, 0.5])
    ),
    "softmax of numbers and others": made(
        GRU_1, layer("dense", {"activation": "softmax"}, W=[[0], [2], [1]], b=[0.5, -1, 0])
    ),
    "softmax of equal units": made(
        GRU_1, layer("dense", {"activation": "softmax"}, W=[[2], [1], [2]], b=[0.5, -1, 0.5])
    ),
    "softmax of which the first component is not read": made(
        layer(
            "mgu",
            {"activation": "softmax", "recurrent_activation": "hard_sigmoid"},
            W_f=[[0], [1]], U_f=[[0, 0], [0.5, 1]], b_f=[-9, 0.5], W_n=[[1], [2]], U_n=[[1, 0], [0, 1]], b_n=[0, 1],
        ),
        layer("dense", {}, W=[[1, 2]], b=[0]),
    ),
    "a unit that the next layer does not read": made(
        layer("simple", SEQUENCES, W=[[0.5], [2]], U=[[0.5, 0], [0.5, 0.25]], b=[0.25, 0]),
        layer("simple", {}, W=[[1, 0]], U=[[0.5]], b=[0]),
    ),
    "a layer that reads nothing": made(
        GRU_1, layer("dense", {"activation": "gelu"}, W=[[0]], b=[0.5])
    ),
}  # fmt: skip


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("case", UNLUCKY)
def test_numbers_in_unlucky_places(case, rules, tmp_path):
    """NumPy knows no constants with a batch, and C warns of what is never read."""
    network = UNLUCKY[case]
    x = random_input(network, 3, batch=2)
    right = exact(network, x)
    module, test = module_of(network, tmp_path, steps=3, rules=rules)
    y = module.predict(x.value)
    assert y.shape == right.shape and y.dtype == np.float32
    assert largest_difference(y, right) <= recorded(network, x, nearby=True).tolerance
    test["test_recorded"]()
    write(tmp_path, texts(network, "c", steps=3, rules=rules))
    assert run_program(tmp_path, "net")[0] == 0  # which raises for any word of the compiler


def test_what_no_output_depends_on_is_not_computed():
    line = straight(UNLUCKY["a unit that the next layer does not read"], 3, "usual")
    computed = [(owner.place, t, line.lhs.idx) for owner, t, line in flat(line)]
    assert computed == [(k, t, (0,)) for t in (1, 2, 3) for k in (0, 1)]
    line = straight(UNLUCKY["a layer that reads nothing"], 3, "usual")
    assert [(owner.place, t) for owner, t, _ in flat(line)] == [(1, 3)]
    assert not line.reads_input
    assert "dead lines" in line.rules()


def test_a_state_of_the_last_step_may_be_read_by_nothing():
    """The second unit feeds the first one a step later, so it is not computed at the last; with sequences it is an
    output at every step."""
    W, U = [[0.5], [1]], [[0.5, 2], [0, 0.5]]
    head = layer("dense", {}, W=[[1, 0]], b=[0])
    line = straight(made(layer("simple", {}, W=W, U=U, b=[0, 0]), head), 4, "usual")
    times = [t for owner, t, line in flat(line) if line.lhs.idx == (1,)]
    assert times == [1, 2, 3]
    line = straight(made(layer("simple", SEQUENCES, W=W, U=U, b=[0, 0])), 4, "usual")
    assert [t for _, t, line in flat(line) if line.lhs.idx == (1,)] == [1, 2, 3, 4]


class Owner:
    def __init__(self, place):
        self.place = place


def flat(line):
    """(layer, time, assignment), the layer by its place."""
    places = {id(layer): Owner(k) for k, layer in enumerate(line.layers)}
    return [(places[id(owner)], t, a) for owner, t, lines in line.order() for a in lines]


def test_units_that_take_turns():
    """Each reads the other's state: which of them the last step needs changes from step to step."""
    exchanged = layer("simple", {"activation": "tanh"}, W=[[1], [2]], U=[[0, 1], [1, 0]], b=[0, 0])
    line = straight(made(exchanged, layer("dense", {}, W=[[1, 0]], b=[0])), 4, "usual")
    assert [(t, a.lhs.idx[0]) for owner, t, a in flat(line) if owner.place == 0] == [(1, 1), (2, 0), (3, 1), (4, 0)]


# C --------------------------------------------------------------------------------------------------------------------


def run_program(folder, name, *flags):
    """Compile NAME.c with its test under the project's flags and run it."""
    program = compile_program(folder, [f"{name}.c", f"{name}_test.c"], f"{name}_test", ("-O0", *flags))
    done = subprocess.run([program], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def window(library, name, network, x):
    """What the compiled NAME_window gives for every sequence of x."""
    function = getattr(library, f"{name}_window")
    function.restype = None
    width = layers(network)[-1].sizes["H"]
    y = np.empty((len(x), STEPS, width) if keeps_time(network) else (len(x), width), np.float32)
    for row, out in zip(np.ascontiguousarray(x, np.float32), y, strict=True):
        with _guarded([out]) as (place,):
            function(_pointer(row), place)
    return y


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Every recurrent cell at two sizes and every stack under several rules, in one library: no two names clash."""
    folder = tmp_path_factory.mktemp("straight")
    networks = {
        f"{cell}_{units}": random_network([(cell, units, {})], 2, seed=units) for cell in RECURRENT for units in (1, 3)
    }
    networks |= {f"stack_{name}".replace(" ", "_"): network_of(name) for name in ALL}
    built = {}
    for name, network in networks.items():
        for rules in ("usual", "all") if "_1" not in name else ("all",):
            prefix = f"{name}_{rules}"
            write(folder, texts(network, "c", name=prefix, rules=rules))
            built[prefix] = network
    (folder / "all.c").write_text("".join(f'#include "{prefix}.c"\n' for prefix in built))
    return compile_library(folder, "all.c", "all"), built


def test_compiled_it_gives_the_exact_numbers(compiled):
    """Within four times plain float32's own error around the input, plus two ulps; that is never more than a few dozen
    roundings of the largest number."""
    library, built = compiled
    assert isinstance(library, ctypes.CDLL)
    assert len(built) == 3 * len(RECURRENT) + 2 * len(ALL)
    for prefix, network in built.items():
        x = random_input(network, STEPS, batch=2)
        vectors = recorded(network, x, "float32", nearby=True)
        assert vectors.tolerance <= 100 * np.finfo(np.float32).eps
        y = window(library, prefix, network, x.value)
        assert largest_difference(y, vectors.y) <= vectors.tolerance, prefix


def test_compiled_it_agrees_with_the_oracle(compiled):
    library, built = compiled
    for name in STACKS:
        prefix = f"stack_{name}_all".replace(" ", "_")
        network = built[prefix]
        x = random_input(network, STEPS, batch=2)
        parts = [
            (u.layer.kind, dict(u.layer.options), [a.astype(float) for a in u.arrays.values()]) for u in layers(network)
        ]
        y = window(library, prefix, network, x.value)
        assert np.abs(y - oracle.run(parts, x.value)).max() <= 20 * np.finfo(np.float32).eps, name


@pytest.mark.parametrize("name", ["one", "softmax", "sequences", "constant gates"])
def test_its_own_test_passes_and_can_fail(name, tmp_path):
    network = network_of(name)
    files = texts(network, "c", name="net", rules="all")
    write(tmp_path, files)
    status, says = run_program(tmp_path, "net")
    assert status == 0, says
    assert re.fullmatch(r"net: largest difference \S+ of at most \S+: passed\n", says)
    wrong = re.sub(r"(expected\[.*?= \{\s*\{)(-?[\d.]+(?:e-?\d+)?)f", r"\g<1>9.5f", files["net_test.c"], count=1)
    assert wrong != files["net_test.c"]
    (tmp_path / "net_test.c").write_text(wrong)
    status, says = run_program(tmp_path, "net")
    assert status == 1 and "FAILED" in says


def test_its_own_test_notices_another_weight(tmp_path):
    files = texts(network_of("gru"), "c", name="net")
    changed = re.sub(r"(z_3_2 = net_sigma\()(-?[\d.]+)f", lambda m: f"{m[1]}{float(m[2]) * 1.001:.9f}f", files["net.c"])
    assert changed != files["net.c"]
    write(tmp_path, {**files, "net.c": changed})
    assert run_program(tmp_path, "net")[0] == 1


@pytest.mark.parametrize("name", ALL)
def test_one_function_without_loops_branches_or_other_types(name):
    code = window_body(texts(network_of(name), "c", rules="all")[f"{network_of(name).name}.c"])
    assert not re.search(r"\b(for|while|do|goto|if|switch|double|malloc)\b|\?", re.sub(r"/\*.*?\*/", "", code))
    literals = re.findall(r"(?<![\w.\[])\d+\.?\d*(?:e[-+]?\d+)?f?(?![\w\].])", re.sub(r"\[\d+\]|/\*.*?\*/", "", code))
    assert literals
    numbers = [v for v in literals if not re.fullmatch(r"\d", v)]  # 3 is how many units softmax has
    assert all(v.endswith("f") for v in numbers)
    names = re.findall(r"^    (?:const )?float (\w+)", code, re.MULTILINE)
    assert len(names) == len(set(names)) > 5


def test_numbers_of_the_code_are_the_weights_bit_by_bit():
    """The literal of each weight reads back as the weight."""
    network = network_of("bare")
    code = window_body(texts(network, "c")["bare.c"])
    literals = {np.float32(v.removesuffix("f")) for v in re.findall(r"(?<![\w.])\d+\.?\d*(?:e[-+]?\d+)?f", code)}
    weights = {np.abs(v) for la in network.layers.values() for t in la.weights.values() for v in t.value.ravel()}
    assert literals - {np.float32(1)} == weights


# What is counted ------------------------------------------------------------------------------------------------------

WORK = re.compile(r"(\d+) (multiplications|additions|divisions|functions)")


def counted_in_c(code):
    """Operations in the text: a binary operator stands between blanks, a sign does not."""
    code = " ".join(re.sub(r"/\*.*?\*/", "", code.partition("{")[2]).split())
    calls = len(re.findall(r"\bnet_\w+\(", code))
    softmax = sum(int(n) - 1 for n in re.findall(r"net_softmax\(\w+, \w+, (\d+)\)", code))  # each unit is one
    found = {
        "multiplications": code.count(" * "),
        "additions": sum(not before.endswith("=") for before in re.split(r" [+-] ", code)[:-1]),
        "divisions": code.count(" / "),
        "functions": calls + softmax,
    }
    return {kind: n for kind, n in found.items() if n}


def counted_in_numpy(statements):
    kinds = {ast.Mult: "multiplications", ast.Add: "additions", ast.Sub: "additions", ast.Div: "divisions"}
    found = Counter()
    for node in (node for s in statements for node in ast.walk(s)):
        if isinstance(node, ast.BinOp):
            found[kinds[type(node.op)]] += 1
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name not in ("np.float32", "np.stack", "np.broadcast_arrays"):
                found["functions"] += 1
    for s in statements:
        if isinstance(s.targets[0], ast.Tuple):  # softmax gives all its units at once
            found["functions"] += len(s.targets[0].elts) - 1
    return dict(found)


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("name", ALL)
def test_the_work_that_the_header_says_is_in_the_code(name, rules):
    network = network_of(name)
    files = texts(network, "c", name="net", rules=rules)
    says = {kind: int(n) for n, kind in WORK.findall(re.search(r"^ \*   work.*$", files["net.h"], re.MULTILINE)[0])}
    assert says == counted_in_c(window_body(files["net.c"]))
    source = texts(network, "numpy", name="net", rules=rules)["net.py"]
    assert says == {kind: int(n) for n, kind in WORK.findall(re.search(r"^Work:.*$", source, re.MULTILINE)[0])}
    assert says == counted_in_numpy(body(source))


def test_the_work_of_the_equations_as_written():
    """Counted by hand: z and r have D + H products and two biases, n has D + H products, a product with r and two
    biases, the state two products, a sum and 1 - z; of one unit, at each step."""
    D, H = 2, 3
    products, sums = 3 * (D + H) + 1 + 2, 2 * (D + H + 1) + (D + 1) + H + 2
    header = texts(network_of("gru"), "c")["gru.h"]
    expected = f"{STEPS * H * products} multiplications, {STEPS * H * sums} additions, {STEPS * H * 3} functions"
    assert f"(as a loop over the equations as written: {expected})" in header


def test_the_rules_that_changed_something_are_named():
    network = network_of("gru")
    usual = texts(network, "c")["gru.h"]
    assert re.search(r"rules   zero initial state, merged biases, numbers\n", usual)
    every = texts(network, "c", rules="all")["gru.h"]
    named = re.search(r"rules   (.*)\n", every)[1].split(", ")
    assert named == ["zero initial state", "merged biases", "complement", "blend", "half angle", "numbers"]
    assert set(named) <= {rule.name for rule in RULES.values()}
    assert "options: --unrolled --steps 5 --rules all." in every
    assert "options: --unrolled --steps 5." in usual


# Names ----------------------------------------------------------------------------------------------------------------


def named(ids, kinds, units=2):
    """A stack whose layers have these ids."""
    network = random_network([(k, units, SEQUENCES) for k in kinds], 2, name="net")
    parts = [Layer(i, i, la.kind, la.options, la.weights) for i, la in zip(ids, network.layers.values(), strict=True)]
    return chain(parts, dtype="float32", features=2, name="net")


@pytest.mark.parametrize(
    "ids",
    [
        ("x", "y", "z"),
        ("a", "a_v", "a_v_n"),  # v_n of a, and n of a_v
        ("h_1", "h", "h_1_1"),
        ("float", "for", "int"),
        ("np", "predict", "rows"),
        ("net", "net_tanh", "net_sigma"),
        ("gru", "gru_2", "gru_2_2"),
    ],
    ids=" ".join,
)
def test_names_never_clash(ids, tmp_path):
    """Layers called as a variable, a keyword, a function, or as the beginning of one another."""
    network = named(ids, ("gru_before", "gru", "mgu"))
    x = random_input(network, 2)
    right = exact(network, x)
    tolerance = recorded(network, x, nearby=True).tolerance
    assert largest_difference(module_of(network, tmp_path, steps=2)[0].predict(x.value), right) <= tolerance
    source = (tmp_path / "emitted.py").read_text()
    assigned = [n for names, _ in assigned_and_read(body(source)) for n in names]
    assert len(assigned) == len(set(assigned))
    write(tmp_path, texts(network, "c", steps=2))
    assert run_program(tmp_path, "net")[0] == 0


def test_many_units_and_steps_have_names_of_their_own():
    """h_1_11 and h_11_1 are two things."""
    network = random_network([("gru_before", 12, {})], 11)
    source = texts(network, "numpy", steps=12, force=True)["net.py"]
    assigned = [n for names, _ in assigned_and_read(body(source)) for n in names]
    assert len(assigned) == len(set(assigned))
    assert {"h_1_11", "h_11_1", "h_12_12"} <= set(assigned)
    assert "x[:, 11, 10]" in source
    code = texts(network, "c", steps=12, force=True)["net.c"]
    assert f"x[{11 * 11 + 10}]" in code and f"x[{12 * 11}]" not in code


NASTY = '*/ #include "/etc/passwd" \n"""\nimport os # \x1b[31m ??/ \\'


def test_a_label_is_never_code(tmp_path):
    network = network_of("relu")
    parts = [Layer(la.id, NASTY, la.kind, la.options, la.weights) for la in network.layers.values()]
    network = chain(parts, dtype="float32", features=2, name="net", origin=NASTY)
    files = texts(network, "c") | texts(network, "numpy")
    for text in files.values():
        assert "passwd" not in text and "\x1b" not in text and "import os" not in text
    write(tmp_path, files)
    assert run_program(tmp_path, "net")[0] == 0
    titled = replace(network, name=NASTY)
    header = texts(titled, "c", name="net")["net.h"]
    assert header.count("/*") == header.count("*/")
    assert '"/etc' not in header


# What is refused ------------------------------------------------------------------------------------------------------


def gru_model(units=1, dtype="float32"):
    return Model(random_network([("gru", units, {})], 1, dtype))


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_many_assignments_want_force(target):
    """A unit takes four at each step: 1,000 pass."""
    model = gru_model()
    options = {"unrolled": True, "steps": MOST // 4, "rules": "numbers"}
    assert straight(model.network, MOST // 4, "numbers").count == 1000
    source = "net.c" if target == "c" else "net.py"
    assert "h_250 = " in whole(model.files(target, **options)[source]).decode()
    options["steps"] += 1
    with pytest.raises(UnusableInput) as e:
        model.files(target, **options)
    assert str(e.value) == (
        "251 time steps make 1004 assignments, and compilers choke above 1000: leave out --unrolled for a loop, or add "
        "--force"
    )
    assert "h_251 = " in whole(model.files(target, **options, force=True)[source]).decode()
    with pytest.raises(UnusableInput, match="assignments"):
        model.files(target, unrolled=True, steps=10**6)  # and without delay


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"steps": None}, "how many with --steps"),
        ({"steps": 0}, "whole number from 1"),
        ({"steps": -3}, "whole number from 1"),
        ({"steps": 10**12}, "whole number from 1 to 1,000,000"),
        ({"steps": 2.5}, "whole number"),
        ({"steps": "4"}, "whole number"),
        ({"rules": "merge"}, "no rule is called 'merge'"),
        ({"rules": ["blend", "\x1b"]}, "no rule is called"),
        ({"rules": "all,constant-inputs"}, "constant-inputs"),
        ({"unrolled": False}, "--steps goes with --unrolled"),
        ({"unrolled": False, "steps": None, "rules": "all"}, "--rules goes with --unrolled"),
        ({"unrolled": False, "steps": None, "force": True}, "--force goes with --unrolled"),
    ],
    ids=str,
)
def test_options_that_cannot_be_used(options, word, target):
    with pytest.raises(UnusableInput, match=re.escape(word)) as e:
        gru_model().files(target, **{"unrolled": True, "steps": 3} | options)
    assert "\n" not in str(e.value) and "\x1b" not in str(e.value)


def test_what_does_not_go_with_straight_code(tmp_path):
    model = gru_model()
    with pytest.raises(UnusableInput, match="--gradients"):
        model.files("numpy", unrolled=True, steps=3, gradients=True)
    (tmp_path / "s.json").write_text('{"input": {"mean": [1], "deviation": [2]}}')
    with pytest.raises(UnusableInput, match="--scale"):
        model.files("c", unrolled=True, steps=3, scale=tmp_path / "s.json")
    for target in ("c", "numpy"):
        with pytest.raises(UnusableInput, match=r"the input has 4 time steps; the code is unrolled for 3"):
            model.files(target, random_input(model.network, 4), unrolled=True, steps=3)


def test_the_number_of_steps_may_be_the_models():
    model = gru_model()
    fixed = Model(model.network.with_steps(7))
    assert straight(fixed.network).steps == 7
    assert straight(fixed.network, 2).steps == 2, "asked for otherwise"
    x = random_input(model.network, 3, batch=1)
    test = whole(model.files("numpy", x, unrolled=True, steps=3)["test_net.py"]).decode()
    assert all(text in test for text in x.text.ravel()), "the test is recorded on the input that is given"


def test_constants_too_large_for_float32_are_refused():
    network = random_network([("gru", 1, {})], 1, "float64")
    (la,) = network.layers.values()
    la.weights["W_n"].value[...] = 1e39
    with pytest.raises(UnusableInput, match="float32"):
        texts(network, "c", steps=2)


# The measure ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_error_around_an_input_is_that_of_this_precision(dtype):
    """At least what one of the inputs shows, and no more than a few roundings of five steps."""
    network = network_of("softmax", dtype)
    x = random_input(network, STEPS, batch=2)
    error = nearby_error(network, x, dtype)
    eps = float(np.finfo(dtype).eps)
    assert eps / 8 <= error <= 20 * eps
    assert error == nearby_error(network, x, dtype)
    vectors, alone = recorded(network, x, nearby=True), recorded(network, x)
    assert vectors.tolerance >= alone.tolerance
    assert (vectors.y == alone.y).all()
    assert f"the largest at {NEARBY} inputs within a thousandth of each" in vectors.why
    assert "thousandth" not in alone.why


def test_the_measure_would_still_catch_a_wrong_weight():
    network = network_of("gru")
    vectors = recorded(network, nearby=True)
    network.layers["gru_1"].weights["W_n"].value[0, 0] *= 1.001
    assert largest_difference(run(network, vectors.x, Float64()).y, vectors.y) > vectors.tolerance


def test_a_model_from_a_file_is_emitted(tmp_path):
    """Through the face, as a user has it."""
    gru = {"kind": "gru", "weights": [[[1, 1, 1]], [[0.5, 1, 1]], [[0, 0, 0.5], [0, 0.25, 0]]]}
    model = load({"layers": [{**gru, "name": NASTY}]})
    paths = model.emit("c", tmp_path, unrolled=True, steps=4, rules=["all"])
    assert sorted(p.suffix for p in paths) == [".c", ".c", ".h"]
    assert run_program(tmp_path, paths[0].stem)[0] == 0


def test_softmax_reads_operands_that_have_lines_of_their_own():
    """Else every unit's line would compute those of all others."""
    (owner,) = straight(network_of("softmax inside"), 2, "none").layers
    (block, *_) = owner.simplification.last.program.blocks
    across = [a for a in block.lines if isinstance(a.rhs, Across)]
    assert len(across) == 3
    assert all(isinstance(e, Ref) for a in across for e in a.rhs.args[1:])
    assert isinstance(across[0], Assign) and across[0].rhs.args[0] == Symbol("softmax")
    cell = build("gru", {"activation": "softmax"})
    assert any(isinstance(node, Across) for _, e in cell.equations for node in walk(e))
