"""Clips are the same whatever of the model is in memory, and survive memory that runs out."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from catalog.computing import Computing
from engine.errors import OutOfMemory
from engine.inference.checkpoints.stored import CastLinear
from engine.inference.checkpoints.text_encoder_file import load_text_encoder
from engine.inference.decode import Decoder
from engine.inference.lora.gauging import Gauging
from engine.inference.session import WanSession
from engine.inference.streaming import placement
from engine.inference.streaming.residence import Residence
from engine.live import LiveControls
from engine.messages import Event, MemoryPlanned, MemoryUsed, Mix, Strip
from engine.plan import MODES, Choice, Mode
from engine.worker import Clip, Generate
from tests import tiny
from tests.lora_files import lora_file
from tests.unit.inference.checkpoints import tiny_parts
from tests.unit.inference.playing import latents, short, steps_of

MIX = Mix(1, (Strip("a", 0.8, -0.6),))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-expert model stored in half precision, so that its weights are cast."""
    folder = tiny.save_model(tmp_path_factory.mktemp("model") / "half")
    for part in ("transformer", "transformer_2"):
        file = folder / part / "diffusion_pytorch_model.safetensors"
        save_file({n: t.to(torch.bfloat16) for n, t in load_file(file).items()}, file, {"format": "pt"})
    return folder


@pytest.fixture
def session(folder: Path, tmp_path: Path) -> WanSession:
    """The model with one adapter."""
    opened = WanSession("cpu")
    opened.load(str(folder))
    opened.attach("a", lora_file(tmp_path, "comfyui", tiny.transformer())[0])
    return opened


def render(
    session: WanSession, memory: Choice = "auto", budget: int = 0, has_previews: bool = True
) -> tuple[Clip, list[Event]]:
    events: list[Event] = []
    command = Generate(1, short(), LiveControls(MIX), has_previews, memory=memory, budget=budget)
    return session.run(command, events.append), events


def plans(events: list[Event]) -> list[MemoryPlanned]:
    return [event for event in events if isinstance(event, MemoryPlanned)]


@pytest.mark.parametrize("is_carried", [False, True], ids=["in place", "carried"])
def test_every_mode_makes_the_same_clip(
    folder: Path, session: WanSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_carried: bool
) -> None:
    wanted, _ = render(session, "resident")
    if is_carried:  # as it is done for other devices
        monkeypatch.setattr(placement, "Residence", partial(Residence, is_carried=True))
        session = WanSession("cpu")
        session.load(str(folder))
        session.attach("a", tmp_path / "comfyui.safetensors")
    for memory in get_args(Choice):
        clip, events = render(session, memory)
        assert np.array_equal(latents(clip), latents(wanted)) and np.array_equal(clip.frames, wanted.frames)
        assert memory in ("auto", plans(events)[0].plan.mode)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float8_e4m3fn])
def test_the_text_encoder_leaves_memory_and_says_the_same(tmp_path: Path, dtype: torch.dtype) -> None:
    model = tiny_parts.text_encoder()
    tensors = {n: t.to(dtype) for n, t in model.state_dict().items() if n != "encoder.embed_tokens.weight"}
    file = tiny_parts.write(tmp_path / "umt5.safetensors", tensors)
    words, mask = torch.tensor([[5, 9, 33, 1]]), torch.ones(1, 4)
    wanted = load_text_encoder(file, torch.float32)(words, mask).last_hidden_state
    resting = load_text_encoder(file, torch.float32, at_rest=True)
    residence = Residence(resting, torch.device("cpu"))
    for blocks in (0, residence.blocks, 0):
        residence.stay(blocks)
        assert torch.equal(resting(words, mask).last_hidden_state, wanted)
    assert residence.held == 0


def test_a_run_says_what_it_plans_and_what_it_used(session: WanSession) -> None:
    _, events = render(session)
    planned, used = plans(events), [event for event in events if isinstance(event, MemoryUsed)]
    assert len(planned) == 1 and planned[0].plan.fits and planned[0].reason == ""
    assert len(used) == 1 and (used[0].nbytes > 0 or sys.platform != "linux")


@contextmanager
def failing(module: nn.Module, at: int, times: int, error: Exception) -> Iterator[None]:
    """The allocation of forward number `at` fails, and of those after it, so many in all."""
    count = 0

    def fail(*_: object) -> None:
        nonlocal count
        count += 1
        if at <= count < at + times:
            raise error

    hook = module.register_forward_pre_hook(fail)
    try:
        yield
    finally:
        hook.remove()


ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:128] data. DefaultCPUAllocator: can't allocate memory: 9 bytes"
    ),
]


@pytest.mark.parametrize("error", ERRORS, ids=["device", "host"])
@pytest.mark.parametrize(("expert", "at"), [("high", 1), ("low", 1), ("low", 6)])
@pytest.mark.parametrize("budget", [0, 1 << 30])
def test_memory_that_runs_out_costs_a_mode_and_no_bit(
    session: WanSession, error: Exception, expert: str, at: int, budget: int
) -> None:
    wanted, _ = render(session, "resident")
    assert session._model is not None
    block = session._model.parts.experts[expert].blocks[1]  # type: ignore[index]
    with failing(block, at, 1, error):
        clip, events = render(session, "resident", budget)
    assert np.array_equal(latents(clip), latents(wanted)) and np.array_equal(clip.frames, wanted.frames)
    first, second = plans(events)
    assert (first.plan.mode, second.plan.mode) == ("resident", "balanced") and "“balanced”" in second.reason
    assert [step.step for step in steps_of(events)] == list(range(5))
    again = plans(render(session, "resident")[1])
    assert again[0].plan.mode == "balanced", "what ran out once is not asked for again"
    assert plans(render(session, "auto")[1])[0].plan.mode == "resident", "until another mode is chosen"


def test_memory_that_runs_out_in_every_mode_is_said(session: WanSession) -> None:
    wanted, _ = render(session)
    assert session._model is not None
    block = session._model.parts.experts["high"].blocks[0]
    with failing(block, 2, 99, ERRORS[0]), pytest.raises(OutOfMemory, match="20.00 GiB"):
        render(session)
    assert np.array_equal(latents(render(session)[0]), latents(wanted))


def test_memory_that_runs_out_while_all_is_put_in_place_is_no_failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stay, failures = CastLinear.stay, iter([*[False] * 9, True])

    def short(layer: CastLinear, device: torch.device) -> None:
        if next(failures, False):
            raise ERRORS[1]
        stay(layer, device)

    opened = WanSession("cpu")
    with monkeypatch.context() as patch:
        patch.setattr(CastLinear, "stay", short)
        opened.load(str(folder))
    assert opened.room.plan.mode == "balanced"
    clip, _ = render(opened)
    assert plans(render(opened, "resident")[1])[0].plan.mode == "resident"
    assert np.array_equal(clip.frames, render(opened)[0].frames)


def test_in_the_lowest_mode_a_step_is_tried_once_more(session: WanSession) -> None:
    wanted, _ = render(session, "low")
    assert session._model is not None
    with failing(session._model.parts.experts["low"].blocks[1], 2, 1, ERRORS[0]):
        clip, events = render(session, "low")
    assert np.array_equal(latents(clip), latents(wanted)) and np.array_equal(clip.frames, wanted.frames)
    assert "once more" in plans(events)[1].reason and not plans(events)[1].plan.is_tiled


def test_a_lora_that_memory_is_too_short_for_is_not_there(
    session: WanSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, _ = render(session)
    file, _ = lora_file(tmp_path, "kohya", tiny.transformer())

    def short(*_: object) -> None:
        raise ERRORS[1]

    with monkeypatch.context() as patch:
        patch.setattr(Gauging, "gauge", short)
        with pytest.raises(OutOfMemory, match=file.name):
            session.attach("b", file)
    assert list(session.attached) == ["a"]
    assert np.array_equal(latents(render(session)[0]), latents(wanted))
    assert session.attach("b", file).adapter == "b"


def test_blocks_are_compiled_only_where_all_of_them_stay(session: WanSession) -> None:
    wanted = Computing(compile=True)
    render(session, "low")
    assert any("in memory" in said for said in session.computation.settle(wanted).notices)
    render(session, "resident")
    assert not any("in memory" in said for said in session.computation.settle(wanted).notices)


def test_other_errors_are_not_taken_for_it(session: WanSession) -> None:
    assert session._model is not None
    block = session._model.parts.experts["high"].blocks[0]
    with (
        failing(block, 1, 1, RuntimeError("shapes do not match")),
        pytest.raises(RuntimeError, match="shapes"),
    ):
        render(session)


@pytest.mark.parametrize("start", MODES)
def test_memory_that_runs_out_while_decoding_loses_no_step(session: WanSession, start: Mode) -> None:
    wanted, _ = render(session, "resident")
    assert session._model is not None
    with failing(session._model.parts.vae.decoder, 2, 1, ERRORS[0]):
        clip, events = render(session, start, has_previews=False)
    assert np.array_equal(latents(clip), latents(wanted))
    assert len(steps_of(events)) == 5 and len(plans(events)) == 2
    is_tiled = plans(events)[-1].plan.is_tiled
    assert is_tiled == (start == "low")
    assert is_tiled or np.array_equal(clip.frames, wanted.frames)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_decoding_by_chunks_is_decoding_at_once(frames: int) -> None:
    decoder = Decoder(tiny.vae())
    noise = torch.randn(1, 16, frames, 4, 6, generator=torch.Generator().manual_seed(frames))
    chunks: list[Tensor] = list(decoder.chunks(noise))
    assert [chunk.shape[2] for chunk in chunks] == [1, *[4] * (frames - 1)]
    assert torch.equal(torch.cat(chunks, 2), decoder.pictures(noise))
