"""Where a model takes pictures and clips, what is in these places, and what is still missing there."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from catalog.input_files import PictureNotFound, find
from catalog.inputs import NOTHING, Inputs, Picture, mapped
from catalog.models import ModelInfo

Field = Literal["start_image", "end_image", "control_video", "reference_images"]
Frame = Literal["first", "last"]

FIELDS: tuple[Field, ...] = ("start_image", "end_image", "control_video", "reference_images")
TITLES: dict[Field, str] = {
    "start_image": "Start image",
    "end_image": "Last frame",
    "control_video": "Control clip",
    "reference_images": "Reference",
}
SPOKEN: dict[Field, str] = {
    "start_image": "a start image",
    "end_image": "a last frame",
    "control_video": "a control clip",
    "reference_images": "a reference image",
}
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".avif")
CLIPS = (".mp4", ".webm", ".mkv", ".mov", ".m4v", ".gif")


@dataclass(frozen=True, slots=True)
class Place:
    """One field of Inputs. `index` counts reference images; the one after the last takes another."""

    field: Field
    index: int = 0

    @property
    def title(self) -> str:
        """What it is called."""
        name = TITLES[self.field]
        return f"{name} {self.index + 1}" if self.field == "reference_images" else name

    @property
    def frame(self) -> Frame:
        """Which frame of a clip counts here."""
        return "last" if self.field == "start_image" else "first"

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The endings of files that can go here."""
        return CLIPS if self.field == "control_video" else PICTURES + CLIPS

    def fits(self, file: Path) -> bool:
        """Whether a file can go here, judged by its name."""
        return file.suffix.lower() in self.suffixes


def is_picture(file: Path) -> bool:
    """Whether a file's name is that of a picture."""
    return file.suffix.lower() in PICTURES


def fields_of(model: ModelInfo) -> tuple[Field, ...]:
    """What a model takes besides the text, in the order in which it is shown."""
    return tuple(field for field in FIELDS if field in model.takes | model.needs)


def places_of(inputs: Inputs, model: ModelInfo) -> tuple[Place, ...]:
    """Every place that a model has: the filled ones, and the empty ones that wait."""
    places = [Place(field) for field in fields_of(model) if field != "reference_images"]
    if "reference_images" in fields_of(model):
        count = min(len(inputs.reference_images) + 1, model.most_references)
        places += [Place("reference_images", index) for index in range(count)]
    return tuple(places)


def picture_at(inputs: Inputs, place: Place) -> Picture | None:
    """What is in a place."""
    if place.field == "reference_images":
        return dict(enumerate(inputs.reference_images)).get(place.index)
    picture: Picture | None = getattr(inputs, place.field)
    return picture


def with_picture(inputs: Inputs, place: Place, picture: Picture | None) -> Inputs:
    """The inputs with something else in a place, or with nothing there."""
    match place.field:
        case "start_image":
            return replace(inputs, start_image=picture)
        case "end_image":
            return replace(inputs, end_image=picture)
        case "control_video":
            return replace(inputs, control_video=picture)
    others = inputs.reference_images
    given = () if picture is None else (picture,)
    return replace(inputs, reference_images=(*others[: place.index], *given, *others[place.index + 1 :]))


def has_scale(model: ModelInfo) -> bool:
    """Whether a model can be told how strongly to keep to what it is given."""
    return bool({"control_video", "reference_images"} & model.takes)


def taken(inputs: Inputs, model: ModelInfo) -> Inputs:
    """The inputs without those that a model does not take."""
    fields = fields_of(model)
    return Inputs(
        start_image=inputs.start_image if "start_image" in fields else None,
        end_image=inputs.end_image if "end_image" in fields else None,
        reference_images=inputs.reference_images[: model.most_references]
        if "reference_images" in fields
        else (),
        control_video=inputs.control_video if "control_video" in fields else None,
        conditioning_scale=inputs.conditioning_scale if has_scale(model) else NOTHING.conditioning_scale,
    )


def pictures_of(inputs: Inputs, model: ModelInfo) -> tuple[Picture, ...]:
    """All that a model is given."""
    return taken(inputs, model).pictures


def lacking(inputs: Inputs, model: ModelInfo) -> tuple[Field, ...]:
    """What a model needs and has not been given."""
    return tuple(field for field in FIELDS if field in model.needs and not getattr(inputs, field))


def next_place(inputs: Inputs, model: ModelInfo) -> Place | None:
    """Where a picture goes that is dropped anywhere: to the first empty place, or else the first at all.

    None where the model takes no pictures.
    """
    open_to = [place for place in places_of(inputs, model) if place.field != "control_video"]
    empty = [place for place in open_to if picture_at(inputs, place) is None]
    return next(iter(empty + open_to), None)


def whole(inputs: Inputs, recipe_path: Path) -> Inputs:
    """The inputs of a recipe with every file by its whole path; one that is not there keeps its name.

    No file is read: whether it is the one that the recipe was made with is for the engine to say.
    """

    def found(picture: Picture) -> Picture:
        try:
            return replace(picture, file=str(find(replace(picture, sha256=""), recipe_path)))
        except PictureNotFound:
            return picture

    return mapped(inputs, found)
