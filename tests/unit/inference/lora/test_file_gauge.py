"""How large a file is, told by the file alone: for every kind as if ΔW had been made whole."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import resources
from catalog.coverage import place
from engine.errors import AdapterRefused
from engine.gauge import USUAL, Gauge
from engine.inference.lora import file_gauge
from engine.inference.lora.file_gauge import FileGauges
from tests.unit.inference.conformance.bench import Bench, bench
from tests.unit.inference.conformance.files import File, make
from tests.unit.inference.lora.test_meter import CASES, matrices

READ_THE_MODEL = ("dora", "glora", "ia3", "oft", "boft", "native_set_weight")


def saved(name: str, folder: Path) -> tuple[Bench, File, Path]:
    played = bench(folder, experts=len(CASES[name].experts))
    file = make(CASES[name], played.bare, name)
    (folder / name).mkdir()
    return played, file, file.save(folder / name)


def expected_norms(played: Bench, file: File) -> dict[tuple[str, str], float]:
    """‖ΔW‖ of every cell; a file for both experts holds its layers once."""
    squares: dict[tuple[str, str], float] = {}
    for expert in file.expected if len(file.expected) == len(played.bare) else ["high"]:
        for module, delta in matrices(played, file, expert).items():
            squares[place(module)] = squares.get(place(module), 0.0) + float(delta.square().sum())
    return {where: square**0.5 for where, square in squares.items()}


@pytest.mark.parametrize("name", CASES)
def test_sizes_are_those_of_the_whole_difference(name: str, tmp_path: Path) -> None:
    played, file, path = saved(name, tmp_path)
    gauge, norms = FileGauges().gauge(path), expected_norms(played, file)
    if name.startswith(READ_THE_MODEL):
        assert gauge and not gauge.cells and gauge.unsized == len(matrices(played, file, "high"))
    elif gauge is None:
        assert not norms
    else:
        found = {(cell.block, cell.layer): cell.norm for cell in gauge.cells}
        assert {w: n for w, n in found.items() if n} == pytest.approx(
            {w: n for w, n in norms.items() if n}, rel=1e-3
        )
        assert gauge.norm == pytest.approx(sum(n**2 for n in norms.values()) ** 0.5, rel=1e-3)
        assert gauge.unsized == 0


@pytest.mark.parametrize("name", ["native_AB_full", "loha_kohya"])
def test_the_effective_rank_is_that_of_the_singular_values(name: str, tmp_path: Path) -> None:
    played, file, path = saved(name, tmp_path)
    gauge = FileGauges().gauge(path)
    assert gauge is not None
    ranks = {(cell.block, cell.layer): cell.rank for cell in gauge.cells if cell.block != "other"}
    for module, delta in matrices(played, file, "high").items():
        if place(module) in ranks:
            values = torch.linalg.svdvals(delta.flatten(1))
            expected = float(torch.special.entr(values / values.sum()).sum().exp())
            assert ranks[place(module)] == pytest.approx(expected, rel=1e-3)


def demo(name: str) -> Path:
    return resources.path("demo") / "loras" / f"{name}.safetensors"


def gauge_of(path: Path) -> Gauge:
    gauge = FileGauges().gauge(path)
    assert gauge is not None
    return gauge


def test_a_file_whose_scale_was_not_worked_in_wants_a_smaller_strength(tmp_path: Path) -> None:
    as_it_is = gauge_of(demo("halo"))
    assert as_it_is.suggestion is None
    tensors = {k: v.float() * (8 if "lora_B" in k else 1) for k, v in load_file(demo("halo")).items()}
    save_file(tensors, tmp_path / "loud.safetensors")
    loud = gauge_of(tmp_path / "loud.safetensors")
    assert loud.size == pytest.approx(8 * as_it_is.size, rel=1e-3)
    assert loud.suggestion == pytest.approx(USUAL / loud.size, rel=0.05)


def test_a_faint_accelerator_wants_a_larger_strength(tmp_path: Path) -> None:
    tensors = {k: v.float() / (12 if "lora_B" in k else 1) for k, v in load_file(demo("halo")).items()}
    for name in ("rCM 4-step", "soft style"):
        save_file(tensors, tmp_path / f"{name}.safetensors")
    assert 1 < (gauge_of(tmp_path / "rCM 4-step.safetensors").suggestion or 0)
    assert gauge_of(tmp_path / "soft style.safetensors").suggestion is None


def test_what_is_known_of_a_content_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gauges, copy = FileGauges(), tmp_path / "copy.safetensors"
    first = gauges.gauge(demo("halo"))
    copy.write_bytes(demo("halo").read_bytes())
    monkeypatch.delattr(file_gauge, "gauge_file")
    assert gauges.gauge(copy) == first
    copy.write_bytes(demo("neon").read_bytes())
    with pytest.raises(NameError):
        gauges.gauge(copy)


def test_damaged_numbers_and_files_too_large_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensors = load_file(demo("halo"))
    next(iter(tensors.values())).view(-1)[0] = float("nan")
    save_file(tensors, tmp_path / "nan.safetensors")
    with pytest.raises(AdapterRefused, match="damaged"):
        FileGauges().gauge(tmp_path / "nan.safetensors")
    monkeypatch.setattr(file_gauge, "MOST_BYTES", 1000)
    with pytest.raises(AdapterRefused, match="too large"):
        FileGauges().gauge(demo("halo"))
