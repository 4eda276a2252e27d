"""Every adapter type by its definition: what a file holds for one layer, and the dense float64 difference it means.

A kind is a function of the layer and of its own options. It returns the tensors by suffix and the
differences of "weight" and "bias"; the arithmetic is written down dense, and shared with nobody.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt, sqrt
from typing import Any

import torch
from torch import Tensor

SPELLINGS = {
    "AB": (".lora_A.weight", ".lora_B.weight"),
    "default": (".lora_A.default.weight", ".lora_B.default.weight"),
    "named": (".lora_A.style_2.weight", ".lora_B.style_2.weight"),
    "mochi": (".lora_A", ".lora_B"),
    "updown": (".lora_down.weight", ".lora_up.weight"),
    "dotted": (".lora.down.weight", ".lora.up.weight"),
    "underscore": ("_lora.down.weight", "_lora.up.weight"),
    "linear_layer": (".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight"),
}


@dataclass(frozen=True)
class Layer:
    """One layer of the base model: its weight and bias in float64, and a source of random numbers."""

    weight: Tensor
    bias: Tensor | None
    drawn: Callable[..., Tensor]

    @property
    def out(self) -> int:
        """Rows of the weight."""
        return self.weight.shape[0]


Made = tuple[dict[str, Tensor], dict[str, Tensor]]
Kind = Callable[[Layer], Made]


def _alpha(alpha: float | None, rank: int) -> tuple[dict[str, Tensor], float]:
    return ({}, 1.0) if alpha is None else ({".alpha": torch.tensor(alpha)}, alpha / rank)


def _product(up: Tensor, down: Tensor) -> Tensor:
    return up.flatten(1).double() @ down.flatten(1).double()


def _tucker(core: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """core [r, r, k…], rows [r, out], columns [r, in] → [out, in, k…]."""
    return torch.einsum("ijthw,ip,jq->pqthw", core.double(), rows.double(), columns.double())


def pair(
    layer: Layer,
    *,
    spelling: str = "AB",
    rank: int = 4,
    alpha: float | None = None,
    scale: float | None = None,
    dtype: torch.dtype = torch.float32,
    one_dimensional: bool = False,
    plain: bool = False,
    with_bias: bool = False,
) -> Made:
    """Low rank: ΔW = alpha/rank · B·A; `scale` is the factor where the metadata say it, not a tensor."""
    down_name, up_name = SPELLINGS[spelling]
    inner = layer.weight.shape[1:]
    down = layer.drawn(rank, *inner).to(dtype)
    up = layer.drawn(layer.out, rank, *(1 for _ in inner[1:])).to(dtype)
    if plain:
        down, up = down.flatten(1), up.flatten(1)
    parts, said = _alpha(alpha, rank)
    if one_dimensional:
        parts = {name: value.to(dtype).reshape(1) for name, value in parts.items()}
    scale = said if scale is None else scale
    delta = {"weight": scale * _product(up, down).reshape(layer.weight.shape)}
    parts |= {down_name: down, up_name: up}
    if with_bias:
        parts[".lora_B.bias"] = layer.drawn(layer.out).to(dtype)
        delta["bias"] = scale * parts[".lora_B.bias"].double()
    return parts, delta


def locon_tucker(layer: Layer, *, rank: int = 3, alpha: float = 2.0) -> Made:
    """Convolution in three steps: down 1×1×1, a core of the layer's size, up 1×1×1."""
    _, into, *kernel = layer.weight.shape
    down, core = layer.drawn(rank, into, 1, 1, 1), layer.drawn(rank, rank, *kernel)
    up = layer.drawn(layer.out, rank, 1, 1, 1)
    parts, scale = _alpha(alpha, rank)
    parts |= {".lora_down.weight": down, ".lora_mid.weight": core, ".lora_up.weight": up}
    return parts, {"weight": scale * _tucker(core, up.flatten(1).T, down.flatten(1))}


def loha(layer: Layer, *, rank: int = 3, alpha: float | None = 6.0, tucker: bool = False) -> Made:
    """The product, entry by entry, of two low-rank matrices."""
    _, into, *kernel = layer.weight.shape
    parts, delta = {}, torch.tensor(1.0, dtype=torch.float64)
    for side in "12":
        if tucker:
            a, b = layer.drawn(rank, layer.out, std=0.4), layer.drawn(rank, into, std=0.4)
            core = parts[f".hada_t{side}"] = layer.drawn(rank, rank, *kernel, std=0.4)
            delta = delta * _tucker(core, a, b)
        else:
            a = layer.drawn(layer.out, rank, std=0.4)
            b = layer.drawn(rank, layer.weight[0].numel(), std=0.4)
            delta = delta * _product(a, b).reshape(layer.weight.shape)
        parts |= {f".hada_w{side}_a": a, f".hada_w{side}_b": b}
    said, scale = _alpha(alpha, rank)
    return parts | said, {"weight": scale * delta}


def _factors(size: int, near_square: bool) -> tuple[int, int]:
    """size = small · large, near its root or with a small factor of 2."""
    small = next(n for n in range(isqrt(size), 0, -1) if size % n == 0) if near_square else 2
    return small, size // small


def lokr(
    layer: Layer,
    *,
    first: str = "full",
    second: str = "full",
    rank: int = 3,
    alpha: float | None = 2.0,
    near_square: bool = False,
    scalar: float | None = None,
) -> Made:
    """kron(w1, w2), each stored "full", as "ab", or as "tucker"; alpha counts unless both are full."""
    _, into, *kernel = layer.weight.shape
    (o1, o2), (i1, i2) = _factors(layer.out, near_square), _factors(into, near_square)
    parts_1, w1 = _lokr_factor(layer, "1", first, rank, (o1, i1))
    parts_2, w2 = _lokr_factor(layer, "2", second, rank, (o2, i2, *kernel))
    said, scale = _alpha(alpha, rank)
    if first == second == "full":
        scale = 1.0
    if scalar is not None:
        said[".scalar"], scale = torch.tensor(scalar), scale * scalar
    delta = scale * torch.kron(w1.reshape(o1, i1, *(1 for _ in kernel)), w2.contiguous())
    return parts_1 | parts_2 | said, {"weight": delta}


def _lokr_factor(
    layer: Layer, side: str, form: str, rank: int, shape: tuple[int, ...]
) -> tuple[dict[str, Tensor], Tensor]:
    name, (out, into, *kernel) = f".lokr_w{side}", shape
    match form:
        case "full":
            whole = layer.drawn(*shape, std=0.4)
            return {name: whole}, whole.double()
        case "ab":
            a, b = layer.drawn(out, rank, std=0.4), layer.drawn(rank, torch.Size(shape[1:]).numel(), std=0.4)
            return {f"{name}_a": a, f"{name}_b": b}, _product(a, b).reshape(shape)
    a, b = layer.drawn(rank, out, std=0.4), layer.drawn(rank, into, std=0.4)
    core = layer.drawn(rank, rank, *kernel, std=0.4)
    return {f"{name}_a": a, f"{name}_b": b, f".lokr_t{side}": core}, _tucker(core, a, b)


def dora(layer: Layer, *, inner: Kind, name: str = ".dora_scale", axis: str = "out") -> Made:
    """Rows (or columns) of W + ΔW brought to a learned length; PEFT's spellings hold it flat."""
    parts, delta = inner(layer)
    changed = layer.weight + delta["weight"]
    over = [dimension for dimension in range(layer.weight.ndim) if dimension != ("out", "in").index(axis)]
    length = torch.linalg.vector_norm(changed, dim=over, keepdim=True)
    before = torch.linalg.vector_norm(layer.weight, dim=over, keepdim=True)
    wanted = (before * (1 + layer.drawn(*length.shape))).abs().float()
    parts[name] = wanted if name == ".dora_scale" else wanted.flatten()
    return parts, delta | {"weight": changed * (wanted.double() / length) - layer.weight}


def glora(layer: Layer, *, rank: int = 3, alpha: float = 2.0, old: bool = False) -> Made:
    """ΔW = scale · (b + W·a), a and b of low rank, in the new or the old order of the factors."""
    out, into = layer.weight.shape
    a_up, a_down = layer.drawn(into, rank), layer.drawn(rank, into)
    b_up, b_down = layer.drawn(out, rank), layer.drawn(rank, into)
    order = (a_down, a_up, b_down, b_up) if old else (a_up, a_down, b_up, b_down)
    parts, scale = _alpha(alpha, rank)
    parts |= dict(zip((".a1.weight", ".a2.weight", ".b1.weight", ".b2.weight"), order, strict=True))
    delta = _product(b_up, b_down) + layer.weight @ _product(a_up, a_down)
    return parts, {"weight": scale * delta}


def _cayley(skew: Tensor) -> Tensor:
    one = torch.eye(skew.shape[-1], dtype=torch.float64)
    return (one + skew) @ torch.linalg.inv(one - skew)


def _rescaled(layer: Layer, parts: dict[str, Tensor], turned: Tensor, rescale: bool) -> Made:
    if rescale:
        parts[".rescale"] = 1 + layer.drawn(layer.out, 1)
        turned = turned * parts[".rescale"].double()
    return parts, {"weight": turned - layer.weight}


def oft(layer: Layer, *, size: int = 4, rescale: bool = False, constraint: float = 0.0) -> Made:
    """Rows turned in blocks by orthogonal matrices; alpha holds the constraint, which counts per row."""
    blocks = layer.drawn(layer.out // size, size, size)
    skew = blocks.double() - blocks.double().mT
    most = constraint * layer.out
    if constraint and skew.norm() > most:
        skew = skew * (most / skew.norm())
    rows = layer.weight.reshape(-1, size, layer.weight.shape[1])
    turned = (_cayley(skew).mT @ rows).reshape(layer.weight.shape)
    parts = {".oft_blocks": blocks, ".alpha": torch.tensor(constraint)}
    return _rescaled(layer, parts, turned, rescale)


def boft(layer: Layer, *, size: int = 4, stages: int = 2, rescale: bool = False) -> Made:
    """Rows turned in several stages, each mixing rows twice as far apart as the one before."""
    out, into = layer.weight.shape
    blocks = layer.drawn(stages, out // size, size, size)
    rotations = _cayley(blocks.double() - blocks.double().mT)
    turned = layer.weight
    for stage, rotation in enumerate(rotations):
        apart = 2**stage * size // 2
        rows = turned.reshape(-1, 2, apart, into).transpose(1, 2).reshape(-1, size, into)
        turned = (rotation @ rows).reshape(-1, apart, 2, into).transpose(1, 2).reshape(out, into)
    parts = {".oft_blocks": blocks, ".alpha": torch.tensor(0.0)}
    return _rescaled(layer, parts, turned, rescale)


def ia3(layer: Layer, *, on_input: bool) -> Made:
    """Rows, or columns, of W in proportion to themselves."""
    out, into = layer.weight.shape
    factor = layer.drawn(into if on_input else out)
    delta = layer.weight * (factor.double() if on_input else factor.double()[:, None])
    return {".weight": factor, ".on_input": torch.tensor(int(on_input))}, {"weight": delta}


def difference(
    layer: Layer, *, names: tuple[str, str] = (".diff", ".diff_b"), drop: int = 0, std: float = 0.2
) -> Made:
    """The weight's and the bias's difference in full; `drop` leading axes of length 1 are left out."""
    weight, bias = names
    parts, delta = {}, {}
    if weight:
        parts[weight] = layer.drawn(*layer.weight.shape, std=std)
        delta["weight"] = parts[weight].double()
        parts[weight] = parts[weight].reshape(layer.weight.shape[drop:])
    if bias and layer.bias is not None:
        parts[bias] = layer.drawn(*layer.bias.shape, std=std)
        delta["bias"] = parts[bias].double()
    return parts, delta


def set_weight(layer: Layer) -> Made:
    """The weight replaced."""
    value = layer.drawn(*layer.weight.shape)
    return {".set_weight": value}, {"weight": value.double() - layer.weight}


def both(layer: Layer, *, kinds: tuple[Kind, ...]) -> Made:
    """Several kinds on one layer, which add."""
    parts: dict[str, Tensor] = {}
    delta: dict[str, Any] = {}
    for kind in kinds:
        more, differences = kind(layer)
        parts |= more
        for name, value in differences.items():
            delta[name] = delta.get(name, 0) + value
    return parts, delta


def rs_scale(alpha: float, rank: int) -> float:
    """The factor of a rank-stabilised pair."""
    return alpha / sqrt(rank)
