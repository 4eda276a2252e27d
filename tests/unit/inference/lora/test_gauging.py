"""A file's own numbers are those of its ΔW written out densely."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from catalog.coverage import place
from engine.gauge import LEAST, MOST, USUAL, suggestion
from engine.inference.lora import gauging
from engine.inference.lora.gauging import Gauging
from engine.inference.lora.rack import Rack
from tests.unit.inference.conformance.cases import DIALECTS
from tests.unit.inference.lora.layouts import model, pairs, written
from tests.unit.inference.lora.test_meter import CASES, made, matrices


@pytest.mark.parametrize("name", CASES)
def test_sizes_are_the_dense_ones(name: str, tmp_path: Path) -> None:
    played, file = made(CASES[name], name, tmp_path)
    gauge = Gauging(played.rack.beside).gauge("a")
    change: dict[tuple[str, str], float] = {}
    own: dict[tuple[str, str], float] = {}
    for expert in played.bare:
        for module, delta in matrices(played, file, expert).items():
            where = place(module)
            weight = played.bare[expert].get_submodule(module).weight
            change[where] = change.get(where, 0.0) + float(delta.square().sum())
            own[where] = own.get(where, 0.0) + float(weight.double().square().sum())
    if gauge is None:
        assert not change
        return
    found = {(cell.block, cell.layer): cell.size for cell in gauge.cells}
    for where, cell in found.items():
        expected = (change.get(where, 0.0) / own[where]) ** 0.5 if where in own else 0.0
        assert cell == pytest.approx(expected, rel=1e-3, abs=1e-6)
    assert gauge.size == pytest.approx((sum(change.values()) / sum(own.values())) ** 0.5, rel=1e-3)


def test_the_effective_rank_is_that_of_the_singular_values(tmp_path: Path) -> None:
    name = "native_AB_full"
    played, file = made(DIALECTS[name], name, tmp_path)
    gauge = Gauging(played.rack.beside).gauge("a")
    assert gauge is not None
    dense = matrices(played, file, "high")
    for cell in gauge.cells:
        layers = [delta for module, delta in dense.items() if place(module) == (cell.block, cell.layer)]
        expected = []
        for delta in layers:
            shares = torch.linalg.svdvals(delta.flatten(1))
            shares = shares / shares.sum()
            expected.append(float(torch.special.entr(shares).sum().exp()))
        assert cell.rank == pytest.approx(sum(expected) / len(expected), rel=1e-3)


def test_of_many_layers_some_have_their_rank_worked_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rack = Rack({"high": model()})
    rack.attach("a", written(tmp_path, pairs()))
    gauges = []
    for most in (96, 2):
        monkeypatch.setattr(gauging, "RANKED", most)
        gauge = gauging.Gauging(rack.beside).gauge("a")
        assert gauge is not None
        gauges.append(gauge)
    assert [sum(cell.rank is not None for cell in gauge.cells) for gauge in gauges] == [4, 2]
    assert [cell.size for cell in gauges[0].cells] == [cell.size for cell in gauges[1].cells]


@pytest.mark.parametrize(("columns", "rank"), [(torch.ones(1, 4), 1.0), (torch.zeros(1, 4), 0.0)])
def test_dependent_columns_count_once(columns: Tensor, rank: float, tmp_path: Path) -> None:
    file = {key: t[:, :1] * columns if "lora_B" in key else t for key, t in pairs().items()}
    rack = Rack({"high": model()})
    rack.attach("a", written(tmp_path, file))
    gauge = Gauging(rack.beside).gauge("a")
    assert gauge is not None
    assert gauge.rank == pytest.approx(rank, abs=0.02)
    assert bool(gauge.size) == bool(rank)


@pytest.mark.parametrize(
    ("size", "name", "expected"),
    [
        (0.8, "style", 0.12),  # its scale was not worked in
        (0.1, "style", None),
        (0.39, "style", None),
        (0.02, "quiet style", None),
        (0.0167, "rCM_high", 6.0),
        (0.05, "lightning", None),
        (0.0001, "4step placebo", None),
        (50.0, "broken", None),
        (0.0, "lightning", None),
    ],
)
def test_a_strength_is_suggested_only_where_one_would_help(
    size: float, name: str, expected: float | None
) -> None:
    assert suggestion(size, name) == expected


@pytest.mark.parametrize("size", [0.4, 0.55, 0.8, 1.1, 1.99, 0.013, 0.02])
def test_what_is_suggested_brings_the_file_near_the_usual_size(size: float) -> None:
    strength = suggestion(size, "distilled")
    assert strength is not None and LEAST <= strength <= MOST
    assert strength * size == pytest.approx(USUAL, rel=0.05)
