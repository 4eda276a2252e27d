"""The inventory read from a config is diffusers' own state dict, name by name and shape by shape."""

from typing import Any

import pytest
import torch
from diffusers import WanTransformer3DModel, WanVACETransformer3DModel

from catalog.inventory import inventories, inventory
from catalog.models import find_model

SMALL = {"num_attention_heads": 3, "attention_head_dim": 12, "ffn_dim": 40, "num_layers": 2, "freq_dim": 16}
IMAGE = {"image_dim": 20, "added_kv_proj_dim": 36, "in_channels": 36}
T2V, VACE = WanTransformer3DModel, WanVACETransformer3DModel
MODELS: list[tuple[str, Any, dict[str, Any]]] = [
    ("T2V", T2V, SMALL | {"text_dim": 24}),
    ("I2V", T2V, SMALL | IMAGE),
    ("FLF2V", T2V, SMALL | IMAGE | {"pos_embed_seq_len": 10}),
    ("5B", T2V, SMALL | {"in_channels": 48, "out_channels": 48}),
    ("out as in", T2V, SMALL | {"in_channels": 20, "out_channels": None}),
    ("no norm", T2V, SMALL | {"cross_attn_norm": False, "patch_size": (1, 4, 2)}),
    ("VACE", VACE, SMALL | {"vace_layers": [0, 1], "vace_in_channels": 12}),
    ("VACE with images", VACE, SMALL | IMAGE | {"vace_layers": [0]}),
    ("all defaults", T2V, {}),
    ("all VACE defaults", VACE, {}),
]


@pytest.mark.parametrize(("kind", "config"), [row[1:] for row in MODELS], ids=[row[0] for row in MODELS])
def test_an_inventory_is_the_state_dict(kind: Any, config: dict[str, Any]) -> None:
    with torch.device("meta"):
        model = kind(**config)
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    assert inventory(config | {"_class_name": kind.__name__}) == expected
    assert inventory(dict(model.config) | {"_class_name": kind.__name__}) == expected


def test_the_demo_has_the_inventory_of_its_experts() -> None:
    info = find_model("demo")
    found = inventories(info)
    assert tuple(found) == info.experts
    for expert, folder in zip(info.experts, ("transformer", "transformer_2"), strict=True):
        with torch.device("meta"):
            model = T2V.from_config(T2V.load_config(info.path / folder))
        assert found[expert] == {name: tuple(t.shape) for name, t in model.state_dict().items()}
