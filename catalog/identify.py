"""What a LoRA file is, told from its header, its metadata and its name: pure functions, with the evidence."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from catalog import hints
from catalog.anatomy import WHOLE, Anatomy, dissect
from catalog.families import other_family
from catalog.header import Header
from catalog.key_styles import TEXT_ENCODER, ParsedKey, UnknownKey, parse_key, parse_keys, split_suffix
from catalog.models import Expert, ModelInfo

RULES = 2
"""Raised whenever the rules below change, so that files identified earlier are looked at again."""

UNKNOWN = "unknown"
_FAMILY_BY_WIDTH = {5120: "Wan 14B", 1536: "Wan 1.3B", 3072: "Wan 5B", 192: "Wan, demo size (192)"}
_KIND_WORDS = {"lora": "LoRA", "loha": "LoHa", "lokr": "LoKr", "dora": "DoRA", "glora": "GLoRA", "ia3": "IA³"}
_ARCHITECTURES = (
    ("stable-diffusion-xl", "SDXL"),
    ("stable-diffusion-v1", "SD 1.5"),
    ("stable-diffusion-v2", "SD 2"),
    ("sdxl", "SDXL"),
    ("sd_v1", "SD 1.5"),
    ("hunyuan", "HunyuanVideo"),
    ("flux", "Flux"),
    ("qwen-image", "Qwen-Image"),
    ("ltx", "LTX"),
    ("wan", "Wan"),
)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a file is. Sentences are for the user; `summary` is one line for a card.

    `kinds` are words of the glossary (lora, loha, lokr, dora, full, …), the most common first, and
    `kind_counts` the layers of each; `ranks` and `alphas` count layers per value, `rank` and `alpha` say the
    same in words ("8", "4–16", "full", ""). `experts` are those that the tensor names themselves name;
    `expert_hint` is what other signs suggest, read at `hint_source`. `width` is the model's inner width.
    """

    family: str
    is_wan: bool
    summary: str
    variant: str = ""
    confidence: str = "certain"
    kinds: tuple[str, ...] = ()
    kind_counts: Mapping[str, int] = field(default_factory=dict)
    dialect: str = ""
    rank: str = ""
    ranks: Mapping[str, int] = field(default_factory=dict)
    alpha: str = ""
    alphas: Mapping[str, int] = field(default_factory=dict)
    dtype: str = ""
    modules: int = 0
    parameters: int = 0
    blocks: int = 0
    width: int | None = None
    experts: tuple[Expert, ...] = ()
    expert_hint: Expert | None = None
    hint_source: str = ""
    trigger_words: tuple[str, ...] = ()
    trainer: str = ""
    evidence: tuple[str, ...] = ()
    cannot_tell: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def scalar_names(header: Header) -> tuple[str, ...]:
    """The tensors of one number whose values `identify` wants to know."""
    return tuple(
        name for name, info in header.tensors.items() if name.endswith(".alpha") and info.parameters == 1
    )


def identify(header: Header, file_name: str, scalars: Mapping[str, float] | None = None) -> Identity:
    """What the file with this header is; `scalars` holds the alphas, which the header alone lacks."""
    keys = parse_keys(header.tensors)
    anatomy = dissect(header, keys, scalars or {})
    if anatomy.core:
        return _identify_wan(header, file_name, keys, anatomy)
    family, sign = other_family(header.tensors)
    if not family and set(anatomy.kinds) - {WHOLE}:
        return _identify_wan(header, file_name, keys, anatomy)
    return _identify_other(header, file_name, family, sign)


def misfit(identity: Identity, model: ModelInfo) -> str:
    """Why the file cannot be used with the model, to follow “it is …”; "" when it fits."""
    loaded = f"the loaded model is {model.title} ({model.width_inner})"
    if not identity.is_wan:
        what = "an unknown model" if identity.family == UNKNOWN else identity.family
        return f"made for {what}; {loaded}"
    if identity.kinds == (WHOLE,):
        return "a whole model rather than a LoRA"
    if identity.width is not None and identity.width != model.width_inner:
        return f"made for {_with_width(identity)}; {loaded}"
    if identity.blocks > model.layers:
        return f"made for a Wan with at least {identity.blocks} blocks; {loaded} with {model.layers}"
    return ""


def _with_width(identity: Identity) -> str:
    if str(identity.width) in identity.family:
        return identity.family
    return f"{identity.family} (width {identity.width})"


def _identify_wan(header: Header, file_name: str, keys: Mapping[str, object], anatomy: Anatomy) -> Identity:
    width = anatomy.width
    family = "Wan" if width is None else _FAMILY_BY_WIDTH.get(width, f"Wan, width {width}")
    experts = _experts(keys.values())
    # a 5B model has one expert, whatever the file's name says
    hint = hints.Hint(None, "") if width == 3072 else hints.expert_hint(header.metadata, file_name)
    if experts:
        hint = hints.Hint(None, "")
    found = _described(header, anatomy)
    return replace(
        found,
        family=family,
        is_wan=True,
        summary=_summary("Wan", found, experts, hint.expert),
        variant=_variant(anatomy),
        confidence="certain" if width is not None else "likely",
        dialect=anatomy.dialect,
        blocks=anatomy.blocks,
        width=width,
        experts=experts,
        expert_hint=hint.expert,
        hint_source=hint.source,
        evidence=_evidence(anatomy, experts),
        cannot_tell=_cannot_tell(anatomy, experts, hint.expert),
        contradictions=_contradictions(header.metadata, file_name, family, experts),
        warnings=anatomy.warnings,
    )


def _identify_other(header: Header, file_name: str, family: str, sign: str) -> Identity:
    anatomy = dissect(header, {key: _any_key(key) for key in header.tensors}, {})
    if not family and anatomy.text_encoder_keys == len(header.tensors):
        family, sign = "a text encoder", "all tensors belong to a text encoder"
    found = _described(header, anatomy)
    summary = _summary(family or "Unknown", found, (), None)
    return replace(
        found,
        family=family or UNKNOWN,
        summary=f"{summary} · not for Wan" if family else f"{summary} · no layers of a Wan model",
        confidence="likely" if family else "none",
        evidence=(f"{family}: {sign}",) if family else (),
        cannot_tell=() if family else ("which model it was made for",),
        contradictions=_contradictions(header.metadata, file_name, family),
        warnings=("It has no layer in common with any Wan model, so it would do nothing.",),
    )


def _described(header: Header, anatomy: Anatomy) -> Identity:
    """What can be said about a file of any family."""
    alphas = anatomy.alphas
    stated = hints.adapter_alpha(header.metadata)
    if not alphas and stated is not None:
        alphas = Counter({stated: anatomy.kinds["lora"]})
    return Identity(
        family=UNKNOWN,
        is_wan=False,
        summary="",
        kinds=tuple(kind for kind, _ in anatomy.kinds.most_common()),
        kind_counts=dict(anatomy.kinds),
        rank=_spread(anatomy.ranks),
        ranks=_counted(anatomy.ranks),
        alpha=_spread(alphas),
        alphas=_counted(alphas),
        dtype=anatomy.dtype,
        modules=anatomy.modules,
        parameters=anatomy.parameters,
        trigger_words=hints.trigger_words(header.metadata),
        trainer=hints.trainer(header.metadata),
    )


def _any_key(key: str) -> ParsedKey | UnknownKey:
    """A key of another family: its suffix says the kind, its module keeps the name it has."""
    parsed = parse_key(key)
    path, part = split_suffix(key)
    if parsed == UnknownKey(TEXT_ENCODER) or not part:
        return parsed
    return ParsedKey(None, path, part)


def _experts(parsed: Iterable[object]) -> tuple[Expert, ...]:
    found = {key.expert for key in parsed if isinstance(key, ParsedKey)}
    every: tuple[Expert, ...] = ("high", "low")
    return tuple(expert for expert in every if expert in found)


def _summary(family: str, found: Identity, experts: tuple[Expert, ...], hint: Expert | None) -> str:
    parts = [family, " + ".join(_KIND_WORDS.get(kind, kind) for kind in found.kinds[:2])]
    if found.rank:
        parts.append("full rank" if found.rank == "full" else f"rank {found.rank}")
    if len(experts) == 2:
        parts.append("high and low noise")
    elif experts or hint:
        parts.append(f"{(experts or (hint,))[0]} noise")
    return " · ".join(part for part in parts if part)


def _variant(anatomy: Anatomy) -> str:
    """The sort of Wan, as far as the tensors show it."""
    modules = anatomy.module_names
    if any(name.startswith("vace_") for name in modules):
        return "VACE"
    if any(name.endswith("image_embedder.pos_embed") for name in modules):
        return "FLF2V"
    if any(
        part in name
        for name in modules
        for part in ("add_k_proj", "add_v_proj", "image_embedder", "norm_added")
    ):
        return "I2V with an image branch (Wan 2.1)"
    if anatomy.input_channels == 48 and anatomy.width == 3072:
        return "TI2V"
    sorts = {16: "T2V", 32: "Fun-Camera", 36: "I2V", 48: "Fun-Control"}
    return sorts.get(anatomy.input_channels, "")


def _evidence(anatomy: Anatomy, experts: tuple[Expert, ...]) -> tuple[str, ...]:
    said = [f"Wan: {anatomy.core} layers have the names of Wan’s attention and feed-forward layers"]
    if anatomy.width is not None:
        said.append(f"width {anatomy.width}: read from the shapes of {anatomy.width_votes} layers")
    if experts:
        said.append(f"experts: the tensor names name {' and '.join(experts)}")
    if _variant(anatomy):
        said.append(f"variant {_variant(anatomy)}: from its layers and their inputs")
    return tuple(said)


def _cannot_tell(anatomy: Anatomy, experts: tuple[Expert, ...], hint: Expert | None) -> tuple[str, ...]:
    unsaid = []
    if anatomy.width is None:
        unsaid.append("which size of Wan: no tensor shows the width")
    if anatomy.width == 5120 and not _variant(anatomy):
        unsaid.append(
            "whether Wan 2.1 or 2.2, text or image to video: their layers are named and shaped alike"
        )
    if anatomy.width != 3072 and not experts and not hint:
        unsaid.append("whether it is for the high-noise or the low-noise expert: nothing in the file says so")
    return tuple(unsaid)


def _contradictions(
    metadata: Mapping[str, str], file_name: str, family: str, experts: tuple[Expert, ...] = ()
) -> tuple[str, ...]:
    is_wan = family.startswith("Wan")
    places = {"The name": file_name} | {
        f"Its metadata ({key})": metadata.get(key, "")
        for key in ("modelspec.title", "ss_sd_model_name", "ss_base_model_version")
    }
    claims = (_false_claim(place, name, family, is_wan) for place, name in places.items())
    false = next((claim for claim in claims if claim), "")
    said = [false] if false else []
    return (*said, *_architecture(metadata, family, is_wan), *_experts_named(metadata, file_name, experts))


def _false_claim(place: str, name: str, family: str, is_wan: bool) -> str:
    """What a name claims about Wan and the tensors do not bear out, "" when it claims nothing false."""
    claim = hints.wan_claim(name)
    if claim is None:
        return ""
    shown = family or "of no known family"
    if not is_wan:
        return f"{place} says “{claim[0]}”, but the tensors are {shown}."
    if not hints.is_public(claim[1]):
        return f"{place} says “{claim[0]}”, whose weights are not public; the tensors are {shown}."
    size = hints.size_claim(name)
    if size and family in _FAMILY_BY_WIDTH.values() and size != family:
        return f"{place} says {size.removeprefix('Wan ')}, but the tensors are {family}."
    return ""


def _architecture(metadata: Mapping[str, str], family: str, is_wan: bool) -> tuple[str, ...]:
    if not family:
        return ()
    for key in ("modelspec.architecture", "ss_base_model_version"):
        text = metadata.get(key, "").lower()
        claimed = next((name for word, name in _ARCHITECTURES if word in text), "")
        if claimed and not (is_wan if claimed == "Wan" else claimed in family):
            return (f"Its metadata ({key}) says {claimed}, but the tensors are {family}.",)
    return ()


def _experts_named(
    metadata: Mapping[str, str], file_name: str, experts: tuple[Expert, ...]
) -> tuple[str, ...]:
    """Whether the name speaks of another expert than the tensor names or the metadata do."""
    named, hint = hints.expert_in_name(file_name), hints.expert_hint(metadata, "")
    if named and len(experts) == 1 and experts[0] != named:
        return (f"The name says {named} noise, but the tensor names say {experts[0]} noise.",)
    if named and not experts and hint.expert and hint.expert != named:
        return (f"The name says {named} noise, but its {hint.source} means {hint.expert} noise.",)
    return ()


def _spread(counts: Counter[float | str]) -> str:
    """The values in words: "8", "4–16", "full"."""
    numbers = sorted(value for value in counts if not isinstance(value, str))
    words = [value for value in counts if isinstance(value, str)]
    if not numbers:
        return words[0] if words else ""
    return f"{numbers[0]:g}" if len(numbers) == 1 else f"{numbers[0]:g}–{numbers[-1]:g}"


def _counted(counts: Counter[float | str]) -> dict[str, int]:
    return {value if isinstance(value, str) else f"{value:g}": n for value, n in counts.most_common()}
