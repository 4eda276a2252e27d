"""The pictures of one recipe as pixels of its clip's size, read when they are asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from catalog.inputs import Picture
from catalog.recipe import Recipe
from engine.errors import BadSettings
from engine.pictures import WHITE, Moment, Pixels, Size, frames, still

Check = Callable[[], None]
"""Called between the frames of a clip that is read; may raise Cancelled."""


@dataclass(frozen=True, slots=True)
class Given:
    """A whole recipe whose files are found. Reading raises PictureRefused, and whatever `check` raises."""

    recipe: Recipe
    check: Check

    @property
    def size(self) -> Size:
        """Width and height of the clip."""
        assert self.recipe.width and self.recipe.height
        return self.recipe.width, self.recipe.height

    @property
    def frames(self) -> int:
        """How many frames the clip has."""
        assert self.recipe.frames
        return self.recipe.frames

    def start(self) -> Pixels | None:
        """The start image [1, H, W, 3]; of a clip its last frame, so that one clip goes on from another."""
        return self._still(self.recipe.inputs.start_image, "last")

    def end(self) -> Pixels | None:
        """The end image [1, H, W, 3]; of a clip its first frame. Raises BadSettings for a clip of one frame."""
        found = self._still(self.recipe.inputs.end_image, "first")
        if found is not None and self.frames == 1:
            raise BadSettings("A clip of one frame has no room for an end image.")
        return found

    def references(self) -> list[Pixels]:
        """The reference images [1, H, W, 3], each whole and on white, as VACE and Phantom were trained."""
        wanted = [Path(picture.file) for picture in self.recipe.inputs.reference_images]
        return [still(path, self.size, "pad", "first", WHITE, self.check)[None] for path in wanted]

    def control(self) -> Pixels | None:
        """The control clip [F, H, W, 3] in the recipe's frames per second."""
        clip, fps = self.recipe.inputs.control_video, self.recipe.fps
        if clip is None:
            return None
        assert fps
        return frames(Path(clip.file), self.size, clip.fit, fps, self.frames, self.check)

    def _still(self, picture: Picture | None, moment: Moment) -> Pixels | None:
        if picture is None:
            return None
        return still(Path(picture.file), self.size, picture.fit, moment, check=self.check)[None]
