"""A recipe's pictures → the conditions of its run; what was encoded is remembered."""

import json
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torch import nn

from catalog.inputs import Inputs, to_json
from catalog.recipe import Recipe
from engine.inference.checkpoints.components import Components
from engine.inference.conditions.channels import ChannelsSight
from engine.inference.conditions.conditions import TEXT_ALONE, Conditions, Encoded, Sight
from engine.inference.conditions.encoder import PictureEncoder
from engine.inference.conditions.first_frame import FirstFrameSight
from engine.inference.conditions.given import Check, Given
from engine.inference.conditions.phantom import PhantomSight
from engine.inference.conditions.vace import VaceSight

_KEPT = 4


def seen(inputs: Inputs, fps: int | None) -> str:
    """What pictures with known hashes have to do with a run's steps, wherever their files lie; "" for none."""
    return json.dumps(_contents(inputs, fps), sort_keys=True) if to_json(inputs) else ""


def sight(encoder: PictureEncoder, config: Any, takes: frozenset[str]) -> Sight | None:
    """How a model of this configuration that takes these inputs sees; None where it takes none."""
    if "vace_layers" in config:
        return VaceSight(encoder, len(config.vace_layers))
    if config.in_channels != config.out_channels:
        return ChannelsSight(encoder, config.image_dim is not None)
    if "reference_images" in takes:
        return PhantomSight(encoder)
    return FirstFrameSight(encoder, config.patch_size) if "start_image" in takes else None


class Conditioner:
    """Makes the conditions of runs; what is encoded for the last few is kept on the host."""

    def __init__(self, parts: Components) -> None:
        self._encoder, self._device = PictureEncoder(parts), parts.device
        config = next(iter(parts.experts.values())).config
        self._sight = sight(self._encoder, config, parts.info.takes)
        self._known: OrderedDict[str, Encoded] = OrderedDict()
        self.seeing: Callable[[], AbstractContextManager[bool]] = lambda: nullcontext(False)
        """Surrounds the encoding; says whether it must be done in tiles."""

    @property
    def blocks(self) -> list[nn.Module]:
        """The pieces between which encoding can be cancelled."""
        return self._encoder.blocks

    def is_ready(self, recipe: Recipe) -> bool:
        """Whether nothing need be encoded for this recipe."""
        return self._sight is None or _key(recipe) in self._known

    def conditions(self, recipe: Recipe, check: Check) -> Conditions:
        """The conditions of a whole recipe whose files are found and hashed.

        Raises PictureRefused, BadSettings, and whatever `check` raises.
        """
        if self._sight is None:
            return TEXT_ALONE
        key = _key(recipe)
        if key not in self._known:
            with self.seeing() as self._encoder.is_tiled:
                encoded = self._sight.encode(Given(recipe, check))
            self._known[key] = tuple(tensor.cpu() for tensor in encoded)
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        on_device = tuple(tensor.to(self._device) for tensor in self._known[key])
        return self._sight.conditions(recipe, on_device)


def _key(recipe: Recipe) -> str:
    """All that is encoded depends on: not how strongly it is heard."""
    contents = _contents(recipe.inputs, recipe.fps)
    contents.pop("conditioning_scale", None)
    return json.dumps([contents, recipe.width, recipe.height, recipe.frames], sort_keys=True)


def _contents(inputs: Inputs, fps: int | None) -> dict[str, Any]:
    values = to_json(inputs)
    for value in values.values():
        for picture in value if isinstance(value, list) else [value]:
            if isinstance(picture, dict):
                del picture["file"]
    return values | {"fps": fps} if inputs.control_video else values
