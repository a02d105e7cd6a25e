"""Every case of Keras 3: reference and emitted NumPy against what Keras itself gives."""

from __future__ import annotations

import pytest

from tests.frameworks.cases_keras import CASES
from tests.frameworks.matrix import Case, check

ENGINES = ("reference", "numpy")


def test_there_are_as_many_cases_as_promised() -> None:
    assert len({case.id for case in CASES}) == len(CASES) >= 250


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_case_equals_keras(case: Case, tmp_path: object) -> None:
    check(case, tmp_path, ENGINES)
