"""Laws of adapters beside a linear layer, for every kind."""

import copy
import itertools

import pytest
import torch
from torch import Tensor, nn

from engine.inference.lora.attach import Attached
from engine.inference.lora.deltas import Delta, LoHa, LoKr, LowRank

OUT, IN, RANK = 12, 8, 3


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, generator=_generator)


_generator = torch.Generator().manual_seed(5)

# Each with its dense ΔW in float64, written out from the definition.
KINDS: dict[str, tuple[Delta, Tensor]] = {}


def known(name: str, delta: Delta, dense: Tensor) -> None:
    KINDS[name] = (delta, dense)


down, up = drawn(RANK, IN), drawn(OUT, RANK)
known("lora", LowRank(down, up, 0.5), 0.5 * up.double() @ down.double())

a1, b1, a2, b2 = drawn(OUT, RANK), drawn(RANK, IN), drawn(OUT, RANK), drawn(RANK, IN)
known("loha", LoHa(a1, b1, a2, b2, 2.0), 2.0 * (a1.double() @ b1.double()) * (a2.double() @ b2.double()))


def kron(w1: Tensor, w2: Tensor) -> Tensor:
    rows = [torch.cat([w1[o, i] * w2 for i in range(w1.shape[1])], dim=1) for o in range(w1.shape[0])]
    return torch.cat(rows)


w1, w2 = drawn(3, 2), drawn(4, 4)
w1_a, w1_b, w2_a, w2_b = drawn(3, 2), drawn(2, 2), drawn(4, 2), drawn(2, 4)
full_w1, full_w2 = w1_a.double() @ w1_b.double(), w2_a.double() @ w2_b.double()
known("lokr full", LoKr((w1,), (w2,), 1.0), kron(w1.double(), w2.double()))
known("lokr w2 in two", LoKr((w1,), (w2_a, w2_b), 0.25), 0.25 * kron(w1.double(), full_w2))
known("lokr w1 in two", LoKr((w1_a, w1_b), (w2,), 3.0), 3.0 * kron(full_w1, w2.double()))
known("lokr both in two", LoKr((w1_a, w1_b), (w2_a, w2_b), 1.5), 1.5 * kron(full_w1, full_w2))

STRENGTHS = (-1.0, 0.5, 1.0, 2.5)


class Model(nn.Module):
    """One linear layer, under a name as a model has it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.layer = nn.Linear(IN, OUT)


@pytest.fixture
def model() -> Model:
    return Model().requires_grad_(False)


@pytest.fixture
def x() -> Tensor:
    return torch.randn(2, 5, IN, generator=torch.Generator().manual_seed(11))


def attach(model: Model, name: str, kind: str, strength: float) -> Attached:
    attached = Attached(name)
    attached.put("high", model, {"layer": copy.deepcopy(KINDS[kind][0])})
    attached.strengths["high"].value = strength
    return attached


def reference(model: Model, x: Tensor, *parts: tuple[str, float]) -> Tensor:
    weight = model.layer.weight.double() + sum(s * KINDS[kind][1] for kind, s in parts)
    return x.double() @ weight.T + model.layer.bias.double()


@pytest.mark.parametrize("kind", KINDS)
def test_dense_weight_follows_the_definition(kind: str) -> None:
    delta, dense = KINDS[kind]
    assert delta.shape == tuple(dense.shape) == (OUT, IN)
    torch.testing.assert_close(delta.weight().double(), dense, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("kind", "strength"), list(itertools.product(KINDS, STRENGTHS)))
def test_forward_equals_the_changed_weight(model: Model, x: Tensor, kind: str, strength: float) -> None:
    attach(model, "a", kind, strength)
    expected = reference(model, x, (kind, strength))
    error = (model.layer(x).double() - expected).abs().max() / expected.abs().max()
    assert error < 2e-6


@pytest.mark.parametrize("kind", KINDS)
def test_strength_zero_is_the_bare_layer_bit_for_bit(model: Model, x: Tensor, kind: str) -> None:
    bare = model.layer(x)
    attach(model, "a", kind, 0.0)
    assert torch.equal(model.layer(x), bare)


@pytest.mark.parametrize("kind", KINDS)
def test_setting_a_then_b_equals_b(model: Model, x: Tensor, kind: str) -> None:
    attached = attach(model, "a", kind, 0.7)
    expected = model.layer(x)
    attached.strengths["high"].value = 123.0
    model.layer(x)
    attached.strengths["high"].value = 0.7
    assert torch.equal(model.layer(x), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_detach_restores_the_layer(model: Model, x: Tensor, kind: str) -> None:
    bare, names = model.layer(x), list(model.state_dict())
    attached = attach(model, "a", kind, 1.0)
    assert list(model.state_dict()) == names
    attached.remove()
    assert torch.equal(model.layer(x), bare)
    assert not list(model.layer.children())
    assert not model.layer._forward_hooks


@pytest.mark.parametrize("kinds", list(itertools.combinations(KINDS, 2)))
def test_adapters_add_up_and_their_order_does_not_matter(
    model: Model, x: Tensor, kinds: tuple[str, str]
) -> None:
    first, second = kinds
    attach(model, "a", first, 0.6)
    attach(model, "b", second, -0.4)
    one_way = model.layer(x)
    other = Model().requires_grad_(False)
    attach(other, "b", second, -0.4)
    attach(other, "a", first, 0.6)
    expected = reference(model, x, (first, 0.6), (second, -0.4))
    torch.testing.assert_close(one_way.double(), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(other.layer(x), one_way, rtol=1e-5, atol=1e-5)


def test_detaching_one_leaves_the_other(model: Model, x: Tensor) -> None:
    gone = attach(model, "a", "lora", 1.0)
    attach(model, "b", "loha", 1.0)
    gone.remove()
    torch.testing.assert_close(
        model.layer(x).double(), reference(model, x, ("loha", 1.0)), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_layers_play_within_their_rounding(x: Tensor, dtype: torch.dtype) -> None:
    model = Model().requires_grad_(False).to(dtype)
    attach(model, "a", "lora", 0.5)
    expected = reference(model, x.to(dtype), ("lora", 0.5))
    error = (model.layer(x.to(dtype)).double() - expected).abs().max() / expected.abs().max()
    assert error < 4 * torch.finfo(dtype).eps
