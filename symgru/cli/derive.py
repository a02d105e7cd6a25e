"""symgru derive"""

from __future__ import annotations

from pathlib import Path

import click


@click.command("derive")
@click.option("--cell", default="gru", show_default=True, help="gru, gru_before, or another of symgru.CELLS.")
@click.option("--units", type=click.IntRange(1, 256), default=1, show_default=True)
@click.option("--features", type=click.IntRange(1, 256), default=1, show_default=True)
@click.option("--steps", type=click.IntRange(1, 1_000_000), default=4, show_default=True)
@click.option("--activation", help="The candidate's activation, by Keras' name.")
@click.option("--recurrent-activation", help="The gates' activation, by Keras' name.")
@click.option("-o", "--output", metavar="F", type=click.Path(path_type=Path), help="A .tex, .md or .txt file to write.")
def command(
    cell: str,
    units: int,
    features: int,
    steps: int,
    activation: str | None,
    recurrent_activation: str | None,
    output: Path | None,
) -> None:
    """Write the recurrence in matrix form and per unit, unrolled over the time steps and simplified rule by rule."""
    from symgru.cli.documents import send
    from symgru.derivation import derive
    from symgru.document import Document

    given = {"activation": activation, "recurrent_activation": recurrent_activation}
    send(Document(derive(cell, units, features, steps, {k: v for k, v in given.items() if v})), output)
