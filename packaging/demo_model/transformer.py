"""The demo's denoiser, and cross-attention that counts 512 tokens without computing them."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from diffusers import WanTransformer3DModel
from diffusers.models.transformers.transformer_wan import WanAttention, WanAttnProcessor
from text import LONGEST, WIDTH
from torch import Tensor

BOUNDARY = 0.875  # in sigma: the high-noise expert works at or above it


def new_transformer(seed: int = 0) -> WanTransformer3DModel:
    """An untrained denoiser, of 3.9 M parameters."""
    torch.manual_seed(seed)
    model = WanTransformer3DModel(
        num_attention_heads=6,
        attention_head_dim=32,
        in_channels=16,
        out_channels=16,
        text_dim=WIDTH,
        freq_dim=64,
        ffn_dim=768,
        num_layers=6,
        rope_max_seq_len=1024,
    )
    return start_listening(model)


@torch.no_grad()
def start_listening(model: WanTransformer3DModel) -> WanTransformer3DModel:
    """Initial values with which the caption is heard from the first step.

    500 of 512 tokens are padding. Without biases their keys and values are zero, and with larger
    norms a real token can outweigh them at once; otherwise that is learnt slowly, and motion last.
    """
    for name, parameter in model.named_parameters():
        if name.endswith(("attn2.norm_q.weight", "attn2.norm_k.weight")):
            parameter.fill_(1.6)
        elif name.endswith("bias"):
            parameter.zero_()
        elif name.startswith("blocks.") and parameter.ndim == 2:
            torch.nn.init.xavier_uniform_(parameter)
    model.proj_out.weight.zero_()
    return model


class CountedAttention(WanAttnProcessor):
    """Cross-attention in which one zero token stands for all the padding up to 512.

    The pipeline pads captions with zeros to 512 tokens and attends to all of them. Equal tokens share
    one key and one value, so n of them weigh as much as one whose score is log(n) higher.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bias: Tensor | None = None

    def __call__(
        self,
        attn: WanAttention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        rotary_emb: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        return super().__call__(attn, hidden_states, encoder_hidden_states, self.bias, rotary_emb)


def padding_bias(lengths: Tensor, tokens: int) -> Tensor:
    """What to add to the scores [B, 1, 1, tokens] of captions with `lengths` [B] real tokens."""
    place, last = torch.arange(tokens)[None], lengths[:, None]
    bias = torch.where(place < last, 0.0, -torch.inf)
    bias = torch.where(place == last, (LONGEST - last).float().log(), bias)
    return bias[:, None, None]


def count_padding(model: WanTransformer3DModel) -> CountedAttention:
    """Make the model's cross-attention take L+1 tokens; set `bias` on the result before each call."""
    processor = CountedAttention()
    for block in model.blocks:
        block.attn2.set_processor(processor)
    return processor


@contextmanager
def padded(model: WanTransformer3DModel) -> Iterator[CountedAttention]:
    """`count_padding` for a while."""
    before = [block.attn2.processor for block in model.blocks]
    yield count_padding(model)
    for block, processor in zip(model.blocks, before, strict=True):
        block.attn2.set_processor(processor)
