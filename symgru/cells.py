"""The cells, as a textbook prints them. Everything else in symgru is a rendering of this page.

x is this step's input and h the state before the step; h1 is the state after it. `*` is the element-wise
product, `W @ x` the matrix product. z is the update gate, r the reset gate, n the candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import isfinite
from typing import Any, cast

from sympy import Expr, Function, Integer, Rational, S, Symbol, evaluate, oo, tanh

from symgru.activations import activation, clip, expm1, where_positive
from symgru.algebra import (
    Across,
    Dot,
    Mat,
    Mean,
    Select,
    Total,
    Vec,
    add,
    matrices,
    mul,
    rebuild,
    sigma,
    sqrt,
    square,
    vectors,
    walk,
)
from symgru.errors import Unsupported

# fmt: off
x, h, h1, z, r, n, f, y = vectors("x h h1 z r n f y")
bz, br, bn, bf, b, cz, cr, cn = vectors("b_z b_r b_n b_f b c_z c_r c_n")
Wz, Wr, Wn, Wf, W, Uz, Ur, Un, Uf, U = matrices("W_z W_r W_n W_f W U_z U_r U_n U_f U")
relu = activation("relu")
phi = Function("phi", real=True)  # the activation of a Dense layer
g, mu, v, alpha = vectors("g mu v alpha")  # scale, mean and variance of a normalisation; a slope
eps, scale, offset, slope, threshold, highest = vectors("eps scale offset slope threshold highest")  # a layer's options
m = Vec("m", real=True)  # a mask
zero = Integer(0)

with evaluate(False):  # keep the order a person wrote
    keep = h1, z * h + (1 - z) * n  # z says how much of the state is kept
    new = h1, (1 - z) * h + z * n   # z says how much of it is new
    update = z, sigma(Wz @ x + Uz @ h + bz)
    reset = r, sigma(Wr @ x + Ur @ h + br)
    before = n, tanh(Wn @ x + Un @ (r * h) + bn)  # the reset gate acts before the product with U_n
    # two bias rows: b on the input's side, c on the state's; the reset gate acts after the product
    after = (
        (z, sigma(Wz @ x + bz + Uz @ h + cz)),
        (r, sigma(Wr @ x + br + Ur @ h + cr)),
        (n, tanh(Wn @ x + bn + r * (Un @ h + cn))))
    # one gate does both: it resets, and says how much of the state is new
    minimal = (
        (n, tanh(Wn @ x + Un @ (f * h) + bn)),
        (h1, (1 - f) * h + f * n))

    EQUATIONS: dict[str, tuple[Any, ...]] = {
        "gru": ("GRU", "Keras' GRU, reset_after=True (keras/src/layers/rnn/gru.py)",
                *after, keep),
        "gru_new": ("GRU, update rule exchanged", "as gru, with the update rule of Chung et al. 2014 (arXiv:1412.3555)",
                    *after, new),
        # one bias row; the reset gate acts on the state before the product
        "gru_before": ("GRU (reset before the product)",
                       "Keras' GRU, reset_after=False; Cho et al. 2014 (arXiv:1406.1078) with biases",
                       (z, sigma(Wz @ x + bz + Uz @ h)),
                       (r, sigma(Wr @ x + br + Ur @ h)),
                       (n, tanh(Wn @ x + bn + Un @ (r * h))),
                       keep),
        "cho": ("GRU of Cho et al. 2014", "Cho et al. 2014 (arXiv:1406.1078v3), equations 5 to 8, without biases",
                (z, sigma(Wz @ x + Uz @ h)),
                (r, sigma(Wr @ x + Ur @ h)),
                (n, tanh(Wn @ x + Un @ (r * h))),
                keep),
        "fully_gated": ("Fully gated unit",
                        "Wikipedia, Gated recurrent unit; Chung et al. 2014 (arXiv:1412.3555) with biases",
                        update, reset, before, new),
        # the gates see less and less: no input, no bias either, and in the end nothing but a bias
        "type1": ("Gated unit, type 1", "Wikipedia, Gated recurrent unit; GRU1 in Dey, Salem 2017 (arXiv:1701.05923)",
                  (z, sigma(Uz @ h + bz)),
                  (r, sigma(Ur @ h + br)),
                  before, new),
        "type2": ("Gated unit, type 2", "Wikipedia, Gated recurrent unit; GRU2 in Dey, Salem 2017 (arXiv:1701.05923)",
                  (z, sigma(Uz @ h)),
                  (r, sigma(Ur @ h)),
                  before, new),
        "type3": ("Gated unit, type 3", "Wikipedia, Gated recurrent unit; GRU3 in Dey, Salem 2017 (arXiv:1701.05923)",
                  (z, sigma(bz)),
                  (r, sigma(br)),
                  before, new),
        "mgu": ("Minimal gated unit", "Zhou et al. 2016 (arXiv:1603.09420)",
                (f, sigma(Wf @ x + Uf @ h + bf)),
                *minimal),
        "mgu1": ("Minimal gated unit 1", "Heck and Salem 2017 (arXiv:1701.03452): the gate without the input",
                 (f, sigma(Uf @ h + bf)),
                 *minimal),
        "mgu2": ("Minimal gated unit 2", "Heck and Salem 2017 (arXiv:1701.03452): the gate without input and bias",
                 (f, sigma(Uf @ h)),
                 *minimal),
        "mgu3": ("Minimal gated unit 3", "Heck and Salem 2017 (arXiv:1701.03452): the gate is its bias alone",
                 (f, sigma(bf)),
                 *minimal),
        "mgu_after": ("Minimal gated unit (reset after the product)", "Flax' MGUCell (flax/linen/recurrent.py)",
                      (f, sigma(Wf @ x + bf + Uf @ h)),
                      (n, tanh(Wn @ x + bn + f * (Un @ h + cn))),
                      (h1, (1 - f) * n + f * h)),
        # no reset gate; trained with batch normalisation of W x, which is part of W and b afterwards
        "ligru": ("Light GRU", "Li-GRU; Ravanelli et al. 2018 (arXiv:1803.10225); SpeechBrain's LiGRU",
                  (z, sigma(Wz @ x + bz + Uz @ h)),
                  (n, relu(Wn @ x + bn + Un @ h)),
                  keep),
        "simple": ("Simple recurrent unit",
                   "Keras' SimpleRNN (keras/src/layers/rnn/simple_rnn.py); the architecture of Elman 1990",
                   (h1, tanh(W @ x + b + U @ h))),
        "dense": ("Dense layer", "Keras' Dense (keras/src/layers/core/dense.py)",
                  (y, phi(W @ x + b))),
    }

    # layers without a state and without a matrix: each time step for itself
    POINTWISE: dict[str, tuple[Any, ...]] = {
        "activation": ("Activation", "Keras' Activation (keras/src/layers/activations/activation.py)",
                       (y, phi(x))),
        "rectified": ("ReLU layer", "Keras' ReLU (keras/src/layers/activations/relu.py)",
                      (y, clip(x, zero, highest) - slope * clip(-x, zero, oo))),
        "rectified_above": ("ReLU layer with a threshold", "Keras' ReLU (keras/src/layers/activations/relu.py)",
                            (f, where_positive(x - threshold, x, zero)),
                            (y, clip(f, zero, highest) - slope * clip(threshold - x, zero, oo))),
        "leaky": ("LeakyReLU layer", "Keras' LeakyReLU (keras/src/layers/activations/leaky_relu.py)",
                  (y, where_positive(x, x, slope * x))),
        "exponential_unit": ("ELU layer", "Keras' ELU (keras/src/layers/activations/elu.py)",
                             (y, where_positive(x, x, slope * expm1(x)))),  # slope is Keras' alpha
        "parametric": ("PReLU layer", "Keras' PReLU (keras/src/layers/activations/prelu.py)",
                       (y, where_positive(x, x, alpha * x))),
        "rescaling": ("Rescaling", "Keras' Rescaling (keras/src/layers/preprocessing/rescaling.py)",
                      (y, x * scale + offset)),
        "affine": ("Scale and offset by feature", "ONNX' Mul and Add with constants (onnx/docs/Operators.md)",
                   (y, g * x + b)),
        "normalization": ("Normalization", "Keras' Normalization (keras/src/layers/preprocessing/normalization.py)",
                          (y, (x - mu) / clip(sqrt(v), eps, oo))),
        "denormalization": ("Normalization, inverted", "Keras' Normalization with invert=True",
                            (y, mu + x * clip(sqrt(v), eps, oo))),
        "batch_normalization": ("Batch normalisation in inference",
                                "Keras' BatchNormalization (keras/src/layers/normalization/batch_normalization.py)",
                                (y, g * (x - mu) / sqrt(v + eps) + b)),
        "layer_normalization": ("Layer normalisation",
                                "Keras' LayerNormalization (keras/src/layers/normalization/layer_normalization.py)",
                                (f, x - Mean(x)),
                                (y, g * f / sqrt(Mean(square(f)) + eps) + b)),
        # what is divided by is the deviation, though the mean stays in
        "rms_scaling": ("Layer normalisation, mean left in", "Keras' LayerNormalization with rms_scaling=True",
                        (f, x - Mean(x)),
                        (y, g * x / sqrt(Mean(square(f)) + eps))),
        "rms_normalization": ("Root mean square normalisation",
                              "Keras' RMSNormalization (keras/src/layers/normalization/rms_normalization.py)",
                              (y, g * x / sqrt(Mean(square(x)) + eps))),
        "unit_normalization": ("Unit normalisation",
                               "Keras' UnitNormalization (keras/src/layers/normalization/unit_normalization.py)",
                               (y, x / sqrt(clip(Total(square(x)), eps, oo)))),
    }
# fmt: on

MERGED = {  # layers of several inputs, and how these are put together
    "add": ("Add", add),
    "multiply": ("Multiply", mul),
    "subtract": ("Subtract", lambda p, q: p - q),
    "average": ("Average", lambda *xs: add(*xs) / Integer(len(xs))),
}


@dataclass(frozen=True)
class Cell:
    """Equations in the order they are computed; the last gives the output (and the state, where there is one)."""

    name: str
    equations: tuple[tuple[Vec, Expr], ...]
    title: str = ""
    source: str = ""
    inputs: tuple[Vec, ...] = (x,)
    states: tuple[tuple[Vec, Vec], ...] = ((h, h1),)

    @property
    def output(self) -> Vec:
        return self.equations[-1][0]

    @property
    def mask(self) -> Vec | None:
        """The input that is one truth value for all units, in a masked cell."""
        return m if m in self.inputs else None

    @cached_property
    def defined(self) -> tuple[Vec, ...]:
        """The left-hand sides, in order."""
        return tuple(lhs for lhs, _ in self.equations)

    @cached_property
    def params(self) -> tuple[Symbol, ...]:
        """Weights and biases in the order in which the equations mention them."""
        known = {*self.inputs, *(before for before, _ in self.states), *self.defined}
        used = (s for _, e in self.equations for s in walk(e) if isinstance(s, Vec | Mat))
        return tuple(dict.fromkeys(s for s in used if s not in known))

    @cached_property
    def dims(self) -> Mapping[Symbol, tuple[str, ...]]:
        """The shape of every symbol, by unification: ("H", "D") for a kernel, ("H",) for a gate.

        "H" is the number of units (the output's length), "D" of features (the input's).
        """
        return _unify(self)

    def with_equations(self, equations: tuple[tuple[Vec, Expr], ...], name: str | None = None) -> Cell:
        return replace(self, name=name or self.name, equations=equations)

    def without(self, params: set[Symbol]) -> Cell:
        """The cell with these parameters 0: the terms are gone, not computed."""

        def drop(e: Expr) -> Expr:
            return S.Zero if e in params else e

        return self.with_equations(tuple((lhs, rebuild(e, drop)) for lhs, e in self.equations))

    def filled(self, options: Mapping[str, object]) -> Cell:
        """The cell with the numbers among a layer's options put in, as the decimals that they are written with."""
        numbers = {s: _number(options[s.name]) for s in NUMBERS if s.name in options}
        if not numbers:
            return self
        return self.with_equations(tuple((lhs, rebuild(e, lambda s: numbers.get(s, s))) for lhs, e in self.equations))

    def activated(self, functions: Mapping[Any, Any]) -> Cell:
        """The cell with its functions exchanged, all at once: {sigma: gate activation, tanh: candidate's}."""

        def swap(e: Expr) -> Expr:
            return functions[e.func](e.args[0]) if e.func in functions else e

        return self.with_equations(tuple((lhs, rebuild(e, swap)) for lhs, e in self.equations))


def _number(value: object) -> Expr:
    """An option's number, exactly as its decimals say; None is no limit."""
    return oo if value is None else cast(Expr, Rational(str(value)))


def _unify(cell: Cell) -> dict[Symbol, tuple[str, ...]]:
    parent: dict[Any, Any] = {}

    def find(k: Any) -> Any:
        while parent.setdefault(k, k) != k:
            k = parent[k]
        return k

    def shape(e: Expr) -> Any:
        """A key for the length of `e`, or None for a number; element-wise operands have one length."""
        if isinstance(e, Dot):
            matrix, operand = e.args
            parent[find((matrix, "columns"))] = find(shape(cast(Expr, operand)))
            return matrix, "rows"
        if isinstance(e, Mean | Total):  # one number for all units
            shape(cast(Expr, e.args[0]))
            return None
        if isinstance(e, Select):
            keys = [k for k in (shape(cast(Expr, a)) for a in e.args[1:]) if k is not None]
            parent[find(keys[1])] = find(keys[0])
            return keys[0]
        if isinstance(e, Vec):
            return e
        keys = [k for k in (shape(cast(Expr, a)) for a in e.args) if k is not None]
        for k in keys[1:]:
            parent[find(k)] = find(keys[0])
        return keys[0] if keys else None

    for lhs, rhs in cell.equations:
        key = shape(rhs)
        if key is not None:
            parent[find(key)] = find(lhs)
    for before, after in cell.states:
        parent[find(before)] = find(after)
    letters = {find(cell.inputs[0]): "D", find(cell.output): "H"}

    def letter(k: Any) -> str:
        return letters.setdefault(find(k), f"n{len(letters)}")

    symbols = (*cell.inputs, *(before for before, _ in cell.states), *cell.defined, *cell.params)
    return {s: (letter((s, "rows")), letter((s, "columns"))) if isinstance(s, Mat) else (letter(s),) for s in symbols}


def _cell(name: str, page: Mapping[str, tuple[Any, ...]] = EQUATIONS) -> Cell:
    title, source, *equations = page[name]
    flat = tuple((lhs, rebuild(e)) for lhs, e in equations)  # (a + b) + c becomes a + b + c
    used = {s for _, e in flat for s in walk(e)}
    return Cell(name, flat, title, source, states=((h, h1),) if h in used else ())


CELLS = {name: _cell(name) for name in EQUATIONS}
STATELESS = {name: _cell(name, POINTWISE) for name in POINTWISE}
MAX_INPUTS = 256  # of one layer
NUMBERS = (eps, scale, offset, slope, threshold, highest)  # what a layer's options of these names give


def merged(kind: str, inputs: int) -> Cell:
    """A layer that puts several inputs together, element by element."""
    title, together = MERGED[kind]
    xs = (x, *vectors(" ".join(f"x{k}" for k in range(2, inputs + 1))))
    with evaluate(False):
        rhs = rebuild(together(*xs))
    return Cell(kind, ((y, rhs),), title, f"Keras' {title} (keras/src/layers/merging/{kind}.py)", xs, ())


def masked(cell: Cell) -> Cell:
    """The cell with a mask m beside its input: where it does not hold, the state stays as it was."""
    ((before, after),) = cell.states
    fresh = Vec("h2", real=True)
    equations = tuple((fresh if lhs == after else lhs, rhs) for lhs, rhs in cell.equations)
    kept = (after, cast(Expr, Select(m, fresh, before, evaluate=False)))
    return replace(cell, equations=(*equations, kept), inputs=(*cell.inputs, m))


OUTPUT_FUNCTIONS = (tanh, relu(x).func, phi)  # what a layer's option `activation` exchanges
SWITCHES = ("use_bias", "reset_after", "return_sequences", "stateful")  # options that are true or false


def build(kind: str, options: Mapping[str, object]) -> Cell:
    """The cell of a layer: its equations with its activations, without its biases where use_bias is False.

    `activation` and `recurrent_activation` are what `activations.activation` takes; `clip` keeps what goes into an
    activation within that bound of 0 (ONNX). Raises Unsupported for an option of the wrong type: Keras takes the text
    "False" for true.
    """
    _check(kind, options)
    name = _page(kind, options)
    if name in MERGED:
        return merged(name, cast(int, options.get("inputs", 2)))
    if name not in CELLS and name not in STATELESS:
        raise Unsupported(f"no cell is called {name[:60]!r}; known are {', '.join(CELLS)}")
    cell = (CELLS.get(name) or STATELESS[name]).filled(options)
    if not options.get("use_bias", True):
        cell = cell.without({p for p in cell.params if not isinstance(p, Mat)})
    made = cell.activated(_functions(options))
    if any(isinstance(s, Across) and s.args[1].is_number for _, e in made.equations for s in walk(e)):
        raise Unsupported(f"{name}: a gate without input, state and bias has no units to take softmax over")
    return made


def _page(kind: str, options: Mapping[str, object]) -> str:
    """The name of the equations: those of two kinds are chosen by an option."""
    if kind == "gru" and not options.get("reset_after", True):
        return "gru_before"
    if kind == "rectified" and options.get("threshold", 0):
        return "rectified_above"
    return kind


def _functions(options: Mapping[str, object]) -> dict[Any, Any]:
    """What the equations' functions are exchanged for."""
    functions: dict[Any, Any] = {phi: activation("linear")}
    if "activation" in options:
        functions |= dict.fromkeys(OUTPUT_FUNCTIONS, activation(options["activation"]))
    if "recurrent_activation" in options:
        functions[sigma] = activation(options["recurrent_activation"])
    bound = options.get("clip")
    if bound is None:
        return functions
    usual = {sigma: activation("sigmoid"), tanh: activation("tanh"), OUTPUT_FUNCTIONS[1]: relu}
    return {f: partial(_clipped, inner, _number(bound)) for f, inner in (usual | functions).items()}


def _clipped(function: Callable[[Expr], Expr], bound: Expr, e: Expr) -> Expr:
    return function(cast(Expr, clip(e, -bound, bound, evaluate=False)))


def _check(kind: str, options: Mapping[str, object]) -> None:
    """Refuse options of the wrong type."""
    if not isinstance(kind, str):
        raise Unsupported(f"a cell's name is {str(kind)[:60]!r}; it must be a text such as 'gru'")
    for name in SWITCHES:
        if not isinstance(options.get(name, True), bool):
            raise Unsupported(f"{name} is {str(options[name])[:60]!r}; it must be true or false")
    for name in (*(s.name for s in NUMBERS), "clip"):
        value = options.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value)):
            raise Unsupported(f"{name} is {str(value)[:60]!r}; it must be a number")
    bound = options.get("clip")
    if bound is not None and cast(float, bound) <= 0:
        raise Unsupported(f"clip is {options['clip']}; it must be above 0")
    inputs = options.get("inputs", 2)
    if isinstance(inputs, bool) or not isinstance(inputs, int) or not 1 <= inputs <= MAX_INPUTS:
        raise Unsupported(f"inputs is {str(inputs)[:60]!r}; it must be a whole number from 1 to {MAX_INPUTS}")
    if kind == "subtract" and inputs != 2:
        raise Unsupported(f"subtract takes 2 inputs; it is given {inputs}")


BIASES = ("bias", "recurrent_bias")  # on the input's side and on the state's


@dataclass(frozen=True)
class Layout:
    """How a framework of Keras' family stacks a cell's parameters: gate blocks side by side as columns."""

    kernel: tuple[Mat, ...]
    recurrent: tuple[Mat, ...]
    biases: tuple[tuple[Vec, ...], ...]  # one row for each side: b on the input's, c on the state's

    @property
    def arrays(self) -> dict[str, tuple[tuple[Symbol, ...], ...]]:
        """Each array by its framework's name, as rows of blocks. Bias rows of unlike length are arrays of their own."""
        alike = len({len(row) for row in self.biases}) == 1
        biases = {"bias": self.biases} if alike else dict(zip(BIASES, ((row,) for row in self.biases), strict=False))
        named = {"kernel": (self.kernel,), "recurrent_kernel": (self.recurrent,), **biases}
        return {name: rows for name, rows in named.items() if rows[0]}


def layout(cell: Cell) -> Layout:
    """Blocks in the order of the equations, which is Keras' order: z, r, n."""
    matrices_ = [p for p in cell.params if isinstance(p, Mat)]
    letters = dict.fromkeys(p.name[0] for p in cell.params if not isinstance(p, Mat))
    rows = (tuple(cast(Vec, p) for p in cell.params if p.name[0] == c and not isinstance(p, Mat)) for c in letters)
    return Layout(
        tuple(m for m in matrices_ if cell.dims[m][1] == "D"),
        tuple(m for m in matrices_ if cell.dims[m][1] != "D"),
        tuple(rows),
    )
