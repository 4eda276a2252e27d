"""A diffusers component's folder as a model at rest: its weights stay in the mapped files until they are used."""

import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import UMT5Config, UMT5EncoderModel

from catalog.errors import UnreadableFile
from catalog.header import read_header
from engine.inference.checkpoints.packed import Packed
from engine.inference.checkpoints.text_encoder_file import resting_text_encoder, text_encoder_names
from engine.inference.checkpoints.transformer_file import exact_types, with_tables
from engine.inference.checkpoints.weights import Read, empty, fill, mapped


def transformer_at_rest(kind: Any, folder: Path, dtype: torch.dtype) -> Any:
    """The transformer of the class `kind` in a folder. Raises OSError, UnreadableFile or ValueError."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    model = with_tables(empty(partial(kind.from_config, config)))
    readers = _readers(folder)
    names = _present(model.state_dict(), readers, folder)
    return fill(model, names, {}, _reading(readers), exact_types(kind, dtype), at_rest=True)


def text_encoder_at_rest(folder: Path, dtype: torch.dtype) -> UMT5EncoderModel:
    """The UMT5 in a folder. Raises OSError, UnreadableFile or ValueError."""
    model = empty(UMT5EncoderModel, UMT5Config.from_pretrained(folder, local_files_only=True))
    readers = _readers(folder)
    known, _ = text_encoder_names(readers)
    names = {name: known[name] for name in _present(model.state_dict(), known, folder)}
    return resting_text_encoder(model, names, {}, _reading(readers), dtype)


def _readers(folder: Path) -> dict[str, Callable[[], Tensor | Packed]]:
    """Every tensor in the folder's safetensors files, by name."""
    readers: dict[str, Callable[[], Tensor | Packed]] = {}
    for file in files_of(folder):
        header = read_header(file)
        read = mapped(file, header)
        readers |= {key: partial(read, key) for key in header.tensors}
    return readers


def files_of(folder: Path) -> list[Path]:
    """The safetensors files that hold a component, as diffusers and transformers find them. Raises OSError."""
    for name in ("diffusion_pytorch_model", "model"):
        if (folder / f"{name}.safetensors").is_file():
            return [folder / f"{name}.safetensors"]
        index = folder / f"{name}.safetensors.index.json"
        if index.is_file():
            listed = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
            return [folder / Path(file).name for file in sorted(listed)]
    raise FileNotFoundError(f"{folder.name} holds no weights in safetensors files.")


def _reading(readers: dict[str, Callable[[], Tensor | Packed]]) -> Read:
    return lambda key: readers[key]()


def _present(wanted: dict[str, Tensor], found: Iterable[str], folder: Path) -> dict[str, str]:
    """Every parameter's name as its own key; others in the files are nobody's."""
    missing = sorted(wanted.keys() - set(found))
    if missing:
        raise UnreadableFile(f"{folder.name} is incomplete: {missing[0]} is missing.")
    return {name: name for name in wanted}
