"""What the engine brings in does not slow the window afterwards."""

import gc

from engine.inference.session import open_session


def test_a_search_for_garbage_does_not_look_at_the_libraries() -> None:
    gc.unfreeze()  # other tests, too, set aside what is there to stay
    try:
        open_session("cpu")
        assert gc.get_freeze_count() > 100_000
        assert len(gc.get_objects()) < 1_000
    finally:
        gc.unfreeze()
