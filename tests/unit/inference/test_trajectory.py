"""Kept steps on tiny real models: whatever is taken over, the clip is the same bit for bit."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.computing import Computing, FirstBlock
from catalog.recipe import Guidance
from catalog.recipe_checks import SCHEDULERS
from engine.errors import Cancelled, CannotContinue
from engine.inference.session import WanSession
from engine.inference.trajectory import Trajectories
from engine.live import LiveControls
from engine.messages import Branch, Mix, Reuse, StepFinished, Strip
from engine.worker import Clip, Generate
from tests import tiny
from tests.lora_files import lora_file
from tests.unit.inference.playing import begun_at, faders, latents, render, short, steps_of

STEPS = 5


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two LoRA files of different content."""
    folder = tmp_path_factory.mktemp("loras")
    for name, dialect in (("one", "kohya"), ("two", "loha")):
        (folder / name).mkdir()
        lora_file(folder / name, dialect, tiny.transformer(3))
    one, two = (next((folder / name).iterdir()) for name in ("one", "two"))
    return one, two


@pytest.fixture
def playing(session: WanSession, files: tuple[Path, Path]) -> WanSession:
    """A session with the first file attached as "a"."""
    session.attach("a", files[0])
    return session


@pytest.fixture
def scratch(model_folder: Path) -> Callable[..., np.ndarray]:
    """Latents of a session that has rendered nothing before."""

    def make(mix: Mix, attached: dict[str, Path], **changes: object) -> np.ndarray:
        other = WanSession("cpu")
        other.load(str(model_folder))
        for adapter, file in attached.items():
            other.attach(adapter, file)
        return latents(render(other, short(**changes), mix, budget=0)[0])

    return make


def replay(session: WanSession, clip: Clip, attached: dict[str, Path]) -> np.ndarray:
    """Latents of a clip's recipe, rendered anew with its own files."""
    for adapter in attached:
        session.detach(adapter)
    for index, use in enumerate(clip.recipe.loras):
        session.attach(str(index), Path(use.file))
    strips = (Strip(str(i), use.high, use.low, use.per_step) for i, use in enumerate(clip.recipe.loras))
    return latents(render(session, replace(clip.recipe, loras=()), Mix(9, tuple(strips)))[0])


def test_two_files_differ(files: tuple[Path, Path]) -> None:
    assert files[0].read_bytes() != files[1].read_bytes()


# Branch


@pytest.mark.parametrize("scheduler", [None, *SCHEDULERS])
def test_a_branch_with_unchanged_faders_is_the_uninterrupted_run(
    playing: WanSession, scheduler: str | None
) -> None:
    mix, asked = faders(0.8, -0.5), short(scheduler=scheduler)
    whole, first = render(playing, asked, mix)
    for step in range(STEPS + 1):
        branch, events = render(playing, asked, mix, Branch(1, step), run=2)
        assert begun_at(events) == step
        assert np.array_equal(latents(branch), latents(whole)) and branch.recipe == whole.recipe
        for then, now in zip(steps_of(first), steps_of(events), strict=True):
            assert np.array_equal(then.preview, now.preview)
            assert (then.strengths, then.sigma, then.expert) == (now.strengths, now.sigma, now.expert)


def test_a_branch_plays_todays_faders_from_its_step_on_and_its_recipe_says_so(
    playing: WanSession, files: tuple[Path, Path]
) -> None:
    render(playing, short(), faders(1.0, 1.0))
    branch, events = render(playing, short(), faders(-1.0, 0.25), Branch(1, 3), run=2)
    played = [dict(step.strengths)["a"] for step in steps_of(events)]
    assert played[:3] == [1.0] * 3 and set(played[3:]) <= {-1.0, 0.25}
    assert branch.recipe.loras[0].per_step == tuple(played)
    assert np.array_equal(replay(playing, branch, {"a": files[0]}), latents(branch))


def test_a_branch_keeps_the_settings_of_its_run(playing: WanSession) -> None:
    whole, _ = render(playing, short(), faders(1.0, 1.0))
    other = short(prompt="something else", seed=99, steps=4)
    branch, _ = render(playing, other, faders(1.0, 1.0), Branch(1, 3), run=2)
    assert branch.recipe == whole.recipe and np.array_equal(latents(branch), latents(whole))


def test_a_lora_that_has_left_stays_in_the_recipe_of_a_branch(
    playing: WanSession, files: tuple[Path, Path]
) -> None:
    render(playing, short(), faders(1.0, 1.0))
    playing.detach("a")
    playing.attach("b", files[1])
    branch, events = render(playing, short(), faders(0.5, 0.5, "b"), Branch(1, 3), run=2)
    assert begun_at(events) == 3
    uses = {Path(use.file): use.per_step for use in branch.recipe.loras}
    assert uses == {files[0]: (1.0,) * 3 + (0.0,) * 2, files[1]: (0.0,) * 3 + (0.5,) * 2}
    assert np.array_equal(replay(playing, branch, {"b": files[1]}), latents(branch))


def test_a_branch_of_a_branch_and_of_a_run_whose_fader_moved(playing: WanSession) -> None:
    def move(event: StepFinished, live: LiveControls) -> None:
        if event.step == 1:
            live.mix = faders(0.3, -0.7)

    moved, _ = render(playing, short(), faders(1.0, 1.0), heard=move)
    again, _ = render(playing, short(), faders(0.3, -0.7), Branch(1, 2), run=2)
    once_more, _ = render(playing, short(), faders(0.3, -0.7), Branch(2, 4), run=3)
    assert np.array_equal(latents(again), latents(moved))
    assert np.array_equal(latents(once_more), latents(moved))


def test_a_run_that_nobody_kept_cannot_be_branched(playing: WanSession) -> None:
    with pytest.raises(CannotContinue, match="no longer kept"):
        render(playing, short(), start=Branch(7, 2))


def test_a_clip_of_another_model_cannot_be_branched(playing: WanSession, one_expert_folder: Path) -> None:
    render(playing, short())
    playing.load(str(one_expert_folder))
    with pytest.raises(CannotContinue, match="another model"):
        render(playing, short(), start=Branch(1, 2), run=2)


# Reuse

levels = st.sampled_from([0.0, 0.5, -1.0])
per_step = st.lists(levels, min_size=STEPS, max_size=STEPS).map(tuple)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs=st.lists(per_step, min_size=2, max_size=3), scheduler=st.sampled_from(SCHEDULERS))
def test_reuse_is_rendering_from_scratch_and_takes_over_all_that_is_alike(
    playing: WanSession, runs: list[tuple[float, ...]], scheduler: str
) -> None:
    playing._kept = Trajectories()
    asked = short(scheduler=scheduler)
    for number, strengths in enumerate(runs):
        mix = Mix(1, (Strip("a", 0.0, 0.0, strengths),))
        reused, events = render(playing, asked, mix, Reuse(), run=number)
        alike = [_common(earlier, strengths) for earlier in runs[:number]]
        assert begun_at(events) == max(alike, default=0)
        other, _ = render(playing, asked, mix, run=100 + number)
        assert np.array_equal(latents(reused), latents(other))
        assert reused.recipe == other.recipe


def _common(one: tuple[float, ...], other: tuple[float, ...]) -> int:
    return next((i for i in range(STEPS) if one[i] != other[i]), STEPS)


def test_a_low_noise_fader_takes_over_the_whole_high_noise_phase(
    playing: WanSession, files: tuple[Path, Path], scratch: Callable[..., np.ndarray]
) -> None:
    _, events = render(playing, short(), faders(1.0, 1.0))
    boundary = [step.expert for step in steps_of(events)].index("low")
    moved, again = render(playing, short(), faders(1.0, -0.4), Reuse(), run=2)
    assert begun_at(again) == boundary > 0
    assert np.array_equal(latents(moved), scratch(faders(1.0, -0.4), {"a": files[0]}))
    _, from_start = render(playing, short(), faders(0.9, -0.4), Reuse(), run=3)
    assert begun_at(from_start) == 0


def test_an_adapter_at_zero_is_as_good_as_none(
    playing: WanSession, files: tuple[Path, Path], scratch: Callable[..., np.ndarray]
) -> None:
    whole, _ = render(playing, short(), faders(1.0, 1.0))
    playing.attach("b", files[1])
    mix = Mix(2, (*faders(1.0, 1.0).strips, Strip("b", 0.0, 0.7)))
    reused, events = render(playing, short(), mix, Reuse(), run=2)
    assert begun_at(events) > 0
    assert np.array_equal(latents(reused), scratch(mix, {"a": files[0], "b": files[1]}))
    silent, events = render(playing, short(), faders(1.0, 1.0), Reuse(), run=3)
    assert begun_at(events) == STEPS and np.array_equal(latents(silent), latents(whole))


def test_who_was_attached_first_changes_nothing(playing: WanSession, files: tuple[Path, Path]) -> None:
    playing.attach("b", files[1])
    mix = Mix(2, (*faders(1.0, 0.8).strips, Strip("b", 0.5, 0.7)))
    render(playing, short(), mix)
    playing.attach("a", files[0])
    assert list(playing.attached) == ["b", "a"]
    assert begun_at(render(playing, short(), mix, Reuse(), run=2)[1]) == STEPS


def test_two_strips_of_one_file_are_alike_whichever_plays_how_strongly(
    playing: WanSession, files: tuple[Path, Path]
) -> None:
    playing.attach("b", files[1])
    playing.attach("c", files[0])

    def heard(a: float, c: float) -> np.ndarray:
        mix = Mix(2, (Strip("a", a, a), Strip("b", 0.7, 0.7), Strip("c", c, c)))
        return latents(render(playing, short(), mix)[0])

    assert np.array_equal(heard(0.3, 0.9), heard(0.9, 0.3)) and np.array_equal(heard(0, 0.9), heard(0.9, 0))
    assert not np.array_equal(heard(0.3, 0.9), heard(0, 0.9))


def test_two_strips_of_one_file_that_have_left_stay_two_in_the_recipe_of_a_branch(
    playing: WanSession, files: tuple[Path, Path]
) -> None:
    playing.attach("twin", files[0])
    render(playing, short(), Mix(1, (Strip("a", 0.3, 0.3), Strip("twin", 0.9, 0.9))))
    playing.detach("a")
    playing.detach("twin")
    playing.attach("b", files[1])
    branch, _ = render(playing, short(), faders(0.5, 0.5, "b"), Branch(1, 3), run=2)
    played = sorted(
        use.per_step for use in branch.recipe.loras if use.sha256 != branch.recipe.loras[0].sha256
    )
    assert played == [(0.3,) * 3 + (0.0,) * 2, (0.9,) * 3 + (0.0,) * 2]
    assert np.array_equal(replay(playing, branch, {"b": files[1]}), latents(branch))


def test_adapters_are_known_by_content_not_by_name(playing: WanSession, files: tuple[Path, Path]) -> None:
    whole, _ = render(playing, short(), faders(1.0, 1.0))
    playing.detach("a")
    playing.attach("renamed", files[0])
    same, events = render(playing, short(), faders(1.0, 1.0, "renamed"), Reuse(), run=2)
    assert begun_at(events) == STEPS and np.array_equal(latents(same), latents(whole))
    assert steps_of(events)[0].strengths == (("renamed", 1.0),)
    playing.detach("renamed")
    playing.attach("a", files[1])
    _, events = render(playing, short(), faders(1.0, 1.0), Reuse(), run=3)
    assert begun_at(events) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": "a blue square"}, {"negative_prompt": "red"}, {"seed": 4}, {"width": 32}, {"frames": 9},
        {"steps": 4}, {"shift": 4.0}, {"scheduler": "euler"}, {"guidance": Guidance(5.0, 3.0)},
        {"sigmas": (1.0, 0.9, 0.7, 0.5, 0.2)}, {"scheduler": "dpm++"},
        {"computing": Computing(attention="math")}, {"computing": Computing(cache=FirstBlock(1.0))},
    ],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_what_changes_every_step_takes_over_nothing(
    playing: WanSession, changes: dict[str, object], scratch: Callable[..., np.ndarray]
) -> None:
    render(playing, short(), faders(0.0, 0.0))
    clip, events = render(playing, short(**changes), faders(0.0, 0.0), Reuse(), run=2)
    assert begun_at(events) == 0
    assert np.array_equal(latents(clip), scratch(faders(0.0, 0.0), {}, **changes))


@pytest.mark.parametrize(
    "changes",
    [{"guidance": Guidance(1.0, 5.0)}, {"negative_prompt": "red"}, {"fps": 24}],
    ids=lambda changes: next(iter(changes)),
)
def test_what_changes_only_later_steps_takes_over_the_earlier_ones(
    playing: WanSession,
    files: tuple[Path, Path],
    changes: dict[str, object],
    scratch: Callable[..., np.ndarray],
) -> None:
    asked = {"guidance": Guidance(1.0, 3.0)} | changes
    _, events = render(playing, short(guidance=Guidance(1.0, 3.0)), faders(1.0, 1.0))
    boundary = [step.expert for step in steps_of(events)].index("low")
    clip, events = render(playing, short(**asked), faders(1.0, 0.0), Reuse(), run=2)
    assert begun_at(events) == boundary
    assert np.array_equal(latents(clip), scratch(faders(1.0, 0.0), {"a": files[0]}, **asked))
    assert clip.recipe.guidance == asked["guidance"]


def test_a_cancelled_run_is_taken_over_as_far_as_it_came(playing: WanSession) -> None:
    def stop(event: StepFinished, live: LiveControls) -> None:
        if event.step == 2:
            live.cancel()

    with pytest.raises(Cancelled):
        render(playing, short(), faders(1.0, 0.5), heard=stop)
    clip, events = render(playing, short(), faders(1.0, 0.5), Reuse(), run=2)
    assert begun_at(events) == 3
    fresh, _ = render(playing, short(), faders(1.0, 0.5), run=3)
    assert np.array_equal(latents(clip), latents(fresh))


def test_fresh_takes_over_nothing(playing: WanSession) -> None:
    render(playing, short())
    assert begun_at(render(playing, short(), run=2)[1]) == 0


# Budget


def test_beyond_the_budget_the_boundary_and_the_last_step_stay(playing: WanSession) -> None:
    _, events = render(playing, short(), faders(1.0, 1.0), budget=1)
    boundary = [step.expert for step in steps_of(events)].index("low")
    assert set(playing._kept[1].points) == {boundary, STEPS}
    _, events = render(playing, short(), faders(1.0, -1.0), Reuse(), run=2, budget=1)
    assert begun_at(events) == boundary


def test_a_branch_where_nothing_is_kept_plays_its_way_there(playing: WanSession) -> None:
    def move(event: StepFinished, live: LiveControls) -> None:
        if event.step in (0, 3):
            live.mix = faders(0.1 * event.step, -0.2 * event.step)

    now = faders(0.5, -1.0)
    for step in range(STEPS):
        _, first = render(playing, short(), faders(1.0, 1.0), heard=move)
        kept, _ = render(playing, short(), now, Branch(1, step), run=2)
        render(playing, short(), faders(1.0, 1.0), heard=move, budget=1)
        again, events = render(playing, short(), now, Branch(1, step), run=2, budget=1)
        assert np.array_equal(latents(again), latents(kept)) and again.recipe == kept.recipe
        played = [s.strengths for s in steps_of(first)[:step]]
        assert [s.strengths for s in steps_of(events)[:step]] == played


def test_a_branch_whose_way_is_not_kept_needs_the_loras_of_the_way(playing: WanSession) -> None:
    render(playing, short(), faders(1.0, 1.0), budget=1)
    playing.detach("a")
    with pytest.raises(CannotContinue, match="no longer on the desk"):
        render(playing, short(), start=Branch(1, 1), run=2, budget=1)


def test_older_runs_make_room_for_newer_ones(playing: WanSession) -> None:
    render(playing, short(), faders(1.0, 1.0))
    one = playing._kept.nbytes
    for run in range(2, 7):
        render(playing, short(), faders(float(run), 1.0), run=run, budget=3 * one)
        assert playing._kept.nbytes <= 3 * one
    assert set(playing._kept[6].points) == set(range(1, STEPS + 1))
    with pytest.raises(CannotContinue):
        playing._kept[1]


def test_without_a_budget_nothing_is_kept(playing: WanSession) -> None:
    render(playing, short())
    render(playing, short(), run=2, budget=0)
    assert playing._kept.nbytes == 0
    assert begun_at(render(playing, short(), start=Reuse(), run=3)[1]) == 0


# Text


def test_only_new_words_are_encoded_and_no_negative_ones_without_guidance(playing: WanSession) -> None:
    encoder = playing._loaded().text_encoder
    encoded: list[None] = []
    hook = encoder.register_forward_hook(lambda *_: encoded.append(None))

    def newly(mix: Mix, **changes: object) -> int:
        before = len(encoded)
        render(playing, short(**changes), mix)
        return len(encoded) - before

    without = Guidance(1.0, 1.0)
    assert newly(faders(1.0, 1.0), guidance=without) == 1
    assert newly(faders(0.2, 0.1), guidance=without) == 0
    assert newly(faders(0.2, 0.1)) == 1
    assert newly(faders(0.3, 0.1), seed=5) == 0
    assert newly(faders(0.3, 0.1), prompt="a blue square") == 1
    assert newly(faders(0.3, 0.1), prompt="  a blue\nsquare ") == 0
    hook.remove()


def test_a_prompt_changes_nothing_about_the_loras(playing: WanSession, tmp_path: Path) -> None:
    file, _ = lora_file(tmp_path, "comfyui", tiny.transformer(5))
    playing.attach("b", file)
    mix = faders(0.9, 0.9, "b")
    first, _ = render(playing, short(prompt="one"), mix)
    file.unlink()
    render(playing, short(prompt="two"), mix, run=2)
    again, _ = render(playing, short(prompt="one"), mix, run=3)
    assert np.array_equal(latents(again), latents(first))
    bare, _ = render(playing, short(prompt="one"), run=4)
    assert not np.array_equal(latents(bare), latents(first))


# The model


def test_steps_of_other_weights_are_not_taken_over(model_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    session = WanSession("cpu")
    session.load(str(folder))
    render(session, short())
    tiny.transformer(9).save_pretrained(folder / "transformer")
    session.load(str(folder))
    clip, events = render(session, short(), start=Reuse(), run=2)
    fresh, _ = render(session, short(), run=3)
    assert begun_at(events) == 0 and np.array_equal(latents(clip), latents(fresh))
    session.load(str(model_folder))
    session.load(str(folder))
    assert begun_at(render(session, short(), start=Reuse(), run=4)[1]) == STEPS


def test_a_cancel_while_the_prompt_is_encoded_is_heard_there(playing: WanSession) -> None:
    live, entered = LiveControls(), list[int]()
    blocks = playing._loaded().text_encoder.encoder.block
    hooks = [b.register_forward_hook(lambda *_, n=n: entered.append(n)) for n, b in enumerate(blocks)]
    hooks.append(blocks[0].register_forward_hook(lambda *_: live.cancel()))
    with pytest.raises(Cancelled):
        playing.run(Generate(1, short(prompt="new words"), live), lambda _: None)
    for hook in hooks:
        hook.remove()
    assert entered == [0]


def test_steps_taken_over_are_those_of_the_mix_they_agree_with(playing: WanSession) -> None:
    mix = replace(faders(1.0, 1.0), revision=7)
    render(playing, short(), mix)
    _, reused = render(playing, short(), replace(mix, revision=8), Reuse(), run=2)
    assert {step.mix_revision for step in steps_of(reused)} == {8}
    _, branch = render(playing, short(), replace(mix, revision=9), Branch(1, 3), run=3)
    assert [step.mix_revision for step in steps_of(branch)] == [0, 0, 0, 9, 9]
