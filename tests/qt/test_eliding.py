"""A shortened name fits, whatever Qt makes of its dots."""

import pytest
from PySide6.QtGui import QFontMetricsF
from pytestqt.qtbot import QtBot

from ui.eliding import elided
from ui.theme import font


@pytest.mark.parametrize("is_bold", [False, True])
def test_a_shortened_text_fits_its_width(qtbot: QtBot, is_bold: bool) -> None:
    face = font(13, is_bold)
    metrics = QFontMetricsF(face)
    for text in ("WaN_2.5_official", "v1.0...final", "ultra_detail_booster"):
        whole = metrics.horizontalAdvance(text)
        assert elided(text, face, whole + 1) == text
        assert all(metrics.horizontalAdvance(elided(text, face, w)) <= w for w in range(24, int(whole)))
