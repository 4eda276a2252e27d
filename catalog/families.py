"""The other model families whose LoRA files people have, recognised by their tensor names and sizes."""

import re
from collections.abc import Iterable, Mapping

from catalog.header import TensorInfo
from catalog.key_styles import TEXT_ENCODER, UnknownKey, parse_key

WAN_BY_WIDTH = {5120: "Wan 14B", 1536: "Wan 1.3B", 3072: "Wan 5B", 192: "Wan, demo size (192)"}
"""Inner width of the transformer → how people call a Wan of that size."""

ONE_EXPERT_WIDTHS = (1536, 3072)
"""The widths of which no Wan has two experts."""

INDISTINCT = {
    "SDXL": "which SDXL: Pony, Illustrious and NoobAI have the same layers",
    "Flux.1": "whether Flux.1 or Chroma: most of their layers are the same",
    "Flux.1 or HunyuanVideo": "which of the two: too few of their blocks are in the file",
    "Flux.1 or Qwen-Image": "which of the two: too few of their blocks are in the file",
    "Flux.1 or Flux.2": "which of the two: too few of their blocks are in the file",
    "Z-Image or Lumina 2": "which of the two: no layer shows the width",
    "Cosmos-Predict2 or Anima": "which of the two: Anima is built on Cosmos-Predict2",
    "LTX or CogVideoX": "which of the two: no layer shows a width that only one of them has",
    "Stable Diffusion": "which Stable Diffusion: no layer that reads the prompt is in the file",
}
"""Family → what its LoRAs do not show."""

_UNET_WIDTHS = {768: "SD 1.5", 1024: "SD 2", 2048: "SDXL"}
_LAYER_WIDTHS = {3840: "Z-Image", 2304: "Lumina 2"}
# transformers with attn1 and attn2: the width of attn1, and what of it attn2 reads
_CROSS_WIDTHS = {2048: "LTX", 4096: "LTX", 5120: "Cosmos-Predict2", 1152: "PixArt", 2240: "Sana"}
# and of those that may lack attn2 in the file
_SELF_WIDTHS = {1920: "CogVideoX", 3072: "CogVideoX"} | _CROSS_WIDTHS
_COSMOS_TEXT = 1024
_UNET = re.compile(r"(?:down|up|mid|input|output|middle)_block")
_UNET_INDEX = re.compile(r"attentions?_\d+_transformer_blocks_(?:[2-9]|\d\d)_")
_SINGLE = re.compile(r"single_(?:transformer_)?blocks_([0-9]{1,4})_")
_DOUBLE = re.compile(r"double_blocks_([0-9]{1,4})_")
_JOINT = re.compile(r"(?<!single_)transformer_blocks_([0-9]{1,4})_")
_LAYERS = re.compile(r"(?:^|_)layers_\d+_(?:attention_(?:qkv|to_)|attn_to_|feed_forward_)", re.MULTILINE)
_MOCHI = re.compile(r"blocks_\d+_(?:attn_qkv_[xy]|attn_proj_[xy]|attn_[xy]_|attn1_add_q_proj)")
_DOWN = (
    *(".lora_down.weight", ".lora_A.weight", ".lora_A.default.weight", ".lora_A", ".lora.down.weight"),
    ".hada_w1_b",
)
_UP = tuple(name.replace("down", "up").replace("_A", "_B") for name in _DOWN[:-1])

# the first row of which one word occurs in the names (written with “_” for “.”) decides
_WORDS = (
    (("audio_to_video_attn", "audio_attn1"), "LTX-2"),
    (("to_qkv_mlp_proj", "double_stream_modulation", "single_stream_modulation"), "Flux.2"),
    (("distilled_guidance_layer",), "Chroma"),
    (("double_stream_blocks", "single_stream_blocks"), "HiDream"),
    (("img_mlp_net_0_proj", "txt_mlp_net", "img_mod_1"), "Qwen-Image"),
    (("joint_blocks_", "norm1_context"), "SD 3"),
    (("context_embedder_token_refiner", "txt_in_individual_token_refiner"), "HunyuanVideo"),
    (("llm_adapter",), "Anima"),
    (("adaln_modulation_self_attn", "self_attn_q_proj", "self_attn_output_proj"), "Cosmos-Predict2 or Anima"),
)

Tensors = Mapping[str, TensorInfo]


def other_family(tensors: Tensors) -> tuple[str, str]:
    """The family that the tensors belong to, and the evidence in words; ("", "") when none is known."""
    # a text encoder may be a part of the file, and CLIP's names occur in Cosmos-Predict2 too
    text = _flat(name for name in tensors if parse_key(name) != UnknownKey(TEXT_ENCODER))
    if _UNET.search(text):
        return _stable_diffusion(tensors, _flat(tensors))
    for words, family in _WORDS:
        word = next((word for word in words if word in text), None)
        if word:
            return family, f"tensor names contain “{word}”"
    return _by_blocks(tensors, text) or _by_text_encoder(_flat(tensors))


def _flat(names: Iterable[str]) -> str:
    """The names, one a line, with “_” for “.”."""
    # “transformer.blocks” is Wan's and must not read like “transformer_blocks”
    own = (name.removeprefix("base_model.model.").removeprefix("transformer.") for name in names)
    return "\n".join(own).replace(".", "_")


def _by_blocks(tensors: Tensors, text: str) -> tuple[str, str] | None:
    if _MOCHI.search(text):
        return "Mochi", "tensor names of attention over picture and text apart (“add_q_proj”, “qkv_x”)"
    if _DOUBLE.search(text) or "single_blocks_" in text:
        return _flux_or_hunyuan(tensors, text)
    if "transformer_blocks_" in text:
        return _transformer(tensors, text)
    if _LAYERS.search(text):
        width = _side(tensors, ("attention", "attn", "feed_forward_w1", "feed_forward_linear_1"), 1)
        family = _LAYER_WIDTHS.get(width, "Z-Image or Lumina 2")
        return family, f"tensor names “layers…attention”, width {width or 'unknown'}"
    return None


def _by_text_encoder(text: str) -> tuple[str, str]:
    if "lora_te2_" in text:
        return "SDXL", "tensor names of its second text encoder (“lora_te2_”)"
    if "lora_te_text_model" in text or "lora_te1_" in text:
        return "Stable Diffusion", "tensor names of its text encoder"
    return "", ""


def _transformer(tensors: Tensors, text: str) -> tuple[str, str]:
    if "single_transformer_blocks_" in text or re.search(r"transformer_blocks_\d+_attn_", text):
        return _joint_attention(tensors, text)
    width = _side(tensors, ("attn1_to_q", "attn1_to_k", "attn1_to_v", "attn1_to_out"), 1)
    if "attn2_to_" in text:
        reads = _side(tensors, ("attn2_to_k", "attn2_to_v"), 1)
        family = "Cosmos-Predict2" if reads == _COSMOS_TEXT else _CROSS_WIDTHS.get(width, "LTX")
        return family, f"tensor names “transformer_blocks…attn2” without a U-Net, width {width or 'unknown'}"
    if "attn1_to_" in text:
        family = _SELF_WIDTHS.get(width, "LTX or CogVideoX")
        return family, f"tensor names “transformer_blocks…attn1” without attn2, width {width or 'unknown'}"
    return "", ""


def _stable_diffusion(tensors: Tensors, text: str) -> tuple[str, str]:
    width = _side(tensors, ("attn2_to_k", "attn2_to_v"), 1)
    if width in _UNET_WIDTHS:
        return _UNET_WIDTHS[width], f"U-Net tensor names, text width {width}"
    if "lora_te2_" in text or _UNET_INDEX.search(text):
        return "SDXL", "U-Net tensor names with SDXL’s deep transformer blocks or its second text encoder"
    return "Stable Diffusion", "U-Net tensor names"


def _flux_or_hunyuan(tensors: Tensors, text: str) -> tuple[str, str]:
    """The families with “double_blocks” and “single_blocks”, told apart by widths, then by their number."""
    single, double = _most(_SINGLE, text), _most(_DOUBLE, text)
    dotted = "\n".join(tensors)
    width = _side(tensors, ("img_attn_qkv", "img_attn_q", "linear1", "txt_attn_qkv"), 1)
    evidence = (
        f"tensor names “double_blocks” and “single_blocks”: {double + 1} and {single + 1}, width {width}"
    )
    if double >= 20 or width == 2048:
        return "HunyuanVideo 1.5", evidence
    if width in (4096, 6144) or _is_gated(tensors, width):
        return "Flux.2", evidence
    if "img_attn_qkv." in dotted and "double_blocks." in dotted or double == 19 or single >= 38:
        return "HunyuanVideo", evidence
    if "img_attn.qkv" in dotted or "img_attn.proj" in dotted or double == 18 or single == 37:
        return "Flux.1", evidence
    return "Flux.1 or HunyuanVideo", evidence


def _is_gated(tensors: Tensors, width: int) -> bool:
    """Whether the feed-forward layers have Flux.2’s two halves: 6 widths instead of 4, 9 with the attention."""
    ratios = {"img_mlp_0": 6, "txt_mlp_0": 6, "linear1": 9}
    return width > 0 and any(_side(tensors, (n,), 0, _UP) == r * width for n, r in ratios.items())


def _joint_attention(tensors: Tensors, text: str) -> tuple[str, str]:
    """Diffusers' names for attention over picture and text at once, which five families share."""
    width = _side(tensors, ("_attn_to_", "_attn_add_"), 1)
    blocks, single = _most(_JOINT, text) + 1, _most(_SINGLE, text) + 1
    evidence = (
        f"tensor names “attn.to_…”: {blocks} double and {single} single blocks, width {width or 'unknown'}"
    )
    if width in (1536, 2432):
        return "SD 3", evidence
    if width == 2048:
        return "HunyuanVideo 1.5", evidence
    if width in (4096, 6144) or "_ff_linear_in" in text:
        return "Flux.2", evidence
    if single:
        return ("HunyuanVideo" if single > 38 or blocks == 20 else "Flux.1"), evidence
    return ("Qwen-Image" if blocks > 20 else "Flux.1 or Qwen-Image"), evidence


def _side(tensors: Tensors, words: tuple[str, ...], axis: int, suffixes: tuple[str, ...] = _DOWN) -> int:
    """What the layers whose names contain one of the words take in (axis 1 of the factor that reads); 0 if unknown."""
    for name, info in tensors.items():
        if name.endswith(suffixes) and len(info.shape) >= 2:
            flat = name.replace(".", "_")
            if any(word in flat for word in words):
                return info.shape[axis]
    return 0


def _most(pattern: re.Pattern[str], text: str) -> int:
    return max((int(number) for number in pattern.findall(text)), default=-1)
