"""How the words of a verdict are coloured, wherever they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.verdict import Word

TONES: dict[Word, str] = {
    "no measurable effect": "look",
    "weak": "secondary",
    "clear": "good",
    "overwhelming": "good",
}
