"""The sizes of a clip that are on offer: the model's own, and those in the shape of a picture."""

import math

from catalog.models import ModelInfo
from ui.state.clip_settings import accepted_side

Size = tuple[int, int]
"""Width and height in pixels."""

MOST_ASPECT = 3.0
ALIKE = 0.06
"""Shapes this near, as a part of the width, count as the same: what is cropped or padded then is hardly seen."""


def offers(model: ModelInfo, shape: Size | None) -> tuple[Size, ...]:
    """The sizes a model was made for; before them those in the shape of a picture, where none has it."""
    own = model.defaults.sizes
    shaped = () if shape is None else _shaped(model, shape)
    return (*(size for size in shaped if size not in own), *own)


def nearest(model: ModelInfo, shape: Size, now: Size) -> Size:
    """The size in a picture's shape that has about as many pixels as `now`; `now` itself where it fits."""
    if _is_alike(now, shape):
        return now
    return min(_shaped(model, shape), key=lambda size: abs(math.log(_area(size) / _area(now))))


def _shaped(model: ModelInfo, shape: Size) -> tuple[Size, ...]:
    """For every number of pixels that a model was made for, the size in that shape: one of its own if any."""
    own = model.defaults.sizes or ((model.defaults.width, model.defaults.height),)
    found: dict[int, Size] = {}
    for size in sorted(own, key=lambda size: not _is_alike(size, shape)):
        found.setdefault(_area(size), size if _is_alike(size, shape) else _cut(model, shape, _area(size)))
    return tuple(dict.fromkeys(found.values()))


def _cut(model: ModelInfo, shape: Size, area: int) -> Size:
    aspect = min(max(shape[0] / shape[1], 1 / MOST_ASPECT), MOST_ASPECT)
    height = math.sqrt(area / aspect)
    return accepted_side(round(height * aspect), model), accepted_side(round(height), model)


def _is_alike(size: Size, shape: Size) -> bool:
    return abs(math.log(size[0] * shape[1] / (size[1] * shape[0]))) <= ALIKE


def _area(size: Size) -> int:
    return size[0] * size[1]
