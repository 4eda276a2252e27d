"""Strips play what Wan2GP's multipliers say, step for step, and can be written as such."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.curve import Curve, Point
from catalog.models import Expert, find_model
from catalog.multipliers import BadMultipliers, NotExpressible, Phases, per_step, read
from catalog.planned_axis import planned
from catalog.sampling import Sampling
from catalog.sigma_axis import SigmaAxis
from engine.automation import strength
from ui.state.strip import StripState
from ui.state.wan2gp import copied, pasted, switch_threshold

BOTH: tuple[Expert, ...] = ("high", "low")
DEMO = find_model("demo")
AXIS = planned(DEMO, Sampling(20, 3.0))
STRIP = StripState("a", Path("a.safetensors"), by_hand=frozenset({"low"}), per_step=(1.0,) * 20)


def strips(count: int) -> list[StripState]:
    return [replace(STRIP, id=str(number)) for number in range(count)]


def heard(strip: StripState, axis: SigmaAxis = AXIS) -> tuple[float, ...]:
    played = strip.played(is_any_solo=False)
    return tuple(strength(played, expert, step, axis.sigmas) for step, expert in enumerate(axis.experts))


NUMBERS = st.sampled_from(["0", "1", "0.5", "-0.25", "1e-1", "2"])
LISTS = st.lists(NUMBERS, min_size=1, max_size=9).map(",".join)
ENTRIES = st.one_of(LISTS, st.tuples(LISTS, LISTS).map(";".join))


@given(
    st.lists(ENTRIES, max_size=4), st.integers(1, 40), st.sampled_from([1.0, 3.0, 12.0]), st.integers(1, 4)
)
def test_strips_play_what_the_text_says_and_write_it_again(
    entries: list[str], steps: int, shift: float, count: int
) -> None:
    text, axis = " ".join(entries), planned(DEMO, Sampling(steps, shift))
    made = pasted(text, strips(count), axis, BOTH)
    wanted = [per_step(e, steps, (axis.border, steps)) for e in read(text, count, 2)]
    assert [heard(strip, axis) for strip in made] == wanted
    again = pasted(copied(made, axis), strips(count), axis, BOTH)
    assert [heard(strip, axis) for strip in again] == wanted


def test_what_stays_is_a_fader_and_what_changes_is_a_curve() -> None:
    high, low, both = pasted("1;0 0;0.8 0.5,1;0.3", strips(3), AXIS, BOTH)
    assert (high.high, high.low, high.high_curve, high.low_curve) == (1, 0, None, None)
    assert (low.high, low.low) == (0, 0.8) and low.by_hand == frozenset() and low.per_step == ()
    assert both.high_curve is not None and both.low_curve is None and both.low == 0.3


def test_three_phases_are_two_of_the_high_noise_expert() -> None:
    axis = planned(DEMO, Sampling(8, 3.0, "euler"))
    lightning = pasted("0;1;0 0;0;1", strips(2), axis, BOTH)
    first = next(step for step, sigma in enumerate(axis.sigmas) if sigma <= 0.965)
    assert 0 < first < axis.border < 8
    assert heard(lightning[0], axis) == (0,) * first + (1,) * (axis.border - first) + (0,) * (8 - axis.border)
    assert heard(lightning[1], axis) == (0,) * axis.border + (1,) * (8 - axis.border)
    (padded, _) = pasted("1;0 0;0;1", strips(2), axis, BOTH)  # the first of two is repeated
    assert heard(padded, axis) == (1,) * axis.border + (0,) * (8 - axis.border)


def test_one_expert_has_one_phase() -> None:
    axis = SigmaAxis(AXIS.sigmas, ("high",) * 20)
    (one,) = pasted("1,0", strips(1), axis, ("high",))
    assert one.high_curve == one.low_curve is not None
    assert heard(one, axis) == (1,) * 10 + (0,) * 10
    with pytest.raises(BadMultipliers, match="2 phases"):
        pasted("1;0", strips(1), axis, ("high",))


def test_a_phase_without_steps_still_sets_its_fader() -> None:
    axis = planned(DEMO, Sampling(2, 100.0))
    assert axis.steps_of("low") == ()
    (strip,) = pasted("1;0.25,0.5", strips(1), axis, BOTH)
    assert (strip.high, strip.low) == (1, 0.25)


def test_a_line_is_written_step_by_step_as_it_is_heard() -> None:
    rise = replace(strips(1)[0], per_step=(), high_curve=Curve((Point(1.0, 0.0), Point(0.9, 1.0))))
    muted = replace(rise, id="b", is_muted=True)
    text = copied([rise, muted], AXIS)
    first, second = text.split(" ")
    values = [float(value) for value in first.split(";")[0].split(",")]
    assert rise.high_curve is not None
    assert values == pytest.approx([rise.high_curve.at(s) for s in AXIS.sigmas[: AXIS.border]], abs=5e-5)
    assert all(a <= b for a, b in pairwise(values)) and second == "0"


@pytest.mark.parametrize("shift", [1.0, 3.0, 5.0, 12.0])
def test_the_threshold_lets_wan2gp_change_experts_at_the_same_step(shift: float) -> None:
    for steps in range(2, 60):
        axis = planned(DEMO, Sampling(steps, shift))
        threshold = switch_threshold(axis)
        assert threshold is not None
        timesteps = [int(sigma * 1000) for sigma in axis.sigmas]  # whole numbers, as in Wan2GP
        assert Phases(2, 1, (threshold,)).borders(timesteps) == (axis.border, steps)
    assert switch_threshold(SigmaAxis((1.0,), ("high",))) is None


def test_an_empty_desk_has_no_multipliers() -> None:
    with pytest.raises(NotExpressible, match="no strip"):
        copied([], AXIS)
