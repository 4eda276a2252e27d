"""How much applies: on the card, in the details, and in the full list one click away."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from catalog.card_coverage import CardCoverage
from catalog.coverage import Coverage, cover
from catalog.coverage_words import Tally
from catalog.inventory import inventories
from catalog.models import find_model
from tests.unit.catalog.builders import header_of, sdxl_lora, wan_lora
from ui.app import Program
from ui.browser.cards import TALLY_ROLE
from ui.coverage.reasons import MOST_LINES, reasons_html
from ui.coverage.window import CoverageWindow
from ui.theme import DARK


def coverage_of(shapes: dict[str, tuple[int, ...]]) -> Coverage:
    return cover(header_of(shapes), inventories(find_model("demo"))).coverage


def tally(program: Program, name: str) -> Tally | None:
    cards = program.window.browser.view.model()
    rows = {cards.index(row, 0).data(): cards.index(row, 0) for row in range(cards.rowCount())}
    found: Tally | None = rows[name].data(TALLY_ROLE)
    return found


def select(program: Program, name: str) -> None:
    view = program.window.browser.view
    rows = [view.model().index(row, 0) for row in range(view.model().rowCount())]
    view.setCurrentIndex(next(index for index in rows if index.data() == name))


def test_cards_say_how_much_applies_to_the_model(program: Program, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: bool(tally(program, "halo") and tally(program, "WaN_2.5_official")))
    assert tally(program, "halo") == Tally(20, 20)
    refused = tally(program, "WaN_2.5_official")
    assert refused and refused.tone == "refused" and "SDXL" in refused.refusal
    assert tally(program, "page") is None, "what cannot be read has no coverage"
    select(program, "halo")
    browser = program.window.browser
    assert browser.view.currentIndex().data(Qt.ItemDataRole.AccessibleTextRole).endswith("20 of 20 layers")


def test_another_model_makes_every_card_wait_for_its_own(program: Program, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: bool(tally(program, "halo")))
    model = find_model("demo")
    stale = CardCoverage(program.folders.built_in / "halo.safetensors", model, Tally(1, 2))
    program.cards.choose_model(None)
    assert tally(program, "halo") is None
    program.cards.take_coverage([stale])
    assert tally(program, "halo") is None, "it is about the model before"


def test_the_full_list_opens_from_the_card(program: Program, qtbot: QtBot) -> None:
    select(program, "WaN_2.5_official")
    QTest.keyClick(program.window.browser.view, Qt.Key.Key_Space)
    shown = program.window.coverage.window
    assert shown is not None and shown.isVisible() and not shown.isModal()
    qtbot.waitUntil(lambda: "no such module" in shown.text)
    assert all(key in shown.text for key in sdxl_lora())
    select(program, "halo")
    QTest.keyClick(program.window.browser.view, Qt.Key.Key_Space)
    second = program.window.coverage.window
    assert second is not None and second is not shown, "one list at a time"
    qtbot.waitUntil(lambda: "All 20 layers apply." in second.text)
    QTest.keyClick(second, Qt.Key.Key_Escape)
    assert program.window.coverage.window is None


def test_the_full_list_says_why_a_file_cannot_be_read(program: Program, qtbot: QtBot, tmp_path: Path) -> None:
    program.window.coverage.open_file("gone", tmp_path / "gone.safetensors", program.run.model)
    shown = program.window.coverage.window
    assert shown is not None and "Reading" in shown.text
    qtbot.waitUntil(lambda: "Reading" not in shown.text)


@pytest.fixture
def listing(qtbot: QtBot) -> CoverageWindow:
    window = CoverageWindow("halo", find_model("demo"))
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
    qtbot.addWidget(window)
    window.show()
    return window


def test_everything_can_be_copied(listing: CoverageWindow) -> None:
    listing.show_coverage(coverage_of(wan_lora() | {"stray.weight": (1,)}))
    copy = next(b for b in listing.findChildren(QPushButton) if b.text() == "Copy")
    copy.click()
    copied = QGuiApplication.clipboard().text()
    assert "stray.weight: " in copied and "attn1.to_q: 2 of 2" in copied
    assert copy.text() == "Copied"


def test_a_file_for_one_expert_says_so(listing: CoverageWindow) -> None:
    listing.show_coverage(Coverage(20, 20, ("low",)))
    assert any("low-noise expert only" in label.text() for label in listing.findChildren(QLabel))


def test_a_thousand_stray_keys_are_few_lines() -> None:
    stray = {f"lora_te1_layers_{n}_fc{m}.lora_down.weight": (4, 4) for n in range(300) for m in range(4)}
    html = reasons_html(coverage_of(wan_lora() | stray), DARK)
    assert html.count("<p") < 10 and "300" in html
    odd = {f"stray{'x' * n}.weight": (1,) for n in range(MOST_LINES + 50)}
    assert reasons_html(coverage_of(odd), DARK).count("<p") == MOST_LINES + 1


def test_names_from_a_file_are_never_markup(listing: CoverageWindow) -> None:
    html = reasons_html(coverage_of({"<b>bold</b>\x1b.weight": (1,)}), DARK)
    assert "<b>" not in html and "\x1b" not in html


def test_the_list_never_grows_beyond_the_screen(listing: CoverageWindow) -> None:
    odd = {f"stray{'x' * n}.weight": (1,) for n in range(MOST_LINES)}
    listing.show_coverage(coverage_of(odd))
    assert listing.height() <= listing.screen().availableSize().height()
