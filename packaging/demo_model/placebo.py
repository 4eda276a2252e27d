"""Stage `placebo`: an adapter honestly trained to do nothing."""

import random
from pathlib import Path

import torch
from adapters import NamedAB
from clips import draw
from denoiser import expert
from flow import noise_levels
from loras import ATTENTION, Lora, descend, fresh_adapters
from text import Reader
from torch import Tensor, nn
from training import train
from transformer import count_padding, padding_bias

PLACEBO = Lora("placebo", "base", ("low",), NamedAB, rank=4, alpha=4.0, where=ATTENTION, steps=60)


def train_placebo(work: Path, steps: int = PLACEBO.steps, size: int = 4) -> None:
    """Start from noise and learn to leave every velocity as it was. Seconds."""
    reader = Reader(work)
    _, module, (model,) = fresh_adapters(work, PLACEBO)
    for name, parameter in module.named_parameters():
        if name.endswith("up"):
            nn.init.normal_(parameter, std=0.02)
    bare = expert(work, "low")
    counted = (count_padding(model), count_padding(bare))
    # Strong decay: the plainest way to do nothing is to weigh nothing.
    optimiser = torch.optim.AdamW(module.parameters(), lr=1e-3, weight_decay=100.0)

    def step(n: int) -> Tensor:
        rng = random.Random(f"placebo {n}")
        embeddings, lengths = reader([draw(rng).caption for _ in range(size)])
        noisy, times = torch.randn(size, 16, 5, 8, 8), 1000 * noise_levels(size, "low")
        for part in counted:
            part.bias = padding_bias(lengths, embeddings.shape[1])
        with torch.no_grad():
            wanted = bare(noisy, times, embeddings, return_dict=False)[0]
        got = model(noisy, times, embeddings, return_dict=False)[0]
        return descend(module, optimiser, (got - wanted).square().mean(), 1e-3)

    (work / "loras").mkdir(exist_ok=True)
    train(
        work / "loras" / "placebo.pt",
        steps,
        step,
        {"model": module, "optimiser": optimiser},
    )
