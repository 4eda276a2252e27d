"""What a VAE holds at once is what plans say of it, counted on its real shapes without any numbers."""

import json
import weakref
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKLWan
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import resources
from engine.inference.conditions.encoder import PictureEncoder
from engine.inference.decode import Decoder
from engine.model_sizes import Blocks, Bytes, ModelSizes
from engine.plan import decoding, encoding
from tests.unit.inference.conditions.test_tiles import Parts

_WIDTH, _HEIGHT, _FRAMES = 256, 192, 9
_TEXT = Blocks(0, Bytes(), Bytes(), 0, True)


class Alive(TorchDispatchMode):
    """Counts the bytes of the tensors that there are; `most` is the greatest count so far."""

    def __init__(self) -> None:
        super().__init__()
        self.most = self._now = 0
        self._sizes: dict[int, int] = {}

    def __torch_dispatch__(self, call: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        answer = call(*args, **(kwargs or {}))
        for tensor in tree_leaves(answer):
            if isinstance(tensor, Tensor):
                self._note(tensor.untyped_storage())
        return answer

    def _note(self, storage: torch.UntypedStorage) -> None:
        if storage._cdata not in self._sizes:
            self._sizes[storage._cdata] = storage.nbytes()
            self._now += storage.nbytes()
            self.most = max(self.most, self._now)
            weakref.finalize(storage, self._forget, storage._cdata)

    def _forget(self, which: int) -> None:
        self._now -= self._sizes.pop(which)


def real_vae(version: str) -> AutoencoderKLWan:
    """The VAE of Wan 2.1 or 2.2, without numbers."""
    settings = {} if version == "2.1" else {
        "base_dim": 160, "z_dim": 48, "decoder_base_dim": 256, "in_channels": 12, "out_channels": 12,
        "is_residual": True, "patch_size": 2, "scale_factor_spatial": 16,
        **json.loads(resources.path("vae22_latents.json").read_text("utf-8")),
    }  # fmt: skip
    with torch.device("meta"):
        return AutoencoderKLWan(**settings).eval().requires_grad_(False)


@pytest.mark.parametrize(
    ("version", "sizes"),
    [
        ("2.1", ModelSizes({}, _TEXT, 0, 96, 1, 2, vae_width_in=96)),
        ("2.2", ModelSizes({}, _TEXT, 0, 256, 2, 2, vae_width_in=160)),
    ],
)
def test_encoding_and_decoding_hold_what_is_planned(version: str, sizes: ModelSizes) -> None:
    vae = real_vae(version)
    encoder, decoder = PictureEncoder(Parts(vae)), Decoder(vae)  # type: ignore[arg-type]
    cells = 8 * sizes.vae_patch
    with torch.no_grad():
        video = torch.empty(1, 3, _FRAMES, _HEIGHT, _WIDTH, device="meta")
        with Alive() as way_in:
            for _ in encoder._chunks(video):
                pass
        latents = torch.empty(1, vae.config.z_dim, 3, _HEIGHT // cells, _WIDTH // cells, device="meta")
        with Alive() as way_out:
            for _ in decoder.chunks(latents):
                pass
    assert 0.9 < way_in.most / encoding(sizes, _WIDTH, _HEIGHT) < 1.05
    assert 0.9 < way_out.most / decoding(sizes, _WIDTH, _HEIGHT, 0) < 1.05
