"""The files of a recipe's pictures: found where the recipe says, and refused when they are others."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from catalog.errors import BadRecipe
from catalog.input_files import PictureNotFound, check_given, hashed, located
from catalog.inputs import Inputs, Picture
from catalog.models import ModelInfo, find_model
from catalog.portable import portable
from catalog.recipe import Recipe


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """Where a recipe lies, with a picture beside it and one elsewhere."""
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "beside.png").write_bytes(b"beside")
    (tmp_path / "elsewhere.png").write_bytes(b"elsewhere")
    return tmp_path / "recipes" / "a.json"


def one(file: str, sha: str = "") -> Inputs:
    return Inputs(start_image=Picture(file, sha))


def found(inputs: Inputs, recipe: Path | None) -> Path:
    picture = located(inputs, recipe).start_image
    assert picture is not None
    return Path(picture.file)


def test_files_are_found_from_the_recipe_or_by_their_whole_path(recipe: Path, tmp_path: Path) -> None:
    beside, elsewhere = recipe.parent / "beside.png", tmp_path / "elsewhere.png"
    assert found(one("beside.png"), recipe) == beside
    assert found(one("../elsewhere.png"), recipe).resolve() == elsewhere
    assert found(one(str(elsewhere)), recipe) == elsewhere == found(one(str(elsewhere)), None)


def test_a_picture_that_moved_with_its_recipe_is_found(recipe: Path, tmp_path: Path) -> None:
    assert found(one(str(tmp_path / "gone" / "beside.png")), recipe) == recipe.parent / "beside.png"


def test_among_two_of_a_name_the_hash_chooses(recipe: Path, tmp_path: Path) -> None:
    (recipe.parent / "elsewhere.png").write_bytes(b"another")
    whole = str(tmp_path / "elsewhere.png")
    assert found(one(whole, sha256(b"another").hexdigest()), recipe) == recipe.parent / "elsewhere.png"
    assert found(one(whole, sha256(b"elsewhere").hexdigest()), recipe) == Path(whole)


@pytest.mark.parametrize("file", ["gone.png", "//host/share/beside.png", "\\\\host\\share\\beside.png", "."])
def test_what_is_not_there_is_named(recipe: Path, file: str) -> None:
    with pytest.raises(PictureNotFound) as caught:
        located(one(file), recipe)
    assert file in str(caught.value)


def test_hashes_are_filled_in_and_a_changed_file_is_refused(recipe: Path) -> None:
    inputs = hashed(located(Inputs(reference_images=(Picture("beside.png"),) * 2), recipe))
    assert {p.sha256 for p in inputs.pictures} == {sha256(b"beside").hexdigest()}
    assert hashed(inputs) == inputs
    (recipe.parent / "beside.png").write_bytes(b"changed since")
    with pytest.raises(PictureNotFound, match=r"beside\.png” is another file"):
        hashed(inputs)


def test_a_clips_recipe_names_pictures_by_their_way_from_it(recipe: Path, tmp_path: Path) -> None:
    asked = Recipe(inputs=located(one("beside.png"), recipe))
    moved = portable(asked, tmp_path / "clips")
    assert moved.inputs == one("../recipes/beside.png")
    assert found(moved.inputs, tmp_path / "clips" / "a.mp4").resolve() == recipe.parent / "beside.png"


# What a model takes


@pytest.fixture(scope="module")
def demo() -> ModelInfo:
    return find_model("demo")


A = Picture("a.png")


@pytest.mark.parametrize(
    ("needs", "takes", "inputs", "said"),
    [
        ((), (), Inputs(start_image=A), "takes no start image; it makes clips of text alone"),
        ((), ("start_image",), Inputs(control_video=A), "takes no control video; it takes a start image"),
        (("start_image",), ("start_image",), Inputs(), "needs a start image"),
        (("start_image", "end_image"), ("start_image", "end_image"), Inputs(A), "needs an end image"),
        ((), ("start_image",), Inputs(reference_images=(A,)), "takes no reference images"),
        ((), ("start_image",), Inputs(), ""),
        ((), ("start_image",), Inputs(A), ""),
        ((), ("control_video", "reference_images"), Inputs(control_video=A, reference_images=(A,)), ""),
    ],
)
def test_only_what_the_model_takes_is_accepted(
    demo: ModelInfo, needs: tuple[str, ...], takes: tuple[str, ...], inputs: Inputs, said: str
) -> None:
    model = replace(demo, needs=frozenset(needs), takes=frozenset(takes))
    if not said:
        check_given(inputs, model)
        return
    with pytest.raises(BadRecipe, match=said) as caught:
        check_given(inputs, model)
    assert model.title in str(caught.value)
