"""Where the application keeps what: LoRA files, finished clips, and its own notes about them."""

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

import resources

HOME_VARIABLE = "LORA_ALCHEMY_HOME"
_NAME = "LoRA Alchemy"


@dataclass(frozen=True, slots=True)
class Folders:
    """`library` and `outputs` belong to the user; `built_in` ships with the application and is only read;
    `state` holds the database and the log. None of them need exist yet."""

    library: Path
    built_in: Path
    outputs: Path
    state: Path

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
