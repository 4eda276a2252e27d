"""What the slots say of themselves."""

from pathlib import Path

from ui.state.input_places import SPOKEN, Place, is_picture
from ui.state.inputs import InputState

KEYS = "Enter: replace, crop or pad, remove. Delete removes."


def name_of(inputs: InputState, place: Place) -> str:
    """The file's name, or what the empty place waits for."""
    if picture := inputs.picture(place):
        return Path(picture.file).name
    if inputs.is_needed(place):
        return "drop a clip here" if place.field == "control_video" else "drop an image here"
    return "optional"


def problem_of(inputs: InputState, place: Place) -> str:
    """What is wrong with a file: “is not there”; nothing where all is well or not known yet."""
    look = inputs.look(place)
    return look.problem if look else ""


def brief(problem: str) -> str:
    """A problem in the few words that a slot has room for."""
    return "not there" if problem == "is not there" else "cannot be read"


def fit_of(inputs: InputState, place: Place) -> str:
    """How a picture is made the clip's size."""
    picture = inputs.picture(place)
    if picture is None or not inputs.has_other_shape(place):
        return ""
    width, height = inputs.size
    how = "cropped to" if picture.fit == "crop" else "padded to"
    return f"{how} {width} × {height}"


def accessible(inputs: InputState, place: Place) -> str:
    """A slot in one line, for those who listen."""
    parts = (place.title, name_of(inputs, place), problem_of(inputs, place), fit_of(inputs, place))
    return ", ".join(part for part in parts if part)


def tool_tip(inputs: InputState, place: Place) -> str:
    """All that there is to know of a place."""
    picture, look = inputs.picture(place), inputs.look(place)
    if picture is None:
        return f"{place.title}\n{_wanted(inputs, place)}\nClick or press Enter to choose one, Ctrl+V pastes"
    lines = [place.title, picture.file]
    if look and look.problem:
        lines.append(f"This file {look.problem}.")
    elif look:
        how = fit_of(inputs, place)
        lines.append(f"{look.width} × {look.height} pixels" + (f", {how}" if how else ""))
    if not is_picture(Path(picture.file)) and place.field != "control_video":
        lines.append(f"The clip's {place.frame} frame counts")
    return "\n".join([*lines, KEYS])


def drop_words(place: Place, file: Path) -> str:
    """What a drop on a slot does."""
    what = SPOKEN[place.field].removeprefix("a ")
    if is_picture(file) or place.field == "control_video":
        which = f" {place.index + 1}" if place.field == "reference_images" else ""
        return f"Drop to use as the {what}{which}"
    return (
        "Drop to go on from its last frame"
        if place.frame == "last"
        else f"Drop to use its first frame as {SPOKEN[place.field]}"
    )


def _wanted(inputs: InputState, place: Place) -> str:
    what = SPOKEN[place.field].removeprefix("a ").capitalize()
    needed = "needed" if inputs.is_needed(place) else "optional"
    kinds = "a clip" if place.field == "control_video" else "an image, or a clip for its last frame"
    if place.frame == "first":
        kinds = kinds.replace("last", "first")
    return f"{what}, {needed}: drop {kinds}"
