"""symgru draw"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from symgru.cli import arguments, styling

if TYPE_CHECKING:
    from symgru.drawing import Drawing
    from symgru.face import Model
    from symgru.network import Tensor
    from symgru.styles import Style
    from symgru.working import Working

NEED_INPUT = ("unrolled", "time")  # what the pictures of a layer at work need; its weights are there without
KINDS = ("wiring", "unrolled", "weights", "time", "graph")


@click.command("draw")
@arguments.model
@arguments.inputs_option(required=False, use="What the model is given, for unrolled and time. ")
@click.option(
    "--what",
    type=click.Choice(KINDS),
    default="wiring",
    show_default=True,
    help="Which input reaches which node, with the weights on the lines; one unit step by step; the weights as "
    "colours; gates and state over time; the layers of the network.",
)
@click.option("--layer", metavar="ID", help="The layer, as show names it; the first with weights unless given.")
@click.option("--unit", type=click.IntRange(1), default=1, show_default=True, help="The unit that unrolled draws.")
@click.option(
    "--digits",
    type=click.IntRange(1, 12),
    default=6,
    show_default=True,
    metavar="D",
    help="Decimals of the values that unrolled shows, each rounded from the exact one.",
)
@styling.options
@arguments.show
@arguments.architecture
@click.option(
    "-o", "--output", metavar="F", type=click.Path(path_type=Path), required=True, help="A .svg, .tex or .pdf file."
)
def command(
    source: str,
    given: tuple[str, ...],
    what: str,
    layer: str | None,
    unit: int,
    digits: int,
    style: str | None,
    notation: Path | None,
    show: int | None,
    architecture: str | None,
    output: Path,
) -> None:
    """Draw MODEL: its wiring with every weight, its steps, its weights as colours, its layers.

    A .tex file is a tikzpicture to be \\input in a document of your own, which needs the package tikz.
    """
    from symgru.cli.output import say_written, waiting
    from symgru.writing import write_files

    write = _writer(output)
    if what in NEED_INPUT and not given:
        raise click.UsageError(f"--what {what} shows a layer at work: give the model an --input")
    arguments.spare_inputs(output, source, *given, architecture)
    model = arguments.load(source, architecture)
    with waiting("drawing"):
        drawing = _drawing(model, given, what, layer, unit, digits, show, styling.chosen(style, notation))
        write_files(output.parent, {output.name: write(drawing)})
    say_written([output])


def _writer(output: Path) -> Callable[[Drawing], bytes]:
    """What writes a drawing in the format of a file's ending."""
    from symgru.errors import UnusableInput

    writers = {".svg": _svg, ".tex": _tex, ".pdf": _pdf}
    if output.suffix.lower() not in writers:
        ending = output.suffix[:20] or "no ending"
        raise UnusableInput(f"{ending}: a file's ending says the format; it can be {', '.join(writers)}")
    return writers[output.suffix.lower()]


def _svg(drawing: Drawing) -> bytes:
    from symgru.backends.svg import render_svg

    return render_svg(drawing).encode()


def _tex(drawing: Drawing) -> bytes:
    from symgru.backends.latex.tikz import render_fragment

    return render_fragment(drawing).encode()


def _pdf(drawing: Drawing) -> bytes:
    from symgru.backends.latex.tikz import render_page
    from symgru.backends.pdf.engine import require_engine, typeset

    return typeset([render_page(drawing)], require_engine())


def _drawing(
    model: Model,
    given: Sequence[str],
    what: str,
    layer: str | None,
    unit: int,
    digits: int,
    show: int | None,
    style: Style | None,
) -> Drawing:
    from symgru import drawing
    from symgru.drawing.values import rightly_rounded
    from symgru.errors import UnusableInput
    from symgru.explanation import explain
    from symgru.styles import DEFAULT
    from symgru.wording import counted

    if what == "graph":
        return drawing.graph(model.network)
    example = explain(model.network, arguments.read_all(model, given) if given else _zeros(model), style=style)
    chosen = style or DEFAULT
    if what == "unrolled":  # the only one with values in figures
        working = _layer(rightly_rounded(example, digits), layer)
        units = working.sizes["H"]
        if unit > units:
            raise UnusableInput(f"layer {working.layer.id} has {counted(units, 'unit')}; there is no unit {unit}")
        return drawing.unrolled(working, show, unit - 1, chosen)
    pictures = {"wiring": drawing.wiring, "weights": drawing.heat_map, "time": drawing.over_time}
    return pictures[what](_layer(example.layers, layer), chosen)


def _layer(layers: Sequence[Working], layer: str | None) -> Working:
    """The one that is drawn."""
    from symgru.errors import UnusableInput

    if layer is None:
        return next((w for w in layers if w.arrays), layers[0])
    known = {w.layer.id: w for w in layers}
    if layer not in known:
        raise UnusableInput(f"no layer with lines of its own is called {layer[:60]!r}; there are {', '.join(known)}")
    return known[layer]


def _zeros(model: Model) -> list[Tensor]:
    """One step of zeros for each input, for what shows weights alone."""
    import numpy as np

    from symgru.network import Tensor

    shapes = [(1, *(1 if n is None else n for n in put.shape)) for put in model.network.inputs]
    return [Tensor.of(np.zeros(shape), np.full(shape, "0", dtype=object)) for shape in shapes]
