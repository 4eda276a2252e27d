"""The shapes of a layer's parts say what they change, for every kind; what does not fit together is named."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.inventory import inventory
from catalog.key_suffixes import PARTS
from catalog.shapes import ANY, BadParts, Parts, change_of, fits

KINDS: list[tuple[str, Parts, str, tuple[int, ...]]] = [
    ("pair", {"down": (4, 96), "up": (64, 4)}, "lora", (64, 96)),
    ("pair with alpha", {"down": (4, 96), "up": (64, 4), "alpha": (1,), "scalar": ()}, "lora", (64, 96)),
    ("pair with a bias", {"down": (4, 96), "up": (64, 4), "up_bias": (64,)}, "lora", (64, 96)),
    ("pair on a 1×1 kernel", {"down": (4, 96, 1, 1), "up": (64, 4, 1, 1)}, "lora", (64, 96, 1, 1)),
    ("conv pair", {"down": (4, 16, 1, 2, 2), "up": (64, 4, 1, 1, 1)}, "lora", (64, 16, 1, 2, 2)),
    ("conv pair, flattened", {"down": (4, 64), "up": (64, 4)}, "lora", (64, 64)),
    (
        "Tucker pair",
        {"down": (4, 16, 1, 1, 1), "mid": (4, 4, 1, 2, 2), "up": (64, 4, 1, 1, 1)},
        "lora",
        (64, 16, 1, 2, 2),
    ),
    ("DoRA, outputs", {"down": (4, 96), "up": (64, 4), "dora_scale": (64, 1)}, "lora", (64, 96)),
    ("DoRA, outputs, PEFT", {"down": (4, 96), "up": (64, 4), "dora_scale": (64,)}, "lora", (64, 96)),
    ("DoRA, inputs", {"down": (4, 96), "up": (64, 4), "dora_scale": (1, 96)}, "lora", (64, 96)),
    (
        "LoHa",
        {"hada_w1_a": (64, 4), "hada_w1_b": (4, 96), "hada_w2_a": (64, 4), "hada_w2_b": (4, 96)},
        "loha",
        (64, 96),
    ),
    (
        "LoHa, Tucker",
        {
            "hada_w1_a": (4, 64),
            "hada_w1_b": (4, 16),
            "hada_t1": (4, 4, 1, 2, 2),
            "hada_w2_a": (4, 64),
            "hada_w2_b": (4, 16),
            "hada_t2": (4, 4, 1, 2, 2),
        },
        "loha",
        (64, 16, 1, 2, 2),
    ),
    ("LoKr, whole", {"lokr_w1": (8, 8), "lokr_w2": (8, 12), "alpha": ()}, "lokr", (64, 96)),
    ("LoKr, w2 in factors", {"lokr_w1": (8, 8), "lokr_w2_a": (8, 2), "lokr_w2_b": (2, 12)}, "lokr", (64, 96)),
    ("LoKr, w1 in factors", {"lokr_w1_a": (8, 2), "lokr_w1_b": (2, 8), "lokr_w2": (8, 12)}, "lokr", (64, 96)),
    (
        "LoKr, all in factors, DoRA",
        {
            "lokr_w1_a": (8, 2),
            "lokr_w1_b": (2, 8),
            "lokr_w2_a": (8, 2),
            "lokr_w2_b": (2, 12),
            "dora_scale": (64, 1),
        },
        "lokr",
        (64, 96),
    ),
    ("LoKr, conv", {"lokr_w1": (8, 4), "lokr_w2": (8, 4, 1, 2, 2)}, "lokr", (64, 16, 1, 2, 2)),
    (
        "LoKr, conv, factors",
        {"lokr_w1": (8, 4), "lokr_w2_a": (8, 2), "lokr_w2_b": (2, 16)},
        "lokr",
        (64, 64),
    ),
    (
        # here the factor's second axis is not the rank
        "LoKr, Tucker",
        {"lokr_w1": (8, 4), "lokr_w2_a": (2, 8), "lokr_w2_b": (2, 4), "lokr_t2": (2, 2, 1, 2, 2)},
        "lokr",
        (64, 16, 1, 2, 2),
    ),
    (
        "GLoRA",
        {"glora_a1": (96, 4), "glora_a2": (4, 96), "glora_b1": (64, 4), "glora_b2": (4, 96)},
        "glora",
        (64, 96),
    ),
    (
        "GLoRA, old layout",
        {"glora_a1": (4, 96), "glora_a2": (96, 4), "glora_b1": (4, 96), "glora_b2": (64, 4)},
        "glora",
        (64, 96),
    ),
    ("OFT", {"oft_blocks": (16, 4, 4), "rescale": (64, 1), "alpha": ()}, "oft", (64, ANY)),
    ("BOFT", {"oft_blocks": (3, 16, 4, 4)}, "oft", (64, ANY)),
    ("difference", {"diff": (64, 96)}, "full", (64, 96)),
    ("norm", {"w_norm": (64,), "b_norm": (64,)}, "norm", (64,)),
    ("replacement", {"set_weight": (64, 96)}, "set_weight", (64, 96)),
    ("bias alone", {"diff_b": (64,)}, "", ()),
]


@pytest.mark.parametrize(("parts", "kind", "weight"), [c[1:] for c in KINDS], ids=[c[0] for c in KINDS])
def test_every_kind_says_which_weight_it_fits(parts: Parts, kind: str, weight: tuple[int, ...]) -> None:
    change = change_of(parts)
    assert (change.kind, change.weight) == (kind, weight)
    assert change.weight_parts | change.bias_parts == set(parts)


def test_a_vector_over_one_side_waits_for_the_weight() -> None:
    change = change_of({"weight": (96,), "on_input": ()})
    assert (change.kind, change.weight, change.vector) == ("ia3", (), 96)


def test_the_bias_is_told_apart_from_the_weight() -> None:
    change = change_of({"down": (4, 96), "up": (64, 4), "diff_b": (64,)})
    assert (change.weight, change.bias) == ((64, 96), 64)
    assert (change.weight_parts, change.bias_parts) == ({"down", "up"}, {"diff_b"})


def test_an_alpha_alone_changes_nothing() -> None:
    change = change_of({"alpha": ()})
    assert not change.weight_parts | change.bias_parts


WRONG: list[tuple[str, Parts, str]] = [
    ("half a pair", {"down": (4, 96)}, "not up"),
    ("the other half", {"up": (64, 4)}, "not down"),
    ("half a bias pair", {"up_bias": (64,)}, "half of it is missing"),
    ("ranks", {"down": (4, 96), "up": (64, 8)}, "4 and 8"),
    ("no matrix", {"down": (4,), "up": (64, 4)}, "not a matrix"),
    ("kernel in up", {"down": (4, 16), "up": (64, 4, 1, 2, 2)}, "not a matrix"),
    ("nothing in it", {"down": (0, 96), "up": (64, 0)}, "empty"),
    ("many alphas", {"down": (4, 96), "up": (64, 4), "alpha": (4,)}, "not one number"),
    ("bias of another layer", {"down": (4, 96), "up": (64, 4), "up_bias": (63,)}, "63 and 64"),
    ("Tucker core", {"down": (4, 16), "mid": (8, 8, 1, 2, 2), "up": (64, 4)}, "Tucker core"),
    ("DoRA of no side", {"down": (4, 96), "up": (64, 4), "dora_scale": (96,)}, "DoRA magnitude is 96"),
    ("DoRA alone", {"dora_scale": (64,)}, "without the factors"),
    ("DoRA over a difference", {"diff": (64, 96), "dora_scale": (64,)}, "cannot be applied"),
    ("half a LoHa", {"hada_w1_a": (64, 4), "hada_w1_b": (4, 96)}, "half of it is missing"),
    (
        "half a Tucker LoHa",
        {
            "hada_w1_a": (4, 64),
            "hada_w1_b": (4, 16),
            "hada_t1": (4, 4, 1, 2, 2),
            "hada_w2_a": (4, 64),
            "hada_w2_b": (4, 16),
        },
        "not hada_t2",
    ),
    (
        "unequal LoHa",
        {"hada_w1_a": (64, 4), "hada_w1_b": (4, 96), "hada_w2_a": (64, 4), "hada_w2_b": (4, 95)},
        "64×96 and 64×95",
    ),
    ("half a LoKr", {"lokr_w1": (8, 8)}, "lacks its lokr_w2"),
    ("half of a half", {"lokr_w1": (8, 8), "lokr_w2_a": (8, 2)}, "not lokr_w2_b"),
    ("LoKr twice", {"lokr_w1": (8, 8), "lokr_w2": (8, 12), "lokr_w2_a": (8, 2)}, "both whole and"),
    ("LoKr core", {"lokr_w1": (8, 8), "lokr_w2": (8, 8), "lokr_t1": (2, 2, 1)}, "lokr_t1"),
    ("half a GLoRA", {"glora_a1": (96, 4), "glora_a2": (4, 96)}, "not glora_b1"),
    ("OFT of no squares", {"oft_blocks": (16, 4, 5)}, "not square"),
    ("BOFT of three", {"oft_blocks": (3, 6, 4, 4)}, "no butterfly"),
    ("rescale alone", {"rescale": (64, 1)}, "not oft_blocks"),
    ("a switch alone", {"on_input": ()}, "not weight"),
    ("two kinds", {"down": (4, 96), "up": (64, 4), "diff": (64, 96)}, "mixes lora and full"),
    ("two biases", {"diff_b": (64,), "b_norm": (64,)}, "mixes diff_b and b_norm"),
    ("a model's weight", {"weight": (64, 96), "bias": (64,)}, "rather than a change"),
    ("a wider layer", {"reshape_weight": (5,)}, "widens"),
]


@pytest.mark.parametrize(("parts", "words"), [c[1:] for c in WRONG], ids=[c[0] for c in WRONG])
def test_what_makes_no_change_says_why(parts: Parts, words: str) -> None:
    with pytest.raises(BadParts, match=words):
        change_of(parts)


@pytest.mark.parametrize(
    ("made", "weight", "does_fit"),
    [
        ((64, 96), (64, 96), True),
        ((96, 64), (64, 96), False),
        ((6, 64), (1, 6, 64), True),
        ((1, 6, 64), (1, 6, 64), True),
        ((6, 64), (1, 2, 64), False),
        ((64, 16, 1, 2, 2), (64, 16, 1, 2, 2), True),
        ((64, 64), (64, 16, 1, 2, 2), True),
        ((64, 36, 1, 2, 2), (64, 16, 1, 2, 2), False),
        ((64,), (64,), True),
        ((64, ANY), (64, 7), True),
        ((64, ANY), (63, 7), False),
        ((64, ANY), (64,), False),
    ],
)
def test_sides_of_one_do_not_count_and_kernels_may_be_flat(
    made: tuple[int, ...], weight: tuple[int, ...], does_fit: bool
) -> None:
    assert fits(made, weight) is does_fit


SHAPES = st.lists(st.integers(0, 9), max_size=5).map(tuple)
WEIGHTS = st.sampled_from(sorted(set(inventory({"num_layers": 1, "image_dim": 8, "ffn_dim": 9}).values())))


@given(st.dictionaries(st.sampled_from(sorted(PARTS)), SHAPES, min_size=1, max_size=5), WEIGHTS)
def test_any_shapes_are_a_change_or_a_sentence(parts: Parts, weight: tuple[int, ...]) -> None:
    with suppress(BadParts):
        change = change_of(parts)
        assert change.weight_parts | change.bias_parts <= set(parts)
        assert not change.weight_parts & change.bias_parts
        if change.weight:
            assert isinstance(fits(change.weight, weight), bool)
