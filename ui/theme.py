"""The colours, type sizes, style sheet and tinted icons of the window, dark and light."""

from dataclasses import asdict, dataclass
from functools import cache
from string import Template
from typing import Literal

from PySide6.QtCore import QByteArray, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

import resources

Choice = Literal["system", "dark", "light"]


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours by their meaning, as #RRGGBB. `faint` is only for what may be missed."""

    background: str
    panel: str
    raised: str
    hover: str
    line: str
    text: str
    secondary: str
    faint: str
    high: str
    low: str
    good: str
    look: str
    refused: str
    accent: str
    accent_hover: str
    on_accent: str
    is_dark: bool


DARK = Theme(
    background="#15171C",
    panel="#1B1E25",
    raised="#242833",
    hover="#2B303C",
    line="#2E3340",
    text="#E7E9EE",
    secondary="#98A0B0",
    faint="#5C6475",
    high="#F0A35E",
    low="#56B4C4",
    good="#7BC47F",
    look="#E8C15A",
    refused="#E2725B",
    accent="#8C7CF0",
    accent_hover="#A094F4",
    on_accent="#15171C",
    is_dark=True,
)

LIGHT = Theme(
    background="#EDEFF3",
    panel="#F6F7F9",
    raised="#FFFFFF",
    hover="#F1F2F6",
    line="#D5D9E1",
    text="#1B1E25",
    secondary="#5A6272",
    faint="#9299A8",
    high="#A4530F",
    low="#10697A",
    good="#2C7032",
    look="#7A5B00",
    refused="#B23B25",
    accent="#5D4CD6",
    accent_hover="#4C3BC4",
    on_accent="#FFFFFF",
    is_dark=False,
)


class ThemeWatcher(QObject):
    """Knows which theme holds: the user's choice, or else the system's, or else dark."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._choice: Choice = "system"
        self.theme = self._wanted()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._update)

    @property
    def choice(self) -> Choice:
        """What the user chose."""
        return self._choice

    def choose(self, choice: Choice) -> None:
        """Follow the system, or stay dark or light; window frames of the system follow too."""
        self._choice = choice
        schemes = {"dark": Qt.ColorScheme.Dark, "light": Qt.ColorScheme.Light}
        QGuiApplication.styleHints().setColorScheme(schemes.get(choice, Qt.ColorScheme.Unknown))
        self._update()

    def _wanted(self) -> Theme:
        if self._choice != "system":
            return LIGHT if self._choice == "light" else DARK
        is_light = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Light
        return LIGHT if is_light else DARK

    def _update(self) -> None:
        wanted = self._wanted()
        if wanted != self.theme:
            self.theme = wanted
            self.changed.emit()


@cache
def watcher() -> ThemeWatcher:
    """The one watcher; needs a QGuiApplication."""
    return ThemeWatcher()


def theme() -> Theme:
    """The theme that holds now."""
    return watcher().theme


def style_sheet(colours: Theme) -> str:
    """The style sheet of all standard widgets.

    Dynamic properties: `primary` and `quiet` on buttons, `tone` and `px` on labels, `ground` on frames.
    """
    template = Template(resources.path("style.qss").read_text("utf-8"))
    return template.substitute(asdict(colours), icons=resources.path("icons").as_posix())


def palette(colours: Theme) -> QPalette:
    """The same colours for what no style sheet reaches: selections, placeholders, native dialogs."""
    result, role = QPalette(), QPalette.ColorRole
    for roles, colour in (
        ((role.Window,), colours.panel),
        ((role.Base, role.Button, role.AlternateBase, role.ToolTipBase), colours.raised),
        ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText), colours.text),
        ((role.PlaceholderText, role.Mid), colours.secondary),
        ((role.Highlight, role.Link), colours.accent),
        ((role.HighlightedText,), colours.on_accent),
    ):
        for each in roles:
            result.setColor(each, QColor(colour))
    for each in (role.WindowText, role.Text, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, each, QColor(colours.faint))
    return result


def dress(application: QApplication) -> None:
    """Give the application style, palette, font and style sheet, now and whenever the theme changes."""
    if application.property("is_dressed"):
        return
    application.setProperty("is_dressed", True)
    application.setStyle("Fusion")
    application.setFont(font())

    def wear() -> None:
        application.setPalette(palette(theme()))
        application.setStyleSheet(style_sheet(theme()))

    wear()
    watcher().changed.connect(wear)


def font(size: int = 13, is_bold: bool = False, is_tabular: bool = False) -> QFont:
    """The system's font at 11, 12, 13, 14 or 15 px; `is_tabular` keeps numbers from dancing."""
    result = QFont(QApplication.font())
    result.setPixelSize(size)
    result.setWeight(QFont.Weight.DemiBold if is_bold else QFont.Weight.Normal)
    if is_tabular:
        result.setFeature(QFont.Tag("tnum"), 1)
    return result


@cache
def icon(name: str, colour: str) -> QIcon:
    """The icon resources/icons/`name`.svg drawn in `colour`; ask again when the theme changes."""
    source = (resources.path("icons") / f"{name}.svg").read_text("utf-8")
    renderer = QSvgRenderer(QByteArray(source.replace("#000", colour).encode()))
    result = QIcon()
    for size in (16, 20, 24, 32, 48, 64):
        pixmap = QPixmap(size, size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        renderer.render(painter, QRectF(0, 0, size, size))
        painter.end()
        result.addPixmap(pixmap)
    return result
