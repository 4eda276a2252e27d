"""A small Hub on this machine that has the demo model under the names of Wan's repositories."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

import resources
from tests.hub_server import LocalHub, local_hub
from ui.shelf.bridge import ShelfBridge
from ui.shelf.dialog import ShelfDialog
from ui.shelf.state import ShelfState

R21, R22 = "Comfy-Org/Wan_2.1_ComfyUI_repackaged", "Comfy-Org/Wan_2.2_ComfyUI_Repackaged"
SMALL, DOUBLE = "wan2.1-t2v-1.3b", "wan2.2-t2v-a14b"
SMALL_FOLDER = "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"
WEIGHTS = "diffusion_pytorch_model.safetensors"
Open = Callable[..., ShelfDialog]


def demo(path: str) -> bytes:
    return (resources.path("demo") / path).read_bytes()


@pytest.fixture
def server() -> Iterator[LocalHub]:
    """One model as a folder, one as single files; all others are not there."""
    inside = [
        path for path in resources.path("demo").rglob("*") if path.is_file() and "loras" not in path.parts
    ]
    folder = {path.relative_to(resources.path("demo")).as_posix(): path.read_bytes() for path in inside}
    base = "split_files/diffusion_models/wan2.2_t2v"
    with local_hub() as server:
        server.add(SMALL_FOLDER, folder)
        server.add(
            R21,
            {
                "split_files/vae/wan_2.1_vae.safetensors": demo(f"vae/{WEIGHTS}"),
                "split_files/text_encoders/umt5_xxl_fp8_e4m3fn_scaled.safetensors": demo(
                    "text_encoder/model.safetensors"
                ),
            },
        )
        server.add(
            R22,
            {
                f"{base}_high_noise_14B_fp16.safetensors": demo(f"transformer/{WEIGHTS}"),
                f"{base}_low_noise_14B_fp16.safetensors": demo(f"transformer_2/{WEIGHTS}"),
            },
        )
        yield server


@pytest.fixture
def open_dialog(qtbot: QtBot, server: LocalHub, tmp_path: Path) -> Iterator[Open]:
    """Opens the dialog over the Hub at an endpoint, the server's unless it is given, and lets it look."""
    bridges: list[ShelfBridge] = []

    def show(endpoint: str = "", free: Callable[[Path], int] | None = None) -> ShelfDialog:
        bridge = ShelfBridge(endpoint=endpoint or server.endpoint, free=free)
        bridges.append(bridge)
        dialog = ShelfDialog(ShelfState(bridge), tmp_path / "models")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(dialog)
        with qtbot.waitSignal(bridge.looked):
            dialog.show()
        return dialog

    yield show
    if server.hold:
        server.hold.set()
    assert all(bridge.stop(60) for bridge in bridges)


def wait_for_bytes(qtbot: QtBot, server: LocalHub, dialog: ShelfDialog) -> None:
    """Until the server holds back the second half of a file of which something has come."""

    def has_come() -> bool:
        progress = dialog._state.progress
        return server.halfway.is_set() and progress is not None and progress.done > 0

    qtbot.waitUntil(has_come)
