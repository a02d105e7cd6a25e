"""Arrays of TensorFlow 1, CuDNNGRU, Keras, keras2c, RTNeural and Paddle: read as what their frameworks compute."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from symgru.face import load
from tests.conftest import ROOT, need_package
from tests.frameworks.cases_arrays import CASES
from tests.frameworks.matrix import LIMITS, Case, check, difference

PADDLE = os.environ.get("SYMGRU_PADDLE", str(ROOT / ".venv-paddle/bin/python"))  # a Python of its own
PADDLE_CASES = re.findall(r'"id": "([^"]+)"', Path(__file__).with_name("paddle_cases.py").read_text())
NEEDS = {"tf1": "tf_keras", "cudnn": "tf_keras", "torch": "torch"}


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_as_the_framework(case: Case, tmp_path) -> None:
    for start, package in NEEDS.items():
        if case.id.startswith(start):
            need_package(package)
    check(case, tmp_path, engines=("reference", "numpy"))


@pytest.fixture(scope="module")
def paddle(tmp_path_factory) -> Path:
    """The folder of Paddle's cases; skipped where no Python with Paddle is found, failed where nothing may be."""
    if not Path(PADDLE).exists():
        said = f"Paddle needs an environment of its own: {PADDLE} (or SYMGRU_PADDLE) is not there"
        if os.environ.get("SYMGRU_REQUIRE_ALL") == "1":
            pytest.fail(said)
        pytest.skip(said)
    folder = tmp_path_factory.mktemp("paddle")
    script = Path(__file__).with_name("paddle_cases.py")
    subprocess.run([PADDLE, str(script), str(folder)], check=True, capture_output=True, timeout=120)
    return folder


@pytest.mark.parametrize("name", PADDLE_CASES)
def test_as_paddle(name: str, paddle: Path) -> None:
    place = paddle / name
    said = json.loads((place / "case.json").read_text())
    asked = {"return_sequences": False} if said["head"] else None  # a layer gives every step there
    ours = load(place / "m.npz", asked)(np.load(place / "x.npy"))
    assert difference(ours, np.load(place / "y.npy")) <= LIMITS[said["dtype"]]
