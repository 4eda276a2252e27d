"""Frames through ffmpeg, with its exit status believed and its complaint kept."""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from shlex import split

import imageio_ffmpeg

from engine.errors import EncodeFailed
from engine.messages import Frames

_MP4 = split("-c:v libx264 -preset medium -crf 14 -pix_fmt yuv420p -movflags +faststart")
_WEBM = split("-c:v libvpx-vp9 -crf 22 -b:v 0 -pix_fmt yuv420p -row-mt 1")
_BT709 = split(
    "-vf scale=out_color_matrix=bt709:out_range=tv -colorspace bt709 -color_primaries bt709"
    " -color_trc bt709 -color_range tv"
)
_GIF = split("-filter_complex '[0:v]split[a][b];[a]palettegen[p];[b][p]paletteuse' -loop 0")

ARGUMENTS = {".mp4": (*_BT709, *_MP4), ".webm": (*_BT709, *_WEBM), ".gif": _GIF}
FORMATS = {".mp4": "mp4", ".webm": "webm", ".gif": "gif"}


def encode(target: Path, suffix: str, frames: Frames, fps: int, comment: str) -> None:
    """Write frames [F, H, W, 3] to `target` in the format of `suffix`, with `comment` as its metadata.

    Raises EncodeFailed with ffmpeg's own reason; `target` may then hold half a file.
    """
    count, height, width, _ = frames.shape
    with tempfile.TemporaryDirectory(prefix="lora-alchemy-") as folder:
        notes = Path(folder) / "metadata.txt"  # a file: a long recipe does not fit a Windows command line
        notes.write_text(f";FFMETADATA1\ncomment={_escape(comment)}\n", "utf-8")
        pictures = split(f"-f rawvideo -pix_fmt rgb24 -s {width}x{height} -r {fps} -i pipe:0")
        tags = ["-f", "ffmetadata", "-i", f"file:{notes}", "-map_metadata", "1"]
        result = ["-frames:v", str(count), "-f", FORMATS[suffix], "-y", f"file:{target.resolve()}"]
        _run([*pictures, *tags, *ARGUMENTS[suffix], *result], _bytes(frames))


def count_frames(file: Path, width: int, height: int) -> int:
    """How many whole frames a file decodes to; raises EncodeFailed when it does not decode."""
    grey = split("-map 0:v:0 -fps_mode passthrough -f rawvideo -pix_fmt gray pipe:1")
    output = _run(["-i", f"file:{file.resolve()}", *grey])
    return len(output) // (width * height)


def _run(arguments: Sequence[str], data: bytes | memoryview = b"") -> bytes:
    quiet = split("-nostdin -hide_banner -v error -xerror")
    try:
        command = [imageio_ffmpeg.get_ffmpeg_exe(), *quiet, *arguments]
        done = subprocess.run(command, input=data, capture_output=True, check=False)
    except (OSError, RuntimeError) as error:
        raise EncodeFailed(f"ffmpeg cannot be started: {error}") from error
    if done.returncode != 0:
        said = done.stderr[-4000:].decode("utf-8", "replace").strip().splitlines()
        raise EncodeFailed(f"ffmpeg failed: {said[-1] if said else f'exit status {done.returncode}'}")
    return done.stdout


def _bytes(frames: Frames) -> bytes | memoryview:
    """The pictures' bytes in order, without a copy where they lie so."""
    return frames.data.cast("B") if frames.flags.c_contiguous and frames.size else frames.tobytes()


def _escape(text: str) -> str:
    """ffmetadata's own escapes."""
    for character in ("\\", "=", ";", "#", "\n"):
        text = text.replace(character, f"\\{character}")
    return text
