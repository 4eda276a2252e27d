"""What the parts of one layer amount to, from their shapes alone: the weight and the bias that they change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod

from catalog.errors import CatalogError

Shape = tuple[int, ...]
Parts = Mapping[str, Shape]
"""Canonical part (catalog.key_suffixes.PARTS) → shape of its tensor."""

ANY = -1
"""A side of the weight that the parts do not tell: OFT turns outputs, whatever goes in."""


class BadParts(CatalogError):
    """The parts of one layer do not make one change: something is missing, or does not fit the rest."""

    advice = "The layer is left out; the file’s maker may have a repaired one."


@dataclass(frozen=True, slots=True)
class Change:
    """What one layer's parts change.

    `weight` is the shape of the weight they fit, [out, in] or [out, in, k, k, k] or [out, in·k·k·k], or
    that of a vector; () when they change no weight. `vector` is not 0 for IA³ alone: the length of one side
    of the weight, its outputs or its inputs, which only the tensors' values can tell. `bias` is the
    length of the bias they change, 0 for none. `inputs` is how many a DoRA magnitude says that the layer
    has, 0 where none does: a flattened kernel hides it. `weight_parts` and `bias_parts` name the parts
    that do it.
    """

    kind: str = ""
    weight: Shape = ()
    vector: int = 0
    bias: int = 0
    inputs: int = 0
    weight_parts: frozenset[str] = frozenset()
    bias_parts: frozenset[str] = frozenset()


def change_of(parts: Parts) -> Change:
    """The change that the parts of one layer make; BadParts says in one sentence why they make none.

    Parts that mean nothing beside the others (an alpha without factors) are in neither set of names.
    """
    _check_sizes(parts)
    kinds = [kind for kind, (signs, *_) in _KINDS.items() if not signs.isdisjoint(parts)]
    bias = _bias(parts)
    bias_parts = frozenset(parts).intersection(_BIASES)
    if len(kinds) > 1:
        raise BadParts(f"It mixes {' and '.join(kinds)}; a layer can have only one of them.")
    if not kinds:
        _check_alone(parts, bool(bias))
        return Change(bias=bias, bias_parts=bias_parts)
    signs, extras, measure = _KINDS[kinds[0]]
    _check_extras(parts, extras, kinds[0])
    change = measure(parts)
    used = frozenset(parts).intersection(signs | extras)
    return replace(change, kind=kinds[0], bias=bias, weight_parts=used, bias_parts=bias_parts)


def fits(made: Shape, weight: Shape) -> bool:
    """Whether a change of shape `made` fits a weight: sides of 1 do not count behind the outputs, kernels may be
    flattened."""
    if len(weight) > 1 and weight[0] > 1 and made[:1] != weight[:1]:
        return False
    if ANY in made:
        return len(weight) > 1
    flat = (weight[0], prod(weight[1:]))
    return _squeezed(made) in (_squeezed(weight), _squeezed(flat))


def _squeezed(shape: Shape) -> Shape:
    return tuple(side for side in shape if side != 1)


def _check_sizes(parts: Parts) -> None:
    for part, shape in parts.items():
        if not prod(shape):
            raise BadParts(f"Its {part} is empty.")
        if part in _NUMBERS and prod(shape) != 1:
            raise BadParts(f"Its {part} is not one number but {_shown(shape)}.")


def _bias(parts: Parts) -> int:
    lengths = {part: prod(parts[part]) for part in _BIASES if part in parts}
    if len(lengths) > 1:
        raise BadParts(f"It mixes {' and '.join(lengths)}; a layer can have only one of them.")
    return next(iter(lengths.values()), 0)


def _check_alone(parts: Parts, has_bias: bool) -> None:
    if "dora_scale" in parts:
        raise BadParts("It has a DoRA magnitude without the factors that belong to it.")
    if "reshape_weight" in parts:
        raise BadParts("It widens the layer, which cannot be applied.")
    if not has_bias and ("weight" in parts or "bias" in parts):
        raise BadParts("It holds the weights of a model rather than a change to them.")


def _check_extras(parts: Parts, extras: frozenset[str], kind: str) -> None:
    for part in ("dora_scale", "scalar", "reshape_weight"):
        if part in parts and part not in extras:
            raise BadParts(f"It has a {part} beside {kind}, which cannot be applied.")


def _shown(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "a number"


def _need(parts: Parts, *names: str) -> list[Shape]:
    missing = [name for name in names if name not in parts]
    if missing:
        present = ", ".join(name for name in names if name in parts) or "the others"
        raise BadParts(f"It has {present} but not {' and '.join(missing)}: half of it is missing.")
    return [parts[name] for name in names]


def _same(what: str, one: int, other: int) -> None:
    if one != other:
        raise BadParts(f"Its {what} do not fit each other ({one} and {other}).")


def _matrix(name: str, shape: Shape) -> tuple[int, int]:
    """The shape of a factor whose kernel, if it has one, is 1×1×1."""
    if len(shape) < 2 or prod(shape[2:]) != 1:
        raise BadParts(f"Its {name} is {_shown(shape)}, not a matrix.")
    return shape[0], shape[1]


def _rows(name: str, shape: Shape) -> int:
    if len(shape) < 2:
        raise BadParts(f"Its {name} is {_shown(shape)}, not a matrix.")
    return shape[0]


def _low_rank(parts: Parts) -> Change:
    down, up = _need(parts, "down", "up")
    out, rank = _matrix("up", up)
    if "mid" in parts:
        weight = (out, *_tucker_core(parts["mid"], rank, _matrix("down", down)))
    else:
        _same("factors", _rows("down", down), rank)
        weight = (out, *down[1:])
    if "up_bias" in parts:
        _same("bias and its factors", prod(parts["up_bias"]), out)
    return Change(weight=weight, inputs=_dora_inputs(parts, weight))


def _tucker_core(mid: Shape, left: int, right: tuple[int, int]) -> Shape:
    """The inputs and the kernel of up · mid · down, mid [left, rank, k…] between up [out, left] and down [rank, in]."""
    _rows("Tucker core", mid)
    _same("Tucker core and its factors", mid[0], left)
    _same("Tucker core and its factors", mid[1], right[0])
    return right[1], *mid[2:]


def _loha(parts: Parts) -> Change:
    _need(parts, *(f"hada_w{n}_{side}" for n in "12" for side in "ab"))
    if "hada_t1" in parts or "hada_t2" in parts:
        _need(parts, "hada_t1", "hada_t2")
    first, second = (_hada(parts, which) for which in "12")
    if first != second:
        raise BadParts(f"Its two products do not fit each other ({_shown(first)} and {_shown(second)}).")
    return Change(weight=first, inputs=_dora_inputs(parts, first))


def _hada(parts: Parts, which: str) -> Shape:
    """The shape of one of the two products: [out, r] · [r, in·k…], or Tucker with a [r, out], b [r, in]."""
    a = _matrix(f"hada_w{which}_a", parts[f"hada_w{which}_a"])
    b = parts[f"hada_w{which}_b"]
    core = parts.get(f"hada_t{which}")
    if core is None:
        _same("factors", a[1], _rows(f"hada_w{which}_b", b))
        return (a[0], *b[1:])
    return (a[1], *_tucker_core(core, a[0], _matrix(f"hada_w{which}_b", b)))


def _lokr(parts: Parts) -> Change:
    if "lokr_t1" in parts:
        raise BadParts("It has a lokr_t1, which no trainer writes and nothing can apply.")
    first, second = _kron_side(parts, "lokr_w1"), _kron_side(parts, "lokr_w2")
    if len(first) != 2:
        raise BadParts(f"Its lokr_w1 is {_shown(first)}, not a matrix.")
    weight = (first[0] * second[0], first[1] * second[1], *second[2:])
    return Change(weight=weight, inputs=_dora_inputs(parts, weight))


def _kron_side(parts: Parts, side: str) -> Shape:
    """The shape of one side of a Kronecker product: whole, as two factors, or Tucker (a is [r, out] there)."""
    if side in parts:
        if not {f"{side}_a", f"{side}_b", f"lokr_t{side[-1]}"}.isdisjoint(parts):
            raise BadParts(f"It holds {side} both whole and as factors.")
        _rows(side, parts[side])
        return parts[side]
    if f"{side}_a" not in parts and f"{side}_b" not in parts:
        raise BadParts(f"It lacks its {side}: half of it is missing.")
    a, b = _need(parts, f"{side}_a", f"{side}_b")
    rows, columns = _matrix(f"{side}_a", a)
    core = parts.get("lokr_t2") if side == "lokr_w2" else None
    if core is not None:
        return (columns, *_tucker_core(core, rows, _matrix(f"{side}_b", b)))
    _same("factors", columns, _rows(f"{side}_b", b))
    return (rows, *b[1:])


def _glora(parts: Parts) -> Change:
    a1, a2, b1, b2 = (_matrix(name, shape) for name, shape in zip(_GLORA, _need(parts, *_GLORA), strict=True))
    if b1[0] < b1[1]:  # the old layout, each matrix on its side and in the other order
        a1, a2, b1, b2 = a2, a1, b2, b1
    _same("factors", a1[1], a2[0])
    _same("factors", b1[1], b2[0])
    for into in (a2[1], b2[1]):
        _same("two products", a1[0], into)
    return Change(weight=(b1[0], a1[0]))


def _oft(parts: Parts) -> Change:
    (blocks,) = _need(parts, "oft_blocks")
    if len(blocks) not in (3, 4) or blocks[-1] != blocks[-2]:
        raise BadParts(f"Its oft_blocks are {_shown(blocks)}, not square blocks.")
    out = blocks[-3] * blocks[-1]
    if len(blocks) == 4 and (blocks[-1] % 2 or blocks[-3] % (1 << (blocks[0] - 1))):
        raise BadParts(f"Its oft_blocks {_shown(blocks)} make no butterfly.")
    if "rescale" in parts:
        _same("blocks and its rescale", out, prod(parts["rescale"]))
    return Change(weight=(out, ANY))


def _ia3(parts: Parts) -> Change:
    weight, _ = _need(parts, "weight", "on_input")
    return Change(vector=prod(weight))


def _stored(part: str) -> Callable[[Parts], Change]:
    return lambda parts: Change(weight=parts[part] or (1,))


def _dora_inputs(parts: Parts, weight: Shape) -> int:
    """How many inputs the magnitude is for: [1, in, 1, …]. 0 for one per output ([out], [out, 1, …]), or none."""
    magnitude = parts.get("dora_scale")
    if magnitude is None:
        return 0
    sides = (magnitude[0], prod(magnitude[1:])) if magnitude else (1, 1)
    if sides == (weight[0], 1):
        return 0
    is_flat = len(weight) == 2 and len(magnitude) > 2  # the kernel is in the weight's second side
    if (
        len(magnitude) > 1
        and sides[0] == 1
        and (sides[1] == weight[1] or is_flat and not weight[1] % sides[1])
    ):
        return sides[1]
    raise BadParts(f"Its DoRA magnitude is {_shown(magnitude)}, its weight {_shown(weight)}.")


_NUMBERS = ("alpha", "scalar", "on_input")
_BIASES = ("diff_b", "b_norm")
_GLORA = ("glora_a1", "glora_a2", "glora_b1", "glora_b2")
_SCALES = frozenset({"alpha", "scalar"})
_KINDS: dict[str, tuple[frozenset[str], frozenset[str], Callable[[Parts], Change]]] = {
    "lora": (frozenset({"down", "up", "mid", "up_bias"}), _SCALES | {"dora_scale"}, _low_rank),
    "loha": (
        frozenset(f"hada_{name}" for name in ("w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2")),
        _SCALES | {"dora_scale"},
        _loha,
    ),
    "lokr": (
        frozenset(f"lokr_{n}" for n in ("w1", "w2", "w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2")),
        _SCALES | {"dora_scale"},
        _lokr,
    ),
    "glora": (frozenset(_GLORA), _SCALES, _glora),
    "oft": (frozenset({"oft_blocks", "rescale"}), frozenset({"alpha"}), _oft),
    "ia3": (frozenset({"on_input"}), frozenset({"weight"}), _ia3),
    "full": (frozenset({"diff"}), frozenset(), _stored("diff")),
    "norm": (frozenset({"w_norm"}), frozenset(), _stored("w_norm")),
    "set_weight": (frozenset({"set_weight"}), frozenset(), _stored("set_weight")),
}
"""Kind → its own parts, the parts that may stand beside them, and what they change."""
