"""The tokenizer in a text encoder's file splits text as sentencepiece itself does."""

import io
from pathlib import Path

import pytest
import sentencepiece
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from catalog.checkpoints import recognise
from catalog.errors import ModelNotFound, UnreadableFile
from catalog.gguf import read_any_header
from catalog.model_assembly import model_info, read_assembly
from catalog.model_proposal import propose, suggest
from catalog.part_files import look_at
from engine.inference.checkpoints.assembled import load
from engine.inference.checkpoints.spiece import read, tokenizer_in, tokenizer_of
from tests.unit.inference.checkpoints import tiny_parts
from tests.unit.inference.checkpoints.conftest import describe

TEXT = [
    "a red ball moves left over the sea at night while the moon rises slowly",
    "dark mountains und stille Wälder, naïve cafés, élan vital — “quoted”",
    "猫 が 走る 、 夜 の 海",
] * 40


def trained(vocabulary: int = 90, kind: str = "unigram") -> bytes:
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT),
        model_writer=out,
        vocab_size=vocabulary,
        model_type=kind,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        hard_vocab_limit=False,
        user_defined_symbols=["<extra_id_0>"],
        minloglevel=2,
    )
    return out.getvalue()


MODEL = trained()
MASTER = sentencepiece.SentencePieceProcessor(model_proto=MODEL)
OURS = tokenizer_of(read(MODEL))


def ids(text: str) -> list[int]:
    return list(OURS(text)["input_ids"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a red ball",
        "  two   spaces ",
        "Ｆｕｌｌ width ﬁne",
        "unknown: Ж Ω 🙂",
        "naïve cafés at night",
    ],
)
def test_text_is_split_as_sentencepiece_does(text: str) -> None:
    assert ids(text) == [*MASTER.encode(text), 1]


@given(st.text(st.sampled_from("aredblmovs thiguñé猫海、 .,“”"), max_size=60))
def test_any_text_is_split_as_sentencepiece_does(text: str) -> None:
    assert ids(text) == [*MASTER.encode(text), 1]


def test_words_of_their_own_stay_whole() -> None:
    assert MASTER.piece_to_id("<extra_id_0>") in ids("night<extra_id_0>")


def test_it_pads_as_the_pipeline_wants() -> None:
    found = OURS("a red ball", padding="max_length", max_length=16, truncation=True)
    assert found["input_ids"][-1] == 0 and found["attention_mask"].count(1) == len(ids("a red ball"))


@pytest.mark.parametrize("cut", [1, 7, 500, len(MODEL) // 2, len(MODEL) - 3])
def test_a_damaged_file_is_no_tokenizer(cut: int) -> None:
    with pytest.raises(UnreadableFile):
        tokenizer_of(read(MODEL[:cut]))


@given(st.binary(max_size=200))
def test_noise_is_refused_or_read(noise: bytes) -> None:
    try:
        tokenizer_of(read(noise))
    except UnreadableFile:
        pass


def test_another_kind_of_tokenizer_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="not that of a UMT5"):
        read(trained(120, "bpe"))


@pytest.fixture
def umt5(tmp_path: Path, files: Path) -> Path:
    """A tiny text encoder as ComfyUI writes it."""
    tensors = load_file(files / "umt5.safetensors")
    tensors["spiece_model"] = torch.frombuffer(bytearray(MODEL), dtype=torch.uint8)
    return tiny_parts.write(tmp_path / "umt5_with.safetensors", tensors)


def test_the_file_says_that_it_brings_its_tokenizer(umt5: Path, files: Path) -> None:
    assert recognise(read_any_header(umt5)).has_tokenizer
    assert not recognise(read_any_header(files / "umt5.safetensors")).has_tokenizer
    assert tokenizer_in(umt5)("a red ball")["input_ids"] == ids("a red ball")


def test_a_model_needs_no_tokenizer_beside_such_a_file(umt5: Path, files: Path, tmp_path: Path) -> None:
    parts = {
        "high": str(files / "tiny_high_noise.safetensors"),
        "low": str(files / "tiny_low_noise.safetensors"),
        "vae": str(files / "vae.safetensors"),
        "text_encoder": str(umt5),
    }
    info = model_info(read_assembly(describe(tmp_path / "own.wanmodel.json", parts)))
    loaded = load(info, torch.device("cpu"))
    assert loaded.tokenizer("a red ball")["input_ids"] == ids("a red ball")
    without = parts | {"text_encoder": str(files / "umt5.safetensors")}
    with pytest.raises(ModelNotFound, match="lacks the tokenizer"):
        model_info(read_assembly(describe(tmp_path / "none.wanmodel.json", without)))


def test_the_dialog_does_not_ask_for_what_the_file_brings(umt5: Path, files: Path) -> None:
    names = ("tiny_high_noise.safetensors", "tiny_low_noise.safetensors", "vae.safetensors")
    others = [look_at(files / name) for name in names]
    for text, is_asked in ((umt5, False), (files / "umt5.safetensors", True)):
        found = [*others, look_at(text)]
        proposal = propose(found, suggest(found))
        assert [each.part for each in proposal.missing] == (["tokenizer"] if is_asked else [])
        assert bool(proposal.problem) == is_asked
