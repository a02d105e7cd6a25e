"""Hand-built .keras files, sound and damaged, without Keras."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from keras_by_hand import SEED, dense, entrance, gru, layer, sequential, weights_file

from symgru.errors import SymgruError, Unsupported, UnusableInput
from symgru.readers import archive, read

Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Write model.keras: the seed's network unless told otherwise. A member of None is left out."""

    def write(
        *layers: Any,
        config: Any = None,
        folders: Any = None,
        edit: Any = None,
        version: Any = "3.15.1",
        name: str = "model.keras",
        **members: bytes | None,
    ) -> Path:
        content = {
            "metadata.json": json.dumps({"keras_version": version}).encode(),
            "config.json": json.dumps(config or sequential(*(layers or (entrance(4, 1), gru())))).encode(),
            "model.weights.h5": weights_file(folders or {"gru": ("gru", SEED)}, edit),
        } | {key.replace("__", "."): value for key, value in members.items()}
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member, data in content.items():
                if data is not None:
                    archive.writestr(member, data)
        return tmp_path / name

    return write


def refused(path: Path, reason: str, kind: type[SymgruError] = SymgruError) -> str:
    with pytest.raises(kind, match=reason) as error:
        read(path)
    message = str(error.value)
    assert message.startswith(f"{path.name}: ")
    assert message.isprintable()
    assert len(message) < 300
    return message


def test_the_seeds_network(save: Save) -> None:
    network = read(save())
    assert (network.name, network.origin, network.features, network.steps) == ("model", "model.keras", 1, 4)
    layer = network.layers["gru"]
    assert layer.weights["W_z"].text.tolist() == [["-0.90954137"]]
    assert layer.weights["U_n"].value.tolist() == SEED[1][:, 2:].tolist()
    assert list(layer.weights) == [f"{letter}_{gate}" for letter in "WUbc" for gate in "zrn"]


def test_folders_are_counted_by_class_and_names_are_kept(save: Save) -> None:
    """A GRU named gru_1 beside a Dense named gru lives at layers/gru; gru_10 sorts before gru_2."""
    rng = np.random.default_rng(3)
    layers, folders = [entrance(None, 1), layer("Dropout", "drop", rate=0.5)], {}
    for k in range(12):
        arrays = [rng.standard_normal(s.shape).astype(np.float32) for s in SEED]
        layers.append(gru(f"gru_{k + 1}", return_sequences=True))
        folders["gru" if k == 0 else f"gru_{k}"] = (f"gru_{k + 1}", arrays)
    layers.append(dense("gru"))
    folders["dense"] = ("gru", [np.ones((1, 1), np.float32), np.zeros(1, np.float32)])
    network = read(save(*layers, folders=folders))
    assert [layer.label for layer in network.layers.values()] == [*(f"gru_{k + 1}" for k in range(12)), "gru"]
    for (_, arrays), found in zip(folders.values(), network.layers.values(), strict=True):
        name = "W" if found.kind == "dense" else "W_z"
        assert found.weights[name].value[0, 0] == arrays[0][0, 0]
    assert network.steps is None
    assert any("'drop' (Dropout)" in note for note in network.notes)


def test_untrusted_names_become_safe_ids(save: Save) -> None:
    name = "{{7*7}}\x1b[31m\n" + "x" * 5000
    network = read(save(entrance(4, 1), gru(name), folders={"gru": (name, SEED)}))
    assert all(key.isidentifier() and key.isascii() and len(key) < 50 for key in network.layers)
    message = refused(save(entrance(4, 1), gru(name, units=2), folders={"gru": (name, SEED)}), "kernel has shape")
    assert r"\x1b" in message


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (gru(go_backwards="yes"), "layer 'gru': go_backwards is 'yes'; it must be true or false"),
        (gru(return_state=1), "return_state is 1"),
        (gru(zero_output_for_mask="False"), "zero_output_for_mask is 'False'"),
        (gru(time_major=True), "time_major"),
        (gru(reset_after="False"), "reset_after is 'False'; it must be true or false"),
        (gru(stateful=1), "stateful is 1"),
        (gru(units="1"), "whole number"),
        (gru(units=10**12), "out of range"),
        (gru(units=True), "whole number"),
        (gru(activation="__import__('os').system('x')"), "must be a name"),
        (gru(activation={"module": "m", "class_name": "function", "config": "relu"}), "custom object"),
        (gru(activation={"module": "keras.layers", "class_name": "ReLU", "config": {}}), "custom object"),
        (gru(activation={"module": "builtins", "class_name": "function", "config": "p>tanh"}), "custom object"),
        (gru(activation={"class_name": "__lambda__", "config": {"value": ["4wEA"]}}), "custom object"),
        (gru(lora_rank=4), "lora_rank=4"),
        (gru(dtype={"class_name": "DTypePolicy", "config": {"name": "float16"}}), "float16"),
        (gru(dtype={"class_name": "DTypePolicyMap", "config": {}}), "DTypePolicyMap"),
        (gru(dtype={"class_name": "QuantizedDTypePolicy", "config": {"name": "int8"}}), "QuantizedDTypePolicy"),
        (gru(dtype="bfloat16"), "bfloat16"),
        (layer("Conv2D", "conv"), r"layer 'conv': Conv2D is not supported here; docs/keras.md lists the layers"),
        (layer("Conv1D", "conv"), "layer 'conv': its configuration has no filters"),
        (layer("Conv1D", "conv", filters=2, kernel_size=[2], groups=2), "groups is above 1"),
        (layer("Masking", "mask", mask_value=None), "mask_value is None; it must be a number"),
        (layer("Bidirectional", "both"), "layer 'both': its layer must be an object"),
        (layer("Bidirectional", "both", layer=dense()), "Bidirectional of GRU, SimpleRNN and RNN"),
        (layer("Bidirectional", "both", layer=gru(), merge_mode="max"), "merge_mode is 'max'"),
        (layer("Bidirectional", "both", layer=gru(), backward_layer=gru("b")), "in the same direction"),
        (layer("TimeDistributed", "each", layer=layer("Lambda", "l")), "layer 'l': Lambda is not supported"),
        (layer("RNN", "r", cell=layer("LSTMCell", "c", units=2)), "its cell is a LSTMCell"),
        (layer("RNN", "r", cell=layer("StackedRNNCells", "c", cells=[])), "hold no cells"),
        (layer("LSTM", "l"), "LSTM"),
        (layer("Lambda", "l", function={"class_name": "__lambda__"}), "Lambda is not supported"),
        (layer("Softmax", "s", axis=0), "goes over the batch"),
        (layer("Softmax", "s", axis=3), "axis is 3; its input has 3 axes"),
        (layer("Reshape", "s", target_shape=[-1, -1]), "at most one -1"),
        (layer("Reshape", "s", target_shape=[2**24 + 1]), "target_shape is out of range"),
        (layer("Permute", "s", dims=[1, 1]), "name the axes"),
        (layer("RepeatVector", "s", n=2), "takes a vector"),
        (layer("Cropping1D", "s", cropping=[2, 2]), "cuts off 4 time steps of 4"),
        (layer("ReLU", "s", max_value="6"), "max_value is '6'; it must be a number"),
        (layer("Activation", "s", activation="a.b"), "must be a name"),
        (entrance(4, 1, name="again"), "InputLayer is not supported here"),
        (gru() | {"module": "my.code"}, "custom class"),
        (gru() | {"module": None, "registered_name": "my>GRU"}, "custom class"),
        (gru() | {"registered_name": "my>GRU"}, "custom class"),
        ({"class_name": "GRU"}, "configuration of layer 2"),
        ({}, "configuration of layer 2"),
        (7, "must be an object"),
        ({"config": {}}, "no name"),
        (gru() | {"class_name": 3}, "no class_name"),
    ],
)
def test_what_would_change_the_result_is_refused_by_name(save: Save, config: Any, reason: str) -> None:
    refused(save(entrance(4, 1), config), reason)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (gru(unroll=True, dropout=0.5, zero_output_for_mask=True, seed=3), {}),
        (gru(activation=None), {"activation": "linear"}),
        (
            gru(
                activation={
                    "module": "builtins",
                    "class_name": "function",
                    "config": "relu",
                    "registered_name": "function",
                }
            ),
            {"activation": "relu"},
        ),
        (gru(dtype="float32", some_future_option=None), {}),
    ],
)
def test_what_leaves_the_result_alone_is_passed_over(save: Save, config: Any, expected: dict[str, object]) -> None:
    network = read(save(entrance(4, 1), config))
    usual = {"activation": "tanh", "recurrent_activation": "sigmoid", "return_sequences": False}
    assert {**usual, **expected}.items() <= network.layers["gru"].options.items()


def test_stateful_is_read_with_a_note(save: Save) -> None:
    (found,) = read(save(entrance(4, 1), gru(stateful=True))).layers.values()
    assert "stateful" in found.notes[0]


@pytest.mark.parametrize(
    ("top", "reason"),
    [
        (entrance(4), "time, features"),
        (entrance(4, None), "number of features"),
        (entrance(4, 1, dtype="int32"), "its inputs are whole numbers, which go to layer 'gru'"),
        (entrance(4, 1, dtype="float16"), "its inputs are float16"),
        (entrance(4, 1, sparse=True), "sparse"),
        (entrance(0, 1), "time steps"),
        (entrance(4, 2), r"layer 'gru': kernel has shape \(1, 3\); its options need \(2, 3\)"),
    ],
)
def test_the_input_layer(save: Save, top: Any, reason: str) -> None:
    refused(save(top, gru()), reason)


def test_layers_of_several_dtypes(save: Save) -> None:
    folders = {"gru": ("gru", SEED), "dense": ("dense", [np.ones((1, 1)), np.zeros(1)])}
    double = {"class_name": "DTypePolicy", "config": {"name": "float64"}}
    mixed = read(save(entrance(4, 1), gru(), dense(dtype=double), folders=folders))
    assert [layer.kind for layer in mixed.layers.values()] == ["gru", "cast", "dense"]
    network = read(save(entrance(4, 1), gru(dtype=double)))
    assert network.dtype == "float64"
    assert network.layers["gru"].weights["W_z"].value.dtype == np.float64
    assert any("rounds the inputs" in note for note in network.notes)


def test_other_versions_are_refused(save: Save) -> None:
    for version in (None, 3, "1.0", "x" * 1000):
        refused(save(version=version), "saved by Keras", Unsupported)
    refused(save(metadata__json=None), "no metadata.json")
    refused(save(metadata__json=b"[]"), "metadata.json: the content must be an object")


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"config__json": None}, "no config.json"),
        ({"config__json": b"{"}, "config.json: is not JSON"),
        ({"config__json": b"\xff"}, "UTF-8"),
        ({"config__json": b"[" * 200_000}, "config.json: the JSON is nested"),
        ({"config__json": b'{"a":1,"a":2}'}, "twice"),
        ({"config__json": b"{}"}, "no class_name"),
        ({"config__json": b'{"class_name":"Sequential"}'}, "configuration must be an object"),
        ({"config__json": b'{"class_name":"Sequential","config":{}}'}, "no list of layers"),
        ({"config__json": b'{"class_name":"Sequential","config":{"layers":[]}}'}, "no layer"),
        ({"config__json": b'{"class_name":"Mine","config":{"layers":[]}}'}, "model is a Mine"),
        ({"config__json": b'{"class_name":"Sequential","module":"x","config":{"layers":[]}}'}, "custom class"),
        ({"model__weights__h5": None}, "no model.weights.h5"),
        ({"model__weights__h5": b"no hdf5"}, "h5: is not an HDF5 file"),
        ({"model__weights__h5": b""}, "h5: is not an HDF5 file"),
        ({"model__weights__h5": None, "model__weights__json": b"{}"}, "split over several files"),
    ],
)
def test_damaged_members(save: Save, members: dict[str, Any], reason: str) -> None:
    refused(save(**members), reason)


def replaced(key: str, **dataset: Any) -> Callable[[h5py.File], None]:
    def edit(file: h5py.File) -> None:
        del file[f"layers/gru/cell/vars/{key}"]
        if dataset:
            file.create_dataset(f"layers/gru/cell/vars/{key}", **dataset)

    return edit


def linked(path: str, link: Any) -> Callable[[h5py.File], None]:
    def edit(file: h5py.File) -> None:
        del file[path]
        file[path] = link

    return edit


def virtual(file: h5py.File) -> None:
    del file["layers/gru/cell/vars/0"]
    layout = h5py.VirtualLayout(shape=(1, 3), dtype="f4")
    layout[:] = h5py.VirtualSource("decoy.h5", "x", shape=(1, 3))
    file.create_virtual_dataset("layers/gru/cell/vars/0", layout)


NAN = np.array([[0, np.nan, 0]], np.float32)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (replaced("2"), "holds 0, 1 for it"),
        (lambda f: f.create_dataset("layers/gru/cell/vars/3", data=NAN), "holds 0, 1, 2, 3"),
        (replaced("0", data=NAN), r"layer 'gru': kernel holds nan at \[0, 1\]"),
        (replaced("0", data=NAN * 0 + np.inf), "kernel holds"),
        (replaced("1", data=np.ones((1, 4), "f4")), r"recurrent_kernel has shape \(1, 4\); its options need \(1, 3\)"),
        (replaced("0", data=np.ones((1, 3), "i4")), "dtype int32"),
        (replaced("0", data=np.ones((1, 3), "c8")), "dtype compound"),
        (replaced("0", data=np.array([[b"a", b"b", b"c"]])), "dtype"),
        (replaced("0", data=np.ones((1, 3), "f4"), compression="gzip"), "compressed"),
        (replaced("0", shape=(1, 3), dtype="f4", chunks=(1, 3)), "stored in chunks"),
        (replaced("0", shape=(1, 3), dtype="f4", external=[("decoy.bin", 0, 12)]), "external"),
        (virtual, "virtual"),
        (linked("layers/gru/cell/vars/0", h5py.ExternalLink("decoy.h5", "x")), "is a link"),
        (linked("layers/gru/cell/vars/0", h5py.SoftLink("/layers/gru/cell/vars/1")), "is a link"),
        (linked("layers/gru", h5py.ExternalLink("decoy.h5", "gru")), "is a link"),
        (linked("layers/gru/cell", np.zeros(3)), "no group"),
        (lambda f: f.move("layers/gru", "layers/lstm"), "has no layers/gru"),
    ],
)
def test_hostile_weights(save: Save, edit: Callable[[h5py.File], None], reason: str) -> None:
    refused(save(edit=edit), reason)


def test_big_endian_weights_are_the_same_numbers(save: Save) -> None:
    one = read(save())
    other = read(save(edit=replaced("0", data=SEED[0].astype(">f4"))))
    assert one.fingerprint == other.fingerprint


def test_shapes_are_refused_before_they_are_read(save: Save) -> None:
    """units=30000 needs 10 GB: an empty chunked dataset of that shape must not be filled in memory."""
    huge = replaced("1", shape=(30_000, 90_000), dtype="f4", chunks=(100, 100))
    folders = {"gru": ("gru", [np.zeros((1, 90_000), "f4"), SEED[1], np.zeros((2, 90_000), "f4")])}
    refused(save(entrance(4, 1), gru(units=30_000), folders=folders, edit=huge), "more than 16777216 numbers")


def test_zip_attacks(save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = save().read_bytes()
    path = tmp_path / "bad.keras"
    for content, reason in [
        (b"", "empty"),
        (sound[:200], "truncated"),
        (sound[:-30], "truncated"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (sound[:60] + b"\xff\xff\xff" + sound[63:], "damaged"),
        (b"PK\x05\x06" + bytes(18), "no metadata.json"),
    ]:
        path.write_bytes(content)
        refused(path, reason)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archived:
        archived.writestr("metadata.json", b" " * 2**24)
    refused(path, "compressed more than")
    with zipfile.ZipFile(path, "w") as archived:
        archived.writestr("metadata.json", b" " * (2**24 + 1))
    refused(path, "at most 16777216")
    with zipfile.ZipFile(path, "w") as archived:
        for k in range(1001):
            archived.writestr(f"../{k}", b"")
    refused(path, "more than 1000 members")
    with zipfile.ZipFile(path, "w") as archived:
        archived.writestr("config.json", b"{}")
        with pytest.warns(UserWarning, match="Duplicate"):
            archived.writestr("config.json", b"{}")
    refused(path, "one name twice")
    monkeypatch.setattr(archive, "MAX_DIRECTORY", 100)
    path.write_bytes(sound)
    refused(path, "directory is larger")


def test_an_encrypted_member_is_refused(save: Save) -> None:
    path = save()
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archived:
        start = archived.start_dir
    content[start + 8] |= 1
    path.write_bytes(content)
    refused(path, "encrypted")


def test_nothing_is_written(save: Save, tmp_path: Path) -> None:
    path = save(**{"assets/a": b"y"})
    before = sorted(tmp_path.rglob("*"))
    read(path)
    assert sorted(tmp_path.rglob("*")) == before
    assert not (tmp_path.parent / "escape").exists()


def functional(*layers: Any, ends: tuple[Any, Any] | None = None) -> dict[str, Any]:
    names = [entry["config"]["name"] for entry in layers]
    linked_layers = [dict(layers[0], inbound_nodes=[])]
    for before, entry in zip(names, layers[1:], strict=False):
        tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": [before, 0, 0]}}
        node = {"args": [tensor], "kwargs": {"training": False, "mask": None}}
        linked_layers.append({"inbound_nodes": [node], **entry})
    first, last = ends or ([names[0], 0, 0], [[names[-1], 0, 0]])
    return {
        "module": "keras",
        "class_name": "Functional",
        "config": {"name": "functional", "layers": linked_layers, "input_layers": first, "output_layers": last},
    }


def called(*sources: str, index: int = 0, **kwargs: Any) -> list[Any]:
    tensors = [{"class_name": "__keras_tensor__", "config": {"keras_history": [s, 0, index]}} for s in sources]
    return [{"args": tensors, "kwargs": kwargs}]


def test_a_functional_chain_is_read_as_the_sequential_model(save: Save) -> None:
    expected = read(save())
    assert read(save(config=functional(entrance(4, 1), gru()))).fingerprint == expected.fingerprint


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"inbound_nodes": called("input_layer", "input_layer")}, r"initial state of shape \(4, 1\); it has 1 units"),
        ({"inbound_nodes": called("input_layer", initial_state={"class_name": "__tensor__"})}, "where a tensor of"),
        ({"inbound_nodes": called("input_layer", initial_state=0.5)}, "is called with 0.5"),
        (
            {"inbound_nodes": called("input_layer", mask={"class_name": "__keras_tensor__"})},
            "a tensor must be an object",
        ),
        ({"inbound_nodes": called("input_layer", mask=True)}, "is called with True"),
        ({"inbound_nodes": called("input_layer", constants=[1])}, "is called with constants"),
        ({"inbound_nodes": called("input_layer", index=1)}, "reads output 1 of input_layer"),
        ({"inbound_nodes": called("elsewhere")}, "on a tensor that no layer gives"),
        ({"inbound_nodes": called("gru")}, "on a tensor that no layer gives"),
        ({"inbound_nodes": []}, "reads output 0 of gru"),
        ({"inbound_nodes": [{"args": []}]}, "is called on no tensor"),
        ({"inbound_nodes": [{"args": [[]]}]}, "is called on no tensor"),
        ({"inbound_nodes": "abc"}, "inbound_nodes must be a list"),
        ({"inbound_nodes": None}, "inbound_nodes must be a list"),
        ({"inbound_nodes": [[["input_layer", 0, 0, {}]]]}, "a call of it must be an object"),
    ],
)
def test_calls_that_cannot_be_are_refused(save: Save, entry: dict[str, Any], reason: str) -> None:
    refused(save(config=functional(entrance(4, 1), {**gru(), **entry})), reason)


def test_a_call_that_nothing_reads_changes_nothing(save: Save) -> None:
    twice = {**gru(), "inbound_nodes": called("input_layer") * 2}
    assert read(save(config=functional(entrance(4, 1), twice))).outputs == read(save()).outputs


@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        (([["input_layer", 0, 0], ["b", 0, 0]], ["gru", 0, 0]), "names a layer b, which it does not have"),
        ((["input_layer", 0, 0], ["gru", 0, 1]), "reads output 1 of gru"),
        ((["input_layer", 0, 0], ["gru", 1, 0]), "reads output 0 of gru"),
        ((["input_layer", 0, 0], None), "output_layers are None"),
        ((["input_layer", 0, 0], [["gru", 0, "0"]]), "names a tensor"),
        ((["gru", 0, 0], ["gru", 0, 0]), "layer 'gru': is an input of the model, but no InputLayer"),
    ],
)
def test_ends_that_cannot_be_are_refused(save: Save, ends: Any, reason: str) -> None:
    refused(save(config=functional(entrance(4, 1), gru(), ends=ends)), reason)


def test_ends_in_a_dict_are_taken_by_their_keys(save: Save) -> None:
    ends = {"b": ["gru", 0, 0], "a": ["input_layer", 0, 0]}
    network = read(save(config=functional(entrance(4, 1), gru(), ends=({"q": ["input_layer", 0, 0]}, ends))))
    assert [edge.port for edge in network.outputs] == ["input", "y"]


def doubling(depth: int) -> dict[str, Any]:
    """A model that calls a model twice, which calls one twice, and so on: 2 ** depth GRUs."""
    inner = functional(entrance(4, 1), gru(return_sequences=True))
    for k in range(depth):
        twice = {**inner, "config": {**inner["config"], "name": f"inner_{k}"}}
        tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": [f"inner_{k}", 0, 0]}}
        calls = [*called("input_layer"), {"args": [tensor], "kwargs": {}}]
        last = [f"inner_{k}", 2, 0]
        inner = functional(entrance(4, 1), {**twice, "inbound_nodes": calls}, ends=(["input_layer", 0, 0], last))
    return inner


def test_models_in_models_are_bounded(save: Save) -> None:
    folders = {"functional/layers/functional/layers/gru": ("gru", SEED)}

    def cell(file: h5py.File) -> None:
        file.move(
            "layers/functional/layers/functional/layers/gru/vars",
            "layers/functional/layers/functional/layers/gru/cell/vars",
        )

    assert len(read(save(config=doubling(2), folders=folders, edit=cell)).calls) == 4
    refused(save(config=doubling(40)), "more than 20 deep|calls of layers")


def test_json_is_as_keras_writes_it() -> None:
    """The hand-built file above must stay close to a real one: tests/frameworks reads real ones."""
    assert json.loads(json.dumps(sequential(gru())))["config"]["layers"][0]["class_name"] == "GRU"
    with h5py.File(io.BytesIO(weights_file({"gru": ("gru", SEED)}, None))) as file:
        assert file["layers/gru/cell/vars/0"].shape == (1, 3)


def test_unusable_and_unsupported_differ(save: Save) -> None:
    refused(save(entrance(4, 1), layer("LSTM", "l")), "LSTM", Unsupported)
    refused(save(model__weights__h5=b"x"), "damaged", UnusableInput)


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) below a JSON value."""
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []
    return [place for key in keys for place in [(node, key), *places(node[key])]]


def test_any_change_of_the_configuration_is_read_or_refused(save: Save) -> None:
    chance = random.Random(1)
    odd = [None, True, 0, -1, 1.5, 10**30, "", "x", "\0", [], {}, [1], {"a": 1}, {"class_name": "function"}]
    messages = []
    for _ in range(300):
        config = json.loads(json.dumps(functional(entrance(4, 1), gru())))
        container, key = chance.choice(places(config))
        container[key] = chance.choice(odd)
        try:
            read(save(config=config))
        except SymgruError as error:
            messages.append(str(error))
    assert 100 < len(messages) < 300
    assert all(message.isprintable() and len(message) < 300 for message in messages)
