"""What somebody wants to have: a model, one way to have it, and the folder it goes into."""

from dataclasses import dataclass
from pathlib import Path

from catalog.download import Item, place
from catalog.shelf import Way


@dataclass(frozen=True, slots=True)
class Order:
    """One download. `folder` is the folder of downloads, in which every repository has its own."""

    title: str
    way: Way
    folder: Path

    @property
    def items(self) -> tuple[Item, ...]:
        """Every file and its place; HubError for a name that leads elsewhere."""
        return tuple(place(file, self.folder) for file in self.way.files)

    @property
    def parts(self) -> tuple[Path, ...]:
        """What makes the model, once it is there."""
        return tuple(self.folder / part for part in self.way.parts)

    @property
    def received(self) -> int:
        """How many bytes seem to be there, by sizes alone."""
        return sum(item.received for item in self.items)

    @property
    def is_here(self) -> bool:
        """Whether every file is there, by sizes alone."""
        return all(item.is_here for item in self.items)
