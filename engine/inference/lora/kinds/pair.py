"""Low-rank pairs: LoRA, conv LoRA, Tucker LoCon, rsLoRA."""

from engine.inference.lora.delta import Effect, Pair, SmallDelta
from engine.inference.lora.kinds.parts import Parts, folded


def build(parts: Parts) -> Effect:
    """ΔW = s · up @ down, Tucker's core folded into down; PEFT's bias of the up side is scaled alike."""
    rank = parts["down"].shape[0]
    scale = parts.scale(rank, parts.rules)
    down = folded(parts["mid"], parts["down"]) if "mid" in parts else parts.matrix("down")
    small = (SmallDelta("bias", parts["up_bias"].float(), scale),) if "up_bias" in parts else ()
    return Effect(pairs=(Pair(down, parts.matrix("up"), scale),), small=small)
