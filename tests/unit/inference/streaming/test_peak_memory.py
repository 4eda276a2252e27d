"""Models of real sizes take a step in a fraction of their size, measured in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.unit.inference.streaming import large_files
from tests.unit.inference.streaming.large_files import WAN_1_3B, WAN_14B

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much memory a process took"),
]
ROOT = Path(__file__).parents[4]
ON_DEMAND = "LORA_ALCHEMY_14B"


def step(folder: Path, config: dict[str, Any]) -> dict[str, float]:
    """What one step took in bytes above the bare process, and in seconds: a pass bare, one with an adapter."""
    adapter = lora(folder / "lora.sft", config)
    script = "tests.unit.inference.streaming.step_within"
    command = [sys.executable, "-W", "ignore", "-m", script, str(folder), str(adapter)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    took: dict[str, float] = json.loads(done.stdout)
    return took


def need(folder: Path, gib: int) -> None:
    free = shutil.disk_usage(folder).free >> 30
    if free < gib:
        pytest.skip(f"{gib} GiB of disk are needed, {free} are free")


def lora(file: Path, config: dict[str, Any], rank: int = 16) -> Path:
    """A LoRA on the attention of every block."""
    width = config["num_attention_heads"] * config["attention_head_dim"]
    random, tensors = torch.Generator().manual_seed(2), {}
    for block in range(config["num_layers"]):
        for layer in ("self_attn.q", "cross_attn.o"):
            name = f"diffusion_model.blocks.{block}.{layer}"
            tensors[f"{name}.lora_A.weight"] = torch.randn(rank, width, generator=random).bfloat16()
            tensors[f"{name}.lora_B.weight"] = torch.randn(width, rank, generator=random).bfloat16() * 0.01
    save_file(tensors, file)
    return file


def test_a_step_of_1_3b_takes_less_than_two_fifths_of_its_size(tmp_path: Path) -> None:
    need(tmp_path, 5)
    size = large_files.write(tmp_path / "model", WAN_1_3B, torch.bfloat16)
    assert 2.7e9 < size < 3.0e9
    try:
        took = step(tmp_path / "model", WAN_1_3B)
    finally:
        shutil.rmtree(tmp_path / "model")
    sys.stderr.write(f"\n1.3B, {size / 1e9:.1f} GB: {took}\n")
    assert took["above"] < 0.4 * size


@pytest.mark.timeout(3600)
@pytest.mark.skipif(not os.environ.get(ON_DEMAND), reason=f"writes 15 GB; set {ON_DEMAND}=1")
def test_a_step_of_14b_in_eight_bits_fits_beside_an_office(tmp_path: Path) -> None:
    need(tmp_path, 20)
    size = large_files.write(tmp_path / "model", WAN_14B, torch.float8_e4m3fn)
    try:
        took = step(tmp_path / "model", WAN_14B)
    finally:
        shutil.rmtree(tmp_path / "model")
    sys.stderr.write(f"\n14B, {size / 1e9:.1f} GB: {took}\n")
    assert 14e9 < size < 15.5e9 and took["above"] < 0.25 * size
