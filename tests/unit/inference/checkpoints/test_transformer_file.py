"""A transformer in one file is the transformer it was written from, whoever wrote it."""

from pathlib import Path

import pytest
import torch
from diffusers.loaders.single_file_utils import convert_wan_transformer_to_diffusers

from catalog.checkpoint_names import transformer_names
from catalog.errors import UnreadableFile
from engine.inference.checkpoints.stored import ScaledLinear, StoredLinear
from engine.inference.checkpoints.transformer_file import load_transformer
from tests.unit.inference.checkpoints import tiny_parts
from tests.unit.inference.checkpoints.tiny_parts import Tensors

FLOAT8 = {"e4m3fn": torch.float8_e4m3fn, "e5m2": torch.float8_e5m2}


@pytest.mark.parametrize("kind", tiny_parts.KINDS)
@pytest.mark.parametrize("prefix", ["", "model.diffusion_model.", "diffusion_model."])
def test_original_names_give_the_same_model(tmp_path: Path, kind: str, prefix: str) -> None:
    model = tiny_parts.transformer(kind)
    file = tiny_parts.write(tmp_path / "x.safetensors", tiny_parts.original(model, prefix))
    loaded = load_transformer(file, torch.float32)
    wanted, found = model.state_dict(), loaded.state_dict()
    assert found.keys() == wanted.keys() and all(torch.equal(found[name], wanted[name]) for name in wanted)
    assert torch.equal(tiny_parts.predict(loaded), tiny_parts.predict(model))


def test_diffusers_names_give_the_same_model(tmp_path: Path) -> None:
    model = tiny_parts.transformer()
    file = tiny_parts.write(tmp_path / "diffusion_pytorch_model.safetensors", model.state_dict())
    assert torch.equal(tiny_parts.predict(load_transformer(file, torch.float32)), tiny_parts.predict(model))


@pytest.mark.parametrize("kind", ["t2v", "i2v", "vace"])  # it lacks the positions of FLF2V
def test_names_agree_with_the_converter_of_diffusers(kind: str) -> None:
    tensors = tiny_parts.original(tiny_parts.transformer(kind))
    theirs = convert_wan_transformer_to_diffusers({key: key for key in tensors})
    assert dict(transformer_names(tensors).weights) == theirs


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_the_type_asked_for(tmp_path: Path, dtype: torch.dtype) -> None:
    tensors = {name: t.to(dtype) for name, t in tiny_parts.original(tiny_parts.transformer()).items()}
    loaded = load_transformer(tiny_parts.write(tmp_path / "x.safetensors", tensors), torch.float32)
    whole = {name: t.float() for name, t in tensors.items()}
    expected = load_transformer(tiny_parts.write(tmp_path / "y.safetensors", whole), torch.float32)
    assert torch.equal(tiny_parts.predict(loaded), tiny_parts.predict(expected))


def test_what_diffusers_keeps_exact_stays_exact(tmp_path: Path) -> None:
    model = tiny_parts.transformer()
    file = tiny_parts.write(tmp_path / "x.safetensors", tiny_parts.original(model))
    model.save_pretrained(tmp_path / "folder")
    theirs = type(model).from_pretrained(tmp_path / "folder", torch_dtype=torch.bfloat16)
    ours = load_transformer(file, torch.bfloat16)
    types = {name: p.dtype for name, p in theirs.named_parameters()}
    assert {name: p.dtype for name, p in ours.named_parameters()} == types
    assert set(types.values()) == {torch.float32, torch.bfloat16} and ours.dtype == torch.bfloat16


@pytest.mark.parametrize("name", FLOAT8)
def test_a_plain_cast_to_8_bits_is_worth_its_values(tmp_path: Path, name: str) -> None:
    stored = tiny_parts.cast(tiny_parts.original(tiny_parts.transformer()), FLOAT8[name])
    _expect(tmp_path, stored, {key: tensor.float() for key, tensor in stored.items()})


def _expect(folder: Path, stored: Tensors, worth: Tensors) -> None:
    """The file of `stored` predicts what a plain file of `worth` does, from weights that stay stored."""
    loaded = load_transformer(tiny_parts.write(folder / "stored.safetensors", stored), torch.float32)
    plain = load_transformer(tiny_parts.write(folder / "plain.safetensors", worth), torch.float32)
    assert torch.equal(tiny_parts.predict(loaded), tiny_parts.predict(plain))
    layer = loaded.blocks[1].attn2.to_k
    assert isinstance(layer, ScaledLinear) and layer.values.dtype in FLOAT8.values()
    assert torch.equal(layer.weight, plain.blocks[1].attn2.to_k.weight)
    assert not any(isinstance(module, StoredLinear) for module in plain.modules())


def test_scales_of_comfyui_and_kijai(tmp_path: Path) -> None:
    stored, worth = tiny_parts.scaled(tiny_parts.original(tiny_parts.transformer()))
    stored["scaled_fp8"] = torch.zeros(2, dtype=torch.float8_e4m3fn)
    stored["blocks.0.self_attn.q.scale_input"] = torch.tensor(3.0)
    _expect(tmp_path, stored, worth)


def test_scales_of_comfyui_within_a_pipeline(tmp_path: Path) -> None:
    prefix = "model.diffusion_model."
    stored, worth = tiny_parts.scaled(tiny_parts.original(tiny_parts.transformer(), prefix))
    stored[f"{prefix}scaled_fp8"] = torch.zeros(0, dtype=torch.float8_e4m3fn)
    stored["first_stage_model.conv1.weight"] = torch.ones(2, 2)
    _expect(tmp_path, stored, worth)


def test_scales_of_newer_comfyui(tmp_path: Path) -> None:
    stored, worth = tiny_parts.scaled(tiny_parts.original(tiny_parts.transformer()), ".weight_scale")
    for name in [name for name in stored if name.endswith(".weight_scale")]:
        layer = name.removesuffix(".weight_scale")
        stored[f"{layer}.comfy_quant"] = torch.tensor(list(b'{"format": "float8_e4m3fn"}'), dtype=torch.uint8)
        stored[f"{layer}.input_scale"] = torch.tensor(0.5)
    _expect(tmp_path, stored, worth)


def test_scales_of_lightx2v_are_one_a_row(tmp_path: Path) -> None:
    tensors = tiny_parts.original(tiny_parts.transformer())
    _expect(tmp_path, *tiny_parts.scaled(tensors, ".weight_scale", by_row=True))


def test_scaled_8_bits_are_near_the_weights_they_came_from(tmp_path: Path) -> None:
    model = tiny_parts.transformer()
    stored, _ = tiny_parts.scaled(tiny_parts.original(model))
    loaded = load_transformer(tiny_parts.write(tmp_path / "x.safetensors", stored), torch.float32)
    exact = tiny_parts.predict(model)
    assert (tiny_parts.predict(loaded) - exact).norm() < 0.2 * exact.norm()


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    tensors = tiny_parts.original(tiny_parts.transformer())
    del tensors["blocks.1.ffn.2.bias"]
    file = tiny_parts.write(tmp_path / "x.safetensors", tensors)
    with pytest.raises(UnreadableFile, match=r"blocks\.1\.ffn\.net\.2\.bias"):
        load_transformer(file, torch.float32)


def test_a_tensor_of_another_shape_is_named(tmp_path: Path) -> None:
    tensors = tiny_parts.original(tiny_parts.transformer())
    tensors["blocks.1.ffn.2.bias"] = torch.zeros(7)
    file = tiny_parts.write(tmp_path / "x.safetensors", tensors)
    with pytest.raises(UnreadableFile, match=r"blocks\.1\.ffn\.2\.bias is 7"):
        load_transformer(file, torch.float32)
