"""Cancel within one block: a check before every block of a model, for the length of a `with`."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from torch import nn

from engine.live import LiveControls


@contextmanager
def interruptible(blocks: Iterable[nn.Module], live: LiveControls) -> Iterator[None]:
    """While inside, each of these blocks raises `Cancelled` instead of starting once the run is cancelled."""
    hooks = [block.register_forward_pre_hook(lambda *_: live.check()) for block in blocks]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
