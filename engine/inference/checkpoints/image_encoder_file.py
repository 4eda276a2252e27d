"""A CLIP image encoder in one file, with Hugging Face's names or with those of Wan's own file."""

from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers import CLIPVisionConfig, CLIPVisionModel

from catalog.checkpoints import recognise
from catalog.errors import UnreadableFile
from catalog.gguf import read_any_header
from catalog.image_encoder_names import CLASS, PATCHES, POSITIONS, Place, image_encoder_names
from engine.inference.checkpoints.packed import Packed
from engine.inference.checkpoints.weights import Read, empty, mapped

_HEAD_WIDTH = 80
"""That of ViT-H, the only one that Wan sees with: no tensor shows it."""
_PREFIX = "vision_model."
_IDS = "position_ids"


def load_image_encoder(path: Path) -> CLIPVisionModel:
    """The image encoder in a file, in float32 on the CPU; UnreadableFile when it is none or not all of one."""
    header = read_any_header(path)
    found = recognise(header, path.name)
    if found.role != "image encoder" or found.refusal:
        raise UnreadableFile(found.refusal or f"It is {found.title}.")
    places = image_encoder_names(header.tensors)
    tensors = {name: _piece(mapped(path, header), place) for name, place in places.items()}
    model = empty(CLIPVisionModel, _config(tensors))
    _fill(model, tensors)
    return model.eval().requires_grad_(False)


def image_processor(size: int = 224) -> Any:
    """CLIP's way of making an image square, small and normal."""
    return image_processor_class()(size={"shortest_edge": size}, crop_size={"height": size, "width": size})


def image_processor_class() -> Any:
    """CLIP's image processor over Pillow, on every version and whatever else is installed."""
    return getattr(transformers, "CLIPImageProcessorPil", None) or transformers.CLIPImageProcessor


def _piece(read: Read, place: Place) -> Tensor:
    stored = read(place.key)
    if isinstance(stored, Packed):
        raise UnreadableFile("Its weights are packed, which is not read for an image encoder.")
    whole = stored.float()
    return whole if place.parts == 1 else whole.chunk(place.parts)[place.part].clone()


def _config(tensors: dict[str, Tensor]) -> CLIPVisionConfig:
    try:
        width, patch = tensors[CLASS].numel(), tensors[PATCHES].shape[-1]
        cells = tensors[POSITIONS].shape[-2] - 1
        inner = tensors["encoder.layers.0.mlp.fc1.weight"].shape[0]
    except (KeyError, IndexError) as error:
        raise UnreadableFile(f"The file has no usable {error}.") from error
    if not width or width % _HEAD_WIDTH:
        raise UnreadableFile(f"Its width {width} is no multiple of {_HEAD_WIDTH}, as ViT-H’s is.")
    return CLIPVisionConfig(
        hidden_size=width,
        intermediate_size=inner,
        num_hidden_layers=len({n.split(".")[2] for n in tensors if n.startswith("encoder.layers.")}),
        num_attention_heads=width // _HEAD_WIDTH,
        image_size=round(cells**0.5) * patch,
        patch_size=patch,
        hidden_act="gelu",
    )


def _fill(model: CLIPVisionModel, tensors: dict[str, Tensor]) -> None:
    """Give an empty model its tensors, whatever this version of the library calls them."""
    own = {name.removeprefix(_PREFIX): name for name in model.state_dict() if not name.endswith(_IDS)}
    for name, shape in ((n, model.get_parameter(full).shape) for n, full in own.items()):
        if name not in tensors:
            raise UnreadableFile(f"The file is incomplete: {name} is missing.")
        if tensors[name].numel() != shape.numel():
            raise UnreadableFile(f"{name} does not fit a model of this kind.")
        tensors[name] = tensors[name].reshape(shape)
    if odd := tensors.keys() - own.keys():
        raise UnreadableFile(f"{min(odd)} does not fit a model of this kind.")
    model.load_state_dict({full: tensors[name] for name, full in own.items()}, strict=False, assign=True)
    for module in model.modules():
        if hasattr(module, _IDS):  # a table that is computed, not stored
            count = len(module.position_embedding.weight)
            module.register_buffer(_IDS, torch.arange(count)[None], persistent=False)
