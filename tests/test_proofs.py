"""Every proof holds, every false twin is rejected and refuted, and floating-point numbers agree with both."""

import re
from dataclasses import replace

import numpy as np
import pytest
from sympy import Derivative, Rational, S, Symbol, tanh

import symgru
from symgru import proving
from symgru.activations import activation, expanded, table
from symgru.algebra import Dot, Mat, Vec, sigma
from symgru.backends import renderer
from symgru.backends.text.proofs import SPEAKER
from symgru.building import build
from symgru.cell import h, x
from symgru.cells import CELLS, Un, Wn, bn, cn
from symgru.cli import main
from symgru.domains import Float64
from symgru.errors import UnusableInput
from symgru.proofs import PROOFS, functions
from symgru.proofs.claims import Argument, Differ, Escapes, Proof, Same, SameCells, Signed, Step, Twin, one_step, put
from symgru.proofs.enclosures import Point
from symgru.proofs.equivalences import exchanged_pairs, shifted
from symgru.proofs.invariants import negative
from symgru.proofs.sentences import Formula, say
from symgru.proofs.variants import biases, gate, means, other
from symgru.rules import RULES
from tests.conftest import ROOT
from tests.documents.test_latex import compile_latex, overfull

ARGUMENTS = {name: proof.build() for name, proof in PROOFS.items()}
CLAIMS = [(name, claim) for name, made in ARGUMENTS.items() for step in made.steps for claim in step.claims]
TWINS = [(name, t) for name, made in ARGUMENTS.items() for t in made.twins]
UNITS, FEATURES = 3, 2
NEAR = 1e-10  # float64 rounding is 1e-16; what is false is apart by far more
SHOWN = 5e-6  # half a unit of the last of the six digits that are shown
every_proof = pytest.mark.parametrize("name", PROOFS)


def of_kind(pairs, kind):
    return [pytest.param(claim, id=f"{name}-{k}") for k, (name, claim) in enumerate(pairs) if isinstance(claim, kind)]


# The proofs ----------------------------------------------------------------------------------------------------------


def test_what_is_proved():
    wanted = """sigma-complement tanh-sigma sigma-derivative tanh-derivative blend update-rules reset-one-unit
        merged-biases bounded sign"""
    assert set(wanted.split()) <= set(PROOFS)
    assert all(name == proof.name for name, proof in PROOFS.items())


def test_the_rules_rest_on_proofs_that_there_are():
    named = {rule.rests_on for rule in RULES.values() if rule.rests_on}
    assert {"blend", "sigma-complement", "tanh-sigma", "merged-biases"} <= named <= set(PROOFS)


@every_proof
def test_it_holds_and_its_twins_are_refuted(name):
    (result,) = symgru.prove(name)
    assert (result.name, result.holds, bool(result), result.verdict) == (name, True, True, "")
    assert result.seconds > 0
    assert result.statement
    assert result.refuted, "where nothing is rejected, a proof may be one that accepts everything"
    for t in result.refuted:
        assert (t.rejected, t.refuted, bool(t), t.verdict) == (True, True, True, ""), t.statement
        assert t.statement != result.statement
        assert re.search(r"\d", t.evidence)
    assert PROOFS[name].holds()


@every_proof
def test_every_step_claims_something(name):
    assert ARGUMENTS[name].steps
    assert all(step.claims for step in ARGUMENTS[name].steps)


@pytest.mark.parametrize(
    "name", ["sigma-complement", "tanh-odd", "tanh-sigma", "sigma-derivative", "tanh-derivative", "blend"]
)
def test_an_equation_that_is_stated_is_claimed(name):
    stated = [piece for piece in ARGUMENTS[name].statement if isinstance(piece, Formula)]
    claimed = [piece for owner, claim in CLAIMS if owner == name for piece in claim.says]
    assert stated
    assert all(formula in claimed for formula in stated)


def test_what_the_statements_say_of_the_cells():
    """They follow the cells that there are; this is what they say of these."""
    assert [(left.name, right.name) for left, right in exchanged_pairs()] == [
        ("gru", "gru_new"),
        ("gru_before", "fully_gated"),
    ]
    cells, but = means()
    assert [name for name, cell in CELLS.items() if cell.states and cell not in cells] == ["ligru"]
    assert SPEAKER.sentence(but) == " in every recurrent cell but ligru"
    merged = [
        (claim.left.name, *map(str, claim.under))
        for owner, claim in CLAIMS
        if owner == "merged-biases"
        if isinstance(claim, SameCells)
    ]
    assert merged == [(name, *pair) for name in ("gru", "gru_new") for pair in (("b_z", "c_z"), ("b_r", "c_r"))]
    stated = SPEAKER.sentence(ARGUMENTS["update-rules"].statement)
    gates = "sigmoid, hard_sigmoid or sparse_sigmoid gates"
    assert f"one family of functions with {gates}: gru with W_z, b_z, U_z, c_z negated" in stated
    assert stated.endswith(
        "of the activations that symgru knows, this negation alone takes one rule to the other for all h_(t-1) and n_t "
        "with these, with softmax in layers of two units, and with none of the others"
    )


def test_every_activation_is_decided_for_the_update_rules():
    """With each gate activation but the named ones, the negation gives another step for one h and n."""
    steps = ARGUMENTS["update-rules"].steps
    refuted = [claim for step in steps for claim in step.claims if isinstance(claim, Differ)]
    heads = {claim.right.args[1].args[1].func for claim in refuted}  # 1 - s(a) is 1 + (-1) s(a)
    undecided = {name for name, known in table().items() if known.node(functions.a).func not in heads}
    assert undecided == {"sigmoid", "hard_sigmoid", "sparse_sigmoid"}
    gru, gru_new = next(exchanged_pairs())
    under = next(claim.under for claim in steps[1].claims)
    for name in set(table()) - {"sigmoid", "hard_sigmoid", "sparse_sigmoid"}:
        left, right = (one_step(cell.activated({sigma: activation(name)})) for cell in (gru, gru_new))
        assert Differ(put(left, under), right, Point({"h": -1}, Rational(1, 2))).holds(), name


def test_other_changes_than_the_negation():
    """Linear gates have no complement, but 1 - b_z in place of b_z takes one rule to the other."""
    (claim,) = ARGUMENTS["update-rules"].steps[-1].claims
    assert SPEAKER.sentence(claim.says) == "gru with linear gates, W_z, U_z, c_z negated, b_z → 1 - b_z is gru_new"
    assert claim.holds()


def test_each_twin_of_sign_drops_one_condition():
    """Its point violates the condition that it names and satisfies the others; no two say the same."""
    twins = ARGUMENTS["sign"].twins
    said = [SPEAKER.sentence(t.says) for t in twins]
    assert len(set(said)) == len(said)
    dropped = []
    for t, words in zip(twins, said, strict=True):
        if "without" in words:
            point = t.counterexample.point
            satisfied = {
                "U_n ≥ 0": point["U_n"] >= 0,
                "b_n ≤ 0": point["b_n"] <= 0,
                "c_n ≤ 0": point["c_n"] <= 0,
                "h_0 ≤ 0": point["h"] <= 0,
                "x_t @ W_n < 0": all(value * point["W_n"] < 0 for value in t.counterexample.xs),
            }
            (violated,) = [condition for condition, met in satisfied.items() if not met]
            assert words == f"the same without {violated}"
            dropped.append(violated)
    assert dropped == list(satisfied)
    assert SPEAKER.sentence(ARGUMENTS["sign"].statement).startswith(f"if {', '.join(dropped)} at every step, ")


@pytest.mark.parametrize("symbol", [Un, bn, cn, h, x], ids=str)
def test_a_condition_that_is_dropped_leaves_the_others(symbol):
    """What is assumed without one condition differs from what is assumed with all in that condition alone."""
    full, less = (negative(CELLS["gru"], without=name)[0] for name in (None, symbol))
    changed = [node for node in full.given if full.given[node] != less.given[node]]
    if symbol == Un:
        assert (changed, full.nonnegative, less.nonnegative) == ([], {Un}, frozenset())
    else:
        assert full.nonnegative == less.nonnegative == {Un}
        assert changed == [Dot(Wn, x, evaluate=False) if symbol == x else symbol]


def test_primes_are_explained():
    """Wherever a twin's numbers mention a primed symbol, the twin says what it is."""
    primed = 0
    for name, t in TWINS:
        found = re.findall(r"\w+'\w*", SPEAKER.sentence(t.counterexample.says))
        primed += len(found)
        says = SPEAKER.sentence(t.says)
        assert all(re.search(rf"other numbers .*{s}|another input x' and state {s}", says) for s in found), name
        argument = " ".join(SPEAKER.sentence(step.says) for step in ARGUMENTS[name].steps)
        assert not found or re.search("marked with a prime|other state h'", argument)
    assert primed >= 6


# The same with floating-point numbers --------------------------------------------------------------------------------


def evaluated(e, values):
    """`e` in float64, by nothing of symgru's: `values` has a number or array for each symbol."""
    if isinstance(e, Symbol):
        return values[e]
    if isinstance(e, Rational):
        return float(e)
    if isinstance(e, Derivative):
        (variable,) = e.variables
        slope = evaluated(e.expr, values | {variable: values[variable] + 1e-30j})
        return np.imag(slope) / 1e-30
    parts = [np.inf if arg is S.Infinity else evaluated(arg, values) for arg in e.args]
    if isinstance(e, Dot):
        return np.atleast_2d(parts[0]) @ np.broadcast_to(parts[1], (np.atleast_2d(parts[0]).shape[1],))
    known = {
        "Add": lambda *s: sum(s),
        "Mul": lambda *f: np.prod(np.broadcast_arrays(*f), axis=0),
        "Pow": lambda base, power: base**power,
        "sigma": lambda v: 1 / (1 + np.exp(-v)),
        "s": lambda v: 1 / (1 + np.exp(-v)),  # a complementary function, as good as any
        "g": np.sin,
        "tanh": np.tanh,
        "exp": np.exp,
        "Abs": np.abs,
        "clip": np.clip,
    }
    return known[type(e).__name__](*parts)


def some(symbols, seed, units=UNITS):
    """A number or array for each symbol, of the sign it is said to have."""
    rng = np.random.default_rng(seed)
    values = {}
    for s in sorted(symbols, key=str):
        shape = {"W": (units, FEATURES), "U": (units, units)}.get(s.name[0], ()) if isinstance(s, Mat) else ()
        if isinstance(s, Vec):
            shape = (FEATURES,) if s.name[0] == "x" else (units,)
        value = rng.normal(size=shape)
        values[s] = np.abs(value) if s.is_nonnegative else value
    return values


def sides(claim):
    """Both sides of an equation, for each piece."""
    same = claim.steps if isinstance(claim, SameCells) else claim
    one = isinstance(claim, SameCells) and claim.one_unit
    for k, piece in enumerate(same.pieces):
        left, right = put(expanded(same.left), {}), expanded(same.right)
        symbols = left.free_symbols | right.free_symbols | {s for e in piece.values() for s in e.free_symbols}
        values = some(symbols, k, 1 if one else UNITS)
        values |= {s: evaluated(e, values) for s, e in piece.items()}
        yield evaluated(left, values), evaluated(right, values)


@pytest.mark.parametrize("claim", of_kind(CLAIMS, Same | SameCells))
def test_what_is_proved_equal_has_equal_numbers(claim):
    for left, right in sides(claim):
        assert np.abs(np.subtract(left, right)).max() < NEAR


@pytest.mark.parametrize("claim", of_kind(CLAIMS, Signed))
def test_what_is_proved_signed_has_that_sign(claim):
    e = put(claim.e, claim.given)
    holds = {">": np.greater, ">=": np.greater_equal, "<": np.less, "<=": np.less_equal}[claim.relation]
    for seed in range(5):
        values = some(e.free_symbols, seed)
        values |= {s: np.abs(values[s]) for s in claim.nonnegative}
        assert holds(np.real(evaluated(e, values)), 0).all()


@pytest.mark.parametrize("claim", of_kind(CLAIMS, Same))
def test_intervals_do_not_refute_what_is_proved(claim):
    """Two ways to decide an equation that share nothing but the expressions: they never contradict each other."""
    for left, right in ((put(claim.left, piece), put(claim.right, piece)) for piece in claim.pieces):
        if not any(type(node) in (gate, other) for e in (left, right) for node in e.atoms(gate, other)):
            assert not Differ(left, right, Point({"h": -1}, 1)).holds()


@pytest.mark.parametrize("found", of_kind([(name, t.counterexample) for name, t in TWINS], Differ))
def test_refuting_numbers_are_right(found):
    """At the point the two sides have the numbers that are shown, in some unit."""
    symbols = found.left.free_symbols | found.right.free_symbols
    units = len(found.point["h"]) if isinstance(found.point.values.get("h"), tuple) else 1
    values = {s: given(found.point[s.name], s, units) for s in symbols}
    left, right = (np.ravel(evaluated(expanded(e), values)) for e in (found.left, found.right))
    shown = tuple(map(float, found.evidence))
    assert any(
        np.allclose(pair, shown, rtol=SHOWN, atol=1e-12) for pair in zip(*np.broadcast_arrays(left, right), strict=True)
    )
    assert abs(shown[0] - shown[1]) > 1e-4


def given(number, s, units):
    """A point's number as an array; one number stands for all elements."""
    value = np.array(number, dtype=float)
    if not isinstance(s, Vec | Mat):
        return value
    rows = (units, 1 if s.name[0] == "W" else units) if isinstance(s, Mat) else (1 if s.name[0] == "x" else units,)
    return np.broadcast_to(value, rows)


@pytest.mark.parametrize("found", of_kind([(name, t.counterexample) for name, t in TWINS], Escapes))
def test_refuting_states_are_right(found):
    """The reference run from the same start over the same inputs."""
    own = {s.name: np.full((1, 1) if isinstance(s, Mat) else 1, float(found.point[s.name])) for s in found.cell.params}
    state, domain = np.array([[float(found.point["h"])]]), Float64()
    with domain.context():
        for value in found.xs:
            state = domain.step(found.cell)(np.array([[float(value)]]), state, own)[found.cell.output.name]
    value, relation, bound = found.evidence
    assert state.item() == pytest.approx(float(value), rel=SHOWN)
    low, high = sorted((state.item(), float(found.bound)))
    assert {"<": low == found.bound, "<=": low == found.bound and high > low}[relation]
    assert float(bound) == found.bound


def test_only_these_biases_merge():
    """Decided once more, for every two biases of every cell, by float64 numbers."""
    found = set()
    for name, cell in CELLS.items():
        own = biases(cell)
        for k, b in enumerate(own):
            for c in own[k + 1 :]:
                left, right = next(sides(shifted(cell, b, c)))
                if np.abs(left - right).max() < NEAR:
                    found.add((name, b.name, c.name))
    assert found == {(name, f"b_{g}", f"c_{g}") for name in ("gru", "gru_new") for g in "zr"}


# What is changed is rejected -----------------------------------------------------------------------------------------

CHANGED = [
    (name, replace(claim, under={s: e for s, e in claim.under.items() if s != left_out}, complementary=frozenset()))
    for name, claim in CLAIMS
    if isinstance(claim, SameCells)
    for left_out in claim.under
]


@pytest.mark.parametrize("claim", of_kind(CHANGED, SameCells))
def test_a_parameter_that_is_left_alone_is_caught(claim):
    """One step of a rewriting forgotten: the proof must fail, and the numbers must differ."""
    assert not claim.holds()
    cells = (cell.activated({gate: sigma, other: tanh}) for cell in (claim.left, claim.right))
    left, right = next(sides(SameCells(*cells, claim.under, claim.one_unit)))
    assert np.abs(left - right).max() > 1e-6


def test_there_are_many_such_changes():
    assert len(CHANGED) > 40


def test_a_proof_needs_its_lemma():
    """The update rules with any activation of the gates, and nothing known of it."""
    claim = next(claim for owner, claim in CLAIMS if owner == "update-rules" and isinstance(claim, SameCells))
    assert claim.holds()
    assert not replace(claim, complementary=frozenset()).holds()


@pytest.mark.parametrize("name", [name for name, cell in CELLS.items() if cell.states])
def test_no_cell_is_another(name):
    """But for cells that are: the same equations, and the same without biases."""
    for right in CELLS.values():
        if right.states and right.name != name:
            assert not SameCells(CELLS[name], right).holds()
    assert SameCells(CELLS[name], CELLS[name]).holds()
    assert not SameCells(CELLS[name], build(name, {"activation": "softsign"})).holds()


# The seed's question -------------------------------------------------------------------------------------------------


def test_the_seed_meets_the_conditions_of_sign(seed_network, seed_input):
    """docs/proofs.md says that no state of this network is positive."""
    (layer,) = seed_network.layers.values()
    weights = {name: tensor.value for name, tensor in layer.weights.items()}
    assert weights["W_n"].item() < 0 < weights["U_n"].item()
    assert not any(weights[name].any() for name in weights if name[0] in "bc")
    assert (seed_input.value > 0).all()
    for rule in ("gru", "gru_new"):
        cell, domain, state = CELLS[rule], Float64(), np.zeros((1, 1))
        with domain.context():
            for value in seed_input.value[0]:
                state = domain.step(cell)(value[None], state, weights)["h1"]
                assert state.item() < 0


# Python's face -------------------------------------------------------------------------------------------------------


def test_prove_gives_all_in_order():
    results = symgru.prove()
    assert [result.name for result in results] == list(PROOFS)
    assert all(results)
    assert sum(result.seconds for result in results) > 0
    assert repr(results[0]) == "<sigma-complement: σ(-a) = 1 - σ(a); proved>"
    first = results[0].refuted[0]
    assert (first.statement, first.evidence) == ("σ(-a) = -σ(a)", "a = 1: 0.268941 ≠ -0.731059")


def test_an_unknown_name_is_refused():
    for name in ("theorem", "", 3):
        with pytest.raises(UnusableInput, match=r"no proof is called .*; there are sigma-complement, .*sign$"):
            symgru.prove(name)


@pytest.mark.parametrize(("ending", "start"), [(".tex", "% Made by"), (".md", "<!-- Made by"), (".txt", "# Made by")])
def test_results_save_as_documents(ending, start, tmp_path):
    results = symgru.prove("blend")
    place = results.save(tmp_path / f"p{ending}")
    assert place.read_text(encoding="utf-8").startswith(start)
    assert str(results).startswith("blend\n─────\n  z·h + (1 - z)·n = n + z·(h - n).\n")
    assert "## blend" in results._repr_markdown_()


FALSE = Same(sigma(functions.a, evaluate=False), tanh(functions.a, evaluate=False))
TRUE = functions.BLEND


def proof(claim, twin_claim, point):
    made = Argument(
        claim.says,
        (Step(say("So it is:"), (claim,)),),
        (Twin(twin_claim.says, (twin_claim,), Differ(twin_claim.left, twin_claim.right, point)),),
    )
    return {"made-up": Proof("made-up", lambda: made)}


MADE_UP = {
    "a false statement": (proof(FALSE, FALSE, Point({"a": 1})), "FAILED", "NOT PROVED"),
    "a true twin": (proof(TRUE, TRUE, Point(others=1)), "NOT REFUTED", "NOT REFUTED"),
    "a point that tells nothing": (
        proof(TRUE, replace(TRUE, right=functions.h), Point(others=1)),
        "NOT REFUTED",
        "NOT REFUTED",
    ),
}


@pytest.mark.parametrize("case", MADE_UP)
def test_a_failure_is_said_everywhere(case, monkeypatch, capsys):
    proofs, row, verdict = MADE_UP[case]
    monkeypatch.setattr(proving, "PROOFS", proofs)
    results = symgru.prove()
    assert not all(results)
    for ending in (".tex", ".md", ".txt"):
        assert verdict in "".join(symgru.proving.Document(results).pieces(ending))
    for args in (["prove"], ["prove", "made-up"]):
        with pytest.raises(SystemExit) as ended:
            main(args)
        assert ended.value.code == 1
        assert (row if len(args) == 1 else verdict) in capsys.readouterr().out


# Command line --------------------------------------------------------------------------------------------------------


@pytest.fixture
def prove(capsys, monkeypatch, tmp_path):
    """Run `symgru prove` in an empty folder: (exit status, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)

    def run(*args):
        with pytest.raises(SystemExit) as ended:
            main(["prove", *args])
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run


def test_the_table_names_and_times_every_proof(prove):
    status, out, err = prove()
    assert (status, err) == (0, "")
    rows = re.findall(r"^(\S+) +proved +\d+ ms  \S", out, re.MULTILINE)
    assert rows == list(PROOFS)
    twins = len(re.findall(r"^ {17}false {11}\S", out, re.MULTILINE))
    assert twins == len(TWINS)
    last = out.splitlines()[-1]
    assert re.fullmatch(rf"{len(PROOFS)} statements proved, {twins} false twins refuted, in \d+\.\d\d s", last)
    assert max(map(len, out.splitlines())) <= 100


@every_proof
def test_one_is_shown_with_its_argument(name, prove):
    status, out, err = prove(name)
    assert (status, err) == (0, "")
    assert out.startswith(f"{name}\n{'─' * len(name)}\n")
    assert out.count("\n  - ") == len(ARGUMENTS[name].twins)
    for k in range(len(ARGUMENTS[name].steps)):
        assert f"\n  {k + 1}. " in out
    assert max(map(len, out.splitlines())) <= 100


def test_an_unknown_name_is_one_line(prove):
    status, out, err = prove("theorem")
    assert (status, out) == (2, "")
    assert re.fullmatch(r"symgru: no proof is called 'theorem'; there are .*\n", err)


def test_an_unknown_ending_writes_nothing(prove, tmp_path):
    for args in (["blend"], []):
        status, out, err = prove(*args, "-o", "p.docx")
        assert (status, out) == (2, "")
        assert err.startswith("symgru: .docx")
        assert not list(tmp_path.iterdir())


def test_a_file_has_the_arguments(prove, tmp_path):
    status, out, err = prove("-o", "p.txt")
    assert (status, err) == (0, "wrote p.txt\n")
    assert len(out.splitlines()) == 1
    written = (tmp_path / "p.txt").read_text(encoding="utf-8")
    assert all(f"\n{name}\n{'─' * len(name)}\n" in written for name in PROOFS)


def test_a_terminal_without_unicode(prove, monkeypatch):
    monkeypatch.setattr("symgru.cli.output.plain_ascii", lambda: True)
    monkeypatch.setattr("symgru.cli.documents.plain_ascii", lambda: True)
    for args in ([], ["bounded"], ["tanh-derivative"]):
        out = prove(*args)[1]
        assert out.isascii()
        assert "?" not in out
    assert "tanh(a)^2" in out


# Documents -----------------------------------------------------------------------------------------------------------


def test_words_need_no_escaping():
    """The same words stand in LaTeX, Markdown and text."""

    def words(sentence):
        return [piece for piece in sentence if isinstance(piece, str)]

    for made in ARGUMENTS.values():
        said = [made.statement, *(step.says for step in made.steps), *(t.says for t in made.twins)]
        said += [t.counterexample.says for t in made.twins]
        said += [claim.says for step in made.steps for claim in step.claims]
        for text_ in (w for sentence in said for w in words(sentence)):
            assert re.fullmatch(r"[A-Za-z0-9 ,.;:()'-]*", text_), text_


def test_the_latex_compiles(tmp_path):
    source = "".join(renderer("latex", "proofs")(symgru.prove()))
    assert overfull(compile_latex(source, tmp_path)) == []
    for name in PROOFS:
        assert rf"\section{{{name}}}" in source
    assert r"\sigma(-a) &= 1 - \sigma(a)" in source
    assert r"\texttt{gru\_before}" in source


def test_the_markdown_has_every_part():
    source = "".join(renderer("markdown", "proofs")(symgru.prove()))
    assert re.findall(r"^## (.*)$", source, re.MULTILINE) == list(PROOFS)
    assert "`gru_before`" in source
    assert source.count("$$") % 2 == 0
    assert r"$\lvert \mathbf{h}_{t}\rvert \le M$" in source


def test_numbers_of_one_formula_are_printed_by_every_format():
    results = symgru.prove("bounded")
    for render in (renderer("latex", "proofs"), renderer("markdown", "proofs"), renderer("text", "proofs")):
        assert "4.76287" in "".join(render(results))


def test_the_page_names_every_proof():
    page = (ROOT / "docs" / "proofs.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| ([a-z-]+) \|", page, re.MULTILINE) == ["name", *PROOFS]


def test_the_pages_example_runs(tmp_path, monkeypatch, capsys):
    page = (ROOT / "docs" / "proofs.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "docs/proofs.md", "exec"), {})
    assert "  false: σ(-a) = -σ(a) since a = 1: " in capsys.readouterr().out
    assert (tmp_path / "proofs.md").exists()
