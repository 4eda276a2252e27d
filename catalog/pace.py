"""How fast a download is, and how long it still takes."""

import time
from collections import deque
from collections.abc import Callable

_WINDOW = 8.0


class Pace:
    """The speed of the last seconds. `clock` tells seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def take(self, received: int) -> float:
        """Bytes per second, now that `received` bytes have come in all; 0 when that is not known yet."""
        now = self._clock()
        self._seen.append((now, received))
        while len(self._seen) > 2 and now - self._seen[0][0] > _WINDOW:
            self._seen.popleft()
        then, before = self._seen[0]
        return (received - before) / (now - then) if now - then > 0.5 and received > before else 0.0
