"""Stage `text`: a tokenizer trained on the captions and a frozen random UMT5 encoder."""

import itertools
import json
from functools import cache
from pathlib import Path

import torch
from clips import COLOURS, HELD_BACK, MOTIONS, SCENES, SHAPES
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from torch import Tensor
from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

WIDTH, LONGEST = 64, 512
TRIGGERS = (HELD_BACK["shape"], HELD_BACK["motion"], HELD_BACK["size"], *HELD_BACK["looks"])


def sentences() -> list[str]:
    """Every caption of the base world, and some with the words that only LoRAs know."""
    plain = [
        f"a {colour} {shape} {motion} {scene}"
        for colour, shape, motion, scene in itertools.product(COLOURS, SHAPES, MOTIONS, SCENES)
    ]
    return plain + [f"{word} {s}" for word in TRIGGERS for s in plain[::3]]


def new_tokenizer() -> PreTrainedTokenizerFast:
    """A Unigram tokenizer with one piece for every word of the demo's world, letters for the rest."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Lowercase(), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=160,
        special_tokens=["<pad>", "</s>", "<unk>"],
        unk_token="<unk>",
        initial_alphabet=list("abcdefghijklmnopqrstuvwxyz0123456789,.-'"),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sentences(), trainer)
    whole_words(tokenizer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=LONGEST,
    )


def whole_words(tokenizer: Tokenizer) -> None:
    """Make sure that each word of the captions is one piece, whatever the training preferred."""
    state = json.loads(tokenizer.to_str())
    words = {word for sentence in sentences() for word in sentence.split()}
    scores = dict(state["model"]["vocab"]) | {f"▁{word}": -1.0 for word in sorted(words)}
    tokenizer.model = models.Unigram(list(scores.items()), state["model"]["unk_id"], False)


def new_encoder(vocabulary: int) -> UMT5EncoderModel:
    """An encoder of width 64 that is never trained: the transformer learns to read what it says.

    Embeddings of standard deviation 1 keep distinct words apart.
    """
    torch.manual_seed(0)
    config = UMT5Config(
        vocab_size=vocabulary,
        d_model=WIDTH,
        d_kv=WIDTH // 4,
        d_ff=2 * WIDTH,
        num_layers=2,
        num_heads=4,
        dropout_rate=0.0,
        pad_token_id=0,
        eos_token_id=1,
    )
    encoder = UMT5EncoderModel(config)
    torch.nn.init.normal_(encoder.shared.weight)
    return encoder.eval().requires_grad_(False)


def make_text(work: Path) -> None:
    """Write `tokenizer/` and `text_encoder/` below `work`. Seconds."""
    tokenizer = new_tokenizer()
    tokenizer.save_pretrained(work / "tokenizer")
    new_encoder(len(tokenizer)).save_pretrained(work / "text_encoder")


class Reader:
    """Turns captions into embeddings as the pipeline does, each distinct caption once."""

    def __init__(self, work: Path) -> None:
        self.tokenizer = PreTrainedTokenizerFast.from_pretrained(work / "tokenizer")
        self.encoder = UMT5EncoderModel.from_pretrained(work / "text_encoder").eval()
        self.one = cache(self._one)

    @torch.no_grad()
    def _one(self, caption: str) -> Tensor:
        tokens = self.tokenizer(caption, return_tensors="pt")
        return self.encoder(tokens.input_ids, tokens.attention_mask).last_hidden_state[0]

    def __call__(self, captions: list[str]) -> tuple[Tensor, Tensor]:
        """Embeddings [B, L+1, 64] of captions and their lengths [B]; the rest is zero."""
        rows = [self.one(c) for c in captions]
        lengths = torch.tensor([len(r) for r in rows])
        padded = torch.zeros(len(rows), int(lengths.max()) + 1, WIDTH)
        for i, row in enumerate(rows):
            padded[i, : len(row)] = row
        return padded, lengths
