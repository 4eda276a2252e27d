"""A VAE in one file, with the original names of Wan 2.1 or 2.2, or with diffusers'."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLWan
from diffusers.loaders.single_file_utils import convert_wan_vae_to_diffusers

import resources
from catalog.checkpoint_names import vae_prefix
from catalog.gguf import read_any_header
from engine.inference.checkpoints.weights import check_names, empty, fill, mapped, shape_of

# original → diffusers for the VAE of Wan 2.2, which diffusers' own converter does not know
_NAMES_22 = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"^conv1\.", "quant_conv."),
        (r"^conv2\.", "post_quant_conv."),
        (r"^(encoder|decoder)\.conv1\.", r"\1.conv_in."),
        (r"\.head\.0\.", ".norm_out."),
        (r"\.head\.2\.", ".conv_out."),
        (r"\.middle\.0\.", ".mid_block.resnets.0."),
        (r"\.middle\.1\.", ".mid_block.attentions.0."),
        (r"\.middle\.2\.", ".mid_block.resnets.1."),
        (r"\.downsamples\.(\d+)\.downsamples\.\d+\.(resample|time_conv)", r".down_blocks.\1.downsampler.\2"),
        (r"\.upsamples\.(\d+)\.upsamples\.\d+\.(resample|time_conv)", r".up_blocks.\1.upsampler.\2"),
        (r"\.downsamples\.(\d+)\.downsamples\.(\d+)\.", r".down_blocks.\1.resnets.\2."),
        (r"\.upsamples\.(\d+)\.upsamples\.(\d+)\.", r".up_blocks.\1.resnets.\2."),
        (r"\.residual\.0\.", ".norm1."),
        (r"\.residual\.2\.", ".conv1."),
        (r"\.residual\.3\.", ".norm2."),
        (r"\.residual\.6\.", ".conv2."),
        (r"\.shortcut\.", ".conv_shortcut."),
    )
)
_OF_22 = "encoder.downsamples.0.downsamples.0.residual.2.weight"
_RESIDUAL = "encoder.down_blocks.0.resnets.0.conv1.weight"


def load_vae(path: Path) -> AutoencoderKLWan:
    """The VAE in a file, in float32 on the CPU; UnreadableFile when it is none of Wan's or not all of one."""
    header = read_any_header(path)
    names = vae_names(header.tensors)
    side = shape_of(header, names)
    config: dict[str, Any] = {
        "base_dim": side("encoder.conv_in.weight", 0),
        "z_dim": side("decoder.conv_in.weight", 1),
    }
    if _RESIDUAL in names:
        config |= {
            "decoder_base_dim": side("decoder.norm_out.gamma", 0),
            "in_channels": side("encoder.conv_in.weight", 1),
            "out_channels": side("decoder.conv_out.weight", 0),
            "is_residual": True,
            "patch_size": 2,
            "scale_factor_spatial": 16,
            **json.loads(resources.path("vae22_latents.json").read_text("utf-8")),
        }
    vae: AutoencoderKLWan = empty(AutoencoderKLWan, **config)
    check_names(vae, header, names)
    return fill(vae, names, {}, mapped(path, header), lambda name: torch.float32)


def vae_names(keys: Iterable[str]) -> dict[str, str]:
    """diffusers' parameter name → key, for a VAE's file in either naming and with any prefix."""
    keys = list(keys)
    prefix = vae_prefix(keys) or ""
    bare = {key.removeprefix(prefix): key for key in keys}
    if "decoder.conv_in.weight" in bare:
        return bare
    if _OF_22 in bare:
        return {_name_of_22(name): key for name, key in bare.items()}
    names: dict[str, str] = convert_wan_vae_to_diffusers(bare)
    return names


def _name_of_22(key: str) -> str:
    for pattern, replacement in _NAMES_22:
        key = pattern.sub(replacement, key)
    return key
