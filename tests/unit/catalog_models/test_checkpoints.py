"""Model files are recognised by their tensors, at full size and in every number format."""

from dataclasses import replace

import pytest
import torch
from transformers import UMT5Config, UMT5EncoderModel

from catalog.checkpoint_config import transformer_config
from catalog.checkpoint_names import transformer_names
from catalog.checkpoints import recognise
from catalog.header import Header, TensorInfo
from tests import original_names
from tests.unit.catalog.builders import header_of, sdxl_lora, wan_lora
from tests.unit.catalog_models import real_shapes
from tests.unit.catalog_models.real_shapes import CONFIGS

ALIKE = [
    {"wan2.1-t2v-1.3b", "wan2.1-phantom-1.3b"},
    {"wan2.1-t2v-14b", "wan2.1-phantom-14b", "wan2.2-t2v-a14b"},
    {"wan2.1-i2v-14b-480p", "wan2.1-i2v-14b-720p"},
]
NAMES = {
    "wan2.1-i2v-14b-720p": "wan2.1_i2v_720p_14B_fp16.safetensors",
    "wan2.1-phantom-1.3b": "Phantom-Wan-1_3B_fp16.safetensors",
    "wan2.1-phantom-14b": "phantom_wan_14B.safetensors",
    "wan2.2-t2v-a14b": "wan2.2_t2v_low_noise_14B_fp16.safetensors",
}


def with_types(
    header: Header, dtype: str, extra: dict[str, tuple[str, tuple[int, ...]]] | None = None
) -> Header:
    """The header with its matrices in another type, and more tensors; places are of no interest here."""
    tensors = {
        name: replace(info, dtype=dtype) if len(info.shape) == 2 else info
        for name, info in header.tensors.items()
    }
    return replace(
        header, tensors=tensors | {n: TensorInfo(t, s, 0, 0) for n, (t, s) in (extra or {}).items()}
    )


@pytest.mark.parametrize("model", CONFIGS)
def test_every_model_is_recognised_at_full_size(model: str) -> None:
    found = recognise(real_shapes.transformer(model), NAMES.get(model, ""))
    alike = next((group for group in ALIKE if model in group), {model})
    assert found.role == "transformer" and found.refusal == ""
    assert found.models[0] == model and set(found.models) == alike
    assert found.number_format == "bf16" and found.names == "original" and found.text_width == 4096
    assert found.latent_channels == CONFIGS[model].get("out_channels", 16)


@pytest.mark.parametrize("model", CONFIGS)
def test_the_configuration_is_read_from_the_shapes(model: str) -> None:
    header = real_shapes.transformer(model)
    config = transformer_config(header, transformer_names(header.tensors), 128)
    wanted = {
        "attention_head_dim": 128,
        "in_channels": 16,
        "out_channels": 16,
        "text_dim": 4096,
        "freq_dim": 256,
    }
    assert config.items() >= (wanted | CONFIGS[model] | {"patch_size": (1, 2, 2)}).items()
    assert config["_class_name"] == f"Wan{'VACE' * ('vace_layers' in config)}Transformer3DModel"


@pytest.mark.parametrize(("version", "channels"), [("2.1", 16), ("2.2", 48)])
def test_vaes_are_recognised_at_full_size(version: str, channels: int) -> None:
    found = recognise(real_shapes.vae(version))
    assert (found.role, found.latent_channels, found.refusal) == ("vae", channels, "")
    assert version in found.title


@pytest.mark.parametrize("is_original", [True, False])
def test_the_text_encoder_is_recognised_at_full_size(is_original: bool) -> None:
    config = UMT5Config(vocab_size=256384, d_model=4096, d_kv=64, d_ff=10240, num_layers=24, num_heads=64)
    with torch.device("meta"):
        model = UMT5EncoderModel(config)
    found = recognise(real_shapes.header(model, original_names.of_umt5 if is_original else str))
    assert (found.role, found.text_width, found.refusal) == ("text encoder", 4096, "")
    assert found.names == ("original" if is_original else "huggingface")


def test_the_expert_is_a_hint_of_the_name() -> None:
    header = real_shapes.transformer("wan2.2-t2v-a14b")
    high = recognise(header, "Wan2_2-T2V-A14B-HIGH_fp8_e4m3fn_scaled_KJ.safetensors")
    assert (high.expert_hint, high.hint_source) == ("high", "file name")
    assert recognise(header, "wan2.2_t2v_low_noise_14B.safetensors").expert_hint == "low"
    assert recognise(header, "mine.safetensors").expert_hint is None
    small = real_shapes.transformer("wan2.2-ti2v-5b")
    assert recognise(small, "wan2.2_high_noise_5B.safetensors").expert_hint is None


@pytest.mark.parametrize(
    ("dtype", "extra", "said"),
    [
        ("F8_E4M3", {}, "fp8 e4m3fn"),
        ("F8_E5M2", {}, "fp8 e5m2"),
        ("F16", {}, "fp16"),
        ("F32", {}, "fp32"),
        ("F8_E4M3", {"blocks.0.ffn.0.scale_weight": ("F32", ())}, "fp8 e4m3fn, scaled"),
        ("F8_E4M3", {"blocks.0.ffn.0.weight_scale": ("F32", (8960, 1))}, "fp8 e4m3fn, scaled"),
        (
            "F8_E4M3",
            {
                "scaled_fp8": ("F8_E4M3", (2,)),
                "blocks.0.ffn.0.weight_scale": ("F32", ()),
                "blocks.0.ffn.0.input_scale": ("F32", ()),
                "blocks.0.ffn.0.comfy_quant": ("U8", (27,)),
            },
            "fp8 e4m3fn, scaled",
        ),
    ],
)
def test_number_formats_are_told(
    dtype: str, extra: dict[str, tuple[str, tuple[int, ...]]], said: str
) -> None:
    found = recognise(with_types(real_shapes.transformer("wan2.1-t2v-1.3b"), dtype, extra))
    assert (found.number_format, found.refusal) == (said, "")


@pytest.mark.parametrize(
    ("dtype", "extra", "said"),
    [
        ("I8", {"blocks.0.ffn.0.weight_scale": ("F32", (8960, 1))}, "int8"),
        ("U8", {"blocks.0.ffn.0.weight_scale_2": ("F32", ())}, "nvfp4"),
        ("F8_E4M3", {"blocks.0.ffn.0.weight_scale": ("F32", (70, 12))}, "blocks"),
    ],
)
def test_formats_that_cannot_be_computed_with_are_refused(
    dtype: str, extra: dict[str, tuple[str, tuple[int, ...]]], said: str
) -> None:
    found = recognise(with_types(real_shapes.transformer("wan2.1-t2v-1.3b"), dtype, extra))
    assert found.role == "transformer" and said in found.refusal


def test_formats_named_in_the_metadata_are_believed() -> None:
    layers = '{"format_version": "1.0", "layers": {"blocks.0.ffn.0": {"format": "%s"}}}'
    header = with_types(real_shapes.transformer("wan2.1-t2v-1.3b"), "F8_E4M3")
    for name, is_refused in (("float8_e4m3fn", False), ("mxfp8", True)):
        found = recognise(replace(header, metadata={"_quantization_metadata": layers % name}))
        assert (name in found.refusal) == is_refused


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("face_adapter.fuser_blocks.0.k_norm.weight", "Wan Animate"),
        ("audio_proj.audio_proj_glob_1.layer.bias", "audio"),
        ("control_adapter.conv.weight", "Fun-Camera"),
        ("ref_conv.weight", "Fun-Control"),
        ("blocks.0.self_attn.lynx.weight", "no Wan known here"),
    ],
)
def test_relatives_are_named(extra: str, said: str) -> None:
    header = with_types(real_shapes.transformer("wan2.1-i2v-14b-480p"), "BF16", {extra: ("BF16", (8,))})
    assert said in recognise(header).refusal


def test_other_files_are_no_part_of_a_model() -> None:
    for header, said in (
        (header_of(wan_lora()), "LoRA file"),
        (header_of(sdxl_lora()), "belongs to SDXL"),
        (header_of({"vision_model.encoder.layers.0.mlp.fc1.weight": (8, 8)}), "image encoder"),
        (header_of({"x": (3,)}), "no part of a Wan model"),
    ):
        found = recognise(header)
        assert found.role == "other" and said in found.refusal


@pytest.mark.parametrize(
    ("stem", "extra"), [("vision_model.embeddings.", "class_embedding"), ("visual.", "")]
)
def test_an_image_encoder_is_told_by_its_width(stem: str, extra: str) -> None:
    first = f"{stem}{extra or 'cls_embedding'}"
    found = recognise(header_of({first: (1280,), f"{stem}patch_embedding.weight": (1280, 3, 14, 14)}))
    assert (found.role, found.image_width, found.refusal) == ("image encoder", 1280, "")


def test_tensors_of_a_whole_pipeline_are_set_aside() -> None:
    header = with_types(
        real_shapes.transformer("wan2.1-t2v-1.3b"),
        "BF16",
        {"vae.conv1.weight": ("BF16", (32, 32, 1, 1, 1)), "text_encoders.umt5.logit_scale": ("F32", ())},
    )
    found = recognise(header)
    assert found.refusal == "" and "2 tensors belong to other parts" in found.warnings[0]
