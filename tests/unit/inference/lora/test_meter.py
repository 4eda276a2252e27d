"""The meter says what an adapter adds to the layers' answers, for every kind and in both ways."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from engine.inference.lora import rows
from engine.inference.lora.meter import Meter
from engine.inference.lora.probe import LAYERS, TURNS, spread, spread_over
from engine.inference.lora.rack import Rack
from tests.unit.inference.conformance.bench import Bench, bench
from tests.unit.inference.conformance.cases import DIALECTS, DIFFERENCES, TYPES
from tests.unit.inference.conformance.files import Case, File, make
from tests.unit.inference.lora.layouts import WIDTH, drawn, model, pairs, small_ones, written

KINDS = {**DIFFERENCES, **TYPES}
# what a file calls its layers has no part in how large they are
NAMINGS = ("native_AB_full", "native_mixed_rank", "diffusers_two_experts", "native_fp16", "alpha_zero")
CASES = KINDS | {name: DIALECTS[name] for name in NAMINGS}
CLOSE = 1e-3


def made(case: Case, name: str, folder: Path, way: str = "auto") -> tuple[Bench, File]:
    played = bench(folder, experts=len(case.experts), way=way)
    file = make(case, played.bare, name)
    played.attach("a", file)
    return played, file


def matrices(played: Bench, file: File, expert: str) -> dict[str, Tensor]:
    """The dense ΔW of every layer that multiplies by a matrix."""
    layers: dict[str, Any] = dict(played.bare[expert].named_modules())
    named = {name.removesuffix(".weight"): delta for name, delta in file.expected[expert].items()}
    return {n: d.double() for n, d in named.items() if isinstance(layers.get(n), nn.Linear | nn.Conv3d)}


def dense(played: Bench, file: File, expert: str, strength: float) -> float | None:
    """‖s·ΔW x‖ / ‖W x‖ on the sampled layers and tokens, from what comes into the layers."""
    changed = matrices(played, file, expert)
    found: list[Tensor] = []

    def hear(layer: Any, delta: Tensor, own: Tensor, args: tuple[Any, ...]) -> None:
        x = spread_over(rows.inputs(layer, args[0])).double()
        found.append((strength * x @ delta.flatten(1).T).norm() / (x @ own.flatten(1).T).norm())

    hooks = []
    for name in spread(list(changed)):
        layer, own = played.playing[expert].get_submodule(name), played.bare[expert].get_submodule(name)
        weight = own.weight.double()
        hooks.append(
            layer.register_forward_pre_hook(
                lambda module, args, d=changed[name], w=weight: hear(module, d, w, args)
            )
        )
    played.answer(expert)
    for hook in hooks:
        hook.remove()
    return float(torch.stack(found).square().mean().sqrt()) if found else None


@pytest.mark.parametrize(
    ("name", "way"), [*((name, "exact") for name in CASES), *((name, "fast") for name in TYPES)]
)
def test_it_is_the_dense_ratio(name: str, way: str, tmp_path: Path) -> None:
    played, file = made(CASES[name], name, tmp_path, way)
    meter = Meter(played.rack.beside)
    for expert in played.bare:
        played.set(a=0.7)
        meter.begin(expert, ["a"])
        played.answer(expert)
        measured = meter.ratios()
        expected = dense(played, file, expert, 0.7)
        if expected is not None:
            assert 0.7 * measured.get("a", 0.0) == pytest.approx(expected, rel=CLOSE, abs=1e-6)


@pytest.fixture
def x() -> Tensor:
    return drawn(3, 50, WIDTH, seed=99)


def test_answers_keep_their_bits_and_the_layers_their_hooks(tmp_path: Path, x: Tensor) -> None:
    player = model()
    rack = Rack({"high": player})
    rack.attach("a", written(tmp_path, pairs() | small_ones()))
    rack.set("high", {"a": 1.3})
    hooks = {name: len(m._forward_pre_hooks) for name, m in player.named_modules()}
    unheard, meter = player(x), Meter(rack.beside)
    meter.begin("high", ["a"])
    assert torch.equal(player(x), unheard)
    assert {name: len(m._forward_pre_hooks) for name, m in player.named_modules()} == hooks
    assert meter.ratios()["a"] > 0


def test_only_the_first_pass_counts(tmp_path: Path, x: Tensor) -> None:
    player = model()
    rack = Rack({"high": player})
    rack.attach("a", written(tmp_path, pairs()))
    rack.set("high", {"a": 1.0})
    meter, heard = Meter(rack.beside), []
    for passes in ([x], [x, 5 * x.flip(0)]):
        meter.begin("high", ["a"])
        for each in passes:
            player(each)
        heard.append(meter.ratios()["a"])
    assert heard[0] == heard[1]


def test_later_steps_listen_to_a_part_of_the_layers_in_turn(tmp_path: Path, x: Tensor) -> None:
    """After all turns they have heard all; what a run before them had is forgotten."""
    player = model()
    rack = Rack({"high": player})
    rack.attach("a", written(tmp_path, pairs()))
    other = 3 * x.flip(1).roll(1, 2)

    def step(meter: Meter, tokens: Tensor) -> tuple[int, float]:
        before = sum(len(m._forward_pre_hooks) for m in player.modules())
        meter.begin("high", ["a"])
        listening = sum(len(m._forward_pre_hooks) for m in player.modules()) - before
        player(tokens)
        return listening, meter.ratios()["a"]

    count, wanted = step(Meter(rack.beside), other)
    meter = Meter(rack.beside)
    assert step(meter, x)[0] == count
    later = [step(meter, other) for _ in range(TURNS)]
    assert sum(listening for listening, _ in later) == count
    assert max(listening for listening, _ in later) <= -(-count // TURNS)
    assert [ratio == wanted for _, ratio in later] == [False] * (TURNS - 1) + [True]
    step(meter, x)
    meter.stop()
    assert step(meter, other) == (count, wanted)


def test_a_step_that_was_given_up_leaves_nothing(tmp_path: Path, x: Tensor) -> None:
    player = model()
    rack = Rack({"high": player})
    rack.attach("a", written(tmp_path, pairs()))
    hooks = sum(len(m._forward_pre_hooks) for m in player.modules())
    meter = Meter(rack.beside)
    meter.begin("high", ["a"])
    meter.stop()
    assert sum(len(m._forward_pre_hooks) for m in player.modules()) == hooks
    assert meter.ratios() == {}


def test_each_adapter_is_measured_against_the_models_own_weight(tmp_path: Path, x: Tensor) -> None:
    """On the first layers nothing has passed another adapter yet, so that company changes no number."""
    first = {key: value for key, value in pairs().items() if "self_attn" in key}
    second = {key: value * 9 for key, value in first.items()}
    player, heard = model(), []
    rack = Rack({"high": player}, "fast")
    rack.attach("a", written(tmp_path, first, "a"))
    rack.attach("b", written(tmp_path, second, "b"))
    meter = Meter(rack.beside)
    for strengths in ({"a": 1.0}, {"a": 1.0, "b": 2.0}):
        rack.set("high", strengths)
        meter.begin("high", list(strengths))
        player(x)
        heard.append(meter.ratios())
    assert heard[1]["a"] == heard[0]["a"]
    assert heard[1]["b"] == pytest.approx(81 * heard[1]["a"], rel=1e-5)


def test_a_file_of_small_parameters_is_measured_by_their_own_size(tmp_path: Path) -> None:
    player = model()
    rack = Rack({"high": player})
    norm = "diffusion_model.blocks.0.self_attn.norm_q.diff"
    rack.attach("a", written(tmp_path, {norm: torch.full((WIDTH,), 0.25)}))
    meter = Meter(rack.beside)
    meter.begin("high", ["a"])
    assert meter.ratios() == {"a": pytest.approx(0.25)}


def test_the_sample_is_spread_over_blocks_and_kinds_of_layer() -> None:
    kinds = ("attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0", "ffn.net.0.proj", "ffn.net.2")
    names = [f"blocks.{block}.{kind}" for block in range(40) for kind in kinds]
    sample = spread(names[::-1])
    assert len(set(sample)) == LAYERS
    blocks = [int(name.split(".")[1]) for name in sample]
    assert blocks == sorted(blocks) and blocks[0] == 0 and blocks[-1] == 39
    assert len({name.split(".", 2)[2] for name in sample}) >= 4
