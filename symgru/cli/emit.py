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
@click.option("--gradients", is_flag=True, help="Also the gradients by weights, input and states.")
@click.option("--unrolled", is_flag=True, help="One straight line of code for a fixed number of time steps.")
@click.option(
    "--steps", type=click.IntRange(1, 1_000_000), metavar="T", help="--unrolled, or C of a whole window: how many."
)
@arguments.rules
@click.option("--force", is_flag=True, help="--unrolled: also above 1,000 assignments, where compilers choke.")
@arguments.inputs_option(required=False, use="What the emitted test is recorded on: ")
@arguments.architecture
def command(
    target: str,
    source: str,
    output: Path,
    name: str | None,
    scale: Path | None,
    gradients: bool,
    unrolled: bool,
    steps: int | None,
    rules: str | None,
    force: bool,
    given: tuple[str, ...],
    architecture: str | None,
) -> None:
    """Write standalone code for MODEL: numpy or js (a module and its test), or c (a header, a source and a test
    program)."""
    from symgru.cli.output import say_written, waiting
    from symgru.writing import write_files

    if target != "c" and scale:
        raise click.UsageError(f"--scale is for c; the {target} module takes inputs that are normalised already")
    model = arguments.load(source, architecture)
    x = arguments.read_all(model, given) if given else None
    asked: dict[str, object] = {"name": name, "gradients": gradients, "rules": rules, "scale": scale}
    asked |= {"unrolled": unrolled, "steps": steps, "force": force}
    options = {option: value for option, value in asked.items() if value is not None and value is not False}
    with waiting(f"emitting {target}") as sign:
        contents = model.contents(target, x, **options)
        watched = {name: c if isinstance(c, bytes) else sign.watch(c, name) for name, c in contents.items()}
        places = write_files(output, watched)
    say_written(places)
