"""A Wan pipeline stored as diffusers' folder: components by name from our own list, safetensors only."""

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLWan,
    FlowMatchEulerDiscreteScheduler,
    UniPCMultistepScheduler,
    WanTransformer3DModel,
    WanVACETransformer3DModel,
)
from transformers import (
    AutoTokenizer,
    CLIPVisionModel,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils.logging import disable_progress_bar

from catalog.errors import CatalogError
from catalog.models import Expert, ModelInfo
from engine.errors import ModelFailed
from engine.inference.checkpoints.components import Components, first_line
from engine.inference.checkpoints.folder_weights import text_encoder_at_rest, transformer_at_rest
from engine.inference.checkpoints.image_encoder_file import image_processor_class
from engine.inference.device import compute_dtype

disable_progress_bar()  # stderr belongs to the progress of the run

SCHEDULERS = {c.__name__: c for c in (UniPCMultistepScheduler, FlowMatchEulerDiscreteScheduler)}


def load(info: ModelInfo, device: torch.device) -> Components:
    """Load every component, at rest on the CPU. Raises ModelFailed when a file is missing, damaged or of a class unknown here."""
    index = json.loads((info.path / "model_index.json").read_text("utf-8"))
    names: dict[Expert, str] = {"high": "transformer", "low": "transformer_2"}
    dtype = compute_dtype(device)
    try:
        return Components(
            info=info,
            device=device,
            tokenizer=tokenizer(info.path / "tokenizer"),
            text_encoder=text_encoder_at_rest(info.path / "text_encoder", dtype),
            experts={
                e: transformer_at_rest(transformer_class(info.path / names[e]), info.path / names[e], dtype)
                for e in info.experts
            },
            # In half precision the VAE shows banding and overflows on some clips.
            vae=component(AutoencoderKLWan, info.path / "vae", torch.float32),
            scheduler=_scheduler(info, index),
            **_image_side(info.path, index),
        )
    except (OSError, ValueError, KeyError, RuntimeError, CatalogError) as error:
        raise ModelFailed(f"{info.title} cannot be loaded: {first_line(error)}") from error


def component(kind: Any, folder: Path, dtype: torch.dtype) -> Any:
    """One component's folder, loaded as the class `kind` on the CPU."""
    extra = {"dtype" if issubclass(kind, PreTrainedModel) else "torch_dtype": dtype}
    model = kind.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, low_cpu_mem_usage=True, **extra
    )
    return model.eval().requires_grad_(False)


def tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer in a folder; code that comes with it is neither run nor asked about."""
    found: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False
    )
    return found


def transformer_class(folder: Path) -> Any:
    """The class of the transformer in a diffusers folder."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    return WanVACETransformer3DModel if config.get("vace_layers") else WanTransformer3DModel


def _image_side(folder: Path, index: dict[str, Any]) -> dict[str, Any]:
    """The image encoder of a folder that has one, and what makes its pixels."""
    if (index.get("image_encoder") or [None])[0] is None:
        return {}
    processor = image_processor_class().from_pretrained(folder / "image_processor", local_files_only=True)
    encoder = component(CLIPVisionModel, folder / "image_encoder", torch.float32)
    return {"image_encoder": encoder, "image_processor": processor}


def _scheduler(info: ModelInfo, index: dict[str, Any]) -> Any:
    name = index["scheduler"][1]
    if name not in SCHEDULERS:
        raise ValueError(f"its scheduler {name} is not one of {', '.join(SCHEDULERS)}")
    return SCHEDULERS[name].from_pretrained(info.path / "scheduler", local_files_only=True)
