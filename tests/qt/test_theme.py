"""Both themes can be read, and the window follows the one that holds."""

from dataclasses import fields

import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

import resources
from ui.theme import DARK, LIGHT, Theme, font, icon, style_sheet, theme, watcher


def luminance(colour: str) -> float:
    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    own = QColor(colour)
    return 0.2126 * linear(own.redF()) + 0.7152 * linear(own.greenF()) + 0.0722 * linear(own.blueF())


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [DARK, LIGHT])
@pytest.mark.parametrize("name", ["text", "secondary", "high", "low", "good", "look", "refused"])
@pytest.mark.parametrize("ground", ["background", "panel", "raised", "hover"])
def test_text_is_readable_on_every_ground(colours: Theme, name: str, ground: str) -> None:
    least = 4.5 if ground != "hover" else 4.0
    assert contrast(getattr(colours, name), getattr(colours, ground)) >= least


@pytest.mark.parametrize("colours", [DARK, LIGHT])
def test_text_on_the_accent_is_readable(colours: Theme) -> None:
    assert contrast(colours.on_accent, colours.accent) >= 4.5
    for ground in (colours.background, colours.panel, colours.raised):
        assert contrast(colours.accent, ground) >= 3


@pytest.mark.parametrize("colours", [DARK, LIGHT])
def test_the_style_sheet_is_whole(colours: Theme) -> None:
    text = style_sheet(colours)
    assert "$" not in text and colours.accent in text
    assert text.count("{") == text.count("}")


def test_the_user_may_override_the_system(qtbot: QtBot) -> None:
    try:
        watcher().choose("dark")
        with qtbot.waitSignal(watcher().changed):
            watcher().choose("light")
        assert theme() is LIGHT
        with qtbot.waitSignal(watcher().changed):
            watcher().choose("dark")
        assert theme() is DARK
    finally:
        watcher().choose("system")


def test_every_icon_draws_and_takes_its_colour(qapp: object) -> None:
    names = sorted(path.stem for path in resources.path("icons").glob("*.svg") if path.stem != "app")
    assert len(names) >= 20
    for name in names:
        image = icon(name, "#FF0000").pixmap(32).toImage()
        seen = {
            image.pixelColor(x, y).name()
            for x in range(32)
            for y in range(32)
            if image.pixelColor(x, y).alpha() > 250
        }
        assert seen, name


def test_numbers_keep_their_width(qapp: object) -> None:
    assert font(13, is_tabular=True).isFeatureSet(font().Tag("tnum"))  # type: ignore[attr-defined]
    assert font(11).pixelSize() == 11


def test_every_colour_is_one() -> None:
    for field in fields(Theme):
        if field.name != "is_dark":
            assert QColor(getattr(LIGHT, field.name)).isValid()
