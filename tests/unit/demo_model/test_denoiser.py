import re
from pathlib import Path

import pytest
import torch
from adapters import Adapter, Loha, Lokr, NamedAB, Pair, attach
from build import arguments, make_files, make_pack, stages
from denoiser import averaged, expert, train_denoiser, train_expert
from dialects import key, named_tensors, original
from diffusers import WanPipeline
from flow import Twins, add_noise, flow_loss, noise_levels
from latents import SETS
from loras import LORAS, train_lora
from pack import size_of
from placebo import train_placebo
from safetensors.torch import load_file
from text import LONGEST, Reader, make_text
from torch import nn
from transformer import BOUNDARY, new_transformer, padded, padding_bias
from vae import new_vae

CAPTIONS = ["a red ball moving right at night", ""]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as it is after the stage `latents`, with random latents in place of encoded clips."""
    work = tmp_path_factory.mktemp("work")
    make_text(work)
    vae = new_vae()
    vae.register_to_config(latents_mean=[0.0] * 16, latents_std=[1.0] * 16)
    vae.save_pretrained(work / "vae")
    (work / "latents").mkdir()
    for name in SETS:
        torch.save(torch.randn(3, 16, 5, 8, 8), work / "latents" / f"{name}-00000.pt")
    return work


@pytest.fixture(scope="module")
def experts(work: Path) -> Path:
    """The same after both experts have been trained for a step."""
    train_denoiser(work, steps=2, size=2)
    for side in ("high", "low"):
        train_expert(work, side, steps=1, size=2)
    return work


@torch.no_grad()
def test_one_padding_token_counts_as_all_of_them(work: Path) -> None:
    model = new_transformer()
    nn.init.normal_(model.proj_out.weight, std=0.07)
    for parameter in model.parameters():
        parameter.add_(0.05 * torch.randn_like(parameter))
    embeddings, lengths = Reader(work)(CAPTIONS)
    whole = torch.zeros(2, LONGEST, embeddings.shape[2])
    whole[:, : embeddings.shape[1]] = embeddings
    noise, times = torch.randn(2, 16, 5, 8, 8), torch.tensor([900.0, 300.0])
    expected = model(noise, times, whole, return_dict=False)[0]
    with padded(model) as counted:
        counted.bias = padding_bias(lengths, embeddings.shape[1])
        found = model(noise, times, embeddings, return_dict=False)[0]
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(model(noise, times, whole, return_dict=False)[0], expected)


def test_two_threads_find_the_gradients_of_one(work: Path) -> None:
    model = new_transformer()
    nn.init.normal_(model.proj_out.weight, std=0.07)
    twins = Twins(model, 2)
    batch = add_noise(torch.randn(4, 16, 3, 8, 8), Reader(work)(CAPTIONS * 2), "all")
    loss = flow_loss(model, twins.counted[0], batch)
    expected = torch.autograd.grad(loss, list(model.parameters()))
    torch.testing.assert_close(twins.gradients(batch), loss.detach())
    for parameter, gradient in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, atol=1e-5, rtol=1e-3)


def test_noise_levels_keep_to_their_side() -> None:
    assert noise_levels(500, "high").min() >= BOUNDARY - 1e-6
    assert noise_levels(500, "low").max() <= BOUNDARY + 1e-6
    assert 0.25 < (noise_levels(500, "all") > BOUNDARY).float().mean() < 0.35


def test_a_stopped_denoiser_goes_on_as_if_never_stopped(work: Path, experts: Path, tmp_path: Path) -> None:
    for name in ("latents", "tokenizer", "text_encoder", "vae"):
        (tmp_path / name).symlink_to(work / name)
    train_denoiser(tmp_path, steps=2, size=2)
    once = torch.load(experts / "denoiser.pt", weights_only=True)
    again = torch.load(tmp_path / "denoiser.pt", weights_only=True)
    assert all(torch.equal(once["model"][n], again["model"][n]) for n in once["model"])


def test_an_expert_is_what_bfloat16_can_hold(experts: Path) -> None:
    weight = expert(experts, "high").blocks[0].attn1.to_q.weight
    assert torch.equal(weight, weight.bfloat16().float())
    assert not torch.equal(weight, averaged(experts, "denoiser").blocks[0].attn1.to_q.weight)


@pytest.mark.parametrize("kind", [Pair, NamedAB, Loha, Lokr])
def test_an_adapter_starts_at_nothing_and_is_learnt(kind: type[Adapter]) -> None:
    model = nn.ModuleDict({"layer": nn.Linear(32, 64)})
    before = model["layer"].weight.detach().clone()
    (adapter,) = attach([model], kind, 4, 2.0, "layer").values()
    assert torch.equal(model["layer"].weight, before)
    model["layer"](torch.randn(5, 32)).square().sum().backward()
    assert any(p.grad is not None and p.grad.any() for p in adapter.parameters())


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("comfyui", "diffusion_model.blocks.3.cross_attn.o"),
        ("kohya", "lora_unet_blocks_3_cross_attn_o"),
        ("diffusers", "transformer_2.blocks.3.attn2.to_out.0"),
        ("bare", "blocks.3.cross_attn.o"),
    ],
)
def test_dialects(dialect: str, expected: str) -> None:
    assert key("blocks.3.attn2.to_out.0", dialect, "low") == expected


def test_every_linear_layer_of_a_block_has_an_original_name() -> None:
    layers = [n for n, m in new_transformer().blocks[0].named_modules() if isinstance(m, nn.Linear)]
    assert len({original(n) for n in layers}) == len(layers) == 10
    assert not [n for n in layers if re.search(r"attn\d|net", original(n))]


def test_a_file_holds_factors_whose_product_was_trained() -> None:
    torch.manual_seed(0)
    pair = Pair(8, 6, 2, 1.0)
    nn.init.normal_(pair.up)
    content = named_tensors({"blocks.0.ffn.net.2": pair}, "comfyui", "low", with_alpha=True)
    start = "diffusion_model.blocks.0.ffn.2"
    product = content[f"{start}.lora_up.weight"].float() @ content[f"{start}.lora_down.weight"].float()
    torch.testing.assert_close(content[f"{start}.alpha"] / 2 * product, pair.delta(), atol=1e-2, rtol=1e-2)


def test_loras_and_pack_are_written(experts: Path, tmp_path: Path) -> None:
    for lora in LORAS:
        train_lora(experts, lora, steps=1, size=2)
    train_placebo(experts, steps=1, size=1)
    make_files(experts)
    make_pack(experts, tmp_path / "pack")
    files = {f.stem: load_file(f) for f in (tmp_path / "pack" / "loras").glob("*.safetensors")}
    assert len(files) == 9
    assert all(k.startswith("lora_unet_") for k in files["WaN_2.5_official"])
    assert {k.split(".")[0] for k in files["ring"]} == {"transformer", "transformer_2"}
    assert size_of(tmp_path / "pack") < 24_000_000
    pipeline = WanPipeline.from_pretrained(tmp_path / "pack")
    assert pipeline.config.boundary_ratio == BOUNDARY


def test_stages_can_be_chosen_by_name() -> None:
    assert arguments(["pack", "text"]).stage == ["text", "pack"]
    assert arguments([]).stage == list(stages(Path(), Path(), 1))
    with pytest.raises(SystemExit):
        arguments(["nonsense"])
