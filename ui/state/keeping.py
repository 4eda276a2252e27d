"""Saving a draft after all: its frames go into a file of its own in the output folder."""

import contextlib
from pathlib import Path

from catalog.recipe import Recipe
from engine.bridge import EngineBridge
from engine.messages import Export
from ui.state.take import Take
from ui.state.takes import Takes


class Keeping:
    """Writes drafts to files and remembers which are on their way."""

    def __init__(self, bridge: EngineBridge, takes: Takes) -> None:
        self._bridge, self._takes = bridge, takes
        self._under_way: dict[Path, int] = {}

    def keep(self, take: Take, folder: Path) -> None:
        """Begin to save a draft; its file's name is taken at once. Raises OSError."""
        if take.frames is not None and take.is_draft and take.run not in self._under_way.values():
            file = _reserved(folder, take.recipe)
            self._under_way[file] = take.run
            self._bridge.export(Export(take.frames, take.fps, take.recipe, file))

    def is_kept(self, file: Path) -> bool:
        """A file was written: whether it was that of a draft, which is then a take like the others."""
        run = self._under_way.pop(file, None)
        if run is not None:
            self._takes.keep(run, file)
        return run is not None

    def give_up(self, file: Path) -> None:
        """A file could not be written: its name is free again."""
        if self._under_way.pop(file, None) is not None:
            with contextlib.suppress(OSError):
                if file.stat().st_size == 0:
                    file.unlink()


def _reserved(folder: Path, recipe: Recipe) -> Path:
    """A new and empty file that no clip saved meanwhile can be called like."""
    from engine.video import file_stem  # with ffmpeg, for which the window need not wait

    folder.mkdir(parents=True, exist_ok=True)
    stem, number = file_stem(recipe), 1
    while True:
        file = folder / (f"{stem}.mp4" if number == 1 else f"{stem}-{number}.mp4")
        try:
            file.open("xb").close()
        except FileExistsError:
            number += 1
        else:
            return file
