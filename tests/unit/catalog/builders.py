"""Small safetensors files and headers, written by hand so that they can also be wrong."""

import json
from collections.abc import Iterable, Mapping
from math import prod
from pathlib import Path
from typing import Any

from catalog.folders import Folders
from catalog.header import DTYPE_BYTES, Header, parse_header

Shapes = Mapping[str, tuple[int, ...]]

BLOCK_LINEARS = ("self_attn.q", "self_attn.k", "self_attn.v", "self_attn.o") + (
    "cross_attn.q",
    "cross_attn.k",
    "cross_attn.v",
    "cross_attn.o",
    "ffn.0",
    "ffn.2",
)


def header_json(shapes: Shapes, metadata: Mapping[str, str] | None = None, dtype: str = "F16") -> bytes:
    """A correct header for tensors that follow one another."""
    entries: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    start = 0
    for name, shape in shapes.items():
        end = start + prod(shape) * DTYPE_BYTES[dtype]
        entries[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}
        start = end
    return json.dumps(entries).encode()


def data_size(shapes: Shapes, dtype: str = "F16") -> int:
    return sum(prod(shape) for shape in shapes.values()) * DTYPE_BYTES[dtype]


def header_of(shapes: Shapes, metadata: Mapping[str, str] | None = None, dtype: str = "F16") -> Header:
    """The header alone, so that files of any size can be spoken of."""
    text = header_json(shapes, metadata, dtype)
    return parse_header(text, 8 + len(text) + data_size(shapes, dtype))


def framed(text: bytes, data: bytes = b"") -> bytes:
    """The bytes of a file with this header and data."""
    return len(text).to_bytes(8, "little") + text + data


def file_bytes(
    shapes: Shapes, metadata: Mapping[str, str] | None = None, dtype: str = "F16", fill: bytes = b"\x11"
) -> bytes:
    return framed(header_json(shapes, metadata, dtype), fill * data_size(shapes, dtype))


def pair(path: str, rank: int, into: int, out: int, style: str = "AB") -> dict[str, tuple[int, ...]]:
    """The two factors of one layer, as two naming styles write them."""
    down, up = ("lora_A", "lora_B") if style == "AB" else ("lora_down", "lora_up")
    return {f"{path}.{down}.weight": (rank, into), f"{path}.{up}.weight": (out, rank)}


def wan_lora(
    width: int = 192, blocks: int = 2, rank: int = 4, prefix: str = "diffusion_model.", ffn: int | None = None
) -> dict[str, tuple[int, ...]]:
    """A LoRA on every linear layer of a Wan of this size."""
    ffn = ffn or 4 * width
    shapes: dict[str, tuple[int, ...]] = {}
    for block in range(blocks):
        for name in BLOCK_LINEARS:
            into, out = (ffn if name == "ffn.2" else width), (ffn if name == "ffn.0" else width)
            shapes |= pair(f"{prefix}blocks.{block}.{name}", rank, into, out)
    return shapes


def sdxl_lora() -> dict[str, tuple[int, ...]]:
    stem = "lora_unet_down_blocks_2_attentions_0_transformer_blocks"
    return {
        name: shape
        for block in range(3)
        for name, shape in pair(f"{stem}_{block}_attn2_to_k", 4, 2048, 1280, "down").items()
    }


def write(
    path: Path, shapes: Shapes | None = None, metadata: Mapping[str, str] | None = None, fill: int = 17
) -> Path:
    """A valid file; another `fill` makes another content of the same size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file_bytes(shapes or wan_lora(width=64, blocks=1), metadata, fill=bytes([fill])))
    return path


def folders_in(root: Path) -> Folders:
    built_in = root / "built in"
    built_in.mkdir(parents=True, exist_ok=True)
    return Folders(root / "loras", built_in, root / "outputs", root / "state")


def tree(root: Path) -> dict[str, bytes]:
    """Every file under `root` with its content."""
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def names(paths: Iterable[Path]) -> list[str]:
    return sorted(path.name for path in paths)
