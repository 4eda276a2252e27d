"""Downloads from a Hub on this machine: interrupted, wrong, refused, without room, and what is left of them."""

import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.download import Download, Item, Progress, free_space, may_be_had, missing, place
from catalog.errors import CatalogError, DownloadFailed, HubError, NeedsLicence, NoNetwork, NotOnHub
from catalog.hub import Hub, HubFile
from catalog.pace import Pace
from tests.hub_server import LARGE, LocalHub, local_hub
from tests.unit.catalog.builders import tree

NAME = "maker/Wan-Small"
TARGET = Path("Wan-Small/transformer/weights.safetensors")
LENGTH = 3_000_000
WEIGHTS = random.Random(0).randbytes(LENGTH)
CONFIG = b'{"dim": 1536}'


class Stop(Exception):
    """Raised by a user who has had enough."""


@pytest.fixture
def server() -> Iterator[LocalHub]:
    with local_hub() as server:
        server.add(NAME, {"transformer/weights.safetensors": WEIGHTS, "transformer/config.json": CONFIG})
        yield server


@pytest.fixture
def hub(server: LocalHub) -> Hub:
    return Hub(server.endpoint)


def items(hub: Hub, folder: Path) -> list[Item]:
    return [place(file, folder) for file in hub.repository(NAME).files]


def download(
    hub: Hub,
    folder: Path,
    tell: Callable[[Progress], None] = lambda progress: None,
    free: Callable[[Path], int] = free_space,
) -> None:
    Download(items(hub, folder), hub, tell, free, pauses=(0.0, 0.0)).run()


def stop_at(bytes_: int) -> Callable[[Progress], None]:
    def tell(progress: Progress) -> None:
        if progress.done >= bytes_:
            raise Stop

    return tell


def parts_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.endswith(".part")]


def assert_complete(folder: Path) -> None:
    assert (folder / TARGET).read_bytes() == WEIGHTS
    assert (folder / TARGET).with_name("config.json").read_bytes() == CONFIG
    assert not (folder / TARGET).is_symlink() and not parts_in(folder)


def test_the_hub_says_what_a_repository_holds(hub: Hub) -> None:
    found = hub.repository(NAME)
    assert found.licence == "apache-2.0" and not found.is_gated
    weights, config = found.files
    assert (weights.size, config.size) == (len(WEIGHTS), len(CONFIG))
    assert len(weights.sha256) == 64 and not config.sha256 and len(config.blob) == 40


def test_a_repository_says_that_its_licence_is_to_be_accepted(hub: Hub, server: LocalHub) -> None:
    server.repositories[NAME].is_gated = True
    assert hub.repository(NAME).is_gated


def test_plain_files_come_with_their_progress(hub: Hub, tmp_path: Path) -> None:
    seen: list[Progress] = []
    download(hub, tmp_path, seen.append)
    assert_complete(tmp_path)
    total = len(WEIGHTS) + len(CONFIG)
    assert {progress.total for progress in seen} == {total} and seen[-1].done == total
    done = [progress.done for progress in seen]
    assert done == sorted(done) and done[0] < done[-1]


def test_small_files_come_last(hub: Hub, tmp_path: Path) -> None:
    """What makes a folder a model is not there before its weights are."""
    with pytest.raises(Stop):
        download(hub, tmp_path, stop_at(1000))
    assert not (tmp_path / TARGET).exists() and not (tmp_path / TARGET).with_name("config.json").exists()


def test_a_stopped_download_goes_on_where_it_stopped(hub: Hub, server: LocalHub, tmp_path: Path) -> None:
    with pytest.raises(Stop):
        download(hub, tmp_path, stop_at(LENGTH // 3))
    (part,) = parts_in(tmp_path)
    had = part.stat().st_size
    assert LENGTH // 3 <= had < LENGTH and part.read_bytes() == WEIGHTS[:had]
    assert missing(items(hub, tmp_path)) == len(WEIGHTS) - had + len(CONFIG)
    download(hub, tmp_path)
    assert_complete(tmp_path)
    assert server.asked_for("weights.safetensors")[-1]["range"] == f"bytes={had}-"


CHILD = """
import sys
from pathlib import Path
from catalog.download import Download, place
from catalog.hub import Hub
hub = Hub(sys.argv[1])
items = [place(file, Path(sys.argv[2])) for file in hub.repository(sys.argv[3]).files]
def tell(progress):
    if progress.done > progress.total * 0.4:
        print("far", flush=True)
Download(items, hub, tell).run()
"""


def test_a_killed_process_leaves_what_can_be_resumed(hub: Hub, server: LocalHub, tmp_path: Path) -> None:
    server.hold = threading.Event()
    command = [sys.executable, "-c", CHILD, server.endpoint, str(tmp_path), NAME]
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) as child:
        assert child.stdout and child.stdout.readline() == b"far\n"
        child.kill()
    server.hold.set()
    (part,) = parts_in(tmp_path)
    had = part.stat().st_size
    assert had > LENGTH // 3 and not (tmp_path / TARGET).exists()
    download(hub, tmp_path)
    assert_complete(tmp_path)
    assert server.asked_for("weights.safetensors")[-1]["range"] == f"bytes={had}-"


def test_a_connection_that_ends_again_and_again_is_taken_up(
    hub: Hub, server: LocalHub, tmp_path: Path
) -> None:
    server.cut_after, server.cuts = (
        LENGTH // 10,
        7,
    )  # more often than there are pauses: each brought something
    download(hub, tmp_path)
    assert_complete(tmp_path)


def test_a_connection_that_brings_nothing_is_given_up(hub: Hub, server: LocalHub, tmp_path: Path) -> None:
    server.cut_after, server.cuts = 0, 99
    with pytest.raises(NoNetwork, match="connection ended"):
        download(hub, tmp_path)
    server.cuts = 0
    download(hub, tmp_path)
    assert_complete(tmp_path)


def test_a_silent_server_is_left_and_asked_again(hub: Hub, server: LocalHub, tmp_path: Path) -> None:
    wanted, hasty = items(hub, tmp_path), Hub(server.endpoint, seconds=0.3)
    server.hold = threading.Event()  # every answer stops in its middle
    Download(wanted, hasty, lambda progress: None, pauses=[0.0] * 100).run()
    assert_complete(tmp_path)
    assert len(server.asked_for("weights.safetensors")) > 4


def test_a_login_that_holds_no_more_is_said(server: LocalHub, hub: Hub) -> None:
    wrong = "Invalid credentials in Authorization header"
    server.add("maker/any", {}, status=401, message=wrong)
    with pytest.raises(NeedsLicence, match="login") as caught:
        hub.repository("maker/any")
    assert "hf auth login" in caught.value.advice


def test_a_server_that_cannot_go_on_begins_anew(hub: Hub, server: LocalHub, tmp_path: Path) -> None:
    with pytest.raises(Stop):
        download(hub, tmp_path, stop_at(LENGTH // 2))
    server.ignores_range = True
    download(hub, tmp_path)
    assert_complete(tmp_path)


def test_a_file_that_has_become_shorter_is_wrong(hub: Hub, server: LocalHub, tmp_path: Path) -> None:
    wanted = items(hub, tmp_path)
    with pytest.raises(Stop):
        download(hub, tmp_path, stop_at(LENGTH // 2))
    server.repositories[NAME].files["transformer/weights.safetensors"] = WEIGHTS[: LENGTH // 4]
    with pytest.raises(NoNetwork, match="ended before"):
        Download(wanted, hub, lambda progress: None, pauses=()).run()
    assert not (tmp_path / TARGET).exists()


def test_a_part_that_is_complete_or_too_long_ends_well(hub: Hub, tmp_path: Path) -> None:
    for left in (WEIGHTS, WEIGHTS + b"more"):
        folder = tmp_path / str(len(left))
        with pytest.raises(Stop):
            download(hub, folder, stop_at(1))
        (part,) = parts_in(folder)
        part.write_bytes(left)
        download(hub, folder)
        assert_complete(folder)


def test_wrong_content_is_thrown_away(hub: Hub, server: LocalHub, tmp_path: Path) -> None:
    server.wrong_bytes = True
    with pytest.raises(DownloadFailed, match="hash is wrong"):
        download(hub, tmp_path)
    assert not tree(tmp_path)
    server.wrong_bytes = False
    download(hub, tmp_path)
    assert_complete(tmp_path)


def test_a_spoiled_part_is_thrown_away(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(Stop):
        download(hub, tmp_path, stop_at(LENGTH // 2))
    (part,) = parts_in(tmp_path)
    part.write_bytes(b"x" + part.read_bytes()[1:])
    with pytest.raises(DownloadFailed, match="hash is wrong"):
        download(hub, tmp_path)
    assert not parts_in(tmp_path)


def test_small_files_are_checked_too(hub: Hub, server: LocalHub, tmp_path: Path) -> None:
    wanted = items(hub, tmp_path)
    server.repositories[NAME].files["transformer/config.json"] = b'{"dim": 1537}'
    with pytest.raises(DownloadFailed, match="hash is wrong"):
        Download(wanted, hub, lambda progress: None).run()
    assert not (tmp_path / TARGET).with_name("config.json").exists()


def test_what_is_there_already_is_not_loaded_again(hub: Hub, server: LocalHub, tmp_path: Path) -> None:
    download(hub, tmp_path)
    asked = len(server.asked_for("weights.safetensors"))
    seen: list[Progress] = []
    download(hub, tmp_path, seen.append, free=lambda folder: 0)
    assert len(server.asked_for("weights.safetensors")) == asked
    assert all(progress.is_checking for progress in seen)
    assert all(item.is_here for item in items(hub, tmp_path))


@pytest.mark.parametrize("there", [b"mine", bytes(len(WEIGHTS))])
def test_another_file_of_that_name_stays(hub: Hub, tmp_path: Path, there: bytes) -> None:
    target = tmp_path / TARGET
    target.parent.mkdir(parents=True)
    target.write_bytes(there)
    with pytest.raises(DownloadFailed, match="Another weights.safetensors"):
        download(hub, tmp_path)
    assert target.read_bytes() == there


def test_room_is_looked_at_first(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="still to come") as caught:
        download(hub, tmp_path / "new", free=lambda folder: LENGTH - 1)
    assert "another disk" in caught.value.advice and not tree(tmp_path)


def test_what_has_come_needs_no_room(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(Stop):
        download(hub, tmp_path, stop_at(LENGTH // 2))
    download(hub, tmp_path, free=lambda folder: LENGTH // 2 + len(CONFIG))
    assert_complete(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="limits of files are a matter of POSIX")
def test_a_disk_that_refuses_keeps_the_part(hub: Hub, tmp_path: Path) -> None:
    import resource
    import signal

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (LENGTH // 2, limits[1]))
        with pytest.raises(DownloadFailed, match="cannot hold"):
            download(hub, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert parts_in(tmp_path)
    download(hub, tmp_path)
    assert_complete(tmp_path)


@pytest.mark.skipif(os.name == "nt" or os.getuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_written_is_said(hub: Hub, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DownloadFailed, match="Nothing may be written"):
        download(hub, tmp_path)


def test_two_windows_do_not_write_one_file(hub: Hub, server: LocalHub, tmp_path: Path) -> None:
    server.hold = threading.Event()
    first = threading.Thread(target=download, args=(hub, tmp_path))
    first.start()
    assert server.halfway.wait(60)
    with pytest.raises(DownloadFailed, match="another window"):
        download(hub, tmp_path)
    server.hold.set()
    first.join(60)
    assert_complete(tmp_path)


@pytest.mark.parametrize(
    ("status", "code", "kind", "word"),
    [
        (403, "GatedRepo", NeedsLicence, "hf auth login"),
        (401, "GatedRepo", NeedsLicence, "https://huggingface.co/maker/closed"),
        (401, "", NeedsLicence, "licence"),
        (404, "RepoNotFound", NotOnHub, "Check the name"),
        (429, "", HubError, "Wait"),
        (503, "", HubError, "later"),
    ],
)
def test_refusals_are_one_sentence_and_advice(
    server: LocalHub, hub: Hub, status: int, code: str, kind: type[CatalogError], word: str
) -> None:
    server.add("maker/closed", {}, status=status, code=code)
    with pytest.raises(kind) as caught:
        hub.repository("maker/closed")
    sentence = str(caught.value)
    assert sentence.count(". ") == 0 and sentence.endswith(".") and word in caught.value.advice
    assert server.endpoint not in sentence + caught.value.advice


def test_a_file_can_become_gated_or_vanish(server: LocalHub, hub: Hub, tmp_path: Path) -> None:
    wanted = items(hub, tmp_path)
    server.repositories[NAME].status, server.repositories[NAME].code = 403, "GatedRepo"
    with pytest.raises(NeedsLicence):
        Download(wanted, hub, lambda progress: None).run()
    del server.repositories[NAME]
    with pytest.raises(NotOnHub):
        Download(wanted, hub, lambda progress: None).run()


def test_no_network_is_said(tmp_path: Path) -> None:
    with local_hub() as server:
        nobody = server.endpoint
    with pytest.raises(NoNetwork):
        Hub(nobody).repository(NAME)


def test_a_login_page_is_no_hub(server: LocalHub, hub: Hub) -> None:
    server.login_page = True
    with pytest.raises(HubError, match="not the Hub"):
        hub.repository(NAME)


def test_a_token_goes_to_the_hub_alone(
    server: LocalHub, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    download(hub, tmp_path)
    sent = {kind for kind, _, headers in server.seen if "authorization" in headers}
    assert sent == {"hub"} and {kind for kind, _, _ in server.seen} == {"hub", "store"}
    assert all(b"hf_secret" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "path",
    ["../evil.json", "/evil.json", "a/../../evil.json", "a\\evil.json", "C:evil.json", "a//b.json", "con.json",
     "a /b.json", "a/b.json.", "", "a/b\n.json"],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(HubError, match="unsafe name"):
        place(HubFile(NAME, "main", path, 1, "", "0" * 40), tmp_path)


def test_a_link_in_the_folder_leads_nowhere(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "models" / "Wan-Small").mkdir(parents=True)
    (tmp_path / "models" / "Wan-Small" / "transformer").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DownloadFailed, match="leads elsewhere"):
        download(hub, tmp_path / "models")
    assert not tree(tmp_path / "elsewhere")


def test_pickles_programs_and_what_cannot_be_checked_are_never_had() -> None:
    file = HubFile(NAME, "main", "a.safetensors", 1, "0" * 64)
    assert may_be_had(file)
    for path in ("a.bin", "a.pt", "a.PTH", "a.ckpt", "a.py", "a", "a.so"):
        assert not may_be_had(replace(file, path=path))
    assert not may_be_had(replace(file, sha256=""))


def test_pace_is_that_of_the_last_seconds() -> None:
    now = iter(range(100))
    pace = Pace(lambda: float(next(now)))
    slow = [pace.take(100 * second) for second in range(20)][-1]
    assert slow == 100.0
    fast = [pace.take(2000 + 500 * second) for second in range(1, 20)][-1]
    assert fast == 500.0


assert len(CONFIG) < LARGE < len(WEIGHTS)
