"""Prompt → text embeddings, as diffusers' Wan pipeline makes them."""

import html
import re
from collections import OrderedDict
from collections.abc import Iterable

import ftfy
import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase, UMT5EncoderModel

MAX_TOKENS = 512
_KEPT = 32


def clean(prompt: str) -> str:
    """Mend broken Unicode, unescape HTML twice, fold white space; the pipeline does the same."""
    text = html.unescape(html.unescape(ftfy.fix_text(prompt))).strip()
    return re.sub(r"\s+", " ", text).strip()


class PromptEncoder:
    """Encodes prompts and remembers the last few on the host, so that the same words again cost nothing."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, text_encoder: UMT5EncoderModel, device: torch.device
    ) -> None:
        self._tokenizer = tokenizer
        self._text_encoder, self._device = text_encoder, device
        self._known: OrderedDict[str, Tensor] = OrderedDict()

    @property
    def blocks(self) -> Iterable[nn.Module]:
        """The pieces between which encoding can be cancelled."""
        blocks: Iterable[nn.Module] = self._text_encoder.encoder.block
        return blocks

    def encode(self, prompt: str) -> Tensor:
        """Embeddings [1, 512, width], zeros after the prompt's last token, on the model's device."""
        prompt = clean(prompt)
        if prompt not in self._known:
            self._known[prompt] = self._encode(prompt).cpu()
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(prompt)
        return self._known[prompt].to(self._device)

    def _encode(self, prompt: str) -> Tensor:
        tokens = self._tokenizer(
            [prompt],
            padding="max_length",
            max_length=MAX_TOKENS,
            truncation=True,
            add_special_tokens=True,
            return_attention_mask=True,
            return_tensors="pt",
        )
        device = self._device
        mask = tokens.attention_mask.to(device)
        states: Tensor = self._text_encoder(tokens.input_ids.to(device), mask).last_hidden_state
        length = int(mask.sum())
        states = states.clone()
        states[:, length:] = 0
        return states
