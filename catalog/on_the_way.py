"""Files on their way: hidden under a name that no user gives until they are whole, then named without replacing any."""

import os
import re
import uuid
from contextlib import suppress
from pathlib import Path

PART = re.compile(r"\.[0-9a-f]{32}\.part")


def part_beside(file: Path) -> Path:
    """Where a file is written until it is whole."""
    return file.with_name(f".{uuid.uuid4().hex}.part")


def claim(part: Path, name: Path) -> bool:
    """Let a part file be found under a name; False when that is taken. `part` may still be there, to be dropped.

    Raises OSError.
    """
    try:
        os.link(part, name)  # unlike a rename, this fails when the name is taken
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        if name.exists():
            return False
        os.rename(part, name)
    return True


def drop(part: Path) -> None:
    """Remove a part file, where there is one."""
    with suppress(OSError):
        part.unlink()
