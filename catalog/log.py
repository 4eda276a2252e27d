"""The log file: where a traceback goes that no user should have to read."""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

NAME = "lora-alchemy.log"


def log_to(folder: Path) -> Path:
    """Write warnings and worse of every part into a rotating file; returns it.

    The application works without a log, so a folder that cannot be written is no failure.
    """
    file = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = RotatingFileHandler(
            file, maxBytes=5_000_000, backupCount=4, encoding="utf-8"
        )
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)
    return file
