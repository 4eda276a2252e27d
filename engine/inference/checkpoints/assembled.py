"""A model of single files, as a .wanmodel.json names them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler
from transformers import CLIPVisionModel, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from catalog.errors import CatalogError
from catalog.model_assembly import read_assembly
from catalog.model_parts import Part
from catalog.models import ModelInfo
from engine.errors import ModelFailed
from engine.inference.checkpoints.components import Components, first_line
from engine.inference.checkpoints.diffusers_folder import component, tokenizer, transformer_class
from engine.inference.checkpoints.folder_weights import text_encoder_at_rest, transformer_at_rest
from engine.inference.checkpoints.image_encoder_file import image_processor, load_image_encoder
from engine.inference.checkpoints.spiece import tokenizer_in
from engine.inference.checkpoints.text_encoder_file import load_text_encoder
from engine.inference.checkpoints.transformer_file import load_transformer
from engine.inference.checkpoints.vae_file import load_vae
from engine.inference.device import compute_dtype


def load(info: ModelInfo, device: torch.device) -> Components:
    """Load every part. Raises ModelFailed, which names the file that is missing, damaged or something else."""
    assembly = read_assembly(info.path)
    parts, dtype = assembly.parts, compute_dtype(device)

    def transformer(path: Path) -> Any:
        if path.is_dir():
            return transformer_at_rest(transformer_class(path), path, dtype)
        return load_transformer(path, dtype, at_rest=True)

    def text_encoder(path: Path) -> Any:
        return text_encoder_at_rest(path, dtype) if path.is_dir() else load_text_encoder(path, dtype, True)

    def vae(path: Path) -> Any:
        # In half precision the VAE shows banding and overflows on some clips.
        return component(AutoencoderKLWan, path, torch.float32) if path.is_dir() else load_vae(path)

    experts = {e: _part(parts[e], transformer) for e in info.experts}
    return Components(
        info=info,
        device=device,
        tokenizer=_tokenizer_of(parts),
        text_encoder=_part(parts["text_encoder"], text_encoder),
        experts=experts,
        vae=_part(parts["vae"], vae),
        scheduler=UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=info.defaults.shift
        ),
        **(_image_side(parts["image_encoder"]) if experts["high"].config.image_dim is not None else {}),
    )


def _image_side(path: Path) -> dict[str, Any]:
    """The image encoder, and what makes its pixels; both stay on the host."""
    if path.is_dir():
        encoder = _part(path, lambda folder: component(CLIPVisionModel, folder, torch.float32))
    else:
        encoder = _part(path, load_image_encoder)
    return {"image_encoder": encoder, "image_processor": image_processor(encoder.config.image_size)}


def _part(path: Path, load_file: Callable[[Path], Any]) -> Any:
    """One part from a file, or from a diffusers folder."""
    try:
        return load_file(path)
    except CatalogError as error:
        raise ModelFailed(f"{path.name} cannot be loaded. {error}", error.advice) from error
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelFailed(f"{path.name} cannot be loaded: {first_line(error)}") from error


def _tokenizer_of(parts: Mapping[Part, Path]) -> PreTrainedTokenizerBase:
    """The tokenizer that is given, or else the one that the text encoder's file brings."""
    if "tokenizer" in parts:
        return _part(parts["tokenizer"], _tokenizer)
    return _part(parts["text_encoder"], tokenizer_in)


def _tokenizer(path: Path) -> PreTrainedTokenizerBase:
    """A tokenizer's folder, or the tokenizer.json of UMT5, whose special tokens are known."""
    if path.is_dir():
        return tokenizer(path)
    return PreTrainedTokenizerFast(
        tokenizer_file=str(path), pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
