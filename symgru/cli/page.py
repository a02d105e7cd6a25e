"""symgru page"""

from __future__ import annotations

from pathlib import Path

import click


@click.command("page")
@click.option(
    "-o",
    "--output",
    metavar="F",
    default="gru.html",
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The .html file to write.",
)
def command(output: Path) -> None:
    """Write a web page that works a GRU through in the browser: paste what get_weights() prints, and an input.

    The page needs no network and nothing installed; what is typed in it stays there.
    """
    from symgru.backends.html import empty_page
    from symgru.cli.output import say_written, waiting
    from symgru.errors import UnusableInput
    from symgru.writing import write_pieces

    if output.suffix.lower() not in (".html", ".htm"):
        raise UnusableInput(f"{output.name}: a page is an .html file; name one, such as -o gru.html")
    with waiting(f"writing {output.name}") as sign:
        write_pieces(output, sign.watch(empty_page(), output.name))
    say_written([output])
