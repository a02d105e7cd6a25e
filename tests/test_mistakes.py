"""Single mistakes: the values of facts/mistakes.md, Keras where it can make them, NumPy by hand for every one."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from time import perf_counter

import numpy as np
import pytest

from symgru.building import build
from symgru.cells import CELLS
from symgru.conventions import CONVENTIONS
from symgru.decimal_domain import Decimals
from symgru.domains import Domain, Float64
from symgru.mistake_table import ORDERS
from symgru.mistakes import MISTAKES, Mistake, Outcome, Trial, caught, classes, mistakes, single_mistakes
from symgru.network import Array, Layer, Network, Tensor, chain
from symgru.readers import read
from tests.conftest import ROOT, need_package, random_input, random_network
from tests.one_unit import SEED, X, one_unit, sequence

RECURRENT = [name for name in CELLS if build(name, {}).states]
FACTS = {  # facts/mistakes.md, "Values of h_4 under single mistakes"
    ("update rule", "swapped"): "-0.02399954",
    ("gate order", "r | z | n"): "-0.02017149",
    ("gate order", "r | n | z"): "0.92669756",
    ("gate order", "z | n | r"): "0.99999993",
    ("gate order", "n | z | r"): "-0.28607426",
    ("gate order", "n | r | z"): "-0.96486597",
    ("activations", "hard sigmoid of Keras 2"): "-0.46289152",
    ("activations", "hard sigmoid of Keras 3"): "-0.46241891",
    ("activations", "sigmoid and tanh exchanged"): "0.36139827",
    ("activations", "linear candidate"): "-0.50989814",
    ("sequence", "summed into one step"): "-0.70691012",
    ("sequence", "mean in one step"): "-0.21448000",
    ("sequence", "reversed"): "-0.15202096",
    ("sequence", "column by column"): "-0.41066028",
    ("sequence", "first step only"): "-0.03138253",
    ("state", "carried over"): "-0.47001897",
    ("state", "begins at 1"): "-0.44011918",
    ("gates", "reset gate is 1"): "-0.46293519",
}


PAIRS = {  # the same, of two at once
    (("sequence", "summed into one step"), ("update rule", "swapped")): "-0.00000001",
    (("update rule", "swapped"), ("gate order", "r | z | n")): "-0.33858551",
}


def by_name(network: Network, x: Tensor) -> dict[tuple[str, str], Outcome]:
    return {(o.hypothesis.kind, o.hypothesis.name): o for o in single_mistakes(network, x)}


# ---------------------------------------------------------------- the seed


def test_the_values_of_the_facts() -> None:
    found = by_name(SEED, X)
    assert {key: f"{found[key].values[0]:.8f}" for key in FACTS} == FACTS
    assert all(found[key].distinct for key in FACTS)


@pytest.mark.parametrize("domain", [Float64(), Decimals(40, typed=True)])
def test_the_values_of_single_ones_and_of_pairs_are_exact(domain: Domain) -> None:
    trial = Trial(SEED, X)
    known = {(m.kind, m.name): m for m in trial.mistakes}
    for names, value in ({(name,): value for name, value in FACTS.items()} | PAIRS).items():
        assert f"{trial.result([known[name] for name in names], domain)[0]:.8f}" == value


def test_mistakes_that_the_seed_cannot_show() -> None:
    """Its biases are 0, it has one unit and one feature, and no input is 0."""
    hidden = {key for key, o in by_name(SEED, X).items() if not o.distinct}
    assert ("reset gate", "before the product") in hidden
    assert {key for key in by_name(SEED, X) if key[0] == "biases"} < hidden
    assert {("arrays", "recurrent kernel transposed"), ("arrays", "gates interleaved")} < hidden
    grouped = classes(single_mistakes(SEED, X))
    assert sum(map(len, grouped)) == len(single_mistakes(SEED, X))
    right = next(c for c in grouped if not c[0].distinct)
    assert {(o.hypothesis.kind, o.hypothesis.name) for o in right} == hidden
    assert all(not o.distinct for o in right)


def test_it_is_quick() -> None:
    single_mistakes(SEED, X)
    before = perf_counter()
    single_mistakes(SEED, X)
    assert perf_counter() - before < 1.5  # 0.1 s alone; other tests may run beside it


# ---------------------------------------------------------------- NumPy by hand


def sigma(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


def by_hand(
    w: dict[str, Array],
    x: Array,
    gate: Callable[[Array], Array] = sigma,
    act: Callable[[Array], Array] = np.tanh,
    rule: str = "keep",
    reset: str = "after",
    h0: float = 0.0,
    fresh: bool = False,
    z: float | None = None,
    r: float | None = None,
) -> Array:
    """Keras' GRU with reset_after=True, written out; the options are the mistakes."""
    h = start = np.full(w["U_z"].shape[0], h0)
    for x_t in x:
        h = start if fresh else h
        update = gate(w["W_z"] @ x_t + w["b_z"] + w["U_z"] @ h + w["c_z"]) if z is None else z
        gated = gate(w["W_r"] @ x_t + w["b_r"] + w["U_r"] @ h + w["c_r"]) if r is None else r
        i, k = w["W_n"] @ x_t + w["b_n"], w["U_n"] @ h + w["c_n"]
        n = act(
            {
                "after": lambda i=i, k=k, g=gated: i + g * k,
                "before": lambda i=i, h=h, g=gated: i + w["U_n"] @ (g * h) + w["c_n"],
                "outside": lambda i=i, h=h, g=gated: i + g * (w["U_n"] @ h) + w["c_n"],
                "input": lambda i=i, k=k, g=gated: g * i + k,
                "sum": lambda i=i, k=k, g=gated: g * (i + k),
            }[reset]()
        )
        h = update * h + (1 - update) * n if rule == "keep" else (1 - update) * h + update * n
    return np.asarray(h)


def without(w: dict[str, Array], *letters: str) -> dict[str, Array]:
    return {k: np.zeros_like(v) if k.startswith(letters) else v for k, v in w.items()}


def blocks(w: dict[str, Array], order: str) -> dict[str, Array]:
    """The block stored for the k-th of z, r, n is taken for the k-th letter of `order`."""
    return {f"{a}_{to}": w[f"{a}_{stored}"] for a in "WUbc" for stored, to in zip("zrn", order, strict=True)}


def interleaved(w: dict[str, Array]) -> dict[str, Array]:
    stacked = {a: np.concatenate([w[f"{a}_{g}"] for g in "zrn"]) for a in "WUbc"}
    return {f"{a}_{g}": stacked[a][k::3] for a in "WUbc" for k, g in enumerate("zrn")}


def transposed(w: dict[str, Array], letter: str) -> dict[str, Array]:
    return {k: v.T if k[0] == letter else v for k, v in w.items()}


def exchanged(w: dict[str, Array], a: str, b: str) -> dict[str, Array]:
    return {k: w[{a: b, b: a}.get(k[0], k[0]) + k[1:]] for k in w}


def rounded(w: dict[str, Array], decimals: int) -> dict[str, Array]:
    unit = Decimal(1).scaleb(-decimals)
    return {
        k: np.vectorize(lambda v: float(Decimal(repr(float(v))).quantize(unit, ROUND_HALF_UP)))(v) for k, v in w.items()
    }


def expected(w: dict[str, Array], x: Array) -> dict[tuple[str, str], Array]:
    """Every mistake of the catalogue for a GRU of 2 units and 2 features."""
    orders = ("znr", "rzn", "rnz", "nzr", "nrz")
    return {
        ("update rule", "swapped"): by_hand(w, x, rule="swapped"),
        ("reset gate", "before the product"): by_hand(w, x, reset="before"),
        ("reset gate", "on the input's part"): by_hand(w, x, reset="input"),
        ("reset gate", "on the whole sum"): by_hand(w, x, reset="sum"),
        ("biases", "left out"): by_hand(without(w, "b", "c"), x),
        ("biases", "only the input's"): by_hand(without(w, "c"), x),
        ("biases", "only the state's"): by_hand(without(w, "b"), x),
        ("biases", "rows exchanged"): by_hand(exchanged(w, "b", "c"), x),
        ("biases", "outside the reset gate"): by_hand(w, x, reset="outside"),
        ("biases", "the state's only for the candidate"): by_hand(without(w, "c_z", "c_r"), x),
        **{("gate order", " | ".join(o)): by_hand(blocks(w, o), x) for o in orders},
        ("activations", "hard sigmoid of Keras 2"): by_hand(w, x, gate=lambda a: np.clip(0.2 * a + 0.5, 0, 1)),
        ("activations", "hard sigmoid of Keras 3"): by_hand(w, x, gate=lambda a: np.clip(a / 6 + 0.5, 0, 1)),
        ("activations", "sigmoid and tanh exchanged"): by_hand(w, x, gate=np.tanh, act=sigma),
        ("activations", "linear candidate"): by_hand(w, x, act=lambda a: a),
        ("activations", "relu candidate"): by_hand(w, x, act=lambda a: np.maximum(a, 0)),
        ("activations", "sigmoid of -a"): by_hand(w, x, gate=lambda a: sigma(-a)),
        ("activations", "tanh from the sigmoid of a"): by_hand(w, x, act=lambda a: 2 * sigma(a) - 1),
        ("sequence", "summed into one step"): by_hand(w, x.sum(0, keepdims=True)),
        ("sequence", "mean in one step"): by_hand(w, x.mean(0, keepdims=True)),
        ("sequence", "reversed"): by_hand(w, x[::-1]),
        ("sequence", "column by column"): by_hand(w, np.ravel(x, order="F").reshape(x.shape)),
        ("sequence", "first step only"): by_hand(w, x[:1]),
        ("sequence", "last step dropped"): by_hand(w, x[:-1]),
        ("sequence", "zeros skipped"): by_hand(w, np.array([x_t for x_t in x if x_t.any()])),
        ("state", "carried over"): by_hand(w, np.concatenate([x, x])),
        ("state", "begins at 1"): by_hand(w, x, h0=1.0),
        ("state", "fresh at every step"): by_hand(w, x, fresh=True),
        ("gates", "reset gate is 1"): by_hand(w, x, r=1.0),
        ("gates", "update gate is 0"): by_hand(w, x, z=0.0),
        ("gates", "update gate is 1"): by_hand(w, x, z=1.0),
        ("arrays", "recurrent kernel transposed"): by_hand(transposed(w, "U"), x),
        ("arrays", "kernel transposed"): by_hand(transposed(w, "W"), x),
        ("arrays", "kernels exchanged"): by_hand(exchanged(w, "W", "U"), x),
        ("arrays", "gates interleaved"): by_hand(interleaved(w), x),
        **{("arrays", f"{d} decimals"): by_hand(rounded(w, d), x) for d in (2, 3, 4)},
    }


def numbers(layer: Layer) -> dict[str, Array]:
    return {name: t.text.astype(np.float64) for name, t in layer.weights.items()}


@pytest.mark.parametrize("seed", range(5))
def test_every_mistake_by_hand(seed: int) -> None:
    network = random_network([("gru", 2, {})], 2, seed=seed, scale=2.0)
    given = random_input(network, 5, seed=seed)
    text = given.text.copy()
    text[0, 2] = "0"  # a step that a mask would skip
    x = Tensor(text.astype(np.float64), text)
    (layer,) = network.layers.values()
    should = expected(numbers(layer), x.value[0])
    found = by_name(network, x)
    assert set(found) == set(should)
    for key, values in should.items():
        np.testing.assert_allclose(found[key].values, values, rtol=0, atol=1e-14, err_msg=str(key))
    right = by_hand(numbers(layer), x.value[0])
    for o in found.values():
        assert o.distinct is bool(np.abs(np.array(o.values) - right).max() > 1e-12)
    assert all(o.distinct for o in found.values())
    assert all(len(c) == 1 for c in classes(tuple(found.values())))


# ---------------------------------------------------------------- Keras itself


def in_keras(network: Network, x: Tensor, arrays: list[Array] | None = None, states: Array | None = None, **options):
    keras = need_package("keras")
    (layer,) = network.layers.values()
    w = numbers(layer)
    stacked = [np.concatenate([w[f"{a}_{g}"].T for g in "zrn"], axis=-1) for a in "WU"] + [
        np.stack([np.concatenate([w[f"{a}_{g}"] for g in "zrn"]) for a in "bc"])
    ]
    units = stacked[1].shape[0]
    gru = keras.layers.GRU(units, **options)
    value = x.value.astype(np.float32)
    gru.build(value.shape)
    gru.set_weights([a.astype(np.float32) for a in (arrays(stacked) if callable(arrays) else stacked)])
    kwargs = {} if states is None else {"initial_state": [states.astype(np.float32)]}
    return lambda: np.asarray(gru(value, **kwargs))[0]


def split(arrays: list[Array], order: str) -> list[Array]:
    """What stands in the columns of z, r, n is taken for the letters of `order`."""
    parts = [dict(zip(order, np.split(a, 3, axis=-1), strict=True)) for a in arrays]
    return [np.concatenate([p[g] for g in "zrn"], axis=-1) for p in parts]


KERAS = {
    ("activations", "hard sigmoid of Keras 3"): {"recurrent_activation": "hard_sigmoid"},
    ("activations", "linear candidate"): {"activation": "linear"},
    ("activations", "relu candidate"): {"activation": "relu"},
    ("activations", "sigmoid and tanh exchanged"): {"activation": "sigmoid", "recurrent_activation": "tanh"},
    ("sequence", "reversed"): {"go_backwards": True},
    ("state", "begins at 1"): {"states": np.ones((1, 2))},
    ("biases", "left out"): {"use_bias": False, "arrays": lambda a: a[:2]},
    ("biases", "rows exchanged"): {"arrays": lambda a: [*a[:2], a[2][::-1]]},
    ("biases", "only the input's"): {"arrays": lambda a: [*a[:2], a[2] * [[1], [0]]]},
    ("biases", "only the state's"): {"arrays": lambda a: [*a[:2], a[2] * [[0], [1]]]},
    ("reset gate", "before the product"): {"reset_after": False, "arrays": lambda a: [*a[:2], a[2].sum(0)]},
    ("gate order", "r | z | n"): {"arrays": lambda a: split(a, "rzn")},
    ("gate order", "r | n | z"): {"arrays": lambda a: split(a, "rnz")},
    ("gate order", "n | z | r"): {"arrays": lambda a: split(a, "nzr")},
    ("arrays", "kernels exchanged"): {"arrays": lambda a: [a[1], a[0], a[2]]},
    ("arrays", "gates interleaved"): {
        "arrays": lambda a: [np.concatenate([m[..., k::3] for k in range(3)], -1) for m in a]
    },
    ("state", "carried over"): {"stateful": True, "calls": 2},
}


@pytest.mark.parametrize("key", KERAS)
def test_keras_makes_the_same_mistake(key: tuple[str, str]) -> None:
    network = random_network([("gru", 2, {})], 2, seed=3)
    x = random_input(network, 4, seed=3)
    options = dict(KERAS[key])
    calls = options.pop("calls", 1)
    ask = in_keras(network, x, **options)
    got = [ask() for _ in range(calls)][-1]
    found = by_name(network, x)[key]
    assert found.distinct
    np.testing.assert_allclose(found.values, got, rtol=0, atol=1e-6)


# ---------------------------------------------------------------- other cells and networks


@pytest.mark.parametrize("kind", RECURRENT)
def test_every_cell_has_its_mistakes(kind: str) -> None:
    network = random_network([(kind, 2, {})], 2, seed=1)
    x = random_input(network, 3, seed=1)
    (layer,) = network.layers.values()
    listed, found = mistakes(layer), single_mistakes(network, x)
    assert [o.hypothesis for o in found] == list(listed)
    assert [m.rank for m in listed] == sorted(m.rank for m in listed)
    assert len({(m.kind, m.name) for m in listed}) == len(listed)
    assert sum(o.distinct for o in found) > 12
    for m in listed:
        assert m.says and m.instead
        assert m.says.count("`") % 2 == m.instead.count("`") % 2 == 0
        assert "{" not in m.says + m.instead and "None" not in m.says + m.instead
        assert sum(hook is not None for hook in (m.cell, m.weights, m.inputs, m.start)) == 1


def test_two_placements_of_the_reset_gate_are_each_others_mistake() -> None:
    after = random_network([("gru", 2, {})], 2, seed=2)
    x = random_input(after, 4)
    (layer,) = after.layers.values()
    w = {k: t for k, t in layer.weights.items() if k[0] != "c"}
    before = chain([Layer("gru", "gru", "gru", {"reset_after": False}, w)], dtype="float32", features=2)
    no_c = {**w, **{k: Tensor.of(np.zeros(2, np.float32)) for k in layer.weights if k[0] == "c"}}
    plain = chain([Layer("gru", "gru", "gru", {}, no_c)], dtype="float32", features=2)

    def right(network: Network) -> Array:
        return Trial(network, x).result(None, Float64())

    made = by_name(before, x)["reset gate", "after the product"]
    np.testing.assert_allclose(made.values, right(plain), atol=1e-15)
    made = by_name(plain, x)["reset gate", "before the product"]
    np.testing.assert_allclose(made.values, right(before), atol=1e-15)


def test_a_layer_with_a_hard_sigmoid() -> None:
    network = one_unit(recurrent_activation="hard_sigmoid")
    found = by_name(network, X)
    assert ("activations", "hard sigmoid of Keras 2") not in found
    assert f"{found['activations', 'sigmoid for a hard sigmoid'].values[0]:.8f}" == "-0.46279538"


def test_within_a_larger_network() -> None:
    """Every recurrent layer is mistaken; what is behind it is right."""
    network = random_network([("gru", 2, {"return_sequences": True}), ("gru", 3, {}), ("dense", 1, {})], 2, seed=4)
    x = random_input(network, 3)
    first, second, head = network.layers.values()

    def through(swap: str) -> Array:
        sequence_ = [by_hand(numbers(first), x.value[0][: t + 1], rule=swap) for t in range(3)]
        h = by_hand(numbers(second), np.array(sequence_), rule=swap)
        return numbers(head)["W"] @ h + numbers(head)["b"]

    found = by_name(network, x)
    np.testing.assert_allclose(found["update rule", "swapped"].values, through("swapped"), atol=1e-14)
    assert single_mistakes(random_network([("dense", 2, {})], 2), random_input(network, 1)) == ()
    assert caught(random_network([("dense", 2, {})], 2), random_input(network, 1), 4) == ()


def test_what_a_network_cannot_do_is_left_out() -> None:
    network = read(ROOT / "examples" / "brackets.keras")  # an Embedding with a mask, both directions
    words = np.array([[1, 2, 2, 1]])
    x = Tensor(words, np.array([[str(v) for v in row] for row in words], dtype=object))
    found = by_name(network, x)
    assert ("update rule", "swapped") in found and found["update rule", "swapped"].distinct
    assert ("sequence", "mean in one step") not in found  # of indices there is no mean


# ---------------------------------------------------------------- what a document says


def test_caught_on_the_seed() -> None:
    found = caught(SEED, X, 4, most=None)
    printed = {c.values: c for c in found}
    unit = Decimal("0.0001")
    for key, text in FACTS.items():
        texts = (str(Decimal(text).quantize(unit, rounding=ROUND_HALF_UP)),)
        assert key in {(m.kind, m.name) for m in printed[texts].mistakes}
    assert ("-0.4628",) not in printed  # the right one
    assert len(found) == len(printed)
    ranks = [c.mistakes[0].rank for c in found]
    assert ranks == sorted(ranks)
    assert caught(SEED, X, 4) == found[:12]
    assert printed["-0.7069",].says == ("summed the sequence into one step",)
    assert "one after the other" in printed["-0.7069",].instead[0]


def test_a_tie_is_rounded_as_a_person_does() -> None:
    """A linear candidate gives h_1 = 0.5 * 0.125 = 0.0625 exactly, which '%.3f' makes 0.062; tanh gives 0.0622."""
    network = one_unit(("0", "0", "0.125"), ("0", "0", "0"))
    linear = [c for c in caught(network, sequence("1"), 3, most=None) if c.mistakes[0].name == "linear candidate"]
    assert [c.values for c in linear] == [("0.063",)]
    assert f"{0.0625:.3f}" == "0.062"


@pytest.mark.parametrize(
    ("name", "called"), [("torch", "PyTorch"), ("tf1", "TensorFlow 1"), ("keras", "Keras"), ("onnx_after", "ONNX")]
)
def test_whose_order_it_is_says_the_table_of_conventions(name: str, called: str) -> None:
    kernels = [g for array, g in CONVENTIONS[name].arrays.items() if array not in CONVENTIONS[name].biases]
    gates = dict.fromkeys(block.names[0].partition("_")[2] for grid in kernels for block in grid.blocks)
    assert called in ORDERS[" | ".join(gates)]


def test_sources_are_named() -> None:
    assert len({(e.kind, e.name) for e in MISTAKES}) == len(MISTAKES)
    first = [e for e in MISTAKES if e.rank == 1]
    assert "keras #785" in first[0].known_from
    assert Mistake("kind", "name").known_from == ""
