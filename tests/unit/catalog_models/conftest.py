"""Files of models at full size, as holes that take no room on disk."""

import os
import sys
from pathlib import Path

import pytest

from catalog.header import Header
from tests.unit.catalog import builders
from tests.unit.catalog_models import real_shapes


def write_header(path: Path, header: Header) -> Path:
    """A file of full size with that header; its weights are a hole, which takes no room on disk."""
    shapes = {name: info.shape for name, info in header.tensors.items()}
    text = builders.header_json(shapes, dtype="BF16")
    with path.open("wb") as file:
        file.write(builders.framed(text))
        file.truncate(8 + len(text) + builders.data_size(shapes, "BF16"))
    return path


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parts of Wan 2.2 T2V A14B and of TI2V 5B at full size."""
    if sys.platform == "win32":
        pytest.skip("holes in files take room there")
    made = tmp_path_factory.mktemp("parts")
    for name, header in {
        "t2v_high_noise.safetensors": real_shapes.transformer("wan2.2-t2v-a14b"),
        "t2v_low_noise.safetensors": real_shapes.transformer("wan2.2-t2v-a14b"),
        "second_high_noise.safetensors": real_shapes.transformer("wan2.2-t2v-a14b"),
        "i2v_high_noise.safetensors": real_shapes.transformer("wan2.2-i2v-a14b"),
        "i2v_low_noise.safetensors": real_shapes.transformer("wan2.2-i2v-a14b"),
        "5b.safetensors": real_shapes.transformer("wan2.2-ti2v-5b"),
        "vae21.safetensors": real_shapes.vae("2.1"),
        "vae22.safetensors": real_shapes.vae("2.2"),
        "umt5.safetensors": text_encoder(4096),
        "small_umt5.safetensors": text_encoder(64),
    }.items():
        write_header(made / name, header)
    (made / "tokenizer").mkdir()
    (made / "tokenizer" / "tokenizer.json").write_text("{}")
    (made / "lora.safetensors").write_bytes(builders.file_bytes(builders.wan_lora()))
    (made / "old.pth").write_bytes(b"PK\x03\x04" + b"archive/data.pkl" + b"\0" * 99)
    short = write_header(made / "short.safetensors", real_shapes.vae("2.1"))
    os.truncate(short, short.stat().st_size - 1)
    return made


def text_encoder(width: int) -> Header:
    bias = "layer.0.SelfAttention.relative_attention_bias.weight"
    return builders.header_of(
        {
            "shared.weight": (100, width),
            "encoder.block.0.layer.0.SelfAttention.q.weight": (width, width),
            f"encoder.block.0.{bias}": (32, 4),
            f"encoder.block.1.{bias}": (32, 4),
        }
    )
