"""What a run's pictures add to every pass, and to its latents; for a model that is given text alone: nothing."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from catalog.recipe import Recipe
from engine.inference.conditions.given import Given

Arguments = Mapping[str, Any]
Encoded = tuple[Tensor, ...]
"""What a model sees of a recipe's pictures, whatever its strength."""
Words = Literal["prompt", "negative"]


class Pass(Protocol):
    """One forward of an expert."""

    def __call__(self, arguments: Arguments, words: Words) -> Tensor:
        """The expert's prediction; the negative prompt may be asked for only where guidance is not 1."""


class Conditions:
    """Text alone. Models that see pictures change what they need of it.

    `leading` counts the latent frames before the clip's own.
    """

    leading = 0

    def arguments(self, latents: Tensor, timestep: Tensor, dtype: torch.dtype) -> Arguments:
        """What a pass is given beside the text, `timestep` being the schedule's own."""
        return {"hidden_states": latents.to(dtype), "timestep": timestep.expand(latents.shape[0])}

    def velocity(
        self, passed: Pass, latents: Tensor, timestep: Tensor, dtype: torch.dtype, guidance: float
    ) -> Tensor:
        """The prediction of a step, by as many passes as it takes: two, or one where guidance is 1.

        Passes come in one order in every step, that with the prompt first, since meters listen to it.
        """
        arguments = self.arguments(latents, timestep, dtype)
        with_prompt = passed(arguments, "prompt")
        if guidance == 1:
            return with_prompt
        without = passed(arguments, "negative")
        return without + guidance * (with_prompt - without)

    def around(self, model: nn.Module) -> AbstractContextManager[None]:
        """What must be in place in an expert while a step is taken."""
        return nullcontext()

    def settled(self, latents: Tensor) -> Tensor:
        """Latents, or an estimate of them, with what the pictures fix in them."""
        return latents

    def shown(self, latents: Tensor) -> Tensor:
        """The latents that are decoded to the clip's own frames."""
        return self.settled(latents)[:, :, self.leading :]


class Sight(Protocol):
    """How the models of one kind see pictures."""

    def encode(self, given: Given) -> Encoded:
        """Read and encode; what pictures are too many or too few for this model nobody asks here."""

    def conditions(self, recipe: Recipe, encoded: Encoded) -> Conditions:
        """The conditions of a recipe, of what was encoded for it."""


TEXT_ALONE = Conditions()
