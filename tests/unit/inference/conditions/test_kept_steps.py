"""Kept steps of models that see: taken over only where the pictures are the same, and then bit for bit."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog.input_files import PictureNotFound
from catalog.inputs import Inputs, Picture
from catalog.recipe import Recipe
from engine.errors import BadSettings, Cancelled, PictureRefused
from engine.inference.session import WanSession
from engine.live import LiveControls
from engine.messages import Branch, Resume, Reuse, StageChanged
from engine.runs import unfinished
from engine.worker import Generate
from tests.lora_files import lora_file
from tests.tiny_seeing import Kind, picture, transformer
from tests.unit.inference.conditions.conftest import Opened
from tests.unit.inference.playing import begun_at, faders, latents, recipe, render

STEPS = 4


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[Path, Path]:
    return picture(tmp_path, 1, (48, 32)), picture(tmp_path, 2)


@pytest.fixture
def open_with_lora(opened: Opened, tmp_path: Path) -> Opened:
    """Sessions with a file on the desk as "a"."""

    def made(kind: Kind) -> WanSession:
        session = opened(kind)
        file, _ = lora_file(tmp_path, "kohya", transformer(kind))
        session.attach("a", file)
        return session

    return made


def asked(kind: Kind, inputs: Inputs) -> Recipe:
    size: dict[str, Any] = {"width": 64, "height": 64} if kind == "ti2v" else {}
    return recipe(steps=STEPS, inputs=inputs, **size)


def inputs_for(kind: Kind, pictures: tuple[Path, Path]) -> Inputs:
    one, two = (Picture(str(path)) for path in pictures)
    match kind:
        case "flf2v":
            return Inputs(one, two)
        case "vace" | "vace 2.2":
            return Inputs(reference_images=(one,), control_video=two)
        case "phantom":
            return Inputs(reference_images=(one, two))
        case _:
            return Inputs(one)


@contextmanager
def encodings(session: WanSession) -> Iterator[list[int]]:
    """Counts what goes into the VAE."""
    counted: list[int] = []
    hook = session._loaded().vae.encoder.register_forward_hook(lambda *_: counted.append(1))
    yield counted
    hook.remove()


@pytest.mark.parametrize("kind", ["i2v 2.1", "vace 2.2", "ti2v", "phantom"])
def test_reused_and_branched_steps_are_those_of_the_whole_run(
    open_with_lora: Opened, pictures: tuple[Path, Path], kind: Kind
) -> None:
    session, what = open_with_lora(kind), asked(kind, inputs_for(kind, pictures))
    whole, _ = render(session, what, faders(0.5, 0.5))
    with encodings(session) as encoded:
        same, events = render(session, what, faders(0.5, 0.5), Reuse(), run=2)
        assert begun_at(events) == STEPS and np.array_equal(latents(same), latents(whole))
        assert np.array_equal(same.frames, whole.frames)
        branch, events = render(session, what, faders(0.5, 0.5), Branch(1, 2), run=3)
        assert begun_at(events) == 2 and np.array_equal(latents(branch), latents(whole))
        moved, _ = render(session, what, faders(0.5, -0.5), Reuse(), run=4)
        assert not encoded
    assert branch.recipe == whole.recipe
    assert not any(isinstance(e, StageChanged) and e.stage == "encoding the pictures" for e in events)
    if kind == "vace 2.2":
        assert not np.array_equal(latents(moved), latents(whole))


CHANGES: list[tuple[Kind, Callable[[Inputs, Picture], Inputs]]] = [
    ("i2v 2.1", lambda given, other: Inputs(other)),
    ("i2v 2.1", lambda given, other: Inputs(replace(given.pictures[0], fit="pad"))),
    ("i2v 2.2", lambda given, other: replace(given, end_image=other)),
    ("ti2v", lambda given, other: Inputs()),
    ("vace", lambda given, other: replace(given, conditioning_scale=0.5)),
    ("vace", lambda given, other: replace(given, reference_images=(other,))),
    ("vace", lambda given, other: replace(given, control_video=None)),
    ("phantom", lambda given, other: replace(given, conditioning_scale=0.5)),
    ("phantom", lambda given, other: replace(given, reference_images=given.reference_images[::-1])),
]


@pytest.mark.parametrize(("kind", "change"), CHANGES)
def test_other_pictures_take_over_nothing(
    opened: Opened,
    pictures: tuple[Path, Path],
    kind: Kind,
    change: Callable[[Inputs, Picture], Inputs],
) -> None:
    session, before = opened(kind), inputs_for(kind, pictures)
    first, _ = render(session, asked(kind, before))
    changed = asked(kind, change(before, Picture(str(pictures[1]))))
    second, events = render(session, changed, start=Reuse(), run=2)
    assert begun_at(events) == 0
    assert not np.array_equal(latents(second), latents(first))
    assert np.array_equal(latents(second), latents(render(opened(kind), changed)[0]))


@pytest.mark.parametrize("kind", ["vace", "phantom"])
def test_a_scale_is_heard_without_encoding_again(
    opened: Opened, pictures: tuple[Path, Path], kind: Kind
) -> None:
    session, inputs = opened(kind), inputs_for(kind, pictures)
    render(session, asked(kind, inputs))
    with encodings(session) as encoded:
        render(session, asked(kind, replace(inputs, conditioning_scale=0.3)))
        assert not encoded


def test_the_same_picture_elsewhere_is_the_same_picture(
    opened: Opened, pictures: tuple[Path, Path], tmp_path: Path
) -> None:
    session = opened("i2v 2.1")
    render(session, asked("i2v 2.1", Inputs(Picture(str(pictures[0])))))
    copy = shutil.copy(pictures[0], tmp_path / "copy.png")
    _, events = render(session, asked("i2v 2.1", Inputs(Picture(str(copy)))), start=Reuse(), run=2)
    assert begun_at(events) == STEPS


@pytest.mark.parametrize("kind", ["i2v 2.2", "vace", "ti2v", "phantom"])
def test_a_run_is_resumed_by_a_session_that_has_seen_nothing(
    opened: Opened, pictures: tuple[Path, Path], tmp_path: Path, kind: Kind
) -> None:
    what, folder = asked(kind, inputs_for(kind, pictures)), tmp_path / "runs" / "one"
    whole, _ = render(opened(kind), what)
    with pytest.raises(Cancelled):
        render(opened(kind), what, folder=folder, heard=lambda e, live: e.step == 1 and live.cancel())
    (left,) = unfinished(folder.parent)
    resumed, events = render(opened(kind), Recipe(), start=Resume(left.folder))
    assert begun_at(events) == left.step > 0
    assert np.array_equal(latents(resumed), latents(whole)) and np.array_equal(resumed.frames, whole.frames)


def test_the_recipe_of_a_clip_has_whole_paths_and_hashes(
    opened: Opened, pictures: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pictures[0].parent)
    clip, _ = render(opened("i2v 2.2"), asked("i2v 2.2", Inputs(Picture(pictures[0].name))))
    (seen,) = clip.recipe.inputs.pictures
    assert seen.file == str(pictures[0]) and len(seen.sha256) == 64


def test_a_picture_that_has_changed_since_is_refused(opened: Opened, pictures: tuple[Path, Path]) -> None:
    session = opened("i2v 2.2")
    render(session, asked("i2v 2.2", Inputs(Picture(str(pictures[0])))))
    picture(pictures[0].parent, 9).replace(pictures[0])
    with pytest.raises(PictureNotFound, match="another file"):
        render(session, Recipe(), start=Branch(1, 2), run=2)


def test_encoding_is_cancelled_within_one_block(opened: Opened, pictures: tuple[Path, Path]) -> None:
    session, live = opened("i2v 2.1"), LiveControls()
    encoder = session._loaded().vae.encoder
    entered: list[int] = []
    hooks = [b.register_forward_hook(lambda *_: entered.append(1)) for b in encoder.down_blocks]
    hooks.append(encoder.down_blocks[0].register_forward_hook(lambda *_: live.cancel()))
    what = asked("i2v 2.1", inputs_for("i2v 2.1", pictures))
    with pytest.raises(Cancelled):
        session.run(Generate(1, what, live), lambda _: None)
    for hook in hooks:
        hook.remove()
    assert len(entered) == 1
    clip, events = render(session, what)
    assert clip.latents is not None
    assert any(isinstance(e, StageChanged) and e.stage == "encoding the pictures" for e in events)


@pytest.mark.parametrize("kind", ["vace"])
def test_cancel_stops_within_one_block_of_the_side_branch(opened: Opened, kind: Kind) -> None:
    session, live = opened(kind), LiveControls()
    model = session._loaded().experts["high"]
    entered: list[str] = []
    blocks = [*model.vace_blocks, *model.blocks]
    hooks = [b.register_forward_hook(lambda *_: entered.append("block")) for b in blocks]
    hooks.append(model.vace_blocks[0].register_forward_hook(lambda *_: live.cancel()))
    with pytest.raises(Cancelled):
        session.run(Generate(1, asked(kind, Inputs()), live), lambda _: None)
    for hook in hooks:
        hook.remove()
    assert len(entered) == 1


def test_what_cannot_be_seen_is_said(opened: Opened, pictures: tuple[Path, Path], tmp_path: Path) -> None:
    session = opened("i2v 2.2")
    (tmp_path / "page.png").write_text("<html>")
    with pytest.raises(PictureRefused, match=r"page\.png"):
        render(session, asked("i2v 2.2", Inputs(Picture(str(tmp_path / "page.png")))))
    both = inputs_for("flf2v", pictures)
    with pytest.raises(BadSettings, match="no room for an end image"):
        render(session, replace(asked("i2v 2.2", both), frames=1))
