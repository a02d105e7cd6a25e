"""symgru run"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from symgru.cli import arguments
from symgru.face import ENGINES

if TYPE_CHECKING:
    from symgru.face import Model
    from symgru.network import Array, Tensor


@click.command("run")
@arguments.model
@arguments.input_option()
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="reference",
    show_default=True,
    help="reference: float64; numpy, c: what symgru emits; exact: as many digits as wanted (python-flint proves them).",
)
@click.option(
    "--digits", type=int, metavar="D", help="Significant digits of the engine exact: 1 to 4000, 30 unless asked."
)
@click.option("-o", "--output", metavar="Y.npy", type=click.Path(path_type=Path), help="Write a .npy file instead.")
@arguments.architecture
def command(
    source: str, given: str, engine: str, digits: int | None, output: Path | None, architecture: str | None
) -> None:
    """Evaluate MODEL on an input and print its output, a line for each sequence (and time step).

    With --engine exact, standard error says whether the digits are proven.
    """
    import io

    import numpy as np

    from symgru.cli.output import say_written
    from symgru.writing import write_files

    if output is not None and engine == "exact":
        raise click.UsageError(
            "a .npy file holds no more than float64; the digits of --engine exact go to the terminal"
        )
    arguments.spare_inputs(output, source, given, architecture)
    model = arguments.load(source, architecture)
    x = arguments.read(model, given)
    y = _exact(model, x, digits) if engine == "exact" else model.evaluate(x, engine, digits)
    if output is None:
        for row in y.reshape(-1, y.shape[-1]):
            click.echo(" ".join(f"{v:g}" if engine == "exact" else str(v) for v in row))
        return
    buffer = io.BytesIO()
    np.save(buffer, y)
    say_written(write_files(output.parent, {output.name: buffer.getvalue()}))


def _exact(model: Model, x: Tensor, digits: int | None) -> Array:
    """The digits, and on standard error whether they are proven."""
    from decimal import Decimal

    from symgru.cli.output import waiting
    from symgru.network import stored

    with waiting("proving digits"):
        exact = model.certify(x, digits)
    inside = stored(x, model.network.dtype)
    moved = [
        str(v) for v, held in zip(x.text.ravel(), inside.value.ravel(), strict=True) if Decimal(v) != Decimal(held)
    ]
    if moved:
        more = f" (nor {len(moved) - 1} more)" if len(moved) > 1 else ""
        click.echo(f"note: {moved[0]}{more} is no {model.network.dtype}; the digits are for the nearest one", err=True)
    click.echo(exact.label, err=True)
    return exact.y
