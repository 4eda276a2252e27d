"""A loaded model with what a run needs around it, and what a run asks of the adapters on it."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import diffusers
import torch

from catalog.model_assembly import read_assembly
from catalog.models import Expert
from catalog.recipe import Recipe
from engine.inference.checkpoints.components import Components
from engine.inference.computing import Computation
from engine.inference.conditions.conditioner import Conditioner
from engine.inference.decode import Decoder
from engine.inference.denoise import Strengths
from engine.inference.device import describe
from engine.inference.preview import Previewer
from engine.inference.prompt import PromptEncoder
from engine.inference.room import Room
from engine.messages import AdapterAttached, Mix


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """One model. `fingerprint` is another for other weights, `machine` for anything else that computes."""

    parts: Components
    fingerprint: str
    machine: str
    prompts: PromptEncoder
    conditioner: Conditioner
    decoder: Decoder
    previewer: Previewer

    def latent_shape(self, recipe: Recipe) -> tuple[int, ...]:
        """The latents [1, C, F, H, W] of a recipe that is whole; each reference image has a frame in them."""
        assert recipe.frames and recipe.width and recipe.height
        config = self.parts.vae.config
        spatial = config.scale_factor_spatial
        frames = (recipe.frames - 1) // config.scale_factor_temporal + 1
        frames += len(recipe.inputs.reference_images)
        size = (recipe.height // spatial, recipe.width // spatial)
        return (1, config.z_dim, frames, *size)


class Adapters(Protocol):
    """The adapters beside a model's layers."""

    computation: Computation
    """How everything is computed."""

    room: Room
    """What of the model is where."""

    @property
    def attached(self) -> Mapping[str, AdapterAttached]:
        """What is attached, by name, in the order in which it plays."""

    def strengths(self, mix: Mix, expert: Expert, step: int, sigmas: Sequence[float]) -> Strengths:
        """The strength of everything attached at one step of a run; 0 where it does not play."""

    def play(self, strengths: Strengths, expert: Expert) -> None:
        """Let these be heard from the next pass on, and measure them in it."""

    def meters(self, strengths: Strengths) -> Strengths:
        """‖s·ΔW x‖ / ‖W x‖ of each adapter that was measured since `play`, at these strengths; 0 in silence."""


def loaded(parts: Components) -> Loaded:
    """What is needed around a model that has just been loaded."""
    decoder = Decoder(parts.vae)
    return Loaded(
        parts=parts,
        fingerprint=fingerprint(_files(parts.info.path)),
        machine=f"{describe(parts.device)}, torch {torch.__version__}, diffusers {diffusers.__version__}",
        prompts=PromptEncoder(parts.tokenizer, parts.text_encoder, parts.device),
        conditioner=Conditioner(parts),
        decoder=decoder,
        previewer=Previewer(decoder),
    )


def fingerprint(files: Iterable[Path]) -> str:
    """What tells a model's files from others, without reading them: names, sizes and times."""
    digest = hashlib.sha256()
    for file in sorted(files):
        status = file.stat()
        digest.update(f"{file.parent.name}/{file.name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _files(model: Path) -> Iterator[Path]:
    """All files of a model: those in its folder, or those that its .wanmodel.json names."""
    if not model.is_dir():
        yield model
    for part in [model] if model.is_dir() else read_assembly(model).parts.values():
        yield from (file for file in part.rglob("*") if file.is_file()) if part.is_dir() else [part]
