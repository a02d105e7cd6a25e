"""The cells side by side: every fact against what the papers and frameworks say, and the three documents."""

import pytest
from sympy import Symbol, evaluate

import symgru
from symgru.algebra import Mat
from symgru.backends import latex, markdown, text
from symgru.cell import h, x
from symgru.cells import CELLS, Wn, n, r, z
from symgru.comparison import FAMILIES, FRAMEWORKS, OPERATIONS, Profile, compare
from symgru.errors import UnusableInput
from symgru.rules import CALCULATOR
from symgru.unroll import unroll
from tests.documents.test_latex import compile_latex, overfull

# From the sources that cells.py names, by hand. Gate: what it reads (x input, h state, b and c a bias on either side);
# where the reset gate acts; how much of what the update gate counts; the numbers of D = 5 features and H = 7 units.
SAID = {
    "gru": ("full", {"z": "xhbc", "r": "xhbc"}, "after", "keep", 3 * (35 + 49 + 14)),
    "gru_new": ("full", {"z": "xhbc", "r": "xhbc"}, "after", "new", 3 * (35 + 49 + 14)),
    "gru_before": ("full", {"z": "xhb", "r": "xhb"}, "before", "keep", 3 * (35 + 49 + 7)),
    "cho": ("full", {"z": "xh", "r": "xh"}, "before", "keep", 3 * (35 + 49)),
    "fully_gated": ("full", {"z": "xhb", "r": "xhb"}, "before", "new", 3 * (35 + 49 + 7)),
    "type1": ("reduced", {"z": "hb", "r": "hb"}, "before", "new", 3 * (35 + 49 + 7) - 2 * 35),
    "type2": ("reduced", {"z": "h", "r": "h"}, "before", "new", 3 * (35 + 49 + 7) - 2 * (35 + 7)),
    "type3": ("reduced", {"z": "b", "r": "b"}, "before", "new", 3 * (35 + 49 + 7) - 2 * (35 + 49)),
    "mgu": ("minimal", {"f": "xhb"}, "before", "new", 2 * (35 + 49 + 7)),
    "mgu1": ("minimal", {"f": "hb"}, "before", "new", 2 * (35 + 49 + 7) - 35),
    "mgu2": ("minimal", {"f": "h"}, "before", "new", 2 * (35 + 49 + 7) - 35 - 7),
    "mgu3": ("minimal", {"f": "b"}, "before", "new", 2 * (35 + 49 + 7) - 35 - 49),
    "mgu_after": ("minimal", {"f": "xhb"}, "after", "keep", 2 * (35 + 49 + 7) + 7),
    "ligru": ("light", {"z": "xhb"}, None, "keep", 2 * (35 + 49 + 7)),
    "simple": ("simple", {}, None, None, 35 + 49 + 7),
    "dense": ("stateless", {}, None, None, 35 + 7),
}
SIZES = {"D": 5, "H": 7}
BACKENDS = {"tex": latex, "md": markdown, "txt": text}
every_cell = pytest.mark.parametrize("name", CELLS)


def at(formula, sizes=SIZES):
    return formula.subs({Symbol(letter): size for letter, size in sizes.items()})


def document(ending):
    whole = BACKENDS[ending].render_comparison(compare())
    return whole if isinstance(whole, str) else "".join(whole)


def test_every_cell_is_compared():
    assert [p.cell.name for p in compare().profiles] == list(CELLS) == list(SAID)
    assert list(compare().families) == list(FAMILIES)
    assert set(FRAMEWORKS) <= set(CELLS)


@every_cell
def test_facts(name):
    family, gates, acts, rule, parameters = SAID[name]
    profile = next(p for p in compare().profiles if p.cell.name == name)
    assert profile.family == family
    assert {str(g): "".join(s.name[0] for s in profile.reads(g)) for g in profile.gates} == gates
    assert (profile.reset and profile.reset.acts) == acts
    assert (profile.update and profile.update.rule) == rule
    assert at(profile.parameters) == parameters
    if profile.update:
        assert str(profile.update.candidate) == "n"
        assert str(profile.update.gate) == next(iter(gates))
    if profile.reset:
        assert str(profile.reset.matrix) == "U_n"
        assert str(profile.reset.gate) == list(gates)[-1]


@pytest.mark.parametrize(
    ("name", "layer", "options"),
    [
        ("gru", "GRU", {}),
        ("gru_before", "GRU", {"reset_after": False}),
        ("cho", "GRU", {"reset_after": False, "use_bias": False}),
        ("simple", "SimpleRNN", {}),
        ("dense", "Dense", {}),
    ],
)
def test_parameters_as_keras_counts_them(name, layer, options):
    import keras

    built = getattr(keras.layers, layer)(SIZES["H"], **options)
    built.build((None, 3, SIZES["D"]))
    assert at(Profile(CELLS[name]).parameters) == built.count_params()


@every_cell
@pytest.mark.parametrize("sizes", [{"D": 1, "H": 1}, {"D": 2, "H": 3}, {"D": 4, "H": 2}], ids=str)
def test_operations_are_those_of_the_unrolled_step(name, sizes):
    """Counted in scalar assignments, where what a product reads has a line of its own."""
    (profile,) = (p for p in compare().profiles if p.cell.name == name)
    counted = unroll(CALCULATOR(profile.cell), sizes, 1).operations()
    assert {kind: at(profile.operations[kind], sizes) for kind in OPERATIONS} == {k: counted[k] for k in OPERATIONS}


# Facts follow the equations ------------------------------------------------------------------------------------------


def changed(name, **lines):
    """A cell with other right-hand sides."""
    cell = CELLS[name]
    return Profile(cell.with_equations(tuple((lhs, lines.get(lhs.name, rhs)) for lhs, rhs in cell.equations)))


def test_an_exchanged_update_rule_is_seen():
    with evaluate(False):
        keep, new, other_order = z * h + (1 - z) * n, (1 - z) * h + z * n, n * z + h * (1 - z)
        neither, of_two_gates, thrice = h + z * n, z * h + (1 - r) * n, z * h * x + (1 - z) * n
    assert changed("gru", h1=new).update == Profile(CELLS["gru_new"]).update
    assert changed("gru", h1=other_order).update.rule == "new"
    assert changed("gru_new", h1=keep).update == Profile(CELLS["gru"]).update
    for blend in (neither, of_two_gates, thrice, z * h, h):
        assert changed("gru", h1=blend).update is None


def test_a_moved_reset_gate_is_seen():
    before, after = (dict(CELLS[name].equations)[n] for name in ("gru_before", "gru"))
    assert changed("gru", n=before).reset.acts == "before"
    assert changed("gru_before", n=after).reset.acts == "after"
    with evaluate(False):
        of_the_input, gone = Wn @ (r * x), Wn @ x + Mat("U_n", real=True) @ h
    for candidate in (of_the_input, gone):
        assert changed("gru", n=candidate).reset is None
        assert changed("gru", n=candidate).family == "light"


def test_one_gate_that_sees_less_makes_a_reduced_cell():
    see_all, see_less = (dict(CELLS[name].equations) for name in ("cho", "type2"))
    assert changed("type2", z=see_all[z]).family == "reduced"
    assert changed("type2", z=see_all[z], r=see_all[r]).family == "full"
    assert changed("cho", r=see_less[r]).family == "reduced"


# The documents -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", BACKENDS)
def test_every_cell_is_in_every_document(ending):
    shown = document(ending)
    assert "0BSD" in shown
    for latex_only, plain in ((r"\allowbreak{}", ""), (r"\_", "_"), ("{-}", "-")):
        shown = shown.replace(latex_only, plain)
    for p in compare().profiles:
        for part in (p.cell.name, p.cell.title, p.cell.source, *p.frameworks):
            assert part in shown


def test_equations_are_those_of_the_derivation():
    shown = document("txt")
    for name in CELLS:
        recurrence = str(symgru.derive(name)).partition("\n1 ")[2].partition("\n2 ")[0].splitlines()
        for line in (line for line in recurrence if "_t = " in line):
            assert line.strip() in shown, name


def test_text_fits_the_terminal():
    lines = document("txt").splitlines()
    assert max(map(len, lines)) <= 100
    assert "".join(text.render_comparison(compare(), ascii=True)).isascii()


def test_markdown_tables_are_whole():
    tables = [line for line in document("md").splitlines() if line.startswith("|")]
    assert len(tables) == 2 * (2 + len(CELLS))
    assert {line.count("|") for line in tables} == {8, 5}


def test_latex_compiles(tmp_path):
    assert overfull(compile_latex(document("tex"), tmp_path)) == []


# How it is asked for -------------------------------------------------------------------------------------------------


def test_from_python(tmp_path):
    assert str(symgru.derive("all")) == document("txt").partition("\n\n")[2]
    assert symgru.derive("all").save(tmp_path / "cells.md").read_text(encoding="utf-8") == document("md")


@pytest.mark.parametrize(
    "given", [{"units": 2}, {"features": 3}, {"steps": 1}, {"rules": ["none"]}, {"activation": "relu"}]
)
def test_what_one_cell_takes_is_refused(given):
    with pytest.raises(UnusableInput, match=f"'all' .* takes no {next(iter(given))}"):
        symgru.derive("all", **given)


def asked(capsys, *args):
    from symgru.cli import main

    with pytest.raises(SystemExit) as ended:
        main(["derive", "--cell", "all", *args])
    return ended.value.code, *capsys.readouterr()


def test_on_the_command_line(capsys, tmp_path):
    code, out, err = asked(capsys)
    assert (code, out, err) == (0, document("txt").partition("\n\n")[2], "")
    assert asked(capsys, "-o", str(tmp_path / "cells.tex"))[0] == 0
    assert (tmp_path / "cells.tex").read_text(encoding="utf-8") == document("tex")


def test_options_of_one_cell_are_refused_in_one_line(capsys):
    for option in (["--units", "1"], ["--steps", "4"], ["--recurrent-activation", "relu"], ["--model", "m.keras"]):
        code, out, err = asked(capsys, *option)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert f"takes no {option[0]}" in err
