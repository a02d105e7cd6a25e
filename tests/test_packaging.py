"""The wheel holds what an installed symgru needs: templates and the seed, used with no checkout beside it."""

import os
import subprocess
import sys
import zipfile

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the wheel's content."""
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as z:
        z.extractall(out / "site")
    return out / "site"


def test_demo_runs_from_the_wheel(installed, tmp_path):
    # -P keeps the current folder off the path: the package must be the wheel's
    done = subprocess.run(
        [sys.executable, "-P", "-m", "symgru", "demo", "out"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(installed), "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stderr
    assert "-0.462795" in done.stdout
    assert (tmp_path / "out" / "seed.c").exists()


def test_wheel_holds_no_tests_and_no_stray_files(installed):
    top = {p.name for p in installed.iterdir()}
    assert {n for n in top if not n.endswith(".dist-info")} == {"symgru"}
    assert (installed / "symgru" / "py.typed").exists()
    assert any((installed / "symgru" / "templates" / "c").iterdir())
