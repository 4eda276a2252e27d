"""The run and its settings as the window shows them."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal

import resources
from catalog.errors import CatalogError
from catalog.models import ModelInfo, find_model
from catalog.recipe import Recipe
from engine.bridge import EngineBridge
from engine.messages import (
    ClipUnsaved,
    EngineReady,
    Export,
    Exported,
    Failed,
    ModelLoaded,
    RunCancelled,
    RunFinished,
    RunStarted,
    StageChanged,
    StepFinished,
)
from ui.state.clip_settings import ClipSettings, accepted, defaults_of, moved, random_seed, settings_in
from ui.state.progress import Pace, Progress
from ui.state.take import Take

Phase = Literal["idle", "loading", "queued", "running"]


class RunState(QObject):
    """Settings of the next clip, the run under way and the last finished clip.

    Widgets read the attributes and call the methods; nothing else may write. `message` carries a kind
    (info, look, refused), a sentence, advice and details.
    """

    changed = Signal()
    state_changed = Signal()
    started = Signal(object)
    step_finished = Signal(object)
    finished = Signal(object)
    take_changed = Signal()
    message = Signal(str, str, str, str)

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.model = find_model("demo")
        self.settings = accepted(defaults_of(self.model), self.model)
        self.is_seed_locked = False
        self.recent_models: tuple[str, ...] = ()
        self.device = ""
        self.current_run: int | None = None
        self.waiting: tuple[int, ...] = ()
        self.stage = ""
        self.is_cancelling = False
        self.run_started: RunStarted | None = None
        self.steps: tuple[StepFinished, ...] = ()
        self.progress: Progress | None = None
        self.take: Take | None = None
        self._pace = Pace()
        self._newest_run = 0
        self._loaded: ModelInfo | None = None
        self._loads = 0
        self._is_engine_lost = False
        self._is_seed_used = False
        self._connect()

    def _connect(self) -> None:
        bridge = self._bridge
        bridge.engine_ready.connect(self._on_engine_ready)
        bridge.model_loaded.connect(self._on_model_loaded)
        bridge.run_started.connect(self._on_run_started)
        bridge.stage_changed.connect(self._on_stage_changed)
        bridge.step_finished.connect(self._on_step_finished)
        bridge.run_finished.connect(self._on_run_finished)
        bridge.clip_unsaved.connect(self._on_clip_unsaved)
        bridge.run_cancelled.connect(self._on_run_cancelled)
        bridge.exported.connect(self._on_exported)
        bridge.failed.connect(self._on_failed)

    # What holds now

    @property
    def phase(self) -> Phase:
        """What the engine is busy with, seen from the stage."""
        if self.current_run is not None:
            return "running"
        if self.waiting:
            return "queued"
        return "loading" if self.is_loading else "idle"

    @property
    def is_loading(self) -> bool:
        """Whether the engine or a model is still on its way."""
        return not self._is_engine_lost and (self._loaded is None or self._loads > 0)

    @property
    def engine_text(self) -> str:
        """The engine in a few words."""
        if self._is_engine_lost:
            return "the engine did not start"
        if not self.device:
            return "starting the engine…"
        return f"opening {self.model.title}…" if self.is_loading else self.device

    @property
    def queue_text(self) -> str:
        """How many clips wait behind what the engine does now; nothing where none do."""
        count = len(self.waiting)
        return "" if not count else "1 clip waits" if count == 1 else f"{count} clips wait"

    @property
    def model_name(self) -> str:
        """What a recipe calls the model: "demo", or its folder."""
        return "demo" if self.model.path == resources.path("demo") else str(self.model.path)

    def recipe(self) -> Recipe:
        """The settings as a recipe; its LoRAs are the desk's to fill in."""
        own = self.settings
        return Recipe(
            model=self.model_name,
            prompt=own.prompt,
            negative_prompt=own.negative_prompt,
            width=own.width,
            height=own.height,
            frames=own.frames,
            fps=own.fps,
            steps=own.steps,
            seed=own.seed,
            guidance=own.guidance,
            shift=own.shift,
            scheduler=own.scheduler,
        )

    # Settings

    def change(self, settings: ClipSettings) -> None:
        """Take settings over, each at the nearest value that the model accepts."""
        settings = accepted(settings, self.model)
        if settings == self.settings:
            return
        self._is_seed_used &= settings.seed == self.settings.seed
        self.settings = settings
        self.changed.emit()

    def roll_seed(self) -> None:
        """Another random seed, locked or not: the user asked."""
        self.change(replace(self.settings, seed=random_seed()))

    def lock_seed(self, is_locked: bool) -> None:
        """Keep the seed from clip to clip, or let every clip have its own."""
        self.is_seed_locked = is_locked
        self.changed.emit()

    def apply_recipe(self, recipe: Recipe) -> None:
        """Put a recipe's model and settings on the stage; what it does not say is the model's default."""
        if not self._open(recipe.model):
            return
        wanted = settings_in(recipe, self.model)
        self.change(wanted)
        self._is_seed_used = False
        if self.settings != wanted:
            advice = f"{self.model.title} does not accept the values in the recipe."
            self.message.emit("look", "Some settings were changed to the nearest possible.", advice, "")

    def open_model(self, name: str) -> None:
        """Load "demo" or the diffusers folder at that path, behind what is already queued."""
        self._open(name)

    def _open(self, name: str) -> bool:
        try:
            model = find_model(name)
        except CatalogError as error:
            self.message.emit("refused", str(error), error.advice, "")
            return False
        if self._loaded is None or model.path != self.model.path:
            self._wear(model)
            self._loads += 1
            self._bridge.load_model(self.model_name)
            self.state_changed.emit()
        return True

    def _wear(self, model: ModelInfo) -> None:
        """Show a model's own settings; the first one shown twice keeps what the user set meanwhile."""
        is_other = model.path != self.model.path
        self.model = model
        if self.model_name != "demo":
            others = (name for name in self.recent_models if name != self.model_name)
            self.recent_models = (self.model_name, *others)[:8]
        settings = moved(self.settings, model) if is_other else self.settings
        self.settings = accepted(settings, model)
        self.changed.emit()

    # The run

    def generate(self) -> None:
        """Start a clip, or queue it behind the one under way."""
        if self._is_engine_lost:
            self.message.emit("refused", "There is no engine to render with.", "Start the program again.", "")
            return
        if self._is_seed_used and not self.is_seed_locked:
            self.roll_seed()
        run = self._bridge.generate(self.recipe())
        self._is_seed_used = True
        self.waiting += (run,)
        self.state_changed.emit()

    def cancel(self) -> None:
        """Stop the run under way, or drop the first one that waits."""
        if self.current_run is not None:
            self.is_cancelling = True
            self._bridge.cancel(self.current_run)
        elif self.waiting:
            first, *rest = self.waiting
            self._bridge.cancel(first)
            self.waiting = tuple(rest)
        self.state_changed.emit()

    def show_take(self, take: Take) -> None:
        """Put a finished clip on the stage."""
        self.take = take
        self.take_changed.emit()

    def export(self, file: Path) -> None:
        """Write the clip on the stage to a file."""
        if self.take is not None:
            self._bridge.export(Export(self.take.frames, self.take.fps, self.take.recipe, file))

    def _begin(self, run: int) -> bool:
        """Follow a run; False for one that was already left behind."""
        if run < self._newest_run:
            return False
        if run != self.current_run:
            self.current_run = self._newest_run = run
            self.waiting = tuple(other for other in self.waiting if other != run)
            self.stage, self.is_cancelling = "", False
            self.steps, self.progress, self.run_started = (), None, None
            self._pace = Pace()
        return True

    def _end(self, run: int) -> bool:
        """Let a run go; False for one that is not on the stage."""
        self.waiting = tuple(other for other in self.waiting if other != run)
        is_current = run == self.current_run
        if is_current:
            self.current_run, self.stage, self.is_cancelling = None, "", False
            self._newest_run = run + 1  # what still arrives of this run is late
        self.state_changed.emit()
        return is_current

    # Events of the engine

    def _on_engine_ready(self, event: EngineReady) -> None:
        self.device = event.device
        self.state_changed.emit()

    def _on_model_loaded(self, event: ModelLoaded) -> None:
        self._loaded = event.model
        self._loads = max(self._loads - 1, 0)
        if self._loads == 0:
            self._wear(event.model)
        self.state_changed.emit()

    def _on_run_started(self, event: RunStarted) -> None:
        if self._begin(event.run):
            self.run_started = event
            self.started.emit(event)
            self.state_changed.emit()

    def _on_stage_changed(self, event: StageChanged) -> None:
        if self._begin(event.run):
            self.stage = event.stage
            self.state_changed.emit()

    def _on_step_finished(self, event: StepFinished) -> None:
        if event.run == self.current_run:
            self.steps += (event,)
            self.progress = self._pace.after(event)
            self.step_finished.emit(event)

    def _on_run_finished(self, event: RunFinished) -> None:
        if self._end(event.run):
            fps = event.recipe.fps or self.model.defaults.fps
            self.show_take(Take(event.frames, fps, event.recipe, event.file))
            self.finished.emit(event)

    def _on_clip_unsaved(self, event: ClipUnsaved) -> None:
        if self._end(event.run):
            fps = event.recipe.fps or self.model.defaults.fps
            self.show_take(Take(event.frames, fps, event.recipe))
        advice = f"{event.advice} The clip is still on the stage: Export saves it elsewhere.".strip()
        self.message.emit("look", event.title, advice, event.details)

    def _on_run_cancelled(self, event: RunCancelled) -> None:
        self._end(event.run)

    def _on_exported(self, event: Exported) -> None:
        self.message.emit("info", f"Exported as {event.file.name}.", "", str(event.file))

    def _on_failed(self, event: Failed) -> None:
        if event.adapter is not None:
            return  # the desk's to say, at the strip
        if event.run is not None:
            self._end(event.run)
        elif event.file is not None:
            pass  # an export: the run and the model have no part in it
        elif not self.device:
            self._is_engine_lost, self.waiting = True, ()
            self.state_changed.emit()
        elif self._loads:
            self._loads -= 1
            if self._loaded is not None and self._loads == 0:
                self._wear(self._loaded)
            self.state_changed.emit()
        self.message.emit("refused", event.title, event.advice, event.details)
