"""Networks of the real PyTorch against the reference and the emitted NumPy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import need_package
from tests.frameworks.cases_torch import CASES
from tests.frameworks.matrix import Case, check


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_matrix(case: Case, tmp_path: Path) -> None:
    need_package("torch")
    check(case, tmp_path, ("reference", "numpy"))


@pytest.mark.parametrize("case", CASES[::8], ids=lambda case: case.id)
def test_matrix_in_c(case: Case, tmp_path: Path) -> None:
    need_package("torch")
    check(case, tmp_path, ("c",))
