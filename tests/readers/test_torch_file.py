"""What torch.save wrote, and what pretends to be: no code runs, every damage is one line."""

from __future__ import annotations

import os
import pickle
import random
import time
from pathlib import Path

import numpy as np
import pytest

from symgru import load
from symgru.errors import SymgruError, Unsupported, UnusableInput
from symgru.readers import read
from tests.readers import torch_by_hand as hand

ARRAYS = hand.arrays()


def weights(path: Path, architecture: object = None) -> dict[str, np.ndarray]:
    (layer,) = (layer for layer in read(path, architecture).layers.values() if layer.kind == "gru")  # type: ignore[arg-type]
    return {name: tensor.value for name, tensor in layer.weights.items()}


def expected(given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rows r, z, n: torch/nn/modules/rnn.py."""
    found = {}
    for array, letter in (("weight_ih_l0", "W"), ("weight_hh_l0", "U"), ("bias_ih_l0", "b"), ("bias_hh_l0", "c")):
        for k, gate in enumerate("rzn"):
            found[f"{letter}_{gate}"] = given[array][2 * k : 2 * k + 2]
    return found


def same(found: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> bool:
    return set(found) == set(right) and all(np.array_equal(found[name], right[name]) for name in right)


def refused(path: Path, match: str, architecture: object = None, kind: type[SymgruError] = SymgruError) -> str:
    start = time.process_time()
    with pytest.raises(kind, match=match) as error:
        load(path, architecture)  # type: ignore[arg-type]
    assert time.process_time() - start < 5
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 1000
    return str(error.value)


def test_a_file_made_by_hand(tmp_path: Path) -> None:
    found = weights(hand.write(tmp_path, hand.file_of(ARRAYS)))
    assert same(found, expected(ARRAYS))
    assert all(a.dtype == np.float32 for a in found.values())


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("little", [True, False])
def test_the_form_before_1_6(tmp_path: Path, dtype: str, little: bool) -> None:
    given = hand.arrays(dtype=dtype)
    parts = {
        name: hand.tensor(f"{k}0", a.shape, count=a.size, storage=hand.STORAGES[dtype])
        for k, (name, a) in enumerate(given.items())
    }
    stored = {f"{k}0": a.astype(a.dtype.newbyteorder("<" if little else ">")) for k, a in enumerate(given.values())}
    found = weights(hand.write(tmp_path, hand.legacy(hand.pickled(parts), stored, little), "net.pth"))
    assert same(
        found, expected({name: a.astype("float32" if dtype == "float16" else dtype) for name, a in given.items()})
    )


def test_tensors_share_a_storage_and_are_not_contiguous(tmp_path: Path) -> None:
    """weight_ih lies transposed, weight_hh in every second number, both biases are one stretch of stride 0."""
    flat = np.arange(100, dtype=np.float32) / 64
    parts = {
        "weight_ih_l0": hand.tensor("a", (6, 3), count=100, stride=(1, 6), offset=5),
        "weight_hh_l0": hand.tensor("a", (6, 2), count=100, stride=(4, 2), offset=30),
        "bias_ih_l0": hand.tensor("a", (6,), count=100, stride=(0,), offset=99),
        "bias_hh_l0": hand.tensor("a", (6,), count=100, stride=(0,), offset=99),
    }
    found = weights(hand.write(tmp_path, hand.zipped(hand.pickled(parts), {"a": flat.tobytes()})))
    right = {
        "weight_ih_l0": flat[5:23].reshape(3, 6).T,
        "weight_hh_l0": flat[30:54:2].reshape(6, 2),
        "bias_ih_l0": np.full(6, flat[99]),
        "bias_hh_l0": np.full(6, flat[99]),
    }
    assert same(found, expected(right))


def test_big_endian(tmp_path: Path) -> None:
    parts = {name: hand.tensor(name, a.shape, count=a.size) for name, a in ARRAYS.items()}
    stored = {name: a.astype(">f4").tobytes() for name, a in ARRAYS.items()}
    path = hand.write(tmp_path, hand.zipped(hand.pickled(parts), stored, {"net/byteorder": b"big"}))
    assert same(weights(path), expected(ARRAYS))
    refused(hand.write(tmp_path, hand.zipped(hand.pickled(parts), stored, {"net/byteorder": b"odd"})), "byteorder")


def test_half_precision_is_held_exactly_and_said(tmp_path: Path) -> None:
    given = hand.arrays(dtype="float32")
    rounded = {name: (a.view(np.uint32) & 0xFFFF0000).view(np.float32) for name, a in given.items()}
    parts = {name: hand.tensor(name, a.shape, count=a.size, storage="BFloat16Storage") for name, a in given.items()}
    stored = {name: (a.view(np.uint32) >> 16).astype("<u2").tobytes() for name, a in rounded.items()}
    path = hand.write(tmp_path, hand.zipped(hand.pickled(parts), stored))
    assert same(weights(path), expected(rounded))
    assert "bfloat16" in " ".join(read(path).notes)


def checkpoint(**entries: bytes) -> bytes:
    return b"\x80\x02}(" + b"".join(hand.text(name) + value for name, value in entries.items()) + b"u."


def test_a_checkpoint(tmp_path: Path) -> None:
    parts = {name: hand.tensor(name, a.shape, count=a.size) for name, a in ARRAYS.items()}
    inner = hand.pickled(parts)[2:-1]
    stored = {name: a.tobytes() for name, a in ARRAYS.items()}
    one = checkpoint(
        epoch=hand.number(3), model=inner, tag=b"N", optimizer=b"}(" + hand.text("lr") + b"G" + bytes(8) + b"u"
    )
    path = hand.write(tmp_path, hand.zipped(one, stored))
    assert same(weights(path), expected(ARRAYS))
    assert "checkpoint; the weights under 'model' are read" in read(path).notes[0]
    two = hand.write(tmp_path, hand.zipped(checkpoint(model=inner, ema=inner), stored), "two.pt")
    refused(two, "several state_dicts, model, ema; say which")
    assert same(weights(two, {"state_dict": "ema"}), expected(ARRAYS))
    refused(two, "no state_dict under 'best'", {"state_dict": "best"})


# hostile pickles


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch pwned",)


@pytest.mark.parametrize("protocol", range(6))
def test_no_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int) -> None:
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps({"weight_ih_l0": Evil()}, protocol)
    refused(hand.write(tmp_path, hand.zipped(data)), r"names (posix|nt)\.system, .*state_dict")
    refused(hand.write(tmp_path, data, "bare.pth"), "is not|names|is a pickle")
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"\x80\x02c__builtin__\neval\n(X\x01\x00\x00\x00atR.", "names __builtin__.eval"),
        (b"\x80\x04\x8c\x08builtins\x8c\x04exec\x93.", "names builtins.exec"),
        (b"\x80\x02cnumpy.core.multiarray\nscalar\n.", "names numpy.core.multiarray.scalar"),
        (b"\x80\x02ctorch._utils\n_rebuild_qtensor\n.", "_rebuild_qtensor"),
        (b"\x80\x02ctorch.nn.modules.rnn\nGRU\n.", "a pickled module, torch.nn.modules.rnn.GRU.*state_dict"),
        (b"\x80\x02c__main__\nNet\n.", "names __main__.Net"),
        (b"\x80\x02c\x00\x1b[31m\na\nb\n.", r"names \\x00\\x1b"),
        (b"\x80\x02ios\nsystem\n.", "instruction b'i'"),
        (b"\x80\x02(ctorch\nSize\no.", "instruction b'o'"),
        (b"\x80\x02ctorch\nSize\n)\x81.", r"instruction b'\\x81'"),
        (b"\x80\x02\x82\x01.", r"instruction b'\\x82'"),
        (b"\x80\x04\x8e\x00\x00\x00\x00\x00\x00\x00\x40.", r"instruction b'\\x8e'"),
        (b"\x80\x09.", "protocol is 9"),
        (b"\x80\x02", "ends in the middle"),
        (b"\x80\x02.", "stack is empty"),
        (b"\x80\x02(.", "mark is taken for a value"),
        (b"\x80\x02t.", "a mark lacks"),
        (b"\x80\x02h\x07.", "memo"),
        (b"\x80\x02}X\xff\xff\xff\x7f", "ends in the middle"),
        (b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.", "middle of a frame"),
        (b"\x80\x02]}a.", "holds no state_dict"),
        (b"\x80\x02}.", "holds no tensors"),
        (b"\x80\x02}(K\x01u.", "key without a value"),
        (b"\x80\x02}]K\x01s.", "neither a text nor a number"),
        (b"\x80\x02ccollections\nOrderedDict\nK\x01R.", "arguments are no tuple"),
        (b"\x80\x02ctorch\nfloat32\n)R.", "torch.float32 is called"),
        (b"\x80\x02K\x01}b.", "attributes are given"),
        (b"\x80\x02(X\x06\x00\x00\x00moduletQ.", "no storage"),
        (b"\x80\x02X\x01\x00\x00\x00\xff.", "not UTF-8"),
        (b"c" + b"a" * 10000, "has no end"),
    ],
)
def test_pickles_that_are_more_than_weights_or_damaged(tmp_path: Path, data: bytes, match: str) -> None:
    refused(hand.write(tmp_path, hand.zipped(data)), match)


def test_pickles_that_grow(tmp_path: Path) -> None:
    """Nesting, a memo that doubles, one tuple copied again and again, endless instructions."""
    deep = b"\x80\x02" + b"]" * 400_000 + b"a" * 399_999 + b"."
    refused(hand.write(tmp_path, hand.zipped(deep)), "holds no state_dict")
    tuples = b"\x80\x02)" + b"\x85" * 500_000 + b"."
    refused(hand.write(tmp_path, hand.zipped(tuples)), "holds no state_dict")
    doubling = (
        b"\x80\x02]q\x00"
        + b"".join(b"h" + bytes([k]) + b"h" + bytes([k]) + b"\x86q" + bytes([k + 1]) for k in range(60))
        + b"."
    )
    refused(hand.write(tmp_path, hand.zipped(doubling)), "holds no state_dict")
    cyclic = b"\x80\x02}q\x00" + hand.text("a") + b"h\x00s."
    refused(hand.write(tmp_path, hand.zipped(cyclic)), "holds no tensors")
    pairs = b"\x80\x02](" + (hand.text("a") + b"N\x86") * 1000 + b"e\x85q\x01ccollections\nOrderedDict\nq\x02"
    copies = pairs + b"h\x02h\x01R0" * 100_000 + b"}."
    refused(hand.write(tmp_path, hand.zipped(copies)), "more than 1000000 instructions")
    endless = b"\x80\x02" + b"N0" * 1_500_000 + b"}."
    refused(hand.write(tmp_path, hand.zipped(endless)), "more than 1000000 instructions")


FULL = 18 * 4


@pytest.mark.parametrize(
    ("tensor", "match"),
    [
        (hand.tensor("0", (6, 3), count=18, stride=(3, 2)), "reaches number 20 of a storage that has 18"),
        (hand.tensor("0", (6, 3), count=18, offset=1), "reaches number 19"),
        (hand.tensor("0", (6, 3), count=18, offset=-1), "not described"),
        (hand.tensor("0", (6, 3), count=18, stride=(-3, 1)), "stride is no tuple"),
        (hand.tensor("0", (6, -3), count=18), "shape is no tuple"),
        (hand.tensor("0", (6, 3), count=18, stride=(3,)), "not as many strides"),
        (hand.tensor("0", (6, 3), count=18, stride=(2**62, 1)), "reaches number"),
        (hand.tensor("0", (6, 3), count=18, offset=2**62), "reaches number"),
        (hand.tensor("0", (6, 3), count=2**62), "bytes is more than is read"),
        (hand.tensor("0", (6, 3), count=10**6), "holds 72 bytes; 4000000 are declared"),
        (hand.tensor("0", (2**40, 3), count=18, stride=(0, 0)), "from 1 to 16777216 numbers|row"),
        (hand.tensor("0", (3 * 2**30, 3), count=18, stride=(0, 0)), "rows|numbers"),
        (hand.tensor("0", (1,) * 9, count=18), "at most 8"),
        (hand.tensor("0", (6, 0), count=18), "must have two axes|shape"),
        (hand.tensor("0", (6, 3), count=18, storage="LongStorage"), "dtype int64"),
        (hand.tensor("0", (6, 3), count=18, storage="EvilStorage"), "names torch.EvilStorage"),
        (hand.tensor("../../../etc/passwd", (6, 3), count=18), "the zip has no net/data/"),
        (hand.tensor("9", (6, 3), count=18), "the zip has no net/data/9"),
        (b"K\x07", "has no GRU|weight_ih"),
    ],
)
def test_tensors_that_cannot_be(tmp_path: Path, tensor: bytes, match: str) -> None:
    parts = {name: hand.tensor(name, a.shape, count=a.size) for name, a in ARRAYS.items()}
    stored = {name: a.tobytes() for name, a in ARRAYS.items()} | {"0": bytes(FULL)}
    refused(hand.write(tmp_path, hand.zipped(hand.pickled({**parts, "weight_ih_l0": tensor}), stored)), match)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite(tmp_path: Path, value: float) -> None:
    given = {name: a.copy() for name, a in ARRAYS.items()}
    given["bias_hh_l0"][3] = value
    refused(hand.write(tmp_path, hand.file_of(given)), r"bias_hh_l0 holds -?(nan|inf) at \[3\]", kind=UnusableInput)


def test_torchscript_and_what_is_no_file_of_torch(tmp_path: Path) -> None:
    data = hand.pickled({})
    refused(hand.write(tmp_path, hand.zipped(data, more={"net/constants.pkl": b"."})), "TorchScript", kind=Unsupported)
    refused(hand.write(tmp_path, hand.zipped(data, more={"net/code/a.py": b""})), "TorchScript", kind=Unsupported)
    refused(hand.write(tmp_path, hand.zipped(data, more={"other/a": b""})), "2 folders where one is")
    refused(hand.write(tmp_path, b"hello"), "is not a file that torch.save wrote")
    refused(hand.write(tmp_path, b""), "empty")
    refused(hand.write(tmp_path, pickle.dumps({"a": 1}, 2)), "is a pickle, but not")
    refused(hand.write(tmp_path, hand.legacy(data, {"0": ARRAYS["bias_ih_l0"]}), "net.pth"), "that no tensor uses")


def test_the_old_form_is_bounded_too(tmp_path: Path) -> None:
    parts = {"weight_ih_l0": hand.tensor("0", (6, 3), count=18), "weight_hh_l0": hand.tensor("1", (6, 2), count=12)}
    right = {"0": ARRAYS["weight_ih_l0"], "1": ARRAYS["weight_hh_l0"]}
    sound = hand.legacy(hand.pickled(parts), right)
    assert len(weights(hand.write(tmp_path, sound, "net.pth"))) == 6
    refused(hand.write(tmp_path, sound[:-4], "net.pth"), "holds 44 bytes; 48 are declared")
    refused(hand.write(tmp_path, hand.legacy(hand.pickled(parts), {"0": right["0"]}), "net.pth"), "lacks the storage 1")
    moved = hand.legacy(hand.pickled(parts), {"0": right["1"], "1": right["0"]})
    refused(hand.write(tmp_path, moved, "net.pth"), "storage 0 is not where it should be")


@pytest.mark.parametrize("form", ["pt", "pth", "safetensors"])
def test_any_damage_ends_in_a_message(tmp_path: Path, form: str) -> None:
    """Bytes exchanged, cut off, doubled: what is still read is a network, all else one line."""
    parts = {name: hand.tensor(name, a.shape, count=a.size) for name, a in ARRAYS.items()}
    sound = {
        "pt": hand.file_of(ARRAYS),
        "pth": hand.legacy(hand.pickled(parts), ARRAYS),
        "safetensors": hand.safetensors(ARRAYS),
    }[form]
    chance, read_well, messages = random.Random(form), 0, []
    for _ in range(500):
        content = bytearray(sound)
        for _ in range(chance.choice([1, 1, 2, 8])):
            place = chance.randrange(len(content))
            kind = chance.randrange(4)
            if kind == 0:
                content[place] ^= 1 << chance.randrange(8)
            elif kind == 1:
                content[place] = chance.choice([0, 255, ord("."), ord("R"), ord("(")])
            elif kind == 2:
                del content[place : place + chance.randrange(1, 20)]
            else:
                content[place:place] = content[place : place + chance.randrange(1, 20)]
            content = content or bytearray(b"\0")
        try:
            load(hand.write(tmp_path, bytes(content), f"net.{form}"))
            read_well += 1
        except SymgruError as error:
            messages.append(str(error))
    assert len(messages) > 100
    assert read_well + len(messages) == 500
    assert all(message.isprintable() for message in messages)
