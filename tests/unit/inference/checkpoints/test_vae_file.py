"""A VAE in one file decodes and encodes as the one it was written from."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKLWan

from catalog.errors import UnreadableFile
from catalog.part_files import look_at
from engine.inference.checkpoints.vae_file import load_vae, vae_names
from tests import original_names
from tests.unit.inference.checkpoints import tiny_parts

NAMES = {"2.1": original_names.of_vae_21, "2.2": original_names.of_vae_22}
SIZES = {"2.1": {"base_dim": 96}, "2.2": {"base_dim": 160, "decoder_base_dim": 256}}


def write(folder: Path, vae: AutoencoderKLWan, name: Callable[[str], str]) -> Path:
    tensors = {name(key): tensor for key, tensor in vae.state_dict().items()}
    return tiny_parts.write(folder / "vae.safetensors", tensors)


@torch.no_grad()
def pictures(vae: AutoencoderKLWan) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(2)
    latents = torch.randn((1, vae.config.z_dim, 2, 3, 3), generator=random)
    video = vae.decode(latents, return_dict=False)[0]
    return video, vae.encode(video).latent_dist.mean


@pytest.mark.parametrize("version", NAMES)
@pytest.mark.parametrize("is_original", [True, False])
def test_pictures_are_the_same(tmp_path: Path, version: str, is_original: bool) -> None:
    vae = tiny_parts.vae(version)
    loaded = load_vae(write(tmp_path, vae, NAMES[version] if is_original else str))
    for mine, theirs in zip(pictures(loaded), pictures(vae), strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("prefix", ["model.", "vae.", "first_stage_model."])
def test_what_stands_before_every_name_does_not_matter(tmp_path: Path, prefix: str) -> None:
    vae = tiny_parts.vae("2.1")
    file = write(tmp_path, vae, lambda name: prefix + NAMES["2.1"](name))
    assert look_at(file).kind == "vae"
    assert all(
        torch.equal(tensor, vae.state_dict()[name]) for name, tensor in load_vae(file).state_dict().items()
    )


@pytest.mark.parametrize("version", NAMES)
def test_every_name_of_the_real_size_is_known(version: str) -> None:
    more = {} if version == "2.1" else dict(tiny_parts.vae("2.2").config)
    with torch.device("meta"):
        real = AutoencoderKLWan.from_config(more | SIZES[version]) if more else AutoencoderKLWan()
    wanted = real.state_dict().keys()
    assert vae_names(NAMES[version](key) for key in wanted).keys() == wanted
    assert len(wanted) == {"2.1": 194, "2.2": 196}[version]


def test_original_names_are_those_of_the_published_files() -> None:
    """Names as the published VAEs have them, so that the table of these tests is no invention."""
    small, large = tiny_parts.vae("2.1").state_dict(), tiny_parts.vae("2.2").state_dict()
    assert {
        "conv2.weight", "encoder.middle.1.to_qkv.weight", "decoder.upsamples.3.resample.1.weight",
        "encoder.downsamples.5.time_conv.weight", "decoder.upsamples.4.shortcut.weight",
        "decoder.head.0.gamma", "encoder.downsamples.0.residual.6.bias", "decoder.upsamples.14.residual.0.gamma",
    } <= {original_names.of_vae_21(key) for key in small}  # fmt: skip
    assert {
        "conv1.bias", "encoder.downsamples.1.downsamples.0.shortcut.weight",
        "encoder.downsamples.0.downsamples.2.resample.1.weight", "decoder.middle.0.residual.0.gamma",
        "decoder.upsamples.0.upsamples.3.time_conv.weight", "decoder.upsamples.3.upsamples.2.residual.6.weight",
    } <= {original_names.of_vae_22(key) for key in large}  # fmt: skip


def test_a_vae_of_wan_22_knows_the_statistics_of_its_latents(tmp_path: Path) -> None:
    loaded = load_vae(write(tmp_path, tiny_parts.vae("2.2"), original_names.of_vae_22))
    assert len(loaded.config.latents_mean) == len(loaded.config.latents_std) == 48
    assert loaded.config.latents_mean[0] == -0.2289 and loaded.config.latents_std[47] == 0.7744


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    tensors = {original_names.of_vae_21(k): t for k, t in tiny_parts.vae().state_dict().items()}
    del tensors["decoder.head.2.bias"]
    with pytest.raises(UnreadableFile, match=r"decoder\.conv_out\.bias"):
        load_vae(tiny_parts.write(tmp_path / "vae.safetensors", tensors))
