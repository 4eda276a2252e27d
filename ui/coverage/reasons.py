"""What does not apply and why, as text that can be selected: keys by their reason, shortened to patterns."""

from collections.abc import Iterable
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent, QTextOption
from PySide6.QtWidgets import QTextBrowser, QWidget

from catalog.coverage import Coverage
from catalog.coverage_words import Group, groups
from ui.theme import Theme, font, theme, watcher

MOST_LINES = 300


class ReasonsText(QTextBrowser):
    """As high as its text, so that what surrounds it scrolls."""

    def __init__(self, coverage: Coverage, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._coverage = coverage
        self.setFont(font(12))
        self.setStyleSheet("border: 0; padding: 0; background: transparent;")
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        for set_policy in (self.setVerticalScrollBarPolicy, self.setHorizontalScrollBarPolicy):
            set_policy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("What does not apply, and why")
        self.document().setDocumentMargin(0)
        watcher().changed.connect(self._write)
        self._write()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _write(self) -> None:
        self.setHtml(reasons_html(self._coverage, theme()))
        self._fit()

    def _fit(self) -> None:
        self.document().setTextWidth(self.viewport().width())
        self.setFixedHeight(round(self.document().size().height()) + 4)


def reasons_html(coverage: Coverage, colours: Theme) -> str:
    """Warnings, keys that do nothing and layers that cannot be applied; "" when there are none."""
    lines = [_line(warning, 0, colours.look) for warning in coverage.warnings]
    lines += _section("Keys of the file that do nothing here", groups(coverage.ignored), colours)
    lines += _section("Layers that cannot be applied", groups(coverage.errors), colours)
    if len(lines) > MOST_LINES:
        left = len(lines) - MOST_LINES
        lines = [*lines[:MOST_LINES], _line(f"… {left} more lines; Copy has them all", 0, colours.secondary)]
    return "".join(lines)


def _section(title: str, found: Iterable[Group], colours: Theme) -> list[str]:
    lines = []
    for group in found:
        lines.append(_line(f"{group.count} × {group.reason}", 0, colours.look, "margin-top: 4px"))
        lines += [_line(_times(*pattern), 16, colours.secondary) for pattern in group.patterns]
    return [_line(title, 0, colours.text, "font-weight: 600; margin-top: 8px"), *lines] if lines else []


def _times(pattern: str, count: int) -> str:
    return pattern if count == 1 else f"{pattern}  × {count}"


def _line(text: str, indent: int, colour: str, style: str = "") -> str:
    shown = "".join(c if c.isprintable() else "�" for c in text)
    return f'<p style="margin: 0 0 0 {indent}px; color: {colour}; {style}">{escape(shown)}</p>'
