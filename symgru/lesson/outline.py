"""The worked example from its first line to its last: the answer first, then how one gets there, then what to check."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Symbol, evaluate, exp

from symgru.backends.dialect import Dialect
from symgru.backends.sentences import ending, kind, notes, sizes_text
from symgru.backends.worked import output_name
from symgru.explanation import Explanation
from symgru.lesson.between import between
from symgru.lesson.closing import caught, code, verification
from symgru.lesson.extent import Extent
from symgru.lesson.inputs import input_equations
from symgru.lesson.layers import layer_parts
from symgru.lesson.parts import Box, Equation, Heading, Paragraph, Part, Picture, Results
from symgru.lesson.prose import Formula, Text, formula, given, joined, say, told
from symgru.lesson.steps import layer_numbers
from symgru.working import Working

MOST_INPUTS, MOST_RESULTS = 12, 8  # rows of the input and of the result that the answer shows
with evaluate(False):
    _a = Symbol("a")
    TANH = (exp(_a) - exp(-_a)) / (exp(_a) + exp(-_a))


def outline(e: Explanation, extent: Extent) -> Iterator[Part]:
    """The parts of the worked example, in order, as they become known."""
    yield Heading(1, say("{name}, worked out by hand", name=given(e.network.origin or e.network.name)))
    yield answer(e, extent)
    if e.others:
        yield Paragraph(
            say(
                "The input holds {n} sequences. Each starts from the same state and never sees the others; this is the "
                "first, and the others follow it.",
                n=str(len(e.others) + 1),
            )
        )
    if not e.reached and extent.answers:
        yield Paragraph(
            say(
                "The exact value rounds otherwise: {d} decimals do not carry {D} digits through this network.",
                d=str(e.decimals),
                D=str(e.digits),
            )
        )
    yield from noted(e)
    yield from how_to_read(e)
    if len(e.network.calls) > 1:
        yield network_picture(e)
    shown = {layer.trace.call.id: layer for layer in e.layers}
    for call, own in e.network:
        if call.id in shown:
            yield Heading(2, layer_title(e, shown[call.id]))
            yield from layer_parts(e, shown[call.id], extent)
        else:
            yield from between(e, call, own)
    if extent.answers:
        yield from result(e)
    for k, other in enumerate(e.others, 2):
        yield Heading(2, say("Sequence {k} of {n}", k=str(k), n=str(len(e.others) + 1)))
        yield from another(e, other, extent)
    if extent.answers:
        yield from caught(e)
    if extent.answers and extent.code:
        yield from code(e)


def network_picture(e: Explanation) -> Picture:
    """The layers, and what flows from one to the next."""
    from symgru import drawing

    return Picture(lambda: drawing.graph(e.network), say("The layers in the order in which they are computed."))


def result(e: Explanation) -> Iterator[Part]:
    """What the network makes of its layers' outputs, and the box that checks it."""
    if said := ending(e):
        yield Paragraph(told(said))
    yield from verification(e)


def another(first: Explanation, e: Explanation, extent: Extent) -> Iterator[Part]:
    """A further sequence of the batch: what is different there."""
    yield answer(e, extent)
    if e.decimals != first.decimals:
        yield Paragraph(say("Here each value is rounded to {d} decimals.", d=str(e.decimals)))
    for layer in e.layers:
        if len(e.layers) > 1:
            yield Heading(3, layer_title(e, layer))
        yield from layer_numbers(e, layer, extent)
    if extent.answers:
        yield from result(e)


def noted(e: Explanation) -> Iterator[Part]:
    """What there is to know of the notation and of the layers."""
    known: list[Text] = [*e.written.notes, *map(told, notes(e))]
    yield from (Paragraph(note, "Note") for note in known)


def answer(e: Explanation, extent: Extent) -> Box:
    """What goes in and what comes out."""
    shown = list(input_equations(e))
    left_out = len(shown) - MOST_INPUTS
    if left_out > 0:
        shown = shown[:MOST_INPUTS]
    more = [Paragraph(say("and {n} more steps", n=str(left_out)))] if left_out > 0 else []
    digits = say("to {d} decimal{s}", d=str(e.digits), s="s" if e.digits > 1 else "")
    if len(e.results) > MOST_RESULTS:
        digits = joined((digits, say("and {n} more", n=str(len(e.results) - MOST_RESULTS))))
    if e.sequence > 1:
        digits = joined(
            (
                digits,
                say(
                    "after step {t}, the last: the network gives one after every step: see the last summary",
                    t=str(e.sequence),
                ),
            )
        )
    result = [Results(tuple(result_equations(e)), digits)] if extent.answers else []
    return Box((Results(tuple(shown)), *more, *result))


def result_equations(e: Explanation) -> Iterator[Equation]:
    """The results with the digits promised; of very many the first."""
    for k, v in enumerate(e.results[:MOST_RESULTS]):
        yield Equation(_output(e, k), (_number(e.promise.text(e.promise(v))),))


def _output(e: Explanation, k: int) -> Formula:
    return lambda d: output_name(e, d, k)


def _number(text: str) -> Formula:
    return lambda d: d.number(text)


def how_to_read(e: Explanation) -> Iterator[Part]:
    """The rule by which every line can be typed again."""
    tiny, kept = e.rounding.tiny_below, {1: "one digit", 2: "two digits", 3: "three digits", 4: "four digits"}

    def small(d: Dialect) -> str:
        return d.syntax().power_of_ten(str(tiny))

    yield Paragraph(
        say(
            "Type what stands between two equals signs into a pocket calculator. Each value is rounded half up to {d} "
            "decimals (numbers smaller than {small} to {kept}) and the rounded value is used from then on: type what "
            "you see and you get the next line exactly. Weights and inputs are printed as given.",
            d=str(e.decimals),
            small=formula(small),
            kept=kept[e.rounding.kept],
        ),
        "How to read it",
    )
    if e.uses_tanh:
        yield Paragraph(
            say("The function tanh has its own key; without it, {meaning}.", meaning=formula(_tanh_as_powers))
        )
    if e.uses_erf:
        yield Paragraph(
            say("erf is the error function; pocket calculators have no key for it, spreadsheets have `ERF`.")
        )
    if e.risky:
        yield Paragraph(
            say(
                "{n} marked †: a display of ten digits could round {them} otherwise in the last place, so after the "
                "mark the number follows with two more digits.",
                n=f"{e.risky} lines are" if e.risky > 1 else "1 line is",
                them="them" if e.risky > 1 else "it",
            )
        )


def _tanh_as_powers(d: Dialect) -> str:
    form = d.syntax()
    return f"{form.function('tanh', 'a')} = {form.scalar(TANH)}"


def layer_title(e: Explanation, layer: Working) -> Text:
    """GRU, 2 units, 1 feature; in a network of several layers behind which of them it is."""
    title = f"{kind(layer.cell)}, {sizes_text(layer)}"
    if len(e.layers) == 1:
        return say(title)
    return say(
        "Layer {k} of {n}, “{label}”: {title}",
        k=str(layer.place),
        n=str(len(e.layers)),
        label=given(layer.layer.label),
        title=title,
    )
