"""tf_keras (Keras 2) and the legacy files of Keras 3, in every form that a model is saved in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.frameworks.cases_tf_keras import cases
from tests.frameworks.matrix import Case, check

ENGINES = ("reference", "numpy")


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
@pytest.mark.filterwarnings("ignore")
def test_as_the_framework(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path, ENGINES)
