"""The engine of the page under Node: its lines are those of the .txt document, its doubles those of the reference."""

import html
import re
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from symgru.activations import table
from symgru.backends.js.page import engine
from symgru.backends.text import render_explanation
from symgru.building import build
from symgru.cells import CELLS
from symgru.domains import Float64
from symgru.errors import UnusableInput
from symgru.explanation import explain
from symgru.network import Tensor
from symgru.readers import printed, read_input
from symgru.readers.arrays import from_arrays
from symgru.rules import CALCULATOR
from symgru.trace import run
from tests.conftest import random_input, random_network
from tests.javascript import answers
from tests.test_js_backend import MEMBERS

WORK = """
function answer(questions) {
  return questions.map(({ cell, weights, x, ...options }) => work(CELLS[cell], weights, x, options));
}
"""


def plain(markup):
    """The text that a page's reader copies."""
    return html.unescape(re.sub("<[^>]*>", "", markup))


def texts(array):
    return np.asarray(array, dtype=object).astype(str).tolist()


def worked(explanations, folder):
    """Every layer of every explanation by the engine."""
    layers = [layer for e in explanations for layer in e.layers]
    cells = {f"cell {k}": build(layer.layer.kind, layer.layer.options) for k, layer in enumerate(layers)}
    questions = [
        {
            "cell": name,
            "weights": {p.name: texts(layer.layer.weights[p.name].text) for p in cell.params},
            "x": texts(layer.x_texts),
            "timed": layer.timed,
            "decimals": layer.rounding.decimals,
        }
        for (name, cell), layer in zip(cells.items(), layers, strict=True)
    ]
    return zip(layers, answers(engine(cells) + WORK, questions, folder), strict=True)


def written(line):
    """A line as the document has it."""
    more = f" † {line['more']}" if line["risky"] else ""
    since = f", since {plain(line['since'])}" if line["since"] else ""
    return " = ".join([*(plain(line[part]) for part in ("left", "symbols", "numbers")), line["value"] + more + since])


def squeezed(document):
    """Without blanks and line breaks: a long line goes on in the next."""
    return "".join(document.split())


def check_lines(explanations, folder):
    """Each document's worked lines, all of them in their order, and nothing between two lines of a step."""
    found = list(worked(explanations, folder))
    count = 0
    for e in explanations:
        document = squeezed("".join(render_explanation(e)))
        place = 0
        for layer in e.layers:
            _, result = found.pop(0)
            assert len(result["steps"]) == layer.steps
            for step in result["steps"]:
                whole = squeezed("".join(map(written, step["lines"])))
                assert whole in document[place:], whole
                place = document.index(whole, place) + len(whole)
                count += len(step["lines"])
    return count


def random_explanations(count, kinds, seed=0, dtype="float32"):
    rng = np.random.default_rng(seed)
    for k in range(count):
        kind = kinds[k % len(kinds)]
        sizes = rng.integers(1, 4, 3)
        scale = float(rng.choice([0.5, 1, 3]))
        network = random_network([(kind, int(sizes[0]), {})], int(sizes[1]), dtype, seed + k, scale)
        yield explain(network, random_input(network, int(sizes[2]), seed=k), int(rng.integers(2, 7)))


def test_the_seed(seed_network, seed_input, tmp_path):
    assert check_lines([explain(seed_network, seed_input, digits) for digits in range(1, 7)], tmp_path) == 6 * 32


def test_a_hundred_networks(tmp_path):
    assert check_lines(list(random_explanations(100, ["gru"])), tmp_path) > 3000


RECURRENT = [name for name, cell in CELLS.items() if cell.states]


def test_every_cell(tmp_path):
    check_lines(list(random_explanations(3 * len(RECURRENT), RECURRENT, seed=500)), tmp_path)


def test_every_activation(tmp_path):
    """Of the gates and of the candidate, with the cases that apply; of a Dense layer, for several units at once."""
    names = [*table(), *([name, *numbers] for name, numbers in MEMBERS.items())]
    found = []
    for k, name in enumerate(names):
        for spec in (
            ("gru", 1 + k % 2, {"activation": name, "recurrent_activation": name}),
            ("simple", 2, {"activation": name}),
        ):
            network = random_network([spec], 1, seed=k, scale=2)
            try:
                found.append(explain(network, random_input(network, 2, seed=k), 4))
            except UnusableInput:  # softmax of one unit, or numbers that grow too large
                continue
        head = random_network([("gru", 2, {}), ("dense", 1 + k % 3, {"activation": name})], 1, seed=k, scale=2)
        found.append(explain(head, random_input(head, 2, seed=k), 4))
    assert len(found) > 2 * len(names)
    check_lines(found, tmp_path)


def test_options_and_stacks(tmp_path):
    """A bound before an activation (a line inside a line), no biases, a second layer that reads printed numbers."""
    specs = [
        [("gru", 2, {"clip": 0.5})],
        [("gru", 2, {"use_bias": False})],
        [("gru_before", 2, {"use_bias": False})],
        [("gru", 2, {"return_sequences": True}), ("dense", 2, {}), ("gru", 1, {})],
        [("gru", 2, {"return_sequences": True}), ("dense", 2, {"activation": "relu"})],
    ]
    networks = [random_network(spec, 2, seed=k) for k, spec in enumerate(specs)]
    check_lines([explain(network, random_input(network, 3), 5) for network in networks], tmp_path)


def with_texts(network, decimals):
    """The network with its first weights typed as these decimals."""
    layer = network.layers["gru_1"]
    weights = dict(layer.weights)
    for name, typed in decimals.items():
        shape = weights[name].value.shape
        weights[name] = Tensor(np.full(shape, np.float32(float(typed))), np.full(shape, typed, dtype=object))
    return replace(network, layers={"gru_1": replace(layer, weights=weights)})


def test_ties_tiny_numbers_and_large_ones(tmp_path):
    """Exact halves are rounded away from 0; saturated gates and states below the last decimal keep four digits."""
    network = random_network([("gru", 1, {})], 1)
    zero = dict.fromkeys((p.name for p in CELLS["gru"].params), "0")
    found = []
    for texts in (
        {**zero, "W_n": "0.00000025"},
        {**zero, "W_n": "-0.0000125", "b_z": "-0.5"},
        {**zero, "W_z": "-30.5", "W_n": "2"},
        {**zero, "W_z": "-900", "W_r": "900", "W_n": "1e-30", "U_n": "3"},
        {**zero, "W_n": "1.00000005", "U_n": "1e-9"},
        {**zero, "W_n": "-1e-20", "U_z": "12345.678"},
    ):
        for digits in (1, 3, 6):
            x = Tensor(np.array([[[1.0], [-2.0], [0.5]]]), np.array([[["1"], ["-2"], ["0.5"]]], dtype=object))
            found.append(explain(with_texts(network, texts), x, digits))
    check_lines(found, tmp_path)


# The doubles, the refs, what is a page's -----------------------------------------------------------------------------


def test_doubles_are_the_reference(tmp_path):
    found = list(random_explanations(60, RECURRENT, seed=900, dtype="float64"))
    for e, (layer, result) in zip(found, worked(found, tmp_path), strict=True):
        x = Tensor(e.x.text.astype(float))  # as it is typed
        right = run(e.network, x, Float64(), rewrite={layer.trace.call.id: CALCULATOR(layer.trace.cell)})
        columns = right.traces[0].columns
        for t, step in enumerate(result["steps"]):
            mine = np.array([line["exact"] for line in step["lines"]])
            values = np.concatenate([columns[name][0, t] for name in columns])
            assert np.abs(mine - values).max() <= 1e-15 * max(1, np.abs(values).max()) * 4


def test_every_number_says_where_it_comes_from(tmp_path):
    """A number that names a line is that line's value; one that names a weight or an input is as it was given."""
    counted = 0
    for layer, result in worked(list(random_explanations(12, RECURRENT, seed=40)), tmp_path):
        values = {line["ref"]: line["value"] for step in result["steps"] for line in step["lines"]}
        for step in result["steps"]:
            for line in step["lines"]:
                assert dict([re.fullmatch(REF, line["result"]).groups()]) == {line["ref"]: line["value"]}
                symbols, numbers = (re.findall(REF, line[part]) for part in ("symbols", "numbers"))
                for ref, number in numbers:
                    name, index, t = re.fullmatch(r"(\w+)\[([\d,]+)\](?:@(\d+))?", ref).groups()
                    place = tuple(map(int, index.split(",")))
                    if ref in values:
                        assert number == values[ref]
                    elif t is None:
                        assert number == layer.layer.weights[name].text[place]
                    else:
                        assert number == ("0" if name == "h" else layer.x_texts[(int(t) - 1, *place)])
                    counted += 1
                assert {ref for ref, _ in symbols} <= {ref for ref, _ in numbers}
    assert counted > 1000


REF = r'<span data-ref="([^"]*)">(.*?)</span>'


def test_values_of_mistakes(tmp_path):
    """facts: what the seed gives when the update rule is swapped, and for each order of the gates."""
    script = """
function answer({ text, input }) {
  const { layers: [layer], notes } = readLayers(parseWeights(text));
  const x = parseInput(input, layer.features);
  const last = (cell, order) => work(cell, cutWeights(cell, layer.arrays, order), x).steps.at(-1).lines.at(-1).exact;
  const orders = ["zrn", "rzn", "rnz", "znr", "nzr", "nrz"];
  return [last(CELLS.gru_new), ...orders.map((order) => last(CELLS.gru, [...order]))];
}
"""
    found = answers(engine({name: CELLS[name] for name in ("gru", "gru_new")}) + script, SEED_PRINTED, tmp_path)
    right = [-0.02399954, -0.46279538, -0.02017149, 0.92669756, 0.99999993, -0.28607426, -0.96486597]
    assert np.round(found, 8).tolist() == right


SEED_PRINTED = {
    "text": """[array([[-0.90954137,  1.0425225 , -0.04404902]], dtype=float32),
 array([[0.24168766, 0.8981342 , 0.36734456]], dtype=float32), array([[0., 0., 0.],
       [0., 0., 0.]], dtype=float32)]""",
    "input": "1,2,9,8",
}


def test_nothing_ends_the_script_element():
    script = engine({name: build(name, {}) for name in CELLS})
    assert "</" not in script
    assert "<!--" not in script
    assert not set("\u2028\u2029") & set(script)


# What is pasted -------------------------------------------------------------------------------------------------------

READ = """
function answer(texts) {
  return texts.map((text) => {
    try {
      const { layers, notes } = readLayers(parseWeights(text));
      return { layers, weights: layers.map((layer) => cutWeights(CELLS[layer.cell], layer.arrays)), notes };
    } catch (error) {
      if (error.constructor !== Error) throw error;
      return { error: error.message };
    }
  });
}
"""
READABLE = {"gru": CELLS["gru"], "gru_before": CELLS["gru_before"], "dense": build("dense", {})}


def printed_arrays(seed, units, features, biases, head, dtype="float32"):
    """A GRU's arrays, and those of a Dense layer behind it, as NumPy prints them."""
    rng = np.random.default_rng(seed)
    shapes = [(features, 3 * units), (units, 3 * units), *biases(units), *([(units, 2), (2,)] if head else [])]
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def spellings(arrays):
    with np.printoptions(threshold=10**6, floatmode="unique"):
        yield repr(arrays)
        yield "\n".join(map(str, arrays))
        yield ">>> model.get_weights()\n" + repr(arrays).replace("array", "np.array")
        yield "Out[3]: " + repr([a.tolist() for a in arrays])
        yield "\n".join(f"<tf.Variable 'gru/kernel:0' shape={a.shape} dtype=float32, numpy=\n{a!r}>" for a in arrays)
        yield "\n".join(f"<Variable path=gru/kernel, shape={a.shape}, dtype=float32, value={a}>" for a in arrays)


def test_pasted_weights_are_those_that_python_reads(tmp_path):
    biases = lambda u: [(2, 3 * u)], lambda u: [(3 * u,)], lambda u: []
    cases = [
        (text, arrays)
        for k, (units, features, bias, head) in enumerate(product((1, 2, 5), (1, 3), biases, (False, True)))
        for arrays in [printed_arrays(k, units, features, bias, head)]
        for text in spellings(arrays)
    ]
    found = answers(engine(READABLE) + READ, [text for text, _ in cases], tmp_path)
    for (text, arrays), mine in zip(cases, found, strict=True):
        network = from_arrays(printed.parse(text), None, name="x", origin="")
        layers = network.layers.values()
        kinds = [layer.kind if layer.options.get("reset_after", True) else "gru_before" for layer in layers]
        assert [layer["cell"] for layer in mine["layers"]] == kinds, (arrays, mine)
        for layer, weights in zip(layers, mine["weights"], strict=True):
            for name, tensor in layer.weights.items():
                assert texts(tensor.text) == weights[name], name
            for name in set(weights) - set(layer.weights):
                assert set(weights[name]) == {"0"}


def test_pasted_text_that_cannot_be_used_says_what_python_says(tmp_path):
    bad = [
        "", "   ", "no weights", "[array([[1, ..., 2]])]", "[[nan]]", "array([1, 2", "array([inf])", "[1] ]",
        "array([[1, 2, 3]], shape=(1, 3), dtype=float32), foo", "1e999", "[" * 12 + "1" + "]" * 12,
        "<tf.Variable 'gru/kernel:0' shape=(1, 3) dtype=float32>", "array([[1,2,3,4]]), array([[1,2,3,4]])",
        "array([[1, 2], [3, 4]])", "import os; os.abort()",
        "array([[0.1,0.2,0.3],[0.1,0.2]]), array([[0.1,0.2,0.3]]), array([[0,0,0],[0,0,0]])",
        "array([[0.1,0.2,0.3]]), array([[0.1,0.2,0.3],0.5]), array([[0,0,0],[0,0,0]])",
        "array([]), array([])", "\u202e", "[array('x')]", "array([[0.1 0.2 0.3]], dtype=", "1" * 200,
    ]  # fmt: skip
    found = answers(engine(READABLE) + READ, bad, tmp_path)
    for text, mine in zip(bad, found, strict=True):
        with pytest.raises(UnusableInput) as refused:
            from_arrays(printed.parse(text), None, name="x", origin="")
        assert mine.get("error") == str(refused.value), text


def test_the_page_reads_gates_as_columns_alone(tmp_path):
    """As rows they are another framework's, which readers.layouts reads and the page does not."""
    (found,) = answers(engine(READABLE) + READ, ["[array([[1],[2],[3]]), array([[1],[2],[3]])]"], tmp_path)
    assert "have their gates as rows, as PyTorch's; Keras has them as columns" in found["error"]


def test_inputs_are_those_that_python_reads(tmp_path):
    script = """
function answer(texts) {
  return texts.map(([text, features]) => {
    try {
      return parseInput(text, features);
    } catch (error) {
      return { error: error.message };
    }
  });
}
"""
    written = [
        "1,2,9,8", "1 2 9 8", "[1, 2]", "[[1,2],[3,4]]", "[[1],[2]]", "[[[1,2],[3,4]]]", "7", "-.5,+1.,1E-05",
        "[[1,2,3]]", "[[1,2],[3]]", "[]", "[[]]", "1,nan", "[[[1],[2]],[[3],[4]]]", "array([[0.5, 1.5]])", "1,2,3",
        "[[1, 2, 3, 4]]", "[[[[1]]]]",
    ]  # fmt: skip
    cases = [*product(written, (1, 2, 3))]
    for (given, features), mine in zip(cases, answers(engine({}) + script, cases, tmp_path), strict=True):
        network = random_network([("gru", 1, {})], features)
        try:
            right = texts(read_input(given, network).text)
        except UnusableInput as error:
            right = {"error": str(error)}
        if isinstance(right, list) and len(right) > 1:
            right = {"error": f"input: holds {len(right)} sequences and this page shows one: give one of them alone"}
        elif isinstance(right, list):
            (right,) = right
        assert mine == right, given
