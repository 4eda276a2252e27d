"""Headers of full-size model files: real names and shapes, no weights."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel, WanVACETransformer3DModel
from torch import nn

from catalog.header import Header
from tests import original_names
from tests.unit.catalog.builders import header_of

SMALL = {"num_attention_heads": 12, "ffn_dim": 8960, "num_layers": 30}
BIG = {"num_attention_heads": 40, "ffn_dim": 13824, "num_layers": 40}
_IMAGE = {"in_channels": 36, "image_dim": 1280, "added_kv_proj_dim": 5120}
# as scripts/convert_wan_to_diffusers.py of diffusers has them
CONFIGS: dict[str, dict[str, Any]] = {
    "wan2.1-t2v-1.3b": SMALL,
    "wan2.1-t2v-14b": BIG,
    "wan2.1-i2v-14b-480p": BIG | _IMAGE,
    "wan2.1-i2v-14b-720p": BIG | _IMAGE,
    "wan2.1-flf2v-14b": BIG | _IMAGE | {"pos_embed_seq_len": 514},
    "wan2.1-vace-1.3b": SMALL | {"vace_layers": list(range(0, 30, 2)), "vace_in_channels": 96},
    "wan2.1-vace-14b": BIG | {"vace_layers": list(range(0, 40, 5)), "vace_in_channels": 96},
    "wan2.1-phantom-1.3b": SMALL,
    "wan2.1-phantom-14b": BIG,
    "wan2.2-t2v-a14b": BIG,
    "wan2.2-i2v-a14b": BIG | {"in_channels": 36},
    "wan2.2-ti2v-5b": {
        "num_attention_heads": 24, "ffn_dim": 14336, "num_layers": 30, "in_channels": 48, "out_channels": 48,
    },
}  # fmt: skip


@cache
def transformer(model: str) -> Header:
    """A single file of one expert, in bfloat16 with original names."""
    config = CONFIGS[model]
    kind = WanVACETransformer3DModel if "vace_layers" in config else WanTransformer3DModel
    with torch.device("meta"):
        return header(kind(**config), original_names.of_transformer)


@cache
def vae(version: str) -> Header:
    """A single file of a VAE, with original names."""
    config: Mapping[str, Any] = {} if version == "2.1" else {
        "base_dim": 160, "decoder_base_dim": 256, "z_dim": 48, "is_residual": True, "in_channels": 12,
        "out_channels": 12, "patch_size": 2,
    }  # fmt: skip
    name = original_names.of_vae_21 if version == "2.1" else original_names.of_vae_22
    with torch.device("meta"):
        return header(AutoencoderKLWan(**config), name)


def header(model: nn.Module, name: Callable[[str], str], dtype: str = "BF16") -> Header:
    """The header of a file of that model's tensors, renamed."""
    return header_of({name(k): tuple(t.shape) for k, t in model.state_dict().items()}, dtype=dtype)
