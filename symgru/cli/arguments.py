"""Arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symgru.errors import UnusableInput

if TYPE_CHECKING:
    from symgru.face import Model
    from symgru.network import Tensor

model = click.argument("source", metavar="MODEL")
architecture = click.option(
    "--architecture",
    metavar="FILE.json",
    help="Options for bare weights: activations, reset_after, kinds of layers.",
)

rules = click.option(
    "--rules", metavar="RULES", help="Which simplifications, by name: all, none, or merged-biases,blend,..."
)
show = click.option(
    "--show", type=click.IntRange(1), metavar="N", help="Show the first and last N time steps and leave out the middle."
)


def input_option(required: bool = True, use: str = "") -> Callable[[Any], Any]:
    return click.option(
        "--input",
        "given",
        metavar="X",
        required=required,
        help=f"{use}1,2,9,8 or [[1,2],[3,4]] (time steps of features), or a .npy, .csv or .json file.",
    )


def inputs_option(required: bool = True, use: str = "") -> Callable[[Any], Any]:
    """--input once for each input of the model."""
    return click.option(
        "--input",
        "given",
        metavar="X",
        multiple=True,
        required=required,
        help=f"{use}1,2,9,8 or [[1,2],[3,4]] (time steps of features), or a .npy, .csv or .json file; "
        "once for each input of the model, in its order.",
    )


def load(source: str, architecture: str | None = None, say: bool = True) -> Model:
    """The model that the user named (- is standard input), with what was assumed said on standard error."""
    from symgru.face import load as face_load

    loaded = face_load(source if source == "-" else Path(source), architecture)
    if say:
        _say(loaded.network.notes)
    return loaded


def read(network: Model, given: str) -> Tensor:
    """The user's input, with what was added to its shape said on standard error."""
    tensor, notes = network.read(given)
    _say(notes)
    return tensor


def read_all(model: Model, given: Sequence[str]) -> list[Tensor]:
    """The same for one source for each input of the model."""
    tensors, notes = model.read_all(given)
    _say(notes)
    return tensors


def spare_inputs(output: Path | None, *inputs: str | None) -> None:
    """Refuse to write over a file that is read."""
    for name in filter(None, inputs):
        place = Path(name)
        if output is not None and len(name) < 4096 and place.exists() and output.exists() and place.samefile(output):
            raise UnusableInput(f"{output}: is an input of this command; give another name to write to")


def _say(notes: tuple[str, ...]) -> None:
    for note in notes:
        click.echo(f"note: {note}", err=True)
