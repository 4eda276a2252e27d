"""The trainers' ways to name the layers of a LoRA file."""

import torch
from adapters import Adapter
from torch import Tensor

ORIGINAL = (
    ("attn1.to_out.0", "self_attn.o"),
    ("attn2.to_out.0", "cross_attn.o"),
    ("attn1.to_", "self_attn."),
    ("attn2.to_", "cross_attn."),
    ("ffn.net.0.proj", "ffn.0"),
    ("ffn.net.2", "ffn.2"),
)


def original(name: str) -> str:
    """Wan's own name of a layer that diffusers calls `name`."""
    for ours, theirs in ORIGINAL:
        name = name.replace(ours, theirs)
    return name


def key(name: str, dialect: str, expert: str) -> str:
    """A layer's name as a trainer would write it; `expert` is high or low."""
    match dialect:
        case "comfyui":
            return f"diffusion_model.{original(name)}"
        case "kohya":
            return "lora_unet_" + original(name).replace(".", "_")
        case "diffusers":
            return f"transformer{'_2' if expert == 'low' else ''}.{name}"
        case "bare":
            return original(name)
        case _:
            raise ValueError(f"no such dialect: {dialect}")


def named_tensors(
    adapters: dict[str, Adapter], dialect: str, expert: str, with_alpha: bool
) -> dict[str, Tensor]:
    """A file's content in float16."""
    content: dict[str, Tensor] = {}
    for name, adapter in adapters.items():
        start = key(name, dialect, expert)
        content |= {f"{start}.{s}": t.half().contiguous() for s, t in adapter.tensors().items()}
        if with_alpha:
            content[f"{start}.alpha"] = torch.tensor(adapter.alpha).half()
    return content
