"""GLoRA, which becomes a low-rank pair once the layer's own weight is known."""

import torch

from engine.inference.lora.delta import Effect, Pair
from engine.inference.lora.kinds.parts import Parts


def build(parts: Parts) -> Effect:
    """ΔW = s · (b1 b2 + W a1 a2) = s · [b1, W a1] [b2; a2]."""
    own = parts.own_matrix()
    a1, a2, b1, b2 = (parts[f"glora_{name}"].flatten(1).to(own) for name in ("a1", "a2", "b1", "b2"))
    if b1.shape[0] < b1.shape[1]:  # the old layout: each factor in the other's place
        a1, a2, b1, b2 = a2, a1, b2, b1
    up = torch.cat((b1, own @ a1), dim=1)
    return Effect(pairs=(Pair(torch.cat((b2, a2)), up, parts.scale(b1.shape[1])),))
