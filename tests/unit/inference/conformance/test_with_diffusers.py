"""diffusers and PEFT, an arithmetic by other hands, hear the same in the files that they read correctly."""

import copy
from pathlib import Path
from typing import Any

import pytest
from diffusers import WanPipeline
from peft import LoraConfig, get_peft_model_state_dict
from torch import nn

from catalog.header import read_header
from engine.inference.lora.read import read_adapter
from tests.unit.inference.conformance import law, models
from tests.unit.inference.conformance.bench import bases, bench
from tests.unit.inference.conformance.cases import DIALECTS, PARTLY, TYPES
from tests.unit.inference.conformance.files import make, source

READ_CORRECTLY = (
    "native_AB",
    "native_updown_alpha",
    "native_AB_alpha",
    "native_AB_full",
    "native_partial",
    "native_mixed_rank",
    "native_one_alpha_only",
    "native_alpha_on_one_module",
    "diffusers",
    "diffusers_full",
    "diffusers_meta_alpha",
    "diffusers_meta_rslora",
    "diffusers_meta_patterns",
    "diffusers_two_experts",
    "diffusers_lora_bias",
    "musubi",
    "dora_peft",
    "i2v_lora_on_t2v",
    "alpha_zero",
)
CASES = {**DIALECTS, **TYPES, **PARTLY}

pytestmark = pytest.mark.filterwarnings("ignore")


def _in_diffusers(transformer: nn.Module, file: Path) -> Any:
    pipeline = WanPipeline(None, None, None, None, copy.deepcopy(transformer))
    pipeline.load_lora_weights(file.parent, weight_name=file.name, adapter_name="a")
    return pipeline


@pytest.mark.parametrize("name", READ_CORRECTLY)
def test_a_file_that_diffusers_reads(name: str, tmp_path: Path) -> None:
    made = bench(tmp_path)
    file = make(CASES[name], made.bare, name)
    made.attach("a", file)
    pipeline = _in_diffusers(made.bare["high"], made.folder / "a" / "adapter.safetensors")
    # PEFT's DoRA is linear in no strength but 1
    for strength in (1.0,) if name == "dora_peft" else (1.0, -0.5):
        made.set(a=strength)
        pipeline.set_adapters("a", strength)
        law.assert_close(made.answer(), models.answer("t2v", pipeline.transformer))


@pytest.mark.parametrize("kind", ["t2v", "i2v"])
def test_a_text_to_video_file_on_any_model(kind: str, tmp_path: Path) -> None:
    made = bench(tmp_path, kind)
    made.attach("a", make(DIALECTS["native_AB"], bases("t2v"), "from text"))
    made.set(a=1.0)
    pipeline = _in_diffusers(made.bare["high"], made.folder / "a" / "adapter.safetensors")
    law.assert_close(made.answer(), models.answer(kind, pipeline.transformer))


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"lora_alpha": 8},
        {"lora_alpha": 8, "use_rslora": True},
        {"lora_alpha": 8, "lora_bias": True},
        {"lora_alpha": 4, "use_dora": True},
        {"rank_pattern": {"attn1.to_q": 2}, "alpha_pattern": {"ffn.net.2": 16, "blocks.1.attn1.to_q": 1}},
    ],
    ids=lambda config: "-".join(config) or "plain",
)
def test_a_file_that_diffusers_writes(config: dict[str, Any], tmp_path: Path) -> None:
    made = bench(tmp_path)
    trained: Any = copy.deepcopy(made.bare["high"])
    targets = ["to_q", "to_k", "to_v", "to_out.0", "ffn.net.0.proj", "ffn.net.2"]
    trained.add_adapter(LoraConfig(r=4, target_modules=targets, **config), "a")
    drawn = source("trained")
    for name, parameter in trained.named_parameters():
        if "lora_" in name:
            parameter.data += drawn(*parameter.shape).abs()
    WanPipeline.save_lora_weights(
        tmp_path,
        transformer_lora_layers=get_peft_model_state_dict(trained, adapter_name="a"),
        transformer_lora_adapter_metadata=trained.peft_config["a"].to_dict(),
    )
    path = tmp_path / "pytorch_lora_weights.safetensors"
    made.rack.attach("a", read_adapter(path, read_header(path)))
    made.set(a=1.0)
    law.assert_close(made.answer(), models.answer("t2v", trained.eval()))
