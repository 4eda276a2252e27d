"""An audition on the demo model tells the placebo from the LoRAs that do something."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

import resources
from engine.verdict import MEASURABLE, Verdict
from tests.end_to_end.acts import PATIENCE, put_on_desk
from ui.app import Program

pytestmark = pytest.mark.long
LORAS = resources.path("demo") / "loras"


@pytest.fixture
def program(qtbot: QtBot, bare: Program) -> Program:
    """The window with three strips at 1.00 on the low-noise expert."""
    for id in put_on_desk(bare, qtbot, "ring", "mono", "ultra_detail_booster"):
        bare.mix.set_strength(id, "high", 0.0)
        bare.mix.set_strength(id, "low", 1.0)
    bare.run.change(replace(bare.run.settings, steps=8, seed=7))
    return bare


def hear(program: Program, qtbot: QtBot, place: int) -> Verdict:
    """Press A on a strip and wait for what is found."""
    view, audition = program.window.desk.views[place], program.audition
    QTest.keyClick(view, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: audition.verdict(view.id) is not None, timeout=PATIENCE)
    verdict = audition.verdict(view.id)
    assert verdict is not None
    return verdict


def test_the_placebo_has_no_measurable_effect_and_mono_has_one(program: Program, qtbot: QtBot) -> None:
    mono = hear(program, qtbot, 1)
    assert mono.word in ("clear", "overwhelming") and mono.number > 2 * MEASURABLE
    assert program.audition.trial is not None
    clips = program.audition.trial.clips
    grey = [np.ptp(clips[side].frames.astype(int), axis=-1).mean() for side in ("with", "without")]
    assert grey[0] < grey[1] / 2, "mono takes the colour out; without it the colour is there"

    placebo = hear(program, qtbot, 2)
    assert placebo.word == "no measurable effect" and placebo.number < 1
    assert not list(program.settings.outputs.glob("*.mp4"))
