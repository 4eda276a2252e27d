"""Transformers of real sizes with random weights, written as sharded folders without ever being in memory."""

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import WanTransformer3DModel
from safetensors.torch import save_file
from torch import Tensor

COMMON: dict[str, Any] = {
    "_class_name": "WanTransformer3DModel", "attention_head_dim": 128, "cross_attn_norm": True, "eps": 1e-6,
    "freq_dim": 256, "in_channels": 16, "out_channels": 16, "patch_size": [1, 2, 2],
    "qk_norm": "rms_norm_across_heads", "rope_max_seq_len": 1024, "text_dim": 4096,
}  # fmt: skip
WAN_1_3B = COMMON | {"num_attention_heads": 12, "num_layers": 30, "ffn_dim": 8960}
WAN_14B = COMMON | {"num_attention_heads": 40, "num_layers": 40, "ffn_dim": 13824}
_POOL = 1 << 24


def write(folder: Path, config: dict[str, Any], dtype: torch.dtype) -> int:
    """Write a model, its matrices as `dtype`, with a shard for every block; the bytes of all shards."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    with torch.device("meta"):
        wanted = WanTransformer3DModel.from_config(config).state_dict()
    shards: dict[str, dict[str, Tensor]] = {}
    for name, tensor in wanted.items():
        block = name.split(".")[1] if name.startswith("blocks.") else "rest"
        shards.setdefault(f"model-{block}.safetensors", {})[name] = tensor
    pool = torch.randn(_POOL, generator=torch.Generator().manual_seed(0)).mul_(0.02)
    drawn = {torch.float32: pool, dtype: pool.to(dtype)}
    for shard, empty in shards.items():
        save_file({name: _filled(t, drawn, dtype) for name, t in empty.items()}, folder / shard)
    index = {"weight_map": {name: shard for shard, tensors in shards.items() for name in tensors}}
    (folder / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index), "utf-8")
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def _filled(tensor: Tensor, drawn: dict[torch.dtype, Tensor], dtype: torch.dtype) -> Tensor:
    """Random numbers in its shape: those of the pool, over and over."""
    pool = drawn[dtype if tensor.ndim == 2 else torch.float32]
    count = -(-tensor.numel() // len(pool))
    return pool.repeat(count)[: tensor.numel()].view(tensor.shape).clone()
