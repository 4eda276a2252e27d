"""Small LoRA files in the dialects people have, each with its ΔW written out densely in float64."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

RANK = 4
ORIGINAL = {
    "attn1.to_q": "self_attn.q",
    "attn2.to_k": "cross_attn.k",
    "ffn.net.0.proj": "ffn.0",
    "ffn.net.2": "ffn.2",
}


@dataclass
class Factors:
    """Tensors of a file, and the dense ΔW by module name."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    dense: dict[str, Tensor] = field(default_factory=dict)


Naming = Callable[[int, str], str]

NAMES: dict[str, tuple[Naming, str, str, float | None]] = {
    "comfyui": (
        lambda n, m: f"diffusion_model.blocks.{n}.{ORIGINAL[m]}",
        ".lora_down.weight",
        ".lora_up.weight",
        2.0,
    ),
    "kohya": (
        lambda n, m: f"lora_unet_blocks_{n}_{ORIGINAL[m].replace('.', '_')}",
        ".lora_down.weight",
        ".lora_up.weight",
        8.0,
    ),
    "diffusers": (lambda n, m: f"transformer.blocks.{n}.{m}", ".lora_A.weight", ".lora_B.weight", None),
    "bare": (
        lambda n, m: f"blocks.{n}.{ORIGINAL[m]}",
        ".lora_A.default.weight",
        ".lora_B.default.weight",
        None,
    ),
}


def lora_file(
    folder: Path,
    dialect: str,
    model: nn.Module,
    width: int | None = None,
    poison: bool = False,
    drop: str = "",
) -> tuple[Path, Factors]:
    """A file for `model`'s first block and second block; spoiled in one way where asked."""
    generator = torch.Generator().manual_seed(17)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator) * 0.3

    made = Factors()
    for block in range(2):
        for module in ORIGINAL:
            name = f"blocks.{block}.{module}"
            layer = model.get_submodule(name)
            out, into = (width or layer.out_features), (width or layer.in_features)
            _add(made, dialect, block, module, out, into, drawn)
    if poison:
        next(iter(made.tensors.values()))[0, 0] = float("nan")
    kept = {k: v for k, v in made.tensors.items() if not (drop and drop in k)}
    file = folder / f"{dialect.replace(' ', '_')}.safetensors"
    save_file(kept, file)
    return file, made


def _add(
    made: Factors, dialect: str, block: int, module: str, out: int, into: int, drawn: Callable[..., Tensor]
) -> None:
    name = f"blocks.{block}.{module}"
    match dialect:
        case "two experts":
            for component in ("transformer", "transformer_2"):
                down, up = drawn(RANK, into), drawn(out, RANK)
                made.tensors[f"{component}.{name}.lora_A.weight"] = down
                made.tensors[f"{component}.{name}.lora_B.weight"] = up
                made.dense[f"{component}/{name}"] = up.double() @ down.double()
        case "loha":
            key = f"lora_unet_blocks_{block}_{ORIGINAL[module].replace('.', '_')}"
            a1, b1, a2, b2 = drawn(out, RANK), drawn(RANK, into), drawn(out, RANK), drawn(RANK, into)
            parts = {
                "hada_w1_a": a1,
                "hada_w1_b": b1,
                "hada_w2_a": a2,
                "hada_w2_b": b2,
                "alpha": torch.tensor(6.0),
            }
            made.tensors |= {f"{key}.{part}": value for part, value in parts.items()}
            made.dense[name] = 1.5 * (a1.double() @ b1.double()) * (a2.double() @ b2.double())
        case "lokr":
            key = f"diffusion_model.blocks.{block}.{ORIGINAL[module]}"
            w1, a, b = drawn(4, 4), drawn(out // 4, RANK), drawn(RANK, into // 4)
            parts = {"lokr_w1": w1, "lokr_w2_a": a, "lokr_w2_b": b, "alpha": torch.tensor(2.0)}
            made.tensors |= {f"{key}.{part}": value for part, value in parts.items()}
            made.dense[name] = 0.5 * torch.kron(w1.double(), a.double() @ b.double())
        case _:
            naming, down_name, up_name, alpha = NAMES[dialect]
            key, down, up = naming(block, module), drawn(RANK, into), drawn(out, RANK)
            made.tensors |= {f"{key}{down_name}": down, f"{key}{up_name}": up}
            if alpha is not None:
                made.tensors[f"{key}.alpha"] = torch.tensor(alpha)
            made.dense[name] = (1.0 if alpha is None else alpha / RANK) * up.double() @ down.double()
