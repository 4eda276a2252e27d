"""A preview in the cell of the timeline."""

import numpy as np
import pytest
from PySide6.QtCore import QSize
from pytestqt.qtbot import QtBot

from engine.messages import Frames
from tests.fakes import picture
from ui.stage.strip_image import strip_of


def counting(count: int, width: int = 64) -> Frames:
    return np.concatenate([picture(10 * (i + 1), 1, width) for i in range(count)])


def test_a_wide_cell_shows_several_moments_in_order(qtbot: QtBot) -> None:
    image = strip_of(counting(5), QSize(96, 32)).toImage()
    assert [image.pixelColor(x, 16).red() for x in (16, 48, 80)] == [10, 30, 50]


def test_a_narrow_cell_shows_the_middle(qtbot: QtBot) -> None:
    image = strip_of(counting(5), QSize(20, 32)).toImage()
    assert {image.pixelColor(x, 16).red() for x in (0, 10, 19)} == {30}


@pytest.mark.parametrize("width", [1, 63, 640])
@pytest.mark.parametrize("size", [(1, 1), (7, 32), (1000, 32)])
def test_any_shape_fills_its_cell(qtbot: QtBot, width: int, size: tuple[int, int]) -> None:
    strip = strip_of(counting(3, width), QSize(*size))
    assert (strip.width(), strip.height()) == size
    assert strip.toImage().pixelColor(size[0] - 1, size[1] - 1).red() > 0


def test_a_preview_without_pixels_is_nothing(qtbot: QtBot) -> None:
    assert strip_of(picture(1, 0), QSize(9, 9)).toImage().pixelColor(4, 4).alpha() == 0
