"""Frames through ffmpeg, with its exit status believed and its complaint kept."""

import errno
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from shlex import split
from typing import BinaryIO

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

_ENDED_EARLY = (errno.EPIPE, errno.EINVAL)
"""As POSIX and Windows tell of a process that reads no more."""

Shape = tuple[int, int, int]
"""Of a clip: frames, height, width."""


def encode(target: Path, suffix: str, shape: Shape, pieces: Iterable[Frames], fps: int, comment: str) -> None:
    """Write a clip to `target` in the format of `suffix`, with `comment` as its metadata.

    Its pieces [F, H, W, 3] are written as they come, and no other is asked for before ffmpeg has taken them.
    Raises EncodeFailed with ffmpeg's own reason, and whatever `pieces` raises; `target` may then hold half a
    file.
    """
    count, height, width = shape
    with tempfile.TemporaryDirectory(prefix="lora-alchemy-") as folder:
        notes = Path(folder) / "metadata.txt"  # a file: a long recipe does not fit a Windows command line
        notes.write_text(f";FFMETADATA1\ncomment={_escape(comment)}\n", "utf-8")
        pictures = split(f"-f rawvideo -pix_fmt rgb24 -s {width}x{height} -r {fps} -i pipe:0")
        tags = ["-f", "ffmetadata", "-i", f"file:{notes}", "-map_metadata", "1"]
        result = ["-frames:v", str(count), "-f", FORMATS[suffix], "-y", f"file:{target.resolve()}"]
        _feed([*pictures, *tags, *ARGUMENTS[suffix], *result], pieces, Path(folder) / "said.txt")


def count_frames(file: Path, width: int, height: int) -> int:
    """How many whole frames a file decodes to; raises EncodeFailed when it does not decode."""
    sums = split(
        "-map 0:v:0 -fps_mode passthrough -pix_fmt gray -f framecrc pipe:1"
    )  # of any length in no memory
    lines = _run(["-i", f"file:{file.resolve()}", *sums]).splitlines()
    sizes = [int(line.split(b",")[4]) for line in lines if not line.startswith(b"#")]
    return sizes.count(width * height)


def _feed(arguments: Sequence[str], pieces: Iterable[Frames], said: Path) -> None:
    """Run ffmpeg over pictures that may still have to be made; what it says goes to a file, which never blocks."""
    with said.open("wb") as complaints:
        process = _started(arguments, complaints)
    assert process.stdin is not None
    try:
        with process.stdin as pipe:
            for frames in pieces:
                pipe.write(_bytes(frames))
        process.wait()
    except OSError as error:
        if error.errno not in _ENDED_EARLY:
            raise
    finally:
        process.kill()  # where no more pieces came
        process.wait()
    _believe(process.returncode, said.read_bytes())


def _started(arguments: Sequence[str], complaints: BinaryIO) -> subprocess.Popen[bytes]:
    """In a session of its own: Ctrl+C is for us to hear, and a clip that is there is saved all the same."""
    try:
        return subprocess.Popen(
            _command(arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            start_new_session=True,
        )
    except (OSError, RuntimeError) as error:
        raise EncodeFailed(f"ffmpeg cannot be started: {error}") from error


def _run(arguments: Sequence[str]) -> bytes:
    try:
        done = subprocess.run(
            _command(arguments), input=b"", capture_output=True, check=False, start_new_session=True
        )
    except (OSError, RuntimeError) as error:
        raise EncodeFailed(f"ffmpeg cannot be started: {error}") from error
    _believe(done.returncode, done.stderr)
    return done.stdout


def _command(arguments: Sequence[str]) -> list[str]:
    """Raises RuntimeError where there is no ffmpeg."""
    return [imageio_ffmpeg.get_ffmpeg_exe(), *split("-nostdin -hide_banner -v error -xerror"), *arguments]


def _believe(status: int, said: bytes) -> None:
    """Raise EncodeFailed unless ffmpeg ended well."""
    if status != 0:
        lines = said[-4000:].decode("utf-8", "replace").strip().splitlines()
        raise EncodeFailed(f"ffmpeg failed: {lines[-1] if lines else f'exit status {status}'}")


def _bytes(frames: Frames) -> bytes | memoryview:
    """The pictures' bytes in order, without a copy where they lie so."""
    return frames.data.cast("B") if frames.flags.c_contiguous and frames.size else frames.tobytes()


def _escape(text: str) -> str:
    """ffmetadata's own escapes."""
    for character in ("\\", "=", ";", "#", "\n"):
        text = text.replace(character, f"\\{character}")
    return text
