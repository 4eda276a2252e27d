"""Benchmarks run only when asked for: `python -m pytest tests/benchmarks --benchmark-enable -s`."""

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave benchmarks out of ordinary test runs, which say --benchmark-disable in pyproject.toml."""
    if config.getoption("benchmark_enable"):
        return
    for item in items:
        if item.path.is_relative_to(config.rootpath / "tests" / "benchmarks"):
            item.add_marker(pytest.mark.skip(reason="a benchmark: ask for it with --benchmark-enable"))
