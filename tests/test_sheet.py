"""The worked example as a spreadsheet: LibreOffice works it out again, as it is and with other numbers in it."""

from __future__ import annotations

import re
import sys
import zipfile
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from symgru.activations import table
from symgru.backends.xlsx import explanation_bytes, ties, without_ties, write_explanation
from symgru.backends.xlsx.ties import is_near_tie
from symgru.certified import exact
from symgru.errors import MissingTool, UnusableInput
from symgru.explanation import Explanation, explain
from symgru.network import Network, Tensor
from symgru.readers import read
from symgru.rounding import Rounding, line_rounding
from symgru.styles import style
from symgru.working import shown, work_out
from tests.conftest import ROOT, need_package
from tests.documents.conftest import network, sequence, typed
from tests.graphs import Graph
from tests.office import changed, computed_rows, formulas, recalculated, values
from tests.test_explanation_graphs import given, masked_and_reversed

SEED_X = Tensor.of(np.array([[[1.0], [2], [9], [8]]]))
FUNCTIONS = {  # of Excel and LibreOffice both, none newer than Excel 2007
    *"ABS AND ATANH AVERAGE CHOOSE ERF EXP IF INDEX ISNUMBER LARGE".split(),
    *"LN LOOKUP MAX MIN OR ROUND SQRT SUM SUMPRODUCT TANH".split(),
}
KINDS = ["gru", "gru_new", "gru_before", "cho", "fully_gated", "type3", "mgu", "mgu3", "mgu_after", "ligru", "simple"]


def text(*numbers: str) -> Tensor:
    """A sequence of one feature as somebody typed it."""
    return Tensor(np.array([[[float(n)] for n in numbers]]), np.array([[[n] for n in numbers]], dtype=object))


@dataclass(frozen=True)
class Case:
    """A worked example, and other numbers to put into it: inputs by the name of their range, and one weight."""

    network: Network
    x: tuple[Tensor, ...]
    other: tuple[Tensor, ...]
    weight: tuple[str, str, str] | None = None  # layer, parameter, name of its range
    explained: list[Explanation] = field(default_factory=list)

    @property
    def e(self) -> Explanation:
        if not self.explained:
            self.explained.append(without_ties(explain(self.network, self.x)))
        return self.explained[0]

    def changed_network(self) -> Network:
        if self.weight is None:
            return self.network
        layer, name, _ = self.weight
        own = self.network.layers[layer]
        numbers = Tensor.of(typed(np.random.default_rng(99), *own.weights[name].value.shape, decimals=4).value)
        layers = {**self.network.layers, layer: replace(own, weights={**own.weights, name: numbers})}
        return replace(self.network, layers=layers)

    def changes(self) -> dict[str, list[list[float]]]:
        names = ["x"] if len(self.other) == 1 else [put.id for put in self.network.inputs]
        found = {
            name: [[float(v) for v in row] for row in rows(tensor.text, put.whole)]
            for name, put, tensor in zip(names, self.network.inputs, self.other, strict=True)
        }
        if self.weight is not None:
            layer, name, called = self.weight
            new = self.changed_network().layers[layer].weights[name].text
            found[called] = [[float(v) for v in row] for row in np.atleast_2d(new.T)]
        return found


def load_workbook(place: Path):
    return need_package("openpyxl").load_workbook(place)


def rows(texts: np.ndarray, whole: bool) -> np.ndarray:
    """An input's numbers as its table in the sheet has them."""
    return texts.reshape(-1, 1) if whole else texts.reshape(-1, texts.shape[-1])


def whole(*numbers: int) -> Tensor:
    return Tensor(np.array([numbers]), np.array([[str(n) for n in numbers]], dtype=object))


def unusual(g: Graph) -> Network:
    """Layers without lines of their own: normalisations, sums, pools and windows around two GRUs."""
    hidden = g.gru(g.input("x", None, 2), 2, sequences=True)
    normal = g.add("layer_normalization", hidden, eps=0.001)
    pooled = g.add("max_pool", g.add("add", normal, hidden), size=2, stride=1)
    dense = g.add("dense", g.add("window", pooled, size=2), units=2, activation="softplus")
    scaled = g.add("unit_normalization", g.add("mean_pool", dense, size=2, stride=1), eps=1e-12)
    return g.network(g.gru(scaled, 2), g.add("global_max", dense))


def folded(g: Graph) -> Network:
    """A GRU on each of several sequences, then one over what they give."""
    x = g.input("x", None, 4, 2)
    inner = g.gru(g.add("fold", x), 2)
    return g.network(g.gru(g.add("unfold", inner, x), 2))


def of_a_length(g: Graph) -> Network:
    """A sequence that is turned round up to its length, and masked after it."""
    x, n = g.input("x", None, 2), g.input("n", 1, whole=True)
    mask = g.add("until", x, n)
    y = g.add("gru", g.add("flip_until", x, n), units=2, mask=mask, return_sequences=True)
    return g.network(g.add("global_mean", y, mask), g.add("erase", y, mask))


def moved(g: Graph) -> Network:
    """Values that are moved, repeated and cut."""
    y = g.gru(g.input("x", None, 2), 2, sequences=True)
    cut = g.add("crop", g.add("pad", y, before=1, after=2), before=1, after=0)
    twice = g.add("upsample", cut, n=2)
    last = g.add("last", g.add("multiply", g.add("slice", twice, start=0, stop=1), twice))
    return g.network(g.gru(g.add("repeat", last, n=3), 2), g.add("flatten", y))


def with_masks(g: Graph) -> Network:
    """A mask made of other masks."""
    x = g.input("x", None, 2)
    seen = g.add("not_equal", x, value=0.0)
    both = g.add("both", seen, g.add("started", seen))
    either = g.add("either", both, g.add("any", g.add("differs", x, value=0.0)))
    return g.network(g.add("blank", g.add("gru", x, units=2, mask=either, return_sequences=True), either))


def normalised(g: Graph) -> Network:
    """Layers with parameters that are no kernels, and axes exchanged."""
    y = g.gru(g.input("x", None, 2), 2, sequences=True)
    scaled = g.add("rms_normalization", g.add("batch_normalization", y, eps=1e-3), eps=1e-5)
    turned = g.add("permute", g.add("parametric", scaled), axes=[2, 1])
    return g.network(g.add("take", turned, axis=1, index=0), g.add("part", turned, axis=1, start=1, stop=3))


def numbers(seed: int, *shape: int) -> Tensor:
    return typed(np.random.default_rng(seed), *shape, decimals=3, scale=1.0)


MASKED = [np.array([[[0, 0], [1, 0.5], [0, 0.0], [2, 0]]]), np.array([[[0, 0.5], [0, 0.0], [0, 0.0], [-1, 0]]])]
GRAPHS = {
    "unusual": (unusual, (sequence(5, 5, 2),), (sequence(50, 5, 2),)),
    "folded": (folded, (numbers(1, 1, 3, 4, 2),), (numbers(2, 1, 3, 4, 2),)),
    "of_a_length": (of_a_length, (sequence(6, 4, 2), whole(3)), (sequence(60, 4, 2), whole(2))),
    "moved": (moved, (sequence(7, 4, 2),), (sequence(70, 4, 2),)),
    "with_masks": (with_masks, (Tensor.of(MASKED[0]),), (Tensor.of(MASKED[1]),)),
    "normalised": (normalised, (sequence(8, 4, 2),), (sequence(80, 4, 2),)),
}


def side_by_side(layers: list[dict], features: int) -> Network:
    """Layers of two and of six units that read one input; each is an output."""
    g = Graph(seed=11)
    x = g.input("x", None, features)
    return g.network(*(g.gru(x, 6 if k % 3 == 1 else 2, **own) for k, own in enumerate(layers)))


def cases() -> dict[str, Case]:
    seed = read(ROOT / "examples" / "seed.json")
    brackets = read(ROOT / "examples" / "brackets.keras")
    found = {
        # z is tiny at the second step, and at the last the powers of e overflow
        "seed": Case(seed, (SEED_X,), (text("0.5", "20", "-3.25", "1000"),), ("gru", "b_n", "b_n")),
        "two": Case(
            network(3, [("gru", 2, {})], 2), (sequence(3, 3, 2),), (sequence(30, 3, 2),), ("layer_1", "U_r", "U_r")
        ),
        "stack": Case(
            network(4, [("gru", 3, {"return_sequences": True}), ("gru_before", 2, {}), ("dense", 2, {})], 2),
            (sequence(4, 5, 2),),
            (sequence(40, 5, 2),),
            ("layer_2", "W_n", "layer_2_W_n"),
        ),
        "brackets": Case(brackets, (whole(1, 2, 2, 1, 0, 0),), (whole(2, 1, 1, 2, 1, 0),)),
        "masked": Case(
            masked_and_reversed(),
            tuple(given()),
            (
                Tensor.of(np.array([[[0.25, 0.0], [0.0, 0.0], [1.0, -2.0]]])),
                Tensor.of(np.array([[-0.75, 1.5]])),
            ),
            ("one", "b_z", "one_b_z"),
        ),
        "kinds": Case(side_by_side([{"kind": kind} for kind in KINDS], 7), (sequence(7, 3, 7),), (sequence(8, 3, 7),)),
        **{
            f"activations_{part}": Case(
                side_by_side([{"activation": name} for name in sorted(table())[part::3]], 2),
                (sequence(part, 2, 2),),
                (sequence(part + 9, 2, 2),),
            )
            for part in range(3)
        },
        **{name: Case(build(Graph(seed=3)), x, other) for name, (build, x, other) in GRAPHS.items()},
    }
    return found


CASES = cases()


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """Every case's file as it was written."""
    folder = tmp_path_factory.mktemp("sheets")
    for name, case in CASES.items():
        write_explanation(case.e, folder / f"{name}.xlsx")
    return folder


@pytest.fixture(scope="module")
def office(files) -> dict[str, dict]:
    """Each file without its cached values, and each with other numbers, worked out in one run of LibreOffice."""
    made = []
    for name, case in CASES.items():
        place = files / f"{name}.xlsx"
        made.append(changed(place, files / f"{name}_same.xlsx", {}))
        made.append(changed(place, files / f"{name}_changed.xlsx", case.changes()))
    return recalculated(made, files / "office")


@pytest.mark.parametrize("name", CASES)
def test_the_cached_values_are_what_libreoffice_works_out(name, files, office) -> None:
    cached, found = values(files / f"{name}.xlsx"), office[f"{name}_same"]
    lines = formulas(files / f"{name}.xlsx")
    assert len(lines["Steps"]) == len(lines["Unrounded"]) > 10
    for sheet, cells in lines.items():
        for address in cells:
            was, now = cached[sheet][address], found[sheet][address]
            if sheet == "Steps":
                assert now == pytest.approx(was, rel=1e-15, abs=0), (sheet, address, cells[address])
            elif isinstance(was, str):
                assert now == was == "unchanged"
            else:
                assert now == pytest.approx(was, rel=1e-12, abs=1e-12), (sheet, address, cells[address])


@pytest.mark.parametrize("name", CASES)
def test_other_numbers_give_the_rounded_chain_and_the_exact_value(name, files, office) -> None:
    """Every line of Steps, and every result of Unrounded."""
    case, found = CASES[name], office[f"{name}_changed"]
    other = case.changed_network()
    cells = {layer.trace.call.id: shown(other.layers[layer.layer.id]) for layer in case.e.layers}
    result, layers = work_out(other, case.other, cells, case.e.decimals)
    if name not in GRAPHS:  # where more is computed than the lines of layers
        want = [
            [float(v) for v in layer.trace.columns[lhs.name].reshape(-1, units)[:, i]]
            for layer in layers
            for lhs in layer.calculator.defined
            for units in [layer.sizes[layer.calculator.dims[lhs][0]]]
            for i in range(units)
        ]
        computed = computed_rows(formulas(files / f"{name}.xlsx")["Steps"])
        got = [[found["Steps"][address] for address in row] for row in computed]
        got = got[: len(want)] if name == "masked" else got  # then the mean over time
        assert got == [pytest.approx(line, rel=1e-14, abs=0) for line in want]
    results = [float(v) for y in result.outputs for v in y.reshape(-1, y.shape[-1])[-1]]
    precise = [float(v) for y in exact(other, case.other, True, 30).outputs for v in y.reshape(-1, y.shape[-1])[-1]]
    check = found["Check"]
    assert [check[f"B{4 + k}"] for k in range(len(results))] == pytest.approx(results, rel=1e-14, abs=0)
    assert [check[f"E{4 + k}"] for k in range(len(results))] == pytest.approx(precise, rel=1e-12, abs=1e-12)
    assert check[f"D{4 + len(results)}"] == "changed"


def test_the_seed_reads_as_its_equations(files) -> None:
    steps = formulas(files / "seed.xlsx")["Steps"]
    assert steps["D6"] == "=ROUND(W_z*D5+b_z+U_z*C13+c_z,LOOKUP(ABS(W_z*D5+b_z+U_z*C13+c_z),size,places))"
    assert formulas(files / "seed.xlsx")["Unrounded"]["E13"] == "=E7*D13+(1-E7)*E12"
    cells = values(files / "seed.xlsx")["Steps"]
    assert [cells[f"A{k}"] for k in range(5, 14)] == "x_t a_z_t z_t a_r_t r_t u_n_t a_n_t n_t h_t".split()
    assert cells["B13"] == "z_t·h_(t-1) + (1 - z_t)·n_t"
    table_ = [[cells[f"{column}{row}"] for row in (7, 9, 12, 13)] for column in "DEFG"]
    assert table_ == [  # facts/mistakes.md to 7 decimals
        [0.2870937, 0.7393364, -0.0440205, -0.0313825],
        [0.1386357, 0.8866389, -0.0980038, -0.0887677],
        [0.0002726, 0.9999089, -0.4045241, -0.404438],
        [0.0006269, 0.9996568, -0.462832, -0.4627954],
    ]


def test_only_functions_that_every_spreadsheet_has(files) -> None:
    for name in CASES:
        for cells in formulas(files / f"{name}.xlsx").values():
            for formula in cells.values():
                assert set(re.findall(r"([A-Z]+)\(", formula)) <= FUNCTIONS, formula


def test_numbers_are_written_as_typed(files) -> None:
    cached = values(files / "seed.xlsx")
    own = [v for v in cached["Weights"].values() if isinstance(v, float)]
    assert [v for v in own if v] == [-0.90954137, 1.0425225, -0.04404902, 0.24168766, 0.8981342, 0.36734456]
    long = Tensor(np.array([[[0.1]]]), np.array([["0.1000000000000000000001"]], dtype=object).reshape(1, 1, 1))
    precise = network(1, [("gru", 1, {})], 1)
    place = files / "long.xlsx"
    write_explanation(explain(precise, long), place)
    assert load_workbook(place)["Inputs"]["B5"].comment.text == "given as 0.1000000000000000000001"


def test_a_double_keeps_its_seventeen_digits(tmp_path) -> None:
    own = network(1, [("gru", 1, {})], 1)
    layer = next(iter(own.layers.values()))
    weights = {**layer.weights, "W_z": Tensor.of(np.array([[0.1 + 0.2]]))}
    place = tmp_path / "f.xlsx"
    write_explanation(
        explain(replace(own, dtype="float64", layers={layer.id: replace(layer, weights=weights)}), SEED_X), place
    )
    assert values(place)["Weights"]["B7"] == 0.1 + 0.2


def test_ties_are_found_and_avoided() -> None:
    """1.0425225 times 1 is a tie at six decimals; a spreadsheet has no such number."""
    seed = read(ROOT / "examples" / "seed.json")
    e = explain(seed, SEED_X)
    assert e.decimals == 6
    assert [(t.layer, t.line, t.step, t.unit) for t in ties(e)] == [("gru", "a_r", 1, 1)]
    other = without_ties(e)
    assert (other.decimals, other.reached, ties(other)) == (7, True, [])
    assert without_ties(other) is other


def halved(*inputs: str) -> Explanation:
    """A Dense layer of one weight, 0.5: half of an input with an odd last digit is a tie at as many decimals."""
    own = network(1, [("dense", 1, {})], 1)
    layer = next(iter(own.layers.values()))
    weights = {"W": Tensor(np.array([[0.5]]), np.array([["0.5"]], dtype=object)), "b": Tensor.of(np.zeros(1))}
    return explain(replace(own, layers={layer.id: replace(layer, weights=weights)}), text(*inputs))


def test_the_fewest_decimals_without_a_tie() -> None:
    assert without_ties(halved("0.125000001")).decimals == 6
    assert without_ties(halved("0.125001")).decimals == 7
    assert without_ties(halved("0.1250001", "0.125001")).decimals == 8


def test_a_tie_that_stays_is_said(tmp_path) -> None:
    """Where there is one at every number of decimals that may be carried."""
    e = halved("0.125001", "0.1250001", "0.12500001")
    assert (e.decimals, len(ties(e))) == (6, 1)
    assert without_ties(e) is e
    write_explanation(e, tmp_path / "f.xlsx")
    said = [v for v in values(tmp_path / "f.xlsx")["Check"].values() if "tie" in str(v)]
    assert len(said) == 1 and re.match(r"One line is a tie \(the first: .* step 1, unit 1\): a spreadsheet", said[0])


@pytest.mark.parametrize(
    ("value", "near"),
    [
        ("0.1234565", True),
        ("-0.1234565", True),
        ("0.12345650000000001", True),
        ("0.1234566", False),
        ("0.0000012345", True),  # tiny: four digits
        ("0.00000123455", False),
        ("0", False),
        ("123456.7890125", True),
        ("1e100", False),  # longer than the usual 28 digits
        ("1e9", False),
    ],
)
def test_near_ties(value, near) -> None:
    assert is_near_tie(Decimal(value), line_rounding(6)) is near


def test_the_table_of_decimals_is_the_rounding(files) -> None:
    """Half up to the decimals that the table says is `Rounding`, for numbers of every size."""
    check = values(files / "seed.xlsx")["Check"]
    first = next(k for k in range(1, 60) if check.get(f"A{k}") == "size: from") + 1
    sizes = [(check[f"A{k}"], check[f"B{k}"]) for k in range(first, first + 200) if f"A{k}" in check]
    rounding = line_rounding(7)
    rng = np.random.default_rng(0)
    for exponent in range(-60, 3):
        v = Decimal(repr(rng.uniform(1, 10))).scaleb(exponent)
        places = [p for size, p in sizes if Decimal(repr(float(size))) <= v][-1]
        assert Rounding(int(places), 1, 1)(v) == rounding(v)


HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x","y")', "=cmd|'/c calc'!A0", "{=1}", "a\x07b", "'=1"]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_from_files_are_texts(name, tmp_path) -> None:
    own = network(1, [("gru", 1, {})], 1)
    layer = next(iter(own.layers.values()))
    bad = replace(
        own, name=name, origin=name, notes=(name,), layers={layer.id: replace(layer, label=name, notes=(name,))}
    )
    place = tmp_path / "f.xlsx"
    write_explanation(explain(bad, SEED_X), place)
    shown_name = name.replace("\x07", "?")
    cells = values(place)
    assert cells["Read me"]["A1"].startswith(shown_name)
    assert shown_name in cells["Weights"]["A4"]
    own_functions = re.compile(r"=(ROUND\(|Inputs!|Steps!|Unrounded!|IF\(|SUM\(|[A-Z]\d+-|[\w*+().,/-]+$)")
    for sheet, lines in formulas(place).items():
        for address, formula in lines.items():
            assert own_functions.match(formula), (sheet, address, formula)
            assert name not in formula
    with zipfile.ZipFile(place) as archive:
        sheets = [archive.read(n) for n in archive.namelist() if n.startswith("xl/worksheets/")]
        assert not [n for n in archive.namelist() if "externalLink" in n]
        assert not [sheet for sheet in sheets if b"<hyperlink" in sheet or b"ddeLink" in sheet]


def test_ranges_are_named(files) -> None:
    names = set(load_workbook(files / "seed.xlsx").defined_names)
    want = {"W_z", "W_r", "W_n", "U_z", "U_r", "U_n", "b_z", "b_r", "b_n", "c_z", "c_r", "c_n", "x", "h_0"}
    assert names == {*want, "size", "places"}
    assert {"layer_1_W_z", "layer_2_U_n", "layer_3_W"} <= set(load_workbook(files / "stack.xlsx").defined_names)


def test_names_that_look_like_cells_are_changed(tmp_path) -> None:
    g = Graph()
    a, b = g.input("a1", None, 1), g.input("r", None, 1)
    made = g.network(g.gru(g.add("add", a, b), 1))
    place = tmp_path / "f.xlsx"
    write_explanation(explain(made, (text("1", "2"), text("3", "4"))), place)
    assert {"a1_", "r_"} <= set(load_workbook(place).defined_names)


def test_more_steps_than_a_sheet_has_columns(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("symgru.backends.xlsx.planner.COLUMNS", 6)
    e = explain(read(ROOT / "examples" / "seed.json"), SEED_X)
    with pytest.raises(
        UnusableInput, match="takes 14 rows and 7 columns; a spreadsheet has 1,048,576 and 6: give fewer"
    ):
        write_explanation(e, tmp_path / "f.xlsx")
    assert not list(tmp_path.iterdir())


def test_without_xlsxwriter(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(MissingTool, match=r'pip install "symgru\[documents\]"'):
        explanation_bytes(explain(read(ROOT / "examples" / "seed.json"), SEED_X))


def test_the_same_example_gives_the_same_bytes() -> None:
    e = explain(read(ROOT / "examples" / "seed.json"), SEED_X)
    assert explanation_bytes(e) == explanation_bytes(e)


def test_a_folder_that_is_not_there(tmp_path) -> None:
    with pytest.raises(UnusableInput, match="cannot be written"):
        write_explanation(explain(read(ROOT / "examples" / "seed.json"), SEED_X), tmp_path / "none" / "f.xlsx")


def test_the_frameworks_value_has_its_columns(tmp_path) -> None:
    def framework(network, x):
        return [np.array([[-0.46279544]], np.float32)], "=Keras 3"

    place = tmp_path / "f.xlsx"
    write_explanation(explain(read(ROOT / "examples" / "seed.json"), SEED_X, framework=framework), place)
    check = values(place)["Check"]
    assert check["J3"] == "=Keras 3"
    assert check["J4"] == -0.46279544
    assert check["K4"] == pytest.approx(-5e-8, abs=1e-8)
    assert formulas(place)["Check"]["K4"] == "=J4-I4"
    assert not any("Keras" in f for lines in formulas(place).values() for f in lines.values())


def test_an_input_of_a_milliard(tmp_path) -> None:
    e = explain(read(ROOT / "examples" / "seed.json"), text("1", "1e9", "2"))
    assert explanation_bytes(e).startswith(b"PK")


def read_me(place) -> str:
    rows = load_workbook(place)["Read me"].iter_rows(values_only=True)
    return "\n".join(str(cell) for row in rows for cell in row if cell)


def test_read_me_has_the_names_and_decimals_of_this_sheet(tmp_path) -> None:
    for name, says, title in (
        ("", "W_z, W_r, W_n", "The weights, as get_weights() gives them"),
        ("wikipedia", "W_z, W_r, W_h", "some have the other sign"),
    ):
        e = explain(read(ROOT / "examples" / "seed.json"), SEED_X, style=style(name) if name else None)
        place = tmp_path / f"o{name}.xlsx"
        write_explanation(e, place)
        text, book = read_me(place), load_workbook(place)
        assert says in text and "7 decimals here, 6 in the other documents" in text
        assert title in book["Weights"]["A1"].value
        assert set(says.split(", ")) <= set(book.defined_names)
        assert book["Check"].row_dimensions[book["Check"].max_row].hidden
