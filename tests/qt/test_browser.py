"""The browser finds, shows, explains and hands out cards."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from catalog.card_coverage import CardCoverage
from catalog.coverage_words import Tally
from catalog.identify import Identity
from catalog.install import InstallReport
from catalog.library import Entry
from catalog.models import find_model
from ui.browser.cards import CARD_MIME, ENTRY_ROLE, CardModel, mime_of, paths_in
from ui.browser.details import DetailsPane
from ui.browser.install_words import report_words
from ui.browser.panel import BrowserPanel
from ui.browser.words import facts, full_text, kind_line, letters, size_words


def entry(name: str, problem: str = "", origin: str = "library", **known: object) -> Entry:
    values = {"family": "Wan", "is_wan": True, "summary": "Wan · LoRA", "width": 192} | known
    identity = None if problem else Identity(**values)  # type: ignore[arg-type]
    path = Path("/loras") / f"{name}.safetensors"
    return Entry(path, name, 1_530_000, "", identity, problem, origin)  # type: ignore[arg-type]


ENTRIES = (
    entry("Zebra", trigger_words=("stripes",), expert_hint="high", kinds=("lora",), rank="16"),
    entry("neon", expert_hint="low", kinds=("loha",), rank="4–8", origin="built in"),
    entry("Alps", experts=("high", "low"), kinds=("lokr",)),
    entry("big", width=5120, family="Wan 14B"),
    entry("WaN 2.5", family="SDXL", is_wan=False, contradictions=("The name says “WaN 2.5”.",), width=None),
    entry("page", problem="This is a web page."),
)


@pytest.fixture
def cards() -> CardModel:
    cards = CardModel()
    cards.take(ENTRIES)
    return cards


@pytest.fixture
def browser(qtbot: QtBot, cards: CardModel) -> BrowserPanel:
    browser = BrowserPanel(cards)
    qtbot.addWidget(browser)
    browser.set_model(find_model("demo"))
    browser.resize(320, 900)
    browser.show()
    return browser


def shown(browser: BrowserPanel) -> list[str]:
    model = browser.view.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def select(browser: BrowserPanel, name: str) -> None:
    browser.view.setCurrentIndex(browser.view.model().index(shown(browser).index(name), 0))


def test_cards_are_sorted_by_name(browser: BrowserPanel) -> None:
    assert shown(browser) == ["Alps", "big", "neon", "page", "WaN 2.5", "Zebra"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("zeb", ["Zebra"]),
        ("STRIPES", ["Zebra"]),
        ("sdxl", ["WaN 2.5"]),
        ("14b wan", ["big"]),
        ("loha", ["neon"]),
        ("web page", ["page"]),
        ("nothing like it", []),
        ("(", []),
    ],
)
def test_search_looks_at_name_trigger_family_and_kind(
    browser: BrowserPanel, text: str, found: list[str]
) -> None:
    QTest.keyClicks(browser.search, text)
    assert shown(browser) == found


@pytest.mark.parametrize(
    ("chips", "found"),
    [
        (["fits"], ["Alps", "neon", "Zebra"]),
        (["problem"], ["page", "WaN 2.5"]),
        (["high"], ["Alps", "Zebra"]),
        (["low"], ["Alps", "neon"]),
        (["high", "low"], ["Alps"]),
    ],
)
def test_chips_narrow_what_is_shown(browser: BrowserPanel, chips: list[str], found: list[str]) -> None:
    for chip in chips:
        browser.chip(chip).click()  # type: ignore[arg-type]
    assert shown(browser) == found


def test_news_about_a_file_replaces_its_card(browser: BrowserPanel, cards: CardModel) -> None:
    select(browser, "Alps")
    cards.take((entry("Alps", summary="Wan · DoRA"), entry("Berg")))
    assert shown(browser)[:2] == ["Alps", "Berg"]
    assert browser.current() is not None and browser.current().identity.summary == "Wan · DoRA"  # type: ignore[union-attr]
    cards.lose([Path("/loras/Alps.safetensors"), Path("/not/there")])
    assert shown(browser)[0] == "Berg"


def test_enter_and_double_click_choose(browser: BrowserPanel, qtbot: QtBot) -> None:
    select(browser, "neon")
    with qtbot.waitSignal(browser.chosen) as chosen:
        QTest.keyClick(browser.view, Qt.Key.Key_Return)
    assert chosen.args[0].name == "neon"
    place = browser.view.visualRect(browser.view.model().index(0, 0)).center()
    QTest.mouseClick(browser.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    with qtbot.waitSignal(browser.chosen) as chosen:
        QTest.mouseDClick(browser.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert chosen.args[0].name == "Alps"


def test_an_unreadable_file_is_not_chosen_but_explained(browser: BrowserPanel, qtbot: QtBot) -> None:
    select(browser, "page")
    with qtbot.assertNotEmitted(browser.chosen), qtbot.waitSignal(browser.message) as said:
        QTest.keyClick(browser.view, Qt.Key.Key_Return)
    assert "web page" in said.args[1]


def test_search_hands_over_to_the_cards(browser: BrowserPanel, qtbot: QtBot) -> None:
    browser.search.setFocus()
    QTest.keyClicks(browser.search, "zebra")
    with qtbot.waitSignal(browser.chosen) as chosen:
        QTest.keyClick(browser.search, Qt.Key.Key_Return)
    assert chosen.args[0].name == "Zebra" and browser.view.hasFocus()


def test_two_columns_at_every_width(browser: BrowserPanel) -> None:
    for width in (280, 300, 321, 420):
        browser.resize(width, 900)
        first, second = (browser.view.visualRect(browser.view.model().index(row, 0)) for row in (0, 1))
        assert first.top() == second.top() and first.right() < second.left() + 1
        assert second.right() <= browser.view.viewport().width()


def test_the_menu_offers_what_can_be_done(browser: BrowserPanel) -> None:
    def offers(name: str) -> dict[str, bool]:
        known = next(e for e in ENTRIES if e.name == name)
        return {a.text().split("\t")[0]: a.isEnabled() for a in browser.menu_for(known).actions() if a.text()}

    assert offers("Zebra") == {
        "Add to desk": True,
        "What applies…": True,
        "Copy trigger words": True,
        "Show in folder": True,
        "Move to trash…": True,
    }
    assert not offers("neon")["Move to trash…"], "built-in files are only read"
    assert not offers("page")["Add to desk"]


def test_trash_asks_first(browser: BrowserPanel, cards: CardModel, qtbot: QtBot, tmp_path: Path) -> None:
    asked: list[str] = []
    browser.confirm = lambda question: bool(asked.append(question))  # type: ignore[method-assign, func-returns-value]
    select(browser, "Zebra")
    trash = browser.menu_for(ENTRIES[0]).actions()[-1]
    with qtbot.assertNotEmitted(browser.trashed):
        trash.trigger()
    assert asked == ["Move “Zebra.safetensors” to the trash?"]


def test_trigger_words_are_copied(browser: BrowserPanel) -> None:
    select(browser, "Zebra")
    next(a for a in browser.menu_for(ENTRIES[0]).actions() if "trigger" in a.text()).trigger()
    assert QGuiApplication.clipboard().text() == "stripes"


def test_cards_travel_as_cards_and_as_files() -> None:
    paths = (Path("/loras/a b.safetensors"), Path("/loras/ü.safetensors"))
    data = mime_of(paths)
    assert data.hasFormat(CARD_MIME) and paths_in(data) == paths
    assert tuple(Path(url.toLocalFile()) for url in data.urls()) == paths


def test_only_readable_cards_can_be_dragged(cards: CardModel) -> None:
    flags = {cards.index(r).data(): cards.flags(cards.index(r)) for r in range(cards.rowCount())}
    assert flags["neon"] & Qt.ItemFlag.ItemIsDragEnabled
    assert not flags["page"] & Qt.ItemFlag.ItemIsDragEnabled


def test_a_card_says_everything_in_words(cards: CardModel) -> None:
    by_name = {cards.index(r).data(): cards.index(r) for r in range(cards.rowCount())}
    spoken = by_name["WaN 2.5"].data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("WaN 2.5, Wan · LoRA")
    assert "The name says" in by_name["WaN 2.5"].data(Qt.ItemDataRole.ToolTipRole)
    assert by_name["page"].data(ENTRY_ROLE).problem in by_name["page"].data(Qt.ItemDataRole.ToolTipRole)


def test_words() -> None:
    assert [letters(e) for e in ENTRIES] == ["H", "L", "HL", "", "!", "!"]
    assert kind_line(ENTRIES[0]) == "lora · r16 · 2 MB"
    assert [size_words(n) for n in (0, 93_000, 153e6, 1.2e9)] == ["1 kB", "93 kB", "153 MB", "1.2 GB"]  # type: ignore[arg-type]
    assert "stripes" in full_text(ENTRIES[0])


def test_the_empty_library_says_what_to_do(qtbot: QtBot) -> None:
    browser = BrowserPanel(CardModel())
    qtbot.addWidget(browser)
    browser.resize(300, 600)
    empty = browser.view.grab().toImage()
    browser.view.show_empty("")
    assert browser.view.grab().toImage() != empty


def test_one_installation_is_one_message() -> None:
    web = (Path("/x/page.safetensors"), "This is a web page.")
    zip_ = (Path("/x/z.safetensors"), "This is a zip archive.")
    assert report_words(InstallReport((ENTRIES[0],)))[:2] == ("info", "“Zebra” installed.")
    kind, sentence, _, details = report_words(
        InstallReport(ENTRIES[:3], ((Path("/x/n.safetensors"), ENTRIES[1].path),), (web, zip_))
    )
    assert kind == "look"
    assert sentence == "3 installed, 1 already there, 2 refused. “page.safetensors”: This is a web page."
    assert "zip archive" in details and "n.safetensors is neon.safetensors" in details
    known = InstallReport(duplicates=((Path("/x/n.safetensors"), ENTRIES[1].path),))
    assert report_words(known)[1] == "“n.safetensors” is there already, as “neon”."
    assert report_words(InstallReport(refused=(web,)))[:2] == (
        "refused",
        "“page.safetensors” is not installed: This is a web page.",
    )
    assert report_words(InstallReport())[0] == "look"


def meanings(known: Entry, coverage: Tally | None = None) -> dict[str, str]:
    return {fact.text: fact.meaning for fact in facts(known, coverage)}


def test_facts_mean_something() -> None:
    said = meanings(
        entry(
            "odd",
            variant="T2V",
            contradictions=("The name says 5B.",),
            evidence=("width 192",),
            cannot_tell=("which version",),
            expert_hint="high",
            hint_source="file name",
            hint_strength="weak",
        ),
        Tally(48, 60, 24),
    )
    assert said["! The name says 5B."] == "look"
    assert said["48 of 60 layers apply; 24 keys of the file do nothing here."] == "look"
    assert said["Made for Wan, T2V"] == "text"
    assert said["For the high-noise expert, going by its file name, a weak sign"] == "text"
    assert said["Because: width 192"] == said["Cannot tell: which version"] == "secondary"
    assert meanings(entry("page", problem="This is a web page."))["This is a web page."] == "refused"


def test_details_show_every_fact_and_keep_the_place_when_nothing_is_new(
    browser: BrowserPanel, cards: CardModel
) -> None:
    select(browser, "WaN 2.5")
    shown = browser.findChild(DetailsPane).text
    assert shown.toPlainText() == full_text(browser.current())  # type: ignore[arg-type]
    shown.selectAll()
    cards.take_coverage(())
    cards.take((entry("new"),))
    assert shown.textCursor().hasSelection(), "news about other files disturb nobody"


def test_coverage_narrows_what_fits(browser: BrowserPanel, cards: CardModel) -> None:
    model = find_model("demo")
    refused, partial = Tally(0, 60, refusal="It is made for SDXL."), Tally(1, 60, 5)
    said = (("Alps", refused), ("big", partial))
    cards.take_coverage(
        CardCoverage(e.path, model, tally) for e in ENTRIES for name, tally in said if e.name == name
    )
    browser.chip("fits").click()
    assert shown(browser) == ["big", "neon", "Zebra"], "what was worked out wins over what is guessed"


def test_cards_in_view_ask_for_their_coverage(browser: BrowserPanel, cards: CardModel, qtbot: QtBot) -> None:
    many = [entry(f"{number:03}") for number in range(200)]
    asked: list[tuple[Path, ...]] = []
    browser.view.lacking.connect(asked.append)
    cards.take(many)
    qtbot.waitUntil(lambda: bool(asked) and many[0].path in asked[-1])
    assert len(asked[-1]) < 50 and many[-1].path not in asked[-1]
    browser.view.scrollToBottom()
    qtbot.waitUntil(lambda: ENTRIES[0].path in asked[-1])
    assert many[0].path not in asked[-1]
    seen = [e.path for e in many[-50:]] + [e.path for e in ENTRIES]
    cards.take_coverage(CardCoverage(path, find_model("demo"), Tally(60, 60)) for path in seen)
    before = len(asked)
    browser.view.viewport().repaint()
    assert len(asked) == before, "nothing is lacking"
