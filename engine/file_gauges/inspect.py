"""What `inspect --sizes` says of a file: how large its change is, told by the file alone."""

from collections import defaultdict
from pathlib import Path
from typing import Any

from engine.file_gauges.bridge import open_measure
from engine.gauge import Cell, Gauge


class Sizes:
    """Measures with torch, which is imported when this is made."""

    def __init__(self) -> None:
        self._measure = open_measure()

    def fields(self, path: Path) -> dict[str, Any]:
        """For JSON; `sizes` is null where the file changes no matrix."""
        gauge = self._measure(path)
        return {"sizes": _fields(gauge) if gauge else None}

    def rows(self, path: Path) -> list[tuple[str, str]]:
        """Names and words: the whole file, then every kind of layer."""
        gauge = self._measure(path)
        if gauge is None:
            return [("size", "it changes no matrix")]
        rows = [("size", _words(gauge))] if gauge.cells else []
        if gauge.suggestion is not None:
            rows.append(("strength", f"{gauge.suggestion:g} would be near the usual size"))
        if gauge.unsized:
            rows.append(("left out", f"{gauge.unsized} layers whose size depends on the model"))
        return rows + [(layer, _layer_words(cells)) for layer, cells in _by_layer(gauge).items()]


def _fields(gauge: Gauge) -> dict[str, Any]:
    return {
        "norm": gauge.norm,
        "ratio_estimate": gauge.size,
        "effective_rank": gauge.rank,
        "suggested_strength": gauge.suggestion,
        "layers_left_out": gauge.unsized,
        "cells": [
            {"block": cell.block, "layer": cell.layer, "norm": cell.norm, "effective_rank": cell.rank}
            for cell in gauge.cells
        ],
    }


def _words(gauge: Gauge) -> str:
    rank = f", effective rank {gauge.rank:.1f}" if gauge.rank is not None else ""
    return f"‖ΔW‖ {gauge.norm:.3g} at strength 1, roughly {100 * gauge.size:.2g} % of the weights (estimated){rank}"


def _by_layer(gauge: Gauge) -> dict[str, list[Cell]]:
    found: dict[str, list[Cell]] = defaultdict(list)
    for cell in gauge.cells:
        found[cell.layer].append(cell)
    return found


def _layer_words(cells: list[Cell]) -> str:
    """Of one kind of layer over all blocks."""
    norms = [cell.norm or 0.0 for cell in cells]
    ranks = [cell.rank for cell in cells if cell.rank is not None]
    rank = f", effective rank {sum(ranks) / len(ranks):.1f}" if ranks else ""
    each = (
        f"{min(norms):.3g} to {max(norms):.3g} in {len(cells)} blocks"
        if len(cells) > 1
        else f"{norms[0]:.3g}"
    )
    return f"‖ΔW‖ {each}{rank}"
