"""symgru run"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from symgru.cli import arguments
from symgru.face import ENGINES

if TYPE_CHECKING:
    from symgru.face import Model
    from symgru.network import Array, Network, Tensor


@click.command("run")
@arguments.model
@arguments.inputs_option()
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
@click.option(
    "-o",
    "--output",
    metavar="Y.npy",
    type=click.Path(path_type=Path),
    help="Write a .npy file instead; a .npz file holds every output under its layer's name.",
)
@arguments.architecture
def command(
    source: str, given: tuple[str, ...], engine: str, digits: int | None, output: Path | None, architecture: str | None
) -> None:
    """Evaluate MODEL on an input and print its output, a line for each sequence (and time step).

    A model of several inputs takes --input as often, in its order; several outputs are printed under their names. With
    --engine exact, standard error says whether the digits are proven.
    """
    from symgru.cli.output import say_written
    from symgru.writing import write_files

    if output is not None and engine == "exact":
        raise click.UsageError(
            "a .npy file holds no more than float64; the digits of --engine exact go to the terminal"
        )
    arguments.spare_inputs(output, source, *given, architecture)
    model = arguments.load(source, architecture)
    names = _names(model.network)
    together = output is not None and output.suffix.lower() == ".npz"
    if output is not None and len(names) > 1 and not together:
        raise click.UsageError(f"the model has {len(names)} outputs ({', '.join(names)}); name a .npz file for them")
    xs = arguments.read_all(model, given)
    ys = _exact(model, xs, digits) if engine == "exact" else model.outputs(xs, engine, digits)
    if output is None:
        for line in _lines(names, ys):
            click.echo(line)
        return
    arrays = dict(zip(names, ys, strict=True)) if together else ys[0]
    say_written(write_files(output.parent, {output.name: _file(arrays)}))


def _names(network: Network) -> list[str]:
    """The outputs by the safe names of their layers."""
    taken: list[str] = []
    for edge in network.outputs:
        name = f"{edge.source}_state" if edge.port == "state" else edge.source
        taken.append(name if name not in taken else f"{name}_{len(taken) + 1}")
    return taken


def _lines(names: Sequence[str], ys: Sequence[Array]) -> Iterator[str]:
    """A line for each vector; the name above them where there are several outputs."""
    for name, y in zip(names, ys, strict=True):
        if len(ys) > 1:
            yield f"{name}:"
        rows = y.reshape(-1, y.shape[-1] if y.ndim > 1 else 1)
        yield from (" ".join(f"{v:g}" if y.dtype == object else str(v) for v in row) for row in rows)


def _file(arrays: Array | Mapping[str, Array]) -> bytes:
    """A .npy file of one array, a .npz file of several."""
    import io

    import numpy as np

    buffer = io.BytesIO()
    if isinstance(arrays, np.ndarray):
        np.save(buffer, arrays)
    else:
        np.savez(buffer, **cast("Mapping[str, Any]", arrays))
    return buffer.getvalue()


def _exact(model: Model, xs: Sequence[Tensor], digits: int | None) -> list[Array]:
    """The digits, and on standard error whether they are proven."""
    from decimal import Decimal

    from symgru.cli.output import waiting
    from symgru.network import stored

    with waiting("proving digits"):
        exact = model.certify(xs, digits)
    pairs = (
        (text, held)
        for x in xs
        for text, held in zip(x.text.ravel(), stored(x, model.network.dtype).value.ravel(), strict=True)
    )
    moved = [str(text) for text, held in pairs if Decimal(text) != Decimal(held)]
    if moved:
        more = f" (nor {len(moved) - 1} more)" if len(moved) > 1 else ""
        click.echo(f"note: {moved[0]}{more} is no {model.network.dtype}; the digits are for the nearest one", err=True)
    click.echo(exact.label, err=True)
    return list(exact.outputs)
