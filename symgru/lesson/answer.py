"""What there is to say to a person whose numbers do not match: the network's calculation, then each of the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import partial

from sympy import Symbol

from symgru import slips
from symgru.answer import Answer
from symgru.backends.dialect import Dialect
from symgru.backends.sentences import names
from symgru.backends.worked import equations, output_name, parameter
from symgru.cell import Cell
from symgru.diagnosis.findings import Diagnosis
from symgru.lesson.claimed import did, one_and_all, small, the_claim
from symgru.lesson.diagnosis import body
from symgru.lesson.layers import formulas
from symgru.lesson.parts import Box, Case, Cases, Heading, Paragraph, Part, Table, Weights
from symgru.lesson.prose import Formula, Text, formula, given, joined, number, say
from symgru.rounding import Rounding
from symgru.trace import last_step
from symgru.update_rules import SWAPPED_UPDATE
from symgru.working import Working

MOST_ROWS, MOST_RESULTS = 64, 8  # of the table of steps; units whose result is told
FEW = 3  # features that have room in the table
STEPS, EXACT, RULES = 10, 14, 8  # decimals of the steps, of the exact result, and under each update rule


def outline(a: Answer) -> Iterator[Part]:
    """The parts, in order."""
    (layer,) = a.explanation.layers
    name = given(a.network.origin or a.network.name)
    yield Heading(1, say("{name}: what this GRU gives, and where the other numbers come from", name=name))
    yield Box((Cases(tuple(_in_short(a))),))
    sections = (
        ("Which printed number is which symbol", _symbols(layer)),
        ("What the network computes, step by step", _steps(a, layer)),
        (f"The hand calculation: {a.hand.numbers[0].text}", _diagnosed(a.hand)),
        (f"The claimed output: {a.claimed.numbers[0].text}", _diagnosed(a.claimed)),
        ("The two update rules: are they equivalent?", _rules(a, layer)),
    )
    for k, (title, parts) in enumerate(sections, 1):
        yield Heading(2, say(f"{k}. {title}"))
        yield from parts


# In short ------------------------------------------------------------------------------------------------------------


def _in_short(a: Answer) -> Iterator[Case]:
    """The three numbers, and in a few words what each of them is."""
    yield Case(say("this network"), joined(_results(a)))
    yield Case(say("hand calculation"), _verdict(a.hand))
    yield Case(say("claimed"), _verdict(a.claimed))


def _results(a: Answer) -> Iterator[Text]:
    """h_4 = -0.462795, for each of the first units."""
    digits = a.explanation.digits
    for k, v in enumerate(last_step(a.explanation.exact_typed)[:MOST_RESULTS]):
        yield say("{name} = {v}", name=formula(_output(a, k)), v=_decimals(v, digits))


def _output(a: Answer, unit: int) -> Formula:
    return lambda d: output_name(a.explanation, d, unit)


def _verdict(d: Diagnosis) -> Text:
    claim, best = the_claim(d), d.best
    if d.verdict == "right":
        return say("{claim}: right, it is what this network gives", claim=claim)
    if d.verdict == "none" or best is None:
        return say("{claim}: not this network's output, nor that of any mistake that was tried", claim=claim)
    if d.verdict == "ambiguous":
        n = len(d.classes)
        return say("{claim}: may be chance" if n == 1 else f"{{claim}}: fits {n} ways alike", claim=claim)
    mistakes = "one mistake" if best.faults == 1 else f"{best.faults} mistakes together"
    return say(f"{{claim}}: from {mistakes}: {{did}}", claim=claim, did=did(best))


def _decimals(v: Decimal, places: int) -> Text:
    """Rounded half up to so many decimals; a tiny number keeps four digits."""
    rounding = Rounding(places)
    return number(rounding.text(rounding(v)))


# The network ---------------------------------------------------------------------------------------------------------


def _symbols(layer: Working) -> Iterator[Part]:
    for array in layer.arrays:
        yield Weights(layer, array)
    yield Paragraph(
        joined((lambda p: next(names(layer, p.dialect)), say("`W` multiplies the input `x`, `U` the state `h`.")), " ")
    )


def _steps(a: Answer, layer: Working) -> Iterator[Part]:
    """The equations, every number of every step, and the result."""
    yield from formulas(layer)
    yield Paragraph(say("Each input is a step of its own, with the same weights:"))
    yield _table(a)
    if layer.sizes["H"] * layer.steps > MOST_ROWS:
        yield Paragraph(say("These are the last rows of many; `symgru explain` writes them all."))
    e = a.explanation
    for k, (typed, stored) in enumerate(zip(*map(last_step, (e.exact_typed, e.exact_stored)), strict=True)):
        as_stored = f" from the numbers as printed, {{stored}} as {a.network.dtype} stores them" * e.stored_differs
        yield Paragraph(
            say(
                "{name} = {v}, exactly {typed}" + as_stored + ".",
                name=formula(_output(a, k)),
                v=_decimals(typed, e.digits),
                typed=_decimals(typed, EXACT),
                stored=_decimals(stored, EXACT),
            )
        )
        if k + 1 == MOST_RESULTS:
            break


def _table(a: Answer) -> Table:
    """One row for each step and unit; the last rows where there are too many."""
    (trace,) = a.run.traces
    (_, steps, features), units = trace.x.shape, trace.sizes["H"]
    shown = features if features <= FEW else 0
    heads = (
        "t",
        *(["unit"] if units > 1 else []),
        *(["x"] if features == 1 else [f"x[{k + 1}]" for k in range(shown)]),
        *(trace.cell.stored(s).name for s in trace.cell.defined),
    )

    def row(t: int, unit: int) -> tuple[Text, ...]:
        return (
            number(t + 1),
            *([number(unit + 1)] if units > 1 else []),
            *(number(v) for v in trace.x[0, t, :shown]),
            *(_decimals(trace.columns[s.name][0, t, unit], STEPS) for s in trace.cell.defined),
        )

    places = [(t, unit) for t in range(steps) for unit in range(units)][-MOST_ROWS:]
    return Table(tuple(map(say, heads)), tuple(row(*place) for place in places))


# The numbers ---------------------------------------------------------------------------------------------------------


def _diagnosed(d: Diagnosis) -> Iterator[Part]:
    """The report of a diagnosis as a part of a larger document."""
    for part in body(d):
        yield replace(part, level=3) if isinstance(part, Heading) else part


# The update rules ----------------------------------------------------------------------------------------------------


def _rules(a: Answer, layer: Working) -> Iterator[Part]:
    u, own, swapped = a.update, _rule(layer, layer.cell), _rule(layer, SWAPPED_UPDATE(layer.cell))
    negated = _negated(a, layer)
    rows = (
        (own, say("as given"), _decimals(u.own, RULES)),
        (swapped, say("as given"), _decimals(u.swapped, RULES)),
        (swapped, say("{negated} negated", negated=negated), _decimals(u.swapped_and_negated, RULES)),
    )
    yield Table((say("rule"), say("weights"), formula(_output(a, 0))), rows, 2)
    gate = str(slips.roles(layer.cell).update)
    yield Paragraph(say("The first is this network's, the second swaps what {z} and 1 - {z} weigh.", z=gate))
    yield Paragraph(_equivalence(a, negated))


def _rule(layer: Working, cell: Cell) -> Text:
    """A cell's last equation."""
    return formula(lambda d: " = ".join(equations(cell, d.unit(d.notation(cell, dict(layer.sizes), layer.timed)))[-1]))


def _negated(a: Answer, layer: Working) -> Text:
    """The update gate's parameters that are not 0."""
    symbols = {p.name: p for p in layer.whole.params}
    named = [symbols[p] for p in a.update.negated if not layer.layer.weights[p].is_zero]
    return one_and_all([formula(partial(_parameter, layer, s)) for s in named])


def _parameter(layer: Working, s: Symbol, d: Dialect) -> str:
    return parameter(layer, d, s)


def _equivalence(a: Answer, negated: Text) -> Text:
    u = a.update
    apart = number(small(float(abs(u.own - u.swapped))))
    if u.proven:
        return say(
            "Yes, in this sense: negating {negated} turns one rule into the other, for all weights and inputs (proven "
            "on the equations), so either can be trained to the same function. "
            + (
                "With these weights and this input the two happen to agree anyway."
                if u.same_with_these_weights
                else "No, in the sense that matters here: with given weights the two differ by {apart}."
            ),
            negated=negated,
            apart=apart,
        )
    return say(
        "No. With this gate activation the gate of a negated sum is not 1 minus the gate, so negating {negated} does "
        "not turn one rule into the other"
        + ("." if u.same_with_these_weights else ", and with given weights the two differ by {apart}."),
        negated=negated,
        apart=apart,
    )
