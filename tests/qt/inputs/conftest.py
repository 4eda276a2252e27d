"""Pictures on disk, and models that take them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDragMoveEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from catalog.model_inputs import FIELDS
from catalog.model_table import entry
from catalog.models import ModelInfo, defaults_of
from engine.messages import ModelLoaded
from tests.fakes import FakeSession
from ui.app import Program
from ui.drop_overlay import DropOverlay
from ui.inputs.slot import Slot

Wear = Callable[[str], ModelInfo]


def wan(identifier: str) -> ModelInfo:
    """A model of the table as if it had been loaded."""
    row = entry(identifier)
    assert row is not None and row.architecture is not None
    needs = frozenset(FIELDS[name] for name in row.inputs if name in FIELDS)
    return ModelInfo(
        name=identifier,
        title=row.title,
        path=Path("/models") / identifier,
        experts=("high", "low") if row.experts == 2 else ("high",),
        boundary=row.boundary,
        width_inner=row.architecture.width,
        layers=row.architecture.layers,
        in_channels=row.architecture.in_channels,
        size_multiple=32 if row.vae == "wan2.2" else 16,
        frame_stride=4,
        defaults=defaults_of(row, lambda: 5.0),
        entry=identifier,
        needs=needs,
        takes=needs | {FIELDS[name] for name in row.optional_inputs},
        most_references=row.most_references,
    )


@pytest.fixture
def wear(qtbot: QtBot, program: Program, session: FakeSession) -> Wear:
    """Let the window have another model."""

    def wear(identifier: str) -> ModelInfo:
        model = wan(identifier)
        program.bridge.model_loaded.emit(ModelLoaded(model, 0.1))
        assert program.run.model == model
        return model

    return wear


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Path]:
    """Writes a picture of a size and a colour."""

    def write(name: str = "cat.png", width: int = 300, height: int = 200, colour: str = "#C06040") -> Path:
        image = QImage(width, height, QImage.Format.Format_RGB32)
        image.fill(QColor(colour))
        assert image.save(str(tmp_path / name))
        return tmp_path / name

    return write


def slots(program: Program) -> list[Slot]:
    """The slots that are shown."""
    row = program.window.stage.input_row
    return [] if row is None or not row.isVisible() else row.slots


def slot(program: Program, title: str) -> Slot:
    return next(each for each in slots(program) if each.place.title == title)


def said(program: Program) -> str:
    return " | ".join(f"{m.sentence} {m.advice}" for m in program.window.message_bar.messages)


def files(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def send(widget: QWidget, kind: type[QDropEvent], data: QMimeData, where: QPoint) -> QDropEvent:
    place = QPoint(where) if issubclass(kind, QDragMoveEvent) else QPointF(where)
    event = kind(
        place, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(widget, event)
    return event


def hover(program: Program, paths: tuple[Path, ...], on: QWidget) -> DropOverlay:
    """Drag files from outside over a widget of the window."""
    window, data = program.window, files(*paths)
    where = on.mapTo(window, on.rect().center())
    overlay = window.findChild(DropOverlay)
    assert overlay is not None
    if overlay.isHidden():
        assert send(window, QDragEnterEvent, data, where).isAccepted()
    send(overlay, QDragEnterEvent, data, where)
    send(overlay, QDragMoveEvent, data, where)
    return overlay


def drop_data(program: Program, data: QMimeData, on: QWidget) -> None:
    """Drag something from outside onto a widget of the window and let go."""
    window = program.window
    where, overlay = on.mapTo(window, on.rect().center()), window.findChild(DropOverlay)
    assert overlay is not None and send(window, QDragEnterEvent, data, where).isAccepted()
    for kind in (QDragEnterEvent, QDragMoveEvent, QDropEvent):
        send(overlay, kind, data, where)
    assert overlay.isHidden()


def drop(program: Program, *paths: Path, on: QWidget | None = None) -> None:
    """Drag files from outside onto a widget of the window and let go."""
    drop_data(program, files(*paths), on or program.window.stage.player)


def pytest_itemcollected(item: pytest.Item) -> None:
    """The offscreen platform says what it cannot do at every menu; that is no fault of the slots."""
    item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support"))
