"""One forward of a Wan 1.3B block at 7,800 tokens, with adapters of rank 64 applied in every way."""

import copy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import torch
from diffusers import WanPipeline, WanTransformer3DModel
from torch import nn

from engine.inference.lora.rack import Rack
from tests.benchmarks.layouts import lora_file, read

WAN_1_3B = {"num_attention_heads": 12, "attention_head_dim": 128, "ffn_dim": 8960, "num_layers": 1}
LATENTS = (5, 60, 104)  # frames, height, width: 7,800 tokens
ADAPTERS = (1, 3, 5)
ROUNDS = 3

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600), pytest.mark.filterwarnings("ignore")]


def _bare() -> WanTransformer3DModel:
    torch.manual_seed(0)
    return WanTransformer3DModel(**WAN_1_3B).eval().requires_grad_(False)


def _racked(bare: nn.Module, files: list[Path], way: Any) -> nn.Module:
    model = copy.deepcopy(bare)
    rack = Rack({"high": model}, way)
    for path in files:
        rack.attach(path.stem, read(path))
    rack.set("high", {path.stem: 0.8 for path in files})
    return model


def _in_peft(bare: nn.Module, files: list[Path]) -> nn.Module:
    model: Any = copy.deepcopy(bare)
    for path in files:
        state = WanPipeline.lora_state_dict(path.parent, weight_name=path.name, use_safetensors=True)
        WanPipeline.load_lora_into_transformer(state, model, adapter_name=path.stem)
    model.set_adapters([path.stem for path in files], [0.8] * len(files))
    return model


def _contenders(bare: nn.Module, files: list[Path]) -> dict[str, nn.Module]:
    made = {"bare (as merged)": bare}
    for number in ADAPTERS:
        some = files[:number]
        made[f"PEFT, {number}"] = _in_peft(bare, some)
        made[f"exact, {number}"] = _racked(bare, some, "exact")
        made[f"fast, {number}"] = _racked(bare, some, "fast")
    return made


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
    """Of processor time: what else the machine does counts as little as possible."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def test_forward(tmp_path: Path) -> None:
    """All in turn, round by round; `-s` shows the table."""
    bare = _bare()
    files = [lora_file(bare, tmp_path / f"a{i}.safetensors", i, torch.float32) for i in range(max(ADAPTERS))]
    models = _contenders(bare, files)
    wanted = {number: _forward(models[f"PEFT, {number}"]) for number in ADAPTERS}
    rounds: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(ROUNDS):
        for name, model in models.items():
            rounds[name].append(_seconds(lambda model=model: _forward(model)))
    bare_rounds = rounds["bare (as merged)"]
    lines = [f"{'':18}{'seconds':>9}{'of bare':>9}"]
    for name, seconds in rounds.items():
        ratio = median(s / b for s, b in zip(seconds, bare_rounds, strict=True))
        lines.append(f"{name:18}{median(seconds):9.2f}{ratio:9.3f}")
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
    for number in ADAPTERS:
        for way in ("exact", "fast"):
            torch.testing.assert_close(
                _forward(models[f"{way}, {number}"]), wanted[number], rtol=1e-3, atol=1e-3
            )
