"""Emitted JavaScript under Node: it gives the reference's numbers, its own test can fail, and no name breaks out."""

import re
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from symgru.activations import FAMILIES, table
from symgru.backends.js import Options, files, module
from symgru.backends.js.maps import WRITTEN
from symgru.cells import CELLS
from symgru.cli import cli
from symgru.domains import Float64
from symgru.errors import Unsupported, UnusableInput
from symgru.face import load
from symgru.maps import MAPS
from symgru.network import Input, Tensor, stored
from symgru.pointwise import MERGED, POINTWISE
from symgru.trace import run
from symgru.yardstick import example_inputs
from tests.conftest import ROOT, SEED, random_input, random_network
from tests.javascript import array, node, predictions
from tests.test_numpy_graphs import MAPPED, TABLE, X, as_input, bidirectional, convolution, mapped, stacked, translator
from tests.wired import Graph, sequence

LIMIT = 1e-12  # of the largest value: two libraries' exp and tanh, and sums in another order
ULPS = 8  # where every value is bounded
MEMBERS = {
    "affine": [0.5, 0.25], "celu": [0.7], "clip": [-0.4, 0.6], "elu": [0.3], "gelu_erf": [], "gelu_tanh": [],
    "hard_shrink": [0.2], "hard_sigmoid": [0.3, 0.4], "leaky_relu": [0.1], "scaled_tanh": [1.5, 0.5],
    "soft_shrink": [0.2], "softplus": [2], "thresholded_relu": [0.4],
}  # fmt: skip


def check(pairs, folder):
    """Every module against the reference in float64; the largest difference in ulps of the largest value."""
    worst = 0.0
    given = [(network, [stored(x, network.dtype) for x in xs]) for network, xs in pairs]
    found = predictions([(network, [x.value for x in xs]) for network, xs in given], folder)
    for (network, xs), samples in zip(given, found, strict=True):
        right = run(network, xs, Float64()).outputs
        for k, y in enumerate(right):
            mine = array([sample[k] if len(right) > 1 else sample for sample in samples])
            assert mine.shape == y.shape, network.calls
            same = np.isfinite(y)
            assert np.array_equal(mine[~same], y[~same], equal_nan=True), network.calls
            size = np.abs(y[same]).max(initial=1.0)
            difference = np.abs(mine[same] - y[same]).max(initial=0.0)
            assert difference <= LIMIT * size, list(network.layers.values())
            worst = max(worst, difference / np.spacing(size))
    return worst


def network_of(kind, dtype="float32", seed=0, **options):
    specs = [
        (kind, 3, {"return_sequences": True} if CELLS[kind].states else {"activation": "tanh"}),
        ("gru", 2, options),
    ]
    return random_network(specs, 2, dtype=dtype, seed=seed)


def test_every_cell(tmp_path):
    """Alone and before another layer, in both precisions."""
    networks = [network_of(kind, dtype) for kind in CELLS for dtype in ("float32", "float64")]
    assert check([(network, [random_input(network, 6, batch=2)]) for network in networks], tmp_path) <= ULPS


def test_every_activation(tmp_path):
    names = [*table(), *([name, *numbers] for name, numbers in MEMBERS.items())]
    assert set(MEMBERS) == set(FAMILIES)
    networks = []
    for k, name in enumerate(names):
        alone = random_network([("gru", 3, {"activation": name, "recurrent_activation": name})], 2, seed=k)
        head = [("gru", 3, {"return_sequences": True}), ("dense", 4, {"activation": name})]
        networks += [alone, random_network(head, 2, seed=k, scale=3)]
    check([(network, [random_input(network, 4, batch=3)]) for network in networks], tmp_path)


def test_stacks_and_options(tmp_path):
    options = {"clip": 0.5}, {"use_bias": False}, {"reset_after": False}, {"reset_after": False, "use_bias": False}
    networks = [network_of("gru", **more) for more in options]
    deep = [("gru", 4, {"return_sequences": True})] * 3 + [("dense", 3, {"activation": "relu"}), ("dense", 2, {})]
    networks.append(random_network(deep, 3))
    check([(network, [random_input(network, 7, batch=2)]) for network in networks], tmp_path)


def between(kind, count=1, **options):
    """A layer without a state before a GRU; of several inputs the last is turned round."""
    g = Graph(sequence(), dtype="float32", seed=3)
    args = ["x"] * count if count == 1 else [*["x"] * (count - 1), g.add("flip", "x")]
    return g.network(g.add("gru", g.add(kind, *args, **options)))


def test_layers_without_a_state(tmp_path):
    numbers = {"eps": 1e-3, "scale": 0.5, "offset": 0.1, "slope": 0.3, "threshold": 0.2, "highest": 1.5}
    networks = [between(kind, **numbers) for kind in POINTWISE if kind != "activation"]
    networks += [between(kind, 2, inputs=2) for kind in MERGED]
    check([(network, example_inputs(network)) for network in networks], tmp_path)


# Maps and graphs ------------------------------------------------------------------------------------------------------

REFUSED = {"fold", "unfold"}


def test_every_map_is_written_or_refused():
    assert set(WRITTEN) | REFUSED == set(MAPS)


def test_maps_are_what_their_names_say(tmp_path):
    """Against indexing by hand, the cases of the NumPy backend."""
    cases = [
        *MAPPED,
        ("part", {"axis": 1, "start": None, "stop": None, "step": -2}, "x", [X[:, 4], X[:, 2], X[:, 0]]),
        ("part", {"axis": 1, "start": -4, "stop": -1}, "x", [X[:, 1], X[:, 2], X[:, 3]]),
        ("part", {"axis": 1, "start": 3, "stop": 0, "step": -1}, "x", [X[:, 3], X[:, 2], X[:, 1]]),
        ("take", {"axis": 2, "index": -1}, "x", X[:, :, -1]),
    ]
    networks = [mapped(kind, options, given) for kind, options, given, _ in cases]
    found = predictions([(network, [x.value for x in as_input()]) for network in networks], tmp_path)
    for (kind, options, _, steps), samples in zip(cases, found, strict=True):
        right = stacked(steps) if isinstance(steps, list) else steps
        mine = array([sample[0] for sample in samples])
        assert mine.shape == right.shape, (kind, options)
        assert np.abs(mine - right).max() <= 1e-15, (kind, options)


def test_tables_constants_and_repeats(tmp_path):
    g = Graph(Input("ids", (None,), whole=True))
    rows = g.add("embed", "ids", id="embedding", weights={"E": Tensor.of(TABLE)})
    fixed = g.add("constant", rows, weights={"E": Tensor.of(TABLE[:2])})
    h = g.add("gru", rows, features=3)
    network = g.network(rows, fixed, g.add("repeat", h, n=3), h)
    ids = np.array([[6.0, 0, 3], [1, 1, 5]])
    check([(network, [Tensor.of(ids)])], tmp_path)


def test_graphs(tmp_path):
    """A masked Bidirectional, several inputs and outputs, a state handed on, a convolution, the examples."""
    networks = [bidirectional(), translator(), convolution()]
    networks += [load(place).network for place in sorted((ROOT / "examples").glob("*.keras"))]
    pairs = [(network, example_inputs(network)) for network in networks]
    check([*pairs, (bidirectional(), [Tensor.of(X)])], tmp_path)


def test_what_is_refused_is_named_before_anything_is_written(tmp_path):
    g = Graph(sequence())
    again = g.add("gru", g.add("unfold", g.add("dense", g.add("fold", "x")), "x"))
    with pytest.raises(Unsupported, match=r"fold .each time step a sample of its own. is not emitted"):
        files(g.network(again))


def test_the_command(tmp_path):
    def emit(*more):
        return CliRunner().invoke(cli, ["emit", "js", str(SEED), "-o", str(tmp_path / "out"), *more])

    assert emit("--gradients").exit_code != 0
    assert not (tmp_path / "out").exists()
    assert emit("--name", "mine", "--input", "1,2,9,8").exit_code == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["mine.mjs", "test_mine.mjs"]
    assert node(tmp_path / "out" / "test_mine.mjs").returncode == 0


def test_the_example_of_the_docs(tmp_path, monkeypatch):
    page = (ROOT / "docs" / "javascript.md").read_text(encoding="utf-8")
    (commands,) = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    example, equations = re.findall(r"^```js\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    emit, check = commands.splitlines()
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(cli, emit.replace("examples", str(ROOT / "examples")).split()[1:]).exit_code == 0
    assert node(*check.split()[1:]).returncode == 0
    call, says = re.search(r"^(predict.*); // (.*)$", example, re.MULTILINE).groups()
    (tmp_path / "out" / "example.mjs").write_text(example + f"console.log({call});\n")
    assert node("out/example.mjs").stdout.strip() == says
    text = (tmp_path / "out" / "seed.mjs").read_text()
    assert all(f"    {line}\n" in text for line in equations.splitlines())


@pytest.mark.parametrize("name", ["", "1st", "a/b", "../a", "a b", "x" * 49, "a\u2028"])
def test_a_name_that_is_none_is_refused(name, seed_network):
    with pytest.raises(UnusableInput, match="is no name for a module"):
        files(seed_network, Options(name))


# The emitted test, numbers, names -------------------------------------------------------------------------------------


def emitted(network, folder, x=None):
    written = files(network, Options("net"), x)
    for name, content in written.items():
        (folder / name).write_bytes(content)
    return folder / "net.mjs", folder / "test_net.mjs"


@pytest.mark.parametrize("source", ["seed.json", "sunspots.keras", "brackets.keras"])
def test_its_own_test_passes_and_can_fail(source, tmp_path):
    place, test = emitted(load(ROOT / "examples" / source).network, tmp_path)
    assert node(test).returncode == 0
    text = place.read_text()
    start = text.index("kernel", text.index("export const WEIGHTS"))  # not an embedding's row of what is masked
    numbers = list(re.finditer(r"-?0\.\d*?([1-9])(?=\d*[,\]])", text[start:]))
    for found in numbers[:: max(1, len(numbers) // 3)][:3]:
        digit = start + found.start(1)
        place.write_text(f"{text[:digit]}{(int(text[digit]) + 4) % 10}{text[digit + 1 :]}")
        assert node(test).returncode != 0, found[0]


def test_the_seed(tmp_path, seed_network, seed_input):
    place, test = emitted(seed_network, tmp_path, seed_input)
    assert node(test).returncode == 0
    assert "[[-0.90954137, 1.0425225, -0.04404902]]" in place.read_text(), "weights stand as they were typed"
    ((found,),) = predictions([(seed_network, [seed_input.value])], tmp_path)
    assert found[0] == pytest.approx(-0.46279538681734, abs=1e-14)


def test_hard_numbers_round_trip(tmp_path, seed_network):
    """Subnormals, the largest, -0, and a decimal that goes wrong where it is rounded to a double first."""
    twice = "1.00000005960464477540"  # just above the middle of two float32; its nearest double is the middle
    values = np.array([[np.float32(1e-45)], [np.float32(3.4028235e38)], [np.float32(-0.0)]])
    texts = np.array([["1e-45"], ["3.4028235e38"], ["-0"]], dtype=object)
    network = deepcopy(seed_network)  # which other tests share
    layer = network.layers["gru"]
    for k, name in enumerate(("W_z", "W_r", "W_n")):
        layer.weights[name]._text, layer.weights[name].value[...] = texts[k : k + 1], values[k]
    layer.weights["U_z"]._text = np.array([[twice]], dtype=object)
    layer.weights["U_z"].value[...] = np.float32(1.0000001)
    script = tmp_path / "read.mjs"
    (tmp_path / "net.mjs").write_text(module(network, Options("net")))
    script.write_text(
        'import { WEIGHTS } from "./net.mjs";\n'
        "const text = (v) => (Object.is(v, -0) ? '-0' : String(v));\n"
        "console.log(WEIGHTS.flat(Infinity).map(text).join(' '));"
    )
    found = [np.float64(v) for v in node(script).stdout.split()]
    assert [v.tobytes() for v in found[:3]] == [np.float64(v).tobytes() for v in values.ravel()]
    assert found[3] == np.float64(np.float32(1.0000001))


def test_nan_and_infinity_pass_through(tmp_path):
    """As in the reference: a NaN reaches every unit from its step on, an infinity saturates the gates."""
    networks = [network_of("gru"), network_of("ligru"), network_of("simple")]
    networks += [network_of("gru", activation=name) for name in ("relu", "leaky_relu", "hard_tanh", "gelu", "softsign")]
    pairs = []
    for network in networks:
        for bad in (np.nan, np.inf, -np.inf):
            x = random_input(network, 4, batch=1)
            x.value[0, 1, 0] = bad
            pairs.append((network, [Tensor.of(x.value)]))
    check(pairs, tmp_path)


def test_wrong_input_is_refused(tmp_path, seed_network):
    (tmp_path / "net.mjs").write_text(module(seed_network, Options("net")))
    script = tmp_path / "wrong.mjs"
    script.write_text(
        'import { predict } from "./net.mjs";\n'
        "for (const x of [[], [1, 2], [[1, 2]], [[1], [1, 2]], [['1']], 7, null]) {\n"
        "  try { predict(x); console.log('taken', x); } catch (e) { console.log(e.name, e.message); }\n}"
    )
    lines = node(script).stdout.splitlines()
    assert len(lines) == 7
    assert all(line.startswith("RangeError x is not of the shape (time, 1)") for line in lines)


HOSTILE = [
    "*/ throw 1; /*",
    "\u2028throw 1;//",
    "</script><script>throw 1//",
    "`${process.exit(3)}`",
    "'\"\\\n",
    "\x00",
    "constructor",
    "x",
    "predict",
    "await",
]


@pytest.mark.parametrize("label", HOSTILE, ids=ascii)
def test_hostile_names(label, tmp_path):
    """The name of the model, its origin, of every layer and input, as a file brings them: none reaches the text."""
    layer = {"kind": "gru", "name": label, "weights": [[[0.1, 0.2, 0.3]], [[0.4, 0.5, 0.6]], [[0.7, 0.8, 0.9]] * 2]}
    head = {"kind": "dense", "name": label, "weights": [[[0.5]], [0.25]]}
    network = load({"name": label, "layers": [layer, head]}).network
    network = replace(network, origin=label, inputs=(replace(network.inputs[0], label=label),))
    place, test = emitted(network, tmp_path)
    assert node(test).returncode == 0
    if not label.isidentifier():
        assert label not in place.read_text() + test.read_text()


# Its looks ------------------------------------------------------------------------------------------------------------


def test_it_reads_as_a_person_would_write_it(seed_network):
    text = module(seed_network, Options())
    assert "    const z = each(units, (i) => sigmoid(dot(W_z[i], x_t) + b_z[i] + dot(U_z[i], h) + c_z[i]));\n" in text
    assert "    h = each(units, (i) => z[i] * h[i] + (1 - z[i]) * n[i]);\n" in text


def test_it_names_its_model_and_licence(seed_network):
    for content in files(seed_network).values():
        head = content.decode().partition("*/")[0]
        assert seed_network.fingerprint in head
        assert "templates/js/" in head
        assert "SPDX-License-Identifier: 0BSD" in head


def test_each_distinct_cell_is_written_once():
    specs = [("gru", 2, {"return_sequences": True})] * 2 + [("gru", 2, {"activation": "relu"})]
    text = module(random_network(specs, 2), Options())
    assert text.count("function gru(") == 1
    assert text.count("function gru_2(") == 1
    assert "function gru_3" not in text


def test_no_line_is_too_long():
    for source in ("seed.json", "sunspots.keras", "brackets.keras"):
        for content in files(load(ROOT / "examples" / source).network).values():
            assert max(map(len, content.decode().splitlines())) <= 120
