"""What the matrix ran is printed at the end of every run of pytest, with the frameworks' versions."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import pytest

from tests.frameworks import matrix

MODULES = "test_matrix_"
PACKAGES = {  # what each matrix compares with
    "keras": ("keras", "tensorflow"),
    "tf_keras": ("tf-keras", "keras"),
    "torch": ("torch",),
    "onnx": ("onnxruntime", "onnx", "torch"),
    "jax": ("flax", "dm-haiku", "equinox", "mlx"),
    "arrays": ("tensorflow", "tf-keras", "keras", "torch"),
}
Ran = tuple[str, str, dict[str, float]]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """What a test ran goes with its report, which pytest-xdist hands on from its workers."""
    matrix.RAN.clear()
    yield
    module = item.nodeid.partition("::")[0].rpartition("/")[2]
    if module.startswith(MODULES):
        framework = module.removeprefix(MODULES).removesuffix(".py")
        item.user_properties += [("matrix", [framework, *ran]) for ran in matrix.RAN]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line for each framework; with -rA, or a single -v, the ids of its cases too."""
    found: dict[str, list[Ran]] = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            for name, value in getattr(report, "user_properties", ()):
                if name == "matrix" and report.when == "call":
                    found.setdefault(value[0], []).append(tuple(value[1:]))
    if not found:
        return
    terminalreporter.section("the matrix against real frameworks")
    listing = terminalreporter.verbosity > 0 or terminalreporter.hasopt("A")
    for framework, cases in sorted(found.items()):
        terminalreporter.line(f"{framework} ({', '.join(map(_installed, PACKAGES[framework]))}): {summary(cases)}")
        if listing:
            terminalreporter.line(f"  {'; '.join(dict.fromkeys(case[0] for case in cases))}")


def summary(cases: list[Ran]) -> str:
    """How many cases of each dtype ran, and each engine's worst difference by dtype."""
    ids = {case: dtype for case, dtype, _ in cases}
    dtypes = sorted(set(ids.values()))
    counts = ", ".join(f"{list(ids.values()).count(dtype)} {dtype}" for dtype in dtypes)
    worst = []
    for engine in ("reference", "numpy", "c"):
        for dtype in dtypes:
            seen = [found[engine] for _, kind, found in cases if kind == dtype and engine in found]
            if seen:
                worst.append(f"{engine} {dtype} {max(seen):.1e} in {len(seen)}")
    return f"{len(ids)} cases ({counts}); worst difference: {', '.join(worst)}"


def _installed(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} absent"
