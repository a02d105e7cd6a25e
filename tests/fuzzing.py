"""Damaged and hostile model files, each made from a sound one and a number, and what becomes of them.

A file is read within time and memory limits: it is loaded, shown and, where it loads, run and emitted. It may work, or
end in a SymgruError of one line. Anything else is a finding. benchmarks/fuzz.py makes tens of thousands,
tests/readers/test_fuzz.py some hundreds and those that were findings once (tests/readers/corpus).
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import signal
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from symgru.errors import SymgruError
from symgru.face import load
from symgru.writers.targets import converted
from tests.conftest import random_network

SECONDS, MEMORY = 5.0, 2**30
NASTY_NUMBERS = (0, -1, 1, 2**31, 2**63, 10**12, -(2**31), 0.5, 1e308)
NASTY = (None, True, False, "", "False", "a" * 5000, "../x", "\x00", [], {}, [[]], {"a": {}}, "{{7*7}}", "*/ int x; /*",
         "\\input{x}", "__class__", *NASTY_NUMBERS)  # fmt: skip


def sound_files() -> dict[str, bytes]:
    """Sound files by name, one or more of each format, made without a framework."""
    stack = random_network([("gru", 5, {"return_sequences": True}), ("gru", 4, {}), ("dense", 3, {})], 2, name="stack")
    before = random_network(
        [("gru", 2, {"reset_after": False}), ("dense", 1, {"activation": "relu"})], 3, name="before"
    )
    found: dict[str, bytes] = {}
    for network in (stack, before):
        for ending in (".keras", ".onnx"):
            found |= {
                f"{network.name}{ending}": converted(network, f"{network.name}{ending}").files[
                    f"{network.name}{ending}"
                ]
            }
    for name, to in (("stack.pt", None), ("stack.safetensors", None), ("stack.npz", "flax"), ("torch.npz", "torch")):
        found[name] = converted(stack, name, to).files[name]
    found["legacy.h5"], found["stack.weights.h5"] = _legacy(), _member(found["stack.keras"], "model.weights.h5")
    found["seed.json"] = (Path(__file__).parent.parent / "examples" / "seed.json").read_bytes()
    found["printed.txt"] = (
        b"[array([[-0.9, 1.0, -0.04]], dtype=float32), array([[0.2, 0.8, 0.3]]), array([[0.,0.,0.],[0.,0.,0.]])]"
    )
    found["tensors.txt"] = (
        b"OrderedDict([('weight_ih_l0', tensor([[-0.9], [1.0], [-0.04]])), ('weight_hh_l0', tensor([[0.2], [0.8], "
        b"[0.3]])), ('bias_ih_l0', tensor([0., 0., 0.])), ('bias_hh_l0', tensor([0., 0., 0.]))])"
    )
    flax = _npz_arrays(found["stack.npz"])
    try:
        import msgpack
    except ImportError:
        return found
    found["stack.msgpack"] = _msgpack(msgpack, flax)
    return found


def companions(name: str, files: dict[str, bytes]) -> dict[str, bytes]:
    """What has to lie beside a file: a configuration beside weights alone."""
    if not name.endswith(".weights.h5"):
        return {}
    return {"stack.json": _member(files["stack.keras"], "config.json")}


def _member(content: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(name)


def _npz_arrays(content: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content)) as data:
        return {key: data[key] for key in data.files}


def _msgpack(msgpack: object, arrays: dict[str, np.ndarray]) -> bytes:
    """As flax.serialization does: arrays are ext type 1, (shape, dtype's name, bytes)."""
    pack = msgpack.packb  # type: ignore[attr-defined]
    tree: dict[str, object] = {}
    for key, a in arrays.items():
        *path, last = key.split("/")
        node = tree
        for part in path:
            node = node.setdefault(part, {})  # type: ignore[assignment]
        node[last] = msgpack.ExtType(1, pack((a.shape, a.dtype.name, a.tobytes())))  # type: ignore[attr-defined]
    return pack({"params": tree})


def _legacy() -> bytes:
    """A .h5 file as Keras 2 saved it."""
    import h5py

    common = {"use_bias": True, "dtype": "float32"}
    gates = {"activation": "tanh", "recurrent_activation": "sigmoid", "reset_after": True, "return_sequences": False}
    gru = {"name": "gru", "units": 2, "batch_input_shape": [None, None, 3], **gates, **common}
    dense = {"name": "dense", "units": 1, "activation": "linear", **common}
    layers = [{"class_name": "GRU", "config": gru}, {"class_name": "Dense", "config": dense}]
    config = {"class_name": "Sequential", "config": {"name": "m", "layers": layers}}
    arrays = {
        "gru": {
            "gru/gru_cell/kernel:0": (3, 6),
            "gru/gru_cell/recurrent_kernel:0": (2, 6),
            "gru/gru_cell/bias:0": (2, 6),
        },
        "dense": {"dense/kernel:0": (2, 1), "dense/bias:0": (1,)},
    }
    buffer, rng = io.BytesIO(), np.random.default_rng(0)
    with h5py.File(buffer, "w") as file:
        file.attrs["model_config"], file.attrs["keras_version"] = json.dumps(config), "2.15.0"
        file.attrs["backend"] = "tensorflow"
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = [name.encode() for name in arrays]
        root.attrs["keras_version"], root.attrs["backend"] = "2.15.0", "tensorflow"
        for layer, weights in arrays.items():
            group = root.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in weights]
            for name, shape in weights.items():
                group.create_dataset(name, data=rng.normal(size=shape).astype(np.float32))
    return buffer.getvalue()


# Mutations -----------------------------------------------------------------------------------------------------------


def mutated(name: str, content: bytes, seed: int) -> bytes:
    """A file damaged in one to three ways, the same for the same seed."""
    rng = random.Random(f"{name} {seed}")
    ways: list[Callable[[random.Random, bytes], bytes]] = [_flipped, _flipped, _cut, _byte, _number, _moved, _spliced]
    if content.startswith(b"PK"):
        ways += [_zip] * 8
    if name.endswith((".json", ".txt")):
        ways += [_json] * 6
    if name.endswith(".safetensors"):
        ways += [_header] * 6
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        content = rng.choice(ways)(rng, content)
    return content


def _flipped(rng: random.Random, b: bytes) -> bytes:
    """One to eight bits turned, half of the time near the beginning or end, where the structure is."""
    a = bytearray(b)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if a:
            span = min(len(a), 600)
            at = rng.choice((rng.randrange(len(a)), rng.randrange(span), len(a) - 1 - rng.randrange(span)))
            a[at] ^= 1 << rng.randrange(8)
    return bytes(a)


def _cut(rng: random.Random, b: bytes) -> bytes:
    return b[: rng.randrange(len(b) + 1)] if rng.random() < 0.7 else b[rng.randrange(len(b) + 1) :]


def _byte(rng: random.Random, b: bytes) -> bytes:
    at = rng.randrange(len(b) + 1)
    return b[:at] + bytes([rng.choice((0, 255, 127, 128, rng.randrange(256)))]) + b[at + rng.randrange(2) :]


def _number(rng: random.Random, b: bytes) -> bytes:
    """A 2, 4 or 8 byte number set to an extreme."""
    size, form = rng.choice(((2, "<H"), (4, "<I"), (8, "<Q")))
    if len(b) <= size:
        return b
    at, top = rng.randrange(len(b) - size), 2 ** (8 * size) - 1
    return b[:at] + struct.pack(form, rng.choice((0, 1, top, top // 2, top // 2 + 1))) + b[at + size :]


def _moved(rng: random.Random, b: bytes) -> bytes:
    """A stretch once more elsewhere."""
    start = rng.randrange(len(b) + 1)
    piece, at = b[start : start + rng.randrange(200)], rng.randrange(len(b) + 1)
    return b[:at] + piece + b[at:]


def _spliced(rng: random.Random, b: bytes) -> bytes:
    start = rng.randrange(len(b) + 1)
    return b[:start] + b[start + rng.randrange(200) :]


def _zip(rng: random.Random, b: bytes) -> bytes:
    """Members damaged, renamed, dropped, doubled, made links, or compressed."""
    try:
        with zipfile.ZipFile(io.BytesIO(b)) as archive:
            members = [(info, archive.read(info)) for info in archive.infolist()]
    except Exception:
        return _flipped(rng, b)
    k = rng.randrange(len(members))
    out = io.BytesIO()
    way = rng.choice(("content", "content", "content", "rename", "drop", "double", "link", "deflate"))
    with (
        warnings.catch_warnings(action="ignore"),
        zipfile.ZipFile(out, "w") as archive,
    ):  # of names that are there twice
        for place, (info, content) in enumerate(members):
            new = zipfile.ZipInfo(info.filename, (1980, 1, 1, 0, 0, 0))
            if place == k:
                if way == "drop":
                    continue
                if way == "rename":
                    new.filename = rng.choice(("../" + info.filename, "/" + info.filename, info.filename.upper(), "x"))
                if way == "link":
                    new.external_attr = 0o120777 << 16
                if way == "content":
                    inner = _json if info.filename.endswith(".json") else rng.choice((_flipped, _cut, _number, _byte))
                    archive.writestr(new, inner(rng, content))
                    continue
                if way == "double":
                    archive.writestr(zipfile.ZipInfo(info.filename, (1980, 1, 1, 0, 0, 0)), b"")
            new.compress_type = zipfile.ZIP_DEFLATED if way == "deflate" else zipfile.ZIP_STORED
            archive.writestr(new, content)
    return out.getvalue()


def _json(rng: random.Random, b: bytes) -> bytes:
    """A value of the document exchanged, dropped, doubled or nested; or its text damaged."""
    try:
        data = json.loads(b)
    except (ValueError, RecursionError):
        return _flipped(rng, b)
    for _ in range(rng.choice((1, 1, 2, 4))):
        _edit(rng, data)
    text = json.dumps(data)
    if rng.random() < 0.05:
        text = text.replace("1", "NaN", 1) if rng.random() < 0.5 else "[" * 10_000 + text
    return text.encode()


def _edit(rng: random.Random, data: object) -> None:
    places = list(_places(data))
    if not places:
        return
    parent, key = rng.choice(places)
    way = rng.randrange(6)
    if way == 0 and isinstance(parent, dict):
        del parent[key]
    elif way == 1:
        parent[key] = [parent[key]]
    elif way == 2:
        other_parent, other = rng.choice(places)
        parent[key] = json.loads(json.dumps(other_parent[other]))
    elif way == 3 and isinstance(parent, dict):
        parent[rng.choice(("name", "units", "shape", "x" * 3000))] = parent[key]
    else:
        parent[key] = rng.choice(NASTY)


def _places(data: object) -> Iterator[tuple[object, object]]:
    if isinstance(data, dict | list):
        for key in data if isinstance(data, dict) else range(len(data)):
            yield data, key
            yield from _places(data[key])


def _header(rng: random.Random, b: bytes) -> bytes:
    """The JSON at the head of a .safetensors file edited, its length put right or not."""
    size = int.from_bytes(b[:8], "little")
    if size > len(b):
        return _flipped(rng, b)
    head = _json(rng, b[8 : 8 + size])
    return struct.pack("<Q", len(head) if rng.random() < 0.8 else size) + head + b[8 + size :]


# What becomes of them ------------------------------------------------------------------------------------------------


class Slow(BaseException):
    """The time is up. No reader catches it."""


@contextmanager
def limited(seconds: float | None = None) -> Iterator[None]:
    """Raise Slow after so many seconds, where the system has timers."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        raise Slow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS if seconds is None else seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def limit_memory(room: int = MEMORY) -> None:
    """No more than `room` bytes beyond what the process has now, where the system can hold it to that."""
    try:
        import resource
    except ImportError:
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    most = pages * os.sysconf("SC_PAGE_SIZE") + room
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def outcome(name: str, content: bytes, beside: dict[str, bytes]) -> str:
    """ "works", "refused", or what went wrong. The folder with the file must hold nothing else afterwards."""
    with tempfile.TemporaryDirectory(prefix="symgru-fuzz-") as folder:
        place = Path(folder) / "in"
        place.mkdir()
        for file, text in {**beside, name: content}.items():
            (place / file).write_bytes(text)
        before = {path.name for path in place.iterdir()}
        try:
            with limited():
                found = _used(place / name)
        except SymgruError as error:
            said = str(error)
            found = (
                "refused" if said and "\n" not in said and len(said) < 1000 else f"an error of several lines: {said!r}"
            )
        except Slow:
            found = "takes too long"
        except MemoryError:
            found = "takes too much memory"
        except Exception as error:
            found = f"{type(error).__name__}: {error}"[:200]
        left = {path.name for path in place.iterdir()} - before | {path.name for path in Path(folder).iterdir()} - {
            "in"
        }
    return f"leaves {sorted(left)}" if left else found


def _used(path: Path) -> str:
    """Load, show, run, emit."""
    from symgru.overview import overview
    from symgru.yardstick import example_inputs

    model = load(path)
    list(overview(model.network))
    if model.network.parameters < 10_000:
        with np.errstate(all="ignore"):
            model.outputs(list(example_inputs(model.network)))
        model.files("numpy")
    return "works"


def safe(name: str) -> str:
    return re.sub(r"[^\w.]", "_", name)
