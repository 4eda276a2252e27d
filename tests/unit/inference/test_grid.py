"""A grid on a tiny real model costs no step twice, however little is kept, and its recipes make its clips."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.grid import Grid
from engine.grid_axis import Axis, SeedAxis, StrengthAxis
from engine.inference.session import WanSession
from engine.messages import Mix, Reuse, RunStarted, Strip
from engine.worker import Clip
from tests import tiny
from tests.lora_files import lora_file
from tests.unit.inference.playing import latents, render, short, steps_of

HIGH = StrengthAxis("a", "a", "high", (0.0, 0.5, 1.0))
LOW = StrengthAxis("a", "a", "low", (0.0, -1.0))


@pytest.fixture
def playing(session: WanSession, tmp_path: Path) -> WanSession:
    """A session with two files attached."""
    for name, dialect in (("a", "kohya"), ("b", "loha")):
        (tmp_path / name).mkdir()
        file, _ = lora_file(tmp_path / name, dialect, tiny.transformer(3))
        session.attach(name, file)
    return session


def grid(columns: Axis, rows: Axis | None) -> Grid:
    return Grid(short(seed=3), Mix(1, (Strip("a", 0.2, 0.3), Strip("b", 1.0, 0.5))), columns, rows)


def play(session: WanSession, asked: Grid, order: tuple[int, ...], budget: int = 1) -> tuple[int, list[Clip]]:
    """How many steps were denoised, and the clips in the order of the cells."""
    made, clips = 0, dict[int, Clip]()
    for run, place in enumerate(order):
        cell = asked.cells[place]
        clips[place], events = render(session, cell.recipe, cell.mix, Reuse(), run, budget)
        made += sum(not step.is_reused for step in steps_of(events))
        started = next(event for event in events if isinstance(event, RunStarted))
    assert sum(asked.costs(started.sigmas, started.experts)) <= made
    return made, [clips[place] for place in range(len(clips))]


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        (HIGH, LOW),
        (LOW, HIGH),
        (HIGH, replace(LOW, adapter="b")),
        (LOW, SeedAxis((5, 3))),
        (replace(HIGH, part="both"), None),
    ],
    ids=["high by low", "low by high", "two LoRAs", "seeds", "both"],
)
def test_in_its_order_no_step_is_made_twice_even_where_next_to_nothing_is_kept(
    playing: WanSession, columns: Axis, rows: Axis | None
) -> None:
    asked = grid(columns, rows)
    _, events = render(playing, asked.cells[0].recipe, asked.cells[0].mix, run=999, budget=0)
    started = next(event for event in events if isinstance(event, RunStarted))
    made, _ = play(playing, asked, asked.order)
    assert made == sum(asked.costs(started.sigmas, started.experts))


def test_the_high_noise_steps_are_made_once_for_each_of_their_strengths(playing: WanSession) -> None:
    asked = grid(LOW, HIGH)
    made, _ = play(playing, grid(HIGH, LOW), grid(HIGH, LOW).order)
    _, events = render(playing, asked.recipe, asked.mix, run=999)
    high = sum(step.expert == "high" for step in steps_of(events))
    low = len(steps_of(events)) - high
    assert high and low and made == 3 * high + 6 * low
    in_rows, _ = play(playing, grid(HIGH, LOW), tuple(range(6)))
    assert in_rows == 6 * (high + low) > made


def test_clips_of_a_grid_are_those_rendered_by_themselves(playing: WanSession) -> None:
    asked = grid(HIGH, LOW)
    _, clips = play(playing, asked, asked.order)
    for cell, clip in zip(asked.cells, clips, strict=True):
        alone, _ = render(playing, cell.recipe, cell.mix, run=500, budget=0)
        assert np.array_equal(latents(clip), latents(alone))
    assert len({latents(clip).tobytes() for clip in clips}) == len(clips), "and no two are alike"
