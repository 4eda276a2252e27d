"""What a file that is no safetensors file really is, from its first bytes; nothing is ever opened or run."""

import json

_MAGIC = (
    (b"GGUF", "This is a GGUF model, not a LoRA in .safetensors format."),
    (b"\x89PNG", "This is a PNG image, not a LoRA or a model."),
    (b"\xff\xd8\xff", "This is a JPEG image, not a LoRA or a model."),
    (b"GIF8", "This is a GIF image, not a LoRA or a model."),
    (b"%PDF", "This is a PDF document, not a LoRA or a model."),
    (b"\x1f\x8b", "This is a gzip archive, not a LoRA or a model: unpack it first."),
    (b"BZh", "This is a bzip2 archive, not a LoRA or a model: unpack it first."),
    (b"\xfd7zXZ", "This is an xz archive, not a LoRA or a model: unpack it first."),
    (b"\x28\xb5\x2f\xfd", "This is a zstd archive, not a LoRA or a model: unpack it first."),
    (b"SQLite format 3", "This is a database, not a LoRA or a model."),
    (b"lmgg", "This is a GGML model, not a LoRA in .safetensors format."),
    (b"7z\xbc\xaf", "This is a 7z archive, not a LoRA or a model: unpack it first."),
    (b"Rar!", "This is a RAR archive, not a LoRA or a model: unpack it first."),
    (b"\x93NUMPY", "This is a NumPy array, not a LoRA or a model."),
    (b"\x89HDF", "This is an HDF5 file, not a LoRA or a model."),
    (b"MZ", "This is a Windows program, not a LoRA or a model."),
    (b"\x7fELF", "This is a Linux program, not a LoRA or a model."),
)
_PICKLE = "can run programs when it is opened, so it is never opened here"


def what_it_is(start: bytes, size: int) -> str:
    """One sentence about a file of `size` bytes that begins with `start` (up to 64 KiB of it)."""
    if size == 0:
        return "The file is empty."
    if not start.strip(b"\0"):
        return "The file holds nothing but zeros: the download was never written."
    return _by_magic(start) or _as_text(start) or _by_length(start, size)


def _by_magic(start: bytes) -> str:
    if start[:4] == b"PK\x03\x04":
        return _zip(start)
    if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return f"This is a Python pickle; it {_PICKLE}."
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "This is a WebP image, not a LoRA or a model."
    if start[4:8] == b"ftyp" or start[:4] == b"\x1aE\xdf\xa3":
        return "This is a video, not a LoRA or a model."
    if start[257:262] == b"ustar":
        return "This is a tar archive, not a LoRA or a model: unpack it first."
    return next((sentence for magic, sentence in _MAGIC if start.startswith(magic)), "")


def _zip(start: bytes) -> str:
    if b"data.pkl" in start or b"/version" in start:
        return f"This is a PyTorch checkpoint (a pickle); it {_PICKLE}."
    return "This is a zip archive, not a LoRA or a model: unpack it first."


def _as_text(start: bytes) -> str:
    if start.startswith(b"version https://git-lfs"):
        return "This is a git-lfs pointer: the file itself was never downloaded."
    text = _text(start)
    if text is None:
        return ""
    if text.lower().startswith(("<!doctype", "<html", "<head", "<body", "<?xml", "<!--", "<script", "<meta")):
        return "This is a web page, not a LoRA or a model: the download probably needs a login."
    if text.startswith(("{", "[")):
        return _json(text)
    return "This is a text file, not a LoRA or a model."


def _text(start: bytes) -> str | None:
    """`start` as text without its surrounding blanks, None when it is not text."""
    try:
        text = start.decode("utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        if error.end < len(start) - 4:  # only the last character may be cut
            return None
        text = start[: error.start].decode("utf-8", "replace")
    control = sum(not (c.isprintable() or c in "\t\r\n\f") for c in text)
    return text.strip() if text.strip() and control == 0 else None


def _json(text: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "This is a JSON text, not a LoRA or a model."
    said = (
        value.get("error") or value.get("message") or value.get("detail") if isinstance(value, dict) else None
    )
    if isinstance(said, dict):
        said = said.get("message")
    if said:
        return (
            f"This is a server’s error message, not a LoRA or a model: “{' '.join(str(said).split())[:120]}”."
        )
    return "This is a JSON text, not a LoRA or a model."


def _by_length(start: bytes, size: int) -> str:
    if size < 9:
        return (
            f"The download is incomplete: only {size} byte{' of it is' if size == 1 else 's of it are'} here."
        )
    return "This is not a safetensors file."
