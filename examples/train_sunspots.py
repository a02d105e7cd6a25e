"""Train the small network of this folder: next year's sunspot number from the last twelve years.

    pip install tensorflow-cpu statsmodels
    python examples/train_sunspots.py        # sunspots.keras
    python examples/train_sunspots.py 32     # sunspots32.keras, with 32 units: no better, but a larger example

The data are the yearly sunspot numbers 1700-2008 (NOAA, public domain; Wolf's scale, before its revision of 2015).
The last sixty years are held out: neither the weights, nor the scale, nor the number of epochs saw them. The
learning rate and the epochs were chosen on the last forty of the training years.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import statsmodels.api as sm
import tensorflow as tf

HERE = Path(__file__).parent
YEARS = 12  # a little more than one solar cycle
HELD_OUT = 60
UNITS = int(sys.argv[1]) if len(sys.argv) > 1 else 8
NAME = "sunspots" if UNITS == 8 else f"sunspots{UNITS}"

keras.utils.set_random_seed(0)
tf.config.experimental.enable_op_determinism()

data = sm.datasets.sunspots.load_pandas().data
year, raw = data["YEAR"].to_numpy(int), data["SUNACTIVITY"].to_numpy(float)

# y_raw = y * deviation + mean, both from the training years alone, rounded so that a person can type them
mean, deviation = round(raw[:-HELD_OUT].mean(), 3), round(raw[:-HELD_OUT].std(), 3)
scaled = ((raw - mean) / deviation).round(6)

windows = np.lib.stride_tricks.sliding_window_view(scaled, YEARS)[:-1, :, np.newaxis]  # (examples, YEARS, 1)
targets = scaled[YEARS:]
x_train, y_train = windows[:-HELD_OUT], targets[:-HELD_OUT]
x_test, y_test = windows[-HELD_OUT:], targets[-HELD_OUT:]

gru, dense = keras.layers.GRU(UNITS, name="gru"), keras.layers.Dense(1, name="dense")
model = keras.Sequential([keras.Input((YEARS, 1)), gru, dense], name=NAME)
model.compile(keras.optimizers.Adam(3e-3), "mse")
model.fit(x_train, y_train, batch_size=32, epochs=150, verbose=0)


def with_one(x: np.ndarray) -> np.ndarray:
    return np.column_stack([x[:, :, 0], np.ones(len(x))])


coefficients = np.linalg.lstsq(with_one(x_train), y_train, rcond=None)[0]
predictions = {
    "mean of the training years": np.full(HELD_OUT, y_train.mean()),
    "persistence (same as last year)": x_test[:, -1, 0],
    "linear regression, same window": with_one(x_test) @ coefficients,
    f"GRU({UNITS}) + Dense(1)": model.predict(x_test, verbose=0)[:, 0],
}

split = f"trained on {year[0]}-{year[-HELD_OUT - 1]}, held out {year[-HELD_OUT]}-{year[-1]}"
print(f"{split}; {model.count_params()} parameters")
print(f"{'held-out error, sunspot numbers':32}  RMSE   mean absolute")
for name, prediction in predictions.items():
    error = (prediction - y_test) * deviation
    print(f"{name:32} {np.sqrt(np.mean(error**2)):5.2f}  {np.mean(np.abs(error)):5.2f}")

# rebuilt from its configuration it has no optimizer: the file holds the weights and nothing of the training
bare = keras.Sequential.from_config(model.get_config())
bare.set_weights(model.get_weights())
bare.save(HERE / f"{NAME}.keras")

scale = {"mean": [mean], "deviation": [deviation]}
text = json.dumps({"input": scale, "output": scale}) + "\n"
(HERE / "sunspots_scale.json").write_text(text, encoding="utf-8", newline="\n")
np.savetxt(HERE / "sunspots_window.csv", x_test[-1, :, 0], fmt="%.6f")
np.savetxt(HERE / "sunspots_recording.csv", raw, fmt="%.1f")
said = bare.predict(x_test[-1:], verbose=0).item() * deviation + mean
print(f"sunspots_window.csv: {year[-1 - YEARS]}-{year[-2]}; {year[-1]} predicted {said:.1f}, recorded {raw[-1]:.1f}")
