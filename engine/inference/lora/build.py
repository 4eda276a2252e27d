"""One module's tensors → what they add to it: each kind takes the parts that are its own."""

from collections.abc import Callable

from engine.errors import AdapterRefused
from engine.inference.lora.delta import Effect
from engine.inference.lora.kinds import axis, full, glora, loha, lokr, oft, pair
from engine.inference.lora.kinds.dora import stretch
from engine.inference.lora.kinds.parts import Parts

Builder = Callable[[Parts], Effect]

# the part that gives a kind away → what builds it
_KINDS: tuple[tuple[str, Builder], ...] = (
    ("down", pair.build),
    ("hada_w1_a", loha.build),
    ("lokr_w1", lokr.build),
    ("lokr_w1_a", lokr.build),
    ("glora_a1", glora.build),
    ("oft_blocks", oft.build),
    ("on_input", axis.build),
)
_WHOLE = ("diff", "w_norm", "set_weight")
_BIASES = ("diff_b", "b_norm")
_READING = frozenset({"dora_scale", "glora_a1", "oft_blocks", "on_input", "set_weight"})


def reads_model(parts: frozenset[str]) -> bool:
    """Whether parts of these names need the model's own weight: two experts then differ."""
    return not _READING.isdisjoint(parts)


def build(parts: Parts, parameter: str, is_matrix: bool) -> Effect:
    """What the parts add to the module; `parameter` is the one that they mean by its weight.

    Raises AdapterRefused, naming the module, when the tensors are not what their shapes promised.
    """
    try:
        return _build(parts, parameter, is_matrix)
    except (RuntimeError, ValueError, IndexError, KeyError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise AdapterRefused(f"{parts.module} cannot be read: {reason}.") from error


def _build(parts: Parts, parameter: str, is_matrix: bool) -> Effect:
    effect = Effect()
    builder = next((builder for sign, builder in _KINDS if sign in parts), None)
    if builder is not None:
        if not is_matrix:
            raise AdapterRefused(f"{parts.module} is changed as if it were a linear layer, which it is not.")
        effect = builder(parts)
        if "dora_scale" in parts:
            effect = stretch(effect, parts)
    for part in _WHOLE:
        if part in parts:
            effect += full.whole(parts, part) if is_matrix else full.small(parts, part, parameter)
    for part in _BIASES:
        if part in parts:
            effect += full.small(parts, part, "bias")
    return effect
