"""Stage `pack`: everything that was trained, as a diffusers folder with its LoRA files."""

import json
import shutil
from pathlib import Path

from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel
from text import Reader
from transformer import BOUNDARY


def new_scheduler() -> UniPCMultistepScheduler:
    """UniPC for flow matching with the shift that the denoiser was trained with."""
    return UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)


def write_pack(
    text: Path,
    out: Path,
    vae: AutoencoderKLWan,
    high: WanTransformer3DModel,
    low: WanTransformer3DModel,
) -> None:
    """Write the pipeline's folder; `high` and `low` should already be bfloat16, to stay small."""
    reader = Reader(text)
    pipeline = WanPipeline(
        tokenizer=reader.tokenizer,
        text_encoder=reader.encoder,
        vae=vae,
        scheduler=new_scheduler(),
        transformer=high,
        transformer_2=low,
        boundary_ratio=BOUNDARY,
    )
    pipeline.save_pretrained(out)
    for config in out.rglob("*.json"):
        _tidy(config)


def _tidy(config: Path) -> None:
    """Drop what describes the machine that built the pack, and name the tokenizer as every release knows it."""
    text = config.read_text("utf-8").replace("TokenizersBackend", "PreTrainedTokenizerFast")
    content = json.loads(text)
    for key in ("_name_or_path", "is_local", "local_files_only"):
        content.pop(key, None)
    config.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


def copy_loras(work: Path, out: Path) -> None:
    """Put the trained LoRA files beside the pipeline."""
    (out / "loras").mkdir(parents=True, exist_ok=True)
    for file in sorted(work.glob("*.safetensors")):
        shutil.copyfile(file, out / "loras" / file.name)


def size_of(out: Path) -> int:
    """Bytes of everything in the pack."""
    return sum(f.stat().st_size for f in out.rglob("*") if f.is_file())
