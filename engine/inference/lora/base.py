"""What adapters see of a model's own layers: the one place that would dequantise a stored weight."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from engine.errors import AdapterRefused
from engine.inference.checkpoints.stored import StoredLinear

Shapes = Mapping[str, tuple[int, ...]]


def shapes(model: nn.Module) -> Shapes:
    """The model's parameters by name, with the shapes they have where they are used."""
    found = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
    for name, layer in model.named_modules():
        if isinstance(layer, StoredLinear):
            found[f"{name}.weight"] = (layer.out_features, layer.in_features)
    return found


def locate(modules: Mapping[str, nn.Module], name: str) -> tuple[nn.Module, str]:
    """The module that holds what an adapter calls `name`, and the name of the parameter in it.

    An adapter may name a module, whose parameter is then "weight", or a bare parameter.
    """
    if name in modules:
        return modules[name], "weight"
    owner, _, parameter = name.rpartition(".")
    return modules[owner], parameter


def is_matrix(layer: nn.Module) -> bool:
    """Whether a layer multiplies by a matrix: linear, or a convolution over patches that do not overlap."""
    if isinstance(layer, nn.Linear):
        return True
    return (
        isinstance(layer, nn.Conv3d)
        and layer.stride == layer.kernel_size
        and layer.padding == (0, 0, 0)
        and layer.dilation == (1, 1, 1)
        and layer.groups == 1
    )


def weight_shape(layer: nn.Module) -> tuple[int, ...]:
    """The shape of the layer's weight; a stored one is not made whole for it."""
    if isinstance(layer, StoredLinear):
        return layer.out_features, layer.in_features
    return tuple(parameter(layer, "weight").shape)


def matrix(layer: nn.Module) -> Tensor:
    """The layer's weight as [out, in·kernel], in the type it computes in; read-only."""
    return parameter(layer, "weight").flatten(1)


def parameter(module: nn.Module, name: str) -> Tensor:
    """One of the module's parameters, without its gradient; raises AdapterRefused where it has none."""
    found = getattr(module, name, None)  # a stored weight is made whole here
    if not isinstance(found, Tensor):
        raise AdapterRefused(f"The model has no {name} where the file changes it.")
    return found.detach()


def device(layer: nn.Module) -> torch.device:
    """Where the layer's weight is now; one that is streamed rests on the host."""
    if isinstance(layer, StoredLinear) and layer._parameters["weight"] is None:
        return next(layer.buffers(recurse=False)).device
    return parameter(layer, "weight").device


def place(layer: nn.Module) -> tuple[torch.device, torch.dtype]:
    """Where the layer's weight is, and the type it computes in."""
    return device(layer), compute_dtype(layer)


def compute_dtype(layer: nn.Module) -> torch.dtype:
    """The type that factors beside this layer are kept in."""
    return layer.compute_dtype if isinstance(layer, StoredLinear) else parameter(layer, "weight").dtype
