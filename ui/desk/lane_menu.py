"""What can be done with the curves of a strip, as a menu."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu

from ui.desk import lane_clipboard
from ui.state.automation import Automation
from ui.state.mix import MixState

if TYPE_CHECKING:
    from ui.desk.lane import Lane


def lane_menu(lane: Lane, mix: MixState, automation: Automation) -> QMenu:
    """The menu of a lane; it goes when it is closed."""
    menu = QMenu(lane)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    _add_points(menu, lane)
    menu.addSeparator()
    _add_curves(menu, lane, mix, automation)
    menu.addSeparator()
    _add_multipliers(menu, lane, automation)
    return menu


def _add_points(menu: QMenu, lane: Lane) -> None:
    points, point = lane.points, lane.points.point
    menu.addAction("Add a point\tIns", points.add_beside)
    menu.addAction("Remove the point\tDel", points.remove).setEnabled(point is not None)
    is_held = point is not None and point.is_held
    shape = "Draw a line to the next point" if is_held else "Hold until the next point"
    menu.addAction(f"{shape}\tH", points.toggle_held).setEnabled(point is not None)


def _add_curves(menu: QMenu, lane: Lane, mix: MixState, automation: Automation) -> None:
    strip = lane.points.strip
    has_curves = strip.has_curves
    write = menu.addAction("Write what I played", lambda: automation.write_played(strip.id))
    write.setEnabled(bool(automation.played(strip.id)))
    follow = menu.addAction("Follow the curves again\tF", lambda: mix.follow_curves(strip.id))
    follow.setEnabled(has_curves and bool(strip.by_hand or strip.per_step))
    bare = replace(strip, high_curve=None, low_curve=None, by_hand=frozenset())
    clear = menu.addAction("Clear the curves", lambda: mix.change(f"clear curves of {strip.name}", [bare]))
    clear.setEnabled(has_curves)
    menu.addSeparator()
    menu.addAction("Copy the curves\tCtrl+C", lane.copy).setEnabled(has_curves)
    menu.addAction("Paste\tCtrl+V", lane.paste).setEnabled(lane_clipboard.holds_curves())


def _add_multipliers(menu: QMenu, lane: Lane, automation: Automation) -> None:
    text = lane_clipboard.text_on_it()
    paste = menu.addAction(
        "Paste Wan2GP multipliers", lambda: automation.paste_multipliers(text, lane.points.id)
    )
    paste.setEnabled(bool(text))
    menu.addAction("Copy as Wan2GP multipliers", lambda: lane_clipboard.put_text(automation.multipliers()))
