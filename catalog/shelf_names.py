"""What the name of a file on the Hub says: which transformer it is, of which expert, in which numbers."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from catalog import hints
from catalog.experts import Expert
from catalog.gguf import TYPES
from catalog.model_table import ModelEntry

_SUFFIXES = (".safetensors", ".sft", ".gguf")
_NUMBERS = re.compile(
    r"(?<![a-z0-9])(fp8(?:_e[45]m[23](?:fn)?)?(?:_scaled)?|bf16|fp16|fp32|f16|f32"
    r"|q[2-8]_(?:k(?:_[sml])?|[01])|iq[1-4]_[a-z]+)(?![a-z0-9])"
)
_SIZE = re.compile(r"(?<![a-z0-9])(?:a?14b|1[._]3b|5b)(?![a-z0-9])")
_SPELLINGS = {"a14b": "14b", "1_3b": "1.3b"}
_NOISE = re.compile(r"(?:high|low)[ _.-]?noise")
_TASKS = frozenset({"t2v", "i2v", "flf2v", "vace", "ti2v", "phantom"})
_VERSIONS = {"phantom": "2.1"}
"""Of tasks that there are for one Wan alone: their names need not say which."""
_RESOLUTIONS = frozenset({"480p", "720p"})
_IDLE = frozenset({"", "high", "low", "h", "l", "kj", "model"})


@dataclass(frozen=True, slots=True)
class Named:
    """A transformer by its name. `numbers` are as in “fp8 scaled” or “GGUF Q4_K_M”, "" when it names none."""

    version: str
    task: str
    size: str
    resolution: str
    expert: Expert | None
    numbers: str


def named(path: str) -> Named | None:
    """The transformer that a path in a repository speaks of; None where any word of it is unknown.

    A word too many makes another model: fun, camera, animate, a style. So this would rather miss one.
    """
    pure = PurePosixPath(path.lower())
    if pure.suffix not in _SUFFIXES:
        return None
    stem = pure.name.removesuffix(pure.suffix)
    claim = hints.wan_claim(stem)
    numbers, size = _NUMBERS.search(stem), _SIZE.search(stem)
    if claim is None or size is None:
        return None
    rest = stem.replace(claim[0], " ", 1)
    for match in (numbers and numbers[0], size[0]):
        rest = rest.replace(match, " ", 1) if match else rest
    words = set(re.split(r"[^a-z0-9]+", _NOISE.sub(" ", rest)))
    tasks, resolutions = words & _TASKS, words & _RESOLUTIONS
    if len(tasks) != 1 or len(resolutions) > 1 or words - tasks - resolutions - _IDLE:
        return None
    task = tasks.pop()
    version = claim[1] or _VERSIONS.get(task, "")
    if not version:
        return None
    return Named(
        version,
        task,
        _SPELLINGS.get(size[0], size[0]),
        "".join(resolutions),
        hints.expert_in_name(stem) or hints.expert_in_name(pure.parent.name),
        _spoken(numbers[0] if numbers else "", pure.suffix == ".gguf"),
    )


def is_of(name: Named, row: ModelEntry) -> bool:
    """Whether a name speaks of the model in this row of the table, as the row's id does."""
    version, task, size, *resolution = row.id.removeprefix("wan").split("-")
    wanted = (version, task, _SPELLINGS.get(size, size))
    if (name.version, name.task, name.size) != wanted:
        return False
    return not resolution or name.resolution == resolution[0]


def is_readable(name: Named) -> bool:
    """Whether weights in such numbers can be computed with here, as far as the name tells."""
    if not name.numbers.startswith("GGUF "):
        return True
    known = {kind for kind, _, _ in TYPES.values()}
    return re.sub(r"_[SML]$", "", name.numbers.removeprefix("GGUF ")) in known


def _spoken(text: str, is_gguf: bool) -> str:
    if not is_gguf:
        return text.replace("_", " ")
    return f"GGUF {text.upper()}".strip()
