"""How a clip is computed, as recipes say it."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.computing import Attention, Computing, FirstBlock, Way, as_text
from catalog.errors import BadRecipe
from catalog.recipe import Recipe, dumps, loads

computings = st.builds(
    Computing,
    way=st.sampled_from(get_args(Way)),
    attention=st.sampled_from(get_args(Attention)),
    compile=st.booleans(),
    cache=st.none() | st.builds(FirstBlock, st.floats(1e-6, 1.0)),
)


@given(computings)
def test_a_recipe_gives_back_what_it_was_given(computing: Computing) -> None:
    assert loads(dumps(Recipe(computing=computing))).computing == computing
    assert computing.named.named == computing.named
    assert as_text(computing) == as_text(computing.named)


@pytest.mark.parametrize("said", [{}, {"computing": None}])
def test_a_recipe_may_leave_it_open(said: dict[str, Any]) -> None:
    assert loads(json.dumps({"version": 1, **said})).computing is None
    assert "computing" not in dumps(Recipe())


def test_what_is_left_out_is_as_always() -> None:
    said = loads('{"version": 1, "computing": {"cache": {"name": "first_block"}}}')
    assert said.computing == Computing(cache=FirstBlock())


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("fast", "computing"),
        ({"speed": 9}, "computing"),
        ({"way": "quick"}, "computing.way"),
        ({"attention": ["sdpa"]}, "computing.attention"),
        ({"compile": 1}, "computing.compile"),
        ({"cache": "first_block"}, "computing.cache"),
        ({"cache": {"name": "tea"}}, "computing.cache"),
        ({"cache": {"name": "first_block", "threshold": 0}}, "computing.cache.threshold"),
        ({"cache": {"name": "first_block", "threshold": 1.5}}, "computing.cache.threshold"),
    ],
)
def test_what_is_wrong_is_refused_by_its_name(said: Any, name: str) -> None:
    with pytest.raises(BadRecipe, match=f"“{name}”"):
        loads(json.dumps({"version": 1, "computing": said}))
