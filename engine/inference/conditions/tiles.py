"""The VAE's way in for pictures that do not fit: tile by tile where they are large, without seams."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from diffusers import AutoencoderKLWan
from torch import Tensor

_INSIDE, _AROUND, _STRIDE = 256, 80, 8
"""Of a tile, in cells (pixels, or 2 × 2 of them for Wan 2.2): its side, how far around it the stages see, and
how many cells become one behind them."""

Span = tuple[int, int]


def encoded(vae: AutoencoderKLWan, chunks: Sequence[Tensor]) -> Iterable[Tensor]:
    """What the encoder answers to each chunk [1, C, T, H, W] of a clip, within rounding.

    Its stages see so far and no further, so every tile is computed with all that they can see around it.
    Behind them the picture is small, and the rest, which looks at all of it, is computed as a whole.
    """
    height, width = chunks[0].shape[3:]
    rows = [[_staged(vae, chunks, y, x) for x in _spans(width)] for y in _spans(height)]
    known: list[Any] = [None] * vae._enc_conv_num
    for index in range(len(chunks)):
        whole = torch.cat([torch.cat([tile[index] for tile in row], dim=4) for row in rows], dim=3)
        yield _finished(vae, whole.to(vae.device), known)


def _spans(size: int) -> list[Span]:
    """A side in as few equal parts as may be, each of whole features."""
    count = -(-size // _INSIDE)
    part = -(-size // (count * _STRIDE)) * _STRIDE
    return [(start, min(start + part, size)) for start in range(0, size, part)]


def _staged(vae: AutoencoderKLWan, chunks: Sequence[Tensor], y: Span, x: Span) -> list[Tensor]:
    """What the stages make of one tile of all chunks, on the host."""
    encoder, known = vae.encoder, [None] * vae._enc_conv_num
    (top, bottom), (left, right) = _wide(y), _wide(x)
    first, beside = (y[0] - top) // _STRIDE, (x[0] - left) // _STRIDE
    high, wide = -(-(y[1] - y[0]) // _STRIDE), -(-(x[1] - x[0]) // _STRIDE)
    found = []
    for chunk in chunks:
        values, place = chunk[:, :, :, top:bottom, left:right].to(vae.device), [0]
        values = _convolved(encoder.conv_in, values, known, place)
        for stage in encoder.down_blocks:
            values = stage(values, feat_cache=known, feat_idx=place)
        found.append(values[:, :, :, first : first + high, beside : beside + wide].cpu())
    return found


def _wide(span: Span) -> Span:
    return max(0, span[0] - _AROUND), span[1] + _AROUND


def _finished(vae: AutoencoderKLWan, values: Tensor, known: list[Any]) -> Tensor:
    encoder, place = vae.encoder, [0]
    values = encoder.mid_block(values, feat_cache=known, feat_idx=place)
    return _convolved(encoder.conv_out, encoder.nonlinearity(encoder.norm_out(values)), known, place)


def _convolved(layer: Any, values: Tensor, known: list[Any], place: list[int]) -> Tensor:
    """A layer that sees the two frames before these, as diffusers' encoder asks it."""
    before, last = known[place[0]], values[:, :, -2:].clone()
    if last.shape[2] < 2 and before is not None:
        last = torch.cat([before[:, :, -1:], last], dim=2)
    answer: Tensor = layer(values, before)
    known[place[0]] = last
    place[0] += 1
    return answer
