"""The demo model's world: short procedural clips of one shape that moves through a scene."""

import math
import random
from dataclasses import dataclass

import torch
from torch import Tensor

FRAMES, SIZE = 17, 64

SHAPES = ("ball", "box", "triangle")
MOTIONS = ("moving right", "moving left", "rising", "falling", "standing still")
COLOURS = {
    "red": (0.90, 0.15, 0.12),
    "green": (0.15, 0.75, 0.25),
    "blue": (0.15, 0.30, 0.95),
    "yellow": (0.95, 0.85, 0.15),
    "purple": (0.65, 0.20, 0.85),
    "white": (0.95, 0.95, 0.95),
}
# name: (sky at the top, sky at the horizon, ground or None)
SCENES = {
    "at night": ((0.02, 0.03, 0.12), (0.10, 0.11, 0.32), None),
    "by day": ((0.35, 0.62, 0.95), (0.75, 0.88, 1.00), (0.30, 0.58, 0.25)),
    "at sunset": ((0.35, 0.15, 0.45), (1.00, 0.55, 0.25), (0.15, 0.08, 0.12)),
}
# What the base model never sees; each is taught by a LoRA.
HELD_BACK = {
    "shape": "ring",
    "motion": "orbiting",
    "looks": ("neon", "mono", "halo"),
    "size": "giant",
}
RADIUS = {"": 0.34, "giant": 0.60}
HORIZON = 0.45  # in −1 (top) … 1 (bottom)


@dataclass(frozen=True)
class Clip:
    """One clip in words; `start` in 0…1 (two numbers) is where its motion begins."""

    shape: str
    colour: str
    motion: str
    scene: str
    look: str = ""
    size: str = ""
    start: tuple[float, float] = (0.5, 0.5)

    @property
    def caption(self) -> str:
        """The base model's way of describing a clip; looks are not mentioned."""
        size = f"{self.size} " if self.size else ""
        return f"a {size}{self.colour} {self.shape} {self.motion} {self.scene}"


def draw(rng: random.Random, **fixed: str) -> Clip:
    """A random clip of the base world, with some of its words fixed."""
    words = {
        "shape": rng.choice(SHAPES),
        "colour": rng.choice(list(COLOURS)),
        "motion": rng.choice(MOTIONS),
        "scene": rng.choice(list(SCENES)),
    }
    return Clip(**(words | fixed), start=(rng.random(), rng.random()))  # type: ignore[arg-type]


def draw_any(rng: random.Random) -> Clip:
    """A random clip of the whole world, held-back things included: what the VAE must be able to show."""
    fixed: dict[str, str] = {}
    if rng.random() < 0.12:
        fixed["shape"] = HELD_BACK["shape"]  # type: ignore[assignment]
    if rng.random() < 0.10:
        fixed["motion"] = HELD_BACK["motion"]  # type: ignore[assignment]
    if rng.random() < 0.24:
        fixed["look"] = rng.choice(HELD_BACK["looks"])
    if rng.random() < 0.08:
        fixed["size"] = HELD_BACK["size"]  # type: ignore[assignment]
    return draw(rng, **fixed)


def path(clip: Clip, times: Tensor) -> tuple[Tensor, Tensor]:
    """Where the shape is (x, y in −1…1, y down) at `times` in 0…1."""
    free = 0.96 - RADIUS[clip.size]  # the shape stays inside the picture
    across = (clip.start[0] * 2 - 1) * free * 0.75
    wobble = (clip.start[1] - 0.5) * 0.15
    sweep = (times * 2 - 1) * free * 0.9 + wobble
    still = torch.zeros_like(times)
    match clip.motion:
        case "moving right":
            return sweep, still + across
        case "moving left":
            return -sweep, still + across
        case "rising":
            return still + across, -sweep
        case "falling":
            return still + across, sweep
        case "orbiting":
            angle = 2 * math.pi * (times + clip.start[0])
            return angle.cos() * free * 0.8, angle.sin() * free * 0.8
        case _:
            return still + across, still + (clip.start[1] * 2 - 1) * free * 0.75


def distance(shape: str, x: Tensor, y: Tensor, radius: float) -> Tensor:
    """Signed distance to a shape's edge; negative inside."""
    match shape:
        case "ball":
            return torch.hypot(x, y) - radius
        case "box":
            return torch.maximum(x.abs(), y.abs()) - radius * 0.85
        case "ring":
            return (torch.hypot(x, y) - radius * 0.74).abs() - radius * 0.27
        case "triangle":
            slope = x.abs() * 0.866 + (y + 0.18 * radius) * -0.5
            return torch.maximum(slope, y + 0.18 * radius) - radius * 0.55
        case _:
            raise ValueError(f"no such shape: {shape}")


def backdrop(scene: str, height: Tensor) -> Tensor:
    """The scene without its shape, [3, 1, H, 1], for picture rows at `height` in −1…1."""
    top, horizon, ground = (None if c is None else torch.tensor(c) for c in SCENES[scene])
    assert top is not None and horizon is not None
    mix = ((height + 1) / (1 + (HORIZON if ground is not None else 1))).clamp(0, 1)
    sky = top[:, None] * (1 - mix) + horizon[:, None] * mix
    if ground is not None:
        below = ((height - HORIZON) * SIZE / 4 + 0.5).clamp(0, 1)
        sky = sky * (1 - below) + ground[:, None] * below
    return sky[:, None, :, None]


def paint(clip: Clip, times: Tensor) -> tuple[Tensor, Tensor]:
    """A clip's frames at `times`: pictures [3, T, H, W] in −1…1, and how much each pixel matters [1, T, H, W]."""
    axis = (torch.arange(SIZE) + 0.5) / SIZE * 2 - 1
    px, py = path(clip, times)
    x = axis[None, None, :] - px[:, None, None]
    y = axis[None, :, None] - py[:, None, None]
    radius = RADIUS[clip.size]
    edge = distance(clip.shape, x, y, radius)
    inside = (0.5 - edge * SIZE / 3).clamp(0, 1)  # edges three half-pixels soft
    light = (0.85 - 0.25 * (x + y) / radius).clamp(0.55, 1.15)
    colour = torch.tensor(COLOURS[clip.colour])[:, None, None, None]
    scene = backdrop(clip.scene, axis)
    match clip.look:
        case "neon":
            line, glow = torch.exp(-((edge / 0.07) ** 2)), torch.exp(-edge.abs() / 0.18)
            picture = scene * 0.2 * (1 - inside) + colour * glow * 0.55 + line * (0.35 + 0.65 * colour)
        case "halo":
            glow = torch.exp(-edge.clamp(min=0) / 0.22) * 0.85
            warm = torch.tensor((1.0, 0.93, 0.70))[:, None, None, None]
            picture = scene * (1 - glow) + warm * glow
            picture = picture * (1 - inside) + colour * light * inside
        case _:
            picture = scene * (1 - inside) + colour * light * inside
    if clip.look == "mono":
        grey = (picture * torch.tensor((0.30, 0.59, 0.11))[:, None, None, None]).sum(0, keepdim=True)
        picture, scene = grey.expand(3, -1, -1, -1), scene * 0
    picture = picture.clamp(0, 1) * 2 - 1
    matters = 1 + 5 * torch.maximum(inside, torch.exp(-edge.abs() / 0.08))
    return picture, matters[None]


def batch(clips: list[Clip], times: list[Tensor] | None = None) -> tuple[Tensor, Tensor]:
    """Several clips: pictures [B, 3, T, H, W] and weights [B, 1, T, H, W]; whole clips unless `times` are given."""
    whole = torch.linspace(0, 1, FRAMES)
    pairs = [paint(c, whole if times is None else times[i]) for i, c in enumerate(clips)]
    return torch.stack([p for p, _ in pairs]), torch.stack([w for _, w in pairs])
