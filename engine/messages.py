"""Every value that crosses the bridge between the window and the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:  # values only pass through here: the window is painted before all of this is imported
    import numpy as np
    from numpy.typing import NDArray

    from catalog.coverage import Coverage
    from catalog.curve import Curve
    from catalog.models import Expert, ModelInfo
    from catalog.recipe import Recipe
    from engine.gauge import Gauge
    from engine.plan import Plan
    from engine.verdict import Verdict

Frames: TypeAlias = "NDArray[np.uint8]"
"""Read-only pictures [frames, height, width, 3], RGB."""

Stage = Literal["encoding the pictures", "encoding the prompt", "denoising", "decoding", "saving"]


@dataclass(frozen=True, slots=True)
class Strip:
    """What one adapter is played at: a strength per expert, mute and solo already worked in.

    `per_step` holds one strength per step and wins over all in a run of as many steps; a curve wins over
    its expert's strength.
    """

    adapter: str
    high: float
    low: float
    per_step: tuple[float, ...] = ()
    high_curve: Curve | None = None
    low_curve: Curve | None = None


@dataclass(frozen=True, slots=True)
class Mix:
    """All strips' strengths at one moment; replaced whole, numbered upwards."""

    revision: int = 0
    strips: tuple[Strip, ...] = ()


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A run on disk that has no clip yet: `step` of `steps` are done, the last at `time` (Unix seconds).

    `recipe` has every setting filled in, and the LoRAs by their whole paths at the strengths last played.
    """

    folder: Path
    recipe: Recipe
    step: int
    steps: int
    time: float


# Where a run begins


@dataclass(frozen=True, slots=True)
class Fresh:
    """With noise, whatever is kept."""


@dataclass(frozen=True, slots=True)
class Reuse:
    """At the first step that differs from what is kept; the clip is the one that `Fresh` makes."""


@dataclass(frozen=True, slots=True)
class Branch:
    """Before step `step` of an earlier run: its steps up to there stay, with the strengths they had.

    The settings are those of that run, whatever the recipe of the new one says.
    """

    run: int
    step: int


@dataclass(frozen=True, slots=True)
class Resume:
    """Where an unfinished run stopped, with its settings; its steps stay, with the strengths they had."""

    folder: Path


Start = Fresh | Reuse | Branch | Resume


# Events: engine → window


@dataclass(frozen=True, slots=True)
class EngineReady:
    """The engine has imported what it needs; `device` is said as to a person.

    `cannot` names what cannot be had in computing here, each with the reason: kinds of attention, “compile”.
    """

    device: str
    seconds: float
    cannot: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ModelLoaded:
    """A model is in place; adapters attached before are gone."""

    model: ModelInfo
    seconds: float


@dataclass(frozen=True, slots=True)
class AdapterAttached:
    """A LoRA file is beside the layers of the model, at strength 0 until a mix says otherwise.

    `gauge` has its own numbers, where it changes matrices.
    """

    adapter: str
    path: Path
    sha256: str
    kinds: tuple[str, ...]
    coverage: Coverage
    gauge: Gauge | None = None


@dataclass(frozen=True, slots=True)
class AdapterDetached:
    """An adapter left the model."""

    adapter: str


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run has begun; `recipe` has every setting filled in.

    `sigmas` and `experts` have one item per step. Steps before `begins_at` are not denoised again: each
    is posted at once, as a `StepFinished` that `is_reused`. `notices` are sentences on what this machine
    cannot compute as it was asked to.
    """

    run: int
    recipe: Recipe
    sigmas: tuple[float, ...]
    experts: tuple[Expert, ...]
    begins_at: int = 0
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StageChanged:
    """What a run is doing now."""

    run: int
    stage: Stage


@dataclass(frozen=True, slots=True, eq=False)
class StepFinished:
    """One denoising step is done; `step` counts from 0, `seconds` includes making the preview.

    `preview` shows the x₀ estimate (fewer pictures than the clip has, as large or smaller; none when the
    run was asked to go without); `strengths` are those applied, by adapter, from mix `mix_revision`. A
    step that `is_reused` was taken over from an earlier run: it took 0 seconds. `meters` say by adapter how
    large ‖s·ΔW x‖ was beside ‖W x‖, of those that were measured.
    """

    run: int
    step: int
    steps: int
    sigma: float
    expert: Expert
    mix_revision: int
    seconds: float
    preview: Frames
    strengths: tuple[tuple[str, float], ...]
    is_reused: bool = False
    meters: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class RunFinished:
    """The clip is decoded and saved at `file`; `recipe` makes it again (strengths of every step in it).

    `file` is None for a draft, which is not saved. `latents` are read-only float32 [1, C, F, H, W], as
    they were decoded.
    """

    run: int
    frames: Frames
    file: Path | None
    recipe: Recipe
    coverage: tuple[tuple[str, Coverage], ...]
    seconds: float
    latents: NDArray[np.float32] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class ClipUnsaved:
    """The clip is decoded but could not be saved; nothing is lost: the frames are here."""

    run: int
    frames: Frames
    recipe: Recipe
    title: str
    advice: str
    details: str


@dataclass(frozen=True, slots=True)
class MemoryPlanned:
    """Where the parts of the model are while a run works; `reason` says why when the plan had to be changed."""

    run: int
    plan: Plan
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MemoryUsed:
    """The most bytes of the device's memory that were in use during a run; 0 where that cannot be known."""

    run: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class RunCancelled:
    """A run stopped because the user asked; `unfinished` is what `Resume` goes on with, if there is anything."""

    run: int
    step: int
    unfinished: Unfinished | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """The clip of run `run` was measured against another one."""

    run: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Exported:
    """A clip was written to a file that the user named."""

    file: Path


@dataclass(frozen=True, slots=True)
class Failed:
    """Something did not work: one sentence, what to do, and details that can be copied.

    `run`, `adapter` or `file` says what it was about, where it was about one.
    """

    title: str
    advice: str = ""
    details: str = ""
    run: int | None = None
    adapter: str | None = None
    file: Path | None = None


Event = (
    EngineReady
    | ModelLoaded
    | AdapterAttached
    | AdapterDetached
    | RunStarted
    | StageChanged
    | StepFinished
    | RunFinished
    | ClipUnsaved
    | RunCancelled
    | MemoryPlanned
    | MemoryUsed
    | Exported
    | Judged
    | Failed
)


# Commands: window → engine


@dataclass(frozen=True, slots=True)
class LoadModel:
    """Load the model called `name` ("demo") or the diffusers folder at that path."""

    name: str


@dataclass(frozen=True, slots=True)
class AttachAdapter:
    """Put a LoRA file beside the layers of the loaded model, under a name of the window's choosing."""

    adapter: str
    path: Path


@dataclass(frozen=True, slots=True)
class DetachAdapter:
    """Take an adapter off the model."""

    adapter: str


@dataclass(frozen=True, slots=True)
class Export:
    """Write frames to a file; its suffix (.mp4, .webm, .gif) says how."""

    frames: Frames = field(repr=False, compare=False)
    fps: int
    recipe: Recipe
    file: Path
