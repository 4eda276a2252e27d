"""Run by itself: one guided step of a streamed transformer, and the most memory it took, as JSON."""

import json
import sys
import time
from pathlib import Path

import torch
from diffusers import WanTransformer3DModel

from catalog.header import read_header
from engine.host_memory import peak, reset_peak
from engine.inference.checkpoints.folder_weights import transformer_at_rest
from engine.inference.lora.rack import Rack
from engine.inference.lora.read import read_adapter
from engine.inference.streaming.residence import Residence


@torch.inference_mode()
def main(folder: Path, adapter: Path) -> None:
    """Two passes at 64 × 64 pixels and 5 frames, the second one with an adapter."""
    torch.nn.functional.linear(torch.ones(64, 64), torch.ones(64, 64))  # what PyTorch itself sets up
    reset_peak()
    before, begun = peak(), time.perf_counter()
    model = transformer_at_rest(WanTransformer3DModel, folder, torch.float32)
    rack = Rack({"high": model})
    Residence(model, torch.device("cpu"), lambda: rack.beside["high"]).stay(0)
    bare = _pass(model)
    rack.attach("a", read_adapter(adapter, read_header(adapter)))
    rack.set("high", {"a": 0.7})
    played = _pass(model)
    assert torch.isfinite(played).all() and not torch.equal(bare, played)
    took = {"above": peak() - before, "before": before, "seconds": time.perf_counter() - begun}
    sys.stdout.write(json.dumps(took))


def _pass(model: WanTransformer3DModel) -> torch.Tensor:
    random = torch.Generator().manual_seed(1)
    latents = torch.randn(1, 16, 2, 8, 8, generator=random)
    text = torch.randn(1, 512, 4096, generator=random)
    answer: torch.Tensor = model(latents, torch.tensor([700]), text, return_dict=False)[0]
    return answer


main(Path(sys.argv[1]), Path(sys.argv[2]))
