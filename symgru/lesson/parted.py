"""The network's calculation and the one with mistakes beside each other, up to the line at which they part."""

from __future__ import annotations

import decimal
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import cast

from symgru import slips
from symgru.algebra import Ref, walk
from symgru.backends.worked import LayerWriter, starting_names
from symgru.decimal_domain import Decimals
from symgru.diagnosis.claims import LAST, Number
from symgru.diagnosis.findings import Diagnosis
from symgru.diagnosis.rarer import catalogue
from symgru.errors import SymgruError
from symgru.lesson.changed import changed_equations
from symgru.lesson.claimed import FEWEST, GUARDS, MOST_DECIMALS, decimals_of, furthest, shown
from symgru.lesson.contributions import is_long
from symgru.lesson.legend import legend
from symgru.lesson.parts import WHOSE, Equation, Heading, Pair, Paragraph, Part, Side, Table, Worked
from symgru.lesson.prose import Formula, Text, formula, given, joined, number, say
from symgru.lesson.side_by_side import Beside, Parting, Row, beside
from symgru.mistakes import WORKING, Trial
from symgru.rounding import Rounding
from symgru.wording import counted
from symgru.working import Line, Working

NEARLY_0 = Decimal("1e-4")  # a gate that a person takes for 0
MOST_ROWS, MOST_TAKEN = 40, 8  # lines of a step, weights of a line
MOST_HELPERS = 8  # lines of other units that a line needs
MOST_SUMMANDS, MOST_FEATURES = 12, 8  # of a line and of an input that stand in full


def calculations(d: Diagnosis) -> Iterator[Part]:
    """The network's calculation and the one with the mistakes side by side, up to where they part."""
    best = d.best
    if best is None or not best.made:
        return
    k, place, at = _looked_at(d)
    case = d.cases[place]
    claimed = case.claim[at]
    digits = min(max(decimals_of(claimed.text) + GUARDS, FEWEST), MOST_DECIMALS)
    unit = claimed.unit if claimed.unit is not None else best.unit or 0
    both = beside(Trial(d.network, case.inputs, catalogue), best.made, digits, claimed.sequence, unit)
    ends = tuple(number(shown(v, claimed.text, GUARDS)) for v in (d.exact[k], best.values[k]))
    yield Heading(2, say("Where the two calculations part"))
    if len(d.classes) > 1 and d.verdict == "ambiguous":
        yield Paragraph(say("Of the likeliest of these ways, beside the network:"))
    if both and both.parting:
        yield from changed_equations(both.parting.own, both.parting.other, len(both.own) > 1)
    if both:
        yield from _parted(both)
    behind = tuple(_rest(both.parting)) if both and both.parting else ()
    yield Paragraph(say("From there on, and in the end:" if behind else "In the end:"))
    yield Table((say(""), *map(say, WHOSE)), (*behind, (say(_end(both, claimed)), *ends)), 1)
    if both and both.parting and both.parting.rows:
        yield from legend(both.parting.own, both.parting.other, _printed(both.parting))
    for instead in dict.fromkeys(m.instead for m in best.made if m.instead):
        yield Paragraph(say(f"{instead[0].upper()}{instead[1:]}."), "Remember")


def taken_for_0(d: Diagnosis) -> Iterator[Part]:
    """A remark where the claim is the candidate of the last step: the update gate was so small that it was left out."""
    best, claim = d.best, d.numbers[0]
    if best is None or len(d.numbers) > 1 or claim.step != LAST:
        return
    trial = Trial(d.network, d.cases[0].inputs, catalogue)
    try:
        (trace,) = trial.run(best.made, Decimals(WORKING, typed=True)).traces
    except (SymgruError, decimal.InvalidOperation, ValueError):  # also where there are several layers
        return
    own = slips.roles(trace.cell)
    if own.update is None or own.candidate.name not in trace.columns:
        return
    at = claim.sequence, -1, claim.unit if claim.unit is not None else best.unit or 0
    gate, candidate = (cast(Decimal, trace.columns[s.name][at]) for s in (own.update, own.candidate))
    if 0 <= gate <= NEARLY_0 and abs(candidate - claim.value) <= Decimal(claim.half) < Decimal(best.distances[0]):
        yield Paragraph(
            say(
                f"In your calculation `{own.update}` is {{gate}}. Taken as 0, it leaves "
                f"`{trace.cell.stored(trace.cell.output)} = {own.candidate}`, which is {{claim}} to its digits.",
                gate=number(_rounded(gate)),
                claim=number(claim.text),
            ),
            "By the way",
        )


def _rounded(v: Decimal) -> str:
    rounding = Rounding(MOST_DECIMALS)
    return rounding.text(rounding(v))


def _end(both: Beside | None, claimed: Number) -> str:
    """What the last row of the comparison is called."""
    if claimed.step != LAST:
        return f"after step {claimed.step + 1}"
    steps = {layers[-1].steps for layers in (both.own, both.other)} if both else set()
    return f"after step {steps.pop()}" if len(steps) == 1 and both and both.own[-1].cell.states else "result"


def _looked_at(d: Diagnosis) -> tuple[int, int, int]:
    """The claimed number that the right calculation misses most: which of all, of which case, which there."""
    k = at = furthest(d.own)
    for place, case in enumerate(d.cases):
        if at < len(case.claim):
            return k, place, at
        at -= len(case.claim)
    raise AssertionError(k)


def _parted(both: Beside) -> Iterator[Part]:
    """What both have, and the first line that differs, as each has it."""
    p = both.parting
    if p is None:
        yield Paragraph(
            say("Every line of the two is the same. What differs is the number that is taken for the result.")
        )
        return
    where = (
        say("In layer {k}, “{label}”, ", k=str(p.own.place), label=given(p.own.layer.label))
        if len(both.own) > 1
        else say("")
    )
    yield Paragraph(joined((where, _up_to(p, len(both.own) > 1)), ""))
    before = p.rows[: p.at]
    if same := [row.own for row in before if row.own and row.other]:
        lines = joined(formula(_value(p.own, line)) for line in same)
        yield Paragraph(say("In step {t} both have {lines}.", t=str(p.t), lines=lines))
    given_first = list(_given(p))
    yield from given_first
    if p.first is None:
        return
    yield from _helpers(p, before)
    yield _pair(p, p.first, not given_first)
    if p.first.own is None or p.first.other is None:
        behind = (row for row in p.rows[p.at + 1 :] if row.own and row.other and row.is_another())
        yield from (_pair(p, row, False) for row in list(behind)[:1])
    yield from _taken(p)


def _helpers(p: Parting, before: Sequence[Row]) -> Iterator[Part]:
    """What only one of the two works out on the way to the line at which they part."""
    alone = [row for row in before if not row.shared]
    if not alone:
        return
    own = _needed(p.own, [row.own for row in alone if row.own], p.first.own if p.first else None)
    other = _needed(p.other, [row.other for row in alone if row.other], p.first.other if p.first else None)
    if own and other:
        says = f"Each of the two has {'a line' if len(own) == len(other) == 1 else 'lines'} that the other has not:"
    else:
        (one, lines), (without, _) = sorted(zip(WHOSE, (own, other), strict=True), key=lambda each: not each[1])
        says = f"{one.capitalize()} has {'a line' if len(lines) == 1 else 'lines'} that {without} has not:"
    yield Paragraph(say(says))
    for line in own:
        yield _pair(p, Row(line, None), False)
    for line in other:
        yield _pair(p, Row(None, line), False)
    yield Paragraph(say("And then:"))


def _needed(layer: Working, lines: Sequence[Line], last: Line | None) -> list[Line]:
    """The lines of a unit, and those of the other units in the same quantities that the last line reads."""
    kinds = {line.lhs.of for line in lines}
    read = {s for s in walk(last.rhs) if isinstance(s, Ref) and s.dt == 0 and s.of in kinds} if last else set()
    more = [line for line in layer.lines(last.t) if line.lhs in read and line not in lines] if last and read else []
    return [*lines, *more] if len(more) < MOST_HELPERS else list(lines)


def _printed(p: Parting) -> Iterator[Line]:
    """The lines that stand in full."""
    for row in p.rows[: p.at + 1]:
        if not row.shared or row is p.first:
            yield from (line for line in (row.own, row.other) if line)


def _up_to(p: Parting, layered: bool) -> Text:
    """Where the two are alike, and where they part."""
    done = p.t - 1
    alike = f"step{'s 1 to' if done > 1 else ''} {done} give{'s' if done == 1 else ''} the same in both"
    if done and p.own.cell.states:
        alike += ", {state}"
        state = formula(_state(p.own, done, p.unit))
    else:
        state = say("")
    if not p.rows:
        longer, shorter = WHOSE if p.own.steps > p.other.steps else WHOSE[::-1]
        return say(_sentence(f"{alike}. There {shorter} ends, and {longer} goes on.", layered), state=state)
    if p.fed:
        part = f"the input of step {p.t} differs already" if p.own.timed else "the input differs already"
    elif p.started:
        part = "the state before step 1 differs already"
    else:
        part = f"they part in step {p.t}, at the marked line" if p.own.timed else "they part at the marked line"
    lengths = ""
    if p.own.steps != p.other.steps:
        lengths = f" ({WHOSE[0]} has {counted(p.own.steps, 'step')}, {WHOSE[1]} {p.other.steps})"
    return say(_sentence((f"{alike}; {part}" if done else part) + lengths + ".", layered), state=state)


def _state(layer: Working, t: int, unit: int) -> Formula:
    """The state of a unit after a step, as an equation."""
    before, after = layer.calculator.states[0]
    name = _name(layer, Ref(before, (unit,), 0), t)
    return lambda d: f"{name(d)} = {d.number(layer.value(after.name, t, unit))}"


def _sentence(text: str, goes_on: bool) -> str:
    return text if goes_on else text[0].upper() + text[1:]


def _given(p: Parting) -> Iterator[Pair]:
    """The input of the step, or the state before it, where that differs already."""
    if p.fed:
        texts = [[str(v) for v in layer.x_texts[p.t - 1]] for layer in (p.own, p.other)]
        name, (a, b) = _input(p, texts)
        yield Pair(Equation(name, (a,)), Equation(name, (b,)), True)
    elif p.started:
        state, _ = p.own.calculator.states[0]
        before = Ref(state, (p.unit,), -1)
        yield Pair(_begins(p, p.own, before), _begins(p, p.other, before), True)


def _begins(p: Parting, layer: Working, before: Ref) -> Equation:
    return Equation(_name(layer, before, p.t), (_number(layer.before(p.unit)),))


def _input(p: Parting, texts: list[list[str]]) -> tuple[Formula, tuple[Formula, Formula]]:
    """The input as a whole, or of many features the first that differs."""
    own, other = texts
    if len(own) <= MOST_FEATURES:
        return lambda d: starting_names(p.own, d, p.t)[0], (_row(own), _row(other))
    k = next(k for k, (a, b) in enumerate(zip(own, other, strict=True)) if a != b)
    return _name(p.own, Ref(p.own.calculator.inputs[0], (k,), 0), p.t), (_number(own[k]), _number(other[k]))


def _row(texts: list[str]) -> Formula:
    return lambda d: d.row(texts)


def _number(text: str) -> Formula:
    return lambda d: d.number(text)


def _name(layer: Working, ref: Ref, t: int) -> Formula:
    return lambda d: LayerWriter(layer, d).ref(ref, t)


def _value(layer: Working, line: Line) -> Formula:
    """A line's name and value alone."""
    return lambda d: f"{LayerWriter(layer, d).ref(line.lhs, line.t)} = {d.number(line.text)}"


def _pair(p: Parting, row: Row, marked: bool) -> Pair:
    return Pair(_side(p.own, row.own), _side(p.other, row.other), marked)


def _side(layer: Working, line: Line | None) -> Side:
    """A line in full; of a long sum what it is the sum of is left out."""
    if line is None:
        return None
    if is_long(line.rhs, MOST_SUMMANDS):
        return Equation(_name(layer, line.lhs, line.t), (lambda d: d.syntax().ellipsis, _number(line.text)))
    return Worked(layer, replace(line, risky=False))  # a digit more or less is of no importance here


def _taken(p: Parting) -> Iterator[Part]:
    """Which numbers of the weights are taken for which symbols in the line where the calculations part."""
    pairs = list(p.taken)
    if not pairs:
        return
    yield Paragraph(say("In that line these weights are other numbers:"))
    rows = ((formula(_name(p.own, ref, p.t)), number(a), number(b), _whose(p, ref, b)) for ref, a, b in pairs)
    yield Table((say("symbol"), *map(say, WHOSE), say("")), tuple(rows)[:MOST_TAKEN], 1)
    if len(pairs) > MOST_TAKEN:
        yield Paragraph(say("and {n} more.", n=str(len(pairs) - MOST_TAKEN)))


def _whose(p: Parting, ref: Ref, text: str) -> Text:
    """Which of the network's weights that number is, where there is one such."""
    same = [other for other, t in p.own.texts(p.t).items() if other.dt is None and t == text and other != ref]
    return say("which is {name}", name=formula(_name(p.own, same[0], p.t))) if len(same) == 1 else say("")


def _rest(p: Parting) -> Iterator[tuple[Text, ...]]:
    """The values of the lines behind that one, in the same step."""
    behind = p.rows[p.at + (not p.fed and not p.started) :] if p.first else ()
    for row in behind[:MOST_ROWS]:
        names = dict.fromkeys(line.lhs for line in (row.own, row.other) if line)
        layers = {line.lhs: layer for layer, line in ((p.own, row.own), (p.other, row.other)) if line}
        yield (
            joined((formula(_name(layers[ref], ref, p.t)) for ref in names), " / "),
            *map(number, row.texts),
        )
