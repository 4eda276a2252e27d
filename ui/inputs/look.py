"""What is shown of a picture or a clip: a small image and its true size. Runs on the thread of the reader."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QImageIOHandler, QImageReader

from engine.errors import PictureRefused
from ui.state.input_places import Frame

if TYPE_CHECKING:
    from engine.clip_frames import Kind

MOST_SIDE = 320
"""Pixels of a small image, enough for a slot at twice its size."""


_FORMATS = ("png", "jpeg", "webp", "bmp", "tiff", "avif")
"""What the engine reads, too; nothing else is tried on a stranger's file."""

Stamp = tuple[int, int]
"""A file's time of change in nanoseconds and its bytes."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file, and which of its frames counts if it is a clip."""

    file: str
    frame: Frame = "first"


@dataclass(frozen=True, slots=True)
class Look:
    """How a file looks, upright: a small image, and the size of the whole one in pixels.

    `problem` says why nothing can be seen, going on from the file's name: “is not there”.
    """

    image: QImage = field(default_factory=QImage)
    width: int = 0
    height: int = 0
    problem: str = ""
    stamp: Stamp | None = None
    """Of the file as it was then."""

    @property
    def shape(self) -> tuple[int, int] | None:
        """Width and height in pixels, where they are known."""
        return (self.width, self.height) if self.width and self.height else None


def stamp_of(wanted: Wanted) -> Stamp | None:
    """When the file was changed, to see whether that happened again; None where there is no file."""
    try:
        said = None if _is_far(wanted) else Path(wanted.file).stat()
    except OSError:
        return None
    return said and (said.st_mtime_ns, said.st_size)


def look_at(wanted: Wanted, check: Callable[[], None] = lambda: None) -> Look:
    """Open a file and look at it; whatever is wrong with it is said in the answer.

    `check` is called between the frames of a clip and may raise PictureRefused.
    """
    stamp = stamp_of(wanted)
    return replace(_look_at(wanted, check), stamp=stamp)


def _look_at(wanted: Wanted, check: Callable[[], None]) -> Look:
    from engine import clip_frames  # with numpy, which the window does without until then

    if _is_far(wanted):
        return Look(problem="is on a network path, where nothing is read unasked")
    file = Path(wanted.file)
    try:
        if not file.is_file():
            return Look(problem="is not there")
        kind = clip_frames.kind_of(file)
        return _picture(file) if kind is None else _clip(file, kind, wanted.frame, check)
    except PictureRefused as error:
        return Look(problem=str(error).removeprefix(f"{file.name} ").rstrip("."))
    except OSError as error:
        return Look(problem=f"cannot be read: {error.strerror or 'the disk refuses'}")


def _is_far(wanted: Wanted) -> bool:
    """Whether looking would send a stranger's computer our credentials."""
    return wanted.file.startswith(("\\\\", "//"))


def _picture(file: Path) -> Look:
    reader = QImageReader(str(file))
    reader.setDecideFormatFromContent(True)
    reader.setAutoTransform(True)
    size = reader.size()
    if bytes(reader.format().data()).decode() not in _FORMATS:
        return _rare_picture(file)
    if reader.imageCount() > 1 and reader.supportsAnimation():
        return Look(problem="moves; choose a still picture, or an MP4, WebM or GIF")
    if max(size.width(), size.height()) > MOST_SIDE:
        reader.setScaledSize(_small(size))
    image = reader.read()
    if image.isNull() or not size.isValid():
        return _rare_picture(file)
    if reader.transformation() & QImageIOHandler.Transformation.TransformationRotate90:
        size.transpose()
    return Look(image, size.width(), size.height())


def _rare_picture(file: Path) -> Look:
    """One that Qt cannot read, and the engine perhaps can: an AVIF, or a very large one."""
    from PIL import Image, ImageOps

    Image.init()
    formats = [name for name in Image.OPEN if name.lower() in _FORMATS]
    try:
        with Image.open(file, formats=formats) as found:
            upright = ImageOps.exif_transpose(found)
            width, height = upright.size
            upright.thumbnail((MOST_SIDE, MOST_SIDE))
            small = upright.convert("RGBA")
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        return Look(problem="is no picture or clip that can be read")
    borrowed = QImage(small.tobytes(), *small.size, 4 * small.width, QImage.Format.Format_RGBA8888)
    return Look(borrowed.copy(), width, height)


def _clip(file: Path, kind: "Kind", frame: Frame, check: Callable[[], None]) -> Look:
    from engine import clip_frames
    from ui.stage.image import image_of, resized

    image = image_of(clip_frames.frame(file, kind, frame, check))
    small = _small(image.size())
    return Look(resized(image, small.width(), small.height()), image.width(), image.height())


def _small(size: QSize) -> QSize:
    room = QSize(MOST_SIDE, MOST_SIDE)
    return size.scaled(room, Qt.AspectRatioMode.KeepAspectRatio).expandedTo(QSize(1, 1))
