"""What is no equation: values that are moved, looked up, joined, or compared to make a mask.

Each map is written once, as NumPy: that text is what the reference runs in every arithmetic and what the emitted module
holds. Its shape is worked out beside it, without running anything. The first axis is the batch, the second (where there
is one) time; shapes leave the batch out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any, cast

import numpy as np

from symgru.errors import UnusableInput
from symgru.network import Array, Shape

MAX_SIZE = 2**24  # numbers of one value, batch left out

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Map:
    """`text(options, *names)` is an expression, `shape(options, *shapes)` what comes out; `tables` are the names of its
    weights, which come after the arguments; `helpers` are functions that the expression calls; `plain` maps want
    floats of the network's dtype, since they compare; a map that `computes` gives
    other numbers than it was given, which a rounded chain rounds."""

    says: str
    text: Callable[..., str]
    shape: Callable[..., Shape]
    tables: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()
    plain: bool = False
    computes: bool = False


HELPERS = {
    "windows": '''\
def windows(x, size, stride=1, dilation=1, padding="valid", fill=0):
    """The stretches of `size` time steps that a Conv1D or a pooling looks at: (batch, windows, size, features)."""
    reach = dilation * (size - 1) + 1
    if padding == "causal":
        before, after = reach - 1, 0
    elif padding == "same":
        missing = max((-(-x.shape[1] // stride) - 1) * stride + reach - x.shape[1], 0)
        before, after = missing // 2, missing - missing // 2
    else:
        before, after = 0, 0
    x = np.pad(x, ((0, 0), (before, after), (0, 0)), constant_values=fill)
    last = x.shape[1] - reach + 1
    return np.stack([x[:, k * dilation : k * dilation + last : stride] for k in range(size)], axis=2)
''',
    "flip_until": '''\
def flip_until(x, n):
    """Each sequence's first n time steps in reverse; those after them stay where they are."""
    t, n = np.arange(x.shape[1]), np.minimum(n.reshape(-1, 1).astype(np.int64), x.shape[1])
    return np.take_along_axis(x, np.where(t < n, n - 1 - t, t)[..., None], axis=1)
''',
}


def window_count(steps: int | None, o: Options) -> int | None:
    """How many windows there are in so many time steps."""
    if steps is None:
        return None
    stride = int(o.get("stride", 1))
    reach = int(o.get("dilation", 1)) * (int(o["size"]) - 1) + 1
    if o.get("padding", "valid") in ("same", "causal"):
        return -(-steps // stride)
    return max(0, (steps - reach) // stride + 1)


def _window_call(o: Options, x: str, fill: str = "") -> str:
    names = (("stride", 1), ("dilation", 1), ("padding", "valid"))
    more = [f"{name}={json.dumps(o[name])}" for name, usual in names if o.get(name, usual) != usual]
    return f"windows({', '.join([x, str(o['size']), *more, *([fill] if fill else [])])})"


def _mean_pool(o: Options, x: str) -> str:
    if o.get("padding", "valid") == "valid":
        return f"{_window_call(o, x)}.sum(axis=2) / {o['size']}"
    ones = f"np.ones((1, {x}.shape[1], 1), dtype=int)"  # how many of a window's time steps are real ones
    return f"{_window_call(o, x)}.sum(axis=2) / {_window_call(o, ones)}.sum(axis=2).astype({x}.dtype)"


def _reshaped(o: Options, s: Shape) -> Shape:
    target = tuple(o["shape"])
    if None in s:
        return tuple(None if n == -1 else n for n in target)
    known = prod(n for n in target if n != -1)
    total = prod(cast("tuple[int, ...]", s))
    if (-1 in target and (not known or total % known)) or (-1 not in target and total != known):
        raise UnusableInput(f"cannot reshape {total} numbers to {list(target)}")
    return tuple(total // known if n == -1 else n for n in target)


def _joined(o: Options, *shapes: Shape) -> Shape:
    axis = o["axis"] - 1
    others = [(*s[:axis], *s[axis + 1 :]) for s in shapes]
    if any(len({n for n in lengths if n is not None}) > 1 for lengths in zip(*others, strict=True)):
        raise UnusableInput(f"cannot join {' and '.join(map(str, shapes))} along axis {o['axis']}: the others differ")
    along = [s[axis] for s in shapes]
    total = None if None in along else sum(cast("list[int]", along))
    return (*shapes[0][:axis], total, *shapes[0][axis + 1 :])


def _flat(o: Options, s: Shape) -> Shape:
    return (None if None in s else prod(cast("tuple[int, ...]", s)),)


def _longer(o: Options, s: Shape) -> Shape:
    return (None if s[0] is None else s[0] + o["before"] + o["after"], *s[1:])


def _shorter(o: Options, s: Shape) -> Shape:
    return (None if s[0] is None else s[0] - o["before"] - o["after"], *s[1:])


def _transposed(o: Options) -> str:
    return ", ".join(["0", *map(str, o["axes"])])


def _global_mean(o: Options, x: str, mask: str = "") -> str:
    axis = o.get("axis", 1)
    if not mask:
        return f"{x}.sum(axis={axis}) / {x}.shape[{axis}]"
    kept = f"np.where({mask}[..., None], {x}, 0)"  # not times the mask: a masked infinity is no NaN
    return f"{kept}.sum(axis=1) / {mask}.sum(axis=1, keepdims=True).astype({x}.dtype)"


def _without(o: Options, s: Shape, *_: Shape) -> Shape:
    axis = o.get("axis", 1) - 1
    return (*s[:axis], *s[axis + 1 :])


def _plain_number(value: float) -> str:
    """A number without a fraction as a whole one, which compares with indices too."""
    return repr(int(value)) if float(value).is_integer() else repr(float(value))


def _slice(o: Options) -> str:
    start, stop, step = ("" if o.get(name) in (None, usual) else str(o[name]) for name, usual in _SLICE)
    return f"{start}:{stop}" + (f":{step}" if step else "")


_SLICE = (("start", 0), ("stop", None), ("step", 1))


def _stretch(o: Options, s: Shape) -> Shape:
    """What a slice of an axis leaves; of an axis of any length an unknown number."""
    axis = o["axis"] - 1
    length = s[axis]
    left = None if length is None else len(range(length)[o.get("start") : o.get("stop") : o.get("step")])
    return (*s[:axis], left, *s[axis + 1 :])


MAPS: dict[str, Map] = {
    # time
    "flip": Map("time reversed", lambda o, x: f"{x}[:, ::-1]", lambda o, s: s),
    "flip_until": Map(
        "the first so many time steps reversed",
        lambda o, x, n: f"flip_until({x}, {n})",
        lambda o, s, n: s,
        helpers=("flip_until",),
    ),
    "last": Map("the last time step", lambda o, x: f"{x}[:, -1]", lambda o, s: s[1:]),
    "pad": Map(
        "zeros before and after in time",
        lambda o, x: f"np.pad({x}, ((0, 0), ({o['before']}, {o['after']}), (0, 0)))",
        _longer,
    ),
    "crop": Map(
        "time steps cut off at both ends",
        lambda o, x: f"{x}[:, {o['before']} : {x}.shape[1] - {o['after']}]",
        _shorter,
    ),
    "repeat": Map(
        "the same vector at every time step",
        lambda o, x: f"np.repeat({x}[:, None], {o['n']}, axis=1)",
        lambda o, s: (o["n"], *s),
    ),
    "upsample": Map(
        "each time step several times",
        lambda o, x: f"np.repeat({x}, {o['n']}, axis=1)",
        lambda o, s: (None if s[0] is None else o["n"] * s[0], *s[1:]),
    ),
    "window": Map(
        "several time steps side by side",
        lambda o, x: f"{_window_call(o, x)}.reshape(len({x}), -1, {o['size']} * {x}.shape[2])",
        lambda o, s: (window_count(s[0], o), o["size"] * s[1]),
        helpers=("windows",),
    ),
    "max_pool": Map(
        "the largest of several time steps",
        lambda o, x: f"{_window_call(o, x, 'fill=-np.inf')}.max(axis=2)",
        lambda o, s: (window_count(s[0], o), s[1]),
        helpers=("windows",),
    ),
    "mean_pool": Map(
        "the mean of several time steps",
        _mean_pool,
        lambda o, s: (window_count(s[0], o), s[1]),
        helpers=("windows",),
        computes=True,
    ),
    "global_max": Map("the largest over time", lambda o, x: f"{x}.max(axis={o.get('axis', 1)})", _without),
    "global_mean": Map("the mean over time", _global_mean, _without, computes=True),
    # axes
    "flatten": Map("all axes in one", lambda o, x: f"{x}.reshape(len({x}), -1)", _flat),
    "reshape": Map(
        "another shape",
        lambda o, x: f"{x}.reshape({', '.join([f'len({x})', *map(str, o['shape'])])})",
        _reshaped,
    ),
    "permute": Map(
        "axes exchanged",
        lambda o, x: f"{x}.transpose({_transposed(o)})",
        lambda o, s: tuple(s[axis - 1] for axis in o["axes"]),
    ),
    "concatenate": Map(
        "side by side",
        lambda o, *xs: f"np.concatenate([{', '.join(xs)}], axis={o['axis']})",
        _joined,
    ),
    "slice": Map(
        "some of the features",
        lambda o, x: f"{x}[..., {o['start']} : {o['stop']}]",
        lambda o, s: (*s[:-1], o["stop"] - o["start"]),
    ),
    "take": Map(
        "one index of an axis",
        lambda o, x: f"{x}[{':, ' * o['axis']}{o['index']}]",
        _without,
    ),
    "part": Map(
        "a stretch of an axis",
        lambda o, x: f"{x}[{':, ' * o['axis']}{_slice(o)}]",
        _stretch,
    ),
    "constant": Map(
        "the same numbers for each sample",
        lambda o, x, table: f"np.repeat({table}[None], len({x}), axis=0)",
        lambda o, s, table: table,
        tables=("E",),
    ),
    # batch and time as one axis, and back: a layer that is applied to each time step
    "fold": Map(
        "each time step a sample of its own",
        lambda o, x: f"{x}.reshape(-1, *{x}.shape[2:])",
        lambda o, s: s[1:],
    ),
    "unfold": Map(
        "the time steps of each sample again",
        lambda o, y, x: f"{y}.reshape({x}.shape[:2] + {y}.shape[1:])",
        lambda o, y, x: (x[0], *y),
    ),
    # a look-up
    "embed": Map(
        "a row of the table for each index",
        lambda o, x, table: f"{table}[{x}.astype(np.int64)]",
        lambda o, s, table: (*s, table[1]),
        tables=("E",),
    ),
    # numbers of another type from here on
    "cast": Map(
        "in another precision",
        lambda o, x: f"{x}.astype(np.{o['dtype']})",
        lambda o, s: s,
    ),
    # masks
    "not_equal": Map(
        "a mask: any feature differs",
        lambda o, x: f"({x} != {_plain_number(o['value'])}).any(axis=-1)",
        lambda o, s: s[:-1],
        plain=True,
    ),
    "differs": Map(
        "a mask: each number that differs",
        lambda o, x: f"{x} != {_plain_number(o['value'])}",
        lambda o, s: s,
        plain=True,
    ),
    "any": Map("a mask: anything holds", lambda o, m: f"{m}.any(axis=-1)", lambda o, s: s[:-1]),
    "not_zero": Map("a mask: not 0", lambda o, x: f"{x} != 0", lambda o, s: s, plain=True),
    "until": Map(
        "a mask: the first so many time steps",
        lambda o, x, n: f"np.arange({x}.shape[1]) < {n}.reshape(-1, 1)",
        lambda o, s, n: s[:1],
        plain=True,
    ),
    "started": Map(
        "a mask: at or after the first step that counts",
        lambda o, m: f"np.logical_or.accumulate({m}, axis=1)",
        lambda o, s: s,
    ),
    "both": Map(
        "a mask: every mask holds",
        lambda o, *ms: " & ".join(ms),
        lambda o, *s: s[0],
    ),
    "either": Map(
        "a mask: one of both holds",
        lambda o, p, q: f"{p} | {q}",
        lambda o, s, t: tuple(b if a == 1 else a for a, b in zip(s, t, strict=True)),
    ),
    "unmasked": Map(
        "a mask that holds everywhere",
        lambda o, x: f"np.ones({x}.shape[:2], dtype=bool)",
        lambda o, s: s[:1],
    ),
    "erase": Map(
        "times 0 where the mask does not hold",
        lambda o, x, m: f"{x} * {m}[..., None]",
        lambda o, s, m: s,
    ),
    "blank": Map(
        "0 where the mask does not hold",  # or 1, which an option says
        lambda o, x, m: f"np.where({m}[..., None], {x}, {o.get('value', 0)})",
        lambda o, s, m: s,
    ),
}


def apply(kind: str, options: Options, arrays: Sequence[Array]) -> Array:
    """Run a map on arrays (its tables last). Raises UnusableInput where an index is past the end."""
    names = tuple("abcdefghijklmnopqrstuvwxyz"[k] if k < 26 else f"a{k}" for k in range(len(arrays)))
    try:
        return evaluate(MAPS[kind].text(options, *names), names, arrays)
    except IndexError:
        raise UnusableInput(f"{kind} ({MAPS[kind].says}): an index is past the end of the axis") from None


def evaluate(text: str, names: Sequence[str], arrays: Sequence[Array]) -> Array:
    """Run a map's text on arrays of these names."""
    result: Array = eval(_compiled(text), {**_helpers(), "np": np, **dict(zip(names, arrays, strict=True))})
    return result


@cache
def _compiled(text: str) -> Any:
    """The text is symgru's own: options are numbers that the reader has checked, and no name comes from a file."""
    return compile(text, "<map>", "eval")


@cache
def _helpers() -> dict[str, Any]:
    namespace: dict[str, Any] = {"np": np}
    for source in HELPERS.values():
        exec(compile(source, "<map helper>", "exec"), namespace)
    return namespace


def shape(kind: str, options: Options, shapes: Sequence[Shape]) -> Shape:
    """What comes out of a map, from the shapes of its arguments (and tables).

    Raises UnusableInput where they do not fit, or the result would be too large.
    """
    try:
        found = MAPS[kind].shape(options, *shapes)
    except TypeError:  # None in arithmetic
        raise UnusableInput(f"{kind} of shape {shapes[0]} needs axes of fixed length") from None
    if any(n is not None and n < 1 for n in found) or prod(n or 1 for n in found) > MAX_SIZE:
        raise UnusableInput(f"{kind} of shape {shapes[0]} gives {found}, which cannot be held")
    return found
