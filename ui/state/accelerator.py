"""The accelerator on the desk: its LoRAs as a group of strips, its settings, and the way back from both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from catalog.recipe import Recipe
from ui.browser.cards import CardModel
from ui.state.clip_settings import defaults_of
from ui.state.mix import MixState
from ui.state.run import RunState

if TYPE_CHECKING:
    from catalog.accelerators import Accelerator, Part
    from catalog.library import Entry
    from ui.state.strip import StripState

_FIELDS = ("steps", "guidance", "scheduler", "shift", "sigmas", "boundary", "boundary_step")


class AcceleratorState(QObject):
    """Puts profiles on the desk and takes them back. The settings follow the group of strips, whatever brings
    it or takes it away, so that undo has both.

    `choice_wanted` carries a profile and the candidates for each of its parts where a person has to choose;
    `message` carries a kind, a sentence, advice and details.
    """

    changed = Signal()
    choice_wanted = Signal(object, object)
    message = Signal(str, str, str, str)

    def __init__(self, run: RunState, mix: MixState, cards: CardModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._run, self._mix, self._cards = run, mix, cards
        self._seen = ""
        self._model = run.model.path
        self._before: tuple[str, Mapping[str, Any]] = ("", {})
        self._displaced: list[StripState] = []
        mix.placed.connect(self._follow)
        run.changed.connect(self._follow_model)

    @property
    def profiles(self) -> tuple[Accelerator, ...]:
        """Those that are known for the model on the stage."""
        from catalog.accelerators import made_for

        return made_for(self._run.model)

    @property
    def active(self) -> str:
        """The id of the profile whose strips are on the desk or whose settings are in use; "" for none."""
        return self._on_desk or self._run.settings.accelerator or ""

    @property
    def _on_desk(self) -> str:
        return next((strip.group for strip in self._mix.strips if strip.group), "")

    def candidates(self, profile: Accelerator) -> tuple[tuple[Entry, ...], ...]:
        """The files in the library that each part of a profile may be."""
        from catalog.accelerators import candidates

        return tuple(candidates(part, self._cards.entries, self._run.model) for part in profile.loras)

    # Doing

    def begin(self, profile: Accelerator) -> None:
        """Put a profile to use, ask which files are meant, or say which are missing."""
        from catalog.accelerators import is_certain

        found = self.candidates(profile)
        if not all(found):
            self._say_missing(
                profile, [part for part, files in zip(profile.loras, found, strict=True) if not files]
            )
        elif all(map(is_certain, found)):
            self.put(profile, [files[0] for files in found])
        else:
            self.choice_wanted.emit(profile, found)

    def put(self, profile: Accelerator, files: Sequence[Entry]) -> None:
        """Put a profile's LoRAs on the desk, above the others and instead of another profile's.

        Strips of the same files step aside until it is taken back.
        """
        paths = [file.path for file in files]
        there = {strip.path: strip for strip in self._mix.strips if strip.group == profile.id}
        group = [
            replace(there[file.path], high=part.high, low=part.low)
            if file.path in there
            else self._mix.made(file.path, file, part.high, part.low, profile.id)
            for part, file in zip(profile.loras, files, strict=True)
        ]
        others = self._others()
        self._displaced = [*self._displaced, *(strip for strip in others if strip.path in paths)]
        kept = [strip for strip in others if strip.path not in paths]  # or they would count twice
        self._mix.put(f"accelerate: {profile.title}", [*group, *kept])
        self._set(profile.id)

    def take_back(self) -> None:
        """Take the group off the desk; settings that are still the profile's become what they were before."""
        if self._on_desk:
            self._mix.put("take the accelerator back", [*self._others(), *self._displaced])
        elif self._run.settings.accelerator:
            self._restore(self._run.settings.accelerator)

    def _others(self) -> list[StripState]:
        return [strip for strip in self._mix.strips if not strip.group]

    # From session to session

    def before(self) -> Recipe | None:
        """What taking back would bring, as a recipe of those settings and of the strips that stepped aside."""
        id, settings = self._before
        if not id or id != self.active:
            return None
        return Recipe(**settings, accelerator=id, loras=self._mix.uses_of(self._displaced))

    def recall(self, before: Recipe, displaced: Sequence[StripState]) -> None:
        """Know again what was before the accelerator that is on the desk or in use."""
        if before.accelerator and before.accelerator == self.active:
            own = defaults_of(self._run.model)
            said = {name: getattr(before, name) for name in _FIELDS}
            always = {
                name: getattr(own, name) for name in ("steps", "guidance", "shift") if said[name] is None
            }
            self._before = before.accelerator, said | always
            self._displaced = list(displaced)

    # Following

    def _follow(self) -> None:
        """Let the settings be those of the group that came, or those before the group that went."""
        seen, self._seen = self._seen, self._on_desk
        if seen and seen != self._seen and seen == self._run.settings.accelerator:
            self._restore(seen)
        if self._seen and self._seen not in (seen, self._run.settings.accelerator):
            self._set(self._seen)
        if not self._seen:
            self._displaced = []
        self.changed.emit()

    def _follow_model(self) -> None:
        """Keep the group on the desk of another model only if its profile is for that one too."""
        is_other, self._model = self._run.model.path != self._model, self._run.model.path
        on_desk = self._on_desk
        if is_other and on_desk and self._wanted(on_desk):
            self._set(on_desk)
        elif is_other and on_desk:
            self._mix.put("take the accelerator off", self._others())
            sentence = "The accelerator's LoRAs are off the desk."
            self.message.emit("info", sentence, f"They are not for {self._run.model.title}.", "")
        self.changed.emit()

    def _set(self, id: str) -> None:
        wanted = self._wanted(id)
        now = self._run.settings
        if wanted and now.accelerator != id:
            self._before = id, {name: getattr(now, name) for name in _FIELDS}
        if wanted:
            self._run.change(replace(now, **wanted, accelerator=id))

    def _restore(self, id: str) -> None:
        now, wanted = self._run.settings, self._wanted(id)
        own = defaults_of(self._run.model)
        before = self._before[1] if self._before[0] == id else {name: getattr(own, name) for name in _FIELDS}
        untouched = {name: before[name] for name, value in wanted.items() if getattr(now, name) == value}
        self._run.change(replace(now, **untouched, accelerator=None))

    def _wanted(self, id: str) -> Mapping[str, Any]:
        """What a profile sets; what it does not say is the model's own."""
        from catalog.accelerators import accelerator

        profile = accelerator(id)
        if profile is None or self._run.model.entry not in profile.models:
            return {}
        own = self._run.model.defaults.shift
        return {name: getattr(profile, name) for name in _FIELDS} | {
            "shift": own if profile.shift is None else profile.shift
        }

    # Saying

    def _say_missing(self, profile: Accelerator, missing: Sequence[Part]) -> None:
        files = " and ".join(f"“{part.file}”" for part in missing)
        are = "is not in the library" if len(missing) == 1 else "are not in the library"
        places = dict.fromkeys(part.place for part in missing)
        advice = (
            f"Published on Hugging Face in {' and '.join(places)}. "
            "Download, drop on the window, then choose the profile again."
        )
        details = [f"{part.file}\n{part.page}" for part in missing] + self._unfit(missing)
        self.message.emit("look", f"{profile.title} needs {files}, which {are}.", advice, "\n".join(details))

    def _unfit(self, missing: Sequence[Part]) -> list[str]:
        """Why files that are called right are not taken."""
        from catalog.identify import misfit

        return [
            f"“{entry.path.name}” is there but cannot be used: it is {misfit(entry.identity, self._run.model)}."
            if entry.identity is not None
            else f"“{entry.path.name}” is there but cannot be read: {entry.problem}"
            for part in missing
            for entry in self._cards.entries
            if part.is_named(entry.path)
        ]
