"""Where nothing that was tried gives the claim: what this rests on, what may have happened, and how to settle it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from symgru.backends.text.printer import plain_text
from symgru.diagnosis.findings import Diagnosis
from symgru.diagnosis.lemmas import Lemma, lemmas
from symgru.diagnosis.ranges import Reach, ranges
from symgru.diagnosis.rarer import catalogue
from symgru.diagnosis.script import Framework, Script, first_step, script
from symgru.diagnosis.stories import Story, stories
from symgru.errors import SymgruError
from symgru.lesson.parts import Heading, Listing, Paragraph, Part
from symgru.lesson.prose import Text, number, say
from symgru.mistakes import Trial

MOST_NUMBERS = 3  # of which it is said what can come out in their place
FEW = 3  # conventions that are named
MOST_EVIDENCE = 6  # points that speak for one story
LINE = 92  # characters of a line of the script
LEADS = {"likely": "Likely", "possible": "Possible", "remark": "By the way", "excluded": "Ruled out"}


@dataclass(frozen=True)
class Grounds:
    """What is proven, what can come out at all, what may have happened, and a script that settles it. `covered` is how
    many single mistakes each lemma holds with, `units` how many the output has, and `first_step` the command that asks
    for less: the first step alone."""

    lemmas: tuple[Lemma, ...] = ()
    covered: tuple[int, ...] = ()
    reaches: tuple[Reach, ...] = ()
    stories: tuple[Story, ...] = ()
    script: Script | None = None
    units: int = 1
    first_step: str = ""


def grounds(d: Diagnosis, path: Path | None = None, framework: Framework | None = None) -> Grounds:
    """Everything of it for a diagnosis; `path` is the model's file and `framework` what it is for, where known."""
    found = lemmas(d.network, d.cases, catalogue)
    known = Trial(d.network, d.cases[0].inputs, catalogue).mistakes if found else ()
    try:
        settled = script(d.network, d.cases[0].inputs, path, framework)
    except SymgruError:
        settled = None
    return Grounds(
        found,
        tuple(sum(lemma.covers((m,)) for m in known) for lemma in found),
        ranges(d.network, d.cases),
        stories(d.network, d.cases),
        settled,
        Trial(d.network, d.cases[0].inputs).shape[2],
        first_step(d.network, d.cases[0].inputs),
    )


def proven(g: Grounds) -> Iterator[Part]:
    """What holds for certain, each with its proof, and what can come out at all."""
    for lemma, covered in zip(g.lemmas, g.covered, strict=True):
        also = f" The same holds with any of {covered} single mistakes made." if covered else ""
        every = f", and so it is {lemma.every}" if lemma.every else ""
        several = len({other.case for other in g.lemmas if other.case is not None}) > 1
        this = f"input {lemma.case + 1}" if several and lemma.case is not None else "this input"
        where = "for every input" if lemma.case is None else f"for {this}"
        yield Paragraph(
            say(
                f"{_capital(lemma.says)} {where}{every}; {{number}} cannot come out. {lemma.proof}{also}",
                number=number(lemma.numbers[0].text),
            ),
            "Proven",
        )
    telling = [r for r in g.reaches if r.own.excludes(r.number) or r.excluding]
    for reach in sorted(telling, key=lambda r: not r.own.excludes(r.number))[:MOST_NUMBERS]:
        yield Paragraph(_reach(reach, len(g.reaches) > 1, g.units), "What can come out")


def _reach(reach: Reach, several: bool, units: int) -> Text:
    """The range, of several units of which, and of several numbers in the place of which of them."""
    unit = "" if units == 1 else "any unit" if reach.number.unit is None else f"unit {reach.number.unit + 1}"
    where = " and ".join([*(["the place of {number}"] if several else []), *([unit] if unit else [])])
    parts = [f"In {where}:"] if where else []
    if not reach.own.useless:
        parts.append(reach.own.says)
    if reach.every.excludes(reach.number):
        parts.append(reach.every.says)
    if reach.excluding == reach.conventions:
        parts.append(f"None of the {reach.conventions} conventions can give {{number}}.")
    elif reach.excluding:
        parts.append(f"{reach.excluding} of {reach.conventions} conventions cannot give {{number}} for any of these.")
        if len(reach.left) <= FEW and all(reach.left):
            left = "; or ".join("you " + "; and ".join(m.says for m in made) for made in reach.left)
            parts.append(f"Left {'is this one' if len(reach.left) == 1 else f'are these {len(reach.left)}'}: {left}.")
    return say(" ".join(parts), number=number(reach.number.text))


def what_happened(g: Grounds) -> Iterator[Part]:
    """The likely stories, and the script that tells."""
    if g.stories:
        yield Heading(2, say("What may have happened"))
    for story in g.stories:
        evidence = "".join(f" {_capital(point)}." for point in story.evidence[:MOST_EVIDENCE])
        yield Paragraph(say(story.says + evidence), LEADS[story.strength])
    if g.script:
        yield Heading(2, say("To settle it"))
        yield from _script(g.script)
    if g.first_step:
        yield Paragraph(
            say(
                "If you worked it by hand from these very weights, less is easier to search. To find it, give the "
                "state after the first step alone: {command}",
                command=lambda p: p.code(g.first_step),
            )
        )


def _script(s: Script) -> Iterator[Part]:
    yield Paragraph(say("These lines print the weights and the prediction of one and the same model:"))
    yield Listing("".join(f"{line}\n" for each in s.lines for line in _folded(each)))
    if s.command and "`" not in s.command:
        saved = "Save the weights that they print as `weights.txt`. " if "weights.txt" in s.command else ""
        command = plain_text(s.command, 200)
        yield Paragraph(say(f"{saved}Then {{command}} gives what they predict.", command=lambda p: p.code(command)))


def _folded(line: str) -> list[str]:
    """A line of Python, over several where it is long: its comment before it, and a new row behind a comma."""
    if len(line) <= LINE:
        return [line]
    code, _, comment = line.partition("  # ")
    rows = [f"# {comment}"] if comment else []
    while len(code) > LINE and (at := code.rfind(", ", 0, LINE)) > 0:
        rows.append(code[: at + 1])
        code = "    " + code[at + 2 :]
    return [*rows, code]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
