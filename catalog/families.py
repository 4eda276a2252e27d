"""The other model families whose LoRA files people have, recognised by their tensor names and sizes."""

import re
from collections.abc import Mapping

from catalog.header import TensorInfo

WAN_BY_WIDTH = {5120: "Wan 14B", 1536: "Wan 1.3B", 3072: "Wan 5B", 192: "Wan, demo size (192)"}
"""Inner width of the transformer → how people call a Wan of that size."""

_SIZES_OF_STABLE_DIFFUSION = {768: "SD 1.5", 1024: "SD 2", 2048: "SDXL"}
_UNET = re.compile(r"(down|up|mid|input|output|middle)_block")
_UNET_INDEX = re.compile(r"attentions?_\d+_transformer_blocks_([2-9]|\d\d)_")
_SINGLE = re.compile(r"single_(?:transformer_)?blocks_(\d+)_")
_DOUBLE = re.compile(r"double_blocks_(\d+)_")
_JOINT = re.compile(r"transformer_blocks_(\d+)_attn_")
_DOWN = (".lora_down.weight", ".lora_A.weight", ".lora_A.default.weight", ".lora.down.weight", ".hada_w1_b")

# the first row of which one word occurs in the names (written with “_” for “.”) decides
_WORDS = (
    (("audio_to_video_attn", "audio_attn1"), "LTX-2"),
    (("to_qkv_mlp_proj", "double_stream_modulation"), "Flux.2"),
    (("distilled_guidance_layer",), "Chroma"),
    (("double_stream_blocks", "single_stream_blocks"), "HiDream"),
    (("img_mlp_net_0_proj", "txt_mlp_net", "img_mod_1"), "Qwen-Image"),
    (("joint_blocks_", "norm1_context"), "SD 3"),
    (("context_embedder_token_refiner", "txt_in_individual_token_refiner"), "HunyuanVideo"),
    (("single_transformer_blocks_",), "Flux"),
    (("noise_refiner", "context_refiner"), "Z-Image or Lumina"),
    (("llm_adapter", "adaln_modulation_self_attn", "self_attn_q_proj"), "Cosmos-Predict2 or Anima"),
)


def other_family(tensors: Mapping[str, TensorInfo]) -> tuple[str, str]:
    """The family that the tensors belong to, and the evidence in words; ("", "") when none is known."""
    text = "\n".join(tensors).replace(".", "_")
    if _UNET.search(text) or "lora_te_text_model" in text or "lora_te1_" in text or "lora_te2_" in text:
        return _stable_diffusion(tensors, text)
    if _DOUBLE.search(text) or "single_blocks_" in text:
        return _flux_or_hunyuan(tensors, text)
    for words, family in _WORDS:
        word = next((word for word in words if word in text), None)
        if word:
            return family, f"tensor names contain “{word}”"
    return _transformer(tensors, text)


def _transformer(tensors: Mapping[str, TensorInfo], text: str) -> tuple[str, str]:
    if "attn1_add_q_proj" in text:
        return "Mochi", "tensor names “attn1…add_q_proj”"
    if "_attn_add_" in text:
        return _joint_attention(tensors, text)
    if "feed_forward_w1" in text or "_attention_qkv" in text:
        return _by_width(tensors, {3840: "Z-Image", 2304: "Lumina 2"}, "Z-Image or Lumina", "attention")
    if "transformer_blocks_" in text:
        if "attn2_to_" in text:
            return "LTX", "tensor names “transformer_blocks…attn2” without a U-Net"
        if "attn1_to_" in text:
            return "CogVideoX", "tensor names “transformer_blocks…attn1” without a second attention"
    return "", ""


def _stable_diffusion(tensors: Mapping[str, TensorInfo], text: str) -> tuple[str, str]:
    width = _input_width(tensors, "attn2_to_k")
    if width in _SIZES_OF_STABLE_DIFFUSION:
        return _SIZES_OF_STABLE_DIFFUSION[width], f"U-Net tensor names, text width {width}"
    if "lora_te2_" in text or _UNET_INDEX.search(text):
        return "SDXL", "U-Net tensor names with SDXL’s deep transformer blocks or its second text encoder"
    return "Stable Diffusion", "U-Net tensor names"


def _flux_or_hunyuan(tensors: Mapping[str, TensorInfo], text: str) -> tuple[str, str]:
    single, double = _most(_SINGLE, text), _most(_DOUBLE, text)
    dotted = "\n".join(tensors)
    if double >= 20 or _input_width(tensors, "img_attn") == 2048:
        return "HunyuanVideo 1.5", f"{double + 1} double blocks"
    if "img_attn_qkv." in dotted and "double_blocks." in dotted:
        return "HunyuanVideo", "tensor names “img_attn_qkv”"
    if double == 19 or single >= 38:
        return "HunyuanVideo", f"{double + 1} double and {single + 1} single blocks"
    if "img_attn.qkv" in dotted or double == 18 or single == 37:
        return "Flux", "Flux’s block names and counts"
    return "Flux or HunyuanVideo", "tensor names “double_blocks”; too few of them to tell which"


def _joint_attention(tensors: Mapping[str, TensorInfo], text: str) -> tuple[str, str]:
    """Diffusers' names for attention over picture and text at once, which three families share."""
    width, blocks = _input_width(tensors, "_attn_"), _most(_JOINT, text) + 1
    evidence = f"tensor names “attn.add_…”, width {width or 'unknown'}, {blocks} blocks"
    if width in (1536, 2432):
        return "SD 3", evidence
    return ("Qwen-Image" if blocks > 19 else "Flux or Qwen-Image"), evidence


def _by_width(
    tensors: Mapping[str, TensorInfo], families: Mapping[int, str], otherwise: str, word: str
) -> tuple[str, str]:
    width = _input_width(tensors, word)
    return families.get(width, otherwise), f"tensor names with “{word}”, width {width or 'unknown'}"


def _input_width(tensors: Mapping[str, TensorInfo], word: str) -> int:
    """What the layers whose names contain `word` take in, 0 when no tensor tells."""
    for name, info in tensors.items():
        if name.endswith(_DOWN) and len(info.shape) >= 2 and word in name.replace(".", "_"):
            return info.shape[1]
    return 0


def _most(pattern: re.Pattern[str], text: str) -> int:
    return max((int(number) for number in pattern.findall(text)), default=-1)
