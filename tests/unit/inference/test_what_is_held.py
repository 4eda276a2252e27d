"""What models hold at once is what plans say of it, counted on their real shapes without any numbers."""

import json
import weakref
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import resources
from engine.inference.conditions.encoder import PictureEncoder
from engine.inference.decode import Decoder
from engine.model_sizes import Blocks, Bytes, ModelSizes, Transformer
from engine.plan import decoding, denoising, encoding
from tests.unit.inference.conditions.test_tiles import Parts

_WIDTH, _HEIGHT, _FRAMES = 256, 192, 9
_TEXT = Blocks(0, Bytes(), Bytes(), 0, True)


class Alive(TorchDispatchMode):
    """Counts the bytes of the tensors that there are, but for `weights`; `most` is the greatest count so far."""

    def __init__(self, weights: nn.Module | None = None) -> None:
        super().__init__()
        self.most = self._now = 0
        owned = weights.parameters() if weights else ()
        self._sizes = {parameter.untyped_storage()._cdata: 0 for parameter in owned}

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


@pytest.mark.parametrize(
    ("heads", "ffn", "grid", "dtype", "is_per_token"),
    [
        (40, 13824, (21, 30, 52), torch.bfloat16, False),
        (12, 8960, (21, 30, 52), torch.float32, False),
        (24, 14336, (31, 22, 40), torch.bfloat16, True),
    ],
    ids=["14B", "1.3B on a CPU", "5B"],
)
def test_blocks_hold_what_is_planned(
    monkeypatch: pytest.MonkeyPatch,
    heads: int,
    ffn: int,
    grid: tuple[int, int, int],
    dtype: torch.dtype,
    is_per_token: bool,
) -> None:
    # without numbers PyTorch knows only the attention that makes a whole matrix, which no device computes
    monkeypatch.setattr(functional, "scaled_dot_product_attention", lambda query, *_, **__: query.clone())
    with torch.device("meta"):
        model = WanTransformer3DModel(
            num_attention_heads=heads, in_channels=16, ffn_dim=ffn, num_layers=2
        ).eval()
    for name, parameter in model.named_parameters():
        if not set(WanTransformer3DModel._keep_in_fp32_modules) & set(name.split(".")):
            parameter.data = parameter.data.to(dtype)
    (frames, height, width), tokens = grid, grid[0] * grid[1] * grid[2]
    latents = torch.empty(1, 16, frames, 2 * height, 2 * width, device="meta", dtype=dtype)
    timestep = torch.empty((1, tokens) if is_per_token else (1,), device="meta")
    text = torch.empty(1, 512, 4096, device="meta", dtype=dtype)
    with torch.no_grad(), Alive(model) as alive:
        model(latents, timestep, text)
    sizes = Transformer(2, Bytes(), Bytes(), 0, True, width=heads * 128, ffn=ffn)
    assert 0.9 < alive.most / denoising(sizes, tokens, dtype.itemsize, is_per_token) < 1.05
