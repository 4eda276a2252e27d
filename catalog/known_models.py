"""The models that are on this computer, as far as the program knows of them."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from catalog.folders import Folders
from catalog.model_assembly import saved_assemblies
from catalog.models import snapshot

_INDEX = "model_index.json"
_PIPELINE = "Wan"


def known_models(folders: Folders) -> tuple[str, ...]:
    """What `find_model` takes for each: the demo, saved models, diffusers folders that were downloaded, here or
    by any other program into the Hub's cache. Whether they are whole is not looked at.
    """
    found = [assembly.path for assembly in saved_assemblies(folders.models)]
    found += (
        folder for home in (folders.models, folders.downloads, hub_cache()) for folder in _pipelines(home)
    )
    return ("demo", *dict.fromkeys(map(str, found)))


def hub_cache() -> Path:
    """Where programs that use the Hub keep what they have downloaded; the folder need not exist."""
    from huggingface_hub.constants import HF_HUB_CACHE  # not before somebody asks

    return Path(os.path.expandvars(HF_HUB_CACHE)).expanduser()


def _pipelines(home: Path | None) -> Iterator[Path]:
    """The folders directly in `home` that are a Wan of diffusers, or the cache of one."""
    try:
        folders = sorted(home.iterdir()) if home else []
    except OSError:
        return
    for folder in folders:
        if _is_wan(snapshot(folder) / _INDEX):
            yield folder


def _is_wan(index: Path) -> bool:
    try:
        said = json.loads(index.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(said, dict) and str(said.get("_class_name", "")).startswith(_PIPELINE)
