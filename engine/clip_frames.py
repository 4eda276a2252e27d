"""Frames out of a clip's file through ffmpeg, one after the other, without playlists or the network."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from shlex import split
from typing import IO, Literal

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from catalog.inputs import Fit
from engine.errors import PictureRefused

Kind = Literal["mov", "matroska", "gif"]
"""ffmpeg's name of the container: a file is read as this and as nothing else."""

_MOST_PIXELS = 89_478_485  # as Pillow's
_TAIL_SECONDS = 3
_STILL_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1")
_FLAGS = "flags=lanczos+accurate_rnd+full_chroma_int"
_SQUARE = f"scale=iw*sar:ih:{_FLAGS},setsar=1,format=rgba"


def kind_of(path: Path) -> Kind | None:
    """Which container a file is by its first bytes; None for what is no clip. Raises PictureRefused."""
    try:
        with path.open("rb") as file:
            start = file.read(12)
    except OSError as error:
        raise PictureRefused(f"{path.name} cannot be read: {error.strerror}.") from error
    if start.startswith(b"GIF8"):
        return "gif"
    if start.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if start[4:8] == b"ftyp" and start[8:12] not in _STILL_BRANDS:
        return "mov"
    return None


def frame(
    path: Path, kind: Kind, moment: Literal["first", "last"], check: Callable[[], None]
) -> NDArray[np.uint8]:
    """The first or the last picture [H, W, 3] of a clip in its own size. Raises PictureRefused."""
    if moment == "first":
        found = _newest(_pictures(path, kind, [], ["-frames:v", "1"], check))
    else:
        near_the_end = [] if kind == "gif" else ["-sseof", f"-{_TAIL_SECONDS}"]
        found = _newest(_pictures(path, kind, near_the_end, [], check))
        if found is None and near_the_end:
            found = _newest(_pictures(path, kind, [], [], check))
    if found is None:
        raise PictureRefused(f"{path.name} has no pictures in it.")
    return found


def frames(
    path: Path,
    kind: Kind,
    size: tuple[int, int],
    fit: Fit,
    fps: int,
    count: int,
    check: Callable[[], None],
) -> NDArray[np.uint8]:
    """`count` frames [F, H, W, 3] from the beginning at `fps`, fitted to width and height; when the clip ends
    earlier its last frame stays. Raises PictureRefused.
    """
    width, height = size
    aspect = "increase" if fit == "crop" else "decrease"
    edges = f"crop={width}:{height}" if fit == "crop" else f"pad={width}:{height}:-1:-1:black"
    fitted = f"scale={width}:{height}:force_original_aspect_ratio={aspect}:{_FLAGS},{edges}"
    filters = f"fps={fps},{_SQUARE},{fitted},tpad=stop_mode=clone:stop=-1"
    found = list(_pictures(path, kind, [], ["-frames:v", str(count)], check, filters))
    if not found:
        raise PictureRefused(f"{path.name} has no pictures in it.")
    return np.stack([*found, *[found[-1]] * (count - len(found))])


def _newest(pictures: Iterator[NDArray[np.uint8]]) -> NDArray[np.uint8] | None:
    last = None
    for last in pictures:  # noqa: B007 - the last one is what is wanted
        pass
    return last


def _pictures(
    path: Path,
    kind: Kind,
    seek: list[str],
    most: list[str],
    check: Callable[[], None],
    filters: str = _SQUARE,
) -> Iterator[NDArray[np.uint8]]:
    """Each picture of a clip over black, as ffmpeg decodes it."""
    strict = [] if seek else ["-xerror"]  # between key frames a decoder may complain before it catches on
    quiet = [*split("-nostdin -hide_banner -v error -protocol_whitelist file,pipe"), *strict]
    source = [*seek, "-f", kind, "-max_pixels", str(_MOST_PIXELS), "-i", f"file:{path.absolute()}"]
    raw = ["-map", "0:v:0", "-vf", f"{filters},format=rgba", *most, *split("-f image2pipe -c:v pam pipe:1")]
    with tempfile.TemporaryFile() as complaints:
        try:
            command = [imageio_ffmpeg.get_ffmpeg_exe(), *quiet, *source, *raw]
            running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints)
        except (OSError, RuntimeError) as error:
            raise PictureRefused(f"ffmpeg cannot be started: {error}") from error
        with running:
            try:
                assert running.stdout is not None
                while (picture := _picture(running.stdout)) is not None:
                    check()
                    yield picture
                running.wait()
            finally:
                running.kill()  # whoever stopped asking waits for no clip
        complaints.seek(0)
        if running.returncode > 0:
            said = complaints.read()[-2000:].decode("utf-8", "replace").strip().splitlines()
            raise PictureRefused(f"{path.name} cannot be read: {said[-1] if said else 'it is damaged'}")


def _picture(stream: IO[bytes]) -> NDArray[np.uint8] | None:
    """The next picture in Netpbm's PAM, which says its own size; None at the end."""
    said = {}
    while (line := stream.readline()) and line != b"ENDHDR\n":
        name, _, value = line.decode("ascii").strip().partition(" ")
        said[name] = value
    if not line:
        return None
    width, height = int(said["WIDTH"]), int(said["HEIGHT"])
    data = stream.read(width * height * 4)
    if len(data) < width * height * 4:
        return None
    pixels = np.frombuffer(data, np.uint8).reshape(height, width, 4)
    colours, alpha = pixels[..., :3], pixels[..., 3:]
    if alpha.min() == 255:
        return colours
    return (colours.astype(np.uint16) * alpha // 255).astype(np.uint8)
