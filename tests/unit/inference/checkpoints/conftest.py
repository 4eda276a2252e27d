"""One tiny two-expert model, stored as a diffusers folder and as single files."""

import json
import shutil
from pathlib import Path

import pytest
from diffusers import UniPCMultistepScheduler
from transformers import UMT5EncoderModel

import resources
from tests import original_names
from tests.unit.inference.checkpoints import tiny_parts

SHIFT = 5.0
EXPERTS = {"transformer": 1, "transformer_2": 2}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model in diffusers' layout, with the demo's text side."""
    made = tmp_path_factory.mktemp("models") / "folder"
    demo = resources.path("demo")
    for part in ("tokenizer", "text_encoder"):
        shutil.copytree(demo / part, made / part)
    for name, seed in EXPERTS.items():
        tiny_parts.transformer(seed=seed, text_dim=64).save_pretrained(made / name)
    tiny_parts.vae().save_pretrained(made / "vae")
    UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=SHIFT
    ).save_pretrained(made / "scheduler")
    shutil.copy(demo / "model_index.json", made)
    return made


@pytest.fixture(scope="session")
def files(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model in single files as ComfyUI has them, beside them their description."""
    made = tmp_path_factory.mktemp("files")
    for seed, name in ((1, "tiny_high_noise.safetensors"), (2, "tiny_low_noise.safetensors")):
        model = tiny_parts.transformer(seed=seed, text_dim=64)
        tiny_parts.write(made / name, tiny_parts.original(model, "model.diffusion_model."))
    vae = {original_names.of_vae_21(k): t for k, t in tiny_parts.vae().state_dict().items()}
    tiny_parts.write(made / "vae.safetensors", vae)
    text = UMT5EncoderModel.from_pretrained(folder / "text_encoder").state_dict()
    del text["encoder.embed_tokens.weight"]
    tiny_parts.write(made / "umt5.safetensors", text)
    shutil.copytree(folder / "tokenizer", made / "tokenizer")
    parts = {
        "high": "tiny_high_noise.safetensors", "low": "tiny_low_noise.safetensors", "vae": "vae.safetensors",
        "text_encoder": "umt5.safetensors", "tokenizer": "tokenizer",
    }  # fmt: skip
    describe(made / "tiny.wanmodel.json", parts)
    return made


def describe(path: Path, parts: dict[str, str], **more: object) -> Path:
    """Write a description of a model of those parts."""
    value = {"format": 1, "title": "Tiny", "model": "other", "parts": parts} | more
    path.write_text(json.dumps(value), "utf-8")
    return path
