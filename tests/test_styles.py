"""Every notation prints the same function: its formulas, read back under the names that its source uses, give the
reference's numbers; what a notation file may not say is refused in one line.

The names are written out here by hand, from the sources that the style files cite.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

from symgru import load
from symgru.backends.latex.document import LATEX
from symgru.backends.text.document import TEXT
from symgru.backends.worked import LayerWriter, equations
from symgru.building import build
from symgru.cells import CELLS
from symgru.cli import styling
from symgru.comparison import Profile
from symgru.errors import UnusableInput
from symgru.explanation import Explanation, explain
from symgru.network import Network, Tensor
from symgru.styles import DEFAULT, named, read_style, style
from symgru.styles.checks import check
from symgru.styles.network import styled
from tests.calculator.arithmetic import evaluate_symbols
from tests.calculator.latex import plain
from tests.conftest import ROOT
from tests.documents.conftest import documents, network, sequence
from tests.documents.test_latex import compile_latex, overfull

ALL = ("keras", "cho", "d2l", "pytorch", "wikipedia")
KINDS = ("gru", "gru_before", "mgu", "simple")


@dataclass(frozen=True)
class Names:
    """A style's names as its source has them: what stands below a weight, of each letter, with {} for the gate."""

    vectors: dict[str, str]
    weights: dict[str, tuple[str, str]]
    gates: dict[str, str]
    bare: dict[str, tuple[str, str]]  # of a cell with one matrix of each kind
    columns: bool = False
    angles: bool = False

    def weight(self, name: str, index: tuple[int, ...], sizes: tuple[int, ...], latex: bool) -> str:
        letter, _, gate = name.partition("_")
        base, below = self.weights.get(name, self.weights[letter]) if gate else self.bare[letter]
        below = below.format(self.gates.get(gate, gate))
        shown = [str(k + 1) for k, n in zip(index, sizes, strict=True) if n > 1]
        shown = shown if self.columns else shown[::-1]
        if latex:
            inside = ",".join([*([below] if below else []), *shown])
            return f"{base}_{{{inside}}}" if inside else base
        return base + (f"_{below}" if below else "") + (f"[{','.join(shown)}]" if shown else "")

    def vector(self, name: str, t: int, k: int, size: int, latex: bool) -> str:
        letter, _, gate = name.partition("_")
        base, gate = self.vectors.get(letter, letter), self.gates.get(gate, gate) if gate else ""
        if latex:
            base = re.sub(r"(\w)_(tilde|hat)", r"\\\2{\1}", base)
            index = [str(k + 1)] if size > 1 else []
            below = ",".join([*([gate] if gate else []), *([] if self.angles else [str(t)]), *index])
            above = rf"^{{\langle {t}\rangle}}" if self.angles else ""
            return base + (f"_{{{below}}}" if below else "") + above
        return base + (f"_{gate}" if gate else "") + (f"^<{t}>" if self.angles else f"_{t}") + f"[{k + 1}]" * (size > 1)


OWN = {"z": "z", "r": "r", "n": "n", "f": "f"}
PLAIN = {letter: (letter, "{}") for letter in "WUbc"}
BARE = {letter: (letter, "") for letter in "WUb"}
CHO = {name: (name[0], "") for name in ("W_n", "U_n", "b_n", "c_n")}
SOURCES = {
    "keras": Names(OWN, PLAIN, OWN, BARE),
    "pytorch": Names(
        OWN,
        {"W": ("W", "i{}"), "U": ("W", "h{}"), "b": ("b", "i{}"), "c": ("b", "h{}")},
        OWN,
        {"W": ("W", "ih"), "U": ("W", "hh"), "b": ("b", "ih")},
        columns=True,
    ),
    "wikipedia": Names(OWN | {"n": "h_hat"}, PLAIN, OWN | {"n": "h"}, BARE, columns=True),
    "cho": Names(OWN | {"n": "h_tilde"}, PLAIN | CHO, OWN | {"n": "h"}, BARE, columns=True, angles=True),
    "d2l": Names(
        {"x": "X", "h": "H", "z": "Z", "r": "R", "n": "H_tilde", "f": "f"},
        {"W": ("W", "x{}"), "U": ("W", "h{}"), "b": ("b", "{}"), "c": ("c", "{}")},
        OWN | {"n": "h"},
        {"W": ("W", "xh"), "U": ("W", "hh"), "b": ("b", "h")},
    ),
}


def worked(net: Network, x: Tensor, name: str, digits: int | None = None) -> Explanation:
    return explain(net, x, digits, style=style(name))


def small(kind: str, seed: int = 1, units: int = 2, features: int = 3) -> tuple[Network, Tensor]:
    return network(seed, [(kind, units, {})], features), sequence(seed, 3, features)


def reference(net: Network, x: Tensor, kind: str) -> np.ndarray:
    """The last state, from the equations as the papers have them, in NumPy."""
    (layer,) = net.layers.values()
    p = {name: np.array(t.text.astype(float)) for name, t in layer.weights.items()}

    def s(a: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-a))

    h = np.zeros(len(next(iter(p.values()))))
    for v in x.text[0].astype(float):
        if kind == "simple":
            h = np.tanh(p["W"] @ v + p["U"] @ h + p["b"])
        elif kind == "mgu":
            f = s(p["W_f"] @ v + p["U_f"] @ h + p["b_f"])
            h = (1 - f) * h + f * np.tanh(p["W_n"] @ v + p["U_n"] @ (f * h) + p["b_n"])
        else:
            two = "c_z" in p
            z = s(p["W_z"] @ v + p["U_z"] @ h + p["b_z"] + (p["c_z"] if two else 0))
            r = s(p["W_r"] @ v + p["U_r"] @ h + p["b_r"] + (p["c_r"] if two else 0))
            inner = r * (p["U_n"] @ h + p["c_n"]) if two else p["U_n"] @ (r * h)
            h = z * h + (1 - z) * np.tanh(p["W_n"] @ v + p["b_n"] + inner)
    return h


def put(text: str, known: dict[str, Decimal], latex: bool) -> str:
    """A formula with the number of each symbol in its place, in the calculator's writing."""
    longest = sorted(known, key=len, reverse=True)
    symbol = re.compile(rf"(?<![A-Za-z\\])(?:{'|'.join(map(re.escape, longest))})(?![\w\[^<])")
    text = symbol.sub(lambda m: f"({known[m[0]]})", text)
    return plain(text) if latex else text.replace("·", "*")


def lines(e: Explanation, latex: bool) -> Iterator[tuple[int, str, str, str, str]]:
    (layer,) = e.layers
    writer = LayerWriter(layer, (LATEX if latex else TEXT).styled(e.style))
    for t in range(1, layer.steps + 1):
        for w in writer.lines(t):
            yield t, w.lhs, w.symbols, w.numbers, w.line.text


@pytest.mark.parametrize("latex", [False, True], ids=["text", "latex"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("units", [1, 2])
def test_printed_formulas_give_the_reference(name: str, kind: str, latex: bool, units: int) -> None:
    net, x = small(kind, seed=3, units=units, features=units)
    e, names = worked(net, x, name), SOURCES[name]
    layer = e.layers[0].layer
    known = {
        names.weight(p, index, tensor.value.shape, latex): Decimal(tensor.text[index])
        for p, tensor in layer.weights.items()
        for index in np.ndindex(tensor.value.shape)
    }
    for t, row in enumerate(x.text[0], 1):
        for k, text in enumerate(row):
            known[names.vector("x", t, k, units, latex)] = Decimal(text)
    known |= {names.vector("h", 0, k, units, latex): Decimal(0) for k in range(units)}
    state = "h"
    for _t, lhs, symbols, numbers, value in lines(e, latex):
        unit = Decimal(1).scaleb(Decimal(value).as_tuple().exponent)
        by_name = evaluate_symbols(put(symbols, known, latex), {})
        by_number = evaluate_symbols(plain(numbers) if latex else numbers.replace("·", "*"), {})
        for found in (by_name, by_number):
            assert found.quantize(unit, rounding=ROUND_HALF_UP) == Decimal(value), (lhs, symbols)
        assert lhs not in known
        known[lhs] = Decimal(value)
    last = [float(known[names.vector(state, 3, k, units, latex)]) for k in range(units)]
    assert last == pytest.approx(reference(net, x, kind), abs=2e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_x_and_h_keep_their_numbers(kind: str) -> None:
    for seed in range(5):
        net, x = small(kind, seed)
        found = set()
        for name in ALL:
            (layer,) = worked(net, x, name).layers
            h = [layer.value("h1", t, k) for t in range(1, 4) for k in range(2)]
            found.add((*h, *map(str, layer.x_texts.ravel())))
        assert len(found) == 1


def test_the_seed_under_wikipedia(seed_network: Network, seed_input: Tensor) -> None:
    e = worked(seed_network, seed_input, "wikipedia", 6)
    text = re.sub(" +", " ", str(documents(e)["txt"]))
    assert "W_z = 0.90954137" in text and "U_z = -0.24168766" in text
    assert "h_t = (1 - z_t)·h_(t-1) + z_t·h_hat_t" in text
    assert "W_r = 1.0425225" in text and "U_h = 0.36734456" in text
    for h in ("-0.03138253", "-0.08876771", "-0.40443812", "-0.46279538"):
        assert h in text
    flat = " ".join(text.split())
    assert "W_z, b_z, U_z and c_z are printed negated" in flat
    assert "the reset gate r acts before the product with U_h; in this network it acts after" in flat


def test_negated_decimals_stay_as_typed() -> None:
    texts = np.array(["-0.90954137", "0", "1e-08", "-0.0", "+0.50", "-1.5e-9"], dtype=object)
    net, _ = small("gru", units=1, features=1)
    (layer,) = net.layers.values()
    for text, negated in zip(texts, ["0.90954137", "0", "-1e-08", "0.0", "-0.50", "1.5e-9"], strict=True):
        own = Tensor(np.array([[float(text)]]), np.array([[text]], dtype=object))
        changed = replace(net, layers={layer.id: replace(layer, weights={**layer.weights, "W_z": own})})
        made = styled(changed, style("wikipedia")).network.layers[layer.id].weights["W_z"]
        assert made.text[0, 0] == negated
        assert made.value[0, 0] == -float(text) and math.copysign(1, made.value[0, 0] or 1) != math.copysign(
            1, float(text) or -1
        )


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kind", list(CELLS))
def test_only_what_stays_the_same_function_is_rewritten(name: str, kind: str) -> None:
    net, x = small(kind)
    made = styled(net, style(name))
    (before,), (after,) = net.layers.values(), made.network.layers.values()
    own = Profile(build(before.kind, before.options))
    wanted = style(name).update
    if own.update and own.update.rule != wanted:
        assert made.notes
        turned = Profile(build(after.kind, after.options)).update
        # a gate that resets as well cannot be negated
        assert turned.rule == (own.update.rule if kind.startswith("mgu") else wanted)
    else:
        assert after is before
    if own.update:
        ours, theirs = (explain(n, x).exact_typed[0] for n in (net, made.network))
        assert max(abs(ours - theirs).ravel()) < Decimal("1e-20")
    again = styled(made.network, style("keras"))
    assert Profile(build(*_kind(again.network))).update == Profile(build(*_kind(styled(net, DEFAULT).network))).update


def _kind(net: Network) -> tuple[str, dict]:
    (layer,) = net.layers.values()
    return layer.kind, layer.options


def test_an_activation_without_the_symmetry_is_left() -> None:
    net = network(1, [("gru", 2, {"recurrent_activation": "softsign"})], 2)
    made = styled(net, style("wikipedia"))
    assert list(made.network.layers.values()) == list(net.layers.values())
    assert "would be another function" in str(made.notes[0])


def test_layers_of_a_graph() -> None:
    net = network(5, [("gru", 3, {"return_sequences": True}), ("ligru", 2, {}), ("dense", 2, {})], 2)
    made, x = styled(net, style("wikipedia")), sequence(5, 3, 2)
    assert [layer.kind for layer in made.network.layers.values()] == ["gru_swapped", "ligru_swapped", "dense"]
    ours, theirs = (explain(n, x).exact_typed[0] for n in (net, made.network))
    assert max(abs(ours - theirs).ravel()) < Decimal("1e-20")
    bidirectional = load(ROOT / "examples" / "brackets.keras").network
    assert [call for call, _ in styled(bidirectional, style("wikipedia")).network] == [c for c, _ in bidirectional]


@pytest.mark.parametrize("name", ALL)
def test_latex_compiles(name: str, tmp_path: Path) -> None:
    rows = []
    for kind in (*KINDS, "gru_new", "ligru"):
        cell = build(kind, {})
        for sizes in ({"H": 1, "D": 1}, {"H": 2, "D": 3}):
            dialect = LATEX.styled(style(name))
            for form in (dialect.matrix, dialect.unit):
                rows += [f"{a} &= {b}" for a, b in equations(cell, form(dialect.notation(cell, sizes)))]
    body = "\\\\\n".join(rows)
    source = (
        "\\documentclass{article}\\usepackage{amsmath}\\begin{document}\n\\allowdisplaybreaks\n"
        f"\\begin{{align*}}\n{body}\n\\end{{align*}}\n\\end{{document}}\n"
    )
    assert not overfull(compile_latex(source, tmp_path))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ALL)
def test_documents_compile(name: str, kind: str, tmp_path: Path) -> None:
    net, x = small(kind)
    assert not overfull(compile_latex(str(documents(worked(net, x, name))["tex"]), tmp_path))


# ---------------------------------------------------------------- notation files


def made(tmp_path: Path, text: str):
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    return read_style(path)


NG = r"""
title = "Ng"
time = "h^{<t>}"
product = "*"
vectors = "columns"
decimal = ","
update = "new"
[symbols]
h = "c"
z = "\\Gamma_u"
r = "\\Gamma_r"
n = "\\tilde c"
W = "W^{(*)}"
c = "d_*"
[subscripts]
z = "u"
r = "r"
n = "c"
"""


def test_a_notation_of_ones_own(tmp_path: Path) -> None:
    own = made(tmp_path, NG)
    cell = styled(small("gru_before")[0], own).network
    cell = build(*_kind(cell))
    text, latex = TEXT.styled(own), LATEX.styled(own)
    sizes = {"H": 2, "D": 2}
    assert [" = ".join(pair) for pair in equations(cell, text.matrix(text.notation(cell, sizes)))] == [
        "Γ_u^<t> = σ(W^(u) @ x^<t> + b_u + U_u @ c^<t-1>)",
        "Γ_r^<t> = σ(W^(r) @ x^<t> + b_r + U_r @ c^<t-1>)",
        "c_tilde^<t> = tanh(W^(c) @ x^<t> + b_c + U_c @ (Γ_r^<t> * c^<t-1>))",
        "c^<t> = (1 - Γ_u^<t>) * c^<t-1> + Γ_u^<t> * c_tilde^<t>",
    ]
    (_, state) = equations(cell, latex.matrix(latex.notation(cell, sizes)))[-1]
    now, before = r"^{\langle t\rangle}", r"^{\langle t-1\rangle}"
    gate, kept, new = rf"\boldsymbol{{\Gamma}}_{{u}}{now}", rf"\mathbf{{c}}{before}", rf"\tilde{{\mathbf{{c}}}}{now}"
    assert state == rf"(1 - {gate}) \ast {kept} + {gate} \ast {new}"


def test_decimal_comma_everywhere(tmp_path: Path) -> None:
    own = made(tmp_path, 'decimal = ","')
    options = {"activation": "gelu", "recurrent_activation": "hard_sigmoid"}
    for net, x in (small("gru"), (network(2, [("gru", 1, options)], 1), sequence(2, 3, 1)), small("simple", 1, 1, 1)):
        e = replace(explain(net, x), style=own)
        for kind in ("txt", "md", "tex"):
            text = str(documents(e)[kind])
            body = text[text.index("worked out by hand") :]
            body = re.sub(r"\\begin\{tikzpicture\}.*?\\end\{tikzpicture\}|<svg.*?</svg>", "", body, flags=re.DOTALL)
            body = re.sub(r"\\[a-z]+\{-?\d*\.\d+[a-z]*\}|\d\.\d+(?:pt|em|ex|\\\w+)", "", body)
            assert not re.findall(r"\S*\d\.\d\S*", body), kind
            assert re.search(r"\d(?:,|\{,\})\d", body)
    form = TEXT.styled(own).syntax()
    assert form.function("max", "0", "a") == "max(0; a)"
    assert LATEX.styled(own).number("1.5e-08") == r"1{,}5\cdot 10^{-8}"


REFUSED = {
    "raw LaTeX": '[symbols]\nz = "\\\\input{/etc/passwd}"',
    "a command": '[symbols]\nz = "\\\\write18"',
    "a dollar": '[symbols]\nz = "$z$"',
    "HTML": '[symbols]\nz = "<script>"',
    "a quote": "[symbols]\nz = 'z\"'",
    "a backtick": '[symbols]\nz = "`z`"',
    "a digit": '[symbols]\nz = "z_1"',
    "a control character": '[symbols]\nz = "z\\u0001"',
    "a newline": '[symbols]\nz = "z\\nz"',
    "the time's placeholder": '[symbols]\nz = "\\u0002"',
    "a word": '[symbols]\nz = "update"',
    "an open brace": '[symbols]\nz = "z_{a"',
    "too many braces": '[symbols]\nz = "z_{{a}}"',
    "nothing": '[symbols]\nz = ""',
    "no letter": '[symbols]\nz = "_a"',
    "twice below": '[symbols]\nz = "z_a_b"',
    "very long": f'[symbols]\nz = "{"z" * 5000}"',
    "sigma": '[symbols]\nz = "\\\\sigma"',
    "Euler": '[symbols]\nz = "e"',
    "an index": '[symbols]\nz = "i"',
    "a number": "[symbols]\nz = 1",
    "an unknown quantity": '[symbols]\nq = "z"',
    "a weight without its gate": '[symbols]\nW = "V"',
    "a gate where none is": '[symbols]\nz = "z_*"',
    "two alike": '[symbols]\nz = "r"',
    "two weights alike": '[symbols]\nU = "W_*"',
    "alike in plain text": '[symbols]\nz = "h_{hat}"\nn = "\\\\hat h"',
    "an unknown subscript": '[subscripts]\nq = "z"',
    "an unknown key": 'colour = "red"',
    "an unknown table": "[fonts]\na = 1",
    "a time": 'time = "h(t)"',
    "a product": 'product = "\\\\odot"',
    "vectors": 'vectors = "diagonal"',
    "a decimal sign": 'decimal = "<"',
    "an update": "update = true",
    "a reset": 'reset = ["before"]',
    "a gate": 'gates = ["z", "\\\\z"]',
    "gates twice": 'gates = ["z", "z"]',
    "gates as a text": 'gates = "zrn"',
    "a title": 'title = "\\\\input{x}"',
    "a title in HTML": 'title = "<b>"',
    "a long title": f'title = "{"a" * 99}"',
    "no TOML": "z = ",
    "not UTF-8": b"title = '\xff'",
    "too large": "#" * 100_000,
    "nested": "a = " + "[" * 50_000,
    "a table in place of symbols": "symbols = 1",
    "many symbols": "[symbols]\n" + "\n".join(f'q{"a" * k} = "z"' for k in range(300)),
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(text: str | bytes, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UnusableInput) as refused:
        read_style(path)
    said = str(refused.value)
    assert said.startswith(f"{path}: ") and "\n" not in said and len(said) < 600 + len(str(path)) and said.isprintable()


def test_unreadable_files_and_unknown_names(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.toml"):
        with pytest.raises(UnusableInput, match="cannot be read"):
            read_style(path)
    with pytest.raises(UnusableInput, match="known are keras, cho, d2l, pytorch, wikipedia"):
        style("../keras")


def test_named_styles_are_such_files() -> None:
    assert named() == ALL
    for name in named():
        assert read_style(ROOT / "symgru" / "styles" / f"{name}.toml").title == style(name).title
        check(style(name), name)
    assert style("PyTorch") is style("pytorch")


def test_gates_in_the_styles_order() -> None:
    assert style("pytorch").order(["W_z", "W_r", "W_n", "W_f"], lambda s: s[2:]) == ["W_r", "W_z", "W_n", "W_f"]


def test_options() -> None:
    @click.command()
    @styling.options
    def command(**given: object) -> None:
        found = styling.chosen(**given)
        click.echo(found.title if found else "none")

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(command, words)
        return done.exit_code, done.output

    assert {name.lower() for name in re.findall(r"\w+", styling.NAMES)} - {"or"} == set(named())
    assert run() == (0, "none\n")
    assert run("--style", "d2l") == (0, "d2l\n")
    assert run("--notation", str(ROOT / "symgru" / "styles" / "cho.toml")) == (0, "Cho et al. 2014\n")
    assert run("--style", "d2l", "--notation", "a.toml")[0] == 2


def test_the_file_in_the_documentation(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "notation.md").read_text(encoding="utf-8")
    own = made(tmp_path, re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1])
    cell = build("gru_before", {})
    form = LATEX.styled(own)
    shown = dict(equations(cell, form.unit(form.notation(cell, {"H": 1, "D": 1}))))
    time, before = r"^{\langle t\rangle}", r"^{\langle t-1\rangle}"
    assert shown[rf"\tilde{{c}}{time}"] == rf"\tanh(V\,x{time} + b_{{c}} + W_{{cc}}\,(\Gamma_{{r}}{time}\,c{before}))"
