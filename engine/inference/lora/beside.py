"""Everything that stands beside one module: it lends changed parameters, or adds to the output."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from catalog.models import Expert
from engine.inference.lora import base
from engine.inference.lora.delta import Effect
from engine.inference.lora.matrices import Matrices
from engine.inference.lora.small import SmallParameters
from engine.inference.lora.strengths import Slot, Strengths
from engine.inference.lora.workspace import Workspace


class Beside:
    """The adapters of one module of one expert, as hooks around its forward, or lent when it is asked to.

    Parameters are lent for one forward: before it the module's entry is replaced by the composed tensor,
    afterwards the very parameter is put back, also when the forward raised. Outside a forward the module
    is as it was born; at strength 0 the hooks do nothing.
    """

    def __init__(self, module: nn.Module, expert: Expert, strengths: Strengths, work: Workspace) -> None:
        self.module = module
        self.matrices = Matrices(expert, strengths, work)
        self.small = SmallParameters(strengths)
        self._lent: dict[str, nn.Parameter | None] = {}
        self._is_heard = self._adds = False
        self._hooks: tuple[RemovableHandle, ...] = ()
        self.hook()

    def __bool__(self) -> bool:
        return bool(self.matrices or self.small)

    def of(self, adapter: str) -> Effect:
        """All that one adapter adds here."""
        return self.matrices.of(adapter) + Effect(small=self.small.of(adapter))

    def slots(self, offset: int) -> Iterator[Slot]:
        """The strengths it needs, from `offset` on."""
        for slot in self.matrices.slots(offset):
            offset += slot.count
            yield slot
        yield from self.small.slots(offset)

    def take_off(self, adapter: str) -> None:
        """Forget what one adapter adds here."""
        self.matrices.take_off(adapter)
        self.small.take_off(adapter)

    def listen(self) -> None:
        """Note who is heard from now on: forwards then look at nothing but numbers."""
        self._is_heard = self.matrices.listen()
        self.small.listen()

    def lend_deltas(self, device: torch.device) -> None:
        """Have copies of all but the bank on a device until `take_back_deltas`."""
        if self.matrices.placed:
            self.matrices.lend(device, base.compute_dtype(self.module))

    def take_back_deltas(self) -> None:
        """Have what rests on the host again."""
        self.matrices.take_back()

    def move(self, device: torch.device) -> None:
        """Be on a device for good."""
        if self.matrices:
            self.matrices.move(device, base.compute_dtype(self.module))

    def remove(self) -> None:
        """Leave the module as it was born."""
        self.give_back()
        self._remove_hooks()

    def hook(self) -> None:
        """Follow every forward of the module, as it does from the beginning."""
        self._remove_hooks()
        self.matrices.place = ""
        self._hooks = (
            self.module.register_forward_pre_hook(self._before),
            self.module.register_forward_hook(self._after, always_call=True),
        )

    def unhook(self, place: str) -> None:
        """Leave it to others to `lend` before a forward and to `give_back`; no other may have this `place`."""
        self._remove_hooks()
        self.matrices.place = place

    def lend(self) -> None:
        """Put everything that is heard into the module's parameters, until `give_back`."""
        self.give_back()
        self._lend_small()
        if self._is_heard:
            self._lend("weight", self.matrices.composed(self.module))

    def give_back(self) -> None:
        """The module's own parameters again."""
        while self._lent:
            name, own = self._lent.popitem()
            self.module._parameters[name] = own

    def _remove_hooks(self) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks = ()

    def _before(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        self.give_back()  # a forward that Ctrl+C ended gave nothing back
        self._lend_small()
        self._adds = self._is_heard
        if self._adds and self.matrices.is_fast(module, args[0]):
            self._lend("weight", self.matrices.composed(module))
            self._adds = False

    def _after(self, module: nn.Module, args: tuple[Any, ...], output: Tensor | None) -> Tensor | None:
        """None leaves the output as it is, bit for bit; so does a forward that raised, without one."""
        try:
            if self._adds and output is not None:
                return self.matrices.added(module, args[0], output)
            return None
        finally:
            self.give_back()

    def _lend_small(self) -> None:
        for name, value in self.small.composed(self.module).items():
            self._lend(name, value)

    def _lend(self, name: str, value: Tensor) -> None:
        self._lent[name] = self.module._parameters[name]
        if not torch.compiler.is_compiling():  # to compiled code a tensor is another thing than a parameter
            value = nn.Parameter(value, requires_grad=False)
        self.module._parameters[name] = value  # type: ignore[assignment]  # as good as one, for a forward
