"""A CLIP image encoder in one file sees what the folder of Hugging Face sees, and an I2V of files renders it."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import CLIPVisionConfig, CLIPVisionModel

from catalog.errors import ModelNotFound, UnreadableFile
from catalog.inputs import Inputs, Picture
from catalog.model_parts import examine
from catalog.models import find_model
from catalog.recipe import Guidance, Recipe
from engine.inference.checkpoints.image_encoder_file import image_processor, load_image_encoder
from engine.inference.session import WanSession
from engine.live import LiveControls
from engine.worker import Generate
from tests import original_names
from tests.tiny_seeing import picture
from tests.unit.inference.checkpoints import tiny_parts
from tests.unit.inference.checkpoints.conftest import describe

WIDTH, SIZE = 160, 28
_ORIGINAL = (
    (r"embeddings\.class_embedding", "cls_embedding"),
    (r"embeddings\.position_embedding\.weight", "pos_embedding"),
    (r"embeddings\.patch_embedding", "patch_embedding"),
    (r"pre_layrnorm", "pre_norm"),
    (r"post_layernorm", "post_norm"),
    (r"encoder\.layers", "transformer"),
    (r"layer_norm", "norm"),
    (r"self_attn\.out_proj", "attn.proj"),
    (r"mlp\.fc1", "mlp.0"),
    (r"mlp\.fc2", "mlp.2"),
)


@pytest.fixture(scope="module")
def encoder() -> CLIPVisionModel:
    torch.manual_seed(3)
    config = CLIPVisionConfig(
        hidden_size=WIDTH, intermediate_size=96, num_hidden_layers=3, num_attention_heads=2, image_size=SIZE,
        patch_size=14, hidden_act="gelu",
    )  # fmt: skip
    return tiny_parts._random(CLIPVisionModel(config))


def hugging_face(model: CLIPVisionModel) -> dict[str, Tensor]:
    """As clip_vision_h.safetensors of ComfyUI."""
    bare = {name.removeprefix("vision_model."): tensor for name, tensor in model.state_dict().items()}
    named = {f"vision_model.{name}": tensor for name, tensor in bare.items()}
    ids = torch.arange(5)[None]
    return named | {
        "visual_projection.weight": torch.zeros(8, WIDTH),
        "vision_model.embeddings.position_ids": ids,
    }


def original(model: CLIPVisionModel) -> dict[str, Tensor]:
    """As open-clip-xlm-roberta-large-vit-huge-14: q, k and v in one, the text side beside it."""
    bare = {name.removeprefix("vision_model."): tensor for name, tensor in model.state_dict().items()}
    tensors = {"visual.head": torch.zeros(WIDTH, 8), "log_scale": torch.ones(()), "textual.x": torch.ones(3)}
    for name, tensor in bare.items():
        if match := re.fullmatch(r"(encoder\.layers\.(\d+)\.self_attn\.)q_proj\.(weight|bias)", name):
            parts = [bare[f"{match[1]}{part}_proj.{match[3]}"] for part in "qkv"]
            tensors[f"visual.transformer.{match[2]}.attn.to_qkv.{match[3]}"] = torch.cat(parts)
        elif not re.search(r"[kv]_proj", name):
            for pattern, replacement in _ORIGINAL:
                name = re.sub(pattern, replacement, name)
            tensors[f"visual.{name}"] = tensor
    for key in ("visual.cls_embedding", "visual.pos_embedding"):
        tensors[key] = tensors[key].reshape(1, -1, WIDTH)
    return tensors


@pytest.mark.parametrize("naming", ["hugging face", "original"])
def test_every_naming_sees_the_same(encoder: CLIPVisionModel, tmp_path: Path, naming: str) -> None:
    state = hugging_face(encoder) if naming == "hugging face" else original(encoder)
    file = tiny_parts.write(tmp_path / "clip.safetensors", state)
    found = examine(file)
    assert (found.role, found.image_width, found.refusal) == ("image encoder", WIDTH, "")
    pixels = torch.randn(2, 3, SIZE, SIZE)
    wanted = encoder(pixels, output_hidden_states=True).hidden_states[-2]
    seen = load_image_encoder(file)(pixels, output_hidden_states=True).hidden_states[-2]
    assert torch.equal(seen, wanted) and seen.std() > 0.1


def test_half_precision_is_widened(encoder: CLIPVisionModel, tmp_path: Path) -> None:
    state = {k: t.half() if t.is_floating_point() else t for k, t in hugging_face(encoder).items()}
    found = load_image_encoder(tiny_parts.write(tmp_path / "clip.safetensors", state))
    assert found.dtype == torch.float32


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda s: s.pop("vision_model.encoder.layers.1.mlp.fc2.bias"), "incomplete: .*mlp.fc2.bias"),
        (lambda s: s.pop("vision_model.embeddings.class_embedding"), "not all of one"),
        (lambda s: s.update({"vision_model.extra.weight": torch.ones(2)}), "extra.weight does not fit"),
    ],
)
def test_what_is_no_whole_encoder_is_refused(
    encoder: CLIPVisionModel, tmp_path: Path, spoil: object, said: str
) -> None:
    state = hugging_face(encoder)
    spoil(state)  # type: ignore[operator]
    with pytest.raises(UnreadableFile, match=said):
        load_image_encoder(tiny_parts.write(tmp_path / "clip.safetensors", state))


@pytest.fixture(scope="module")
def whole(folder: Path, encoder: CLIPVisionModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An I2V of Wan 2.1 in diffusers' layout."""
    made = tmp_path_factory.mktemp("i2v") / "folder"
    for part in ("tokenizer", "text_encoder", "vae", "scheduler"):
        shutil.copytree(folder / part, made / part)
    transformer().save_pretrained(made / "transformer")
    encoder.save_pretrained(made / "image_encoder")
    image_processor(SIZE).save_pretrained(made / "image_processor")
    index = json.loads((folder / "model_index.json").read_text("utf-8"))
    index |= {"_class_name": "WanImageToVideoPipeline", "boundary_ratio": None, "transformer_2": [None, None]}
    index["image_encoder"] = ["transformers", "CLIPVisionModel"]
    (made / "model_index.json").write_text(json.dumps(index), "utf-8")
    return made


def transformer() -> torch.nn.Module:
    tiny_parts.KINDS["i2v 160"] = tiny_parts.KINDS["i2v"] | {"image_dim": WIDTH}
    return tiny_parts.transformer("i2v 160", seed=1, text_dim=64)


@pytest.fixture(scope="module")
def single(files: Path, encoder: CLIPVisionModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model in single files."""
    made = tmp_path_factory.mktemp("single")
    state = {original_names.of_transformer(k): t for k, t in transformer().state_dict().items()}
    tiny_parts.write(made / "i2v.safetensors", state)
    tiny_parts.write(made / "clip.safetensors", hugging_face(encoder))
    parts = {
        "high": "i2v.safetensors", "vae": str(files / "vae.safetensors"),
        "text_encoder": str(files / "umt5.safetensors"), "tokenizer": str(files / "tokenizer"),
        "image_encoder": "clip.safetensors",
    }  # fmt: skip
    return describe(made / "i2v.wanmodel.json", parts)


def test_single_files_render_a_picture_as_the_folder_does(whole: Path, single: Path, tmp_path: Path) -> None:
    recipe = Recipe(
        prompt="a red ball", negative_prompt="blue", width=32, height=32, frames=5, fps=16, steps=3, seed=3,
        guidance=Guidance(4.0, 4.0), shift=5.0, inputs=Inputs(Picture(str(picture(tmp_path, 1)))),
    )  # fmt: skip
    made = []
    for model in (whole, single):
        session = WanSession("cpu")
        assert session.load(str(model)).needs == {"start_image"}
        made.append(session.run(Generate(1, recipe, LiveControls()), lambda _: None).latents)
    assert made[0] is not None and made[1] is not None and np.array_equal(made[0], made[1])


def test_an_assembly_without_its_image_encoder_says_what_is_missing(single: Path, tmp_path: Path) -> None:
    parts = json.loads(single.read_text("utf-8"))["parts"]
    parts["high"] = str(single.parent / parts["high"])
    del parts["image_encoder"]
    with pytest.raises(ModelNotFound, match="lacks the image encoder") as caught:
        find_model(str(describe(tmp_path / "a.wanmodel.json", parts)))
    assert "clip_vision_h.safetensors" in caught.value.advice
