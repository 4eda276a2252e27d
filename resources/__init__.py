"""Files that ship with the application."""

from pathlib import Path

_ROOT = Path(__file__).resolve().parent


def path(name: str) -> Path:
    """Where the shipped file or folder `name` is; raises FileNotFoundError when it is not there."""
    found = _ROOT / name
    if not found.exists():
        raise FileNotFoundError(f"the application's own file {name} is missing")
    return found
