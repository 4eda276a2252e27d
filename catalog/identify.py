"""What a LoRA file is, told from its header, its metadata and its name: pure functions, with the evidence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from catalog import hints
from catalog.anatomy import WHOLE, Anatomy, dissect
from catalog.claims import Facts, borne_out, claims_of, contradictions
from catalog.experts import Expert
from catalog.families import INDISTINCT, ONE_EXPERT_WIDTHS, WAN_BY_WIDTH, other_family
from catalog.header import Header
from catalog.identity_words import cannot_tell, counted, own_evidence, spread, summary, wan_evidence
from catalog.key_styles import TEXT_ENCODER, ParsedKey, UnknownKey, parse_key, parse_keys
from catalog.key_suffixes import split_suffix
from catalog.models import ModelInfo
from catalog.variants import has_image_branch, variant_of

RULES = 5
"""Raised whenever the rules below change, so that files identified earlier are looked at again."""

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Identity:
    """What a file is. Sentences are for the user; `summary` is one line for a card.

    `kinds` are words of the glossary (lora, loha, lokr, dora, full, …), the most common first, and
    `kind_counts` the layers of each; `ranks` and `alphas` count layers per value, `rank` and `alpha` say the
    same in words ("8", "4–16", "full", ""). `experts` are those that the tensor names themselves name;
    `expert_hint` is what other signs suggest, read at `hint_source`; `hint_strength` ("strong", "medium",
    "weak", "") says how far either can be believed. `width` is the model's inner width.
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
    hint_strength: str = ""
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


def identify(
    header: Header, file_name: str, scalars: Mapping[str, float] | None = None, base_model: str = ""
) -> Identity:
    """What the file with this header is.

    `file_name` may have its folder before it ("high_noise/style.safetensors"), which hints at the expert where
    nothing else does. `scalars` holds the alphas, which the header alone lacks; `base_model` is what the page
    it came from states (catalog.sidecar), a claim like its name.
    """
    keys = parse_keys(header.tensors)
    anatomy = dissect(header, keys, scalars or {})
    named = PurePosixPath(file_name)
    said = _Said(header.metadata, named.name, named.parent.name, base_model)
    if anatomy.core:
        return _identify_wan(header, said, keys, anatomy)
    family, sign = other_family(header.tensors)
    reasons = [key.reason for key in keys.values() if isinstance(key, UnknownKey)]
    if not family and (set(anatomy.kinds) - {WHOLE} or variant_of(anatomy, reasons)[0]):
        return _identify_wan(header, said, keys, anatomy)
    return _identify_other(header, said, family, sign)


@dataclass(frozen=True, slots=True)
class _Said:
    """Everything that is said about a file beside its tensors."""

    metadata: Mapping[str, str]
    file_name: str
    folder: str
    base_model: str


def misfit(identity: Identity, model: ModelInfo) -> str:
    """Why the file cannot be used with the model, to follow “it is …”; "" when it fits."""
    loaded = f"the loaded model is {model.title} ({model.width_inner})"
    if not identity.is_wan:
        what = "an unknown model" if identity.family == UNKNOWN else identity.family
        return f"made for {what}; {loaded}"
    if identity.kinds == (WHOLE,):
        return "a whole model rather than a LoRA"
    if "control" in identity.kinds:
        return "a control LoRA, which widens the model’s inputs for a control video; that cannot be used here"
    if identity.width is not None and identity.width != model.width_inner:
        return f"made for {_with_width(identity)}; {loaded}"
    if identity.blocks > model.layers:
        return f"made for a Wan with at least {identity.blocks} blocks; {loaded} with {model.layers}"
    return ""


def _with_width(identity: Identity) -> str:
    if str(identity.width) in identity.family:
        return identity.family
    return f"{identity.family} (width {identity.width})"


def _identify_wan(
    header: Header, said: _Said, keys: Mapping[str, ParsedKey | UnknownKey], anatomy: Anatomy
) -> Identity:
    width = anatomy.width
    family = "Wan" if width is None else WAN_BY_WIDTH.get(width, f"Wan, width {width}")
    experts = _experts(keys.values())
    hint = _hint(experts, width, said)
    variant, sign = variant_of(anatomy, [key.reason for key in keys.values() if isinstance(key, UnknownKey)])
    facts = _facts(family, variant, anatomy, experts, hint)
    found = _described(header, anatomy)
    return replace(
        found,
        family=family,
        is_wan=True,
        summary=summary("Wan", found.kinds, found.rank, experts, hint.expert),
        variant=variant,
        confidence="certain" if width is not None else "likely",
        dialect=anatomy.dialect,
        blocks=anatomy.blocks,
        width=width,
        experts=experts,
        expert_hint=None if experts else hint.expert,
        hint_source="" if experts else hint.source,
        hint_strength=hint.strength,
        evidence=(
            *wan_evidence(anatomy, experts, hint),
            *([f"variant {variant}: {sign}"] if variant else []),
            *own_evidence(anatomy, found.trigger_words, found.trainer),
            *filter(None, [borne_out(claims_of(said.metadata, said.file_name, said.base_model), facts)]),
        ),
        cannot_tell=cannot_tell(anatomy, variant, experts, hint.expert),
        contradictions=contradictions(said.metadata, said.file_name, said.base_model, facts),
        warnings=anatomy.warnings,
    )


def _hint(experts: tuple[Expert, ...], width: int | None, said: _Said) -> hints.Hint:
    if experts:
        return hints.Hint(experts[0] if len(experts) == 1 else None, hints.TENSOR_NAMES, "strong")
    # these sizes have one expert, whatever the file's name says
    has_one = width in ONE_EXPERT_WIDTHS
    return hints.Hint() if has_one else hints.expert_hint(said.metadata, said.file_name, said.folder)


def _facts(
    family: str, variant: str, anatomy: Anatomy, experts: tuple[Expert, ...], hint: hints.Hint
) -> Facts:
    # Animate has an image branch and is a Wan 2.2
    has_image = has_image_branch(anatomy) and variant != "Animate"
    is_proof = len(experts) == 1 or (not experts and hint.strength != "weak")
    expert = hint.expert if is_proof and hint.source not in hints.NAMES else None
    return Facts(family, True, has_image, variant, expert, hint.source)


def _identify_other(header: Header, said: _Said, family: str, sign: str) -> Identity:
    anatomy = dissect(header, {key: _any_key(key) for key in header.tensors}, {})
    if not family and anatomy.text_encoder_keys == len(header.tensors):
        family, sign = "a text encoder", "all tensors belong to a text encoder"
    found = _described(header, anatomy)
    said_short = summary(family or "Unknown", found.kinds, found.rank)
    untold = INDISTINCT.get(family, "") if family else "which model it was made for"
    return replace(
        found,
        family=family or UNKNOWN,
        summary=f"{said_short} · not for Wan" if family else f"{said_short} · no layers of a Wan model",
        confidence="likely" if family else "none",
        evidence=(f"{family}: {sign}", *own_evidence(anatomy, found.trigger_words, found.trainer))
        if family
        else (),
        cannot_tell=(untold,) if untold else (),
        contradictions=contradictions(
            said.metadata, said.file_name, said.base_model, Facts(family, is_wan=False)
        ),
        warnings=("It has no layer in common with any Wan model, so it would do nothing.",),
    )


def _described(header: Header, anatomy: Anatomy) -> Identity:
    """What can be said about a file of any family."""
    return Identity(
        family=UNKNOWN,
        is_wan=False,
        summary="",
        kinds=tuple(kind for kind, _ in anatomy.kinds.most_common()),
        kind_counts=dict(anatomy.kinds),
        rank=spread(anatomy.ranks),
        ranks=counted(anatomy.ranks),
        alpha=spread(anatomy.alphas),
        alphas=counted(anatomy.alphas),
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
