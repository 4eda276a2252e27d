"""Where the results of a headless render go: looked at before anything is rendered, so that no clip is lost."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import CatalogError
from catalog.on_the_way import drop, part_beside
from catalog.plain_text import short_name
from engine import video
from engine.errors import EncodeFailed

if TYPE_CHECKING:
    import numpy as np

LATENTS_SUFFIX = ".safetensors"


@dataclass(frozen=True, slots=True)
class Job:
    """One recipe of the command line and where its results go."""

    source: Path
    out: Path
    latents: Path | None


class TargetTaken(CatalogError):
    """A result would replace a file that exists, or cannot have the name it was given."""

    advice = "Choose another name; nothing is overwritten."


def job(index: int, sources: Sequence[Path], out: Path, latents: Path | None) -> Job:
    """What becomes of `sources[index]`: the named files for one recipe, files in the folders for several.

    A name without an ending is a folder, too. Raises TargetTaken.
    """
    stem = _stems(sources)[index]
    try:
        clip = _target(out, len(sources) > 1, f"{stem}.mp4", video.SUFFIXES)
        tensors = latents and _target(latents, len(sources) > 1, stem + LATENTS_SUFFIX, (LATENTS_SUFFIX,))
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise TargetTaken(f"{short_name(error.filename)} cannot be written: {error.strerror}.") from error
    return Job(sources[index], clip, tensors)


def save_latents(latents: "np.ndarray", file: Path) -> Path:
    """Write final latents [1, C, F, H, W] under the key “latents”, whole or not at all; returns where they are.

    They get the next free name where another program has taken this one meanwhile. Raises EncodeFailed.
    """
    from safetensors.numpy import save

    part = part_beside(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(save({"latents": latents}))
    except OSError as error:
        drop(part)
        raise EncodeFailed(f"{file.name} cannot be written: {error.strerror}.") from error
    return video.place(part, file)


def _target(named: Path, are_several: bool, own_name: str, suffixes: Sequence[str]) -> Path:
    is_folder = are_several or named.is_dir() or not named.suffix
    if is_folder and named.is_file():
        raise TargetTaken(f"{named.name} is a file, not a folder.")
    if is_folder and named.suffix.lower() in suffixes and not named.is_dir():
        raise TargetTaken(f"{named.name} names one file; several recipes need a folder.", "Name a folder.")
    target = named / own_name if is_folder else named
    if target.suffix.lower() not in suffixes:
        many = len(suffixes) > 1
        ending = f"ends in none of {', '.join(suffixes)}" if many else f"does not end in {suffixes[0]}"
        advice = "Choose one of these endings." if many else "Choose this ending."
        raise TargetTaken(f"{target.name} {ending}.", advice)
    if target.exists():
        raise TargetTaken(f"{target.name} exists already.")
    _check_folder(target.parent)
    return target


def _check_folder(folder: Path) -> None:
    """Refuses a folder that cannot be made or written, as far as that can be known before."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise TargetTaken(f"{place} is a file, not a folder.", "Choose another folder.")
    if not os.access(place, os.W_OK):
        raise TargetTaken(f"{place} cannot be written.", "Choose another folder.")


def _stems(sources: Sequence[Path]) -> list[str]:
    """The recipes' names; where several have one name, all but the first get a number that nobody has."""
    names = [source.stem for source in sources]
    taken = {name.casefold() for name in names}
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name.casefold() in seen:
            number = 2
            while f"{name}-{number}".casefold() in taken:
                number += 1
            names[i] = f"{name}-{number}"
            taken.add(names[i].casefold())
        seen.add(name.casefold())
    return names
