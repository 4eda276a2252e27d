"""Whoever listens to a command may leave, be full or know few characters: the command goes on, and says its failures."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.folders import HOME_VARIABLE
from catalog.log import NAME
from engine.last_resort import CANCELLED, OUR_FAULT, guarded

ROOT = Path(__file__).resolve().parents[2]
WORDS = "from engine.standard_streams import forgiving\nimport sys\nwith forgiving():\n    {}\nsys.exit(5)"


def talk(said: str, **streams: object) -> subprocess.CompletedProcess[bytes]:
    """A process that says something and ends with 5."""
    command = [sys.executable, "-c", WORDS.format(said)]
    wanted = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    return subprocess.run(command, cwd=ROOT, check=False, **wanted)  # type: ignore[call-overload, no-any-return]


def test_a_reader_that_left_is_no_failure() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = talk("print('x' * 100_000); sys.stdout.flush(); print('more')", stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (5, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only there can a disk be full at will")
def test_output_that_finds_no_place_is_said_once() -> None:
    with open("/dev/full", "wb") as full:
        done = talk("[print('x', flush=True) for _ in range(3)]", stdout=full)
    assert done.returncode == 5 and done.stderr.count(b"Standard output cannot be written") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="streams are closed otherwise there")
def test_a_closed_stream_is_no_failure() -> None:
    command = f'exec "{sys.executable}" -c "{WORDS.format("print(1, file=sys.stderr); print(2)")}" >&- 2>&-'
    assert subprocess.run(command, shell=True, cwd=ROOT, check=False).returncode == 5


def test_a_character_that_the_terminal_lacks_is_spelled_out() -> None:
    done = talk(r"print('\u201cone\u201d')", env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stdout.strip()) == (5, rb"\u201cone\u201d")


def test_a_failure_that_nobody_expected_is_one_line_and_a_traceback_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    assert guarded(lambda: 1 // 0) == OUR_FAULT
    err = capsys.readouterr().err
    assert err.startswith("ZeroDivisionError") and err.count("\n") == 1
    assert "Traceback" in (tmp_path / "state" / NAME).read_text("utf-8")


def test_ctrl_c_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    assert guarded(interrupted) == CANCELLED and capsys.readouterr().err == ""
