"""A LoRA file → its tensors, read once and checked before a model is touched."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from catalog.anatomy import kinds_of
from catalog.contents import condition, damaged_by
from catalog.header import Header, TensorInfo
from catalog.key_styles import ParsedKey, parse_keys
from engine.errors import AdapterRefused

TYPES = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I16": torch.int16,
    "U16": torch.uint16,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I32": torch.int32,
    "U32": torch.uint32,
    "F32": torch.float32,
    "I64": torch.int64,
    "U64": torch.uint64,
    "F64": torch.float64,
}
"""The types of safetensors."""


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """The content of one file: its tensors by key, all of them views of the bytes that were read.

    `zeros` are the keys of tensors that hold nothing but zeros; `kinds` what its layers amount to.
    """

    path: Path
    header: Header
    tensors: Mapping[str, Tensor]
    zeros: frozenset[str]
    kinds: tuple[str, ...]
    _hash: "Future[str]"

    @property
    def sha256(self) -> str:
        """Of the whole file; waits for the thread that computes it while the adapter is being attached."""
        return self._hash.result()


def read_adapter(path: Path, header: Header) -> Adapter:
    """Read a whole file once, its header being known (still on the CPU, in the file's own types).

    The bytes are read, not mapped: a file that is cut short meanwhile must not take the process with it.
    Raises AdapterRefused when the file changed, or naming the first tensor that is not finite.
    """
    data = _read(path, header.size)
    hashing = _hash(data)
    tensors = {key: _tensor(data, header.data_start, info) for key, info in header.tensors.items()}
    zeros = _zeros(data, header)
    return Adapter(path, header, tensors, zeros, _kinds(header), hashing)


def _read(path: Path, size: int) -> Tensor:
    data = torch.empty(size, dtype=torch.uint8)
    try:
        with path.open("rb", buffering=0) as file:
            view, done = data.numpy().data, 0
            while done < size and (count := file.readinto(view[done:])):
                done += count
            is_whole = done == size and not file.read(1)
    except OSError as error:
        raise AdapterRefused(f"{path.name} cannot be read: {error.strerror or error}.") from error
    if not is_whole:
        raise AdapterRefused(f"{path.name} changed while it was being read.")
    return data


def _hash(data: Tensor) -> "Future[str]":
    """Hashing takes longer than reading and leaves Python to other threads."""
    pool = ThreadPoolExecutor(1, "hash")
    hashing = pool.submit(lambda: hashlib.sha256(data.numpy().data).hexdigest())
    pool.shutdown(wait=False)
    return hashing


def _tensor(data: Tensor, start: int, info: TensorInfo) -> Tensor:
    kind = TYPES[info.dtype]
    piece = data[start + info.start : start + info.end]
    if piece.storage_offset() % kind.itemsize:
        piece = piece.clone()
    return piece.view(kind).view(info.shape)


def _zeros(data: Tensor, header: Header) -> frozenset[str]:
    """The keys of tensors full of zeros; AdapterRefused for the first that holds NaN or infinity."""
    stored, zeros = data.numpy(), []
    for key, info in header.tensors.items():
        match condition(info.dtype, stored[header.data_start + info.start : header.data_start + info.end]):
            case "damaged":
                raise AdapterRefused(damaged_by(key))
            case "zeros":
                zeros.append(key)
    return frozenset(zeros)


def _kinds(header: Header) -> tuple[str, ...]:
    layers: dict[object, dict[str, TensorInfo]] = defaultdict(dict)
    for key, parsed in parse_keys(header.tensors).items():
        if isinstance(parsed, ParsedKey):
            layers[parsed.expert, parsed.module][parsed.part] = header.tensors[key]
    return tuple(sorted({kind for parts in layers.values() for kind in kinds_of(parts)}))
