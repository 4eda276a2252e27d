"""What metadata and file names say about a LoRA: expert, version, size, trainer, trigger words."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from catalog.experts import Expert

_NOISE: tuple[tuple[Expert, re.Pattern[str]], ...] = (
    ("high", re.compile(r"high[ _.-]?noise")),
    ("low", re.compile(r"low[ _.-]?noise")),
)
_TOKENS: dict[str, Expert] = {
    "high": "high",
    "h": "high",
    "hn": "high",
    "low": "low",
    "l": "low",
    "ln": "low",
}
# “low VRAM” and the like say nothing about the noise
_NOT_NOISE = {
    "vram",
    "res",
    "resolution",
    "quality",
    "mem",
    "memory",
    "rank",
    "poly",
    "fps",
    "motion",
    "ram",
    "q",
}
_CLAIM = re.compile(
    r"(?<![a-z])wan[ _-]*(?:video[ _-]*)?(?:v[ _-]*)?"
    r"(?:([1-9])\.([0-9]{1,2})|(2)_([125])|(2)([0-9])|([23]))(b)?(?![0-9a-z])",
    re.IGNORECASE,
)
_BARE_CLAIM = re.compile(r"(?<![a-z])wan(?![a-z])", re.IGNORECASE)
_PUBLIC = ("", "2", "2.1", "2.2")
_SIZES = (
    (re.compile(r"(?<![0-9.])a?14b(?![a-z])", re.IGNORECASE), "Wan 14B"),
    (re.compile(r"(?<![0-9])1[._]3b(?![a-z])", re.IGNORECASE), "Wan 1.3B"),
    (re.compile(r"(?<![0-9.])5b(?![a-z])", re.IGNORECASE), "Wan 5B"),
)
# without “Wan” beside it only what can be nothing else: “take_5b” and “style_1_3b” may count takes and versions
_BARE_START, _BARE_END = r"(?:(?<![a-zA-Z0-9.])|(?<=2[vV]))", r"(?![a-zA-Z0-9])"
_BARE_SIZES = tuple(
    (re.compile(f"{_BARE_START}{size}{_BARE_END}"), family)
    for size, family in (("[aA]?14[bB]", "Wan 14B"), (r"1(?:\.3[bB]|_3B)", "Wan 1.3B"), ("5B", "Wan 5B"))
)
_TRIGGER_KEYS = ("modelspec.trigger_phrase", "trigger_words", "trigger_word", "trigger", "ss_trigger_words")
_NAME_KEYS = ("ss_output_name", "ss_training_comment", "ss_sd_model_name", "name", "modelspec.title")
_MOST_TRIGGERS = 5
# metadata may be megabytes long; what matters in a name stands at its beginning
_LONGEST_NAME, _LONGEST_WORD = 256, 80


TENSOR_NAMES, FILE_NAME, FOLDER = "tensor names", "file name", "folder"
NAMES = (FILE_NAME, FOLDER)
Strength = Literal["strong", "medium", "weak", ""]


@dataclass(frozen=True, slots=True)
class Hint:
    """Which expert a file seems to be for, where that was read, and how far that can be believed.

    Strong: the tensor names or the trained timesteps; medium: a name that says “high noise”, or one in the
    metadata; weak: a bare “high” or “L” in the name of the file or its folder.
    """

    expert: Expert | None = None
    source: str = ""
    strength: Strength = ""


def expert_hint(metadata: Mapping[str, str], file_name: str, folder: str = "") -> Hint:
    """The strongest hint: the trained timesteps, then the names in the metadata, the file's own, its folder's."""
    trained = trained_timesteps(metadata)
    expert = _by_timesteps(*trained) if trained else None
    if trained and expert:
        return Hint(expert, f"metadata: trained on timesteps {trained[0]:g}–{trained[1]:g}", "strong")
    for key in _NAME_KEYS:
        expert = expert_in_name(metadata.get(key, ""))
        if expert:
            return Hint(expert, f"metadata: {key}", "medium")
    for source, name in ((FILE_NAME, file_name), (FOLDER, folder)):
        if expert := expert_in_name(name):
            return Hint(expert, source, "medium" if says_noise(name) else "weak")
        if speaks_of_experts(name):  # of both: the folder would decide between them at random
            break
    return Hint()


def trained_timesteps(metadata: Mapping[str, str]) -> tuple[float, float] | None:
    """The range of timesteps that the trainer wrote down, if it did."""
    try:
        low, high = (float(part) for part in metadata.get("modelspec.timestep_range", "").split(","))
    except ValueError:
        return None
    return (low, high) if 0 <= low < high <= 1000 else None


def _by_timesteps(low: float, high: float) -> Expert | None:
    if low == 0 and 800 <= high <= 950:
        return "low"
    return "high" if 800 <= low <= 950 and high == 1000 else None


def expert_in_name(name: str) -> Expert | None:
    """The expert that a name speaks of; None when it names both or neither."""
    found = _by_noise(name) or _by_token(name)
    return next(iter(found)) if len(found) == 1 else None


def speaks_of_experts(name: str) -> bool:
    """Whether a name speaks of an expert, or of both."""
    return bool(_by_noise(name) or _by_token(name))


def says_noise(name: str) -> bool:
    """Whether a name says “high noise” or “low noise” in full, not by a bare “high” or “L”."""
    return bool(_by_noise(name))


def _by_noise(name: str) -> set[Expert]:
    text = name[:_LONGEST_NAME].lower()
    return {expert for expert, pattern in _NOISE if pattern.search(text)}


def _by_token(name: str) -> set[Expert]:
    tokens = re.split(r"[^a-z0-9]+", name[:_LONGEST_NAME].lower())
    following = zip(tokens, [*tokens[1:], ""], strict=True)
    return {_TOKENS[t] for t, after in following if t in _TOKENS and after not in _NOT_NOISE}


def wan_claim(name: str) -> tuple[str, str] | None:
    """The Wan that a name speaks of, as written and as a version ("2.5", or "" when it gives none)."""
    name = name[:_LONGEST_NAME]
    for pattern, _ in _SIZES:  # “Wan 14B” is a size, not version 1.4
        name = pattern.sub(" ", name)
    match = _CLAIM.search(name)
    if match:
        return match[0], ".".join(piece for piece in match.groups()[:7] if piece) + ("B" if match[8] else "")
    match = _BARE_CLAIM.search(name)
    return (match[0], "") if match else None


def is_public(version: str) -> bool:
    """Whether the weights of that version of Wan can be had outside its maker's house."""
    return version in _PUBLIC


def size_claim(name: str) -> str:
    """The family that a size in a name that says Wan stands for, "" when it names none or several."""
    return _only_size(name, _SIZES)


def bare_size_claim(name: str) -> str:
    """The same of a name that may not say Wan: only sizes that can be nothing else count."""
    return _only_size(name, _BARE_SIZES)


def _only_size(name: str, sizes: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    found = {family for pattern, family in sizes if pattern.search(name[:_LONGEST_NAME])}
    return found.pop() if len(found) == 1 else ""


def trigger_words(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The words that a prompt should contain, as far as the trainer wrote them down."""
    for key in _TRIGGER_KEYS:
        words = [word.strip()[:_LONGEST_WORD] for word in _listed(metadata.get(key, ""))]
        if any(words):
            return tuple(dict.fromkeys(word for word in words if word))[:_MOST_TRIGGERS]
    counts = Counter[str]()
    for tags in _objects(_json(metadata.get("ss_tag_frequency", ""))):
        counts.update({str(t).strip()[:_LONGEST_WORD]: n for t, n in tags.items() if isinstance(n, int)})
    return tuple(tag for tag, _ in counts.most_common(3) if tag)


def trainer(metadata: Mapping[str, str]) -> str:
    """The program that made the file, "" when it does not say."""
    module = metadata.get("ss_network_module", "")
    if module in ("networks.lora_wan", "networks.loha", "networks.lokr"):
        return "musubi-tuner"
    if module.startswith("lycoris"):
        return "LyCORIS"
    if module.startswith("networks."):
        return "kohya’s sd-scripts"
    software = _json(metadata.get("software", ""))
    if isinstance(software, dict) and isinstance(software.get("name"), str):
        return str(software["name"])[:_LONGEST_WORD]
    if "lora_adapter_metadata" in metadata:
        return "diffusers/PEFT"
    return metadata.get("trainer", "")[:_LONGEST_WORD]


def _listed(text: str) -> list[str]:
    value = _json(text)
    if isinstance(value, list):
        return [item for item in value if isinstance(item, str)]
    return text.split(",")


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield from (tags for tags in value.values() if isinstance(tags, dict))


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
