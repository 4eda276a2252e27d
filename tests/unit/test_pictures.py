"""Pictures are seen as they are meant, clips at the moment that is asked for, and nothing else is let in."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from catalog.inputs import Fit
from catalog.recipe import Recipe
from engine import pictures, video
from engine.errors import Cancelled, PictureRefused
from engine.pictures import WHITE, Moment, frames, still

RED, GREEN, BLUE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)


def striped(path: Path, colours: list[tuple[int, ...]], **options: object) -> Path:
    """Upright stripes of 20 × 20 pixels."""
    image = Image.fromarray(np.array([colours], np.uint8).repeat(20, 0).repeat(20, 1))
    image.save(path, **options)
    return path


def clip(path: Path, fps: int, *greys: int) -> Path:
    drawn = np.array(greys, np.uint8)[:, None, None, None].repeat(32, 1).repeat(48, 2).repeat(3, 3)
    video.save(path, drawn, fps, Recipe())
    return path


def greys(path: Path, fps: int, count: int, check: Callable[[], None] = lambda: None) -> list[int]:
    found = frames(path, (48, 32), "crop", fps, count, check)
    assert found.shape == (count, 32, 48, 3) and found.dtype == np.uint8
    return [int(frame.mean().round()) for frame in found]


def near(found: list[int], wanted: list[int]) -> None:
    assert np.abs(np.subtract(found, wanted)).max() <= 3, found


# Images


def test_a_picture_of_the_clips_size_is_taken_pixel_by_pixel(tmp_path: Path) -> None:
    drawn = np.random.default_rng(1).integers(0, 256, (24, 32, 3), np.uint8)
    Image.fromarray(drawn).save(tmp_path / "a.png")
    assert np.array_equal(still(tmp_path / "a.png", (32, 24), "crop"), drawn)
    assert np.array_equal(still(tmp_path / "a.png", (32, 24), "pad"), drawn)


@pytest.mark.parametrize(
    ("fit", "left", "middle", "edges"), [("crop", GREEN, GREEN, BLACK), ("pad", RED, GREEN, WHITE)]
)
def test_another_shape_is_cut_or_padded(
    tmp_path: Path, fit: Fit, left: tuple[int, ...], middle: tuple[int, ...], edges: tuple[int, int, int]
) -> None:
    wide = striped(tmp_path / "wide.png", [RED, GREEN, BLUE])
    found = still(wide, (60, 60), fit, edges=edges)
    assert found.shape == (60, 60, 3)
    assert tuple(found[30, 11]) == left and tuple(found[30, 30]) == middle
    if fit == "pad":
        assert tuple(found[5, 30]) == edges == tuple(found[55, 30])


def test_a_picture_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned clockwise to be seen
    turned = striped(tmp_path / "turned.png", [RED, BLUE], exif=exif)
    found = still(turned, (20, 40), "crop")
    assert tuple(found[5, 10]) == RED and tuple(found[35, 10]) == BLUE


def test_what_is_transparent_is_black(tmp_path: Path) -> None:
    path = striped(tmp_path / "a.webp", [(*RED, 255), (*RED, 0)], lossless=True, exact=True)
    found = still(path, (40, 20), "crop")
    assert tuple(found[10, 5]) == RED and tuple(found[10, 35]) == BLACK


def test_deep_grey_is_scaled_and_not_clipped(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 0x8000, np.uint16)).save(tmp_path / "deep.png")
    assert set(still(tmp_path / "deep.png", (8, 8), "crop").flat) == {128}


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "LA"])
def test_every_common_kind_of_pixels_is_read(tmp_path: Path, mode: str) -> None:
    suffix = "tiff" if mode == "CMYK" else "png"
    Image.new("RGB", (8, 8), WHITE).convert(mode).save(tmp_path / f"a.{suffix}")
    assert set(still(tmp_path / f"a.{suffix}", (8, 8), "crop").flat) == {255}


def bomb(path: Path) -> Path:
    """A PNG of a few bytes that says that it has 900 million pixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\0" * 99)
    chunks = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (head, data))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return path


def huge(path: Path) -> Path:
    striped(path, [RED])
    with path.open("rb+") as file:
        file.truncate(pictures.MOST_BYTES + 1)  # a hole, which takes no room
    return path


def animated(path: Path) -> Path:
    first, *others = (Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN))
    first.save(path, save_all=True, append_images=others)
    return path


def cut_short(path: Path) -> Path:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    return path


def web_page(path: Path) -> Path:
    path.write_text("<!DOCTYPE html><title>404</title>")
    return path


def playlist(path: Path) -> Path:
    path.write_text("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n")
    return path


def no_clip(path: Path) -> Path:
    path.write_bytes(b"\0\0\0\x20ftypisom" + bytes(range(256)))
    return path


def empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


@pytest.mark.parametrize(
    ("make", "name", "said"),
    [
        (bomb, "a.png", "too many pixels: at most 89 million"),
        (huge, "a.png", "too large: at most 256 MB"),
        (animated, "a.png", "an animated PNG"),
        (animated, "a.webp", "an animated WEBP"),
        (cut_short, "a.png", "damaged or cut short"),
        (cut_short, "a.jpg", "damaged or cut short"),
        (web_page, "a.png", "no picture or clip"),
        (playlist, "a.mp4", "no picture or clip"),
        (empty, "a.png", "no picture or clip"),
        (no_clip, "a.mp4", "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(
    tmp_path: Path, make: Callable[[Path], Path], name: str, said: str
) -> None:
    path = make(tmp_path / name)
    with pytest.raises(PictureRefused, match=said) as caught:
        still(path, (8, 8), "crop")
    assert name in str(caught.value) and "\n" not in str(caught.value) and caught.value.advice
    with pytest.raises(PictureRefused):
        frames(path, (8, 8), "crop", 16, 5, lambda: None)


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureRefused, match="gone.png cannot be read"):
        still(tmp_path / "gone.png", (8, 8), "crop")


@settings(max_examples=60)
@given(st.sampled_from(["PNG", "JPEG", "WEBP", "BMP", "TIFF"]), st.data())
def test_no_damage_is_a_bug(tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / f"damaged.{kind.lower()}"
    Image.new("RGB", (9, 7), (10, 200, 90)).save(path, kind)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(8, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        assert still(path, (8, 8), "crop").shape == (8, 8, 3)
    except PictureRefused as refused:
        assert str(refused).startswith("damaged.")


# Clips


@pytest.mark.parametrize("suffix", ["mp4", "webm", "gif"])
@pytest.mark.parametrize(("moment", "grey"), [("first", 30), ("last", 220)])
def test_of_a_clip_one_moment_is_taken(tmp_path: Path, suffix: str, moment: Moment, grey: int) -> None:
    path = clip(tmp_path / f"a.{suffix}", 8, 30, 90, 150, 220)
    found = still(path, (48, 32), "crop", moment)
    assert found.shape == (32, 48, 3)
    near([int(found.mean())], [grey])


def test_the_last_frame_of_a_long_clip_is_its_last(tmp_path: Path) -> None:
    path = clip(tmp_path / "long.mp4", 4, *[40] * 30, 200)
    near([int(still(path, (48, 32), "crop", "last").mean())], [200])


@pytest.mark.parametrize("suffix", ["mp4", "webm"])
def test_a_clip_at_its_own_rate_is_taken_frame_by_frame(tmp_path: Path, suffix: str) -> None:
    drawn = [20, 60, 100, 140, 180]
    near(greys(clip(tmp_path / f"a.{suffix}", 16, *drawn), 16, 5), drawn)


def test_another_rate_is_resampled_and_the_last_frame_stays(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", 8, 20, 100, 180)
    near(greys(path, 16, 9), [20, 20, 100, 100, 180, 180, 180, 180, 180])
    near(greys(path, 4, 2), [20, 180])


def noisy(path: Path) -> Path:
    drawn = np.random.default_rng(2).integers(0, 256, (12, 32, 48, 3), np.uint8)
    video.save(path, drawn, 16, Recipe())
    return path


def test_an_mp4_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = noisy(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(PictureRefused, match=r"a\.mp4 cannot be read"):
        frames(path, (48, 32), "crop", 16, 12, lambda: None)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("suffix", ["mp4", "webm", "gif"])
def test_no_damage_to_a_clip_is_a_bug(tmp_path: Path, suffix: str, seed: int) -> None:
    path, chance = noisy(tmp_path / f"a.{suffix}"), np.random.default_rng(seed)
    content = bytearray(path.read_bytes())
    for place in chance.integers(12, len(content), 20):
        content[place] = chance.integers(0, 256)
    path.write_bytes(content)
    try:
        assert frames(path, (48, 32), "crop", 16, 12, lambda: None).shape == (12, 32, 48, 3)
        assert still(path, (48, 32), "crop", "last").shape == (32, 48, 3)
    except PictureRefused as refused:
        assert str(refused).startswith(f"a.{suffix} ")


def test_a_longer_clip_is_cut(tmp_path: Path) -> None:
    near(greys(clip(tmp_path / "a.mp4", 16, *range(10, 250, 20)), 16, 5), [10, 30, 50, 70, 90])


def test_an_image_stands_still_for_a_whole_clip(tmp_path: Path) -> None:
    Image.new("RGB", (48, 32), (77, 77, 77)).save(tmp_path / "a.png")
    assert greys(tmp_path / "a.png", 16, 5) == [77] * 5


@pytest.mark.parametrize(("fit", "corner"), [("crop", 200), ("pad", 0)])
def test_a_clip_is_fitted_as_pictures_are(tmp_path: Path, fit: Fit, corner: int) -> None:
    found = frames(clip(tmp_path / "a.mp4", 16, 200, 200), (32, 48), fit, 16, 2, lambda: None)
    assert found.shape == (2, 48, 32, 3)
    near([int(found[0, 2, 2].mean()), int(found[0, 24, 16].mean())], [corner, 200])


def test_reading_a_clip_can_be_cancelled(tmp_path: Path) -> None:
    seen: list[int] = []

    def check() -> None:
        seen.append(1)
        if len(seen) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        greys(clip(tmp_path / "a.mp4", 16, *[90] * 20), 16, 20, check)
    assert len(seen) == 3
