"""A picture as the model will see it: in the clip's shape, cropped or padded."""

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath

from catalog.inputs import Fit
from ui.theme import theme

_RADIUS = 3.0


def frame_in(area: QRectF, size: tuple[int, int]) -> QRectF:
    """The largest rectangle of the clip's shape in the middle of an area."""
    shape = QSizeF(*size).scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio)
    result = QRectF(QPointF(), shape)
    result.moveCenter(area.center())
    return result


def paint(painter: QPainter, frame: QRectF, image: QImage, fit: Fit) -> None:
    """Paint an image into the frame: its middle as large as fills it, or all of it on black."""
    mode = Qt.AspectRatioMode
    how = mode.KeepAspectRatioByExpanding if fit == "crop" else mode.KeepAspectRatio
    place = QRectF(QPointF(), QSizeF(image.size()).scaled(frame.size(), how))
    place.moveCenter(frame.center())
    painter.save()
    outline = QPainterPath()
    outline.addRoundedRect(frame, _RADIUS, _RADIUS)
    painter.setClipPath(outline)
    painter.fillRect(frame, QColor("black"))
    painter.drawImage(place, _small(image, place, painter))
    painter.restore()


def paint_blank(painter: QPainter, frame: QRectF) -> None:
    """Paint the place of a picture that is not seen yet."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme().line))
    painter.drawRoundedRect(frame, _RADIUS, _RADIUS)


def _small(image: QImage, place: QRectF, painter: QPainter) -> QImage:
    """The image at the pixels it is painted with; a painter would skip some."""
    scale = painter.device().devicePixelRatioF()
    wanted = (place.size() * scale).toSize()
    if wanted.width() * 2 > image.width():
        return image
    smooth = Qt.TransformationMode.SmoothTransformation
    return image.scaled(wanted, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
