"""A preview as a strip of film: as many of its pictures side by side as a cell has room for."""

import itertools

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPixmap

from engine.messages import Frames
from ui.stage.image import image_of


def strip_of(preview: Frames, size: QSize) -> QPixmap:
    """Fill `size` device pixels with pictures of the preview, from its first to its last."""
    result = QPixmap(size)
    if not preview.size:
        result.fill(Qt.GlobalColor.transparent)
        return result
    count = _count(preview, size)
    edges = [round(size.width() * place / count) for place in range(count + 1)]
    painter = QPainter(result)
    for place, (left, right) in enumerate(itertools.pairwise(edges)):
        frame = round((place + 0.5) / count * len(preview) - 0.5)
        painter.drawImage(left, 0, _filling(image_of(preview[frame]), QSize(right - left, size.height())))
    painter.end()
    return result


def _count(preview: Frames, size: QSize) -> int:
    """How many pictures fit without being cropped to a stripe."""
    _, height, width, _ = preview.shape
    wanted: float = size.width() * height / (size.height() * width)
    return max(min(round(wanted), len(preview)), 1)


def _filling(image: QImage, size: QSize) -> QImage:
    """The middle of the image, as large as it takes to fill the size."""
    aspect, smooth = Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    filled = image.scaled(size, aspect, smooth)
    left, top = (filled.width() - size.width()) // 2, (filled.height() - size.height()) // 2
    return filled.copy(left, top, size.width(), size.height())
