"""The only engine file on both threads: calls in, signals out."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from catalog.recipe import Recipe
from engine import runs
from engine.live import LiveControls
from engine.messages import (
    AdapterAttached,
    AdapterDetached,
    AttachAdapter,
    ClipUnsaved,
    DetachAdapter,
    EngineReady,
    Event,
    Export,
    Exported,
    Failed,
    Judged,
    LoadModel,
    MemoryPlanned,
    MemoryUsed,
    Mix,
    ModelLoaded,
    Reuse,
    RunCancelled,
    RunFinished,
    RunStarted,
    StageChanged,
    Start,
    StepFinished,
    Unfinished,
)
from engine.takeover import opened_after, tidy, told
from engine.worker import Generate, Record, Session, Worker, failed

if TYPE_CHECKING:
    from engine.plan import Choice as MemoryChoice

Opener = Callable[[], Session]
BUDGET = 2 << 30
_REUSE = Reuse()


class EngineBridge(QObject):
    """The window's side of the engine: imperative calls, and one signal per kind of event.

    Every call returns at once. Signals arrive on the thread that owns the bridge. `open_session` runs
    on the engine thread and is the one place where torch gets imported (tests pass a fake); `record` begins,
    on that thread, the file of a clip in the output folder; what is kept of runs that have no clip yet goes
    under `runs_folder`, and nowhere when that is None.
    """

    engine_ready = Signal(object)
    engine_kept = Signal(object)
    """Failed: the session that `move` asked for cannot be had, and the one before goes on."""
    model_loaded = Signal(object)
    adapter_attached = Signal(object)
    adapter_detached = Signal(object)
    run_started = Signal(object)
    stage_changed = Signal(object)
    step_finished = Signal(object)
    run_finished = Signal(object)
    clip_unsaved = Signal(object)
    run_cancelled = Signal(object)
    memory_planned = Signal(object)
    memory_used = Signal(object)
    exported = Signal(object)
    judged = Signal(object)
    failed = Signal(object)
    apart = Signal(object)
    """Whatever happens in a run of `render_apart`; no other signal tells of it."""

    _posted = Signal(object)
    _next_said = Signal(object)

    def __init__(
        self,
        open_session: Opener,
        record: Record,
        parent: QObject | None = None,
        runs_folder: Path | None = None,
    ) -> None:
        super().__init__(parent)
        self._signals = {
            EngineReady: self.engine_ready,
            ModelLoaded: self.model_loaded,
            AdapterAttached: self.adapter_attached,
            AdapterDetached: self.adapter_detached,
            RunStarted: self.run_started,
            StageChanged: self.stage_changed,
            StepFinished: self.step_finished,
            RunFinished: self.run_finished,
            ClipUnsaved: self.clip_unsaved,
            RunCancelled: self.run_cancelled,
            MemoryPlanned: self.memory_planned,
            MemoryUsed: self.memory_used,
            Exported: self.exported,
            Judged: self.judged,
            Failed: self.failed,
        }
        self._posted.connect(self._dispatch, Qt.ConnectionType.QueuedConnection)
        self._next_said.connect(self._on_next_said, Qt.ConnectionType.QueuedConnection)
        self._next: Worker | None = None
        self._worker = Worker(open_session, self._posted.emit)
        self._record = record
        self._runs = itertools.count(1)
        self._mix = Mix()
        self._queued: dict[int, Generate] = {}
        self._apart: dict[int, Generate] = {}
        self._runs_folder = runs_folder
        self.budget = BUDGET
        """Bytes of host memory for the steps of recent runs; read when a run is queued."""
        self.memory: MemoryChoice = "auto"
        """The mode of memory for runs to come."""

    def start(self) -> None:
        """Start the engine thread; it posts `EngineReady` when torch is in."""
        self._worker.start()

    def move(self, open_session: Opener) -> None:
        """Go on with another session on a thread of its own, when the one before has done what it was asked.

        Answers `engine_ready`, after which no model is loaded and nothing is attached; or `engine_kept`, and
        nothing has changed.
        """
        for command in self._apart.values():
            command.live.cancel()
        opener = partial(opened_after, self._worker, open_session)
        self._next = Worker(opener, told(self._next_said.emit, self._posted.emit))
        self._next.start()

    def load_model(self, name: str) -> None:
        """Load "demo" or the diffusers folder at that path; answers `model_loaded` or `failed`."""
        self._worker.send(LoadModel(name))

    def attach(self, adapter: str, path: Path) -> None:
        """Attach a LoRA file under the id `adapter`; answers `adapter_attached` or `failed(adapter=…)`."""
        self._worker.send(AttachAdapter(adapter, path))

    def detach(self, adapter: str) -> None:
        """Take an adapter off; answers `adapter_detached`."""
        self._worker.send(DetachAdapter(adapter))

    def set_mix(self, mix: Mix) -> None:
        """The newest strengths: heard at the next step of a run under way, and by runs to come."""
        self._mix = mix
        for command in self._queued.values():
            command.live.mix = mix

    def generate(self, recipe: Recipe, start: Start = _REUSE, is_draft: bool = False) -> int:
        """Queue a run with these settings and the mix as it stands; returns the run's id.

        The recipe's `loras` are not read: what is attached and set by `set_mix` plays. A draft is neither
        saved nor kept on disk for later.
        """
        run = next(self._runs)
        command = Generate(
            run,
            recipe,
            LiveControls(self._mix),
            start=start,
            budget=self.budget,
            folder=runs.new_folder(self._runs_folder) if self._runs_folder and not is_draft else None,
            memory=self.memory,
            record=None if is_draft else self._record,
        )
        self._queued[run] = command
        self._worker.send(command)
        return run

    def render_apart(self, recipe: Recipe, mix: Mix) -> int:
        """Queue a draft beside the window's own runs, played with `mix` whatever the desk says.

        It reuses kept steps, and its own are kept for others. Returns its id, for `cancel`; its events
        come by `apart` alone.
        """
        run = next(self._runs)
        live, budget, memory = LiveControls(mix), self.budget, self.memory
        command = Generate(run, recipe, live, start=_REUSE, budget=budget, memory=memory)
        self._apart[run] = command
        self._worker.send(command)
        return run

    def unfinished(self) -> tuple[Unfinished, ...]:
        """The runs on disk that `Resume` can go on with, newest first, without those queued or under way."""
        if self._runs_folder is None:
            return ()
        busy = {command.folder for command in self._queued.values()}
        return tuple(run for run in runs.unfinished(self._runs_folder) if run.folder not in busy)

    def discard(self, unfinished: Unfinished) -> None:
        """Forget an unfinished run."""
        runs.remove(unfinished.folder)

    def cancel(self, run: int) -> None:
        """Stop a run, or keep a queued one from starting; answers `run_cancelled`."""
        if command := self._queued.get(run) or self._apart.get(run):
            command.live.cancel()

    def export(self, request: Export) -> None:
        """Write a clip to a file, on a thread of its own so that a run is not in its way."""
        threading.Thread(target=self._export, args=(request,), name="export").start()

    def judge(self, played: RunFinished, muted: RunFinished, nudged: RunFinished | None) -> None:
        """Measure two clips against each other (see `engine.comparison`), on a thread of its own.

        Answers `judged` or `failed`, with the run of `played`.
        """
        threading.Thread(target=self._judge, args=(played, muted, nudged), name="judge").start()

    def stop(self, timeout: float = 10.0) -> bool:
        """Cancel what runs and end the engine thread; False when it is still inside a kernel."""
        for command in (*self._queued.values(), *self._apart.values()):
            command.live.cancel()
        self._worker.forget()
        has_ended = self._worker.stop(timeout)
        return has_ended if self._next is None else self._next.stop(timeout) and has_ended

    def _export(self, request: Export) -> None:
        try:
            from engine.video import save  # beside the window's start: no clip is there yet

            save(request.file, request.frames, request.fps, request.recipe)
        except Exception as error:  # noqa: BLE001 - the thread's boundary: somebody waits for an answer
            self._posted.emit(replace(failed(error, None), file=request.file))
        else:
            self._posted.emit(Exported(request.file))

    def _judge(self, played: RunFinished, muted: RunFinished, nudged: RunFinished | None) -> None:
        try:
            from engine.comparison import Rendered, verdict  # numpy, which the window does not wait for

            one, other = (Rendered(clip.frames, clip.latents) for clip in (played, muted))
            noise = Rendered(nudged.frames, nudged.latents) if nudged else None
            judged = Judged(played.run, verdict(one, other, noise))
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            self._posted.emit(replace(failed(error, None), run=played.run))
        else:
            self._posted.emit(judged)

    def _on_next_said(self, event: EngineReady | Failed) -> None:
        coming, self._next = self._next, None
        if coming is None or isinstance(event, Failed):
            self.engine_kept.emit(event)
            return
        self._worker = coming
        tidy()
        for run in (*self._queued, *self._apart):  # asked of the one before when it was already leaving
            self._dispatch(RunCancelled(run, 0))
        self.engine_ready.emit(event)

    def _dispatch(self, event: Event) -> None:
        run = getattr(event, "run", None)
        signal = self.apart if run in self._apart else self._signals[type(event)]
        if run is not None and isinstance(event, RunFinished | RunCancelled | ClipUnsaved | Failed):
            self._queued.pop(run, None)
            self._apart.pop(run, None)
        signal.emit(event)
