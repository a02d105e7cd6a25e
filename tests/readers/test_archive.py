"""Zips built by hand, sound and hostile."""

from __future__ import annotations

import io
import random
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from symgru.errors import UnusableInput
from symgru.readers import archive
from symgru.readers.archive import Archive

LIMIT = 2**20


def packed(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in members:
            file.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., None]:
    def check(content: bytes, reason: str, name: str = "a.json") -> None:
        path = tmp_path / "bad.keras"
        path.write_bytes(content)
        with pytest.raises(UnusableInput, match=reason) as error, Archive(path) as found:
            found.read(name, LIMIT)
        assert str(error.value).isprintable()
        assert sorted(tmp_path.iterdir()) == [path]

    return check


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_read_by_name(tmp_path: Path, method: int) -> None:
    path = tmp_path / "good.zip"
    path.write_bytes(packed(("a.json", b"{}"), ("folder/", b""), ("folder/b", b"x" * 5000), method=method))
    with Archive(path) as found:
        assert found.names == ["a.json", "folder/", "folder/b"]
        assert found.read("a.json", LIMIT) == b"{}"
        assert found.read("folder/b", 5000) == b"x" * 5000
        with pytest.raises(UnusableInput, match="has 5000 bytes; at most 4999"):
            found.read("folder/b", 4999)
        with pytest.raises(UnusableInput, match=r"no \.\./a\.json: not a model"):
            found.read("../a.json", LIMIT)


@pytest.mark.parametrize(
    "name", ["../a.json", "x/../../a", "/etc/passwd", "..\\a", "C:\\a", "c:/a", "x/..", "\\\\host\\share\\a"]
)
def test_names_that_lead_out_of_the_zip(refused: Callable[..., None], name: str) -> None:
    refused(packed(("a.json", b"{}"), (name, b"")), "leads out of it")


def test_names_with_dots_inside_are_names(tmp_path: Path) -> None:
    path = tmp_path / "good.zip"
    path.write_bytes(packed(("a..b", b"1"), ("...", b"2"), ("x/..y", b"3")))
    with Archive(path) as found:
        assert found.read("x/..y", LIMIT) == b"3"


def test_a_symbolic_link(refused: Callable[..., None]) -> None:
    link = zipfile.ZipInfo("a.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    link.create_system = 3
    refused(packed((link, b"/etc/passwd")), "a.json in the zip is a symbolic link")


def test_one_name_twice(refused: Callable[..., None]) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        content = packed(("a.json", b"{}"), ("a.json", b"[]"))
    refused(content, "one name twice")


def test_bombs(refused: Callable[..., None]) -> None:
    refused(packed(("a.json", b" " * LIMIT), method=zipfile.ZIP_DEFLATED), "more than 200 times")
    refused(packed(("a.json", b" " * (LIMIT + 1))), f"has {LIMIT + 1} bytes")
    refused(packed(*((f"{k}", b"") for k in range(1001))), "more than 1000 members")
    refused(packed(("a.json", b" " * 5000), method=zipfile.ZIP_BZIP2), r"method 12\)")
    refused(packed(("a.json", b" " * 5000), method=zipfile.ZIP_LZMA), r"method 14\)")


def sizes(content: bytes, packed_size: int, size: int) -> bytes:
    """The zip with other sizes declared in its directory."""
    place = content.rindex(b"PK\x01\x02")
    return content[: place + 20] + struct.pack("<II", packed_size, size) + content[place + 28 :]


def test_declared_sizes_are_compared_with_the_real_ones(refused: Callable[..., None]) -> None:
    noise = random.Random(1).randbytes(3000)
    deflated = packed(("a.json", noise), method=zipfile.ZIP_DEFLATED)
    real = zipfile.ZipFile(io.BytesIO(deflated)).getinfo("a.json").compress_size
    refused(sizes(deflated, real, 4000), "declares 4000 bytes and has 3000")
    refused(sizes(deflated, real, 2000), "Bad CRC-32")
    refused(sizes(packed(("a.json", noise)), 10**6, 10**6), "more than the file's")
    refused(sizes(packed(("a.json", noise)), 2**32 - 2, 3000), "more than the file's")


def test_the_directory_is_bounded_before_it_is_read(
    refused: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = packed(*((f"{k}" * 30, b"") for k in range(100)))
    monkeypatch.setattr(archive, "MAX_DIRECTORY", 1000)
    refused(content, "directory is larger than 1000 bytes")


@pytest.mark.parametrize(
    ("size", "said", "reason"),
    [(2**40, None, "directory is larger"), (10, 0, "end is damaged"), (10, 2**62, "end is damaged")],
)
def test_the_zip64_form_is_bounded_too(refused: Callable[..., None], size: int, said: int | None, reason: str) -> None:
    body = packed(("a.json", b"{}"))[:-22]
    record = b"PK\x06\x06" + bytes(36) + size.to_bytes(8, "little") + bytes(8)
    locator = b"PK\x06\x07" + bytes(4) + (len(body) if said is None else said).to_bytes(8, "little") + bytes(4)
    refused(body + record + locator + b"PK\x05\x06" + bytes(18), reason)


def test_what_is_no_zip(refused: Callable[..., None]) -> None:
    sound = packed(("a.json", b'{"a": 1}'))
    refused(b"\x89HDF\r\n\x1a\n" + bytes(100), r"HDF5 file.*\.h5")
    refused(b"no zip", "not a zip")
    refused(sound[:-5], "truncated")
    refused(sound[:36] + b"[" + sound[37:], "Bad CRC-32|damaged")


def test_any_damage_ends_in_a_message(tmp_path: Path) -> None:
    chance, path, messages = random.Random(3), tmp_path / "bad.zip", []
    sound = packed(("a.json", b'{"a": 1}' * 20), ("b", bytes(200)), method=zipfile.ZIP_DEFLATED)
    for _ in range(400):
        content = bytearray(sound)
        for _ in range(chance.choice([1, 1, 3])):
            content[chance.randrange(len(content))] = chance.choice([0, 255, chance.randrange(256)])
        path.write_bytes(content[: chance.choice([len(content), len(content), chance.randrange(len(content))])])
        try:
            with Archive(path) as found:
                assert found.read("a.json", LIMIT) == b'{"a": 1}' * 20
        except UnusableInput as error:
            messages.append(str(error))
    assert 200 < len(messages) < 400
    assert all(message.isprintable() for message in messages)
