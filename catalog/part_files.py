"""The files and folders that may be parts of a model: where they lie, and what each of them is."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from catalog.checkpoints import Checkpoint
from catalog.errors import CatalogError
from catalog.model_parts import TOKENIZER_FILE, examine

Role = Literal["", "alone", "high", "low", "vae", "text_encoder", "tokenizer", "image_encoder"]
"""What a file plays in a model: "alone" is the transformer of a model with one, "" is nothing."""

MOST_DEPTH = 4
SUFFIXES = (".safetensors", ".sft", ".gguf")
_COMFY = ("diffusion_models", "unet", "vae", "text_encoders", "clip", "clip_vision")
_DIFFUSERS = ("transformer", "transformer_2", "vae", "text_encoder", "tokenizer", "image_encoder")
_WEIGHTS = ("diffusion_pytorch_model", "model.safetensors", "model-")
_ROLES: dict[str, tuple[Role, ...]] = {
    "transformer": ("alone", "high", "low"),
    "vae": ("vae",),
    "text encoder": ("text_encoder",),
    "tokenizer": ("tokenizer",),
    "image encoder": ("image_encoder",),
}


@dataclass(frozen=True, slots=True)
class PartFile:
    """One file, or one folder of diffusers: its size in bytes, and what it is in a few words.

    `refusal` is a sentence why it is no part of a model, "" when it is one. `checkpoint` is None for a
    tokenizer and for what cannot be read.
    """

    path: Path
    size: int
    words: str
    checkpoint: Checkpoint | None = None
    refusal: str = ""

    @property
    def kind(self) -> str:
        """The role in its checkpoint, "tokenizer", or "" for what is no part."""
        if self.refusal:
            return ""
        return self.checkpoint.role if self.checkpoint else "tokenizer"

    @property
    def roles(self) -> tuple[Role, ...]:
        """What it can play, besides nothing."""
        return _ROLES.get(self.kind, ())


def look_at(path: Path) -> PartFile:
    """What a file or folder is; it reads headers and names alone, and never fails."""
    path = path.absolute()
    try:
        size = _size(path)
        if _is_tokenizer(path):
            return PartFile(path, size, "Tokenizer")
        found = examine(path)
    except CatalogError as error:
        return PartFile(path, 0, "", None, str(error).removeprefix(f"{path.name}: "))
    except OSError as error:
        return PartFile(path, 0, "", None, f"It cannot be read: {error.strerror}.")
    return PartFile(path, size, found.title[:1].upper() + found.title[1:], found, found.refusal)


def spread(path: Path) -> Iterator[Path]:
    """What in a file or folder may be a part, without opening files.

    A folder may be a part itself, a diffusers model, ComfyUI's folder or its `models`; of any other the
    model files are given, those in folders down to MOST_DEPTH among them.
    """
    try:
        if not path.is_dir() or _is_part(path, os.listdir(path)):
            yield path
        elif (path / "model_index.json").is_file():
            yield from (path / name for name in _DIFFUSERS if (path / name).is_dir())
        else:
            for root in _roots(path):
                yield from _walk(root)
    except OSError:
        yield path  # looking at it says what is wrong


def _roots(folder: Path) -> list[Path]:
    """ComfyUI's folders for the parts of a model, where there are any; else the folder itself."""
    for start in (folder / "models", folder):
        if found := [start / name for name in _COMFY if (start / name).is_dir()]:
            return found
    return [folder]


def _walk(root: Path) -> Iterator[Path]:
    seen: set[tuple[int, int]] = set()
    for folder, subfolders, names in os.walk(root, followlinks=True):
        here = os.stat(folder)
        depth = len(Path(folder).relative_to(root).parts)
        if (here.st_dev, here.st_ino) in seen:
            subfolders.clear()
            continue
        seen.add((here.st_dev, here.st_ino))
        subfolders[:] = sorted(s for s in subfolders if not s.startswith(".")) if depth < MOST_DEPTH else []
        if depth and _is_part(Path(folder), names):
            subfolders.clear()
            yield Path(folder)
            continue
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield Path(folder, name)


def _is_part(folder: Path, names: list[str]) -> bool:
    """Whether a folder is one part as diffusers stores it: a configuration with weights, or a tokenizer."""
    if "config.json" in names:
        return any(name.startswith(_WEIGHTS) for name in names)
    return _is_tokenizer(folder)


def _is_tokenizer(path: Path) -> bool:
    if path.is_dir():
        return (path / TOKENIZER_FILE).is_file() and not (path / "config.json").is_file()
    return path.name == TOKENIZER_FILE and path.is_file()


def _size(path: Path) -> int:
    files = path.iterdir() if path.is_dir() else (path,)
    return sum(file.stat().st_size for file in files if file.is_file())
