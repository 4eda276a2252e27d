"""The model and the settings of the next clip as the window shows them."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

import resources
from catalog.computing import Computing
from catalog.errors import CatalogError
from catalog.models import ModelInfo, find_model
from catalog.recipe import Recipe
from engine.bridge import EngineBridge
from engine.messages import EngineReady, Failed, ModelLoaded
from ui.state.clip_settings import ClipSettings, accepted, defaults_of, moved, random_seed, settings_in
from ui.state.clip_sizes import Size, offers
from ui.state.input_places import SPOKEN, lacking, pictures_of, taken
from ui.state.model_reader import ModelReader

MOST_RECENT = 8


def _nothing() -> None:
    pass


class ClipState(QObject):
    """What the next clip is made with, and whether there is a model to make it.

    Widgets read the attributes and call the methods; nothing else may write. `message` carries a kind
    (info, look, refused), a sentence, advice and details.
    """

    changed = Signal()
    state_changed = Signal()
    message = Signal(str, str, str, str)

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.model = find_model("demo")
        self.settings = accepted(defaults_of(self.model), self.model)
        self.is_seed_locked = False
        self.recent_models: tuple[str, ...] = ()
        self.device = ""
        self.computing = Computing()
        self.cannot: Mapping[str, str] = {}
        """What of computing this machine cannot do, with the reasons; known when the engine is there."""
        self.shape: Size | None = None
        """Of the picture that the clip follows, in pixels, where there is one and it was seen."""
        self.broken_files: dict[str, str] = {}
        """Pictures and clips that cannot be read, with the reasons."""
        self._is_seed_used = False
        self._loaded: ModelInfo | None = None
        self._loads = self._readings = 0
        self._reader = ModelReader(self)
        self._is_engine_lost = self._is_moving = False
        self.is_settling = False
        """Whether another engine has come and does not have its model yet."""
        bridge.engine_ready.connect(self._on_engine_ready)
        bridge.model_loaded.connect(self._on_model_loaded)

    # What holds now

    @property
    def is_loading(self) -> bool:
        """Whether the engine or a model is still on its way."""
        is_under_way = self._is_moving or self._loads + self._readings > 0
        return not self._is_engine_lost and (self._loaded is None or is_under_way)

    @property
    def is_ready(self) -> bool:
        """Whether there is a model to render with."""
        return not self._is_engine_lost and not self.is_loading

    @property
    def is_engine_lost(self) -> bool:
        """Whether no engine could be started."""
        return self._is_engine_lost

    @property
    def engine_text(self) -> str:
        """The engine in a few words."""
        if self._is_engine_lost:
            return "the engine did not start"
        if not self.device:
            return "starting the engine…"
        if self._is_moving:
            return "changing the device…"
        if self._readings:
            return "looking at the model…"
        return f"opening {self.model.title}…" if self.is_loading else self.device

    @property
    def model_name(self) -> str:
        """What a recipe calls the model: "demo", or its folder."""
        return "demo" if self.model.path == resources.path("demo") else str(self.model.path)

    def recipe(self) -> Recipe:
        """The settings as a recipe; its LoRAs are the desk's to fill in."""
        said = {field.name: getattr(self.settings, field.name) for field in fields(self.settings)}
        said["inputs"] = taken(self.settings.inputs, self.model)
        computing = None if self.computing == Computing() else self.computing
        return Recipe(model=self.model_name, computing=computing, **said)

    @property
    def sizes(self) -> tuple[Size, ...]:
        """The sizes on offer for the next clip."""
        return offers(self.model, self.shape)

    @property
    def hindrance(self) -> tuple[str, str]:
        """Why no clip can be made with these inputs, and what to do; nothing where one can."""
        given = self.settings.inputs
        if lacks := lacking(given, self.model):
            things = " and ".join(SPOKEN[field] for field in lacks)
            one = "one on the window, or click its slot" if len(lacks) == 1 else "them on their slots"
            return f"{self.model.title} needs {things}.", f"Drop {one}."
        for picture in pictures_of(given, self.model):
            if why := self.broken_files.get(picture.file):
                return f"“{Path(picture.file).name}” {why}.", "Replace it in its slot, or remove it there."
        return "", ""

    # Settings

    def follow(self, shape: Size | None) -> None:
        """Offer sizes in the shape of a picture, or only the model's own."""
        if shape != self.shape:
            self.shape = shape
            self.changed.emit()

    def change(self, settings: ClipSettings) -> None:
        """Take settings over, each at the nearest value that the model accepts."""
        settings = accepted(settings, self.model)
        if settings == self.settings:
            return
        self._is_seed_used &= settings.seed == self.settings.seed
        self.settings = settings
        self.changed.emit()

    def compute_with(self, computing: Computing) -> None:
        """How clips are computed from now on."""
        if computing != self.computing:
            self.computing = computing
            self.changed.emit()

    def roll_seed(self) -> None:
        """Another random seed, locked or not: the user asked."""
        self.change(replace(self.settings, seed=random_seed()))

    def take_seed(self, seed: int) -> None:
        """The next clip's seed, which it keeps even where a clip was made with it before."""
        self.change(replace(self.settings, seed=seed))
        self._is_seed_used = False

    def lock_seed(self, is_locked: bool) -> None:
        """Keep the seed from clip to clip, or let every clip have its own."""
        self.is_seed_locked = is_locked
        self.changed.emit()

    def apply_recipe(
        self, recipe: Recipe, then: Callable[[], None] = _nothing, otherwise: Callable[[], None] = _nothing
    ) -> None:
        """Put a recipe's model and settings on the stage, then do `then`; what it does not say is the model's
        default. That is at once for the model on show, and when its files have been looked at for another.

        When there is no such model a message says so, nothing has changed, and `otherwise` is done.
        """

        def apply() -> None:
            self._apply(recipe)
            then()

        self._open(recipe.model, apply, otherwise)

    def _apply(self, recipe: Recipe) -> None:
        wanted = settings_in(recipe, self.model)
        self.change(wanted)
        self._is_seed_used = False
        if self.settings != wanted:
            advice = f"{self.model.title} does not accept the values in the recipe."
            self.message.emit("look", "Some settings were changed to the nearest possible.", advice, "")
        if recipe.computing is not None and recipe.computing.named != self.computing.named:
            self.compute_with(recipe.computing)
            advice = "Clips are now made as it was. OK in the settings goes back to your own way."
            self.message.emit(
                "info", "This clip was computed in another way than your settings say.", advice, ""
            )

    # The model

    def open_model(self, name: str) -> None:
        """Load "demo" or the model at that path, behind what is already queued."""
        self._open(name, _nothing, _nothing)

    def _open(self, name: str, then: Callable[[], None], otherwise: Callable[[], None]) -> None:
        if name == self.model_name and not self._readings:
            self._enter(self.model)
            then()
            return
        self._readings += 1
        self.state_changed.emit()
        self._reader.read(name, partial(self._on_read, then, otherwise))

    def _on_read(
        self, then: Callable[[], None], otherwise: Callable[[], None], found: ModelInfo | CatalogError
    ) -> None:
        self._readings -= 1
        if isinstance(found, ModelInfo):
            self._enter(found)
            then()
        else:
            self.message.emit("refused", str(found), found.advice, "")
            otherwise()
        self.state_changed.emit()

    def _enter(self, model: ModelInfo) -> None:
        if self._loaded is None or model.path != self.model.path:
            self._wear(model)
            self._load()
            self.state_changed.emit()

    def _load(self) -> None:
        """Load the model that is shown; where another engine is about to come, that one does it."""
        if not self._is_moving:
            self._loads += 1
            self._bridge.load_model(self.model_name)

    # Another engine

    def leave_engine(self) -> None:
        """Another engine is to come: nothing is rendered or loaded until it is there, or stays away."""
        self._is_moving, self._is_engine_lost = True, False
        self.state_changed.emit()

    def enter_engine(self) -> None:
        """The other engine is there, with nothing in it."""
        self._is_moving, self._loaded, self._loads = False, None, 0
        self._is_engine_lost = False
        self.is_settling = True
        self._load()
        self.state_changed.emit()

    def keep_engine(self) -> None:
        """There is to be no other engine after all."""
        self._is_moving, self._is_engine_lost = False, not self.device
        if self._loaded is not None and self._loaded.path != self.model.path:
            self._load()  # what was asked for meanwhile
        self.state_changed.emit()

    def _wear(self, model: ModelInfo) -> None:
        """Show a model's own settings; the first one shown twice keeps what the user set meanwhile."""
        is_other = model.path != self.model.path
        self.model = model
        if self.model_name != "demo":
            self._list(self.model_name)
        settings = moved(self.settings, model) if is_other else self.settings
        self.settings = accepted(settings, model)
        self.changed.emit()

    def _list(self, name: str) -> None:
        others = (other for other in self.recent_models if other != name)
        self.recent_models = (name, *others)[:MOST_RECENT]

    def list_model(self, name: str) -> None:
        """Put a model on the list of those that were opened, first."""
        self._list(name)
        self.changed.emit()

    def forget_model(self, name: str) -> None:
        """Take a model off the list of those that were opened."""
        if name in self.recent_models:
            self.recent_models = tuple(other for other in self.recent_models if other != name)
            self.changed.emit()

    def _on_engine_ready(self, event: EngineReady) -> None:
        self.device, self.cannot = event.device, dict(event.cannot)
        self.state_changed.emit()

    def _on_model_loaded(self, event: ModelLoaded) -> None:
        self._loaded, self.is_settling = event.model, False
        self._loads = max(self._loads - 1, 0)
        if self._loads == 0:
            self._wear(event.model)
        self.state_changed.emit()

    def _on_load_failed(self, event: Failed) -> None:
        """The engine did not start, or a model did not load: the one before stays."""
        if not self.device:
            self._is_engine_lost = True
        elif self._loads:
            self._loads -= 1
            if self._loaded is not None and self._loads == 0:
                self._wear(self._loaded)
        self.state_changed.emit()
