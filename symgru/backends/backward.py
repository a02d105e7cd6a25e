"""What every document says of the way back: the derived reverse step in its forms, and the Jacobian of a step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

from sympy import Expr, Symbol, tanh

from symgru.activations import known
from symgru.adjoint import Adjoint, adjoint
from symgru.adjoint import in_values as in_terms_of
from symgru.algebra import Dot, Mat, Prime, Total, Vec, mul, sigma, terms, walk
from symgru.backends.dialect import Dialect
from symgru.backends.formula import Syntax, UnitForm
from symgru.backends.notation import Name, Notation, row_index
from symgru.backends.unrolled import Pairs
from symgru.cell import Cell
from symgru.derivation import Derivation
from symgru.derivatives import jumps, prime, slope
from symgru.jacobian import tangent
from symgru.printing import ATOM, MUL, negated

DIRECTION = Vec("direction", real=True)


@dataclass(frozen=True)
class ReverseNotation(Notation):
    """A delta is a δ with its gate; what else is dL/ds bears the name of s, barred."""

    means: tuple[tuple[Vec, Symbol], ...] = ()

    def vector(self, s: Symbol, index: str = "") -> Name:
        of = dict(self.means).get(cast(Vec, s))
        if of is None:
            return super().vector(s, index)
        if s.name.startswith("delta_"):
            return replace(super().vector(s, index), letter="δ")
        return replace(super().vector(of, index), bar=True)


@dataclass(frozen=True)
class Backward:
    """The way back through one cell, written in a dialect. `unit` chooses the form: one unit i, or whole vectors."""

    cell: Cell
    sizes: dict[str, int]
    timed: bool
    dialect: Dialect

    @cached_property
    def reverse(self) -> Adjoint:
        return adjoint(self.cell)

    @cached_property
    def notation(self) -> ReverseNotation:
        plain = self.dialect.notation(self.cell, self.sizes, self.timed)
        means = tuple(self.reverse.means.items())
        return ReverseNotation(
            self.reverse.forward, self.sizes, self.timed, plain.now, plain.before, self.reverse.step.dims, means
        )

    @property
    def recurrent(self) -> bool:
        return bool(self.cell.states)

    def form(self, unit: bool) -> Syntax:
        return (self.dialect.unit if unit else self.dialect.matrix)(self.notation)

    def said(self) -> dict[str, str]:
        """The symbols that sentences name, as whole vectors."""
        form, out = self.form(False), self.cell.output
        state = self.cell.stored(out)
        z = next((s for s in self.reverse.means if s.name.startswith("delta_")), None)
        argument = dict(self.reverse.means)[z] if z else None
        gate = next((lhs for lhs, _ in self.cell.equations if z and z.name == f"delta_{lhs}"), state)
        names = {
            "out": form.scalar(out),
            "bar": form.scalar(self.reverse.seed),
            "outside": self.outside(self.notation.now),
            "delta": form.scalar(z) if argument is not None else "",
            "gate": form.scalar(gate if gate != state else out),
            "any": form.partial_in_a_sentence("s"),
            "bar_of_any": form.name(Name("s", bar=True)),
            "loss_by_out": form.partial_in_a_sentence(form.scalar(out)),
        }
        return {key: self.dialect.quote(name) if name else "" for key, name in names.items()}

    def outside(self, time: str = "", unit: bool = False) -> str:
        """g: dL/d the output, as far as the loss itself reads it."""
        index = ("i",) if unit and self.sizes["H"] > 1 else ()
        name = Name("g", "", time if self.timed else "", index)
        return self.form(unit).name(name) if unit else self.form(unit).whole(name, matrix=False)

    def kept(self, unit: bool) -> Pairs:
        """Values of the way there that get a name for the way back."""
        form, own = self.form(unit), set(self.cell.defined)
        return [(form.scalar(s), form.scalar(e)) for s, e in self.reverse.forward.equations if s not in own]

    def start(self, unit: bool) -> Pairs:
        """Where the way back begins: the last step, or the output of a cell without a state."""
        form, seed = self.form(unit), self.reverse.seed
        time = "T" if self.recurrent else self.notation.now
        (of,) = (s for s, m in self.notation.means if s == seed)
        name = self.notation.vector(of, "i" if unit else "")
        name = replace(name, time=time if self.timed else "")
        return [(form.name(name) if unit else form.whole(name, matrix=False), self.outside(time, unit))]

    def steps(self, unit: bool) -> Pairs:
        """The lines of one reverse step, in order."""
        form, given = self.form(unit), set(self.reverse.back.values())
        return [(form.scalar(s), form.scalar(e)) for s, e in self.reverse.step.equations if s not in given]

    def state(self, unit: bool) -> Pairs:
        """What the step before is handed."""
        form, lines = self.form(unit), dict(self.reverse.step.equations)
        pairs = []
        for before, _ in self.cell.states:
            d = self.reverse.back[before]
            handed = form.scalar(lines[d])
            sign = "" if handed.startswith("-") else "+ "
            pairs.append((form.scalar(d), f"{self.outside(self.notation.before, unit)} {sign}{handed}"))
        return pairs

    def first(self, unit: bool) -> Pairs:
        """dL/d the state before the first step."""
        form, pairs = self.form(unit), []
        for before, _ in self.cell.states:
            name = replace(self.notation.vector(before, "i" if unit else ""), time="0")
            both = [form.name(n) if unit else form.whole(n, matrix=False) for n in (name, replace(name, bar=True))]
            pairs.append((form.partial(both[0]), both[1]))
        return pairs

    def inputs(self, unit: bool) -> Pairs:
        """dL/dx."""
        form, lines = self.form(unit), dict(self.reverse.step.equations)
        pairs = []
        for x in self.cell.inputs:
            if isinstance(form, UnitForm):
                form.index = row_index(self.cell.dims[x][0])
            pairs.append((form.partial(form.scalar(x)), form.scalar(lines[self.reverse.back[x]])))
        return pairs

    def weights(self, unit: bool) -> Pairs:
        """dL/d each parameter, summed over the steps."""
        form = self.form(unit)
        return [(form.partial(self._param(p, unit)), self._sum(e, form)) for p, e in self.reverse.gradients.items()]

    def _param(self, p: Symbol, unit: bool) -> str:
        form = self.form(unit)
        if unit and isinstance(p, Mat):
            return form.name(self.notation.matrix(p, row_index(self.cell.dims[p][1]), "i"))
        return form.scalar(p)

    def _sum(self, e: Expr, form: Syntax) -> str:
        body = form.scalar(e)
        if not self.timed:
            return body
        return form.total("t", "T", form.brackets(body) if len(terms(e)) > 1 else body)

    @cached_property
    def named(self) -> list[str]:
        """The activations whose derivatives are named in the lines."""
        found = {str(n.args[0]) for _, e in self.reverse.step.equations for n in walk(e) if isinstance(n, Prime)}
        return sorted(name for name in found if known(name))

    def primes(self) -> Pairs:
        """What each of those derivatives means."""
        form = self.dialect.syntax()
        return [(form.function(f"{name}'", "a"), form.scalar(prime(name))) for name in self.named]

    @property
    def jumps(self) -> bool:
        """Whether one of them jumps, so that its value there is a choice."""
        return any(map(jumps, self.named))

    # The Jacobian --------------------------------------------------------------------------------------------------

    def jacobian(self, unit: bool) -> Pairs:
        """dh'/dh in terms of the step's values."""
        e = tangent(self.cell, DIRECTION)
        body = _Component(self).text(e, "i") if unit else _Whole(self).text(e)
        return [(self._jacobian_name(unit), body)]

    def _jacobian_name(self, unit: bool) -> str:
        form = self.form(unit)
        ((before, after),) = self.cell.states
        above = form.scalar(after)
        if isinstance(form, UnitForm):
            form.index = "l"
        return form.derivative(above, form.scalar(before))

    def sweep(self) -> Pairs:
        """The line of the reverse step that hands on the state's gradient, by the Jacobian: a row times a matrix."""
        many = self.sizes["H"] > 1
        form = self.form(not many)
        ((before, _),) = self.cell.states
        seed, jacobian = form.scalar(self.reverse.seed), self._jacobian_name(not many)
        product = form.row_times_matrix(seed, jacobian) if many else form.times.join([seed, jacobian])
        outside = self.outside(self.notation.before, unit=not many)
        return [(form.scalar(self.reverse.back[before]), f"{outside} + {product}")]

    def chain(self) -> Pairs:
        """The Jacobian of the last state by the first: the product over the steps."""
        many = self.sizes["H"] > 1
        form = self.form(not many)
        ((before, _),) = self.cell.states

        def state(time: str) -> str:
            name = replace(self.notation.vector(before), time=time)
            return form.whole(name, matrix=False) if many else form.name(name)

        one, two = (self.notation.before.replace("t", "T").replace("1", n) for n in "12")
        times = [("T", one), (one, two), ("1", "0")]
        *first, last = (form.derivative(state(above), state(below)) for above, below in times)
        factors = [*first, form.ellipsis, last]
        product = factors[0]
        for factor in factors[1:]:
            product = form.row_times_matrix(product, factor) if many else form.times.join([product, factor])
        return [(form.derivative(state("T"), state("0")), product)]


@dataclass(frozen=True)
class _Whole:
    """The Jacobian as matrices: what multiplies element by element stands in a diagonal matrix. Row i, column l is the
    derivative of unit i by unit l."""

    of: Backward

    def text(self, e: Expr) -> str:
        return _signed(map(self.term, terms(e)))

    def term(self, e: Expr) -> str:
        form = self.of.form(False)
        if e == DIRECTION:
            return form.identity()
        if isinstance(e, Dot):
            matrix, inner = cast("tuple[Mat, Expr]", e.args)
            weights = form.transposed(form.scalar(matrix))
            return weights if inner == DIRECTION else form.row_times_matrix(weights, self.tight(inner))
        if isinstance(e, Total):  # the same row for every unit
            coefficients, inner = split(cast(Expr, e.args[0]))
            row = form.row_times_matrix(form.transposed(form.ones()), form.scalar(mul(*coefficients)))
            return row if inner == DIRECTION else form.row_times_matrix(row, self.tight(inner))
        minus = negated(e)
        if minus is not None:
            return f"-{self.term(minus)}"
        coefficients, inner = split(e)
        diagonal = form.function("diag", form.scalar(mul(*coefficients)))
        return diagonal if inner == DIRECTION else form.row_times_matrix(diagonal, self.tight(inner))

    def tight(self, e: Expr) -> str:
        return self.of.form(False).brackets(self.text(e)) if len(terms(e)) > 1 else self.term(e)


@dataclass(frozen=True)
class _Component:
    """The element in row i and column l."""

    of: Backward

    @property
    def one(self) -> bool:
        return self.of.sizes["H"] == 1

    def text(self, e: Expr, row: str) -> str:
        return _signed(self.term(t, row) for t in terms(e))

    def term(self, e: Expr, row: str) -> str:
        minus = negated(e)
        if minus is not None:
            return f"-{self.term(minus, row)}"
        coefficients, inner = split(e)
        form = self.form(row)
        factors = [form.tight(f, ATOM if k else MUL) for k, f in enumerate(coefficients)]
        factors += self.rest(inner, row)
        return form.times.join(factors) if factors else "1"

    def rest(self, e: Expr, row: str) -> list[str]:
        """The factors of what a coefficient multiplies."""
        form = self.form(row)
        if e == DIRECTION:
            return [] if self.one else [f"[{row} = l]"]
        if isinstance(e, Dot):
            matrix, inner = cast("tuple[Mat, Expr]", e.args)
            if inner == DIRECTION:
                return [form.name(self.of.notation.matrix(matrix, "l", row))]
            middle = "k" if row != "k" else "m"
            element = form.name(self.of.notation.matrix(matrix, middle, row))
            return [self.summed(middle, form.times.join([element, self.tight(inner, middle)]))]
        if isinstance(e, Total):
            return [self.summed("k", self.text(cast(Expr, e.args[0]), "k"))]
        return [self.tight(e, row)]

    def summed(self, index: str, body: str) -> str:
        return body if self.one else self.of.form(True).total(index, "H", body)

    def tight(self, e: Expr, row: str) -> str:
        text = self.text(e, row)
        return self.form(row).brackets(text) if len(terms(e)) > 1 else text

    def form(self, row: str) -> UnitForm:
        form = cast(UnitForm, self.of.form(True))
        form.index = row
        return form


def split(e: Expr) -> tuple[list[Expr], Expr]:
    """The factors of a product that do not move, and what does."""
    factors = cast("tuple[Expr, ...]", e.args if e.is_Mul else (e,))
    moving = [f for f in factors if DIRECTION in walk(f)]
    return [f for f in factors if f not in moving], moving[0]


def _signed(summands: Iterator[str]) -> str:
    text = ""
    for t in summands:
        text += (f" - {t[1:]}" if t.startswith("-") else f" + {t}") if text else t
    return text


def backward(d: Derivation, dialect: Dialect) -> Backward:
    return Backward(d.cell, dict(d.sizes), d.timed, dialect)


def in_values(cell: Cell, dialect: Dialect) -> str:
    """How the derivatives of sigma and tanh are written, where the cell has them: σ'(a) = z·(1 - z) where z = σ(a)."""
    form, said = dialect.syntax(), []
    for function, letter in ((sigma, "z"), (tanh, "n")):
        if any(isinstance(node, function) for _, e in cell.equations for node in walk(e)):
            value = Vec(letter, real=True)
            f = cast(Expr, function(value, evaluate=False))
            head = form.function(f"{function.__name__}'", "a")
            written = dialect.quote(f"{head} = {form.scalar(in_terms_of(slope(f), {f: value}))}")
            definition = f"{letter} = {form.function(function.__name__, 'a')}"
            said.append(f"{written} where {dialect.quote(definition)}")
    return ", ".join(said)
