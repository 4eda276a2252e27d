"""diffusers' and Hugging Face's parameter names → the names in Wan's own files; the way back is under test."""

import re

Rules = tuple[tuple[str, str], ...]

_TRANSFORMER: Rules = (
    (r"condition_embedder\.text_embedder\.linear_1", "text_embedding.0"),
    (r"condition_embedder\.text_embedder\.linear_2", "text_embedding.2"),
    (r"condition_embedder\.time_embedder\.linear_1", "time_embedding.0"),
    (r"condition_embedder\.time_embedder\.linear_2", "time_embedding.2"),
    (r"condition_embedder\.time_proj", "time_projection.1"),
    (r"condition_embedder\.image_embedder\.norm1", "img_emb.proj.0"),
    (r"condition_embedder\.image_embedder\.ff\.net\.0\.proj", "img_emb.proj.1"),
    (r"condition_embedder\.image_embedder\.ff\.net\.2", "img_emb.proj.3"),
    (r"condition_embedder\.image_embedder\.norm2", "img_emb.proj.4"),
    (r"condition_embedder\.image_embedder\.pos_embed", "img_emb.emb_pos"),
    (r"^proj_out\.", "head.head."),
    (r"^scale_shift_table$", "head.modulation"),
    (r"scale_shift_table$", "modulation"),
    (r"(vace_blocks\.\d+)\.proj_in\.", r"\1.before_proj."),
    (r"(vace_blocks\.\d+)\.proj_out\.", r"\1.after_proj."),
    (r"\.norm2\.", ".norm3."),
    (r"\.attn1\.", ".self_attn."),
    (r"\.attn2\.", ".cross_attn."),
    (r"\.to_out\.0\.", ".o."),
    (r"\.to_([qkv])\.", r".\1."),
    (r"\.add_([kv])_proj\.", r".\1_img."),
    (r"\.norm_added_k\.", ".norm_k_img."),
    (r"\.ffn\.net\.0\.proj\.", ".ffn.0."),
    (r"\.ffn\.net\.2\.", ".ffn.2."),
)
_VAE: Rules = (
    (r"^quant_conv\.", "conv1."),
    (r"^post_quant_conv\.", "conv2."),
    (r"\.conv1\.", ".residual.2."),
    (r"\.conv2\.", ".residual.6."),
    (r"\.norm1\.", ".residual.0."),
    (r"\.norm2\.", ".residual.3."),
    (r"\.conv_shortcut\.", ".shortcut."),
    (r"\.conv_in\.", ".conv1."),
    (r"\.norm_out\.", ".head.0."),
    (r"\.conv_out\.", ".head.2."),
    (r"\.mid_block\.resnets\.0\.", ".middle.0."),
    (r"\.mid_block\.attentions\.0\.", ".middle.1."),
    (r"\.mid_block\.resnets\.1\.", ".middle.2."),
)
_UMT5: Rules = (
    (r"^shared\.", "token_embedding."),
    (r"^encoder\.final_layer_norm\.", "norm."),
    (r"^encoder\.block\.(\d+)\.layer\.", r"blocks.\1."),
    (r"\.0\.layer_norm\.", ".norm1."),
    (r"\.1\.layer_norm\.", ".norm2."),
    (r"\.0\.SelfAttention\.relative_attention_bias\.", ".pos_embedding.embedding."),
    (r"\.0\.SelfAttention\.", ".attn."),
    (r"\.1\.DenseReluDense\.wi_0\.", ".ffn.gate.0."),
    (r"\.1\.DenseReluDense\.wi_1\.", ".ffn.fc1."),
    (r"\.1\.DenseReluDense\.wo\.", ".ffn.fc2."),
)

_LLAMA_CPP: Rules = (
    (r"^shared\.", "token_embd."),
    (r"^encoder\.final_layer_norm\.", "enc.output_norm."),
    (r"^encoder\.block\.(\d+)\.layer\.", r"enc.blk.\1."),
    (r"\.0\.layer_norm\.", ".attn_norm."),
    (r"\.1\.layer_norm\.", ".ffn_norm."),
    (r"\.0\.SelfAttention\.relative_attention_bias\.", ".attn_rel_b."),
    (r"\.0\.SelfAttention\.([qkvo])\.", r".attn_\1."),
    (r"\.1\.DenseReluDense\.wi_0\.", ".ffn_gate."),
    (r"\.1\.DenseReluDense\.wi_1\.", ".ffn_up."),
    (r"\.1\.DenseReluDense\.wo\.", ".ffn_down."),
)


def of_transformer(name: str) -> str:
    return _rewritten(name, _TRANSFORMER)


def of_vae_21(name: str) -> str:
    """Wan 2.1 counts the pieces of its decoder through: three residual blocks and an upsampler a level."""
    name = _rewritten(name, _VAE).replace("encoder.down_blocks.", "encoder.downsamples.")
    level = re.match(r"decoder\.up_blocks\.(\d+)\.(?:resnets\.(\d+)|upsamplers\.0)\.", name)
    if level is None:
        return name
    piece = 4 * int(level[1]) + (3 if level[2] is None else int(level[2]))
    return f"decoder.upsamples.{piece}.{name[level.end() :]}"


def of_vae_22(name: str) -> str:
    """Wan 2.2 counts within each level; the resampler is its last piece."""
    name = _rewritten(name, _VAE)
    name = re.sub(r"down_blocks\.(\d+)\.resnets\.(\d+)", r"downsamples.\1.downsamples.\2", name)
    name = re.sub(r"down_blocks\.(\d+)\.downsampler", r"downsamples.\1.downsamples.2", name)
    name = re.sub(r"up_blocks\.(\d+)\.resnets\.(\d+)", r"upsamples.\1.upsamples.\2", name)
    return re.sub(r"up_blocks\.(\d+)\.upsampler", r"upsamples.\1.upsamples.3", name)


def of_umt5(name: str) -> str:
    return _rewritten(name, _UMT5)


def _rewritten(name: str, rules: Rules) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


def of_llama_cpp(name: str) -> str:
    """The names of a UMT5 encoder in GGUF files."""
    return _rewritten(name, _LLAMA_CPP)
