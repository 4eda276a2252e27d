"""Where the application keeps what: LoRA files, finished clips, and its own notes about them."""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import platformdirs

import resources

HOME_VARIABLE = "LORA_ALCHEMY_HOME"
_NAME = "LoRA Alchemy"
_CHOSEN = "folders.json"
_CHOICES = ("library", "outputs", "downloads")


@dataclass(frozen=True, slots=True)
class Folders:
    """`library` and `outputs` belong to the user; `built_in` ships with the application and is only read;
    `state` holds the database and the log; models are downloaded into `downloads`, where one was chosen. None
    of them need exist yet."""

    library: Path
    built_in: Path
    outputs: Path
    state: Path
    downloads: Path | None = None

    @property
    def database(self) -> Path:
        """The catalog's database file."""
        return self.state / "catalog.sqlite"

    @property
    def models(self) -> Path:
        """The descriptions of models made of single files (.wanmodel.json)."""
        return self.state / "models"

    @property
    def runs(self) -> Path:
        """What is kept of runs that have no clip yet, so that they can be continued."""
        return self.state / "runs"


def default_folders() -> Folders:
    """The places this system has for such things, or all under $LORA_ALCHEMY_HOME when that is set."""
    built_in = resources.path("demo") / "loras"
    home = os.environ.get(HOME_VARIABLE)
    if home:
        root = Path(home).expanduser().absolute()
        return Folders(root / "loras", built_in, root / "outputs", root / "state")
    data = platformdirs.user_data_path(_NAME, appauthor=False)
    state = platformdirs.user_state_path(_NAME, appauthor=False)
    return Folders(data / "loras", built_in, platformdirs.user_videos_path() / _NAME, state)


def chosen(folders: Folders) -> Folders:
    """The same with the library and the outputs that the user has chosen; what cannot be read was not chosen."""
    try:
        said = json.loads((folders.state / _CHOSEN).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return folders
    paths = {name: _path(said.get(name)) for name in _CHOICES} if isinstance(said, dict) else {}
    return replace(folders, **{name: path for name, path in paths.items() if path is not None})


def choose(folders: Folders) -> None:
    """Write down which library, outputs and downloads the user has chosen. Raises OSError."""
    values = {name: str(path) for name in _CHOICES if (path := getattr(folders, name))}
    folders.state.mkdir(parents=True, exist_ok=True)
    part = folders.state / f"{_CHOSEN}.part"
    part.write_text(json.dumps(values, indent=2), "utf-8")
    part.replace(folders.state / _CHOSEN)


def _path(value: object) -> Path | None:
    """The path in a text, if it leads to the same place from everywhere."""
    is_one = isinstance(value, str) and "\0" not in value and Path(value).is_absolute()
    return Path(str(value)) if is_one else None
