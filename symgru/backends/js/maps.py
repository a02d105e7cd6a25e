"""Maps in JavaScript, for one sample: nested arrays whose first axis is time, where NumPy's text has the batch first.

Each is an expression; the functions that it calls stand in the template js/helpers.js.j2 and are emitted where they are
used.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symgru.errors import Unsupported
from symgru.maps import MAPS
from symgru.network import Shape

Options = Mapping[str, Any]
Writer = Callable[[Options, Sequence[str], Sequence[Shape], str], str]


def expression(kind: str, o: Options, args: Sequence[str], shapes: Sequence[Shape], dtype: str) -> str:
    """What a map computes, from the texts and shapes of what it reads (its tables last), in a network of that dtype.

    Raises Unsupported, naming the map, for one that JavaScript does not have.
    """
    if kind not in WRITTEN:
        raise _refused(kind)
    return WRITTEN[kind](o, args, shapes, dtype)


def _refused(kind: str, why: str = "") -> Unsupported:
    return Unsupported(f"{kind} ({MAPS[kind].says}){why} is not emitted as JavaScript")


def _along(axis: int, x: str, f: Callable[[str], str]) -> str:
    """A function of the vectors along an axis: of the whole, of each step, or deeper."""
    if axis < 2:
        return f"{x}.map((v) => {f('v')})" if axis else f(x)
    return f"along({x}, {axis}, (v) => {f('v')})"


def _each_number(x: str, shape: Shape, f: Callable[[str], str]) -> str:
    return _along(len(shape), x, f) if len(shape) < 2 else f"deep({x}, (v) => {f('v')})"


def _joined(o: Options, a: Sequence[str], s: Sequence[Shape], dtype: str) -> str:
    if o["axis"] == 1:
        return f"[{', '.join(f'...{x}' for x in a)}]"
    return f"concatenated([{', '.join(a)}], {(o['axis'] - 1) % len(s[0])})"


def _padded(o: Options, a: Sequence[str], s: Sequence[Shape], dtype: str) -> str:
    zeros = (f"...each({count}, () => zeros({a[0]}[0].length))" for count in (o["before"], o["after"]))
    before, after = ((text,) if o[end] else () for text, end in zip(zeros, ("before", "after"), strict=True))
    return f"[{', '.join([*before, f'...{a[0]}', *after])}]"


def _windows(o: Options, x: str, fill: str = "") -> str:
    names = ("stride", 1), ("dilation", 1), ("padding", "valid")
    chosen = [f"{name}: {json.dumps(o[name])}" for name, usual in names if o.get(name, usual) != usual]
    chosen += [f"fill: {fill}"] if fill else []
    more = f", {{ {', '.join(chosen)} }}" if chosen else ""
    return f"windows({x}, {o['size']}{more})"


def _mean_pool(o: Options, a: Sequence[str], s: Sequence[Shape], dtype: str) -> str:
    """Of the padded steps none counts."""
    padded = o.get("padding", "valid") != "valid"
    real = ".filter((row) => row[0] !== null)" if padded else ""
    return f"{_windows(o, a[0], 'null' if padded else '')}.map((window) => column(window{real}, mean))"


def _over_time(kind: str) -> Writer:
    """A function of each feature's numbers over time, of those alone that a mask holds for."""

    def write(o: Options, a: Sequence[str], s: Sequence[Shape], dtype: str) -> str:
        if o.get("axis", 1) != 1 or len(s[0]) != 2:
            raise _refused(kind, f" along axis {o.get('axis', 1)}")
        kept = f".filter((_, t) => {a[1]}[t])" if len(a) > 1 else ""
        return f"column({a[0]}{kept}, {'mean' if kind == 'global_mean' else '(v) => Math.max(...v)'})"

    return write


def _part(o: Options, a: Sequence[str], s: Sequence[Shape], dtype: str) -> str:
    start, stop, step = o.get("start"), o.get("stop"), o.get("step") or 1
    bounds = ", ".join("null" if v is None else str(v) for v in (start, stop))
    ends = ", ".join([str(start or 0), *([] if stop is None else [str(stop)])])
    return _along(o["axis"] - 1, a[0], lambda v: f"{v}.slice({ends})" if step == 1 else f"part({v}, {bounds}, {step})")


def _number(value: Any, dtype: str) -> str:
    """A number as the network holds it."""
    return repr(float(np.dtype(dtype).type(value))).removesuffix(".0")


def _one(text: str, shape: Shape) -> str:
    """The number in a value that has one."""
    return f"{text}[0]" if shape else text


def _either(o: Options, a: Sequence[str], s: Sequence[Shape], dtype: str) -> str:
    if len(s[0]) != 1 or s[0] != s[1]:
        raise _refused("either", f" of shapes {s[0]} and {s[1]}")
    return f"{a[0]}.map((v, t) => v || {a[1]}[t])"


def _by_mask(kind: str, step: Callable[[Options, str], str]) -> Writer:
    """Each step v by the mask's truth value there."""

    def write(o: Options, a: Sequence[str], s: Sequence[Shape], dtype: str) -> str:
        if len(s[0]) != 2 or len(s[1]) != 1:
            raise _refused(kind, f" of shape {s[0]}")
        return f"{a[0]}.map((v, t) => {step(o, f'{a[1]}[t]')})"

    return write


WRITTEN: dict[str, Writer] = {
    # time
    "flip": lambda o, a, s, dtype: f"[...{a[0]}].reverse()",
    "flip_until": lambda o, a, s, dtype: f"flipUntil({a[0]}, {_one(a[1], s[1])})",
    "last": lambda o, a, s, dtype: f"{a[0]}.at(-1)",
    "pad": _padded,
    "crop": lambda o, a, s, dtype: f"{a[0]}.slice({o['before']}, {a[0]}.length - {o['after']})",
    "repeat": lambda o, a, s, dtype: f"each({o['n']}, () => {a[0]})",
    "upsample": lambda o, a, s, dtype: f"{a[0]}.flatMap((v) => each({o['n']}, () => v))",
    "window": lambda o, a, s, dtype: f"{_windows(o, a[0])}.map((window) => window.flat())",
    "max_pool": lambda o, a, s, dtype: (
        f"{_windows(o, a[0], '-Infinity')}.map((window) => column(window, (v) => Math.max(...v)))"
    ),
    "mean_pool": _mean_pool,
    "global_max": _over_time("global_max"),
    "global_mean": _over_time("global_mean"),
    # axes
    "flatten": lambda o, a, s, dtype: f"[{a[0]}].flat(Infinity)",
    "reshape": lambda o, a, s, dtype: f"reshaped({a[0]}, {json.dumps(list(o['shape']))})",
    "permute": lambda o, a, s, dtype: f"permuted({a[0]}, {json.dumps([axis - 1 for axis in o['axes']])})",
    "concatenate": _joined,
    "slice": lambda o, a, s, dtype: _along(len(s[0]) - 1, a[0], lambda v: f"{v}.slice({o['start']}, {o['stop']})"),
    "take": lambda o, a, s, dtype: _along(o["axis"] - 1, a[0], lambda v: f"{v}.at({o['index']})"),
    "part": _part,
    "constant": lambda o, a, s, dtype: a[1],
    "embed": lambda o, a, s, dtype: _each_number(a[0], s[0], lambda v: f"{a[1]}[{v}]"),
    "cast": lambda o, a, s, dtype: a[0],  # all is computed in double precision
    # masks
    "not_equal": lambda o, a, s, dtype: _along(
        len(s[0]) - 1, a[0], lambda v: f"{v}.some((a) => a !== {_number(o['value'], dtype)})"
    ),
    "differs": lambda o, a, s, dtype: _each_number(a[0], s[0], lambda v: f"{v} !== {_number(o['value'], dtype)}"),
    "any": lambda o, a, s, dtype: _along(len(s[0]) - 1, a[0], lambda v: f"{v}.some((holds) => holds)"),
    "not_zero": lambda o, a, s, dtype: _each_number(a[0], s[0], lambda v: f"{v} !== 0"),
    "until": lambda o, a, s, dtype: f"{a[0]}.map((_, t) => t < {_one(a[1], s[1])})",
    "started": lambda o, a, s, dtype: f"{a[0]}.map((_, t) => {a[0]}.slice(0, t + 1).some((holds) => holds))",
    "both": lambda o, a, s, dtype: f"{a[0]}.map((v, t) => {' && '.join(['v', *(f'{m}[t]' for m in a[1:])])})",
    "either": _either,
    "unmasked": lambda o, a, s, dtype: f"{a[0]}.map(() => true)",
    "erase": _by_mask("erase", lambda o, m: f"v.map((a) => a * ({m} ? 1 : 0))"),
    "blank": _by_mask("blank", lambda o, m: f"({m} ? v : v.map(() => {o.get('value', 0)}))"),
}
