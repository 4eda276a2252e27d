"""The header of a GGUF file as a Header, every claim of it checked before anything is believed."""

import struct
from collections.abc import Mapping
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

from catalog.errors import UnreadableFile
from catalog.header import MOST_DIMENSIONS, MOST_HEADER_BYTES, MOST_TENSORS, Header, TensorInfo, read_header

MAGIC = b"GGUF"
TYPES = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    20: ("IQ4_NL", 32, 18),
    23: ("IQ4_XS", 256, 136),
    30: ("BF16", 1, 2),
}
"""ggml's number of a type → its name, the values in one block, the bytes of one block."""

_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_ORIGINAL_SHAPE = "comfy.gguf.orig_shape."
_PATCHES, _PATCH = "patch_embedding.weight", (1, 2, 2)
_MOST_BYTES = 1 << 48


def read_any_header(path: Path) -> Header:
    """The checked header of a safetensors or GGUF file; UnreadableFile says what it is instead."""
    if not is_gguf(path):
        return read_header(path)
    try:
        with path.open("rb") as file:
            return parse_gguf(file.read(MOST_HEADER_BYTES), path.stat().st_size)
    except OSError as error:
        raise UnreadableFile(f"The file cannot be read: {error.strerror}.", "Check the disk.") from error


def is_gguf(path: Path) -> bool:
    """Whether a file begins as GGUF files do; False also for one that cannot be read."""
    try:
        if not path.is_file():  # a pipe would block
            return False
        with path.open("rb") as file:
            return file.read(4) == MAGIC
    except OSError:
        return False


def parse_gguf(data: bytes, size: int) -> Header:
    """The header at the beginning `data` of a GGUF file of `size` bytes; strings of its metadata are kept."""
    cursor = _Cursor(data, size)
    cursor.take(4)
    version, tensors, entries = cursor.number("I"), cursor.number("Q"), cursor.number("Q")
    if version not in (2, 3):
        raise UnreadableFile(f"This is a GGUF file of version {version}; versions 2 and 3 can be read.")
    cursor.check_count(tensors, MOST_TENSORS, "tensors")
    cursor.check_count(entries, MOST_TENSORS, "notes")
    notes = dict(cursor.note() for _ in range(entries))
    found = [cursor.tensor() for _ in range(tensors)]
    if not found or len({name for name, *_ in found}) != len(found):
        raise UnreadableFile("The file is damaged: it lists no tensors, or one twice.")
    start = _aligned(cursor.position, notes)
    tensor_infos = {name: _info(name, shape, kind, offset, notes) for name, shape, kind, offset in found}
    tensor_infos |= _unfolded(tensor_infos)
    end = start + max(info.end for info in tensor_infos.values())
    if end > size:
        raise UnreadableFile(f"The download is incomplete: {size:,} of {end:,} bytes.")
    metadata = {key: value for key, value in notes.items() if isinstance(value, str)}
    return Header(tensor_infos, metadata, start, size)


def _aligned(position: int, notes: dict[str, Any]) -> int:
    alignment = notes.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 0 < alignment <= 1 << 16:
        raise UnreadableFile("The file is damaged: it states an impossible alignment.")
    return -(-position // alignment) * alignment


def _info(name: str, shape: tuple[int, ...], kind: int, offset: int, notes: dict[str, Any]) -> TensorInfo:
    dtype, values, size = TYPES[kind]
    row = shape[-1] if shape else 1
    count = prod(shape)
    if row % values or count > _MOST_BYTES or offset > _MOST_BYTES:
        raise UnreadableFile(f"The file is damaged: “{name[:80]}” has an impossible shape.")
    original = notes.get(f"{_ORIGINAL_SHAPE}{name}")
    if isinstance(original, tuple) and prod(original) == count:
        shape = original
    return TensorInfo(dtype, shape, offset, offset + count // values * size)


def _unfolded(tensors: Mapping[str, TensorInfo]) -> dict[str, TensorInfo]:
    """Patch embeddings that some writers fold into the four dimensions of GGUF and say no shape of.

    Wan's are [width, channels, 1, 2, 2], and the bias tells the width.
    """
    found = {}
    for name, info in tensors.items():
        bias = tensors.get(f"{name.removesuffix('weight')}bias")
        if name.endswith(_PATCHES) and len(info.shape) != 5 and bias is not None and len(bias.shape) == 1:
            width, patch = bias.shape[0], prod(_PATCH)
            if width and info.parameters % (width * patch) == 0:
                found[name] = replace(info, shape=(width, info.parameters // (width * patch), *_PATCH))
    return found


class _Cursor:
    """Reads the parts of a header one after the other, never past its end."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data, self._size = data, size
        self.position = 0

    def take(self, length: int) -> bytes:
        end = self.position + length
        if end > len(self._data):
            if end > self._size:
                raise UnreadableFile(f"The download is incomplete: only {self._size:,} bytes of it are here.")
            raise UnreadableFile("The file is damaged: its list of contents does not end.")
        piece = self._data[self.position : end]
        self.position = end
        return piece

    def number(self, form: str) -> Any:
        return struct.unpack(f"<{form}", self.take(struct.calcsize(f"<{form}")))[0]

    def check_count(self, count: int, most: int, what: str) -> None:
        if count > most:
            raise UnreadableFile(f"The file is damaged: it lists {count:,} {what}; {most:,} are allowed.")

    def text(self) -> str:
        return self.take(self.number("Q")).decode("utf-8", "replace")

    def note(self) -> tuple[str, Any]:
        return self.text(), self._value(self.number("I"))

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.text()
        if kind in _NUMBERS:
            return self.number(_NUMBERS[kind])
        if kind != _ARRAY:
            raise UnreadableFile("The file is damaged: a note in it is of an unknown kind.")
        inner, count = self.number("I"), self.number("Q")
        if inner in _NUMBERS:
            data = self.take(count * struct.calcsize(f"<{_NUMBERS[inner]}"))
            return struct.unpack(f"<{count}{_NUMBERS[inner]}", data)
        self.check_count(count, len(self._data) // 8, "words")
        for _ in range(count):
            if inner != _STRING:
                raise UnreadableFile("The file is damaged: a note in it is of an unknown kind.")
            self.take(self.number("Q"))
        return None  # a vocabulary, which nobody here asks for

    def tensor(self) -> tuple[str, tuple[int, ...], int, int]:
        name, dimensions = self.text(), self.number("I")
        self.check_count(dimensions, MOST_DIMENSIONS, "dimensions")
        shape = tuple(reversed([self.number("Q") for _ in range(dimensions)]))
        kind, offset = self.number("I"), self.number("Q")
        if kind not in TYPES:
            raise UnreadableFile(f"“{name[:80]}” is stored in a GGUF type ({kind}) that cannot be read here.")
        return name, shape, kind, offset
