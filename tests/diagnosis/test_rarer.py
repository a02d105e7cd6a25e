"""The rarer mistakes: NumPy by hand for every one, on one unit and on three, and all of them on every cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest

from symgru.building import build
from symgru.cells import CELLS
from symgru.decimal_domain import Decimals
from symgru.diagnosis.rarer import RARER, SEVERAL_UNITS, catalogue, earlier_states, lost_signs, rarer
from symgru.domains import Float64
from symgru.errors import SymgruError
from symgru.mistake_table import Mistake, mistakes
from symgru.mistakes import Trial
from symgru.network import Array, Layer, Network, Tensor
from symgru.readers import read
from tests.conftest import ROOT, random_input, random_network
from tests.one_unit import SEED, X, one_unit, sequence

Key = tuple[str, str]
Weights = dict[str, Array]
RECURRENT = [name for name in CELLS if build(name, {}).states]
ORDERS = ("znr", "rzn", "rnz", "nzr", "nrz")


def layer_of(network: Network) -> Layer:
    (layer,) = network.layers.values()
    return layer


def numbers(network: Network) -> Weights:
    return {name: t.text.astype(np.float64) for name, t in layer_of(network).weights.items()}


def results(network: Network, x: Tensor, made: tuple[Mistake, ...]) -> dict[Key, Array]:
    """What each mistake leads to, after the last step of the first sequence."""
    trial = Trial(network, x, lambda layer: made)
    return {(m.kind, m.name): trial.result(m, Float64()) for m in made}


# ---------------------------------------------------------------- a GRU by hand


def sigma(a: Array) -> Array:
    return np.exp(-np.logaddexp(0, -a))  # an input times 100 is far beyond where e^-a overflows


def same(v: Array) -> Array:
    return v


def mixed(z: Array, h: Array, n: Array) -> Array:
    return z * h + (1 - z) * n


def by_hand(
    w: Weights,
    x: Array,
    gate: Callable[[Array], Array] = sigma,
    act: Callable[[Array], Array] = np.tanh,
    state: Callable[[Array, Array, Array], Array] = mixed,
    reset: Callable[[Array, Array], Array] = lambda r, k: r * k,
    line: Callable[[Array], Array] = same,
) -> dict[str, Array]:
    """The gates, the candidate and the state of every step (time, units). `line` is done to whatever is written down.

    x is (time, features).
    """
    units = len(w["U_z"])
    h, kept = np.zeros(units), []
    for x_t in x:
        z = line(gate(line(w["W_z"] @ x_t + w["b_z"] + w["U_z"] @ h + w["c_z"])))
        r = line(gate(line(w["W_r"] @ x_t + w["b_r"] + w["U_r"] @ h + w["c_r"])))
        u = line(w["U_n"] @ h + w["c_n"])
        n = line(act(line(w["W_n"] @ x_t + w["b_n"] + reset(r, u))))
        h = np.broadcast_to(line(state(z, h, n)), (units,))
        kept.append((z, r, n, h))
    return dict(zip("zrnh", map(np.array, zip(*kept, strict=True)), strict=True))


def in_place(w: Weights, x: Array) -> Array:
    """Unit by unit, each written over the old state at once."""
    h = np.zeros(len(w["U_z"]))
    for x_t in x:
        for i in range(len(h)):
            z = sigma(w["W_z"][i] @ x_t + w["b_z"][i] + w["U_z"][i] @ h + w["c_z"][i])
            r = sigma(w["W_r"][i] @ x_t + w["b_r"][i] + w["U_r"][i] @ h + w["c_r"][i])
            n = np.tanh(w["W_n"][i] @ x_t + w["b_n"][i] + r * (w["U_n"][i] @ h + w["c_n"][i]))
            h[i] = z * h[i] + (1 - z) * n
    return h


# ---------------------------------------------------------------- Keras' arrays


def arrays(w: Weights) -> dict[str, Array]:
    """kernel (features, 3 units), recurrent kernel (units, 3 units), bias (2, 3 units)."""
    return {
        "kernel": np.concatenate([w[f"W_{g}"].T for g in "zrn"], axis=1),
        "recurrent kernel": np.concatenate([w[f"U_{g}"].T for g in "zrn"], axis=1),
        "bias": np.stack([np.concatenate([w[f"{row}_{g}"] for g in "zrn"]) for row in "bc"]),
    }


def weights(a: Mapping[str, Array], orders: Mapping[str, str] = {}) -> Weights:
    """The blocks of columns in the order z, r, n, or as `orders` says of an array."""
    w = {}
    for name, array in a.items():
        for g, block in zip(orders.get(name, "zrn"), np.split(array, 3, axis=1), strict=True):
            if name == "bias":
                w[f"b_{g}"], w[f"c_{g}"] = block
            else:
                w[f"{'W' if name == 'kernel' else 'U'}_{g}"] = block.T
    return w


def reshaped(a: dict[str, Array]) -> dict[str, Array]:
    """The numbers fill the shape that PyTorch has, and are turned from there."""
    return {name: m if name == "bias" else m.reshape(m.shape[::-1]).T for name, m in a.items()}


def state_first(a: dict[str, Array]) -> dict[str, Array]:
    stacked = np.concatenate([a["kernel"], a["recurrent kernel"]])
    units = len(a["recurrent kernel"])
    return {"recurrent kernel": stacked[:units], "kernel": stacked[units:], "bias": a["bias"]}


def brain(v: Array) -> Array:
    """Eight significant bits, a tie to the even one."""
    mantissa, exponent = np.frexp(v.astype(np.float32))
    return np.ldexp(np.rint(mantissa.astype(np.float64) * 256), exponent - 8)


def in_bytes(v: Array) -> Array:
    scale = np.abs(v).max() / 127 or 1.0
    return np.round(v / scale) * scale


def decimals(digits: int) -> Callable[[Array], Array]:
    unit = Decimal(1).scaleb(-digits)

    @np.vectorize
    def rounded(v: float) -> float:
        return float(Decimal(repr(float(v))).quantize(unit, ROUND_HALF_UP))

    return rounded


def expected(w: Weights, x: Array) -> dict[Key, Array]:
    """What every mistake of the table leads to; x is (time, features)."""
    a, units, features = arrays(w), len(w["U_z"]), x.shape[1]
    right, letters = by_hand(w, x), "zrn"

    def last(w: Weights = w, x: Array = x, **options: Callable[..., Array]) -> Array:
        return by_hand(w, x, **options)["h"][-1]  # type: ignore[arg-type]

    def each(change: Callable[[Array], Array]) -> Array:
        return last(weights({name: change(m) for name, m in a.items()}))

    found = {
        ("sequence", "first step twice"): last(x=np.array([x[0], *x])),
        ("sequence", "last step twice"): last(x=np.array([*x, x[-1]])),
        ("sequence", "first step dropped"): last(x=x[1:]),
        ("sequence", "time for batch"): right["h"][-1],  # there is one sequence
        ("sequence", "time and batch reshaped"): right["h"][-1],
        ("arrays", "kernels reshaped"): last(weights(reshaped(a))),
        ("output", "candidate"): right["n"][-1],
        ("output", "update gate"): right["z"][-1],
        ("output", "reset gate"): right["r"][-1],
        ("activations", "sigmoid candidate"): last(act=sigma),
        ("activations", "tanh gates"): last(gate=np.tanh),
        ("activations", "linear gates"): last(gate=same),
        ("activations", "state activated"): last(state=lambda z, h, n: np.tanh(mixed(z, h, n))),
        ("activations", "output activated"): np.tanh(right["h"][-1]),
        ("activations", "hard tanh candidate"): last(act=lambda v: np.clip(v, -1, 1)),
        ("gates", "reset gate is 0"): last(reset=lambda r, u: 0 * u),
        ("scaling", "standardised"): last(x=(x - x.mean(0)) / np.sqrt(((x - x.mean(0)) ** 2).mean(0))),
        ("scaling", "between 0 and 1"): last(x=(x - x.min(0)) / (x.max(0) - x.min(0))),
        ("scaling", "by the largest"): last(x=x / np.abs(x).max(0)),
        ("scaling", "by 10"): last(x=x / 10),
        ("scaling", "by 100"): last(x=x / 100),
        ("scaling", "by 255"): last(x=x / 255),
        ("scaling", "times 100"): last(x=x * 100),
        ("signs", "all of the weights"): each(np.abs),
        ("arrays", "float16"): each(lambda m: m.astype(np.float16).astype(np.float64)),
        ("arrays", "bfloat16"): each(brain),
        ("arrays", "int8"): each(in_bytes),
        ("biases", "rows in turn"): last(weights({**a, "bias": a["bias"].reshape(3 * units, 2).T})),
        **{("rounding", f"{d} decimal{'s' * (d > 1)}"): last(line=decimals(d)) for d in (1, 2, 3, 4)},
    }
    nothing = np.zeros(units)
    found |= {
        ("biases", "without the state's for the candidate"): last(w | {"c_n": nothing}),
        ("biases", "without the input's for the candidate"): last(w | {"b_n": nothing}),
        ("biases", "the input's twice"): last(w | {f"c_{g}": w[f"b_{g}"] for g in letters}),
        ("biases", "the state's twice"): last(w | {f"b_{g}": w[f"c_{g}"] for g in letters}),
        ("arrays", "no recurrent kernel"): last(w | {f"U_{g}": 0 * w[f"U_{g}"] for g in letters}),
        ("arrays", "no recurrent kernel for the candidate"): last(w | {"U_n": 0 * w["U_n"]}),
        ("sequence", "features reversed"): last(x=x[:, ::-1]),
    }
    subsets = ("kernel", "recurrent kernel", "bias", "kernel and recurrent kernel", "kernel and bias")
    for names in (*subsets, "recurrent kernel and bias"):
        for order in ORDERS:
            swapped = dict.fromkeys(names.split(" and "), order)
            found["gate order", f"{' | '.join(order)} in {names}"] = last(weights(a, swapped))
    if units > 1:
        found |= {
            ("state", "updated in place"): in_place(w, x),
            ("products", "summed in the new state"): last(state=lambda z, h, n: np.dot(z, h) + np.dot(1 - z, n)),
            ("products", "summed with the old state"): last(state=lambda z, h, n: np.dot(z, h) + (1 - z) * n),
            ("products", "summed with the candidate"): last(state=lambda z, h, n: z * h + np.dot(1 - z, n)),
            ("products", "summed with the reset gate"): last(reset=np.dot),
            **{("arrays", f"recurrent kernel U_{g} transposed"): last(w | {f"U_{g}": w[f"U_{g}"].T}) for g in letters},
        }
    if units == features > 1:
        found |= {("arrays", f"kernel W_{g} transposed"): last(w | {f"W_{g}": w[f"W_{g}"].T}) for g in letters}
    if units == features:
        found["arrays", "kernel left out"] = last(w | {f"W_{g}": np.eye(units) for g in letters})
    if units != features:
        found["arrays", "state before input"] = last(weights(state_first(a)))
    if sum(map(np.count_nonzero, w.values())) <= 24:
        for name, v in w.items():
            for place in zip(*np.nonzero(v < 0), strict=True):
                turned = v.copy()
                turned[place] *= -1
                which = name if v.size == 1 else f"{name}[{','.join(str(k + 1) for k in place)}]"
                found["signs", f"of {which}"] = last(w | {name: turned})
    return found


@pytest.mark.parametrize(("units", "features"), [(1, 1), (1, 3), (2, 2), (3, 2), (2, 3)])
@pytest.mark.parametrize("seed", range(3))
def test_every_mistake_by_hand(units: int, features: int, seed: int) -> None:
    network = random_network([("gru", units, {})], features, seed=seed, scale=2.0)
    x = random_input(network, 5, seed=seed)
    should = expected(numbers(network), x.text.astype(np.float64)[0])
    found = results(network, x, rarer(layer_of(network)))
    assert set(found) == set(should)
    for key, values in should.items():
        np.testing.assert_allclose(found[key], values, rtol=0, atol=1e-13, err_msg=str(key))


def test_what_is_told_apart_by_three_units() -> None:
    """Only what concerns a batch of several sequences leads to the right numbers."""
    network = random_network([("gru", 3, {})], 2, seed=5, scale=2.0)
    x = random_input(network, 5, seed=5)
    right = by_hand(numbers(network), x.text.astype(np.float64)[0])["h"][-1]
    found = results(network, x, catalogue(layer_of(network)))
    alike = {name for (_, name), v in found.items() if np.abs(v - right).max() < 1e-12}
    assert alike - {m.name for m in mistakes(layer_of(network))} == {"time for batch", "time and batch reshaped"}


# ---------------------------------------------------------------- the seed


def test_the_seed() -> None:
    """Its biases are 0, so that they have no order, and the two parts of its kernel that are negative have a sign."""
    should = expected(numbers(SEED), X.value[0])
    found = results(SEED, X, rarer(layer_of(SEED)))
    alone = {f"{' | '.join(order)} in {name}" for order in ORDERS for name in ("kernel", "recurrent kernel")}
    assert {name for kind, name in found if kind == "gate order"} == alone  # both together are the common mistake
    assert {key for key in found if key[0] != "gate order"} == {key for key in should if key[0] != "gate order"}
    assert {key for key in found if key[0] == "signs"} == {
        ("signs", "all of the weights"),
        ("signs", "of W_z"),
        ("signs", "of W_n"),
    }
    for key, values in found.items():
        np.testing.assert_allclose(values, should[key], rtol=0, atol=1e-14, err_msg=str(key))


# ---------------------------------------------------------------- several sequences


def batched(made: tuple[Mistake, ...], name: str, network: Network, x: Tensor) -> Array:
    """(batch, time, units)"""
    trial = Trial(network, x, lambda layer: made)
    changed = trial.changed(next(m for m in made if m.name == name))
    return changed.results(changed.run(Float64()))


def test_time_taken_for_the_batch() -> None:
    network = random_network([("gru", 2, {})], 2, seed=3)
    x, w = random_input(network, 4, batch=3, seed=3), numbers(network)
    numbers_ = x.text.astype(np.float64)
    made = rarer(layer_of(network))
    got = batched(made, "time for batch", network, x)
    assert got.shape == (3, 4, 2)
    for t in range(4):  # the sequence goes from one sample to the next
        np.testing.assert_allclose(got[:, t], by_hand(w, numbers_[:, t])["h"], rtol=0, atol=1e-14)
    got = batched(made, "time and batch reshaped", network, x)
    cut = np.array([numbers_[b, t] for t in range(4) for b in range(3)]).reshape(3, 4, 2)
    for b in range(3):
        np.testing.assert_allclose(got[b], by_hand(w, cut[b])["h"], rtol=0, atol=1e-14)


# ---------------------------------------------------------------- made for a sequence


def test_earlier_states() -> None:
    network = random_network([("gru", 2, {})], 1, seed=2)
    x = random_input(network, 6, seed=2)
    made = earlier_states(6)
    states = by_hand(numbers(network), x.text.astype(np.float64)[0])["h"]
    assert [m.name for m in made] == [f"state after step {k}" for k in (2, 3, 4)]
    found = results(network, x, made)
    for k in (2, 3, 4):
        np.testing.assert_allclose(found["output", f"state after step {k}"], states[k - 1], rtol=0, atol=1e-14)
    assert earlier_states(3) == earlier_states(1) == ()
    assert [m.name for m in earlier_states(100)][::29] == ["state after step 69", "state after step 98"]
    assert earlier_states(6) == made


def test_minus_signs_of_a_sequence() -> None:
    network, x = one_unit(), sequence("1", "-2", "0.5", "-0.25")
    found = results(network, x, lost_signs(x))
    w = numbers(network)

    def last(*values: float) -> Array:
        return by_hand(w, np.array(values)[:, None])["h"][-1]

    should = {
        ("signs", "of x_2"): last(1, 2, 0.5, -0.25),
        ("signs", "of x_4"): last(1, -2, 0.5, 0.25),
        ("signs", "all of the inputs"): last(1, 2, 0.5, 0.25),
    }
    assert set(found) == set(should)
    for key, values in should.items():
        np.testing.assert_allclose(found[key], values, rtol=0, atol=1e-15)
    assert lost_signs(X) == ()
    (every,) = lost_signs(sequence(*["-1"] * 13))
    assert every.name == "all of the inputs"
    two = random_input(random_network([("gru", 1, {})], 2), 2, seed=4)
    assert {m.name for m in lost_signs(two)} <= {f"of x_{t}[{k}]" for t in (1, 2) for k in (1, 2)} | {every.name}


def test_a_sign_of_a_number_that_is_not_there() -> None:
    """The sequence may have become one step before."""
    x = sequence("1", "-2")
    (lost,) = lost_signs(x)
    assert lost.inputs is not None
    assert lost.inputs(x[:, :1]).text.tolist() == [[["1"]]]
    assert lost.inputs(x).text.tolist() == [[["1"], ["2"]]]


def test_a_sequence_that_does_not_vary() -> None:
    """Neither a deviation nor a span nor a largest number can be divided by."""
    x = sequence("0", "0", "0")
    for m in rarer(layer_of(SEED)):
        if m.kind == "scaling":
            assert m.inputs is not None
            assert not m.inputs(x).value.any()
    once = sequence("4")
    for name, value in (("standardised", 4), ("between 0 and 1", 4), ("by the largest", 1)):
        (change,) = [m.inputs for m in rarer(layer_of(SEED)) if m.name == name]
        assert change is not None
        assert change(once).value.tolist() == [[[value]]]


# ---------------------------------------------------------------- every cell


@pytest.mark.parametrize("kind", RECURRENT)
@pytest.mark.parametrize(("units", "features"), [(1, 1), (2, 2), (3, 2)])
def test_every_cell_can_be_run_with_each(kind: str, units: int, features: int) -> None:
    network = random_network([(kind, units, {})], features, seed=1)
    x = random_input(network, 4, batch=2, seed=1)
    made = (*catalogue(layer_of(network)), *earlier_states(4), *lost_signs(x[:1]))
    found = results(network, x, made)
    assert all(v.shape == (units,) and np.isfinite(v).all() for v in found.values())
    for m in made:
        hooks = (m.cell, m.weights, m.inputs, m.start, m.decimals, m.reads, m.outputs)
        assert m.says and m.instead and any(hook is not None for hook in hooks)
        assert m.says.count("`") % 2 == m.instead.count("`") % 2 == 0
        assert "{" not in m.says + m.instead and "None" not in m.says + m.instead


@pytest.mark.parametrize("kind", RECURRENT)
def test_the_catalogue_is_one_ranking(kind: str) -> None:
    layer = layer_of(random_network([(kind, 2, {})], 2, seed=1))
    listed = catalogue(layer)
    assert [m.rank for m in listed] == sorted(m.rank for m in listed)
    assert len({(m.kind, m.name) for m in listed}) == len(listed) == len(mistakes(layer)) + len(rarer(layer))
    assert catalogue(layer) == listed


def test_what_does_not_differ_is_left_out() -> None:
    simple = {(m.kind, m.name) for m in rarer(layer_of(random_network([("simple", 2, {})], 3)))}
    assert not {kind for kind, _ in simple} & {"gate order", "gates", "products"}
    assert ("output", "candidate") not in simple and ("output", "reset gate") not in simple
    minimal = {(m.kind, m.name) for m in rarer(layer_of(random_network([("mgu", 2, {})], 3)))}
    assert ("output", "update gate") in minimal and ("output", "reset gate") not in minimal
    assert ("biases", "rows in turn") not in minimal
    before = {m.name for m in rarer(layer_of(random_network([("gru", 2, {"reset_after": False})], 3)))}
    assert "summed with the reset gate" not in before  # a matrix has no product with a number
    hard = {m.name for m in rarer(layer_of(random_network([("gru", 2, {"activation": "hard_tanh"})], 3)))}
    assert "hard tanh candidate" not in hard
    assert "state before input" not in {m.name for m in rarer(layer_of(random_network([("gru", 2, {})], 2)))}


@pytest.mark.parametrize("kind", ["gru", "gru_before", "mgu", "ligru"])
def test_any_two_changes_of_a_cell_go_together_or_are_refused(kind: str) -> None:
    network = random_network([(kind, 2, {})], 2, seed=1)
    x = random_input(network, 2, seed=1)
    changes = [m for m in catalogue(layer_of(network)) if m.cell]
    trial = Trial(network, x, catalogue)
    ran = 0
    for first in changes:
        for second in changes:
            try:
                ran += trial.result((first, second), Float64()).shape == (2,)
            except (SymgruError, ValueError):
                continue
    assert ran > 0.9 * len(changes) ** 2


def test_a_network_with_a_mask_and_both_directions() -> None:
    network = read(ROOT / "examples" / "brackets.keras")
    words = np.array([[1, 2, 2, 1]])
    x = Tensor(words, np.array([[str(v) for v in row] for row in words], dtype=object))
    trial = Trial(network, x, catalogue)
    found = {(m.kind, m.name): values for m, values in trial.results() if m}
    right = trial.result(None, Float64())
    assert np.abs(found["activations", "sigmoid candidate"] - right).max() > 1e-6
    assert not {kind for kind, _ in found} & {"scaling"}  # of indices
    assert not {kind for kind, _ in found} & {"output"}  # another layer follows


def test_exact_decimals_agree() -> None:
    network = random_network([("gru", 3, {})], 2, seed=6, scale=2.0)
    x = random_input(network, 3, seed=6)
    made = rarer(layer_of(network))
    trial, domain = Trial(network, x, lambda layer: made), Decimals(40, typed=True)
    for m in made:
        with domain.context():
            exact = trial.result(m, domain).astype(np.float64)
        np.testing.assert_allclose(exact, trial.result(m, Float64()), rtol=0, atol=1e-13, err_msg=m.name)


def test_names_are_unique() -> None:
    table = (*RARER, *SEVERAL_UNITS)
    assert len({(e.kind, e.name) for e in table}) == len(table)
