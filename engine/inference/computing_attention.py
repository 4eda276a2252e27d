"""Who computes attention: the ways that diffusers can dispatch it, and which of them work on a device."""

from contextlib import AbstractContextManager
from functools import cache

import torch
from diffusers.models.attention_dispatch import AttentionBackendName, attention_backend, dispatch_attention_fn

from catalog.computing import Attention

_BACKENDS: dict[Attention, AttentionBackendName] = {
    "sdpa": AttentionBackendName.NATIVE,
    "cudnn": AttentionBackendName._NATIVE_CUDNN,
    "flash": AttentionBackendName.FLASH,
    "flash3": AttentionBackendName._FLASH_3,
    "sage": AttentionBackendName.SAGE,
    "xformers": AttentionBackendName.XFORMERS,
    "math": AttentionBackendName._NATIVE_MATH,
}
"""None of those that diffusers would download a kernel for: no code comes from the network."""

_ON_CPU = ("sdpa", "math")
_FAR_OFF = 0.2
"""A mean error, relative to the mean answer, that quantised attention stays far below."""


def using(name: Attention) -> AbstractContextManager[None]:
    """Let every attention be computed so, whatever the environment says, for the length of a `with`."""
    manager: AbstractContextManager[None] = attention_backend(_BACKENDS[name])
    return manager


@cache
def hindrance(name: Attention, device: torch.device, dtype: torch.dtype) -> str:
    """Why attention cannot be computed so here, or "": it is tried on a few numbers."""
    if name == "sdpa":
        return ""
    if device.type == "cpu" and name not in _ON_CPU:
        return "It needs an NVIDIA GPU."
    try:
        error = _error(name, device, dtype)
    except Exception as failure:  # noqa: BLE001 - other people's kernels raise whatever they like
        return f"It does not work here: {str(failure).strip().splitlines()[0] if str(failure) else failure!r}"
    return "" if error < _FAR_OFF else "What it computes here is wrong."  # NaN is, too


def _error(name: Attention, device: torch.device, dtype: torch.dtype) -> float:
    """How far its answer is from PyTorch's own, on heads as wide as Wan's."""
    generator = torch.Generator().manual_seed(0)
    shape = (3, 1, 64, 2, 128)
    query, key, value = torch.randn(shape, generator=generator).to(device, dtype)
    answers = []
    for each in ("sdpa", name):
        with torch.no_grad(), using(each):
            answers.append(dispatch_attention_fn(query, key, value).float())
    wanted, found = answers
    return float((found - wanted).abs().mean() / wanted.abs().mean())
