"""The shipped accelerator profiles are complete, agree with the models, and find only files that fit."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.accelerators import Accelerator, accelerator, accelerators, candidates, is_certain, made_for
from catalog.identify import Identity
from catalog.library import Entry
from catalog.model_table import entry
from catalog.models import find_model
from catalog.recipe import Recipe, dumps, loads
from catalog.recipe_files import complete

DEMO = find_model("demo")
A14B = replace(DEMO, entry="wan2.2-t2v-a14b", width_inner=5120, layers=40)
rows = pytest.mark.parametrize("row", accelerators(), ids=lambda row: row.id)


def lora(name: str, width: int = 5120, sha256: str = "", contradictions: tuple[str, ...] = ()) -> Entry:
    identity = Identity("Wan", True, "Wan · LoRA", width=width, blocks=40, contradictions=contradictions)
    return Entry(Path(f"/loras/{name}"), Path(name).stem, 1000, sha256 or name, identity, "", "library")


def test_ids_are_unique_and_found() -> None:
    assert len({row.id for row in accelerators()}) == len(accelerators()) > 0
    assert all(accelerator(row.id) is row for row in accelerators())
    assert accelerator(None) is None and accelerator("nobody") is None


@rows
def test_a_profile_is_for_models_of_the_table(row: Accelerator) -> None:
    models = [entry(name) for name in row.models]
    assert models and None not in models
    experts = {model.experts for model in models if model}
    if row.boundary is not None or row.boundary_step is not None:
        assert experts == {2}
    assert row.source and row.title


@rows
def test_its_settings_are_a_recipe_that_its_models_accept(row: Accelerator) -> None:
    names = ("steps", "scheduler", "shift", "sigmas", "boundary", "boundary_step", "guidance")
    recipe = Recipe(**{name: getattr(row, name) for name in names}, accelerator=row.id)
    assert loads(dumps(recipe)) == recipe
    whole = complete(recipe, replace(DEMO, entry=row.models[0]))
    assert whole.steps == row.steps and whole.accelerator == row.id


@rows
def test_every_published_file_is_its_own_part_and_no_other(row: Accelerator) -> None:
    for part in row.loras:
        assert [p for p in row.loras if p.is_named(Path(part.file))] == [part]
        assert part.page.startswith(f"https://huggingface.co/{part.repository}")
        assert part.high or part.low
    for strength in ("high", "low"):
        assert sum(getattr(part, strength) for part in row.loras) == 1


@pytest.mark.parametrize("name", ["rcm-2.1-t2v-4", "rcm-2.1-t2v-1.3b-4"])
def test_rcm_steps_at_its_own_angles(name: str) -> None:
    """cos t · x₀ + sin t · noise, divided by what the two sum to, is what LCM makes of flow matching."""
    row = accelerator(name)
    assert row is not None and row.sigmas is not None and row.scheduler == "lcm"
    angles = (math.atan(80), 1.3, 1.0, 0.6)
    assert row.sigmas == pytest.approx([math.sin(t) / (math.sin(t) + math.cos(t)) for t in angles])


def test_profiles_are_offered_for_their_model_only() -> None:
    assert made_for(DEMO) == ()
    titles = [row.title for row in made_for(A14B)]
    assert "LightX2V · 4 steps" in titles and "Lightning 1.1 · 8 steps" in titles
    assert not any("FastWan" in title for title in titles)


def test_a_part_is_found_by_name_and_by_its_tensors() -> None:
    row = accelerator("lightx2v-2.2-t2v-4")
    assert row is not None
    high, low = row.loras
    there = [
        lora(high.file.upper().replace(".SAFETENSORS", ".safetensors")),
        lora(low.file),
        lora("other.safetensors"),
    ]
    assert [found.path for found in candidates(high, there, A14B)] == [there[0].path]
    assert is_certain(candidates(low, there, A14B))
    assert candidates(high, [lora(high.file, width=1536)], A14B) == ()
    assert candidates(high, [replace(there[0], identity=None, problem="torn")], A14B) == ()


def test_two_files_are_a_choice_and_one_content_is_not() -> None:
    row = accelerator("fusionix-2.1-t2v-10")
    assert row is not None
    (part,) = row.loras
    one, other = lora(part.file), lora(part.file.replace("LoRA", "LoRA_copy"))
    assert candidates(part, [one, other], A14B) == (one, other)
    assert not is_certain(candidates(part, [one, other], A14B))
    assert is_certain(candidates(part, [one, replace(other, sha256=one.sha256)], A14B))


def test_a_file_that_is_not_what_it_says_is_never_taken_unasked() -> None:
    row = accelerator("fusionix-2.1-t2v-10")
    assert row is not None
    (part,) = row.loras
    odd, fine = lora(part.file, contradictions=("It says 14B.",)), lora(part.file.replace("LoRA", "LoRA_2"))
    assert not is_certain(candidates(part, [odd], A14B))
    assert candidates(part, [odd, fine], A14B) == (fine, odd)
