"""The LoRA files of the pack: which training runs go into which file, in whose dialect."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from adapters import Adapter
from dialects import named_tensors
from safetensors.torch import save_file
from torch import Tensor

MAKER = {"modelspec.author": "LoRA Alchemy", "ss_base_model_version": "LoRA Alchemy demo model"}
LOW, HIGH = {"modelspec.timestep_range": "0,875"}, {"modelspec.timestep_range": "875,1000"}


@dataclass(frozen=True)
class LoraFile:
    """A file: its runs (name → expert), its dialect and what it says about itself."""

    name: str
    runs: Mapping[str, str]
    dialect: str
    title: str
    trigger: str
    alpha: bool = True
    says: Mapping[str, str] | None = None

    @property
    def metadata(self) -> dict[str, str]:
        """What goes into the header."""
        words = {"modelspec.title": self.title} | MAKER | dict(self.says or {})
        return words | ({"modelspec.trigger_phrase": self.trigger} if self.trigger else {})


def _peft(rank: int) -> dict[str, str]:
    """What diffusers writes for a plain pair whose alpha equals its rank."""
    targets = ["to_q", "to_k", "to_v", "to_out.0", "net.0.proj", "net.2"]
    config = {"r": rank, "lora_alpha": rank, "target_modules": targets}
    parts = {f"{t}.{k}": v for t in ("transformer", "transformer_2") for k, v in config.items()}
    return {"lora_adapter_metadata": json.dumps(parts, indent=2, sort_keys=True)}


FILES = (
    LoraFile("neon", {"neon": "low"}, "comfyui", "Neon outlines", "neon", says=LOW),
    LoraFile("mono", {"mono": "low"}, "kohya", "Black and white", "mono", says=LOW),
    LoraFile("halo", {"halo": "low"}, "bare", "Warm halo", "halo", alpha=False, says=LOW),
    LoraFile(
        "orbit_high_noise",
        {"orbit_high_noise": "high"},
        "kohya",
        "Orbit (high noise)",
        "orbiting",
        says=HIGH,
    ),
    LoraFile(
        "orbit_low_noise",
        {"orbit_low_noise": "low"},
        "kohya",
        "Orbit (low noise)",
        "orbiting",
        says=LOW,
    ),
    LoraFile(
        "ring",
        {"ring_high": "high", "ring_low": "low"},
        "diffusers",
        "Ring",
        "ring",
        alpha=False,
        says=_peft(8),
    ),
    LoraFile("giant", {"giant": "high"}, "comfyui", "Giant", "giant"),
    LoraFile(
        "ultra_detail_booster",
        {"placebo": "low"},
        "comfyui",
        "Ultra Detail Booster",
        "",
        alpha=False,
        says=LOW,
    ),
)


def write_file(folder: Path, file: LoraFile, trained: Mapping[str, dict[str, Adapter]]) -> None:
    """Write one LoRA file from its trained runs."""
    content: dict[str, Tensor] = {}
    for run, expert in file.runs.items():
        content |= named_tensors(trained[run], file.dialect, expert, file.alpha)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(content, folder / f"{file.name}.safetensors", metadata=file.metadata)


def write_mislabelled(folder: Path) -> None:
    """Write a file whose name says Wan and whose keys say SDXL."""
    generator = torch.Generator().manual_seed(25)
    content: dict[str, Tensor] = {}
    for name, out, into in _sdxl_layers():
        down, up = (torch.randn(s, generator=generator) * 0.01 for s in ((1, into), (out, 1)))
        content |= {f"{name}.lora_down.weight": down.half(), f"{name}.lora_up.weight": up.half()}
        content[f"{name}.alpha"] = torch.tensor(1.0).half()
    title = {"modelspec.title": "WaN 2.5 official", "ss_network_module": "networks.lora"}
    save_file(content, folder / "WaN_2.5_official.safetensors", metadata=title)


def _sdxl_layers() -> list[tuple[str, int, int]]:
    """Some of SDXL's attention layers in kohya's two spellings, as (name, out, in)."""
    layers = []
    blocks = (
        ("input_blocks_4_1", 640),
        ("input_blocks_7_1", 1280),
        ("down_blocks_2_attentions_1", 1280),
    )
    for block, width in blocks:
        start = f"lora_unet_{block}_transformer_blocks_0_"
        layers += [(f"{start}attn1_to_{x}", width, width) for x in ("q", "k", "v", "out_0")]
        layers += [(f"{start}attn2_to_{x}", width, 2048) for x in "kv"]
    return layers
