"""The unrolled sections of a derivation: every formula, read back from the page and worked out, gives the state."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from symgru.backends import latex, markdown, text
from symgru.building import build
from symgru.cells import CELLS
from symgru.derivation import derive, derive_network
from symgru.network import Network, Tensor, chain
from symgru.trace import exact
from tests.documents.conftest import KINDS, network, sequence
from tests.documents.test_latex import NASTY, compile_latex, overfull
from tests.formulas import sections, spelled, worked_out

BACKENDS = {"txt": text, "md": markdown, "tex": latex}
RULES = ("usual", "all", "all,constant-inputs")
RECURRENT = [name for name, cell in CELLS.items() if cell.states]
DIGITS = Decimal("1e-25")  # exact gives 30 significant digits, the calculator has 60


def page(content, kind: str, **options) -> str:
    return "".join(getattr(BACKENDS[kind], f"render_{type(content).__name__.lower()}")(content, **options))


def shown(index: tuple[int, ...], shape: tuple[int, ...]) -> list[int]:
    """Indices from 1, without those of axes of length 1."""
    return [k + 1 for k, n in zip(index, shape, strict=True) if n > 1]


def known(kind: str, net: Network, x: Tensor, constant: bool) -> dict[str, Decimal]:
    """What a reader is given: weights in Keras' orientation, the input, and the state before the first step."""
    (layer,) = net.layers.values()
    found = {}
    for name, tensor in layer.weights.items():
        letter, _, gate = name.partition("_")
        for index, value in np.ndenumerate(tensor.T.text):
            found[spelled(letter, kind, shown(index, tensor.T.text.shape), gate)] = Decimal(value)
    features = x.value.shape[-1]
    for (_, t, j), value in np.ndenumerate(x.text):
        feature = shown((j,), (features,))
        found[spelled("x", kind, feature, time=t + 1)] = Decimal(value)
        if constant:
            found[spelled("x", kind, feature)] = Decimal(value)
    units = len(next(t for name, t in layer.weights.items() if name[0] == "U").value)
    states = {spelled("h", kind, shown((k,), (units,)), time=0): Decimal(0) for k in range(units)}
    return found | states


def last_state(kind: str, values: dict[str, Decimal], units: int, steps: int) -> list[Decimal]:
    return [values[spelled("h", kind, shown((k,), (units,)), time=steps)] for k in range(units)]


def same_at_every_step(x: Tensor) -> Tensor:
    return Tensor.of(
        np.repeat(x.value[:, :1], x.value.shape[1], axis=1), np.repeat(x.text[:, :1], x.text.shape[1], axis=1)
    )


def without_biases(net: Network) -> Network:
    (layer,) = net.layers.values()
    weights = {name: t if name[0] in "WU" else Tensor.of(t.value * 0) for name, t in layer.weights.items()}
    return replace(net, layers={layer.id: replace(layer, weights=weights)})


def check(document: str, kind: str, net: Network, x: Tensor, constant: bool, formulas: int) -> list[str]:
    """Work every section out; the titles, each once. `formulas` is how many states have one formula."""
    (layer,) = net.layers.values()
    units, steps = len(next(iter(layer.weights.values())).value), x.value.shape[1]
    titles = []
    for title, lines in sections(document, kind):
        given = without_biases(net) if title.startswith("Without") else net
        values = worked_out(lines, known(kind, given, x, constant))
        right = exact(given, x, typed=True)[0]
        for ours, truth in zip(last_state(kind, values, units, steps), right, strict=True):
            assert abs(ours - truth) < DIGITS, title
        last = [name for name, _ in lines].count(spelled("h", kind, [], time=steps))
        if units == 1:
            assert last == (1 if title.startswith("Unrolled") else 1 + formulas), title
        titles.append(title.partition(":")[0])
    return titles


@pytest.mark.parametrize(
    ("cell", "kind"), [(cell, kind) for cell in RECURRENT for kind in KINDS if kind != "md" or cell.startswith("gru")]
)
def test_at_one_unit_the_closed_form_is_printed_and_right(cell: str, kind: str) -> None:
    """After one step and after two, in symbols and with a network's numbers."""
    for steps, rules in ((1, "all"), *((2, rules) for rules in RULES)):
        constant = "constant" in rules
        net, x = network(3, [(cell, 1, {})], 2), sequence(3, steps, 2)
        x = same_at_every_step(x) if constant else x
        of_model = page(derive_network(net, steps, rules), kind)
        assert "With the numbers of this layer" in check(of_model, kind, net, x, constant, formulas=1)
        symbols = page(derive(build(cell, {}), 1, 2, steps, rules=rules), kind)
        assert "Unrolled, as written" in check(symbols, kind, net, x, constant, formulas=1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cell", ["gru", "gru_before", "type3", "mgu_after", "simple"])
def test_every_line_of_several_units_is_right(cell: str, kind: str) -> None:
    for rules in RULES:
        constant = "constant" in rules
        net, x = network(5, [(cell, 2, {})], 2), sequence(5, 3, 2)
        x = same_at_every_step(x) if constant else x
        titles = check(page(derive_network(net, 3, rules), kind), kind, net, x, constant, formulas=0)
        assert titles[0] == "Unrolled, as written" and titles[-1] == "With the numbers of this layer"
        check(page(derive(cell, 2, 2, 3, rules=rules), kind), kind, net, x, constant, formulas=0)


@pytest.mark.parametrize("kind", KINDS)
def test_no_closed_form_where_it_could_not_be_read(kind: str) -> None:
    for units, steps in ((1, 3), (2, 1)):
        document = page(derive("gru", units, 1, steps), kind)
        assert "one formula" not in document
    assert "one formula" in page(derive("gru", 1, 1, 2), kind)
    assert "one formula" not in page(derive("gru", 1, 1, 2, rules="none"), kind)
    assert "one formula" not in page(derive("dense", 1, 1, 1), kind), "it is one as it stands"


NUMBERS = {"W_z": "1", "W_n": "-1", "U_n": "0.5", "c_n": "0.25"}  # all else is 0


def by_hand(kind: str = "gru", **weights: str) -> Network:
    net = network(1, [(kind, 1, {})], 1)
    (layer,) = net.layers.values()
    for name, tensor in layer.weights.items():
        value = np.full(tensor.value.shape, weights.get(name, "0"), dtype=object)
        layer.weights[name] = Tensor.of(value.astype(np.float32), value)
    return net


def test_the_formula_of_a_network_by_hand() -> None:
    """z = σ(x), r = 1/2 since nothing feeds it, n = tanh(-x + (h/2 + 1/4)/2)."""
    document = page(derive_network(by_hand(**NUMBERS), 2), "txt")
    (lines,) = (lines for title, lines in sections(document, "txt") if title.startswith("With the numbers"))
    first = "(1 - σ(x_1))*tanh(-x_1 + 1/8)"
    assert lines == [
        ("z_1", "σ(x_1)"),
        ("n_1", "tanh(-x_1 + 1/8)"),
        ("h_1", "(1 - z_1)*n_1"),
        ("z_2", "σ(x_2)"),
        ("n_2", "tanh(-x_2 + 0.5*(0.5*h_1 + 0.25))"),
        ("h_2", "z_2*h_1 + (1 - z_2)*n_2"),
        ("h_2", f"σ(x_2)*({first}) + (1 - σ(x_2))*tanh(-x_2 + 0.5*(0.5*({first}) + 0.25))"),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_show_leaves_out_the_middle(kind: str) -> None:
    """The first and last steps as without it, and between them one line that names the others."""
    whole = page(derive("gru", 1, 1, 9), kind)
    short = page(derive("gru", 1, 1, 9), kind, show=2)
    times = [sorted({int(n) for n in re.findall(r"h_\{?(\d+)\}? (?:&)?=", d)}) for d in (whole, short)]
    assert times == [list(range(1, 10)), [1, 2, 8, 9]]
    assert len(re.findall(r"\b3 to \$?t? ?=? ?7\b|t = 3\$? to \$?(?:t = )?7", short)) == 3, "in each of three sections"
    pieces = set(short.splitlines()) - set(whole.splitlines())
    assert len(pieces) == 1, pieces
    assert page(derive("gru", 1, 1, 5), kind, show=2) == page(derive("gru", 1, 1, 5), kind), "nothing would be saved"


def test_a_stack_has_a_part_for_each_layer() -> None:
    net = network(
        4, [("gru", 2, {"return_sequences": True}), ("mgu", 1, {}), ("dense", 2, {"activation": "softmax"})], 3
    )
    for kind in KINDS:
        document = page(derive_network(net, 2), kind)
        titles = [title.partition(":")[0] for title, _ in sections(document, kind)]
        assert titles.count("With the numbers of this layer") == 3
        assert document.count("Layer 1,") == document.count("Layer 2,") == document.count("Layer 3,") >= 1


MODELS = {
    "one unit": ([("gru", 1, {})], 1, 2, "all,constant-inputs"),
    "one unit, many features": ([("gru_before", 1, {})], 9, 2, "all"),
    "a stack": (
        [("gru", 3, {"return_sequences": True}), ("type3", 2, {}), ("dense", 2, {"activation": "softmax"})],
        2,
        3,
        "all",
    ),
    "wide": ([("gru", 8, {}), ("dense", 1, {})], 6, 2, "usual"),
    "constant inputs": ([("mgu3", 4, {})], 3, 4, "all,constant-inputs"),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_network_s_own_formulas_compile(name: str, tmp_path: Path) -> None:
    layers, features, steps, rules = MODELS[name]
    document = page(derive_network(network(1, layers, features), steps, rules), "tex", show=1)
    assert overfull(compile_latex(document, tmp_path)) == []


@pytest.mark.parametrize("rules", RULES)
def test_symbolic_sections_compile(rules: str, tmp_path: Path) -> None:
    for k, (cell, units, steps) in enumerate((("gru", 1, 2), ("type3", 3, 4))):
        folder = tmp_path / str(k)
        folder.mkdir()
        document = page(derive(cell, units, 2, steps, rules=rules), "tex", show=1)
        assert overfull(compile_latex(document, folder)) == []


def test_an_untrusted_name_is_only_a_name(tmp_path: Path) -> None:
    net = network(2, [("gru", 1, {})], 1)
    (layer,) = net.layers.values()
    net = chain([replace(layer, label=NASTY)], dtype="float32", features=1, origin=NASTY)
    d = derive_network(net, 2, "all")
    assert overfull(compile_latex(page(d, "tex"), tmp_path)) == []
    for kind in KINDS:
        assert not {"\x1b", "\x07", "\u202e"} & set(page(d, kind))
    assert "<script>" not in page(d, "md")
