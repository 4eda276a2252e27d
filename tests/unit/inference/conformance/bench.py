"""A rack with adapters over copies of the tiny models, beside the models left alone."""

import copy
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from catalog.coverage import Coverage
from catalog.header import read_header
from engine.inference.lora.rack import Rack
from engine.inference.lora.read import read_adapter
from tests.unit.inference.conformance import law, models
from tests.unit.inference.conformance.files import Delta, File

STRENGTHS = (1.0, -1.0, 0.5, 2.0, 0.0)


@dataclass
class Bench:
    """`bare` models stay as they are; the rack plays on their copies. `kind` is the models' kind."""

    kind: str
    bare: dict[str, nn.Module]
    playing: dict[str, nn.Module]
    rack: Rack
    folder: Path

    def attach(self, name: str, file: File) -> Coverage:
        """Write the file, read it back and attach it."""
        (self.folder / name).mkdir(parents=True)
        path = file.save(self.folder / name)
        return self.rack.attach(name, read_adapter(path, read_header(path)))

    def set(self, **strengths: float) -> None:
        """The same strengths on every expert."""
        for expert in self.playing:
            self.rack.set(expert, strengths)

    def effective(self, expert: str = "high") -> dict[str, Tensor]:
        """What the layers of one expert do now."""
        return law.effective(self.playing[expert], self.bare[expert])

    def answer(self, expert: str = "high") -> Tensor:
        """What the whole of one expert does now."""
        return models.answer(self.kind, self.playing[expert])

    def assert_differs_by(
        self, expected: Delta, strength: float = 1.0, expert: str = "high", close: float = law.CLOSE
    ) -> None:
        """Every layer does what it did, plus `strength` times what is expected of it."""
        law.assert_differs_by(self.effective(expert), law.bare(self.bare[expert]), expected, strength, close)

    def assert_plays(
        self, *differences: tuple[float, Delta], expert: str = "high", close: float = law.WHOLE_MODEL
    ) -> None:
        """The whole denoiser is the one with these differences merged."""
        bare = self.bare[expert]
        wanted = models.answer(self.kind, bare, law.merged(bare, *differences))
        law.assert_close(self.answer(expert), wanted, close)

    def assert_silent(self) -> None:
        """Every layer and every whole denoiser answers with the same bits as the one left alone."""
        for expert, bare in self.bare.items():
            assert law.same(self.effective(expert), law.bare(bare))
            assert torch.equal(self.answer(expert), law.bare_answer(self.kind, bare))

    def assert_untouched(self) -> None:
        """Silent, and the parameters are the same bits too."""
        for expert, model in self.bare.items():
            assert law.same(self.playing[expert].state_dict(), model.state_dict())
        self.assert_silent()


def bases(kind: str, experts: int = 1, dtype: torch.dtype = torch.float32) -> dict[str, nn.Module]:
    """The untouched model of every expert."""
    names = ("high", "low")[:experts]
    return {expert: models.pristine(kind, seed, dtype) for seed, expert in enumerate(names)}


def bench(
    folder: Path, kind: str = "t2v", experts: int = 1, way: str = "auto", dtype: torch.dtype = torch.float32
) -> Bench:
    """A rack of one or two experts without adapters."""
    bare = bases(kind, experts, dtype)
    playing = {expert: copy.deepcopy(model) for expert, model in bare.items()}
    return Bench(kind, bare, playing, Rack(playing, way=way), folder)


def assert_reports(coverage: Coverage, file: File) -> None:
    """Every key is applied, or ignored with a reason; what is broken is an error with a sentence."""
    assert {key for key, _ in coverage.ignored} == file.ignored
    assert {module for module, _ in coverage.errors} == file.broken
    assert all(reason for _, reason in (*coverage.ignored, *coverage.errors))
    applied = {
        (expert, re.sub(r"\.(weight|bias)$", "", name))
        for expert in file.expected
        for name in file.expected[expert]
    }
    assert coverage.modules == len(applied)
    assert coverage.modules + len(coverage.errors) <= coverage.of
