"""The sort of Wan that a LoRA was made for, as far as its layers show it."""

from collections import Counter
from collections.abc import Iterable

from catalog.anatomy import Anatomy

IMAGE_BRANCH = "I2V with an image branch (Wan 2.1)"
FUN_IMAGE_BRANCH = "Fun with an image branch"
FLF2V = "FLF2V"

_BY_REASON = {
    "belongs to Wan Animate": "Animate",
    "belongs to Wan S2V": "S2V",
    "belongs to an audio-driven Wan": "audio-driven (HuMo, MultiTalk)",
    "belongs to Wan Fun-Camera": "Fun-Camera",
    "belongs to Wan Fun-Control": "Fun-Control",
}
_BY_CHANNELS = {16: "T2V", 20: "SCAIL", 32: "Fun-Camera", 36: "I2V", 48: "Fun-Control"}
_BY_5B_CHANNELS = {48: "TI2V", 96: "Lucy-Edit"}
_IMAGE_LAYERS = ("add_k_proj", "add_v_proj", "image_embedder", "norm_added")


def variant_of(anatomy: Anatomy, reasons: Iterable[str]) -> tuple[str, str]:
    """The variant and why, both "" when nothing shows it; `reasons` are those of the keys that are no Wan layer."""
    relatives = Counter(_BY_REASON[reason] for reason in reasons if reason in _BY_REASON)
    if relatives:
        name, count = relatives.most_common(1)[0]
        return name, f"{count} tensor{' is' if count == 1 else 's are'} of layers that only it has"
    return _by_layers(anatomy) or _by_channels(anatomy)


def has_image_branch(anatomy: Anatomy) -> bool:
    """Whether the file changes layers that only a Wan with an image branch has."""
    return any(part in name for name in anatomy.module_names for part in _IMAGE_LAYERS)


def _by_layers(anatomy: Anatomy) -> tuple[str, str] | None:
    modules = anatomy.module_names
    if "control" in anatomy.kinds:
        return "Control LoRA", "it carries the new shape of a widened layer (“reshape_weight”)"
    if any(name.startswith("vace_") for name in modules):
        return "VACE", "it changes VACE’s own blocks"
    if any(name.endswith("image_embedder.pos_embed") for name in modules):
        return FLF2V, "it changes the positions of a first and a last frame"
    if has_image_branch(anatomy):
        return FUN_IMAGE_BRANCH if anatomy.width == 1536 else IMAGE_BRANCH, "it changes the image branch"
    return None


def _by_channels(anatomy: Anatomy) -> tuple[str, str]:
    channels = anatomy.input_channels
    if anatomy.width == 3072:
        said = f"its patch embedding takes {channels} channels" if channels else "the only Wan of this width"
        return _BY_5B_CHANNELS.get(channels or 48, ""), said
    name = _BY_CHANNELS.get(channels, "")
    return name, f"its patch embedding takes {channels} channels" if name else ""
