"""What a model does with an adapter, read off its layers' own answers, beside a densely merged copy."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from tests.unit.inference.conformance import models

# of the largest expected difference; float32 arithmetic stays well below it
CLOSE = 2e-5
# of the largest base weight: a faint difference is read off an answer in float32
ROUNDING = 5e-7
WHOLE_MODEL = 1e-4


@cache
def probes(model: nn.Module) -> dict[str, Tensor]:
    """What to ask every layer: zeros, for its bias; then the rows of an identity, or ±1 for a norm."""
    asked: dict[str, Tensor] = {}
    for name, layer in model.named_modules():
        match layer:
            case nn.Linear(weight=weight) | nn.Conv3d(weight=weight):
                size = weight[0].numel()
                rows = torch.cat((torch.zeros(1, size), torch.eye(size))).reshape(-1, *weight.shape[1:])
            case nn.LayerNorm(weight=Tensor() as weight) | nn.RMSNorm(weight=Tensor() as weight):
                rows = torch.stack((torch.zeros(len(weight)), 1.0 - 2 * (torch.arange(len(weight)) % 2)))
            case _:
                continue
        asked[name] = rows.to(weight.dtype)
    return asked


@torch.no_grad()
def effective(model: nn.Module, like: nn.Module) -> dict[str, Tensor]:
    """Weights and biases in float64, as the layers' own forward passes show them.

    `like` is the same model without adapters; it says only which layers there are.
    """
    found: dict[str, Tensor] = {}
    for name, asked in probes(like).items():
        layer: Any = model.get_submodule(name)
        answers = layer(asked).double()
        bias, rest = answers[0].flatten(), (answers[1:] - answers[:1]).flatten(1)
        if isinstance(layer, (nn.Linear, nn.Conv3d)):
            found[f"{name}.weight"] = rest.T.reshape(-1, *asked.shape[1:])
        else:
            found[f"{name}.weight"] = rest[0] * asked[1] * (1 + (layer.eps or 0)) ** 0.5
        found[f"{name}.bias"] = bias
    return found


@cache
def bare(model: nn.Module) -> dict[str, Tensor]:
    """The same of a model without adapters."""
    return effective(model, model)


@cache
def bare_answer(kind: str, model: nn.Module) -> Tensor:
    """The whole answer of a model without adapters."""
    return models.answer(kind, model)


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Equal in names, types and every bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def assert_differs_by(
    now: Mapping[str, Tensor],
    bare: Mapping[str, Tensor],
    expected: Mapping[str, Tensor],
    strength: float,
    close: float = CLOSE,
) -> None:
    """now − bare = strength · expected where something is expected, and not the least bit anywhere else."""
    for name, before in bare.items():
        wanted = expected.get(name)
        if wanted is None or not strength or not wanted.any():
            assert torch.equal(now[name], before), f"{name} changed at strength {strength}"
            continue
        error = ((now[name] - before) - strength * wanted).abs().max()
        allowed = close * abs(strength) * wanted.abs().max() + ROUNDING * before.abs().max()
        assert error <= allowed, f"{name} is off by {error:.1e}, not {allowed:.1e}, at strength {strength}"


def total(*differences: tuple[float, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The sum of differences times their strengths, by parameter."""
    names = dict.fromkeys(name for _, expected in differences for name in expected)
    zero = torch.zeros((), dtype=torch.float64)
    return {
        name: sum((strength * expected.get(name, zero) for strength, expected in differences), zero)
        for name in names
    }


def merged(model: nn.Module, *differences: tuple[float, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The parameters of `model` that change when every difference times its strength is added, rounded once."""
    parameters = dict(model.named_parameters())
    changes = total(*differences).items()
    return {name: (parameters[name].double() + change).to(parameters[name].dtype) for name, change in changes}


def assert_close(answer: Tensor, wanted: Tensor, close: float = WHOLE_MODEL) -> None:
    """Two answers of a whole denoiser are the same but for roundings."""
    error = (answer - wanted).abs().max() / wanted.abs().max()
    assert error <= close, f"the whole model is off by {error:.1e}"
