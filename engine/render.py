"""Recipes → clips without a window: the same session, driven straight."""

import logging
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from catalog.errors import ExpectedError, UnreadableFile
from catalog.folders import Folders, chosen, default_folders
from catalog.input_files import located
from catalog.log import log_to
from catalog.models import ModelInfo, find_model
from catalog.recipe import Recipe
from catalog.recipe_files import complete, load, locate
from engine.errors import Cancelled
from engine.last_resort import CANCELLED, OUR_FAULT
from engine.live import LiveControls
from engine.messages import Mix, Strip
from engine.plan import Choice as MemoryChoice
from engine.recording import Recording
from engine.render_targets import Job, job, save_latents
from engine.report import Report
from engine.worker import Clip, Generate, Session

log = logging.getLogger(__name__)

DONE, BAD_INPUT = 0, 2
_WORST_FIRST = (OUR_FAULT, BAD_INPUT, CANCELLED, DONE)


def render(
    sources: Sequence[Path],
    out: Path,
    latents: Path | None,
    device: str,
    as_json: bool,
    memory: MemoryChoice = "auto",
) -> int:
    """Render every recipe; one that fails does not stop the others. Returns the worst exit code."""
    folders = chosen(default_folders())
    log_file = log_to(folders.state)
    report = Report(as_json, log_file)
    codes = []
    live = LiveControls()
    with interrupts(live):
        renderer = _Renderer(folders, device, report, live, memory)
        for index in range(len(sources)):
            codes.append(_guarded(renderer, index, sources, out, latents, report))
            if codes[-1] == CANCELLED:
                break
    return min(codes, key=_WORST_FIRST.index)


def _guarded(
    renderer: "_Renderer",
    index: int,
    sources: Sequence[Path],
    out: Path,
    latents: Path | None,
    report: Report,
) -> int:
    """One recipe, with whatever goes wrong turned into an exit code."""
    number, source = index + 1, sources[index]
    try:
        renderer.render(number, job(index, sources, out, latents))
    except Cancelled:
        report.cancelled(number, source)
        return CANCELLED
    except ExpectedError as error:
        report.failed(number, source, str(error), error.advice)
        return BAD_INPUT
    except Exception as error:
        log.error("unexpected failure while rendering %s", source, exc_info=error)
        report.failed(
            number, source, f"{type(error).__name__}: {error}", f"Details are in {report.log_file}."
        )
        return OUR_FAULT
    return DONE


class _Renderer:
    """Keeps one session, so that several recipes load a model once."""

    def __init__(
        self, folders: Folders, device: str, report: Report, live: LiveControls, memory: MemoryChoice
    ) -> None:
        self._folders = folders
        self._memory = memory
        self._device = device
        self._report = report
        self._live = live
        self._session: Session | None = None
        self._model: ModelInfo | None = None
        self._attached = 0

    def render(self, number: int, job: Job) -> None:
        """One recipe, start to end. Input is judged before torch is loaded."""
        self._live.check()
        recipe = load(job.source)
        model = find_model(recipe.model, job.source.resolve().parent)
        recipe = complete(recipe, model)
        recipe = replace(recipe, inputs=located(recipe.inputs, job.source))
        files = [locate(use, job.source, self._folders) for use in recipe.loras]
        self._report.begin(number, job.source, recipe)
        session = self._ready(model)
        mix = self._attach(session, recipe, files)
        live = self._live
        live.mix = mix
        record = partial(Recording, job.out)
        clip = session.run(
            Generate(number, recipe, live, has_previews=False, memory=self._memory, record=record),
            self._report.event,
        )
        self._report.finished(number, _saved(clip, job), clip)

    def _ready(self, model: ModelInfo) -> Session:
        if self._session is None:
            from engine.inference.session import open_session

            self._session = open_session(self._device)  # type: ignore[arg-type]
        if self._model is None or self._model.path != model.path:
            self._model = self._session.load("demo" if model.name == "demo" else str(model.path))
            self._attached = 0
        return self._session

    def _attach(self, session: Session, recipe: Recipe, files: Sequence[Path]) -> Mix:
        for index in range(self._attached):
            session.detach(str(index))
        self._attached = 0
        for index, file in enumerate(files):
            try:
                session.attach(str(index), file)
            except UnreadableFile as error:
                raise UnreadableFile(f"“{file.name}”: {error}", error.advice) from error
            self._attached = index + 1
        strips = (
            Strip(str(i), use.high, use.low, use.per_step, use.high_curve, use.low_curve)
            for i, use in enumerate(recipe.loras)
        )
        return Mix(1, tuple(strips))


def _saved(clip: Clip, job: Job) -> Path:
    """The clip's file, whole, and its latents in theirs; neither is lost where the other fails."""
    assert clip.recording and clip.latents is not None
    try:
        return clip.recording.finish()
    finally:
        if job.latents is not None:
            save_latents(clip.latents, job.latents)


@contextmanager
def interrupts(live: LiveControls) -> Iterator[None]:
    """Ctrl+C, or a system that ends programs, asks the run to stop at its next block: nothing is left half done."""
    wanted = (signal.SIGINT, signal.SIGTERM)
    before = {each: signal.signal(each, lambda *_: live.cancel()) for each in wanted}
    try:
        yield
    finally:
        for each in wanted:
            signal.signal(each, before[each])
