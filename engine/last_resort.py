"""The command line's boundary: what nobody expected becomes a logged traceback, one line and an exit code."""

import logging
import sys
from collections.abc import Callable

from catalog.folders import default_folders
from catalog.log import log_to
from catalog.plain_text import plain

OUR_FAULT, CANCELLED = 1, 130


def guarded(command: Callable[[], int]) -> int:
    """What the command returns; 1 when it fails as nobody expected, 130 when Ctrl+C ends it."""
    try:
        return command()
    except KeyboardInterrupt:
        return CANCELLED
    except Exception as error:
        log_file = log_to(default_folders().state)
        logging.getLogger(__name__).error("unexpected failure of a command", exc_info=error)
        sys.stderr.write(f"{plain(f'{type(error).__name__}: {error}')} Details are in {log_file}.\n")
        return OUR_FAULT
