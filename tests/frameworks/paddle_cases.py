"""Run by a Python that has Paddle (it cannot share an environment with TensorFlow): writes what symgru reads as .npz,
the input and Paddle's output, one folder a case.

    python paddle_cases.py FOLDER
"""

import json
import sys
from pathlib import Path

import numpy as np
import paddle

CASES = [
    {"id": "gru-1-1", "features": 1, "units": 1},
    {"id": "gru-2-3", "features": 2, "units": 3},
    {"id": "gru-4-2-two-layers", "features": 4, "units": 2, "layers": 2},
    {"id": "cell-no-bias", "features": 2, "units": 3, "cell": True, "bias": False},  # GRU itself crashes without
    {"id": "cell-3-2", "features": 3, "units": 2, "cell": True},
    {"id": "gru-head", "features": 2, "units": 3, "head": 4},
    {"id": "gru-float64", "features": 2, "units": 3, "dtype": "float64"},
]


def build(case):
    """A layer, its input and output."""
    features, units = case["features"], case["units"]
    bias = {} if case.get("bias", True) else {"bias_ih_attr": False, "bias_hh_attr": False}
    if case.get("cell"):
        layer = paddle.nn.GRUCell(features, units, **bias)
        outer = layer
        run = paddle.nn.RNN(layer)
    else:
        layer = run = outer = paddle.nn.GRU(features, units, num_layers=case.get("layers", 1), **bias)
    head = None
    if "head" in case:
        head = paddle.nn.Linear(units, case["head"])
        outer = paddle.nn.LayerDict({"gru": layer, "head": head})
    return outer, run, head


def main(folder):
    for seed, case in enumerate(CASES):
        dtype = case.get("dtype", "float32")
        paddle.set_default_dtype(dtype)
        outer, run, head = build(case)
        rng = np.random.default_rng(seed)
        for _, parameter in outer.named_parameters():
            parameter.set_value(rng.uniform(-1, 1, parameter.shape).astype(dtype))
        state = {name: value.numpy() for name, value in outer.state_dict().items()}
        x = rng.uniform(-1.5, 1.5, (2, 4, case["features"])).astype(dtype)
        y, _ = run(paddle.to_tensor(x))
        if head is not None:
            y = head(y[:, -1])
        place = Path(folder) / case["id"]
        place.mkdir()
        np.savez(place / "m.npz", **state)
        np.save(place / "x.npy", x)
        np.save(place / "y.npy", y.numpy())
        said = {"dtype": dtype, "version": paddle.__version__, "head": head is not None}
        (place / "case.json").write_text(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1])
