"""symgru run"""

from __future__ import annotations

from pathlib import Path

import click

from symgru.cli import arguments
from symgru.face import ENGINES


@click.command("run")
@arguments.model
@arguments.input_option()
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="reference",
    show_default=True,
    help="reference: float64; numpy, c: what symgru emits; exact: 30 digits.",
)
@click.option("-o", "--output", metavar="Y.npy", type=click.Path(path_type=Path), help="Write a .npy file instead.")
@arguments.architecture
def command(source: str, given: str, engine: str, output: Path | None, architecture: str | None) -> None:
    """Evaluate MODEL on an input and print its output, a line for each sequence (and time step)."""
    import io

    import numpy as np

    from symgru.cli.output import say_written
    from symgru.writing import write_files

    arguments.spare_inputs(output, source, given, architecture)
    model = arguments.load(source, architecture)
    y = model.evaluate(arguments.read(model, given), engine)
    if output is None:
        for row in y.reshape(-1, y.shape[-1]):
            click.echo(" ".join(f"{v:.30g}" if engine == "exact" else str(v) for v in row))
        return
    buffer = io.BytesIO()
    np.save(buffer, y.astype(np.float64) if engine == "exact" else y)
    say_written(write_files(output.parent, {output.name: buffer.getvalue()}))
