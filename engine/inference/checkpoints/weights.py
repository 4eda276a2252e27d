"""Reads the tensors of one checkpoint file, mapped rather than copied, and puts them into an empty model."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import safe_open
from torch import Tensor, nn

from catalog.errors import UnreadableFile
from catalog.header import Header
from engine.inference.checkpoints.stored import ScaledLinear

Read = Callable[[str], Tensor]
"""The tensor of a key, on the CPU, in the type it is stored in."""
EIGHT_BIT = (torch.float8_e4m3fn, torch.float8_e5m2)

_Module = TypeVar("_Module", bound=nn.Module)


@contextmanager
def opened(path: Path) -> Iterator[Read]:
    """The tensors of a safetensors file; those read stay valid afterwards."""
    with safe_open(str(path), framework="pt") as file:
        yield file.get_tensor


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
    for name in wanted.keys() - names.keys():
        raise UnreadableFile(f"The file is incomplete: {name} is missing.")
    for name, key in names.items():
        if wanted.get(name) != header.tensors[key].shape:
            raise UnreadableFile(f"{key} does not fit a model of this kind.")


def fill(
    model: _Module,
    names: Mapping[str, str],
    scales: Mapping[str, str],
    read: Read,
    dtype_of: Callable[[str], torch.dtype],
) -> _Module:
    """Give an empty model its tensors, one after the other; what already has its type is not copied.

    `names` maps parameters to keys, `scales` modules to the keys of their factors; `dtype_of` says the type
    that a parameter is computed in. Weights of linear layers in 8-bit floats stay so (ScaledLinear).
    """
    whole: dict[str, Tensor] = {}
    for name, key in names.items():
        module, _, parameter = name.rpartition(".")
        values, dtype = read(key), dtype_of(name)
        scale = read(scales[module]) if parameter == "weight" and module in scales else None
        layer = model.get_submodule(module)
        if values.dtype in EIGHT_BIT and isinstance(layer, nn.Linear) and parameter == "weight":
            model.set_submodule(module, ScaledLinear(layer, dtype, values, scale))
        else:
            whole[name] = _scaled(values, scale).to(dtype)
    absent, odd = model.load_state_dict(whole, strict=False, assign=True)
    if absent or odd:
        raise UnreadableFile(f"The file is incomplete: {[*absent, *odd][0]} has no place.")
    return model.eval().requires_grad_(False)


def _scaled(values: Tensor, scale: Tensor | None) -> Tensor:
    if scale is None:
        return values
    return values.float() * scale.float().reshape(-1, *[1] * (values.ndim - 1))
