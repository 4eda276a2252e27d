"""A grid as a value: its cells, their order, their names."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.curve import Curve, Point
from catalog.recipe import GRID, LoraUse, Recipe
from engine.grid import MOST_CELLS, BadGrid, Grid, file_stem
from engine.grid_axis import Axis, SeedAxis, StrengthAxis
from engine.messages import Mix, Strip

SIGMAS = (1.0, 0.9, 0.8, 0.5, 0.2)
EXPERTS = ("high", "high", "low", "low", "low")
MIX = Mix(3, (Strip("a", 0.3, 0.4, (0.1,) * 5), Strip("b", 0.5, 0.6)))
RECIPE = Recipe(
    seed=7, steps=5, loras=(LoraUse("a.safetensors", 0.3, 0.4), LoraUse("b.safetensors", 0.5, 0.6))
)


def axis(part: str = "high", values: tuple[float, ...] = (0.0, 1.0), adapter: str = "a") -> StrengthAxis:
    return StrengthAxis(adapter, f"lora {adapter}", part, values)  # type: ignore[arg-type]


def grid(columns: Axis, rows: Axis | None = None) -> Grid:
    return Grid(RECIPE, MIX, columns, rows, ("a", "b"))


def least(asked: Grid) -> int:
    """How many steps are there that differ in themselves or in what was before them."""
    paths = set()
    for cell in asked.cells:
        heard = [
            tuple(
                (s.high if expert == "high" else s.low) if not s.per_step else s.per_step[i]
                for s in cell.mix.strips
            )
            for i, expert in enumerate(EXPERTS)
        ]
        paths |= {(cell.recipe.seed, tuple(heard[:n])) for n in range(1, len(heard) + 1)}
    return len(paths)


def test_cells_set_what_their_axes_say_and_nothing_else() -> None:
    cells = grid(axis("high", (0.0, 2.0)), axis("low", (-1.0, 1.0), "b")).cells
    assert [(cell.row, cell.column) for cell in cells] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert cells[1].mix == Mix(3, (Strip("a", 2.0, 0.4), Strip("b", 0.5, -1.0)))
    assert cells[1].words == ("lora a · HIGH 2.00", "lora b · LOW −1.00")
    both = grid(axis("both", (0.7,))).cells[0]
    assert both.mix.strips[0] == Strip("a", 0.7, 0.7)
    seeds = grid(SeedAxis((1, 2))).cells
    assert [cell.recipe.seed for cell in seeds] == [1, 2] and {cell.mix for cell in seeds} == {MIX}


def test_with_seeds_every_row_is_there_once_for_each() -> None:
    asked = replace(grid(axis("low", (0.0, 1.0)), axis("high", (0.0, 2.0))), seeds=(5, 4))
    assert asked.shape == (4, 2) and asked.row_labels == ("0.00, 5", "0.00, 4", "2.00, 5", "2.00, 4")
    cell = asked.cells[-1]
    assert (cell.recipe.seed, cell.mix.strips[0].high, cell.mix.strips[0].low) == (4, 2.0, 1.0)
    assert cell.words[-1] == "Seed 4" and asked.row_value(cell.row) == 1 and asked.has_seeds
    assert [asked.cells[place].recipe.seed for place in asked.order] == [5] * 4 + [4] * 4
    assert sum(asked.costs(SIGMAS, EXPERTS)) == least(asked) == 2 * (2 * 2 + 4 * 3)
    assert asked.whole_recipe.extra[GRID]["seeds"] == [5, 4]
    one_row = replace(grid(axis("low", (0.0, 1.0))), seeds=(5, 4))
    assert one_row.row_labels == ("5", "4") and one_row.rows_title == "seed"
    assert grid(axis()).row_labels == () and grid(axis()).rows_title == ""


def test_a_fader_takes_over_from_its_own_curve_only() -> None:
    curve = Curve((Point(1.0, 0.2), Point(0.0, 0.8)))
    mix = Mix(1, (Strip("a", 1.0, 1.0, (), curve, curve),))
    cell = Grid(RECIPE, mix, axis("low", (0.5,))).cells[0]
    assert cell.mix.strips[0] == Strip("a", 1.0, 0.5, (), curve, None)


def test_what_makes_no_grid_is_refused_in_words() -> None:
    with pytest.raises(BadGrid, match="LOW is on both"):
        grid(axis("both"), axis("low"))
    with pytest.raises(BadGrid, match="Seeds"):
        grid(SeedAxis((1,)), SeedAxis((2,)))
    with pytest.raises(BadGrid, match="Seeds"):
        replace(grid(SeedAxis((1,))), seeds=(2,))
    with pytest.raises(BadGrid, match="at most"):
        replace(grid(axis(values=tuple(map(float, range(9))))), seeds=tuple(range(8)))
    with pytest.raises(BadGrid, match=f"at most {MOST_CELLS}"):
        grid(axis(values=tuple(map(float, range(9)))), SeedAxis(tuple(range(8))))
    grid(axis("high"), axis("low"))


def test_clips_that_turn_off_late_come_together() -> None:
    asked = grid(axis("high", (0.0, 1.0, 2.0)), axis("low", (0.0, 1.0)))
    shown = [(asked.cells[place].column, asked.cells[place].row) for place in asked.order]
    assert shown == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)], "all of one HIGH before the next"
    seeds = grid(axis("low", (0.0, 1.0)), SeedAxis((5, 4)))
    assert [seeds.cells[place].recipe.seed for place in seeds.order] == [5, 5, 4, 4]


axes = st.one_of(
    st.builds(
        axis,
        st.sampled_from(["high", "low", "both"]),
        st.lists(st.sampled_from([-1.0, 0.0, 0.3, 0.5, 1.0]), min_size=1, max_size=4, unique=True).map(tuple),
        st.sampled_from(["a", "b"]),
    ),
    st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True).map(lambda s: SeedAxis(tuple(s))),
)


@given(axes, st.none() | axes)
def test_every_cell_comes_once_and_every_step_is_paid_once(columns: Axis, rows: Axis | None) -> None:
    try:
        asked = grid(columns, rows)
    except BadGrid:
        return
    costs = asked.costs(SIGMAS, EXPERTS)
    assert sorted(asked.order) == list(range(len(asked.cells)))
    assert costs[asked.order[0]] == 5 and sum(costs) == least(asked)


@given(axes, st.none() | axes)
def test_names_differ_and_fit_every_file_system(columns: Axis, rows: Axis | None) -> None:
    try:
        cells = grid(columns, rows).cells
    except BadGrid:
        return
    names = [file_stem(cell) for cell in cells]
    assert len({name.lower() for name in names}) == len(cells)
    assert all(
        name.isascii() and not set(name) & set('<>:"/\\|?*') and name == name.strip(" .") for name in names
    )


def test_a_name_is_read_at_a_glance_whatever_a_file_is_called() -> None:
    cells = Grid(RECIPE, MIX, StrengthAxis("a", "кольцо/..\\ring " + "x" * 300, "low", (-0.5,))).cells
    name = file_stem(cells[0])
    assert name.startswith("1-1 ring xxx") and name.endswith("xxx LOW -0.50") and len(name) < 120
    assert file_stem(grid(axis("low", (-0.5,))).cells[0]) == "1-1 lora a LOW -0.50"


def test_recipes_of_cells_and_of_the_whole() -> None:
    asked = grid(axis("high", (0.25,)), SeedAxis((9,)))
    recipe = asked.cell_recipe(asked.cells[0])
    assert recipe.seed == 9 and recipe.loras == (LoraUse("a.safetensors", 0.25, 0.4), RECIPE.loras[1])
    whole = asked.whole_recipe
    assert whole == RECIPE
    assert whole.extra[GRID] == {
        "columns": {"lora": 0, "part": "high", "strengths": [0.25]}, "rows": {"seeds": [9]},
    }  # fmt: skip


def test_every_value_has_a_label_of_its_own() -> None:
    assert axis(values=(0.0, -0.5, 0.3333, 1.25)).labels == ("0.00", "−0.50", "0.3333", "1.25")
