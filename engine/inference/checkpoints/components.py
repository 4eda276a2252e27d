"""What every way of storing a model is loaded into."""

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from transformers import CLIPVisionModel, PreTrainedTokenizerBase, UMT5EncoderModel

from catalog.models import Expert, ModelInfo


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The parts of one loaded model, in evaluation mode, to be placed on `device` (see streaming).

    The image encoder of Wan 2.1's image models is asked once per picture: it stays on the host, in float32.
    """

    info: ModelInfo
    device: torch.device
    tokenizer: PreTrainedTokenizerBase
    text_encoder: UMT5EncoderModel
    experts: dict[Expert, WanTransformer3DModel]
    vae: AutoencoderKLWan
    scheduler: Any
    image_encoder: CLIPVisionModel | None = None
    image_processor: Any = None


def first_line(error: Exception) -> str:
    """What a library's error says, short enough for a person."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
