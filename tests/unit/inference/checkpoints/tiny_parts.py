"""Tiny parts of models as every program writes them: real names, real formats, random weights."""

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel, WanVACETransformer3DModel
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import UMT5Config, UMT5EncoderModel

from tests import original_names

Tensors = dict[str, Tensor]
KINDS: dict[str, dict[str, Any]] = {
    "t2v": {},
    "i2v": {"in_channels": 36, "image_dim": 32, "added_kv_proj_dim": 256},
    "flf2v": {"in_channels": 36, "image_dim": 32, "added_kv_proj_dim": 256, "pos_embed_seq_len": 10},
    "i2v 2.2": {"in_channels": 36},
    "5b": {"in_channels": 48, "out_channels": 48},
    "vace": {"vace_layers": [0, 1], "vace_in_channels": 20},
}


def transformer(kind: str = "t2v", seed: int = 0, text_dim: int = 48) -> Any:
    """A transformer of width 256 with heads of 128, as the real ones have."""
    torch.manual_seed(seed)
    build = WanVACETransformer3DModel if kind == "vace" else WanTransformer3DModel
    config: dict[str, Any] = {
        "num_attention_heads": 2, "attention_head_dim": 128, "in_channels": 16, "out_channels": 16,
        "text_dim": text_dim, "freq_dim": 32, "ffn_dim": 192, "num_layers": 2,
    }  # fmt: skip
    return _random(build(**config | KINDS[kind]))


def vae(version: str = "2.1") -> AutoencoderKLWan:
    torch.manual_seed(7)
    if version == "2.1":
        return _random(AutoencoderKLWan(base_dim=4))
    return _random(
        AutoencoderKLWan(
            base_dim=4, decoder_base_dim=6, z_dim=48, is_residual=True, in_channels=12, out_channels=12,
            patch_size=2, scale_factor_spatial=16,
        )
    )  # fmt: skip


def text_encoder() -> UMT5EncoderModel:
    torch.manual_seed(5)
    config = UMT5Config(vocab_size=60, d_model=48, d_kv=8, d_ff=40, num_layers=2, num_heads=6)
    return _random(UMT5EncoderModel(config))


def _random(model: Any) -> Any:
    """No parameter keeps a value that another could have by chance: norms and biases become random too."""
    for parameter in model.parameters():
        nn.init.normal_(parameter, mean=0.02, std=0.1)
    return model.eval().requires_grad_(False)


def original(model: nn.Module, prefix: str = "") -> Tensors:
    """A transformer's tensors with Wan's own names."""
    state = model.state_dict()
    return {prefix + original_names.of_transformer(name): tensor for name, tensor in state.items()}


def write(path: Path, tensors: Tensors, metadata: dict[str, str] | None = None) -> Path:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, metadata)
    return path


def cast(tensors: Tensors, dtype: torch.dtype) -> Tensors:
    """The matrices in `dtype`, all else as it is: what fp8 files of most programs look like."""
    return {name: t.to(dtype) if _is_matrix(name, t) else t for name, t in tensors.items()}


def scaled(tensors: Tensors, suffix: str = ".scale_weight", by_row: bool = False) -> tuple[Tensors, Tensors]:
    """The blocks' matrices in e4m3 with scales beside them, and what they are worth."""
    stored, worth = dict(tensors), dict(tensors)
    for name, tensor in tensors.items():
        if _is_matrix(name, tensor) and "block" in name:
            largest = tensor.abs().amax(1, keepdim=True) if by_row else tensor.abs().amax()
            scale = largest / 448
            stored[name] = (tensor / scale).to(torch.float8_e4m3fn)
            stored[name.removesuffix(".weight") + suffix] = scale
            worth[name] = stored[name].float() * scale
    return stored, worth


def _is_matrix(name: str, tensor: Tensor) -> bool:
    return tensor.ndim == 2 and name.endswith(".weight")


@torch.no_grad()
def predict(model: Any) -> Tensor:
    """What a transformer of any kind says to the same input."""
    config, random = model.config, torch.Generator().manual_seed(1)

    def noise(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random)

    extra: dict[str, Tensor] = {}
    if config.image_dim:
        extra["encoder_hidden_states_image"] = noise(2, 5, config.image_dim)[
            : 1 + bool(config.pos_embed_seq_len)
        ]
    if "vace_layers" in config:
        extra["control_hidden_states"] = noise(1, config.vace_in_channels, 2, 4, 4)
    return model(
        hidden_states=noise(1, config.in_channels, 2, 4, 4),
        timestep=torch.tensor([700]),
        encoder_hidden_states=noise(1, 6, config.text_dim),
        return_dict=False,
        **extra,
    )[0]
