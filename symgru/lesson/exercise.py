"""The two papers of an exercise: the sheet with its blanks, and the key with the marker's table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symgru.backends.dialect import Dialect
from symgru.backends.worked import output_name
from symgru.exercise import APART, Exercise
from symgru.explanation import Explanation
from symgru.lesson.closing import verification
from symgru.lesson.extent import Extent
from symgru.lesson.inputs import input_equations
from symgru.lesson.layers import MOST_WEIGHTS, equations, layer_parts, weights
from symgru.lesson.outline import answer, how_to_read, layer_title, noted
from symgru.lesson.parts import Box, Case, Cases, Equation, Heading, Paragraph, Part, Results
from symgru.lesson.prose import Formula, Text, numbers, say
from symgru.lesson.steps import layer_numbers
from symgru.working import BLANK, Hidden

LINE = "_" * 30  # to write a name on
PAPER = Extent("full", code=False, answers=False)
SOLVED = Extent("full", code=False)


def sheet(made: Exercise, hidden: Hidden) -> tuple[Explanation, Iterator[Part]]:
    """What is handed out, and the explanation behind it: the values that `hidden` names are blank in every line."""
    e = made.explanation
    blank = replace(e, layers=tuple(replace(layer, hidden=hidden) for layer in e.layers))
    return blank, _sheet(blank, made)


def _sheet(e: Explanation, made: Exercise) -> Iterator[Part]:
    yield Heading(1, _title("Exercise", made))
    yield Paragraph(say(f"Name {LINE}" + (f"   Version {made.version}" if made.version else "")))
    yield Box((Results(tuple(input_equations(e))),))
    yield Paragraph(
        say(
            "The network below is given this input. Fill in every blank, line after line, and give the state after the "
            "last step to {d} decimal{s}.",
            d=str(e.digits),
            s="s" if e.digits > 1 else "",
        )
    )
    yield from noted(e)
    yield from how_to_read(e)
    for layer in e.layers:
        yield Heading(2, layer_title(e, layer))
        yield from weights(e, layer, MOST_WEIGHTS)
        yield from equations(layer)
        yield from layer_numbers(e, layer, PAPER)
    yield Heading(2, say("Result"))
    yield Results(tuple(Equation(_name(e, k), (_blank,)) for k in range(len(e.results))))


def key(made: Exercise) -> tuple[Explanation, Iterator[Part]]:
    """The solution in full, then which answer comes from which mistake."""
    return made.explanation, _key(made.explanation, made)


def _key(e: Explanation, made: Exercise) -> Iterator[Part]:
    yield Heading(1, _title("Key", made))
    yield answer(e, SOLVED)
    yield from marks(made)
    yield from how_to_read(e)
    for layer in e.layers:
        yield Heading(2, layer_title(e, layer))
        yield from layer_parts(e, layer, SOLVED)
    yield from verification(e)


def marks(made: Exercise) -> Iterator[Part]:
    """The marker's table: each wrong answer, and the mistake that leads to it."""
    yield Heading(2, say("Which answer comes from which mistake"))
    yield Paragraph(
        say(
            "Each answer comes from one mistake made at every step, and all else right. No two are nearer to each "
            "other than {n} units of their last digit, so that one which is rounded otherwise there is still told "
            "apart. Whoever answers:",
            n=str(APART),
        )
    )
    yield Cases(
        tuple(
            Case(numbers(m.values), say(f"{' or '.join(m.says)}. Right: {'; '.join(m.instead)}.")) for m in made.marks
        )
    )
    if made.unseen:
        listed = "; ".join(dict.fromkeys(m.says for m in made.unseen))
        yield Paragraph(
            say(
                "In a network of this size and kind, in which no line but a product with the first state is 0, these "
                f"lead to the right answer all the same: {listed}."
            )
        )


def _title(what: str, made: Exercise) -> Text:
    return say(f"{what}, version {made.version}" if made.version else what)


def _name(e: Explanation, k: int) -> Formula:
    return lambda d: output_name(e, d, k)


def _blank(d: Dialect) -> str:
    return d.number(BLANK)
