"""The four rules of the house, read from the source."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("ui", "engine", "catalog", "resources")
HEAVY = {"torch", "diffusers", "transformers", "peft"}


def sources(*folders: str) -> list[Path]:
    return [p for f in folders for p in sorted((ROOT / f).rglob("*.py"))]


def imported(file: Path) -> Iterator[str]:
    """Every dotted name that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_go_one_way(layer: str) -> None:
    above = LAYERS[: LAYERS.index(layer)] + ("main", "tests")
    wrong = [(f.name, n) for f in sources(layer) for n in imported(f) if n.split(".")[0] in above]
    assert sources(layer) and not wrong


def test_torch_lives_in_one_place() -> None:
    inference = ROOT / "engine" / "inference"
    outside = [f for f in sources(*LAYERS) if not f.is_relative_to(inference)]
    wrong = [(f.name, n) for f in outside for n in imported(f) if n.split(".")[0] in HEAVY]
    assert not wrong


def test_qt_outside_the_window_is_qtcore_in_bridges() -> None:
    files = sources("engine", "catalog", "resources")
    qt = [(f, n) for f in files for n in imported(f) if n.startswith(("PySide6", "shiboken6"))]
    assert qt and all(f.name == "bridge.py" and n.startswith("PySide6.QtCore") for f, n in qt)


def test_only_bridges_and_the_worker_know_threads() -> None:
    allowed = {"bridge.py", "worker.py", "live.py", "recording.py"}
    files = sources("engine", "catalog", "resources")
    wrong = [
        f for f in files for n in imported(f) if n.split(".")[0] == "threading" and f.name not in allowed
    ]
    assert not wrong


def test_packaging_is_no_package() -> None:
    assert not list((ROOT / "packaging").rglob("__init__.py"))


@pytest.mark.parametrize(
    "module", ["main", "catalog.bridge", "engine.bridge", "engine.render", "engine.doctor"]
)
def test_importing_it_leaves_torch_out(module: str) -> None:
    code = f"import sys, {module}; sys.exit(', '.join({HEAVY} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
