"""What a headless render says: a progress bar and sentences on stderr, JSON lines on stdout."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from catalog.computing import to_json
from catalog.coverage_summary import listed
from catalog.coverage_words import sentence, tally
from catalog.plain_text import plain
from catalog.recipe import Recipe, unknown_fields
from engine.messages import Event, MemoryPlanned, RunStarted, StepFinished
from engine.worker import Clip


class Report:
    """Turns the engine's events into words for a terminal and, if asked, for programs."""

    def __init__(self, as_json: bool, log_file: Path) -> None:
        self.log_file = log_file
        self._as_json = as_json
        self._bar: tqdm[Any] | None = None
        self._names: list[str] = []

    def begin(self, number: int, source: Path, recipe: Recipe) -> None:
        """A recipe was read and is sound."""
        self._source = source
        self._names = _distinct([use.file for use in recipe.loras])
        self._unknown = unknown_fields(recipe)
        for field in self._unknown:
            self._say(f"{source}: the field “{field}” is not known here; it is kept and changes nothing.")

    def event(self, event: Event) -> None:
        """What the session posts while it runs."""
        match event:
            case RunStarted(run=run, recipe=recipe, sigmas=sigmas, notices=notices):
                for notice in notices:
                    self._say(f"{self._source}: {notice}")
                self._bar = tqdm(total=len(sigmas), file=sys.stderr, desc=self._source.stem, unit="step")
                self._line(
                    event="started",
                    run=run,
                    recipe=str(self._source),
                    steps=len(sigmas),
                    seed=recipe.seed,
                    computing=recipe.computing and to_json(recipe.computing),
                    notices=list(notices),
                    unknown_fields=list(self._unknown),
                )
            case StepFinished():
                self._step(event)
            case MemoryPlanned(reason=reason) if reason:
                self._say(f"{self._source}: {reason}")
            case _:
                pass

    def finished(self, number: int, file: Path, clip: Clip) -> None:
        """The clip is saved."""
        self._close()
        covered = [(name, found) for name, (_, found) in zip(self._names, clip.coverage, strict=True)]
        coverage = [{"file": name, **listed(found)} for name, found in covered]
        self._line(event="finished", run=number, recipe=str(self._source), file=str(file), coverage=coverage)
        for name, found in covered:
            if (count := tally(found)).tone != "good":
                self._say(f"{name}: {sentence(count)}")
            for warning in found.warnings:
                self._say(f"{name}: {warning}")
        self._say(f"{file}")

    def failed(self, number: int, source: Path, sentence: str, advice: str) -> None:
        """A recipe did not work out; one line on stderr."""
        self._close()
        self._line(event="failed", run=number, recipe=str(source), error=sentence, advice=advice)
        self._say(f"{source}: {sentence} {advice}".rstrip())

    def cancelled(self, number: int, source: Path) -> None:
        """The user pressed Ctrl+C."""
        self._close()
        self._line(event="cancelled", run=number, recipe=str(source))
        self._say(f"{source}: cancelled")

    def _step(self, event: StepFinished) -> None:
        if self._bar is not None:
            self._bar.update()
        strengths = {self._names[int(adapter)]: strength for adapter, strength in event.strengths}
        self._line(
            event="step",
            run=event.run,
            step=event.step,
            steps=event.steps,
            sigma=event.sigma,
            expert=event.expert,
            strengths=strengths,
            seconds=round(event.seconds, 4),
        )

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _line(self, **fields: Any) -> None:
        if self._as_json:
            sys.stdout.write(json.dumps(fields) + "\n")  # ASCII, so that no encoding can fail on it
            sys.stdout.flush()

    def _say(self, sentence: str) -> None:
        sys.stderr.write(f"{plain(sentence)}\n")


def _distinct(names: Sequence[str]) -> list[str]:
    """Names with a number behind those that stand twice."""
    return [f"{n} ({names[:i].count(n) + 1})" if n in names[:i] else n for i, n in enumerate(names)]
