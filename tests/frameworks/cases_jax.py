"""Cases of Flax, Haiku, Equinox and MLX: their cells with random weights, saved as each framework's users save them,
and what the framework itself computes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from tests.frameworks.matrix import Case

os.environ.setdefault("JAX_PLATFORMS", "cpu")

SIZES = [(1, 1), (2, 3), (4, 2), (3, 3)]  # features, units
Made = tuple[object, Sequence[np.ndarray], Sequence[np.ndarray]]


def random_tree(tree, rng: np.random.Generator, dtype: str):
    """The tree with random numbers in place of a framework's initial ones (its biases are 0)."""
    import jax

    return jax.tree.map(lambda a: rng.uniform(-1, 1, a.shape).astype(dtype), tree)


def flattened(tree, separator: str) -> dict[str, np.ndarray]:
    """Names such as params/GRUCell_0/ir/kernel."""
    found: dict[str, np.ndarray] = {}
    for key, value in tree.items():
        inner = flattened(value, separator) if isinstance(value, dict) else {"": np.asarray(value)}
        found |= {separator.join(filter(None, (str(key), rest))): array for rest, array in inner.items()}
    return found


def save_npz(folder, arrays: dict[str, np.ndarray]) -> object:
    path = folder / "m.npz"
    np.savez(path, **arrays)
    return path


def save(folder, tree, form: str) -> object:
    if form == "msgpack":
        from flax import serialization

        path = folder / "m.msgpack"
        path.write_bytes(serialization.to_bytes(tree))
        return path
    return save_npz(folder, flattened(tree, form))


def sample(rng: np.random.Generator, features: int, dtype: str) -> np.ndarray:
    return rng.uniform(-1.5, 1.5, (2, 4, features)).astype(dtype)


def linen(folder, seed, cell, size, options, form, dtype="float32", head=0, layers=1, last=False) -> Made:
    """nn.RNN of cells, one after the other, and a Dense layer where there is a head."""
    import flax.linen as nn
    import jax

    features, units = size
    functions = {key: getattr(nn, value) if isinstance(value, str) else value for key, value in options.items()}

    class Model(nn.Module):
        @nn.compact
        def __call__(self, x):
            for k in range(layers):
                x = nn.RNN(getattr(nn, cell)(units + k, param_dtype=dtype, **functions))(x)
            x = x[:, -1] if last else x
            return nn.Dense(head, param_dtype=dtype)(x) if head else x

    rng = np.random.default_rng(seed)
    x = sample(rng, features, dtype)
    with jax.enable_x64(dtype == "float64"):
        model = Model()
        variables = random_tree(jax.eval_shape(model.init, jax.random.key(0), x), rng, dtype)
        y = np.asarray(jax.jit(model.apply)(variables, x))
    assert y.dtype == dtype
    return save(folder, variables, form), [x], [y]


def linen_embedded(folder, seed, form) -> Made:
    import flax.linen as nn
    import jax

    class Model(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(2)(nn.RNN(nn.GRUCell(3))(nn.Embed(7, 4)(x))[:, -1])

    rng = np.random.default_rng(seed)
    x = rng.integers(0, 7, (2, 5))
    variables = random_tree(jax.eval_shape(Model().init, jax.random.key(0), x), rng, "float32")
    return save(folder, variables, form), [x], [np.asarray(jax.jit(Model().apply)(variables, x))]


def linen_half(folder, seed) -> Made:
    """Weights kept as bfloat16; the framework computes with them in float32."""
    import flax.linen as nn
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(seed)
    x = sample(rng, 2, "float32")
    model = nn.RNN(nn.GRUCell(3))
    variables = random_tree(jax.eval_shape(model.init, jax.random.key(0), x), rng, "float32")
    half = jax.tree.map(lambda a: jnp.asarray(a, jnp.bfloat16), variables)
    back = jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), half)
    return save(folder, half, "msgpack"), [x], [np.asarray(jax.jit(model.apply)(back, x))]


def nnx(folder, seed, size, form, head=0, functions=()) -> Made:
    import jax
    import jax.numpy as jnp
    from flax import nnx as nn

    features, units = size
    chosen = {key: getattr(jax.nn, value) for key, value in functions}

    class Model(nn.Module):
        def __init__(self, rngs):
            self.rnn = nn.RNN(nn.GRUCell(features, units, rngs=rngs, **chosen))
            if head:
                self.head = nn.Linear(units, head, rngs=rngs)

        def __call__(self, x):
            y = self.rnn(x)
            return self.head(y) if head else y

    rng = np.random.default_rng(seed)
    model = Model(nn.Rngs(0))
    state = nn.state(model, nn.Param)
    tree = random_tree(nn.to_pure_dict(state), rng, "float32")
    nn.replace_by_pure_dict(state, jax.tree.map(jnp.asarray, tree))
    nn.update(model, state)
    x = sample(rng, features, "float32")
    y = nn.jit(lambda model, x: model(x))(model, x)
    return save(folder, tree, form), [x], [np.asarray(y)]


def haiku(folder, seed, size, dtype="float32", head=0, layers=1, form="/") -> Made:
    import haiku as hk
    import jax

    features, units = size

    def forward(x):
        for k in range(layers):
            core = hk.GRU(units + k)
            x, _ = hk.dynamic_unroll(core, x, core.initial_state(x.shape[0]).astype(dtype), time_major=False)
        return hk.Linear(head)(x[:, -1]) if head else x

    rng = np.random.default_rng(seed)
    x = sample(rng, features, dtype)
    with jax.enable_x64(dtype == "float64"):
        model = hk.without_apply_rng(hk.transform(forward))
        params = random_tree(jax.eval_shape(model.init, jax.random.key(0), x), rng, dtype)
        y = np.asarray(jax.jit(model.apply)(params, x))
    assert y.dtype == dtype
    return save(folder, params, form), [x], [y]


def equinox(folder, seed, size, dtype="float32", bias=True, head=0) -> Made:
    """Named as jax.tree_util.keystr names the leaves of an Equinox module."""
    import equinox as eqx
    import jax

    features, units = size
    rng = np.random.default_rng(seed)
    x = sample(rng, features, dtype)
    with jax.enable_x64(dtype == "float64"):

        class Model(eqx.Module):
            cell: eqx.nn.GRUCell
            head: eqx.nn.Linear | None

            def __call__(self, xs):
                zero = jax.numpy.zeros(units, dtype)
                last, every = jax.lax.scan(lambda h, x: (h := self.cell(x, h), h), zero, xs)
                return self.head(last) if self.head else every

        def make(key):
            cell = eqx.nn.GRUCell(features, units, use_bias=bias, key=key)
            return Model(cell, eqx.nn.Linear(units, head, key=key) if head else None)

        model = eqx.filter_eval_shape(make, jax.random.key(0))
        arrays, rest = eqx.partition(model, lambda leaf: isinstance(leaf, jax.ShapeDtypeStruct))
        arrays = random_tree(arrays, rng, dtype)
        y = np.asarray(jax.jit(jax.vmap(eqx.combine(arrays, rest)))(x))
        leaves = {jax.tree_util.keystr(path): a for path, a in jax.tree_util.tree_flatten_with_path(arrays)[0]}
    return save_npz(folder, leaves), [x], [y]


def mlx(folder, seed, size, bias=True, head=0, layers=1) -> Made:
    import mlx.core as mx
    from mlx import nn
    from mlx.utils import tree_flatten, tree_unflatten

    features, units = size

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.GRU(features if k == 0 else units, units, bias=bias) for k in range(layers)]
            if head:
                self.head = nn.Linear(units, head, bias=bias)

        def __call__(self, x):
            for layer in self.layers:
                x = layer(x)
            return self.head(x[:, -1]) if head else x

    rng = np.random.default_rng(seed)
    model = Model()
    arrays = {name: rng.uniform(-1, 1, a.shape).astype("float32") for name, a in tree_flatten(model.parameters())}
    model.update(tree_unflatten([(name, mx.array(a)) for name, a in arrays.items()]))
    x = sample(rng, features, "float32")
    path = folder / "m.npz"
    model.save_weights(str(path))
    return path, [x], [np.array(model(mx.array(x)))]


SEQUENCE = {"return_sequences": True}
LAST = {"return_sequences": False}
GATES = [("sigmoid", "tanh"), ("hard_sigmoid", "relu"), ("sigmoid", "elu"), ("tanh", "softplus")]


def flax_cases() -> Iterator[Case]:
    def case(id_: str, make: Callable[..., Made], architecture: object = SEQUENCE, dtype: str = "float32") -> Case:
        return Case(f"flax-{id_}", make, dtype, architecture=architecture)

    seed = 0
    for size in SIZES:
        for cell, options in [
            ("GRUCell", {}),
            ("MGUCell", {"reset_gate": True}),
            ("MGUCell", {"reset_gate": False}),
            ("SimpleCell", {}),
        ]:
            seed += 1
            form = ("/", ".", "msgpack")[seed % 3]
            said = "-".join(map(str, (cell, *options.values(), *size, form)))
            yield case(said, partial(linen, seed=seed, cell=cell, size=size, options=options, form=form))
        yield case(f"nnx-{size}", partial(nnx, seed=seed, size=size, form=("/", "msgpack")[seed % 2]))
    for gate, function in GATES:
        options = {"gate_fn": gate, "activation_fn": function}
        asked = {**SEQUENCE, "recurrent_activation": gate, "activation": function}
        for cell in ("GRUCell", "MGUCell"):
            make = partial(linen, seed=20, cell=cell, size=(2, 3), options=options, form="msgpack")
            yield case(f"{cell}-{gate}-{function}", make, asked)
        make = partial(nnx, seed=21, size=(2, 3), form="/", functions=tuple(options.items()))
        yield case(f"nnx-{gate}-{function}", make, asked)
    yield case("nnx-head", partial(nnx, seed=22, size=(2, 3), form="/", head=1))
    for cell in ("GRUCell", "MGUCell", "SimpleCell"):
        make = partial(linen, seed=23, cell=cell, size=(2, 3), options={}, form="msgpack", dtype="float64")
        yield case(f"{cell}-float64", make, {**SEQUENCE, "dtype": "float64"}, "float64")
    two = partial(linen, cell="GRUCell", size=(2, 3), options={}, form="msgpack", layers=2)
    yield case("two", partial(two, seed=24))
    yield case("two-head-last", partial(two, seed=25, head=3, last=True), LAST)
    yield case(
        "two-head-every-step",
        partial(two, seed=26, head=2),
        {**SEQUENCE, "layers": ["GRUCell_0", "GRUCell_1", "params/Dense_0"]},
    )
    yield case("embedded", partial(linen_embedded, seed=27, form="msgpack"), LAST)
    yield case("embedded-npz", partial(linen_embedded, seed=28, form="/"), LAST)
    yield case("bfloat16", partial(linen_half, seed=29))


def haiku_cases() -> Iterator[Case]:
    for seed, size in enumerate(SIZES):
        yield Case(f"haiku-{size}", partial(haiku, seed=seed, size=size), architecture=SEQUENCE)
    yield Case("haiku-two", partial(haiku, seed=5, size=(2, 3), layers=2))
    yield Case("haiku-head", partial(haiku, seed=6, size=(2, 3), head=4, form="."), architecture=LAST)
    made = partial(haiku, seed=7, size=(2, 3), dtype="float64")
    yield Case("haiku-float64", made, "float64", architecture=SEQUENCE)


def equinox_cases() -> Iterator[Case]:
    for seed, size in enumerate(SIZES):
        yield Case(f"equinox-{size}", partial(equinox, seed=seed, size=size), architecture=SEQUENCE)
    yield Case("equinox-head", partial(equinox, seed=5, size=(2, 3), head=3), architecture=LAST)
    yield Case("equinox-no-bias", partial(equinox, seed=6, size=(2, 3), bias=False), architecture=SEQUENCE)
    made = partial(equinox, seed=7, size=(2, 3), dtype="float64")
    yield Case("equinox-float64", made, "float64", architecture=SEQUENCE)


def mlx_cases() -> Iterator[Case]:
    for seed, size in enumerate(SIZES):
        yield Case(f"mlx-{size}", partial(mlx, seed=seed, size=size), architecture=SEQUENCE)
    yield Case("mlx-no-bias", partial(mlx, seed=5, size=(2, 3), bias=False), architecture=SEQUENCE)
    yield Case("mlx-head", partial(mlx, seed=6, size=(2, 3), head=3), architecture=LAST)
    yield Case("mlx-three", partial(mlx, seed=7, size=(2, 3), layers=3))


CASES = {
    "flax": list(flax_cases()),
    "haiku": list(haiku_cases()),
    "equinox": list(equinox_cases()),
    "mlx": list(mlx_cases()),
}
