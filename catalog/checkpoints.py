"""What part of a model a file is, told from its tensors: role, architecture, number format, likely expert."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from catalog import hints
from catalog.checkpoint_config import check_whole, head_width, transformer_config
from catalog.checkpoint_names import (
    Names,
    is_beside,
    quantised_as,
    scaled_weight,
    transformer_names,
    vae_prefix,
)
from catalog.errors import UnreadableFile
from catalog.experts import Expert
from catalog.families import other_family
from catalog.gguf import TYPES
from catalog.header import Header, TensorInfo
from catalog.image_encoder_names import CLASS, Place, image_encoder_names
from catalog.key_styles import UNKNOWN_MODULE, UNKNOWN_SUFFIX
from catalog.model_table import Architecture, ModelEntry, matching

TOKENIZER = "spiece_model"
"""The tensor in which ComfyUI's text encoders carry sentencepiece's file."""
Role = Literal["transformer", "vae", "text encoder", "image encoder", "other"]
Tensors = Mapping[str, TensorInfo]
_IMAGE_NORM = "condition_embedder.image_embedder.norm1.weight"

_FORMATS = {
    "F64": "fp64",
    "F32": "fp32",
    "F16": "fp16",
    "BF16": "bf16",
    "F8_E4M3": "fp8 e4m3fn",
    "F8_E5M2": "fp8 e5m2",
} | {name: f"GGUF {name}" for name, values, _ in TYPES.values() if values > 1}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a file is. `refusal` is a sentence why it cannot be used, "" when it can.

    `models` are ids of the model table, the likeliest first: where there are several, their tensors are
    alike. `expert_hint` is what the name or the metadata suggests, read at `hint_source`: it must be
    confirmed. Transformer and VAE must agree on `latent_channels`, transformer and text encoder on
    `text_width`, transformer and image encoder on `image_width`. `has_tokenizer` when a text encoder's file
    holds the tokenizer, too, as ComfyUI's do.
    """

    role: Role
    title: str
    number_format: str = ""
    names: str = ""
    architecture: Architecture | None = None
    models: tuple[str, ...] = ()
    latent_channels: int = 0
    text_width: int = 0
    image_width: int = 0
    has_tokenizer: bool = False
    expert_hint: Expert | None = None
    hint_source: str = ""
    evidence: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    refusal: str = ""


def recognise(header: Header, file_name: str = "") -> Checkpoint:
    """What the file with this header is; `file_name` only orders models whose tensors are alike."""
    tensors = header.tensors
    names = transformer_names(tensors)
    if "patch_embedding.weight" in names.weights and "blocks.0.attn1.to_q.weight" in names.weights:
        return _transformer(header, names, file_name)
    prefix = vae_prefix(tensors)
    if prefix is not None:
        bare = {key.removeprefix(prefix): info for key, info in tensors.items()}
        if _is_vae(bare):
            return _vae(bare)
    if _is_text_encoder(tensors):
        return _text_encoder(header)
    if image := image_encoder_names(tensors):
        return _image_encoder(header, image)
    return _other(header, names)


def number_format(header: Header) -> tuple[str, str]:
    """The format of most weights in words, and a sentence when it cannot be computed with."""
    used = Counter[str]()
    for key, info in header.tensors.items():
        if len(info.shape) >= 2 and not scaled_weight(key) and not is_beside(key):
            used[info.dtype] += info.parameters
    dtype = used.most_common(1)[0][0] if used else ""
    shown = _FORMATS.get(dtype, dtype)
    foreign = sorted(f for f in quantised_as(header.metadata) if not f.startswith("float8"))
    if foreign or dtype not in _FORMATS:
        said = foreign[0] if foreign else _foreign(header.tensors, dtype)
        return said, f"Its weights are stored as {said}, which cannot be computed with here."
    if scales := [key for key in header.tensors if scaled_weight(key)]:
        return f"{shown}, scaled", _blocks(header.tensors, scales)
    return shown, ""


def _foreign(tensors: Tensors, dtype: str) -> str:
    if any(key.endswith((".qweight", ".wscales")) for key in tensors):
        return "SVDQuant (nunchaku)"
    if any(key.endswith(".weight_scale_2") for key in tensors):
        return "nvfp4"
    return {"I8": "int8", "U8": "packed integers"}.get(dtype, dtype)


def _blocks(tensors: Tensors, scales: list[str]) -> str:
    """A sentence when a scale is for blocks of a weight rather than for all of it or its rows."""
    for key in scales:
        weight = tensors.get(scaled_weight(key))
        rows = weight.shape[0] if weight and weight.shape else 0
        if tensors[key].parameters not in (1, rows):
            return f"Its weights are scaled in blocks ({key}), which cannot be computed with here."
    return ""


def _transformer(header: Header, names: Names, file_name: str) -> Checkpoint:
    shape = _architecture(header.tensors, names)
    rows = matching(shape, file_name)
    form, refusal = number_format(header)
    is_double = any(row.experts == 2 for row in rows)
    hint = hints.expert_hint(header.metadata, file_name) if is_double else hints.Hint(None, "")
    text = names.weights.get("condition_embedder.text_embedder.linear_1.weight", "")
    title = rows[0].title if rows else f"Wan, width {shape.width}"
    return Checkpoint(
        role="transformer",
        title=f"{title}, {form}",
        number_format=form,
        names="original" if names.is_original else "diffusers",
        architecture=shape,
        models=tuple(row.id for row in rows),
        latent_channels=shape.out_channels,
        text_width=_side(header.tensors, text, 1),
        image_width=_side(header.tensors, names.weights.get(_IMAGE_NORM, ""), 0),
        expert_hint=hint.expert,
        hint_source=hint.source,
        evidence=_evidence(shape, [row.title for row in rows], form),
        warnings=_warnings(names),
        refusal=refusal or _stranger(names) or _incomplete(header, names, rows),
    )


def _architecture(tensors: Tensors, names: Names) -> Architecture:
    def side(name: str, axis: int) -> int:
        return _side(tensors, names.weights.get(name, ""), axis)

    image = "condition_embedder.image_embedder"
    return Architecture(
        width=side("patch_embedding.weight", 0),
        layers=_count(names, "blocks."),
        ffn=side("blocks.0.ffn.net.0.proj.weight", 0),
        in_channels=side("patch_embedding.weight", 1),
        out_channels=side("proj_out.weight", 0) // 4,
        has_image_branch=f"{image}.ff.net.2.weight" in names.weights,
        image_positions=side(f"{image}.pos_embed", 1),
        vace_blocks=_count(names, "vace_blocks."),
    )


def _count(names: Names, stem: str) -> int:
    return len({name.split(".")[1] for name in names.weights if name.startswith(stem)})


def _evidence(shape: Architecture, titles: list[str], form: str) -> tuple[str, ...]:
    branch = " · image branch" if shape.has_image_branch else ""
    branch += f" · {shape.vace_blocks} VACE blocks" if shape.vace_blocks else ""
    sizes = f"width {shape.width}, {shape.layers} blocks, feed-forward {shape.ffn}"
    channels = f"{shape.in_channels} channels in, {shape.out_channels} out{branch}"
    said = [f"{sizes}, {channels}", f"weights: {form}"]
    if len(titles) > 1:
        said.append(f"tensors alike in {', '.join(titles)}")
    return tuple(said)


def _warnings(names: Names) -> tuple[str, ...]:
    if not names.bundled:
        return ()
    if names.bundled == 1:
        return ("One tensor belongs to another part of a pipeline in the same file; it is not used.",)
    return (
        f"{names.bundled} tensors belong to other parts of a pipeline in the same file; they are not used.",
    )


def _stranger(names: Names) -> str:
    """A sentence when the file holds layers of another kind of Wan, or one parameter twice."""
    if names.doubled:
        return f"{names.doubled[0]} says again what another of its tensors says."
    reasons = [reason for _, reason in names.strangers]
    kinship = next((r for r in reasons if r not in (UNKNOWN_MODULE, UNKNOWN_SUFFIX)), "")
    if kinship:
        return f"Part of it {kinship}, which cannot be used here."
    if names.strangers:
        return f"It holds layers that no Wan known here has: {names.strangers[0][0]}."
    return ""


def _incomplete(header: Header, names: Names, rows: Sequence[ModelEntry]) -> str:
    try:
        config = transformer_config(header, names, head_width([row.id for row in rows]))
        check_whole(header, names, config)
    except UnreadableFile as error:
        return str(error)
    return ""


def _is_vae(tensors: Tensors) -> bool:
    first = tensors.get("decoder.conv1.weight") or tensors.get("decoder.conv_in.weight")
    middle = (
        "decoder.middle.0.residual.0.gamma" in tensors or "decoder.mid_block.resnets.0.norm1.gamma" in tensors
    )
    return first is not None and len(first.shape) == 5 and middle


def _vae(tensors: Tensors) -> Checkpoint:
    is_original = "decoder.conv1.weight" in tensors
    channels = _side(tensors, "decoder.conv1.weight" if is_original else "decoder.conv_in.weight", 1)
    form = Counter(_FORMATS.get(i.dtype, i.dtype) for i in tensors.values()).most_common(1)[0][0]
    version = {16: "Wan 2.1 VAE", 48: "Wan 2.2 VAE"}.get(channels, "")
    return Checkpoint(
        role="vae",
        title=f"{version or f'VAE of {channels} channels'}, {form}",
        number_format=form,
        names="original" if is_original else "diffusers",
        latent_channels=channels,
        evidence=(f"a causal video VAE with {channels} latent channels",),
        refusal="" if version else f"No Wan has a VAE with {channels} latent channels.",
    )


def _is_text_encoder(tensors: Tensors) -> bool:
    return any(
        f"{stem}.weight" in tensors
        for stem in ("blocks.0.attn.q", "encoder.block.0.layer.0.SelfAttention.q", "enc.blk.0.attn_q")
    )


def _text_encoder(header: Header) -> Checkpoint:
    tensors = header.tensors
    words = next(
        (k for k in ("shared.weight", "token_embedding.weight", "token_embd.weight") if k in tensors), ""
    )
    form, refusal = number_format(header)
    size = f"{_side(tensors, words, 0):,} words, width {_side(tensors, words, 1)}"
    found = Checkpoint(
        role="text encoder",
        title=f"UMT5, {form}",
        number_format=form,
        names="original" if words == "token_embedding.weight" else "huggingface",
        text_width=_side(tensors, words, 1),
        has_tokenizer=TOKENIZER in tensors,
        evidence=(f"{size}, with its tokenizer" if TOKENIZER in tensors else size,),
        refusal=refusal,
    )
    second = (
        "blocks.1.pos_embedding.embedding.weight",
        "encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight",
        "enc.blk.1.attn_rel_b.weight",
    )
    if any(key in tensors for key in second):  # UMT5 has positions in every block, T5 in the first alone
        return found
    refusal = "It is a T5 text encoder of another model; Wan reads its text with UMT5-XXL."
    return replace(found, title=f"T5, {form}", refusal=refusal)


def _image_encoder(header: Header, places: Mapping[str, Place]) -> Checkpoint:
    form, refusal = number_format(header)
    width = header.tensors[places[CLASS].key].shape[-1]
    return Checkpoint(
        role="image encoder",
        title=f"CLIP image encoder, {form}",
        number_format=form,
        image_width=width,
        evidence=(f"width {width}, weights: {form}",),
        refusal=refusal,
    )


def _other(header: Header, names: Names) -> Checkpoint:
    if any(reason == "part of a LoRA" for _, reason in names.strangers):
        return Checkpoint("other", "LoRA", refusal="It is a LoRA file, not a model.")
    if any("vision_model." in key or key.startswith("visual.") for key in header.tensors):
        refusal = "It is an image encoder that Wan does not see with, or not all of one."
        return Checkpoint("other", "image encoder", refusal=refusal)
    family, sign = other_family(header.tensors)
    if family:
        return Checkpoint("other", family, evidence=(sign,), refusal=f"It belongs to {family}, not to Wan.")
    return Checkpoint("other", "unknown", refusal="It is no part of a Wan model.")


def _side(tensors: Tensors, key: str, axis: int) -> int:
    info = tensors.get(key)
    return info.shape[axis] if info is not None and len(info.shape) > axis else 0
