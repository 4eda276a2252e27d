import random
from pathlib import Path

import pytest
import torch
from clips import FRAMES, SIZE, batch, draw, draw_any
from latents import clips_of, load_latents, make_latents
from text import Reader, make_text, sentences
from training import train
from vae import decode, encode, new_vae, train_images, whole_clip_forward


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("text")
    make_text(work)
    return work


def test_clips_are_pictures_in_range_and_say_what_they_show() -> None:
    clips = [draw_any(random.Random(n)) for n in range(24)]
    pictures, weights = batch(clips)
    assert pictures.shape == (24, 3, FRAMES, SIZE, SIZE)
    assert pictures.min() >= -1 and pictures.max() <= 1 and weights.min() >= 1
    assert all(c.colour in c.caption and c.motion in c.caption for c in clips)


def test_clips_are_drawn_the_same_each_time() -> None:
    assert clips_of("ring", 5) == clips_of("ring", 9)[:5]
    assert draw(random.Random(3), look="neon") == draw(random.Random(3), look="neon")


def test_every_word_is_one_token_and_ends_with_eos(text: Path) -> None:
    tokenizer = Reader(text).tokenizer
    words = {word for sentence in sentences() for word in sentence.split()}
    assert all(len(tokenizer(word).input_ids) == 2 for word in words)
    assert tokenizer("a zebra").input_ids[-1] == tokenizer.eos_token_id


def test_distinct_words_have_distinct_embeddings(text: Path) -> None:
    (left, right), lengths = Reader(text)(["a ball moving left", "a ball moving right"])
    assert lengths.tolist() == [5, 5]
    assert (left[3] - right[3]).norm() > 1
    assert not left[5].any()


def _whole_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    from diffusers.models.autoencoders import autoencoder_kl_wan as wan

    for part in (wan.WanCausalConv3d, wan.WanResample):
        monkeypatch.setattr(part, "forward", part.forward)
    whole_clip_forward()


@torch.no_grad()
def test_a_whole_clip_at_once_equals_the_library_chunk_by_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    vae = new_vae()
    for parameter in vae.parameters():  # so that the past matters too
        parameter.add_(0.02 * torch.randn_like(parameter))
    pictures, _ = batch([draw(random.Random(0))], [torch.linspace(0, 1, 9)])
    expected = vae.encode(pictures).latent_dist.mean
    restored = vae.decode(expected).sample
    _whole_clip(monkeypatch)
    torch.testing.assert_close(encode(vae, pictures), expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(decode(vae, expected).clamp(-1, 1), restored, atol=1e-3, rtol=1e-3)


@torch.no_grad()
def test_a_new_video_vae_is_an_image_vae_frame_by_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    vae = new_vae()
    still, _ = batch([draw(random.Random(0))], [torch.full((5,), 0.5)])
    _whole_clip(monkeypatch)
    latents = encode(vae, still)
    torch.testing.assert_close(latents[:, :, 1], latents[:, :, 0], atol=1e-4, rtol=1e-4)


def test_a_stopped_training_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    def run(file: str, stops: tuple[int, ...]) -> torch.Tensor:
        for steps in stops:
            torch.manual_seed(0)
            layer = torch.nn.Linear(3, 3)
            optimiser = torch.optim.AdamW(layer.parameters())

            def step(
                n: int, layer: torch.nn.Linear = layer, optimiser: torch.optim.AdamW = optimiser
            ) -> torch.Tensor:
                optimiser.zero_grad()
                loss = layer(torch.randn(4, 3)).square().mean()
                loss.backward()
                optimiser.step()
                return loss

            train(tmp_path / file, steps, step, {"model": layer, "optimiser": optimiser})
        return layer.weight.detach()

    assert torch.equal(run("whole.pt", (6,)), run("parts.pt", (2, 5, 6)))


def test_the_vae_trains_in_three_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vae import train_clips, train_decoder

    _whole_clip(monkeypatch)
    start = new_vae().state_dict()
    train_images(tmp_path, steps=2, size=2)
    train_clips(tmp_path, steps=1, size=1)
    trained = torch.load(tmp_path / "vae-clips.pt", weights_only=True)["model"]
    assert any(not torch.equal(trained[name], start[name]) for name in start)
    train_decoder(tmp_path, steps=1, size=1)
    sharper = torch.load(tmp_path / "vae-decoder.pt", weights_only=True)["model"]
    changed = {name.split(".")[0] for name in trained if not torch.equal(sharper[name], trained[name])}
    assert changed <= {"decoder", "post_quant_conv"} and "decoder" in changed
    make_latents(tmp_path, base=4, each=2)
    latents = load_latents(tmp_path, "base")
    assert latents.shape == (4, 16, 5, 8, 8)
    assert latents.mean().abs() < 0.1 and abs(latents.std() - 1) < 0.1
