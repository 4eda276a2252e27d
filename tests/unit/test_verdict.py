"""The verdict of an audition keeps its laws: nothing from nothing, more from more, and no favourites."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.comparison import Rendered, verdict
from engine.verdict import MEASURABLE, WORDS, Verdict

SHAPE, LATENT = (5, 8, 8, 3), (1, 4, 2, 4, 4)
RANDOM = np.random.default_rng(1)
NOISE = RANDOM.normal(size=SHAPE)
LATENTS = RANDOM.normal(size=LATENT).astype(np.float32)
CLIP = np.clip(128 + 40 * RANDOM.normal(size=SHAPE), 0, 255).astype(np.uint8)
PLAYED = Rendered(CLIP, LATENTS)

frames = arrays(np.uint8, SHAPE)
latents = arrays(np.float32, LATENT, elements=st.floats(-8, 8, width=32))
clips = st.builds(Rendered, frames, latents)


def changed(by: float, of_latents: float | None = None) -> Rendered:
    """The clip with a change of that size in levels, and in the latents of a hundredth as much."""
    moved = np.clip(CLIP + by * NOISE, 0, 255).round().astype(np.uint8)
    share = by / 40 if of_latents is None else of_latents
    return Rendered(moved, LATENTS + np.float32(share) * LATENTS[..., ::-1])


@given(clips)
def test_a_clip_has_no_effect_on_itself(clip: Rendered) -> None:
    said = verdict(clip, clip)
    assert said.word == "no measurable effect" and said.number == 0 and said.is_same
    assert "bit for bit" in said.sentence


@given(clips, clips)
def test_the_order_makes_no_difference(a: Rendered, b: Rendered) -> None:
    one, other = verdict(a, b), verdict(b, a)
    assert one.word == other.word and one.number == pytest.approx(other.number)
    assert one.latents and other.latents and one.latents.share == pytest.approx(other.latents.share)


@given(st.lists(st.floats(0, 200), min_size=2, max_size=6))
def test_a_greater_change_has_no_smaller_word(sizes: list[float]) -> None:
    said = [verdict(PLAYED, changed(size)) for size in sorted(sizes)]
    places = [WORDS.index(each.word) for each in said]
    assert places == sorted(places)
    assert [round(each.frames.rms, 1) for each in said] == sorted(round(each.frames.rms, 1) for each in said)


@pytest.mark.parametrize(
    ("size", "word"), [(0.6, "no measurable effect"), (3, "weak"), (15, "clear"), (150, "overwhelming")]
)
def test_every_word_has_its_size(size: float, word: str) -> None:
    assert verdict(PLAYED, changed(size)).word == word


@given(clips, clips, clips)
def test_noise_never_raises_a_verdict(a: Rendered, b: Rendered, nudged: Rendered) -> None:
    quiet, noisy = verdict(a, b), verdict(a, b, nudged)
    assert WORDS.index(noisy.word) <= WORDS.index(quiet.word) and noisy.number <= quiet.number


def test_what_the_noise_does_too_is_no_effect() -> None:
    assert verdict(PLAYED, changed(15)).word == "clear"
    assert verdict(PLAYED, changed(15), changed(-8)).word == "no measurable effect"
    assert verdict(PLAYED, changed(15), changed(0.1)).word == "clear"


def test_frames_and_latents_must_agree() -> None:
    assert verdict(PLAYED, changed(150, of_latents=0.0)).word == "no measurable effect"
    assert verdict(PLAYED, changed(0.0, of_latents=2.0)).word == "no measurable effect"
    assert verdict(PLAYED, changed(150, of_latents=0.05)).word == "weak"


def test_pictures_alone_are_judged_too() -> None:
    said = verdict(Rendered(CLIP), Rendered(changed(150).frames))
    assert said.word == "overwhelming" and "Latents" not in said.explanation


def test_the_number_is_behind_the_words() -> None:
    said = verdict(PLAYED, changed(15))
    assert said.number > MEASURABLE and f"{said.number:.0f} times" in said.sentence
    assert f"{said.frames.rms:.1f} of 255" in said.sentence and said.sentence.endswith(".")


def test_a_flat_clip_is_judged_too() -> None:
    flat = [Rendered(np.full(SHAPE, value, np.uint8)) for value in (7, 7, 8, 90)]
    assert [verdict(flat[0], each).word for each in flat] == ["no measurable effect"] * 3 + ["overwhelming"]


def test_latents_that_are_no_numbers_prove_nothing() -> None:
    broken = Rendered(changed(150).frames, np.full(LATENT, np.nan, np.float32))
    assert verdict(PLAYED, broken).word == "no measurable effect"


def test_long_clips_are_measured_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    whole: Verdict = verdict(PLAYED, changed(15))
    monkeypatch.setattr("engine.comparison._BLOCK", 7)
    pieces = verdict(PLAYED, changed(15))
    assert pieces.word == whole.word and pieces.number == pytest.approx(whole.number)
