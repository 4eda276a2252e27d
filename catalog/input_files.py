"""The files of a recipe's pictures: whether the model takes them, and where they lie."""

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path

from catalog.errors import BadRecipe, CatalogError
from catalog.inputs import Inputs, Picture, mapped
from catalog.models import ModelInfo

_SPOKEN = {
    "start_image": "a start image",
    "end_image": "an end image",
    "reference_images": "reference images",
    "control_video": "a control video",
}


class PictureNotFound(CatalogError):
    """A picture or clip that a recipe names and that is not there, or has changed since."""

    advice = "Choose the picture again, or put the file beside the recipe."


def check_given(inputs: Inputs, model: ModelInfo) -> None:
    """Refuses a recipe that lacks a picture that the model needs, or has one that it does not take."""
    given = {name for name in _SPOKEN if getattr(inputs, name)}
    for name, spoken in _SPOKEN.items():
        if name in given - model.takes:
            takes = [words for field, words in _SPOKEN.items() if field in model.takes]
            also = f"; it takes {', '.join(takes)}" if takes else "; it makes clips of text alone"
            raise BadRecipe(f"{model.title} takes no {spoken.removeprefix('an ').removeprefix('a ')}{also}.")
        if name in model.needs - given:
            raise BadRecipe(f"{model.title} needs {spoken}.", "Choose a picture and try again.")
    if len(inputs.reference_images) > model.most_references:
        raise BadRecipe(f"{model.title} takes at most {model.most_references} reference images.")


def located(inputs: Inputs, recipe_path: Path | None) -> Inputs:
    """The inputs with the whole path of every file: as it is named, seen from the recipe or from here, or
    of that name beside the recipe.

    A file is read only where its SHA-256 must choose among several. Raises PictureNotFound.
    """
    return mapped(inputs, lambda picture: replace(picture, file=str(find(picture, recipe_path))))


def hashed(inputs: Inputs) -> Inputs:
    """The inputs with whole paths and the SHA-256 of every file.

    Raises PictureNotFound when one is gone, or is another file than its SHA-256 says.
    """
    return mapped(inputs, _hashed)


def find(picture: Picture, recipe_path: Path | None = None) -> Path:
    """The whole path of a picture's file. Raises PictureNotFound."""
    found = list(dict.fromkeys(path for path in _places(picture.file, recipe_path) if _is_file(path)))
    if not found:
        raise PictureNotFound(f"The picture “{picture.file}” is not there.")
    if picture.sha256 and len(found) > 1:
        return next((path for path in found if sha256_of(path) == picture.sha256), found[0])
    return found[0]


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, read again when it has changed. Raises PictureNotFound."""
    try:
        status = path.stat()
        return _sha256(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise PictureNotFound(f"{path.name} cannot be read: {error.strerror}.") from error


@lru_cache(maxsize=64)
def _sha256(path: Path, _size: int, _time: int) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _hashed(picture: Picture) -> Picture:
    path = find(picture)
    sha256 = sha256_of(path)
    if picture.sha256 not in ("", sha256):
        raise PictureNotFound(
            f"“{path.name}” is another file than the one that the recipe was made with.",
            "Find the original file, or choose this one anew to use it as it is now.",
        )
    return replace(picture, file=str(path), sha256=sha256)


def _places(file: str, recipe_path: Path | None) -> Iterator[Path]:
    if file.startswith(("\\\\", "//")):
        return  # looking at a network path named by a stranger would send them our credentials
    path = Path(file).expanduser() if file.startswith("~/") else Path(file)
    base = Path.cwd() if recipe_path is None else recipe_path.absolute().parent
    yield Path(os.path.abspath(base / path))  # one name for a file, without “..”
    if recipe_path is not None:
        yield base / path.name


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False
