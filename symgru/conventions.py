"""Every framework's convention, as data: the arrays that hold a GRU, what lies where in them, and the cell it is.

Readers and writers have no gate order of their own: `split` turns a framework's arrays into canonical weights, `join`
turns them back. blocks.py explains the notation of the arrays. z is the update gate, r the reset gate, n the candidate;
b is the bias on the input's side, c that on the state's side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from symgru.arrangement import RULES, Convention, join, options, rewritten, sizes, split
from symgru.errors import UnusableInput

_ROWS = "weight_ih: W_r ; W_z ; W_n\nweight_hh: U_r ; U_z ; U_n\n"
_KERAS = "kernel: W_z' | W_r' | W_n'\nrecurrent_kernel: U_z' | U_r' | U_n'\n"
_ONE_ROW = "b_z | b_r | b_n"

TABLE = (
    Convention(
        "keras", "Keras GRU, reset_after=True", "keras/src/layers/rnn/gru.py", "gru",
        _KERAS + f"bias: {_ONE_ROW} ; c_z | c_r | c_n",
        checked="keras 3.15.1, tf_keras 2.21.0", last=True,
    ),
    Convention(
        "keras_before", "Keras GRU, reset_after=False; GRU v1 of Keras 2", "keras/src/layers/rnn/gru.py", "gru_before",
        _KERAS + f"bias: {_ONE_ROW}",
        checked="keras 3.15.1, tf_keras 2.21.0", last=True,
        notes=("GRU v1 of Keras 2 and tf_keras has hard_sigmoid gates: clip(0.2 a + 0.5, 0, 1)",),
    ),
    Convention(
        "cudnn_gru", "CuDNNGRU of Keras 2", "tf_keras/src/layers/rnn/cudnn_gru.py, saving/legacy/hdf5_format.py", "gru",
        f"kernel: W_z~ | W_r~ | W_n~\nrecurrent_kernel: U_z | U_r | U_n\nbias: {_ONE_ROW} | c_z | c_r | c_n",
        optional=False, fixed=True, checked="tf_keras 2.21.0's own conversion", last=True,
    ),
    Convention(
        "torch", "PyTorch GRU, GRUCell", "torch/nn/modules/rnn.py", "gru",
        _ROWS + "bias_ih: b_r | b_z | b_n\nbias_hh: c_r | c_z | c_n",
        fixed=True, checked="torch 2.13.0",
    ),
    Convention(
        "torch_rnn", "PyTorch RNN, RNNCell", "torch/nn/modules/rnn.py", "simple",
        "weight_ih: W\nweight_hh: U\nbias_ih: b\nbias_hh: + b",
        checked="torch 2.13.0",
    ),
    Convention(
        "paddle", "Paddle GRU, GRUCell", "python/paddle/nn/layer/rnn.py", "gru",
        _ROWS + "bias_ih: b_r | b_z | b_n\nbias_hh: c_r | c_z | c_n",
        fixed=True, checked="paddlepaddle 3.3.1",
    ),
    Convention(
        "onnx", "ONNX GRU, linear_before_reset=0 (the default)", "onnx/docs/Operators.md", "gru_before",
        f"W: W_z ; W_r ; W_n\nR: U_z ; U_r ; U_n\nB: {_ONE_ROW} | + b_z | + b_r | + b_n",
        checked="onnxruntime 1.31.1", notes=("each array has the number of directions as one more axis in front",),
    ),
    Convention(
        "onnx_after", "ONNX GRU, linear_before_reset=1", "onnx/docs/Operators.md", "gru",
        f"W: W_z ; W_r ; W_n\nR: U_z ; U_r ; U_n\nB: {_ONE_ROW} | c_z | c_r | c_n",
        checked="onnxruntime 1.31.1", notes=("each array has the number of directions as one more axis in front",),
    ),
    Convention(
        "onnx_rnn", "ONNX RNN", "onnx/docs/Operators.md", "simple", "W: W\nR: U\nB: b | + b",
        checked="onnxruntime 1.31.1", notes=("each array has the number of directions as one more axis in front",),
    ),
    Convention(
        "flax", "Flax linen GRUCell", "flax/linen/recurrent.py", "gru",
        "ir/kernel: W_r'\niz/kernel: W_z'\nin/kernel: W_n'\nhr/kernel: U_r'\nhz/kernel: U_z'\nhn/kernel: U_n'\n"
        "ir/bias: b_r + c_r\niz/bias: b_z + c_z\nin/bias: b_n\nhn/bias: c_n",
        optional=False, checked="flax 0.12.8",
    ),
    Convention(
        "flax_nnx", "Flax nnx.GRUCell", "flax/nnx/nn/recurrent.py", "gru",
        "dense_i/kernel: W_r' | W_z' | W_n'\ndense_h/kernel: U_r' | U_z' | U_n'\n"
        "dense_i/bias: b_r + c_r | b_z + c_z | b_n",
        zero=("c_n",), optional=False, checked="flax 0.12.8",
    ),
    Convention(
        "flax_mgu", "Flax linen MGUCell", "flax/linen/recurrent.py", "mgu_after",
        "if/kernel: W_f'\nin/kernel: W_n'\nhf/kernel: U_f'\nhn/kernel: U_n'\n"
        "if/bias: b_f\nin/bias: b_n\nhn/bias: c_n",
        optional=False, checked="flax 0.12.8",
    ),
    Convention(
        "flax_mgu_plain", "Flax linen MGUCell, reset_gate=False", "flax/linen/recurrent.py", "ligru",
        "if/kernel: W_z'\nin/kernel: W_n'\nhf/kernel: U_z'\nhn/kernel: U_n'\nif/bias: b_z\nin/bias: b_n",
        optional=False, checked="flax 0.12.8", notes=("the gate f is z in the equations, which are a light GRU's",),
    ),
    Convention(
        "flax_simple", "Flax linen SimpleCell", "flax/linen/recurrent.py", "simple",
        "i/kernel: W'\nh/kernel: U'\ni/bias: b",
        optional=False, checked="flax 0.12.8",
    ),
    Convention(
        "haiku", "Haiku GRU", "haiku/_src/recurrent.py", "fully_gated",
        f"w_i: W_z' | W_r' | W_n'\nw_h: U_z' | U_r' | U_n'\nb: {_ONE_ROW}",
        optional=False, fixed=True, checked="dm-haiku 0.0.17",
    ),
    Convention(
        "equinox", "Equinox GRUCell", "equinox/nn/_rnn.py", "gru",
        _ROWS + "bias: b_r + c_r | b_z + c_z | b_n\nbias_n: c_n",
        fixed=True, checked="equinox 0.13.8",
    ),
    Convention(
        "mlx", "MLX GRU", "mlx/nn/layers/recurrent.py", "gru",
        "Wx: W_r ; W_z ; W_n\nWh: U_r ; U_z ; U_n\nb: b_r + c_r | b_z + c_z | b_n\nbhn: c_n",
        fixed=True, checked="mlx 0.32.4",
    ),
    Convention(
        "tf1", "TensorFlow 1 rnn_cell.GRUCell", "tensorflow/python/ops/rnn_cell_impl.py", "gru_before",
        "gates/kernel: W_r' | W_z' ; U_r' | U_z'\ncandidate/kernel: W_n' ; U_n'\n"
        "gates/bias: b_r | b_z\ncandidate/bias: b_n",
        optional=False, checked="tf_keras 2.21.0's legacy GRUCell",
        notes=("its gate bias starts at 1, not at 0",),
    ),
    Convention(
        "tf1_block", "TensorFlow 1 GRUBlockCell", "tensorflow/core/kernels/rnn/gru_ops.cc", "gru_before",
        "w_ru: W_r' | W_z' ; U_r' | U_z'\nw_c: W_n' ; U_n'\nb_ru: b_r | b_z\nb_c: b_n",
        optional=False, fixed=True, checked="tensorflow 2.21.0's operator GRUBlockCell",
    ),
    Convention(
        "keras2c", "keras2c, reset_after=True", "keras2c/weights2c.py", "gru",
        f"kernel: W_z' ; W_r' ; W_n'\nrecurrent_kernel: U_z' ; U_r' ; U_n'\nbias: {_ONE_ROW} | c_z | c_r | c_n",
        optional=False, flat=True, last=True,
    ),
    Convention(
        "keras2c_before", "keras2c, reset_after=False", "keras2c/weights2c.py", "gru_before",
        "kernel: W_z' ; W_r' ; W_n'\nrecurrent_kernel: U_z' ; U_r' ; U_n'\n"
        f"bias: {_ONE_ROW} | + b_z | + b_r | + b_n",
        optional=False, flat=True, last=True,
    ),
    Convention(
        "rtneural", "RTNeural", "RTNeural/gru/gru.h, python/model_utils.py", "gru",
        _KERAS + f"bias: {_ONE_ROW} ; c_z | c_r | c_n",
        optional=False, fixed=True,
    ),
    Convention(
        "dynet", "DyNet GRUBuilder", "dynet/gru.cc", "fully_gated",
        "x2z: W_z\nh2z: U_z\nx2r: W_r\nh2r: U_r\nx2h: W_n\nh2h: U_n\nbz: b_z\nbr: b_r\nbh: b_n",
        optional=False, fixed=True,
    ),
    Convention(
        "cntk", "CNTK OptimizedRNN's GRU", "CNTK, bindings/python/cntk/layers/blocks.py", "gru_before",
        "W: W_z' | W_r' | W_n'\nH: U_z' | U_r'\nH1: U_n'\nb: b_z | b_r | b_n",
        optional=False,
    ),
    Convention(
        "matlab", "MATLAB gruLayer, before-multiplication", "MATLAB, gruLayer's documentation", "gru_before",
        "InputWeights: W_r ; W_z ; W_n\nRecurrentWeights: U_r ; U_z ; U_n\nBias: b_r | b_z | b_n",
        optional=False, flat=True,
    ),
    Convention(
        "matlab_after", "MATLAB gruLayer, recurrent-bias-after-multiplication", "MATLAB, gruLayer's documentation",
        "gru",
        "InputWeights: W_r ; W_z ; W_n\nRecurrentWeights: U_r ; U_z ; U_n\nBias: b_r | b_z | b_n | c_r | c_z | c_n",
        optional=False, flat=True,
    ),
    Convention(
        "speechbrain_ligru", "SpeechBrain LiGRU, its normalisation folded", "speechbrain/nnet/RNN.py", "ligru",
        "w.weight: W_n ; W_z\nu.weight: U_n ; U_z\nw.bias: b_n | b_z",
        activation="relu",
    ),
)  # fmt: skip

DENSE = (  # the layers around a GRU
    Convention("keras_dense", "Keras Dense", "keras/src/layers/core/dense.py", "dense", "kernel: W'\nbias: b"),
    Convention("flax_dense", "Flax Dense, nnx.Linear", "flax/linen/linear.py", "dense", "kernel: W'\nbias: b"),
    Convention("haiku_linear", "Haiku Linear", "haiku/_src/basic.py", "dense", "w: W'\nb: b"),
    Convention("torch_linear", "PyTorch, Equinox, MLX Linear", "torch/nn/modules/linear.py", "dense",
               "weight: W\nbias: b"),
    Convention("paddle_linear", "Paddle Linear", "python/paddle/nn/layer/common.py", "dense", "weight: W'\nbias: b"),
)  # fmt: skip

CONVENTIONS: Mapping[str, Convention] = {convention.name: convention for convention in (*TABLE, *DENSE)}
CELL_OF = {("after", "keep"): "gru", ("before", "keep"): "gru_before", ("after", "new"): "gru_new"} | {
    ("before", "new"): "fully_gated"
}


def spelled(
    gates: str, kernel: str, bias: str, reset: str, update: str, names: tuple[str, str, str, str] | None = None
) -> Convention:
    """A convention in words: gates "zrn" in their order, kernel "columns" (features, 3 units) or "rows", bias "one"
    (3 units), "two" arrays, "stacked" (2, 3 units), "flat" (6 units), "n" (3 units and units: the candidate's alone) or
    "none", reset "after" or "before", update "keep" or "new".
    """
    for word, value, known in (
        ("kernel", kernel, ("columns", "rows")),
        ("bias", bias, ("one", "two", "stacked", "flat", "n", "none")),
        ("reset", reset, ("after", "before")),
        ("update", update, ("keep", "new")),
    ):
        if value not in known:
            raise UnusableInput(f"the convention's {word} is {value[:20]!a}; it must be {', '.join(known)}")
    if sorted(gates) != sorted("zrn"):
        raise UnusableInput(f"the convention's gates are {gates[:20]!a}; they must be z, r and n in their order: 'zrn'")
    w, u, b, b2 = names or ("kernel", "recurrent_kernel", "bias", "recurrent_bias")
    turn, beside = ("'", " | ") if kernel == "columns" else ("", " ; ")
    text = [f"{name}: {beside.join(f'{letter}_{g}{turn}' for g in gates)}" for name, letter in ((w, "W"), (u, "U"))]
    zero: tuple[str, ...] = ()
    one = " | ".join(f"b_{g}" for g in gates)
    if reset == "after":
        two = " | ".join(f"c_{g}" for g in gates)
        sums = " | ".join("b_n" if g == "n" else f"b_{g} + c_{g}" for g in gates)
        zero = ("c_n",) if bias == "one" else ()
    else:  # the two biases are one: their sum
        two, sums = " | ".join(f"+ b_{g}" for g in gates), one
    last = "c_n" if reset == "after" else "+ b_n"
    text += {
        "one": [f"{b}: {sums if reset == 'after' else one}"],
        "two": [f"{b}: {one}", f"{b2}: {two}"],
        "stacked": [f"{b}: {one} ; {two}"],
        "flat": [f"{b}: {one} | {two}"],
        "n": [f"{b}: {sums}", f"{b2}: {last}"],
        "none": [],
    }[bias]
    said = f"gates {gates}, kernel {kernel}, bias {bias}, reset {reset}, update {update}"
    return Convention("spelled", f"a convention with {said}", "the file", CELL_OF[reset, update], "\n".join(text), zero)


def named(names: Iterable[str]) -> list[Convention]:
    """The conventions of the table whose arrays have exactly these names (biases may lack where they are optional)."""
    given = set(names)
    return [
        c
        for c in TABLE
        if given == set(c.arrays) or (c.optional and given == {name for name in c.arrays if name not in c.biases})
    ]


__all__ = [
    "CONVENTIONS",
    "DENSE",
    "RULES",
    "TABLE",
    "Convention",
    "join",
    "named",
    "options",
    "rewritten",
    "sizes",
    "spelled",
    "split",
]
