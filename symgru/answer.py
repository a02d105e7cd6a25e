"""The answer to a person whose numbers do not match: what the network computes, and where other numbers come from.

Every verdict follows from the data: other weights, another input or another claim give another text. `answer` finds
the facts, module `lesson.answer` says them.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from symgru.building import build, only_layer
from symgru.decimal_domain import Decimals
from symgru.diagnosis.claims import Case
from symgru.diagnosis.findings import Diagnosis, Progress
from symgru.diagnosis.reading import read_claim
from symgru.diagnosis.search import diagnose
from symgru.explanation import Explanation, explain
from symgru.mistakes import WORKING, Made, Mistake, Trial
from symgru.network import Network, Tensor
from symgru.readers.assemble import within
from symgru.trace import Run
from symgru.update_rules import NEGATED_UPDATE, SWAPPED_UPDATE, rewritten_weights

DIGITS = 6


@dataclass(frozen=True)
class UpdateRules:
    """The last state of unit 1 under the network's own update rule and the swapped one, with the weights as given and,
    for the swapped one, with the update gate's weights and biases (`negated`) of the other sign.

    `proven`: that the last gives the same function for all weights and inputs (`Transform.proof`).
    """

    own: Decimal
    swapped: Decimal
    swapped_and_negated: Decimal
    negated: tuple[str, ...]
    proven: bool

    @property
    def same_with_these_weights(self) -> bool:
        """Whether swapping alone changes nothing here: not to 30 decimals."""
        return abs(self.own - self.swapped) < Decimal("1e-30")


@dataclass(frozen=True)
class Answer:
    """All facts. `explanation` holds weights and equations, `run` every number of all steps, exact (decimals, from the
    numbers as typed)."""

    explanation: Explanation
    run: Run
    hand: Diagnosis
    claimed: Diagnosis
    update: UpdateRules

    @property
    def network(self) -> Network:
        return self.explanation.network


def answer(
    network: Network, x: Tensor, hand_calculation: str, claimed: str, progress: Progress = lambda *told: None
) -> Answer:
    """Who got what: `hand_calculation` and `claimed` are numbers as they were written, digits and all.

    x has shape (1, time, features). Raises Unsupported for a network that is not one GRU layer, UnusableInput for an
    input of another shape or a claim that is no number.
    """
    only_layer(network)
    explanation = explain(network, x, DIGITS)
    trial = Trial(network, x)
    cases = [
        _case(x, trial.shape, text, whose)
        for text, whose in ((hand_calculation, "the hand calculation"), (claimed, "the claimed number"))
    ]
    hand, other = (diagnose(network, [case], progress=progress) for case in cases)
    run = trial.run(None, Decimals(WORKING, typed=True))
    return Answer(explanation, run, hand, other, update_rules(network, x))


def _case(x: Tensor, shape: tuple[int, int, int], text: str, whose: str) -> Case:
    with within(whose):
        return Case((x,), read_claim(text, shape)[0])


def update_rules(network: Network, x: Tensor) -> UpdateRules:
    """Both rules on the weights of a network of one layer, and the proof of what makes them equivalent. x is (1, time,
    features). Raises Unsupported for any other network, and for a layer without an update gate."""
    layer = only_layer(network)
    cell = build(layer.kind, layer.options)
    _, params = NEGATED_UPDATE.apply(cell)
    trial, domain = Trial(network, x), Decimals(WORKING, typed=True)

    def last(made: Made) -> Decimal:
        return cast(Decimal, trial.result(made, domain)[0])

    swapped = Mistake("update rule", "swapped", cell=SWAPPED_UPDATE)
    negated = Mistake("sign", "of the update gate", weights=lambda weights: rewritten_weights(params, weights))
    return UpdateRules(
        own=last(None),
        swapped=last(swapped),
        swapped_and_negated=last((swapped, negated)),
        negated=tuple(s.name for s in params),
        proven=NEGATED_UPDATE.proof(cell),
    )
