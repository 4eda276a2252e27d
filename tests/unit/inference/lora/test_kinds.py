"""Every kind of matrix means the same on a layer's output and on its weight, at any size."""

from collections.abc import Callable

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from catalog.peft_alpha import NO_RULES
from engine.inference.lora.bank import Segment
from engine.inference.lora.build import build
from engine.inference.lora.delta import Call
from engine.inference.lora.kinds.parts import Parts
from engine.inference.lora.matrices import Matrices, Placed
from engine.inference.lora.strengths import Strengths
from engine.inference.lora.workspace import Way, Workspace

Drawn = Callable[..., Tensor]


def _loha(drawn: Drawn, out: int, into: int, rank: int) -> dict[str, Tensor]:
    factors = {"w1_a": (out, rank), "w1_b": (rank, into), "w2_a": (out, rank), "w2_b": (rank, into)}
    return {f"hada_{name}": drawn(*shape) for name, shape in factors.items()}


def _lokr(drawn: Drawn, out: int, into: int, rank: int) -> dict[str, Tensor]:
    parts = {"lokr_w1": drawn(2, 2), "lokr_w2_a": drawn(out // 2, rank), "lokr_w2_b": drawn(rank, into // 2)}
    return parts | {"alpha": torch.tensor(3.0)}


def _dora(inner: Callable[..., dict[str, Tensor]], axis: int) -> Callable[..., dict[str, Tensor]]:
    def made(drawn: Drawn, out: int, into: int, rank: int) -> dict[str, Tensor]:
        magnitude = drawn(out, 1) if axis == 0 else drawn(1, into)
        return inner(drawn, out, into, rank) | {"dora_scale": 1 + magnitude}

    return made


def _pair(drawn: Drawn, out: int, into: int, rank: int) -> dict[str, Tensor]:
    return {"down": drawn(rank, into), "up": drawn(out, rank), "alpha": torch.tensor(2.0)}


KINDS: dict[str, Callable[..., dict[str, Tensor]]] = {
    "pair": _pair,
    "loha": _loha,
    "lokr": _lokr,
    "full": lambda drawn, out, into, rank: {"diff": drawn(out, into)},
    "set_weight": lambda drawn, out, into, rank: {"set_weight": drawn(out, into)},
    "ia3 per output": lambda drawn, out, into, rank: {"weight": drawn(out), "on_input": torch.tensor(0)},
    "ia3 per input": lambda drawn, out, into, rank: {"weight": drawn(into), "on_input": torch.tensor(1)},
    "oft": lambda drawn, out, into, rank: {"oft_blocks": drawn(out // 4, 4, 4), "rescale": 1 + drawn(out, 1)},
    "boft": lambda drawn, out, into, rank: {"oft_blocks": drawn(2, out // 4, 4, 4)},
    "dora per output": _dora(_pair, 0),
    "dora per input": _dora(_pair, 1),
    "dora over loha": _dora(_loha, 0),
    "dora over lokr per input": _dora(_lokr, 1),
}


def _played(way: Way, layer: nn.Linear, parts: dict[str, Tensor], x: Tensor, strength: float) -> Tensor:
    """The layer's output with one adapter on it."""
    strengths = Strengths(torch.device("cpu"))
    matrices = Matrices("high", strengths, Workspace(way))
    effect = build(
        Parts("layer", parts, NO_RULES, lambda name: layer._parameters[name].detach()), "weight", True
    )
    segments = [Segment("a", ("high",), pair) for pair in effect.pairs]
    matrices.bank.change(segments, torch.device("cpu"), torch.float32)
    matrices.placed = [Placed("a", delta) for delta in effect.deltas]
    strengths.lay_out(["a"], matrices.slots(0))
    strengths.set({"a": strength})
    assert matrices.listen()
    if matrices.is_fast(layer, x):
        return nn.functional.linear(x, matrices.composed(layer), layer.bias)
    return matrices.added(layer, x, layer(x))


@settings(max_examples=120, deadline=None)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    out=st.integers(1, 4),
    into=st.integers(1, 6),
    rank=st.integers(1, 9),
    tokens=st.integers(1, 70),
    strength=st.floats(-2.5, 2.5).filter(lambda s: abs(s) > 1e-3),
    seed=st.integers(0, 1000),
)
def test_both_ways_mean_the_same(
    kind: str, out: int, into: int, rank: int, tokens: int, strength: float, seed: int
) -> None:
    out, into = 8 * out, 4 * into
    generator = torch.Generator().manual_seed(seed)
    layer = nn.Linear(into, out).requires_grad_(False)
    nn.init.normal_(layer.weight, generator=generator)
    parts = KINDS[kind](lambda *shape: torch.randn(shape, generator=generator) * 0.5, out, into, rank)
    x = torch.randn(tokens, into, generator=generator)
    exact = _played("exact", layer, parts, x, strength)
    fast = _played("fast", layer, parts, x, strength)
    size = 1 + fast.abs().max()
    assert (exact - fast).abs().max() / size < 2e-5
    # linear in the strength: half of the way there is half of the change
    halfway = _played("fast", layer, parts, x, strength / 2)
    assert (2 * (halfway - layer(x)) - (fast - layer(x))).abs().max() / size < 4e-5


def test_dora_stays_linear_and_gives_the_trained_lengths() -> None:
    generator = torch.Generator().manual_seed(3)
    layer = nn.Linear(12, 16, bias=False).requires_grad_(False)
    parts = _dora(_pair, 0)(lambda *shape: torch.randn(shape, generator=generator), 16, 12, 2)
    changed = _played("exact", layer, parts, torch.eye(12), 1.0).T
    torch.testing.assert_close(changed.norm(dim=1), parts["dora_scale"].flatten().abs(), rtol=1e-4, atol=1e-5)


def test_a_rotation_keeps_the_length_of_every_input() -> None:
    generator = torch.Generator().manual_seed(4)
    layer = nn.Linear(12, 16, bias=False).requires_grad_(False)
    for name in ("oft", "boft"):
        parts = KINDS[name](lambda *shape: torch.randn(shape, generator=generator), 16, 12, 2)
        parts.pop("rescale", None)
        x = torch.randn(5, 12, generator=generator)
        turned = _played("exact", layer, parts, x, 1.0)
        torch.testing.assert_close(turned.norm(dim=1), layer(x).norm(dim=1), rtol=1e-4, atol=1e-5)


def test_own_output_is_what_the_layer_did_before_anything_was_added() -> None:
    layer = nn.Linear(3, 4).requires_grad_(False)
    x = torch.ones(2, 3)
    y = layer(x)
    call = Call(x, y, layer.bias, lambda: layer.weight)
    torch.testing.assert_close(call.own, x @ layer.weight.T)
