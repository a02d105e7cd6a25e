"""Every cell against the framework that has it: the reference, the emitted NumPy and the emitted C.

The cells that no framework has are special cases of Keras' GRU (a gate with weights of 0, with the signs of its
weights changed, or held open by a large bias), so that every recurrent cell meets a framework.

Float64 tolerance: 1e-12 of the largest output. A framework adds up in another order: sums of at most 37 terms, each
rounded by 1.1e-16, in a state that may be kept for 50 steps, come to 37 * 50 * 1.1e-16 = 2e-13. Measured: 1e-15.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pytest

from symgru.building import build
from symgru.cells import CELLS
from symgru.comparison import FRAMEWORKS
from symgru.domains import Float64
from symgru.trace import run
from symgru.verify.emitted import compiled, run_numpy
from symgru.yardstick import tolerance
from tests.conftest import need_package, random_input, random_network

UNITS, STEPS = (1, 4, 32), (1, 10, 50)
BATCH, FEATURES = 3, 3
RELATIVE = 1e-12
every_size = pytest.mark.parametrize("units", UNITS)


def keras_recurrent(kind, arrays, x, h, dtype, **options):
    """A Keras layer's output at every step; arrays as its get_weights() gives them."""
    import keras

    layer = getattr(keras.layers, kind)(h.shape[1], return_sequences=True, dtype=dtype, **options)
    layer.build(x.shape)
    layer.set_weights(arrays)
    return np.asarray(layer(x, initial_state=h))


def keras_gru(w, x, h, dtype, reset_after, **options):
    arrays = [np.hstack([w[f"{letter}_{gate}"].T for gate in "zrn"]) for letter in "WU"]
    biases = [np.concatenate([w[f"{letter}_{gate}"] for gate in "zrn"]) for letter in "bc" if f"{letter}_n" in w]
    bias = [np.stack(biases) if reset_after else biases[0]] if biases else []
    return keras_recurrent(
        "GRU", [*arrays, *bias], x, h, dtype, reset_after=reset_after, use_bias=bool(biases), **options
    )


def keras_gru_after(w, x, h, dtype):
    return keras_gru(w, x, h, dtype, reset_after=True)


def keras_gru_before(w, x, h, dtype):
    return keras_gru(w, x, h, dtype, reset_after=False)


def keras_simple(w, x, h, dtype):
    bias = [w["b"]] if "b" in w else []
    return keras_recurrent("SimpleRNN", [w["W"].T, w["U"].T, *bias], x, h, dtype, use_bias=bool(bias))


def torch_module(name, arrays, dtype, *sizes, **options):
    """A module of torch.nn with its parameters set; `arrays` by name, without the _l0 of a layer."""
    torch = need_package("torch")
    module = getattr(torch.nn, name)(*sizes, dtype=getattr(torch, dtype), **options)
    with torch.no_grad():
        for key, parameter in module.named_parameters():
            parameter.copy_(torch.from_numpy(arrays[key.removesuffix("_l0")]))
    return module


def torch_arrays(w, gates):
    """Gates as rows. PyTorch has a bias on both sides; where the cell has one, the state's is 0."""
    places = {"weight_ih": "W", "weight_hh": "U", "bias_ih": "b", "bias_hh": "c"}
    names = {key: [f"{letter}_{gate}" if gate else letter for gate in gates] for key, letter in places.items()}
    zeros = {name: np.zeros_like(w[name.replace("c", "b", 1)]) for name in names["bias_hh"] if names["bias_ih"][0] in w}
    known = {**zeros, **w}
    return {key: np.concatenate([known[n] for n in row]) for key, row in names.items() if row[0] in known}


def torch_layer(name, gates):
    def layer(w, x, h, dtype):
        torch = need_package("torch")
        arrays = torch_arrays(w, gates)
        module = torch_module(name, arrays, dtype, x.shape[-1], h.shape[1], batch_first=True, bias="bias_ih" in arrays)
        with torch.no_grad():
            return module(torch.from_numpy(x), torch.from_numpy(h[None]))[0].numpy()

    return layer


def torch_cell(name, gates):
    def cell(w, x, h, dtype):
        torch = need_package("torch")
        arrays = torch_arrays(w, gates)
        module = torch_module(name, arrays, dtype, x.shape[-1], h.shape[1], bias="bias_ih" in arrays)
        state, outputs = torch.from_numpy(h), []
        with torch.no_grad():
            for t in range(x.shape[1]):
                state = module(torch.from_numpy(x[:, t]), state)
                outputs.append(state.numpy())
        return np.stack(outputs, axis=1)

    return cell


def flax_cell(name, gates):
    """A cell of flax.linen, stepped by hand. It has a bias on the state's side only where it is not redundant."""

    def cell(w, x, h, dtype):
        jax, linen = need_package("jax"), need_package("flax.linen")
        params = {}
        for gate in gates:
            of = f"_{gate}" if gate else ""
            params[f"i{gate}"] = {"kernel": w[f"W{of}"].T, "bias": w[f"b{of}"]}
            params[f"h{gate}"] = {"kernel": w[f"U{of}"].T}
            if f"c{of}" in w:
                params[f"h{gate}"]["bias"] = w[f"c{of}"]
        with jax.enable_x64(dtype == "float64"):
            step = jax.jit(getattr(linen, name)(h.shape[1], dtype=dtype, param_dtype=dtype).apply)
            state, outputs = h, []
            for t in range(x.shape[1]):
                state, y = step({"params": params}, state, x[:, t])
                outputs.append(np.asarray(y))
        return np.stack(outputs, axis=1)

    return cell


@dataclass(frozen=True)
class Case:
    """A cell with options, and the framework's own: (weights by name, x, state before, dtype) -> every output.

    `absent` are parameters that the framework's cell lacks, since they would only be added to another one.
    """

    kind: str
    framework: Callable
    options: Mapping = field(default_factory=dict)
    absent: frozenset = frozenset()


NO_BIAS = {"use_bias": False}
CASES = {
    "Keras GRU": Case("gru", keras_gru_after),
    "Keras GRU without biases": Case("gru", keras_gru_after, NO_BIAS),
    "Keras GRU, reset before": Case("gru_before", keras_gru_before),
    "Keras GRU, reset before, without biases": Case("cho", keras_gru_before),
    "Keras SimpleRNN": Case("simple", keras_simple),
    "Keras SimpleRNN without biases": Case("simple", keras_simple, NO_BIAS),
    "torch.nn.GRU": Case("gru", torch_layer("GRU", "rzn")),
    "torch.nn.GRU without biases": Case("gru", torch_layer("GRU", "rzn"), NO_BIAS),
    "torch.nn.GRUCell": Case("gru", torch_cell("GRUCell", "rzn")),
    "torch.nn.RNN": Case("simple", torch_layer("RNN", [""])),
    "torch.nn.RNN without biases": Case("simple", torch_layer("RNN", [""]), NO_BIAS),
    "torch.nn.RNNCell": Case("simple", torch_cell("RNNCell", [""])),
    "flax.linen.GRUCell": Case("gru", flax_cell("GRUCell", "rzn"), absent=frozenset({"c_z", "c_r"})),
    "flax.linen.MGUCell": Case("mgu_after", flax_cell("MGUCell", "fn")),
    "flax.linen.SimpleCell": Case("simple", flax_cell("SimpleCell", [""])),
}
every_case = pytest.mark.parametrize("name", CASES)

# (the gate that becomes Keras' update gate, the sign of its weights, the gate that becomes its reset gate)
SPECIAL = {
    "gru": ("z", 1, "r"),
    "gru_new": ("z", -1, "r"),  # 1 - sigma(a) = sigma(-a)
    "gru_before": ("z", 1, "r"),
    "cho": ("z", 1, "r"),
    "fully_gated": ("z", -1, "r"),
    "type1": ("z", -1, "r"),
    "type2": ("z", -1, "r"),
    "type3": ("z", -1, "r"),
    "mgu": ("f", -1, "f"),
    "mgu1": ("f", -1, "f"),
    "mgu2": ("f", -1, "f"),
    "mgu3": ("f", -1, "f"),
    "mgu_after": ("f", 1, "f"),
    "ligru": ("z", 1, ""),
    "simple": ("", -1, ""),
}
OPEN = 1e3  # sigma of it is 1, and sigma of its negative 0, in every precision


def as_keras_gru(name, w, x, h, dtype, flip=1):
    """The cell as one of Keras' GRUs with two bias rows, or with one where the reset gate acts before the product."""
    keep, sign, reset = SPECIAL[name]
    sign *= flip
    units, after = h.shape[1], reset == "" or "c_n" in w
    own = {"z": (keep, sign), "r": (reset, 1), "n": ("n" if "W_n" in w else "", 1)}
    shapes = {"W": (units, x.shape[-1]), "U": (units, units), "b": (units,), **({"c": (units,)} if after else {})}
    full = {}
    for gate, (source, factor) in own.items():
        of = f"_{source}" if source else ""
        for letter, shape in shapes.items():
            present = source or gate == "n"  # a cell without a gate has no weights for it
            value = w.get(letter + of) if present else None
            full[f"{letter}_{gate}"] = np.zeros(shape, dtype) if value is None else (factor * value).astype(dtype)
        if gate != "n" and not source:
            full[f"b_{gate}"] += np.dtype(dtype).type(factor * OPEN)
    activation = "relu" if name == "ligru" else "tanh"
    return keras_gru(full, x, h, dtype, reset_after=after, activation=activation)


@cache
def network_of(kind, no_bias, absent, units, dtype):
    """The cell alone with random weights, every step's output wanted; `absent` parameters are 0."""
    options = {"return_sequences": True, **(NO_BIAS if no_bias else {})}
    network = random_network([(kind, units, options)], FEATURES, dtype, seed=units + len(kind), scale=1.5)
    (layer,) = network.layers.values()
    for p in absent:
        layer.weights[p].value[:] = 0
    return network


@cache
def program_of(*which):
    """The network's emitted C, compiled once for all frameworks that have the cell."""
    return compiled(network_of(*which))


def which(case, units, dtype):
    return case.kind, case.options == NO_BIAS, case.absent, units, dtype


def case_network(case, units, dtype):
    return network_of(*which(case, units, dtype))


def weights(network, dtype):
    (layer,) = network.layers.values()
    return {name: tensor.value.astype(dtype) for name, tensor in layer.weights.items()}


def ask(case, network, x, h, dtype):
    """The framework's answer in `dtype`, in float64."""
    y = case.framework(weights(network, dtype), x.value.astype(dtype), h.astype(dtype), dtype)
    assert y.dtype == dtype, "the framework computed in another precision"
    return y.astype(np.float64)


def sequence(network, steps, units):
    return random_input(network, steps, BATCH, seed=steps), np.zeros((BATCH, units))


def far(y, expected):
    assert y.shape == expected.shape
    return np.abs(y - expected).max()


@every_size
@every_case
def test_reference_and_numpy(name, units):
    case = CASES[name]
    network = case_network(case, units, "float64")
    for steps in STEPS:
        x, h = sequence(network, steps, units)
        expected = ask(case, network, x, h, "float64")
        limit = RELATIVE * np.abs(expected).max()
        assert far(run(network, x, Float64()).y, expected) <= limit, f"reference, {steps} steps"
        assert far(run_numpy(network, x.value), expected) <= limit, f"emitted NumPy, {steps} steps"


@every_case
def test_a_state_to_begin_with(name):
    case = CASES[name]
    network = case_network(case, 4, "float64")
    x, _ = sequence(network, 10, 4)
    h = np.random.default_rng(3).uniform(-1, 1, (BATCH, 4))
    expected = ask(case, network, x, h, "float64")
    own = run(network, x, Float64(), states={call.id: h for call in network.calls}).y
    assert far(own, expected) <= RELATIVE * np.abs(expected).max()
    assert far(run(network, x, Float64()).y, expected) > 1e-3, "or the state says nothing"


@every_size
@every_case
def test_c(name, units):
    """At most 4 times the framework's own float32 error (or half an ulp, where it was right by luck) plus 2 ulps."""
    case = CASES[name]
    network, program = (of(*which(case, units, "float32")) for of in (network_of, program_of))
    x, h = sequence(network, max(STEPS), units)
    in64, in32 = (ask(case, network, x, h, dtype) for dtype in ("float64", "float32"))
    for steps in STEPS:  # what comes later changes nothing before it
        expected, largest = in64[:, :steps], np.abs(in64[:, :steps]).max()
        own = max(far(in32[:, :steps], expected), np.spacing(np.float32(largest)) / 2)
        assert far(program.window(x.value[:, :steps]), expected) <= tolerance(own, largest), f"{steps} steps"
        assert tolerance(own, largest) <= 1e-5 * largest, "or the limit is no limit"


@every_size
@pytest.mark.parametrize("name", SPECIAL)
def test_every_recurrent_cell_is_one_of_keras_grus(name, units):
    network = network_of(name, False, frozenset(), units, "float64")
    x, h = sequence(network, max(STEPS), units)
    expected = as_keras_gru(name, weights(network, "float64"), x.value, h, "float64")
    assert far(run(network, x, Float64()).y, expected) <= RELATIVE * np.abs(expected).max()


@pytest.mark.parametrize("name", SPECIAL)
def test_the_update_rule_is_seen(name):
    network = network_of(name, False, frozenset(), 4, "float64")
    x, h = sequence(network, 2, 4)
    exchanged = as_keras_gru(name, weights(network, "float64"), x.value, h, "float64", flip=-1)
    assert far(run(network, x, Float64()).y, exchanged) > 1e-2


def test_no_recurrent_cell_is_left_out():
    assert set(SPECIAL) == {name for name, cell in CELLS.items() if cell.states}


# SpeechBrain is not installed, and Dense is compared in test_agreement.py
CLAIMED = [
    (kind, *layer.split(" ")[:2])
    for kind, layers in FRAMEWORKS.items()
    for layer in layers
    if kind not in {"ligru", "dense"}
]


@pytest.mark.parametrize(("kind", "framework", "layer"), CLAIMED)
def test_what_the_comparison_of_cells_says_is_compared(kind, framework, layer):
    spelled = {"Keras": "Keras ", "PyTorch": "torch.nn.", "Flax": "flax.linen."}
    assert any(case.kind == kind for key, case in CASES.items() if key.startswith(spelled[framework] + layer))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "_z" in str(build(case.kind, {}).params)])
def test_gates_exchanged_are_seen(name):
    """With the update gate's weights in place of the reset gate's the framework gives another answer."""
    case = CASES[name]
    network = case_network(case, 4, "float64")
    w = weights(network, "float64")
    exchanged = {n.replace("_z", "_?").replace("_r", "_z").replace("_?", "_r"): v for n, v in w.items()}
    x, h = sequence(network, 10, 4)
    expected = ask(case, network, x, h, "float64")
    assert far(case.framework(exchanged, x.value, h, "float64"), expected) > 1e-3
