"""Which pictures a model must be given and which it may be given, by the names that `Inputs` has for them."""

from dataclasses import dataclass

from catalog.inputs import MOST_REFERENCES
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
    """`needs` is part of `takes`; a model that takes nothing makes clips of text alone.

    `most_references` is how many reference images it may be given, where it takes any.
    """

    needs: frozenset[str] = _NOTHING
    takes: frozenset[str] = _NOTHING
    most_references: int = MOST_REFERENCES


def wanted(row: ModelEntry, shape: Architecture, expand_timesteps: bool, name: str = "") -> Wanted | None:
    """What a model of this row is given; its architecture tells where no row knows the model, and its name
    where Phantom has the tensors of a model that sees nothing.

    None for an architecture that wants something unknown here.
    """
    if row.id != OTHER:
        needs = frozenset(FIELDS[name] for name in row.inputs if name in FIELDS)
        return Wanted(needs, needs | {FIELDS[name] for name in row.optional_inputs}, row.most_references)
    if shape.vace_blocks:
        return Wanted(takes=frozenset(FIELDS.values()))
    if shape.in_channels == shape.out_channels and not shape.has_image_branch:
        if "phantom" in name.lower() and not expand_timesteps:
            return PHANTOM
        return Wanted(takes=frozenset({"start_image"} if expand_timesteps else ()))
    if shape.in_channels != 2 * shape.out_channels + _MASK_CHANNELS:
        return None
    if shape.image_positions:
        return Wanted(frozenset({"start_image", "end_image"}), frozenset({"start_image", "end_image"}))
    ends = _NOTHING if shape.has_image_branch else frozenset({"end_image"})
    return Wanted(frozenset({"start_image"}), ends | {"start_image"})


PHANTOM = Wanted(frozenset({"reference_images"}), frozenset({"reference_images"}), 4)
"""What every Phantom is given."""
_MASK_CHANNELS = 4
"""Beside the pictures' latents one channel for each of the frames that a latent frame stands for."""
