"""The ends of tensor names → the parts of adapters that they mean, for every kind and every trainer's spelling."""

LONGEST = 1000
"""No trainer writes names of more characters; what they mean is not looked for."""

_PAIR = {"A": "down", "B": "up", "down": "down", "up": "up"}
SUFFIXES = {
    **{f".lora_{name}.weight": part for name, part in _PAIR.items()},
    **{f".lora_{name}": part for name, part in _PAIR.items()},
    **{f"{stem}.{part}.weight": part for stem in (".lora", ".lora_linear_layer") for part in ("down", "up")},
    ".lora_mid.weight": "mid",
    ".lora_B.bias": "up_bias",
    ".lora_magnitude_vector": "dora_scale",
    ".lora_magnitude_vector.weight": "dora_scale",
    **{f".hada_{name}": f"hada_{name}" for name in ("w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2")},
    **{f".lokr_{name}": f"lokr_{name}" for name in ("w1", "w2", "w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2")},
    **{f".{name}.weight": f"glora_{name}" for name in ("a1", "a2", "b1", "b2")},
    **{
        f".{name}": name
        for name in (
            *(
                "alpha",
                "dora_scale",
                "scalar",
                "oft_blocks",
                "rescale",
                "on_input",
                "diff",
                "diff_b",
                "diff_m",
            ),
            *("w_norm", "b_norm", "set_weight", "reshape_weight", "weight", "bias"),
        )
    },
}
# a suffix that continues the last name of the path rather than following a dot
_UNDERSCORE_SUFFIXES = {"_lora.down.weight": "down", "_lora.up.weight": "up"}
# `.lora_A.<adapter>.weight`: PEFT puts the adapter's name, whatever it is, into the key
_NAMED_SUFFIXES = {
    ("lora_A", "weight"): "down",
    ("lora_B", "weight"): "up",
    ("lora_B", "bias"): "up_bias",
    ("lora_magnitude_vector", "weight"): "dora_scale",
}
# kinds of adapters that cannot be applied, by what their names contain
UNSUPPORTED = {
    "oft_R": "PEFT OFT is not supported",
    "vera_": "VeRA is not supported",
    "lora_embedding_": "LoRA on an embedding is not supported",
    "ia3_l": "PEFT IA3 is not supported",
}

PARTS = frozenset(SUFFIXES.values()) - {"diff_m"}
"""Every canonical part of an adapter.

down, up, mid, up_bias, alpha, scalar: a low-rank pair · dora_scale: its (or another kind's) magnitude ·
hada_…: LoHa · lokr_…: LoKr · glora_a1 … glora_b2: GLoRA · oft_blocks, rescale: diag-OFT (3-D) and BOFT (4-D)
· weight with on_input: IA3; weight and bias alone: the parameter itself, a whole model rather than an
adapter · diff, diff_b: added to weight and bias (`blocks.N.diff_m` arrives as diff of the scale_shift_table)
· w_norm, b_norm: the same for a norm · set_weight: replaces · reshape_weight: pads first.
"""


def split_suffix(rest: str) -> tuple[str, str]:
    """Module path and canonical part; the part is "" when no suffix is known."""
    if len(rest) > LONGEST:
        return rest, ""
    for suffix, part in _UNDERSCORE_SUFFIXES.items():
        if rest.endswith(suffix):
            return rest[: -len(suffix)], part
    dot = rest.find(".")
    while dot >= 0:
        tail = rest[dot:]
        known = SUFFIXES.get(tail) or _named(tail)
        if known:
            return rest[:dot], known
        dot = rest.find(".", dot + 1)
    return rest, ""


def _named(tail: str) -> str | None:
    pieces = tail.split(".")
    return _NAMED_SUFFIXES.get((pieces[1], pieces[3])) if len(pieces) == 4 and pieces[2] else None
