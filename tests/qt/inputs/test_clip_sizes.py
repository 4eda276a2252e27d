"""The sizes on offer for a picture."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.qt.inputs.conftest import wan
from ui.state.clip_settings import MOST_SIDE
from ui.state.clip_sizes import nearest, offers

MODELS = ("wan2.2-i2v-a14b", "wan2.2-ti2v-5b", "wan2.1-i2v-14b-480p", "wan2.1-vace-1.3b")
sides = st.integers(1, 20_000)


@settings(max_examples=200, deadline=None)
@given(name=st.sampled_from(MODELS), width=sides, height=sides, now=st.data())
def test_every_offer_is_accepted_and_has_the_pictures_shape(
    name: str, width: int, height: int, now: st.DataObject
) -> None:
    model = wan(name)
    size = now.draw(st.sampled_from(model.defaults.sizes))
    found = nearest(model, (width, height), size)
    assert all(side % model.size_multiple == 0 and 0 < side <= MOST_SIDE for side in found)
    wanted = min(max(width / height, 1 / 3), 3)
    assert abs(math.log(found[0] / found[1] / wanted)) < 0.15, "no more than the model's grid costs"
    assert abs(math.log(math.prod(found) / math.prod(size))) < 0.2, "as many pixels as before"
    assert found == size or found in offers(model, (width, height))
    assert set(model.defaults.sizes) <= set(offers(model, (width, height)))


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((1920, 1080), (832, 480)), ((1080, 1920), (480, 832)), ((832, 480), (832, 480)),
        ((3000, 2000), (768, 512)), ((1000, 1000), (640, 640)),
    ],
)  # fmt: skip
def test_a_models_own_size_is_taken_where_it_has_the_shape(
    shape: tuple[int, int], size: tuple[int, int]
) -> None:
    assert nearest(wan("wan2.2-i2v-a14b"), shape, (832, 480)) == size


def test_the_number_of_pixels_stays() -> None:
    assert nearest(wan("wan2.2-i2v-a14b"), (1080, 1920), (1280, 720)) == (720, 1280)


def test_a_size_that_has_the_shape_stays_whatever_it_is() -> None:
    assert nearest(wan("wan2.2-i2v-a14b"), (640, 480), (320, 240)) == (320, 240)
