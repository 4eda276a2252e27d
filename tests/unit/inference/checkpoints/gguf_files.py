"""Tiny GGUF files, written with the format's own package."""

from pathlib import Path

import numpy as np
import torch
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFWriter, quants
from torch import Tensor

CAST = ("Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "BF16", "F16")
DRAWN = ("Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS")
"""Formats that the package reads but cannot write: their blocks are drawn, with sound scales."""


def write(path: Path, tensors: dict[str, Tensor], kind: str, architecture: str = "wan") -> dict[str, Tensor]:
    """Write the matrices whose rows fill whole blocks as `kind`, all else in float32; what they are worth.

    A convolution is stored flattened, with its shape beside it, as the converters do.
    """
    writer = GGUFWriter(path, architecture)
    worth = {}
    for name, tensor in tensors.items():
        array = tensor.float().contiguous().numpy()
        if array.ndim > 4:
            writer.add_array(f"comfy.gguf.orig_shape.{name}", [int(side) for side in array.shape])
            array = array.reshape(array.shape[0], -1)
        worth[name] = _add(writer, name, array, kind).reshape(tensor.shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return worth


def _add(writer: GGUFWriter, name: str, array: np.ndarray, kind: str) -> Tensor:
    number = GGMLQuantizationType[kind]
    values, _ = GGML_QUANT_SIZES[number]
    if array.ndim != 2 or array.shape[1] % values or "patch" in name:
        writer.add_tensor(name, array)
        return torch.from_numpy(array)
    data = quants.quantize(array, number) if kind in CAST else drawn(array.shape, kind)
    writer.add_tensor(name, data, raw_dtype=number)
    return torch.from_numpy(quants.dequantize(data, number).astype(np.float32))


def drawn(shape: tuple[int, ...], kind: str) -> np.ndarray:
    """Random blocks whose half-precision scales are small numbers rather than any bits."""
    number = GGMLQuantizationType[kind]
    values, size = GGML_QUANT_SIZES[number]
    random = np.random.default_rng(len(kind) + shape[0])
    blocks = random.integers(0, 256, (shape[0] * shape[1] // values, size), dtype=np.uint8)
    small = (random.uniform(0.001, 0.01, (len(blocks), 1)).astype(np.float16)).view(np.uint8)
    places = {"Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,)}
    for place in places.get(kind, (0,)):
        blocks[:, place : place + 2] = small
    return blocks.reshape(shape[0], -1)
