"""symgru explain"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from symgru.cli import arguments

if TYPE_CHECKING:
    from symgru.explanation import Framework
    from symgru.face import Model
    from symgru.network import Array, Network, Tensor


@click.command("explain")
@arguments.model
@arguments.input_option()
@click.option("--digits", type=int, metavar="D", help="Digits promised of the result: 4 unless asked, at most 6.")
@click.option("-o", "--output", metavar="F", type=click.Path(path_type=Path), help="A .tex, .md or .txt file to write.")
@click.option("--keras/--no-keras", default=None, help="Ask Keras for the verification box (if it is installed).")
@arguments.show
@arguments.architecture
def command(
    source: str,
    given: str,
    digits: int | None,
    output: Path | None,
    keras: bool | None,
    show: int | None,
    architecture: str | None,
) -> None:
    """Write every number of every step of MODEL on an input, each line as symbols = numbers = value."""
    from symgru.cli.documents import send
    from symgru.cli.output import waiting
    from symgru.document import Document
    from symgru.explanation import explain
    from symgru.verify import keras as framework

    arguments.spare_inputs(output, source, given, architecture)
    model = arguments.load(source, architecture)
    x = arguments.read(model, given)
    asked = framework.installed() and framework.knows(model.network) if keras is None else keras
    with waiting("working it out"):
        worked = explain(model.network, x, digits, _asking(model) if asked else None)
    send(Document(worked), output, show=show)


def _asking(model: Model) -> Framework:
    """Keras' answer, with a sign of life: importing TensorFlow takes seconds."""
    from symgru.cli.output import waiting

    def ask(network: Network, x: Tensor) -> tuple[Array, str]:
        with waiting("asking Keras"):
            return model.framework()(network, x)

    return ask
