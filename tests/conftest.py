"""What all tests rely on: patience with a slow machine, and no end that nobody notices."""

import faulthandler
import gc
import os
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

# the same examples in every run, on a machine however slow; HYPOTHESIS_PROFILE=fuzz looks for others, for longer
slow = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("usual", derandomize=True, **slow)
settings.register_profile("fuzz", max_examples=3_000, **slow)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))

PATIENCE = 60_000
"""Milliseconds that a busy machine may take for anything, where a test says nothing else."""


class PatientBot(QtBot):
    """Waits as long as it has to: pytest-qt gives up after five seconds.

    Whoever waited stays until the test is over. A signal that another thread emits is on its way here for a
    while, and when it comes to a Python object that is gone the process crashes.
    """

    def __init__(self, request: pytest.FixtureRequest) -> None:
        super().__init__(request)
        self._waiters: list[object] = []

    def waitSignal(self, signal: Any, *, timeout: int | None = PATIENCE, **more: Any) -> Any:
        self._waiters.append(super().waitSignal(signal, timeout=timeout, **more))
        return self._waiters[-1]

    def waitSignals(self, signals: Any, *, timeout: int | None = PATIENCE, **more: Any) -> Any:
        self._waiters.append(super().waitSignals(signals, timeout=timeout, **more))
        return self._waiters[-1]

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: int = PATIENCE) -> None:
        __tracebackhide__ = True
        super().waitUntil(callback, timeout=timeout)

    def waitExposed(self, widget: Any, *, timeout: int = PATIENCE) -> Any:
        return super().waitExposed(widget, timeout=timeout)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> QtBot:
    return PatientBot(request)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Every test gets the same random numbers in every run, also where it asks for any."""
    random.seed(0)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)
    if item.get_closest_marker("timeout"):
        faulthandler.cancel_dump_traceback_later()  # it takes long on purpose, and has an end of its own


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Destroy what is left of a window's objects on the window's thread.

    Python searches for garbage on whichever thread makes the next object, and would destroy there, beside
    the next window's life, the timers of one that is gone. So it searches only when no thread is at work.
    """
    if "qapp" not in getattr(item, "fixturenames", ()):
        return (yield)
    gc.disable()
    try:
        return (yield)
    finally:
        if nextitem is None or nextitem.path != item.path:
            gc.collect()
            gc.freeze()  # what is left is there to stay; the next search need not look at it
        gc.enable()


@pytest.fixture(autouse=True, scope="session")
def no_silent_end() -> Iterator[None]:
    """Who leaves the process with 0 passes all tests that are still to come."""
    leave, own = os._exit, os.getpid()

    def refuse(code: int) -> None:
        if code or os.getpid() != own:
            leave(code)
        faulthandler.dump_traceback(sys.__stderr__)
        raise AssertionError("Something wanted to end the process of the tests as if all were well.")

    os._exit = refuse  # type: ignore[assignment]
    yield
    os._exit = leave
