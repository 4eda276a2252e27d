"""Pictures that do not fit are encoded in tiles: less memory, no seams, and a run that is not lost."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLWan

from engine.errors import OutOfMemory
from engine.inference.conditions import tiles
from engine.inference.conditions.encoder import PictureEncoder
from engine.live import LiveControls
from engine.messages import Event, MemoryPlanned, Mix
from engine.plan import Mode
from engine.worker import Generate
from tests import tiny
from tests.tiny_seeing import Kind, picture
from tests.unit.inference.conditions.conftest import Opened
from tests.unit.inference.conditions.test_kept_steps import asked, inputs_for
from tests.unit.inference.test_memory import failing

_TWO: dict[str, Any] = {"num_res_blocks": 2}
_RESIDUAL = _TWO | {
    "is_residual": True,
    "patch_size": 2,
    "in_channels": 12,
    "out_channels": 12,
    "base_dim": 4,
}
NO_MEMORY = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


class Parts:
    """As much of a model as sees."""

    image_encoder = image_processor = None
    device = torch.device("cpu")

    def __init__(self, vae: AutoencoderKLWan) -> None:
        self.vae = vae


def both(settings: dict[str, Any], size: tuple[int, int], frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents of noise of that height and width: as usual, and in tiles."""
    encoder = PictureEncoder(Parts(tiny.vae(**settings)))  # type: ignore[arg-type]
    video = torch.rand(1, 3, frames, *size, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        whole = encoder.latents(video)
        encoder.is_tiled = True
        return whole, encoder.latents(video)


@pytest.mark.parametrize(
    ("settings", "size", "frames"),
    [(_TWO, (272, 272), 1), (_TWO, (16, 528), 5), (_RESIDUAL, (32, 560), 5)],
)
def test_tiles_have_no_seams(settings: dict[str, Any], size: tuple[int, int], frames: int) -> None:
    whole, tiled = both(settings, size, frames)
    assert whole.shape == tiled.shape
    assert torch.allclose(whole, tiled, atol=1e-5 * float(whole.abs().max()))


def test_a_tile_needs_all_that_the_stages_see(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "_AROUND", 16)
    whole, tiled = both(_TWO, (16, 528), 1)
    assert not torch.allclose(whole, tiled, atol=1e-5 * float(whole.abs().max()))


@pytest.mark.parametrize(
    ("kind", "start"), [("vace", "resident"), ("vace", "low"), ("i2v 2.1", "low"), ("ti2v", "low")]
)
def test_memory_that_runs_out_while_pictures_are_encoded(
    opened: Opened, tmp_path: Path, kind: Kind, start: Mode
) -> None:
    what = asked(kind, inputs_for(kind, (picture(tmp_path, 1), picture(tmp_path, 2))))
    wanted = opened(kind).run(Generate(1, what, LiveControls(Mix(1, ())), memory=start), lambda _: None)
    session, events = opened(kind), list[Event]()
    assert session._model is not None
    command = Generate(2, what, LiveControls(Mix(1, ())), memory=start)
    with failing(session._model.parts.vae.encoder.mid_block, 1, 1, NO_MEMORY):
        clip = session.run(command, events.append)
    first, second = (event for event in events if isinstance(event, MemoryPlanned))
    assert clip.latents is not None and wanted.latents is not None
    if start == "low":
        assert not first.plan.sees_tiled and second.plan.sees_tiled and "in tiles" in second.reason
        assert np.allclose(clip.latents, wanted.latents, atol=1e-4)
        assert not second.plan.is_tiled, "the decode is another matter"
    else:
        assert (second.plan.mode, second.plan.sees_tiled) == ("balanced", False)
        assert np.array_equal(clip.latents, wanted.latents)
    assert first.plan.phases[0].name == "encode pictures"


def test_memory_that_runs_out_in_tiles_is_said_and_nothing_is_lost(opened: Opened, tmp_path: Path) -> None:
    session, what = opened("vace"), asked("vace", inputs_for("vace", (picture(tmp_path, 1),) * 2))
    assert session._model is not None
    command = Generate(1, what, LiveControls(Mix(1, ())), memory="low")
    with (
        failing(session._model.parts.vae.encoder.mid_block, 1, 99, NO_MEMORY),
        pytest.raises(OutOfMemory, match="20.00 GiB"),
    ):
        session.run(command, lambda _: None)
    assert session.run(command, lambda _: None).frames.any()
