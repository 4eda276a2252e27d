"""A safetensors header, checked before anything is believed: names, types, shapes and metadata, no weights."""

import json
import math
import stat
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from catalog.errors import UnreadableFile
from catalog.plain_text import short_name
from catalog.sniff import what_it_is

MOST_HEADER_BYTES = 25_000_000
MOST_TENSORS = 200_000
MOST_DIMENSIONS = 64
# what a list of that many tensors can need; more of them only cost time to parse
_MOST_MARKS = {b"{": MOST_TENSORS + 2, b"[": 2 * MOST_TENSORS, b",": 10 * MOST_TENSORS}
_MOST_QUOTES = 12 * MOST_TENSORS
_TOO_LONG = f"its list of contents is too long; {MOST_TENSORS:,} tensors are allowed"
_ZIP_END = b"PK\x05\x06"
_ZIP_END_BYTES = 22
_LONGEST_ZIP_COMMENT = 65_535
_MOST_ELEMENTS = 1 << 48

DTYPE_BYTES = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "I16": 2,
    "U16": 2,
    "F16": 2,
    "BF16": 2,
    "I32": 4,
    "U32": 4,
    "F32": 4,
    "I64": 8,
    "U64": 8,
    "F64": 8,
}


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """Type and shape of one tensor, and its bytes [start, end) counted from Header.data_start."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int

    @property
    def parameters(self) -> int:
        """How many numbers the tensor holds."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Header:
    """All that a safetensors file says about itself; `size` is that of the whole file."""

    tensors: Mapping[str, TensorInfo]
    metadata: dict[str, str]
    data_start: int
    size: int


def read_header(path: Path) -> Header:
    """The checked header of `path`; UnreadableFile says in one sentence what the file is instead."""
    try:
        # a pipe or a device would block or never end
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnreadableFile("This is not a file.", "Drop a .safetensors file or a folder of them.")
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            return _read(file, size)
    except FileNotFoundError as error:
        raise UnreadableFile("The file is not there.", "Check that the disk is connected.") from error
    except OSError as error:
        reason = error.strerror or "the disk reports an error"
        raise UnreadableFile(
            f"The file cannot be read: {reason}.", "Check the disk and its rights."
        ) from error


def parse_header(text: bytes, size: int) -> Header:
    """The header in the JSON `text` of a file of `size` bytes, every claim of it checked."""
    _check_marks(text)
    entries = _json(text)
    metadata = _metadata(entries.pop("__metadata__", {}))
    tensors = {name: _tensor(name, entry) for name, entry in entries.items()}
    if not tensors:
        raise UnreadableFile("The file contains no tensors.")
    start = 8 + len(text)
    _check_tiling(tensors, start, size)
    return Header(tensors, metadata, start, size)


def _read(file: BinaryIO, size: int) -> Header:
    first = file.read(9)
    length = int.from_bytes(first[:8], "little")
    if len(first) < 9 or not 1 < length <= MOST_HEADER_BYTES or first[8:] != b"{":
        raise UnreadableFile(what_it_is(first + file.read(65_536), size))
    if 8 + length > size:
        raise UnreadableFile(
            f"The download is incomplete: {size:,} bytes, and its list of contents alone needs {8 + length:,}."
        )
    header = parse_header(first[8:] + file.read(length - 1), size)
    if _ends_as_zip(file, size):
        _refuse("it is a zip archive at the same time, which other programs would open instead")
    return header


def _ends_as_zip(file: BinaryIO, size: int) -> bool:
    """Whether a zip archive ends where the file ends, so that its tensors hold one."""
    file.seek(max(0, size - _ZIP_END_BYTES - _LONGEST_ZIP_COMMENT))
    tail = file.read()
    place = tail.rfind(_ZIP_END)
    while place >= 0:
        comment = int.from_bytes(tail[place + 20 : place + _ZIP_END_BYTES], "little")
        if place + _ZIP_END_BYTES + comment == len(tail):
            return True
        place = tail.rfind(_ZIP_END, 0, place)
    return False


def _refuse(what: str) -> NoReturn:
    raise UnreadableFile(f"The file is damaged: {what}.")


def _check_marks(text: bytes) -> None:
    """Refuses, before parsing it, a text of more parts than any list of tensors has; strings may hold anything."""
    plain = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    if plain.count(b'"') > _MOST_QUOTES:
        _refuse(_TOO_LONG)
    outside = b"".join(plain.split(b'"')[::2])
    if any(outside.count(mark) > most for mark, most in _MOST_MARKS.items()):
        _refuse(_TOO_LONG)


def _json(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_no_duplicates,
            parse_int=_no_sign,
            parse_constant=lambda name: _refuse(f"{name} in its header"),
        )
    except (ValueError, RecursionError) as error:
        raise UnreadableFile("The file is damaged: its list of contents cannot be read.") from error
    if not isinstance(value, dict):
        _refuse("its header is no list of tensors")
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # json keeps the last of two equal keys: two programs could then see two different files
    found = dict(pairs)
    if len(found) != len(pairs):
        _refuse("a name occurs twice in its header")
    if any(not _is_text(key) for key in found):
        _refuse("a name in its header is not valid text")
    return found


def _no_sign(digits: str) -> int:
    if digits.startswith("-"):  # also “-0”, which safetensors refuses
        _refuse("a negative number in its header")
    return int(digits)


def _is_text(value: Any) -> bool:
    """A string that can be written as UTF-8; JSON escapes can hide halves of characters."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _metadata(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(_is_text(text) for text in value.values()):
        _refuse("its metadata is not plain text")
    return value


def _tensor(name: str, entry: Any) -> TensorInfo:
    shown = short_name(name)
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        _refuse(f"the entry of “{shown}” is incomplete")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPE_BYTES:
        raise UnreadableFile(
            f"“{shown}” is stored as {str(dtype)[:20]}, a number type that is not known here."
        )
    if not _are_numbers(shape) or len(shape) > MOST_DIMENSIONS:
        _refuse(f"“{shown}” has an impossible shape")
    if not _are_numbers(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        _refuse(f"“{shown}” has an impossible place")
    elements = 1
    for side in shape:
        elements *= side
        if max(side, elements) > _MOST_ELEMENTS:
            _refuse(f"“{shown}” has an impossible shape")
    if elements * DTYPE_BYTES[dtype] != offsets[1] - offsets[0]:
        _refuse(f"“{shown}” has a shape that does not fit its bytes")
    return TensorInfo(dtype, tuple(shape), offsets[0], offsets[1])


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int for item in value)


def _check_tiling(tensors: Mapping[str, TensorInfo], start: int, size: int) -> None:
    """Every byte after the header belongs to exactly one tensor: no holes, no overlaps, nothing appended."""
    reached = 0
    for info in sorted(tensors.values(), key=lambda info: (info.start, info.end)):
        if info.start != reached:
            _refuse("its tensors overlap or leave holes")
        reached = info.end
    if start + reached > size:
        raise UnreadableFile(f"The download is incomplete: {size:,} of {start + reached:,} bytes.")
    if start + reached < size:
        extra = size - start - reached
        _refuse(f"{extra:,} byte{' follows' if extra == 1 else 's follow'} its end")


def read_scalars(path: Path, header: Header, names: Iterable[str]) -> dict[str, float]:
    """The values of tensors that hold one number; others and unusual types are left out."""
    found: dict[str, float] = {}
    try:
        with path.open("rb") as file:
            for name in sorted(names, key=lambda name: header.tensors[name].start):
                info = header.tensors[name]
                if info.parameters == 1 and info.dtype in _SCALARS:
                    file.seek(header.data_start + info.start)
                    value = _scalar(file.read(info.end - info.start), info.dtype)
                    if value is not None:
                        found[name] = value
    except OSError as error:
        raise UnreadableFile(f"The file cannot be read: {error.strerror}.", "Check the disk.") from error
    return found


_FLOATS = {"F16": "<e", "BF16": "<f", "F32": "<f", "F64": "<d", "F8_E4M3": "B", "F8_E5M2": "<e"}
_WHOLE = {"I8": "b", "I16": "<h", "I32": "<i", "I64": "<q", "U8": "B", "U16": "<H", "U32": "<I", "U64": "<Q"}
_SCALARS = _FLOATS | _WHOLE


def _scalar(data: bytes, dtype: str) -> float | None:
    if len(data) != DTYPE_BYTES[dtype]:
        return None  # the file became shorter meanwhile
    # the upper half of a 32-bit and of a 16-bit number
    data = {"BF16": b"\0\0", "F8_E5M2": b"\0"}.get(dtype, b"") + data
    value = struct.unpack(_SCALARS[dtype], data)[0]
    return _e4m3(value) if dtype == "F8_E4M3" else float(value)


def _e4m3(bits: int) -> float:
    """Sign, 4 bits of exponent, 3 of fraction; without infinities."""
    sign, exponent, fraction = -1 if bits & 0x80 else 1, bits >> 3 & 15, (bits & 7) / 8
    if bits & 0x7F == 0x7F:
        return math.nan
    return sign * (fraction * 2**-6 if exponent == 0 else (1 + fraction) * 2.0 ** (exponent - 7))
