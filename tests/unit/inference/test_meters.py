"""What a run says of its adapters, step by step, and that saying it costs the picture nothing."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

import resources
from engine.errors import Cancelled
from engine.inference.lora.meter import Meter
from engine.inference.session import WanSession
from engine.messages import Mix, Reuse, StepFinished, Strip
from tests.lora_files import lora_file
from tests.unit.inference.playing import faders, latents, render, short, steps_of


@pytest.fixture
def file(session: WanSession, tmp_path: Path) -> Path:
    return lora_file(tmp_path, "comfyui", session._loaded().experts["high"])[0]


def heard_of(step: StepFinished) -> dict[str, float]:
    return dict(step.meters)


def test_the_picture_has_the_same_bits_without_meters(
    session: WanSession, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.attach("a", file)
    measured, events = render(session, short(), faders(0.8, -0.4))
    assert all(heard_of(step)["a"] > 0 for step in steps_of(events))
    monkeypatch.setattr(Meter, "begin", lambda *_: None)
    unmeasured, events = render(session, short(), faders(0.8, -0.4))
    assert not any(step.meters for step in steps_of(events))
    assert np.array_equal(latents(measured), latents(unmeasured))


def test_the_first_step_is_linear_in_the_strength_and_dark_in_silence(
    session: WanSession, tmp_path: Path, file: Path
) -> None:
    """Only the first layer is met by the same tokens at every strength, so the file has no other."""
    first = {key: tensor for key, tensor in load_file(file).items() if "blocks.0.self_attn.q" in key}
    save_file(first, tmp_path / "first.safetensors")
    session.attach("a", tmp_path / "first.safetensors")
    found = {}
    for strength in (0.0, 0.5, 1.0, -2.0):
        _, events = render(session, short(), faders(strength, 1.0))
        found[strength] = heard_of(steps_of(events)[0])["a"]
    assert found[0.0] == 0 and found[1.0] > 0
    assert found[0.5] == pytest.approx(found[1.0] / 2) and found[-2.0] == pytest.approx(2 * found[1.0])


def test_steps_taken_over_bring_their_meters_along(session: WanSession, file: Path) -> None:
    session.attach("a", file)
    _, first = render(session, short(), faders(0.7, 0.7), run=1)
    _, again = render(session, short(), faders(0.7, 0.7), Reuse(), run=2)
    assert all(step.is_reused for step in steps_of(again))
    assert [step.meters for step in steps_of(again)] == [step.meters for step in steps_of(first)]


def test_nothing_listens_after_a_run(session: WanSession, file: Path) -> None:
    session.attach("a", file)
    experts = session._loaded().experts

    def hooks() -> int:
        return sum(len(m._forward_pre_hooks) for e in experts.values() for m in e.modules())

    before = hooks()
    with pytest.raises(Cancelled):
        render(session, short(), faders(1.0, 1.0), heard=lambda _step, live: live.cancel())
    assert hooks() == before


def test_a_placebo_is_dark_beside_what_works() -> None:
    session = WanSession("cpu")
    session.load("demo")
    files = {file.stem: file for file in (resources.path("demo") / "loras").glob("*.safetensors")}
    working, placebo = ("neon", "halo", "mono", "ring", "giant"), "ultra_detail_booster"
    for name in (*working, placebo):
        gauge = session.attach(name, files[name]).gauge
        assert gauge is not None and gauge.suggestion is None
    mix = Mix(1, tuple(Strip(name, 1.0, 1.0) for name in (*working, placebo)))
    _, events = render(session, short(width=64, height=64), mix)
    for step in steps_of(events):
        shown = heard_of(step)
        assert 20 * shown[placebo] < min(shown[name] for name in working)
