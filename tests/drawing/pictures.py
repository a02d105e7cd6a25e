"""Layers at work for the tests of pictures, and pictures read back from their SVG by a parser of its own."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

from symgru.explanation import explain
from symgru.face import load
from tests.conftest import SEED, random_input, random_network

SVG = "{http://www.w3.org/2000/svg}"


def at_work(kind, units, features, steps=4, options=None, seed=0):
    network = random_network([(kind, units, options or {})], features, seed=seed)
    return explain(network, random_input(network, steps, seed=seed + 1)).layers[0]


def seed_at_work():
    model = load(SEED)
    return explain(model.network, model.read("1,2,9,8")[0], 6).layers[0]


@dataclass(frozen=True)
class Word:
    """A text of an SVG: where it stands, how large it is, and its letters without their style."""

    x: float
    y: float
    size: float
    anchor: str
    text: str
    wide: float


def parsed(svg):
    return ET.fromstring(svg)


def words(root):
    return [
        Word(
            float(e.get("x")), float(e.get("y")), float(e.get("font-size")), e.get("text-anchor", "start"),
            "".join(e.itertext()), _width(e),
        )
        for e in root.iter(f"{SVG}text")
    ]  # fmt: skip


def _width(text):
    """A letter is about half as wide as it is high, in a script as well."""
    size = float(text.get("font-size"))
    scripts = sum(len(t.text) * (size - float(t.get("font-size", size))) for t in text)
    return 0.45 * (size * len("".join(text.itertext())) - scripts)


def groups(root):
    """(key, texts) of every group that has a key."""
    return [(g.get("data-key"), [w.text for w in words(g)]) for g in root.iter(f"{SVG}g") if g.get("data-key")]


def number(text):
    """A printed number as Python reads it; None where it is none."""
    plain = text.replace("−", "-").replace("·10", "e")
    return float(plain) if re.fullmatch(r"-?\d+(\.\d*)?(e-?\d+)?", plain) else None


def box(word):
    """About where a text is: letters of half their size, from the baseline to the height of a capital."""
    wide = word.wide
    left = word.x - {"start": 0, "middle": wide / 2, "end": wide}[word.anchor]
    return left, word.y - 0.66 * word.size, left + wide, word.y


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
