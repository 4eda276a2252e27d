"""What a newcomer finds: two strips on the desk and one thing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog.library import Entry
    from ui.browser.cards import CardModel
    from ui.state.mix import MixState

STRIPS = ("halo", "giant")
SENTENCE = "Press Ctrl+Enter."
ADVICE = "The demo model makes a clip from the prompt; move the faders while it does."


def lay_out(cards: CardModel, mix: MixState) -> None:
    """Put the demo's LoRAs on the desk."""
    for name in STRIPS:
        entry = next((e for e in cards.entries if _is(e, name)), None)
        if entry:
            mix.add(entry.path, entry)
    mix.undo.clear()


def _is(entry: Entry, name: str) -> bool:
    return entry.origin == "built in" and entry.name == name
