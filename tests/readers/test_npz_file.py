"""NumPy's .npz without numpy.load: what numpy.save writes is read, what could run code or fill the memory refused."""

from __future__ import annotations

import io
import pickle
import zipfile

import numpy as np
import pytest

from symgru.errors import UnusableInput
from symgru.face import load
from symgru.readers import npy, read

KERNEL, RECURRENT, BIAS = np.ones((2, 9)), np.ones((3, 9)), np.ones((2, 9))


def saved(array: np.ndarray, version: tuple[int, int] | None = None) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asanyarray(array), version)
    return stream.getvalue()


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4", ">f8", "<i4", ">i8", "|i1", "|u1", "<u2"])
@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (3, 1, 2)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_what_numpy_saves(dtype: str, shape: tuple[int, ...], order: str) -> None:
    array = np.asarray(np.arange(np.prod(shape)).reshape(shape), dtype, order=order)
    for version in ((1, 0), (2, 0), (3, 0)):
        found = npy.parse(saved(array, version), "a")
        assert isinstance(found, np.ndarray)
        assert found.dtype == array.dtype.newbyteorder("=") and np.array_equal(found, array)


@pytest.mark.parametrize("text", ["torch", "", "γ", '{"gates": "rzn"}'])
def test_a_text(text: str) -> None:
    assert npy.parse(saved(np.array(text)), "a") == text
    assert npy.parse(saved(np.array([text])), "a") == text


def with_header(header: str, data: bytes = b"", size: int | None = None) -> bytes:
    raw = header.encode("latin-1")
    return b"\x93NUMPY\x01\x00" + (len(raw) if size is None else size).to_bytes(2, "little") + raw + data


GOOD = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"


class Trap:
    def __reduce__(self):
        return exec, ("raise SystemExit('a pickle was run')",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not in NumPy's format"),
        (b"\x93NUMPY", "not in NumPy's format"),
        (b"\x93NUMPY\x09\x00" + b"\0" * 20, "not in NumPy's format"),
        (with_header(GOOD, b"", 60_000), "header of 60000 bytes"),
        (with_header(GOOD, b"", 900), "header of 900 bytes"),
        (with_header(GOOD, b"\0" * 23), r"shape \(2, 3\) but 23 bytes; 24 are needed"),
        (with_header(GOOD, b"\0" * 25), "but 25 bytes"),
        (with_header(GOOD.replace("2, 3", "999999999999, 999999999999")), "at most 16777216 numbers"),
        (with_header(GOOD.replace("2, 3", "-2, 3")), "no plain array of numbers"),
        (with_header(GOOD.replace("(2, 3)", "__import__('os').system('touch x')")), "no plain array of numbers"),
        (with_header(GOOD.replace("'<f4'", "[('a', '<f4')]")), "no plain array of numbers"),
        (with_header("{" + "(" * 3000), "no plain array of numbers"),
        (with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (" + "1" * 3000 + "!"), "no plain array"),
        (with_header(GOOD.replace("2, 3", "1, " * 40)), "at most"),
        (saved(np.ones(2, complex)), "dtype c16; real numbers are needed"),
        (saved(np.ones(2, bool)), "dtype b1"),
        (saved(np.array(["ab", "cd"])), "dtype U2"),
        (saved(np.array(b"ab")), "dtype S2"),
        (saved(np.zeros(2, "V2")), "dtype V2"),
        (with_header("{'descr': '|O', 'fortran_order': False, 'shape': (), }", pickle.dumps(Trap())), "no plain array"),
        (with_header(GOOD.replace("<f4", "|O8"), pickle.dumps(Trap())), "never unpickled"),
        (with_header("{'descr': '<U2', 'fortran_order': False, 'shape': (), }", b"\xff" * 8), "is not a text"),
        (with_header("{'descr': '<U2', 'fortran_order': False, 'shape': (), }", b"a"), "holds 1 bytes"),
    ],
)  # fmt: skip
def test_what_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(UnusableInput, match=message) as caught:
        npy.parse(content, "a")
    assert "\n" not in str(caught.value)


def test_an_object_array_of_numpy_itself_is_not_unpickled(tmp_path) -> None:
    np.savez(tmp_path / "m.npz", a=np.array([Trap()], dtype=object))
    with pytest.raises(UnusableInput, match=r"m\.npz: a is no plain array of numbers"):
        read(tmp_path / "m.npz")


def test_get_weights_in_their_order(tmp_path) -> None:
    rng = np.random.default_rng(0)
    many = [rng.standard_normal(s).astype("float32") for s in [(2, 9), (3, 9), (2, 9)] + [(3, 9), (3, 9), (2, 9)] * 4]
    np.savez(tmp_path / "m.npz", *many)  # arr_10 sorts before arr_2
    found = load(tmp_path / "m.npz").network
    assert np.array_equal(found.layers["gru_5"].weights["W_z"].value, many[12][:, :3].T)


def test_the_convention_beside_the_arrays(tmp_path) -> None:
    arrays = {"kernel": KERNEL, "recurrent_kernel": RECURRENT}
    np.savez(tmp_path / "m.npz", convention="keras_before", **arrays)
    assert load(tmp_path / "m.npz").network.layers["keras_before"].options["reset_after"] is False
    np.savez(tmp_path / "m.npz", **arrays)
    with pytest.raises(UnusableInput, match="reset_after=True or Keras GRU, reset_after=False"):
        load(tmp_path / "m.npz")
    assert load(tmp_path / "m.npz", {"convention": "keras"}).network.layers["keras"].options["reset_after"] is True


def test_compressed_arrays(tmp_path) -> None:
    np.savez_compressed(tmp_path / "m.npz", kernel=KERNEL, recurrent_kernel=RECURRENT, bias=BIAS)
    assert load(tmp_path / "m.npz").network.parameters == 63


def test_other_members(tmp_path) -> None:
    np.savez(tmp_path / "m.npz", kernel=KERNEL, note="hello")
    with pytest.raises(UnusableInput, match="note is a text; the file may hold one, named convention"):
        read(tmp_path / "m.npz")
    with zipfile.ZipFile(tmp_path / "m.npz", "w") as file:
        file.writestr("run.py", "raise SystemExit")
    with pytest.raises(UnusableInput, match=r"the zip holds run.py; a .npz holds .npy files alone"):
        read(tmp_path / "m.npz")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "m.npz", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("kernel.npy", b"\0" * 2**26)
    with pytest.raises(UnusableInput, match="compressed more than 200 times"):
        read(tmp_path / "m.npz")
