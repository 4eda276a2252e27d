"""Why a whole LoRA file cannot be used on a model, in one sentence."""

from collections import Counter
from collections.abc import Mapping

from catalog.experts import Expert
from catalog.families import WAN_BY_WIDTH, other_family
from catalog.file_layers import FileLayers, Slot
from catalog.fit import Fit
from catalog.header import Header
from catalog.inventory import Inventory
from catalog.peft_alpha import scale_problem


def refusal_of(
    header: Header, file: FileLayers, found: Mapping[Slot, Fit], experts: Mapping[Expert, Inventory]
) -> str:
    """Why the whole file cannot be used on the model, "" when at least one layer of it can."""
    if any("reshape_weight" in keys for keys in file.layers.values()):
        return "It is a control LoRA: it widens the model’s inputs for a control video, which cannot be used here."
    model = next(iter(experts.values()))
    return _wrong_size(found, model) or _nothing(header, file, found, model) or _unscaled(header, file)


def _wrong_size(found: Mapping[Slot, Fit], model: Inventory) -> str:
    has = _model_width(model)
    # a layer that fits says nothing else, however its shape is written
    shown = (has if f.applied else _width(module, f) for (_, module), f in found.items())
    widths = Counter(width for width in shown if width)
    width, agreed = widths.most_common(1)[0] if widths else (0, 0)
    unlike = next(((module, f) for (_, module), f in found.items() if f.is_foreign), None)
    # a single layer of an unheard-of width is more likely damaged than a model
    if width and width != has and (agreed > 1 or width in WAN_BY_WIDTH):
        return f"It is made for {wan(width)}; the loaded model is {wan(has)}."
    if unlike:
        return f"It does not fit {wan(has)}: its {unlike[0]} is of another size. {unlike[1].error}"
    blocks = max((f.block + 1 for f in found.values()), default=0)
    if blocks:
        return f"It is made for a Wan with at least {blocks} blocks; the loaded model has {_blocks(model)}."
    return ""


def _width(module: str, found: Fit) -> int:
    """The inner width of the model that the file was made for, as one layer shows it; 0 when it does not."""
    if not module.startswith(("blocks.", "vace_blocks.")):
        return 0
    change = found.change
    sides = [side for side in change.weight if side != 1]
    if module.endswith(("ffn.net.0.proj", "scale_shift_table")):
        return max(sides[-1], 0) if sides else 0
    vector = change.vector if ".attn" in module else 0
    return sides[0] if sides else vector or change.bias


def _model_width(model: Inventory) -> int:
    return model["scale_shift_table"][-1]


def _blocks(model: Inventory) -> int:
    return sum(name.startswith("blocks.") and name.count(".") == 2 for name in model)


def wan(width: int) -> str:
    """A Wan of this inner width, in words."""
    name = WAN_BY_WIDTH.get(width, "a Wan")
    return name if str(width) in name else f"{name} (width {width})"


def _nothing(header: Header, file: FileLayers, found: Mapping[Slot, Fit], model: Inventory) -> str:
    """Why nothing of the file applies, "" when something does."""
    if any(result.applied for result in found.values()):
        return ""
    family, _ = other_family(header.tensors) if not found else ("", "")
    if family:
        return f"It is made for {family}; the loaded model is {wan(_model_width(model))}."
    reasons = Counter(reason for _, reason in file.ignored)
    reasons.update(reason for result in found.values() for reason in result.ignored.values())
    errors = Counter(result.error for result in found.values() if result.error)
    errors.update(wrong for wrong in file.strangers.values() if wrong)
    if errors and 2 * errors.total() >= len(found) + len(file.strangers):
        return f"None of its layers can be applied. {errors.most_common(1)[0][0]}"
    return f"Nothing in it applies to this model: {reasons.most_common(1)[0][0]}."


def _unscaled(header: Header, file: FileLayers) -> str:
    """Why it is not known how strong layers without an alpha of their own would be, "" when it is."""
    experts = {expert for (expert, _), keys in file.layers.items() if "down" in keys and "alpha" not in keys}
    return scale_problem(header.metadata, experts)
