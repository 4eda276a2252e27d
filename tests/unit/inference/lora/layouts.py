"""A stand-in for a Wan transformer with few layers, and LoRA files for it."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from catalog.header import read_header
from engine.inference.lora.read import Adapter, read_adapter

WIDTH, INNER = 24, 40


class Attention(nn.Module):
    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.to_q = nn.Linear(WIDTH, WIDTH, dtype=dtype)
        self.norm_q = nn.RMSNorm(WIDTH, dtype=dtype)


class FeedForward(nn.Module):
    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        up = nn.Module()
        up.proj = nn.Linear(WIDTH, INNER, dtype=dtype)
        self.net = nn.ModuleList([up])


class Block(nn.Module):
    """One block: a modulation, two linear layers and a norm between them, under diffusers' names."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.attn1 = Attention(dtype)
        self.ffn = FeedForward(dtype)
        self.scale_shift_table = nn.Parameter(torch.randn(1, 6, WIDTH, dtype=dtype))

    def forward(self, x: Tensor) -> Tensor:
        x = x * (1 + self.scale_shift_table[:, 0]) + self.scale_shift_table[:, 1]
        mixed: Tensor = self.ffn.net[0].proj(self.attn1.norm_q(self.attn1.to_q(x)))
        return mixed


class Model(nn.Module):
    """Two blocks that both see the input; `scale_shift_table` tells its width, as in diffusers."""

    def __init__(self, seed: int = 0, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.blocks = nn.ModuleList(Block(dtype) for _ in range(2))
        self.scale_shift_table = nn.Parameter(torch.randn(1, 2, WIDTH, dtype=dtype))

    def forward(self, x: Tensor) -> Tensor:
        total: Tensor = self.blocks[0](x) + self.blocks[1](x)
        return total


def model(seed: int = 0, dtype: torch.dtype = torch.float32) -> Model:
    """Ready to be played on."""
    return Model(seed, dtype).eval().requires_grad_(False)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    """The same numbers for the same shape and seed."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 0.3


def pairs(prefix: str = "diffusion_model", rank: int = 4, seed: int = 0) -> dict[str, Tensor]:
    """A low-rank pair for every linear layer."""
    tensors = {}
    for block in range(2):
        for layer, out in (("self_attn.q", WIDTH), ("ffn.0", INNER)):
            key = f"{prefix}.blocks.{block}.{layer}"
            tensors[f"{key}.lora_A.weight"] = drawn(rank, WIDTH, seed=seed + block)
            tensors[f"{key}.lora_B.weight"] = drawn(out, rank, seed=seed + block + 50)
    return tensors


def small_ones(seed: int = 0) -> dict[str, Tensor]:
    """Differences of a bias, a norm and a modulation."""
    stem = "diffusion_model.blocks.0"
    return {
        f"{stem}.self_attn.q.diff_b": drawn(WIDTH, seed=seed),
        f"{stem}.self_attn.norm_q.diff": drawn(WIDTH, seed=seed + 1),
        f"{stem}.modulation.diff": drawn(1, 6, WIDTH, seed=seed + 2),
    }


def written(folder: Path, tensors: Mapping[str, Tensor], name: str = "a") -> Adapter:
    """The tensors as a file, read back."""
    path = folder / f"{name}.safetensors"
    save_file(dict(tensors), path)
    return read_adapter(path, read_header(path))
