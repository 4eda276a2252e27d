"""How a clip is computed: what each option costs where it runs, and how far its clip is from the usual one.

The forward is that of two Wan 1.3B blocks with an adapter of rank 64 on every linear layer; the clips are
the demo model's, with one LoRA. Times are processor time, all options in turn, round by round.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import WanTransformer3DModel
from numpy.typing import NDArray
from torch.utils.hooks import RemovableHandle

import resources
from catalog.computing import Computing, FirstBlock
from catalog.recipe import Recipe
from engine.inference.computing import Computation
from engine.inference.lora.rack import Rack
from engine.inference.session import WanSession
from engine.live import LiveControls
from engine.messages import Mix, Strip
from engine.worker import Generate
from tests.benchmarks.layouts import lora_file, read

WAN_1_3B = {"num_attention_heads": 12, "attention_head_dim": 128, "ffn_dim": 8960, "num_layers": 2}
LATENTS = (3, 40, 52)  # frames, height, width: 1,560 tokens
STEPS = 20
ROUNDS, CLIP_ROUNDS = 3, 2
OPTIONS = {
    "as usual": Computing(),
    "exact": Computing(way="exact"),
    "fast": Computing(way="fast"),
    "plain attention": Computing(attention="math"),
    "compiled": Computing(compile=True),
}
CACHES = {f"skipping below {t:g}": Computing(cache=FirstBlock(t)) for t in (0.02, 0.05, 0.1, 0.2)}

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600), pytest.mark.filterwarnings("ignore")]


def _model() -> WanTransformer3DModel:
    torch.manual_seed(0)
    return WanTransformer3DModel(**WAN_1_3B).eval().requires_grad_(False)


@torch.inference_mode()
def _forward(model: Any) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return model(
        hidden_states=torch.randn(1, 16, *LATENTS, generator=generator),
        timestep=torch.tensor([500.0]),
        encoder_hidden_states=torch.randn(1, 512, 4096, generator=generator),
        return_dict=False,
    )[0]


def _seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _table(title: str, rounds: dict[str, list[float]], remarks: dict[str, str]) -> None:
    usual = next(iter(rounds.values()))
    lines = [f"{title:24}{'seconds':>9}{'ratio':>8}"]
    for name, seconds in rounds.items():
        ratio = median(s / u for s, u in zip(seconds, usual, strict=True))
        lines.append(f"{name:24}{median(seconds):9.2f}{ratio:8.3f}  {remarks.get(name, '')}".rstrip())
    sys.stdout.write("\n" + "\n".join(lines) + "\n")


def test_forward(tmp_path: Path) -> None:
    """One pass; `-s` shows the table."""
    model = _model()
    rack = Rack({"high": model})
    rack.attach("a", read(lora_file(model, tmp_path / "a.safetensors", 0, torch.float32)))
    rack.set("high", {"a": 0.8})
    computation = Computation({"high": model}, rack, torch.device("cpu"))
    settled = {name: computation.settle(asked).computing for name, asked in OPTIONS.items()}
    rounds: dict[str, list[float]] = {name: [] for name in OPTIONS}
    answers, remarks = {}, {}
    for name, computing in settled.items():
        begun = time.perf_counter()
        with computation.using(computing):
            answers[name] = _forward(model)
        remarks[name] = f"the first one took {time.perf_counter() - begun:.1f} s by the clock"
    for _ in range(ROUNDS):
        for name, computing in settled.items():
            with computation.using(computing):
                rounds[name].append(_seconds(lambda: _forward(model)))
    _table(f"{LATENTS} x 2 blocks", rounds, remarks)
    for answer in answers.values():
        torch.testing.assert_close(answer, answers["as usual"], rtol=1e-3, atol=1e-3)


def _clip(session: WanSession, computing: Computing) -> NDArray[np.float64]:
    """The pictures of a clip that is computed so."""
    recipe = Recipe(prompt="a red ball moving right", seed=3, steps=STEPS, computing=computing)
    live = LiveControls(Mix(1, (Strip("a", 1.0, 1.0),)))
    clip = session.run(Generate(1, recipe, live, has_previews=False), lambda _: None)
    return clip.frames.astype(np.float64)


def test_clips_of_the_demo_model() -> None:
    """Whole clips; the remarks say how far the clip has moved, and how much of the blocks was computed."""
    session = WanSession("cpu")
    session.load("demo")
    session.attach("a", resources.path("demo") / "loras" / "ring.safetensors")
    experts = session._loaded().experts.values()
    layers = [block.attn1.to_q for expert in experts for block in expert.blocks]
    counted: list[None] = []
    options, remarks = OPTIONS | CACHES, dict[str, str]()
    usual, all_blocks = _clip(session, Computing()), STEPS * 2 * len(layers) // 2
    for name, computing in options.items():
        counted.clear()
        # a block that is listened to is not compiled
        hooks = [layer.register_forward_hook(lambda *_: counted.append(None)) for layer in layers]
        if computing.compile:
            _remove(hooks)
        begun = time.perf_counter()
        moved = np.abs(_clip(session, computing) - usual).mean()
        remarks[name] = f"{moved:.2f} of 255 away, the first one took {time.perf_counter() - begun:.0f} s"
        if name in CACHES:
            remarks[name] += f", {len(counted) / all_blocks:.0%} of the blocks"
        _remove(hooks)
    rounds: dict[str, list[float]] = {name: [] for name in options}
    for _ in range(CLIP_ROUNDS):
        for name, computing in options.items():
            rounds[name].append(_seconds(partial(_clip, session, computing)))
    _table(f"demo, {STEPS} steps", rounds, remarks)
    assert 0 < len(counted) < all_blocks


def _remove(hooks: list[RemovableHandle]) -> None:
    for hook in hooks:
        hook.remove()
