"""Copies to a device beside its computing: through two pinned buffers, on a stream of their own."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from math import prod

import torch
from torch import Tensor

_ALIGNED = 256


class Copying:
    """Makes copies of tensors on one device. `copies` runs on another thread than `arrived`.

    Where the system refuses pinned memory, copies are made from ordinary memory: slower, never wrong. On a
    CPU they are plain copies.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._is_cuda = device.type == "cuda"
        self._stream = torch.cuda.Stream(device) if self._is_cuda else None  # type: ignore[no-untyped-call]
        self._buffers: list[Tensor] = []
        self._left: list[torch.cuda.Event | None] = [None, None]
        self._turn = 0

    def copies(self, wanted: Sequence[tuple[Tensor, torch.dtype]]) -> list[Tensor]:
        """A copy of each tensor in its type. The copies may still be under way: ask `arrived`."""
        staged = self._staged(wanted)
        with self._beside():
            copies = [stage.to(self._device, non_blocking=True, copy=True) for stage in staged]
            if self._is_cuda:
                left = torch.cuda.Event()  # type: ignore[no-untyped-call]
                left.record()
                self._left[self._turn] = left
        return copies

    def arrived(self, copies: list[Tensor]) -> list[Tensor]:
        """The same copies, once whatever the device is asked from now on waits for them."""
        if self._stream is not None:
            computing = torch.cuda.current_stream(self._device)
            computing.wait_stream(self._stream)
            for copy in copies:
                copy.record_stream(computing)
        return copies

    def _beside(self) -> AbstractContextManager[object]:
        return torch.cuda.stream(self._stream) if self._stream is not None else nullcontext()

    def _staged(self, wanted: Sequence[tuple[Tensor, torch.dtype]]) -> list[Tensor]:
        """The tensors in their types, in a pinned buffer that no copy is being made from any more."""
        if not self._is_cuda:
            return [tensor.to(dtype) for tensor, dtype in wanted]
        self._turn = 1 - self._turn
        if left := self._left[self._turn]:
            left.synchronize()
        sizes = [-(-tensor.numel() * dtype.itemsize // _ALIGNED) * _ALIGNED for tensor, dtype in wanted]
        buffer = self._buffer(sum(sizes))
        if buffer is None:
            return [tensor.to(dtype) for tensor, dtype in wanted]
        staged, start = [], 0
        for (tensor, dtype), size in zip(wanted, sizes, strict=True):
            count = prod(tensor.shape) * dtype.itemsize
            staged.append(buffer[start : start + count].view(dtype).view(tensor.shape).copy_(tensor))
            start += size
        return staged

    def _buffer(self, size: int) -> Tensor | None:
        """The buffer whose turn it is, at least that large; None where nothing can be pinned."""
        while len(self._buffers) < 2:
            self._buffers.append(torch.empty(0, dtype=torch.uint8))
        if self._buffers[self._turn].numel() < size:
            self._buffers[self._turn] = torch.empty(0, dtype=torch.uint8)
            try:
                self._buffers[self._turn] = torch.empty(size, dtype=torch.uint8, pin_memory=True)
            except RuntimeError:  # pinned memory is another thing than the device's, and scarce on Windows
                return None
        return self._buffers[self._turn][:size]
