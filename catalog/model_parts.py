"""The parts that a model of single files is made of: what each file is, and whether they belong together."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from catalog.checkpoints import Checkpoint, recognise
from catalog.errors import CatalogError, ModelNotFound
from catalog.gguf import read_any_header
from catalog.model_inputs import wanted
from catalog.model_table import OTHER, Architecture, ModelEntry
from catalog.models import architecture, read_json

Part = Literal["high", "low", "vae", "text_encoder", "tokenizer", "image_encoder"]
PARTS: tuple[Part, ...] = get_args(Part)

_ROLES = {
    "high": "transformer",
    "low": "transformer",
    "vae": "vae",
    "text_encoder": "text encoder",
    "image_encoder": "image encoder",
}
_SPOKEN = {
    "high": "the transformer for high noise",
    "low": "the transformer for low noise",
    "vae": "the VAE",
    "text_encoder": "the text encoder",
    "tokenizer": "the tokenizer",
    "image_encoder": "the image encoder",
}
_R21, _R22 = "Comfy-Org/Wan_2.1_ComfyUI_repackaged", "Comfy-Org/Wan_2.2_ComfyUI_Repackaged"
_VAES = {
    "wan2.1": f"split_files/vae/wan_2.1_vae.safetensors from {_R21}",
    "wan2.2": f"split_files/vae/wan2.2_vae.safetensors from {_R22}",
}
_CHANNELS = {"wan2.1": 16, "wan2.2": 48}
_CLASSES = {
    "WanTransformer3DModel": "transformer",
    "WanVACETransformer3DModel": "transformer",
    "AutoencoderKLWan": "vae",
    "UMT5EncoderModel": "text encoder",
    "CLIPVisionModel": "image encoder",
    "CLIPVisionModelWithProjection": "image encoder",
}
TOKENIZER_FILE = "tokenizer.json"
_AUTHORS = (
    "It is in the format of Wan's own program; get the repository that ends in “Diffusers”, or single files."
)


def where_to_get(part: Part, row: ModelEntry) -> str:
    """Advice: where on the Hub a part of this model can be had."""
    if part == "vae":
        return f"Get {_VAES[row.vae]}."
    if part == "text_encoder":
        return f"Get split_files/text_encoders/umt5_xxl_fp8_e4m3fn_scaled.safetensors from {_R21}."
    if part == "image_encoder":
        return f"Get split_files/clip_vision/clip_vision_h.safetensors from {_R21}."
    if part == "tokenizer":
        return "Get the folder “tokenizer” of Wan-AI/Wan2.1-T2V-1.3B-Diffusers."
    return f"Get it from {row.files or row.folder or _R22}."


def spoken(part: Part, experts: int) -> str:
    """How a part is called in a sentence."""
    return "the transformer" if part == "high" and experts == 1 else _SPOKEN[part]


def examine(path: Path) -> Checkpoint:
    """What a part is: a single file by its tensors, a diffusers folder by its config.json.

    Raises CatalogError when it is neither.
    """
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        raise ModelNotFound(f"{path.name} is not there.", "Check that the disk is connected.")
    try:
        return recognise(read_any_header(path), path.name)
    except CatalogError as error:
        raise ModelNotFound(f"{path.name}: {error}", error.advice) from error


def check_parts(parts: Mapping[Part, Path], row: ModelEntry, experts: int) -> dict[Part, Checkpoint]:
    """What each part is, tokenizer aside. Raises ModelNotFound when one is missing or they do not fit.

    The tokenizer may be missing when the text encoder brings one.
    """
    lead = examine(parts["high"]) if "high" in parts else None
    wanted = wanted_parts(experts, lead.architecture if lead else row.architecture)
    for part in wanted:
        if part not in parts and not (part == "tokenizer" and _brings_one(parts)):
            raise ModelNotFound(f"The model lacks {spoken(part, experts)}.", where_to_get(part, row))
    found: dict[Part, Checkpoint] = {p: examine(parts[p]) for p in wanted if p != "tokenizer"}
    check_together(parts, found, row, experts)
    if "tokenizer" in parts:
        _check_tokenizer(parts["tokenizer"], row)
    return found


def wanted_parts(experts: int, shape: Architecture | None) -> tuple[Part, ...]:
    """The parts that a model with so many experts of this architecture consists of."""
    lacking = {"low"} if experts == 1 else set[str]()
    if shape is None or not shape.has_image_branch:
        lacking.add("image_encoder")
    return tuple(part for part in PARTS if part not in lacking)


def check_together(
    parts: Mapping[Part, Path], found: Mapping[Part, Checkpoint], row: ModelEntry, experts: int
) -> None:
    """Whether parts that were examined make this model; ModelNotFound says why not. Opens no file."""
    for part, checkpoint in found.items():
        _check_role(part, parts[part], checkpoint, row, experts)
    if experts == 2:
        _check_experts(parts, found)
    _check_fit(parts, found, row)


def _check_role(part: Part, path: Path, found: Checkpoint, row: ModelEntry, experts: int) -> None:
    role = spoken(part, experts)
    if found.role != _ROLES[part]:
        what = found.refusal or f"It is {found.title}."
        raise ModelNotFound(f"{path.name} cannot be {role}. {what}", where_to_get(part, row))
    if found.refusal:
        raise ModelNotFound(f"{path.name} cannot be used. {found.refusal}", where_to_get(part, row))


def _check_experts(parts: Mapping[Part, Path], found: Mapping[Part, Checkpoint]) -> None:
    high, low = found["high"], found["low"]
    if parts["high"].resolve() == parts["low"].resolve():
        raise ModelNotFound(f"{parts['high'].name} is given for both experts; a model needs two files.")
    if high.architecture != low.architecture:
        raise ModelNotFound(
            f"The experts are of different models: {parts['high'].name} is {high.title}, "
            f"{parts['low'].name} is {low.title}."
        )
    if high.expert_hint and high.expert_hint == low.expert_hint:
        raise ModelNotFound(
            f"{parts['high'].name} and {parts['low'].name} are both the {high.expert_hint}-noise expert, "
            f"by their {high.hint_source}.",
            "Choose one file of each expert, or give a wrongly named one another name.",
        )


def _check_fit(parts: Mapping[Part, Path], found: Mapping[Part, Checkpoint], row: ModelEntry) -> None:
    high, vae, text = found["high"], found["vae"], found["text_encoder"]
    if row.id != OTHER and high.architecture != row.architecture:
        raise ModelNotFound(f"{parts['high'].name} is {high.title}, not {row.title}.")
    if high.architecture and wanted(row, high.architecture, row.expand_timesteps) is None:
        raise ModelNotFound(
            f"{parts['high'].name} is a Wan that needs more than text, of a kind not known here."
        )
    if high.latent_channels != vae.latent_channels:
        names = {channels: kind for kind, channels in _CHANNELS.items()}
        kind = names.get(high.latent_channels, row.vae)
        raise ModelNotFound(
            f"{parts['high'].name} works in {high.latent_channels} latent channels, "
            f"the VAE {parts['vae'].name} in {vae.latent_channels}.",
            f"Get {_VAES[kind]}.",
        )
    if high.text_width != text.text_width:
        raise ModelNotFound(
            f"{parts['high'].name} reads text of width {high.text_width}, "
            f"the text encoder {parts['text_encoder'].name} writes {text.text_width}.",
            where_to_get("text_encoder", row),
        )
    image = found.get("image_encoder")
    if image and high.image_width != image.image_width:
        raise ModelNotFound(
            f"{parts['high'].name} reads pictures of width {high.image_width}, "
            f"the image encoder {parts['image_encoder'].name} writes {image.image_width}.",
            where_to_get("image_encoder", row),
        )


def _brings_one(parts: Mapping[Part, Path]) -> bool:
    """Whether the text encoder brings its tokenizer."""
    return "text_encoder" in parts and examine(parts["text_encoder"]).has_tokenizer


def _check_tokenizer(path: Path, row: ModelEntry) -> None:
    file = path / TOKENIZER_FILE if path.is_dir() else path
    if file.name != TOKENIZER_FILE or not file.is_file():
        raise ModelNotFound(
            f"The tokenizer {path.name} has no {TOKENIZER_FILE}.", where_to_get("tokenizer", row)
        )


def _folder(path: Path) -> Checkpoint:
    config = read_json(path / "config.json")
    name = config.get("_class_name") or next(iter(config.get("architectures") or ()), "")
    try:
        return _of_class(str(name), config, path.name)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelNotFound(f"{path.name}/config.json lacks {error}.") from error


def _of_class(name: str, config: dict[str, Any], folder: str) -> Checkpoint:
    match _CLASSES.get(name):
        case "transformer":
            shape: Architecture = architecture(config)
            text = int(config.get("text_dim", 4096))
            return Checkpoint(
                "transformer",
                f"a transformer of width {shape.width}",
                architecture=shape,
                latent_channels=shape.out_channels,
                text_width=text,
                image_width=int(config.get("image_dim") or 0),
            )
        case "vae":
            return Checkpoint("vae", "a VAE", latent_channels=int(config.get("z_dim", 16)))
        case "text encoder":
            return Checkpoint("text encoder", "a text encoder", text_width=int(config["d_model"]))
        case "image encoder":
            return Checkpoint("image encoder", "an image encoder", image_width=int(config["hidden_size"]))
    if name == "WanModel":
        return Checkpoint("other", folder, refusal=_AUTHORS)
    return Checkpoint("other", folder, refusal=f"It holds {name or 'nothing known here'}.")
