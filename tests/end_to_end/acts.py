"""What a user does in these tests."""

from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

import resources
from ui.app import Program
from ui.drop_overlay import DropOverlay

PATIENCE = 240_000
"""Milliseconds that a busy machine may take for anything."""


def drop(window: QWidget, file: Path) -> None:
    """Drag a file from another program onto the stage."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    how = Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window, QDragEnterEvent(QPoint(500, 300), *how))
    overlay = window.findChild(DropOverlay)
    assert overlay is not None
    QApplication.sendEvent(overlay, QDropEvent(QPointF(500, 300), *how))


def put_on_desk(program: Program, qtbot: QtBot, *names: str) -> tuple[str, ...]:
    """Add LoRAs of the demo, wait until the engine has them, and return the ids of their strips."""
    loras = resources.path("demo") / "loras"
    ids = tuple(program.mix.add(loras / f"{name}.safetensors") for name in names)
    qtbot.waitUntil(
        lambda: all(program.mix.attachment(id).status == "attached" for id in ids), timeout=PATIENCE
    )
    return ids
