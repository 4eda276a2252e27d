"""The scale of a low-rank pair: alpha / rank, from the file and never from the user."""

from catalog.peft_alpha import AlphaRules


def pair_scale(rank: int, alpha: float | None, rules: AlphaRules, module: str) -> float:
    """alpha / rank; without an alpha tensor what the file's settings state, else 1."""
    if alpha is not None:
        return alpha / rank
    stated = rules.of_layer(module)
    return stated.scale(rank) if stated else 1.0
