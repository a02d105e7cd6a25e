"""symgru diagnose"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from symgru.cli import arguments

if TYPE_CHECKING:
    from symgru.diagnosis.claims import Case
    from symgru.face import Model


def _numbers(context: click.Context, option: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """1,3: whole numbers from 1."""
    try:
        return None if value is None else tuple(int(part) for part in value.split(","))
    except ValueError:
        raise click.BadParameter(f"{str(value)[:40]!r} is not a list of whole numbers such as 1,3") from None


@click.command("diagnose")
@arguments.model
@arguments.inputs_option()
@click.option(
    "--claimed",
    "claims",
    metavar="V",
    multiple=True,
    help="What somebody got after the last step: -0.70691, or 0.1,-0.2 for several units, or a .npy, .csv or .json "
    "file; with several inputs of a model of one, once for each.",
)
@click.option("--all-steps", metavar="F", help="The same for every step, (time, units): numbers or a file.")
@click.option("--unit", "units", metavar="K", callback=_numbers, help="Of which units the numbers are: 2 or 1,3.")
@click.option(
    "--against",
    metavar="MODEL2",
    help="Another model that should give the same: where the two part, and what the difference is.",
)
@click.option(
    "--against-architecture",
    metavar="FILE.json",
    help="Options for MODEL2, where it is bare weights.",
)
@click.option("--exhaustive", is_flag=True, help="Try everything, even where a plain explanation is certain already.")
@click.option(
    "-o",
    "--output",
    metavar="F",
    type=click.Path(path_type=Path),
    help="A .txt, .md, .html, .tex or .pdf file to write.",
)
@arguments.architecture
def command(
    source: str,
    given: tuple[str, ...],
    claims: tuple[str, ...],
    all_steps: str | None,
    units: tuple[int, ...] | None,
    against: str | None,
    against_architecture: str | None,
    exhaustive: bool,
    output: Path | None,
    architecture: str | None,
) -> None:
    """Find which convention or mistake gives a number that MODEL does not.

    The claimed number comes from another program or from a calculation by hand. Give all the digits there are, and as
    many numbers as there are: the more, the surer the answer. Exit status 0 also where nothing explains it.
    """
    from symgru.cli.documents import send
    from symgru.cli.output import waiting
    from symgru.document import Document

    arguments.spare_inputs(output, source, *given, *claims, all_steps, against, architecture, against_architecture)
    if against is None and not claims and all_steps is None:
        raise click.UsageError("say what was got: --claimed V, --all-steps F, or --against MODEL2")
    if against is None and against_architecture is not None:
        raise click.UsageError("--against-architecture is for the model of --against")
    if against is not None and (claims or all_steps is not None or units):
        raise click.UsageError("--against compares two models: it takes no --claimed, --all-steps or --unit")
    model = arguments.load(source, architecture)
    with waiting("trying single mistakes") as sign:

        def progress(says: str, done: int, of: int) -> None:
            sign.say(f"trying {says}: {done:,} of {of:,}")

        if against is not None:
            from symgru.diagnosis.against import against as compared

            other = arguments.load(against, against_architecture)
            document = Document(compared(model.network, other.network, arguments.read_all(model, given), progress))
        else:
            found = model.diagnosis(_cases(model, given, claims, all_steps, units), exhaustive, progress)
            document = Document(found)
    send(document, output)


def _cases(
    model: Model,
    given: tuple[str, ...],
    claims: tuple[str, ...],
    all_steps: str | None,
    units: tuple[int, ...] | None,
) -> Sequence[Case]:
    """One case; several inputs and as many claims for a model of one input are as many cases."""
    alone = len(model.network.inputs) == 1
    if all_steps is not None:
        if claims:
            raise click.UsageError("--claimed and --all-steps exclude each other: all steps hold the last one too")
        asked = [(given, all_steps)]
    elif alone and len(given) > 1:
        if len(given) != len(claims):
            raise click.UsageError(
                f"{len(given)} inputs and {len(claims)} claims are given: each --input has a --claimed"
            )
        asked = [((x,), claim) for x, claim in zip(given, claims, strict=True)]
    else:
        asked = [(given, claims[0] if len(claims) == 1 else ",".join(claims))]
    cases, notes = zip(*(model.case(x, claim, units, all_steps is not None) for x, claim in asked), strict=True)
    for note in dict.fromkeys(note for each in notes for note in each):
        click.echo(f"note: {note}", err=True)
    return cases
