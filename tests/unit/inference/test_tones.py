"""A finished clip's recipe says how much of each file applied, shortly, and can be read again."""

import json
from pathlib import Path

from catalog.coverage import Coverage
from catalog.recipe import Recipe, dumps, loads, unknown_fields
from engine.inference.tones import faders
from engine.messages import AdapterAttached, Mix, Strip


def test_a_recipe_carries_the_coverage_of_every_file() -> None:
    stray = tuple((f"lora_te_{n}", "text encoder") for n in range(1200))
    coverage = Coverage(48, 60, ("high",), stray, (("blocks.0.attn1.to_q", "It is 7×7."),))
    attached = {"a": AdapterAttached("a", Path("/loras/a.safetensors"), "0" * 64, ("lora",), coverage)}
    recipe = Recipe(loras=faders(attached, Mix(1, (Strip("a", 0.5, 1.0),)), 4))
    said = json.loads(dumps(recipe))["loras"][0]["coverage"]
    assert (said["applied"], said["of"], said["experts"]) == (48, 60, ["high"])
    assert said["ignored"] == {"text encoder": 1200} and said["errors"] == [
        {"module": "blocks.0.attn1.to_q", "reason": "It is 7×7."}
    ]
    again = loads(dumps(recipe))
    assert again == recipe and again.loras[0].extra == recipe.loras[0].extra
    assert unknown_fields(again) == (), "nothing in it is unknown here"
