"""Tiny models that see pictures, in diffusers' folders, made once."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from engine.inference.session import WanSession
from tests import tiny_seeing
from tests.tiny_seeing import Kind

Opened = Callable[[Kind], WanSession]


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Kind], Path]:
    """The folder of a model of that kind."""

    @cache
    def made(kind: Kind) -> Path:
        return tiny_seeing.save_model(tmp_path_factory.mktemp("seeing") / kind.replace(" ", "-"), kind)

    return made


@pytest.fixture
def opened(folder_of: Callable[[Kind], Path]) -> Opened:
    """A session with a model of that kind loaded."""

    def made(kind: Kind) -> WanSession:
        session = WanSession("cpu")
        session.load(str(folder_of(kind)))
        return session

    return made
