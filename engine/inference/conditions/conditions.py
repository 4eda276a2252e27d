"""What a run's pictures add to every pass, and to its latents; for a model that is given text alone: nothing."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from catalog.recipe import Recipe
from engine.inference.conditions.given import Given

Arguments = Mapping[str, Any]
Encoded = tuple[Tensor, ...]
"""What a model sees of a recipe's pictures, whatever its strength."""


class Conditions:
    """Text alone. Models that see pictures change what they need of it.

    `leading` counts the latent frames before the clip's own.
    """

    leading = 0

    def arguments(self, latents: Tensor, timestep: Tensor, dtype: torch.dtype) -> Arguments:
        """What both passes of a step are given beside the text, `timestep` being the schedule's own."""
        return {"hidden_states": latents.to(dtype), "timestep": timestep.expand(latents.shape[0])}

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
