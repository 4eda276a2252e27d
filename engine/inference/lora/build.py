"""One layer's tensors → its delta: tried kind by kind, the first that fits the tensors' names wins."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from engine.errors import AdapterRefused
from engine.inference.lora.deltas import Delta, LoHa, LoKr, LowRank
from engine.inference.lora.scale import pair_scale

Parts = Mapping[str, Tensor]
Builder = Callable[[Parts, Mapping[str, Any], str], Delta]

_LOHA = ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b")


def build(parts: Parts, config: Mapping[str, Any], module: str) -> tuple[str, Delta]:
    """(kind, delta) of one layer from its parts (canonical suffix → tensor).

    Raises AdapterRefused, naming the layer, for half a pair, factors that do not fit each other,
    or a kind that cannot be applied.
    """
    names = frozenset(parts) - {"alpha"}
    for kind, fits, builder in _KINDS:
        if fits(names):
            return kind, builder(parts, config, module)
    if names and names <= {"down", "up"}:
        raise AdapterRefused(f"{module} has only one half of its LoRA pair ({', '.join(sorted(names))}).")
    raise AdapterRefused(f"{module} uses {', '.join(sorted(names))}, which cannot be applied.")


def _alpha(parts: Parts) -> float | None:
    return float(parts["alpha"].flatten()[0]) if "alpha" in parts else None


def _low_rank(parts: Parts, config: Mapping[str, Any], module: str) -> Delta:
    down, up = parts["down"], parts["up"]
    _matrices(module, down, up)
    _same(module, up.shape[1], down.shape[0])
    return LowRank(down, up, pair_scale(down.shape[0], _alpha(parts), config, module))


def _loha(parts: Parts, config: Mapping[str, Any], module: str) -> Delta:
    a1, b1, a2, b2 = (parts[name] for name in _LOHA)
    _matrices(module, a1, b1, a2, b2)
    _same(module, a1.shape[1], b1.shape[0])
    _same(module, a2.shape[1], b2.shape[0])
    _same(module, a1.shape[0], a2.shape[0])
    _same(module, b1.shape[1], b2.shape[1])
    return LoHa(a1, b1, a2, b2, pair_scale(b1.shape[0], _alpha(parts), {}, module))


def _lokr(parts: Parts, config: Mapping[str, Any], module: str) -> Delta:
    sides = {side: _side(parts, side, module) for side in ("lokr_w1", "lokr_w2")}
    w1, w2 = sides["lokr_w1"], sides["lokr_w2"]
    if len(w1) == len(w2) == 1:
        return LoKr(w1, w2, 1.0)  # both stored full: alpha has no meaning
    rank = (w2 if len(w2) == 2 else w1)[1].shape[0]
    return LoKr(w1, w2, pair_scale(rank, _alpha(parts), {}, module))


def _side(parts: Parts, side: str, module: str) -> tuple[Tensor, ...]:
    if side in parts:
        _matrices(module, parts[side])
        return (parts[side],)
    try:
        a, b = parts[f"{side}_a"], parts[f"{side}_b"]
    except KeyError as error:
        raise AdapterRefused(f"{module} lacks its {error.args[0]}.") from error
    _matrices(module, a, b)
    _same(module, a.shape[1], b.shape[0])
    return a, b


def _matrices(module: str, *factors: Tensor) -> None:
    for factor in factors:
        if factor.ndim != 2 or not factor.numel():
            raise AdapterRefused(f"{module} has a factor of shape {list(factor.shape)}, not a matrix.")


def _same(module: str, one: int, other: int) -> None:
    if one != other:
        raise AdapterRefused(f"The factors of {module} do not fit each other ({one} and {other}).")


_KINDS: tuple[tuple[str, Callable[[frozenset[str]], bool], Builder], ...] = (
    ("lora", lambda names: names == {"down", "up"}, _low_rank),
    ("loha", lambda names: names == set(_LOHA), _loha),
    (
        "lokr",
        lambda names: (
            bool(names)
            and all(n.startswith("lokr_w") for n in names)
            and bool(names & {"lokr_w1", "lokr_w1_a"})
            and bool(names & {"lokr_w2", "lokr_w2_a"})
        ),
        _lokr,
    ),
)
