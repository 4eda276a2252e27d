"""The desk's strips and the mix they make; every change is heard at once and can be undone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from catalog.recipe import LoraUse
from engine.messages import AdapterAttached, Failed, Mix, ModelLoaded, Strip
from ui.state.strip import LIMIT, Attachment, StripState, any_solo
from ui.state.strip_groups import moved, stepped, together, without

if TYPE_CHECKING:
    from catalog.curve import Curve
    from catalog.library import Entry
    from catalog.models import Expert, ModelInfo
    from engine.bridge import EngineBridge

Strips = tuple[StripState, ...]
EXPERTS: tuple[Expert, ...] = ("high", "low")
GROUP = "group"
"""Where a recipe's LoRA says which accelerator it came with."""


class MixState(QObject):
    """Owns the strips. `changed` carries each new mix; `placed` says that strips came, went or moved;
    `strip_changed` names a strip whose strengths, buttons or attachment changed.
    """

    changed = Signal(object)
    placed = Signal()
    strip_changed = Signal(str)

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._ids = itertools.count(1)
        self._gesture = 0
        self.strips: Strips = ()
        self.mix = Mix()
        self.model: ModelInfo | None = None
        self.undo = QUndoStack(self)
        self._attachments: dict[str, Attachment] = {}
        self.last_change: dict[tuple[str, Expert], int] = {}
        self.changed.connect(bridge.set_mix)
        bridge.model_loaded.connect(self._on_model_loaded)
        bridge.adapter_attached.connect(self._on_attached)
        bridge.failed.connect(self._on_failed)

    # What there is

    def strip(self, id: str) -> StripState | None:
        """The strip called `id`, if it is on the desk."""
        return next((s for s in self.strips if s.id == id), None)

    def attachment(self, id: str) -> Attachment:
        """What the engine said about that strip's file."""
        return self._attachments.get(id, Attachment())

    @property
    def experts(self) -> tuple[Expert, ...]:
        """The experts of the loaded model; two until one is loaded."""
        return self.model.experts if self.model else EXPERTS

    def uses(self) -> tuple[LoraUse, ...]:
        """The desk as a recipe's LoRAs by their whole paths, mute and solo worked in; refused ones left out."""
        return tuple(
            _use(s, played, self._sha256(s))
            for s, played in zip(self.strips, self._played(self.strips), strict=True)
            if self.attachment(s.id).status != "refused"
        )

    def all_uses(self) -> tuple[LoraUse, ...]:
        """Every strip as it stands, for the next start: also mute, solo and curves that wait."""
        return self.uses_of(self.strips)

    def uses_of(self, strips: Sequence[StripState]) -> tuple[LoraUse, ...]:
        """Strips as they stand, on the desk or not."""
        return tuple(replace(_use(s, s, self._sha256(s)), extra=_marks(s)) for s in strips)

    # What one does

    def add(self, path: Path, entry: Entry | None = None) -> str:
        """Put a file on the desk at the strengths it asks for; returns the strip's id."""
        (strip,) = self.add_all([(path, entry)])
        return strip.id

    def add_all(self, files: Sequence[tuple[Path, Entry | None]]) -> Strips:
        """Put files on the desk, in one undo step; returns their strips."""
        added = tuple(self._fresh(path, entry) for path, entry in files)
        if added:
            what = added[0].name if len(added) == 1 else f"{len(added)} LoRAs"
            self._do(f"add {what}", (*self.strips, *added))
        return added

    def made(self, path: Path, entry: Entry | None, high: float, low: float, group: str) -> StripState:
        """A strip of a group for a file, which is yet to be put on the desk."""
        return StripState(self._new_id(), path, entry, high, low, group=group)

    def put(self, text: str, strips: Sequence[StripState]) -> None:
        """Make the desk hold exactly these strips, in one undo step called `text`."""
        if tuple(strips) != self.strips:
            self._do(text, tuple(strips))

    def remove(self, id: str) -> None:
        """Take a strip off the desk, with its group if it has one."""
        if strip := self.strip(id):
            self._do(f"remove {strip.name}", without(self.strips, strip))

    def move(self, id: str, index: int) -> None:
        """Show a strip, with its group if it has one, at another place; the picture does not depend on it."""
        if strip := self.strip(id):
            self.put(f"move {strip.name}", moved(self.strips, strip, index))

    def step(self, id: str, by: int) -> None:
        """Show a strip, with its group if it has one, one place further down (1) or up (-1)."""
        if strip := self.strip(id):
            self.put(f"move {strip.name}", stepped(self.strips, strip, by))

    def set_strength(self, id: str, expert: Expert, value: float) -> None:
        """Set a strength; what is no finite number within ±100 is ignored.

        A model with one expert has one fader, which sets both, so that a recipe means the same elsewhere.
        A fader that is moved takes over from its curve, which waits until it is followed again.
        """
        strip = self.strip(id)
        if strip is None or not math.isfinite(value) or abs(value) > LIMIT:
            return
        changed = strip.moved(self._faders_of(expert), float(value))
        self._swap(f"{strip.name} strength", changed, f"{id} {expert} {self._gesture}")

    def set_curve(self, id: str, expert: Expert, curve: Curve | None) -> None:
        """Give a fader a curve to follow from now on, or take its curve away."""
        if strip := self.strip(id):
            given = self._faders_of(expert)
            high = curve if "high" in given else strip.high_curve
            low = curve if "low" in given else strip.low_curve
            changed = replace(
                strip, high_curve=high, low_curve=low, by_hand=strip.by_hand - set(given), per_step=()
            )
            self._swap(f"{strip.name} curve", changed, f"{id} {expert} curve {self._gesture}")

    def follow_curves(self, id: str) -> None:
        """Let a strip's faders follow their curves again, if they have any."""
        strip = self.strip(id)
        if strip is not None and (strip.high_curve or strip.low_curve):
            self._swap(f"{strip.name} follow curve", replace(strip, by_hand=frozenset(), per_step=()))

    def change(self, text: str, strips: Sequence[StripState]) -> None:
        """Replace some strips by what they should be, in one undo step called `text`."""
        changed = {strip.id: strip for strip in strips}
        after = tuple(changed.get(s.id, s) for s in self.strips)
        if after != self.strips:
            self._do(text, after)

    def begin_gesture(self) -> None:
        """A drag or key press begins: its strengths, as many as they are, become one undo step."""
        self._gesture += 1

    def set_muted(self, id: str, is_muted: bool) -> None:
        """Silence a strip, with its group if it has one, or let it be heard again."""
        if strip := self.strip(id):
            self.change(
                f"mute {strip.name}", [replace(s, is_muted=is_muted) for s in together(self.strips, strip)]
            )

    def set_solo(self, id: str, is_solo: bool) -> None:
        """Let only solo strips be heard, and those of a group, which cannot be solo."""
        if (strip := self.strip(id)) and not strip.group:
            self._swap(f"solo {strip.name}", replace(strip, is_solo=is_solo))

    def load(self, uses: Sequence[tuple[LoraUse, Path, Entry | None]]) -> None:
        """Replace the desk by a recipe's LoRAs, in one undo step."""
        self._do("open recipe", self.opened(uses))

    def opened(self, uses: Sequence[tuple[LoraUse, Path, Entry | None]]) -> Strips:
        """Strips for a recipe's LoRAs, which are yet to be put on the desk."""
        return tuple(self._opened(*use) for use in uses)

    def know(self, entries: Sequence[Entry]) -> None:
        """Tell strips that were placed by path alone what the library knows about their files."""
        known = {e.path: e for e in entries}
        for strip in self.strips:
            if strip.path in known and strip.entry != known[strip.path]:
                entry = known[strip.path]
                self.strips = tuple(replace(s, entry=entry) if s.id == strip.id else s for s in self.strips)
                self.strip_changed.emit(strip.id)

    # How it is done

    def _fresh(self, path: Path, entry: Entry | None) -> StripState:
        return StripState(self._new_id(), path, entry, *first_strengths(entry, self.experts))

    def _opened(self, use: LoraUse, path: Path, entry: Entry | None) -> StripState:
        is_muted, is_solo = use.extra.get("muted") is True, use.extra.get("solo") is True
        said, group = use.extra.get("by_hand"), use.extra.get(GROUP)
        by_hand = frozenset(e for e in EXPERTS if isinstance(said, list) and e in said)
        return StripState(
            self._new_id(), path, entry, use.high, use.low, use.per_step, is_muted, is_solo,
            use.high_curve, use.low_curve, by_hand, group if isinstance(group, str) else "",
        )  # fmt: skip

    def _faders_of(self, expert: Expert) -> tuple[Expert, ...]:
        """What the fader of an expert moves: with one expert both, so that a recipe means the same elsewhere."""
        return EXPERTS if len(self.experts) == 1 else (expert,)

    def _sha256(self, strip: StripState) -> str:
        return self.attachment(strip.id).sha256 or (strip.entry.sha256 if strip.entry else "")

    def _new_id(self) -> str:
        return f"strip-{next(self._ids)}"

    def _swap(self, text: str, changed: StripState, merge: str = "") -> None:
        after = tuple(changed if s.id == changed.id else s for s in self.strips)
        if after != self.strips:
            self._do(text, after, merge)

    def _do(self, text: str, after: Strips, merge: str = "") -> None:
        self.undo.push(_Change(text, self._place, self.strips, after, merge))

    def _place(self, strips: Strips) -> None:
        """Make the desk hold exactly `strips`: attach and detach what differs, then make the mix."""
        before, self.strips = {s.id: s for s in self.strips}, strips
        after = {s.id: s for s in strips}
        for id in before.keys() - after.keys():
            self._attachments.pop(id, None)
            self._bridge.detach(id)
        for strip in strips:
            if strip.id not in before:
                self._attachments[strip.id] = Attachment()
                self._attach(strip)
        changed = [s.id for s in strips if before.get(s.id) != s]
        self._emit_mix()
        if tuple(before) != tuple(after):
            self.placed.emit()
        for id in changed:
            self.strip_changed.emit(id)

    def _attach(self, strip: StripState) -> None:
        if self.model is not None:
            self._bridge.attach(strip.id, strip.path)

    def _played(self, strips: Strips) -> tuple[Strip, ...]:
        is_any_solo = any_solo(strips)
        return tuple(s.played(is_any_solo) for s in strips)

    def _emit_mix(self) -> None:
        before = {strip.adapter: strip for strip in self.mix.strips}
        heard = tuple(s for s in self.strips if self.attachment(s.id).status != "refused")
        self.mix = Mix(self.mix.revision + 1, self._played(heard))
        for strip in self.mix.strips:
            old = before.get(strip.adapter)
            if old is None or (old.high, old.high_curve) != (strip.high, strip.high_curve):
                self.last_change[strip.adapter, "high"] = self.mix.revision
            if old is None or (old.low, old.low_curve) != (strip.low, strip.low_curve):
                self.last_change[strip.adapter, "low"] = self.mix.revision
        self.changed.emit(self.mix)

    # What the engine says

    def _on_model_loaded(self, event: ModelLoaded) -> None:
        self.model = event.model
        for strip in self.strips:
            self._attachments[strip.id] = Attachment()
            self._attach(strip)
        self._emit_mix()
        for strip in self.strips:
            self.strip_changed.emit(strip.id)

    def _on_attached(self, event: AdapterAttached) -> None:
        if self.strip(event.adapter):
            said = Attachment("attached", event.coverage, "", event.sha256, event.gauge)
            self._attachments[event.adapter] = said
            self.strip_changed.emit(event.adapter)

    def _on_failed(self, event: Failed) -> None:
        if event.adapter and self.strip(event.adapter):
            self._attachments[event.adapter] = Attachment("refused", reason=event.title)
            self._emit_mix()
            self.strip_changed.emit(event.adapter)


class _Change(QUndoCommand):
    """One step of undo: the strips before and after. Steps with the same `merge` become one."""

    def __init__(
        self, text: str, place: Callable[[Strips], None], before: Strips, after: Strips, merge: str
    ) -> None:
        super().__init__(text)
        self._place, self._before, self._after, self._merge = place, before, after, merge

    def redo(self) -> None:
        self._place(self._after)

    def undo(self) -> None:
        self._place(self._before)

    def id(self) -> int:
        return 1 if self._merge else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Change) or other._merge != self._merge:
            return False
        self._after = other._after
        return True


def first_strengths(entry: Entry | None, experts: tuple[Expert, ...]) -> tuple[float, float]:
    """As trained on both experts, or only on the one that the file was made for where the model has two."""
    hint = entry.identity.expert_hint if entry and entry.identity and len(experts) == 2 else None
    return (1.0 if hint != "low" else 0.0), (1.0 if hint != "high" else 0.0)


def _use(strip: StripState, played: StripState | Strip, sha256: str) -> LoraUse:
    curves = played.high_curve, played.low_curve
    return LoraUse(str(strip.path), played.high, played.low, played.per_step, sha256, {}, *curves)


def _marks(strip: StripState) -> dict[str, object]:
    """What a strip remembers beside what it plays; a recipe keeps such fields without knowing them."""
    marks = {
        "muted": strip.is_muted,
        "solo": strip.is_solo,
        "by_hand": sorted(strip.by_hand),
        GROUP: strip.group,
    }
    return {name: value for name, value in marks.items() if value}
