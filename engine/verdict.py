"""What a LoRA is worth in a clip: the clip with it and the clip without, measured against the noise.

Two things are measured, each as a root mean square (RMS) over everything there is of it:

- *frames*: in levels of 0 to 255. Their floor is 0.41 levels, what rounding to 8 bits alone makes of two
  clips that are the same (√2 · 1/√12).
- *latents*: in their own units. Their floor is what rounding these very latents to bfloat16, the coarsest
  numbers that a Wan is run in, does to the two of them.

The same run twice is bit for bit the same here, so repeating it would measure no noise. What does is a run
that differs by less than anybody plays: by `NUDGE` of the strength, the finest step of a fader at 1.00. On
coarse arithmetic such a step is lost in the rounding, which a long run can blow up to a picture that differs
here and there for no reason; a LoRA that changes no more than that has no measurable effect. It is a lower
bound: a smaller nudge may flip fewer roundings than a mute does. The floor of each measure is the greater of
its two numbers.

A change below `MEASURABLE` floors in frames *or* latents is none. Above, its size decides: its share of the
clips' own contrast, their standard deviation. Two clips that have nothing in common have a share of about
1.4 (√2). The smaller word of frames and latents counts: what only one of them shows is not claimed.

Measured on the demo model, 12 steps: its placebo changes pictures by 0.006 levels; *mono* by 2 to 5 at 0.1 (a
share of 0.03 to 0.15) and by 38 to 51 at 1.0 (0.9 to 1.2).
"""

from dataclasses import dataclass
from typing import Literal

Word = Literal["no measurable effect", "weak", "clear", "overwhelming"]
WORDS: tuple[Word, ...] = ("no measurable effect", "weak", "clear", "overwhelming")

NUDGE = 0.01
"""The control is played stronger by this part."""
MEASURABLE = 3.0
"""Floors that a change must reach, as three standard deviations do for a scatter."""
CLEAR, OVERWHELMING = 0.1, 0.7
"""Shares of the contrast: a tenth is seen at once side by side; from half of what unrelated clips have on
(√2 / 2), more is different than the same."""


@dataclass(frozen=True, slots=True)
class Change:
    """How far two arrays are apart: RMS, the floor in the same unit, and the share of their contrast."""

    rms: float
    floor: float
    share: float

    @property
    def floors(self) -> float:
        """How many noise floors the change is high; 0 where there is none."""
        return self.rms / self.floor if self.rms else 0.0

    @property
    def word(self) -> Word:
        """What this change alone would be called."""
        if not self.floors >= MEASURABLE:  # nor where the latents are no numbers
            return "no measurable effect"
        return "weak" if self.share < CLEAR else "clear" if self.share < OVERWHELMING else "overwhelming"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A word, and the changes of frames (in levels) and latents that it rests on."""

    frames: Change
    latents: Change | None = None

    @property
    def word(self) -> Word:
        """The smaller word of frames and latents."""
        return min((each.word for each in (self.frames, self.latents) if each), key=WORDS.index)

    @property
    def number(self) -> float:
        """Noise floors that the pictures are apart."""
        return self.frames.floors

    @property
    def sentence(self) -> str:
        """The number, for a person."""
        if self.is_same:
            return "The two clips are the same, bit for bit."
        return f"{_times(self.number)} the noise: {_figure(self.frames.rms)} of 255 levels."

    @property
    def explanation(self) -> str:
        """How it was measured, in a few lines."""
        frames, latents = self.frames, self.latents
        of_latents = (
            f"Latents: {latents.share:.1%} of their contrast, {_times(latents.floors)} the noise floor.\n"
            if latents is not None
            else ""
        )
        return (
            f"Pictures: {_figure(frames.rms)} of 255 levels (RMS), {frames.share:.0%} of their contrast, with a"
            f" noise floor of {frames.floor:.2g}.\n{of_latents}"
            "The noise floor is what rounding hides or what 1 % of the strength changes, whichever is more.\n"
            f"Measurable from {MEASURABLE:g} floors; clear from {CLEAR:.0%} of the contrast, overwhelming from"
            f" {OVERWHELMING:.0%}."
        )

    @property
    def is_same(self) -> bool:
        """Whether nothing at all differs."""
        return not self.frames.rms and not (self.latents and self.latents.rms)


def _times(number: float) -> str:
    return f"{number:.0f} times" if number >= 10 else f"{number:.2g} times"


def _figure(number: float) -> str:
    return f"{number:.1f}" if number >= 1 else f"{number:.2g}"
