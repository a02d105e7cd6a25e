"""Measure every approximation over all 2^32 floats, as the emitted C computes them; a few minutes on two cores.

    python benchmarks/activations.py [NAME ...]     # all: writes benchmarks/results/activations.md

The reference is libm in double, whose own error is below 1e-8 of a float32 ulp. Exit status 1 if a stated bound fails.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from symgru.approximations import APPROXIMATIONS, c_function, c_helpers, in_order

FLAGS = ["-std=c99", "-O2", "-ffp-contract=off"]
CC = os.environ.get("CC", "gcc")
RESULTS = Path(__file__).parent / "results" / "activations.md"
ODD = {"tanh", "erf"}
REFERENCE = {"sigma": "1.0 / (1.0 + exp(-x))"}

PROGRAM = r"""
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

%(functions)s
static double exact(double x) { return %(reference)s; }

/* the spacing of float32 at y, subnormals included */
static double ulp(double y)
{
    uint64_t u;
    memcpy(&u, &y, sizeof u);
    u &= 0x7ff0000000000000u;
    double power;
    memcpy(&power, &u, sizeof power);
    return (power < 0x1p-126 ? 0x1p-126 : power) * 0x1p-23;
}

/* floats in increasing order: 0 is -Inf, and -0 comes just before +0 */
static float ordered(uint32_t i)
{
    return x_float(i < 0x7f800001u ? 0xff800000u - i : i - 0x7f800001u);
}

int main(void)
{
    const double low = %(low)s, high = %(high)s, range_low = %(range_low)s, range_high = %(range_high)s;
    double most_ulps = 0, most_absolute = 0, before = -INFINITY;
    float at_ulps = 0, at_absolute = 0;
    unsigned long range = 0, decreasing = 0, nan = 0, odd = 0, count = 0;
    for (uint32_t i = 0; i < 2u * 0x7f800001u; i++) {
        const float a = ordered(i);
        if (!(a >= low && a <= high)) continue;
        const float y = x_%(name)s(a);
        count++;
        if (!(y >= range_low && y <= range_high)) range++;
        if (y < before) decreasing++;
        before = y;
        if (x_bits(x_%(name)s(-a)) != (x_bits(y) ^ 0x80000000u)) odd++;
        const double rounds_to_infinity = 0x1.ffffffp127, value = exact(a);
        if (isinf(y) && fabs(value) >= rounds_to_infinity && (y > 0) == (value > 0)) continue;
        const double error = isinf(y) ? INFINITY : fabs(y - value);
        if (error > most_absolute) most_absolute = error, at_absolute = a;
        if (error > most_ulps * ulp(value)) most_ulps = error / ulp(value), at_ulps = a;
    }
    for (uint32_t i = 0x7f800001u; i < 0x80000000u; i++) {
        nan += !isnan(x_%(name)s(x_float(i)));
        nan += !isnan(x_%(name)s(x_float(i | 0x80000000u)));
    }
    printf("{\"ulps\": %%.4f, \"at_ulps\": \"%%.9g\", \"absolute\": \"%%.3g\", \"at_absolute\": \"%%.9g\",\n"
           "\"range\": %%lu, \"decreasing\": %%lu, \"nan\": %%lu, \"odd\": %%lu, \"count\": %%lu,\n"
           "\"special\": [\"%%g\", \"%%g\", \"%%g\", \"%%g\"]}\n",
           most_ulps, (double)at_ulps, most_absolute, (double)at_absolute, range, decreasing, nan, odd, count,
           (double)x_%(name)s(-INFINITY), (double)x_%(name)s(-0.0f),
           (double)x_%(name)s(0.0f), (double)x_%(name)s(INFINITY));
    return 0;
}
"""


def measure(name: str, folder: Path) -> dict[str, Any]:
    """Print the C, compile it and run it over every float of the domain."""
    f = APPROXIMATIONS[name]
    spell = {np.inf: "INFINITY", -np.inf: "-INFINITY"}
    limits = zip(("low", "high", "range_low", "range_high"), f.domain + f.image, strict=True)
    source = folder / f"{name}.c"
    source.write_text(
        PROGRAM
        % {
            "functions": "\n".join([c_helpers("x"), *(c_function(g, "x") for g in in_order([name]))]),
            "reference": REFERENCE.get(name, f"{name}(x)"),
            "name": name,
            **{key: spell.get(limit, repr(limit)) for key, limit in limits},
        }
    )
    program = source.with_suffix("")
    subprocess.run([CC, *FLAGS, source, "-o", program, "-lm"], check=True)
    return json.loads(subprocess.run([program], check=True, capture_output=True, text=True).stdout)


def failures(name: str, m: dict[str, Any]) -> list[str]:
    """What the measurement contradicts."""
    f = APPROXIMATIONS[name]
    found = {
        f"{m['ulps']} ulp": m["ulps"] > f.ulps,
        f"absolute error {m['absolute']}": float(m["absolute"]) > f.absolute,
        f"{m['range']} results out of range": m["range"] > 0,
        f"{m['nan']} NaNs lost": m["nan"] > 0,
        f"{m['odd']} signs wrong": m["odd"] > 0 and name in ODD,
    }
    return [f"{name}: {text}" for text, failed in found.items() if failed]


def report(measured: dict[str, dict[str, Any]]) -> str:
    """The page of figures."""
    rows = []
    for name, m in measured.items():
        f, cost = APPROXIMATIONS[name], APPROXIMATIONS[name].operations()
        absolute = f"{m['absolute']} at {m['at_absolute']}" if f.absolute < np.inf else "unbounded"
        special = ", ".join(m["special"]) if f.domain == (-np.inf, np.inf) else ""
        rows.append(
            f"| {name} | {f.domain[0]:g} to {f.domain[1]:g} | {m['ulps']} at {m['at_ulps']} | {absolute} "
            f"| {m['decreasing'] or 'none'} | {'yes' if name in ODD else ''} | {special} "
            f"| {cost['+-']} | {cost['*']} | {cost['/']} | {cost['bits']} | {cost['select']} |"
        )
    compiler = subprocess.run([CC, "--version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]
    return f"""\
# The emitted float32 functions, over every float

{date.today()}, {compiler}, `{" ".join(FLAGS)}`, {platform.machine()}. \
Made by `python benchmarks/activations.py`, which checks every
float of the domain and all NaNs against libm in double. An ulp is the spacing of float32 at the exact value. No result
is out of range and every NaN stays NaN. "Decreases" counts neighbouring floats whose results come in the wrong order.
"Special" are the results for -Inf, -0, +0 and +Inf. The costs of erf include its call of exp.

| function | domain | largest error in ulp | largest absolute error | decreases | odd | special \
| + - | * | / | bits | selects |
|---|---|---|---|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}
"""


def main() -> int:
    names = sys.argv[1:] or list(APPROXIMATIONS)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        measured = dict(zip(names, pool.map(lambda name: measure(name, Path(folder)), names), strict=True))
    failed = [failure for name in names for failure in failures(name, measured[name])]
    print(report(measured), *failed, sep="\n")
    if not sys.argv[1:] and not failed:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(report(measured))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
