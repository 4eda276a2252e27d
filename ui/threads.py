"""Threads for work that somebody waits for: one per request, and none left behind unnoticed."""

import threading
import time
from collections.abc import Callable


class Threads:
    """Starts a thread for each piece of work; all of them are called `name`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._alive: list[threading.Thread] = []

    def start(self, work: Callable[[], None]) -> None:
        """Do it on a thread of its own."""
        self._alive = [thread for thread in self._alive if thread.is_alive()]
        thread = threading.Thread(target=work, name=self._name, daemon=True)
        self._alive.append(thread)
        thread.start()

    def join(self, seconds: float) -> bool:
        """Wait until all have ended, that long at most; whether they have."""
        until = time.monotonic() + seconds
        for thread in self._alive:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._alive)
