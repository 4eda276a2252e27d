"""Models in GGUF files compute with what the format's own package says their weights are."""

from pathlib import Path

import pytest
import torch

from engine.inference.checkpoints.packed import PackedLinear
from engine.inference.checkpoints.text_encoder_file import load_text_encoder
from engine.inference.checkpoints.transformer_file import load_transformer
from tests import original_names
from tests.unit.inference.checkpoints import gguf_files, tiny_parts


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
@pytest.mark.parametrize("kind", [*gguf_files.CAST, *gguf_files.DRAWN])
def test_a_transformer_is_worth_what_the_package_says(tmp_path: Path, kind: str, prefix: str) -> None:
    tensors = tiny_parts.original(tiny_parts.transformer(), prefix)
    worth = gguf_files.write(tmp_path / "x.gguf", tensors, kind)
    loaded = load_transformer(tmp_path / "x.gguf", torch.float32)
    plain = load_transformer(tiny_parts.write(tmp_path / "x.safetensors", worth), torch.float32)
    torch.testing.assert_close(loaded.blocks[1].attn2.to_v.weight, plain.blocks[1].attn2.to_v.weight)
    torch.testing.assert_close(tiny_parts.predict(loaded), tiny_parts.predict(plain), rtol=1e-4, atol=1e-4)
    assert isinstance(loaded.blocks[1].attn2.to_v, PackedLinear) == (kind not in ("BF16", "F16"))


@pytest.mark.parametrize("shape", [(256, -1), (256 * 16, 1, 2, 2)])
def test_patches_that_were_folded_without_a_word_are_unfolded(tmp_path: Path, shape: tuple[int, ...]) -> None:
    tensors = tiny_parts.original(tiny_parts.transformer())
    patches = tensors["patch_embedding.weight"]
    folded = tensors | {"patch_embedding.weight": patches.reshape(shape)}
    gguf_files.write(tmp_path / "x.gguf", folded, "F16")
    assert torch.equal(load_transformer(tmp_path / "x.gguf", torch.float32).patch_embedding.weight, patches)


def test_a_text_encoder_is_worth_what_the_package_says(tmp_path: Path) -> None:
    model = tiny_parts.text_encoder()
    tensors = {name: t for name, t in model.state_dict().items() if name != "encoder.embed_tokens.weight"}
    renamed = {original_names.of_llama_cpp(name): tensor for name, tensor in tensors.items()}
    assert {"token_embd.weight", "enc.blk.1.attn_rel_b.weight", "enc.blk.0.ffn_down.weight"} <= renamed.keys()
    worth = gguf_files.write(tmp_path / "umt5.gguf", renamed, "F16", "t5encoder")
    loaded = load_text_encoder(tmp_path / "umt5.gguf", torch.float32)
    state = loaded.state_dict()
    for name, tensor in tensors.items():
        assert torch.equal(state[name], worth[original_names.of_llama_cpp(name)]), name
        torch.testing.assert_close(state[name], tensor, rtol=1e-3, atol=1e-4)
