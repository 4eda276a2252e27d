"""Runs that were cut short, continued by a session that knows only what is on disk."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from catalog.computing import Computing, FirstBlock
from catalog.recipe import Recipe
from catalog.recipe_checks import SCHEDULERS
from engine import runs
from engine.errors import Cancelled, CannotContinue
from engine.inference.saved import pack, unpack
from engine.inference.session import WanSession
from engine.inference.trajectory import Cause, Key, Point, Taken, Trajectory
from engine.live import LiveControls
from engine.messages import Branch, Mix, Resume, Reuse, StepFinished, Strip
from tests import tiny
from tests.lora_files import lora_file
from tests.unit.inference.playing import begun_at, faders, latents, render, short, steps_of
from tests.unit.inference.test_trajectory import STEPS

OpenSession = Callable[[], WanSession]


class PowerCut(BaseException):
    """Ends everything at once."""


@pytest.fixture(scope="module")
def lora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lora_file(tmp_path_factory.mktemp("lora"), "kohya", tiny.transformer(3))[0]


@pytest.fixture
def open_session(model_folder: Path, lora: Path) -> OpenSession:
    """Sessions as after a restart, with the LoRA attached as "a"."""

    def make() -> WanSession:
        session = WanSession("cpu")
        session.load(str(model_folder))
        session.attach("a", lora)
        return session

    return make


def cut(session: WanSession, folder: Path, after: int, mix: Mix, asked: Recipe | None = None) -> None:
    """Render until the power fails, as step `after` is shown."""

    def fail(event: StepFinished, live: LiveControls) -> None:
        if event.step == after:
            raise PowerCut

    with pytest.raises(PowerCut):
        render(session, asked or short(), mix, folder=folder, budget=0, heard=fail)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_run_cut_short_goes_on_bit_for_bit_after_a_restart(
    open_session: OpenSession, tmp_path: Path, scheduler: str
) -> None:
    mix, asked, session = faders(0.8, -0.5), short(scheduler=scheduler), open_session()
    whole, first = render(session, asked, mix)
    for after in range(STEPS):
        cut(session, tmp_path / "first", after, mix, asked)
        (left,) = runs.unfinished(tmp_path)
        assert (left.step, left.steps) == (after + 1, STEPS)
        second = tmp_path / "second"
        restarted = open_session()
        clip, events = render(restarted, short(prompt="not read"), mix, Resume(left.folder), 2, folder=second)
        assert begun_at(events) == after + 1
        assert np.array_equal(latents(clip), latents(whole)) and clip.recipe == whole.recipe
        for then, now in zip(steps_of(first), steps_of(events), strict=True):
            assert np.array_equal(then.preview, now.preview) and then.strengths == now.strengths
        assert not left.folder.exists() and runs.read(second) is not None
        runs.remove(second)
        assert list(tmp_path.iterdir()) == []


DYING = """
import os, sys
from pathlib import Path
from engine.inference.session import WanSession
from tests.unit.inference.playing import faders, render, short

model, lora, folder = map(Path, sys.argv[1:])
session = WanSession("cpu")
session.load(str(model))
session.attach("a", lora)
render(session, short(), faders(0.8, -0.5), folder=folder,
       heard=lambda step, _: step.step == 2 and os._exit(9))
"""


def test_a_run_whose_process_died_goes_on_bit_for_bit(
    open_session: OpenSession, tmp_path: Path, model_folder: Path, lora: Path
) -> None:
    paths = [str(path) for path in (model_folder, lora, tmp_path / "run")]
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", DYING, *paths], cwd=root, check=False).returncode == 9
    whole, _ = render(open_session(), short(), faders(0.8, -0.5))
    clip, events = render(open_session(), short(), faders(0.8, -0.5), Resume(tmp_path / "run"))
    assert begun_at(events) == 3
    assert np.array_equal(latents(clip), latents(whole)) and clip.recipe == whole.recipe


def test_a_cancelled_run_goes_on_with_todays_faders_and_its_recipe_says_so(
    open_session: OpenSession, tmp_path: Path
) -> None:
    def stop(event: StepFinished, live: LiveControls) -> None:
        if event.step == 2:
            live.cancel()

    with pytest.raises(Cancelled):
        render(open_session(), short(), faders(1.0, 1.0), folder=tmp_path / "run", heard=stop)
    clip, _ = render(open_session(), short(), faders(0.0, 0.25), Resume(tmp_path / "run"))
    assert clip.recipe.loras[0].per_step == (1.0,) * 3 + (0.25,) * 2
    again, _ = render(open_session(), short(), Mix(2, (Strip("a", 0, 0, clip.recipe.loras[0].per_step),)))
    assert np.array_equal(latents(again), latents(clip))


def test_the_folder_says_what_was_on_the_desk(open_session: OpenSession, tmp_path: Path, lora: Path) -> None:
    session = open_session()
    per_step = tuple(float(i) / 8 for i in range(STEPS))
    cut(session, tmp_path / "run", 2, Mix(1, (Strip("a", 0.5, 0.25, per_step),)))
    left = runs.read(tmp_path / "run")
    assert left is not None
    (use,) = left.recipe.loras
    assert (use.file, use.high, use.low, use.per_step) == (str(lora), 0.5, 0.25, per_step)
    assert use.sha256 == session.attached["a"].sha256
    assert (left.recipe.prompt, left.recipe.seed) == (short().prompt, short().seed)


def test_only_the_last_step_and_the_boundary_take_up_disk(open_session: OpenSession, tmp_path: Path) -> None:
    session = open_session()
    _, events = render(session, short(), folder=tmp_path / "run")
    boundary = [step.expert for step in steps_of(events)].index("low")
    names = {file.name for file in (tmp_path / "run").iterdir()}
    assert names == {"recipe.json", f"step-{boundary:04}.safetensors", f"step-{STEPS:04}.safetensors"}


def test_a_torn_last_step_falls_back_to_the_boundary(open_session: OpenSession, tmp_path: Path) -> None:
    session, mix = open_session(), faders(1.0, 0.5)
    whole, events = render(session, short(), mix, folder=tmp_path / "run")
    boundary = [step.expert for step in steps_of(events)].index("low")
    last = tmp_path / "run" / f"step-{STEPS:04}.safetensors"
    last.write_bytes(last.read_bytes()[:-100])
    left = runs.read(tmp_path / "run")
    assert left is not None and left.step == boundary
    clip, events = render(open_session(), short(), mix, Resume(left.folder), run=2)
    assert begun_at(events) == boundary and np.array_equal(latents(clip), latents(whole))


def test_a_run_with_a_step_cache_goes_on_at_the_boundary_with_the_loras_of_before_gone(
    open_session: OpenSession, tmp_path: Path
) -> None:
    asked = short(computing=Computing(cache=FirstBlock(0.3)), boundary_step=2)
    cut(open_session(), tmp_path / "run", 1, faders(0.8, -0.5), asked)  # before the boundary's first step
    cut(open_session(), tmp_path / "later", 3, Mix(1, (Strip("a", 0.8, -0.5, (0.8, 0.8, 0, 0, 0)),)), asked)
    for folder, begun in (("run", 2), ("later", 2)):
        session = open_session()
        session.detach("a")
        _, events = render(session, asked, Mix(), Resume(tmp_path / folder))
        assert begun_at(events) == begun


def test_a_run_of_another_model_is_refused_and_stays(
    open_session: OpenSession, tmp_path: Path, one_expert_folder: Path
) -> None:
    session = open_session()
    cut(session, tmp_path / "run", 1, faders(1.0, 1.0))
    session.load(str(one_expert_folder))
    with pytest.raises(CannotContinue, match="another model"):
        render(session, short(), start=Resume(tmp_path / "run"), folder=tmp_path / "new")
    assert [left.folder.name for left in runs.unfinished(tmp_path)] == ["run"]


def test_a_recipe_that_was_changed_by_hand_is_refused(open_session: OpenSession, tmp_path: Path) -> None:
    session = open_session()
    cut(session, tmp_path / "run", 1, faders(1.0, 1.0))
    file = tmp_path / "run" / "recipe.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"seed": 4}))
    with pytest.raises(CannotContinue):
        render(session, short(), start=Resume(tmp_path / "run"))


def test_a_run_that_is_gone_is_refused(open_session: OpenSession, tmp_path: Path) -> None:
    with pytest.raises(CannotContinue, match="no longer there"):
        render(open_session(), short(), start=Resume(tmp_path / "nothing"))


def test_a_disk_that_refuses_does_not_stop_the_run(
    open_session: OpenSession, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    clip, _ = render(open_session(), short(), folder=tmp_path / "file" / "run")
    assert clip.latents is not None
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_continued_run_can_be_branched_and_taken_over(open_session: OpenSession, tmp_path: Path) -> None:
    mix = faders(0.8, -0.5)
    cut(open_session(), tmp_path / "run", 2, mix)
    session = open_session()
    whole, _ = render(session, short(), mix, Resume(tmp_path / "run"))
    branch, events = render(session, short(), mix, Branch(1, 4), run=2)
    assert begun_at(events) == 4 and np.array_equal(latents(branch), latents(whole))
    early, events = render(session, short(), mix, Branch(1, 1), run=3)  # before what was on disk
    assert begun_at(events) == 0 and np.array_equal(latents(early), latents(whole))
    assert begun_at(render(session, short(), mix, Reuse(), run=4)[1]) == STEPS


def test_steps_of_another_machine_are_continued_but_never_taken_over(
    open_session: OpenSession, tmp_path: Path
) -> None:
    mix = faders(0.8, -0.5)
    session = open_session()
    cut(session, tmp_path / "run", 2, mix)
    elsewhere = open_session()
    assert elsewhere._model is not None
    elsewhere._model = replace(elsewhere._model, machine="another")
    render(elsewhere, short(), mix, Resume(tmp_path / "run"))
    assert begun_at(render(elsewhere, short(), mix, Reuse(), run=2)[1]) == 0


def test_what_is_packed_is_unpacked() -> None:
    generator = torch.Generator().manual_seed(0)
    tensor = torch.randn(1, 2, 3, 4, 4, generator=generator)
    state = {"outputs": [None, tensor.bfloat16()], "index": 2, "when": torch.tensor(7), "x": [1.5, "a", True]}
    cause = Cause("low", 3.0, "blue", (("ab", 0.1), ("cd", -2.0)))
    key = Key("m", "here", "words", 3, tuple(tensor.shape), 5, 3.0, None)
    preview = np.arange(48, dtype=np.uint8).reshape(1, 4, 4, 3)
    taken = [Taken(cause, preview), Taken(cause, preview[:0])]
    point = Point(2, tensor, state)
    trajectory = Trajectory(key, short(), None, taken, {2: point}, {"ab": "/a.safetensors"})
    found = unpack(pack(trajectory, point), short())
    assert (found.key, found.files) == (key, trajectory.files)
    assert [step.cause for step in found.taken] == [cause, cause]
    assert np.array_equal(found.taken[0].preview, preview) and found.taken[1].preview.shape == (0, 4, 4, 3)
    assert torch.equal(found.points[2].latents, tensor)
    back = found.points[2].state
    assert back["outputs"][0] is None and back["outputs"][1].dtype == torch.bfloat16
    assert torch.equal(back["outputs"][1], state["outputs"][1]) and torch.equal(back["when"], state["when"])
    assert (back["index"], back["x"]) == (2, [1.5, "a", True])
