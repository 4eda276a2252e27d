"""Builds the demo model: data, VAE, denoiser, two experts and LoRAs, stage by stage."""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from denoiser import expert, train_denoiser, train_expert
from latents import make_latents
from lora_files import FILES, write_file, write_mislabelled
from loras import LORAS, train_lora, trained_adapters
from pack import copy_loras, size_of, write_pack
from placebo import PLACEBO, train_placebo
from text import make_text
from vae import train_clips, train_decoder, train_images

LIMIT = 24_000_000  # bytes
ROOT = Path(__file__).resolve().parents[2]


def scaled(count: int, factor: float) -> int:
    """A number of steps or clips, made smaller for a trial run."""
    return max(2, round(count * factor))


def make_files(work: Path) -> None:
    """Write the LoRA files below `work` from what was trained."""
    trained = {lora.name: trained_adapters(work, lora) for lora in (*LORAS, PLACEBO)}
    for file in FILES:
        write_file(work / "loras", file, trained)
    write_mislabelled(work / "loras")


def make_pack(work: Path, out: Path) -> None:
    """Write the finished pack."""
    from diffusers import AutoencoderKLWan

    high, low = (expert(work, side).to(torch.bfloat16) for side in ("high", "low"))
    write_pack(work, out, AutoencoderKLWan.from_pretrained(work / "vae"), high, low)
    copy_loras(work / "loras", out)
    if size_of(out) > LIMIT:
        raise SystemExit(f"{out} holds {size_of(out):,} bytes, more than {LIMIT:,}")


def stages(work: Path, out: Path, factor: float) -> dict[str, Callable[[], object]]:
    """Every stage by name, in the order in which they build on each other."""

    def steps(count: int) -> int:
        return scaled(count, factor)

    return {
        "text": lambda: make_text(work),
        "vae-images": lambda: train_images(work, steps(2800)),
        "vae-clips": lambda: train_clips(work, steps(700)),
        "vae-decoder": lambda: train_decoder(work, steps(1600)),
        "latents": lambda: make_latents(work, steps(4000), steps(200)),
        "denoiser": lambda: train_denoiser(work, steps(1100)),
        "expert-high": lambda: train_expert(work, "high", steps(1700)),
        "expert-low": lambda: train_expert(work, "low", steps(3600)),
        **{f"lora-{x.name}": partial(train_lora, work, x, steps(x.steps)) for x in LORAS},
        "lora-placebo": lambda: train_placebo(work),
        "lora-files": lambda: make_files(work),
        "pack": lambda: make_pack(work, out),
    }


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    names = list(stages(Path(), Path(), 1))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", nargs="*", help=f"any of {', '.join(names)} (default: all)")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "demo_model")
    parser.add_argument("--out", type=Path, default=ROOT / "resources" / "demo")
    parser.add_argument("--steps-factor", type=float, default=1.0, help="0.01 is a trial of minutes")
    chosen = parser.parse_args(argv)
    if unknown := set(chosen.stage) - set(names):
        parser.error(f"no such stage: {', '.join(sorted(unknown))}")
    chosen.stage = [name for name in names if name in (chosen.stage or names)]
    return chosen


def main(argv: Sequence[str] | None = None) -> None:
    """Run the chosen stages; each resumes from its checkpoint and does nothing when it is done."""
    chosen = arguments(argv)
    chosen.work.mkdir(parents=True, exist_ok=True)
    for name in chosen.stage:
        begun = time.perf_counter()
        stages(chosen.work, chosen.out, chosen.steps_factor)[name]()
        print(f"{name}: {(time.perf_counter() - begun) / 60:.1f} min", flush=True)


if __name__ == "__main__":
    main()
