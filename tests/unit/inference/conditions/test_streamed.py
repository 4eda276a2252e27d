"""Models that see pictures give the same latents wherever their weights are while they work."""

from pathlib import Path

import numpy as np
import pytest

from engine.live import LiveControls
from engine.messages import Mix, Strip
from engine.worker import Generate
from tests.lora_files import lora_file
from tests.tiny_seeing import Kind, picture, transformer
from tests.unit.inference.conditions.conftest import Opened
from tests.unit.inference.conditions.test_kept_steps import asked, inputs_for


@pytest.mark.parametrize("kind", ["i2v 2.1", "vace 2.2", "ti2v", "phantom"])
def test_streamed_blocks_see_the_same(opened: Opened, tmp_path: Path, kind: Kind) -> None:
    what = asked(kind, inputs_for(kind, (picture(tmp_path, 1), picture(tmp_path, 2))))
    file, _ = lora_file(tmp_path, "comfyui", transformer(kind))
    made = []
    for memory in ("resident", "low"):
        session = opened(kind)
        session.attach("a", file)
        live = LiveControls(Mix(1, (Strip("a", 0.7, -0.7),)))
        made.append(session.run(Generate(1, what, live, memory=memory), lambda _: None).latents)
    assert made[0] is not None and made[1] is not None and np.array_equal(made[0], made[1])
