"""Tiny models on disk and sessions that have them loaded."""

from pathlib import Path

import pytest

from engine.inference.session import WanSession
from tests import tiny


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-expert Wan in diffusers' layout."""
    return tiny.save_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="session")
def one_expert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Wan 2.1 in diffusers' layout."""
    return tiny.save_model(tmp_path_factory.mktemp("model") / "one", two_experts=False, shift=5.0)


@pytest.fixture
def session(model_folder: Path) -> WanSession:
    """A session with the two-expert model loaded."""
    opened = WanSession("cpu")
    opened.load(str(model_folder))
    return opened
