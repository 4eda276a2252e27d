"""Every trainer's names lead to the right module, and no name leads to a wrong one."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import key_styles
from catalog.key_styles import ParsedKey, UnknownKey, parse_key, parse_keys
from catalog.key_suffixes import PARTS, SUFFIXES
from catalog.wan_names import ORIGINAL, dotted_names, flat_names, look_up

PARAMETERS = json.loads((Path(__file__).parents[2] / "data" / "wan_parameters.json").read_text("utf-8"))
"""The names of all parameters of diffusers' own Wan transformers (two blocks each)."""

Q = "blocks.0.attn1.to_q"
DIALECTS = [
    ("diffusion_model.blocks.0.self_attn.q.lora_A.weight", None, Q, "down"),
    ("diffusion_model.blocks.0.self_attn.q.lora_down.weight", None, Q, "down"),
    ("diffusion_model.blocks.0.self_attn.q.lora_up.weight", None, Q, "up"),
    ("diffusion_model.blocks.0.self_attn.q.alpha", None, Q, "alpha"),
    ("model.diffusion_model.blocks.0.ffn.0.lora_B.weight", None, "blocks.0.ffn.net.0.proj", "up"),
    ("blocks.0.cross_attn.k.lora_A.weight", None, "blocks.0.attn2.to_k", "down"),
    ("blocks.0.self_attn.q.lora_A.default.weight", None, Q, "down"),
    ("pipe.dit.blocks.0.self_attn.q.lora_A.default.weight", None, Q, "down"),
    ("dit.blocks.39.ffn.2.lora_B.weight", None, "blocks.39.ffn.net.2", "up"),
    ("transformer.blocks.0.self_attn.q.lora_A.weight", None, Q, "down"),
    ("base_model.model.blocks.0.cross_attn.k.lora_A.weight", None, "blocks.0.attn2.to_k", "down"),
    ("blocks.0.self_attn.q.lora_A", None, Q, "down"),
    ("blocks.0.self_attn.q.lora.down.weight", None, Q, "down"),
    ("blocks.0.self_attn.q_lora.up.weight", None, Q, "up"),
    ("blocks.0.self_attn.q.lora_linear_layer.down.weight", None, Q, "down"),
    ("transformer.blocks.0.attn1.to_q.lora_A.weight", None, Q, "down"),
    ("transformer.blocks.0.attn1.to_out.0.lora_A.weight", None, "blocks.0.attn1.to_out.0", "down"),
    ("transformer.blocks.0.attn1.to_q.alpha", None, Q, "alpha"),
    ("transformer.blocks.0.attn1.to_q.lora_B.bias", None, Q, "up_bias"),
    ("blocks.0.attn1.to_q.lora_A.some_name.weight", None, Q, "down"),
    ("diffusion_model.blocks.0.attn1.to_q.lora_A.weight", None, Q, "down"),
    ("base_model.model.transformer.blocks.0.attn1.to_q.lora_A.weight", None, Q, "down"),
    ("transformer.base_model.model.blocks.0.attn1.to_q.lora_A.weight", None, Q, "down"),
    ("transformer_2.blocks.0.attn1.to_q.lora_A.weight", "low", Q, "down"),
    ("diffusion_model.transformer_1.blocks.0.self_attn.q.lora_A.weight", "high", Q, "down"),
    ("diffusion_model.transformer_2.blocks.0.self_attn.q.lora_A.weight", "low", Q, "down"),
    ("lora_unet_blocks_0_self_attn_q.lora_down.weight", None, Q, "down"),
    ("lora_unet_blocks_12_self_attn_norm_q.w_norm", None, "blocks.12.attn1.norm_q", "w_norm"),
    ("lora_unet_time_projection_1.lora_up.weight", None, "condition_embedder.time_proj", "up"),
    ("lora_unet_img_emb_proj_1.alpha", None, "condition_embedder.image_embedder.ff.net.0.proj", "alpha"),
    ("lora_unet_head_head.lora_up.weight", None, "proj_out", "up"),
    ("lora_unet__blocks_0_cross_attn_k.lora_down.weight", None, "blocks.0.attn2.to_k", "down"),
    ("lora_unet_blocks_0_attn1_to_out_0.lora_down.weight", None, "blocks.0.attn1.to_out.0", "down"),
    ("lora_transformer_blocks_0_attn1_to_q.lora_down.weight", None, Q, "down"),
    ("lycoris_blocks_0_attn1_to_q.lokr_w1", None, Q, "lokr_w1"),
    ("diffusion_model.blocks.0.self_attn.q.lokr_w2_b", None, Q, "lokr_w2_b"),
    ("lora_unet_blocks_0_self_attn_q.hada_w1_a", None, Q, "hada_w1_a"),
    ("diffusion_model.blocks.0.self_attn.norm_q.diff", None, "blocks.0.attn1.norm_q", "diff"),
    ("diffusion_model.blocks.0.self_attn.q.diff_b", None, Q, "diff_b"),
    ("diffusion_model.blocks.0.diff_m", None, "blocks.0.scale_shift_table", "diff"),
    ("diffusion_model.blocks.0.modulation.diff", None, "blocks.0.scale_shift_table", "diff"),
    ("diffusion_model.head.diff_m", None, "scale_shift_table", "diff"),
    ("diffusion_model.blocks.0.norm3.diff_b", None, "blocks.0.norm2", "diff_b"),
    ("transformer.blocks.0.norm2.diff", None, "blocks.0.norm2", "diff"),
    ("lora_unet_blocks_0_self_attn_q.dora_scale", None, Q, "dora_scale"),
    ("transformer.blocks.0.attn1.to_q.lora_magnitude_vector", None, Q, "dora_scale"),
    ("transformer.blocks.0.attn1.to_q.lora_magnitude_vector.default.weight", None, Q, "dora_scale"),
    ("diffusion_model.patch_embedding.reshape_weight", None, "patch_embedding", "reshape_weight"),
    ("lora_unet_patch_embedding.lora_mid.weight", None, "patch_embedding", "mid"),
    ("diffusion_model.blocks.0.self_attn.q.set_weight", None, Q, "set_weight"),
    ("lora_unet_blocks_0_self_attn_q.b2.weight", None, Q, "glora_b2"),
    ("lora_unet_blocks_0_self_attn_q.oft_blocks", None, Q, "oft_blocks"),
    ("diffusion_model.vace_blocks.0.before_proj.lora_A.weight", None, "vace_blocks.0.proj_in", "down"),
    ("diffusion_model.vace_blocks.7.self_attn.o.lora_A.weight", None, "vace_blocks.7.attn1.to_out.0", "down"),
    ("model.diffusion_model.blocks.0.modulation", None, "blocks.0.scale_shift_table", "weight"),
]


@pytest.mark.parametrize(("key", "expert", "module", "part"), DIALECTS)
def test_every_dialect_names_its_module(key: str, expert: str | None, module: str, part: str) -> None:
    found = parse_key(key)
    assert isinstance(found, ParsedKey)
    assert (found.expert, found.module, found.part) == (expert, module, part)


@pytest.mark.parametrize("key", [case[0] for case in DIALECTS])
def test_every_part_is_one_that_is_documented(key: str) -> None:
    found = parse_key(key)
    assert isinstance(found, ParsedKey)
    assert found.part in PARTS


@pytest.mark.parametrize("model", sorted(PARAMETERS))
def test_every_parameter_of_diffusers_has_its_own_name(model: str) -> None:
    for name in PARAMETERS[model]:
        module, _, last = name.rpartition(".")
        expected = (name, "weight") if last not in ("weight", "bias") else (module, last)
        found = parse_key(name)
        assert isinstance(found, ParsedKey)
        assert (found.module, found.part) == expected


def test_the_table_leads_to_every_parameter_of_diffusers_and_nowhere_else() -> None:
    wanted = {n.removesuffix(".weight").removesuffix(".bias") for names in PARAMETERS.values() for n in names}
    reached = {module.replace("#", str(block)) for module in ORIGINAL.values() for block in (0, 1)}
    # VACE transformers have no image branch; only the first VACE block has a projection in front
    reached = {name for name in reached if not (name.startswith("vace") and "add" in name)}
    assert reached - {"vace_blocks.1.proj_in"} == wanted


def test_no_two_names_become_one_when_flattened() -> None:
    assert len(flat_names()) == len(dotted_names())


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("text_encoders.umt5xxl.transformer.shared.lora_A.weight", "text encoder"),
        ("lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_down.weight", "text encoder"),
        ("text_encoder.layers.0.q.lora_A.weight", "text encoder"),
        ("diffusion_model.blocks.0.self_attn.q.lora_C.weight", "unknown kind of tensor"),
        ("diffusion_model.blocks.0.self_attn.qkv.lora_A.weight", "no such module in a Wan transformer"),
        ("diffusion_model.blocks.00.self_attn.q.lora_A.weight", "no such module in a Wan transformer"),
        ("diffusion_model.blocks.#.self_attn.q.lora_A.weight", "no such module in a Wan transformer"),
        ("blocks_0_self_attn_q.lora_down.weight", "no such module in a Wan transformer"),
        ("lora_unet_blocks_0_self_attn.q.lora_down.weight", "no such module in a Wan transformer"),
        ("diffusion_model.blocks.0.norm1.diff", "no such module in a Wan transformer"),
        ("diffusion_model.face_adapter.fuser_blocks.0.linear2.lora_A.weight", "belongs to Wan Animate"),
        ("transformer.blocks.0.attn1.to_q.oft_R.default", "PEFT OFT is not supported"),
        ("", "unknown kind of tensor"),
    ],
)
def test_what_belongs_to_no_module_says_why(key: str, reason: str) -> None:
    assert parse_key(key) == UnknownKey(reason)


MODULES = sorted(name.replace("#", "7") for name in dotted_names())
PREFIXES = st.lists(st.sampled_from(key_styles._DOTTED_PREFIXES), max_size=3)


@given(PREFIXES, st.sampled_from(MODULES), st.sampled_from(sorted(SUFFIXES.items())))
def test_prefixes_stack_in_any_order(prefixes: list[str], name: str, suffix: tuple[str, str]) -> None:
    if suffix[0] == ".diff_m":
        return  # belongs behind a block, not behind a layer
    found = parse_key("".join(prefixes) + name + suffix[0])
    assert isinstance(found, ParsedKey)
    assert (found.module, found.part) == (look_up(name, False)[0], suffix[1])  # type: ignore[index]
    named = [p for p in prefixes if p in ("transformer_1.", "transformer_2.")]
    assert found.expert == ({"transformer_1.": "high", "transformer_2.": "low"}[named[-1]] if named else None)


@given(st.sampled_from(key_styles._FLAT_PREFIXES), st.sampled_from(MODULES))
def test_a_flattened_name_means_what_the_dotted_one_means(prefix: str, name: str) -> None:
    flat, dotted = parse_key(f"{prefix}{name.replace('.', '_')}.alpha"), parse_key(f"{name}.alpha")
    assert isinstance(flat, ParsedKey)
    assert isinstance(dotted, ParsedKey)
    assert flat.module == dotted.module


@given(st.text(max_size=60))
def test_any_text_is_answered(key: str) -> None:
    assert isinstance(parse_key(key), UnknownKey | ParsedKey)


def test_beside_the_second_transformer_the_first_is_the_high_expert() -> None:
    high, low = (
        "transformer.blocks.0.attn1.to_q.lora_A.weight",
        "transformer_2.blocks.0.attn1.to_q.lora_A.weight",
    )
    both = parse_keys([high, low])
    assert [getattr(both[key], "expert", "") for key in (high, low)] == ["high", "low"]
    alone = parse_keys([high])[high]
    assert isinstance(alone, ParsedKey)
    assert alone.expert is None
