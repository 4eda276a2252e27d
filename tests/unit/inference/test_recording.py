"""A clip goes into its file while it is decoded, and what is broken off leaves no file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from catalog.recipe import Recipe
from engine.errors import Cancelled
from engine.inference.session import WanSession
from engine.live import LiveControls
from engine.messages import Frames
from engine.recording import Recording
from engine.worker import Clip, Generate
from tests import tiny
from tests.unit.inference.playing import recipe


@dataclass
class Kept:
    """A recording in memory."""

    recipe: Recipe
    shape: tuple[int, int, int]
    pieces: list[Frames] = field(default_factory=list)
    is_abandoned: bool = False

    def add(self, frames: Frames) -> None:
        self.pieces.append(frames)

    def finish(self) -> Path:
        return Path()

    def abandon(self) -> None:
        self.is_abandoned = True


@dataclass
class Recorder:
    """All recordings that were begun."""

    all: list[Kept] = field(default_factory=list)

    def __call__(self, recipe: Recipe, shape: tuple[int, int, int]) -> Kept:
        self.all.append(Kept(recipe, shape))
        return self.all[-1]

    @property
    def pieces(self) -> list[Frames]:
        return self.all[-1].pieces


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> WanSession:
    opened = WanSession("cpu")
    opened.load(str(tiny.save_model(tmp_path_factory.mktemp("model") / "tiny")))
    return opened


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def render(session: WanSession, recorder: Recorder, live: LiveControls | None = None) -> Clip:
    """Three latent frames."""
    live = live or LiveControls()
    command = Generate(1, recipe(steps=2), live, budget=1 << 30, memory="resident", record=recorder)
    return session.run(command, lambda _: None)


@contextmanager
def decoding(session: WanSession, heard: list[int], recorder: Recorder) -> Iterator[nn.Module]:
    """Note how many pieces there are whenever a latent frame goes into the VAE's decoder."""
    assert session._model is not None
    first = session._model.decoder.blocks[0]
    hook = first.register_forward_pre_hook(
        lambda *_: heard.append(len(recorder.pieces)) if recorder.all else None
    )
    try:
        yield first
    finally:
        hook.remove()


def test_every_piece_is_there_before_the_next_is_decoded(session: WanSession, recorder: Recorder) -> None:
    heard: list[int] = []
    with decoding(session, heard, recorder):
        clip = render(session, recorder)
    assert heard == [0, 1, 2] and [len(piece) for piece in recorder.pieces] == [1, 4, 4]
    assert np.array_equal(np.concatenate(recorder.pieces), clip.frames)
    (kept,) = recorder.all
    assert kept is clip.recording and kept.shape == clip.frames.shape[:3] and kept.recipe == clip.recipe


def test_a_cancel_while_decoding_leaves_no_file(session: WanSession, tmp_path: Path) -> None:
    live, file = LiveControls(), tmp_path / "clip.mp4"
    made: list[Recording] = []

    def record(recipe: Recipe, shape: tuple[int, int, int]) -> Recording:
        made.append(Recording(file, recipe, shape))
        live.cancel()
        return made[-1]

    with pytest.raises(Cancelled):
        session.run(Generate(1, recipe(steps=2), live, budget=1 << 30, record=record), lambda _: None)
    assert len(made) == 1 and not list(tmp_path.iterdir())


def test_memory_that_runs_out_while_decoding_begins_the_file_anew(
    session: WanSession, recorder: Recorder
) -> None:
    wanted = render(session, Recorder())
    failed: list[int] = []

    def fail(*_: object) -> None:
        if recorder.all and len(recorder.pieces) == 1 and not failed:
            failed.append(1)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    assert session._model is not None
    hook = session._model.decoder.blocks[0].register_forward_pre_hook(fail)
    clip = render(session, recorder)
    hook.remove()
    first, second = recorder.all
    assert failed and first.is_abandoned and not second.is_abandoned and clip.recording is second
    assert np.array_equal(np.concatenate(second.pieces), wanted.frames)
