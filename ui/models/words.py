"""What the dialog for a new model calls things."""

from catalog.model_proposal import Missing
from catalog.part_files import PartFile, Role

ROLES: dict[Role, str] = {
    "": "not used",
    "alone": "transformer",
    "high": "high-noise expert",
    "low": "low-noise expert",
    "vae": "VAE",
    "text_encoder": "text encoder",
    "tokenizer": "tokenizer",
    "image_encoder": "image encoder",
}
UNKNOWN_MODEL = "A Wan that is not known here; the usual settings are used"


def size_words(size: int) -> str:
    """Bytes in the unit in which they are short."""
    for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if size >= 1 << power:
            return f"{size / (1 << power):.1f} {unit}"
    return f"{size} bytes" if size else ""


def passed_words(count: int) -> str:
    """What is said of the files in folders that are no parts."""
    if not count:
        return ""
    if count == 1:
        return "1 other file there is no part of a Wan model."
    return f"{count} other files there are no parts of a Wan model."


def missing_words(missing: tuple[Missing, ...]) -> str:
    """A line for every part that is missing: what it is, and where it can be had."""
    return "\n".join(f"{each.name[0].upper()}{each.name[1:]} is missing. {each.advice}" for each in missing)


def alike_words(titles: tuple[str, ...]) -> str:
    """What else a single transformer may be, by its tensors."""
    if not titles:
        return ""
    return (
        f"{' and '.join(titles)} has the same tensors: if the file is one of its experts, choose that above."
    )


def tip(file: PartFile) -> str:
    """All that is known of a file."""
    found = file.checkpoint
    lines = (str(file.path), *(found.evidence if found else ()), *(found.warnings if found else ()))
    return "\n".join((*lines, file.refusal) if file.refusal else lines)
