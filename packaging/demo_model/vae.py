"""The VAE's stages: the demo's AutoencoderKLWan learns single frames, then clips, then sharper ones."""

import random
from pathlib import Path

import torch
from clips import batch, draw, draw_any
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders import autoencoder_kl_wan as wan
from torch import Tensor
from torch.nn import functional
from training import cosine, train


def new_vae() -> AutoencoderKLWan:
    """An untrained VAE of 0.67 M parameters whose temporal kernels look at the newest frame only.

    With the two past slices of every causal kernel at zero, and each `time_conv` picking (down) or
    repeating (up) a frame, the video VAE equals the image VAE frame by frame, so what is learnt on
    pictures carries over to clips.
    """
    torch.manual_seed(0)
    vae = AutoencoderKLWan(
        base_dim=8,
        z_dim=16,
        dim_mult=[1, 2, 4, 4],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
    )
    with torch.no_grad():
        for name, module in vae.named_modules():
            if isinstance(module, wan.WanCausalConv3d) and module.kernel_size[0] > 1:
                module.weight[:, :, :-1] = 0
                if name.endswith("time_conv"):
                    _pick_frames(module)
    return vae


def _pick_frames(conv: torch.nn.Conv3d) -> None:
    out, into = conv.weight.shape[:2]
    conv.weight.zero_()
    conv.weight[torch.arange(out), torch.arange(out) % into, -1] = 1
    assert conv.bias is not None
    conv.bias.zero_()


def whole_clip_forward() -> None:
    """Let encoder and decoder take a clip in one piece: the same sums as chunk by chunk, in 60 % of the time.

    The library walks a clip in chunks to save memory. A causal convolution over the whole clip equals
    that walk; only the two temporal resamplings, which treat the first frame alone, need to be told.
    """

    def convolve(self: wan.WanCausalConv3d, x: Tensor, cache_x: Tensor | None = None) -> Tensor:
        pad = self._padding
        if x.shape[2] == 1 and cache_x is None:  # one frame: the past is zero, so a plane convolution
            y = functional.conv2d(
                x[:, :, 0], self.weight[:, :, -1], self.bias, self.stride[1:], (pad[2], pad[0])
            )
            return y[:, :, None]
        return torch.nn.Conv3d.forward(self, functional.pad(x, pad))

    def resample(
        self: wan.WanResample, x: Tensor, feat_cache: object = None, feat_idx: object = None
    ) -> Tensor:
        b, c, t, h, w = x.shape
        if self.mode == "upsample3d" and t > 1:
            y = self.time_conv(x[:, :, 1:]).reshape(b, 2, c, t - 1, h, w)
            y = torch.stack((y[:, 0], y[:, 1]), 3).reshape(b, c, 2 * (t - 1), h, w)
            x = torch.cat([x[:, :, :1], y], 2)
            t = x.shape[2]
        x = self.resample(x.permute(0, 2, 1, 3, 4).reshape(b * t, c, h, w))
        x = x.view(b, t, *x.shape[1:]).permute(0, 2, 1, 3, 4)
        if self.mode == "downsample3d" and t > 1:
            x = torch.cat([x[:, :, :1], self.time_conv(x)], 2)
        return x

    wan.WanCausalConv3d.forward = convolve
    wan.WanResample.forward = resample


def encode(vae: AutoencoderKLWan, pictures: Tensor) -> Tensor:
    """Mean latents [B, 16, (T−1)/4+1, H/8, W/8] of pictures [B, 3, T, H, W], in one piece, not normalised."""
    return vae.quant_conv(vae.encoder(pictures))[:, : vae.config.z_dim]


def decode(vae: AutoencoderKLWan, latents: Tensor) -> Tensor:
    """The inverse of `encode`, not clamped."""
    return vae.decoder(vae.post_quant_conv(latents))


def _loss(vae: AutoencoderKLWan, pictures: Tensor, weights: Tensor) -> Tensor:
    latents = encode(vae, pictures)
    # Latents near unit size and forgiving of small errors are what the denoiser will have to hit.
    restored = decode(vae, latents + 0.03 * torch.randn_like(latents))
    return ((restored - pictures).abs() * weights).mean() + 1e-4 * latents.square().mean()


def train_images(work: Path, steps: int = 2800, size: int = 16) -> AutoencoderKLWan:
    """Learn to draw: single frames, both experts' held-back things included. About 16 minutes."""
    whole_clip_forward()
    vae = new_vae()
    # Temporal weights have no gradient on one frame; decay would still eat them.
    optimiser = torch.optim.AdamW(vae.parameters(), lr=2e-3, weight_decay=0)

    def step(n: int) -> Tensor:
        rng = random.Random(n)
        clips = [draw_any(rng) for _ in range(size)]
        pictures, weights = batch(clips, [torch.tensor([rng.random()]) for _ in clips])
        return _descend(vae, optimiser, pictures, weights, 2e-3 * cosine(n, steps))

    train(work / "vae-images.pt", steps, step, {"model": vae, "optimiser": optimiser})
    return vae


def train_clips(work: Path, steps: int = 700, size: int = 3) -> AutoencoderKLWan:
    """Learn what happens between the frames, from where the pictures left off. About 12 minutes."""
    whole_clip_forward()
    vae = new_vae()
    vae.load_state_dict(torch.load(work / "vae-images.pt", weights_only=True)["model"])
    optimiser = torch.optim.AdamW(vae.parameters(), lr=5e-4, weight_decay=0)

    def step(n: int) -> Tensor:
        rng = random.Random(10_000_000 + n)
        pictures, weights = batch([draw_any(rng) for _ in range(size)])
        return _descend(vae, optimiser, pictures, weights, 5e-4 * cosine(n, steps))

    train(work / "vae-clips.pt", steps, step, {"model": vae, "optimiser": optimiser}, every=50)
    return vae


def train_decoder(work: Path, steps: int = 1600, size: int = 3) -> AutoencoderKLWan:
    """Draw sharper what the finished encoder tells: its latents stay what they are. About 45 minutes.

    Half of the clips show what is hardest, an open shape or one that goes round.
    """
    whole_clip_forward()
    vae = new_vae()
    vae.load_state_dict(torch.load(work / "vae-clips.pt", weights_only=True)["model"])
    vae.encoder.requires_grad_(False)
    vae.quant_conv.requires_grad_(False)
    optimiser = torch.optim.AdamW([p for p in vae.parameters() if p.requires_grad], lr=1e-3, weight_decay=0)

    def step(n: int) -> Tensor:
        rng = random.Random(20_000_000 + n)
        hard = ({"shape": "ring"}, {"motion": "orbiting"}, {}, {})
        clips = [draw(rng, **fixed) if (fixed := rng.choice(hard)) else draw_any(rng) for _ in range(size)]
        pictures, weights = batch(clips)
        return _descend(vae, optimiser, pictures, _around(weights), 1e-3 * cosine(n, steps))

    train(work / "vae-decoder.pt", steps, step, {"model": vae, "optimiser": optimiser}, every=50)
    return vae


def _around(weights: Tensor) -> Tensor:
    """Let the pixels around a shape weigh as much as its edge: blur and a filled hole show there."""
    return functional.max_pool3d(weights, (1, 9, 9), 1, (0, 4, 4))


def _descend(
    vae: AutoencoderKLWan,
    optimiser: torch.optim.Optimizer,
    pictures: Tensor,
    weights: Tensor,
    rate: float,
) -> Tensor:
    for group in optimiser.param_groups:
        group["lr"] = rate
    loss = _loss(vae, pictures, weights)
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
    optimiser.step()
    return loss
