"""How a clip is computed, on tiny real models: what each option does, and that nothing of it is left over."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import FirstBlockCacheConfig
from diffusers.models.attention_dispatch import _AttentionBackendRegistry
from torch import Tensor

from catalog.computing import Computing, FirstBlock
from engine.errors import Cancelled, CompileFailed
from engine.inference.checkpoints.stored import ScaledLinear
from engine.inference.computing import Computation, hindrances
from engine.inference.computing_cache import StepCache
from engine.inference.computing_compile import CompiledBlocks
from engine.inference.lora.rack import Rack
from engine.inference.session import WanSession
from engine.live import LiveControls
from engine.messages import Branch, Event, Resume, Reuse, RunStarted, StepFinished
from tests import tiny
from tests.lora_files import lora_file
from tests.unit.inference.compilers import Graphs
from tests.unit.inference.playing import begun_at, faders, latents, render, short, steps_of

ALWAYS = Computing(attention="sdpa")
SKIPS_ALL = Computing(attention="sdpa", cache=FirstBlock(1.0))
BLOCKS = 4  # of both passes of a step


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lora_file(tmp_path_factory.mktemp("loras"), "kohya", tiny.transformer(3))[0]


@pytest.fixture
def playing(session: WanSession, file: Path) -> WanSession:
    """A session with a file attached as "a"."""
    session.attach("a", file)
    return session


@contextmanager
def counted(session: WanSession) -> Iterator[list[int]]:
    """How many blocks were computed since the last time that somebody looked; look by taking the numbers out."""
    count: list[int] = []
    experts = session._loaded().experts.values()
    layers = [block.attn1.to_q for expert in experts for block in expert.blocks]
    hooks = [layer.register_forward_hook(lambda *_: count.append(1)) for layer in layers]
    try:
        yield count
    finally:
        for hook in hooks:
            hook.remove()


def started(events: list[Event]) -> RunStarted:
    return next(event for event in events if isinstance(event, RunStarted))


def is_as_born(session: WanSession) -> bool:
    """Whether every block runs its class's own forward again."""
    experts = session._loaded().experts.values()
    return not any("forward" in vars(block) for expert in experts for block in expert.blocks)


# What was asked for, and what was done


def test_a_clip_says_by_name_how_it_was_computed(playing: WanSession) -> None:
    clip, events = render(playing, short(), faders(1.0, 1.0))
    assert clip.recipe.computing == started(events).recipe.computing == ALWAYS
    assert started(events).notices == ()
    for asked in (
        Computing(way="fast", attention="math"),
        Computing("exact", "sdpa", False, FirstBlock(0.1)),
    ):
        clip, _ = render(playing, short(computing=asked), faders(1.0, 1.0))
        assert clip.recipe.computing == asked
        again, _ = render(playing, clip.recipe, faders(1.0, 1.0))
        assert np.array_equal(latents(again), latents(clip))


@pytest.mark.parametrize(
    ("asked", "done", "notice"),
    [
        (Computing(attention="flash"), ALWAYS, "“flash”. It needs an NVIDIA GPU."),
        (Computing(way="exact", compile=True), Computing("exact", "sdpa"), "not compiled"),
    ],
)
def test_what_cannot_be_had_is_said_and_the_clip_is_made_all_the_same(
    playing: WanSession, asked: Computing, done: Computing, notice: str
) -> None:
    clip, events = render(playing, short(computing=asked), faders(1.0, 1.0))
    assert clip.recipe.computing == done
    assert [notice in sentence for sentence in started(events).notices] == [True]
    without, _ = render(playing, short(computing=done), faders(1.0, 1.0), run=2)
    assert np.array_equal(latents(clip), latents(without))


def test_a_machine_says_what_it_cannot_do() -> None:
    reasons = dict(hindrances(torch.device("cpu")))
    assert {"flash", "flash3", "sage", "xformers", "cudnn"} <= set(reasons)
    assert not {"sdpa", "math"} & set(reasons) and all(reasons.values())


# The way of adapters, and attention


def test_exact_and_fast_are_one_clip_up_to_rounding(playing: WanSession) -> None:
    clips = [
        latents(render(playing, short(computing=Computing(way=way)), faders(0.8, -0.5))[0])
        for way in ("exact", "fast")
    ]
    assert not np.array_equal(*clips), "they add up in another order"
    np.testing.assert_allclose(*clips, rtol=1e-3, atol=1e-3)
    assert playing._rack.way == "auto"


def test_attention_is_computed_by_whom_one_asked_for_and_for_this_run_alone(playing: WanSession) -> None:
    before, asked = _AttentionBackendRegistry._active_backend, short(computing=Computing(attention="math"))
    usual, _ = render(playing, short(), faders(0.8, -0.5))
    other, _ = render(playing, asked, faders(0.8, -0.5), run=2)
    assert not np.array_equal(latents(other), latents(usual))
    np.testing.assert_allclose(latents(other), latents(usual), rtol=1e-3, atol=1e-3)
    with pytest.raises(Cancelled):
        render(playing, asked, heard=lambda _, live: live.cancel())
    assert _AttentionBackendRegistry._active_backend == before


# The step cache


def test_the_step_cache_is_that_of_diffusers() -> None:
    ours, theirs = tiny.transformer(1, layers=3), tiny.transformer(1, layers=3)
    cache = StepCache(ours.blocks, 0.2)
    theirs.enable_cache(FirstBlockCacheConfig(threshold=0.2))
    skipped = []

    def answer(model: torch.nn.Module, seed: int, moved: float) -> Tensor:
        clip, words, other = (
            torch.randn(shape, generator=torch.Generator().manual_seed(seed + i))
            for i, shape in enumerate([(1, 16, 3, 8, 8), (1, 12, tiny.TEXT_WIDTH), (1, 16, 3, 8, 8)])
        )
        when = torch.tensor([500.0])
        return model(clip + moved * other, when, words, return_dict=False)[0]

    with torch.inference_mode(), cache.working():
        for moved in (0.0, 0.01, 0.5, 0.51, 0.52, 2.0):
            cache.begin_step()
            for seed, name in ((1, "cond"), (7, "uncond")):
                with theirs.cache_context(name):
                    wanted = answer(theirs, seed, moved)
                assert torch.equal(answer(ours, seed, moved), wanted)
            skipped.append(cache.has_skipped)
    assert True in skipped and skipped.count(False) > 1


def test_without_a_cache_nothing_is_left_of_one(playing: WanSession) -> None:
    before, _ = render(playing, short(), faders(0.8, -0.5))
    cached, _ = render(playing, short(computing=SKIPS_ALL), faders(0.8, -0.5), run=2)
    assert not np.array_equal(latents(cached), latents(before)) and is_as_born(playing)
    after, _ = render(playing, short(), faders(0.8, -0.5), run=3)
    assert np.array_equal(latents(after), latents(before))


def test_a_step_is_computed_in_full_when_the_mix_or_the_expert_changes(playing: WanSession) -> None:
    counts: list[int] = []
    with counted(playing) as blocks:

        def look(event: StepFinished, live: LiveControls) -> None:
            counts.append(len(blocks))
            blocks.clear()
            if event.step == 3:
                live.mix = faders(1.0, 0.25)

        asked = short(steps=8, computing=SKIPS_ALL)
        _, events = render(playing, asked, faders(1.0, 1.0), heard=look)
    boundary = [step.expert for step in steps_of(events)].index("low")
    assert 0 < boundary < 4
    full, quick = BLOCKS, 2  # a skipped pass computes its first block
    assert counts == [full if step in (0, boundary, 4) else quick for step in range(8)]
    measured = [bool(dict(step.meters)) for step in steps_of(events)]
    assert measured == [count == full for count in counts], "a pass that was skipped tells no meter anything"


@pytest.mark.parametrize("step", range(6))
def test_a_branch_with_a_cache_is_the_uninterrupted_run(playing: WanSession, step: int) -> None:
    asked, mix = short(computing=SKIPS_ALL), faders(0.8, -0.5)
    whole, events = render(playing, asked, mix)
    boundary = [each.expert for each in steps_of(events)].index("low")
    branch, events = render(playing, asked, mix, Branch(1, step), run=2)
    assert begun_at(events) == (5 if step == 5 else boundary if step >= boundary else 0)
    assert np.array_equal(latents(branch), latents(whole)) and branch.recipe == whole.recipe


def test_reuse_with_a_cache_is_rendering_from_scratch(playing: WanSession) -> None:
    asked = short(computing=SKIPS_ALL)
    _, events = render(playing, asked, faders(1.0, 1.0))
    boundary = [step.expert for step in steps_of(events)].index("low")
    moved, again = render(playing, asked, faders(1.0, -0.4), Reuse(), run=2)
    assert begun_at(again) == boundary > 0
    scratch, _ = render(playing, asked, faders(1.0, -0.4), run=3)
    assert np.array_equal(latents(moved), latents(scratch))
    plain, events = render(playing, short(), faders(1.0, -0.4), Reuse(), run=4)
    assert begun_at(events) == 0 and not np.array_equal(latents(plain), latents(scratch))


def test_a_run_with_a_cache_is_resumed_bit_for_bit(playing: WanSession, tmp_path: Path) -> None:
    def stop(event: StepFinished, live: LiveControls) -> None:
        if event.step == 3:
            live.cancel()

    asked = short(computing=SKIPS_ALL)
    whole, _ = render(playing, asked, faders(1.0, 1.0))
    with pytest.raises(Cancelled):
        render(playing, asked, faders(1.0, 1.0), run=2, folder=tmp_path / "run", heard=stop)
    resumed, _ = render(
        playing, asked, faders(1.0, 1.0), Resume(tmp_path / "run"), run=3, folder=tmp_path / "next"
    )
    assert np.array_equal(latents(resumed), latents(whole))


# Compiled blocks


@pytest.fixture
def graphs(playing: WanSession) -> Graphs:
    """The session's blocks are compiled by this."""
    torch._dynamo.reset()
    compiler = Graphs()
    experts, rack = playing._loaded().experts, playing._rack
    playing.computation = Computation(experts, rack, torch.device("cpu"), compiler)
    return compiler


def test_nothing_but_the_size_of_a_clip_is_compiled_anew(
    playing: WanSession, graphs: Graphs, tmp_path: Path
) -> None:
    def compiled(mix: tuple[float, float], **changes: object) -> np.ndarray:
        asked = short(computing=Computing(compile=True), **changes)
        clip, _ = render(playing, asked, faders(*mix))
        assert clip.recipe.computing == Computing("fast", "sdpa", compile=True)
        eager, _ = render(playing, short(computing=Computing(way="fast"), **changes), faders(*mix))
        assert np.array_equal(latents(clip), latents(eager)) and is_as_born(playing)
        return latents(clip)

    silent = compiled((0.0, 0.0))
    assert graphs.count == 1, "one graph for all blocks of both experts, with and without a prompt"
    for mix in ((1.0, 0.9), (0.0, -0.3), (0.7, 2.5)):
        assert not np.array_equal(compiled(mix), silent)
    playing.attach("b", lora_file(tmp_path, "loha", tiny.transformer(5))[0])
    compiled((0.4, 0.4))
    playing.detach("b")
    compiled((0.5, 0.5), prompt="a blue square")
    assert graphs.count == 1
    compiled((0.5, 0.5), width=32)
    assert graphs.count == 2


def test_compiled_blocks_follow_who_computes_attention(playing: WanSession, graphs: Graphs) -> None:
    for attention in ("sdpa", "math", "sdpa"):
        clips = [
            latents(render(playing, short(computing=Computing("fast", attention, how)), faders(1.0, 1.0))[0])
            for how in (True, False)
        ]
        assert np.array_equal(*clips)
    assert graphs.count == 2


def test_meters_measure_the_same_beside_compiled_blocks(playing: WanSession, graphs: Graphs) -> None:
    meters = []
    for how in (Computing(compile=True), Computing(way="fast")):
        steps = steps_of(render(playing, short(computing=how), faders(0.9, 0.4))[1])
        assert all(dict(step.meters)["a"] > 0 for step in steps)
        meters.append(steps[0].meters)
    assert meters[0] == meters[1]


def test_listening_changes_no_bit_of_what_is_compiled(playing: WanSession) -> None:
    def wrong(graph: torch.fx.GraphModule, _: list[Tensor]) -> object:
        return lambda *args: tuple(answer * 1.001 for answer in graph.forward(*args))

    torch._dynamo.reset()
    computation = Computation(playing._loaded().experts, playing._rack, torch.device("cpu"), wrong)
    playing.computation = computation
    heard, _ = render(playing, short(computing=Computing(compile=True)), faders(0.9, 0.4))
    playing._meter.begin = lambda *_: None  # type: ignore[method-assign]
    unheard, _ = render(playing, short(computing=Computing(compile=True)), faders(0.9, 0.4), run=2)
    assert np.array_equal(latents(heard), latents(unheard))


def test_a_cancel_leaves_compiled_and_cached_blocks_as_they_were(playing: WanSession, graphs: Graphs) -> None:
    with pytest.raises(Cancelled):
        asked = short(computing=Computing(compile=True, cache=FirstBlock(0.5)))
        render(playing, asked, faders(1.0, 1.0), heard=lambda _, live: live.cancel())
    assert is_as_born(playing)
    one, _ = render(playing, short(), faders(1.0, 1.0), run=2)
    other = WanSession("cpu")
    other.load(str(playing._loaded().info.path))
    other.attach("a", next(iter(playing.attached.values())).path)
    assert np.array_equal(latents(one), latents(render(other, short(), faders(1.0, 1.0))[0]))


def test_a_compiler_that_fails_is_an_error_with_advice(playing: WanSession) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("no such instruction")

    torch._dynamo.reset()
    experts, rack = playing._loaded().experts, playing._rack
    playing.computation = Computation(experts, rack, torch.device("cpu"), broken)
    with pytest.raises(CompileFailed, match="cannot be compiled"):
        render(playing, short(computing=Computing(compile=True)), faders(1.0, 1.0))
    assert is_as_born(playing)


def test_weights_that_stay_stored_are_lent_whole_to_compiled_blocks() -> None:
    torch._dynamo.reset()
    model, compiler = tiny.transformer(2), Graphs()
    for block in model.blocks:
        own = block.attn1.to_q
        values = own.weight.to(torch.float8_e4m3fn)
        block.attn1.to_q = ScaledLinear(own, torch.float32, values, torch.tensor(0.5))
    inputs = torch.ones(1, 16, 3, 8, 8), torch.tensor([500.0]), torch.ones(1, 12, tiny.TEXT_WIDTH)
    with torch.inference_mode():
        wanted = model(*inputs, return_dict=False)[0]
        with CompiledBlocks({"high": model}, Rack({"high": model}).beside, compiler).working():
            assert torch.equal(model(*inputs, return_dict=False)[0], wanted)
    assert compiler.count == 1
    assert all(block.attn1.to_q._parameters["weight"] is None for block in model.blocks)
