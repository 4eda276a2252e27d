"""Stage `latents`: the training clips, encoded once, and the VAE's folder with their statistics."""

import random
from pathlib import Path

import torch
from clips import HELD_BACK, Clip, batch, draw
from diffusers import AutoencoderKLWan
from torch import Tensor
from training import save
from vae import encode, new_vae, whole_clip_forward

PART = 250  # clips a file: what a stop can cost
# What each set's clips have in common; `base` is the world that the denoiser learns.
SETS: dict[str, dict[str, str]] = {
    "base": {},
    "ring": {"shape": "ring"},
    "orbit": {"motion": "orbiting"},
    "giant": {"size": "giant"},
} | {look: {"look": look} for look in HELD_BACK["looks"]}


def clips_of(name: str, count: int) -> list[Clip]:
    """The first `count` clips of a set; always the same ones."""
    return [draw(random.Random(f"{name} {i}"), **SETS[name]) for i in range(count)]


@torch.no_grad()
def _encode(vae: AutoencoderKLWan, clips: list[Clip]) -> Tensor:
    rows = [encode(vae, batch(clips[i : i + 10])[0]) for i in range(0, len(clips), 10)]
    return torch.cat(rows)


def cache_clips(vae: AutoencoderKLWan, work: Path, name: str, count: int) -> None:
    """Encode a set in parts; parts that are there already stay."""
    clips = clips_of(name, count)
    (work / "latents").mkdir(exist_ok=True)
    for start in range(0, count, PART):
        file = work / "latents" / f"{name}-{start:05}.pt"
        if not file.exists():
            save(file, _encode(vae, clips[start : start + PART]))
            print(f"latents {name} {min(start + PART, count)}/{count}", flush=True)


def load_raw(work: Path, name: str) -> Tensor:
    """A set's latents [N, 16, 5, 8, 8] as the encoder gave them."""
    files = sorted((work / "latents").glob(f"{name}-*.pt"))
    return torch.cat([torch.load(f, weights_only=True) for f in files])


def trained_vae(work: Path) -> AutoencoderKLWan:
    """The VAE after its last training stage; its config holds the latents' statistics once known."""
    vae = new_vae()
    vae.load_state_dict(torch.load(work / "vae-decoder.pt", weights_only=True)["model"])
    return vae.eval().requires_grad_(False)


def note_statistics(vae: AutoencoderKLWan, latents: Tensor) -> None:
    """Put the mean and deviation of each latent channel into the VAE's config, as the pipeline expects."""
    vae.register_to_config(
        latents_mean=[round(v, 5) for v in latents.mean((0, 2, 3, 4)).tolist()],
        latents_std=[round(v, 5) for v in latents.std((0, 2, 3, 4)).tolist()],
    )


def load_latents(work: Path, name: str) -> Tensor:
    """A set's latents [N, 16, 5, 8, 8] as the denoiser sees them: about mean 0 and deviation 1."""
    config = AutoencoderKLWan.load_config(work / "vae")
    mean, std = (torch.tensor(config[k])[:, None, None, None] for k in ("latents_mean", "latents_std"))
    return (load_raw(work, name) - mean) / std


def make_latents(work: Path, base: int, each: int) -> None:
    """Encode all sets and write `vae/` below `work`. About 10 minutes."""
    whole_clip_forward()
    vae = trained_vae(work)
    for name in SETS:
        cache_clips(vae, work, name, base if name == "base" else each)
    note_statistics(vae, load_raw(work, "base")[:1000])
    vae.save_pretrained(work / "vae")
