"""The names that modules of a Wan transformer go by: the original ones and diffusers', dotted or flattened."""

import re
from functools import cache
from typing import Literal

Names = Literal["original", "diffusers", "both"]

# original → diffusers; “#” stands for the number of the block
_BLOCK = {
    "self_attn.q": "attn1.to_q",
    "self_attn.k": "attn1.to_k",
    "self_attn.v": "attn1.to_v",
    "self_attn.o": "attn1.to_out.0",
    "self_attn.norm_q": "attn1.norm_q",
    "self_attn.norm_k": "attn1.norm_k",
    "cross_attn.q": "attn2.to_q",
    "cross_attn.k": "attn2.to_k",
    "cross_attn.v": "attn2.to_v",
    "cross_attn.o": "attn2.to_out.0",
    "cross_attn.norm_q": "attn2.norm_q",
    "cross_attn.norm_k": "attn2.norm_k",
    "cross_attn.k_img": "attn2.add_k_proj",
    "cross_attn.v_img": "attn2.add_v_proj",
    "cross_attn.norm_k_img": "attn2.norm_added_k",
    "ffn.0": "ffn.net.0.proj",
    "ffn.2": "ffn.net.2",
    # norm1/2/3 mean different things on the two sides; only this one has weights
    "norm3": "norm2",
    "modulation": "scale_shift_table",
}
_TOP = {
    "patch_embedding": "patch_embedding",
    "text_embedding.0": "condition_embedder.text_embedder.linear_1",
    "text_embedding.2": "condition_embedder.text_embedder.linear_2",
    "time_embedding.0": "condition_embedder.time_embedder.linear_1",
    "time_embedding.2": "condition_embedder.time_embedder.linear_2",
    "time_projection.1": "condition_embedder.time_proj",
    "img_emb.proj.0": "condition_embedder.image_embedder.norm1",
    "img_emb.proj.1": "condition_embedder.image_embedder.ff.net.0.proj",
    "img_emb.proj.3": "condition_embedder.image_embedder.ff.net.2",
    "img_emb.proj.4": "condition_embedder.image_embedder.norm2",
    "img_emb.emb_pos": "condition_embedder.image_embedder.pos_embed",
    "head.head": "proj_out",
    "head.modulation": "scale_shift_table",
    "vace_patch_embedding": "vace_patch_embedding",
    "vace_blocks.#.before_proj": "vace_blocks.#.proj_in",
    "vace_blocks.#.after_proj": "vace_blocks.#.proj_out",
}
ORIGINAL = (
    _TOP
    | {f"blocks.#.{name}": f"blocks.#.{module}" for name, module in _BLOCK.items()}
    | {f"vace_blocks.#.{name}": f"vace_blocks.#.{module}" for name, module in _BLOCK.items()}
)

# modules of relatives of Wan, recognised so that they can be named
RELATIVES = {
    "face_adapter": "belongs to Wan Animate",
    "face_encoder": "belongs to Wan Animate",
    "motion_encoder": "belongs to Wan Animate",
    "pose_patch_embedding": "belongs to Wan Animate",
    "audio_injector": "belongs to Wan S2V",
    "casual_audio_encoder": "belongs to Wan S2V",
    "audio_proj": "belongs to an audio-driven Wan",
    "control_adapter": "belongs to Wan Fun-Camera",
    "ref_conv": "belongs to Wan Fun-Control",
}

_NUMBER = re.compile(r"(?<=blocks[._])(0|[1-9][0-9]{0,3})(?=[._]|$)")


@cache
def dotted_names() -> dict[str, tuple[str, Names]]:
    """Every name, with “#” for the number of the block → diffusers' module, and whose name it is."""
    table: dict[str, tuple[str, Names]] = {module: (module, "diffusers") for module in ORIGINAL.values()}
    for name, module in ORIGINAL.items():
        table[name] = (module, "both" if name in table else "original")
    return table


@cache
def flat_names() -> dict[str, tuple[str, Names]]:
    """The same with “_” for “.”; no two names become one."""
    return {name.replace(".", "_"): found for name, found in dotted_names().items()}


def look_up(path: str, is_flat: bool) -> tuple[str, Names] | None:
    """The module that `path` names; the number of the block is carried over."""
    if "#" in path:
        return None
    match = _NUMBER.search(path)
    template = path if match is None else f"{path[: match.start()]}#{path[match.end() :]}"
    found = dotted_names().get(template)
    if found is None and is_flat:
        found = flat_names().get(template)
    if found is None or match is None:
        return found
    return found[0].replace("#", match[1]), found[1]
