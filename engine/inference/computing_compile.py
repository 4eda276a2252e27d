"""Compiled transformer blocks whose adapters stay live: their weights are lent around the compiled code."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch._dynamo.exc import TorchDynamoException

from catalog.models import Expert
from engine.errors import CompileFailed
from engine.inference.checkpoints.stored import StoredLinear
from engine.inference.lora.beside import Beside

Backend = str | Callable[..., Any]
_MOST_SIZES = 64
"""How many sizes of clips stay compiled; PyTorch's own limit would silently give up at 8."""


class CompiledBlocks:
    """The blocks of all experts, compiled as one: they differ in nothing but their weights.

    Compiled code takes weights as they come, so whatever is heard is composed into them before a block and
    taken back after it. No change of strengths, of adapters or of the expert is compiled anew; another size
    of the clip is. A block inside which anybody listens (a meter, for one pass) runs as it is for them, and then
    compiled, so that listening changes no bit of the answer; as it is alone where they do not leave.
    """

    def __init__(
        self,
        experts: Mapping[Expert, nn.Module],
        beside: Mapping[Expert, Mapping[str, Beside]],
        backend: Backend = "inductor",
    ) -> None:
        self._experts, self._beside, self._backend = experts, beside, backend
        self._compiled: dict[type[nn.Module], Callable[..., Tensor]] = {}

    @contextmanager
    def working(self) -> Iterator[None]:
        """Compile what is not compiled yet, and run it, for the length of a `with`."""
        with ExitStack() as stack:
            for expert, model in self._experts.items():
                for index, block in enumerate(_blocks(model)):
                    inside = f"blocks.{index}."
                    besides = {
                        name.removeprefix(inside): beside
                        for name, beside in self._beside[expert].items()
                        if name.startswith(inside)
                    }
                    stack.enter_context(_Playing(block, self._code(block), besides).in_place())
            yield

    def _code(self, block: nn.Module) -> Callable[..., Tensor]:
        kind = type(block)
        if kind not in self._compiled:
            torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, _MOST_SIZES)
            # one graph per size: a graph for all sizes, once made, would be taken for the first one too and
            # change the last digits of clips that are made again
            self._compiled[kind] = torch.compile(kind.forward, backend=self._backend, dynamic=False)
        return self._compiled[kind]


class _Playing:
    """One block's forward: its layers are lent their weights, and the compiled code runs."""

    def __init__(self, block: nn.Module, code: Callable[..., Tensor], besides: Mapping[str, Beside]) -> None:
        self._block, self._code, self._besides = block, code, besides
        self._inside = [module for module in block.modules() if module is not block]
        self._stored = [module for module in self._inside if isinstance(module, StoredLinear)]
        self._lent: list[StoredLinear] = []

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Stand in for the block's forward; its own hooks stay outside."""
        for name, beside in self._besides.items():
            beside.unhook(name)
        self._block.forward = self
        try:
            yield
        finally:
            del self._block.forward
            for beside in self._besides.values():
                beside.hook()

    def __call__(self, *args: Any, **named: Any) -> Tensor:
        if self._is_listened_to():
            answer = self._as_it_is(*args, **named)
            if self._is_listened_to():
                return answer
        try:
            self._lend()
            return self._code(self._block, *args, **named)
        except TorchDynamoException as error:
            raise CompileFailed(f"A block cannot be compiled: {str(error).splitlines()[0]}") from error
        finally:
            self._give_back()

    def _is_listened_to(self) -> bool:
        return any(module._forward_pre_hooks or module._forward_hooks for module in self._inside)

    def _as_it_is(self, *args: Any, **named: Any) -> Tensor:
        """With the adapters on the layers' own hooks."""
        for beside in self._besides.values():
            beside.hook()
        try:
            answer: Tensor = type(self._block).forward(self._block, *args, **named)
            return answer
        finally:
            for name, beside in self._besides.items():
                beside.unhook(name)

    def _lend(self) -> None:
        # Tensors made in inference mode are of another kind to compiled code than the model's own.
        with torch.inference_mode(False), torch.no_grad():
            for beside in self._besides.values():
                beside.lend()
            for layer in self._stored:
                if layer._parameters["weight"] is None:
                    self._lent.append(layer)
                    layer._parameters["weight"] = nn.Parameter(layer.whole(), requires_grad=False)

    def _give_back(self) -> None:
        for beside in self._besides.values():
            beside.give_back()
        while self._lent:
            self._lent.pop()._parameters["weight"] = None


def hindrance(device: torch.device) -> str:
    """Why blocks cannot be compiled for a device, or ""."""
    if device.type == "cuda":
        return "" if torch.utils._triton.has_triton() else "It needs Triton, which is not installed."
    compilers = (os.environ.get("CXX", "g++"), "clang++", "cl")
    return "" if any(map(shutil.which, compilers)) else "It needs a C++ compiler, and there is none."


def _blocks(model: nn.Module) -> Sequence[nn.Module]:
    return cast(Sequence[nn.Module], model.blocks)
