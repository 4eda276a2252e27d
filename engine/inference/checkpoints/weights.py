"""Reads the tensors of one checkpoint file, mapped rather than copied, and puts them into an empty model."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from catalog.errors import UnreadableFile
from catalog.header import Header
from engine.inference.checkpoints.mapped import map_file
from engine.inference.checkpoints.packed import Packed, PackedLinear, packed
from engine.inference.checkpoints.stored import EIGHT_BIT, CastLinear, ScaledLinear, StoredLinear

Read = Callable[[str], Tensor | Packed]
"""The tensor of a key, on the CPU, as it is stored."""
_TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
}

_Module = TypeVar("_Module", bound=nn.Module)


def mapped(path: Path, header: Header) -> Read:
    """The tensors of a safetensors or GGUF file with that header, as views of the mapped file."""
    data = map_file(path)[header.data_start :]

    def read(key: str) -> Tensor | Packed:
        info = header.tensors[key]
        stored = data[info.start : info.end]
        if info.dtype not in _TYPES:
            return packed(stored, info.dtype, info.shape)
        dtype = _TYPES[info.dtype]
        if stored.storage_offset() % dtype.itemsize:  # some writers align nothing
            stored = stored.clone()
        return stored.view(dtype).reshape(info.shape)

    return read


def shape_of(header: Header, names: Mapping[str, str]) -> Callable[[str, int], int]:
    """A look-up of one axis of a parameter, by its name in the model; it raises UnreadableFile."""

    def side(name: str, axis: int) -> int:
        info = header.tensors.get(names.get(name, ""))
        if info is None or len(info.shape) <= axis:
            raise UnreadableFile(f"The file has no usable {name}.")
        return info.shape[axis]

    return side


def empty(kind: Callable[..., _Module], *args: Any, **kwargs: Any) -> _Module:
    """A model whose parameters have shapes, but take no memory yet."""
    with torch.device("meta"):
        return kind(*args, **kwargs)


def check_names(model: nn.Module, header: Header, names: Mapping[str, str]) -> None:
    """Raise UnreadableFile unless `names` (parameter → key) give every parameter, in its shape, and no other."""
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    missing = [name for name in wanted if name not in names]
    if missing:
        raise UnreadableFile(f"The file is incomplete: {missing[0]} is missing.")
    for name, key in names.items():
        if wanted.get(name) != header.tensors[key].shape:
            raise UnreadableFile(f"{key} does not fit a model of this kind.")


def fill(
    model: _Module,
    names: Mapping[str, str],
    scales: Mapping[str, str],
    read: Read,
    dtype_of: Callable[[str], torch.dtype],
    at_rest: bool = False,
) -> _Module:
    """Give an empty model its tensors, one after the other; what already has its type is not copied.

    At rest, weights of linear layers stay in the file whatever their type (CastLinear).

    `names` maps parameters to keys, `scales` modules to the keys of their factors; `dtype_of` says the type
    that a parameter is computed in. Weights of linear layers in fewer than 16 bits stay so (StoredLinear).
    """
    whole: dict[str, Tensor] = {}
    for name, key in names.items():
        module, _, parameter = name.rpartition(".")
        stored, dtype, layer = read(key), dtype_of(name), model.get_submodule(module)
        scale = _scale(read, scales.get(module, "")) if parameter == "weight" else None
        replaced = _stored_linear(layer, stored, scale, dtype, at_rest) if parameter == "weight" else None
        if replaced is not None:
            model.set_submodule(module, replaced)
        else:
            whole[name] = _whole(stored, scale, dtype)
    absent, odd = model.load_state_dict(whole, strict=False, assign=True)
    if absent or odd:
        raise UnreadableFile(f"The file is incomplete: {[*absent, *odd][0]} has no place.")
    return model.eval().requires_grad_(False)


def _scale(read: Read, key: str) -> Tensor | None:
    found = read(key) if key else None
    return found.whole(torch.float32) if isinstance(found, Packed) else found


def _stored_linear(
    layer: nn.Module, stored: Tensor | Packed, scale: Tensor | None, dtype: torch.dtype, at_rest: bool
) -> StoredLinear | None:
    """The layer that keeps these weights as they are; None when they, or the layer, are of another kind."""
    if not isinstance(layer, nn.Linear):
        return None
    if isinstance(stored, Packed):
        return PackedLinear(layer, dtype, stored)
    if stored.dtype in EIGHT_BIT:
        return ScaledLinear(layer, dtype, stored, scale)
    return CastLinear(layer, dtype, stored) if at_rest and scale is None and stored.dtype != dtype else None


def _whole(stored: Tensor | Packed, scale: Tensor | None, dtype: torch.dtype) -> Tensor:
    if isinstance(stored, Packed):
        return stored.whole(dtype)
    if scale is None:
        return stored.to(dtype)
    return (stored.float() * scale.float().reshape(-1, *[1] * (stored.ndim - 1))).to(dtype)
