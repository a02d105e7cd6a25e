"""Flax' .msgpack decoded by hand: as the package msgpack packs it; damaged and hostile files are refused."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest

from symgru.errors import SymgruError, UnusableInput
from symgru.readers import msgpack_file, read
from tests.conftest import need_package

SCALARS = [
    None,
    True,
    False,
    0,
    1,
    127,
    128,
    255,
    256,
    65535,
    65536,
    2**32,
    2**63,
    -1,
    -32,
    -33,
    -129,
    -40000,
    -(2**40),
]
VALUES = [*SCALARS, 1.5, -2.25e300, "", "a", "x" * 31, "x" * 32, "γ" * 200, "y" * 70_000, b"", b"abc", b"z" * 70_000]
TREES = [
    [],
    [1, [2, "a"]],
    {},
    {"a": {"b": [1.0, None]}},
    list(range(20)),
    list(range(300)),
    {str(k): k for k in range(20)},
]


@pytest.mark.parametrize("value", [*VALUES, *TREES], ids=lambda v: repr(v)[:20])
def test_as_msgpack_packs_it(value) -> None:
    packed = need_package("msgpack").packb(value)
    assert msgpack_file.parse(packed) == value
    assert type(msgpack_file.parse(packed)) is type(value)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 8, 16, 300, 70_000])
def test_extensions(size: int) -> None:
    packed = need_package("msgpack").packb(need_package("msgpack").ExtType(5, b"q" * size))
    assert msgpack_file.parse(packed) == (5, b"q" * size)


def array(shape: bytes, dtype: bytes, data: bytes) -> bytes:
    """{"w": an array} with these msgpack bytes for its shape."""
    body = b"\x93" + shape + bytes([0xA0 + len(dtype)]) + dtype + b"\xc6" + struct.pack(">I", len(data)) + data
    return b"\x81\xa1w\xc9" + struct.pack(">I", len(body)) + b"\x01" + body


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x81", "truncated"),
        (b"\x80\x80", "1 bytes after its end"),
        (b"\x80", "there are 0 arrays"),
        (b"\x01", "no tree of parameters"),
        (b"\xc1", "0xc1, which begins no msgpack value"),
        (b"\xa1\xff", "not UTF-8"),
        (b"\x91" * 100 + b"\x01", "nested deeper than 32"),
        (b"\x81\xa1a" * 40 + b"\x01", "nested deeper than 32"),
        (b"\xdd\xff\xff\xff\xff" + b"\x01" * 20_000, "more than 10000 items"),
        (b"\xdd\xff\xff\xff\xff", "truncated"),
        (b"\xdf\xff\xff\xff\xff", "truncated"),
        (b"\xc6\xff\xff\xff\xff", "truncated"),
        (b"\xc9\xff\xff\xff\xff\x01", "truncated"),
        (b"\xcd\x01", "truncated"),
        (b"\x82\xa1a\x01\xa1a\x02", "the name 'a' twice"),
        (b"\x82\xa11\x01\x01\x02", "the name '1' twice"),
        (b"\x81\x90\x01", "a key that is no name"),
        (b"\x81\xa1a\xa1b", "'a' is no array"),
        (b"\x81\xb9__msgpack_chunked_array__\xc3", "an array in pieces"),
        (b"\x81\xa1a\xd4\x02\x00", "an extension of type 2; arrays of Flax have type 1"),
        (b"\x81\xa1a\xd4\x01\x01", "an extension of type 1"),
        (array(b"\x91\x03", b"float32", b"\0" * 11), "but 11 bytes"),
        (array(b"\x91\xcf\xff\xff\xff\xff\xff\xff\xff\xff", b"float32", b"\0" * 12), "but 12 bytes"),
        (array(b"\x92\xce\xff\xff\xff\xff\x00", b"float32", b""), "w is empty"),
        (array(b"\x91\xff", b"float32", b""), "is not .shape, dtype, bytes"),
        (array(b"\x91\x01", b"object", b"\0" * 8), "dtype object; real numbers are needed"),
        (array(b"\x91\x01", b"complex64", b"\0" * 8), "dtype complex64"),
        (array(b"\xa1x", b"float32", b"\0" * 4), "is not .shape, dtype, bytes"),
    ],
)
def test_what_is_refused(content: bytes, message: str, tmp_path) -> None:
    (tmp_path / "m.msgpack").write_bytes(content)
    with pytest.raises(SymgruError, match=message) as caught:
        read(tmp_path / "m.msgpack")
    assert str(caught.value).startswith("m.msgpack: ") and "\n" not in str(caught.value)


def flax_file() -> bytes:
    """A GRUCell's parameters as flax.serialization.to_bytes writes them, packed without Flax."""
    msgpack = need_package("msgpack")
    rng = np.random.default_rng(0)

    def packed(shape):
        a = rng.standard_normal(shape).astype("float32")
        return msgpack.ExtType(1, msgpack.packb((a.shape, a.dtype.name, a.tobytes()), use_bin_type=True))

    cell = {name: {"kernel": packed((2 if name[0] == "i" else 3, 3))} for name in ("ir", "iz", "in", "hr", "hz", "hn")}
    for name in ("ir", "iz", "in", "hn"):
        cell[name]["bias"] = packed((3,))
    return msgpack.packb({"params": {"GRUCell_0": cell}})


def test_mutated_files_are_read_or_refused(tmp_path) -> None:
    whole, rng = flax_file(), random.Random(0)
    path = tmp_path / "m.msgpack"
    path.write_bytes(whole)
    assert len(read(path).layers) == 1
    refused: list[str] = []
    for _ in range(400):
        content = bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(bytes(content[: rng.choice([len(content), rng.randrange(1, len(content))])]))
        try:
            read(path)
        except SymgruError as error:
            refused.append(str(error))
    assert len(refused) > 200
    assert not any("\n" in message for message in refused)


def test_a_path_that_is_none() -> None:
    with pytest.raises(UnusableInput, match=r"m.msgpack: no such file"):
        read("m.msgpack")
