"""The loaded model within the memory there is: a plan for every clip, kept to, and a lower one when it was wrong."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TypeVar

import torch

from catalog.inputs import to_json
from catalog.models import Expert
from catalog.recipe import Recipe
from engine.errors import OutOfMemory
from engine.inference import device as devices
from engine.inference.checkpoints.components import Components
from engine.inference.lora.beside import Beside
from engine.inference.streaming.placement import Placement
from engine.memory_words import RETRIED, stepped_down
from engine.model_sizes import model_sizes
from engine.plan import MODES, Choice, Mode, PhaseName, Plan, Work, lower, plan

Post = Callable[[Plan, str], None]
"""Hears of a new plan, with a sentence that says why where it is not the one that was made at first."""

_Result = TypeVar("_Result")


class Room:
    """One model's parts on one device. Used by one thread, between forwards."""

    def __init__(self, parts: Components) -> None:
        self._device, self._info = parts.device, parts.info
        item, is_host = devices.compute_dtype(parts.device).itemsize, parts.device.type == "cpu"
        self._sizes = model_sizes(parts.info, item, is_host)
        self._placement = Placement(parts)
        self._beside: Mapping[Expert, Mapping[str, Beside]] = {}
        self._highest: Mode = MODES[0]
        self._choice: Choice = "auto"
        self._phase: PhaseName | None = None
        self._has_retried = False
        self._tiled: dict[PhaseName, int] = {}

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
        """Whether every block of the model would stay where it is in the clip to come, if it were compiled."""
        return self._plan(replace(self._work, compiles=True), self._choice).mode == MODES[0]

    def arrange(self, work: Work, choice: Choice) -> Plan:
        """Place everything for a clip of that size; the plan. Memory that ran out before is not asked for again.

        Raises OutOfMemory.
        """
        return self.within(partial(self._arrange, work, choice), lambda *_: None)

    def expect(self, work: Work, choice: Choice) -> None:
        """A clip of that size comes next; nothing is moved. Another mode than before may be tried anew."""
        if choice != self._choice:
            self._choice, self._highest = choice, MODES[0]
            self._tiled.clear()
        sees = work.sees or "control_video" in self._info.takes  # VACE sees grey where nothing is given
        adapters = {expert: self._adapters(expert) for expert in self._info.experts}
        self._work = replace(work, adapters=adapters, sees=sees)

    def _arrange(self, work: Work, choice: Choice) -> Plan:
        self.expect(work, choice)
        made = self._plan(self._work, choice)
        self._phase, self._has_retried = None, False
        if self._placement.plan is None or _places(made) != _places(self.plan):
            self._placement.follow(made)
        else:
            self._placement.plan = made
            self._placement.begin("encode")  # a run that was cancelled left its expert
        return made

    def begin(self, phase: PhaseName) -> None:
        """A phase of the run begins."""
        self._phase = phase
        self._placement.begin(phase)

    @contextmanager
    def seeing(self) -> Iterator[bool]:
        """Pictures are encoded in a `with`; it says whether that must be done in tiles."""
        self.begin("encode pictures")
        yield self.plan.sees_tiled
        self._phase = None  # an error leaves it, to be stepped down from

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
            said = self._step_down()
            if not said:
                raise OutOfMemory(f"The device ran out of memory: {lacking}")
            post(self.plan, said)

    def _step_down(self) -> str:
        """Go on in the next lower mode, or in the lowest in tiles, or try once more.

        A sentence on it, "" when all of it was done already.
        """
        self._placement.rest()
        before, mode, phase = self.plan, lower(self.plan.mode), self._phase
        if mode is not None:
            self._highest, phase = mode, None
        elif phase in ("encode pictures", "decode"):
            self._tiled[phase] = self._work.width * self._work.height
        else:
            is_first, self._has_retried = not self._has_retried, True
            return RETRIED if is_first else ""  # what others held on the device may be free by now
        made = self._plan(self._work, self._choice)
        if (made.mode, made.is_tiled, made.sees_tiled) == (before.mode, before.is_tiled, before.sees_tiled):
            return ""
        self._placement.follow(made)
        return stepped_down(made, phase)

    def _plan(self, work: Work, choice: Choice) -> Plan:
        """The plan for a clip; what ran out of memory before is not asked for again."""
        memory = devices.memory(self._device)
        if self._device.type == "cpu":
            memory = replace(memory, free=min(memory.total, memory.free + self._placement.held))
        made = plan(self._sizes, work, memory, self._device.type, choice)
        if MODES.index(made.mode) < MODES.index(self._highest):
            made = plan(self._sizes, work, memory, self._device.type, self._highest)
        least = {phase for phase, pixels in self._tiled.items() if pixels <= work.width * work.height}
        return replace(
            made,
            is_tiled=made.is_tiled or "decode" in least,
            sees_tiled=made.sees_tiled or "encode pictures" in least,
        )

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
    room.arrange(Work(own.width, own.height, own.frames, sees=bool(parts.info.needs)), choice)
    return room


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device, or the computer, had no more memory to give."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return "DefaultCPUAllocator" in str(error) and "memory" in str(error)


def work_of(recipe: Recipe) -> Work:
    """The work of a recipe that is whole."""
    assert recipe.width and recipe.height and recipe.frames
    computing = recipe.computing
    return Work(
        recipe.width,
        recipe.height,
        recipe.frames,
        references=len(recipe.inputs.reference_images),
        sees=bool(to_json(recipe.inputs)),
        compiles=computing is not None and computing.compile,
        caches=computing is not None and computing.cache is not None,
    )


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
