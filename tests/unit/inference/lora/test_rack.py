"""What a rack promises of its models, whatever it plays."""

import itertools
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from catalog.models import Expert
from engine.inference.lora.rack import Rack
from engine.inference.lora.workspace import Way
from tests.unit.inference.lora.layouts import WIDTH, drawn, model, pairs, small_ones, written

WAYS: tuple[Way, ...] = ("exact", "fast")
ways = pytest.mark.parametrize("way", WAYS)


@pytest.fixture
def x() -> Tensor:
    return drawn(3, 5, WIDTH, seed=99)


def racked(way: Way = "auto", *names: Expert) -> tuple[Rack, dict[Expert, nn.Module]]:
    experts = {name: cast(nn.Module, model(seed)) for seed, name in enumerate(names or ("high",))}
    return Rack(experts, way), experts


@ways
def test_a_change_is_heard_at_the_next_forward(way: Way, tmp_path: Path, x: Tensor) -> None:
    rack, experts = racked(way)
    rack.attach("a", written(tmp_path, pairs() | small_ones()))
    heard = []
    for strength in (1.0, 0.25, -2.0, 1.0):
        rack.set("high", {"a": strength})
        heard.append(experts["high"](x))
    assert torch.equal(heard[0], heard[3])
    assert all(not torch.equal(one, other) for one, other in itertools.combinations(heard[:3], 2))


@ways
def test_both_ways_agree_and_may_be_exchanged_between_forwards(way: Way, tmp_path: Path, x: Tensor) -> None:
    rack, experts = racked(way)
    rack.attach("a", written(tmp_path, pairs() | small_ones()))
    rack.set("high", {"a": 0.7})
    first = experts["high"](x)
    rack.way = "exact" if way == "fast" else "fast"
    torch.testing.assert_close(experts["high"](x), first, rtol=1e-5, atol=1e-5)
    rack.way = way
    assert torch.equal(experts["high"](x), first)


@ways
def test_silence_is_the_bare_model_bit_for_bit(way: Way, tmp_path: Path, x: Tensor) -> None:
    rack, experts = racked(way)
    bare = experts["high"](x)
    rack.attach("a", written(tmp_path, pairs() | small_ones()))
    assert torch.equal(experts["high"](x), bare)
    rack.set("high", {"a": 1.0})
    assert not torch.equal(experts["high"](x), bare)
    rack.set("high", {})
    assert torch.equal(experts["high"](x), bare)


@ways
def test_a_silent_adapter_does_not_touch_the_bits_of_another(way: Way, tmp_path: Path, x: Tensor) -> None:
    rack, experts = racked(way)
    rack.attach("a", written(tmp_path, pairs(seed=1), "a"))
    rack.set("high", {"a": 0.6})
    alone = experts["high"](x)
    rack.attach("b", written(tmp_path, pairs(seed=2), "b"))
    assert torch.equal(experts["high"](x), alone)


@ways
def test_the_last_one_off_leaves_no_trace(way: Way, tmp_path: Path, x: Tensor) -> None:
    rack, experts = racked(way)
    player = experts["high"]
    bare, parameters = player(x), dict(player.named_parameters())
    for name in "ab":
        rack.attach(name, written(tmp_path, pairs() | small_ones(), name))
    rack.set("high", {"a": 1.0, "b": -0.5})
    player(x)
    rack.detach("a")
    rack.detach("b")
    rack.detach("never there")
    assert torch.equal(player(x), bare)
    assert all(parameters[name] is p for name, p in player.named_parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in player.modules())


@ways
def test_state_dict_stays_the_models_own_while_it_plays(way: Way, tmp_path: Path, x: Tensor) -> None:
    rack, experts = racked(way)
    before = {name: value.clone() for name, value in experts["high"].state_dict().items()}
    rack.attach("a", written(tmp_path, pairs() | small_ones()))
    rack.set("high", {"a": 1.0})
    experts["high"](x)
    after = experts["high"].state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], value) for name, value in before.items())


class Stopped(Exception):
    pass


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("where", ["blocks.0", "blocks.0.attn1.to_q", "blocks.0.attn1.norm_q"])
@ways
def test_lent_parameters_are_back_after_a_forward_that_raised(
    way: Way, where: str, tmp_path: Path, x: Tensor
) -> None:
    rack, experts = racked(way)
    player = experts["high"]
    parameters = dict(player.named_parameters())
    rack.attach("a", written(tmp_path, pairs() | small_ones()))
    rack.set("high", {"a": 1.0})
    heard = player(x)

    def stop(*_: object) -> None:
        raise Stopped

    hook = player.get_submodule(where).register_forward_pre_hook(stop)
    with pytest.raises(Stopped):
        player(x)
    hook.remove()
    assert all(parameters[name] is p for name, p in player.named_parameters())
    assert torch.equal(player(x), heard)


def test_an_adapter_for_both_experts_is_held_once(tmp_path: Path, x: Tensor) -> None:
    rack, experts = racked("exact", "high", "low")
    rack.attach("a", written(tmp_path, pairs()))
    rack.set("high", {"a": 1.0})
    rack.set("low", {"a": -1.0})
    banks = {e: rack._beside[e]["blocks.0.attn1.to_q"].matrices.bank for e in experts}
    assert banks["high"] is banks["low"]
    bare = {e: model(seed) for seed, e in enumerate(experts)}
    assert not torch.equal(experts["high"](x), bare["high"](x))
    for expert, strength in (("high", 1.0), ("low", -1.0)):
        alone = Rack({expert: bare[expert]}, "exact")
        alone.attach("a", written(tmp_path, pairs()))
        alone.set(expert, {"a": strength})
        assert torch.equal(experts[expert](x), bare[expert](x))


def test_what_an_expert_hears_lies_together(tmp_path: Path) -> None:
    rack, _ = racked("exact", "high", "low")
    rack.attach("both", written(tmp_path, pairs(), "both"))
    rack.attach("low", written(tmp_path, pairs("transformer_2"), "low"))
    rack.attach("high", written(tmp_path, pairs("transformer.transformer_1"), "high"))
    bank = rack._beside["high"]["blocks.0.attn1.to_q"].matrices.bank
    assert bank.runs("high", {"both", "low", "high"}) == ((0, 8),)
    assert bank.runs("low", {"both", "low", "high"}) == ((4, 12),)
    assert bank.runs("low", {"high"}) == ()


@ways
def test_a_file_of_the_same_name_takes_the_place_of_the_other_in_silence(
    way: Way, tmp_path: Path, x: Tensor
) -> None:
    rack, experts = racked(way)
    bare = experts["high"](x)
    rack.attach("a", written(tmp_path, pairs(seed=1), "first"))
    rack.set("high", {"a": 1.0})
    first = experts["high"](x)
    rack.attach("a", written(tmp_path, pairs(seed=2), "second"))
    assert torch.equal(experts["high"](x), bare)
    rack.set("high", {"a": 1.0})
    assert not torch.equal(experts["high"](x), first)


@ways
def test_the_order_of_attaching_changes_no_bit(way: Way, tmp_path: Path, x: Tensor) -> None:
    files = {name: pairs(seed=i, rank=i + 2) | small_ones(i) for i, name in enumerate("abc")}
    strengths = {"a": 0.6, "b": -1.5, "c": 0.2}
    heard = []
    for order in itertools.permutations(files):
        rack, experts = racked(way)
        for name in order:
            rack.attach(name, written(tmp_path, files[name], name))
        rack.set("high", strengths)
        heard.append(experts["high"](x))
    assert all(torch.equal(other, heard[0]) for other in heard)


@ways
@pytest.mark.parametrize("silent", "abc")
def test_a_silent_adapter_is_as_if_it_had_never_come(
    way: Way, silent: str, tmp_path: Path, x: Tensor
) -> None:
    files = {name: pairs(seed=i, rank=i + 2) | small_ones(i) for i, name in enumerate("abc")}
    heard = []
    for present in (files, [name for name in files if name != silent]):
        rack, experts = racked(way)
        for name in present:
            rack.attach(name, written(tmp_path, files[name], name))
        rack.set("high", {name: 0.7 for name in files if name != silent})
        heard.append(experts["high"](x))
    assert torch.equal(*heard)


def test_what_is_attached_while_a_graph_is_off_can_be_set_later(tmp_path: Path, x: Tensor) -> None:
    rack, experts = racked("fast")
    with torch.inference_mode():
        rack.attach("a", written(tmp_path, pairs() | small_ones()))
        rack.set("high", {"a": 1.0})
        heard = experts["high"](x)
    rack.set("high", {"a": 0.5})
    rack.set("high", {"a": 1.0})
    assert torch.equal(experts["high"](x), heard)


def test_auto_composes_weights_only_for_many_tokens(tmp_path: Path) -> None:
    rack, experts = racked("auto")
    rack.attach("a", written(tmp_path, pairs()))
    rack.set("high", {"a": 1.0})
    layer = experts["high"].get_submodule("blocks.0.ffn.net.0.proj")
    own, lent = layer.weight, []
    layer.register_forward_hook(lambda *_: lent.append(layer.weight is not own), prepend=True)
    for tokens in (1, 8, 16, 200):
        layer(drawn(tokens, WIDTH))
    assert lent == [False, False, False, True]  # in·out / (in + out) is 15, and the copy has to be made


def test_a_file_of_untrained_factors_is_said_to_do_nothing(tmp_path: Path) -> None:
    rack, _ = racked()
    tensors = {key: value * ("lora_A" in key) for key, value in pairs().items()}
    assert rack.attach("a", written(tmp_path, tensors)).warnings
    assert not rack.attach("b", written(tmp_path, pairs(), "b")).warnings
