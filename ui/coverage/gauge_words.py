"""A file's own numbers in words."""

import re
from collections.abc import Iterable

from engine.gauge import USUAL, Cell, FileGauged, Gauge

KEY = "The stronger a colour below, the larger the change."


def share(size: float) -> str:
    """A ratio of norms: 14 %, 0.42 %."""
    return f"{100 * size:.2g} %" if size < 0.995 else f"{100 * size:.0f} %"


def size_words(gauge: Gauge) -> str:
    """The whole file in a sentence or two."""
    if gauge.norm is not None:
        return _file_words(gauge, gauge.norm)
    rank = f", with an effective rank of {gauge.rank:.1f}" if gauge.rank is not None else ""
    said = f"At strength 1 it changes the weights it is on by {share(gauge.size)}{rank}."
    if gauge.suggestion is None:
        return said
    return f"{said} About {100 * USUAL:.0f} % is usual: {gauge.suggestion:g} would be near that."


def _file_words(gauge: Gauge, norm: float) -> str:
    """The same where no model was asked: ‖ΔW‖ is known, what it is beside the weights is an estimate."""
    layers = f"{gauge.unsized} layer{'s' if gauge.unsized > 1 else ''}"
    if not gauge.cells:
        return f"How large it is depends on the model that it plays on ({layers})."
    rank = f", effective rank {gauge.rank:.1f}" if gauge.rank is not None else ""
    said = f"‖ΔW‖ is {norm:.3g} at strength 1{rank}: roughly {share(gauge.size)} of the weights, estimated without a model."
    if gauge.suggestion is not None:
        how = "Much larger" if gauge.size > USUAL else "Much smaller"
        said = f"{how} than usual: a strength near {gauge.suggestion:g} would fit. {said}"
    return (
        f"{said} {layers} more depend{'' if gauge.unsized > 1 else 's'} on the model."
        if gauge.unsized
        else said
    )


def file_words(said: FileGauged) -> str:
    """What came of measuring a file without a model."""
    if said.problem:
        return said.problem
    return size_words(said.gauge) if said.gauge else "It changes no matrix that could be measured."


def cell_words(cell: Cell) -> str:
    """One cell of the map."""
    stem, _, number = cell.block.rpartition(".")
    where = f"{'VACE block' if stem.startswith('vace') else 'Block'} {number}, " if stem else ""
    rank = f", effective rank {cell.rank:.1f}" if cell.rank is not None else ""
    if cell.norm is not None:
        return f"{where}{cell.layer}: ‖ΔW‖ {cell.norm:.3g}{rank}"
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
