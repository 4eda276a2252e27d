"""Pictures in files → pixels of a wanted size; of a clip its first or last frame, or all of its frames."""

import struct
import warnings
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from catalog.inputs import Fit
from engine import clip_frames
from engine.errors import PictureRefused

Pixels = NDArray[np.uint8]
Size = tuple[int, int]
"""Width and height."""
Moment = Literal["first", "last"]

MOST_BYTES = 256_000_000
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "AVIF")
_ANIMATED = ("PNG", "WEBP", "AVIF")
_BROKEN = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, OverflowError, MemoryError,
    NotImplementedError, struct.error, zlib.error,
)  # fmt: skip


def still(
    path: Path,
    size: Size,
    fit: Fit,
    moment: Moment = "first",
    edges: tuple[int, int, int] = BLACK,
    check: Callable[[], None] = lambda: None,
) -> Pixels:
    """One picture [H, W, 3] of an image or, at a moment, of a clip; what is transparent is black.

    Its edges are cut off, or with the fit “pad” empty ones of that colour are added. `check` is called
    between a clip's frames and may raise. Raises PictureRefused with one sentence.
    """
    if kind := clip_frames.kind_of(path):
        # A frame is taken as it is; a picture is what is fitted, with edges of any colour.
        return _fitted(Image.fromarray(clip_frames.frame(path, kind, moment, check)), size, fit, edges)
    return _fitted(_image(path), size, fit, edges)


def frames(path: Path, size: Size, fit: Fit, fps: int, count: int, check: Callable[[], None]) -> Pixels:
    """`count` frames [F, H, W, 3] of a clip from its beginning, at `fps`; a clip that ends earlier stands still
    then, as an image does from the beginning. Raises PictureRefused, and whatever `check` raises.
    """
    if kind := clip_frames.kind_of(path):
        return clip_frames.frames(path, kind, size, fit, fps, count, check)
    return np.repeat(still(path, size, fit)[None], count, axis=0)


def _image(path: Path) -> Image.Image:
    """An image as it is meant to be seen: upright, 8-bit RGB, over black."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise PictureRefused(f"{path.name} is too large: at most {MOST_BYTES // 1_000_000} MB are read.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is odd about a file is either told by an error or harmless
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=_known(_FORMATS)) as image:
                _check_still(path, image)
                image.load()
                return _opaque(ImageOps.exif_transpose(image))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        most = (Image.MAX_IMAGE_PIXELS or 0) // 1_000_000
        raise PictureRefused(f"{path.name} has too many pixels: at most {most} million are read.") from error
    except UnidentifiedImageError as error:
        raise PictureRefused(f"{path.name} is no picture or clip that can be read here.") from error
    except _BROKEN as error:
        raise PictureRefused(f"{path.name} cannot be read: it is damaged or cut short.") from error


def _check_still(path: Path, image: Image.Image) -> None:
    if image.format in _ANIMATED and getattr(image, "is_animated", False):
        raise PictureRefused(
            f"{path.name} is an animated {image.format}.", "Choose a still picture, or an MP4, WebM or GIF."
        )


def _known(formats: Sequence[str]) -> tuple[str, ...]:
    """Those of these formats that the installed Pillow can read."""
    Image.init()
    return tuple(name for name in formats if name in Image.OPEN)


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # Pillow would clip 16-bit grey instead of scaling it
        grey = np.asarray(image).astype(np.float32) / 257
        return Image.fromarray(grey.round().clip(0, 255).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    whole = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", whole.size, (*BLACK, 255)), whole).convert("RGB")


def _fitted(image: Image.Image, size: Size, fit: Fit, edges: tuple[int, int, int]) -> Pixels:
    method = Image.Resampling.LANCZOS
    fitted = (
        ImageOps.fit(image, size, method) if fit == "crop" else ImageOps.pad(image, size, method, color=edges)
    )
    return np.asarray(fitted, np.uint8)
