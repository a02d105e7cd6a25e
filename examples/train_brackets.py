"""Trains brackets.keras, a small bidirectional GRU that tells which brackets of a text have a partner.

A text is a row of whole numbers: 1 is "(", 2 is ")", 0 is padding at its end. The model gives each bracket's
probability of having no partner and of having one. It takes both directions: whether "(" is closed, later steps tell.

    pip install tensorflow
    python examples/train_brackets.py
"""

from pathlib import Path

import keras
import numpy as np

LENGTH, TEXTS = 12, 6000


def partners(text):
    """1 for each bracket that has its partner."""
    found, open_ones = np.zeros(len(text), int), []
    for place, bracket in enumerate(text):
        if bracket == 1:
            open_ones.append(place)
        elif bracket == 2 and open_ones:
            found[place] = found[open_ones.pop()] = 1
    return found


def texts(rng, count):
    """Texts of 3 to LENGTH brackets, padded with 0."""
    x = rng.integers(1, 3, (count, LENGTH))
    x[np.arange(LENGTH) >= rng.integers(3, LENGTH + 1, (count, 1))] = 0
    return x


def main():
    keras.utils.set_random_seed(4)
    x = texts(np.random.default_rng(4), TEXTS)
    y = np.array([partners(text) for text in x])
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32", name="text"),
            keras.layers.Embedding(3, 2, mask_zero=True, name="embedding"),
            keras.layers.Bidirectional(keras.layers.GRU(6, return_sequences=True, name="gru"), name="both_ways"),
            keras.layers.Dense(2, activation="softmax", name="has_partner"),
        ],
        name="brackets",
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    model.fit(x, y, batch_size=64, epochs=25, verbose=2)
    model.compile()  # the file holds no optimizer
    model.save(Path(__file__).parent / "brackets.keras")


if __name__ == "__main__":
    main()
