"""Adapters that change nothing: factors that were never trained, or a scale, are zeros."""

from collections.abc import Collection, Mapping

_FACTORS = frozenset(
    ("down", "up", "mid")
    + tuple(f"hada_{name}" for name in ("w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2"))
    + tuple(f"lokr_{name}" for name in ("w1", "w2", "w1_a", "w1_b", "w2_a", "w2_b", "t2"))
)
_SUMMANDS = frozenset({"diff", "diff_b", "w_norm", "b_norm", "up_bias"})
_SCALES = frozenset({"alpha", "scalar"})
_UNSCALED = frozenset({"lokr_w1", "lokr_w2"})  # both whole: their alpha means nothing


def is_silent(layers: Collection[Mapping[str, str]], zeros: Collection[str]) -> bool:
    """Whether no layer (part → key) adds anything, `zeros` being the keys of tensors full of zeros."""
    return bool(layers) and all(_adds_nothing(keys, zeros) for keys in layers)


def _adds_nothing(keys: Mapping[str, str], zeros: Collection[str]) -> bool:
    if not keys.keys() <= _FACTORS | _SUMMANDS | _SCALES:
        return False
    factors = [key for part, key in keys.items() if part in _FACTORS]
    summands = [key for part, key in keys.items() if part in _SUMMANDS]
    scales = () if keys.keys() >= _UNSCALED else (key for part, key in keys.items() if part in _SCALES)
    is_flat = not factors or any(key in zeros for key in (*factors, *scales))
    return is_flat and all(key in zeros for key in summands)
