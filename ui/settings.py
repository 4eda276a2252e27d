"""What the user has set once and for all, kept in an ini file; the folders are where the catalog finds them."""

import contextlib
import json
from dataclasses import replace
from typing import Literal, get_args

from PySide6.QtCore import QByteArray, QSettings

from catalog.computing import Computing, from_json, to_json
from catalog.errors import BadRecipe
from catalog.folders import Folders, choose, chosen
from ui.theme import Choice

Device = Literal["auto", "cpu", "cuda"]
MemoryMode = Literal["auto", "resident", "balanced", "low"]
FILE_NAME = "settings.ini"
MEMORY, MOST_MEMORY = 2, 256
"""GiB of host memory for the steps of recent clips: at first, and at most."""


class Settings:
    """Plain attributes, read once and written by `save`. What cannot be read is as if never set."""

    def __init__(self, folders: Folders) -> None:
        self._store = QSettings(str(folders.state / FILE_NAME), QSettings.Format.IniFormat)
        theme, device = self._text("theme"), self._text("device")
        self.theme: Choice = theme if theme in get_args(Choice) else "system"  # type: ignore[assignment]
        self.device: Device = device if device in get_args(Device) else "auto"  # type: ignore[assignment]
        self._folders = chosen(folders)
        self.library, self.outputs = self._folders.library, self._folders.outputs
        self.models = self._folders.downloads or folders.models
        self.recent_models = self._texts("recent models")
        self.is_live = self._text("live") == "yes"
        self.memory = self._number("memory", MEMORY, MOST_MEMORY)
        mode = self._text("memory mode")
        self.memory_mode: MemoryMode = mode if mode in get_args(MemoryMode) else "auto"  # type: ignore[assignment]
        self.computing = self._computing()
        self.geometry = self._bytes("window/geometry")
        self.splitter = self._bytes("window/splitter")
        self.is_first_start = self._text("started") != "yes"

    def save(self) -> None:
        """Write everything; a disk that refuses is not the user's present worry."""
        values = {
            "theme": self.theme,
            "device": self.device,
            "recent models": json.dumps(self.recent_models),
            "live": "yes" if self.is_live else "",
            "memory": str(self.memory),
            "memory mode": self.memory_mode,
            "computing": json.dumps(to_json(self.computing)),
            "window/geometry": self.geometry,
            "window/splitter": self.splitter,
            "started": "" if self.is_first_start else "yes",
        }
        for key, value in values.items():
            self._store.setValue(key, value)
        self._store.sync()
        with contextlib.suppress(OSError):
            downloads = self.models
            choose(replace(self._folders, library=self.library, outputs=self.outputs, downloads=downloads))

    def _text(self, key: str) -> str:
        value = self._store.value(key)
        return value if isinstance(value, str) else ""

    def _texts(self, key: str) -> tuple[str, ...]:
        try:
            said = json.loads(self._text(key) or "[]")
        except (ValueError, RecursionError):
            return ()
        return tuple(text for text in said if isinstance(text, str)) if isinstance(said, list) else ()

    def _number(self, key: str, otherwise: int, most: int) -> int:
        text = self._text(key)
        return min(int(text), most) if text.isascii() and text.isdigit() else otherwise

    def _computing(self) -> Computing:
        try:
            return from_json("computing", json.loads(self._text("computing") or "{}"))
        except (ValueError, RecursionError, BadRecipe):
            return Computing()

    def _bytes(self, key: str) -> QByteArray:
        value = self._store.value(key)
        return value if isinstance(value, QByteArray) else QByteArray()
