"""The few nodes that equations are written in, and the one function that substitutes in them.

A vector is an ordinary real symbol, so `*` is the element-wise (Hadamard) product and `diff` just works.
`W @ v` is the only linear-algebra node. Nothing here lets SymPy re-evaluate an expression: one `xreplace`
turns z*h + (1-z)*n into n*(1-z) + h*z, and with the order go the float32 bits and the textbook look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, cast

from sympy import Add, Expr, Function, Integer, Mul, Pow, S, Symbol


class Vec(Symbol):
    """A vector of real numbers, one for each unit (or feature)."""

    __slots__ = ()


class Mat(Symbol):
    """A matrix of real numbers; `W @ v` is its product with a vector."""

    __slots__ = ()

    def __matmul__(self, v: Expr) -> Expr:
        return cast(Expr, Dot(self, v, evaluate=False))

    @property
    def T(self) -> Transposed:
        """The matrix with rows and columns exchanged."""
        return Transposed(self, evaluate=False)


class Transposed(Function):
    """W.T: `W.T @ v` leads back from the units to what W reads."""

    nargs = 1
    is_real = True

    def __matmul__(self, v: Expr) -> Expr:
        return cast(Expr, Dot(self, v, evaluate=False))


class Dot(Function):
    """W @ v: the matrix product, linear in v."""

    nargs = 2
    is_real = True
    is_commutative = True


class sigma(Function):  # noqa: N801  (functions are spelled as in the formulas)
    """The logistic function 1 / (1 + e^-a)."""

    nargs = 1
    is_real = True
    is_positive = True

    def fdiff(self, argindex: int = 1) -> Expr:
        return cast(Expr, self * (1 - self))


class Across(Function):
    """A function of all units at once: Across(Symbol("softmax"), a) has the shape of `a`.

    For one unit it is written out as Across(name, a_i, a_1, ..., a_H).
    """

    is_real = True


class Outer(Function):
    """Outer(p, v): the matrix with the element p_i v_j in row i and column j, of the shape of a W in W @ v = p."""

    nargs = 2
    is_real = True


class Total(Function):
    """The sum of a vector over all units, one number."""

    nargs = 1
    is_real = True


class Mean(Function):
    """The mean of a vector over all units, one number."""

    nargs = 1
    is_real = True


class sqrt(Function):  # noqa: N801
    """The square root; a function like the others, since SymPy's is a power, which printers take for a division."""

    nargs = 1
    is_real = True


class Select(Function):
    """Select(m, a, b): a where the mask m holds, else b. Never m*a + (1-m)*b: 0 times infinity is NaN."""

    nargs = 3
    is_real = True


class Prime(Function):
    """Prime(Symbol("relu"), a): the derivative of a named activation at `a`."""

    nargs = 2
    is_real = True


def vectors(names: str) -> list[Vec]:
    """Vec symbols from names separated by blanks."""
    return [Vec(name, real=True) for name in names.split()]


def matrices(names: str) -> list[Mat]:
    """Mat symbols from names separated by blanks."""
    return [Mat(name, real=True) for name in names.split()]


class Ref(Symbol):
    """One scalar: component `idx` of the symbol `of`.

    `dt` is the time it belongs to: None for a parameter, 0 for this step, -1 for the step before. How it is
    spelled is each target language's business; two Refs are equal when these three fields are.
    """

    __slots__ = ("dt", "idx", "of")
    of: Symbol
    idx: tuple[int, ...]
    dt: Literal[None, 0, -1]

    def __new__(cls, of: Symbol, idx: tuple[int, ...], dt: Literal[None, 0, -1] = None) -> Ref:
        name = f"{of.name}|{'' if dt is None else dt}|{','.join(map(str, idx))}"
        self = cast(Ref, Symbol.__xnew__(cls, name, real=True))
        self.of, self.idx, self.dt = of, idx, dt
        return self

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.of, self.idx, self.dt), {}


def rebuild(e: Expr, f: Callable[[Expr], Expr] = lambda e: e) -> Expr:
    """Apply `f` bottom-up and keep the author's order. Folds 0 and 1, and sums within sums, nothing else."""
    if not e.args:
        return f(e)
    args = [rebuild(cast(Expr, a), f) for a in e.args]
    if e.is_Mul:
        if any(a is S.Zero for a in args):
            return S.Zero
        args = [a for a in args if a is not S.One] or [S.One]
    elif e.is_Add:
        args = [t for a in args if a is not S.Zero for t in terms(a)] or [S.Zero]
    elif isinstance(e, Dot | Total) and S.Zero in args:
        return S.Zero
    if len(args) == 1 and (e.is_Mul or e.is_Add):
        return args[0]
    return f(cast(Expr, e.func(*args, evaluate=False)))


def terms(e: Expr) -> tuple[Expr, ...]:
    """The summands of a sum in their order; of anything else, itself."""
    return cast("tuple[Expr, ...]", e.args) if e.is_Add else (e,)


def add(*summands: Expr) -> Expr:
    """The sum in the order given, without SymPy's sorting; () is 0 and (a,) is a."""
    if len(summands) < 2:
        return summands[0] if summands else S.Zero
    return cast(Expr, Add(*summands, evaluate=False))


def mul(*factors: Expr) -> Expr:
    """The product in the order given, without SymPy's sorting; () is 1 and (a,) is a."""
    if len(factors) < 2:
        return factors[0] if factors else S.One
    return cast(Expr, Mul(*factors, evaluate=False))


def square(e: Expr) -> Expr:
    """e times itself."""
    return cast(Expr, Pow(e, Integer(2), evaluate=False))


def walk(e: Expr) -> Iterator[Expr]:
    """Every node from left to right, operands before the node that uses them."""
    for a in e.args:
        yield from walk(cast(Expr, a))
    yield e


def is_inverse(e: object) -> bool:
    """Whether `e` is 1/b, the form that a division has in a product."""
    return isinstance(e, Pow) and e.args[1] == -1


def is_square(e: object) -> bool:
    """Whether `e` is b times b, written once."""
    return isinstance(e, Pow) and e.args[1] == 2


def count_operations(e: Expr) -> dict[str, int]:
    """How many operations evaluating `e` as written takes, by kind: `*`, `+`, `/`, `function`.

    A subtraction counts as one `+`, a sign on its own as nothing; a Dot counts as one `@`.
    """
    ops = {"+": 0, "*": 0, "/": 0, "@": 0, "function": 0}
    for node in walk(e):
        if node.is_Add:
            ops["+"] += len(node.args) - 1
        elif node.is_Mul:
            unary = sum(is_inverse(a) or a is S.NegativeOne for a in node.args)
            ops["*"] += max(0, len(node.args) - 1 - unary)
        elif is_inverse(node):
            ops["/"] += 1
        elif is_square(node):
            ops["*"] += 1
        elif isinstance(node, Dot):
            ops["@"] += 1
        elif isinstance(node, Function):
            ops["function"] += 1
    return ops
