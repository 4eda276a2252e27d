"""What a clip's file shows, read back by ffmpeg."""

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np


def pixels_of(file: Path) -> bytes:
    """All its frames' bytes, RGB, one after the other."""
    program, form = imageio_ffmpeg.get_ffmpeg_exe(), ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    command = [program, "-v", "error", "-i", str(file), *form]
    return subprocess.run(command, capture_output=True, check=True).stdout


def decoded(file: Path, width: int = 64, height: int = 48) -> np.ndarray:
    """Its frames [count, height, width, 3], RGB."""
    return np.frombuffer(pixels_of(file), np.uint8).reshape(-1, height, width, 3)
