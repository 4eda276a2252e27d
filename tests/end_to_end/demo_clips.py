"""What can be measured in a demo clip: where its shape is, what path it takes, how it looks."""

import re
from pathlib import Path

import numpy as np
import torch
from clips import SIZE, backdrop
from safetensors import safe_open
from torch import Tensor, nn

Frames = np.ndarray  # [T, H, W, 3] in 0…1


def object_mask(frames: Frames, scene: str) -> np.ndarray:
    """Where a clip differs from its scene: [T, H, W]."""
    rows = (torch.arange(SIZE) + 0.5) / SIZE * 2 - 1
    empty = backdrop(scene, rows)[:, 0, :, 0].T.numpy()[None, :, None]
    return np.abs(frames - empty).max(-1) > 0.25


def centres(frames: Frames, scene: str) -> np.ndarray:
    """The shape's centroid in each frame, [T, 2] as x and y in −1…1, y down; NaN where there is none."""
    axis = (np.arange(SIZE) + 0.5) / SIZE * 2 - 1
    mask = object_mask(frames, scene)
    count = mask.sum((1, 2)).astype(float)
    count[count < 12] = np.nan
    x, y = (mask * axis[None, None]).sum((1, 2)), (mask * axis[None, :, None]).sum((1, 2))
    return np.stack([x / count, y / count], 1)


def travel(path: np.ndarray) -> np.ndarray:
    """From where to where: the last three centres' mean less the first three's."""
    return np.asarray(path[-3:].mean(0) - path[:3].mean(0))


def follows(path: np.ndarray, motion: str) -> bool:
    """Whether a path is the motion that was asked for."""
    x, y = travel(path)
    far, off = 0.3, 0.25
    match motion:
        case "moving right":
            return bool(x > far and abs(y) < off)
        case "moving left":
            return bool(x < -far and abs(y) < off)
        case "rising":
            return bool(y < -far and abs(x) < off)
        case "falling":
            return bool(y > far and abs(x) < off)
        case _:
            return bool(abs(x) < off and abs(y) < off)


def enclosed(path: np.ndarray) -> float:
    """The area that a path goes around: near 0 for a line, about 0.7 for the world's orbit."""
    x, y = path[~np.isnan(path).any(1)].T
    return float(abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2)


def colour_of(frames: Frames, scene: str) -> np.ndarray:
    """The shape's mean colour, [3]."""
    return np.asarray(frames[object_mask(frames, scene)].mean(0))


def saturation(frames: Frames) -> float:
    """Mean distance between a pixel's strongest and weakest channel."""
    return float((frames.max(-1) - frames.min(-1)).mean())


def hole(frames: Frames, scene: str) -> float:
    """How often a shape's middle shows the scene: 1 for a ring, 0 for anything solid."""
    mask, found = object_mask(frames, scene), []
    for shown, (x, y) in zip(mask, centres(frames, scene), strict=True):
        if not np.isnan(x):
            column, row = (int((v + 1) / 2 * SIZE) for v in (x, y))
            found.append(not shown[row - 1 : row + 2, column - 1 : column + 2].all())
    return float(np.mean(found)) if found else 0.0


ORIGINAL = {
    "self_attn.q": "attn1.to_q",
    "self_attn.k": "attn1.to_k",
    "self_attn.v": "attn1.to_v",
    "self_attn.o": "attn1.to_out.0",
    "cross_attn.q": "attn2.to_q",
    "cross_attn.k": "attn2.to_k",
    "cross_attn.v": "attn2.to_v",
    "cross_attn.o": "attn2.to_out.0",
    "ffn.0": "ffn.net.0.proj",
    "ffn.2": "ffn.net.2",
}


def layer_of(start: str) -> tuple[str, str]:
    """(expert or "", diffusers' layer name) of the first part of a LoRA key."""
    expert = (
        "low" if start.startswith("transformer_2.") else "high" if start.startswith("transformer.") else ""
    )
    start = re.sub(r"^(transformer(_2)?|diffusion_model)\.", "", start)
    if flat := re.fullmatch(r"lora_unet_blocks_(\d+)_(self_attn|cross_attn|ffn)_(\w)", start):
        start = f"blocks.{flat[1]}.{flat[2]}.{flat[3]}"
    block, number, rest = start.split(".", 2)
    return expert, f"{block}.{number}.{ORIGINAL.get(rest, rest)}"


def delta(parts: dict[str, Tensor]) -> Tensor:
    """ΔW at strength 1 from one layer's tensors."""
    p = {k.removesuffix(".weight"): v.double() for k, v in parts.items()}
    down, up = p.get("lora_down", p.get("lora_A")), p.get("lora_up", p.get("lora_B"))
    if down is not None and up is not None:
        return p.get("alpha", torch.tensor(float(len(down)))) / len(down) * (up @ down)
    if "hada_w1_a" in p:
        product = (p["hada_w1_a"] @ p["hada_w1_b"]) * (p["hada_w2_a"] @ p["hada_w2_b"])
        return p["alpha"] / len(p["hada_w1_b"]) * product
    return p["alpha"] / len(p["lokr_w2_b"]) * torch.kron(p["lokr_w1"], p["lokr_w2_a"] @ p["lokr_w2_b"])


def deltas(file: Path) -> dict[tuple[str, str], Tensor]:
    """Every layer's ΔW in a LoRA file by (expert or "", layer)."""
    layers: dict[tuple[str, str], dict[str, Tensor]] = {}
    with safe_open(file, "pt") as content:
        for name in sorted(content.keys()):
            start, suffix = re.fullmatch(r"(.+?)\.((?:lora|hada|lokr)_.+|alpha)", name).groups()  # type: ignore[union-attr]
            layers.setdefault(layer_of(start), {})[suffix] = content.get_tensor(name)
    return {layer: delta(parts) for layer, parts in layers.items()}


def merge(file: Path, experts: dict[str, nn.Module], strength: float = 1.0) -> None:
    """Add a LoRA file densely to the experts (by side) that it is meant for."""
    for (side, layer), change in deltas(file).items():
        for name, model in experts.items():
            if side in ("", name):
                model.get_submodule(layer).weight.data += strength * change.float()  # type: ignore[operator]
