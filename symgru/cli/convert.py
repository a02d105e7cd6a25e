"""symgru convert"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from symgru.cli import arguments

if TYPE_CHECKING:
    from symgru.writers.targets import Conversion


@click.command("convert")
@arguments.model
@click.option(
    "-o",
    "--output",
    metavar="F",
    required=True,
    type=click.Path(path_type=Path),
    help="The file to write: .keras, .onnx, .pt, .pth, .safetensors or .npz.",
)
@click.option("--to", metavar="FRAMEWORK", help="Whose names an .npz file has: flax, haiku, equinox, mlx, paddle, ...")
@arguments.architecture
def command(source: str, output: Path, to: str | None, architecture: str | None) -> None:
    """Write the function that MODEL computes in another framework's file, and print what became of every weight.

    What is proved of a rewriting: the cell's equations have the same normal form before and after it. Beside PyTorch's
    weights goes a .py file with the module that loads them.
    """
    from symgru.cli.output import say_written
    from symgru.writers.targets import converted
    from symgru.writing import write_files

    arguments.spare_inputs(output, source, architecture)
    network = arguments.load(source, architecture).network
    made = converted(network, output.name, to)
    for line in _lines(made):
        click.echo(line)
    write_files(output.parent, made.files)
    say_written([output.parent / name for name in made.files])


def _lines(made: Conversion) -> Iterator[str]:
    yield f"in {made.title}'s convention (W_g is units x features, U_g units x units; ^T is transposed):"
    yield from (f"  {line}" for line in made.mapping)
    for layer, step in made.steps:
        yield f"{layer}: {step.says.replace('`', '')}: {'proved' if step.proved else 'NOT PROVED'}"
        yield from (f"  {equation}" for equation in step.equations)
    yield from (f"note: {note}" for note in made.notes)
