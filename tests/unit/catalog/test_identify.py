"""What a file is said to be is true, and what cannot be known is said to be unknown."""

import json
from dataclasses import replace

import pytest

from catalog.header import Header
from catalog.identify import Identity, identify, misfit, scalar_names
from catalog.models import ModelInfo, find_model
from tests.unit.catalog.builders import Shapes, header_of, pair, sdxl_lora, wan_lora


@pytest.fixture(scope="module")
def demo() -> ModelInfo:
    return find_model("demo")


def look(shapes: Shapes, name: str = "some.safetensors", metadata: dict[str, str] | None = None) -> Identity:
    return identify(header_of(shapes, metadata), name)


def single(part_shapes: Shapes, path: str = "diffusion_model.blocks.0.self_attn.q") -> Identity:
    return look({f"{path}.{part}": shape for part, shape in part_shapes.items()})


SIZES = [
    (5120, 40, 13824, "Wan 14B"),
    (1536, 30, 8960, "Wan 1.3B"),
    (3072, 30, 14336, "Wan 5B"),
    (192, 6, 768, "Wan, demo size (192)"),
]


@pytest.mark.parametrize(("width", "blocks", "ffn", "family"), SIZES)
def test_the_size_of_wan_is_read_from_the_shapes(width: int, blocks: int, ffn: int, family: str) -> None:
    found = look(wan_lora(width, blocks, 32, ffn=ffn))
    assert (found.family, found.is_wan, found.width, found.blocks) == (family, True, width, blocks)
    assert (found.kinds, found.rank, found.modules) == (("lora",), "32", blocks * 10)
    assert found.confidence == "certain"


KINDS = [
    ({"lora_A.weight": (8, 5120), "lora_B.weight": (5120, 8)}, ("lora",), "8"),
    (
        {"hada_w1_a": (5120, 4), "hada_w1_b": (4, 5120), "hada_w2_a": (5120, 4), "hada_w2_b": (4, 5120)},
        ("loha",),
        "4",
    ),
    ({"lokr_w1": (8, 8), "lokr_w2": (640, 640)}, ("lokr",), "full"),
    ({"lokr_w1": (8, 8), "lokr_w2_a": (640, 16), "lokr_w2_b": (16, 640)}, ("lokr",), "16"),
    ({"lokr_w1_a": (8, 2), "lokr_w1_b": (2, 8), "lokr_w2": (640, 640)}, ("lokr",), "2"),
    (
        {"lora_A.weight": (8, 5120), "lora_B.weight": (5120, 8), "dora_scale": (5120, 1)},
        ("lora", "dora"),
        "8",
    ),
    ({"diff": (5120, 5120)}, ("full",), "full"),
    (
        {"a1.weight": (5120, 4), "a2.weight": (4, 5120), "b1.weight": (5120, 4), "b2.weight": (4, 5120)},
        ("glora",),
        "4",
    ),
]


@pytest.mark.parametrize(("parts", "kinds", "rank"), KINDS)
def test_the_kind_is_told_from_the_parts(parts: Shapes, kinds: tuple[str, ...], rank: str) -> None:
    found = single(parts)
    assert (found.kinds, found.rank) == (kinds, rank)


@pytest.mark.parametrize("parts", [case[0] for case in KINDS[:7]])
def test_the_width_is_told_from_every_kind(parts: Shapes) -> None:
    assert single(parts).width == 5120


def test_mixed_ranks_are_counted() -> None:
    found = look(wan_lora(blocks=1, rank=4) | pair("diffusion_model.blocks.1.ffn.0", 16, 192, 768))
    assert (found.rank, dict(found.ranks)) == ("4–16", {"4": 10, "16": 1})


def test_alphas_are_taken_from_the_file() -> None:
    header = header_of(
        wan_lora(blocks=1) | {f"diffusion_model.blocks.0.{n}.alpha": () for n in ("self_attn.q", "ffn.0")}
    )
    assert len(scalar_names(header)) == 2
    found = identify(header, "x.safetensors", dict.fromkeys(scalar_names(header), 8.0))
    assert (found.alpha, dict(found.alphas)) == ("8", {"8": 2})
    assert found.modules == 10


def test_alpha_in_pefts_settings_is_found() -> None:
    found = look(
        wan_lora(blocks=1),
        metadata={"lora_adapter_metadata": '{"transformer.lora_alpha": 16, "transformer.r": 4}'},
    )
    assert found.alpha == "16"
    assert found.trainer == "diffusers/PEFT"


ALPHAS = [
    ({"transformer.lora_alpha": 8, "transformer.alpha_pattern": {"ffn.net.2": 4}}, {"8": 1, "4": 1}),
    (
        {"transformer.lora_alpha": 8, "transformer.alpha_pattern": {"net.2": 4, "ffn.net.2": 2}},
        {"8": 1, "4": 1},
    ),
    ({"transformer.lora_alpha": 8, "transformer.alpha_pattern": {"et.2": 4}}, {"8": 2}),
    ({"transformer.alpha_pattern": {r"blocks\.\d+\.ffn\.net\.2": 4}}, {"4": 1}),
    ({"transformer.lora_alpha": 8, "transformer.alpha_pattern": {"((a+)+)+$": 4, "[": 3}}, {"8": 2}),
    ({"transformer_2.lora_alpha": 8}, {}),
    ({"transformer.lora_alpha": 10**400}, {}),
    ({"lora_alpha": 8, "alpha_pattern": {"ffn.net.2": 4}}, {"8": 1, "4": 1}),
]


@pytest.mark.parametrize(("settings", "alphas"), ALPHAS)
def test_pefts_alpha_pattern_gives_layers_their_own_alpha(
    settings: dict[str, object], alphas: dict[str, int]
) -> None:
    shapes = pair("transformer.blocks.0.attn1.to_q", 4, 192, 192)
    shapes |= pair("transformer.blocks.0.ffn.net.2", 4, 768, 192)
    found = look(shapes, metadata={"lora_adapter_metadata": json.dumps(settings)})
    assert dict(found.alphas) == alphas


def test_an_alpha_tensor_goes_before_pefts_settings() -> None:
    settings = json.dumps({"transformer.lora_alpha": 16, "transformer.use_rslora": True})
    shapes = pair("blocks.0.attn1.to_q", 4, 192, 192) | {"blocks.0.attn1.to_q.alpha": ()}
    header = header_of(shapes, {"lora_adapter_metadata": settings})
    found = identify(header, "x.safetensors", {"blocks.0.attn1.to_q.alpha": 2.0})
    assert dict(found.alphas) == {"2": 1}
    assert "rsLoRA" not in " ".join(found.evidence)


@pytest.mark.parametrize("is_rslora", [True, False])
def test_a_scale_by_the_root_of_the_rank_is_said(is_rslora: bool) -> None:
    settings = json.dumps({"transformer.lora_alpha": 16, "transformer.use_rslora": is_rslora})
    found = look(wan_lora(blocks=1), metadata={"lora_adapter_metadata": settings})
    assert ("alpha/√rank (rsLoRA)" in " ".join(found.evidence)) == is_rslora


@pytest.mark.parametrize(
    ("blocks", "words"), [(1, "1 layer has the parts of one"), (2, "2 layers have the parts")]
)
def test_one_layer_is_spoken_of_as_one(blocks: int, words: str) -> None:
    shapes = {n: s for b in range(blocks) for n, s in pair(f"blocks.{b}.attn1.to_q", 4, 192, 192).items()}
    said = " ".join(look(shapes).evidence)
    assert words in said
    assert "1 layers" not in said


@pytest.mark.parametrize(
    ("prefix", "dialect"),
    [
        ("diffusion_model.", "ComfyUI"),
        ("", "bare original names"),
        ("pipe.dit.", "DiffSynth"),
        ("base_model.model.", "PEFT, original names"),
        ("diffusion_model.transformer_1.", "ComfyUI, two experts"),
    ],
)
def test_the_dialect_is_said_in_words(prefix: str, dialect: str) -> None:
    assert look(wan_lora(prefix=prefix)).dialect == dialect


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("lora_unet_blocks_0_self_attn_q", "kohya/musubi"),
        ("lora_unet__blocks_0_self_attn_q", "VideoX-Fun"),
        ("lycoris_blocks_0_attn1_to_q", "LyCORIS"),
        ("transformer.blocks.0.attn1.to_q", "diffusers/PEFT"),
        ("blocks.0.attn1.to_q", "bare diffusers names"),
    ],
)
def test_the_dialect_of_flat_and_diffusers_names(path: str, dialect: str) -> None:
    assert look(pair(path, 4, 192, 192, "down")).dialect == dialect


def test_a_file_for_both_experts_says_so() -> None:
    both = look(wan_lora(prefix="transformer_2.") | wan_lora(prefix="transformer."))
    assert both.experts == ("high", "low")
    assert both.summary == "Wan · LoRA · rank 4 · high and low noise"
    assert both.modules == 40


HINTS = [
    ("style_high_noise.safetensors", {}, "high", "medium"),
    ("style-LowNoise-v2.safetensors", {}, "low", "medium"),
    ("wan22_style_H_e20.safetensors", {}, "high", "weak"),
    ("Style LOW.safetensors", {}, "low", "weak"),
    ("style_lowvram.safetensors", {}, None, ""),
    ("style_low_vram.safetensors", {}, None, ""),
    ("high_quality_face.safetensors", {}, None, ""),
    ("highres_low_noise.safetensors", {}, "low", "medium"),
    ("high_noise_to_low_noise.safetensors", {}, None, ""),
    ("flower.safetensors", {}, None, ""),
    ("x.safetensors", {"modelspec.timestep_range": "0,875"}, "low", "strong"),
    ("x.safetensors", {"modelspec.timestep_range": "900,1000"}, "high", "strong"),
    ("x.safetensors", {"modelspec.timestep_range": "0,1000"}, None, ""),
    ("x.safetensors", {"modelspec.timestep_range": "nonsense"}, None, ""),
    ("x.safetensors", {"ss_output_name": "neon_low_noise"}, "low", "medium"),
    ("x_high_noise.safetensors", {"modelspec.timestep_range": "0,875"}, "low", "strong"),
]


@pytest.mark.parametrize(("name", "metadata", "expert", "strength"), HINTS)
def test_the_expert_hint_comes_from_the_strongest_sign(
    name: str, metadata: dict[str, str], expert: str | None, strength: str
) -> None:
    found = look(wan_lora(5120, 1, ffn=13824), name, metadata)
    assert (found.expert_hint, found.hint_strength) == (expert, strength)
    assert bool(found.hint_source) == (expert is not None)
    if expert is None:
        assert any("high-noise or the low-noise" in line for line in found.cannot_tell)
    else:
        assert found.summary.endswith(f"{expert} noise")


def test_a_5b_file_is_for_no_expert_whatever_its_name() -> None:
    found = look(wan_lora(3072, 1, ffn=14336), "style_high_noise.safetensors")
    assert found.expert_hint is None
    assert not any("expert" in line for line in found.cannot_tell)


def test_names_and_timesteps_that_disagree_are_reported() -> None:
    found = look(wan_lora(), "x_high_noise.safetensors", {"modelspec.timestep_range": "0,875"})
    assert "says high noise" in found.contradictions[0]
    low = look(wan_lora(prefix="transformer_2."), "x_high_noise.safetensors")
    assert (low.experts, low.expert_hint) == (("low",), None)
    assert low.contradictions == ("The name says high noise, but the tensor names say low noise.",)


def test_one_false_claim_is_said_once() -> None:
    metadata = {"modelspec.title": "WaN 2.5", "ss_sd_model_name": "wan2.5.safetensors"}
    assert len(look(sdxl_lora(), "WaN 2.5.safetensors", metadata).contradictions) == 1
    assert "(modelspec.title)" in look(sdxl_lora(), "x.safetensors", metadata).contradictions[0]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("WaN 2.5 cinematic.safetensors", ("WaN 2.5", "not public")),
        ("wan2.25B_style.safetensors", ("wan2.25B", "not public")),
        ("wan2.2_5B_style.safetensors", ("5B", "Wan 14B")),
        ("wan21_1.3B.safetensors", ("1.3B", "Wan 14B")),
        ("Wan2.2-A14B-neon.safetensors", ()),
        ("wan22_neon_high_noise.safetensors", ()),
        ("Wan 14B neon.safetensors", ()),
        ("wan_480p_neon.safetensors", ()),
        ("T2V_1.3B_style.safetensors", ("The name says 1.3B", "Wan 14B")),
        ("neon-5B.safetensors", ("The name says 5B", "Wan 14B")),
        ("I2V14B_neon.safetensors", ()),
        ("neon_take_5b.safetensors", ()),
        ("neon_v5B.safetensors", ()),
        ("style_1_3b.safetensors", ()),
        ("14B_to_1.3B.safetensors", ()),
        ("flux_dev_x.safetensors", ("The name says Flux, but the tensors are Wan 14B.",)),
        ("flux1d-neon.safetensors", ("says Flux", "Wan 14B")),
        ("SDXL_pony_x.safetensors", ("The name says SDXL, but the tensors are Wan 14B.",)),
        ("hunyuan_neon.safetensors", ("says Hunyuan", "Wan 14B")),
        ("neon HunyuanVideo.safetensors", ("says Hunyuan", "Wan 14B")),
        ("qwen_neon.safetensors", ("says Qwen", "Wan 14B")),
        ("ltx_neon.safetensors", ("says LTX", "Wan 14B")),
        ("magnetic_flux.safetensors", ()),
        ("flux_capacitor.safetensors", ()),
        ("influx_dev.safetensors", ()),
        ("pony_gallop.safetensors", ()),
        ("neon_qwen_captions.safetensors", ()),
        ("neon_qwen2.5-vl.safetensors", ()),
        ("flux_dev_look_for_wan.safetensors", ()),
        ("wander.safetensors", ()),
        ("Swan 2.5.safetensors", ()),
    ],
)
def test_a_claim_about_wan_is_held_against_the_tensors(name: str, words: tuple[str, ...]) -> None:
    found = look(wan_lora(5120, 1, ffn=13824), name)
    assert bool(found.contradictions) == bool(words)
    assert all(word in found.contradictions[0] for word in words)


@pytest.mark.parametrize(
    ("name", "channels", "is_false"),
    [
        ("neon_T2V.safetensors", 36, True),
        ("neon_T2V.safetensors", 16, False),
        ("neon_T2V_I2V.safetensors", 36, False),
        ("neon_TI2V.safetensors", 36, False),
        ("neon.safetensors", 36, False),
    ],
)
def test_a_name_that_says_t2v_is_held_against_the_input_channels(
    name: str, channels: int, is_false: bool
) -> None:
    inputs = {"diffusion_model.patch_embedding.lora_A.weight": (4, channels, 1, 2, 2)}
    found = look(wan_lora(5120, 1, ffn=13824) | inputs, name)
    assert [("says T2V" in line and "I2V" in line) for line in found.contradictions] == [True] * is_false


def test_a_family_in_the_name_of_a_wan_file_is_said_once() -> None:
    metadata = {"ss_output_name": "flux_dev_x", "modelspec.architecture": "flux-1-dev/lora"}
    assert len(look(wan_lora(), "flux_dev_x.safetensors", metadata).contradictions) == 1


def test_sdxl_under_the_name_of_wan_is_told_apart(demo: ModelInfo) -> None:
    found = look(sdxl_lora(), "WaN 2.5 ultra.safetensors", {"ss_base_model_version": "sdxl_base_v1-0"})
    assert (found.family, found.is_wan, found.kinds) == ("SDXL", False, ("lora",))
    assert found.summary == "SDXL · LoRA · rank 4 · not for Wan"
    assert found.contradictions == ("The name says “WaN 2.5”, but the tensors are SDXL.",)
    assert misfit(found, demo).startswith("made for SDXL; the loaded model is")


def test_metadata_that_names_another_family_is_reported() -> None:
    found = look(wan_lora(), metadata={"modelspec.architecture": "stable-diffusion-xl-v1-base/lora"})
    assert "says SDXL" in found.contradictions[0]
    assert not look(wan_lora(), metadata={"modelspec.architecture": "wan2.1/lora"}).contradictions


@pytest.mark.parametrize(
    ("path", "shape", "variant"),
    [
        ("blocks.0.cross_attn.k_img", (4, 5120), "I2V with an image branch (Wan 2.1)"),
        ("vace_blocks.0.before_proj", (4, 5120), "VACE"),
        ("patch_embedding", (4, 36, 1, 2, 2), "I2V"),
        ("patch_embedding", (4, 16, 1, 2, 2), "T2V"),
    ],
)
def test_the_variant_is_told_where_it_shows(path: str, shape: tuple[int, ...], variant: str) -> None:
    found = look(wan_lora(5120, 1, ffn=13824) | {f"diffusion_model.{path}.lora_A.weight": shape})
    assert found.variant == variant


def test_what_the_shapes_do_not_show_is_not_claimed() -> None:
    found = look(wan_lora(5120, 1, ffn=13824))
    assert found.variant == ""
    assert any("2.1 or 2.2" in line for line in found.cannot_tell)


def test_a_file_that_fits_is_no_misfit(demo: ModelInfo) -> None:
    assert misfit(look(wan_lora(demo.width_inner, demo.layers)), demo) == ""


def test_a_misfit_names_both_models(demo: ModelInfo) -> None:
    said = misfit(look(wan_lora(5120, 40, ffn=13824)), demo)
    assert said == f"made for Wan 14B (width 5120); the loaded model is {demo.title} ({demo.width_inner})"
    deep = misfit(look(wan_lora(demo.width_inner, demo.layers + 1)), demo)
    assert f"at least {demo.layers + 1} blocks" in deep
    big = replace(demo, width_inner=5120, layers=40, title="Wan 2.2 T2V A14B")
    small = misfit(look(wan_lora(192, 6)), big)
    assert small == "made for Wan, demo size (192); the loaded model is Wan 2.2 T2V A14B (5120)"


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"modelspec.trigger_phrase": "n30n style, glow"}, ("n30n style", "glow")),
        ({"trigger_words": '["n30n", "glow"]'}, ("n30n", "glow")),
        ({"ss_tag_frequency": '{"set": {"cat": 3, "n30n": 20}}'}, ("n30n", "cat")),
        ({"ss_tag_frequency": "[[[["}, ()),
        ({}, ()),
    ],
)
def test_trigger_words_are_read_from_the_metadata(metadata: dict[str, str], words: tuple[str, ...]) -> None:
    assert look(wan_lora(), metadata=metadata).trigger_words == words


def test_metadata_of_megabytes_is_read_in_no_time() -> None:
    nasty = "wan" + " -_" * 1_000_000
    metadata = {"modelspec.title": nasty, "ss_output_name": nasty, "trainer": nasty, "trigger_word": nasty}
    found = look(wan_lora(), nasty, metadata)
    assert found.is_wan
    assert len(found.trainer) < 100
    assert all(len(word) < 100 for word in found.trigger_words)


def test_what_is_left_out_is_warned_about() -> None:
    shapes = wan_lora(blocks=1) | {
        "diffusion_model.blocks.0.bogus.lora_A.weight": (4, 192),
        "text_encoder.layers.0.lora_A.weight": (4, 64),
        "diffusion_model.blocks.1.self_attn.q.lora_B.weight": (192, 4),
    }
    said = " ".join(look(shapes).warnings)
    assert "text encoder" in said
    assert "no such module" in said
    assert "1 layer has only half of a pair" in said


def test_a_whole_model_is_not_called_a_lora(demo: ModelInfo) -> None:
    found = look({f"blocks.{n}.self_attn.q.weight": (192, 192) for n in range(3)})
    assert misfit(found, demo) == "a whole model rather than a LoRA"
    assert found.kinds == ("whole weights",)
    assert any("Whole weights of a model" in line for line in found.warnings)


def test_a_large_file_is_identified_quickly_enough_for_a_scan(benchmark: object) -> None:
    header: Header = header_of(wan_lora(5120, 40, 64, ffn=13824))
    assert len(header.tensors) == 800
    found = benchmark(identify, header, "x.safetensors")  # type: ignore[operator]
    assert found.modules == 400
