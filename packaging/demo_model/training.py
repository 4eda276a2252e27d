"""One resumable training loop for every stage: seeded by step, checkpointed, safe to stop at any moment."""

import math
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor


class Stateful(Protocol):
    """Whatever can be put into a checkpoint and taken out again."""

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any], /) -> object: ...


def cosine(step: int, steps: int, warm_up: int = 50) -> float:
    """Learning-rate factor: a linear warm-up, then a cosine down to 2 %."""
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))


def save(path: Path, value: object) -> None:
    """Write a checkpoint so that a kill at any moment leaves either the old or the new one."""
    part = path.with_suffix(".part")
    torch.save(value, part)
    os.replace(part, path)


class Average:
    """A moving average of a model's parameters; samples from it are cleaner than from the last step."""

    def __init__(self, model: torch.nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}

    def update(self, model: torch.nn.Module, step: int) -> None:
        """Move towards the model; early on quickly, so that the random start is forgotten."""
        keep = min(self.decay, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if name in self.values:
                    self.values[name].lerp_(parameter, 1 - keep)

    def copy_to(self, model: torch.nn.Module) -> None:
        """Put the averaged values into the model."""
        model.load_state_dict(self.values, strict=False)

    def state_dict(self) -> dict[str, Any]:
        return dict(self.values)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.values = dict(state)


def train(
    checkpoint: Path,
    steps: int,
    one_step: Callable[[int], Tensor],
    state: Mapping[str, Stateful],
    every: int = 100,
) -> None:
    """Run `one_step(step)` (it returns the loss) until `steps`, resuming from `checkpoint` when there is one."""
    start, begun = 0, time.perf_counter()
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        start = saved["step"]
        for name, part in state.items():
            part.load_state_dict(saved[name])
    smooth: float | None = None
    for step in range(start, steps):
        torch.manual_seed(step)
        loss = float(one_step(step).detach())
        smooth = loss if smooth is None else smooth * 0.97 + loss * 0.03
        if (step + 1) % every == 0 or step + 1 == steps:
            save(checkpoint, {"step": step + 1} | {n: p.state_dict() for n, p in state.items()})
            pace = (time.perf_counter() - begun) / (step + 1 - start)
            print(
                f"{checkpoint.stem} {step + 1}/{steps} loss {smooth:.4f} {pace:.2f} s/step",
                flush=True,
            )
