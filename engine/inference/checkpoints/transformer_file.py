"""A transformer in one file, by whichever program it was written."""

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


def load_transformer(path: Path, dtype: torch.dtype) -> Any:
    """The transformer in a file, in `dtype` but for what diffusers keeps in float32; on the CPU.

    Its sizes are read from its shapes. Raises UnreadableFile when it is no transformer or not all of one.
    """
    header = read_any_header(path)
    found = recognise(header, path.name)
    if found.role != "transformer" or found.refusal:
        raise UnreadableFile(found.refusal or f"It is {found.title}.")
    names = transformer_names(header.tensors)
    config = transformer_config(header, names, head_width(found.models))
    kind = _CLASSES[config.pop("_class_name")]
    model = empty(kind, **config)
    # Its tables are no parameters: they are computed, not stored.
    model.rope = type(model.rope)(
        config["attention_head_dim"], config["patch_size"], model.config.rope_max_seq_len
    )
    exact = set(kind._keep_in_fp32_modules)

    def dtype_of(name: str) -> torch.dtype:
        return torch.float32 if exact & set(name.split(".")) else dtype

    return fill(model, names.weights, names.scales, mapped(path, header), dtype_of)
