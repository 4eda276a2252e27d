"""The loaded model within the memory there is: a plan for every clip, kept to, and a lower one when it was wrong."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TypeVar

import torch

from catalog.models import Expert
from catalog.recipe import Recipe
from engine.errors import OutOfMemory
from engine.inference import device as devices
from engine.inference.checkpoints.components import Components
from engine.inference.lora.beside import Beside
from engine.inference.streaming.placement import Placement
from engine.memory_words import stepped_down
from engine.model_sizes import model_sizes
from engine.plan import MODES, Choice, Mode, PhaseName, Plan, Work, lower, plan

Post = Callable[[Plan, str], None]
"""Hears of a new plan, with a sentence that says why where it is not the one that was made at first."""

_Result = TypeVar("_Result")


class Room:
    """One model's parts on one device. Used by one thread, between forwards."""

    def __init__(self, parts: Components) -> None:
        self._device, self._info = parts.device, parts.info
        self._sizes = model_sizes(parts.info, devices.compute_dtype(parts.device).itemsize)
        self._placement = Placement(parts)
        self._beside: Mapping[Expert, Mapping[str, Beside]] = {}
        self._highest: Mode = MODES[0]
        self._choice: Choice = "auto"

    @property
    def plan(self) -> Plan:
        """The plan that is kept to."""
        assert self._placement.plan is not None
        return self._placement.plan

    def travel_with(self, beside: Mapping[Expert, Mapping[str, Beside]]) -> None:
        """These adapters go where their layers go, and count."""
        self._beside = beside
        self._placement.travel_with(beside)

    @property
    def is_whole(self) -> bool:
        """Whether every block of the model stays where it is."""
        return self.plan.mode == "resident"

    def arrange(self, work: Work, choice: Choice) -> Plan:
        """Place everything for a clip of that size; the plan. Memory that ran out before is not asked for again.

        Raises OutOfMemory.
        """
        return self.within(partial(self._arrange, work, choice), lambda *_: None)

    def choose(self, choice: Choice) -> None:
        """Place everything anew where another mode is wanted than before."""
        if choice != self._choice:
            self.arrange(self._work, choice)

    def _arrange(self, work: Work, choice: Choice) -> Plan:
        if choice != self._choice:
            self._choice, self._highest = choice, MODES[0]
        work = replace(work, adapters={expert: self._adapters(expert) for expert in self._info.experts})
        made = self._plan(work, choice)
        if MODES.index(made.mode) < MODES.index(self._highest):
            made = self._plan(work, self._highest)
        self._work = work
        if self._placement.plan is None or _places(made) != _places(self.plan):
            self._placement.follow(made)
        else:
            self._placement.plan = made
        return made

    def begin(self, phase: PhaseName) -> None:
        """A phase of the run begins."""
        self._placement.begin(phase)

    def rest(self) -> None:
        """The run is over."""
        self._placement.rest()

    def within(self, work: Callable[[], _Result], post: Post) -> _Result:
        """The result of `work`, which is begun anew in a lower mode whenever memory runs out.

        Raises OutOfMemory when there is no lower one.
        """
        while True:
            try:
                return work()
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                lacking = (str(error) or "no more memory").splitlines()[0]
            # Outside the except block, whose frames would keep the tensors alive.
            devices.give_back_memory(self._device)
            if not self._step_down():
                raise OutOfMemory(f"The device ran out of memory: {lacking}")
            post(self.plan, stepped_down(self.plan))

    def _step_down(self) -> bool:
        """Go on in the next lower mode, or decode in tiles in the lowest; False when both is done already."""
        self._placement.rest()
        mode = lower(self.plan.mode)
        if mode is None and self.plan.is_tiled:
            return False
        if mode is None:
            self._placement.follow(replace(self.plan, is_tiled=True))
            return True
        self._highest = mode
        self._placement.follow(self._plan(self._work, mode))
        return True

    def _plan(self, work: Work, choice: Choice) -> Plan:
        memory = devices.memory(self._device)
        if self._device.type == "cpu":
            memory = replace(memory, free=min(memory.total, memory.free + self._placement.held))
        return plan(self._sizes, work, memory, self._device.type, choice)

    def _adapters(self, expert: Expert) -> int:
        """Bytes of the low-rank pairs beside one expert's layers; both experts may share them."""
        banks = [beside.matrices.bank for beside in self._beside.get(expert, {}).values()]
        shared = 2 if self._device.type == "cpu" and len(self._info.experts) == 2 else 1
        return sum(bank.down.nbytes + bank.up.nbytes for bank in banks) // shared


def placed(parts: Components, choice: Choice) -> Room:
    """A model that has just been loaded, placed for a clip of its own size. Raises OutOfMemory."""
    own = parts.info.defaults
    try:
        room = Room(parts)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(f"There is not enough memory for {parts.info.title}.") from error
    room.arrange(Work(own.width, own.height, own.frames), choice)
    return room


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device, or the computer, had no more memory to give."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return "DefaultCPUAllocator" in str(error) and "memory" in str(error)


def work_of(recipe: Recipe) -> Work:
    """The work of a recipe that is whole."""
    assert recipe.width and recipe.height and recipe.frames
    references = len(recipe.inputs.reference_images)
    return Work(recipe.width, recipe.height, recipe.frames, references=references)


@contextmanager
def measured(device: torch.device, report: Callable[[int], None]) -> Iterator[None]:
    """Report the most bytes that were used on a device meanwhile; 0 where that cannot be known."""
    devices.reset_peak(device)
    try:
        yield
    finally:
        report(devices.peak(device))


def _places(made: Plan) -> tuple[object, ...]:
    """What of a plan decides where things are."""
    return made.mode, made.staying
