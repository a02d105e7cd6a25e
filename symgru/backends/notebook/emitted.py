"""The last cells: the network as symgru emits it for NumPy, the input, and the prediction beside the document's."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from symgru.backends.notebook.cells import Code
from symgru.backends.numpy.files import Options, module
from symgru.backends.numpy.literals import literal
from symgru.explanation import Explanation
from symgru.network import Array
from symgru.templating import render
from symgru.trace import last_step

SHOWN = 10  # decimals that double precision has for certain


def emitted(e: Explanation) -> Iterator[Code]:
    """The module, then what it predicts."""
    yield Code(_without_docstring(module(e.network, Options())))
    sequences = (e, *e.others)
    exact = np.stack([last_step(each.exact_stored) for each in sequences])
    result: Array = np.array([[each.promise(v) for v in each.results] for each in sequences], dtype=object)
    several = len(e.inputs) > 1
    texts = [np.concatenate([each.inputs[k].text for each in sequences]) for k in range(len(e.inputs))]
    column = len("    np.array(") if several else len("x = np.array(")
    text = render(
        "notebook/prediction.py.j2",
        inputs=[literal(each, column) for each in texts],
        dtypes=["" if put.whole else f", dtype=np.{e.network.dtype}" for put in e.network.inputs],
        several_x=several,
        several_y=len(e.outputs) > 1,
        result=literal(np.vectorize(str, otypes=[object])(result), len("result = ")),
        digits=e.digits,
        tolerance=_tolerance(abs(exact - result).max(), e.digits),
        shown=SHOWN,
    )
    rows = (" ".join(f"{v:.{SHOWN}f}" for v in row) + "\n" for row in exact.astype(float))
    yield Code(text, "".join(rows))


def _tolerance(difference: Decimal, digits: int) -> str:
    """Half a unit of the last digit, and no less than there is between the document's result and the exact one."""
    half = Decimal("0.51").scaleb(-digits)
    return f"{half if difference < half else difference * Decimal('1.1'):.1e}"


def _without_docstring(text: str) -> str:
    """A module that is no file of its own has no name to be imported by."""
    first = ast.parse(text).body[0]
    assert first.end_lineno is not None
    return "\n".join(text.split("\n")[first.end_lineno :]).strip("\n") + "\n"
