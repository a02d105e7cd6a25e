"""Maps over a whole window as C: where each element of the result comes from.

Every sum goes from the first time step to the last, as in `float32_maps`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from symgru.backends.c.arrays import Value, filled, names, nest, plus
from symgru.backends.c.names import number

Options = Mapping[str, Any]
TOP = "top = v > top || v != v ? v : top; /* NaN stays */"


def view(kind: str, o: Options, args: Sequence[Value], shape: tuple[int, ...]) -> Value | None:
    """A map that moves nothing: its value is where its argument's is, read in another way. None for any other."""
    x = args[0]
    if kind == "cast":
        return x
    if kind == "flip" and x.lead == 1 and len(x.shape) <= 2:
        return replace(x, reversed=not x.reversed)
    if x.reversed:
        if kind == "last":
            return Value(x.name, shape, 1, x.offset)
        return None
    if kind in ("flatten", "reshape"):
        return replace(x, shape=shape)
    if kind == "fold":
        return replace(x, lead=x.lead * x.shape[0], shape=shape)
    if kind == "unfold":
        return replace(x, lead=args[1].lead, shape=shape)
    if x.lead == 1:
        start = _start(kind, o, x)
        if start is not None:
            return replace(x, shape=shape, offset=x.offset + start * prod(x.shape[1:]))
    return None


def _start(kind: str, o: Options, x: Value) -> int | None:
    """The first of the time steps that a map keeps, where it keeps neighbours in their order."""
    if kind == "last":
        return x.shape[0] - 1
    if kind == "crop":
        return int(o["before"])
    if kind == "take" and o["axis"] == 1:
        return range(x.shape[0])[o["index"]]
    if kind == "part" and o["axis"] == 1 and o.get("step") in (None, 1):
        return range(x.shape[0])[slice(o.get("start"), o.get("stop"))].start
    return None


def lines(kind: str, o: Options, args: Sequence[Value], y: Value) -> list[str]:
    """C that fills `y` from the arguments."""
    return _KINDS[kind](o, args, y)


def _moved(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    """A copy."""
    return filled(y, args[0].at(*names(y.axes)))


def _flip(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    b, t, *rest = names(y.axes)
    turned = t if t.isdigit() else f"({y.shape[0] - 1} - {t})"
    return filled(y, args[0].at(b, turned, *rest))


def _flip_until(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    b, t, *rest = names(y.axes)
    x, (count, steps) = args[0], (args[1].at(b, *["0"] * len(args[1].shape)), y.shape[0])
    first = f"const size_t n = {count} > 0.0f ? ({count} < {steps}.0f ? (size_t){count} : {steps}) : 0;"
    turned = f"const size_t from = {t} < n ? n - 1 - {t} : {t};"
    return nest(y.axes, [first, turned, f"{y.at(b, t, *rest)} = {x.at(b, 'from', *rest)};"])


def _last(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    b, *rest = names(y.axes)
    return filled(y, args[0].at(b, str(args[0].shape[0] - 1), *rest))


def _pad(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    (x,) = args
    return [*filled(y, "0.0f"), *_placed(x, y, o["before"])]


def _placed(x: Value, y: Value, start: int, axis: int = 1) -> list[str]:
    """Lines that copy x to where it lies in y: `start` further on along an axis."""
    indices = names(x.axes)
    target = [plus(i, start) if k == axis else i for k, i in enumerate(indices)]
    return nest(x.axes, [f"{y.at(*target)} = {x.at(*indices)};"])


def _crop(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    b, t, *rest = names(y.axes)
    return filled(y, args[0].at(b, plus(t, o["before"]), *rest))


def _repeat(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    b, _, *rest = names(y.axes)
    return filled(y, args[0].at(b, *rest))


def _upsample(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    b, t, *rest = names(y.axes)
    return filled(y, args[0].at(b, t if t.isdigit() else f"{t} / {o['n']}", *rest))


def _permute(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    b, *own = names(y.axes)
    where = dict(zip(o["axes"], own, strict=True))
    return filled(y, args[0].at(b, *(where[axis] for axis in range(1, len(own) + 1))))


def _concatenate(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    axis, start, found = o["axis"], 0, list[str]()
    for x in args:
        found += _placed(x, y, start, axis)
        start += x.shape[axis - 1]
    return found


def _slice(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    *front, i = names(y.axes)
    start = range(args[0].shape[-1])[slice(o["start"], o["stop"])].start
    return filled(y, args[0].at(*front, plus(i, start)))


def _take(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    indices, axis = names(y.axes), o["axis"]
    chosen = range(args[0].shape[axis - 1])[o["index"]]
    return filled(y, args[0].at(*indices[:axis], str(chosen), *indices[axis:]))


def _part(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    indices, axis = names(y.axes), o["axis"]
    chosen = range(args[0].shape[axis - 1])[slice(o.get("start"), o.get("stop"), o.get("step"))]
    own = indices[axis]
    if own.isdigit():
        indices[axis] = str(chosen.start)
    elif chosen.step < 0:
        indices[axis] = f"({chosen.start} - {own}{f' * {-chosen.step}' if chosen.step != -1 else ''})"
    else:
        indices[axis] = plus(f"{own} * {chosen.step}" if chosen.step != 1 else own, chosen.start)
    return filled(y, args[0].at(*indices))


def _constant(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    _, *own = names(y.axes)
    return filled(y, args[1].at("0", *own))


# windows and pools


def _stretch(o: Options, steps: int, count: int) -> tuple[int, int, int, int]:
    """(size, stride, dilation, time steps that are missing before the first)."""
    size, stride, dilation = o["size"], o.get("stride", 1), o.get("dilation", 1)
    reach, padding = dilation * (size - 1) + 1, o.get("padding", "valid")
    if padding == "causal":
        return size, stride, dilation, reach - 1
    missing = max((count - 1) * stride + reach - steps, 0) if padding == "same" else 0
    return size, stride, dilation, missing // 2


def _looked_at(o: Options, x: Value, y: Value, inner: list[str], otherwise: list[str]) -> list[str]:
    """A loop over the time steps `from` of the window t; a step that is only padding is left out, or has lines of its
    own."""
    count = y.shape[0]
    size, stride, dilation, before = _stretch(o, x.shape[0], count)
    t = "0" if count == 1 else "t"
    place = " + ".join(filter(None, [_times(t, stride), _times("k", dilation)])) or "0"
    last = (count - 1) * stride + dilation * (size - 1)
    guard = [f"at >= {before}"] if before else []
    guard += [f"at < {before + x.shape[0]}"] if last >= before + x.shape[0] else []
    body = [f"const size_t at = {place};"]
    shown = [line.replace("FROM", f"(at - {before})" if before else "at") for line in inner]
    if guard:
        other = ["} else {", *(f"    {line}" for line in otherwise)] if otherwise else []
        body += [f"if ({' && '.join(guard)}) {{", *(f"    {line}" for line in shown), *other, "}"]
    else:
        body += shown
    return [f"for (size_t k = 0; k < {size}; k++) {{", *(f"    {line}" for line in body), "}"]


def _times(index: str, n: int) -> str:
    return "" if index == "0" else index if n == 1 else f"{index} * {n}"


def _window(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    (x,) = args
    width = x.shape[1]
    b, t, i = names((*y.axes[:2], width))
    target = y.at(b, t, "k" if width == 1 else f"k * {width} + {i}")
    inner, other = [f"{target} = {x.at(b, 'FROM', i)};"], [f"{target} = 0.0f;"]
    around = nest((1, 1, width), inner), nest((1, 1, width), other)
    return nest((*y.axes[:2], 1), _looked_at(o, x, y, *around))


def _max_pool(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    (x,) = args
    b, t, i = names(y.axes)
    start = f"float top = {x.at(b, _first(o, x, y, t), i)};"
    looked = _looked_at(o, x, y, [f"const float v = {x.at(b, 'FROM', i)};", TOP], [])
    return nest(y.axes, [start, *looked, f"{y.at(b, t, i)} = top;"])


def _first(o: Options, x: Value, y: Value, t: str) -> str:
    """The first time step that a window looks at and that is there."""
    _, stride, _, before = _stretch(o, x.shape[0], y.shape[0])
    if t == "0" or not before:
        return _times(t, stride) or "0"
    place = _times(t, stride)
    return f"({place} > {before} ? {place} - {before} : 0)"


def _mean_pool(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    (x,) = args
    b, t, i = names(y.axes)
    same = o.get("padding", "valid") != "valid"
    inner = [f"sum += {x.at(b, 'FROM', i)};", *(["count += 1.0f;"] if same else [])]
    start = [
        "float sum = 0.0f;",
        *(["float count = 0.0f; /* how many of a window's time steps are real ones */"] * same),
    ]
    end = f"{y.at(b, t, i)} = sum / {'count' if same else number(o['size'])};"
    return nest(y.axes, [*start, *_looked_at(o, x, y, inner, []), end])


def _over(o: Options, x: Value, y: Value, place: str) -> str:
    """An element of x: at a place of the axis that goes, else where the result lies."""
    axis, own = o.get("axis", 1), names(y.axes)
    return x.at(*own[:axis], place, *own[axis:])


def _global_max(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    (x,) = args
    body = [
        f"float top = {_over(o, x, y, '0')};",
        f"for (size_t k = 1; k < {x.shape[o.get('axis', 1) - 1]}; k++) {{",
        f"    const float v = {_over(o, x, y, 'k')};",
        f"    {TOP}",
        "}",
        f"{y.at(*names(y.axes))} = top;",
    ]
    return nest(y.axes, body)


def _global_mean(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    x, n = args[0], args[0].shape[o.get("axis", 1) - 1]
    each, own = _over(o, x, y, "k"), y.at(*names(y.axes))
    head = f"for (size_t k = 0; k < {n}; k++) {{"
    if len(args) == 1:
        return nest(y.axes, ["float sum = 0.0f;", head, f"    sum += {each};", "}", f"{own} = sum / {number(n)};"])
    m = args[1].at(names(y.axes)[0], "k")
    start = ["float sum = 0.0f;", "float count = 0.0f;", head]
    return nest(
        y.axes, [*start, f"    sum += {m} != 0.0f ? {each} : 0.0f;", f"    count += {m};", "}", f"{own} = sum / count;"]
    )


# masks, which are 1 or 0


def _not_equal(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    (x,) = args
    own = names(y.axes)
    test = f"{x.at(*own, 'k')} != {number(o['value'])}"
    head = f"for (size_t k = 0; k < {x.shape[-1]}; k++) {{"
    body = ["float found = 0.0f;", head, f"    found = {test} ? 1.0f : found;", "}", f"{y.at(*own)} = found;"]
    return nest(y.axes, body)


def _differs(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    return filled(y, f"{args[0].at(*names(y.axes))} != {number(o['value'])} ? 1.0f : 0.0f")


def _any(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    """Anything but 0 on the last axis."""
    return _not_equal({"value": 0}, args, y)


def _not_zero(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    return filled(y, f"{args[0].at(*names(y.axes))} != 0.0f ? 1.0f : 0.0f")


def _until(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    b, t = names(y.axes)
    n = args[1]
    return filled(y, f"(float){t} < {n.at(b, *['0'] * len(n.shape))} ? 1.0f : 0.0f")


def _started(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    own = names(y.axes)
    body = [f"seen = {args[0].at(*own)} != 0.0f ? 1.0f : seen;", f"{y.at(*own)} = seen;"]
    return nest((y.lead, 1), ["float seen = 0.0f;", *nest((1, *y.axes[1:]), body)])


def _both(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    own = names(y.axes)
    return filled(y, " * ".join(m.at(*own) for m in args))


def _either(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    """An axis of length 1 goes with any: `names` gives it the index 0 in an argument, the loop's own in the result."""
    tests = [f"{m.at(*_narrow(m, y))} != 0.0f" for m in args]
    return filled(y, f"{' || '.join(tests)} ? 1.0f : 0.0f")


def _narrow(m: Value, y: Value) -> list[str]:
    """The indices of y, where m has one element only 0."""
    return ["0" if n == 1 else own for n, own in zip(m.axes, names(y.axes), strict=True)]


def _unmasked(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    return filled(y, "1.0f")


def _erase(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    own = names(y.axes)
    x, m = args
    return filled(y, f"{x.at(*own)} * {m.at(*own[:-1])}")


def _blank(o: Options, args: Sequence[Value], y: Value) -> list[str]:
    own = names(y.axes)
    x, m = args
    return filled(y, f"{m.at(*own[:-1])} != 0.0f ? {x.at(*own)} : {number(o.get('value', 0))}")


_KINDS = {
    "flip": _flip,
    "flip_until": _flip_until,
    "last": _last,
    "pad": _pad,
    "crop": _crop,
    "repeat": _repeat,
    "upsample": _upsample,
    "window": _window,
    "max_pool": _max_pool,
    "mean_pool": _mean_pool,
    "global_max": _global_max,
    "global_mean": _global_mean,
    "flatten": _moved,
    "reshape": _moved,
    "permute": _permute,
    "concatenate": _concatenate,
    "slice": _slice,
    "take": _take,
    "part": _part,
    "constant": _constant,
    "fold": _moved,
    "unfold": _moved,
    "not_equal": _not_equal,
    "differs": _differs,
    "any": _any,
    "not_zero": _not_zero,
    "until": _until,
    "started": _started,
    "both": _both,
    "either": _either,
    "unmasked": _unmasked,
    "erase": _erase,
    "blank": _blank,
}
