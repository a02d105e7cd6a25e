"""symgru verify"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from symgru.cli import arguments

if TYPE_CHECKING:
    from symgru.face import Model
    from symgru.scaling import Scale
    from symgru.verify.compare import Row, Skipped


@click.command("verify")
@arguments.model
@arguments.inputs_option(required=False)
@click.option(
    "--scale",
    metavar="F.json",
    type=click.Path(path_type=Path),
    help="Verify the C with this normalisation folded in; inputs are in the sensor's units.",
)
@click.option("--stream", metavar="X", help="A recording: show how far windows and a continuing state part.")
@click.option("--window", type=click.IntRange(min=1), help="Time steps of a window, where the model fixes none.")
@arguments.architecture
@click.pass_context
def command(
    ctx: click.Context,
    source: str,
    given: tuple[str, ...],
    scale: Path | None,
    stream: str | None,
    window: int | None,
    architecture: str | None,
) -> None:
    """Compute MODEL's output in every way there is and compare each with exact arithmetic.

    A model of several inputs takes --input as often, in its order. Without --input a seeded random input is used. Exit
    status 1 where a difference is larger than its limit.
    """
    from symgru.scaling import IDENTITY
    from symgru.verify.compare import compare
    from symgru.yardstick import example_inputs

    model = arguments.load(source, architecture)
    normal = model.scale(scale) if scale else IDENTITY
    x = arguments.read_all(model, given) if given else example_inputs(model.network, normal)
    click.echo(f"{'':<26}{'difference':>12}{'ulps':>10}{'limit':>11}")
    failed = False
    rows = compare(model.network, x, model.path, normal)
    while row := _next(rows):
        click.echo(_line(row))
        failed |= not getattr(row, "passed", True)
    if stream:
        _parting(model, stream, window, normal)
    ctx.exit(1 if failed else 0)


def _next(rows: Iterator[Row | Skipped]) -> Row | Skipped | None:
    from symgru.cli.output import waiting

    with waiting("computing"):
        return next(rows, None)


def _line(row: Row | Skipped) -> str:
    from symgru.verify.compare import Skipped

    if isinstance(row, Skipped):
        return f"{row.engine:<26}{row.why}"
    verdict = "" if row.passed else "  TOO FAR"
    return f"{row.engine:<26}{row.difference:>12.2e}{row.ulps:>10.2g}{row.limit:>11.1e}  {row.why}{verdict}"


def _parting(model: Model, stream: str, window: int | None, normal: Scale) -> None:
    from symgru.errors import UnusableInput
    from symgru.verify.compare import parting

    recording = arguments.read(model, stream)
    if len(recording.value) != 1:
        raise UnusableInput(f"--stream takes one recording, (1, time, features); it has {len(recording.value)}")
    length = window or model.network.steps
    steps = recording.value.shape[1]
    if length is None:
        raise UnusableInput("--stream needs --window N: the model fixes no number of time steps")
    if length > steps:
        raise UnusableInput(f"the recording has {steps} time steps, fewer than a window of {length}")
    result = parting(model.network, recording, length, normal)
    worst, at = result.worst
    click.echo(f"\nOn the recording ({steps} time steps), a window of {length} against a state that goes on:")
    click.echo(
        f"  largest difference {worst:.3g} (at time step {at}), median {result.median:.3g}; "
        f"outputs reach {result.size:.3g}"
    )
    click.echo("  N_window equals predict() on each window; N_step equals a model with stateful=True.")
