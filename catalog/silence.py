"""Adapters that change nothing: factors that were never trained, or a scale, are zeros."""

from collections.abc import Collection, Mapping

# what vanishes as soon as one of its factors does
_PRODUCTS = (
    frozenset({"down", "up", "mid"}),
    frozenset(f"hada_{name}" for name in ("w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2")),
    frozenset(f"lokr_{name}" for name in ("w1", "w2", "w1_a", "w1_b", "w2_a", "w2_b", "t2")),
    frozenset({"glora_a1", "glora_a2"}),
    frozenset({"glora_b1", "glora_b2"}),
)
_SUMMANDS = frozenset({"diff", "diff_b", "w_norm", "b_norm", "up_bias", "oft_blocks"})
_IA3 = frozenset({"weight", "on_input"})
_SCALES = frozenset({"alpha", "scalar"})
_KNOWN = _SUMMANDS.union(_SCALES, _IA3, *_PRODUCTS)
_UNSCALED = frozenset({"lokr_w1", "lokr_w2"})  # both whole: their alpha means nothing


def is_silent(layers: Collection[Mapping[str, str]], zeros: Collection[str]) -> bool:
    """Whether no layer (part → key) adds anything, `zeros` being the keys of tensors full of zeros."""
    return bool(layers) and all(_adds_nothing(keys, zeros) for keys in layers)


def _adds_nothing(keys: Mapping[str, str], zeros: Collection[str]) -> bool:
    parts, flat = keys.keys(), {part for part, key in keys.items() if key in zeros}
    if not parts <= _KNOWN or ("weight" in parts) != ("on_input" in parts):
        return False
    scales = _SCALES - {"alpha"} if parts >= _UNSCALED else _SCALES
    needed = _SUMMANDS | (_IA3 - {"on_input"})
    products = [product for product in _PRODUCTS if not product.isdisjoint(parts)]
    is_flat = not flat.isdisjoint(scales) or all(not product.isdisjoint(flat) for product in products)
    return is_flat and all(part in flat for part in parts if part in needed)
