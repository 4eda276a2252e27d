"""How the words of a verdict are coloured, wherever they stand."""

from engine.verdict import Word

TONES: dict[Word, str] = {
    "no measurable effect": "look",
    "weak": "secondary",
    "clear": "good",
    "overwhelming": "good",
}
