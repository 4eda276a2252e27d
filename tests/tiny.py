"""Tiny real Wan models: diffusers' own classes with random weights, built in a moment."""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanTransformer3DModel
from torch import nn

import resources

TEXT_WIDTH = 64


def transformer(
    seed: int = 0, layers: int = 2, kind: Any = WanTransformer3DModel, **changes: Any
) -> WanTransformer3DModel:
    """A transformer of width 48 in evaluation mode; its weights are large enough to matter."""
    torch.manual_seed(seed)
    settings: dict[str, Any] = {
        "patch_size": (1, 2, 2), "num_attention_heads": 4, "attention_head_dim": 12, "in_channels": 16,
        "out_channels": 16, "text_dim": TEXT_WIDTH, "freq_dim": 32, "ffn_dim": 64, "num_layers": layers,
        "cross_attn_norm": True, "qk_norm": "rms_norm_across_heads", "rope_max_seq_len": 32,
    }  # fmt: skip
    model: WanTransformer3DModel = kind(**(settings | changes))
    for parameter in model.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.08)
    return model.eval().requires_grad_(False)


def vae(**changes: Any) -> AutoencoderKLWan:
    """A VAE of 16 latent channels, with latents that are not centred, as real ones are not."""
    torch.manual_seed(7)
    settings: dict[str, Any] = {
        "base_dim": 3, "z_dim": 16, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1,
        "temperal_downsample": [False, True, True],
        "latents_mean": [0.1 * i for i in range(16)], "latents_std": [1 + 0.05 * i for i in range(16)],
    }  # fmt: skip
    model = AutoencoderKLWan(**(settings | changes))
    return model.eval().requires_grad_(False)


def save_model(folder: Path, two_experts: bool = True, shift: float = 3.0) -> Path:
    """A diffusers folder with random experts, the demo's text side, and a UniPC scheduler."""
    demo = resources.path("demo")
    for part in ("tokenizer", "text_encoder"):
        shutil.copytree(demo / part, folder / part)
    transformer(1).save_pretrained(folder / "transformer")
    if two_experts:
        transformer(2).save_pretrained(folder / "transformer_2")
    vae().save_pretrained(folder / "vae")
    UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift
    ).save_pretrained(folder / "scheduler")
    index = json.loads((demo / "model_index.json").read_text("utf-8"))
    index["boundary_ratio"] = 0.875 if two_experts else None
    if not two_experts:
        index["transformer_2"] = [None, None]
    (folder / "model_index.json").write_text(json.dumps(index), "utf-8")
    return folder
