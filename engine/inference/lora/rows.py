"""Inputs and outputs of a layer as matrices, one row per token; a patch convolution is one product of them."""

from typing import cast

from torch import Tensor, nn


def tokens(layer: nn.Module, x: Tensor) -> int:
    """How many rows `inputs` would give."""
    if isinstance(layer, nn.Conv3d):
        frames, height, width = _grid(layer, x)
        return x.shape[0] * frames * height * width
    return x.numel() // x.shape[-1]


def inputs(layer: nn.Module, x: Tensor) -> Tensor:
    """x as [tokens, in·kernel]."""
    if not isinstance(layer, nn.Conv3d):
        return x.reshape(-1, x.shape[-1])
    grid, kernel = _grid(layer, x), layer.kernel_size
    for axis, (count, side) in enumerate(zip(grid, kernel, strict=True), start=2):
        x = x.narrow(axis, 0, count * side)  # as the convolution: what is left of a patch is left out
    batch, channels = x.shape[:2]
    x = x.reshape(batch, channels, grid[0], kernel[0], grid[1], kernel[1], grid[2], kernel[2])
    return x.permute(0, 2, 4, 6, 1, 3, 5, 7).flatten(4).flatten(0, 3)


def outputs(layer: nn.Module, y: Tensor) -> Tensor:
    """y as [tokens, out]; adding to it in place changes `y` where that is possible."""
    if isinstance(layer, nn.Conv3d):
        y = y.permute(0, 2, 3, 4, 1)
    return y.contiguous().view(-1, y.shape[-1])


def shaped(layer: nn.Module, rows: Tensor, y: Tensor) -> Tensor:
    """The rows that `outputs` gave, back in the shape of `y`."""
    if isinstance(layer, nn.Conv3d):
        batch, channels, *grid = y.shape
        return rows.view(batch, *grid, channels).permute(0, 4, 1, 2, 3)
    return rows.view(y.shape)


def _grid(layer: nn.Conv3d, x: Tensor) -> tuple[int, int, int]:
    sides = (size // side for size, side in zip(x.shape[-3:], layer.kernel_size, strict=True))
    return cast(tuple[int, int, int], tuple(sides))
