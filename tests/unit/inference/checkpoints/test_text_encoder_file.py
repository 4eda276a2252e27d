"""A text encoder in one file reads as the one it was written from."""

from pathlib import Path

import pytest
import torch
from transformers import UMT5EncoderModel

from catalog.errors import UnreadableFile
from engine.inference.checkpoints.stored import StoredLinear
from engine.inference.checkpoints.text_encoder_file import load_text_encoder
from tests import original_names
from tests.unit.inference.checkpoints import tiny_parts
from tests.unit.inference.checkpoints.tiny_parts import Tensors


def state(model: UMT5EncoderModel) -> Tensors:
    """Its tensors as ComfyUI writes them: the embedding once, and the tokenizer among them."""
    tensors = {name: t for name, t in model.state_dict().items() if name != "encoder.embed_tokens.weight"}
    return tensors | {"spiece_model": torch.zeros(9, dtype=torch.uint8)}


@torch.no_grad()
def reads(model: UMT5EncoderModel) -> torch.Tensor:
    tokens, mask = torch.tensor([[3, 9, 41, 1, 0, 0]]), torch.tensor([[1, 1, 1, 1, 0, 0]])
    return model(tokens, mask).last_hidden_state


def loaded_from(folder: Path, tensors: Tensors) -> UMT5EncoderModel:
    return load_text_encoder(tiny_parts.write(folder / "umt5.safetensors", tensors), torch.float32)


@pytest.mark.parametrize("is_original", [True, False])
def test_both_namings_read_the_same(tmp_path: Path, is_original: bool) -> None:
    model = tiny_parts.text_encoder()
    tensors = state(model)
    if is_original:
        del tensors["spiece_model"]
        tensors = {original_names.of_umt5(name): tensor for name, tensor in tensors.items()}
        assert {"token_embedding.weight", "blocks.1.ffn.gate.0.weight", "norm.weight"} <= tensors.keys()
    loaded = loaded_from(tmp_path, tensors)
    assert torch.equal(reads(loaded), reads(model))
    assert loaded.encoder.embed_tokens.weight is loaded.shared.weight


def test_bfloat16_is_computed_in_the_type_asked_for(tmp_path: Path) -> None:
    tensors = {
        name: t.bfloat16() if t.is_floating_point() else t
        for name, t in state(tiny_parts.text_encoder()).items()
    }
    expected = tiny_parts.text_encoder()
    expected.load_state_dict({name: t.float() for name, t in tensors.items()}, strict=False)
    assert torch.equal(reads(loaded_from(tmp_path, tensors)), reads(expected))


def test_scaled_8_bits_are_worth_their_values(tmp_path: Path) -> None:
    model = tiny_parts.text_encoder()
    stored, worth = tiny_parts.scaled(state(model))
    # the tables of positions are no linear layers, and are scaled in these files too
    loaded = loaded_from(tmp_path, stored | {"scaled_fp8": torch.zeros(0, dtype=torch.float8_e4m3fn)})
    model.load_state_dict(worth, strict=False)
    assert torch.equal(reads(loaded), reads(model))
    assert isinstance(loaded.encoder.block[0].layer[0].SelfAttention.q, StoredLinear)


def test_a_plain_cast_to_8_bits_is_worth_its_values(tmp_path: Path) -> None:
    model = tiny_parts.text_encoder()
    tensors = {name: tensor for name, tensor in state(model).items() if name != "spiece_model"}
    stored = tiny_parts.cast(tensors, torch.float8_e4m3fn)
    loaded = loaded_from(tmp_path, {original_names.of_umt5(name): t for name, t in stored.items()})
    model.load_state_dict({name: tensor.float() for name, tensor in stored.items()}, strict=False)
    assert torch.equal(reads(loaded), reads(model))


def test_the_t5_of_other_models_is_refused(tmp_path: Path) -> None:
    tensors = state(tiny_parts.text_encoder())
    del tensors["encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight"]
    with pytest.raises(UnreadableFile, match="T5 text encoder of another model"):
        loaded_from(tmp_path, tensors)


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    tensors = state(tiny_parts.text_encoder())
    del tensors["encoder.block.1.layer.1.DenseReluDense.wo.weight"]
    with pytest.raises(UnreadableFile, match=r"DenseReluDense\.wo"):
        loaded_from(tmp_path, tensors)
