"""A file's own numbers in words."""

import re
from collections.abc import Iterable

from engine.gauge import USUAL, Cell, Gauge

KEY = "The stronger a colour below, the larger the change."


def share(size: float) -> str:
    """A ratio of norms: 14 %, 0.42 %."""
    return f"{100 * size:.2g} %" if size < 0.995 else f"{100 * size:.0f} %"


def size_words(gauge: Gauge) -> str:
    """The whole file in a sentence or two."""
    rank = f", with an effective rank of {gauge.rank:.1f}" if gauge.rank is not None else ""
    said = f"At strength 1 it changes the weights it is on by {share(gauge.size)}{rank}."
    if gauge.suggestion is None:
        return said
    return f"{said} About {100 * USUAL:.0f} % is usual: {gauge.suggestion:g} would be near that."


def cell_words(cell: Cell) -> str:
    """One cell of the map."""
    stem, _, number = cell.block.rpartition(".")
    where = f"{'VACE block' if stem.startswith('vace') else 'Block'} {number}, " if stem else ""
    rank = f", effective rank {cell.rank:.1f}" if cell.rank is not None else ""
    return f"{where}{cell.layer}: {share(cell.size)} of the weights{rank}"


def gauge_text(gauge: Gauge) -> str:
    """Everything, for the clipboard."""
    return "\n".join(["", "How large it is", f"  {size_words(gauge)}", *_lines(gauge.cells)]) + "\n"


def _lines(cells: Iterable[Cell]) -> list[str]:
    ordered = sorted(cells, key=lambda cell: (natural(cell.block), natural(cell.layer)))
    return [f"  {cell_words(cell)}" for cell in ordered]


def natural(name: str) -> list[tuple[int, int, str]]:
    """Blocks by number, those without any last."""
    parts = [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in re.split(r"\.", name)]
    return [(int(name == "other"), 0, ""), *parts]
