"""The emitted float32 functions: the C equals the NumPy bit for bit, and both keep the bounds they state.

Every 4099th float and the neighbours of every float where an algorithm changes; benchmarks/activations.py takes all.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from math import erf
from pathlib import Path

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

from symgru.approximations import (
    APPROXIMATIONS,
    NUMPY,
    Approximation,
    Bits,
    Float,
    Node,
    c99,
    c_function,
    c_helpers,
    decimal,
    in_order,
    numpy_function,
    select,
    walk,
)

FLAGS = [
    *["-std=c99", "-O2", "-ffp-contract=off", "-shared", "-fPIC", "-Werror", "-Wall", "-Wextra", "-Wpedantic"],
    *["-Wconversion", "-Wsign-conversion", "-Wdouble-promotion", "-Wshadow", "-Wfloat-equal"],
]
COMPILERS = {name: [path] for name in ("gcc", "clang") if (path := shutil.which(name))}
COMPILERS["zig"] = [sys.executable, "-m", "ziglang", "cc"]
REFERENCES: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "sigma": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": np.tanh,
    "exp": np.exp,
    "expm1": np.expm1,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "log": np.log,
    "erf": np.vectorize(erf, otypes=[float]),
}
TURNS = [0, 1e-30, 2**-24, 3.2e-8, 0.2027, 0.2877, 0.3466, 0.4055, 0.55, 0.925, 1, 4, 9.01, 10, 16.64, 17.33, 20, 88.72]
TURNS += [87.34, 89, 103.97, 104, 3.4e38, np.inf]

functions = pytest.mark.parametrize("f", APPROXIMATIONS.values(), ids=APPROXIMATIONS)


@cache
def every_float() -> NDArray[np.float32]:
    """A sample of all floats, NaNs and infinities among them, in the order of their bits."""
    stride = np.arange(0, 2**32, 4099, dtype=np.uint32)
    turns = np.array([*TURNS, *(-t for t in TURNS)], np.float32).view(np.uint32)
    near = turns[:, None] + np.arange(-500, 501).astype(np.uint32)
    return np.unique(np.concatenate([stride, near.ravel()])).view(np.float32)


def in_domain(f: Approximation) -> NDArray[np.float32]:
    """The sample within f's domain, in increasing order."""
    sample = every_float()
    return np.sort(sample[(sample >= f.domain[0]) & (sample <= f.domain[1])])


def errors(f: Approximation, a: NDArray[np.float32]) -> tuple[float, float]:
    """The largest error, in ulps of the exact value and absolute."""
    with np.errstate(all="ignore"):
        exact = REFERENCES[f.name](a.astype(np.float64))
        beyond = np.abs(exact) >= float.fromhex("0x1.ffffffp127")  # rounds to infinity
        exact = np.where(beyond, np.copysign(2.0**128, exact), exact)
        result = numpy_function(f)(a).astype(np.float64)
        error = np.abs(np.clip(result, -(2.0**128), 2.0**128) - exact)
        error = np.where(np.isnan(error), np.inf, error)  # NaN for a number
        exponent = np.floor(np.log2(np.abs(exact), where=exact != 0, out=np.full_like(exact, -126)))
    return float(np.max(error / np.exp2(np.maximum(exponent, -126) - 23))), float(error.max())


@pytest.fixture(scope="module", params=COMPILERS)
def compiled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """All functions as one compiler's library; it must not warn."""
    loops = "\n".join(
        f"void all_{name}(const float *a, float *y, size_t n);\n"
        f"void all_{name}(const float *a, float *y, size_t n)\n"
        f"{{\n    for (size_t i = 0; i < n; i++) y[i] = t_{name}(a[i]);\n}}\n"
        for name in APPROXIMATIONS
    )
    parts = ["#include <stdint.h>\n#include <string.h>\n", c_helpers("t")]
    parts += [c_function(f, "t") for f in in_order(APPROXIMATIONS)]
    folder: Path = tmp_path_factory.mktemp("c")
    (folder / "t.c").write_text("\n".join([*parts, loops]))
    run = subprocess.run(
        [*COMPILERS[request.param], *FLAGS, "t.c", "-o", "t.so"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return ctypes.CDLL(str(folder / "t.so"))


@functions
def test_c_and_numpy_give_the_same_bits(f: Approximation, compiled: ctypes.CDLL) -> None:
    a = every_float()
    y = np.empty_like(a)
    pointers = (v.ctypes.data_as(ctypes.POINTER(ctypes.c_float)) for v in (a, y))
    compiled[f"all_{f.name}"](*pointers, ctypes.c_size_t(a.size))
    expected = numpy_function(f)(a)
    same = (y.view(np.uint32) == expected.view(np.uint32)) | (np.isnan(y) & np.isnan(expected))
    assert same.all(), f"{f.name}({a[~same][0]!r}): C {y[~same][0]!r}, NumPy {expected[~same][0]!r}"


@functions
def test_errors_are_within_the_stated_bounds(f: Approximation) -> None:
    ulps, absolute = errors(f, in_domain(f))
    assert ulps <= f.ulps
    assert absolute <= f.absolute


@functions
def test_a_wrong_coefficient_breaks_the_bound(f: Approximation) -> None:
    """Whichever coefficient of a polynomial (or factor of Heron's rule) has the wrong sign, the bound does not hold."""
    if f.name == "log":
        pytest.skip("has no coefficients of its own: log1p's serve")

    def flipped(node: Node, target: Node) -> Node:
        if node is target:
            return Float("constant", (-node.args[0],))
        return replace(node, args=tuple(flipped(a, target) if isinstance(a, Node) else a for a in node.args))

    a = in_domain(f)[::7]
    tried = 0
    for i, (name, value) in enumerate(f.lines):
        for node in walk(value):
            if name[-1].isdigit() and isinstance(node, Float) and node.op == "constant":
                lines = (*f.lines[:i], (name, flipped(value, node)), *f.lines[i + 1 :])
                assert errors(replace(f, lines=lines), a)[0] > f.ulps + 1, f"{name}: {node}"
                tried += 1
    assert tried >= (2 if f.name == "sqrt" else 5)


@functions
def test_results_are_in_the_image_and_in_order(f: Approximation) -> None:
    result = numpy_function(f)(in_domain(f))
    assert result.min() >= f.image[0]
    assert result.max() <= f.image[1]
    if f.name not in ("log1p", "erf", "log"):  # benchmarks/results/activations.md counts their exceptions
        assert (np.diff(result[np.isfinite(result)]) >= 0).all()


@functions
def test_nan_stays_nan(f: Approximation) -> None:
    nan = np.array([0x7F800001, 0x7FC00000, 0x7FFFFFFF, 0xFF800001, 0xFFC00000, 0xFFFFFFFF], np.uint32)
    assert np.isnan(numpy_function(f)(nan.view(np.float32))).all()


@pytest.mark.parametrize(
    ("name", "results"),
    {
        "sigma": [0, 0.5, 0.5, 1],
        "tanh": [-1, -0.0, 0.0, 1],
        "exp": [0, 1, 1, np.inf],
        "expm1": [-1, -0.0, 0.0, np.inf],
        "erf": [-1, -0.0, 0.0, 1],
        "sqrt": [np.nan, -0.0, 0.0, np.inf],
    }.items(),
)
def test_infinities_and_zeros(name: str, results: list[float]) -> None:
    result = numpy_function(APPROXIMATIONS[name])([-np.inf, -0.0, 0.0, np.inf])
    right = np.array(results, np.float32)
    assert np.array_equal(np.isnan(result), np.isnan(right))
    assert result[~np.isnan(right)].tobytes() == right[~np.isnan(right)].tobytes()


def test_square_roots_of_squares_are_exact() -> None:
    """Every float of 12 bits, and the squares of powers of two down to the smallest subnormal number."""
    root = numpy_function(APPROXIMATIONS["sqrt"])
    numbers = np.concatenate([np.arange(4096), 2.0 ** np.arange(-74, 64)]).astype(np.float32)
    assert (root(numbers * numbers) == numbers).all()
    assert np.isnan(root([-1e-45, -4.0, -3.4e38])).all()


@pytest.mark.parametrize("name", ["tanh", "erf"])
def test_odd(name: str) -> None:
    f, a = numpy_function(APPROXIMATIONS[name]), in_domain(APPROXIMATIONS[name])
    assert f(-a).tobytes() == (-f(a)).tobytes()


@functions
def test_the_reference_is_exact_enough(f: Approximation) -> None:
    """double's own error is below a thousandth of a float32 ulp."""
    exact = {"sigma": lambda a: 1 / (1 + mpmath.exp(-a))}.get(f.name) or getattr(mpmath, f.name)
    a = in_domain(f)[::2003]
    a = a[a > 0] if f.name == "sqrt" else a
    a = a[np.abs(a) < 700]  # beyond, double overflows
    with mpmath.workdps(60):
        for argument, reference in zip(a, REFERENCES[f.name](a.astype(np.float64)), strict=True):
            value = exact(mpmath.mpf(float(argument)))
            assert abs(reference - value) <= abs(value) * 2.0**-34


@functions
def test_constants_read_back_as_themselves(f: Approximation) -> None:
    for value in (*(value for _, value in f.lines), f.result):
        for node in walk(value):
            if isinstance(node, Float) and node.op == "constant":
                assert (
                    float(np.float32(decimal(node.args[0]))) == np.float32(float(decimal(node.args[0]))) == node.args[0]
                )


def test_the_order_of_operations_is_kept() -> None:
    a, b, c = (Float("name", (name,)) for name in "abc")
    u = Bits("name", ("u",))
    expected = {
        a + (b + c): "a + (b + c)",
        (a + b) + c: "a + b + c",
        a - (b - c): "a - (b - c)",
        a * (b / c): "a * (b / c)",
        a * b / c: "a * b / c",
        (a + b) * c: "(a + b) * c",
        a + b * c: "a + b * c",
        a + -0.5: "a - 0.5f",
        2.0 - a: "2.0f - a",
        a * select(a < b, a, b): "a * (a < b ? a : b)",
        select(a + b > c, select(a < b, 1.0, b), a * b): "a + b > c ? (a < b ? 1.0f : b) : a * b",
        ((u + 1) << 23).float: "p_float((u + 0x1u) << 23)",
        a.bits - (u >> 1): "p_bits(a) - (u >> 1)",
        (u & 7) | (u << 3): "(u & 0x7u) | (u << 3)",
    }
    assert [c99("p").text(e) for e in expected] == list(expected.values())
    assert NUMPY.text(select(a < b, a + b, 0.5)) == "select(a < b, a + b, 0.5)"


def test_a_function_comes_after_those_it_calls() -> None:
    assert APPROXIMATIONS["erf"].needs == ("exp",)
    assert [f.name for f in in_order(["erf", "exp", "tanh"])] == ["exp", "erf", "tanh"]


def test_any_shape() -> None:
    tanh = numpy_function(APPROXIMATIONS["tanh"])
    assert tanh(0.5).shape == ()
    assert tanh(np.ones((2, 3))[:, ::2]).shape == (2, 2)
    assert tanh([[1.0]]).dtype == np.float32
