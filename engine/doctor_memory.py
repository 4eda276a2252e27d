"""What the doctor says of memory: the plan of every model that is known here, on this machine."""

from collections.abc import Iterator
from pathlib import Path

from catalog.errors import CatalogError
from catalog.folders import chosen, default_folders
from catalog.known_models import known_models
from catalog.models import ModelInfo, find_model
from engine.host_memory import Memory
from engine.memory_words import sentence
from engine.model_sizes import model_sizes
from engine.plan import Work, plan

_ITEM = {"cpu": 4, "cuda": 2}


def planned(device: str, memory: Memory) -> Iterator[tuple[str, str]]:
    """Each model's title with its plan in one sentence, or with why there is none."""
    for name in known_models(chosen(default_folders())):
        try:
            info = find_model(name)
            yield info.title, said(info, device, memory)
        except (CatalogError, OSError) as error:
            yield Path(name).name, f"no plan: {error}"


def said(info: ModelInfo, device: str, memory: Memory) -> str:
    """A model's plan at its own size, without any LoRA."""
    own = info.defaults
    work = Work(own.width, own.height, own.frames, sees=bool(info.needs))
    made = plan(model_sizes(info, _ITEM[device], device == "cpu"), work, memory, device)
    return f"{sentence(made)} for {own.width} × {own.height}, {own.frames} frames"
