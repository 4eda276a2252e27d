"""The scale on which sizes of changes are shown: a logarithm of three decades."""

import math

DARK = 0.001
"""Below this share nothing is lit. Files that work add between 1 % and 50 %, and one that adds a thousandth
is not seen; on a linear scale half of those that work would look dark.
"""


def deflection(ratio: float) -> float:
    """How far a ratio is from a thousandth (0) on its way to the whole (1)."""
    return min(1.0, 1 - math.log10(ratio) / math.log10(DARK)) if ratio > DARK else 0.0
