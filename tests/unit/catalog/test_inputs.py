"""What a recipe says of pictures comes back as it was, or is refused by name."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import BadRecipe
from catalog.inputs import Inputs, Picture
from catalog.recipe import Recipe, dumps, loads

PICTURES = st.builds(
    Picture,
    st.text("abc ./", min_size=1).filter(str.strip),
    st.sampled_from(["", "0a" * 32]),
    st.sampled_from(["crop", "pad"]),
)
INPUTS = st.builds(
    Inputs,
    st.none() | PICTURES,
    st.none() | PICTURES,
    st.lists(PICTURES, max_size=3).map(tuple),
    st.none() | PICTURES,
    st.floats(0, 10),
)


@given(INPUTS)
def test_a_recipe_comes_back_with_its_inputs(inputs: Inputs) -> None:
    assert loads(dumps(Recipe(inputs=inputs))).inputs == inputs


def test_a_recipe_without_inputs_does_not_mention_them() -> None:
    assert "inputs" not in dumps(Recipe())


def test_all_pictures_are_named_once() -> None:
    start, end, reference, control = (Picture(name) for name in "abcd")
    whole = Inputs(start, end, (reference,), control)
    assert whole.pictures == (start, end, reference, control)
    assert replace(whole, end_image=None).pictures == (start, reference, control)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"start_image": "a.png"}', "inputs.start_image"),
        ('{"start_image": {"file": ""}}', "inputs.start_image.file"),
        ('{"start_image": {"file": "a", "fit": "stretch"}}', "inputs.start_image.fit"),
        ('{"end_image": {"file": "a", "sha256": "12"}}', "inputs.end_image.sha256"),
        ('{"reference_images": {"file": "a"}}', "inputs.reference_images"),
        ('{"reference_images": [{"file": "a"}, 3]}', "inputs.reference_images[1]"),
        ('{"conditioning_scale": -1}', "inputs.conditioning_scale"),
        ('{"picture": {"file": "a"}}', "inputs"),
        ("[]", "inputs"),
    ],
)
def test_what_is_wrong_is_named(text: str, field: str) -> None:
    with pytest.raises(BadRecipe, match=field.replace("[", r"\[")):
        loads('{"version": 1, "inputs": ' + text + "}")
