"""Sets up a private environment beside this folder, then opens the window, or runs what is named.

python packaging/run.py              set up, then open the window on the demo model
python packaging/run.py test         set up, then run the tests
python packaging/run.py setup        only set up, with what development needs
python packaging/run.py render …     and every other command of main.py
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".venv"
PYTHON = HOME / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
DEVELOPMENT = ("test", "setup")


def main(words: list[str]) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - run by whatever Python a newcomer has
        sys.stderr.write("LoRA Alchemy needs Python 3.11 or newer.\n")
        return 2
    for_development = bool(words) and words[0] in DEVELOPMENT
    if code := set_up(for_development):
        return code
    match words:
        case ["setup"]:
            return 0
        case ["test", *more]:
            return run("-m", "pytest", *more, folder=ROOT, env={"QT_QPA_PLATFORM": "offscreen"})
        case _:  # in the user's own folder, as the files they name are
            return run(str(ROOT / "main.py"), *words)


def set_up(for_development: bool) -> int:
    """Make the environment once, and bring it up to date when pyproject.toml has changed."""
    stamp = HOME / ("development.stamp" if for_development else "application.stamp")
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted:
        return 0
    if not PYTHON.exists():
        sys.stderr.write(f"Setting up {HOME.name} (once; a few minutes and a few GB)…\n")
        try:
            venv.create(HOME, with_pip=True)
        except (subprocess.CalledProcessError, OSError) as error:
            sys.stderr.write(
                f"No environment can be made ({error}).\nOn Debian or Ubuntu: sudo apt install python3-venv\n"
            )
            return 2
    groups = ["--group", str(ROOT / "pyproject.toml") + ":dev"] if for_development else []
    for command in (
        ["install", "--quiet", "--upgrade", "pip"],
        ["install", "--quiet", *groups, "--editable", str(ROOT)],
    ):
        if code := run("-m", "pip", *command):
            return code
    stamp.write_text(wanted)
    return 0


def run(*words: str, folder: Path | None = None, env: dict[str, str] | None = None) -> int:
    """Run the environment's Python, here or in that folder; its exit code."""
    try:
        return subprocess.run(
            [str(PYTHON), *words], cwd=folder, env=os.environ | (env or {}), check=False
        ).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
