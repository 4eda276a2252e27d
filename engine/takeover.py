"""From one engine thread to the next: the new session is there before the old one goes."""

import gc
import itertools
from collections.abc import Callable

from engine.messages import Event
from engine.worker import Post, Session, Worker

_LONG = 4_000_000.0
"""Seconds: about as many as a thread can be waited for on every system."""


def opened_after(before: Worker, open_session: Callable[[], Session]) -> Session:
    """The new session, once the thread before has ended; it goes on where there can be no new session."""
    session = open_session()  # raises while the one before is still whole
    before.stop(_LONG)
    return session


def told(first: Callable[[Event], None], then: Post) -> Post:
    """Posts the first event by `first`, and all others by `then`."""
    posts = itertools.chain((first,), itertools.repeat(then))
    return lambda event: next(posts)(event)


def tidy() -> None:
    """Let go of what an ended session leaves in circles, among which may be whole models.

    On the window's thread, because objects of Qt may be among the garbage.
    """
    gc.collect()
