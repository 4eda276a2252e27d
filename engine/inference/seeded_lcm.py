"""Flow-matching LCM whose noise depends on the seed alone."""

from typing import Any

import torch
from diffusers import FlowMatchLCMScheduler
from torch import Tensor


class SeededLCM(FlowMatchLCMScheduler):  # type: ignore[misc]  # diffusers has no types
    """Draws the noise of its steps on the CPU, going on where the noise that the run begins with left off.

    So does a pipeline that is given one generator. `generator_state` is part of what a run keeps of its steps.
    """

    seed: int = 0
    generator_state: Tensor | None = None

    def step(
        self,
        model_output: Tensor,
        timestep: Any,
        sample: Tensor,
        generator: Any = None,
        return_dict: bool = True,
    ) -> Any:
        """One step as diffusers takes it; the `generator` is this scheduler's own."""
        drawing = torch.Generator("cpu")
        if self.generator_state is None:
            drawing.manual_seed(self.seed)
            torch.randn(sample.shape, generator=drawing, dtype=torch.float32)
        else:
            drawing.set_state(self.generator_state.cpu())
        done = super().step(model_output, timestep, sample, drawing, return_dict)
        self.generator_state = drawing.get_state()
        self._init_size = None  # only scale-wise generation reads it, and a size cannot be written down
        return done
