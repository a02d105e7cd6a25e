"""What a diagnosis tells the person who asked: the answer, the two calculations side by side, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from symgru.algebra import Ref
from symgru.backends.sentences import names
from symgru.backends.worked import LayerWriter, starting_names
from symgru.diagnosis.chance import CERTAIN
from symgru.diagnosis.claims import LAST, Number
from symgru.diagnosis.findings import Alike, Diagnosis, Fit, Probe
from symgru.diagnosis.rarer import catalogue
from symgru.hypotheses import listed
from symgru.lesson.contributions import is_long
from symgru.lesson.grounds import Grounds, grounds, proven, what_happened
from symgru.lesson.parts import WHOSE, Box, Case, Cases, Equation, Heading, Pair, Paragraph, Part, Side, Table, Worked
from symgru.lesson.prose import Formula, Text, formula, given, joined, number, numbers, say
from symgru.lesson.side_by_side import Beside, Parting, Row, beside
from symgru.mistakes import Trial
from symgru.network import Edge
from symgru.rounding import Rounding, exactly
from symgru.shapes import shapes
from symgru.wording import counted
from symgru.working import Line, Working

FEWEST, GUARDS, MOST_DECIMALS = 6, 2, 10  # decimals of the lines: so many at least, beyond the claim's, at most
MOST_WAYS, MOST_NEAR, MOST_NUMBERS = 12, 3, 12  # that fit, that nearly do, that were claimed
MOST_ROWS, MOST_SUMMANDS, MOST_TAKEN, MOST_FEATURES = (
    40,
    12,
    8,
    8,
)  # lines of a step; of a line, of a table, of an input
SOME = 0.05  # a chance that is worth nothing as evidence from here on
RARE = 1e-6  # a chance that is not told from smaller ones
FEW = 3  # numbers that are named within a sentence


def outline(d: Diagnosis, known: Grounds | None = None) -> Iterator[Part]:
    """The parts of the report, in order. `known` is what there is to say where nothing fits; it is found where it is
    not given."""
    yield Heading(1, title(d))
    yield Box(tuple(answer(d)))
    yield from _compared(d)
    if d.verdict == "explained":
        yield from calculations(d)
        yield from sureness(d)
    elif d.verdict == "ambiguous":
        yield from ways(d)
        if d.chance < 1:  # else the first is no likelier than what chance brings
            yield from calculations(d)
    elif d.verdict == "none":
        known = known or grounds(d)
        yield Heading(2, say("What this rests on"))
        yield from proven(known)
        yield from enumerated(d)
        yield from what_happened(known)


# ---------------------------------------------------------------- the answer


def title(d: Diagnosis) -> Text:
    """What was asked."""
    if d.verdict == "right":
        return say("{are} {claim} right?", are=_be(d).capitalize(), claim=_claim(d))
    return say("Why {claim}?", claim=_claim(d))


def answer(d: Diagnosis) -> Iterator[Part]:
    """One or two sentences."""
    claim, right = _claim(d), _right(d)
    best = d.best
    if d.verdict == "right":
        yield Paragraph(
            say(
                "{claim} {be} right: the network gives {right}. {apart}",
                claim=claim,
                be=_be(d),
                right=right,
                apart=_apart(d, d.own),
            )
        )
        if others := len(d.classes) - 1:
            yield Paragraph(
                say(
                    "So few digits say little, though: {n} would give the same. More digits would tell.",
                    n=f"{others} mistakes" if others > 1 else "a mistake",
                )
            )
    elif d.verdict == "explained" and best:
        yield Paragraph(
            say(
                "{claim} {be} what comes out if you {did}. The network gives {right}.",
                claim=claim,
                be=_be(d),
                did=_did(best),
                right=right,
            )
        )
    elif d.verdict == "ambiguous":
        n = len(d.classes)
        words = (
            "One way that was tried gives {claim}, but that may be chance."
            if n == 1
            else f"{{claim}} {{may}} have come about in {n} different ways, and nothing says which of them it was."
        )
        words += " The network gives {right}."
        yield Paragraph(say(words, claim=claim, may="may" if len(d.numbers) == 1 else "may all", right=right))
        yield Paragraph(_by_chance(d))
    else:
        yield Paragraph(
            say(
                "{claim} {be} not what the network gives, which is {right}; and no mistake that was tried leads there.",
                claim=claim,
                be=_be(d),
                right=right,
            )
        )


def _claim(d: Diagnosis) -> Text:
    """The claimed number, or the first few of several."""
    texts = [n.text for n in d.numbers]
    return _some(texts)


def _right(d: Diagnosis) -> Text:
    """What the network gives instead."""
    values = _some([_shown(v, n.text) for v, n in zip(d.exact, d.numbers, strict=True)])
    place = next(_places(d))
    return say(f"{{values}} ({place})", values=values) if len(d.numbers) == 1 and place else values


def _some(texts: Sequence[str]) -> Text:
    few = list(map(number, texts[:FEW]))
    more = [say(f"{len(texts) - FEW} more")] if len(texts) > FEW else []
    return _and([*few, *more])


def _be(d: Diagnosis) -> str:
    return "is" if len(d.numbers) == 1 else "are"


def _did(fit: Fit) -> Text:
    """What was done, one thing after the other."""
    return say("; and ".join(dict.fromkeys(m.says for m in fit.made)))


def _shown(v: Decimal | float, claim: str, more: int = 0) -> str:
    """A value with as many decimals as a claim has, and at least FEWEST."""
    rounding = Rounding(min(max(_decimals(claim) + more, FEWEST), MOST_DECIMALS))
    return rounding.text(rounding(v if isinstance(v, Decimal) else exactly(v)))


def _decimals(text: str) -> int:
    return max(0, -int(Decimal(text).as_tuple().exponent))


def _apart(d: Diagnosis, fit: Fit) -> Text:
    """How far a way is from the claim, and how far it may be: of several numbers the one that is off most."""
    k = _furthest(fit)
    allowed = [
        ("half a unit of its last digit", fit.half[k]),
        ("what the digits that were not printed of weights and inputs can change", fit.printing[k]),
        ("a framework's own rounding", fit.arithmetic[k]),
    ]
    parts = [say("{what} ({size})", what=what, size=number(_small(v))) for what, v in allowed if v]
    return say(
        "{which} is {far} away, and {most} is allowed: {parts}.",
        which=_it(d, k),
        far=number(_small(fit.distances[k])),
        most=number(_small(fit.allowed[k])),
        parts=_and(parts),
    )


def _small(v: float) -> str:
    """A distance: two digits."""
    return f"{v:.2g}"


def _and(texts: Sequence[Text]) -> Text:
    """a, b and c"""
    *first, last = texts
    return say("{first} and {last}", first=joined(first), last=last) if first else last


def _it(d: Diagnosis, k: int) -> Text:
    return say("It") if len(d.numbers) == 1 else say("Furthest off is {n}; it", n=number(d.numbers[k].text))


def _furthest(fit: Fit) -> int:
    away = [far / most if most else float("inf") for far, most in zip(fit.distances, fit.allowed, strict=True)]
    return max(range(len(away)), key=away.__getitem__)


def _by_chance(d: Diagnosis) -> Text:
    """What agreement alone is worth."""
    if d.chance < CERTAIN:
        return say(
            "That is hardly chance, but several of them take as few mistakes: another input, with what came out for "
            "it, would tell them apart."
        )
    fewest = d.classes[0].first.faults
    tried = sum(t.ways for t in d.tried[:fewest])  # the first are single mistakes, the second pairs
    worth = "agreement alone tells little" if d.chance > SOME else "it may well be right, but need not be"
    return say(
        f"Of {{tried}} ways tried about {{chance}} would agree with any number picked at random, so {worth}: give more "
        "digits or more numbers.",
        tried=f"{tried:,}",
        chance=number(f"{d.chance:.1g}" if d.chance < 1 else f"{d.chance:,.0f}"),
    )


# ---------------------------------------------------------------- several numbers


def _compared(d: Diagnosis) -> Iterator[Part]:
    """Each number beside the right one, where there are several."""
    if len(d.numbers) < 2:
        return
    best = d.best if d.verdict == "explained" else None
    heads = [say("where"), say("you have"), say("the network gives"), *([say("with that mistake")] if best else [])]
    rows = [
        (
            say(where),
            number(n.text),
            number(_shown(exact, n.text)),
            *([number(_shown(best.values[k], n.text))] if best else []),
        )
        for k, (where, n, exact) in enumerate(zip(_places(d), d.numbers, d.exact, strict=True))
    ]
    yield Paragraph(say("Number by number:"))
    yield Table(tuple(heads), tuple(rows[:MOST_NUMBERS]), 1)
    if len(rows) > MOST_NUMBERS:
        yield Paragraph(say("and {n} more.", n=str(len(rows) - MOST_NUMBERS)))


def _places(d: Diagnosis) -> Iterator[str]:
    """Which number is which: only what tells them apart."""
    every = [(i, n) for i, case in enumerate(d.cases, 1) for n in case.claim]
    sequences, steps = {n.sequence for _, n in every}, {n.step for _, n in every}
    units = shapes(d.network)[(d.network.outputs or (Edge(d.network.calls[-1].id),))[0]][-1]
    for i, n in every:
        unit = n.unit if n.unit is not None else (d.best or d.own).unit
        words = [
            f"input {i}" if len(d.cases) > 1 else "",
            f"sequence {n.sequence + 1}" if len(sequences) > 1 else "",
            ("last step" if n.step == LAST else f"step {n.step + 1}") if len(steps) > 1 or steps != {LAST} else "",
            f"unit {unit + 1}" if unit is not None and units != 1 else "",
        ]
        yield ", ".join(filter(None, words))


# ---------------------------------------------------------------- the two calculations


def calculations(d: Diagnosis) -> Iterator[Part]:
    """The network's calculation and the one with the mistakes side by side, up to where they part."""
    best = d.best
    if best is None or not best.made:
        return
    k, place, at = _looked_at(d)
    case = d.cases[place]
    claimed = case.claim[at]
    digits = min(max(_decimals(claimed.text) + GUARDS, FEWEST), MOST_DECIMALS)
    unit = claimed.unit if claimed.unit is not None else best.unit or 0
    both = beside(Trial(d.network, case.inputs, catalogue), best.made, digits, claimed.sequence, unit)
    ends = tuple(number(_shown(v, claimed.text, GUARDS)) for v in (d.exact[k], best.values[k]))
    yield Heading(2, say("Where the two calculations part"))
    if len(d.classes) > 1 and d.verdict == "ambiguous":
        yield Paragraph(say("Of the likeliest of these ways, beside the network:"))
    if both:
        yield from _parted(both)
    behind = tuple(_rest(both.parting)) if both and both.parting else ()
    yield Paragraph(say("From there on, and in the end:" if behind else "In the end:"))
    yield Table((say(""), *map(say, WHOSE)), (*behind, (say(_end(both, claimed)), *ends)), 1)
    if both and both.parting and both.parting.rows:
        layer = both.parting.own
        yield Paragraph(lambda p: " ".join(names(layer, p.dialect)))
    for instead in dict.fromkeys(m.instead for m in best.made if m.instead):
        yield Paragraph(say(f"{instead[0].upper()}{instead[1:]}."), "Remember")


def _end(both: Beside | None, claimed: Number) -> str:
    """What the last row of the comparison is called."""
    if claimed.step != LAST:
        return f"after step {claimed.step + 1}"
    steps = {layers[-1].steps for layers in (both.own, both.other)} if both else set()
    return f"after step {steps.pop()}" if len(steps) == 1 and both and both.own[-1].cell.states else "result"


def _looked_at(d: Diagnosis) -> tuple[int, int, int]:
    """The claimed number that the right calculation misses most: which of all, of which case, which there."""
    k = at = _furthest(d.own)
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
    if same := [row.own for row in p.rows[: p.at] if row.own]:
        lines = joined(formula(_value(p.own, line)) for line in same)
        yield Paragraph(say("In step {t} both have {lines}.", t=str(p.t), lines=lines))
    given_first = list(_given(p))
    yield from given_first
    if p.first is None:
        return
    yield _pair(p, p.first, not given_first)
    if p.first.own is None or p.first.other is None:
        behind = (row for row in p.rows[p.at + 1 :] if row.own and row.other and row.is_another())
        yield from (_pair(p, row, False) for row in list(behind)[:1])
    yield from _taken(p)


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


# ---------------------------------------------------------------- how sure it is


def sureness(d: Diagnosis) -> Iterator[Part]:
    """What speaks for the explanation, and what else would explain it as well."""
    best = d.best
    assert best
    yield Heading(2, say("How sure this is"))
    gives = say(
        "That calculation gives {v}. ",
        v=_some([_shown(v, n.text, GUARDS) for v, n in zip(best.values, d.numbers, strict=True)]),
    )
    yield Paragraph(joined((gives, _apart(d, best)), ""))
    yield Paragraph(_no_chance(d))
    yield from alike(d.classes[0])
    if more := len(d.classes) - 1:
        yield Paragraph(
            say(
                "{n} with more mistakes in {them} {fit} too; the fewest are the likeliest.",
                n=counted(more, "way"),
                them="it" if more == 1 else "them",
                fit="fits" if more == 1 else "fit",
            )
        )
    if not d.complete:
        yield Paragraph(
            say("The search ended there: ways with more mistakes were not tried, since this one is plain enough.")
        )


def _no_chance(d: Diagnosis) -> Text:
    if not d.chance:
        return say("No other way that was tried comes near.")
    odds = 1 / max(d.chance, RARE)
    return say(
        "This is hardly chance: a number picked at random would agree with a way as simple as this {about} once in "
        "{odds} times.",
        about="about" if d.chance > RARE else "less than",
        odds=f"{float(f'{odds:.0e}'):,.0f}",
    )


def alike(found: Alike) -> Iterator[Part]:
    """The ways that have one result here, and an input that tells them apart."""
    members = _distinct(found.members)
    if len(members) < 2:
        return
    yield Paragraph(say("With these weights and this input the same number comes out for each of these:"))
    probe = found.probe
    if probe is None or probe.tells < 2:
        yield Cases(tuple(Case(number(k), say("You {did}.", did=_did(m))) for k, m in enumerate(members, 1)))
        yield Paragraph(say("No other input that was tried tells them apart either."))
        return
    places = [found.members.index(m) for m in members]
    values = _told([probe.values[k] for k in places])
    yield Paragraph(say("To tell them apart, feed {x}. Then the result is:", x=_fed(probe)))
    yield Cases(
        tuple(Case(numbers(v), say("if you {did}.", did=_did(m))) for v, m in zip(values, members, strict=True))
    )


def _distinct(members: Sequence[Fit]) -> list[Fit]:
    """Without those that are said in the same words."""
    first: dict[tuple[str, ...], Fit] = {}
    for m in members:
        first.setdefault(tuple(made.says for made in m.made), m)
    return list(first.values())[:MOST_WAYS]


def _told(values: Sequence[Sequence[float]]) -> list[list[str]]:
    """Results with as many decimals as tell them apart."""
    many = len({tuple(round(v, MOST_DECIMALS) for v in row) for row in values})
    texts: list[list[str]] = []
    for decimals in range(FEWEST, MOST_DECIMALS + 1):
        rounding = Rounding(decimals)
        texts = [[rounding.text(rounding(exactly(v))) for v in row[:FEW]] for row in values]
        if len({tuple(row) for row in texts}) == many:
            break
    return texts


def _fed(probe: Probe) -> Text:
    """The input that tells ways apart, as it is typed."""
    rows = [list(map(str, row)) for row in probe.x.text[0]]
    if all(len(row) == 1 for row in rows):
        return numbers(row[0] for row in rows)
    return joined((formula(_row(row)) for row in rows), ", ")


# ---------------------------------------------------------------- where nothing is certain


def ways(d: Diagnosis) -> Iterator[Part]:
    """Everything that fits, the likeliest first."""
    yield Heading(2, say("What gives {claim}", claim=_claim(d)))
    yield Cases(tuple(_way(d, c) for c in d.classes[:MOST_WAYS]))
    if len(d.classes) > MOST_WAYS:
        yield Paragraph(say("and {n} more.", n=str(len(d.classes) - MOST_WAYS)))


def _way(d: Diagnosis, c: Alike) -> Case:
    values = _some([_shown(v, n.text, GUARDS) for v, n in zip(c.first.values, d.numbers, strict=True)])
    others = [_did(m) for m in _distinct(c.members)]
    return Case(values, say("You {did}.", did=joined(others[:FEW], "; or you ")))


def enumerated(d: Diagnosis) -> Iterator[Part]:
    """What was tried, and what came nearest."""
    results = sum(t.results for t in d.tried)
    yield Paragraph(
        say(
            f"{listed([f'{t.ways:,} {t.says}' for t in d.tried])}, which lead to {results:,} different results. None "
            "of them is {claim} to its digits.",
            claim=_claim(d),
        ),
        "Tried",
    )
    if d.near:
        yield Paragraph(say("These come nearest, but they are near misses and explain nothing:"))
        yield Cases(tuple(_near(d, fit) for fit in d.near[:MOST_NEAR]))


def _near(d: Diagnosis, fit: Fit) -> Case:
    k = _furthest(fit)
    return Case(
        number(_shown(fit.values[k], d.numbers[k].text)),
        say(
            "You {did}. That is {far} away, and {most} is allowed.",
            did=_did(fit),
            far=number(_small(fit.distances[k])),
            most=number(_small(fit.allowed[k])),
        ),
    )
