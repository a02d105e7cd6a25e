"""The emitted `gradients`: the reference's numbers in every cell, what it takes and refuses, and its own test."""

import ast
import re
import subprocess
import sys

import numpy as np
import pytest

from symgru import gradient_vectors
from symgru.activations import table
from symgru.backends.model import layers
from symgru.backends.numpy import Options, files, module
from symgru.cells import CELLS
from symgru.certified import NOT_INSTALLED
from symgru.cli import main
from symgru.domains import Float64
from symgru.errors import UnusableInput
from symgru.face import Model, derive, load
from symgru.gradient_vectors import exact_gradients, example_dy, recorded_gradients
from symgru.gradients import gradients
from symgru.network import Tensor
from symgru.readers import read
from symgru.trace import run
from symgru.verify.emitted import _imported
from tests.conftest import ROOT, SEED, random_input, random_network
from tests.differences import worst_slope

SEQUENCES = {"return_sequences": True}
GRADIENTS = Options(gradients=True)
C_FILES = {"net.h", "net.c", "net_test.c", "net_gradients_test.c"}
RECURRENT = [name for name, cell in CELLS.items() if cell.states]
STACK = [
    ("dense", 3, {"activation": "softsign"}),
    ("gru", 4, SEQUENCES),
    ("gru", 2, {"reset_after": False}),
    ("dense", 5, {"activation": "softmax"}),
    ("dense", 2, {"use_bias": False}),
]


ZERO = [("gru", 3, SEQUENCES), ("dense", 4, {"activation": "softmax"}), ("dense", 2, {})]


def equal_after_softmax(network):
    """All weights of the last layer are equal, so that what it reads adds up to a constant."""
    network.layers["dense_3"].weights["W"].value[:] = 0.75
    return network


def emitted(network, folder, x=None):
    for file, content in files(network, GRADIENTS, x).items():
        (folder / file).write_bytes(content)
    return folder / f"{network.name}.py"


def module_of(network, folder):
    place = folder / "emitted.py"
    place.write_text(module(network, GRADIENTS), encoding="utf-8")
    return _imported(place)


def dy_for(network, x, seed=3):
    return np.random.default_rng(seed).normal(size=run(network, x, Float64()).y.shape)


def get_weights(network):
    return [np.array(a.tolist(), dtype=network.dtype) for u in layers(network) for a in u.arrays.values()]


def compare(network, found, right, relative):
    weights, dx, states = found
    everything = [*zip(weights, right.arrays(network), strict=True), (dx, right.x)]
    for mine, theirs in [*everything, *zip(states, right.states.values(), strict=True)]:
        assert mine.shape == theirs.shape
        assert mine.dtype == network.dtype
        assert np.abs(mine - theirs).max() <= relative * np.abs(theirs).max()


@pytest.mark.parametrize("options", [{}, SEQUENCES, {"use_bias": False}], ids=["last", "sequences", "no bias"])
@pytest.mark.parametrize("name", RECURRENT)
def test_every_cell(name, options, tmp_path):
    network = random_network([(name, 3, options)], 2, "float64", seed=4)
    x = random_input(network, 5, batch=3)
    dy = dy_for(network, x)
    found = module_of(network, tmp_path).gradients(x.value, dy)
    assert [w.shape for w in found[0]] == [w.shape for w in get_weights(network)]
    compare(network, found, gradients(network, x, Tensor.of(dy)), 1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", sorted(set(table()) - {"sparsemax"}))
def test_every_activation(activation, dtype, tmp_path):
    scale = 0.4 if activation in {"exponential", "linear"} else 1
    both = {"activation": activation, "recurrent_activation": activation}
    network = random_network([("gru", 3, both), ("dense", 2, both)], 2, dtype, seed=5, scale=scale)
    x = random_input(network, 4, batch=2)
    dy = dy_for(network, x)
    found = module_of(network, tmp_path).gradients(x.value, dy)
    # float32: 64 ulps, since the derivatives of unbounded gates grow with every step
    compare(network, found, gradients(network, x, Tensor.of(dy)), 1e-13 if dtype == "float64" else 64 * 2.0**-23)


@pytest.mark.parametrize("sequences", [True, False])
def test_a_stack(sequences, tmp_path):
    specs = [*STACK[:2], ("gru", 2, {"reset_after": False, "return_sequences": sequences}), *STACK[3:]]
    network = random_network(specs, 2, "float64", seed=6)
    x = random_input(network, 5, batch=2)
    dy = dy_for(network, x)
    compare(network, module_of(network, tmp_path).gradients(x.value, dy), gradients(network, x, Tensor.of(dy)), 1e-13)


def test_the_recorded_numbers_are_difference_quotients():
    """What the emitted test expects is exact to 30 digits, as quotients of the forward equations say."""
    network = random_network(STACK, 2, "float32", seed=7)
    vectors = recorded_gradients(network)
    exact = exact_gradients(network, vectors.x, vectors.dy)
    assert worst_slope(network, vectors.x, vectors.dy.value, exact) <= 1e-30
    for mine, right in zip(vectors.exact.arrays(network), exact.arrays(network), strict=True):
        assert (mine == right).all()
    assert 16 * 2.0**-23 < vectors.tolerance < 1e-5


BALLS, DECIMALS = "balls", "decimals"


@pytest.fixture(params=[BALLS, DECIMALS])
def arithmetic(request, monkeypatch):
    if request.param == DECIMALS:
        monkeypatch.setattr(gradient_vectors, "_doubt", lambda network, x: NOT_INSTALLED)
    return request.param


@pytest.mark.parametrize("activation", sorted(set(table()) - {"sparsemax"}))
def test_exact_gradients_are_difference_quotients(activation, arithmetic):
    both = {"activation": activation, "recurrent_activation": activation}
    network = random_network([("gru", 2, both), ("dense", 2, both)], 2, "float32", seed=8, scale=0.7)
    x = random_input(network, 3)
    dy = example_dy(network, x)
    assert worst_slope(network, x, dy.value, exact_gradients(network, x, dy)) <= 1e-30


def test_what_cancels_to_every_place_is_zero(arithmetic):
    network = equal_after_softmax(random_network(ZERO, 2, seed=3))
    x = random_input(network, 3)
    found = exact_gradients(network, x, example_dy(network, x))
    assert not any(v for array in [*found.weights["gru_1"].values(), found.x] for v in array.ravel())
    assert found.weights["dense_3"]["b"].all()
    assert found.weights["dense_3"]["W"].all()


def test_a_small_gradient_is_not_zero(arithmetic):
    """1e-70 is more than what is left of 1 - 1."""
    network = random_network([("gru", 2, {}), ("dense", 1, {})], 1, "float64", seed=3)
    network.layers["dense_2"].weights["W"].value[:] = 1e-70
    x = random_input(network, 3)
    found = exact_gradients(network, x, example_dy(network, x))
    assert all(1e-75 < abs(v) < 1e-69 for v in found.x.ravel())


@pytest.mark.parametrize("c", [False, True])
@pytest.mark.parametrize("activation", sorted(set(table()) - {"sparsemax"}))
def test_plain_arithmetic_stays_in_its_type(activation, c):
    """Nothing on the way is a double: a yardstick that is more exact than the code refuses correct code."""
    both = {"activation": activation, "recurrent_activation": activation}
    network = random_network([("gru", 3, both), ("dense", 2, both)], 2, "float32", seed=5, scale=0.4)
    x = random_input(network, 4)
    found = gradients(network, x, example_dy(network, x), gradient_vectors.Plain("float32", c))
    assert {array.dtype for array in gradient_vectors.everything(found)} == {np.dtype("float32")}


def test_it_takes_live_weights_and_states(tmp_path):
    network, other = (random_network(STACK, 2, "float64", seed) for seed in (8, 9))
    x = random_input(network, 4, batch=2)
    dy = dy_for(network, x)
    own = module_of(network, tmp_path)
    found = own.gradients(x.value, dy, get_weights(other))
    compare(network, found, gradients(other, x, Tensor.of(dy)), 1e-13)
    rng = np.random.default_rng(10)
    states = {u.id: rng.normal(size=(2, u.sizes["H"])) for u in layers(network) if u.recurrent}
    found = own.gradients(x.value, dy, states=list(states.values()))
    compare(network, found, gradients(network, x, Tensor.of(dy), states=states), 1e-13)


def test_the_slope_of_predict_along_the_gradient(tmp_path):
    """Used as a person would: y and dy = y - target, then a small step against the gradient lowers the loss by its
    square's length."""
    network = random_network(STACK, 2, "float64", seed=11)
    own, x = module_of(network, tmp_path), random_input(network, 4, batch=2).value
    weights = get_weights(network)
    target = own.predict(x) + 0.3

    def loss(w):
        return ((own.predict(x, w) - target) ** 2).sum() / 2

    dweights, _, _ = own.gradients(x, own.predict(x) - target, weights)
    length = sum((g**2).sum() for g in dweights)
    step = 1e-4
    there, back = (loss([w + s * step * g for w, g in zip(weights, dweights, strict=True)]) for s in (1, -1))
    assert (there - back) / (2 * step) == pytest.approx(length, rel=1e-6)


@pytest.mark.parametrize("shape", [(2, 3), (1, 2), (2, 4, 2), (2,)])
def test_dy_of_another_shape_raises(shape, tmp_path):
    own = module_of(random_network([("gru", 2, {})], 1, "float64"), tmp_path)
    with pytest.raises(ValueError, match=r"dy has shape .*; predict returns \(batch, 2\)"):
        own.gradients(np.zeros((2, 4, 1)), np.zeros(shape))


@pytest.mark.parametrize("shape", [(4,), (4, 1), (2, 4, 2), (2, 0, 1)])
def test_x_of_another_shape_raises(shape, tmp_path):
    own = module_of(random_network([("gru", 2, {})], 1, "float64"), tmp_path)
    with pytest.raises(ValueError, match="x has shape"):
        own.gradients(np.zeros(shape), np.zeros((2, 2)))


def test_an_empty_batch_has_gradients_of_zero(tmp_path):
    network = random_network(STACK, 2, "float64")
    dweights, dx, _ = module_of(network, tmp_path).gradients(np.zeros((0, 3, 2)), np.zeros((0, 2)))
    assert dx.shape == (0, 3, 2)
    assert not any(g.any() for g in dweights)


def test_large_inputs_saturate_without_a_warning(tmp_path):
    network = random_network([("gru", 3, {})], 2, "float32")
    x = np.array([[[1e30, -1e30], [-1e4, 1e4]]], np.float32)
    dweights, dx, _ = module_of(network, tmp_path).gradients(x, np.ones((1, 3)))
    assert np.isfinite(dx).all()
    assert all(np.isfinite(g).all() for g in dweights)


# The files -----------------------------------------------------------------------------------------------------------


def run_python(file):
    command = [sys.executable, file.name]
    return subprocess.run(command, cwd=file.parent, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    "specs", [STACK, [("simple", 2, SEQUENCES)], [("ligru", 3, {})]], ids=["stack", "every", "one"]
)
def test_its_own_test_passes_and_can_fail(specs, tmp_path):
    network = random_network(specs, 2, "float32", seed=12)
    own = emitted(network, tmp_path, random_input(network, 4, batch=2))
    test = own.with_name(f"test_{own.name}")
    done = run_python(test)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    share, allowed = map(float, re.findall(r"gradients differ by (\S+) of an .* at most (\S+)\n", done.stdout)[0])
    assert 0 < share <= allowed < 1e-4
    changed = re.sub(r"(delta_\w+ = )(.*)", r"\1 1.0001 * (\2)", own.read_text(), count=1)
    assert changed != own.read_text()
    own.write_text(changed)
    done = run_python(test)
    assert done.returncode != 0, "a wrong delta is found"
    assert "test_gradients" in done.stderr


def test_its_own_test_where_an_activation_cancels(tmp_path):
    """gelu' at -3: 1 + erf is 3e-3 and the other summand takes most of that away."""
    network = random_network([("simple", 1, SEQUENCES), ("dense", 1, {"activation": "gelu"})], 1, scale=0)
    simple, dense = (layer.weights for layer in network.layers.values())
    simple["W"].value[:], simple["U"].value[:], simple["b"].value[:] = 1.5, 0.3, 0.1
    dense["W"].value[:], dense["b"].value[:] = -4, -1.5
    own = emitted(network, tmp_path, Tensor.of(np.array([[[0.5], [1], [0.2]]])))
    done = run_python(own.with_name(f"test_{own.name}"))
    assert done.returncode == 0, done.stderr
    wrong = re.sub(r"(delta_h = .*) \* .*", r"\1", own.read_text(), count=1)
    assert wrong != own.read_text()
    own.write_text(wrong)
    assert run_python(own.with_name(f"test_{own.name}")).returncode == 1


def test_its_own_test_where_gradients_are_zero(tmp_path):
    network = equal_after_softmax(random_network(ZERO, 2, seed=3))
    done = run_python(emitted(network, tmp_path).with_name("test_net.py"))
    assert done.returncode == 0, done.stderr


def test_the_seed_with_its_one_unit(tmp_path):
    network = read(SEED)
    done = run_python(emitted(network, tmp_path).with_name("test_seed.py"))
    assert done.returncode == 0, done.stderr


def test_without_the_option_nothing_is_there():
    network = random_network(STACK, 2)
    plain, more = files(network), files(network, GRADIENTS)
    assert list(plain) == list(more)
    assert not any(b"gradient" in content or b"dy" in content for content in plain.values())
    whole, longer = plain["net.py"].decode().splitlines(), more["net.py"].decode().splitlines()
    assert [line for line in longer if line in set(whole)][: len(whole)]
    assert set(whole) <= set(longer), "nothing else is changed"


@pytest.mark.parametrize("name", RECURRENT)
def test_the_module_reads_well(name):
    text = module(random_network([(name, 40, SEQUENCES), ("dense", 2, {"activation": "mish"})], 2), GRADIENTS)
    code = text[: text.index("WEIGHTS = [")]
    assert max(map(len, code.splitlines())) <= 120
    assert not re.search(r"[ \t]+$", text, re.MULTILINE)
    assert "\n\n\n\n" not in text
    tree = ast.parse(text)
    assert {n.name for n in tree.body if isinstance(n, ast.FunctionDef)} >= {
        f"{name}_gradients",
        "gradients",
        "predict",
    }
    for function in (n for n in tree.body if isinstance(n, ast.FunctionDef)):
        stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        loaded = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        augmented = {n.target.id for n in ast.walk(function) if isinstance(n, ast.AugAssign)}
        assert stored <= loaded | augmented, f"{function.name} computes {stored - loaded} for nobody"


def test_it_imports_numpy_and_nothing_else():
    text = module(random_network([("gru", 2, {})], 1), GRADIENTS)
    assert re.findall(r"^(?:import|from) .*", text, re.MULTILINE) == ["import numpy as np"]


def test_emitting_twice_gives_the_same_bytes():
    network = random_network(STACK, 2)
    assert files(network, GRADIENTS) == files(network, GRADIENTS)


def test_from_the_face(tmp_path):
    places = load(SEED).emit("numpy", tmp_path, gradients=True)
    assert [p.name for p in places] == ["seed.py", "test_seed.py"]
    assert "def gradients(" in places[0].read_text()


@pytest.mark.parametrize(("target", "names"), [("numpy", {"net.py", "test_net.py"}), ("c", C_FILES)])
def test_the_command(target, names, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["emit", target, str(SEED), "-o", str(tmp_path), "--name", "net", "--gradients"])
    assert ended.value.code == 0
    assert {p.name for p in tmp_path.iterdir()} == names
    assert capsys.readouterr().err.count("wrote ") == len(names)


@pytest.mark.parametrize("target", ["numpy", "c"])
@pytest.mark.parametrize("more", [["--unrolled", "--steps", "2"], ["--scale", "examples/sunspots_scale.json"]])
def test_what_does_not_go_with_it_is_one_line(target, more, tmp_path, capsys):
    model = str(ROOT / "examples" / "sunspots.keras")
    more = [str(ROOT / word) if word.startswith("examples/") else word for word in more]
    with pytest.raises(SystemExit) as ended:
        main(["emit", target, model, "-o", str(tmp_path), "--gradients", *more])
    assert ended.value.code == 2
    says = capsys.readouterr().err.strip()
    assert len(says.splitlines()) == 1
    assert more[0] in says
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", ["no", 1, None])
def test_gradients_is_true_or_false(value):
    with pytest.raises(UnusableInput, match="gradients"):
        load(SEED).files("c", gradients=value)
    with pytest.raises(UnusableInput, match="gradients"):
        derive(gradients=value)


def test_not_with_unrolled_code():
    with pytest.raises(UnusableInput, match="--unrolled"):
        Model(random_network([("gru", 1, {})], 1)).files("numpy", gradients=True, unrolled=True, steps=2)


def test_gradients_that_are_not_finite_are_refused():
    """The output is e^80, and dL/dh a million times that, which no float32 holds."""
    network = random_network([("gru", 1, {}), ("dense", 1, {"activation": "exponential"})], 1, "float32", scale=0)
    head = network.layers["dense_2"].weights
    head["W"].value[:], head["b"].value[:] = 1e6, 80
    x = Tensor.of(np.zeros((1, 2, 1)))
    assert files(network, x=x)
    with pytest.raises(UnusableInput, match="gradients are not finite in float32"):
        files(network, GRADIENTS, x)


def test_the_documentations_example(tmp_path):
    """As docs/gradients.md has it, with an x and a target."""
    page = (ROOT / "docs" / "gradients.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    load(SEED).emit("numpy", tmp_path, gradients=True)
    start = "import numpy as np\nx, target = np.array([[[1], [2], [9], [8]]]), 0.25\n"
    (tmp_path / "use.py").write_text(f"{start}{code}\nprint(repr(dweights[0][0, 2]), dx.shape, len(dstates))\n")
    done = run_python(tmp_path / "use.py")
    assert done.returncode == 0, done.stderr
    network, x = read(SEED), Tensor.of(np.array([[[1.0], [2.0], [9.0], [8.0]]]))
    dy = run(network, x, Float64()).y - 0.25
    right = gradients(network, x, Tensor.of(dy)).weights["gru"]["W_n"][0, 0]
    found = float(re.search(r"-?\d+\.\d+(e-\d+)?", done.stdout)[0])
    assert found == pytest.approx(right, rel=1e-5)
    assert done.stdout.rstrip().endswith("(1, 4, 1) 1")
