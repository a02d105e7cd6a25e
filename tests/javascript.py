"""Emitted JavaScript run by Node: numbers go in and come out as JSON, in which NaN and infinities are texts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from symgru.backends.js import Options, module
from symgru.network import Network
from tests.conftest import need

TIMEOUT = 120  # seconds
IN_AND_OUT = """
const whatever = (_, v) => (typeof v === "number" && !Number.isFinite(v) ? String(v) : v);
const number = (_, v) => (["NaN", "Infinity", "-Infinity"].includes(v) ? Number(v) : v);
const questions = JSON.parse(require("node:fs").readFileSync(0, "utf8"), number);
"""
PREDICT = """
(async () => {
  const found = [];
  for (const { module, xs } of questions) {
    const { predict } = await import(module);
    found.push(xs.map((x) => predict(...x)));
  }
  console.log(JSON.stringify(found, whatever));
})();
"""


def node(*arguments: object, given: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Node's run of a file; it does not come back without an end."""
    command = [need("node"), *map(str, arguments)]
    return subprocess.run(command, input=given, capture_output=True, text=True, cwd=cwd, timeout=TIMEOUT, check=False)


def answers(script: str, questions: object, folder: Path) -> object:
    """What `answer(questions)`, which the script defines, gives."""
    return _run(
        f"{script}\n{IN_AND_OUT}\nconsole.log(JSON.stringify(answer(questions), whatever));\n", questions, folder
    )


def predictions(pairs: Sequence[tuple[Network, Sequence[np.ndarray]]], folder: Path) -> list[list[object]]:
    """What the emitted module of each network gives for each sample of its inputs, which have the batch first."""
    questions = []
    for k, (network, inputs) in enumerate(pairs):
        place = folder / f"m{k}.mjs"
        place.write_text(module(network, Options()), encoding="utf-8")
        samples = [[nested(x[sample]) for x in inputs] for sample in range(len(inputs[0]))]
        questions.append({"module": place.as_uri(), "xs": samples})
    return _run(IN_AND_OUT + PREDICT, questions, folder)


def nested(x: np.ndarray) -> object:
    """An array as lists that JSON holds."""
    if x.ndim:
        return [nested(part) for part in x]
    return float(x) if np.isfinite(x) else {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(float(x))]


def array(found: object) -> np.ndarray:
    """What came out, in float64; truth values are 0 and 1."""
    return np.array(_numbers(found), dtype=np.float64)


def _numbers(found: object) -> object:
    return [_numbers(part) for part in found] if isinstance(found, list) else float(found)


def _run(script: str, questions: object, folder: Path) -> object:
    place = folder / "script.cjs"
    place.write_text(script, encoding="utf-8")
    done = node(place, given=json.dumps(questions))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
