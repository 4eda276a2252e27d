"""What a file's name, its metadata and the page it came from claim, held against what its tensors are."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from catalog import hints
from catalog.experts import Expert
from catalog.families import WAN_BY_WIDTH

_SAYING_KEYS = ("modelspec.title", "ss_sd_model_name", "ss_base_model_version", "ss_output_name")
_STATING_KEYS = ("modelspec.architecture", "ss_base_model_version")
# family → how metadata and web pages write it; the first that is found counts
_WRITTEN = tuple(
    (family, re.compile(pattern, re.IGNORECASE))
    for family, pattern in (
        ("SDXL", r"sdxl|diffusion-xl|\bpony\b|illustrious|noobai"),
        ("SD 1.5", r"\bsd[ _]?v?1\b|diffusion-v1"),
        ("SD 2", r"\bsd[ _]?v?2\b|diffusion-v2"),
        ("SD 3", r"\bsd[ _]?3|diffusion-3"),
        ("Flux.2", r"flux[ ._-]?2"),
        ("Flux.1", r"flux"),
        ("Chroma", r"\bchroma\b"),
        ("HunyuanVideo", r"hunyuan[ _-]?video|framepack"),
        ("Qwen-Image", r"\bqwen"),
        ("LTX-2", r"\bltx[ _-]?v?2"),
        ("LTX", r"\bltx"),
        ("CogVideoX", r"\bcogvideo"),
        ("Mochi", r"\bmochi\b"),
        ("Z-Image", r"\bz-?image"),
        ("Lumina 2", r"\blumina"),
        ("HiDream", r"\bhidream"),
        ("Anima", r"\banima\b"),
        ("Cosmos-Predict2", r"\bcosmos"),
        ("Wan", r"\bwan(?![a-z])"),
    )
)
_SAME_LAYERS = {
    ("Chroma", "Flux.1"),
    ("Anima", "Cosmos-Predict2"),
    ("Cosmos-Predict2", "Anima"),
    ("LTX-2", "LTX"),
}
# family → how names write it, where a word on its own can mean nothing else: not the flux of a magnet, a pony
# or the captions of Qwen-VL
_NAMED = tuple(
    (family, re.compile(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])", re.IGNORECASE))
    for family, pattern in (
        ("SDXL", r"sdxl|sd_xl"),
        ("SD 1.5", r"sd[ _.-]?1[._]?5"),
        ("Flux", r"flux\.?[12]d?|flux[ _.-]?(?:[12][ _.-]?)?(?:d|dev|schnell|krea|kontext|klein|lora)"),
        ("Hunyuan", r"hunyuan(?:[ _-]?video)?"),
        ("Qwen", r"qwen(?:[ _-]?image)?(?![ _-]?(?:vl|[0-9]|captions?|captioned|tags?|tagged))"),
        ("LTX", r"ltx(?:v|[ _-]?2|[ _-]?video)?"),
        ("CogVideoX", r"cogvideo(?:x)?"),
    )
)
_TEXT_TO_VIDEO = re.compile(r"(?<![a-z])t2v(?![a-z])", re.IGNORECASE)
# sizes that only one version of Wan has, and the version that has none of them; both have one expert
_ONLY = {"Wan 1.3B": ("2.1", "2.2"), "Wan 5B": ("2.2", "2.1")}


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that is said about a file, and the place, as a sentence begins: "The name"."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the tensors show. `family` is "" when they are of none that is known; `expert` is the one that
    `expert_source` proves, None when nothing does."""

    family: str
    is_wan: bool
    has_image_branch: bool = False
    variant: str = ""
    expert: Expert | None = None
    expert_source: str = ""


def claims_of(metadata: Mapping[str, str], file_name: str, base_model: str = "") -> tuple[Claim, ...]:
    """Everything that is said about the file in words, the loudest first."""
    said = [Claim("The name", file_name), Claim("The file beside it", base_model)]
    said += [Claim(f"Its metadata ({key})", metadata.get(key, "")) for key in _SAYING_KEYS]
    return tuple(claim for claim in said if claim.text)


def contradictions(
    metadata: Mapping[str, str], file_name: str, base_model: str, facts: Facts
) -> tuple[str, ...]:
    """The claims that the tensors do not bear out, at most one sentence of each sort."""
    claims = claims_of(metadata, file_name, base_model)
    stated = [claim for claim in claims if claim.text == base_model]
    stated += [Claim(f"Its metadata ({key})", metadata.get(key, "")) for key in _STATING_KEYS]
    false_wan = _first(_false_wan(claim, facts) for claim in claims)
    sentences = [false_wan, _first(_wrong_task(claim, facts) for claim in claims)]
    if not false_wan or facts.is_wan:
        other = [_other_family(claim, facts) for claim in stated]
        sentences.append(_first(other + [_named_family(claim, facts) for claim in claims]))
    sentences.append(_first(_other_expert(claim, facts) for claim in claims))
    return tuple(sentence for sentence in sentences if sentence)


def borne_out(claims: Iterable[Claim], facts: Facts) -> str:
    """The version of Wan that is claimed and that the tensors allow, as evidence in words; "" without one."""
    for claim in claims:
        said = hints.wan_claim(claim.text)
        if facts.is_wan and said and said[1] and not _false_wan(claim, facts):
            return f"version: {_lower(claim.place)} says “{said[0]}”; the tensors neither prove nor deny it"
    return ""


def _first(sentences: Iterable[str]) -> str:
    return next((sentence for sentence in sentences if sentence), "")


def _lower(place: str) -> str:
    return place[0].lower() + place[1:]


def _false_wan(claim: Claim, facts: Facts) -> str:
    """What a claim says of Wan and is not so, "" when it says nothing false."""
    said = hints.wan_claim(claim.text)
    if said is None:
        return _false_size(claim, facts, hints.bare_size_claim(claim.text))
    shown, version = said
    stem = f"{claim.place} says “{shown}”"
    if not facts.is_wan:
        return f"{stem}, but the tensors are {facts.family or 'of no known family'}."
    if not hints.is_public(version):
        return f"{stem}, whose weights are not public; the tensors are {facts.family}."
    false_size = _false_size(claim, facts, hints.size_claim(claim.text))
    if false_size:
        return false_size
    only, never = _ONLY.get(facts.family, ("", ""))
    if version and version == never:
        return f"{stem}, but {facts.family} exists only as Wan {only}."
    if version == "2.2" and facts.has_image_branch:
        return f"{stem}, but Wan 2.2 has no image branch, and this changes one: it was made for Wan 2.1."
    return ""


def _false_size(claim: Claim, facts: Facts, size: str) -> str:
    if size and facts.family in WAN_BY_WIDTH.values() and size != facts.family:
        return f"{claim.place} says {size.removeprefix('Wan ')}, but the tensors are {facts.family}."
    return ""


def _wrong_task(claim: Claim, facts: Facts) -> str:
    if not _TEXT_TO_VIDEO.search(claim.text[:256]) or "i2v" in claim.text.lower():
        return ""
    if facts.has_image_branch:
        return f"{claim.place} says T2V, but it changes the image branch, which only I2V models have."
    if facts.variant == "I2V":
        return f"{claim.place} says T2V, but its patch embedding takes the channels of an I2V model."
    return ""


def _other_family(claim: Claim, facts: Facts) -> str:
    claimed = next((family for family, written in _WRITTEN if written.search(claim.text[:256])), "")
    if not claimed or not facts.family or (facts.is_wan and claimed == "Wan"):
        return ""
    if not facts.is_wan and (claimed in facts.family or (claimed, facts.family) in _SAME_LAYERS):
        return ""
    if facts.family == "Stable Diffusion" and claimed.startswith("SD"):
        return ""
    return f"{claim.place} says {claimed}, but the tensors are {facts.family}."


def _named_family(claim: Claim, facts: Facts) -> str:
    """Another family in the name of a Wan file; a name that says Wan too may mean where the style comes from."""
    if not facts.is_wan or hints.wan_claim(claim.text):
        return ""
    named = next((family for family, written in _NAMED if written.search(claim.text[:256])), "")
    return f"{claim.place} says {named}, but the tensors are {facts.family}." if named else ""


def _other_expert(claim: Claim, facts: Facts) -> str:
    named = hints.expert_in_name(claim.text)
    if named and facts.family in _ONLY and hints.says_noise(claim.text):
        return f"{claim.place} says {named} noise, but {facts.family} has only one expert."
    if not named or not facts.expert or named == facts.expert:
        return ""
    if facts.expert_source == hints.TENSOR_NAMES:
        return f"{claim.place} says {named} noise, but the tensor names say {facts.expert} noise."
    return f"{claim.place} says {named} noise, but its {facts.expert_source} means {facts.expert} noise."
