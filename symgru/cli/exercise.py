"""symgru exercise"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from symgru.cli import styling
from symgru.errors import UnusableInput

if TYPE_CHECKING:
    from symgru.exercise import Exercise
    from symgru.writing import Content

PAPERS = (".pdf", ".tex", ".md", ".txt")
MOST_VERSIONS = 26


@click.command("exercise")
@click.option(
    "--cell", default="gru", metavar="C", help="Which cell: gru unless asked; `symgru derive --cell all` lists them."
)
@click.option("--units", type=int, default=2, metavar="H", help="Units: 2 unless asked.")
@click.option("--features", type=int, default=2, metavar="D", help="Features of the input: 2 unless asked.")
@click.option("--steps", type=int, default=3, metavar="T", help="Time steps: 3 unless asked.")
@click.option("--seed", type=int, default=0, metavar="N", help="Another seed makes another exercise.")
@click.option("--digits", type=int, metavar="D", help="Decimals of the answer: 4 unless asked, at most 6.")
@click.option(
    "--blank",
    metavar="WHAT",
    help="What is left to be filled in: all, none, result, steps (2-3), quantities (z,h), or both (h,2-3). All but the "
    "first step unless asked.",
)
@click.option("--versions", metavar="A,B", help="Versions of an exam: a sheet, a key and a model for each.")
@styling.options
@click.option(
    "-o", "--output", metavar="F", type=click.Path(path_type=Path), help="The sheet: a .pdf, .tex, .md or .txt file."
)
def command(
    cell: str,
    units: int,
    features: int,
    steps: int,
    seed: int,
    digits: int | None,
    blank: str | None,
    versions: str | None,
    style: str | None,
    notation: Path | None,
    output: Path | None,
) -> None:
    """Write an exercise to be worked by hand, and its key with the answer that each common mistake leads to.

    Beside F stand F_key, and the network as a .json MODEL for the other commands. Without -o the sheet and the key are
    printed.
    """
    from symgru.cli.output import say_written, waiting
    from symgru.exercise import exercise
    from symgru.writing import write_files

    if output is not None and output.suffix.lower() not in PAPERS:
        raise UnusableInput(f"{output.name}: an exercise is a {', '.join(PAPERS[:-1])} or {PAPERS[-1]} file")
    names, chosen = _versions(versions), styling.chosen(style, notation)
    with waiting("looking for numbers"):
        made = [exercise(cell, units, features, steps, seed, digits, name, chosen) for name in names]
    if output is None:
        _print(made, blank)
        return
    files: dict[str, Content] = {}
    with waiting(f"writing {output.name}"):
        for one in made:
            stem = output.stem + (f"_{one.version}" if one.version else "")
            files[f"{stem}{output.suffix}"] = _whole(_sheet(one, blank, output.suffix))
            files[f"{stem}_key{output.suffix}"] = _whole(_key(one, output.suffix))
            files[f"{stem}.json"] = one.model().encode()
        written = write_files(output.parent, files)
    say_written(written)


def _versions(asked: str | None) -> list[str]:
    names = [name.strip() for name in asked.split(",")] if asked is not None else [""]
    if asked is not None and not all(re.fullmatch(r"[A-Za-z0-9]{1,8}", name) for name in names):
        raise UnusableInput(
            f"--versions is {asked[:60]!r}; it is a list such as A,B: letters and digits, at most 8 each"
        )
    if len(set(map(str.lower, names))) < len(names) or len(names) > MOST_VERSIONS:
        raise UnusableInput(
            f"--versions is {asked!r:.60}; each version is named once, and there are at most {MOST_VERSIONS}"
        )
    return names


def _sheet(made: Exercise, blank: str | None, ending: str, **options: object) -> Iterator[str | bytes]:
    from symgru.blanks import blanks, usual
    from symgru.document import Document
    from symgru.lesson.exercise import PAPER, sheet

    (layer,) = made.explanation.layers
    e, parts = sheet(made, blanks(usual(layer.steps) if blank is None else blank, layer))
    return Document(e).pieces(ending, extent=PAPER, parts=parts, **options)


def _key(made: Exercise, ending: str, **options: object) -> Iterator[str | bytes]:
    from symgru.document import Document
    from symgru.lesson.exercise import SOLVED, key

    e, parts = key(made)
    return Document(e).pieces(ending, extent=SOLVED, parts=parts, **options)


def _print(made: list[Exercise], blank: str | None) -> None:
    from symgru.cli.output import plain_ascii

    plain = plain_ascii()
    for one in made:
        for paper in (
            _sheet(one, blank, ".txt", ascii=plain, header=False),
            _key(one, ".txt", ascii=plain, header=False),
        ):
            for piece in paper:
                click.echo(piece, nl=False)
            click.echo()


def _whole(pieces: Iterator[str | bytes]) -> bytes:
    return b"".join(piece if isinstance(piece, bytes) else piece.encode() for piece in pieces)
