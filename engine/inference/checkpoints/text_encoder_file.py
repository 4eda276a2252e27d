"""A UMT5 text encoder in one file, with the names of Wan, of Hugging Face or of llama.cpp."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor
from transformers import UMT5Config, UMT5EncoderModel

from catalog.checkpoint_names import is_beside, scaled_weight
from catalog.checkpoints import recognise
from catalog.errors import UnreadableFile
from catalog.gguf import read_any_header
from engine.inference.checkpoints.stored import StoredEmbedding
from engine.inference.checkpoints.weights import Read, check_names, empty, fill, mapped, shape_of

_BLOCK = "encoder.block.0.layer"
_TOP = {
    "token_embedding.weight": "shared.weight",
    "norm.weight": "encoder.final_layer_norm.weight",
    "token_embd.weight": "shared.weight",
    "enc.output_norm.weight": "encoder.final_layer_norm.weight",
}
_IN_BLOCK = {
    "norm1": "layer.0.layer_norm",
    "attn.q": "layer.0.SelfAttention.q",
    "attn.k": "layer.0.SelfAttention.k",
    "attn.v": "layer.0.SelfAttention.v",
    "attn.o": "layer.0.SelfAttention.o",
    "pos_embedding.embedding": "layer.0.SelfAttention.relative_attention_bias",
    "norm2": "layer.1.layer_norm",
    "ffn.gate.0": "layer.1.DenseReluDense.wi_0",
    "ffn.fc1": "layer.1.DenseReluDense.wi_1",
    "ffn.fc2": "layer.1.DenseReluDense.wo",
    "attn_norm": "layer.0.layer_norm",
    "attn_q": "layer.0.SelfAttention.q",
    "attn_k": "layer.0.SelfAttention.k",
    "attn_v": "layer.0.SelfAttention.v",
    "attn_o": "layer.0.SelfAttention.o",
    "attn_rel_b": "layer.0.SelfAttention.relative_attention_bias",
    "ffn_norm": "layer.1.layer_norm",
    "ffn_gate": "layer.1.DenseReluDense.wi_0",
    "ffn_up": "layer.1.DenseReluDense.wi_1",
    "ffn_down": "layer.1.DenseReluDense.wo",
}
_OTHER_NAMES = re.compile(r"(?:blocks|enc\.blk)\.(\d+)\.(.+)\.weight")
_TIED = "encoder.embed_tokens.weight"
_TOKENIZER = "spiece_model"


def load_text_encoder(path: Path, dtype: torch.dtype, at_rest: bool = False) -> UMT5EncoderModel:
    """The text encoder in a file, in `dtype` on the CPU; UnreadableFile when it is no UMT5 or not all of one.

    At rest, the weights of its layers and its table of words stay in the file until they are used.
    """
    header = read_any_header(path)
    found = recognise(header, path.name)
    if found.role != "text encoder" or found.refusal:
        raise UnreadableFile(found.refusal or f"It is {found.title}.")
    names, scales = text_encoder_names(header.tensors)
    side = shape_of(header, names)
    heads = side(f"{_BLOCK}.0.SelfAttention.relative_attention_bias.weight", 1)
    config = UMT5Config(
        vocab_size=side("shared.weight", 0),
        d_model=side("shared.weight", 1),
        d_kv=side(f"{_BLOCK}.0.SelfAttention.q.weight", 0) // max(1, heads),
        d_ff=side(f"{_BLOCK}.1.DenseReluDense.wi_0.weight", 0),
        num_layers=len({name.split(".")[2] for name in names if name.startswith("encoder.block.")}),
        num_heads=heads,
        relative_attention_num_buckets=side(f"{_BLOCK}.0.SelfAttention.relative_attention_bias.weight", 0),
    )
    model = empty(UMT5EncoderModel, config)
    check_names(model, header, names)
    if at_rest:
        return resting_text_encoder(model, names, scales, mapped(path, header), dtype)
    filled = fill(model, names, scales, mapped(path, header), lambda name: dtype)
    filled.tie_weights()
    return filled


def resting_text_encoder(
    model: UMT5EncoderModel,
    names: Mapping[str, str],
    scales: Mapping[str, str],
    read: Read,
    dtype: torch.dtype,
) -> UMT5EncoderModel:
    """An empty text encoder with its weights, those of its layers and its table of words still in the file."""
    words = read(names["shared.weight"])
    has_scale = bool({"shared", _TIED.removesuffix(".weight")} & scales.keys())
    if is_plain := isinstance(words, Tensor) and not has_scale:
        model.set_submodule("shared", StoredEmbedding(words, dtype))
        model.set_submodule("encoder.embed_tokens", model.get_submodule("shared"))
        names = {name: key for name, key in names.items() if name not in ("shared.weight", _TIED)}
    filled = fill(model, names, scales, read, lambda name: dtype, at_rest=True)
    if not is_plain:
        filled.tie_weights()
    return filled


def text_encoder_names(keys: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Hugging Face's parameter name → key, and module → key of its scale, for any of the namings."""
    names: dict[str, str] = {}
    scales: dict[str, str] = {}
    for key in keys:
        if is_beside(key) or key == _TOKENIZER:
            continue
        if weight := scaled_weight(key):
            scales[_name(weight).removesuffix(".weight")] = key
        else:
            names[_name(key)] = key
    words = names.get("shared.weight") or names.get(_TIED)
    if words is not None:
        names |= {"shared.weight": words, _TIED: words}
    return names, scales


def _name(key: str) -> str:
    if key in _TOP:
        return _TOP[key]
    match = _OTHER_NAMES.fullmatch(key)
    if match is None or match[2] not in _IN_BLOCK:
        return key
    return f"encoder.block.{match[1]}.{_IN_BLOCK[match[2]]}.weight"
