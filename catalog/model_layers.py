"""The layers of a model, however it is stored: a diffusers folder, or single files of any number type."""

from pathlib import Path

from catalog.checkpoint_config import transformer_config
from catalog.checkpoint_names import transformer_names
from catalog.errors import CatalogError, ModelNotFound
from catalog.experts import Expert
from catalog.gguf import read_any_header
from catalog.inventory import Inventory, inventories, inventory
from catalog.model_assembly import read_assembly
from catalog.models import ModelInfo, read_json


def layers_of(model: ModelInfo) -> dict[Expert, Inventory]:
    """The parameters of each expert, from configs and headers alone; ModelNotFound when one cannot be read."""
    if model.path.is_dir():
        return inventories(model)
    assembly = read_assembly(model.path)
    parts: dict[Expert, Path] = {expert: assembly.parts[expert] for expert in assembly.experts}
    return {expert: _layers(path, assembly.row.head_width) for expert, path in parts.items()}


def _layers(part: Path, head_width: int) -> Inventory:
    if part.is_dir():
        return inventory(read_json(part / "config.json"))
    try:
        header = read_any_header(part)
        return inventory(transformer_config(header, transformer_names(header.tensors), head_width))
    except CatalogError as error:
        raise ModelNotFound(f"{part.name}: {error}", error.advice) from error
