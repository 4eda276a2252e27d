"""Tiny real Wan models that see pictures, one of each kind, and pictures for them to see."""

import json
import shutil
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import transformers
from diffusers import UniPCMultistepScheduler, WanVACETransformer3DModel
from PIL import Image
from transformers import CLIPVisionConfig, CLIPVisionModel

import resources
from tests import tiny

Kind = Literal["i2v 2.1", "flf2v", "i2v 2.2", "vace", "vace 2.2", "ti2v", "t2v", "phantom"]
WIDTH = 32
_TOKENS = 5  # 28 × 28 pixels in patches of 14, and one for the whole
_IMAGE = {"in_channels": 36, "image_dim": WIDTH, "added_kv_proj_dim": 48}
_SIDE = {"kind": WanVACETransformer3DModel, "vace_layers": [0, 1], "vace_in_channels": 96}
_TRANSFORMERS: dict[Kind, dict[str, Any]] = {
    "i2v 2.1": _IMAGE,
    "flf2v": _IMAGE | {"pos_embed_seq_len": 2 * _TOKENS},
    "i2v 2.2": {"in_channels": 36},
    "vace": _SIDE,
    "vace 2.2": _SIDE,
    "ti2v": {},
    "t2v": {},
    "phantom": {},
}
_PIPELINES: dict[Kind, str] = {
    "i2v 2.1": "WanImageToVideoPipeline",
    "flf2v": "WanImageToVideoPipeline",
    "i2v 2.2": "WanImageToVideoPipeline",
    "vace": "WanVACEPipeline",
    "vace 2.2": "WanVACEPipeline",
    "ti2v": "WanPipeline",
    "t2v": "WanPipeline",
    "phantom": "WanPipeline",
}
_VAE22 = {"is_residual": True, "patch_size": 2, "in_channels": 12, "out_channels": 12, "base_dim": 4,
          "decoder_base_dim": 4, "scale_factor_spatial": 16, "dim_mult": [1, 1, 1, 1]}  # fmt: skip


def transformer(kind: Kind, seed: int = 1) -> Any:
    """A transformer of that kind, whose FLF2V positions are not all alike."""
    model = tiny.transformer(seed, **_TRANSFORMERS[kind])
    if kind == "flf2v":
        torch.nn.init.normal_(model.condition_embedder.image_embedder.pos_embed, std=0.5)
    return model


def save_model(folder: Path, kind: Kind) -> Path:
    """A diffusers folder of that kind."""
    demo, two = resources.path("demo"), kind.endswith("2.2")
    for part in ("tokenizer", "text_encoder"):
        shutil.copytree(demo / part, folder / part)
    transformer(kind).save_pretrained(folder / "transformer")
    if two:
        transformer(kind, 2).save_pretrained(folder / "transformer_2")
    tiny.vae(**(_VAE22 if kind == "ti2v" else {})).save_pretrained(folder / "vae")
    UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
    ).save_pretrained(folder / "scheduler")
    index = json.loads((demo / "model_index.json").read_text("utf-8"))
    index |= {"_class_name": _PIPELINES[kind], "boundary_ratio": 0.875 if two else None}
    index["transformer"] = ["diffusers", type(transformer(kind)).__name__]
    index["transformer_2"] = index["transformer"] if two else [None, None]
    del index["expand_timesteps"]
    if kind == "ti2v":
        index["expand_timesteps"] = True
    if "image_dim" in _TRANSFORMERS[kind]:
        _save_image_side(folder)
        index["image_encoder"] = ["transformers", "CLIPVisionModel"]
        index["image_processor"] = ["transformers", "CLIPImageProcessor"]
    (folder / "model_index.json").write_text(json.dumps(index), "utf-8")
    return folder


def picture(folder: Path, seed: int, size: tuple[int, int] = (32, 32)) -> Path:
    """A PNG of coloured squares, another for every seed."""
    squares = np.random.default_rng(seed).integers(0, 256, (size[1] // 4, size[0] // 4, 3), np.uint8)
    path = folder / f"picture-{seed}-{size[0]}x{size[1]}.png"
    Image.fromarray(squares.repeat(4, 0).repeat(4, 1)).save(path)
    return path


def _save_image_side(folder: Path) -> None:
    torch.manual_seed(11)
    config = CLIPVisionConfig(
        hidden_size=WIDTH, intermediate_size=64, num_hidden_layers=3, num_attention_heads=2, image_size=28,
        patch_size=14, projection_dim=16,
    )  # fmt: skip
    encoder = CLIPVisionModel(config).eval()
    for parameter in encoder.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.2)
    encoder.save_pretrained(folder / "image_encoder")
    kind = getattr(transformers, "CLIPImageProcessorPil", None) or transformers.CLIPImageProcessor
    kind(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}).save_pretrained(
        folder / "image_processor"
    )
