"""The HDF5 reader against h5py, on files that h5py writes: sound, hostile and damaged ones."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from symgru.errors import SymgruError, UnusableInput
from symgru.readers import hdf5
from symgru.readers.hdf5 import source

Edit = Callable[[h5py.File], object]
KERNEL = np.arange(6, dtype=np.float32).reshape(2, 3) / 7
FORMATS = [("earliest", False), ("earliest", True), ("v108", False), ("v110", True), ("latest", False)]


@contextmanager
def in_order(track_order: bool) -> Iterator[None]:
    before = h5py.get_config().track_order
    h5py.get_config().track_order = track_order
    try:
        yield
    finally:
        h5py.get_config().track_order = before


def made(edit: Edit, libver: str = "earliest", track_order: bool = False, **options: Any) -> bytes:
    buffer = io.BytesIO()
    with in_order(track_order), h5py.File(buffer, "w", libver=libver, **options) as file:
        edit(file)
    return buffer.getvalue()


def model(file: h5py.File) -> None:
    """What Keras writes, many layers of it, and what it does not."""
    rng = np.random.default_rng(0)
    file.attrs["model_config"] = b"{" + b" " * 70_000 + b"}"
    file.attrs["épreuve"] = "σ" * 40
    file.attrs["count"] = 3
    file.attrs["nothing"] = h5py.Empty("f4")
    for k in range(70):
        group = file.create_group(f"layers/gru_{k}/cell/vars")
        group.attrs["name"] = f"gru_{k}" * (k % 5)
        group.attrs["weight_names"] = np.array([b"a/kernel:0", b"a/recurrent_kernel:0"][: k % 3 + 1])
        group.attrs["vlen"] = [f"n{k}", "", "é"]
        group.create_dataset("0", data=rng.normal(size=(2, k % 4, 3)).astype(["<f2", "<f4", ">f8", ">f4"][k % 4]))
        group.create_dataset("1", data=np.float32(k))
    for k in range(12):
        file["layers"].attrs[f"a{k}"] = f"text {k}"


def texts(value: Any) -> Any:
    """An h5py attribute as this reader gives it."""
    if isinstance(value, bytes | str):
        return value.decode() if isinstance(value, bytes) else value
    if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
        return [texts(item) for item in value.tolist()]
    return None


def compare(theirs: Any, ours: hdf5.Group) -> int:
    """How many datasets are the same in both."""
    assert sorted(theirs) == sorted(ours.names)
    assert dict(ours.attributes) == {name: texts(value) for name, value in theirs.attrs.items()}
    count = 0
    for name, item in theirs.items():
        found = ours.child(name)
        if isinstance(found, hdf5.Group):
            count += compare(item, found)
        else:
            values, expected = found.read(), item[()]
            assert values.dtype == np.asarray(expected).dtype.newbyteorder("=")
            np.testing.assert_array_equal(values, expected, strict=False)
            assert values.shape == expected.shape
            count += 1
    return count


@pytest.mark.parametrize(("libver", "track_order"), FORMATS)
def test_all_is_as_h5py_reads_it(libver: str, track_order: bool) -> None:
    content = made(model, libver, track_order)
    with h5py.File(io.BytesIO(content)) as theirs, hdf5.reading(content) as ours:
        assert compare(theirs, ours) == 140


@pytest.mark.parametrize(("libver", "count"), [("earliest", 700), ("latest", 9), ("latest", 700), ("v108", 6000)])
def test_groups_of_many_names(libver: str, count: int) -> None:
    """A symbol table of several nodes; a fractal heap whose root is one block, and of indirect blocks; deep B-trees."""

    def edit(file: h5py.File) -> None:
        target = file.create_dataset("d", data=KERNEL)
        for k in range(count):
            file[f"a name of some length, {k}"] = target

    with hdf5.reading(made(edit, libver)) as found:
        assert set(found.names) == {"d", *(f"a name of some length, {k}" for k in range(count))}
        np.testing.assert_array_equal(found.dataset(f"a name of some length, {count - 1}").read(), KERNEL)


def test_a_file_on_disk_and_a_block_of_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with h5py.File(path, "w", userblock_size=1024) as file:
        file["a/b"] = KERNEL
    for given in (path, path.read_bytes()):
        with hdf5.reading(given) as found:
            np.testing.assert_array_equal(found.dataset("a/b").read(), KERNEL)
            assert "a/b" in found
            assert "a/c" not in found
            assert "a/b/c" not in found


def replaced(**dataset: Any) -> Edit:
    return lambda file: file.create_dataset("g/k", **dataset)


def linked(link: Any) -> Edit:
    def edit(file: h5py.File) -> None:
        file.create_group("g")["k"] = link
        file["x"] = KERNEL

    return edit


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(shape=KERNEL.shape, dtype="f4")
    layout[:] = h5py.VirtualSource("decoy.h5", "x", shape=KERNEL.shape)
    file.create_virtual_dataset("g/k", layout)


def committed(file: h5py.File) -> None:
    file["named"] = np.dtype("f4")
    file.create_dataset("g/k", data=KERNEL, dtype=file["named"])


def odd_float(file: h5py.File) -> None:
    kind = h5py.h5t.IEEE_F32LE.copy()
    kind.set_ebias(100)
    space = h5py.h5s.create_simple((2, 3))
    h5py.h5d.create(file.create_group("g").id, b"k", kind, space).close()


HOSTILE: list[tuple[Edit, str]] = [
    (linked(h5py.ExternalLink("decoy.h5", "x")), "g/k in the weights file is a link"),
    (linked(h5py.SoftLink("/x")), "g/k in the weights file is a link"),
    (virtual, "is virtual"),
    (replaced(shape=(2, 3), dtype="f4", external=[("decoy.bin", 0, 24)]), "is external"),
    (replaced(data=KERNEL, compression="gzip"), "is compressed"),
    (replaced(data=KERNEL, fletcher32=True), "is compressed"),
    (replaced(shape=(2**15, 2**14), dtype="f8", compression="gzip", chunks=(2**15, 8)), "is compressed"),
    (replaced(data=KERNEL, chunks=(1, 3)), "stored in chunks"),
    (replaced(shape=(30_000, 90_000), dtype="f4"), "more than 16777216 numbers"),
    (replaced(shape=(0, 2**40), dtype="f4"), "more than 16777216 numbers"),
    (replaced(shape=(2, 3), dtype="f4"), "its data is missing"),
    (replaced(data=KERNEL.astype("i4")), "dtype int32"),
    (replaced(data=KERNEL.astype("u1")), "dtype uint8"),
    (replaced(data=KERNEL.astype("c8")), "dtype compound"),
    (replaced(data=KERNEL > 0), "dtype enumeration"),
    (replaced(data=KERNEL.astype("f8").astype(np.longdouble)), "dtype float of 16 bytes"),
    (replaced(data=np.array([b"a", b"b"])), "dtype text"),
    (replaced(data=np.array(["a", "b"], dtype=object), dtype=h5py.string_dtype()), "dtype text"),
    (replaced(data=np.zeros(2, "V3")), "dtype opaque"),
    (replaced(shape=(2,), dtype=h5py.ref_dtype), "dtype reference"),
    (replaced(data=h5py.Empty("f4")), "holds no data"),
    (committed, "named type"),
    (odd_float, "not IEEE 754"),
    (lambda file: file.create_group("g/k"), "g/k in the weights file is no dataset"),
    (lambda file: file.create_dataset("g", data=KERNEL), "g in the weights file is no group"),
    (lambda file: file.create_group("g"), "the weights file has no g/k"),
]


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize(("edit", "reason"), HOSTILE, ids=[f"{k}-{reason}" for k, (_, reason) in enumerate(HOSTILE)])
def test_what_keras_never_writes(
    edit: Edit, reason: str, libver: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decoys of the right shape lie where links and external storage point to."""
    monkeypatch.chdir(tmp_path)
    with h5py.File("decoy.h5", "w") as decoy:
        decoy["x"] = KERNEL
    Path("decoy.bin").write_bytes(KERNEL.tobytes())
    path = tmp_path / "m.h5"
    path.write_bytes(made(edit, libver))
    with pytest.raises(UnusableInput, match=reason) as error, hdf5.reading(path) as found:
        found.dataset("g/k").read()
    assert str(error.value).isprintable()


def test_an_external_file_beside_the_model_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The attack works on h5py, so that the test above shows something."""
    monkeypatch.chdir(tmp_path)
    with h5py.File("decoy.h5", "w") as decoy:
        decoy["x"] = KERNEL
    (tmp_path / "m.h5").write_bytes(made(linked(h5py.ExternalLink("decoy.h5", "x"))))
    with h5py.File("m.h5") as file:
        np.testing.assert_array_equal(file["g/k"][()], KERNEL)


def test_no_numbers_and_one_number() -> None:
    def edit(file: h5py.File) -> None:
        file["none"] = np.zeros((0, 3), "f4")
        file["one"] = np.float64(0.1)

    with hdf5.reading(made(edit)) as found:
        assert found.dataset("none").read().shape == (0, 3)
        assert found.dataset("one").read() == np.float64(0.1)


def test_a_group_in_itself_is_no_endless_walk() -> None:
    def edit(file: h5py.File) -> None:
        file["a"] = file["/"]
        file["k"] = KERNEL

    with hdf5.reading(made(edit)) as found:
        np.testing.assert_array_equal(found.dataset("a/" * 50 + "k").read(), KERNEL)
        with pytest.raises(UnusableInput, match="no end"):
            found.dataset("a/" * 200_000 + "k")


def test_many_datasets_may_not_hold_more_than_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_DATA", 100)
    with hdf5.reading(made(lambda file: file.__setitem__("k", KERNEL))) as found:
        for _ in range(4):
            found.dataset("k").read()
        with pytest.raises(UnusableInput, match="more than 100 bytes of weights"):
            found.dataset("k").read()


def test_texts_are_bounded() -> None:
    with hdf5.reading(made(lambda file: file.attrs.__setitem__("long", "x" * (2**24 + 1)))) as found:
        with pytest.raises(UnusableInput, match="a text of 16777217 bytes; at most 16777216"):
            assert found.attributes["long"]


def test_files_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with path.open("wb") as file:
        file.truncate(2**30 + 1)
    with pytest.raises(UnusableInput, match="at most 1073741824"), hdf5.reading(path):
        pass


@pytest.mark.parametrize("content", [b"", b"no HDF5", bytes(4096), b"PK\x03\x04" * 200])
def test_other_files(content: bytes) -> None:
    with pytest.raises(UnusableInput, match="not an HDF5 file"), hdf5.reading(content):
        pass


def test_a_structure_that_leads_back_into_itself() -> None:
    """A B-tree whose child is itself, a continuation block that names itself: loops to a reader that trusts them."""
    sound = made(lambda file: [file.create_group(f"g{k}") for k in range(100)])
    looped = bytearray(sound)
    tree = looped.index(b"TREE")
    looped[tree + 5] = 1
    looped[tree + 32 : tree + 40] = tree.to_bytes(8, "little")
    with hdf5.reading(bytes(looped)) as found, pytest.raises(UnusableInput, match="no tree"):
        assert found.names
    header = int.from_bytes(sound[64:72], "little")
    looped = bytearray(sound)
    block = (16).to_bytes(2, "little") + (16).to_bytes(2, "little") + bytes(4)
    looped[header + 16 : header + 40] = block + (header + 16).to_bytes(8, "little") + (24).to_bytes(8, "little")
    with pytest.raises(UnusableInput, match="more than 10000 messages"), hdf5.reading(bytes(looped)):
        pass


def visit(group: hdf5.Group, depth: int = 0) -> None:
    assert isinstance(dict(group.attributes), dict)
    for name, address in group.links.items():
        if address is None:
            continue
        found = group.child(name)
        if isinstance(found, hdf5.Dataset):
            found.read()
        elif depth < 5:
            visit(found, depth + 1)


def small(file: h5py.File) -> None:
    for k in range(9):
        group = file.create_group(f"layers/gru_{k}/vars")
        group.attrs["weight_names"] = ["a", "b"]
        group["0"] = KERNEL


ODD = [bytes(8), b"\xff" * 8, (2**63 - 1).to_bytes(8, "little"), (2**32).to_bytes(8, "little")]


@pytest.mark.parametrize(("libver", "track_order"), [("earliest", False), ("latest", True)])
def test_any_damage_ends_soon_and_in_a_message(libver: str, track_order: bool) -> None:
    chance, sound, messages = random.Random(7), made(small, libver, track_order), []
    longest = 0.0
    for _ in range(400):
        content = bytearray(sound)
        for _ in range(chance.choice([1, 1, 2, 6])):
            place = chance.randrange(len(content))
            odd = [*ODD, chance.randrange(len(content)).to_bytes(8, "little"), chance.randbytes(1), b"\1", b"\xff"]
            part = chance.choice(odd)
            content[place : place + len(part)] = part
        start = time.process_time()
        try:
            with hdf5.reading(bytes(content[: chance.choice([len(content)] * 9 + [place])])) as found:
                visit(found)
        except SymgruError as error:
            messages.append(str(error))
        longest = max(longest, time.process_time() - start)
    assert 50 < len(messages) < 400
    assert all(message.isprintable() and len(message) < 200 for message in messages)
    assert longest < 5
