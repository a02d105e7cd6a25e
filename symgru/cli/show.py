"""symgru show"""

from __future__ import annotations

import click

from symgru.cli import arguments


def _conventions(context: click.Context, option: click.Parameter, asked: bool) -> None:
    """Print every framework's convention and stop: no model is needed."""
    if asked and not context.resilient_parsing:
        from symgru.convention_page import text

        for line in text():
            click.echo(line)
        context.exit()


@click.command("show")
@click.option(
    "--conventions",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_conventions,
    help="Print every framework's convention instead: gates, shapes, biases, reset and update rule.",
)
@arguments.model
@arguments.architecture
def command(source: str, architecture: str | None) -> None:
    """Show MODEL: layers, shapes, parameter count with its formula, and each gate's weights under their names."""
    from symgru.overview import overview

    for line in overview(arguments.load(source, architecture, say=False).network):
        click.echo(line)
