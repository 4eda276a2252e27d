"""A forward of two Wan 1.3B blocks at 7,800 tokens, with adapters of rank 64 applied in every way."""

import copy
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import Any

import pytest
import torch
from diffusers import WanPipeline, WanTransformer3DModel
from safetensors.torch import load_file
from torch import nn

from engine.inference.lora.rack import Rack
from tests.benchmarks.layouts import lora_file, read

WAN_1_3B = {"num_attention_heads": 12, "attention_head_dim": 128, "ffn_dim": 8960, "num_layers": 2}
LATENTS = (5, 60, 104)  # frames, height, width of an 832 x 480 clip of 17 frames: 7,800 tokens
ADAPTERS = (1, 3, 5)
STRENGTH = 0.8
ROUNDS = 3
BETWEEN_BARE = 3

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(5400), pytest.mark.filterwarnings("ignore")]


@dataclass(slots=True)
class Seconds:
    """Of the processor, which counts what else the machine does as little as possible, and by the clock."""

    cpu: float
    wall: float

    def over(self, other: list["Seconds"]) -> "Seconds":
        """As a ratio to the mean of others."""
        return Seconds(self.cpu / fmean(s.cpu for s in other), self.wall / fmean(s.wall for s in other))


@dataclass(slots=True)
class Contender:
    """A way to apply some adapters, what its forwards took, and that over the bare ones around them."""

    name: str
    model: nn.Module
    taken: list[Seconds] = field(default_factory=list)
    ratios: list[Seconds] = field(default_factory=list)
    answer: torch.Tensor | None = None

    @torch.inference_mode()
    def forward(self) -> Seconds:
        """One forward, always of the same input."""
        generator = torch.Generator().manual_seed(1)
        latents = torch.randn(1, 16, *LATENTS, generator=generator)
        text = torch.randn(1, 512, 4096, generator=generator)
        begun = time.process_time(), time.perf_counter()
        self.answer = self.model(latents, torch.tensor([500.0]), text, return_dict=False)[0]
        self.taken.append(Seconds(time.process_time() - begun[0], time.perf_counter() - begun[1]))
        return self.taken[-1]

    def line(self) -> str:
        """Its row of the table."""
        ratios = sorted(ratio.cpu for ratio in self.ratios)
        seconds = median(taken.cpu for taken in self.taken)
        wall = median(ratio.wall for ratio in self.ratios)
        spread = f"{ratios[0]:.3f} to {ratios[-1]:.3f}"
        return f"{self.name:10}{seconds:9.2f}{median(ratios):9.3f}   {spread}{wall:9.3f}"


def _bare() -> WanTransformer3DModel:
    torch.manual_seed(0)
    return WanTransformer3DModel(**WAN_1_3B).eval().requires_grad_(False)


def _beside(bare: nn.Module) -> Any:
    """A copy of the modules over the same weights."""
    return copy.deepcopy(bare, {id(parameter): parameter for parameter in bare.parameters()})


def _racked(bare: nn.Module, files: list[Path], way: Any, strength: float = STRENGTH) -> nn.Module:
    model = _beside(bare)
    rack = Rack({"high": model}, way)
    for path in files:
        rack.attach(path.stem, read(path))
    rack.set("high", {path.stem: strength for path in files})
    return model


def _in_peft(bare: nn.Module, files: list[Path]) -> nn.Module:
    model = _beside(bare)
    for path in files:
        state = WanPipeline.lora_state_dict(path.parent, weight_name=path.name, use_safetensors=True)
        WanPipeline.load_lora_into_transformer(state, model, adapter_name=path.stem)
    model.set_adapters([path.stem for path in files], [STRENGTH] * len(files))
    return model


def _merged(bare: nn.Module, files: list[Path]) -> nn.Module:
    model = copy.deepcopy(bare)
    for tensors in map(load_file, files):
        for key, down in tensors.items():
            if key.endswith(".lora_A.weight"):
                module = key.removeprefix("transformer.").removesuffix(".lora_A.weight")
                up = tensors[key.replace("lora_A", "lora_B")]
                model.get_submodule(module).weight.addmm_(up, down, alpha=STRENGTH)
    return model


def _contenders(bare: nn.Module, files: list[Path]) -> Iterator[Contender]:
    yield Contender("silent, 5", _racked(bare, files, "auto", 0.0))
    for number in ADAPTERS:
        some = files[:number]
        yield Contender(f"PEFT, {number}", _in_peft(bare, some))
        for way in ("exact", "fast", "auto"):
            yield Contender(f"{way}, {number}", _racked(bare, some, way))
    yield Contender("merged, 5", _merged(bare, files))


def _one_round(bare: Contender, contenders: list[Contender]) -> None:
    """Each between two forwards of the bare model, so that what the machine does hits both alike."""
    before = bare.forward()
    for start in range(0, len(contenders), BETWEEN_BARE):
        some = contenders[start : start + BETWEEN_BARE]
        taken = [contender.forward() for contender in some]
        after = bare.forward()
        for contender, seconds in zip(some, taken, strict=True):
            contender.ratios.append(seconds.over([before, after]))
        before = after


def _say(contenders: list[Contender]) -> None:
    head = f"{'':10}{'CPU s':>9}{'of bare':>9}   {'from':5} to {'':5}{'by clock':>9}"
    sys.stdout.write("\n".join(["", head, *(c.line() for c in contenders)]) + "\n")
    sys.stdout.flush()


def test_forward(tmp_path: Path) -> None:
    """Every round in another order; `-s` shows the table as it grows."""
    torch.set_num_threads(1)
    model = _bare()
    files = [lora_file(model, tmp_path / f"a{i}.safetensors", i, torch.float32) for i in range(max(ADAPTERS))]
    bare, contenders = Contender("bare", model), list(_contenders(model, files))
    order, generator = list(contenders), random.Random(0)
    bare.forward()
    for _ in range(ROUNDS):
        generator.shuffle(order)
        _one_round(bare, order)
        _say(contenders)
    answers = {contender.name: contender.answer for contender in contenders}
    assert torch.equal(answers["silent, 5"], bare.answer)
    for name, answer in answers.items():
        if not name.startswith("silent"):
            wanted = answers[f"PEFT, {name.rpartition(' ')[2]}"]
            torch.testing.assert_close(answer, wanted, rtol=1e-3, atol=1e-3)
