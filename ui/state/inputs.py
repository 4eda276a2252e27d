"""Pictures in: what is in the places that the model has, how it looks, and what a drop does."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QUndoStack

from catalog.inputs import Fit, Inputs, Picture
from ui.inputs.look import Look, Wanted
from ui.inputs.reader import PictureReader
from ui.state.clip_sizes import Size, nearest
from ui.state.input_places import (
    Place,
    fields_of,
    is_picture,
    next_place,
    picture_at,
    places_of,
    with_picture,
)
from ui.state.input_undo import PicturesChange, Shaping
from ui.state.run import RunState
from ui.state.take import Take

_LEADING = (Place("start_image"), Place("control_video"), Place("end_image"))
"""The clip takes the shape of the first of these that is there."""


class InputState(QObject):
    """The pictures among the run's settings, with what the reader saw of their files.

    A picture that the user puts in gives the clip its shape; one that comes with a recipe changes no size.
    What the user does goes on the `undo` stack of the desk.
    """

    changed = Signal()
    message = Signal(str, str, str, str)

    def __init__(
        self, run: RunState, reader: PictureReader, undo: QUndoStack, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._run, self._reader, self._undo = run, reader, undo
        self._looks: dict[Wanted, Look] = {}
        self._asked: set[Wanted] = set()
        self._shapings: dict[Wanted, Shaping] = {}
        """What is to give the clip its shape as soon as it has been seen."""
        self._gesture, self._is_gesture = 0, False
        self._recorded = self.inputs
        """As the newest step of undo knows them."""
        self._model = run.model.path
        self._known = self._shown()
        reader.seen.connect(self._on_seen)
        reader.saved.connect(self._on_saved)
        reader.failed.connect(self._on_failed)
        run.changed.connect(self._on_run)

    # What holds now

    @property
    def inputs(self) -> Inputs:
        """All that there is, also what the model does not take."""
        return self._run.settings.inputs

    @property
    def size(self) -> tuple[int, int]:
        """The clip's width and height in pixels."""
        return self._run.settings.width, self._run.settings.height

    @property
    def places(self) -> tuple[Place, ...]:
        """The places of the model, filled and empty; none where it takes text alone."""
        return places_of(self.inputs, self._run.model)

    def is_needed(self, place: Place) -> bool:
        """Whether nothing can be made while this place is empty."""
        return place.field in self._run.model.needs and place.index == 0

    def picture(self, place: Place) -> Picture | None:
        """What is in a place."""
        return picture_at(self.inputs, place)

    def look(self, place: Place) -> Look | None:
        """How the picture in a place looks; None while that is not known."""
        picture = self.picture(place)
        return None if picture is None else self._looks.get(Wanted(picture.file, place.frame))

    def has_other_shape(self, place: Place) -> bool:
        """Whether something of the picture is cut off, or added to it, to make it the clip's size."""
        look = self.look(place)
        if look is None or look.shape is None:
            return False
        width, height = self.size
        return abs(look.width * height - look.height * width) > max(look.width, look.height)

    # What one does

    def put(self, file: Path, place: Place) -> bool:
        """Put a file in a place; False, with a message, where such a file cannot go."""
        if not place.fits(file):
            kind = "a clip" if place.field == "control_video" else "a picture or a clip"
            sentence = f"“{file.name}” cannot be the {place.title.lower()}."
            self.message.emit("look", sentence, f"It takes {kind}: {', '.join(place.suffixes)}.", "")
            return False
        before = self.picture(place)
        wanted = Wanted(str(file.absolute()), place.frame)
        is_leading = place == next((each for each in _LEADING if each == place or self.picture(each)), None)
        self._look(wanted)  # again, even if it was seen: the file may have changed
        picture = Picture(wanted.file, fit=before.fit if before else "crop")
        self._set(place, picture, f"set the {place.title.lower()}", wanted if is_leading else None)
        return True

    def put_all(self, files: Iterable[Path], place: Place) -> None:
        """Put files in a place; of several the others go on as further references, where it is one."""
        with self._one_gesture():
            self._put_on(files, place)

    def _put_on(self, files: Iterable[Path], place: Place) -> None:
        for file in files:
            is_full = place.index >= self._run.model.most_references
            if is_full or not self.put(file, place) or place.field != "reference_images":
                return
            place = Place(place.field, len(self.inputs.reference_images))

    def take(self, files: Iterable[Path]) -> bool:
        """Put pictures that were dropped anywhere where they are wanted most; False, said, where nowhere."""
        with self._one_gesture():
            for file in files:
                place = next_place(self.inputs, self._run.model)
                if place is None:
                    self._refuse_pictures()
                    return False
                self.put(file, place)
        return True

    def place_for(self, file: Path) -> Place | None:
        """Where a picture would go that is dropped anywhere."""
        return next_place(self.inputs, self._run.model) if is_picture(file) else None

    def remove(self, place: Place) -> None:
        """Take a picture out of its place; its file stays."""
        self._set(place, None, f"remove the {place.title.lower()}")

    def set_fit(self, place: Place, fit: Fit) -> None:
        """Cut the edges of a picture off, or add empty ones, where its shape is not the clip's."""
        picture = self.picture(place)
        if picture is not None:
            self._set(place, replace(picture, fit=fit), f"{fit} the {place.title.lower()}")

    def paste(self, image: QImage, place: Place | None = None) -> None:
        """Keep an image in a file and put it in a place, or where it is wanted most."""
        self._save(lambda: image, "pasted", place)

    def can_go_on(self, take: Take | None) -> bool:
        """Whether a take's last frame can be the start image."""
        is_open = "start_image" in fields_of(self._run.model)
        return is_open and take is not None and take.frames is not None and len(take.frames) > 0

    def go_on(self, take: Take) -> None:
        """Make the last frame of a take the start image, without the loss of a saved clip."""
        if self.can_go_on(take) and take.frames is not None:
            frame = take.frames[-1]

            def last() -> QImage:
                from ui.stage.image import image_of

                return image_of(frame)

            self._save(last, "last-frame", Place("start_image"))

    def look_again(self) -> None:
        """Look once more at files that have been changed meanwhile."""
        for wanted, look in self._looks.items():
            self._reader.look(wanted, look)

    # Undo

    def record(self) -> None:
        """Pictures came with something else that can be undone: let them go with it."""
        if self.inputs != self._recorded:
            self._push("pictures", self._recorded, self.inputs)

    @contextlib.contextmanager
    def _one_gesture(self) -> Iterator[None]:
        """All that is put in meanwhile is one step."""
        self._gesture, self._is_gesture = self._gesture + 1, True
        try:
            yield
        finally:
            self._is_gesture = False

    def _set(self, place: Place, picture: Picture | None, text: str, shaped_by: Wanted | None = None) -> None:
        inputs = with_picture(self.inputs, place, picture)
        if inputs != self.inputs:
            self._push(text, self.inputs, inputs, shaped_by)
        elif shaped_by is not None:
            self._shapings[shaped_by] = Shaping(self.size, wanted=shaped_by)

    def _push(self, text: str, before: Inputs, after: Inputs, shaped_by: Wanted | None = None) -> None:
        self._gesture += not self._is_gesture
        shaping = Shaping(self.size, wanted=shaped_by)
        self._undo.push(PicturesChange(text, self._show, before, after, shaping, self._gesture))

    def _show(self, inputs: Inputs, shaping: Shaping, size: Size | None) -> None:
        """What a step of undo is done and undone with."""
        inputs = replace(inputs, conditioning_scale=self.inputs.conditioning_scale)
        is_ours = size is not None and self.size in (shaping.before, shaping.after)
        width, height = size if size is not None and is_ours else self.size
        if shaping.wanted is not None and shaping.after is None:
            self._shapings[shaping.wanted] = shaping
        self._recorded = inputs
        self._run.change(replace(self._run.settings, inputs=inputs, width=width, height=height))
        self._follow_shape()

    # Following

    def _save(self, image: Callable[[], QImage], prefix: str, place: Place | None) -> None:
        place = place or next_place(self.inputs, self._run.model)
        if place is None:
            self._refuse_pictures()
        else:
            self._reader.save(image, prefix, place)

    def _refuse_pictures(self) -> None:
        advice = "Open a model that takes pictures first: I2V, TI2V, FLF2V, VACE or Phantom."
        self.message.emit("info", f"{self._run.model.title} takes no pictures.", advice, "")

    def _look(self, wanted: Wanted) -> None:
        self._asked.add(wanted)
        self._reader.look(wanted)

    def _on_run(self) -> None:
        if self._run.model.path != self._model:
            self._model = self._run.model.path
            self._follow_model()
        known = self._shown()
        if known != self._known:
            self._known = known
            self._forget_gone()
            self._look_at_new()
            self._follow_shape()
            self.changed.emit()

    def _shown(self) -> tuple[Inputs, frozenset[str], frozenset[str], tuple[int, int]]:
        """All that the slots show of the run's state."""
        return self.inputs, self._run.model.needs, self._run.model.takes, self.size

    def _forget_gone(self) -> None:
        files = {picture.file for picture in self.inputs.pictures}
        self._looks = {wanted: look for wanted, look in self._looks.items() if wanted.file in files}
        self._asked = {wanted for wanted in self._asked if wanted.file in files}

    def _look_at_new(self) -> None:
        for place in self.places:
            picture = self.picture(place)
            wanted = Wanted(picture.file, place.frame) if picture else None
            if wanted and wanted not in self._asked:
                self._look(wanted)

    def _on_seen(self, wanted: Wanted, look: Look) -> None:
        self._looks[wanted] = look
        if look.problem:
            self._run.broken_files[wanted.file] = look.problem
        else:
            self._run.broken_files.pop(wanted.file, None)
        shaping = self._shapings.pop(wanted, None)
        if shaping is not None and self._take_shape(look):
            shaping.after = self.size
        self._follow_shape()
        self.changed.emit()

    def _on_saved(self, place: object, file: object) -> None:
        if isinstance(place, Place) and isinstance(file, Path):
            self.put(file, place)

    def _on_failed(self, _place: object, why: str) -> None:
        self.message.emit("refused", f"The picture cannot be kept: {why}.", "Free some space, try again.", "")

    # The shape of the clip

    def _leading(self) -> Look | None:
        open_to = fields_of(self._run.model)
        looks = (self.look(place) for place in _LEADING if place.field in open_to and self.picture(place))
        return next(looks, None)

    def _follow_shape(self) -> None:
        """Offer the sizes that suit the picture."""
        look = self._leading()
        self._run.follow(None if look is None else look.shape)

    def _follow_model(self) -> None:
        """Another model came with a size of its own: the picture's shape holds there, too."""
        look = self._leading()
        if look is not None:
            self._take_shape(look)

    def _take_shape(self, look: Look) -> bool:
        if look.shape is not None and look is self._leading():
            width, height = nearest(self._run.model, look.shape, self.size)
            self._run.change(replace(self._run.settings, width=width, height=height))
            return True
        return False
