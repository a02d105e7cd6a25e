"""Graphs as C: each network compiled without a word, step against window, against the reference and the float32
domain's bits."""

import re
import subprocess

import numpy as np
import pytest

from symgru.backends.c import Options, files
from symgru.backends.c.memory import Span, lay_out
from symgru.backends.c.plan import Plan
from symgru.domains import Float64
from symgru.errors import Unsupported, UnusableInput
from symgru.face import load
from symgru.float32 import Float32
from symgru.network import Edge, Layer, Network, Tensor
from symgru.trace import run
from symgru.verify.emitted import compiled, compiled_for
from symgru.yardstick import example_inputs
from tests.conftest import ROOT
from tests.graphs import Graph, state
from tests.test_c_backend import ANY, CXX, WARNINGS, arrays, compile_c, sanitized

TOLERANCE = 1e-5  # of the largest magnitude, at least 1: the project's bound for float32
STREAMS, WINDOWS = {}, {}


def streams(build):
    """A network that runs step by step."""
    STREAMS[build.__name__] = build
    return build


def windows(build):
    """A network that needs its whole window."""
    WINDOWS[build.__name__] = build
    return build


@streams
def two_inputs_two_outputs(g):
    a, b = g.input("a", None, 3), g.input("b", None, 2)
    h = g.gru(g.add("concatenate", a, b, axis=2), 4, sequences=True)
    each = g.add("dense", h, units=2, activation="sigmoid")
    return each, g.gru(h, 3, kind="gru_before")


@streams
def one_input_two_outputs(g):
    h = g.gru(g.input("x", None, 2), 4, sequences=True)
    return g.add("dense", h, units=3), g.add("layer_normalization", h, eps=1e-3), state(h)


@streams
def tokens(g):
    x = g.input("tokens", None, whole=True)
    e = g.add("embed", x, table=g.table(7, 3))
    mask = g.add("not_zero", x)
    h = g.gru(e, 4, sequences=True, mask=mask)
    return g.gru(g.add("blank", h, mask), 3, mask=mask)


@streams
def float_tokens(g):
    return g.gru(g.add("embed", g.input("x", None), table=g.table(5, 2)), 2)


@streams
def masking(g):
    x = g.input("x", None, 2)
    mask = g.add("not_equal", x, value=0.0)
    h = g.gru(g.add("erase", x, mask), 3, sequences=True, mask=mask)
    started = g.add("started", mask)
    y = g.gru(g.add("blank", h, g.add("both", started, mask)), 3, sequences=True, mask=mask)
    return g.add("last", g.add("blank", y, mask))


@streams
def masks_joined(g):
    x, other = g.input("x", None, 3), g.input("other", None, 2)
    own, far = g.add("any", g.add("differs", x, value=0.0)), g.add("not_equal", other, value=0.0)
    mask = g.add("either", own, far)
    h = g.gru(x, 2, sequences=True, mask=mask)
    return g.add("multiply", g.add("blank", h, own, value=1), g.add("blank", other, far, value=1))


@windows
def masks_joined_in_a_window(g):
    x, other, one = g.input("x", 4, 3), g.input("other", 4, 2), g.input("one", 1, 2)
    own, far = g.add("any", g.add("differs", x, value=0.0)), g.add("not_equal", other, value=0.0)
    back = g.add("flip", g.gru(g.add("flip", x), 2, sequences=True, mask=g.add("flip", own)))
    wide = g.add("either", g.add("not_equal", one, value=0.0), far)
    y = g.gru(other, 2, sequences=True, mask=wide)
    return g.add("blank", back, g.add("either", own, far), value=1), g.add("global_mean", y, far)


@streams
def residual(g):
    x = g.input("x", None, 3)
    h = g.gru(x, 3, sequences=True)
    s = g.add("add", x, h)
    p = g.add("multiply", s, h, x)
    d = g.add("subtract", p, s)
    return g.add("average", d, h)


@streams
def causal(g):
    x = g.input("x", None, 2)
    for size, dilation in ((3, 1), (2, 1), (3, 2), (1, 1)):
        x = g.add("window", x, size=size, dilation=dilation, padding="causal")
        x = g.add("dense", x, units=3, activation="tanh")
    return g.gru(x, 3)


@streams
def distributed(g):
    x = g.input("x", None, 4)
    y = g.add("dense", g.add("fold", x), units=3, activation="softmax")
    y = g.add("unfold", g.add("batch_normalization", y, eps=1e-3), x)
    return g.gru(y, 3, sequences=True)


@streams
def conditioned(g):
    x, c = g.input("x", None, 2), g.input("c", 3)
    h = g.gru(x, 4)
    y = g.add("concatenate", h, g.add("dense", c, units=2, activation="relu"), axis=1)
    return g.add("dense", y, units=2)


@streams
def shared(g):
    a, b = g.input("a", None, 2), g.input("b", None, 2)
    first = g.gru(a, 3, sequences=True, id_="both_sides")
    second = g.add("gru", b, layer="both_sides", id_="again")
    mask = g.add("not_equal", b, value=0.0)
    third = g.add("gru", b, layer="both_sides", id_="masked", mask=mask)
    return first, second, third


@streams
def parts(g):
    x = g.input("x", None, 6)
    a = g.add("slice", x, start=0, stop=2)
    b = g.add("part", x, axis=2, start=4, stop=None, step=-2)
    c = g.add("part", x, axis=2, start=3, stop=6)
    return g.gru(g.add("concatenate", a, b, c, axis=2), 3), g.add("cast", a, dtype="float32")


@streams
def pointwise(g):
    x = g.add("rescaling", g.input("x", None, 3), scale=0.5, offset=0.25)
    x = g.add("normalization", x, eps=1e-7)
    x = g.add("leaky", x, slope=0.3)
    x = g.gru(x, 4, sequences=True)
    x = g.add("unit_normalization", x, eps=1e-12)
    return g.add("activation", x, activation="log_softmax")


@windows
def bidirectional(g):
    x = g.input("x", 5, 2)
    mask = g.add("not_equal", x, value=0.0)
    forward = g.gru(x, 3, sequences=True, mask=mask)
    back = g.gru(g.add("flip", x), 3, sequences=True, mask=g.add("flip", mask))
    y = g.add("concatenate", g.add("blank", forward, mask), g.add("blank", g.add("flip", back), mask), axis=2)
    return g.add("global_mean", g.add("layer_normalization", y, eps=1e-3), mask), g.add("global_mean", y)


@windows
def backwards_states(g):
    x = g.input("x", 4, 2)
    back = g.gru(g.add("flip", x), 3)
    again = g.gru(x, 3, initial=(back,), sequences=True)
    return again, state(again), back, state(back), g.add("flip", again)


@windows
def pooling(g):
    x = g.gru(g.input("x", 7, 2), 3, sequences=True)
    a = g.add("max_pool", x, size=3, stride=2, padding="same")
    b = g.add("mean_pool", x, size=3, stride=2, padding="same")
    c = g.add("max_pool", x, size=2, stride=2)
    d = g.add("mean_pool", x, size=2, stride=2)
    return a, b, g.add("global_max", c), g.add("flatten", d), g.add("global_max", x, axis=2)


@windows
def conv(g):
    x = g.input("x", 6, 2)
    for options in ({"padding": "same"}, {"stride": 2, "padding": "same"}, {"padding": "valid"}, {"padding": "causal"}):
        x = g.add("dense", g.add("window", x, size=2, **options), units=3, activation="tanh")
    return g.gru(x, 2)


@windows
def shapes_of_all_kinds(g):
    x = g.input("x", 4, 3)
    p = g.add("permute", x, axes=[2, 1])
    h = g.gru(p, 2, sequences=True)
    r = g.add("reshape", g.add("flip", h), shape=[2, -1])
    padded = g.add("pad", r, before=1, after=2)
    up = g.add("crop", g.add("upsample", padded, n=2), before=1, after=3)
    repeated = g.add("repeat", g.add("take", up, axis=1, index=-2), n=3)
    return (
        g.add("flatten", g.add("flip", up)),
        g.add("take", x, axis=2, index=1),
        g.add("part", x, axis=1, start=1, stop=3),
        g.add("part", x, axis=1, start=None, stop=None, step=-2),
        g.add("concatenate", repeated, g.add("flip", repeated), axis=1),
        g.add("last", g.add("flip", x)),
    )


@windows
def time_distributed(g):
    x = g.input("x", 2, 3, 2)
    folded = g.add("fold", x)
    inner = g.gru(folded, 3)
    back = g.add("unfold", inner, x)
    flipped = g.add("unfold", g.add("last", g.gru(g.add("flip", folded), 2, sequences=True)), x)
    pooled = g.add("unfold", g.add("global_mean", g.add("window", folded, size=2)), x)
    return g.gru(g.add("concatenate", back, flipped, pooled, axis=2), 2)


@windows
def lengths(g):
    x, n = g.input("x", 5, 2), g.input("n", whole=True)
    mask = g.add("until", x, n)
    back = g.gru(g.add("flip_until", x, n), 3, sequences=True, mask=mask)
    return g.add("blank", g.add("flip_until", back, n), mask), g.gru(x, 2, mask=g.add("unmasked", x))


@windows
def encoder_decoder(g):
    source, target = g.input("source", 3, whole=True), g.input("target", 4, whole=True)
    e = g.add("embed", source, table=g.table(6, 3))
    encoded = g.gru(e, 4, mask=g.add("not_zero", source))
    d = g.add("embed", target, table=g.table(5, 2))
    h = g.gru(d, 4, sequences=True, initial=(encoded,))
    return g.add("dense", h, units=5, activation="softmax")


@windows
def attention(g):
    x = g.gru(g.input("x", 4, 2), 3, sequences=True)
    score = g.add("reshape", g.add("dense", x, units=1), shape=[4])
    weight = g.add("reshape", g.add("activation", score, activation="softmax"), shape=[4, 1])
    return g.add("global_mean", g.add("multiply", x, weight)), g.add("activation", g.add("flip", score))


@windows
def constants(g):
    x = g.input("x", 3, 2)
    first = g.add("constant", x, table=g.table(1, 4)[0])
    added = g.add("constant", x, table=g.table(3, 2))
    started = g.add("started", g.add("not_equal", x, value=0.0))
    other = g.add("flip", g.add("started", g.add("flip", g.add("not_zero", g.add("take", x, axis=2, index=0)))))
    h = g.gru(g.add("add", x, added), 4, sequences=True, initial=(first,), mask=g.add("both", started, other))
    return g.add("erase", h, started)


ALL = STREAMS | WINDOWS


def network_of(name):
    g = Graph(len(name))
    found = ALL[name](g)
    return g.network(*(found if isinstance(found, tuple) else (found,)), name=name)


def inputs_of(network, batch=4):
    return example_inputs(network, batch=batch)


def listed(found):
    return [found] if isinstance(found, np.ndarray) else found


@pytest.fixture(scope="module")
def programs():
    """Each network compiled once."""
    found = {}

    def program(name):
        if name not in found:
            network = network_of(name)
            found[name] = network, compiled(network)
        return found[name]

    return program


@pytest.mark.parametrize("name", ALL)
def test_window_is_the_reference_and_the_float32_domain_bit_by_bit(name, programs):
    network, program = programs(name)
    xs = inputs_of(network)
    found = listed(program.window(*(x.value for x in xs)))
    right, bits = run(network, xs, Float64()).outputs, run(network, xs, Float32()).outputs
    for y, r, b in zip(found, right, bits, strict=True):
        assert y.shape == r.shape
        assert np.isfinite(r).all()
        assert np.abs(y - r).max() <= TOLERANCE * max(1, np.abs(r).max())
        assert y.tobytes() == np.ascontiguousarray(b, np.float32).tobytes()


@pytest.mark.parametrize("name", STREAMS)
def test_a_step_gives_what_a_window_gives_so_far(name, programs):
    network, program = programs(name)
    values = [x.value for x in inputs_of(network)]
    streamed = listed(program.stream(*values))
    for t in (0, 2, 4):
        timed = [v[:, : t + 1] if port.timed else v for v, port in zip(values, program.inputs, strict=True)]
        for y, s in zip(listed(program.window(*timed)), streamed, strict=True):
            assert (y if y.ndim == 2 else y[:, t]).tobytes() == np.ascontiguousarray(s[:, t]).tobytes()


@pytest.mark.parametrize("name", WINDOWS)
def test_what_looks_ahead_refuses_to_step_and_says_which_layer(name, programs):
    network, program = programs(name)
    with pytest.raises(Unsupported, match=r"does not run step by step: (layer|input|the inputs)") as refused:
        program.stream(*(x.value for x in inputs_of(network)))
    assert "\n" not in str(refused.value)
    header = next(iter(files(network).values())).decode()
    assert f"There is no {name}_step:" in header
    assert f"{name}_step(" not in header
    assert program.ahead.split()[1] in header


def written(name, folder):
    for file, content in files(network_of(name)).items():
        content.decode("ascii")
        (folder / file).write_bytes(content)
    return [f"{name}.c", f"{name}_test.c"]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_their_own_tests_pass_under_sanitizers(compiler, tmp_path):
    command = sanitized(compiler, tmp_path)
    for name in ALL:
        sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
        compile_c([command], tmp_path, *WARNINGS, "-O1", *sanitizers, *written(name, tmp_path), "-o", f"{name}.exe")
        done = subprocess.run([tmp_path / f"{name}.exe"], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, (name, done.stdout, done.stderr)
        assert "passed" in done.stdout
        assert done.stderr == ""


@pytest.mark.parametrize("name", ["tokens", "two_inputs_two_outputs", "pooling"])
def test_their_own_tests_fail_where_an_expected_value_is_another(name, tmp_path):
    sources = written(name, tmp_path)
    test = tmp_path / sources[1]
    head, _, rest = test.read_text().partition("static const float expected_")
    before, _, after = rest.partition("{\n    {")
    number, comma, tail = after.partition("f")
    test.write_text(f"{head}static const float expected_{before}{{\n    {{{float(number) + 0.01}{comma}{tail}")
    compile_c(ANY, tmp_path, *WARNINGS, *sources, "-o", "altered.exe")
    done = subprocess.run([tmp_path / "altered.exe"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "FAILED" in done.stdout


@pytest.mark.parametrize("name", ["tokens", "causal", "bidirectional"])
@pytest.mark.parametrize("compiler", CXX)
def test_cpp_takes_their_headers(compiler, name, tmp_path):
    written(name, tmp_path)
    (tmp_path / "main.cpp").write_text(f'#include "{name}.h"\nint main() {{ return 0; }}\n')
    for standard in ("c++98", "c++20"):
        flags = ["-Wall", "-Wextra", "-Werror", "-Wconversion", "-fsyntax-only"]
        compile_c([compiler], tmp_path, f"-std={standard}", *flags, "main.cpp")


@pytest.mark.parametrize("name", ALL)
def test_what_the_header_counts(name):
    found = {k: v.decode("ascii") for k, v in files(network_of(name), Options("n")).items()}
    header, source = found["n.h"], found["n.c"]
    flash = int(re.search(r"flash +(\d+) B of weights", header)[1])
    assert flash == sum(a.nbytes for a in arrays(source).values())
    ram = int(re.search(r"RAM +(\d+) B for", header)[1])
    held = re.findall(r"^    (?:float|uint32_t) \w+(?:\[(\d+)\])?;", header, re.MULTILINE)
    assert ram == 4 * sum(int(n or 1) for n in held)
    for text in found.values():
        code = [line for line in text.splitlines() if not line.lstrip().startswith(("/*", "*"))]
        assert max(map(len, code)) <= 120
        assert not re.search(r"[ \t]+$", text, re.MULTILINE)


def test_an_index_outside_its_table_reads_the_nearest_row(programs):
    for name in ("tokens", "float_tokens"):
        network, program = programs(name)
        rows = len(next(t for layer in network.layers.values() if (t := layer.weights.get("E"))).value)
        wild = np.array([[3, -5, 2**31 - 1, -(2**31), 1]], np.float64)
        right = np.clip(wild, 0, rows - 1)
        if name == "tokens":  # the mask is of the index itself
            wild, right = wild[:, :3], right[:, :3]
            wild[0, 1], right[0, 1] = 4, 4
        assert np.array_equal(program.window(wild), program.window(right))
    assert np.array_equal(program.window(np.array([[np.nan, np.inf]])), program.window(np.array([[0.0, rows - 1]])))


def test_a_shared_layer_has_its_weights_once():
    source = files(network_of("shared"))["shared.c"].decode()
    assert source.count("static const float shared_both_sides_W_z") == 1
    assert source.count("static void shared_both_sides_cell(") == 1
    assert source.count("int m") == 1


def test_the_length_of_a_window_is_asked_for_where_the_model_leaves_it_open():
    g = Graph()
    x = g.input("x", None, 2)
    network = g.network(g.add("global_max", g.gru(x, 3, sequences=True)))
    with pytest.raises(UnusableInput, match=r"layer global_max_2 .* --steps T"):
        files(network)
    header = files(network, Options(steps=6))["net.h"].decode()
    assert "#define NET_STEPS 6" in header
    xs = np.random.default_rng(1).normal(size=(2, 6, 2)).astype(np.float32)
    y = compiled(network, Options(steps=6)).window(xs)
    assert np.array_equal(y, compiled_for(network, [xs]).window(xs)), "an engine takes the length from its input"
    assert np.abs(y - run(network, Tensor.of(xs), Float64()).y).max() <= TOLERANCE
    with pytest.raises(Unsupported, match="layer global_max_2"):
        compiled_for(network, [xs]).stream(xs)
    with pytest.raises(UnusableInput, match="--steps 4"):
        files(network.with_steps(5), Options(steps=4))
    g = Graph()
    with pytest.raises(UnusableInput, match="any number"):
        files(g.network(g.gru(g.input("x", None, 2), 2)), Options(steps=4))


def test_options_that_are_for_chains_are_refused(tmp_path):
    with pytest.raises(Unsupported, match="layer"):
        files(network_of("masking"), Options(gradients=True))


def test_names_of_any_content_are_harmless():
    network = network_of("masking")
    evil = '*/ int x; /* \\input{a} {{7*7}} \x00 %s "'
    layers = {k: Layer(v.id, evil, v.kind, v.options, v.weights) for k, v in network.layers.items()}
    named = Network(network.dtype, layers, network.calls, network.inputs, network.outputs, "net", evil)
    for content in files(named).values():
        assert b"int x; /*" not in content
        assert b"\x00" not in content


def test_a_map_that_c_does_not_have_is_refused_by_name(monkeypatch):
    network = network_of("pooling")
    monkeypatch.setattr("symgru.backends.c.plan.EMITTED", ())
    with pytest.raises(Unsupported, match=r"layer max_pool_2: max_pool \(.*\) is not emitted as C"):
        files(network)


def test_places_are_given_again_and_never_shared():
    rng = np.random.default_rng(5)
    for _ in range(50):
        spans = []
        for k in range(12):
            birth = int(rng.integers(0, 10))
            spans.append(Span(str(k), int(rng.integers(1, 9)), birth, birth + int(rng.integers(0, 5))))
        total = lay_out(spans)
        for k, a in enumerate(spans):
            assert a.offset + a.size <= total
            for b in spans[:k]:
                together = a.birth <= b.death and b.birth <= a.death
                assert not together or a.offset + a.size <= b.offset or b.offset + b.size <= a.offset
    one, two = Span("a", 4, 0, 1), Span("b", 4, 2, 3)
    assert lay_out([one, two]) == 4


def test_what_no_output_depends_on_is_not_emitted():
    g = Graph()
    x = g.input("x", None, 2)
    h = g.gru(x, 3)
    g.gru(x, 5, id_="spare")
    plan = Plan("net", g.network(h))
    assert [call.id for call, _ in plan.calls] == [h.source]
    assert plan.rates[h] == "final"
    assert plan.rates[Edge("x", "input")] == "stream"


RNNOISE = ROOT.parent / "shared" / "models" / "rnnoise_v0"


@pytest.mark.skipif(not RNNOISE.exists(), reason="the trained model is not beside this checkout")
def test_rnnoise(tmp_path):
    """xiph/rnnoise's trained network: three GRUs, concatenations, two outputs, against what Keras gives for it."""
    network = load(RNNOISE / "model.keras").network
    program, x = compiled(network), np.load(RNNOISE / "input.npy")
    for found in (program.window(x), program.stream(x)):
        for y, name in zip(found, ("expected.npy", "expected_vad.npy"), strict=True):
            right = np.load(RNNOISE / name)
            assert np.abs(y.reshape(right.shape) - right).max() <= TOLERANCE
    for file, content in files(network, Options("rnnoise")).items():
        (tmp_path / file).write_bytes(content)
    header = (tmp_path / "rnnoise.h").read_text()
    assert f"flash   {4 * network.parameters} B of weights" in header
    assert "RAM     672 B for each rnnoise_state" in header
    assert "work    86952 multiply-accumulates a time step" in header
    compile_c(ANY, tmp_path, *WARNINGS, "-O2", "rnnoise.c", "rnnoise_test.c", "-o", "test.exe")
    assert subprocess.run([tmp_path / "test.exe"], check=False).returncode == 0
