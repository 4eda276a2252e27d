"""The one seam between the engine and the machine: which device, which precision, what it is called."""

from typing import Literal

import torch

from engine import host_memory
from engine.errors import EngineError
from engine.host_memory import Memory

Choice = Literal["auto", "cpu", "cuda"]


def choose(choice: Choice) -> torch.device:
    """The device to run on; "auto" takes CUDA where there is one. Raises EngineError when it is not there."""
    if choice == "cuda" and not torch.cuda.is_available():
        raise EngineError(
            "There is no CUDA device that this PyTorch can use.",
            "Install a CUDA build of PyTorch, or choose the CPU.",
        )
    if choice == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda")


def compute_dtype(device: torch.device) -> torch.dtype:
    """What the transformers and the text encoder run in: float32 on a CPU, bfloat16 elsewhere."""
    return torch.float32 if device.type == "cpu" else torch.bfloat16


def describe(device: torch.device) -> str:
    """The device, as said to a person."""
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    count = torch.get_num_threads()
    return f"CPU, {count} thread{'s' * (count > 1)}"


def give_back_memory(device: torch.device) -> None:
    """Return cached blocks to the device; call it outside an `except` block, whose frames hold tensors."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def give_back_all() -> None:
    """Return what is cached on any device, such as by a session on another one that has ended."""
    torch.cuda.empty_cache()  # nothing where CUDA was never used


def memory(device: torch.device) -> Memory:
    """What the device has, and what of it is free or only cached by us."""
    if device.type == "cpu":
        return host_memory.host_memory()
    free, total = torch.cuda.mem_get_info(device)
    return Memory(min(total, free + torch.cuda.memory_reserved(device)), total)


def reset_peak(device: torch.device) -> None:
    """Begin to measure what `peak` will say."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        host_memory.reset_peak()


def peak(device: torch.device) -> int:
    """The most bytes that were in use since `reset_peak`; 0 where that cannot be known."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    return host_memory.peak()
