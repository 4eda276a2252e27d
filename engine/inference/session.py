"""The loaded model with its adapters: what the engine thread asks for everything that needs torch."""

import gc
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from catalog.header import read_header
from catalog.identify import identify, misfit
from catalog.models import Expert, ModelInfo, find_model
from engine.automation import strength
from engine.errors import AdapterRefused, ModelFailed, OutOfMemory
from engine.gauge import suggested
from engine.inference import device as devices
from engine.inference.checkpoints.components import Components
from engine.inference.checkpoints.load import load
from engine.inference.computing import Computation, hindrances
from engine.inference.denoise import Strengths
from engine.inference.loaded import Loaded, loaded
from engine.inference.lora.gauging import Gauging
from engine.inference.lora.meter import Meter
from engine.inference.lora.rack import Rack
from engine.inference.lora.read import read_adapter
from engine.inference.room import is_out_of_memory, placed
from engine.inference.run import Run
from engine.inference.tones import settled, tones
from engine.inference.trajectory import Trajectories
from engine.messages import AdapterAttached, Mix
from engine.plan import Choice as MemoryChoice
from engine.worker import Clip, Generate, Post


class WanSession:
    """One model on one device, and the adapters beside its layers. Used by one thread at a time."""

    def __init__(self, choice: devices.Choice = "auto") -> None:
        self._device = devices.choose(choice)
        self.device = devices.describe(self._device)
        self.cannot = hindrances(self._device)
        self._model: Loaded | None = None
        self._adapters: dict[str, AdapterAttached] = {}
        self._kept = Trajectories()
        self._memory: MemoryChoice = "auto"

    def load(self, name: str) -> ModelInfo:
        """Load a model by name or path; on failure the one before stays, with its adapters."""
        info = find_model(name)
        devices.give_back_all()
        parts = load(info, self._device)
        room = placed(parts, self._memory)
        self._model, self.room = loaded(parts), room
        self._adapters.clear()
        self._rack = Rack(parts.experts)
        room.travel_with(self._rack.beside)
        self._model.conditioner.seeing = room.seeing
        self.computation = Computation(parts.experts, self._rack, self._device)
        self.computation.is_whole = lambda: room.is_whole
        self._meter, self._gauging = Meter(self._rack.beside), Gauging(self._rack.beside)
        return info

    def attach(self, adapter: str, path: Path) -> AdapterAttached:
        """Put a LoRA file beside the layers, at strength 0. On failure nothing has changed."""
        model = self._loaded()
        header = read_header(path)
        reason = misfit(identify(header, path.name), model.info)
        if reason:
            raise AdapterRefused(f"{path.name} is {reason}.")
        read = read_adapter(path, header)
        try:
            coverage = self._rack.attach(adapter, read)
            gauge = suggested(self._gauging.gauge(adapter), path.name)
        except (RuntimeError, MemoryError) as error:
            self.detach(adapter)
            if not is_out_of_memory(error):
                raise
            said = f"There is not enough memory for {path.name}."
            raise OutOfMemory(said, "Take another LoRA off, or close other programs.") from error
        finally:
            self._meter.forget()
            self.room.rest()
        self._adapters.pop(adapter, None)  # its new place is the last one
        self._adapters[adapter] = AdapterAttached(adapter, path, read.sha256, read.kinds, coverage, gauge)
        return self._adapters[adapter]

    def detach(self, adapter: str) -> None:
        """Take an adapter off; unknown ones are ignored."""
        self._adapters.pop(adapter, None)
        self._meter.forget()
        self._rack.detach(adapter)

    def run(self, command: Generate, post: Post) -> Clip:
        """Make a clip. Raises Cancelled, or an EngineError that says what went wrong."""
        self._loaded()
        assert self._model is not None
        self._memory = command.memory
        try:
            with torch.inference_mode():
                return Run(command, post, self._model, self, self._kept).clip()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            lacking = (str(error) or "no more memory").splitlines()[0]
        finally:
            self._meter.stop()
            self.room.rest()
        # Outside the except block, whose frames would keep the tensors alive.
        devices.give_back_memory(self._device)
        raise OutOfMemory(f"The device ran out of memory: {lacking}")

    @property
    def attached(self) -> Mapping[str, AdapterAttached]:
        """What is attached, by name, in the order in which it plays."""
        return self._adapters

    def strengths(self, mix: Mix, expert: Expert, step: int, sigmas: Sequence[float]) -> Strengths:
        """The strength of everything attached at one step of a run; 0 where it does not play."""
        strips = {strip.adapter: strip for strip in mix.strips}
        return tuple(
            (
                adapter,
                strength(strips[adapter], expert, step, sigmas)
                if adapter in strips and expert in report.coverage.experts
                else 0.0,
            )
            for adapter, report in self._adapters.items()
        )

    def play(self, strengths: Strengths, expert: Expert) -> None:
        """Let these be heard from the next pass on, and measure them in it."""
        self.room.begin("denoise high" if expert == "high" else "denoise low")
        self._rack.set(expert, dict(settled(strengths, self._adapters)))
        self.computation.begin_step(expert, tones(strengths, self._adapters))
        self._meter.begin(expert, [adapter for adapter, strength in strengths if strength])

    def meters(self, strengths: Strengths) -> Strengths:
        """‖s·ΔW x‖ / ‖W x‖ of each adapter that was measured since `play`, at these strengths; 0 in silence."""
        ratios = {} if self.computation.has_skipped else self._meter.ratios()
        return tuple((a, abs(s) * ratios.get(a, 0.0)) for a, s in strengths if a in ratios or not s)

    def _loaded(self) -> Components:
        if self._model is None:
            raise ModelFailed("No model is loaded.")
        return self._model.parts


def open_session(choice: devices.Choice = "auto") -> WanSession:
    """A session without a model; importing this module is what brings torch in.

    What was imported stays as long as the process: a full search of it for garbage would stop every thread,
    the window's too, for a third of a second.
    """
    if not gc.get_freeze_count():  # a second session is opened while the model of the first is still there
        gc.freeze()
    return WanSession(choice)
