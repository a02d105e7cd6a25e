"""Hand-built legacy files and files of weights alone, sound and damaged, without Keras."""

from __future__ import annotations

import json
import random
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from keras_by_hand import SEED, dense, entrance, gru, layer, sequential, weights_file

from symgru.errors import SymgruError, Unsupported, UnusableInput
from symgru.readers import keras_v2, read

Save = Callable[..., Path]
NAMES = ["kernel", "recurrent_kernel", "bias"]
FLAT = [np.array([[0.5]], np.float32), np.array([-0.25], np.float32)]


def group_of(file: h5py.Group, layers: Mapping[str, Mapping[str, Any]]) -> None:
    """{layer: {name of the array: array}}, as Keras 2 lists them."""
    file.attrs["layer_names"] = [name.encode() for name in layers]
    for name, arrays in layers.items():
        part = file.create_group(name)
        part.attrs["weight_names"] = np.array([f"{name}/{key}:0".encode() for key in arrays])
        for key, array in arrays.items():
            part[f"{name}/{key}:0"] = array


def named(arrays: Any, names: Any = NAMES) -> dict[str, Any]:
    return dict(zip(names, arrays, strict=False))


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write model.h5 in the legacy form: the seed's network unless told otherwise."""

    def write(
        *layers: Any,
        config: Any = None,
        weights: Mapping[str, Mapping[str, Any]] | None = None,
        edit: Callable[[h5py.File], object] | None = None,
        version: Any = b"3.15.1",
        text: bytes | None = None,
    ) -> Path:
        path = tmp_path / "model.h5"
        said = config or sequential(*(layers or (entrance(4, 1), gru())))
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = json.dumps(said).encode() if text is None else text
            if version is not None:
                file.attrs["keras_version"] = version
            group_of(file.create_group("model_weights"), weights or {"gru": named(SEED)})
            if edit:
                edit(file)
        return path

    return write


def refused(path: Path, reason: str, kind: type[SymgruError] = SymgruError, architecture: Any = None) -> None:
    with pytest.raises(kind, match=reason) as error:
        read(path, architecture)
    message = str(error.value)
    assert message.startswith(f"{path.name}: ")
    assert message.isprintable()
    assert len(message) < 400


def test_the_seeds_network(save: Save) -> None:
    network = read(save())
    assert (network.name, network.origin, network.features, network.steps) == ("model", "model.h5", 1, 4)
    assert network.layers["gru"].weights["W_z"].text.tolist() == [["-0.90954137"]]


def test_layers_are_found_by_name_then_by_order(save: Save) -> None:
    arrays = {"gru": named(SEED), "dense": named(FLAT, ["kernel", "bias"])}
    backwards = dict(reversed(arrays.items()))
    layers = (entrance(4, 1), gru(), dense())
    one = read(save(*layers, weights=arrays))
    assert one.layers["dense"].weights["W"].value.tolist() == [[0.5]]
    assert read(save(*layers, weights=backwards)).fingerprint == one.fingerprint
    others = {f"{name}_7": value for name, value in arrays.items()}
    assert read(save(*layers, weights={"drop": {}, **others})).fingerprint == one.fingerprint
    refused(save(*layers, weights={"gru_7": named(SEED)}), "weights for 1 layers; the model has 2")


def test_layers_whose_names_are_paths(save: Save) -> None:
    """Keras 2 allows a slash in a layer's name."""
    network = read(save(entrance(4, 1), gru("block/gru"), weights={"block/gru": named(SEED)}))
    assert network.layers["block_gru"].label == "block/gru"


def test_a_long_list_of_names_is_in_parts(save: Save) -> None:
    """Keras cuts lists of more than 64,512 bytes."""

    def edit(file: h5py.File) -> None:
        attributes = file["model_weights/gru"].attrs
        parts = list(attributes["weight_names"])
        del attributes["weight_names"]
        attributes["weight_names0"], attributes["weight_names1"] = parts[:2], parts[2:]

    assert read(save(edit=edit)).fingerprint == read(save()).fingerprint


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (None, "saved by Keras None"),
        (b"1.2.2", "Keras 1.2.2"),
        (b"4.0", "Keras 4.0"),
        (3, "Keras None"),
        (b"", "Keras ;"),
    ],
)
def test_other_versions(save: Save, version: Any, reason: str) -> None:
    refused(save(version=version), reason, Unsupported)


def test_a_whole_model_needs_no_architecture(save: Save) -> None:
    refused(save(), "has its own layers", architecture=sequential(gru()))


def without(name: str) -> Callable[[h5py.File], object]:
    def edit(file: h5py.File) -> None:
        del file[name]

    return edit


def changed(name: str, value: Any) -> Callable[[h5py.File], object]:
    return lambda file: file["model_weights"].attrs.__setitem__(name, value)


def part(name: str, value: Any) -> Callable[[h5py.File], object]:
    return lambda file: file["model_weights/gru"].attrs.__setitem__(name, value)


def swapped(path: str, item: Any) -> Callable[[h5py.File], object]:
    def edit(file: h5py.File) -> None:
        del file[path]
        file[path] = item

    return edit


KERNEL = "model_weights/gru/gru/kernel:0"


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (without("model_weights"), "no model_weights"),
        (without("model_weights/gru"), "has no model_weights/gru"),
        (without(KERNEL), "layer 'gru': .*has no model_weights/gru/gru/kernel:0"),
        (changed("layer_names", "gru"), "layer_names is no list"),
        (changed("layer_names", [1, 2]), "weights for 0 layers; the model has 1"),
        (lambda file: file["model_weights"].attrs.pop("layer_names"), "no layer_names"),
        (part("weight_names", [b"gru/kernel:0"]), "holds 1 arrays for it; its options need 3"),
        (part("weight_names", [b"gru/kernel:0"] * 4), "holds 4 arrays for it; its options need 3"),
        (part("weight_names", [b"gru/kernel:0"] * 3), r"recurrent_kernel has shape|bias has shape"),
        (part("weight_names", [b"../../x", b"..", b"/"]), "has no"),
        (swapped(KERNEL, np.ones((1, 4), "f4")), r"kernel has shape \(1, 4\); its options need \(1, 3\)"),
        (swapped(KERNEL, np.ones((1, 3), "c8")), "kernel: has dtype compound"),
        (swapped(KERNEL, np.array([[1, np.nan, 2]], "f4")), "kernel holds nan"),
        (swapped(KERNEL, h5py.SoftLink("/model_weights/gru/gru/bias:0")), "is a link"),
        (swapped(KERNEL, h5py.ExternalLink("decoy.h5", "x")), "is a link"),
        (swapped("model_weights/gru", h5py.ExternalLink("decoy.h5", "gru")), "is a link"),
        (lambda file: file.attrs.__setitem__("model_config", 3), "model_config is no text"),
        (lambda file: file.attrs.__setitem__("model_config", [b"{}"]), "model_config is no text"),
    ],
)
def test_hostile_files(save: Save, edit: Callable[[h5py.File], object], reason: str) -> None:
    refused(save(edit=edit), reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "model_config: is not JSON"),
        (b"[]", "must be an object"),
        (b"{}", "no class_name"),
        (b"[" * 200_000, "nested too deep"),
        (b'{"a":' * 200_000, "nested too deep"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b" " * (2**24 + 1), "a text of 16777217 bytes"),
        (b'{"class_name": "Sequential", "config": {"layers": 7}}', "no list of layers"),
        (b'{"class_name": "Mine", "config": {"layers": []}}', "model is a Mine"),
        (b'{"class_name": "\xff"}', "model is a"),
    ],
)
@pytest.mark.parametrize("version", [b"2.15.0", b"3.15.1"])
def test_hostile_configurations(save: Save, text: bytes, reason: str, version: bytes) -> None:
    refused(save(text=text, version=version), reason)


def test_a_hostile_file_ends_soon_and_needs_little(save: Save) -> None:
    """Units that would need gigabytes, and datasets of that shape that were never written: none is made in memory."""
    path = save(entrance(4, 1), gru(units=65_536))
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = json.dumps(sequential(entrance(4, 1), gru(units=60_000))).encode()
        del file[KERNEL]
        file.create_dataset(KERNEL, shape=(1, 180_000), dtype="f4")
        file.create_dataset("large", shape=(2**27,), dtype="f4")  # never written: the file stays small
    tracemalloc.start()
    start = time.process_time()
    refused(path, "layer 'gru'")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.process_time() - start < 5
    assert peak < 2**26


# weights alone


@pytest.fixture
def alone(tmp_path: Path) -> Callable[..., Path]:
    """small.weights.h5, the tree of Keras 3, with its configuration under another name."""

    def write(beside: str | None = "small.json", config: Any = None, name: str = "small.weights.h5") -> Path:
        if beside:
            (tmp_path / beside).write_text(json.dumps(config or sequential(entrance(4, 1), gru())), encoding="utf-8")
        (tmp_path / name).write_bytes(weights_file({"gru": ("gru", SEED)}, None))
        return tmp_path / name

    return write


@pytest.mark.parametrize("beside", ["small.json", "config.json", "model.json"])
def test_weights_with_their_configuration_beside(alone: Callable[..., Path], beside: str) -> None:
    network = read(alone(beside))
    assert (network.name, network.origin) == ("small", "small.weights.h5")
    assert network.layers["gru"].weights["U_z"].text.tolist() == [["0.24168766"]]


def test_the_nearest_configuration_is_taken(alone: Callable[..., Path]) -> None:
    path = alone("small.json")
    path.with_name("config.json").write_text("{}", encoding="utf-8")
    assert read(path).layers["gru"].kind == "gru"


def test_weights_with_an_architecture(alone: Callable[..., Path], tmp_path: Path) -> None:
    config = sequential(entrance(4, 1), gru())
    path = alone(None)
    given = tmp_path / "given.json"
    given.write_text(json.dumps(config), encoding="utf-8")
    assert read(path, given).fingerprint == read(path, config).fingerprint
    refused(path, r"weights alone; the text of model.to_json\(\) as small.json beside it, or as --architecture")
    refused(path, "the architecture: has no class_name", architecture={"layers": []})


def test_weights_of_another_model(alone: Callable[..., Path], tmp_path: Path) -> None:
    refused(
        alone(config=sequential(entrance(4, 1), gru(units=2))), r"kernel has shape \(1, 3\); its options need \(1, 6\)"
    )
    refused(alone(config=sequential(entrance(4, 1), gru(), dense())), "no layers/dense")
    refused(alone(config=sequential(entrance(4, 1), gru(use_bias=False))), "holds 0, 1, 2 for it")
    path = tmp_path / "small.h5"
    with h5py.File(path, "w") as file:
        file["kernel"] = SEED[0]
    refused(path, "no layers that symgru knows", Unsupported, sequential(entrance(4, 1), gru()))


def test_a_list_of_weights_alone(tmp_path: Path) -> None:
    """What save_weights("small.h5") of Keras 2 writes."""
    path = tmp_path / "small.h5"
    with h5py.File(path, "w") as file:
        group_of(file, {"gru": named(SEED)})
    (tmp_path / "small.json").write_text(json.dumps(sequential(entrance(4, 1), gru())), encoding="utf-8")
    assert read(path).layers["gru"].weights["W_z"].text.tolist() == [["-0.90954137"]]


# what Keras 2 writes otherwise


def test_hard_sigmoid_is_another_function(save: Save) -> None:
    layers = (entrance(4, 1), gru(recurrent_activation="hard_sigmoid"))
    new, old = read(save(*layers)), read(save(*layers, version=b"2.15.0"))
    assert new.layers["gru"].options["recurrent_activation"] == "hard_sigmoid"
    assert old.layers["gru"].options["recurrent_activation"] == ["hard_sigmoid", 0.2, 0.5]


def old_layer(kind: str, name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": name, "trainable": True, "dtype": "float32", **config}}


OLD = {"implementation": 1, "time_major": False, "recurrent_activation": "hard_sigmoid", "reset_after": False}
ONE_BIAS = {"gru": named([*SEED[:2], SEED[2][0]])}


@pytest.mark.parametrize("form", [lambda layers: layers, lambda layers: {"name": "s", "layers": layers}])
def test_the_first_layer_may_say_the_inputs_shape(save: Save, form: Callable[[Any], Any]) -> None:
    """Sequential models of Keras 2 before they held an InputLayer, and of Keras before 2.3, which are lists."""
    first = old_layer("GRU", "gru", units=1, batch_input_shape=[None, 4, 1], **OLD)
    config = {"class_name": "Sequential", "config": form([first])}
    network = read(save(config=config, version=b"2.2.4-tf", weights=ONE_BIAS))
    assert (network.features, network.steps) == (1, 4)
    assert network.layers["gru"].options["reset_after"] is False


def test_time_major_is_refused(save: Save) -> None:
    first = old_layer("GRU", "gru", units=1, batch_input_shape=[None, 4, 1], **{**OLD, "time_major": True})
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": [first]}}
    refused(save(config=config, version=b"2.15.0", weights=ONE_BIAS), "time_major=True", Unsupported)


def functional(nodes: Any) -> dict[str, Any]:
    entry = old_layer("InputLayer", "x", batch_input_shape=[None, 4, 1]) | {"name": "x", "inbound_nodes": []}
    layer = old_layer("GRU", "gru", units=1, **OLD) | {"name": "gru", "inbound_nodes": nodes}
    ends = {"input_layers": [["x", 0, 0]], "output_layers": [["gru", 0, 0]]}
    return {"class_name": "Model", "config": {"name": "m", "layers": [entry, layer], **ends}}


def test_nodes_as_lists(save: Save) -> None:
    for nodes in ([[["x", 0, 0, {}]]], [[["x", 0, 0]]], [["x", 0, 0, {"mask": None}]]):
        network = read(save(config=functional(nodes), version=b"2.15.0", weights=ONE_BIAS))
        assert [call.layer for call in network.calls] == ["gru"]


@pytest.mark.parametrize(
    "nodes",
    [
        [[["_CONSTANT_VALUE", -1, 3.0, {}]]],
        [[["x", 0]]],
        [["x"]],
        [[]],
        [[["x", 0, 0, {"mask": 3}]]],
        [[["x", 0, 0, 7]]],
        [[["x", 7, 0, {}]]],
        [[["y", 0, 0, {}]]],
        [[["x", 0, 0, {"initial_state": ["x", 0, 0]}], ["x", 0, 0, {}]]],
        [{"args": []}],
        7,
    ],
)
def test_other_nodes_are_refused(save: Save, nodes: Any) -> None:
    refused(save(config=functional(nodes), version=b"2.15.0", weights=ONE_BIAS), "model.h5")


def test_a_configuration_tells_its_version() -> None:
    assert keras_v2.is_old({"keras_version": "2.21.0"})
    assert not keras_v2.is_old({"keras_version": "3.1.0"})
    assert keras_v2.is_old(functional([]))
    assert not keras_v2.is_old(sequential(entrance(4, 1), gru()))
    with pytest.raises(Unsupported, match=r"Keras 1\.2"):
        keras_v2.is_old({"keras_version": "1.2"})


def test_cudnn_blocks() -> None:
    """cuDNN holds a gate's matrix with a row for each unit; Keras took its numbers one after the other, in the shape
    (features, units) all the same."""
    kernel = np.hstack([np.array([[0, 3, 1], [4, 2, 5]])] * 3)
    recurrent = np.hstack([np.arange(9).reshape(3, 3)] * 3)
    first, second, bias = keras_v2.from_cudnn([kernel, recurrent, np.arange(18)])
    assert first[:, 3:6].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert second[:, 6:].tolist() == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]
    assert bias.tolist() == [list(range(9)), list(range(9, 18))]


def places(node: Any) -> list[tuple[Any, Any]]:
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []
    return [place for key in keys for place in [(node, key), *places(node[key])]]


@pytest.mark.parametrize("version", [b"2.15.0", b"3.15.1"])
def test_any_change_of_the_configuration_is_read_or_refused(save: Save, version: bytes) -> None:
    chance, messages = random.Random(1), []
    odd = [
        None,
        True,
        0,
        -1,
        1.5,
        10**30,
        "",
        "x",
        "\0",
        [],
        {},
        [1],
        {"a": 1},
        {"class_name": "function"},
        [["x", 0, 0]],
    ]
    inner = old_layer("Sequential", "inner", layers=[old_layer("GRU", "gru", units=1, **OLD)])
    config = (
        functional([[["x", 0, 0, {}]]]) if version < b"3" else sequential(entrance(4, 1), gru(), inner, layer("X", "x"))
    )
    for _ in range(150):
        mutant = json.loads(json.dumps(config))
        container, key = chance.choice(places(mutant))
        container[key] = chance.choice(odd)
        try:
            read(save(config=mutant, version=version, weights=ONE_BIAS))
        except SymgruError as error:
            messages.append(str(error))
    assert len(messages) > 50
    assert all(message.isprintable() and len(message) < 400 for message in messages)


def test_any_damage_is_read_or_refused(save: Save) -> None:
    path = save(entrance(4, 1), gru(), dense(), weights={"gru": named(SEED), "dense": named(FLAT, ["kernel", "bias"])})
    sound, chance, messages = path.read_bytes(), random.Random(2), []
    for _ in range(300):
        content = bytearray(sound)
        for _ in range(chance.choice([1, 2, 5])):
            place = chance.randrange(len(content))
            content[place] = chance.choice([0, 1, 255, content[place] ^ (1 << chance.randrange(8))])
        path.write_bytes(content[: chance.choice([len(content)] * 9 + [place])])
        try:
            read(path)
        except SymgruError as error:
            messages.append(str(error))
    assert 30 < len(messages) < 300
    assert all(message.isprintable() and message.startswith("model.h5: ") for message in messages)


def test_an_empty_or_other_file(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    for content, reason in (
        (b"", "empty"),
        (b"x" * 600, "not an HDF5 file"),
        (b"PK\x05\x06" + bytes(18), "not an HDF5"),
    ):
        path.write_bytes(content)
        refused(path, reason, UnusableInput)
