"""What two models that should give the same tell the person who asked: where they part, why, and what mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symgru.diagnosis.against import Disagreement, Pair, Place, Wiring
from symgru.diagnosis.causes import Cause
from symgru.diagnosis.mending import Mending
from symgru.diagnosis.port import Misfed, misfed
from symgru.diagnosis.stations import Station
from symgru.lesson.parts import Box, Case, Cases, Heading, Listing, Paragraph, Part, Table
from symgru.lesson.prose import Text, given, joined, number, numbers, say, told
from symgru.wording import listed

ARRAYS = ("kernel", "bias")  # whose names are no words
MOST_LAYERS = 40  # rows of the table
FEW = 4  # numbers of a row


def outline(d: Disagreement) -> Iterator[Part]:
    """The parts of the report, in order."""
    yield Heading(1, title(d))
    yield Box(tuple(answer(d)))
    yield from layer_by_layer(d)
    for place, pair in enumerate(d.pairs, 1):
        if not pair.agrees or pair.hidden:
            yield from explained(place, pair, told_already=pair in d.parted[:1])
    if d.wiring:
        yield from between(d.wiring)
    if d.mending:
        yield from mended(d, d.mending)
    if d.agrees and not any(p.hidden for p in d.pairs):
        yield from outside(d)


def title(d: Disagreement) -> Text:
    return say("Do {a} and {b} give the same?", a=_whose(d, 0), b=_whose(d, 1))


def _whose(d: Disagreement, k: int) -> Text:
    network = (d.network, d.other)[k]
    return given(network.origin) if network.origin else say(("the first model", "the second")[k])


# ---------------------------------------------------------------- the answer


def answer(d: Disagreement) -> Iterator[Part]:
    if d.difference is None:
        yield Paragraph(say("No: {shapes}.", shapes=told(d.shapes)))
    elif d.agrees:
        yield Paragraph(
            say(
                "Yes. The largest difference of their outputs is {far}; {allowed} is what a framework's own rounding "
                "may make of it.",
                far=number(_small(d.difference.largest)),
                allowed=number(_small(d.difference.allowed)),
            )
        )
    else:
        yield Paragraph(
            say(
                "No. Their outputs differ by up to {far}; a framework's rounding explains no more than {allowed}. "
                "{shapes}",
                far=number(_small(d.difference.largest)),
                allowed=number(_small(d.difference.allowed)),
                shapes=told(f"Note that {d.shapes}.") if d.shapes else say(""),
            )
        )
    hidden = [str(k) for k, p in enumerate(d.pairs, 1) if p.hidden]
    if hidden:
        which = f"layer {hidden[0]}" if len(hidden) == 1 else f"layers {listed(hidden)}"
        yield Paragraph(say(f"But with other inputs {which} would differ; see below."))
    if d.agrees and d.shapes:
        yield Paragraph(say("Note that {shapes}.", shapes=told(d.shapes)))
    if d.agrees:
        return
    parted = d.parted
    if parted:
        yield Paragraph(_first(d, parted[0]))
        for cause in parted[0].causes:
            yield Paragraph(_cause(cause))
    elif d.wiring:
        yield Paragraph(
            say(
                "Every layer of the second model gives what its counterpart gives when it is fed the same. But they "
                "are fed otherwise; see below."
            )
        )


def _first(d: Disagreement, pair: Pair) -> Text:
    """Where they part first."""
    place = d.pairs.index(pair) + 1
    own, other = (given(s.layer.label) for s in (pair.own, pair.other))
    names: dict[str, Text | str] = {"k": str(place), "a": own, "b": other}
    if pair.difference is None or pair.difference.first is None:
        return say("They part first in layer {k}, “{a}” beside “{b}”.", **names)
    at = pair.difference
    return say(
        "They part first in layer {k}, “{a}” beside “{b}”, {where}: there the first gives {mine}, the second {theirs}.",
        **names,
        where=_where(pair, at.first),
        mine=number(_value(at.values[0])),
        theirs=number(_value(at.values[1])),
    )


def _where(pair: Pair, at: Place | None) -> str:
    if at is None:
        return ""
    words = [
        f"sequence {at.sequence + 1}" if at.sequence else "",
        f"step {at.step + 1}" if at.step is not None else "",
        f"unit {at.unit + 1}",
    ]
    back = " (counted from the sequence's end)" if at.step is not None and pair.own.backward else ""
    return ", ".join(filter(None, words)) + back


def _cause(cause: Cause) -> Text:
    """Two sentences."""
    said = [cause.says, *([cause.instead] if cause.instead else [])]
    return joined([told(f"{_sentence(s)}.") for s in said], " ")


def _sentence(text: str) -> str:
    """Begun with a capital, unless it begins with an array's name."""
    first = text.partition(" ")[0].rstrip(",:")
    return text if "_" in first or "." in first or first in ARRAYS else text[0].upper() + text[1:]


def _small(v: float) -> str:
    return f"{v:.2g}"


def _value(v: float) -> str:
    return f"{v:.8f}"


# ---------------------------------------------------------------- layer by layer


def layer_by_layer(d: Disagreement) -> Iterator[Part]:
    """Every pair, fed alike."""
    yield Heading(2, say("Layer by layer"))
    yield Paragraph(
        say(
            "Each layer of the second model is given what its counterpart in the first is given, so that it stands for "
            "itself."
        )
    )
    heads = ("layer", "first model", "second model", "", "largest difference", "they part at")
    rows = [
        (
            say(str(k)),
            _named(p.own),
            _named(p.other),
            say("same here" if p.hidden else "same" if p.agrees else "differ"),
            number(_small(p.difference.largest) if p.difference else ""),
            say(_where(p, p.difference.first if p.difference else None)),
        )
        for k, p in enumerate(d.pairs[:MOST_LAYERS], 1)
    ]
    yield Table(tuple(map(say, heads)), tuple(rows), 4)
    if len(d.pairs) > MOST_LAYERS:
        yield Paragraph(say(f"and {len(d.pairs) - MOST_LAYERS} more."))
    for which, left in zip(("first", "second"), d.alone, strict=True):
        if left:
            yield Paragraph(
                say(
                    "The {which} model has {n} without a counterpart: {names}.",
                    which=which,
                    n="a layer" if len(left) == 1 else f"{len(left)} layers",
                    names=joined(_named(s) for s in left),
                )
            )


def _named(s: Station) -> Text:
    """A layer by its file's name; a GRU's backward direction says so."""
    return say("{label}{back}", label=given(s.layer.label), back=", backwards" if s.backward else "")


# ---------------------------------------------------------------- why


def explained(place: int, pair: Pair, told_already: bool = False) -> Iterator[Part]:
    """What is different in a pair; the first one's causes stand in the answer."""
    parts = [Paragraph(say("{shapes}.", shapes=told(pair.shapes)))] if pair.shapes else []
    if pair.hidden:
        parts.append(Paragraph(say("With this input the two agree; with others they do not.")))
    parts += [] if told_already else [Paragraph(_cause(cause)) for cause in pair.causes]
    found = pair.searched
    best = found.best if found and found.verdict == "explained" else None
    if best:
        did = "; and ".join(dict.fromkeys(m.says for m in best.made))
        parts.append(Paragraph(say(f"Its outputs are what comes out of the first model's weights if you {did}.")))
    elif found and found.verdict == "none":
        words = "Nor do its outputs come out of the first model's weights by any mistake that was tried."
        parts.append(Paragraph(say(words)))
    if parts:
        yield Heading(2, say(f"Layer {place}: what is different"))
        yield from parts


def between(w: Wiring) -> Iterator[Part]:
    """What is between the layers."""
    yield Heading(2, say("Between the layers"))
    what = say("Layer “{name}”", name=given(w.pair.other.layer.label)) if w.pair else say("The output")
    verb = "is given" if w.pair else "is"
    yield Paragraph(say(f"{{what}} {verb} something else in the second model than in the first:", what=what))
    sides = (("first", w.own), ("second", w.other))
    yield Cases(tuple(Case(say(which), _and_then(side)) for which, side in sides))
    if w.first_step_for_last:
        yield Paragraph(
            say(
                "A backward direction begins at the sequence's end: `out[:, -1]` of a bidirectional layer holds "
                "its first step. Its last state is in `h_n`, or at `out[:, 0]`: in PyTorch "
                "`torch.cat([h_n[-2], h_n[-1]], -1)`."
            ),
            "Remember",
        )


def _and_then(side: Sequence[str]) -> Text:
    return joined([told(s) for s in side], ", then ") if side else say("something else")


# ---------------------------------------------------------------- what mends it


def mended(d: Disagreement, m: Mending) -> Iterator[Part]:
    yield Heading(2, say("To mend it"))
    if m.refused:
        yield Paragraph(say("The second model's format cannot hold the first model: {why}.", why=told(m.refused)))
    if m.command:
        how = "in another format" if m.refused else "in the same format with everything in its place"
        beside = " Beside it goes a .py file with the module that loads it." if m.module else ""
        yield Paragraph(say(f"This writes the first model {how}: {{command}}.{beside}", command=given(m.command, 200)))
    if m.refused:
        yield Paragraph(say("Or take its equations as plain code, with `symgru emit numpy` or `symgru emit c`."))
    if m.why and m.why != m.refused:
        yield Paragraph(say("The second model's layers cannot take the first one's weights: {why}.", why=told(m.why)))
    if m.left is not None and d.difference is not None:
        after = _small(m.left)
        if m.left <= d.difference.allowed:
            words = "With the first model's weights laid right, the second gives the first one's output: the largest "
            yield Paragraph(say(f"{words}difference that is left is {{left}}.", left=number(after)))
        else:
            words = "Laying the first model's weights right is not all: a difference of {left} is left, by what else "
            yield Paragraph(say(f"{words}differs.", left=number(after)))
    if m.code:
        yield Paragraph(say("Into your own module, in Python:"))
        yield Listing(m.code)


# ---------------------------------------------------------------- where the models agree


def outside(d: Disagreement) -> Iterator[Part]:
    """What may differ where the models do not: how they are fed and read."""
    found: Sequence[Misfed] = misfed(d.other, d.inputs)
    if not found:
        return
    yield Heading(2, say("If you got something else all the same"))
    yield Paragraph(say("Then it is not the weights, but how the second model was fed or read. It gives"))
    rows = [(say(m.says), numbers(_value(v) for v in m.values[:FEW])) for m in found]
    yield Table((say("if you"), say("after the last step")), tuple(rows), 1)
