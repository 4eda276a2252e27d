"""GGUF headers are read without trust: every claim is checked, quickly and in little memory."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import UnreadableFile
from catalog.gguf import parse_gguf, read_any_header


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def note(name: str, value: str) -> bytes:
    return text(name) + struct.pack("<I", 8) + text(value)


def tensor(name: str, sides: tuple[int, ...], kind: int, offset: int) -> bytes:
    return text(name) + struct.pack(f"<I{len(sides)}QIQ", len(sides), *sides, kind, offset)


def gguf(notes: list[bytes], tensors: list[bytes], data: int, version: int = 3) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(notes)) + b"".join(notes + tensors)
    return head + b"\0" * (-len(head) % 32 + data)


SOUND = gguf(
    [note("general.architecture", "wan")], [tensor("a", (64, 3), 8, 0), tensor("b", (5,), 0, 224)], 244
)


def test_names_shapes_and_places_are_read() -> None:
    header = parse_gguf(SOUND, len(SOUND))
    assert header.metadata == {"general.architecture": "wan"}
    a, b = header.tensors["a"], header.tensors["b"]
    assert (a.dtype, a.shape, a.start, a.end) == ("Q8_0", (3, 64), 0, 204)
    assert (b.dtype, b.shape, b.start, b.end) == ("F32", (5,), 224, 244)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (SOUND[:-1], "download is incomplete: "),
        (SOUND[:30], "download is incomplete"),
        (gguf([], [tensor("a", (4,), 0, 0)], 16, version=1), "version 1"),
        (gguf([], [], 0), "no tensors"),
        (gguf([], [tensor("a", (4,), 0, 0)] * 2, 16), "one twice"),
        (gguf([], [tensor("a", (4,), 99, 0)], 16), "type .99."),
        (gguf([], [tensor("a", (33,), 8, 0)], 99), "impossible shape"),
        (gguf([], [tensor("a", (1 << 60, 1 << 60), 0, 0)], 16), "impossible shape"),
        (
            gguf([text("general.alignment") + struct.pack("<II", 4, 0)], [tensor("a", (4,), 0, 0)], 16),
            "alignment",
        ),
        (gguf([text("x") + struct.pack("<I", 77)], [tensor("a", (4,), 0, 0)], 16), "unknown kind"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0) + b"\0" * 99, "lists .* tensors"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + struct.pack("<Q", 1 << 63) + b"\0" * 99, "incomplete"),
        (gguf([text("x") + struct.pack("<IIQ", 9, 4, 1 << 62)], [tensor("a", (4,), 0, 0)], 16), "incomplete"),
        (
            gguf([text("x") + struct.pack("<IIQ", 9, 8, 1 << 62)], [tensor("a", (4,), 0, 0)], 16),
            "lists .* words",
        ),
    ],
)
def test_wrong_claims_are_refused(data: bytes, said: str) -> None:
    with pytest.raises(UnreadableFile, match=said):
        parse_gguf(data, len(data))


@settings(deadline=None)
@given(st.integers(0, len(SOUND) - 1), st.integers(0, 255))
def test_a_changed_byte_never_does_more_than_refuse(place: int, value: int) -> None:
    data = SOUND[:place] + bytes([value]) + SOUND[place + 1 :]
    try:
        header = parse_gguf(data, len(data))
    except UnreadableFile:
        return
    assert all(
        0 <= info.start <= info.end <= len(data) - header.data_start for info in header.tensors.values()
    )


def test_files_are_told_apart_by_their_content(tmp_path: Path) -> None:
    path = tmp_path / "named.safetensors"
    path.write_bytes(SOUND)
    assert set(read_any_header(path).tensors) == {"a", "b"}
    with pytest.raises(UnreadableFile, match="not there"):
        read_any_header(tmp_path / "gone.gguf")
