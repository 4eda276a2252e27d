"""Linear layers in every form that a model's weights come in, and what their weights are worth."""

import numpy as np
import torch
from gguf import GGMLQuantizationType, quants
from torch import Tensor, nn

from engine.inference.checkpoints.packed import PackedLinear, packed
from engine.inference.checkpoints.stored import ScaledLinear

COMPUTED_IN = {
    "float32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "fp8": torch.bfloat16,
    "Q8_0": torch.bfloat16,
    "Q4_0": torch.bfloat16,
}
"""Each form, and the type that its layers compute in."""
_MOST = torch.finfo(torch.float8_e4m3fn).max


def linear(form: str, weight: Tensor) -> nn.Linear:
    """A layer without bias that holds `weight` [out, in] as near as its form allows."""
    dtype, (out, into) = COMPUTED_IN[form], weight.shape
    layer = nn.Linear(into, out, bias=False, dtype=dtype).requires_grad_(False)
    if form == "fp8":
        scale = weight.abs().amax() / _MOST
        return ScaledLinear(layer, dtype, (weight / scale).to(torch.float8_e4m3fn), scale)
    if form.startswith("Q"):
        data = quants.quantize(weight.float().numpy(), GGMLQuantizationType[form])
        blocks = torch.from_numpy(np.ascontiguousarray(data)).flatten()
        return PackedLinear(layer, dtype, packed(blocks, form, (out, into)))
    layer.weight.copy_(weight)
    return layer


def worth(layer: nn.Linear) -> Tensor:
    """The weight that the layer stands for, in float64 and before it is rounded to compute with."""
    match layer:
        case ScaledLinear():
            return layer.values.double() * layer.scale.double()
        case PackedLinear():
            return PackedLinear.whole(_in_float32(layer)).double()
        case _:
            return layer.weight.double()


def _in_float32(layer: PackedLinear) -> PackedLinear:
    like = nn.Linear(layer.in_features, layer.out_features, bias=False, device="meta")
    shape = layer.out_features, layer.in_features
    return PackedLinear(like, torch.float32, packed(layer.blocks.flatten(), layer.kind, shape))
