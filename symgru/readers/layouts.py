"""Bare arrays in other layouts than Keras' own: shapes tell a layout, and the gates' order is assumed and said.

What lies where in the arrays, symgru.conventions says; a layout only names the convention that is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from symgru.blocks import Grid
from symgru.conventions import CONVENTIONS, Convention, spelled
from symgru.errors import UnusableInput
from symgru.readers import named_arrays
from symgru.readers.assemble import Spec, named
from symgru.readers.checks import boolean
from symgru.readers.conventions import Shape

OTHERS = "symgru diagnose tries the other orders"
SAY = "name them in a .npz or .json file (docs/conventions.md)"


@dataclass(frozen=True)
class Layout:
    """The convention that arrays of these shapes are taken for, and a note that says what was assumed."""

    convention: Convention
    assumed: str = ""

    def lengths(self, shapes: Sequence[Shape]) -> Iterator[int]:
        """How many of the first arrays can be one layer: with its biases, then without."""
        grids = list(self.convention.arrays.values())
        bare = len(grids) - len(self.convention.biases)
        for count in (len(grids), bare) if self.convention.optional else (len(grids),):
            own = shapes[:count]
            if len(own) == count and _fit(grids, own):
                yield count

    def layer(self, label: str, options: Mapping[str, object], arrays: Sequence[object], dtype: str) -> Spec:
        """The layer of these arrays. Raises UnusableInput for options that the convention has not."""
        spec = named_arrays.layer(
            self.convention, label, options, dict(zip(self.convention.arrays, arrays, strict=False)), dtype
        )
        after = spec.options.get("reset_after")
        if after is not None and boolean(options.get("reset_after", after), "reset_after") != after:
            raise UnusableInput(f"{named(label)}: {self.convention.title} has the reset gate after the product")
        return spec


def _fit(grids: Sequence[Grid], shapes: Sequence[Shape]) -> bool:
    """Whether some number of units and of features gives the arrays these shapes; the kernels have both as axes."""
    units = {length for shape in shapes[:2] for length in shape}
    return any(
        all(grid.shape(H, D) == shape for grid, shape in zip(grids, shapes, strict=False))
        for H, D in product(units, set(shapes[0]))
    )


TORCH = Layout(
    CONVENTIONS["torch"],
    f"the arrays do not say in which order their gates are; PyTorch's is assumed, r, z, n as rows; {OTHERS}",
)
LINEAR = Layout(CONVENTIONS["torch_linear"])
TWO_BIASES = Layout(
    replace(
        spelled("zrn", "columns", "two", "after", "keep"),
        title="Keras GRU, reset_after=True, its bias as two arrays",
        last=True,
    ),
    "the arrays do not say in which order their gates are; Keras' is assumed, z, r, n as columns, and the input's bias "
    f"before the state's; {OTHERS}",
)
CUDNN = Layout(
    CONVENTIONS["cudnn_gru"],
    "the arrays do not say in which order their gates are; with one row of six biases they are taken for those of "
    f"Keras 2's CuDNNGRU, z, r, n, the input's biases before the state's; {OTHERS}",
)
COLUMNS = TWO_BIASES, CUDNN
ROWS = TORCH, LINEAR
