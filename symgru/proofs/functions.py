"""What holds of the logistic function, of tanh, and of the line that mixes a state with a candidate."""

from __future__ import annotations

from fractions import Fraction

from sympy import Derivative, S, Symbol, evaluate, exp, tanh

from symgru.activations import LOGISTIC, a
from symgru.algebra import sigma
from symgru.proofs.claims import Argument, Outside, Same, Signed, Step, Twin, put, twin
from symgru.proofs.enclosures import Point
from symgru.proofs.sentences import Code, Formula, compared, equals, say

AT_ONE = Point({"a": 1})
z, h, n, d = (Symbol(name, real=True) for name in "zhnd")
p, s = (Symbol(name, positive=True) for name in "ps")

with evaluate(False):
    COMPLEMENT = Same(sigma(-a), 1 - sigma(a))
    ODD = Same(tanh(-a), -tanh(a))
    DOUBLED = Same(tanh(a), 2 * sigma(2 * a) - 1)
    HALVED = Same(sigma(a), (1 + tanh(a / 2)) / 2)
    SIGMA_SLOPE = Same(Derivative(sigma(a), a), sigma(a) * (1 - sigma(a)))
    TANH_SLOPE = Same(Derivative(tanh(a), a), 1 - tanh(a) ** 2)
    MIXED = z * h + (1 - z) * n
    BLEND = Same(MIXED, n + z * (h - n))
    HALF_BLEND = Same(put(MIXED, {z: sigma(a)}), ((h + n) + tanh(a / 2) * (h - n)) / 2)


def sigma_complement() -> Argument:
    with evaluate(False):
        rest = exp(-a) / (1 + exp(-a))
        steps = (
            Step(say("By the definition of the logistic function,"), (Same(sigma(a), LOGISTIC),)),
            Step(
                say("At the negative argument, and after both parts of the fraction are multiplied by {},", exp(-a)),
                (Same(sigma(-a), 1 / (1 + exp(a))), Same(sigma(-a), rest)),
            ),
            Step(say("What is left to 1 is the same fraction:"), (Same(1 - sigma(a), rest), COMPLEMENT)),
        )
        twins = (twin(Same(sigma(-a), -sigma(a)), AT_ONE), twin(Same(sigma(-a), sigma(a)), AT_ONE))
    return Argument(COMPLEMENT.says, steps, twins)


def tanh_odd() -> Argument:
    with evaluate(False):
        definition = Same(tanh(a), (exp(a) - exp(-a)) / (exp(a) + exp(-a)))
        steps = (
            Step(say("By the definition of tanh,"), (definition,)),
            Step(say("The numerator changes its sign with {}, the denominator does not:", a), (ODD,)),
        )
        twins = (twin(Same(tanh(-a), 1 - tanh(a)), AT_ONE), twin(Same(tanh(-a), tanh(a)), AT_ONE))
    return Argument(ODD.says, steps, twins)


def tanh_sigma() -> Argument:
    with evaluate(False):
        ratio = (1 - exp(-2 * a)) / (1 + exp(-2 * a))
        steps = (
            Step(
                say("Both parts of the fraction that defines tanh are multiplied by {}:", exp(-a)),
                (Same(tanh(a), ratio),),
            ),
            Step(
                say("The same fraction comes from the logistic function at {}:", 2 * a),
                (Same(2 * sigma(2 * a) - 1, ratio), DOUBLED),
            ),
            Step(say("Solved for the logistic function, with half the argument:"), (HALVED,)),
        )
        twins = (
            twin(Same(tanh(a), 2 * sigma(a) - 1), AT_ONE),
            twin(Same(sigma(a), (1 + tanh(a)) / 2), AT_ONE),
        )
    return Argument(say("{} and {}", DOUBLED.says, HALVED.says), steps, twins)


def sigma_derivative() -> Argument:
    with evaluate(False):
        slope, ratio = Derivative(sigma(a), a), exp(-a) / (1 + exp(-a)) ** 2
        steps = (
            Step(say("The derivative of the definition, by the rule for a quotient:"), (Same(slope, ratio),)),
            Step(
                say("The two factors of the claim have this product:"),
                (Same(SIGMA_SLOPE.right, ratio), SIGMA_SLOPE),
            ),
        )
        twins = (twin(Same(slope, a * (1 - a)), AT_ONE), twin(Same(slope, 1 - sigma(a) ** 2), AT_ONE))
    return Argument(SIGMA_SLOPE.says, steps, twins)


def tanh_derivative() -> Argument:
    with evaluate(False):
        slope, ratio = Derivative(tanh(a), a), 4 / (exp(a) + exp(-a)) ** 2
        steps = (
            Step(say("The derivative of the definition, by the rule for a quotient:"), (Same(slope, ratio),)),
            Step(say("The right-hand side is the same fraction:"), (Same(TANH_SLOPE.right, ratio), TANH_SLOPE)),
        )
        twins = (twin(Same(slope, 1 - a**2), AT_ONE), twin(Same(slope, tanh(a) * (1 - tanh(a))), AT_ONE))
    return Argument(TANH_SLOPE.says, steps, twins)


def ranges() -> Argument:
    with evaluate(False):
        ratio = (exp(2 * p) - 1) / (exp(2 * p) + 1)
        more_than_one = {exp(2 * p): 1 + s}
        positive = (sigma(a), 1 - sigma(a), 1 + tanh(a), 1 - tanh(a))
    steps = (
        Step(
            say("As fractions in powers of e, which are positive, these have nothing but positive summands:"),
            tuple(Signed(e, ">") for e in positive),
        ),
        Step(
            say("For a positive {} put {} with a positive {}:", p, equals(*next(iter(more_than_one.items()))), s),
            (Same(tanh(p, evaluate=False), ratio), Signed(ratio, ">", more_than_one)),
        ),
        Step(say("For a negative argument tanh is negative, and at 0 it is 0, by {}:", Code("tanh-odd")), (ODD,)),
    )
    everywhere = Signed(tanh(a), ">")
    twins = (Twin(everywhere.says, (everywhere,), Outside(tanh(a), ">", Point({"a": -1}))),)
    logistic, odd = Formula((S.Zero, sigma(a), S.One), ("<", "<")), Formula((S.NegativeOne, tanh(a), S.One), ("<", "<"))
    return Argument(say("{}, {}, and {} has the sign of {}", logistic, odd, tanh(a), a), steps, twins)


def blend() -> Argument:
    point = Point({"z": Fraction(1, 4), "h": 1, "n": 0})
    steps = (
        Step(say("Multiplied out, both sides have the same three products:"), (BLEND,)),
        Step(say("With {} in place of {}:", HALVED.says, z), (HALF_BLEND,)),
    )
    with evaluate(False):
        twins = (
            twin(Same(MIXED, h + z * (n - h)), point),
            twin(Same(MIXED, z * (h - n)), point.at(n=1)),
        )
    return Argument(BLEND.says, steps, twins)


def between() -> Argument:
    with evaluate(False):
        product = (MIXED - h) * (n - MIXED)
        square, difference = z * (1 - z) * (n - h) ** 2, equals(d, n - h)
        given = {z: sigma(a), n: h + d}
        steps = (
            Step(say("Multiplied out,"), (Same(product, square),)),
            Step(
                say("A logistic gate and what it leaves to 1 are positive ({}). With {}:", Code("ranges"), difference),
                (Signed(z * (1 - z) * d**2, ">=", given), Signed(product, ">=", given)),
                shown=1,
            ),
        )
        other = {z: tanh(a), n: h + d}
    twins = (
        Twin(
            say("the same for the gate {}", equals(z, other[z])),
            (Signed(product, ">=", other),),
            Outside(put(product, {z: other[z]}), ">=", Point({"a": -1, "h": 1, "n": 0})),
        ),
    )
    claim = compared(product, ">=")
    return Argument(say("{} lies between {} and {} for a logistic gate {}: {}", MIXED, h, n, z, claim), steps, twins)
