"""A transformer in one file, by whichever program it was written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import WanTransformer3DModel, WanVACETransformer3DModel

from catalog.checkpoint_config import head_width, transformer_config
from catalog.checkpoint_names import transformer_names
from catalog.checkpoints import recognise
from catalog.errors import UnreadableFile
from catalog.gguf import read_any_header
from engine.inference.checkpoints.weights import empty, fill, mapped

_CLASSES = {c.__name__: c for c in (WanTransformer3DModel, WanVACETransformer3DModel)}


def load_transformer(path: Path, dtype: torch.dtype, at_rest: bool = False) -> Any:
    """The transformer in a file, in `dtype` but for what diffusers keeps in float32; on the CPU.

    Its sizes are read from its shapes. At rest, the weights of its layers stay in the file until they are
    used. Raises UnreadableFile when it is no transformer or not all of one.
    """
    header = read_any_header(path)
    found = recognise(header, path.name)
    if found.role != "transformer" or found.refusal:
        raise UnreadableFile(found.refusal or f"It is {found.title}.")
    names = transformer_names(header.tensors)
    config = transformer_config(header, names, head_width(found.models))
    kind = _CLASSES[config.pop("_class_name")]
    model = with_tables(empty(kind, **config))
    types = exact_types(kind, dtype)
    return fill(model, names.weights, names.scales, mapped(path, header), types, at_rest)


def with_tables(model: Any) -> Any:
    """An empty transformer with the tables of its rotation, which are computed and not stored."""
    config = model.config
    model.rope = type(model.rope)(
        config.attention_head_dim, tuple(config.patch_size), config.rope_max_seq_len
    )
    return model


def exact_types(kind: Any, dtype: torch.dtype) -> Callable[[str], torch.dtype]:
    """The type of each parameter by name: `dtype`, or float32 where the class asks for it."""
    exact = set(kind._keep_in_fp32_modules)
    return lambda name: torch.float32 if exact & set(name.split(".")) else dtype
