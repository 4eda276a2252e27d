"""What a LoRA file is, in words: one line, the evidence, and what cannot be told."""

from collections import Counter
from collections.abc import Collection, Sequence

from catalog.anatomy import Anatomy
from catalog.experts import Expert
from catalog.families import ONE_EXPERT_WIDTHS
from catalog.hints import Hint
from catalog.variants import FLF2V, IMAGE_BRANCH

_KIND_WORDS = {"lora": "LoRA", "loha": "LoHa", "lokr": "LoKr", "dora": "DoRA", "glora": "GLoRA", "ia3": "IA³"}


def summary(
    family: str, kinds: Sequence[str], rank: str, experts: tuple[Expert, ...] = (), hint: Expert | None = None
) -> str:
    """One line for a card."""
    parts = [family, " + ".join(_KIND_WORDS.get(kind, kind) for kind in kinds[:2])]
    if rank:
        parts.append("full rank" if rank == "full" else f"rank {rank}")
    if len(experts) == 2:
        parts.append("high and low noise")
    elif experts or hint:
        parts.append(f"{(experts or (hint,))[0]} noise")
    return " · ".join(part for part in parts if part)


def wan_evidence(anatomy: Anatomy, experts: tuple[Expert, ...], hint: Hint) -> tuple[str, ...]:
    """Why the file is for a Wan, for one of that width, and for that expert."""
    said = [f"Wan: {_have(anatomy.core)} the names of Wan’s attention and feed-forward layers"]
    if anatomy.width is not None:
        said.append(f"width {anatomy.width}: read from the shapes of {layers(anatomy.width_votes)}")
    if experts:
        said.append(f"experts: the tensor names name {' and '.join(experts)}")
    elif hint.expert:
        said.append(f"expert {hint.expert}: {hint.source} ({hint.strength} evidence)")
    return tuple(said)


def own_evidence(anatomy: Anatomy, trigger_words: Collection[str], trainer: str) -> tuple[str, ...]:
    """What shows the kinds, the scale, the trigger words and the trainer of a file of any family."""
    said = [f"{kind}: {_have(count)} the parts of one" for kind, count in anatomy.kinds.items()]
    if anatomy.rslora:
        said.append("scaled by alpha/√rank (rsLoRA): the metadata")
    if trigger_words:
        said.append("trigger words: the metadata")
    if trainer:
        said.append(f"trainer {trainer}: the metadata")
    return tuple(said)


def layers(count: int) -> str:
    """How many, in words."""
    return f"{count} layer{'' if count == 1 else 's'}"


def _have(count: int) -> str:
    return f"{layers(count)} {'has' if count == 1 else 'have'}"


def cannot_tell(
    anatomy: Anatomy, variant: str, experts: tuple[Expert, ...], hint: Expert | None
) -> tuple[str, ...]:
    """What nothing in a file for a Wan shows."""
    unsaid = []
    if anatomy.width is None:
        unsaid.append("which size of Wan: no tensor shows the width")
    if anatomy.width == 5120 and not variant:
        unsaid.append(
            "whether Wan 2.1 or 2.2, text or image to video: their layers are named and shaped alike"
        )
    if variant == IMAGE_BRANCH:
        unsaid.append(f"whether I2V, {FLF2V} or Fun-InP: all three have this image branch")
    if anatomy.dialect.startswith("PEFT") and "lora" in anatomy.kinds and not anatomy.alphas:
        unsaid.append("how strong it was meant: PEFT keeps alpha beside the file, in adapter_config.json")
    if anatomy.width not in ONE_EXPERT_WIDTHS and not experts and not hint:
        unsaid.append("whether it is for the high-noise or the low-noise expert: nothing in the file says so")
    return tuple(unsaid)


def spread(counts: Counter[float | str]) -> str:
    """The values in words: "8", "4–16", "full"."""
    numbers = sorted(value for value in counts if not isinstance(value, str))
    words = [value for value in counts if isinstance(value, str)]
    if not numbers:
        return words[0] if words else ""
    return f"{numbers[0]:g}" if len(numbers) == 1 else f"{numbers[0]:g}–{numbers[-1]:g}"


def counted(counts: Counter[float | str]) -> dict[str, int]:
    """How many there are of each value, the most frequent first."""
    return {value if isinstance(value, str) else f"{value:g}": n for value, n in counts.most_common()}
