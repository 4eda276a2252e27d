"""What of a model is where while it works, and how many bytes that takes: worked out before anything is moved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from catalog.models import Expert
from engine.host_memory import Memory
from engine.model_sizes import Blocks, ModelSizes, Transformer

Mode = Literal["resident", "balanced", "low"]
Choice = Literal["auto", "resident", "balanced", "low"]
MODES: tuple[Mode, ...] = get_args(Mode)
"""From the one that needs the most memory to the one that needs the least."""
PhaseName = Literal["encode pictures", "encode", "denoise high", "denoise low", "decode"]

_FLOAT32 = 4
_MARGIN = 16  # one part of so many stays free, for what is not counted
_TEXT_TOKENS, _TEXT_WIDTH = 512, 65_536
_VAE_FRAMES = 4
_ENCODING, _DECODING = {1: 9.5, 2: 11.5}, {1: 13.0, 2: 21.5}
"""By `vae_patch`: how many answers of its widest layer, of four frames each, a VAE holds at once, most of
them because the next frames need them. Counted on its real shapes."""
_HOST_CLIPS = 3  # a clip that is seen, and its two halves for VACE
_TILE = 256  # pixels of a side, as diffusers' VAE has it
SEEING_TILE = 416  # pixels of a side with what lies around it (conditions/tiles.py)
_PASSES, _KEPT = 2, 2


@dataclass(frozen=True, slots=True)
class Work:
    """One clip in pixels and frames, the bytes of the adapters that lie beside each expert, and how many
    reference images lie beside its frames, each as one more frame of latents.

    `sees` pictures that are encoded, `compiles` its blocks, `caches` what a step's blocks answered.
    """

    width: int
    height: int
    frames: int
    adapters: Mapping[Expert, int] = field(default_factory=dict)
    references: int = 0
    sees: bool = False
    compiles: bool = False
    caches: bool = False


@dataclass(frozen=True, slots=True)
class Phase:
    """What one part of a run takes on the device, in bytes: weights with adapters, and what is computed."""

    name: PhaseName
    weights: int
    activations: int

    @property
    def nbytes(self) -> int:
        """Both together."""
        return self.weights + self.activations


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a model is while it works on one clip.

    resident: every part stays on the device. balanced: parts take turns; `staying` says how many blocks of
    an expert stay on the device for as long as it plays, the others are streamed. low: all are streamed. The
    VAE always works latent frame by latent frame, in tiles only where one would not fit: `is_tiled` of a
    decode, `sees_tiled` of pictures that are encoded.
    """

    mode: Mode
    phases: tuple[Phase, ...]
    staying: tuple[tuple[Expert, int], ...]
    memory: Memory
    is_tiled: bool = False
    sees_tiled: bool = False

    @property
    def needs(self) -> int:
        """The bytes of the phase that takes the most."""
        return max(phase.nbytes for phase in self.phases)

    @property
    def fits(self) -> bool:
        """Whether that is free."""
        return self.needs <= usable(self.memory)

    @property
    def keeps_text_encoder(self) -> bool:
        """Whether the text encoder stays on the device; else it leaves when the prompt is encoded."""
        return self.mode == "resident"


def plan(sizes: ModelSizes, work: Work, memory: Memory, device: str, choice: Choice = "auto") -> Plan:
    """The plan for one clip. Left to itself (auto) the first mode that fits, or the lowest."""
    planner = _Planner(sizes, work, memory, device)
    if choice != "auto":
        return planner.plan(choice)
    return next((made for made in map(planner.plan, MODES) if made.fits), planner.plan("low"))


def lower(mode: Mode) -> Mode | None:
    """The next mode that needs less; None below the last."""
    place = MODES.index(mode) + 1
    return MODES[place] if place < len(MODES) else None


def usable(memory: Memory) -> int:
    """What of the free memory a plan may fill."""
    return memory.free - memory.free // _MARGIN


def denoising(sizes: Transformer, tokens: int, item: int, expands_timesteps: bool = False) -> int:
    """Bytes that one block computes at a time.

    Five tensors as large as the residual stream, that one among them, and the larger of: three in float32, for
    a norm with its modulation; the feed-forward's answers before and behind its activation. TI2V has a
    modulation for every token as well. Counted on real shapes.
    """
    stream = tokens * sizes.width
    norm, feed_forward = 3 * stream * _FLOAT32, 2 * tokens * sizes.ffn * item
    modulation = 6 * stream * (item + _FLOAT32) if expands_timesteps else 0
    return 5 * stream * item + max(norm, feed_forward) + modulation


def decoding(sizes: ModelSizes, width: int, height: int, frames: int) -> int:
    """Bytes of decoding one latent frame, and the finished pictures (RGB) of all."""
    held = _DECODING[sizes.vae_patch] * sizes.vae_width
    return _of_frames(sizes, width, height, held) + width * height * 3 * frames


def encoding(sizes: ModelSizes, width: int, height: int) -> int:
    """Bytes of encoding what becomes one latent frame."""
    return _of_frames(sizes, width, height, _ENCODING[sizes.vae_patch] * sizes.vae_width_in)


def _of_frames(sizes: ModelSizes, width: int, height: int, channels: float) -> int:
    return round(width * height // sizes.vae_patch**2 * channels * _VAE_FRAMES * _FLOAT32)


class _Planner:
    """The three plans for one clip on one machine."""

    def __init__(self, sizes: ModelSizes, work: Work, memory: Memory, device: str) -> None:
        self._sizes, self._work, self._memory = sizes, work, memory
        self._is_host = device == "cpu"
        spatial = 8 * sizes.vae_patch
        # what every Wan does: 4 frames to one of latents, 2 × 2 cells to a token
        self._tokens = (
            ((work.frames - 1) // 4 + 1 + work.references)
            * (work.width // spatial // 2)
            * (work.height // spatial // 2)
        )

    def plan(self, mode: Mode) -> Plan:
        """The plan of one mode, whether it fits or not."""
        staying = {expert: self._staying(expert, mode) for expert in self._sizes.experts}
        phases = [self._encode(mode), *(self._denoise(e, mode, staying[e]) for e in staying)]
        see, sees_tiled = self._see(mode)
        decode, is_tiled = self._decode(mode)
        counts = tuple(staying.items())
        return Plan(mode, (*see, *phases, decode), counts, self._memory, is_tiled, sees_tiled)

    def _staying(self, expert: Expert, mode: Mode) -> int:
        """How many blocks stay while an expert plays."""
        count = self._sizes.experts[expert].count
        if mode != "balanced":
            return count if mode == "resident" else 0
        fitting = (
            n for n in range(count, 0, -1) if self._denoise(expert, mode, n).nbytes <= usable(self._memory)
        )
        return next(fitting, 1)

    def _see(self, mode: Mode) -> tuple[tuple[Phase, ...], bool]:
        work, sizes = self._work, self._sizes
        if not work.sees:
            return (), False
        weights = self._all() if mode == "resident" else sizes.vae + sizes.image_encoder + self._resting()
        clips = _HOST_CLIPS * work.width * work.height * 3 * _FLOAT32 * work.frames if self._is_host else 0
        active = encoding(sizes, work.width, work.height) + clips
        is_tiled = mode != "resident" and weights + active > usable(self._memory)
        if is_tiled:
            sides = min(work.width, SEEING_TILE), min(work.height, SEEING_TILE)
            active = encoding(sizes, *sides) + clips
        return (Phase("encode pictures", weights, active),), is_tiled

    def _encode(self, mode: Mode) -> Phase:
        text = self._sizes.text_encoder
        # its table of words is read row by row
        staying = text.count if mode == "resident" else 0
        always = self._sizes.vae + self._sizes.image_encoder
        weights = self._all() if mode == "resident" else self._streamed(text, 0) + always
        return Phase("encode", weights, self._text() + self._made_whole(text, staying))

    def _denoise(self, expert: Expert, mode: Mode, staying: int) -> Phase:
        sizes = self._sizes.experts[expert]
        active = denoising(sizes, self._tokens, self._sizes.item, self._sizes.expands_timesteps)
        active += self._made_whole(sizes, staying) + self._composed(sizes) + self._cached(sizes)
        name: PhaseName = "denoise high" if expert == "high" else "denoise low"
        if mode == "resident":
            return Phase(name, self._all(), active)
        blocks = staying * sizes.block.computed + self._streamed(sizes, staying)
        always = self._sizes.vae + self._sizes.image_encoder + sizes.rest.computed
        return Phase(name, always + blocks + self._adapters(expert, staying), active)

    def _decode(self, mode: Mode) -> tuple[Phase, bool]:
        work, sizes = self._work, self._sizes
        weights = self._all() if mode == "resident" else sizes.vae + sizes.image_encoder + self._resting()
        active = decoding(sizes, work.width, work.height, work.frames)
        is_tiled = mode != "resident" and weights + active > usable(self._memory)
        if is_tiled:
            sides = min(work.width, _TILE), min(work.height, _TILE)
            pictures = work.width * work.height * 3 * _FLOAT32 * work.frames
            active = min(active, decoding(sizes, *sides, 0) + 2 * pictures)
        return Phase("decode", weights, active), is_tiled

    def _all(self) -> int:
        """Every weight and adapter at once."""
        sizes, text = self._sizes, self._sizes.text_encoder
        weights = sum(
            part.rest.computed + part.count * part.block.computed for part in sizes.experts.values()
        )
        weights += text.count * text.block.computed + sizes.vae + sizes.image_encoder
        return weights + sum(self._work.adapters.values())

    def _streamed(self, sizes: Blocks, staying: int) -> int:
        """The blocks that are here for a moment: the one at work, and on another device the next one."""
        if self._is_host:
            return min(sizes.block.stored, sizes.block.computed) if staying < sizes.count else 0
        return min(2, sizes.count - staying) * sizes.block.computed

    def _made_whole(self, sizes: Blocks, staying: int) -> int:
        """The largest weight in the type that is computed with, where it is not held so."""
        is_held = sizes.is_cast and (staying == sizes.count or not self._is_host)
        return 0 if is_held else sizes.widest

    def _composed(self, sizes: Blocks) -> int:
        """Where weights are put together with what adapters add: a whole block at once for compiled code,
        else one weight of each shape."""
        if self._work.compiles:
            return sizes.block.whole
        return sizes.composed if any(self._work.adapters.values()) else 0

    def _cached(self, sizes: Transformer) -> int:
        """What a step cache keeps of every pass."""
        return _KEPT * _PASSES * self._tokens * sizes.width * self._sizes.item if self._work.caches else 0

    def _adapters(self, expert: Expert, staying: int) -> int:
        """Beside blocks that stay, adapters stay; the computer's own memory always has them all."""
        if self._is_host:
            return sum(self._work.adapters.values())
        count = self._sizes.experts[expert].count
        return self._work.adapters.get(expert, 0) * min(count, staying + 2) // max(1, count)

    def _resting(self) -> int:
        return sum(self._work.adapters.values()) if self._is_host else 0

    def _text(self) -> int:
        return _TEXT_TOKENS * _TEXT_WIDTH * self._sizes.item
