"""symgru emit"""

from __future__ import annotations

from pathlib import Path

import click

from symgru.backends import CODE
from symgru.cli import arguments


@click.command("emit")
@click.argument("target", type=click.Choice(CODE))
@arguments.model
@click.option("-o", "--output", metavar="DIR", type=click.Path(path_type=Path), required=True, help="Folder to fill.")
@click.option("--name", metavar="NAME", help="Name of the module; in C the prefix of every external name.")
@click.option(
    "--scale",
    metavar="F.json",
    type=click.Path(path_type=Path),
    help='C: fold in {"input": {"mean": [..], "deviation": [..]}, "output": {...}}.',
)
@arguments.input_option(required=False, use="What the emitted test is recorded on: ")
@arguments.architecture
def command(
    target: str,
    source: str,
    output: Path,
    name: str | None,
    scale: Path | None,
    given: str | None,
    architecture: str | None,
) -> None:
    """Write standalone code for MODEL: numpy (a module and its test) or c (a header, a source and a test program)."""
    from symgru.cli.output import say_written
    from symgru.writing import write_files

    if target != "c" and scale:
        raise click.UsageError(f"--scale is for c; the {target} module takes inputs that are normalised already")
    model = arguments.load(source, architecture)
    x = arguments.read(model, given) if given is not None else None
    options = {"name": name} | ({"scale": scale} if scale else {})
    say_written(write_files(output, model.files(target, x, **options)))
