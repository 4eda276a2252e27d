"""Every tensor of a file is applied, explained or in error, and a file for another model is refused whole."""

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.coverage import Cover, cover
from catalog.coverage_words import full_text
from catalog.identify import identify
from catalog.inventory import Inventory, inventories, inventory
from catalog.key_styles import ParsedKey, parse_keys
from catalog.key_suffixes import SUFFIXES
from catalog.models import Expert, find_model
from tests.unit.catalog.builders import Shapes, header_of, pair, sdxl_lora, wan_lora

WIDTH, FFN = 96, 160
SMALL = {"num_attention_heads": 8, "attention_head_dim": 12, "ffn_dim": FFN, "num_layers": 2, "text_dim": 64}
IMAGE = {"image_dim": 20, "added_kv_proj_dim": WIDTH, "in_channels": 36}
T2V, I2V = inventory(SMALL), inventory(SMALL | IMAGE)
FLF2V = inventory(SMALL | IMAGE | {"pos_embed_seq_len": 8})
VACE = inventory(SMALL | {"vace_layers": [0, 1], "vace_in_channels": 12})

ALONE: dict[Expert, Inventory] = {"high": T2V}
TWO: dict[Expert, Inventory] = {"high": T2V, "low": T2V}
Q = "diffusion_model.blocks.0.self_attn.q"


def laid(shapes: Shapes, model: Inventory | Mapping[Expert, Inventory] = T2V) -> Cover:
    experts = model if "high" in model else {"high": model}
    return cover(header_of(shapes), experts)  # type: ignore[arg-type]


def lora(prefix: str = "diffusion_model.", blocks: int = 2) -> dict[str, tuple[int, ...]]:
    return wan_lora(WIDTH, blocks, prefix=prefix, ffn=FFN)


def reasons(found: Cover) -> dict[str, str]:
    return dict(found.coverage.ignored)


def test_a_lora_that_fits_applies_whole() -> None:
    found = laid(lora(), TWO)
    assert (found.refusal, found.coverage.ignored, found.coverage.errors) == ("", (), ())
    assert (found.coverage.modules, found.coverage.of, found.coverage.experts) == (20, 20, ("high", "low"))
    assert found.applied[None, "blocks.1.ffn.net.2"] == {
        "down": "diffusion_model.blocks.1.ffn.2.lora_A.weight",
        "up": "diffusion_model.blocks.1.ffn.2.lora_B.weight",
    }


def test_shares_by_block_and_by_layer() -> None:
    shapes = lora() | pair("head.head", 4, WIDTH, 64) | pair("blocks.0.cross_attn.k_img", 4, WIDTH, WIDTH)
    found = laid(shapes).coverage
    assert [(s.name, s.applied, s.of) for s in found.blocks] == [
        ("blocks.0", 10, 11),
        ("blocks.1", 10, 10),
        ("other", 1, 1),
    ]
    shares = {share.name: (share.applied, share.of) for share in found.layers}
    assert (shares["attn1.to_q"], shares["attn2.add_k_proj"], shares["head"]) == ((2, 2), (0, 1), (1, 1))


def test_the_demo_takes_its_own_size() -> None:
    experts = inventories(find_model("demo"))
    assert cover(header_of(wan_lora(192, 6, ffn=768)), experts).coverage.modules == 60


# Slots: which expert a file speaks of.


def test_prefixes_lead_to_their_experts() -> None:
    found = laid(lora("transformer.") | lora("transformer_2."), TWO)
    assert Counter(slot for slot, _ in found.applied) == {"high": 20, "low": 20}
    assert (found.coverage.modules, found.coverage.of) == (40, 40)
    low = laid(lora("transformer_2."), TWO)
    assert low.coverage.experts == ("low",)


def test_a_model_with_one_expert_takes_what_is_not_for_the_other() -> None:
    found = laid(lora("diffusion_model.transformer_1.") | lora("diffusion_model.transformer_2."))
    assert found.coverage.modules == 20
    assert set(reasons(found).values()) == {"for the low-noise expert, which this model lacks"}
    assert "low-noise expert" in laid(lora("transformer_2.")).refusal


def test_a_layer_for_one_and_for_both_is_an_error() -> None:
    shapes = pair(Q, 4, WIDTH, WIDTH) | pair(Q.replace("blocks", "transformer_1.blocks"), 4, WIDTH, WIDTH)
    found = laid(shapes, TWO)
    assert found.coverage.modules == 1
    assert found.coverage.errors == (
        ("blocks.0.attn1.to_q", "It stands in the file both for one expert and for both."),
    )


# What has no place in the model.

OPTIONAL = [
    ("blocks.0.cross_attn.k_img", (WIDTH, WIDTH), "image branch", I2V),
    ("img_emb.proj.1", (20, 20), "image branch", I2V),
    ("vace_blocks.1.self_attn.q", (WIDTH, WIDTH), "VACE", VACE),
    ("vace_blocks.0.before_proj", (WIDTH, WIDTH), "VACE", VACE),
]


@pytest.mark.parametrize(("path", "shape", "words", "home"), OPTIONAL)
def test_modules_of_relatives_are_left_out_by_name(
    path: str, shape: tuple[int, int], words: str, home: Inventory
) -> None:
    shapes = lora() | pair(path, 4, *shape)
    found = laid(shapes)
    assert (found.refusal, found.coverage.modules, found.coverage.of) == ("", 20, 21)
    assert all(words in reason and "lacks" in reason for reason in reasons(found).values())
    assert set(reasons(found)) == {f"{path}.lora_A.weight", f"{path}.lora_B.weight"}
    assert f"{path}.lora_A.weight" not in reasons(laid(shapes, home))


def test_positions_of_first_and_last_frames() -> None:
    shapes = lora() | {"img_emb.emb_pos.diff": (1, 8, 20)}
    assert "first-and-last-frame" in reasons(laid(shapes, I2V))["img_emb.emb_pos.diff"]
    assert laid(shapes, FLF2V).coverage.modules == 21


STRANGERS = [
    ("text_encoder.layers.0.lora_A.weight", "text encoder", 0),
    ("diffusion_model.face_adapter.fuser_blocks.0.linear2.lora_A.weight", "belongs to Wan Animate", 1),
    (f"{Q}.lora_Q.weight", "unknown kind of tensor", 0),
    ("diffusion_model.blocks.1.cross_attn.norm_q.alpha", "an alpha without factors", 1),
    ("diffusion_model.blocks.0.bogus.lora_A.weight", "no such module in a Wan transformer", 1),
    (f"{Q}.rescale_me.weight", "unknown kind of tensor", 0),
]


@pytest.mark.parametrize(("key", "reason", "more"), STRANGERS)
def test_what_is_nobodys_is_explained(key: str, reason: str, more: int) -> None:
    shape = () if key.endswith("alpha") else (4, 4)
    found = laid(lora() | {key: shape})
    assert reasons(found) == {key: reason}
    assert (found.coverage.modules, found.coverage.of) == (20, 20 + more)


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ({"patch_embedding.diff": (WIDTH, 36, 1, 2, 2)}, "made for 36 input channels; this model takes 16"),
        (pair("patch_embedding", 4, 36 * 4, WIDTH), "made for 36 input channels; this model takes 16"),
        (pair("head.head", 4, WIDTH, 48 * 4), "made for 48 output channels; this model has 16"),
        ({"head.head.diff_b": (48 * 4,)}, "made for 48 output channels; this model has 16"),
    ],
)
def test_ends_of_another_number_of_channels_are_left_out(shapes: Shapes, words: str) -> None:
    found = laid(lora() | dict(shapes))
    assert (found.refusal, found.coverage.modules) == ("", 20)
    assert set(reasons(found).values()) == {words}


def test_the_bias_of_the_patch_embedding_is_kept_when_its_weight_is_not() -> None:
    shapes = {"patch_embedding.diff": (WIDTH, 36, 1, 2, 2), "patch_embedding.diff_b": (WIDTH,)}
    assert laid(lora() | shapes).applied[None, "patch_embedding"] == {"diff_b": "patch_embedding.diff_b"}


# What is wrong in one layer does not harm the others.

WRONG = [
    ({f"{Q}.lora_A.weight": (4, WIDTH)}, "not up"),
    ({f"{Q}.lora_A.weight": (4, WIDTH), f"{Q}.lora_B.weight": (WIDTH, 5)}, "4 and 5"),
    ({f"{Q}.weight": (WIDTH, WIDTH)}, "rather than a change"),
    (pair(Q, 4, WIDTH, WIDTH) | pair(Q, 4, WIDTH, WIDTH, "down"), "say the same of it twice"),
]


@pytest.mark.parametrize(("shapes", "words"), WRONG)
def test_a_broken_layer_is_named_and_the_rest_applies(shapes: Shapes, words: str) -> None:
    others = {key: shape for key, shape in lora().items() if not key.startswith(Q)}
    found = laid(others | dict(shapes))
    assert (found.refusal, found.coverage.modules, found.coverage.of) == ("", 19, 20)
    ((module, sentence),) = found.coverage.errors
    assert module == "blocks.0.attn1.to_q"
    assert words in sentence


def test_a_kind_that_cannot_be_applied_is_an_error_of_its_module() -> None:
    found = laid(lora(blocks=1) | {"transformer.blocks.1.attn1.to_q.oft_R.default.weight": (4, 6)})
    assert found.coverage.errors == (("blocks.1.attn1.to_q", "PEFT OFT is not supported."),)
    assert (found.coverage.ignored, found.coverage.modules, found.coverage.of) == ((), 10, 11)
    alone = laid({"transformer.blocks.1.attn1.to_q.oft_R.default.weight": (4, 6)})
    assert alone.refusal == "None of its layers can be applied. PEFT OFT is not supported."


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        ("blocks.0.diff_m", (1, 6, WIDTH)),
        ("blocks.0.diff_m", (6, WIDTH)),
        ("head.diff_m", (2, WIDTH)),
        ("blocks.1.modulation.diff", (1, 6, WIDTH)),
        ("blocks.0.modulation.set_weight", (6, WIDTH)),
        ("blocks.0.self_attn.norm_q.diff", (WIDTH,)),
        ("blocks.0.norm3.diff_b", (WIDTH,)),
        ("lora_unet_blocks_0_norm3.w_norm", (WIDTH,)),
        ("blocks.0.ffn.0.diff_b", (FFN,)),
        ("blocks.0.ffn.0.oft_blocks", (10, 16, 16)),
        ("patch_embedding.diff", (WIDTH, 16, 1, 2, 2)),
    ],
)
def test_small_parameters_take_their_changes(key: str, shape: tuple[int, ...]) -> None:
    found = laid({key: shape})
    assert (found.refusal, found.coverage.modules) == ("", 1)


@pytest.mark.parametrize("side", [WIDTH, FFN])
def test_a_vector_fits_either_side(side: int) -> None:
    stem = "blocks.0.ffn.0"
    assert laid({f"{stem}.weight": (side,), f"{stem}.on_input": ()}).coverage.modules == 1
    assert laid({f"{stem}.weight": (side + 1,), f"{stem}.on_input": ()}).refusal


# Files for something else are refused whole.

REFUSED = [
    (
        wan_lora(5120, 2, ffn=13824),
        "It is made for Wan 14B (width 5120); the loaded model is a Wan (width 96).",
    ),
    (lora() | {"blocks.0.self_attn.q.diff_b": (5120,)}, "blocks.0.attn1.to_q"),
    (lora() | pair("blocks.1.self_attn.norm_q", 1, 1, 7), "of another size"),
    (wan_lora(WIDTH, 2, ffn=FFN + 8), "blocks.0.ffn.net.0.proj"),
    (lora(blocks=3), "at least 3 blocks; the loaded model has 2"),
    (sdxl_lora(), "It is made for SDXL"),
    ({"text_encoder.layers.0.lora_A.weight": (4, 4)}, "text encoder"),
    ({f"{Q}.weight": (WIDTH, WIDTH), f"{Q}.bias": (WIDTH,)}, "rather than a change"),
    ({f"{Q}.lora_B.weight": (WIDTH, 4)}, "None of its layers can be applied"),
    (
        lora() | pair("patch_embedding", 4, 32 * 4, WIDTH) | {"patch_embedding.reshape_weight": (5,)},
        "control LoRA",
    ),
]


@pytest.mark.parametrize(("shapes", "words"), REFUSED)
def test_a_file_for_something_else_is_refused_whole(shapes: Shapes, words: str) -> None:
    found = laid(shapes)
    assert words in found.refusal
    assert (found.applied, found.coverage.modules, found.coverage.experts) == ({}, 0, ())


# Laws.

PIECES: list[dict[str, tuple[int, ...]]] = [
    *(
        pair(f"blocks.{n}.{name}", 4, WIDTH, WIDTH)
        for n in (0, 1)
        for name in ("self_attn.q", "cross_attn.o")
    ),
    pair("transformer_2.blocks.1.attn1.to_v", 4, WIDTH, WIDTH),
    pair("transformer.blocks.1.attn1.to_v", 4, WIDTH, WIDTH),
    pair("blocks.0.cross_attn.v_img", 4, WIDTH, WIDTH),
    pair("head.head", 4, WIDTH, 192),
    pair("lora_te1_text_model", 4, 8, 8, "down"),
    {"blocks.0.self_attn.q.alpha": ()},
    {"blocks.0.self_attn.q.dora_scale": (WIDTH,)},
    {"blocks.0.cross_attn.o.diff": (WIDTH, WIDTH)},
    {"blocks.1.modulation.diff": (6, WIDTH), "blocks.1.diff_b": (6,)},
    {"blocks.1.self_attn.k.diff_b": (WIDTH,)},
    {"blocks.1.self_attn.k.hada_w1_a": (WIDTH, 2)},
    {"blocks.0.ffn.0.alpha": ()},
    {"motion_encoder.x": (3,), "blocks.0.self_attn.q.lora_Z": (3,)},
    wan_lora(48, 1, ffn=80),
]


@given(st.lists(st.sampled_from(PIECES), min_size=1), st.sampled_from([ALONE, TWO, {"high": VACE}]))
def test_every_key_ends_in_exactly_one_place(
    pieces: list[dict[str, tuple[int, ...]]], experts: Mapping[Expert, Inventory]
) -> None:
    shapes = {key: shape for piece in pieces for key, shape in piece.items()}
    header = header_of(shapes)
    found = cover(header, experts)
    wrong = {module for module, _ in found.coverage.errors}
    places = Counter(key for keys in found.applied.values() for key in keys.values())
    places.update(key for key, _ in found.coverage.ignored)
    for key, parsed in parse_keys(shapes).items():
        is_wrong = isinstance(parsed, ParsedKey) and parsed.module in wrong
        assert places[key] == 1 or places[key] == 0 and (is_wrong or found.refusal)
    assert found.coverage.modules == len(found.applied)
    assert bool(found.applied) != bool(found.refusal)


KEYS = st.builds(
    lambda stem, suffix: stem + suffix,
    st.sampled_from(
        ["blocks.0.self_attn.q", "blocks.1.ffn.2", "blocks.0.norm3", "blocks.0.modulation", "head.head"]
        + [
            "transformer_2.blocks.0.attn1.to_q",
            "patch_embedding",
            "vace_blocks.0.after_proj",
            "blocks.7.ffn.0",
        ]
    ),
    st.sampled_from(sorted(SUFFIXES)),
)
SHAPES = st.lists(st.sampled_from([0, 1, 2, 4, WIDTH, FFN]), max_size=5).map(tuple)


@given(st.dictionaries(KEYS, SHAPES, min_size=1, max_size=6), st.sampled_from([ALONE, TWO, {"high": VACE}]))
def test_any_file_is_covered_or_refused(shapes: Shapes, experts: Mapping[Expert, Inventory]) -> None:
    found = cover(header_of(shapes), experts)
    assert bool(found.applied) != bool(found.refusal)


@given(st.lists(st.sampled_from(PIECES), min_size=1))
def test_shares_add_up(pieces: list[dict[str, tuple[int, ...]]]) -> None:
    found = laid({key: shape for piece in pieces for key, shape in piece.items()}).coverage
    for shares in (found.blocks, found.layers):
        assert sum(share.applied for share in shares) == found.modules
        assert sum(share.of for share in shares) == found.of
        assert all(share.applied <= share.of for share in shares)


# names that nobody writes: digits without end, numbers that are none, control characters
PIECES = (
    "blocks.",
    "module.",
    "." * 20_000,
    "double_blocks_",
    "9" * 5000,
    "7",
    "٣",
    ".",
    "_",
    "\0",
    "\n",
    "q",
)
ODD = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)


@given(st.lists(ODD, min_size=1, max_size=5, unique=True))
def test_any_names_are_covered_and_told(names: list[str]) -> None:
    header = header_of({f"{name}.lora_A.weight": (4, WIDTH) for name in names} | lora())
    found = cover(header, ALONE).coverage
    assert found.of > found.modules == 20
    assert full_text("a", "b", found)
    assert identify(header, names[0]).is_wan
