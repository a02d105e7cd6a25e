"""symgru prove"""

from __future__ import annotations

from pathlib import Path

import click


@click.command("prove")
@click.argument("name", required=False)
@click.option(
    "-o",
    "--output",
    metavar="F",
    type=click.Path(path_type=Path),
    help="A .tex, .md or .txt file to write the arguments to.",
)
@click.pass_context
def command(ctx: click.Context, name: str | None, output: Path | None) -> None:
    """Prove the identities and equivalences symgru rests on, and refute what looks like them; with NAME, show one with
    its argument.

    Exit status 1 where a proof fails or a false statement is not refuted.
    """
    from symgru.backends.text.proofs import in_ascii, row, summary
    from symgru.cli.documents import send
    from symgru.cli.output import plain_ascii
    from symgru.document import Document
    from symgru.proving import Proofs, proved

    def say(text: str) -> None:
        click.echo(in_ascii(text) if plain_ascii() else text)

    results = Proofs()
    for result in proved(name):
        results.append(result)
        if name is None and output is None:
            say(row(result))
    if name is not None or output is not None:
        send(Document(results), output)
    say(summary(results))
    ctx.exit(0 if all(results) else 1)
