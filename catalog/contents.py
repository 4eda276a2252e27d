"""What the numbers of a LoRA file are like, told without torch: damaged, or nothing but zeros."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UnreadableFile
from catalog.file_layers import file_layers
from catalog.header import Header
from catalog.silence import is_silent

DOES_NOTHING = "It does nothing: its factors are zeros, as before any training."

Numbers = NDArray[Any]
_Look = Callable[[Numbers], tuple[bool, bool]]


@dataclass(frozen=True, slots=True)
class Contents:
    """`damaged` are the names of tensors with NaN or infinity in them, `zeros` of those with zeros alone."""

    damaged: tuple[str, ...]
    zeros: frozenset[str]


def look_inside(path: Path, header: Header) -> Contents:
    """Read every tensor once; UnreadableFile when that cannot be done. Whole numbers are passed over."""
    damaged, zeros = [], []
    try:
        with path.open("rb") as file:
            for name, info in sorted(header.tensors.items(), key=lambda item: item[1].start):
                if info.dtype in _KINDS and info.parameters:
                    stored, look = _KINDS[info.dtype]
                    file.seek(header.data_start + info.start)
                    is_sound, is_zero = look(np.frombuffer(file.read(info.end - info.start), stored))
                    damaged += [] if is_sound else [name]
                    zeros += [name] if is_zero else []
    except (OSError, ValueError) as error:
        raise UnreadableFile(f"The file cannot be read: {error}.", "Check the disk.") from error
    return Contents(tuple(damaged), frozenset(zeros))


def damage(contents: Contents) -> str:
    """One sentence about numbers that are not numbers, "" where all are sound."""
    if not contents.damaged:
        return ""
    return f"{contents.damaged[0]} holds NaN or infinite numbers; the file is damaged."


def does_nothing(header: Header, contents: Contents) -> bool:
    """Whether every layer of the file adds nothing."""
    return is_silent(file_layers(header.tensors).layers.values(), contents.zeros)


def _floats(numbers: Numbers) -> tuple[bool, bool]:
    return bool(np.isfinite(numbers).all()), not numbers.any()


def _bits(exponent: int, magnitude: int) -> _Look:
    """For types that numpy lacks: `exponent` are the bits that NaN and infinity set, without the sign."""

    def look(numbers: Numbers) -> tuple[bool, bool]:
        return not np.any((numbers & exponent) == exponent), not np.any(numbers & magnitude)

    return look


_KINDS: dict[str, tuple[str, _Look]] = {
    "F64": ("<f8", _floats),
    "F32": ("<f4", _floats),
    "F16": ("<f2", _floats),
    "BF16": ("<u2", _bits(0x7F80, 0x7FFF)),
    "F8_E4M3": ("u1", _bits(0x7F, 0x7F)),
    "F8_E5M2": ("u1", _bits(0x7C, 0x7F)),
}
