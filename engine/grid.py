"""A grid of clips that differ in strengths or seeds, and the order in which they share most steps."""

import re
import unicodedata
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from catalog.models import Expert
from catalog.recipe import GRID, LoraUse, Recipe
from engine.automation import strength
from engine.errors import EngineError
from engine.grid_axis import Axis, SeedAxis, StrengthAxis
from engine.messages import Mix, Strip

MOST_CELLS = 64
_LONGEST = 100


class BadGrid(EngineError):
    """Axes that make no grid; the sentence says why."""

    advice = "Choose other axes or fewer values."


@dataclass(frozen=True, slots=True)
class Cell:
    """One clip of a grid: where it stands, and what it is rendered with."""

    row: int
    column: int
    recipe: Recipe
    mix: Mix
    words: tuple[str, ...]
    """What sets it apart: "halo · HIGH 0.50", "Seed 7"."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A recipe and a mix, and one or two axes along which they change. Raises BadGrid.

    With `seeds` every row is there once for each of them. The recipe's LoRAs are those of the mix, for whoever
    opens it; `names` gives each one's adapter.
    """

    recipe: Recipe
    mix: Mix
    columns: Axis
    rows: Axis | None = None
    names: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        height, width = self.shape
        if height * width > MOST_CELLS:
            raise BadGrid(
                f"{height} × {width} are {height * width} clips; a grid has at most {MOST_CELLS}.",
                "Type fewer values.",
            )
        one, other = self.columns, self.rows
        if [isinstance(one, SeedAxis), isinstance(other, SeedAxis), bool(self.seeds)].count(True) > 1:
            raise BadGrid(
                "Seeds are given twice.", "Choose a LoRA for the axes, or leave the other seeds out."
            )
        if shared := _shared(one, other):
            raise BadGrid(f"{shared} is on both axes.", "Choose another fader for one of them.")

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows and columns."""
        rows = len(self.rows.values) if self.rows else 1
        return rows * max(len(self.seeds), 1), len(self.columns.values)

    @property
    def has_seeds(self) -> bool:
        """Whether clips differ in their seeds."""
        return bool(self.seeds) or SeedAxis in (type(self.columns), type(self.rows))

    @property
    def rows_title(self) -> str:
        """What sets the rows apart; nothing where there is only one."""
        titles = [self.rows.title] if self.rows else []
        return ", ".join([*titles, "seed"] if self.seeds else titles)

    @property
    def row_labels(self) -> tuple[str, ...]:
        """What sets each row apart; nothing where there is only one."""
        values = self.rows.labels if self.rows else ("",)
        if not self.seeds:
            return values if self.rows else ()
        return tuple(f"{value}, {seed}".removeprefix(", ") for value in values for seed in self.seeds)

    def row_value(self, row: int) -> int:
        """The place of a row's value on its axis."""
        return row // max(len(self.seeds), 1)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All clips, row by row."""
        height, width = self.shape
        return tuple(self._cell(row, column) for row in range(height) for column in range(width))

    @property
    def order(self) -> tuple[int, ...]:
        """The places in `cells` in the order that lets each clip begin where the one before turned off.

        Clips of one seed come together, and among them those that the high-noise expert makes alike: then
        even the least that is ever kept, the last clip's points at its boundary and its end, is enough for
        every step to be made once.
        """
        branches = [_branches(cell) for cell in self.cells]
        first: dict[Hashable, int] = {}
        for place, keys in enumerate(branches):
            for depth in range(1, len(keys) + 1):
                first.setdefault(keys[:depth], place)
        depths = range(1, 4)
        return tuple(
            sorted(range(len(branches)), key=lambda p: [first[branches[p][:depth]] for depth in depths])
        )

    def costs(self, sigmas: Sequence[float], experts: Sequence[Expert]) -> tuple[int, ...]:
        """How many steps each of `cells` has to denoise in a run of these sigmas, rendered in `order`, while
        all others are taken over from cells before it.
        """
        nodes: dict[tuple[int, Hashable], int] = {}
        costs, cells = dict[int, int](), self.cells
        for place in self.order:
            before, node = len(nodes), -1 - (cells[place].recipe.seed or 0)
            for step, expert in enumerate(experts):
                heard = tuple(strength(strip, expert, step, sigmas) for strip in cells[place].mix.strips)
                node = nodes.setdefault((node, heard), len(nodes))
            costs[place] = len(nodes) - before
        return tuple(costs[place] for place in range(len(cells)))

    def cell_recipe(self, cell: Cell) -> Recipe:
        """The recipe of a cell as its faders stand, with its LoRAs: for one that is not rendered yet."""
        played = {strip.adapter: strip for strip in cell.mix.strips}
        uses = zip(self.names, self.recipe.loras, strict=True)
        loras = tuple(_set_as(use, played[name]) if name in played else use for name, use in uses)
        return replace(cell.recipe, loras=loras)

    @property
    def whole_recipe(self) -> Recipe:
        """The recipe that the grid was made of, with its axes in the field `GRID`."""
        axes: dict[str, Any] = {"columns": self._axis_values(self.columns)}
        if self.rows:
            axes["rows"] = self._axis_values(self.rows)
        if self.seeds:
            axes["seeds"] = list(self.seeds)
        return replace(self.recipe, extra={**self.recipe.extra, GRID: axes})

    def _cell(self, row: int, column: int) -> Cell:
        recipe, mix, words = replace(self.recipe, loras=()), self.mix, list[str]()
        if self.seeds:
            recipe = replace(recipe, seed=self.seeds[row % len(self.seeds)])
        for axis, index in ((self.columns, column), (self.rows, self.row_value(row))):
            if axis is None:
                continue
            words.append(f"{axis.title} {axis.labels[index]}")
            if isinstance(axis, SeedAxis):
                recipe = replace(recipe, seed=axis.values[index])
            else:
                strips = tuple(
                    at_strength(s, axis.experts, axis.values[index]) if s.adapter == axis.adapter else s
                    for s in mix.strips
                )
                mix = replace(mix, strips=strips)
        if self.seeds:
            words.append(f"Seed {recipe.seed}")
        return Cell(row, column, recipe, mix, tuple(words))

    def _axis_values(self, axis: Axis) -> Mapping[str, Any]:
        if isinstance(axis, SeedAxis):
            return {"seeds": list(axis.values)}
        return {"lora": self.names.index(axis.adapter), "part": axis.part, "strengths": list(axis.values)}


def at_strength(strip: Strip, experts: Sequence[Expert], value: float) -> Strip:
    """What is played once a strip's faders are moved there: they take over from curves and recorded steps."""
    high, low = "high" in experts, "low" in experts
    return replace(
        strip,
        high=value if high else strip.high,
        low=value if low else strip.low,
        per_step=(),
        high_curve=None if high else strip.high_curve,
        low_curve=None if low else strip.low_curve,
    )


def _branches(cell: Cell) -> tuple[Hashable, ...]:
    """What tells a cell from others, the earlier it does the further to the front."""
    high = tuple((s.adapter, s.high, s.high_curve, s.per_step) for s in cell.mix.strips)
    low = tuple((s.adapter, s.low, s.low_curve) for s in cell.mix.strips)
    return cell.recipe.seed, high, low


def _set_as(use: LoraUse, strip: Strip) -> LoraUse:
    return replace(
        use,
        high=strip.high,
        low=strip.low,
        per_step=strip.per_step,
        high_curve=strip.high_curve,
        low_curve=strip.low_curve,
    )


def _shared(one: Axis, other: Axis | None) -> str:
    """The fader that two axes would move, in words; nothing where there is none."""
    if not (isinstance(one, StrengthAxis) and isinstance(other, StrengthAxis)):
        return ""
    shared = [expert.upper() for expert in one.experts if expert in other.experts]
    return f"{one.name} {' and '.join(shared)}" if shared and one.adapter == other.adapter else ""


def file_stem(cell: Cell) -> str:
    """A file name of its own for every cell of a grid: its place, then what sets it apart."""
    words = ", ".join(cell.words).replace("−", "-")
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    safe = re.sub(r"[^A-Za-z0-9.,+=_-]+", " ", plain).strip(" .")
    if len(safe) > _LONGEST:  # the values stand at its end
        safe = f"{safe[: _LONGEST // 2]}~{safe[-_LONGEST // 2 :]}"
    return f"{cell.row + 1}-{cell.column + 1} {safe}".strip()
