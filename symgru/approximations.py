"""How C computes the elementary functions in float32: each algorithm once, printed as C99 and as NumPy.

libm gives other bits on every target, so emitted code brings its own functions. Each is a straight line of + - * /,
of shifts and masks on a float's bits, and of selects: no loop, no branch, no table, no fused multiply-add (compile with
-ffp-contract=off). The NumPy print gives the same bits as the C. benchmarks/activations.py measures the bounds stated
here over all 2^32 floats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

F32 = NDArray[np.float32]


# The language that the algorithms are written in -----------------------------------------------------------------


@dataclass(frozen=True)
class Node:
    """One operation. `op` is an operator sign or one of name, constant, float, bits, select, call."""

    op: str
    args: tuple[Any, ...]


class Float(Node):
    """A float32. Constants are rounded to float32 when written; operations stay as associated."""

    def __add__(self, other: Float | float) -> Float:
        return Float("+", (self, constant(other)))

    def __radd__(self, other: float) -> Float:
        return Float("+", (constant(other), self))

    def __sub__(self, other: Float | float) -> Float:
        return Float("-", (self, constant(other)))

    def __rsub__(self, other: float) -> Float:
        return Float("-", (constant(other), self))

    def __mul__(self, other: Float | float) -> Float:
        return Float("*", (self, constant(other)))

    def __rmul__(self, other: float) -> Float:
        return Float("*", (constant(other), self))

    def __truediv__(self, other: Float | float) -> Float:
        return Float("/", (self, constant(other)))

    def __rtruediv__(self, other: float) -> Float:
        return Float("/", (constant(other), self))

    def __lt__(self, other: Float | float) -> Node:
        return Node("<", (self, constant(other)))

    def __gt__(self, other: Float | float) -> Node:
        return Node(">", (self, constant(other)))

    @property
    def bits(self) -> Bits:
        return Bits("bits", (self,))


class Bits(Node):
    """A float's 32 bits as an unsigned integer, modulo 2^32."""

    def __add__(self, other: Bits | int) -> Bits:
        return Bits("+", (self, word(other)))

    def __sub__(self, other: Bits | int) -> Bits:
        return Bits("-", (self, word(other)))

    def __lshift__(self, places: int) -> Bits:
        return Bits("<<", (self, places))

    def __rshift__(self, places: int) -> Bits:
        return Bits(">>", (self, places))

    def __and__(self, other: Bits | int) -> Bits:
        return Bits("&", (self, word(other)))

    def __or__(self, other: Bits | int) -> Bits:
        return Bits("|", (self, word(other)))

    @property
    def float(self) -> Float:
        return Float("float", (self,))


T = TypeVar("T", Float, Bits)


def constant(value: Float | float) -> Float:
    return value if isinstance(value, Float) else Float("constant", (float(np.float32(value)),))


def word(value: Bits | int) -> Bits:
    return value if isinstance(value, Bits) else Bits("constant", (value,))


def select(condition: Node, then: Float | float, otherwise: Float | float) -> Float:
    """`then` where the condition holds, else `otherwise`; no comparison with NaN holds."""
    return Float("select", (condition, constant(then), constant(otherwise)))


def call(name: str, argument: Float) -> Float:
    """The approximation of that name, as a function of its own."""
    return Float("call", (name, argument))


def walk(node: Node) -> Iterator[Node]:
    """Every node, operands before the node that uses them."""
    for arg in node.args:
        if isinstance(arg, Node):
            yield from walk(arg)
    yield node


@dataclass(frozen=True)
class Approximation:
    """A float32 algorithm: `lines` name intermediate values in order, `result` is the value.

    `ulps` and `absolute` bound its error against the exact function on `domain`; an ulp is the spacing of float32 at
    the exact value. All results lie in `image`; NaN gives NaN.
    """

    name: str
    argument: Float
    lines: tuple[tuple[str, Float | Bits], ...]
    result: Float
    ulps: float
    absolute: float
    note: str
    image: tuple[float, float]
    domain: tuple[float, float]

    @property
    def needs(self) -> tuple[str, ...]:
        """The approximations that this one calls."""
        return tuple(dict.fromkeys(node.args[0] for node in self._nodes() if node.op == "call"))

    def operations(self) -> dict[str, int]:
        """How many operations one evaluation takes, those of called functions included."""
        counts = {"+-": 0, "*": 0, "/": 0, "bits": 0, "select": 0}
        for node in self._nodes():
            if node.op == "call":
                for kind, count in APPROXIMATIONS[node.args[0]].operations().items():
                    counts[kind] += count
            elif node.op == "select":
                counts["select"] += 1
            elif node.op in PRECEDENCE and isinstance(node, Bits):
                counts["bits"] += 1
            elif node.op in PRECEDENCE and isinstance(node, Float):
                counts["+-" if node.op in "+-" else node.op] += 1
        return counts

    def _nodes(self) -> Iterator[Node]:
        for _, value in self.lines:
            yield from walk(value)
        yield from walk(self.result)


class Lines:
    """Collects a function's lines: x = let("x", value)."""

    def __init__(self) -> None:
        self.written: list[tuple[str, Float | Bits]] = []

    def __call__(self, name: str, value: T) -> T:
        self.written.append((name, value))
        return type(value)("name", (name,))


APPROXIMATIONS: dict[str, Approximation] = {}
Algorithm = Callable[[Lines, Float], Float]


def approximates(
    name: str,
    *,
    ulps: float,
    absolute: float,
    note: str,
    image: tuple[float, float],
    domain: tuple[float, float] = (-inf, inf),
) -> Callable[[Algorithm], Algorithm]:
    """Enter an algorithm into APPROXIMATIONS."""

    def enter(algorithm: Algorithm) -> Algorithm:
        let, a = Lines(), Float("name", ("a",))
        result = algorithm(let, a)
        APPROXIMATIONS[name] = Approximation(name, a, tuple(let.written), result, ulps, absolute, note, image, domain)
        return algorithm

    return enter


# The algorithms --------------------------------------------------------------------------------------------------
# Coefficients, lowest first: benchmarks/fit_activations.py finds them.

EXP = (0.49999994, 0.16666521, 0.041668296, 0.008368716, 0.0013818359)
EXPM1 = (0.5, 0.16666669, 0.041666433, 0.008332627, 0.0013938377, 0.00020362524)
LOG1P = (
    -0.4999993, 0.3333047, -0.24958156, 0.19693193, -0.15349098, 0.10670013, -0.057561528, 0.020150334, -0.0033065395
)  # fmt: skip
TANH = (-0.33333316, 0.13332546, -0.053847857, 0.02105254, -0.006246141)
ERF = (0.12837915, -0.37612492, 0.11281768, -0.026764406, 0.0049895328, -0.00059708947)
ERFC = (-1.1286514, -0.6351396, -0.10625627, 0.023778755, -0.0036503465, 0.00032474272, -1.1424947e-05)

LOG2E = 1.4426950408889634
LN2_HIGH = 0.693145751953125  # 15 bits of log 2, so that n * LN2_HIGH is exact for |n| < 512
LN2_LOW = 1.42860677e-06  # the rest
ROUND = 1.5 * 2**23  # x + ROUND is rounded to an integer, which then stands in the lowest bits of the sum
BIAS = 127  # of a float's exponent; it rides along in ROUND, so that bits << 23 is already a power of two
MAGNITUDE, SIGN = 0x7FFFFFFF, 0x80000000


def polynomial(let: Lines, name: str, coefficients: tuple[float, ...], x: Float, square: Float) -> Float:
    """By pairs, then Horner's rule in x^2 (Estrin's first step): as many operations as Horner's, half the chain."""
    pairs = [coefficients[i : i + 2] for i in range(0, len(coefficients), 2)]
    parts = [pair[1] * x + pair[0] if len(pair) == 2 else constant(pair[0]) for pair in pairs]
    value = parts.pop()
    while parts:
        value = let(f"{name}{len(parts)}", value * square + parts.pop())
    return value


def reduced(let: Lines, r: Float, coefficients: tuple[float, ...] = EXP) -> Float:
    """p = e^r - 1 for small r: r + r^2 P(r)."""
    s = let("s", r * r)
    return let("p", polynomial(let, "q", coefficients, r, s) * s + r)


@approximates("exp", ulps=1.0, absolute=inf, image=(0, inf), note="2^n (1 + p) with n = round(a / log 2)")
def _exp(let: Lines, a: Float) -> Float:
    low = let("low", select(a < -104.0, -104.0, a))
    x = let("x", select(low > 89.0, 89.0, low))
    # n runs from -150 to 128, beyond the exponents of a float: 2^n is the product of two powers of two
    m = let("m", x * LOG2E + (ROUND + 2 * BIAS))
    n = let("n", m - (ROUND + 2 * BIAS))
    r = let("r", (x - n * LN2_HIGH) - n * LN2_LOW)
    p = reduced(let, r)
    h = let("h", m.bits >> 1)
    return ((p + 1.0) * (h << 23).float) * ((m.bits - h) << 23).float


@approximates("expm1", ulps=1.4, absolute=inf, image=(-1, inf), note="2^n (1 + p) - 1; a itself where it is tiny")
def _expm1(let: Lines, a: Float) -> Float:
    low = let("low", select(a < -18.0, -18.0, a))
    x = let("x", select(low > 89.0, 89.0, low))
    # 3/4 < e^r < 3/2: next to 0 nothing cancels in 2^n - 1 + 2^n p. k = 2^n / 2, as 2^128 is not a float
    m = let("m", (x * LOG2E - 0.085) + (ROUND + BIAS - 1))
    n = let("n", m - (ROUND + BIAS - 1))
    r = let("r", (x - n * LN2_HIGH) - n * LN2_LOW)
    p = reduced(let, r, EXPM1)
    k = let("k", (m.bits << 23).float)
    return select(x * x < 1e-15, a, ((k - 0.5) + k * p) * 2.0)


@approximates("sigma", ulps=1.8, absolute=9e-8, image=(0, 1), note="1 / (1 + e^-a), both sides times c = 2^-64")
def _sigma(let: Lines, a: Float) -> Float:
    low = let("low", select(a < -104.0, -104.0, a))
    x = let("x", select(low > 20.0, 20.0, low))
    # e^-a = 2^n (1 + p), n from -29 to 150: k = c 2^n is a normal float
    c = 2.0**-64
    m = let("m", x * -LOG2E + (ROUND + BIAS - 64))
    n = let("n", m - (ROUND + BIAS - 64))
    r = let("r", (n * -LN2_HIGH - x) - n * LN2_LOW)
    p = reduced(let, r)
    k = let("k", (m.bits << 23).float)
    u = let("u", k + c)
    lost = let("lost", c - (u - k))  # by rounding: all of c where k is 2^24 c
    return c / (u + (k * p + lost))


@approximates("tanh", ulps=1.4, absolute=8.1e-8, image=(-1, 1), note="a + a^3 P(a^2); beyond 0.55 1 - 2 / (e^2|a| + 1)")
def _tanh(let: Lines, a: Float) -> Float:
    size = let("size", (a.bits & MAGNITUDE).float)
    t = let("t", select(size > 10.0, 10.0, size))
    v = let("v", t * t)
    inner = let("inner", polynomial(let, "u", TANH, v, let("vv", v * v)) * (v * t) + t)
    x = let("x", t + t)
    m = let("m", x * LOG2E + (ROUND + BIAS))
    n = let("n", m - (ROUND + BIAS))
    r = let("r", (x - n * LN2_HIGH) - n * LN2_LOW)
    p = reduced(let, r)
    k = let("k", (m.bits << 23).float)
    outer = let("outer", 1.0 - 2.0 / ((k + 1.0) + k * p))
    y = let("y", select(t > 0.55, outer, inner))
    return (y.bits | (a.bits & SIGN)).float


@approximates("log1p", ulps=1.6, absolute=9.1e-8, image=(0, 0.7), domain=(0, 1), note="a + a^2 P(a), 0 <= a <= 1 only")
def _log1p(let: Lines, a: Float) -> Float:
    s = let("s", a * a)
    return (polynomial(let, "q", LOG1P[1:], a, s) * a + LOG1P[0]) * s + a


@approximates("erf", ulps=1.3, absolute=7.6e-8, image=(-1, 1), note="a + a P(a^2); beyond 0.925 1 - e^Q(|a|)")
def _erf(let: Lines, a: Float) -> Float:
    size = let("size", (a.bits & MAGNITUDE).float)
    t = let("t", select(size > 4.0, 4.0, size))
    s = let("s", t * t)
    inner = let("inner", polynomial(let, "u", ERF, s, let("ss", s * s)) * t + t)
    outer = let("outer", 1.0 - call("exp", polynomial(let, "v", ERFC, t, s) * t))
    y = let("y", select(t > 0.925, outer, inner))
    return (y.bits | (a.bits & SIGN)).float


@approximates(
    "sqrt", ulps=0.8, absolute=inf, image=(0, inf), domain=(0, inf), note="Heron's rule, three times; NaN below 0"
)
def _sqrt(let: Lines, a: Float) -> Float:
    tiny = a < 2.0**-126  # a subnormal float has no exponent to halve
    x = let("x", select(tiny, a * 2.0**24, a))
    s = let("s0", ((x.bits >> 1) + 0x1FBD1DF5).float)  # half the exponent; 3.5 % off at most
    for name in ("s1", "s2"):
        s = let(name, (s + x / s) * 0.5)
    y = let("y", (s + x / s) * 0.5)
    root = let("root", select(tiny, y * 2.0**-12, select(a > 3.4028235e38, a, y)))
    return select(a > 0.0, root, select(a < 0.0, (a - a) / (a - a), a))


@approximates("log", ulps=1.6, absolute=inf, image=(0, inf), domain=(1, inf), note="n log 2 + log1p(f), a >= 1 only")
def _log(let: Lines, a: Float) -> Float:
    # a = 2^n (1 + f); 2^23 + (127 + n) is n in the lowest bits of a float
    n = let("n", ((a.bits >> 23) | 0x4B000000).float - (2.0**23 + BIAS))
    f = let("f", ((a.bits & 0x7FFFFF) | 0x3F800000).float - 1.0)
    y = let("y", n * LN2_HIGH + (n * LN2_LOW + call("log1p", f)))
    return select(a > 3.4028235e38, a, y + (a - a))  # the sum keeps NaN


# The printers ----------------------------------------------------------------------------------------------------

PRECEDENCE = {"*": 5, "/": 5, "+": 4, "-": 4, "<<": 3, ">>": 3, "&": 2, "|": 1, "<": 0, ">": 0, "select": -1}
TIGHTEST = 9
MIXED = {"<<", ">>", "&", "|"}  # no reader knows their precedence, and gcc warns: always in parentheses


@dataclass(frozen=True)
class Language:
    """How a language spells what is not an operator; {} stands for an operand."""

    constant: str
    word: str
    float: str
    bits: str
    select: str
    call: str

    def text(self, node: Node) -> str:
        """An expression that a compiler reads back as the same tree."""
        match node.op, node.args:
            case "name", (name,):
                return str(name)
            case "constant", (value,):
                return self.word.format(value) if isinstance(node, Bits) else self.constant.format(decimal(value))
            case "call", (name, argument):
                return self.call.format(name, self.text(argument))
            case "float", (argument,):
                return self.float.format(self.text(argument))
            case "bits", (argument,):
                return self.bits.format(self.text(argument))
            case "select", args:
                return self.select.format(*(self.operand(arg, PRECEDENCE["select"]) for arg in args))
        return self.binary(node.op, *node.args)

    def binary(self, op: str, left: Node, right: Node | int) -> str:
        if op == "+" and isinstance(right, Float) and right.op == "constant" and right.args[0] < 0:
            op, right = "-", constant(-right.args[0])  # a + -c is a - c, bit for bit
        level = TIGHTEST if op in MIXED else PRECEDENCE[op]
        return f"{self.operand(left, level - 1)} {op} {self.operand(right, level)}"

    def operand(self, node: Node | int, level: int) -> str:
        """In parentheses unless it binds more tightly than `level`."""
        if isinstance(node, int):
            return str(node)
        tight = PRECEDENCE.get(node.op, TIGHTEST + 1) > level and node.op not in MIXED
        return self.text(node) if tight else f"({self.text(node)})"


def decimal(value: float) -> str:
    """The shortest decimal number that float32 reads back as `value`."""
    return f"{value:.1f}" if value.is_integer() and abs(value) < 2**24 else str(np.float32(value))


NUMPY = Language("{}", "{:#x}", "as_float({})", "as_bits({})", "select({}, {}, {})", "{}({})")


def c99(prefix: str) -> Language:
    names = {part: f"{prefix}_{part}({{}})" for part in ("float", "bits")}
    return Language("{}f", "{:#x}u", **names, select="{} ? {} : {}", call=f"{prefix}_{{}}({{}})")


def in_order(names: Iterable[str]) -> list[Approximation]:
    """The approximations of these names and all that they call, each once and after what it calls."""
    found: dict[str, Approximation] = {}
    for name in names:
        approximation = APPROXIMATIONS[name]
        found |= {needed.name: needed for needed in in_order(approximation.needs)}
        found[name] = approximation
    return list(found.values())


def c_helpers(prefix: str) -> str:
    """What every c_function calls; needs <stdint.h>. A union, since compilers for bare metal may turn a memcpy of four
    bytes into a call; C99 (6.5.2.3, footnote 82) defines what reading its other member gives."""
    return f"""\
/* A float's 32 bits, and the float that has them. */
typedef union {{
    float value;
    uint32_t bits;
}} {prefix}_word;

static uint32_t {prefix}_bits(float a)
{{
    const {prefix}_word word = {{.value = a}};
    return word.bits;
}}

static float {prefix}_float(uint32_t u)
{{
    const {prefix}_word word = {{.bits = u}};
    return word.value;
}}
"""


def c_function(approximation: Approximation, prefix: str) -> str:
    """`static float PREFIX_name(float a)` in C99; it calls c_helpers and what the approximation needs."""
    language, f = c99(prefix), approximation
    body = "".join(
        f"    const {'float' if isinstance(value, Float) else 'uint32_t'} {name} = {language.text(value)};\n"
        for name, value in f.lines
    )
    return (
        f"/* {describe(f)} */\nstatic float {prefix}_{f.name}(float a)\n{{\n"
        f"{body}    return {language.text(f.result)};\n}}\n"
    )


def numpy_source(approximation: Approximation) -> str:
    """The same function in Python, over float32 arrays; it calls as_bits, as_float, select and what it needs."""
    f = approximation
    body = "".join(f"    {name} = {NUMPY.text(value)}\n" for name, value in f.lines)
    return f"# {describe(f)}\ndef {f.name}(a):\n{body}    return {NUMPY.text(f.result)}\n"


def describe(approximation: Approximation) -> str:
    f = approximation
    bound = f"at most {f.ulps:g} ulp" + (f" and {f.absolute:g}" if f.absolute < inf else "")
    return f"{f.name}(a), {bound} off: {f.note}"


@cache
def numpy_function(approximation: Approximation) -> Callable[[ArrayLike], F32]:
    """The approximation over float32 arrays of any shape, with the same bits as the emitted C."""
    scope: dict[str, Any] = {
        "as_bits": lambda a: a.view(np.uint32),
        "as_float": lambda u: u.view(np.float32),
        "select": lambda condition, *arms: np.where(condition, *(np.asarray(arm, np.float32) for arm in arms)),
    }
    for f in (*in_order(approximation.needs), approximation):
        exec(numpy_source(f), scope)

    def function(a: ArrayLike) -> F32:
        values = np.asarray(a, np.float32)
        with np.errstate(all="ignore"):  # infinities and subnormals are meant
            result = scope[approximation.name](np.atleast_1d(values))  # NumPy 1 takes scalars to float64
        return cast(F32, result.reshape(values.shape))

    return function
