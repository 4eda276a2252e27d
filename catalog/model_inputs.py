"""Which pictures a model must be given and which it may be given, by the names that `Inputs` has for them."""

from dataclasses import dataclass

from catalog.model_table import OTHER, Architecture, ModelEntry

FIELDS = {
    "start image": "start_image",
    "end image": "end_image",
    "reference images": "reference_images",
    "control video": "control_video",
}
"""The table's names of pictures → those of `Inputs`."""
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wanted:
    """`needs` is part of `takes`; a model that takes nothing makes clips of text alone."""

    needs: frozenset[str] = _NOTHING
    takes: frozenset[str] = _NOTHING


def wanted(row: ModelEntry, shape: Architecture, expand_timesteps: bool) -> Wanted | None:
    """What a model of this row is given; its architecture tells where no row knows the model.

    None for an architecture that wants something unknown here.
    """
    if row.id != OTHER:
        needs = frozenset(FIELDS[name] for name in row.inputs if name in FIELDS)
        return Wanted(needs, needs | {FIELDS[name] for name in row.optional_inputs})
    if shape.vace_blocks:
        return Wanted(takes=frozenset(FIELDS.values()))
    if shape.in_channels == shape.out_channels and not shape.has_image_branch:
        return Wanted(takes=frozenset({"start_image"} if expand_timesteps else ()))
    if shape.in_channels != 2 * shape.out_channels + _MASK_CHANNELS:
        return None
    if shape.image_positions:
        return Wanted(frozenset({"start_image", "end_image"}), frozenset({"start_image", "end_image"}))
    ends = _NOTHING if shape.has_image_branch else frozenset({"end_image"})
    return Wanted(frozenset({"start_image"}), ends | {"start_image"})


_MASK_CHANNELS = 4
"""Beside the pictures' latents one channel for each of the frames that a latent frame stands for."""
