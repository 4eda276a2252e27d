"""Clips side by side, decoded together, picture by picture."""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import split

import imageio_ffmpeg
import numpy as np

from engine.errors import EncodeFailed
from engine.messages import Frames

_QUIET = split("-nostdin -hide_banner -v error -xerror -protocol_whitelist file,pipe")
_SCALED = "scale={}:{},setsar=1,format=rgb24,tpad=stop=-1:stop_mode=clone"


@dataclass(frozen=True, slots=True)
class Tile:
    """An mp4 file, and where on the picture it is shown: its upper left corner and its size, in pixels."""

    file: Path
    x: int
    y: int
    width: int
    height: int

    @property
    def area(self) -> tuple[slice, slice]:
        """Its rows and columns in a picture [height, width, 3]."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


def pictures(tiles: Sequence[Tile], count: int) -> Iterator[Frames]:
    """`count` pictures [height, width, 3] that end with the last tile's edges; between tiles they are black.

    A clip that ends earlier stays at its last picture. All pictures are the same memory, which the next one
    overwrites: no more than one of them, and a few of every clip, are held at a time. Raises EncodeFailed.
    """
    wide, high = max(t.x + t.width for t in tiles), max(t.y + t.height for t in tiles)
    picture = np.empty((high, wide, 3), np.uint8)
    command = [*_QUIET, *_inputs(tiles), "-filter_complex", _graph(tiles, wide, high), "-map", "[all]"]
    command += ["-frames:v", str(count), *split("-fps_mode passthrough -f rawvideo -pix_fmt rgb24 pipe:1")]
    with tempfile.TemporaryFile() as complaints:
        with _started(command, complaints.fileno()) as running:
            try:
                assert running.stdout is not None
                for _ in range(count):
                    if running.stdout.readinto(picture.data.cast("B")) < picture.nbytes:  # type: ignore[attr-defined]
                        break
                    yield picture
                else:
                    return
            finally:
                running.kill()
        complaints.seek(0)
        said = complaints.read()[-2000:].decode("utf-8", "replace").strip().splitlines()
    raise EncodeFailed(
        f"A clip of the grid cannot be read: {said[-1] if said else 'it is damaged'}",
        "Export the grid as it is shown instead, or render it again.",
    )


def _inputs(tiles: Sequence[Tile]) -> list[str]:
    pieces = (["-threads", "1", "-f", "mov", "-i", f"file:{tile.file.absolute()}"] for tile in tiles)
    return [word for piece in pieces for word in piece]


def _graph(tiles: Sequence[Tile], wide: int, high: int) -> str:
    """Every clip in its size, put where it belongs."""
    if len(tiles) == 1:
        (tile,) = tiles
        return f"[0:v]{_SCALED.format(tile.width, tile.height)},pad={wide}:{high}:{tile.x}:{tile.y}[all]"
    scaled = (f"[{i}:v]{_SCALED.format(t.width, t.height)}[{i}]" for i, t in enumerate(tiles))
    names = "".join(f"[{i}]" for i in range(len(tiles)))
    places = "|".join(f"{tile.x}_{tile.y}" for tile in tiles)
    return f"{';'.join(scaled)};{names}xstack=inputs={len(tiles)}:layout={places}:fill=black[all]"


def _started(arguments: Sequence[str], complaints: int) -> subprocess.Popen[bytes]:
    try:
        command = [imageio_ffmpeg.get_ffmpeg_exe(), *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints)
    except (OSError, RuntimeError) as error:
        raise EncodeFailed(f"ffmpeg cannot be started: {error}") from error
