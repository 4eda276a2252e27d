"""A forward of two Wan 1.3B blocks at 7,800 tokens, with adapters of rank 64 applied in every way.

A whole forward takes half a minute, in which a machine does other things too. So its layers are timed one by
one, each contender between two bare ones, and the forward is put together from them: what is not a linear
layer (attention, norms) is no adapter's business and is the same for all.
"""

import copy
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import fmean, median
from typing import Any

import pytest
import torch
from diffusers import WanPipeline, WanTransformer3DModel
from safetensors.torch import load_file
from torch import Tensor, nn

from engine.inference.lora.rack import Rack
from tests.benchmarks.layouts import lora_file, read

WAN_1_3B = {"num_attention_heads": 12, "attention_head_dim": 128, "ffn_dim": 8960, "num_layers": 2}
LATENTS = (5, 60, 104)  # frames, height, width of an 832 x 480 clip of 17 frames: 7,800 tokens
LAYERS = {"attn1.to_q": 6, "attn2.to_k": 2, "ffn.net.0.proj": 1, "ffn.net.2": 1}
"""One of each shape and number of tokens, and how many such layers a block has."""
ADAPTERS = (1, 3, 5)
STRENGTH = 0.8
ROUNDS = 4
BETWEEN_BARE = 3

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(5400), pytest.mark.filterwarnings("ignore")]


@dataclass(slots=True)
class Contender:
    """A way to apply some adapters; `ratios` has those of every layer's time to the bare ones around it."""

    name: str
    model: Any
    ratios: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def over(self, bare: "Bare", rounds: slice = slice(None)) -> float:
        """The whole forward's time, as a ratio to the bare one's."""
        extra = sum(
            (median(self.ratios[name][rounds]) - 1) * count * median(bare.seconds[name])
            for name, count in LAYERS.items()
        )
        return 1 + extra / bare.whole

    def line(self, bare: "Bare") -> str:
        """Its row of the table: the ratio, from each round alone its least and greatest, and the time."""
        count = len(next(iter(self.ratios.values())))
        alone = [self.over(bare, slice(i, i + 1)) for i in range(count)]
        ratio = self.over(bare)
        return f"{self.name:10}{ratio:9.3f}   {min(alone):.3f} to {max(alone):.3f}{ratio * bare.whole:9.2f}"


@dataclass(slots=True)
class Bare:
    """The model alone: the processor's seconds for each layer and for whole blocks, and what came in."""

    model: Any
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    blocks: list[float] = field(default_factory=list)

    @property
    def whole(self) -> float:
        """The seconds of one block."""
        return median(self.blocks)

    def inputs(self, block: int) -> dict[str, Tensor]:
        """What comes into the layers of a block in a forward, which is timed."""
        found: dict[str, Tensor] = {}
        hooks = [
            self.model.get_submodule(f"blocks.{block}.{name}").register_forward_pre_hook(
                lambda _layer, args, name=name: found.update({name: args[0]})
            )
            for name in LAYERS
        ]
        self.blocks.append(_seconds(partial(_forward, self.model)) / WAN_1_3B["num_layers"])
        for hook in hooks:
            hook.remove()
        return found


def _forward(model: Any) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn(1, 16, *LATENTS, generator=generator)
    text = torch.randn(1, 512, 4096, generator=generator)
    return model(latents, torch.tensor([500.0]), text, return_dict=False)[0]


def _seconds(work: Callable[[], object], least: float = 0.2) -> float:
    """Of the processor, on the mean: short work is done again until it can be timed."""
    begun, times = time.process_time(), 0
    while time.process_time() - begun < least:
        work()
        times += 1
    return (time.process_time() - begun) / times


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


def _time_layer(bare: Bare, contenders: list[Contender], block: int, name: str, x: Tensor) -> None:
    """Every contender's layer between two bare ones, so that what the machine does hits both alike."""
    where = f"blocks.{block}.{name}"
    own = bare.model.get_submodule(where)
    before = _seconds(partial(own, x))
    for start in range(0, len(contenders), BETWEEN_BARE):
        some = contenders[start : start + BETWEEN_BARE]
        taken = [_seconds(partial(c.model.get_submodule(where), x)) for c in some]
        after = _seconds(partial(own, x))
        bare.seconds[name].append(after)
        for contender, seconds in zip(some, taken, strict=True):
            contender.ratios[name].append(seconds / fmean((before, after)))
        before = after


def _assert_alike(contenders: list[Contender], own: nn.Module, where: str, x: Tensor) -> None:
    answers = {contender.name: contender.model.get_submodule(where)(x[:, :100]) for contender in contenders}
    assert torch.equal(answers.pop("silent, 5"), own(x[:, :100]))
    for name, answer in answers.items():
        torch.testing.assert_close(answer, answers[f"PEFT, {name[-1]}"], rtol=1e-3, atol=1e-3)


def _say(bare: Bare, contenders: list[Contender]) -> None:
    linear = sum(count * median(bare.seconds[name]) for name, count in LAYERS.items())
    lines = [f"bare: {bare.whole:.2f} s a block, {100 * linear / bare.whole:.0f} % of it in linear layers"]
    lines += [f"{'':10}{'of bare':>9}   {'rounds':14}{'seconds':>9}", *(c.line(bare) for c in contenders)]
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
    sys.stdout.flush()


@torch.inference_mode()
def test_forward(tmp_path: Path) -> None:
    """Every round in another order and on the other block; `-s` shows the table as it gets surer."""
    torch.set_num_threads(1)
    model = _bare()
    files = [lora_file(model, tmp_path / f"a{i}.safetensors", i, torch.float32) for i in range(max(ADAPTERS))]
    with torch.inference_mode(False):
        bare, contenders = Bare(model), list(_contenders(model, files))
    order, generator = list(contenders), random.Random(0)
    for number in range(ROUNDS):
        block = number % WAN_1_3B["num_layers"]
        for name, x in bare.inputs(block).items():
            generator.shuffle(order)
            _time_layer(bare, order, block, name, x)
            _assert_alike(
                contenders, model.get_submodule(f"blocks.{block}.{name}"), f"blocks.{block}.{name}", x
            )
        _say(bare, contenders)
