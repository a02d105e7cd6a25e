"""All cells side by side: what each gate reads, where the reset gate acts, how the state is updated, what it costs.

All of that is found in a cell's equations; which framework has it is what they cannot say. This is the model of the
document; the backends latex, markdown and text print it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import gcd
from typing import Literal, cast

from sympy import Expr, Integer, S, Symbol

from symgru.activations import Activation
from symgru.algebra import Dot, Mat, Vec, add, count_operations, mul, sigma, terms, walk
from symgru.building import build
from symgru.cell import Cell
from symgru.cells import CELLS
from symgru.derivation import named_activations, uses
from symgru.errors import UnusableInput
from symgru.printing import negated

ALL = "all"  # in place of a cell's name
FAMILIES = {
    "full": "an update gate and a reset gate, which see input and state",
    "reduced": "the same two gates, which see less",
    "minimal": "one gate, which updates and resets",
    "light": "an update gate alone; nothing is reset",
    "simple": "no gate; every step replaces the state",
    "stateless": "not recurrent, a layer before or after those that are",
}
# What computes the same, some with a bias more or less where two are only added. tests/frameworks compares each but
# SpeechBrain's, whose code was read.
FRAMEWORKS = {
    "gru": ("Keras GRU", "PyTorch GRU", "Flax GRUCell"),
    "gru_before": ("Keras GRU (reset_after=False)",),
    "cho": ("Keras GRU (reset_after=False, use_bias=False)",),
    "mgu_after": ("Flax MGUCell",),
    "ligru": ("SpeechBrain LiGRU",),
    "simple": ("Keras SimpleRNN", "PyTorch RNN", "Flax SimpleCell"),
    "dense": ("Keras Dense",),
}
OPERATIONS = ("*", "+", "/", "function")
Monomials = Counter[tuple[str, ...]]  # how often a product of lengths is counted: {("D", "H"): 3}


@dataclass(frozen=True)
class Update:
    """h' = gate * kept + (1 - gate) * new in one of its two ways: the gate says how much to "keep", or what is "new".

    `candidate` is what the state is blended with.
    """

    gate: Vec
    rule: Literal["keep", "new"]
    candidate: Vec


@dataclass(frozen=True)
class Reset:
    """The gate acts on the state "before" its product with `matrix`, or on the product "after" it."""

    gate: Vec
    acts: Literal["before", "after"]
    matrix: Mat


@dataclass(frozen=True)
class Profile:
    """What the equations of one cell say of it."""

    cell: Cell

    @cached_property
    def _rhs(self) -> dict[Vec, Expr]:
        return dict(self.cell.equations)

    @cached_property
    def update(self) -> Update | None:
        """How the state is blended with the candidate; None where it is not."""
        found = [_blended(self._rhs[after], before) for before, after in self.cell.states]
        return found[0] if found else None

    @cached_property
    def reset(self) -> Reset | None:
        """Where the state is held back on its way into a product; None where it is not."""
        before = {before for before, _ in self.cell.states}
        found = (_reset(node, before, set(self._rhs)) for e in self._rhs.values() for node in walk(e))
        return next((r for r in found if r is not None), None)

    @cached_property
    def gates(self) -> tuple[Vec, ...]:
        """The vectors that update or reset, each once, in the order of the equations."""
        used = {part.gate for part in (self.update, self.reset) if part is not None}
        return tuple(lhs for lhs in self.cell.defined if lhs in used)

    def reads(self, lhs: Vec) -> tuple[Symbol, ...]:
        """What an equation reads: inputs, states, then biases."""
        cell, found = self.cell, set(walk(self._rhs[lhs]))
        biases = (p for p in cell.params if not isinstance(p, Mat))
        return tuple(s for s in (*cell.inputs, *(before for before, _ in cell.states), *biases) if s in found)

    @cached_property
    def family(self) -> str:
        """A key of FAMILIES."""
        if not self.cell.states:
            return "stateless"
        if self.update is None:
            return "simple"
        if self.reset is None:
            return "light"
        if self.update.gate == self.reset.gate:
            return "minimal"
        all_there_is = {*self.cell.inputs, *(before for before, _ in self.cell.states)}
        return "full" if all(all_there_is.issubset(self.reads(gate)) for gate in self.gates) else "reduced"

    @cached_property
    def parameters(self) -> Expr:
        """How many numbers the cell has: a formula in the lengths D (features) and H (units)."""
        return formula(Counter(_ordered(self.cell.dims[p]) for p in self.cell.params))

    @cached_property
    def operations(self) -> Mapping[str, Expr]:
        """What one step of the cell as written takes, by kind; what a product reads is computed once."""
        counts: dict[str, Monomials] = {kind: Counter() for kind in OPERATIONS}
        for lhs, e in self.cell.equations:
            _count(e, self.cell.dims[lhs][0], self.cell, counts)
        return {kind: formula(monomials) for kind, monomials in counts.items()}

    @property
    def frameworks(self) -> tuple[str, ...]:
        """The layers of frameworks that compute the cell: "PyTorch GRU"."""
        return FRAMEWORKS.get(self.cell.name, ())


@dataclass(frozen=True)
class Comparison:
    """Everything that the document says."""

    profiles: tuple[Profile, ...]

    @cached_property
    def families(self) -> Mapping[str, tuple[Profile, ...]]:
        """The cells of each family that has any."""
        own = {name: tuple(p for p in self.profiles if p.family == name) for name in FAMILIES}
        return {name: profiles for name, profiles in own.items() if profiles}

    @cached_property
    def activations(self) -> tuple[Activation, ...]:
        """The named functions whose meaning the document gives."""
        named = {a.name: a for p in self.profiles for a in named_activations(p.cell)}
        return tuple(named.values())

    @property
    def uses_sigma(self) -> bool:
        return any(uses(p.cell, sigma) for p in self.profiles)

    @property
    def operation_kinds(self) -> tuple[str, ...]:
        """The kinds of operation that occur in any cell."""
        return tuple(kind for kind in OPERATIONS if any(p.operations[kind] != 0 for p in self.profiles))


def compare() -> Comparison:
    """Every cell of symgru.CELLS, with no option chosen."""
    return Comparison(tuple(Profile(build(name, {})) for name in CELLS))


def refuse(options: Iterable[str]) -> None:
    """Raise UnusableInput where anything but the cells' names was asked for: sizes, steps and activations are one
    cell's."""
    if names := sorted(options):
        raise UnusableInput(f"cell {ALL!r} lays the cells side by side as they are; it takes no {', '.join(names)}")


def _blended(e: Expr, before: Vec) -> Update | None:
    """z * h + (1 - z) * n, in either order of terms and factors, with either part kept."""
    pairs = [t.args for t in terms(e) if t.is_Mul and len(t.args) == 2]
    if len(terms(e)) != 2 or len(pairs) != 2:
        return None
    kept = next((pair for pair in pairs if before in pair), None)
    if kept is None:
        return None
    share = _other(kept, before)
    (rest,) = [pair for pair in pairs if pair is not kept]
    for candidate in rest:
        weight = _other(rest, candidate)
        if isinstance(candidate, Vec) and isinstance(share, Vec) and _complement(weight) == share:
            return Update(share, "keep", candidate)
        if isinstance(candidate, Vec) and isinstance(weight, Vec) and _complement(share) == weight:
            return Update(weight, "new", candidate)
    return None


def _other(pair: Iterable[object], one: object) -> Expr:
    first, second = cast("tuple[Expr, Expr]", tuple(pair))
    return second if first == one else first


def _complement(e: Expr) -> Expr | None:
    """z where `e` is 1 - z, else None."""
    if len(terms(e)) != 2 or terms(e)[0] is not S.One:
        return None
    return negated(terms(e)[1])


def _reset(node: Expr, states: set[Vec], defined: set[Vec]) -> Reset | None:
    """The reset gate, where `node` is a product of it and the state's part or of a matrix and its product with the
    state."""
    if isinstance(node, Dot):
        matrix, operand = cast("tuple[Mat, Expr]", node.args)
        gate = _gate(operand, defined) if operand.is_Mul and states & set(operand.args) else None
        return Reset(gate, "before", matrix) if gate else None
    if not node.is_Mul:
        return None
    dots = [n for n in walk(node) if isinstance(n, Dot) and states & set(walk(cast(Expr, n.args[1])))]
    gate = _gate(node, defined)
    return Reset(gate, "after", cast(Mat, dots[0].args[0])) if dots and gate else None


def _gate(product: Expr, defined: set[Vec]) -> Vec | None:
    return next((a for a in product.args if isinstance(a, Vec) and a in defined), None)


def _count(e: Expr, letter: str, cell: Cell, counts: dict[str, Monomials]) -> None:
    """Add what computing a vector of the length `letter` takes."""
    if isinstance(e, Dot):
        matrix, operand = cast("tuple[Mat, Expr]", e.args)
        rows, columns = cell.dims[matrix]
        counts["*"][_ordered((rows, columns))] += 1
        counts["+"][_ordered((rows, columns))] += 1
        counts["+"][(rows,)] -= 1
        _count(operand, columns, cell, counts)
        return
    args = cast("tuple[Expr, ...]", e.args)
    whole, parts = count_operations(e), [count_operations(a) for a in args]
    for kind, monomials in counts.items():
        monomials[(letter,)] += whole[kind] - sum(part[kind] for part in parts)
    for a in args:
        _count(a, letter, cell, counts)


def _ordered(letters: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(letters))


def formula(counts: Monomials) -> Expr:
    """3 (D H + H H + 2 H) from {DH: 3, HH: 3, H: 6}: the higher degrees first, a common factor outside."""
    left = {m: n for m, n in sorted(counts.items(), key=lambda item: (-len(item[0]), item[0])) if n}
    common = gcd(*left.values()) if len(left) > 1 else 1
    total = add(*(_monomial(n // common, m) for m, n in left.items()))
    return mul(Integer(common), total) if common > 1 else total


def _monomial(n: int, letters: tuple[str, ...]) -> Expr:
    sign = [S.NegativeOne] if n < 0 else []
    size = [Integer(abs(n))] if abs(n) != 1 else []
    return mul(*sign, *size, *(Symbol(letter) for letter in letters))
