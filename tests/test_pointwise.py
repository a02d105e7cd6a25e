"""Layers without a state and masked cells: in every arithmetic against mpmath, and as emitted C and NumPy."""

import ctypes
from dataclasses import dataclass
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from symgru.backends.c.functions import Functions
from symgru.backends.c.kernel import initializer, kernel
from symgru.backends.c.printer import Formula
from symgru.backends.model import Unit
from symgru.backends.numpy.printer import NumPyPrinter
from symgru.balls import Balls
from symgru.building import build
from symgru.cell import masked
from symgru.cells import CELLS
from symgru.decimal_domain import Decimals
from symgru.domains import Float64
from symgru.errors import Unsupported
from symgru.float32 import Float32
from symgru.network import Layer, Tensor
from symgru.pointwise import MERGED, STATELESS
from symgru.rules import FOLDED
from symgru.schedule import schedule
from symgru.templating import render
from tests.test_c_backend import ANY, WARNINGS, compile_c

UNITS, FEATURES, ROWS = 5, 3, 4
EPS = 0.001
mpf = mpmath.mpf


def mean(values):
    return mpmath.fsum(values) / len(values)


def centred(values):
    return [v - mean(values) for v in values]


def root(v, eps):
    return mpmath.sqrt(v + rational(eps))


def rational(decimal):
    q = Fraction(str(decimal))
    return mpf(q.numerator) / q.denominator


def each(f):
    """An oracle of one unit for all: f(x, weights of that unit)."""
    return lambda x, w: [f(v, {name: values[k] for name, values in w.items()}) for k, v in enumerate(x)]


@dataclass(frozen=True)
class Case:
    """`right` is the layer's definition, in Keras' words, from one sample and its weights in mpmath's numbers."""

    kind: str
    options: dict
    right: object

    def __str__(self):
        return " ".join([self.kind, *(f"{k}={v}" for k, v in self.options.items())])


def relu(v, slope=0.0, highest=None, threshold=0.0):
    """Keras' words: f(x) = max_value if x >= max_value, x if threshold <= x < max_value, else slope (x - threshold)."""
    if highest is not None and v >= highest:
        return mpf(highest)
    return v if v > threshold else rational(slope) * (v - rational(threshold))


def softmax(x, w):
    return [mpmath.exp(v) / mpmath.fsum(map(mpmath.exp, x)) for v in x]


def layer_norm(x, w):
    deviation = root(mean([v * v for v in centred(x)]), EPS)
    return [g * v / deviation + b for g, v, b in zip(w["g"], centred(x), w["b"], strict=True)]


def rms_scaling(x, w):
    deviation = root(mean([v * v for v in centred(x)]), EPS)
    return [g * v / deviation for g, v in zip(w["g"], x, strict=True)]


def rms_norm(x, w):
    return [g * v / root(mean([u * u for u in x]), EPS) for g, v in zip(w["g"], x, strict=True)]


def unit_norm(x, w):
    return [v / mpmath.sqrt(max(mpmath.fsum(u * u for u in x), mpf("1e-12"))) for v in x]


def spread(w):
    return max(mpmath.sqrt(w["v"]), rational(EPS))


CASES = [
    Case("activation", {"activation": "gelu"}, each(lambda v, w: v * mpmath.erfc(-v * mpf(11863283) / 16777216) / 2)),
    Case("activation", {"activation": ["leaky_relu", 0.1]}, each(lambda v, w: v if v > 0 else v / 10)),
    Case("activation", {"activation": "softmax"}, softmax),
    Case(
        "activation",
        {"activation": "log_softmax"},
        lambda x, w: [v - mpmath.log(mpmath.fsum(map(mpmath.exp, x))) for v in x],
    ),
    Case("rectified", {"slope": 0.0, "threshold": 0.0, "highest": None}, each(lambda v, w: relu(v))),
    Case("rectified", {"slope": 0.3, "threshold": 0, "highest": 1.5}, each(lambda v, w: relu(v, 0.3, 1.5))),
    Case("rectified", {"slope": 0.0, "threshold": 0.75, "highest": None}, each(lambda v, w: relu(v, 0, None, 0.75))),
    Case("rectified", {"slope": 0.3, "threshold": 0.75, "highest": 1.5}, each(lambda v, w: relu(v, 0.3, 1.5, 0.75))),
    Case("leaky", {"slope": 0.3}, each(lambda v, w: relu(v, 0.3))),
    Case("exponential_unit", {"slope": 0.7}, each(lambda v, w: v if v > 0 else rational(0.7) * mpmath.expm1(v))),
    Case("parametric", {}, each(lambda v, w: v if v > 0 else w["alpha"] * v)),
    Case("rescaling", {"scale": 0.1, "offset": -0.3}, each(lambda v, w: v * rational(0.1) - rational(0.3))),
    Case("affine", {}, each(lambda v, w: w["g"] * v + w["b"])),
    Case("normalization", {"eps": EPS}, each(lambda v, w: (v - w["mu"]) / spread(w))),
    Case("denormalization", {"eps": EPS}, each(lambda v, w: w["mu"] + v * spread(w))),
    Case(
        "batch_normalization",
        {"eps": EPS},
        each(lambda v, w: w["g"] * (v - w["mu"]) / root(w["v"], EPS) + w["b"]),
    ),
    Case("layer_normalization", {"eps": EPS}, layer_norm),
    Case("rms_scaling", {"eps": EPS}, rms_scaling),
    Case("rms_normalization", {"eps": EPS}, rms_norm),
    Case("unit_normalization", {"eps": 1e-12}, unit_norm),
]
TOGETHER = {
    "add": lambda *vs: mpmath.fsum(vs),
    "multiply": lambda *vs: mpmath.fprod(vs),
    "subtract": lambda a, b: a - b,
    "average": lambda *vs: mpmath.fsum(vs) / len(vs),
}
MERGES = [(kind, n) for kind in MERGED for n in ((2,) if kind == "subtract" else (1, 2, 3))]
every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_merge = pytest.mark.parametrize(("kind", "n"), MERGES)
every_recurrent = pytest.mark.parametrize("name", [name for name, cell in CELLS.items() if cell.states])


def weights_of(cell, units, features):
    """float32 numbers, so that every arithmetic begins with the same; variances are positive, one of them 0."""
    rng = np.random.default_rng(len(cell.params))
    sizes = {"H": units, "D": features}
    weights = {}
    for p in cell.params:
        value = rng.normal(size=[sizes[d] for d in cell.dims[p]])
        value = np.abs(value) * (np.arange(units) > 0) if p.name == "v" else value
        weights[p.name] = Tensor.of(value.astype(np.float32))
    return weights


def samples(width, count=ROWS, seed=3):
    return (1.5 * np.random.default_rng(seed).normal(size=(count, width))).astype(np.float32)


def step(cell, domain, weights, x, h=None, **more):
    """One step in a domain, every number of it lifted."""
    with domain.context():
        lifted = {name: v if v.dtype == bool else domain.lift(Tensor.of(v)) for name, v in more.items()}
        params = {**domain.params(cell, weights), **lifted}
        state = None if h is None else domain.lift(Tensor.of(h))
        return domain.step(cell)(domain.lift(Tensor.of(x)), state, params)[cell.output.name]


def exactly(case, x, weights):
    with mpmath.workdps(60):
        w = {name: [mpf(float(v)) for v in t.value] for name, t in weights.items()}
        return [case.right([mpf(float(v)) for v in row], w) for row in x]


def test_every_layer_is_here():
    assert {case.kind for case in CASES} | {"rectified_above"} == set(STATELESS)
    assert {kind for kind, _ in MERGES} == set(MERGED) == set(TOGETHER)


# In every arithmetic -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("domain", "room"), [(Float64(), 2e-15), (Decimals(50), 1e-40)], ids=["float64", "decimal"])
@every_case
def test_against_the_definition(case, domain, room):
    cell = build(case.kind, case.options)
    weights, x = weights_of(cell, UNITS, UNITS), samples(UNITS)
    found = step(cell, domain, weights, x)
    with mpmath.workdps(60):
        for row, right in zip(found, exactly(case, x, weights), strict=True):
            for mine, exact in zip(row, right, strict=True):
                scale = max(1, *map(abs, right))
                assert abs(mpf(str(mine) if domain.name == "decimal" else float(mine)) - exact) <= room * scale


@every_case
def test_balls_hold_the_exact_number_and_are_narrow(case):
    cell = build(case.kind, case.options)
    weights, x = weights_of(cell, UNITS, UNITS), samples(UNITS)
    with mpmath.workdps(60):
        for row, right in zip(step(cell, Balls(160), weights, x), exactly(case, x, weights), strict=True):
            for ball, exact in zip(row, right, strict=True):
                assert abs(mpf(ball.str(45, radius=False)) - exact) <= mpf("1e-38") * max(1, abs(exact))
                assert float(ball.rad()) < 1e-38


@every_merge
def test_several_inputs(kind, n):
    cell = build(kind, {"inputs": n})
    xs = [samples(UNITS, seed=k) for k in range(n)]
    more = {f"x{k + 1}": x for k, x in enumerate(xs) if k}
    for domain in (Float64(), Decimals(40), Float32(), Balls(100)):
        found = step(cell, domain, {}, xs[0], **more)
        for index in np.ndindex(found.shape):
            right = TOGETHER[kind](*(mpf(float(x[index])) for x in xs))
            mine = found[index]
            room = {"float64": 1e-15, "float32": 3e-7}.get(domain.name, 1e-28) * max(1, abs(right))
            number = mpf(mine.str(30, radius=False)) if domain.name == "balls" else mpf(str(mine))
            assert abs(number - right) <= room, domain.name


@pytest.mark.parametrize("domain", [Float64(), Decimals(40), Float32(), Balls(100)], ids=lambda d: d.name)
@every_recurrent
def test_a_masked_cell_keeps_its_state_and_else_is_the_cell(name, domain):
    """Also where what is masked is NaN: 0 times NaN would be NaN."""
    bare = build(name, {})
    cell = masked(bare)
    weights, x, h = weights_of(bare, UNITS, FEATURES), samples(FEATURES), samples(UNITS, seed=4)
    holds = np.array([[True], [False], [True], [False]])
    if domain.name != "balls":
        x[1] = np.nan
    free = step(bare, domain, weights, x, h)
    found = step(cell, domain, weights, x, h, m=holds)
    with domain.context():
        kept = np.broadcast_to(domain.lift(Tensor.of(h)), found.shape)
    for k, holds_here in enumerate(holds.ravel()):
        assert [str(v) for v in found[k]] == [str(v) for v in (free if holds_here else kept)[k]]


# Folded parameters ---------------------------------------------------------------------------------------------------


@every_case
def test_folding_leaves_the_function(case):
    cell = build(case.kind, case.options)
    assert FOLDED.proof(cell)
    assert len(schedule(cell).cell.params) <= min(2, len(cell.params))


def test_what_is_folded():
    def said(kind):
        plan = schedule(build(kind, {"eps": EPS}))
        show = Formula().doprint
        return [f"{show(s)} = {show(e)}" for s, e in (*plan.cell.equations, *plan.params.items())]

    assert said("normalization") == ["y = (x - mu)*scale", "scale = 1/clip(sqrt(v), 1/1000, inf)"]
    assert said("batch_normalization") == [
        "y = x*scale + offset",
        "scale = g/sqrt(v + 1/1000)",
        "offset = g*(-mu)/sqrt(v + 1/1000) + b",
    ]


def test_a_normalisation_of_large_numbers_keeps_its_digits():
    """(x - mean) scale, not x scale + offset: next to a mean of 1e5 the sum would lose five digits."""
    cell = build("normalization", {"eps": 1e-7})
    x = np.array([[101325.5, 101324.0]], np.float32)
    weights = {"mu": Tensor.of(np.array([101325.0] * 2)), "v": Tensor.of(np.array([1.0, 4.0]))}
    assert step(cell, Float32(), weights, x).tolist() == [[0.5, -0.5]]


# As emitted ----------------------------------------------------------------------------------------------------------


def unit(kind, options, cell, width, features, name):
    layer = Layer(name, name, kind, options, weights_of(cell, width, features))
    return Unit(layer, cell, {"H": width, "D": features})


@dataclass(frozen=True)
class Emitted:
    units: dict
    library: ctypes.CDLL

    def __call__(self, name, *arguments):
        """Call a step with arrays (the last is changed in place) and truth values."""
        given = [
            a.ctypes.data_as(ctypes.POINTER(ctypes.c_float)) if isinstance(a, np.ndarray) else ctypes.c_int(a)
            for a in arguments
        ]
        self.library[f"p_{name}_cell"](*given)
        return arguments[-1]


@pytest.fixture(scope="module")
def emitted(tmp_path_factory):
    """Every layer of this file as one C library, compiled without a warning."""
    units = {}
    for k, case in enumerate(CASES):
        units[f"case{k}"] = unit(case.kind, case.options, build(case.kind, case.options), UNITS, UNITS, f"case{k}")
    units["sparsemax"] = unit(
        "activation", {}, build("activation", {"activation": "sparsemax"}), UNITS, UNITS, "sparsemax"
    )
    for kind, n in MERGES:
        units[f"{kind}{n}"] = unit(kind, {}, build(kind, {"inputs": n}), UNITS, UNITS, f"{kind}{n}")
    for name, cell in CELLS.items():
        if cell.states:
            units[name] = unit(name, {}, masked(build(name, {})), UNITS, FEATURES, name)
    options = {"clip": 0.5, "recurrent_activation": ["hard_sigmoid", 0.2, 0.5]}
    units["clipped"] = unit("gru", options, build("gru", options), UNITS, FEATURES, "clipped")
    kernels = [kernel("p", u) for u in units.values()]
    expressions = [e for k in kernels for _, e in k.plan.cell.equations]
    source = ["#include <float.h>", "#include <stddef.h>", "#include <stdint.h>"]
    source.append(render("c/functions.c.j2", name="p", **Functions("p", expressions).context()))
    for k in kernels:
        for name, value in k.weights.items():
            axes = "".join(f"[{n}]" for n in value.shape)
            source.append(f"static const float {name}{axes} = {initializer(value)};")
        head = f"void {k.function}({k.signature})"
        source += [f"{head};", head, "{", *(f"    {line}" for line in k.body()), "}"]
    folder = tmp_path_factory.mktemp("pointwise")
    (folder / "p.c").write_text("\n".join([*source, ""]))
    compile_c(ANY, folder, *WARNINGS, "-shared", "-fPIC", "p.c", "-o", "p.so")
    return Emitted(units, ctypes.CDLL(str(folder / "p.so")))


def same_bits(found, right):
    return np.array_equal(np.asarray(found, np.float32).view(np.uint32), np.asarray(right, np.float32).view(np.uint32))


@pytest.mark.parametrize("name", [*(f"case{k}" for k in range(len(CASES))), "sparsemax"])
def test_c_gives_the_bits_of_the_float32_domain(name, emitted):
    u = emitted.units[name]
    for x in (samples(UNITS, 20), samples(UNITS, 20) / 100, np.zeros((1, UNITS), np.float32), samples(UNITS, 5) * 1e4):
        right = np.broadcast_to(step(u.cell, Float32(), u.layer.weights, x), x.shape)
        for row, expected in zip(x, right, strict=True):
            assert same_bits(emitted(name, row.copy(), np.empty(UNITS, np.float32)), expected)


@every_case
def test_c_is_within_float32_of_the_definition(case, emitted):
    name = f"case{CASES.index(case)}"
    weights, x = emitted.units[name].layer.weights, samples(UNITS)
    for row, right in zip(x, exactly(case, x, weights), strict=True):
        exact = np.array([float(v) for v in right])
        found = emitted(name, row.copy(), np.empty(UNITS, np.float32))
        assert np.abs(found - exact).max() <= 1e-6 * max(1.0, np.abs(exact).max())


@every_merge
def test_c_of_several_inputs(kind, n, emitted):
    xs = [samples(UNITS, seed=k) for k in range(n)]
    more = {f"x{k + 1}": x for k, x in enumerate(xs) if k}
    right = step(build(kind, {"inputs": n}), Float32(), {}, xs[0], **more)
    for k in range(ROWS):
        assert same_bits(emitted(f"{kind}{n}", *(x[k].copy() for x in xs), np.empty(UNITS, np.float32)), right[k])


@every_recurrent
def test_c_of_a_masked_cell(name, emitted):
    u, bare = emitted.units[name], build(name, {})
    x, h = samples(FEATURES), samples(UNITS, seed=4)
    right = step(bare, Float32(), u.layer.weights, x, h)
    for k in range(ROWS):
        assert same_bits(emitted(name, x[k].copy(), 1, h[k].copy()), right[k])
        assert same_bits(emitted(name, np.full_like(x[k], np.nan), 0, h[k].copy()), h[k])


def test_c_of_a_clipped_gru(emitted):
    u, x, h = emitted.units["clipped"], samples(FEATURES), samples(UNITS, seed=4)
    right = step(u.cell, Float32(), u.layer.weights, x, h)
    for k in range(ROWS):
        assert same_bits(emitted("clipped", x[k].copy(), h[k].copy()), right[k])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@every_case
def test_c_and_float32_agree_on_what_is_no_number(case, bad, emitted):
    name, x = f"case{CASES.index(case)}", samples(UNITS, 1)
    x[0, 1] = bad
    right = step(emitted.units[name].cell, Float32(), emitted.units[name].layer.weights, x)[0]
    assert np.array_equal(emitted(name, x[0].copy(), np.empty(UNITS, np.float32)), right, equal_nan=True)


@every_case
def test_printed_numpy(case):
    """The equations as the NumPy printer writes them, run; an activation's function comes from the float64 domain."""
    cell = build(case.kind, case.options)
    if case.kind == "activation":
        return  # tests/test_numpy_backend.py
    weights, x = weights_of(cell, UNITS, UNITS), samples(UNITS).astype(np.float64)
    scope = {"np": np, "x": x, **{name: t.value.astype(np.float64) for name, t in weights.items()}}
    show = NumPyPrinter().doprint
    for lhs, rhs in cell.equations:
        scope[str(lhs)] = eval(show(rhs), scope)
    right = step(cell, Float64(), weights, x)
    assert np.abs(scope["y"] - right).max() <= 1e-14 * max(1, np.abs(right).max())


# What is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        ("gru", {"use_bias": "False"}, "use_bias is 'False'; it must be true or false"),
        ("gru", {"reset_after": 1}, "reset_after is '1'; it must be true or false"),
        ("gru", {"return_sequences": None}, "return_sequences is 'None'"),
        ("gru", {"clip": "5"}, "clip is '5'; it must be a number"),
        ("gru", {"clip": True}, "clip is 'True'; it must be a number"),
        ("gru", {"clip": 0}, "clip is 0; it must be above 0"),
        ("gru", {"clip": float("nan")}, "clip is 'nan'; it must be a number"),
        ("leaky", {"slope": "0.3"}, "slope is '0.3'; it must be a number"),
        ("rectified", {"highest": float("inf"), "slope": 0, "threshold": 0}, "highest is 'inf'; it must be a number"),
        ("add", {"inputs": 0}, "inputs is '0'; it must be a whole number from 1 to 256"),
        ("add", {"inputs": True}, "inputs is 'True'; it must be a whole number"),
        ("subtract", {"inputs": 3}, "subtract takes 2 inputs; it is given 3"),
        (["gru"], {}, "a cell's name is"),
        ("lstm", {}, "no cell is called 'lstm'"),
    ],
    ids=str,
)
def test_options_of_the_wrong_type(kind, options, says):
    with pytest.raises(Unsupported) as refused:
        build(kind, options)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


# An option of ONNX ---------------------------------------------------------------------------------------------------


def test_clip_bounds_every_argument_of_an_activation():
    show = Formula().doprint
    (z, r, n, h1) = (show(e) for _, e in build("gru", {"clip": 0.5, "activation": "relu"}).equations)
    assert z == "sigma(clip(W_z x + b_z + U_z h + c_z, -1/2, 1/2))"
    assert n == "relu(clip(W_n x + b_n + r*(U_n h + c_n), -1/2, 1/2))"
    assert "clip" in r
    assert h1 == "z*h + (1 - z)*n"
    assert build("gru", {"clip": None}) == build("gru", {})


@pytest.mark.parametrize("reset_after", [True, False])
def test_a_clipped_gru_by_hand(reset_after):
    """Against the definition in ONNX' operator page, written out in NumPy."""
    options = {"clip": 0.5, "reset_after": reset_after}
    cell = build("gru", options)
    weights, x, h = weights_of(cell, UNITS, FEATURES), samples(FEATURES), samples(UNITS, seed=4)
    w = {name: t.value.astype(np.float64) for name, t in weights.items()}

    def bounded(a):
        return np.clip(a, -0.5, 0.5)

    def summed(g, state, c):
        return x @ w[f"W_{g}"].T + w[f"b_{g}"] + state @ w[f"U_{g}"].T + (w.get(f"c_{g}", 0) if c else 0)

    z, r = (1 / (1 + np.exp(-bounded(summed(g, h, True)))) for g in "zr")
    if reset_after:
        n = np.tanh(bounded(x @ w["W_n"].T + w["b_n"] + r * (h @ w["U_n"].T + w["c_n"])))
    else:
        n = np.tanh(bounded(summed("n", r * h, False)))
    right = z * h + (1 - z) * n
    assert np.abs(step(cell, Float64(), weights, x, h) - right).max() <= 1e-14
