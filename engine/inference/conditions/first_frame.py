"""TI2V: the first latent frame is the picture's own, without noise, and its tokens are at timestep 0."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from catalog.recipe import Recipe
from engine.inference.conditions.conditions import TEXT_ALONE, Arguments, Conditions, Encoded
from engine.inference.conditions.encoder import PictureEncoder
from engine.inference.conditions.given import Given

Patch = tuple[int, int, int]


class FirstFrame(Conditions):
    """`condition` [1, C, 1, h, w] are the picture's latents, `frames` the latent frames of the clip."""

    def __init__(self, condition: Tensor, frames: int, patch: Patch) -> None:
        self._condition = condition
        has_noise = torch.ones(frames, dtype=torch.long, device=condition.device)
        has_noise[0] = 0
        self._mask = has_noise.view(1, 1, -1, 1, 1).float()
        tokens = (condition.shape[3] // patch[1]) * (condition.shape[4] // patch[2])
        self._token_has_noise = has_noise.repeat_interleave(tokens)

    def arguments(self, latents: Tensor, timestep: Tensor, dtype: torch.dtype) -> Arguments:
        """The latents behind the picture, and the two timesteps that there are."""
        both = torch.stack([torch.zeros_like(timestep), timestep]).float()[None]
        return {"hidden_states": self.settled(latents).to(dtype), "timestep": both}

    @contextmanager
    def around(self, model: nn.Module) -> Iterator[None]:
        """The embeddings of both timesteps, computed once each, are handed to the tokens."""

        def spread(_: nn.Module, __: object, embedded: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            time, modulation, *others = embedded
            return time[:, self._token_has_noise], modulation[:, self._token_has_noise], *others

        hook = model.get_submodule("condition_embedder").register_forward_hook(spread)
        try:
            yield
        finally:
            hook.remove()

    def settled(self, latents: Tensor) -> Tensor:
        """The latents with the picture as their first frame."""
        return (1 - self._mask) * self._condition + self._mask * latents


class FirstFrameSight:
    """Sees a start image, or nothing: then all tokens are at one timestep, as in any other model."""

    def __init__(self, encoder: PictureEncoder, patch: Patch) -> None:
        self._encoder, self._patch = encoder, patch

    def encode(self, given: Given) -> Encoded:
        """The picture's latents."""
        start = given.start()
        return () if start is None else (self._encoder.latents(self._encoder.video(start)),)

    def conditions(self, recipe: Recipe, encoded: Encoded) -> Conditions:
        """The picture in a clip of the recipe's length."""
        if not encoded:
            return TEXT_ALONE
        assert recipe.frames
        frames = (recipe.frames - 1) // self._encoder.frame_stride + 1
        return FirstFrame(encoded[0], frames, self._patch)
