"""Every dialect and adapter type that people's Wan files come in, one row each: name → recipe."""

import json
from collections import ChainMap
from collections.abc import Callable, Mapping
from functools import partial as kind
from typing import Any

import torch
from torch import Tensor

from tests.unit.inference.conformance.files import (
    BLOCKS,
    BLOCKS_BUT_ONE,
    CONVOLUTIONS,
    FFN,
    LINEARS,
    NORMS,
    ONE,
    POSITIONS,
    SQUARE,
    TABLES,
    Case,
    File,
    Part,
)
from tests.unit.inference.conformance.kinds import (
    Kind,
    boft,
    both,
    difference,
    dora,
    glora,
    ia3,
    locon_tucker,
    loha,
    lokr,
    oft,
    pair,
    rs_scale,
    set_weight,
)
from tests.unit.inference.conformance.names import (
    AITOOLKIT_HIGH,
    AITOOLKIT_LOW,
    BARE,
    DIFFUSERS,
    DIFFUSERS_BARE,
    DIFFUSERS_LOW,
    KOHYA,
    KOHYA_DIFFUSERS,
    LYCORIS,
    MODEL,
    NATIVE,
    NATIVE_DIFFUSERS,
    ONETRAINER,
    PEFT_DIFFUSERS,
    PEFT_TRANSFORMER,
    PEFT_WAN,
    PIPE_DIT,
    STACKED,
    TRANSFORMER_WAN,
    VIDEOX,
    VIDEOX_DIFFUSERS,
    WRAPPED,
    Style,
)

AB = kind(pair)
AB_ALPHA = kind(pair, alpha=2.0)
UPDOWN = kind(pair, spelling="updown", alpha=2.0)
DEFAULT = kind(pair, spelling="default")
HALF = kind(pair, spelling="updown", alpha=2.0, dtype=torch.float16)
BRAIN = kind(pair, spelling="updown", alpha=2.5, dtype=torch.bfloat16, one_dimensional=True)
WHOLE = kind(difference)
BIAS = kind(difference, names=("", ".diff_b"))
BLOCK_TABLE = kind(difference, names=(".diff_m", ""))
NORM = kind(difference, names=(".w_norm", ".b_norm"))
PAIR_AND_BIAS = kind(both, kinds=(kind(pair, spelling="updown"), BIAS))


def one(style: Style, made: Kind, where: str = BLOCKS, **extra: Any) -> Case:
    """A file of a single kind."""
    return Case((Part(style, made, where),), **extra)


def stated(component: str = "transformer", **config: Any) -> dict[str, str]:
    """The metadata in which diffusers keeps PEFT's configuration."""
    config = {"r": 4, "target_modules": ["to_q", "to_k", "to_v", "to_out.0", "proj", "net.2"]} | config
    entries = {f"{component}.{name}": value for name, value in config.items()}
    return {"lora_adapter_metadata": json.dumps(entries, indent=2, sort_keys=True)}


def stated_both(*metadata: dict[str, str]) -> dict[str, str]:
    """One metadata out of several components'."""
    entries = [json.loads(each["lora_adapter_metadata"]) for each in metadata]
    return {"lora_adapter_metadata": json.dumps(dict(ChainMap(*entries)))}


def with_text_encoder(style: str) -> Callable[[File, Callable[..., Tensor]], None]:
    """Adds a pair for the text encoder, which has to be ignored."""

    def spoil(file: File, drawn: Callable[..., Tensor]) -> None:
        keys = {f"{style}.lora_down.weight": drawn(4, 16), f"{style}.lora_up.weight": drawn(16, 4)}
        file.tensors |= keys
        file.ignored |= keys.keys()

    return spoil


def without(half: str) -> Callable[[File, Callable[..., Tensor]], None]:
    """Takes one half of one pair away; what is left of it is an error of that module."""

    def spoil(file: File, _: Callable[..., Tensor]) -> None:
        del file.tensors[f"diffusion_model.blocks.0.self_attn.q.{half}.weight"]
        del file.expected["high"]["blocks.0.attn1.to_q.weight"]
        file.broken.add("blocks.0.attn1.to_q")

    return spoil


def unknown_suffix(file: File, drawn: Callable[..., Tensor]) -> None:
    """Adds a tensor that no adapter type has."""
    key = "diffusion_model.blocks.0.self_attn.q.lora_magic"
    file.tensors[key] = drawn(4)
    file.ignored.add(key)


def reshape_weight(file: File, drawn: Callable[..., Tensor]) -> None:
    """Asks for a patch embedding of twice the channels."""
    file.tensors |= {
        "diffusion_model.patch_embedding.lora_A.weight": drawn(4, 16 * 4),
        "diffusion_model.patch_embedding.lora_B.weight": drawn(24, 4),
        "diffusion_model.patch_embedding.reshape_weight": torch.tensor([24, 16, 1, 2, 2]),
    }


def one_module_too_wide(file: File, drawn: Callable[..., Tensor]) -> None:
    """Adds a layer of another model behind those that fit."""
    file.tensors |= {
        "diffusion_model.blocks.1.ffn.2.lora_A.weight": drawn(4, 44),
        "diffusion_model.blocks.1.ffn.2.lora_B.weight": drawn(24, 4),
    }


def not_a_lora(file: File, drawn: Callable[..., Tensor]) -> None:
    """Fills the file with another program's tensors."""
    file.tensors |= {"encoder.conv1.weight": drawn(4, 3), "decoder.head.weight": drawn(3, 4)}


def bare_checkpoint(file: File, drawn: Callable[..., Tensor]) -> None:
    """Fills the file with weights of a model instead of differences."""
    file.tensors |= {"blocks.0.self_attn.q.weight": drawn(24, 24), "blocks.0.self_attn.q.bias": drawn(24)}


EXTRACTED = (
    Part(NATIVE, PAIR_AND_BIAS, LINEARS),
    Part(NATIVE, WHOLE, rf"{NORMS}|{CONVOLUTIONS}|{POSITIONS}"),
)
MIXED_RANKS = tuple(
    Part(NATIVE, kind(pair, rank=rank), where)
    for rank, where in ((2, r"blocks\.\d+\.attn1.*to.*"), (4, r"blocks\.\d+\.attn2.*to.*"), (7, FFN))
)

DIALECTS: Mapping[str, Case] = {
    "native_AB": one(NATIVE, AB),
    "native_updown_alpha": one(NATIVE, UPDOWN),
    "native_AB_alpha": one(NATIVE, AB_ALPHA),
    "native_AB_full": one(NATIVE, AB, LINEARS),
    "native_updown_alpha_full": one(NATIVE, UPDOWN, LINEARS),
    "native_partial": one(NATIVE, AB, r"blocks\.1\.attn\d\.to_[kv]"),
    "native_mixed_rank": Case(MIXED_RANKS),
    "native_one_alpha_only": one(NATIVE, UPDOWN, ONE),
    "native_alpha_on_one_module": Case((Part(NATIVE, AB_ALPHA, ONE), Part(NATIVE, AB, BLOCKS_BUT_ONE))),
    "native_fp16": one(NATIVE, HALF),
    "native_bf16_alpha1d": one(NATIVE, BRAIN),
    "native_fp8": one(NATIVE, kind(pair, spelling="updown", dtype=torch.float8_e4m3fn)),
    "native_fp64": one(NATIVE, kind(pair, spelling="updown", alpha=2.0, dtype=torch.float64)),
    "model_prefix": one(MODEL, AB),
    "bare_orig": one(BARE, AB),
    "diffsynth_default": one(BARE, DEFAULT),
    "diffsynth_pipe_dit": one(PIPE_DIT, DEFAULT),
    "transformer_orig": one(TRANSFORMER_WAN, AB),
    "peft_base_model_orig": one(PEFT_WAN, AB),
    "mochi_no_weight": one(NATIVE, kind(pair, spelling="mochi")),
    "old_dotted_updown": one(NATIVE, kind(pair, spelling="dotted", alpha=2.0)),
    "old_linear_layer": one(NATIVE, kind(pair, spelling="linear_layer")),
    "old_underscore": one(NATIVE, kind(pair, spelling="underscore")),
    "diffusers": one(DIFFUSERS, AB),
    "diffusers_full": one(DIFFUSERS, AB, LINEARS),
    "diffusers_alpha": one(DIFFUSERS, AB_ALPHA),
    "diffusers_bare": one(DIFFUSERS_BARE, AB),
    "diffusers_bare_default": one(DIFFUSERS_BARE, DEFAULT),
    "diffusers_in_native_prefix": one(NATIVE_DIFFUSERS, AB),
    "peft_base_model_transformer": one(PEFT_TRANSFORMER, AB),
    "diffusers_meta_alpha": one(DIFFUSERS, kind(pair, scale=2.0), metadata=stated(lora_alpha=8)),
    "diffusers_meta_rslora": one(
        DIFFUSERS,
        kind(pair, scale=rs_scale(8, 4)),
        metadata=stated(lora_alpha=8, use_rslora=True),
    ),
    "diffusers_two_experts": Case((Part(DIFFUSERS, AB), Part(DIFFUSERS_LOW, AB, expert="low"))),
    "aitoolkit_two_experts": Case((Part(AITOOLKIT_HIGH, AB), Part(AITOOLKIT_LOW, AB, expert="low"))),
    "diffusers_lora_bias": one(
        DIFFUSERS, kind(pair, with_bias=True, scale=2.0), metadata=stated(lora_alpha=8, lora_bias=True)
    ),
    "musubi": one(KOHYA, UPDOWN),
    "musubi_partial": one(KOHYA, UPDOWN, SQUARE),
    "musubi_no_alpha": one(KOHYA, kind(pair, spelling="updown")),
    "kohya_full": one(KOHYA, UPDOWN, LINEARS),
    "videox_fun": one(VIDEOX, UPDOWN, LINEARS),
    "videox_fun_diffusers_names": one(VIDEOX_DIFFUSERS, UPDOWN, LINEARS),
    "kohya_diffusers_names": one(KOHYA_DIFFUSERS, UPDOWN, LINEARS),
    "onetrainer_style": one(ONETRAINER, UPDOWN, LINEARS),
    "stacked_prefixes": one(STACKED, AB),
    "leaked_wrappers": one(WRAPPED, AB),
    "named_adapter": one(PEFT_DIFFUSERS, kind(pair, spelling="named")),
    "alpha_zero": Case((Part(NATIVE, kind(pair, alpha=0.0), ONE), Part(NATIVE, AB, BLOCKS_BUT_ONE))),
    "diffusers_meta_patterns": Case(
        (
            Part(DIFFUSERS, kind(pair, rank=2, scale=3.0), ONE),
            Part(DIFFUSERS, kind(pair, scale=4.0), r"blocks\.\d\.ffn\.net\.2"),
            Part(DIFFUSERS, kind(pair, scale=2.0), r"blocks\.\d\.attn2\.to_k"),
        ),
        metadata=stated(
            lora_alpha=8,
            rank_pattern={"blocks.0.attn1.to_q": 2},
            alpha_pattern={"blocks.0.attn1.to_q": 6, "net.2": 16},
        ),
    ),
    "alpha_outranks_metadata": one(DIFFUSERS, AB_ALPHA, metadata=stated(lora_alpha=8)),
    "metadata_per_expert": Case(
        (
            Part(DIFFUSERS, kind(pair, scale=2.0)),
            Part(DIFFUSERS_LOW, kind(pair, scale=0.5), expert="low"),
        ),
        metadata=stated_both(stated(lora_alpha=8), stated("transformer_2", lora_alpha=2)),
    ),
}

DIFFERENCES: Mapping[str, Case] = {
    "lightx2v_extracted": Case((*EXTRACTED, Part(NATIVE, BLOCK_TABLE, TABLES))),
    "kijai_extracted": Case((*EXTRACTED, Part(NATIVE, WHOLE, TABLES))),
    "kijai_blocks_diffb_normdiff": Case(
        (Part(NATIVE, PAIR_AND_BIAS, BLOCKS), Part(NATIVE, WHOLE, r"(vace_)?blocks.*norm.*"))
    ),
    "native_full_diff": one(NATIVE, WHOLE, r".*"),
    "modulation_without_leading_one": one(
        NATIVE, kind(difference, names=(".diff_m", ""), drop=1), r"blocks.*table"
    ),
    "lycoris_norm": Case((Part(KOHYA, NORM, NORMS), Part(KOHYA, UPDOWN, SQUARE))),
    "native_set_weight": one(NATIVE, kind(set_weight), rf"{ONE}|{FFN}|blocks\.1\.attn1\.norm_q"),
}

TYPES: Mapping[str, Case] = {
    "conv3d_lora": one(NATIVE, UPDOWN, CONVOLUTIONS),
    "conv3d_lora_2d": one(NATIVE, kind(pair, alpha=2.0, plain=True), CONVOLUTIONS),
    "conv3d_locon_tucker": one(KOHYA, kind(locon_tucker), CONVOLUTIONS),
    "loha_kohya": one(KOHYA, kind(loha)),
    "loha_native": one(NATIVE, kind(loha)),
    "loha_no_alpha": one(NATIVE, kind(loha, alpha=None)),
    "loha_tucker_conv3d": one(KOHYA, kind(loha, tucker=True), CONVOLUTIONS),
    "lokr_full_full": one(NATIVE, kind(lokr)),
    "lokr_full_full_hugealpha": one(NATIVE, kind(lokr, alpha=1e10)),
    "lokr_full_ab": one(NATIVE, kind(lokr, second="ab")),
    "lokr_ab_full": one(NATIVE, kind(lokr, first="ab")),
    "lokr_ab_ab": one(NATIVE, kind(lokr, first="ab", second="ab")),
    "lokr_kohya": one(KOHYA, kind(lokr, second="ab")),
    "lokr_no_alpha": one(NATIVE, kind(lokr, second="ab", alpha=None)),
    "lokr_nearsquare": one(NATIVE, kind(lokr, near_square=True), LINEARS),
    "lokr_lycoris_diffusers": one(LYCORIS, kind(lokr, second="ab"), LINEARS),
    "lokr_transformer_diffusers": one(DIFFUSERS, kind(lokr, second="ab"), LINEARS),
    "lokr_tucker_conv3d": one(KOHYA, kind(lokr, second="tucker", rank=2), CONVOLUTIONS),
    "lokr_conv3d_full": one(KOHYA, kind(lokr), CONVOLUTIONS),
    "lokr_conv3d_ab": one(KOHYA, kind(lokr, second="ab"), CONVOLUTIONS),
    "lokr_scalar": one(KOHYA, kind(lokr, second="ab", scalar=0.7)),
    "dora_out_kohya": one(KOHYA, kind(dora, inner=UPDOWN)),
    "dora_out_native": one(NATIVE, kind(dora, inner=UPDOWN), LINEARS),
    "dora_in_native": one(NATIVE, kind(dora, inner=UPDOWN, axis="in")),
    "dora_in_conv3d": one(KOHYA, kind(dora, inner=UPDOWN, axis="in"), CONVOLUTIONS),
    "dora_in_on_loha_conv3d": one(KOHYA, kind(dora, inner=kind(loha), axis="in"), CONVOLUTIONS),
    "dora_out_conv3d": one(KOHYA, kind(dora, inner=UPDOWN), CONVOLUTIONS),
    "dora_peft": one(DIFFUSERS, kind(dora, inner=AB, name=".lora_magnitude_vector")),
    "dora_peft_weight": one(PEFT_DIFFUSERS, kind(dora, inner=AB, name=".lora_magnitude_vector.weight")),
    "dora_peft_default": one(BARE, kind(dora, inner=DEFAULT, name=".lora_magnitude_vector.default.weight")),
    "dora_on_lokr": one(KOHYA, kind(dora, inner=kind(lokr, second="ab"))),
    "dora_on_loha": one(KOHYA, kind(dora, inner=kind(loha))),
    "glora": one(KOHYA, kind(glora)),
    "glora_old": one(KOHYA, kind(glora, old=True)),
    "ia3_out": one(KOHYA, kind(ia3, on_input=False)),
    "ia3_in": one(KOHYA, kind(ia3, on_input=True)),
    "oft_diag": one(KOHYA, kind(oft)),
    "oft_diag_rescale": one(KOHYA, kind(oft, rescale=True)),
    "oft_diag_constraint": one(KOHYA, kind(oft, constraint=0.05)),
    "boft": one(KOHYA, kind(boft), SQUARE),
    "boft_rescale": one(KOHYA, kind(boft, rescale=True), SQUARE),
}

PARTLY: Mapping[str, Case] = {
    "native_with_text_encoder": one(NATIVE, AB, spoil=with_text_encoder("text_encoder.encoder.block.0.q")),
    "musubi_with_text_encoder": one(KOHYA, UPDOWN, spoil=with_text_encoder("lora_te1_encoder_block_0_q")),
    "comfyui_with_text_encoder": one(
        NATIVE, AB, spoil=with_text_encoder("text_encoders.umt5xxl.transformer.encoder.block.0.q")
    ),
    "i2v_lora_on_t2v": one(NATIVE, AB, LINEARS, made_for="i2v"),
    "i2v_extraction_on_t2v": Case((*EXTRACTED, Part(NATIVE, WHOLE, TABLES)), made_for="i2v_same_channels"),
    "i2v_channels_on_t2v": one(
        NATIVE, kind(difference, names=(".diff", "")), rf"{CONVOLUTIONS}|{SQUARE}", made_for="i2v"
    ),
    "vace_lora_on_plain": one(NATIVE, AB, BLOCKS, made_for="vace"),
    "vace_extraction_on_plain": one(NATIVE, WHOLE, r".*", made_for="vace"),
    "unknown_suffix": one(NATIVE, AB, spoil=unknown_suffix),
    "unpaired_half": one(NATIVE, AB, spoil=without("lora_B")),
    "unpaired_up": one(NATIVE, AB, spoil=without("lora_A")),
}

REFUSED: Mapping[str, Case] = {
    "wrong_model_size": one(NATIVE, AB, made_for="wide", refused="."),
    "wrong_model_size_loha": one(KOHYA, kind(loha), made_for="wide", refused="."),
    "wrong_model_size_lokr": one(NATIVE, kind(lokr, second="ab"), made_for="wide", refused="."),
    "wrong_size_late": one(NATIVE, AB, rf"(?=blocks\.0)({BLOCKS})", spoil=one_module_too_wide, refused="."),
    "not_a_lora": Case((), spoil=not_a_lora, refused="."),
    "checkpoint": Case((), spoil=bare_checkpoint, refused="."),
    "control_lora_reshape": one(NATIVE, AB, spoil=reshape_weight, refused="control"),
}
