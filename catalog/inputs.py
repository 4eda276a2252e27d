"""The pictures and clips that a recipe gives to its model besides the text."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from catalog.recipe_checks import file, number, sha256, wrong

Fit = Literal["crop", "pad"]
MOST_REFERENCES = 8


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture or a clip in a file, looked up like a LoRA's: beside the recipe, then by its whole path.

    `sha256` is "" when unknown. Where its shape is not the clip's, `fit` says whether its edges are cut off
    or empty ones are added.
    """

    file: str
    sha256: str = ""
    fit: Fit = "crop"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a model is given to see; the names are those of `inputs` in the model table.

    Of a clip as `start_image` its last frame is taken, as `end_image` its first one. `control_video` is
    VACE's, `reference_images` are VACE's and Phantom's; they are always shown whole, on white, as these were
    trained: their `fit` is not asked. `conditioning_scale` is VACE's as in diffusers, and the share of
    Phantom's image guidance of 5; 1 is as trained.
    """

    start_image: Picture | None = None
    end_image: Picture | None = None
    reference_images: tuple[Picture, ...] = ()
    control_video: Picture | None = None
    conditioning_scale: float = 1.0

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All of them, in the order of the fields."""
        single = (self.start_image, self.end_image)
        return (
            *(picture for picture in single if picture is not None),
            *self.reference_images,
            *([] if self.control_video is None else [self.control_video]),
        )


NOTHING = Inputs()


def mapped(inputs: Inputs, change: Callable[[Picture], Picture]) -> Inputs:
    """The inputs with every picture changed."""

    def maybe(picture: Picture | None) -> Picture | None:
        return None if picture is None else change(picture)

    return replace(
        inputs,
        start_image=maybe(inputs.start_image),
        end_image=maybe(inputs.end_image),
        reference_images=tuple(map(change, inputs.reference_images)),
        control_video=maybe(inputs.control_video),
    )


_PLACES = ("start_image", "end_image", "control_video")
_FIELDS = {*_PLACES, "reference_images", "conditioning_scale"}


def to_json(inputs: Inputs) -> dict[str, Any]:
    """The inputs that differ from none, as a recipe holds them."""
    values: dict[str, Any] = {}
    for place in _PLACES:
        picture = getattr(inputs, place)
        if picture is not None:
            values[place] = _dump(picture)
    if inputs.reference_images:
        values["reference_images"] = [_dump(picture) for picture in inputs.reference_images]
    if inputs.conditioning_scale != 1:
        values["conditioning_scale"] = inputs.conditioning_scale
    return values


def from_json(name: str, value: Any) -> Inputs:
    """The inputs in a recipe; BadRecipe names what is wrong."""
    if not isinstance(value, dict) or set(value) - _FIELDS:
        raise wrong(name, value, f"an object with some of {', '.join(sorted(_FIELDS))}")
    references = value.get("reference_images") or []
    if not isinstance(references, list) or len(references) > MOST_REFERENCES:
        raise wrong(f"{name}.reference_images", references, f"a list of at most {MOST_REFERENCES} pictures")
    places = {place: value[place] for place in _PLACES if value.get(place) is not None}
    scale = value.get("conditioning_scale")
    return Inputs(
        **{place: _picture(f"{name}.{place}", said) for place, said in places.items()},
        reference_images=tuple(
            _picture(f"{name}.reference_images[{i}]", said) for i, said in enumerate(references)
        ),
        conditioning_scale=1.0 if scale is None else number(0, 10)(f"{name}.conditioning_scale", scale),
    )


def _dump(picture: Picture) -> dict[str, Any]:
    values = {"file": picture.file}
    if picture.sha256:
        values["sha256"] = picture.sha256
    if picture.fit != "crop":
        values["fit"] = picture.fit
    return values


def _picture(name: str, value: Any) -> Picture:
    if not isinstance(value, dict) or set(value) - {"file", "sha256", "fit"}:
        raise wrong(name, value, "an object with a “file”, and maybe “sha256” and “fit”")
    fit = value.get("fit", "crop")
    if fit not in get_args(Fit):
        raise wrong(f"{name}.fit", fit, "“crop” or “pad”")
    return Picture(
        file(f"{name}.file", value.get("file")), sha256(f"{name}.sha256", value.get("sha256")), fit
    )
