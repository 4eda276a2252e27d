"""All that the window shows, in one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog.bridge import CatalogBridge
    from ui.browser.cards import CardModel
    from ui.settings import Settings
    from ui.state.audition import Audition
    from ui.state.automation import Automation
    from ui.state.hearing import Hearing
    from ui.state.inputs import InputState
    from ui.state.live import Live
    from ui.state.lora_names import LoraNames
    from ui.state.memory import MemoryState
    from ui.state.mix import MixState
    from ui.state.recipe_desk import RecipeDesk
    from ui.state.run import RunState


@dataclass(frozen=True, slots=True)
class States:
    """All that the window shows; made in app.py."""

    run: RunState
    mix: MixState
    live: Live
    names: LoraNames
    hearing: Hearing
    automation: Automation
    audition: Audition
    cards: CardModel
    recipes: RecipeDesk
    catalog: CatalogBridge
    settings: Settings
    inputs: InputState
    memory: MemoryState
