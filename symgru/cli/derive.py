"""symgru derive"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from symgru.cli import arguments

if TYPE_CHECKING:
    from symgru.document import Document


@click.command("derive")
@click.option("--cell", default="gru", show_default=True, help="One of symgru.CELLS; all lays them side by side.")
@click.option("--units", type=click.IntRange(1, 256), default=1, show_default=True)
@click.option("--features", type=click.IntRange(1, 256), default=1, show_default=True)
@click.option("--steps", type=click.IntRange(1, 1_000_000), default=4, show_default=True)
@click.option("--activation", help="The candidate's activation, by Keras' name.")
@click.option("--recurrent-activation", help="The gates' activation, by Keras' name.")
@click.option("--model", metavar="MODEL", help="Put in the numbers of this network's layers, in place of a cell.")
@click.option("--gradients", is_flag=True, help="Also the way back: every gradient, and the Jacobian of a step.")
@arguments.rules
@arguments.show
@click.option("-o", "--output", metavar="F", type=click.Path(path_type=Path), help="A .tex, .md or .txt file to write.")
@arguments.architecture
@click.pass_context
def command(
    context: click.Context,
    cell: str,
    units: int,
    features: int,
    steps: int,
    activation: str | None,
    recurrent_activation: str | None,
    model: str | None,
    gradients: bool,
    rules: str | None,
    show: int | None,
    output: Path | None,
    architecture: str | None,
) -> None:
    """Write the recurrence in matrix form and per unit, unrolled over the time steps and simplified rule by rule.

    RULES is all, none, usual or names such as merged-biases,blend; the document ends with what each one did.
    """
    from symgru.cli.documents import send
    from symgru.cli.output import waiting
    from symgru.comparison import ALL
    from symgru.derivation import derive
    from symgru.document import Document

    if cell == ALL:
        send(_side_by_side(context), output)
        return
    if model is not None:
        _refuse_beside_a_model(context)
        arguments.spare_inputs(output, model, architecture)
        given_steps = steps if _is_given(context, "steps") else None
        send(_of_a_model(model, architecture, given_steps, rules, gradients), output, show=show)
        return
    if architecture is not None:
        raise click.UsageError("--architecture describes the bare weights of a --model")
    options = {"activation": activation, "recurrent_activation": recurrent_activation}
    with waiting("deriving"):
        derivation = derive(cell, units, features, steps, {k: v for k, v in options.items() if v}, rules, gradients)
    send(Document(derivation), output, show=show)


def _side_by_side(context: click.Context) -> Document:
    from symgru.comparison import compare, refuse
    from symgru.document import Document

    given = (name for name in context.params if name not in ("cell", "output") and _is_given(context, name))
    refuse(f"--{name.replace('_', '-')}" for name in given)
    return Document(compare())


def _of_a_model(
    source: str, architecture: str | None, steps: int | None, rules: str | None, gradients: bool
) -> Document:
    from symgru.backends.model import check_chain
    from symgru.cli.output import waiting
    from symgru.derivation import derive_network
    from symgru.document import Document

    network = arguments.load(source, architecture).network
    check_chain(network)
    with waiting("deriving"):
        return Document(derive_network(network, steps, rules, gradients))


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is not ParameterSource.DEFAULT


def _refuse_beside_a_model(context: click.Context) -> None:
    for name in ("cell", "units", "features", "activation", "recurrent_activation"):
        if _is_given(context, name):
            raise click.UsageError(f"--{name.replace('_', '-')} goes with a cell; a --model has its own")
