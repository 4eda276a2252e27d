"""The header reader believes nothing: what it accepts, safetensors accepts and reads alike.

A longer search for a file that is accepted here and not there:
HYPOTHESIS_PROFILE=fuzz pytest tests/unit/catalog/test_header.py -k never_accepts --timeout=0 \\
    -o faulthandler_timeout=0
"""

import json
import os
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, safe_open

from catalog.errors import UnreadableFile
from catalog.header import DTYPE_BYTES, TensorInfo, read_header, read_scalars
from tests.unit.catalog.builders import data_size, file_bytes, framed, header_json, wan_lora

SMALL = {"a": (2, 3), "b": (4,)}


def refusal(path: Path) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_header(path)
    return str(caught.value)


def saved(folder: Path, content: bytes) -> Path:
    path = folder / "file.safetensors"
    path.write_bytes(content)
    return path


def test_a_valid_file_is_read_as_safetensors_reads_it(tmp_path: Path) -> None:
    path = saved(tmp_path, file_bytes(wan_lora(blocks=1), {"ss_output_name": "neon ☀"}))
    header = read_header(path)
    with safe_open(path, framework="numpy") as other:
        assert set(header.tensors) == set(other.keys())
        assert header.metadata == other.metadata()
        for name, info in header.tensors.items():
            assert (info.dtype, list(info.shape)) == (
                other.get_slice(name).get_dtype(),
                other.get_slice(name).get_shape(),
            )
    assert header.size == path.stat().st_size


def test_offsets_lead_to_the_bytes(tmp_path: Path) -> None:
    data = bytes(range(data_size(SMALL)))
    path = saved(tmp_path, framed(header_json(SMALL), data))
    header = read_header(path)
    info = header.tensors["b"]
    assert path.read_bytes()[header.data_start + info.start : header.data_start + info.end] == data[12:]


def test_a_cut_download_says_how_much_is_there(tmp_path: Path) -> None:
    whole = file_bytes(wan_lora(blocks=1))
    start = 8 + int.from_bytes(whole[:8], "little")
    for size in (start, start + 1, (start + len(whole)) // 2, len(whole) - 1):
        said = refusal(saved(tmp_path, whole[:size]))
        assert said == f"The download is incomplete: {size:,} of {len(whole):,} bytes."


@pytest.mark.parametrize("size", [1, 4, 8, 9, 40])
def test_a_download_cut_in_its_header_is_called_incomplete_or_foreign(tmp_path: Path, size: int) -> None:
    said = refusal(saved(tmp_path, file_bytes(SMALL)[:size]))
    assert "incomplete" in said or "not a safetensors file" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (bytes(4096), "nothing but zeros"),
        (b"<!DOCTYPE html><html><body>Please log in</body></html>", "web page"),
        (b"\n  <html lang=en>" + b"x" * 5000, "web page"),
        (b"\xef\xbb\xbf<!doctype html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "git-lfs pointer"),
        (b'{"error":"Invalid username or password."}', "“Invalid username or password.”"),
        (b'{"error":{"message":"Gated repo"}}', "“Gated repo”"),
        (b'[{"a": 1}]', "JSON text"),
        (pickle.dumps({"a": 1}, protocol=2), "pickle"),
        (pickle.dumps({"a": 1}, protocol=4), "pickle"),
        (b"GGUF\x03\0\0\0" + bytes(64), "GGUF"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "PNG image"),
        (b"\xff\xd8\xff\xe0" + bytes(64), "JPEG image"),
        (b"RIFF\x10\0\0\0WEBPVP8 " + bytes(64), "WebP image"),
        (b"\0\0\0\x20ftypisom" + bytes(64), "video"),
        (b"BZh91AY" + bytes(64), "bzip2"),
        (b"\x28\xb5\x2f\xfd" + bytes(64), "zstd"),
        (b"SQLite format 3\0" + bytes(64), "database"),
        (b"data.pkl".ljust(257, b"\0") + b"ustar\0" + bytes(64), "tar archive"),
        (b"Dear user,\nthe model is on my other page.\n", "text file"),
        ("Liebe Grüße ".encode() * 9000, "text file"),
        (os.urandom(0) + b"\xf3\x91\xc4\xaa\x01\x02\xee\x9b\xd0\xa7" * 10, "not a safetensors file"),
    ],
)
def test_a_wrong_file_is_called_by_its_name(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in refusal(saved(tmp_path, content))


def test_a_checkpoint_is_recognised_and_never_run(tmp_path: Path) -> None:
    canary = tmp_path / "canary"

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (canary,))

    path = tmp_path / "model.safetensors"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Trap()))
    assert "pickle" in refusal(path)
    assert "pickle" in refusal(saved(tmp_path, pickle.dumps(Trap())))
    assert not canary.exists()


def test_a_zip_is_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.md", "hello")
    assert "zip archive" in refusal(path)


def entry(**changes: Any) -> dict[str, Any]:
    return {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]} | changes


DAMAGED: list[tuple[str, bytes, int]] = [
    ("identical names", b'{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},' * 2, 4),
    ("overlap", json.dumps({"a": entry(), "b": entry(data_offsets=[2, 6])}).encode(), 6),
    ("hole", json.dumps({"a": entry(), "b": entry(data_offsets=[6, 10])}).encode(), 10),
    ("trailing bytes", json.dumps({"a": entry()}).encode(), 5),
    ("wrong size", json.dumps({"a": entry(shape=[3])}).encode(), 4),
    ("unknown type", json.dumps({"a": entry(dtype="Q4")}).encode(), 4),
    ("negative side", json.dumps({"a": entry(shape=[-2, -1])}).encode(), 4),
    ("minus zero", b'{"a":{"dtype":"F16","shape":[-0],"data_offsets":[0,0]}}', 0),
    ("fraction", json.dumps({"a": entry(shape=[2.0])}).encode(), 4),
    ("truth value", json.dumps({"a": entry(shape=[True, 2])}).encode(), 4),
    ("overflow", json.dumps({"a": entry(shape=[2**63, 2**63, 0], data_offsets=[0, 0])}).encode(), 0),
    ("missing field", b'{"a":{"dtype":"F16","shape":[2]}}', 4),
    ("unknown field", json.dumps({"a": entry(more=1)}).encode(), 4),
    ("no object", b'{"a":[1,2]}', 0),
    ("metadata of numbers", json.dumps({"__metadata__": {"a": 1}, "a": entry()}).encode(), 4),
    ("half a character", json.dumps({"__metadata__": {"a": "\ud800"}, "a": entry()}).encode(), 4),
    ("half a character in a name", json.dumps({"\udc00": entry()}).encode(), 4),
    ("not UTF-8", b'{"\xff":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}', 4),
    ("not JSON", b"{'a': 1}", 0),
    ("not a number", b'{"a":{"dtype":"F16","shape":[NaN],"data_offsets":[0,4]}}', 4),
    ("deep nesting", b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 0),
    ("65 dimensions", json.dumps({"a": entry(shape=[1] * 64 + [2])}).encode(), 4),
    ("huge number", b'{"a":{"dtype":"F16","shape":[' + b"9" * 5000 + b'],"data_offsets":[0,4]}}', 4),
    ("no tensors", b"{}", 0),
]


@pytest.mark.parametrize(("text", "data"), [case[1:] for case in DAMAGED], ids=[case[0] for case in DAMAGED])
def test_a_damaged_header_is_refused(tmp_path: Path, text: bytes, data: int) -> None:
    text = text[:-1] + b"}" if text.endswith(b",") else text
    assert refusal(saved(tmp_path, framed(text, bytes(data))))


def test_something_appended_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, file_bytes(SMALL))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("evil.py", "pass")
    assert "follow its end" in refusal(path)


def test_an_archive_inside_the_tensors_is_refused(tmp_path: Path) -> None:
    """torch.load opens a zip by its end: such a file would be two, a harmless one and a pickle."""
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}))
        archive.comment = b"a comment"
    evil = (tmp_path / "evil.zip").read_bytes()
    text = header_json({"a": (len(evil),)}, dtype="U8")
    assert zipfile.is_zipfile(saved(tmp_path, framed(text, evil)))
    assert "zip archive at the same time" in refusal(tmp_path / "file.safetensors")
    harmless = evil.replace(b"a comment", b"a comment that became longer")
    text = header_json({"a": (len(harmless),)}, dtype="U8")
    assert read_header(saved(tmp_path, framed(text, harmless)))  # the signature alone is only four bytes


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":{"dtype":"U8","shape":[' + b"1," * 2_000_001 + b'1],"data_offsets":[0,1]}}',
        b'{"a":[' + b"{}," * 200_003 + b"{}]}",
        b'{"a":[' + b"[]," * 400_001 + b"[]]}",
        b'{"a":[' + b'"",' * 1_200_001 + b'""]}',
        b'{"__metadata__":{"a":"' + b"x" * 25_000_000 + b'"}}',
    ],
    ids=["numbers", "objects", "lists", "strings", "metadata"],
)
def test_a_list_of_contents_that_only_takes_time_is_not_even_parsed(
    tmp_path: Path, text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path, framed(text))
    monkeypatch.setattr(json, "loads", None)
    assert refusal(path)


def test_metadata_may_hold_anything(tmp_path: Path) -> None:
    """Trainers store JSON in it, and pictures: none of that counts against the list of contents."""
    metadata = {"ss_tag_frequency": json.dumps({"a": [{}] * 300_000}), "quotes": '\\"' * 999, "end": "\\"}
    assert read_header(saved(tmp_path, file_bytes(SMALL, metadata))).metadata == metadata


@pytest.mark.parametrize("length", [0, 1, 25_000_001, 10**12, 2**64 - 1])
def test_a_header_of_an_impossible_length_is_refused_at_once(tmp_path: Path, length: int) -> None:
    assert refusal(saved(tmp_path, struct.pack("<Q", length) + b"{" + b"\xf3" * 100))
    # all that follows would be a good list of contents
    assert refusal(saved(tmp_path, struct.pack("<Q", length) + header_json({"a": (0,)})))


def test_a_name_in_a_refusal_is_one_line_of_plain_text(tmp_path: Path) -> None:
    name = "\x1b[2J\n\u202e" + "k" * 100_000
    text = json.dumps({name: {"dtype": "F16", "shape": [3], "data_offsets": [0, 4]}}).encode()
    said = refusal(saved(tmp_path, framed(text, bytes(4))))
    assert said.isprintable() and len(said) < 200


def test_too_many_tensors_are_refused(tmp_path: Path) -> None:
    one = ',"%d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
    text = "{" + "".join(one % i for i in range(200_002))[1:] + "}"
    assert "200,000" in refusal(saved(tmp_path, framed(text.encode())))


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    assert "not a file" in refusal(tmp_path)
    assert "not there" in refusal(tmp_path / "missing.safetensors")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.safetensors")  # opening it would wait for ever
        assert "not a file" in refusal(tmp_path / "pipe.safetensors")


@pytest.mark.parametrize(
    ("dtype", "data"),
    [
        ("F32", struct.pack("<f", 1.5)),
        ("F16", struct.pack("<e", 1.5)),
        ("BF16", b"\xc0\x3f"),
        ("F64", struct.pack("<d", 1.5)),
        ("F8_E4M3", b"\x3c"),
        ("F8_E5M2", b"\x3e"),
    ],
)
@pytest.mark.parametrize("shape", [(), (1,)])
def test_alphas_are_read_in_every_type(
    tmp_path: Path, dtype: str, data: bytes, shape: tuple[int, ...]
) -> None:
    path = saved(tmp_path, framed(header_json({"x.alpha": shape}, dtype=dtype), data))
    header = read_header(path)
    assert header.tensors["x.alpha"] == TensorInfo(dtype, shape, 0, len(data))
    assert read_scalars(path, header, header.tensors) == {"x.alpha": 1.5}


# Differential: whatever is accepted here, safetensors accepts and understands the same way.

NUMBERS = st.one_of(
    st.integers(0, 8), st.integers(-2, 2**70), st.floats(), st.booleans(), st.none(), st.just("2")
)
ENTRIES = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from([*DTYPE_BYTES, "F4", "f16", "", None]),
        "shape": st.one_of(st.lists(st.integers(0, 3), max_size=3), st.lists(NUMBERS, max_size=3), NUMBERS),
        "data_offsets": st.one_of(
            st.tuples(st.integers(0, 3), st.integers(0, 24)), st.lists(NUMBERS, max_size=3)
        ),
    },
    optional={"extra": NUMBERS},
)
HEADERS = st.dictionaries(
    st.one_of(st.text(max_size=4), st.just("__metadata__")),
    st.one_of(ENTRIES, st.dictionaries(st.text(max_size=3), st.one_of(st.text(max_size=3), NUMBERS))),
    max_size=3,
)
VALID = file_bytes(SMALL, {"format": "pt"})


TOKENS = st.sampled_from(
    [
        b"-",
        b"0",
        b"1e0",
        b"1.0",
        b"01",
        b"null",
        b"true",
        b"NaN",
        b"{}",
        b"[]",
        b'"',
        b"\\",
        b"\\u0061",
        b"\\ud800",
    ]
    + [
        b"}",
        b"]",
        b",",
        b":",
        b" ",
        b"\t",
        b"\x0c",
        b"\xc2\xa0",
        b"/**/",
        b"\xff",
        b"\0",
        b"__metadata__",
        b'"a"',
    ]
)


def _edited(draw: st.DrawFn, text: bytes) -> bytes:
    """The text with up to three pieces changed, added, taken away or said twice."""
    content = bytearray(text)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(content)))
        end = place + draw(st.integers(0, 4))
        if draw(st.booleans()):
            content[place:end] = draw(st.one_of(TOKENS, st.binary(max_size=4)))
        else:
            far = draw(st.integers(place, len(content)))
            content[end:end] = content[place:far]
    return bytes(content)


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    """A valid file with a few bytes changed, anywhere; or in its header, whose length is then kept right."""
    if draw(st.booleans()):
        return _edited(draw, VALID)
    text = _edited(draw, header_json(SMALL, {"format": "pt"}))
    return framed(text, bytes(data_size(SMALL) + draw(st.sampled_from([0, 0, 0, 1, 4]))))


@st.composite
def _correct(draw: st.DrawFn) -> bytes:
    """A file that is right but for unusual names, types and shapes."""
    shapes = draw(
        st.dictionaries(st.text(max_size=6), st.lists(st.integers(0, 3), max_size=3).map(tuple), max_size=4)
    )
    dtype = draw(st.sampled_from(sorted(DTYPE_BYTES)))
    metadata = draw(st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2))
    return file_bytes(shapes, metadata, dtype)


@st.composite
def _imagined(draw: st.DrawFn) -> bytes:
    text = json.dumps(draw(HEADERS), ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    return framed(text, bytes(draw(st.integers(0, 24))))


@settings(
    max_examples=3 * settings().max_examples,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(content=st.one_of(_mutated(), _correct(), _imagined(), st.binary(max_size=40)))
def test_never_accepts_what_safetensors_rejects(tmp_path: Path, content: bytes) -> None:
    path = saved(tmp_path, content)
    try:
        header = read_header(path)
    except UnreadableFile:
        return
    try:
        with safe_open(path, framework="numpy") as other:
            assert set(other.keys()) == set(header.tensors)
            assert (other.metadata() or {}) == header.metadata
            for name, info in header.tensors.items():
                seen = other.get_slice(name)
                assert (seen.get_dtype(), tuple(seen.get_shape())) == (info.dtype, info.shape)
    except SafetensorError as error:
        raise AssertionError(f"accepted what safetensors refuses: {error}") from error
