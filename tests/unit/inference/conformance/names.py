"""Where a module of diffusers is found in a LoRA file: Wan's own names, and the prefix of every dialect."""

import re
from dataclasses import dataclass

TOP = {
    "condition_embedder.text_embedder.linear_1": "text_embedding.0",
    "condition_embedder.text_embedder.linear_2": "text_embedding.2",
    "condition_embedder.time_embedder.linear_1": "time_embedding.0",
    "condition_embedder.time_embedder.linear_2": "time_embedding.2",
    "condition_embedder.time_proj": "time_projection.1",
    "condition_embedder.image_embedder.norm1": "img_emb.proj.0",
    "condition_embedder.image_embedder.ff.net.0.proj": "img_emb.proj.1",
    "condition_embedder.image_embedder.ff.net.2": "img_emb.proj.3",
    "condition_embedder.image_embedder.norm2": "img_emb.proj.4",
    "condition_embedder.image_embedder.pos_embed": "img_emb.emb_pos",
    "proj_out": "head.head",
    "scale_shift_table": "head.modulation",
    "patch_embedding": "patch_embedding",
    "vace_patch_embedding": "vace_patch_embedding",
}
ATTENTION = {
    "to_q": "q",
    "to_k": "k",
    "to_v": "v",
    "to_out.0": "o",
    "norm_q": "norm_q",
    "norm_k": "norm_k",
    "add_k_proj": "k_img",
    "add_v_proj": "v_img",
    "norm_added_k": "norm_k_img",
}
IN_BLOCK = (
    {f"attn1.{ours}": f"self_attn.{theirs}" for ours, theirs in ATTENTION.items()}
    | {f"attn2.{ours}": f"cross_attn.{theirs}" for ours, theirs in ATTENTION.items()}
    | {
        "ffn.net.0.proj": "ffn.0",
        "ffn.net.2": "ffn.2",
        "norm2": "norm3",
        "scale_shift_table": "modulation",
        "proj_in": "before_proj",
        "proj_out": "after_proj",
    }
)


def original(name: str) -> str:
    """Wan's own name of a module or table that diffusers calls `name`."""
    block = re.fullmatch(r"((?:vace_)?blocks\.\d+\.)(.+)", name)
    return block[1] + IN_BLOCK[block[2]] if block else TOP[name]


@dataclass(frozen=True)
class Style:
    """How a dialect writes the way to a module."""

    prefix: str
    wan_names: bool = True
    flat: bool = False

    def __call__(self, name: str) -> str:
        """The beginning of a key, up to its suffix, for the module that diffusers calls `name`."""
        path = original(name) if self.wan_names else name
        return self.prefix + (path.replace(".", "_") if self.flat else path)


NATIVE = Style("diffusion_model.")
MODEL = Style("model.diffusion_model.")
BARE = Style("")
PIPE_DIT = Style("pipe.dit.")
TRANSFORMER_WAN = Style("transformer.")
PEFT_WAN = Style("base_model.model.")
AITOOLKIT_HIGH = Style("diffusion_model.transformer_1.")
AITOOLKIT_LOW = Style("diffusion_model.transformer_2.")
DIFFUSERS = Style("transformer.", wan_names=False)
DIFFUSERS_LOW = Style("transformer_2.", wan_names=False)
DIFFUSERS_BARE = Style("", wan_names=False)
NATIVE_DIFFUSERS = Style("diffusion_model.", wan_names=False)
PEFT_DIFFUSERS = Style("base_model.model.", wan_names=False)
PEFT_TRANSFORMER = Style("base_model.model.transformer.", wan_names=False)
STACKED = Style("transformer.base_model.model.", wan_names=False)
KOHYA = Style("lora_unet_", flat=True)
KOHYA_DIFFUSERS = Style("lora_unet_", wan_names=False, flat=True)
VIDEOX = Style("lora_unet__", flat=True)
VIDEOX_DIFFUSERS = Style("lora_unet__", wan_names=False, flat=True)
ONETRAINER = Style("lora_transformer_", wan_names=False, flat=True)
LYCORIS = Style("lycoris_", wan_names=False, flat=True)
WRAPPED = Style("module._orig_mod.")
