"""A strip says in a word how much of its file applies, and opens the full list."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from catalog.coverage import Coverage
from tests.fakes import FakeSession
from ui.app import Program
from ui.desk.coverage_badge import ROOM, CoverageBadge
from ui.desk.fader import Fader
from ui.state.strip import Attachment

PARTIAL = Coverage(48, 60, ("high",), (("lora_te_1", "text encoder"),))


@pytest.fixture
def badge(qtbot: QtBot) -> CoverageBadge:
    badge = CoverageBadge()
    qtbot.addWidget(badge)
    badge.show()
    return badge


@pytest.mark.parametrize(
    ("attachment", "word", "meaning", "explained"),
    [
        (Attachment("attached", Coverage(60, 60, ("high",))), "60/60", "good", "All 60 layers apply."),
        (Attachment("attached", PARTIAL), "48/60 !", "look", "48 of 60 layers apply; 1 key"),
        (Attachment("refused", reason="It is made for SDXL."), "refused", "refused", "made for SDXL"),
    ],
)
def test_word_colour_and_explanation_agree(
    badge: CoverageBadge, attachment: Attachment, word: str, meaning: str, explained: str
) -> None:
    badge.show_attachment("halo", attachment, "loading…")
    assert (badge.text(), badge.property("badge"), badge.isEnabled()) == (word, meaning, True)
    assert explained in badge.toolTip() and explained in badge.accessibleDescription()
    assert badge.accessibleName() == "Coverage of halo"


def test_a_file_on_its_way_has_no_list_yet(badge: CoverageBadge) -> None:
    badge.show_attachment("halo", Attachment(), "after this run")
    assert badge.text() == "after this run" and not badge.isEnabled()


def badge_of(program: Program) -> CoverageBadge:
    found = program.window.desk.views[-1].findChild(CoverageBadge)
    assert isinstance(found, CoverageBadge)
    return found


def test_the_badge_opens_what_the_engine_said(program: Program, qtbot: QtBot) -> None:
    program.mix.add(Path("/loras/halo.safetensors"))
    qtbot.waitUntil(lambda: badge_of(program).text() == "60/60")
    badge_of(program).setFocus()
    QTest.keyClick(badge_of(program), Qt.Key.Key_Space)
    shown = program.window.coverage.window
    assert shown is not None and "All 60 layers apply." in shown.text


def test_of_a_refused_file_the_catalog_says_more(
    program: Program, session: FakeSession, qtbot: QtBot
) -> None:
    refused = program.folders.library / "WaN_2.5_official.safetensors"
    session.refuse[refused.name] = "It is made for SDXL."
    program.mix.add(refused)
    qtbot.waitUntil(lambda: badge_of(program).text() == "refused")
    badge_of(program).click()
    shown = program.window.coverage.window
    assert shown is not None
    qtbot.waitUntil(lambda: "Keys that do nothing here" in shown.text)


def test_the_badge_is_a_stop_of_the_tab_key(program: Program) -> None:
    program.mix.add(Path("/loras/halo.safetensors"))
    assert badge_of(program) in program.window.desk.views[-1].tab_chain()


def test_the_words_end_where_the_strengths_do(two_strips: Program, qtbot: QtBot) -> None:
    view, badge = two_strips.window.desk.views[-1], badge_of(two_strips)
    end = badge.mapTo(view, badge.rect().topRight()).x() - ROOM
    ends = {f.mapTo(view, f.value_rect().topRight()).x() for f in view.findChildren(Fader) if f.isVisible()}
    assert ends == {end}
