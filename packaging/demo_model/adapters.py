"""LoRA, LoHa and LoKr layers to train."""

import re
from collections.abc import Iterable
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize


class Adapter(nn.Module):
    """What is added to one linear layer's weight [out, in]; `tensors` is what its file holds."""

    names: ClassVar[dict[str, str]]  # attribute → suffix in the file

    def __init__(self, rank: int, alpha: float) -> None:
        super().__init__()
        self.alpha, self.scale = alpha, alpha / rank

    def delta(self) -> Tensor:
        """ΔW at strength 1."""
        raise NotImplementedError

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.delta()

    def tensors(self) -> dict[str, Tensor]:
        """Suffix → tensor, without the alpha."""
        return {suffix: getattr(self, name).detach() for name, suffix in self.names.items()}


class Pair(Adapter):
    """Plain LoRA: ΔW = alpha/rank · up @ down."""

    names: ClassVar = {"down": "lora_down.weight", "up": "lora_up.weight"}

    def __init__(self, out: int, into: int, rank: int, alpha: float) -> None:
        super().__init__(rank, alpha)
        self.down = nn.Parameter(torch.randn(rank, into) / into**0.5)
        self.up = nn.Parameter(torch.zeros(out, rank))

    def delta(self) -> Tensor:
        return self.scale * self.up @ self.down


class NamedAB(Pair):
    """The same with PEFT's names."""

    names: ClassVar = {"down": "lora_A.weight", "up": "lora_B.weight"}


class Loha(Adapter):
    """LoHa: ΔW = alpha/rank · (w1_a @ w1_b) ⊙ (w2_a @ w2_b)."""

    names: ClassVar = {f"w{i}_{x}": f"hada_w{i}_{x}" for i in (1, 2) for x in "ab"}

    def __init__(self, out: int, into: int, rank: int, alpha: float) -> None:
        super().__init__(rank, alpha)
        self.w1_a = nn.Parameter(torch.zeros(out, rank))
        self.w1_b = nn.Parameter(torch.randn(rank, into) * 0.3)
        self.w2_a = nn.Parameter(torch.randn(out, rank) * 0.3)
        self.w2_b = nn.Parameter(torch.randn(rank, into) * 0.3)

    def delta(self) -> Tensor:
        return self.scale * (self.w1_a @ self.w1_b) * (self.w2_a @ self.w2_b)


class Lokr(Adapter):
    """LoKr: ΔW = alpha/rank · kron(w1, w2_a @ w2_b)."""

    names: ClassVar = {"w1": "lokr_w1", "w2_a": "lokr_w2_a", "w2_b": "lokr_w2_b"}

    def __init__(self, out: int, into: int, rank: int, alpha: float, factor: int = 8) -> None:
        super().__init__(rank, alpha)
        self.w1 = nn.Parameter(torch.randn(factor, factor) / factor**0.5)
        self.w2_a = nn.Parameter(torch.zeros(out // factor, rank))
        self.w2_b = nn.Parameter(torch.randn(rank, into // factor) / (into // factor) ** 0.5)

    def delta(self) -> Tensor:
        return self.scale * torch.kron(self.w1, self.w2_a @ self.w2_b)


def attach(
    models: Iterable[nn.Module], kind: type[Adapter], rank: int, alpha: float, where: str
) -> dict[str, Adapter]:
    """Add one adapter to each linear layer whose name matches `where`; several models share it."""
    adapters: dict[str, Adapter] = {}
    for model in models:
        for name, layer in list(model.named_modules()):
            if isinstance(layer, nn.Linear) and re.search(where, name):
                if name not in adapters:
                    adapters[name] = kind(layer.out_features, layer.in_features, rank, alpha)
                parametrize.register_parametrization(layer, "weight", adapters[name])
    return adapters
