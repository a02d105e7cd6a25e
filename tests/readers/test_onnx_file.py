"""What an ONNX file says and what is refused in it, by name; the tensors' forms; the bytes against the onnx package."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

from symgru.errors import SymgruError, Unsupported, UnusableInput
from symgru.face import load
from symgru.readers.onnx_messages import read_model
from symgru.readers.onnx_tensors import Folder
from symgru.readers.protobuf import parse, read_varint, signed
from tests.conftest import ROOT, need_package
from tests.frameworks import cases_onnx
from tests.frameworks.cases_onnx import B, D, Graph, H
from tests.readers.onnx_by_hand import Wire, gru_model, tensor, varint

X3 = ("GRU", ["a", "W", "R"], ["Y"], {})


def written(tmp_path, content: bytes):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    return path


def made(graph: Graph, tmp_path):
    """The model of a graph in a file."""
    return written(tmp_path, graph.model().SerializeToString())


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**31, 2**63 - 1, 2**64 - 1])
def test_varints(value):
    assert read_varint(memoryview(varint(value)), 0) == (value, len(varint(value)))


def test_signed_numbers():
    assert signed(2**64 - 5) == -5 and signed(5) == 5
    assert parse(memoryview(Wire().number(1, -7).content), {1: "i"}).integer("i") == -7


def test_packed_and_plain_lists_are_the_same():
    numbers = [0, 1, -1, 300, 2**62, -(2**62), 127, 128]
    packed = Wire().raw(1, b"".join(varint(n % 2**64) for n in numbers))
    plain = Wire()
    for n in numbers:
        plain.number(1, n)
    for wire in (packed, plain):
        assert parse(memoryview(wire.content), {1: "v"}).integers("v") == numbers


@pytest.mark.parametrize(
    "content", [b"\x80", b"\x0a\x05ab", b"\x0d\x01", b"\x0b", b"\xff" * 11, b"\x0a" + b"\xff" * 9 + b"\x01"]
)
def test_damaged_messages(content):
    with pytest.raises(UnusableInput, match="damaged"):
        parse(memoryview(content), {1: "a"})


def test_the_bytes_say_what_the_onnx_package_reads(tmp_path):
    """Nodes, attributes, initializers, inputs and outputs of every hand-made model."""
    onnx = need_package("onnx")
    from onnx import helper, numpy_helper

    cases = [*cases_onnx.options()[::11], *cases_onnx.functions()[::7], *cases_onnx.surroundings()[::3]]
    for case in cases:
        path, _, _ = case.make(tmp_path)
        theirs, ours = onnx.load(path), read_model(memoryview(path.read_bytes()), Folder(tmp_path))
        assert [(n.op, n.name, list(n.inputs), list(n.outputs)) for n in ours.nodes] == [
            (n.op_type, n.name, list(n.input), list(n.output)) for n in theirs.graph.node
        ]
        for mine, node in zip(ours.nodes, theirs.graph.node, strict=True):
            said = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            for name, value in said.items():
                assert mine.attributes[name] == decoded(value)
        held = {i.name: numpy_helper.to_array(i) for i in theirs.graph.initializer}
        assert held.keys() == ours.constants.keys()
        for name, array in held.items():
            assert array.dtype == ours.constants[name].dtype
            np.testing.assert_array_equal(array, ours.constants[name])
        assert [v.name for v in ours.inputs] == [v.name for v in theirs.graph.input]


def decoded(value: object) -> object:
    """An attribute of the onnx package, texts as texts."""
    if isinstance(value, list):
        return [decoded(v) for v in value]
    return value.decode() if isinstance(value, bytes) else value


FORMS = ["raw float32", "float_data", "raw float64", "double_data", "raw float16", "int32_data float16", "raw bfloat16"]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_weight(form, tmp_path):
    """Eighths are exact in every type."""
    onnx = need_package("onnx")
    from onnx import helper

    numbers = np.arange(-3, 3, dtype=np.float64).reshape(1, 3, 2) / 8
    kinds = {"float32": 1, "float64": 11, "float16": 10, "bfloat16": 16, "float_data": 1, "double_data": 11}
    kind = kinds[form.split()[-1]]
    if form == "raw bfloat16":
        held = helper.make_tensor(
            "W", kind, (1, 3, 2), (numbers.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes(), True
        )
    elif form.startswith("raw"):
        held = helper.make_tensor("W", kind, (1, 3, 2), numbers.astype(form.split()[1]).tobytes(), True)
    else:
        held = helper.make_tensor("W", kind, (1, 3, 2), numbers.ravel().tolist())
    assert isinstance(held, onnx.TensorProto)
    network = load(written(tmp_path, gru_model(w=held.SerializeToString()))).network
    weights = network.layers["gru"].weights
    assert np.array([weights[f"W_{g}"].value for g in "zrn"]).ravel().tolist() == numbers.ravel().tolist()
    assert network.dtype == ("float64" if kind == 11 else "float32")


def test_weights_are_bit_for_bit_those_of_the_file(tmp_path):
    need_package("onnx")
    g = Graph(5)
    y, _ = g.gru(g.x(), linear_before_reset=1)
    g.output(y, 2)
    weights = load(made(g, tmp_path)).network.layers["gru_0"].weights
    w, r, b = (g.constants[f"c{k}"][0] for k in range(3))
    for k, gate in enumerate("zrn"):
        rows = slice(k * H, (k + 1) * H)
        assert np.array_equal(weights[f"W_{gate}"].value, w[rows])
        assert np.array_equal(weights[f"U_{gate}"].value, r[rows])
        assert np.array_equal(weights[f"b_{gate}"].value, b[rows])
        assert np.array_equal(weights[f"c_{gate}"].value, b[3 * H :][rows])


def test_notes_say_where_the_batch_is_in_the_file(tmp_path):
    notes = load(written(tmp_path, gru_model())).network.notes
    assert notes[0].startswith("input x has the batch as axis 1 in the file; symgru takes the batch first")
    assert notes[1].startswith("output 1 has the batch as axis 2 in the file")
    assert notes[1].endswith("axis 1, the one direction, is left out")


def test_a_model_is_the_plain_chain_that_it_computes(tmp_path):
    """Transposes, squeezes and the last step of a sequence leave no layer behind."""
    need_package("onnx")
    g = Graph(6)
    cases_onnx.AROUND["gemm_of_last"](g)
    network = load(made(g, tmp_path)).network
    assert [layer.kind for layer in network.layers.values()] == ["gru", "dense"]
    assert network.is_chain and network.steps is None and network.features == D
    assert network.layers["gru_1"].options["return_sequences"] is False


def test_a_model_with_states_is_called_again_with_them(tmp_path):
    """The states of one call, given to the next, go on where it ended; batch first on both sides."""
    need_package("onnx")
    g = Graph(7)
    x, h0 = g.x(), g.given("h0", np.zeros((1, B, H), np.float32), (1, "batch", H), 1)
    y, h = g.gru(x, rest=["", h0])
    g.output(y, 2)
    g.output(h, 1)
    model, given = load(made(g, tmp_path)), np.moveaxis(g.inputs["x"][0], 1, 0)
    whole, _ = model(given, np.zeros((B, H)))
    first, state = model(given[:, :2], np.zeros((B, H)))
    second, _ = model(given[:, 2:], state)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, atol=1e-6)  # a state given is a float32


@pytest.mark.parametrize(
    ("op", "match"),
    [
        ("Loop", r"torch.onnx.export writes it for nn.GRU.*give symgru the \.keras file"),
        ("Scan", "symgru convert"),
        ("LSTM", "two states"),
        ("If", "without branches"),
        ("Einsum", "not read around a GRU"),
    ],
)
def test_operators_are_refused_by_name(op, match, tmp_path):
    content = gru_model(nodes=[(op, ["X"], ["a"], {}), X3])
    with pytest.raises(Unsupported, match=rf"node 1 \({op}\): .*{match}"):
        load(written(tmp_path, content))


def test_an_operator_that_no_output_needs_is_not_looked_at(tmp_path):
    content = gru_model(nodes=[("Loop", ["X"], ["a"], {}), ("GRU", ["X", "W", "R"], ["Y"], {})])
    assert len(load(written(tmp_path, content)).network.calls) == 1


REFUSED = [
    ({"direction": "sideways"}, "direction 'sideways'; there are forward"),
    ({"layout": 2}, "layout 2; it is 0 or 1"),
    ({"hidden_size": 9}, "says hidden_size 9; its weights have 4 units"),
    ({"activations": ["Sigmoid"]}, "1 activations; 2 are needed"),
    ({"activations": ["Sigmoid", "Cosh"]}, "the activation 'Cosh'; ONNX has"),
    ({"activations": ["Affine", "Tanh"]}, "Affine without its activation_alpha"),
    ({"activations": ["Sigmoid", "ThresholdedRelu"]}, "ThresholdedRelu without its activation_alpha"),
    ({"activations": ["Sigmoid", "ScaledTanh"], "activation_alpha": [1.0]}, "ScaledTanh without"),
    ({"clip": -1.0}, "clip is -1.0; it must be above 0"),
    ({"clip": "much"}, "clip should be a number"),
    ({"linear_before_reset": 1.5}, "linear_before_reset should be a whole number"),
]


@pytest.mark.parametrize(("attributes", "match"), REFUSED)
def test_attributes_are_refused_by_name(attributes, match, tmp_path):
    need_package("onnx")
    from onnx import helper

    g = Graph(8)
    x = g.x()
    names = [g.weight(1, 3 * H, D), g.weight(1, 3 * H, H)]
    g.nodes.append(helper.make_node("GRU", [x, *names], ["Y"], **attributes))
    g.output("Y", 2)
    with pytest.raises(SymgruError, match=match):
        load(made(g, tmp_path))


def test_weights_that_are_inputs(tmp_path):
    need_package("onnx")
    g = Graph(9)
    x, w = g.x(), g.given("W", g.rng.normal(size=(1, 3 * H, D)).astype(np.float32), (1, 3 * H, D), 0)
    g.output(g.node("GRU", x, w, g.weight(1, 3 * H, H), outputs=("Y",)), 2)
    with pytest.raises(
        Unsupported, match="takes the weights W from a value of the network; symgru needs it in the file"
    ):
        load(made(g, tmp_path))


def test_states_of_each_sample(tmp_path):
    need_package("onnx")
    g = Graph(10)
    y, _ = g.gru(g.x(), rest=["", g.weight(1, B, H)])
    g.output(y, 2)
    with pytest.raises(Unsupported, match="initial_h with other numbers for each sample of the batch"):
        load(made(g, tmp_path))


@pytest.mark.parametrize(("opset", "refused"), [(6, True), (7, False), (22, False), (99, True)])
def test_versions_of_the_operators(opset, refused, tmp_path):
    path = written(tmp_path, gru_model(opset=opset))
    if refused:
        with pytest.raises(Unsupported, match=f"version {opset} of ONNX' operators; symgru reads 7 to"):
            load(path)
    else:
        assert load(path).network.layers


def test_features_that_do_not_fit(tmp_path):
    with pytest.raises(UnusableInput, match=r"W has shape \(6, 2\); with 1 units"):
        load(written(tmp_path, gru_model(w=tensor("W", np.zeros((1, 6, 2))))))
    with pytest.raises(UnusableInput, match="takes 5 features; it is given 2"):
        load(written(tmp_path, gru_model(w=tensor("W", np.zeros((1, 3, 5))))))


def test_the_page_s_example(tmp_path, monkeypatch, capsys):
    need_package("torch")
    need_package("onnx")
    page = (ROOT / "docs" / "onnx.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's exporter announces its successor
        exec(block, {})
    kinds, difference = capsys.readouterr().out.splitlines()[-2:]
    assert kinds == "['gru', 'dense', 'activation']" and float(difference) < 1e-6
