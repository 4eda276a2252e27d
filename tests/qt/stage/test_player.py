"""What the picture paints and how it obeys the keyboard."""

import gc

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from engine.messages import Frames
from tests.fakes import FakeSession, picture
from tests.qt.stage.conftest import finish
from ui.stage import captions, pill
from ui.stage.image import fitted, image_of
from ui.stage.panel import StagePanel
from ui.state.run import RunState
from ui.theme import theme


def colours(width: int, height: int) -> Frames:
    """Left half red, right half blue, last row green."""
    frames = np.zeros((2, height, width, 3), np.uint8)
    frames[:, :, : width // 2] = (255, 0, 0)
    frames[:, :, width // 2 :] = (0, 0, 255)
    frames[:, -1] = (0, 255, 0)
    frames.flags.writeable = False
    return frames


@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 5), (33, 17), (64, 64), (101, 3)])
def test_images_have_the_pixels_of_the_frame_at_any_width(width: int, height: int) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), np.uint8)
    image = image_of(frames[0])
    for x, y in ((0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)):
        assert image.pixelColor(x, y).getRgb()[:3] == tuple(frames[0, y, x])


def test_images_own_their_memory() -> None:
    frame = np.full((16, 15, 3), 77, np.uint8)
    image = image_of(frame)
    frame[:] = 0
    del frame
    gc.collect()
    assert image.pixelColor(14, 15).getRgb()[:3] == (77, 77, 77)


def test_images_of_slices_and_of_frames_with_alpha() -> None:
    wide = np.random.default_rng(0).integers(0, 256, (8, 20, 4), np.uint8)
    image = image_of(wide[::2, 1:14])
    assert (image.width(), image.height()) == (13, 4)
    assert image.pixelColor(12, 3).getRgb()[:3] == tuple(wide[6, 13, :3])


def shot(stage: StagePanel) -> tuple[QImage, QRectF]:
    return stage.player.grab().toImage(), stage.player.picture


def test_the_picture_is_letter_boxed_and_in_place(stage: StagePanel) -> None:
    stage.playback.set_playing(False)
    stage.playback.show(colours(63, 21), 16)
    image, area = shot(stage)
    left = image.pixelColor(QPointF(area.left() + area.width() * 0.25, area.center().y()).toPoint())
    right = image.pixelColor(QPointF(area.left() + area.width() * 0.75, area.center().y()).toPoint())
    assert left == QColor(255, 0, 0) and right == QColor(0, 0, 255)
    assert image.pixelColor(round(area.center().x()), round(area.bottom()) - 3).green() > 200
    assert image.pixelColor(round(area.center().x()), round(area.top()) - 3) == QColor(theme().background)
    assert area.width() == stage.player.width() and abs(area.width() / area.height() - 3) < 0.02


def test_a_large_clip_is_shrunk_into_place(stage: StagePanel) -> None:
    stage.playback.set_playing(False)
    stage.playback.show(colours(2048, 1024), 16)
    image, area = shot(stage)
    assert image.pixelColor(round(area.width() * 0.25), round(area.center().y())) == QColor(255, 0, 0)


def test_frames_may_go_while_the_picture_stays(qtbot: QtBot, stage: StagePanel) -> None:
    for value in (10, 90):
        stage.playback.show(picture(value, 3), 16)
        gc.collect()
        image, area = shot(stage)
        assert image.pixelColor(area.center().toPoint()).red() == value


def test_clips_without_pixels_show_the_sentence(stage: StagePanel) -> None:
    stage.playback.show(picture(1, 2, width=0), 16)
    shot(stage)
    assert stage.playback.count == 0


@pytest.mark.parametrize("scale", [1.0, 1.25, 1.5, 2.0])
def test_the_fitted_rectangle_lies_on_device_pixels(scale: float) -> None:
    area = fitted(QRectF(0, 0, 832, 480).size(), QRectF(0, 0, 701, 533), scale)
    for edge in (area.left(), area.top(), area.width(), area.height()):
        assert (edge * scale) == pytest.approx(round(edge * scale))
    assert area.right() <= 702 and area.width() >= 700


def test_keys(qtbot: QtBot, stage: StagePanel) -> None:
    playback, key = stage.playback, Qt.Key
    playback.show(picture(1, 5), 16)
    for pressed, frame in (
        (key.Key_Home, 0), (key.Key_Right, 1), (key.Key_Period, 2), (key.Key_Left, 1), (key.Key_Comma, 0),
        (key.Key_Left, 4), (key.Key_Home, 0), (key.Key_End, 4),
    ):  # fmt: skip
        qtbot.keyClick(stage.player, pressed)
        assert (playback.frame, playback.is_playing) == (frame, False)
    qtbot.keyClick(stage.player, key.Key_Space)
    assert playback.is_playing
    qtbot.keyClick(stage.player, key.Key_Plus)
    assert playback.speed == 2
    for _ in range(9):
        qtbot.keyClick(stage.player, key.Key_Minus)
    assert playback.speed == 0.25


def test_clicking_plays_and_pauses(qtbot: QtBot, stage: StagePanel) -> None:
    stage.playback.show(picture(1, 5), 16)
    qtbot.mouseClick(stage.player, Qt.MouseButton.LeftButton)
    assert not stage.playback.is_playing


def test_pills_say_step_speed_and_expert(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession
) -> None:
    assert stage.player.accessibleDescription() == "" or "Ctrl+Enter" in captions.empty(run)
    with qtbot.waitSignal(run.step_finished):
        session.steps.put(None)
        run.generate()
    left = captions.plain(captions.left(run, stage.showing))
    right = captions.plain(captions.right(run, stage.showing))
    assert left == "step 1 of 20 · preview"
    assert right.startswith("H HIGH noise") and right.endswith("0.01 s/step · 0:00 left")
    assert left in stage.player.accessibleDescription()
    run.cancel()
    qtbot.waitUntil(lambda: run.phase == "idle")
    assert captions.plain(captions.left(run, stage.showing)) == "step 1 of 20 · stopped here"


def test_pills_after_the_run(qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession) -> None:
    finish(qtbot, run, session)
    assert captions.plain(captions.left(run, stage.showing)) == f"finished · seed {run.settings.seed}"
    assert captions.right(run, stage.showing) == ()
    stage.showing.pin(5)
    assert captions.plain(captions.right(run, stage.showing)) == "L LOW noise · σ 0.167"


@pytest.mark.parametrize("width", [120, 240, 300, 420, 900])
def test_pills_never_overlap(width: int) -> None:
    room = QRectF(0, 0, max(width, 420), 300)
    area = QRectF((room.width() - width) / 2, 0, width, 300)
    left, right = pill.corners(room, area, 150, 230)
    assert left.y() != right.y() or left.x() + 150 <= right.x()
    assert left.x() >= 0 and right.x() + 230 <= room.right()
