"""One frame as something that Qt paints."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSizeF, Qt
from PySide6.QtGui import QImage

if TYPE_CHECKING:  # the window is painted before numpy is there
    import numpy as np
    from numpy.typing import NDArray


def image_of(frame: "NDArray[np.uint8]") -> QImage:
    """A frame [height, width, 3] as an image with memory of its own, in Qt's fastest format."""
    if frame.shape[2] != 3 or not frame.flags.c_contiguous:
        frame = frame[..., :3].copy()
    height, width, _ = frame.shape
    borrowed = QImage(frame.data, width, height, frame.strides[0], QImage.Format.Format_RGB888)
    return borrowed.convertToFormat(QImage.Format.Format_RGB32)  # copies, while `frame` still lives


def fitted(image: QSizeF, area: QRectF, scale: float) -> QRectF:
    """The largest rectangle of the image's shape in the area, on whole device pixels."""
    size = image.scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio)
    left = area.x() + (area.width() - size.width()) / 2
    top = area.y() + (area.height() - size.height()) / 2
    numbers = (left, top, size.width(), size.height())
    return QRectF(*(round(number * scale) / scale for number in numbers))


def resized(image: QImage, width: int, height: int) -> QImage:
    """The image at that many pixels; shrinking averages, where a painter would skip pixels."""
    return image.scaled(
        width, height, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
