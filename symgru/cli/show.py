"""symgru show"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from symgru.cli import arguments

if TYPE_CHECKING:
    from symgru.backends.model import Unit
    from symgru.network import Network, Tensor

FEW = 64  # numbers of one parameter that are printed in full


@click.command("show")
@arguments.model
@arguments.architecture
def command(source: str, architecture: str | None) -> None:
    """Show MODEL: layers, shapes, parameter count with its formula, and each gate's weights under their names."""
    for line in _lines(arguments.load(source, architecture, say=False).network):
        click.echo(line)


def _lines(network: Network) -> Iterator[str]:
    from symgru.backends.c.names import text
    from symgru.backends.model import layers

    yield f"{network.name}: {network.parameters} numbers, {network.dtype}, SHA-256 {network.fingerprint[:16]}…"
    yield f"input  (batch, {network.steps or 'time'}, {network.features})"
    for note in network.notes:
        yield f"note   {text(note, 200)}"
    for unit in layers(network):
        yield ""
        yield from _layer(unit)


def _layer(unit: Unit) -> Iterator[str]:
    from symgru.backends.c.names import text
    from symgru.backends.c.printer import Formula

    own = unit.layer.label in {unit.id, unit.layer.kind}
    label = "" if own else f" (called {text(unit.layer.label)!r} in the file)"
    yield f"{unit.id}{label}: {unit.cell.source}"
    yield f"  {_some(unit.sizes['D'], 'feature')} -> {_some(unit.sizes['H'], 'unit')}; {_count(unit)}"
    for note in unit.layer.notes:
        yield f"  note: {text(note, 200)}"
    for lhs, rhs in unit.cell.equations:
        yield f"    {Formula().doprint(lhs)} = {Formula().doprint(rhs)}"
    for name, array in unit.arrays.items():
        yield f"  {name} {array.shape}: {_blocks(unit, name)}"
    for p in unit.cell.params:
        yield from _parameter(p.name, unit.layer.weights[p.name])


def _some(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _count(unit: Unit) -> str:
    """3 x (1*8 + 8*8 + 2*8) = 264 numbers; each array for itself where the gates do not have the same."""
    own, sizes = unit.layout, unit.sizes
    D, H = sizes["D"], sizes["H"]
    total = sum(t.value.size for t in unit.layer.weights.values())
    blocks = [(len(own.kernel), f"{D}*{H}"), (len(own.recurrent), f"{H}*{H}"), *((len(b), str(H)) for b in own.biases)]
    blocks = [(n, each) for n, each in blocks if n]
    gates = blocks[0][0]
    if any(n != gates for n, _ in blocks):
        return " + ".join(f"{n}*{each}" if n > 1 else each for n, each in blocks) + f" = {total} numbers"
    rows = len(own.biases)
    biases = [f"{rows}*{H}" if rows > 1 else str(H)] if rows else []
    each = " + ".join([size for _, size in blocks[: len(blocks) - rows]] + biases)
    return f"{gates} x ({each}) = {total} numbers" if gates > 1 else f"{each} = {total} numbers"


def _blocks(unit: Unit, name: str) -> str:
    return "; ".join(" | ".join(map(str, row)) for row in unit.layout.arrays[name])


def _parameter(name: str, tensor: Tensor) -> Iterator[str]:
    framework = tensor.T
    if tensor.value.size > FEW:
        low, high = tensor.value.min(), tensor.value.max()
        yield f"    {name} {framework.value.shape}: from {low} to {high}"
        return
    rows = framework.text.reshape(-1, framework.text.shape[-1])
    yield f"    {name} = " + "  ".join(rows[0])
    for row in rows[1:]:
        yield " " * (len(name) + 7) + "  ".join(row)
