"""Files as tensors of their bytes, whose pages come from the disk when they are read and can be let go again."""

import mmap
import sys
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

_IS_MAPPED_HERE = sys.platform != "win32"
_NO_RESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000 if sys.platform == "linux" else 0)


@dataclass(frozen=True, slots=True)
class _Mapping:
    """Addresses [begin, end) of one file's pages, for as long as a tensor holds them."""

    begin: int
    end: int
    pages: "weakref.ref[mmap.mmap]"

    def pages_of(self, tensors: Iterable[Tensor]) -> Iterator[tuple[int, int]]:
        """Of those that lie in the file: bytes [start, stop) of it, from the beginning of a page on."""
        for tensor in tensors:
            if self.begin <= tensor.data_ptr() < self.end:
                start = tensor.data_ptr() - self.begin
                yield start - start % mmap.PAGESIZE, min(start + tensor.nbytes, self.end - self.begin)


_MAPPINGS: dict[int, _Mapping] = {}


def map_file(path: Path) -> Tensor:
    """The bytes [size] of a file as uint8. Writing to them changes a copy in memory, never the file."""
    with path.open("rb") as file:
        pages = _mapped(file.fileno())
    data = torch.frombuffer(pages, dtype=torch.uint8)  # the tensor, and every view of it, holds the pages
    begin = data.data_ptr()
    _MAPPINGS[begin] = _Mapping(begin, begin + data.numel(), weakref.ref(pages))
    weakref.finalize(pages, _MAPPINGS.pop, begin, None).atexit = False
    return data


def forget(tensors: Iterable[Tensor]) -> None:
    """Let the pages of tensors that are parts of mapped files leave memory; others are not touched.

    Their values stay: the next use reads them again, most often from the system's own cache.
    """
    _advise(tensors, "MADV_DONTNEED")


def announce(tensors: Iterable[Tensor]) -> None:
    """Let the system begin to read the pages of tensors that are parts of mapped files; returns at once."""
    _advise(tensors, "MADV_WILLNEED")


def _advise(tensors: Iterable[Tensor], advice: str) -> None:
    number = getattr(mmap, advice, None)
    if number is None:
        return  # Windows takes pages away by itself
    on_host = [tensor for tensor in tensors if tensor.device.type == "cpu"]
    for mapping in list(_MAPPINGS.values()):
        if pages := mapping.pages():
            for start, stop in _joined(mapping.pages_of(on_host)):
                pages.madvise(number, start, stop - start)


def _mapped(file: int) -> mmap.mmap:
    """Private pages. Without a reserve, since they are not written: a system short of memory else refuses."""
    if _IS_MAPPED_HERE:
        flags = mmap.MAP_PRIVATE | _NO_RESERVE
        return mmap.mmap(file, 0, flags=flags, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    return mmap.mmap(file, 0, access=mmap.ACCESS_COPY)


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges in order, those that touch made one."""
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined
