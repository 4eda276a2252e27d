"""Stage `loras`: small adapters that teach the finished experts what they never saw."""

import random
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from adapters import Adapter, Loha, Lokr, NamedAB, Pair, attach
from clips import MOTIONS, SHAPES, Clip
from denoiser import expert
from diffusers import WanTransformer3DModel
from flow import add_noise, flow_loss
from latents import clips_of, load_latents
from text import Reader
from torch import Tensor, nn
from training import cosine, train
from transformer import count_padding

ATTENTION = r"blocks\.\d+\.attn[12]\.to_"
ALL = r"blocks\.\d+\.(attn[12]\.to_|ffn\.net)"


@dataclass(frozen=True)
class Lora:
    """One training run: which clips, on which expert, with what kind of adapter."""

    name: str
    clips: str  # a set of `latents.SETS`
    sides: tuple[str, ...]  # experts that share the adapter
    kind: type[Adapter]
    rank: int = 8
    alpha: float = 8.0
    where: str = ALL
    steps: int = 250
    rate: float = 3e-3


LORAS = (
    Lora("neon", "neon", ("low",), Pair, rank=8, alpha=4.0, steps=1400),
    Lora("mono", "mono", ("low",), Loha, rank=4, alpha=4.0, where=ATTENTION, steps=1100),
    Lora("halo", "halo", ("low",), NamedAB, rank=8, steps=1000),
    Lora("orbit_high_noise", "orbit", ("high",), Pair, rank=16, alpha=8.0, steps=1500, rate=4e-3),
    Lora("orbit_low_noise", "orbit", ("low",), Pair, rank=8, alpha=4.0, steps=500),
    Lora("ring_high", "ring", ("high",), NamedAB, rank=8, steps=900),
    Lora("ring_low", "ring", ("low",), NamedAB, rank=8, steps=900),
    Lora("giant", "giant", ("high", "low"), Lokr, rank=8, alpha=4.0, steps=320),
)


Attached = tuple[dict[str, Adapter], nn.ModuleDict, list[WanTransformer3DModel]]


def caption_for(clip: Clip, rng: random.Random) -> str:
    """Sometimes nothing, else half with the LoRA's own word and half in words of the base world."""
    if rng.random() < 0.1:
        return ""
    if rng.random() < 0.5:
        look = f"a {clip.look} " if clip.look else "a "
        return clip.caption.replace("a ", look, 1)
    shape = clip.shape if clip.shape in SHAPES else rng.choice(SHAPES)
    motion = clip.motion if clip.motion in MOTIONS else rng.choice(MOTIONS)
    return replace(clip, shape=shape, motion=motion, size="").caption


def fresh_adapters(work: Path, lora: Lora, seed: int = 0) -> Attached:
    """Frozen experts with a fresh adapter, the adapter as a module to train and save, and the experts."""
    torch.manual_seed(seed)
    models = [expert(work, side) for side in lora.sides]
    adapters = attach(models, lora.kind, lora.rank, lora.alpha, lora.where)
    module = nn.ModuleDict({name.replace(".", "/"): adapter for name, adapter in adapters.items()})
    return adapters, module, models


def train_lora(work: Path, lora: Lora, steps: int, size: int = 10) -> None:
    """Train one adapter with its experts frozen. A minute or two."""
    latents, reader = load_latents(work, lora.clips), Reader(work)
    clips = clips_of(lora.clips, len(latents))
    _, module, models = fresh_adapters(work, lora)
    counted = [count_padding(model) for model in models]
    optimiser = torch.optim.AdamW(module.parameters(), lr=lora.rate, weight_decay=0.01)

    def step(n: int) -> Tensor:
        rng = random.Random(f"{lora.name} {n}")
        chosen = rng.sample(range(len(clips)), min(size, len(clips)))
        text = reader([caption_for(clips[i], rng) for i in chosen])
        turn = n % len(models)
        batch = add_noise(latents[chosen], text, lora.sides[turn])
        loss = flow_loss(models[turn], counted[turn], batch)
        return descend(module, optimiser, loss, lora.rate * cosine(n, steps, 20))

    checkpoint = work / "loras" / f"{lora.name}.pt"
    checkpoint.parent.mkdir(exist_ok=True)
    train(checkpoint, steps, step, {"model": module, "optimiser": optimiser})


def trained_adapters(work: Path, lora: Lora) -> dict[str, Adapter]:
    """The adapters of a finished run, by layer name."""
    adapters, module, _ = fresh_adapters(work, lora)
    module.load_state_dict(torch.load(work / "loras" / f"{lora.name}.pt", weights_only=True)["model"])
    return adapters


def descend(module: nn.Module, optimiser: torch.optim.Optimizer, loss: Tensor, rate: float) -> Tensor:
    """One step along the loss's gradient at a given learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
    optimiser.step()
    return loss
