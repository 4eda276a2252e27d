"""Recipes from disk and from clips; made whole for a model; their LoRA files found, or said to be others."""

import hashlib
import subprocess
from dataclasses import replace
from pathlib import Path

import imageio_ffmpeg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import BadRecipe, LoraNotFound
from catalog.models import Expert, ModelInfo, find_model
from catalog.recipe import Guidance, HalfGuidance, LoraUse, Recipe, dumps
from catalog.recipe_files import complete, load, locate, parse_ffmetadata
from tests.unit.catalog.builders import folders_in, write

TRICKY = 'a = b; # no comment \\ "quoted"\n[STREAM]\ncomment=x ☀ \\\\ 你好'
EXPERTS: tuple[Expert, ...] = ("high", "low")


@pytest.fixture(scope="module")
def demo() -> ModelInfo:
    return find_model("demo")


def escape(text: str) -> str:
    for character in "\\=;#\n":
        text = text.replace(character, f"\\{character}")
    return text


def clip(path: Path, comment: str) -> Path:
    notes = path.with_suffix(".txt")
    notes.write_text(f";FFMETADATA1\ncomment={escape(comment)}\n", "utf-8")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", "color=red:s=32x32:d=0.2"]
    command += ["-f", "ffmetadata", "-i", str(notes), "-map_metadata", "1", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".mkv"])
def test_a_clip_gives_its_recipe_back(tmp_path: Path, suffix: str) -> None:
    recipe = Recipe(
        prompt=TRICKY, seed=5, loras=(LoraUse("a.safetensors", 0.5, 1.0, (1.0, 0.25), "0a" * 32),)
    )
    assert load(clip(tmp_path / f"-clip{suffix}", dumps(recipe))) == recipe


def test_a_json_file_gives_its_recipe(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(dumps(Recipe(prompt="☀")), "utf-8-sig")
    assert load(path) == Recipe(prompt="☀")


def test_what_holds_no_recipe_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match="no recipe missing.json"):
        load(tmp_path / "missing.json")
    with pytest.raises(BadRecipe, match="holds no recipe"):
        load(clip(tmp_path / "foreign.mp4", "made by somebody else"))
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    with pytest.raises(BadRecipe, match="not a clip"):
        load(tmp_path / "broken.mp4")
    (tmp_path / "image.png").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(BadRecipe, match="neither a recipe nor a clip"):
        load(tmp_path / "image.png")


def test_a_file_of_100_mb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(BadRecipe, match="too large"):
        load(path)


@given(st.dictionaries(st.sampled_from(["title", "comment", "artist"]), st.text(min_size=1), max_size=3))
def test_ffmpegs_own_escapes_are_undone(tags: dict[str, str]) -> None:
    text = ";FFMETADATA1\n" + "".join(f"{name.upper()}={escape(value)}\n" for name, value in tags.items())
    assert parse_ffmetadata(text + "[CHAPTER]\ncomment=not this\n") == tags


def test_every_setting_is_filled_in(demo: ModelInfo) -> None:
    filled = complete(Recipe(prompt="x"), demo)
    defaults = demo.defaults
    assert (filled.width, filled.height, filled.frames) == (defaults.width, defaults.height, defaults.frames)
    assert (filled.fps, filled.steps, filled.shift) == (defaults.fps, defaults.steps, defaults.shift)
    assert filled.guidance == Guidance(defaults.guidance_high, defaults.guidance_low)
    assert filled.negative_prompt == defaults.negative_prompt
    assert filled.seed is not None
    assert 0 <= filled.seed < 2**31
    assert complete(filled, demo) == filled


def test_a_missing_seed_is_drawn_anew(demo: ModelInfo) -> None:
    assert len({complete(Recipe(), demo).seed for _ in range(8)}) > 1


def test_given_sigmas_say_how_many_steps(demo: ModelInfo) -> None:
    filled = complete(Recipe(sigmas=(1.0, 0.75, 0.5)), demo)
    assert (filled.steps, filled.sigmas) == (3, (1.0, 0.75, 0.5))
    with pytest.raises(BadRecipe, match=r"“boundary_step” is 3; it must be less than “steps” \(3\)"):
        complete(Recipe(sigmas=(1.0, 0.75, 0.5), boundary_step=3), demo)


def test_a_model_of_one_expert_has_no_boundary(demo: ModelInfo) -> None:
    one = replace(demo, experts=("high",), boundary=None)
    for asked in (Recipe(boundary=0.5), Recipe(boundary_step=2)):
        filled = complete(asked, one)
        assert filled.boundary is None and filled.boundary_step is None
        kept = complete(asked, demo)
        assert (kept.boundary, kept.boundary_step) == (asked.boundary, asked.boundary_step)


def test_a_model_of_one_expert_has_one_guidance(demo: ModelInfo) -> None:
    one = replace(demo, experts=("high",), boundary=None)
    assert complete(Recipe(guidance=Guidance(6.0, 1.0)), one).guidance == Guidance(6.0, 6.0)
    for expert in EXPERTS:
        half = Recipe(half_guidance=HalfGuidance(expert, 2.0))
        assert complete(half, one).guidance == Guidance(2.0, 2.0), "there is only one to mean"


def test_the_guidance_that_is_not_said_is_the_models(demo: ModelInfo) -> None:
    own = demo.defaults
    high, low = (complete(Recipe(half_guidance=HalfGuidance(e, 2.0)), demo) for e in EXPERTS)
    assert (high.guidance, low.guidance) == (
        Guidance(2.0, own.guidance_low),
        Guidance(own.guidance_high, 2.0),
    )
    assert high.half_guidance is None


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (Recipe(width=70), ("width", "70", "multiples of 16")),
        (Recipe(height=8), ("height", "16")),
        (Recipe(width=16 * 1025), ("width", "16384")),
        (Recipe(frames=16), ("frames", "16", "1, 5, 9")),
        (Recipe(frames=0), ("frames",)),
        (Recipe(frames=4 * 1024 + 1), ("frames", "4093")),
        (Recipe(steps=0), ("steps",)),
        (Recipe(guidance=Guidance(float("nan"), 1.0)), ("not finite",)),
        (Recipe(guidance=Guidance(1.0, -1.0)), ("guidance.low",)),
        (Recipe(scheduler="ddim"), ("scheduler",)),
        (Recipe(loras=(LoraUse("a", per_step=(1.0,)),)), ("loras[0].per_step", "(20)")),
        (Recipe(loras=(LoraUse("a", high=float("inf")),)), ("not finite",)),
    ],
)
def test_what_the_model_does_not_take_is_refused(
    demo: ModelInfo, recipe: Recipe, words: tuple[str, ...]
) -> None:
    with pytest.raises(BadRecipe) as caught:
        complete(recipe, demo)
    for word in words:
        assert word in str(caught.value)


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_is_looked_for_beside_the_recipe_first(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    recipe_path = tmp_path / "recipes" / "r.json"
    use = LoraUse("a.safetensors")
    with pytest.raises(LoraNotFound, match="a.safetensors"):
        locate(use, recipe_path, folders)
    for fill, folder in enumerate((folders.built_in, folders.library, recipe_path.parent)):
        path = write(folder / "a.safetensors", fill=fill)
        assert locate(use, recipe_path, folders) == path
    assert locate(use, None, folders) == folders.library / "a.safetensors"


def test_paths_and_short_names_are_understood(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    deep = write(folders.library / "styles" / "neon.safetensors")
    for file in (str(deep), "styles/neon.safetensors", "styles/neon", "neon.safetensors"):
        assert locate(LoraUse(file), None, folders) == deep


def test_the_content_counts_more_than_the_name(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    beside = write(tmp_path / "a.safetensors", fill=1)
    inside = write(folders.library / "a.safetensors", fill=2)
    renamed = write(folders.library / "deep" / "renamed.safetensors", fill=3)
    recipe_path = tmp_path / "r.json"
    for path in (beside, inside, renamed):
        assert locate(LoraUse("a.safetensors", sha256=sha(path)), recipe_path, folders) == path
    assert locate(LoraUse("gone.safetensors", sha256=sha(renamed)), recipe_path, folders) == renamed


def test_another_file_of_the_same_name_is_not_taken(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    write(folders.library / "a.safetensors")
    with pytest.raises(LoraNotFound, match="another file than the one"):
        locate(LoraUse("a.safetensors", sha256="00" * 32), None, folders)
    with pytest.raises(LoraNotFound, match="is not there"):
        locate(LoraUse("b.safetensors", sha256="00" * 32), None, folders)


@pytest.mark.parametrize("file", ["\\\\server\\share\\a.safetensors", "//server/share/a.safetensors"])
def test_network_paths_of_strangers_are_not_visited(tmp_path: Path, file: str) -> None:
    with pytest.raises(LoraNotFound):
        locate(LoraUse(file), None, folders_in(tmp_path))
