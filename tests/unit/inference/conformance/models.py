"""The four kinds of Wan denoiser at width 24: diffusers' own classes with random weights, and an input each."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
from diffusers import WanTransformer3DModel, WanVACETransformer3DModel
from torch import Tensor, nn
from torch.func import functional_call

WIDTH = 24
IMAGE_WIDTH = 20
IMAGE_TOKENS = 5
# diffusers takes everything before the last 512 tokens for the picture
TEXT_TOKENS = {"t2v": 6, "vace": 6, "i2v": 512, "flf2v": 512}
SHAPE = {
    "num_attention_heads": 2,
    "attention_head_dim": 12,
    "in_channels": 8,
    "out_channels": 8,
    "text_dim": 16,
    "freq_dim": 32,
    "ffn_dim": 40,
    "num_layers": 2,
    "rope_max_seq_len": 16,
}
WITH_IMAGE = {"in_channels": 12, "image_dim": IMAGE_WIDTH, "added_kv_proj_dim": WIDTH}
CLASSES: dict[str, tuple[type, dict[str, Any]]] = {
    "t2v": (WanTransformer3DModel, {}),
    "i2v": (WanTransformer3DModel, WITH_IMAGE),
    "flf2v": (WanTransformer3DModel, WITH_IMAGE | {"pos_embed_seq_len": 2 * IMAGE_TOKENS}),
    "i2v_same_channels": (WanTransformer3DModel, WITH_IMAGE | {"in_channels": SHAPE["in_channels"]}),
    "wide": (WanTransformer3DModel, {"num_attention_heads": 3}),
    "vace": (WanVACETransformer3DModel, {"vace_layers": [0, 1], "vace_in_channels": 12}),
}


def build(kind: str, seed: int = 0, **changes: Any) -> nn.Module:
    """A denoiser of two layers whose every parameter is random and large enough to matter."""
    torch.manual_seed(seed)
    made, extra = CLASSES[kind]
    model: nn.Module = made(**(SHAPE | extra | changes))
    for name, parameter in model.named_parameters():
        nn.init.normal_(parameter, std=0.15)
        if "norm" in name and name.endswith("weight"):
            parameter.data += 1
    return model.eval().requires_grad_(False)


@cache
def pristine(kind: str, seed: int = 0, dtype: torch.dtype = torch.float32) -> nn.Module:
    """The model that tests copy and compare with, in the types that diffusers loads it in; never to be changed."""
    model: Any = build(kind, seed)
    for name, parameter in model.named_parameters():
        if not any(kept in name for kept in model._keep_in_fp32_modules):
            parameter.data = parameter.data.to(dtype)
    return model


@cache
def _inputs(kind: str, dtype: torch.dtype) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(5)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).to(dtype)

    config = pristine(kind).config
    inputs = {
        "hidden_states": drawn(1, config.in_channels, 2, 4, 4),
        "timestep": torch.tensor([500.0]),
        "encoder_hidden_states": drawn(1, TEXT_TOKENS[kind], SHAPE["text_dim"]),
    }
    if config.image_dim:
        pictures = 2 if config.pos_embed_seq_len else 1
        inputs["encoder_hidden_states_image"] = drawn(pictures, IMAGE_TOKENS, IMAGE_WIDTH)
    if kind == "vace":
        inputs["control_hidden_states"] = drawn(1, config.vace_in_channels, 2, 4, 4)
    return inputs


@torch.no_grad()
def answer(kind: str, model: Any, parameters: Mapping[str, Tensor] | None = None) -> Tensor:
    """What the whole denoiser makes of one fixed input, with `parameters` in the place of its own."""
    inputs = _inputs(kind, model.patch_embedding.weight.dtype) | {"return_dict": False}
    return functional_call(model, dict(parameters), (), inputs)[0] if parameters else model(**inputs)[0]
