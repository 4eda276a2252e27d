"""The engine thread: takes commands in order, runs them in the session, posts what happened."""

from __future__ import annotations

import logging
import queue
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, assert_never

from catalog.errors import ExpectedError
from engine import runs
from engine.errors import Cancelled, EngineError
from engine.messages import (
    AdapterAttached,
    AdapterDetached,
    AttachAdapter,
    ClipUnsaved,
    DetachAdapter,
    EngineReady,
    Event,
    Failed,
    Frames,
    Fresh,
    LoadModel,
    ModelLoaded,
    RunCancelled,
    RunFinished,
    StageChanged,
    Start,
)

if TYPE_CHECKING:  # the window is painted before numpy is there
    import numpy as np
    from numpy.typing import NDArray

    from catalog.coverage import Coverage
    from catalog.models import ModelInfo
    from catalog.recipe import Recipe
    from engine.live import LiveControls
    from engine.plan import Choice as MemoryChoice

log = logging.getLogger(__name__)

Post = Callable[[Event], None]
_FRESH = Fresh()


class Recording(Protocol):
    """A clip's file that grows while the clip is decoded. Either `finish` or `abandon` has to be called."""

    def add(self, frames: Frames) -> None:
        """The next pictures, which nobody may change any more; returns at once and never fails."""

    def finish(self) -> Path:
        """The file, whole; raises EncodeFailed."""

    def abandon(self) -> None:
        """Leave nothing behind."""


Record = Callable[["Recipe", tuple[int, int, int]], Recording]
"""Begins the file of a clip with this recipe, of so many frames, so high and so wide."""


@dataclass(frozen=True, slots=True)
class Generate:
    """Make a clip: the settings, and the cell in which its strengths may change.

    Without previews the steps' pictures are empty, which saves decoding what nobody looks at. Up to
    `budget` bytes of host memory may hold steps of this run and of earlier ones; the last step is also
    kept in `folder`, if given, until the clip is saved. `memory` is the mode of memory. The clip is saved by
    `record`; without it, as with a draft, it is not saved.
    """

    run: int
    recipe: Recipe
    live: LiveControls
    has_previews: bool = True
    start: Start = _FRESH
    budget: int = 0
    folder: Path | None = None
    memory: MemoryChoice = "auto"
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """End the thread."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """What a run produced: pictures, and the recipe that makes them again.

    `recipe` names files by their whole paths; `latents` are float32 [1, C, F, H, W] in diffusers' space;
    `recording` has all of the frames and is still to be finished.
    """

    frames: Frames
    recipe: Recipe
    latents: NDArray[np.float32] | None = None
    coverage: tuple[tuple[str, Coverage], ...] = ()
    recording: Recording | None = None


class Session(Protocol):
    """What the engine thread asks of the part that holds torch; tests put a fake here."""

    device: str
    cannot: tuple[tuple[str, str], ...]

    def load(self, name: str) -> ModelInfo:
        """Load a model; on failure the one before stays."""

    def attach(self, adapter: str, path: Path) -> AdapterAttached:
        """Attach a LoRA file; on failure nothing has changed."""

    def detach(self, adapter: str) -> None:
        """Take an adapter off; unknown ones are ignored."""

    def run(self, command: Generate, post: Post) -> Clip:
        """Denoise and decode, posting progress; raises `Cancelled` when the live cell says so."""


Command = LoadModel | AttachAdapter | DetachAdapter | Generate | Stop


class Worker:
    """One plain thread that owns the session. `send` and `stop` may be called from any thread."""

    def __init__(self, open_session: Callable[[], Session], post: Post) -> None:
        self._open_session = open_session
        self._post = post
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self.run, name="engine", daemon=True)
        self._steps = 0

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def send(self, command: Command) -> None:
        """Queue a command; returns at once."""
        self._commands.put(command)

    def forget(self) -> None:
        """Drop the commands that wait."""
        with suppress(queue.Empty):
            while True:
                self._commands.get_nowait()

    def stop(self, timeout: float) -> bool:
        """Ask the thread to end after the commands it was sent; whether it did within `timeout` seconds."""
        if not self._thread.is_alive():
            return True
        self._commands.put(Stop())
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def run(self) -> None:
        """The thread's body, and the one place where any failure becomes a message."""
        begun = time.perf_counter()
        try:
            session = self._open_session()
        except Exception as error:  # noqa: BLE001 - the boundary: the window must learn why there is no engine
            self._post(failed(error, None))
            return
        self._post(EngineReady(session.device, time.perf_counter() - begun, session.cannot))
        while not isinstance(command := self._commands.get(), Stop):
            try:
                self._perform(session, command)
            except Exception as error:  # noqa: BLE001 - the boundary
                self._post(failed(error, command))

    def _perform(
        self, session: Session, command: LoadModel | AttachAdapter | DetachAdapter | Generate
    ) -> None:
        match command:
            case LoadModel(name=name):
                begun = time.perf_counter()
                self._post(ModelLoaded(session.load(name), time.perf_counter() - begun))
            case AttachAdapter(adapter=adapter, path=path):
                self._post(session.attach(adapter, path))
            case DetachAdapter(adapter=adapter):
                session.detach(adapter)
                self._post(AdapterDetached(adapter))
            case Generate():
                self._generate(session, command)
            case _:
                assert_never(command)

    def _generate(self, session: Session, command: Generate) -> None:
        begun, run = time.perf_counter(), command.run
        try:
            command.live.check()
            clip = session.run(command, self._post)
        except Cancelled as stopped:
            kept = runs.read(command.folder) if command.folder else None
            self._post(RunCancelled(run, stopped.step, kept))
            return
        try:
            file = self._keep(command, clip)
        except (EngineError, OSError) as error:
            why = failed(error, command)
            self._post(ClipUnsaved(run, clip.frames, clip.recipe, why.title, why.advice, why.details))
            return
        seconds = time.perf_counter() - begun
        if clip.latents is not None:
            clip.latents.flags.writeable = False
        self._post(RunFinished(run, clip.frames, file, clip.recipe, clip.coverage, seconds, clip.latents))

    def _keep(self, command: Generate, clip: Clip) -> Path | None:
        """Save a clip, after which nothing of its run need be kept; None for one that is not to be saved."""
        if clip.recording is None:
            return None
        self._post(StageChanged(command.run, "saving"))
        file = clip.recording.finish()
        if command.folder:
            runs.remove(command.folder)
        return file


def failed(error: Exception, command: Command | None) -> Failed:
    """The message for a failure; an unexpected one is also logged, once, with its traceback."""
    details = "".join(traceback.format_exception(error))
    run = command.run if isinstance(command, Generate) else None
    adapter = command.adapter if isinstance(command, AttachAdapter | DetachAdapter) else None
    if isinstance(error, ExpectedError):
        return Failed(str(error), error.advice, details, run, adapter)
    log.error("unexpected failure in %s", type(command).__name__, exc_info=error)
    advice = "This is our fault. Copy the details into a report; your files and settings are untouched."
    return Failed(f"The engine stumbled: {error or type(error).__name__}", advice, details, run, adapter)
