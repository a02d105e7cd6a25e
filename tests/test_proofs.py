"""Every proof holds, every false twin is rejected and refuted, and what proves and refutes is sound by other means."""

import re
import subprocess
import sys
from fractions import Fraction
from itertools import combinations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Abs, Derivative, Dummy, Integer, Rational, S, Symbol, evaluate, exp, tanh

import symgru
from symgru import proofs, proving
from symgru.activations import activation, clip, expanded, expm1, table, where_positive
from symgru.algebra import Dot, Mat, Vec, add, mul, rebuild, sigma
from symgru.backends.text.proofs import SPEAKER, in_ascii
from symgru.cells import CELLS, U, Un, W, Wn, build, cn, h, h1, n, r, x, z
from symgru.domains import Float64
from symgru.errors import UnusableInput, Unsupported
from symgru.proofs import PROOFS, enclosures, equivalences, functions, invariants
from symgru.proofs.claims import Argument, Differ, Escapes, Outside, Proof, Same, SameCells, Signed, Step, Twin, put, twin
from symgru.proofs.enclosures import Point, components, enclosure
from symgru.proofs.normal import equal, has_sign
from symgru.proofs.sentences import Code, Digits, Formula, say
from symgru.proofs.variants import biases, recurrent
from symgru.rules import RULES
from tests.conftest import ROOT, SEED, need
from tests.documents.test_latex import compile_latex, overfull

a, b, c = (Symbol(name, real=True) for name in "abc")
p = Symbol("p", nonnegative=True)
q = Symbol("q", positive=True)
every_proof = pytest.mark.parametrize("name", PROOFS)


@pytest.fixture(scope="module")
def arguments():
    return {name: proof.build() for name, proof in PROOFS.items()}


def claims_of(argument, kind):
    return [claim for step in argument.steps for claim in step.claims if isinstance(claim, kind)]


def twins_of(argument, kind):
    return [claim for t in argument.twins for claim in t.claims if isinstance(claim, kind)]


# The proofs ----------------------------------------------------------------------------------------------------------


def test_what_is_proved():
    wanted = """sigma-complement tanh-sigma sigma-derivative tanh-derivative blend update-rules reset-one-unit merged-biases
        bounded sign"""
    assert set(wanted.split()) <= set(PROOFS)
    assert all(name == proof.name for name, proof in PROOFS.items())


def test_the_rules_rest_on_proofs_that_there_are():
    named = {rule.rests_on for rule in RULES.values() if rule.rests_on}
    assert named
    assert named <= set(PROOFS)


@every_proof
def test_it_holds_and_its_twins_are_refuted(name):
    (result,) = symgru.prove(name)
    assert result.name == name
    assert result.holds is True
    assert result.refuted, "a proof without a false twin proves nothing about itself"
    for t in result.refuted:
        assert (t.rejected, t.refuted) == (True, True), t.statement
    assert result
    assert result.seconds > 0


@every_proof
def test_every_step_claims_something(name, arguments):
    assert all(step.claims for step in arguments[name].steps)


def test_the_statement_is_among_the_claims(arguments):
    """Formulas of a statement that is an equation are claims of its argument."""
    for name in ("sigma-complement", "tanh-odd", "tanh-sigma", "sigma-derivative", "tanh-derivative", "blend"):
        stated = [piece for piece in arguments[name].statement if isinstance(piece, Formula)]
        shown = [claim.says[0] for claim in claims_of(arguments[name], Same)]
        assert stated
        assert all(formula in shown for formula in stated)


def test_which_pairs_and_cells_are_meant(arguments):
    """The statements adapt to the cells there are; these are the ones of today."""
    pairs = [(left.name, right.name) for left, right in equivalences.exchanged_pairs()]
    assert pairs == [("gru", "gru_new"), ("gru_before", "fully_gated")]
    but_ligru = {name for name, cell in CELLS.items() if cell.states} - {"ligru"}
    for name in ("bounded", "sign", "mirror"):
        text = SPEAKER.sentence(arguments[name].statement)
        assert text.endswith(" in every cell but ligru")
    assert {cell.name for cell in invariants.means()[0]} == but_ligru
    merged = [{str(s) for s in claim.under} for claim in claims_of(arguments["merged-biases"], SameCells)]
    assert merged == [{"b_z", "c_z"}, {"b_r", "c_r"}] * 2


# True statements, tried with numbers ---------------------------------------------------------------------------------

H, D = 4, 3


def numbers(cell, seed=0):
    """Random parameters by name, inputs and states."""
    rng = np.random.default_rng(seed)
    sizes = {"H": H, "D": D}
    own = {s.name: rng.normal(size=[sizes[k] for k in cell.dims[s]]) for s in cell.params}
    return rng.normal(size=(8, D)), rng.normal(size=(8, H)), own


def output(cell, x_value, h_value, own):
    domain = Float64()
    with domain.context():
        return np.broadcast_to(domain.step(cell)(x_value, h_value, own)[cell.output.name], h_value.shape)


def same_numbers(claim, seed=0, t=0.7):
    """Whether both cells of a claim give the same numbers, to rounding."""
    x_value, h_value, own = numbers(claim.right, seed)
    rng = np.random.default_rng(seed + 1)
    if claim.one_unit:
        h_value = h_value[:, :1]
        own = {name: v[:1, :1] if v.shape == (H, H) else v[:1] for name, v in own.items()}
    sizes = {"H": h_value.shape[1], "D": D}
    own |= {
        s.name: rng.normal(size=[sizes[k] for k in claim.left.dims[s]])
        for s in claim.left.params
        if s.name not in own and s not in claim.under
    }
    own["t"] = np.full(sizes["H"], t)

    def value(e):
        """A parameter in terms of others: a sum, a negative, a number."""
        if e.is_Symbol:
            return own[e.name]
        return sum(map(value, e.args)) if e.is_Add else -value(e.args[1]) if e.is_Mul else float(e)

    left = {s.name: value(claim.under[s]) if s in claim.under else own[s.name] for s in claim.left.params}
    left = {k: np.zeros([sizes[d] for d in claim.left.dims[Symbol_of(claim.left, k)]]) if np.ndim(v) == 0 else v for k, v in left.items()}
    return np.abs(output(claim.left, x_value, h_value, left) - output(claim.right, x_value, h_value, own)).max() < 1e-13


def Symbol_of(cell, name):
    return next(s for s in cell.params if s.name == name)


def concrete(claim):
    """A claim about whatever activations, with the cells' own."""
    named = {s.name for cell in (claim.left, claim.right) for _, e in cell.equations for s in e.atoms(type(equivalences.gate(a)))}
    assert not named
    return claim
