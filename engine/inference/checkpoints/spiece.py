"""The tokenizer inside a text encoder's file: sentencepiece's own format, read without its library."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram
from transformers import PreTrainedTokenizerFast

from catalog.checkpoints import TOKENIZER
from catalog.errors import UnreadableFile
from catalog.gguf import read_any_header

_MOST_BYTES = 64 << 20
_SPACE = "▁"
_UNIGRAM, _USER_DEFINED = 1, 4
_PIECES, _TRAINER, _NORMALIZER = 1, 2, 3
_PIECE, _SCORE, _TYPE = 1, 2, 3
_MODEL_TYPE, _UNKNOWN_ID = 3, 40
_CHARACTERS = 2
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_WHOLE = "</s>"

Value = int | float | bytes


@dataclass(frozen=True, slots=True)
class Spiece:
    """What a sentencepiece file says: pieces with their scores, which of them are whole words of their own,
    the piece for what is unknown, and how characters are made alike, b"" when they stay as they are."""

    pieces: tuple[tuple[str, float], ...]
    whole: tuple[str, ...]
    unknown: int
    characters: bytes


def tokenizer_in(path: Path) -> PreTrainedTokenizerFast:
    """The tokenizer in the file of a text encoder; UnreadableFile when there is none or it is damaged."""
    header = read_any_header(path)
    info = header.tensors.get(TOKENIZER)
    if info is None or info.dtype != "U8" or len(info.shape) != 1 or info.shape[0] > _MOST_BYTES:
        raise UnreadableFile("It holds no tokenizer.")
    with path.open("rb") as file:
        file.seek(header.data_start + info.start)
        return tokenizer_of(read(file.read(info.end - info.start)))


def tokenizer_of(spiece: Spiece) -> PreTrainedTokenizerFast:
    """The same tokenizer as UMT5's tokenizer.json describes it: </s> at the end, padding with <pad>."""
    words = [piece for piece, _ in spiece.pieces]
    if not {"<pad>", _WHOLE, "<unk>"} <= set(words):
        raise UnreadableFile("Its tokenizer is not that of a UMT5.")
    made = Tokenizer(Unigram(list(spiece.pieces), unk_id=spiece.unknown, byte_fallback=False))
    if spiece.characters:
        made.normalizer = _normalizer(spiece.characters)
    space = pre_tokenizers.Metaspace(replacement=_SPACE, prepend_scheme="always", split=True)
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), space])
    made.decoder = decoders.Metaspace(replacement=_SPACE, prepend_scheme="always", split=True)
    made.post_processor = processors.TemplateProcessing(
        single=f"$A {_WHOLE}", special_tokens=[(_WHOLE, words.index(_WHOLE))]
    )
    made.add_tokens([AddedToken(word, normalized=False) for word in spiece.whole])
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token=_WHOLE, unk_token="<unk>"
    )


def read(data: bytes) -> Spiece:
    """A sentencepiece file; UnreadableFile when it is damaged or of another kind than Unigram."""
    pieces: list[tuple[str, float]] = []
    whole: list[str] = []
    kind, unknown, characters = 0, -1, b""
    for number, value in _fields(data):
        if number == _PIECES:
            word, score, type_ = _piece(_inner(value))
            pieces.append((word, score))
            whole += [word] if type_ == _USER_DEFINED else []
        elif number == _TRAINER:
            said = dict(_fields(_inner(value)))
            kind, unknown = int(said.get(_MODEL_TYPE, _UNIGRAM)), int(said.get(_UNKNOWN_ID, -1))
        elif number == _NORMALIZER:
            characters = _inner(dict(_fields(_inner(value))).get(_CHARACTERS, b""))
    if kind != _UNIGRAM or not 0 <= unknown < len(pieces):
        raise UnreadableFile("Its tokenizer is not that of a UMT5.")
    return Spiece(tuple(pieces), tuple(whole), unknown, characters)


def _normalizer(characters: bytes) -> normalizers.Normalizer:
    try:
        return normalizers.Precompiled(characters)
    except Exception as error:  # the library raises nothing narrower
        raise UnreadableFile("Its tokenizer is damaged.") from error


def _piece(data: bytes) -> tuple[str, float, int]:
    said = dict(_fields(data))
    try:
        word = _inner(said.get(_PIECE, b"")).decode()
    except UnicodeDecodeError as error:
        raise UnreadableFile("Its tokenizer is damaged.") from error
    return word, float(said.get(_SCORE, 0.0)), int(said.get(_TYPE, 1))


def _inner(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise UnreadableFile("Its tokenizer is damaged.")
    return value


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """The fields of a protocol buffer message: number and value, in the order in which they stand."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        wire = key & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        size = {_EIGHT: 8, _FOUR: 4}.get(wire)
        if wire == _BYTES:
            size, at = _varint(data, at)
        if size is None or at + size > len(data):
            raise UnreadableFile("Its tokenizer is damaged.")
        piece = data[at : at + size]
        at += size
        yield key >> 3, piece if wire == _BYTES else struct.unpack("<f" if wire == _FOUR else "<d", piece)[0]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    value = 0
    for place in range(10):
        if at + place >= len(data):
            break
        byte = data[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise UnreadableFile("Its tokenizer is damaged.")
