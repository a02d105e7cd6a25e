"""symgru demo"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from symgru.explanation import Explanation
    from symgru.face import Model
    from symgru.network import Tensor


def seed_file() -> Path:
    """The seed's network: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / "examples" / "seed.json"
    return inside if inside.is_file() else package.parent / "examples" / "seed.json"


@click.command("demo")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path("symgru-demo"))
def command(folder: Path) -> None:
    """Answer the question symgru began with, and write the worked example, the NumPy and the C to DIR.

    Someone's hand calculation and someone's network gave two numbers for one GRU. The demo says which printed weight
    is which symbol, works out all four steps, and finds what each of the two numbers is.
    """
    from symgru.answer import answer
    from symgru.backends.text.answer import render_answer
    from symgru.cli.output import waiting
    from symgru.errors import UnusableInput
    from symgru.face import load

    if folder.exists() and not folder.is_dir():
        raise UnusableInput(f"{folder}: demo takes a folder to write to; for a model of your own use `symgru explain`")
    story = json.loads(seed_file().read_text(encoding="utf-8"), parse_float=str, parse_int=str)
    model = load(seed_file())
    x, _ = model.read(",".join(story["input"]))
    told = story["story"]
    with waiting("trying every mistake"):
        found = answer(model.network, x, told["hand_calculation"], told["claimed"])
        text = render_answer(found)
    click.echo(text)
    _write(model, x, found.explanation, folder)


def _write(model: Model, x: Tensor, example: Explanation, folder: Path) -> None:
    from symgru.backends import latex, markdown
    from symgru.writing import write_files

    name = model.network.name
    documents = {f"{name}.tex": latex.render_explanation(example), f"{name}.md": markdown.render_explanation(example)}
    code = {**model.files("numpy", x), **model.files("c", x)}
    written = write_files(folder, {**{k: "".join(v).encode() for k, v in documents.items()}, **code})
    click.echo(f"Written to {folder}: " + ", ".join(place.name for place in written))
    click.echo(_try_c(folder, name))


def _try_c(folder: Path, name: str) -> str:
    """Compile and run the emitted C's own test, where there is a compiler."""
    from symgru.errors import SymgruError
    from symgru.verify.compilers import NONE_FOUND, compile_program, find_compiler

    try:
        compiler = find_compiler()
        if compiler is None:
            return f"The C was not compiled: {NONE_FOUND}."
        program = compile_program(folder, [f"{name}.c", f"{name}_test.c"], f"{name}_test")
    except SymgruError as e:
        return f"The C was not compiled: {e}."
    done = subprocess.run([program.resolve()], capture_output=True, text=True, check=False)
    return f"The C, compiled with {' '.join(compiler[-2:])}, says: {done.stdout.strip()}"
