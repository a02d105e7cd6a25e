"""What maps do, in a spreadsheet. A map that only moves values is run on the cells' addresses themselves; what looks
at values has a formula here.

`moved` and `FORMULAS` take arrays of formulas (an address, an expression or a number each) with the batch first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symgru.errors import Unsupported
from symgru.maps import _helpers, apply
from symgru.network import Array, Layer

Options = Mapping[str, Any]
MOST = 250  # arguments of a function; Excel takes 255


def moved(layer: Layer, arrays: Sequence[Array]) -> Array:
    """Where the values stand that a map has moved."""
    if layer.kind == "cast":
        return arrays[0]
    found = apply(layer.kind, layer.options, arrays)
    return found.astype(object)


def call(name: str, parts: Sequence[object]) -> str:
    """A function of any number of arguments; more than a function takes are nested."""
    texts = [str(p) for p in parts]
    while len(texts) > MOST:
        texts = [f"{name}({','.join(texts[k : k + MOST])})" for k in range(0, len(texts), MOST)]
    return f"{name}({','.join(texts)})"


def flag(condition: str) -> str:
    """1 where it holds, else 0."""
    return f"IF({condition},1,0)"


def each(f: Callable[..., str], *arrays: Array) -> Array:
    return np.asarray(np.frompyfunc(f, len(arrays), 1)(*arrays), dtype=object)


def along(f: Callable[[Sequence[object]], str], x: Array, axis: int) -> Array:
    """One formula for all values along an axis."""
    lines = np.moveaxis(x, axis, -1)
    return np.array([f(list(line)) for line in lines.reshape(-1, lines.shape[-1])], dtype=object).reshape(
        lines.shape[:-1]
    )


def _number(v: object) -> str:
    return repr(int(v)) if float(v).is_integer() else repr(float(v))  # type: ignore[arg-type, call-overload]


def _differs(o: Options, x: Array) -> Array:
    return each(lambda a: flag(f"{a}<>{_number(o['value'])}"), x)


def _any(x: Array) -> Array:
    return along(lambda parts: flag(call("OR", parts)), x, -1)


def _until(o: Options, x: Array, n: Array) -> Array:
    t = np.arange(x.shape[1])[None]
    return each(lambda t, n: flag(f"{t}<{n}"), t, n.reshape(-1, 1))


def _started(o: Options, m: Array) -> Array:
    return np.stack([along(lambda parts: flag(call("OR", parts)), m[:, : t + 1], 1) for t in range(m.shape[1])], axis=1)


def _together(name: str, *masks: Array) -> Array:
    return each(lambda *parts: flag(call(name, parts)), *np.broadcast_arrays(*masks))


def _global_mean(o: Options, x: Array, mask: Array | None = None) -> Array:
    if mask is None:
        return along(lambda parts: call("AVERAGE", parts), x, o.get("axis", 1))
    kept = each(lambda m, a: f"IF({m},{a},0)", mask[..., None], x)
    count = along(lambda parts: call("SUM", parts), mask, 1)
    return each(lambda total, n: f"{total}/{n}", along(lambda parts: call("SUM", parts), kept, 1), count[:, None])


def _windows(o: Options, x: Array) -> Array:
    """(batch, windows, size, features), None where a window reaches past the end."""
    windows: Callable[..., Array] = _helpers()["windows"]
    found = windows(x, o["size"], o.get("stride", 1), o.get("dilation", 1), o.get("padding", "valid"), "")
    return found


def _pool(name: str) -> Callable[..., Array]:
    return lambda o, x: along(lambda parts: call(name, [p for p in parts if p != ""]), _windows(o, x), 2)


def _embed(o: Options, x: Array, table: Array) -> Array:
    name = str(table[0, 0]).removeprefix("INDEX(").partition(",")[0]
    columns = np.arange(1, table.shape[1] + 1)
    return each(lambda row, column: f"INDEX({name},{row}+1,{column})", x[..., None], columns)


def _flip_until(o: Options, x: Array, n: Array) -> Array:
    steps = x.shape[1]
    if steps >= MOST:
        raise Unsupported(
            f"a spreadsheet turns no more than {MOST - 1} time steps round up to a length; there are {steps}"
        )

    def turned(t: int, n: object, *line: object) -> str:
        return call("CHOOSE", [f"MIN({n},{steps})+1", *(line[k - 1 - t if t < k else t] for k in range(steps + 1))])

    return np.stack(
        [
            each(lambda n, *line, t=t: turned(t, n, *line), n.reshape(-1, 1), *np.moveaxis(x, 1, 0))
            for t in range(steps)
        ],
        axis=1,
    )


FORMULAS: dict[str, Callable[..., Array]] = {
    "not_equal": lambda o, x: _any(each(lambda a: f"{a}<>{_number(o['value'])}", x)),
    "differs": _differs,
    "any": lambda o, m: _any(m),
    "not_zero": lambda o, x: each(lambda a: flag(f"{a}<>0"), x),
    "until": _until,
    "started": _started,
    "both": lambda o, *ms: _together("AND", *ms),
    "either": lambda o, *ms: _together("OR", *ms),
    "unmasked": lambda o, x: np.full(x.shape[:2], "1", dtype=object),
    "erase": lambda o, x, m: each(lambda a, m: f"{a}*{m}", x, m[..., None]),
    "blank": lambda o, x, m: each(lambda a, m: f"IF({m},{a},{o.get('value', 0)})", x, m[..., None]),
    "global_max": lambda o, x: along(lambda parts: call("MAX", parts), x, o.get("axis", 1)),
    "global_mean": _global_mean,
    "max_pool": _pool("MAX"),
    "mean_pool": _pool("AVERAGE"),
    "embed": _embed,
    "flip_until": _flip_until,
}
