"""What the numbers of a LoRA file are like, told without torch: damaged, or nothing but zeros."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from catalog.errors import UnreadableFile
from catalog.file_layers import file_layers
from catalog.header import Header
from catalog.plain_text import short_name
from catalog.silence import is_silent

DOES_NOTHING = "It does nothing: its factors are zeros, as before any training."

Condition = Literal["sound", "damaged", "zeros"]


@dataclass(frozen=True, slots=True)
class Contents:
    """`damaged` are the names of tensors with NaN or infinity in them, `zeros` of those with zeros alone;
    `sha256` is that of the whole file."""

    damaged: tuple[str, ...]
    zeros: frozenset[str]
    sha256: str


def look_inside(path: Path, header: Header) -> Contents:
    """Read the whole file once; UnreadableFile when that cannot be done. Whole numbers are passed over."""
    found: dict[str, Condition] = {}
    try:
        with path.open("rb") as file:
            digest = hashlib.sha256(file.read(header.data_start))
            for name, info in sorted(header.tensors.items(), key=lambda item: item[1].start):
                data = file.read(info.end - info.start)  # tensors follow each other without gaps
                digest.update(data)
                found[name] = condition(info.dtype, data)
    except (OSError, ValueError) as error:
        raise UnreadableFile(f"The file cannot be read: {error}.", "Check the disk.") from error
    damaged = tuple(name for name, how in found.items() if how == "damaged")
    zeros = frozenset(name for name, how in found.items() if how == "zeros")
    return Contents(damaged, zeros, digest.hexdigest())


def condition(dtype: str, data: Any) -> Condition:
    """What the stored numbers of one tensor are like; `dtype` as in the header."""
    if dtype not in _DAMAGED_FROM or not len(data):
        return "sound"
    kind, first_damaged = _DAMAGED_FROM[dtype]
    bits = np.frombuffer(data, kind)
    all_but_the_sign = bits.dtype.type((1 << (8 * bits.itemsize - 1)) - 1)
    largest = int((bits & all_but_the_sign).max())
    return "damaged" if largest >= first_damaged else "sound" if largest else "zeros"


def damage(contents: Contents) -> str:
    """One sentence about numbers that are not numbers, "" where all are sound."""
    return damaged_by(contents.damaged[0]) if contents.damaged else ""


def damaged_by(name: str) -> str:
    """Why a file with this tensor is refused."""
    return f"{short_name(name)} holds NaN or infinite numbers; the file is damaged."


def does_nothing(header: Header, contents: Contents) -> bool:
    """Whether every layer of the file adds nothing."""
    return is_silent(file_layers(header.tensors).layers.values(), contents.zeros)


_DAMAGED_FROM = {
    "F64": ("<u8", 0x7FF0_0000_0000_0000),
    "F32": ("<u4", 0x7F80_0000),
    "F16": ("<u2", 0x7C00),
    "BF16": ("<u2", 0x7F80),
    "F8_E4M3": ("u1", 0x7F),
    "F8_E5M2": ("u1", 0x7C),
}
"""Type → how to read its bits, and the first magnitude that is infinite or no number."""
