"""The window comes up without what takes seconds to import."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from PySide6.QtWidgets import QApplication
from catalog.folders import default_folders
application = QApplication([])
from ui.app import Program
program = Program(default_folders(), lambda device: None)
painted = []
program.start = lambda: painted.append(set(sys.modules))
program.show()
while not painted:
    application.processEvents()
program.window.close()
heavy = {"torch", "diffusers", "transformers", "peft", "accelerate", "numpy", "PIL", "safetensors", "sqlite3"}
assert not heavy & painted[0], heavy & painted[0]
"""


def test_the_window_imports_nothing_heavy(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {
        "QT_QPA_PLATFORM": "offscreen",
        "LORA_ALCHEMY_HOME": str(tmp_path),
        "PYTHONPATH": str(root),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
