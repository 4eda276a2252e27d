"""Tensors in the block formats of GGUF, made whole by diffusers' functions for them."""

from dataclasses import dataclass
from math import prod

import torch
from diffusers.quantizers.gguf.utils import dequantize_functions
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from torch import Tensor, nn

from engine.inference.checkpoints.stored import StoredLinear


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """A tensor of `shape` as blocks [count, bytes] of uint8 in the GGUF format `kind` ("Q4_K")."""

    blocks: Tensor
    kind: str
    shape: tuple[int, ...]

    def whole(self, dtype: torch.dtype) -> Tensor:
        """The values in `dtype`, computed in float32."""
        return unpacked(self.blocks, self.kind).reshape(self.shape).to(dtype)


def packed(data: Tensor, kind: str, shape: tuple[int, ...]) -> Packed:
    """The tensor whose bytes are `data`."""
    values, size = GGML_QUANT_SIZES[GGMLQuantizationType[kind]]
    return Packed(data.reshape(prod(shape) // values, size), kind, shape)


def unpacked(blocks: Tensor, kind: str) -> Tensor:
    """The values [count, values in a block] of blocks, in float32."""
    number = GGMLQuantizationType[kind]
    values: Tensor = dequantize_functions[number](blocks, *GGML_QUANT_SIZES[number], torch.float32)
    return values


class PackedLinear(StoredLinear):
    """Weights in blocks of a few bits each."""

    blocks: Tensor

    def __init__(self, like: nn.Linear, dtype: torch.dtype, stored: Packed) -> None:
        super().__init__(like, dtype, blocks=stored.blocks)
        self.kind = stored.kind

    def whole(self) -> Tensor:
        """The weight [out, in] in `compute_dtype`."""
        return Packed(self.blocks, self.kind, (self.out_features, self.in_features)).whole(self.compute_dtype)
