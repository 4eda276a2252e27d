"""What a LoRA file's own numbers say about it, before anything is played."""

import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

USUAL = 0.1
"""How large a file's change of the weights usually is, relative to them, at strength 1."""
FAR = 4.0
LEAST, MOST = 0.05, 8.0
_FEW_STEPS = re.compile(
    r"light(x2v|ning)|distil|[ _-]?step|turbo|causvid|accvid|dmd|lcm|rcm|fast|hyper", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of layer in one block: ‖ΔW‖ / ‖W‖ at strength 1, and the effective rank of ΔW.

    `block` and `layer` are named as in a Coverage. There is no rank where ΔW is not stored as a low-rank
    product, and only that of some layers where there are very many. `norm` is ‖ΔW‖ itself, where no model
    was asked: `size` is then an estimate.
    """

    block: str
    layer: str
    size: float
    rank: float | None = None
    norm: float | None = None


@dataclass(frozen=True, slots=True)
class Gauge:
    """The cells of a file on the loaded model, ‖ΔW‖ / ‖W‖ over all of them together, and a strength that
    brings that near the usual size; None where it is near, or where no strength would help.

    Of a file alone `norm` is ‖ΔW‖ of all its layers together, and the ratios are estimates; `unsized` of its
    layers are left out, since how large they are depends on the model.
    """

    cells: tuple[Cell, ...]
    size: float
    suggestion: float | None = None
    norm: float | None = None
    unsized: int = 0

    @property
    def rank(self) -> float | None:
        """The mean effective rank; None where no cell has one."""
        ranks = [cell.rank for cell in self.cells if cell.rank is not None]
        return sum(ranks) / len(ranks) if ranks else None


@dataclass(frozen=True, slots=True)
class FileGauged:
    """The file at `path` was measured without a model: no gauge where it changes no matrix, or, with one
    sentence in `problem`, where it cannot be measured.
    """

    path: Path
    gauge: Gauge | None
    problem: str = ""


def suggested(gauge: Gauge | None, name: str) -> Gauge | None:
    """The gauge of the file called `name`, with the strength to suggest for it."""
    return gauge and replace(gauge, suggestion=suggestion(gauge.size, name))


def suggestion(size: float, name: str) -> float | None:
    """The strength to suggest for a file of this ‖ΔW‖ / ‖W‖, in two digits, since the estimate is no better.

    A file whose scale was not worked in is several times too large. A small one may be meant so: it is
    told to be turned up only where its name says that it is for few steps, since such files have to be
    large. What no strength of the fader would bring to the usual size is left alone: it is a placebo.
    """
    if size <= 0 or size < FAR * USUAL and not (size < USUAL / FAR and _FEW_STEPS.search(name)):
        return None
    wanted = USUAL / size
    if not LEAST <= wanted <= MOST:
        return None
    return round(wanted, 1 - math.floor(math.log10(wanted)))
