"""ONNX models by hand (onnx.helper) and by torch.onnx, with what ONNX Runtime gives for them.

Where ONNX Runtime refuses (layout=1, float64), ONNX' own reference evaluator is asked. Inputs and outputs of a case are
as symgru takes and gives them: the batch first.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tests.conftest import need_package
from tests.frameworks.matrix import Case

H, D, T, B = 4, 3, 5, 2
FLOAT, DOUBLE, INT32, INT64 = 1, 11, 6, 7
PARAMETRISED = {  # activation: (numbers of alpha, of beta)
    "Affine": (1, 1),
    "Elu": (1, 0),
    "HardSigmoid": (1, 1),
    "LeakyRelu": (1, 0),
    "Relu": (0, 0),
    "ScaledTanh": (1, 1),
    "Sigmoid": (0, 0),
    "Softplus": (0, 0),
    "Softsign": (0, 0),
    "Tanh": (0, 0),
    "ThresholdedRelu": (1, 0),
}
UNUSUAL = ("Affine", "ScaledTanh", "ThresholdedRelu")  # no usual numbers, or not the same ones everywhere


class Graph:
    """A model under construction: nodes, initializers, inputs and outputs, and the inputs' arrays."""

    def __init__(self, seed: int, dtype: str = "float32", opset: int = 17) -> None:
        self.rng, self.dtype, self.opset = np.random.default_rng(seed), dtype, opset
        self.nodes: list[object] = []
        self.constants: dict[str, np.ndarray] = {}
        self.inputs: dict[str, tuple[np.ndarray, Sequence[object], int]] = {}
        self.outputs: dict[str, int] = {}

    def weight(self, *shape: int, name: str = "") -> str:
        """An initializer with uniform random numbers."""
        return self.constant((self.rng.uniform(-1, 1, shape) / np.sqrt(shape[-1])).astype(self.dtype), name)

    def constant(self, array: object, name: str = "") -> str:
        name = name or f"c{len(self.constants)}"
        self.constants[name] = np.asarray(array)
        return name

    def given(self, name: str, array: np.ndarray, dims: Sequence[object], batch: int) -> str:
        """An input; `batch` is the place of its batch axis."""
        self.inputs[name] = (array, dims, batch)
        return name

    def x(
        self, name: str = "x", shape: Sequence[int] = (T, B, D), dims: Sequence[object] = ("time", "batch", D)
    ) -> str:
        batch = list(dims).index("batch") if "batch" in dims else 0
        return self.given(name, self.rng.normal(size=shape).astype(self.dtype), dims, batch)

    def node(self, op: str, *inputs: str, outputs: Sequence[str] = ("",), **attributes: object) -> str:
        """A node; returns its first named output."""
        from onnx import helper

        names = [f"v{len(self.nodes)}"] if list(outputs) == [""] else list(outputs)
        self.nodes.append(
            helper.make_node(op, list(inputs), names, name=f"{op.lower()}_{len(self.nodes)}", **attributes)
        )
        return next(n for n in names if n)

    def gru(self, x: str, d: int = D, directions: int = 1, bias: bool = True, op: str = "GRU", **more: object) -> tuple:
        """A GRU (or RNN) node with weights; returns Y and Y_h. `rest`: sequence_lens and initial_h."""
        gates = 3 if op == "GRU" else 1
        rest, units = list(more.pop("rest", [])), int(more.pop("units", H))
        names = [self.weight(directions, gates * units, d), self.weight(directions, gates * units, units)]
        names.append(self.weight(directions, 2 * gates * units) if bias else "")
        names += rest
        while names[-1] == "":
            names.pop()
        y, h = f"Y{len(self.nodes)}", f"Y_h{len(self.nodes)}"
        outputs = more.pop("outputs", (y, h))
        self.node(op, x, *names, outputs=outputs, hidden_size=units, **more)
        return y, h

    def output(self, name: str, batch: int) -> None:
        self.outputs[name] = batch

    def model(self) -> object:
        import onnx
        from onnx import helper, numpy_helper

        kinds = {"float32": FLOAT, "float64": DOUBLE, "int32": INT32, "int64": INT64}
        inputs = [helper.make_tensor_value_info(n, kinds[str(a.dtype)], d) for n, (a, d, _) in self.inputs.items()]
        outputs = [helper.make_tensor_value_info(n, kinds[self.dtype], None) for n in self.outputs]
        held = [numpy_helper.from_array(a, n) for n, a in self.constants.items()]
        graph = helper.make_graph(self.nodes, "g", inputs, outputs, held)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        made.ir_version = 8
        assert isinstance(made, onnx.ModelProto)
        return made


def saved(
    graph: Graph, folder: Path, axes: Sequence[int | None] = (), save: Callable[..., None] | None = None
) -> tuple:
    """The model in a file, its inputs and what a runtime gives for them, the batch axes first."""
    import onnx

    model, path = graph.model(), Path(folder) / "model.onnx"
    (save or onnx.save)(model, path)
    theirs = runtime(model, {name: a for name, (a, _, _) in graph.inputs.items()})
    inputs = [first(a, batch, name) for name, (a, _, batch) in graph.inputs.items()]
    return path, inputs, [batch_first(a, b) for a, b in zip(theirs, graph.outputs.values(), strict=True)]


def first(array: np.ndarray, batch: int, name: str) -> np.ndarray:
    """An input as symgru takes it; one that is a state of one direction has no axis for it."""
    if batch < 0:
        return array[None]
    moved = np.moveaxis(array, batch, 0)
    return moved[:, 0] if name.startswith("h0") and moved.shape[1] == 1 else moved


def batch_first(array: np.ndarray, batch: int | tuple[int, int]) -> np.ndarray:
    """An output as symgru gives it. A pair: the batch's axis and that of the one direction, which is left out."""
    if isinstance(batch, tuple):
        batch, direction = batch
        array = array.squeeze(direction)
        batch -= direction < batch
    return array[None] if batch < 0 else np.moveaxis(array, batch, 0)


def runtime(model: object, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    """What ONNX Runtime gives, or where it refuses the model, ONNX' reference evaluator."""
    ort = need_package("onnxruntime")
    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return session.run(None, feeds)
    except Exception as refused:  # its exceptions have no common base
        if not any(word in str(refused) for word in ("NOT_IMPLEMENTED", "not support double", "Batchwise", "layout")):
            raise
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(model).run(None, feeds)


def gru_case(index: int, direction: str, after: int, lens: str, h0: str, **more: object) -> Case:
    """A GRU alone, with lengths and initial states as inputs ("given"), constants or absent ("none")."""
    opset, op = int(more.pop("opset", 17)), str(more.pop("op", "GRU"))
    dtype, layout = str(more.pop("dtype", "float32")), int(more.get("layout", 0))
    wanted, steps = str(more.pop("wanted", ("both", "Y", "Y_h")[index % 3])), int(more.pop("steps", T))

    def make(folder: Path) -> tuple:
        g = Graph(index, dtype, opset)
        count = 2 if direction == "bidirectional" else 1
        shape, dims = ((B, steps, D), ("batch", "time", D)) if layout else ((steps, B, D), ("time", "batch", D))
        x = g.x(shape=shape, dims=dims)
        lengths, state = ["", ""]
        if lens == "given":
            lengths = g.given("lens", np.array([3, T], np.int32), ["batch"], 0)
        elif lens == "constant":
            lengths = g.constant(np.array([3, 3], np.int32))
        if h0 == "given":
            held = g.rng.normal(size=(B, count, H) if layout else (count, B, H)).astype(dtype)
            state = g.given("h0", held, ["batch", count, H] if layout else [count, "batch", H], 1 - layout)
        elif h0 == "constant":
            held = np.broadcast_to(g.rng.normal(size=(count, 1, H)), (count, B, H)).astype(dtype)
            state = g.constant(held.swapaxes(0, 1) if layout else held)
        options = {"linear_before_reset": after} if op == "GRU" else {}
        bias = bool(more.pop("bias", index % 2))
        y, h = g.gru(x, D, count, bias, op, rest=[lengths, state], direction=direction, **options, **more)
        if wanted != "Y_h":
            at = 0 if layout else 2
            g.output(y, (at, 2 if layout else 1) if count == 1 else at)
        if wanted != "Y":
            g.output(h, (1 - layout, layout) if count == 1 else 1 - layout)
        return saved(g, folder)

    said = {"after": after, "lens": lens, "h0": h0, "wanted": wanted, "opset": opset, "dtype": dtype, **more}
    id_ = f"{op} {direction} " + " ".join(f"{k}={v}" for k, v in said.items())
    return Case(id_, make, dtype)


def options() -> list[Case]:
    """Every option of the operator but its activations."""
    directions = ("forward", "reverse", "bidirectional")
    found = []
    for after, d, lens, h0 in itertools.product(
        (0, 1), directions, ("none", "given", "constant"), ("none", "given", "constant")
    ):
        found.append(gru_case(len(found), d, after, lens, h0))
    for opset, after in itertools.product((7, 14, 22), (0, 1)):
        found.append(gru_case(len(found), "bidirectional", after, "given", "none", opset=opset))
    for d, h0 in itertools.product(directions, ("none", "given")):
        found.append(gru_case(len(found), d, len(found) % 2, "none", h0, layout=1))
    for d, after in itertools.product(directions, (0, 1)):
        found.append(gru_case(len(found), d, after, "none", "given", dtype="float64"))
    for d, lens in itertools.product(directions, ("none", "given")):
        found.append(gru_case(len(found), d, 0, lens, "given", op="RNN"))
    for d, after in itertools.product(directions, (0, 1)):
        found.append(gru_case(len(found), d, after, "none", "none", clip=0.25))
    return found


def functions() -> list[Case]:
    """Every activation as a gate's and as the candidate's, with numbers of its own and with the usual ones."""
    found, names = [], list(PARAMETRISED)
    for k, name in enumerate(names):
        other = names[(k + 2) % len(names)]
        for pair, numbers in itertools.product(((name, other), (other, name)), (True, False)):
            if numbers or not {*pair} & {*UNUSUAL}:
                found.append(function_case(len(found), pair, numbers))
    for k in range(6):
        pairs = tuple(names[(7 * k + 3 * j) % len(names)] for j in range(4))
        found.append(function_case(len(found), pairs, True))
    return found


def function_case(index: int, names: Sequence[str], numbers: bool) -> Case:
    rng = np.random.default_rng(index)
    more: dict[str, object] = {"activations": list(names), "steps": 2}  # unbounded ones grow beyond ONNX Runtime's exp
    if numbers:
        alphas, betas = (sum(PARAMETRISED[n][k] for n in names) for k in (0, 1))
        more["activation_alpha"] = [round(float(v), 2) for v in rng.uniform(0.2, 0.9, alphas)]
        more["activation_beta"] = [round(float(v), 2) for v in rng.uniform(0.2, 0.9, betas)]
    more = {k: v for k, v in more.items() if v}
    direction = "bidirectional" if len(names) == 4 else "forward"
    return gru_case(index, direction, index // 2 % 2, "none", "given", **more)


Body = Callable[[Graph], object]
AROUND: dict[str, Body] = {}


def around(body: Body) -> Body:
    """A model in which operators surround a GRU; the function builds it."""
    AROUND[body.__name__] = body
    return body


def sequence(g: Graph, batch_first: bool = True, time: object = "time") -> str:
    """A GRU of a sequence (batch, time, features), as torch.onnx writes batch_first; its output without directions."""
    x = g.x(shape=(B, T, D), dims=("batch", time, D)) if batch_first else g.x()
    x = g.node("Transpose", x, perm=[1, 0, 2]) if batch_first else x
    y, _ = g.gru(x, linear_before_reset=1)
    y = g.node("Squeeze", y, g.constant(np.array([1])))
    return g.node("Transpose", y, perm=[1, 0, 2]) if batch_first else y


@around
def matmul_add(g: Graph) -> None:
    y = g.node("MatMul", sequence(g), g.weight(H, 2))
    g.output(g.node("Add", g.weight(2), y), 0)


@around
def gemm_of_last(g: Graph) -> None:
    y = g.node("Gather", sequence(g), g.constant(np.array(-1)), axis=1)
    g.output(g.node("Gemm", y, g.weight(2, H), g.weight(2), transB=1, alpha=0.5, beta=2.0), 0)


@around
def gemm_of_folded_time(g: Graph) -> None:
    """tf2onnx: time and batch as one axis around a dense layer."""
    y = g.node("Reshape", sequence(g, time=T), g.constant(np.array([-1, H])))
    y = g.node("Relu", g.node("Gemm", y, g.weight(H, 2), g.weight(2)))
    g.output(g.node("Reshape", y, g.constant(np.array([-1, T, 2]))), 0)


@around
def time_major_dense(g: Graph) -> None:
    g.output(g.node("MatMul", sequence(g, batch_first=False), g.weight(H, 2)), 1)


@around
def slices_of_time(g: Graph) -> None:
    y = sequence(g)
    c = g.constant
    last = g.node("Slice", y, c(np.array([-1])), c(np.array([2**31 - 1])), c(np.array([1])))
    some = g.node("Slice", y, c(np.array([1])), c(np.array([-1])), c(np.array([1])))
    back = g.node("Slice", y, c(np.array([-1])), c(np.array([-(2**31)])), c(np.array([1])), c(np.array([-1])))
    for v in (last, some, back):
        g.output(v, 0)


@around
def slices_of_features(g: Graph) -> None:
    y = sequence(g)
    one, other = g.node("Split", y, g.constant(np.array([1, 3])), outputs=("s1", "s2"), axis=2), "s2"
    picked = g.node("Slice", y, *(g.constant(np.array([v])) for v in (0, H, 2, 2)))
    g.output(g.node("Concat", other, one, picked, axis=-1), 0)


@around
def first_and_last_step(g: Graph) -> None:
    y = sequence(g, batch_first=False)
    first_, last = (g.node("Gather", y, g.constant(np.array(k)), axis=0) for k in (0, -1))
    g.output(g.node("Sub", g.node("Mul", first_, last), first_), 0)


@around
def last_step_kept_and_squeezed(g: Graph) -> None:
    y = g.node("Gather", sequence(g), g.constant(np.array([-1])), axis=1)
    g.output(g.node("Squeeze", y, g.constant(np.array([1]))), 0)


@around
def last_step_with_its_axis(g: Graph) -> None:
    g.output(g.node("Gather", sequence(g), g.constant(np.array([-1])), axis=1), 0)


@around
def activations_in_a_row(g: Graph) -> None:
    y = sequence(g)
    for op in ("Tanh", "Softplus", "Softsign", "Exp", "Neg", "Sigmoid", "Relu", "Identity", "Dropout"):
        y = g.node(op, y)
    g.output(y, 0)


@around
def activations_with_numbers(g: Graph) -> None:
    y = g.node("Mul", sequence(g), g.constant(np.float32(3)))
    rows = [
        g.node("LeakyRelu", y, alpha=0.3),
        g.node("LeakyRelu", y),
        g.node("Elu", y, alpha=0.7),
        g.node("HardSigmoid", y, alpha=0.3, beta=0.4),
        g.node("HardSigmoid", y),
        g.node("HardSwish", y),
        g.node("Selu", y),
        g.node("Celu", y, alpha=2.0),
        g.node("ThresholdedRelu", y, alpha=0.4),
        g.node("Shrink", y, lambd=0.4, bias=0.4),
        g.node("Shrink", y, lambd=0.4),
        g.node("Clip", y, g.constant(np.float32(-0.5)), g.constant(np.float32(1))),
        g.node("Clip", y, g.constant(np.float32(0))),
        g.node("PRelu", y, g.weight(H)),
        g.node("PRelu", y, g.weight(1)),
    ]
    g.output(g.node("Concat", *rows, axis=2), 0)


@around
def gelu_and_mish(g: Graph) -> None:
    g.opset = 20
    y = sequence(g)
    rows = [g.node("Gelu", y), g.node("Gelu", y, approximate="tanh"), g.node("Mish", y)]
    g.output(g.node("Concat", *rows, axis=-1), 0)


@around
def softmaxes(g: Graph) -> None:
    y = sequence(g, time=T)
    g.output(g.node("Softmax", y), 0)
    g.output(g.node("LogSoftmax", y, axis=2), 0)
    g.output(g.node("Softmax", y, axis=1), 0)


@around
def softmax_of_old(g: Graph) -> None:
    g.opset = 11
    x = g.x(shape=(B, T, D), dims=("batch", "time", D))
    _, h = g.gru(g.node("Transpose", x, perm=[1, 0, 2]))
    h = g.node("Squeeze", h, axes=[0])
    g.output(g.node("Softmax", h), 0)
    g.output(g.node("Clip", h, g.constant(np.float32(0)), g.constant(np.float32(0.1))), 0)


@around
def operators_of_opset_7(g: Graph) -> None:
    g.opset = 7
    y = g.node("Transpose", g.x(shape=(B, T, D), dims=("batch", "time", D)), perm=[1, 0, 2])
    y, _ = g.gru(y)
    y = g.node("Squeeze", y, axes=[1])
    y = g.node("Slice", y, axes=[2], starts=[1], ends=[4])
    y = g.node("Dropout", y, ratio=0.4)
    g.output(g.node("Unsqueeze", y, axes=[0]), 2)
    g.output(g.node("ReduceMean", y, axes=[0], keepdims=0), 0)


@around
def arithmetic(g: Graph) -> None:
    y, c = sequence(g), g.constant
    y = g.node("Add", g.node("Mul", y, g.weight(H)), g.weight(1, 1, H))
    y = g.node("Sub", c(np.float32(1)), g.node("Div", y, c(np.float32(0.3))))
    y = g.node("Sub", y, g.weight(H))
    y = g.node("Sub", g.weight(H), y)
    y = g.node("Pow", y, c(np.float32(2)))
    g.output(g.node("Mul", y, g.weight(T, H)), 0)


@around
def gates_of_values(g: Graph) -> None:
    """x * sigmoid(x), as SiLU is exported."""
    y = sequence(g)
    y = g.node("Mul", y, g.node("Sigmoid", y))
    mean = g.node("ReduceMean", y, axes=[1], keepdims=1)
    g.output(g.node("Add", y, mean), 0)


@around
def normalisations(g: Graph) -> None:
    y = g.node("LayerNormalization", sequence(g), g.weight(H), g.weight(H), epsilon=1e-3)
    g.output(g.node("LayerNormalization", y, g.weight(H)), 0)


@around
def batch_normalisation(g: Graph) -> None:
    """Channels are the second axis, so a sequence is turned round it."""
    y = g.node("Transpose", sequence(g), perm=[0, 2, 1])
    variance = g.constant(g.rng.uniform(0.5, 1, H).astype(np.float32))
    y = g.node("BatchNormalization", y, g.weight(H), g.weight(H), g.weight(H), variance, epsilon=1e-3)
    g.output(g.node("Transpose", y, perm=[0, 2, 1]), 0)


@around
def means_and_maxima(g: Graph) -> None:
    g.opset = 18
    y = sequence(g)
    time, features = g.constant(np.array([1])), g.constant(np.array([-1]))
    a = g.node("ReduceMean", y, time, keepdims=0)
    b = g.node("ReduceMax", y, time, keepdims=0)
    g.output(g.node("Concat", a, b, axis=1), 0)
    g.output(g.node("ReduceMean", y, features), 0)


@around
def pools_of_all_time(g: Graph) -> None:
    y = g.node("Transpose", sequence(g), perm=[0, 2, 1])
    g.output(g.node("Squeeze", g.node("GlobalAveragePool", y), g.constant(np.array([2]))), 0)
    g.output(g.node("Flatten", g.node("GlobalMaxPool", y)), 0)


def convolved(g: Graph, size: int, channels: int = D, filters: int = 6, group: int = 1, **more: object) -> str:
    x = g.x(shape=(B, channels, T + 4), dims=("batch", channels, "time"))
    y = g.node("Conv", x, g.weight(filters, channels // group, size), g.weight(filters), group=group, **more)
    return y


def after_convolution(g: Graph, y: str, filters: int = 6) -> None:
    y, _ = g.gru(g.node("Transpose", y, perm=[2, 0, 1]), d=filters)
    g.output(y, (2, 1))


@around
def convolution(g: Graph) -> None:
    after_convolution(g, convolved(g, 3))


@around
def convolution_padded(g: Graph) -> None:
    after_convolution(g, convolved(g, 3, pads=[2, 1], strides=[2]))


@around
def convolution_causal(g: Graph) -> None:
    after_convolution(g, convolved(g, 3, pads=[4, 0], dilations=[2]))


@around
def convolution_same(g: Graph) -> None:
    after_convolution(g, convolved(g, 4, auto_pad="SAME_LOWER"))


@around
def convolution_same_strided(g: Graph) -> None:
    after_convolution(g, convolved(g, 4, auto_pad="SAME_UPPER", strides=[2]))


@around
def convolution_of_groups(g: Graph) -> None:
    after_convolution(g, convolved(g, 2, channels=4, group=2))


@around
def pools(g: Graph) -> None:
    y = convolved(g, 2)
    y = g.node("MaxPool", y, kernel_shape=[2], strides=[1])
    y = g.node("AveragePool", y, kernel_shape=[3], strides=[1], pads=[1, 1])
    y = g.node("AveragePool", y, kernel_shape=[2], strides=[1], pads=[1, 0], count_include_pad=1)
    after_convolution(g, g.node("MaxPool", y, kernel_shape=[2], strides=[2], auto_pad="SAME_UPPER"))


@around
def embedding(g: Graph) -> None:
    indices = g.given("ids", g.rng.integers(0, 7, (B, T)), ("batch", "time"), 0)
    x = g.node("Gather", g.weight(7, D), indices)
    _, h = g.gru(g.node("Transpose", x, perm=[1, 0, 2]))
    g.output(h, (1, 0))


@around
def embedding_time_major(g: Graph) -> None:
    indices = g.given("ids", g.rng.integers(0, 7, (T, B)).astype(np.int32), ("time", "batch"), 1)
    y, _ = g.gru(g.node("Gather", g.weight(7, D), g.node("Cast", indices, to=INT64)))
    g.output(y, (2, 1))


@around
def two_layers_both_ways(g: Graph) -> None:
    """As torch.onnx writes them: the two directions side by side by Transpose and Reshape."""
    y, x = "", g.x()
    for d in (D, 2 * H):
        y, h = g.gru(x, d, 2, direction="bidirectional", linear_before_reset=1)
        x = g.node("Reshape", g.node("Transpose", y, perm=[0, 2, 1, 3]), g.constant(np.array([0, 0, -1])))
    g.output(x, 1)
    forward, backward = (g.node("Gather", h, g.constant(np.array(k)), axis=0) for k in (0, 1))
    g.output(g.node("Concat", forward, backward, axis=-1), 0)


@around
def one_direction_of_two(g: Graph) -> None:
    y, _ = g.gru(g.x(), D, 2, direction="bidirectional")
    g.output(g.node("Gather", y, g.constant(np.array(1)), axis=1), 1)


@around
def states_of_two_layers(g: Graph) -> None:
    """One input holds the states of both layers."""
    state = g.given("states", g.rng.normal(size=(2, B, H)).astype(np.float32), (2, "batch", H), 1)
    c, x, ends = g.constant, g.x(), []
    for k, d in enumerate((D, H)):
        one = g.node("Slice", state, c(np.array([k])), c(np.array([k + 1])), c(np.array([0])))
        y, h = g.gru(x, d, rest=["", one])
        x = g.node("Squeeze", y, c(np.array([1])))
        ends.append(h)
    g.output(x, 1)
    g.output(g.node("Concat", *ends, axis=0), 1)


@around
def zero_states_by_shape(g: Graph) -> None:
    """torch.onnx with a free batch: zeros of a shape that is computed from the input's."""
    x, c = g.x(), g.constant
    batch = g.node("Gather", g.node("Shape", x), c(np.array(1)))
    shape = g.node("Concat", c(np.array([1])), g.node("Unsqueeze", batch, c(np.array([0]))), c(np.array([H])), axis=0)
    y, _ = g.gru(x, rest=["", g.node("Expand", c(np.zeros((1, 1, 1), np.float32)), shape)])
    zeros = g.node("ConstantOfShape", shape)
    z, _ = g.gru(g.node("Squeeze", y, c(np.array([1]))), H, rest=["", zeros])
    g.output(z, (2, 1))


@around
def zero_states_of_tf2onnx(g: Graph) -> None:
    """Both directions' zeros side by side; of the backward direction's outputs the first, which is its last."""
    x, c = g.x(shape=(B, T, D), dims=("batch", T, D)), g.constant
    shape = g.node("Cast", g.node("Shape", x), to=INT32)
    batch = g.node("Slice", shape, c(np.array([0])), c(np.array([1])), c(np.array([0])))
    wanted = g.node("Cast", g.node("Concat", batch, c(np.array([H], np.int32)), axis=0), to=INT64)
    zeros = g.node("Unsqueeze", g.node("Expand", c(np.zeros((), np.float32)), wanted), c(np.array([0])))
    both = g.node("Concat", zeros, zeros, axis=0)
    y, _ = g.gru(g.node("Transpose", x, perm=[1, 0, 2]), D, 2, direction="bidirectional", rest=["", both])
    ends = []
    for direction, step in ((0, -1), (1, 0)):
        one = g.node("Slice", y, *(c(np.array([v])) for v in (direction, direction + 1, 1)))
        one = g.node("Squeeze", one, c(np.array([1])))
        last = g.node("Slice", one, *(c(np.array([v])) for v in (step, step + 1 or 2**31 - 1, 0)))
        ends.append(g.node("Squeeze", last, c(np.array([0]))))
    g.output(g.node("Concat", *ends, axis=-1), 0)


@around
def dense_of_tf2onnx(g: Graph) -> None:
    """Batch and time as one axis around a dense layer, their lengths looked up."""
    y, c = sequence(g), g.constant
    shape = g.node("Cast", g.node("Shape", y), to=INT32)
    two = g.node("Gather", shape, c(np.array([0, 1])), axis=0)
    wanted = g.node("Cast", g.node("Concat", two, c(np.array([2], np.int32)), axis=0), to=INT64)
    folded = g.node("MatMul", g.node("Reshape", y, c(np.array([-1, H]))), g.weight(H, 2))
    g.output(g.node("Relu", g.node("Reshape", folded, wanted)), 0)


@around
def learned_state(g: Graph) -> None:
    x, c = g.x(), g.constant
    batch = g.node("Gather", g.node("Shape", x), c(np.array([1])))
    shape = g.node("Concat", c(np.array([1])), batch, c(np.array([H])), axis=0)
    _, h = g.gru(x, rest=["", g.node("Expand", g.weight(1, 1, H), shape)])
    g.output(h, (1, 0))


@around
def reshape_by_shape(g: Graph) -> None:
    """Time and batch from the input's own shape."""
    x, c = g.x(shape=(B, T, D), dims=("batch", "time", D)), g.constant
    y, _ = g.gru(g.node("Transpose", x, perm=[1, 0, 2]))
    shape = g.node("Shape", x)
    batch, time = (g.node("Slice", shape, c(np.array([k])), c(np.array([k + 1]))) for k in (0, 1))
    y = g.node("Transpose", y, perm=[2, 0, 1, 3])
    g.output(g.node("Reshape", y, g.node("Concat", batch, time, c(np.array([H])), axis=0)), 0)


@around
def flattened(g: Graph) -> None:
    x = g.x(shape=(B, T, D), dims=(B, T, D))
    y, _ = g.gru(g.node("Transpose", x, perm=[1, 0, 2]))
    y = g.node("Transpose", g.node("Squeeze", y, g.constant(np.array([1]))), perm=[1, 0, 2])
    y = g.node("Flatten", y)
    g.output(g.node("Gemm", y, g.weight(T * H, 2)), 0)


@around
def features_reshaped(g: Graph) -> None:
    """Features cut in two and joined in another order."""
    y = g.node("Reshape", sequence(g), g.constant(np.array([0, 0, 2, H // 2])))
    y = g.node("Transpose", y, perm=[0, 1, 3, 2])
    g.output(g.node("Reshape", y, g.constant(np.array([0, 0, -1]))), 0)


@around
def folded_weights(g: Graph) -> None:
    """Weights that nodes make of constants."""
    c = g.constant
    w = g.node("Unsqueeze", g.node("Transpose", g.weight(D, 3 * H), perm=[1, 0]), c(np.array([0])))
    halves = g.node("Split", g.weight(6 * H, H), outputs=("r1", "r2"), axis=0)
    r = g.node("Unsqueeze", halves, c(np.array([0])))
    b = g.node("Concat", g.weight(1, 3 * H), g.node("Identity", g.weight(1, 3 * H)), axis=1)
    w = g.node("Cast", g.node("Cast", w, to=DOUBLE), to=FLOAT)
    y = g.node("GRU", g.x(), w, r, b, hidden_size=H, outputs=("Y", ""))
    g.output(y, (2, 1))


@around
def unbatched(g: Graph) -> None:
    """One sequence without a batch axis, as torch.onnx writes it."""
    x = g.given("x", g.rng.normal(size=(T, D)).astype(np.float32), ("time", D), -1)
    y, _ = g.gru(g.node("Unsqueeze", x, g.constant(np.array([1]))))
    g.output(g.node("Squeeze", y, g.constant(np.array([1, 2]))), -1)


def surroundings() -> list[Case]:
    def case(name: str, body: Body, seed: int) -> Case:
        def make(folder: Path) -> tuple:
            g = Graph(seed)
            body(g)
            return saved(g, folder)

        ahead = name.startswith("convolution") or name == "pools"  # their input has the channels before the time
        return Case(f"around {name}", make, c="which C cannot hold" if ahead else True)

    return [case(name, body, 1000 + k) for k, (name, body) in enumerate(AROUND.items())]


def torch_module(kind: str) -> tuple[object, tuple, list[int], list[int | tuple[int, int]]]:
    """A module, its inputs, and the batch axes of inputs and outputs (as `batch_first` takes them)."""
    torch = need_package("torch")
    nn = torch.nn
    torch.manual_seed(len(kind))

    class Classifier(nn.Module):
        def __init__(self, layers: int, both: bool) -> None:
            super().__init__()
            self.gru = nn.GRU(D, H, layers, batch_first=True, bidirectional=both)
            self.out = nn.Sequential(nn.Linear(H * (1 + both), 6), nn.ReLU(), nn.Dropout(), nn.Linear(6, 2))

        def forward(self, x):
            return self.out(self.gru(x)[0][:, -1])

    class Tagger(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.gru = nn.Embedding(9, D), nn.GRU(D, H, batch_first=True)
            self.norm, self.out = nn.LayerNorm(H), nn.Linear(H, 3)

        def forward(self, x):
            return self.out(self.norm(self.gru(self.embed(x))[0])).softmax(-1)

    class Convolved(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv1d(D, 6, 3, padding=1), nn.BatchNorm1d(6)
            self.gru, self.out = nn.GRU(6, H, batch_first=True, bidirectional=True), nn.Linear(2 * H, 1)
            self.norm.running_mean.uniform_()

        def forward(self, x):
            y = torch.relu(self.norm(self.conv(x.transpose(1, 2)))).transpose(1, 2)
            return torch.sigmoid(self.out(self.gru(y)[0].mean(1)))

    x = torch.randn(B, T, D)
    made: dict[str, tuple] = {
        "gru": (nn.GRU(D, H), (x.transpose(0, 1).contiguous(),), [1], [1, (1, 0)]),
        "gru without bias": (nn.GRU(D, H, bias=False), (x.transpose(0, 1).contiguous(),), [1], [1, (1, 0)]),
        "gru batch_first": (nn.GRU(D, H, batch_first=True), (x,), [0], [0, (1, 0)]),
        "gru both ways": (nn.GRU(D, H, bidirectional=True), (x.transpose(0, 1).contiguous(),), [1], [1, 1]),
        "gru two layers": (nn.GRU(D, H, 2, batch_first=True), (x,), [0], [0, 1]),
        "gru two layers both ways": (nn.GRU(D, H, 2, bidirectional=True, batch_first=True), (x,), [0], [0, 1]),
        "gru h0": (nn.GRU(D, H, 2, batch_first=True), (x, torch.randn(2, B, H)), [0, 1], [0, 1]),
        "classifier": (Classifier(1, False), (x,), [0], [0]),
        "classifier two layers both ways": (Classifier(2, True), (x,), [0], [0]),
        "tagger": (Tagger(), (torch.randint(0, 9, (B, T)),), [0], [0]),
        "convolved": (Convolved(), (x,), [0], [0]),
    }
    return made[kind]


TORCH = (
    "gru",
    "gru without bias",
    "gru batch_first",
    "gru both ways",
    "gru two layers",
    "gru two layers both ways",
    "gru h0",
    "classifier",
    "classifier two layers both ways",
    "tagger",
    "convolved",
)


NEW_EXPORTER = ("gru h0", "classifier two layers both ways", "tagger")  # it takes seconds


def torch_case(kind: str, dynamo: bool, free: bool) -> Case:
    """A module of torch, exported with or without a free batch axis."""

    def make(folder: Path) -> tuple:
        torch = need_package("torch")
        if dynamo:
            need_package("onnxscript")
        module, inputs, ins, outs = torch_module(kind)
        module.eval()
        path, names = Path(folder) / "model.onnx", [f"in{k}" for k in range(len(inputs))]
        results = [f"out{k}" for k in range(len(outs))]
        more: dict[str, object] = {"input_names": names, "output_names": results}
        if free and dynamo:
            batch = torch.export.Dim("batch", min=1, max=64)
            more["dynamic_shapes"] = tuple({axis: batch} for axis in ins)
        elif free:
            more["dynamic_axes"] = {n: {a: "batch"} for n, a in zip(names, ins, strict=True)}
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.onnx.export(module, inputs, str(path), dynamo=dynamo, verbose=False, **more)
            theirs = module(*inputs)
        theirs = list(theirs) if isinstance(theirs, tuple) else [theirs]
        arrays = [np.moveaxis(a.numpy(), axis, 0) for a, axis in zip(inputs, ins, strict=True)]
        return path, arrays, [batch_first(a.numpy(), axis) for a, axis in zip(theirs, outs, strict=True)]

    return Case(f"torch {kind} dynamo={dynamo} free={free}", make)


def exports() -> list[Case]:
    return [torch_case(kind, False, free) for kind in TORCH for free in (True, False)] + [
        torch_case(kind, True, True) for kind in NEW_EXPORTER
    ]


def cases() -> list[Case]:
    """All cases, seeded."""
    return [*options(), *functions(), *surroundings(), *exports()]
