"""Wan's layer layouts with real LoRA files beside weights that take no memory."""

from pathlib import Path
from typing import Any

import torch
from diffusers import WanTransformer3DModel
from safetensors.torch import save_file
from torch import nn

from catalog.header import read_header
from engine.inference.lora.read import Adapter, read_adapter

RANK = 64
WAN_14B = {"num_attention_heads": 40, "attention_head_dim": 128, "ffn_dim": 13824, "num_layers": 40}
NARROW_14B = {"num_attention_heads": 2, "attention_head_dim": 24, "ffn_dim": 96, "num_layers": 40}


def hollow(layout: dict[str, Any], dtype: torch.dtype = torch.bfloat16) -> WanTransformer3DModel:
    """A transformer all of whose parameters have their shape but share one stored number each."""
    with torch.device("meta"):
        model = WanTransformer3DModel(**layout)
    for module in model.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                number = torch.zeros(1, dtype=dtype)
                module._parameters[name] = nn.Parameter(number.expand(parameter.shape), requires_grad=False)
    return model.eval()


def lora_file(model: nn.Module, path: Path, seed: int = 0, dtype: torch.dtype = torch.bfloat16) -> Path:
    """A pair of rank 64 for every linear layer of every block, as diffusers saves them."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Linear) and name.startswith("blocks."):
            down = torch.empty(RANK, layer.in_features, dtype=dtype).normal_(std=0.02, generator=generator)
            up = torch.empty(layer.out_features, RANK, dtype=dtype).normal_(std=0.02, generator=generator)
            tensors[f"transformer.{name}.lora_A.weight"] = down
            tensors[f"transformer.{name}.lora_B.weight"] = up
    save_file(tensors, path)
    return path


def read(path: Path) -> Adapter:
    """As the session reads it."""
    return read_adapter(path, read_header(path))
