"""symgru explain"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from symgru.cli import arguments, styling
from symgru.lesson.extent import DETAILS

if TYPE_CHECKING:
    from symgru.explanation import Framework
    from symgru.face import Model
    from symgru.network import Array, Network, Tensor


@click.command("explain")
@arguments.model
@arguments.inputs_option()
@click.option("--digits", type=int, metavar="D", help="Digits promised of the result: 4 unless asked, at most 6.")
@click.option(
    "-o",
    "--output",
    metavar="F",
    type=click.Path(path_type=Path),
    help="A .pdf, .html, .tex, .md, .txt, .xlsx or .ipynb file to write.",
)
@click.option(
    "--detail",
    type=click.Choice(DETAILS),
    help="Every line, each step in matrix form, or an overview; by the size of the network unless asked.",
)
@styling.options
@click.option("--fragment", is_flag=True, help="A .tex file to be \\input in one of your own.")
@click.option(
    "--keras/--no-keras",
    default=None,
    help="Ask the file's framework (Keras where there is none) for the verification box.",
)
@arguments.show
@arguments.architecture
def command(
    source: str,
    given: tuple[str, ...],
    digits: int | None,
    output: Path | None,
    detail: str | None,
    style: str | None,
    notation: Path | None,
    fragment: bool,
    keras: bool | None,
    show: int | None,
    architecture: str | None,
) -> None:
    """Write every number of every step of MODEL on an input, each line as symbols = numbers = value."""
    from symgru.cli.documents import send
    from symgru.cli.output import waiting
    from symgru.document import Document
    from symgru.explanation import explain

    if fragment and (output is None or output.suffix.lower() != ".tex"):
        raise click.UsageError("--fragment is for a .tex file; name one with -o")
    arguments.spare_inputs(output, source, *given, architecture)
    model = arguments.load(source, architecture)
    x = arguments.read_all(model, given)
    asked = not model.refusal(x) if keras is None else keras
    chosen = styling.chosen(style, notation)
    with waiting("working it out"):
        worked = explain(model.network, x, digits, _asking(model) if asked else None, chosen)
    options = {"fragment": True} if fragment else {}
    send(Document(worked), output, show=show, detail=detail, code=output is not None, **options)


def _asking(model: Model) -> Framework:
    """The framework's answer, with a sign of life: importing it takes seconds."""
    from symgru.cli.output import waiting

    def ask(network: Network, x: Sequence[Tensor]) -> tuple[Sequence[Array], str]:
        with waiting("asking the framework"):
            return model.framework()(network, x)

    return ask
