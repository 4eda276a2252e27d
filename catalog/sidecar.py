"""What the file that a download tool left beside a LoRA says it was made for."""

import json
from pathlib import Path
from typing import Any

_MOST_BYTES = 4_000_000
# behind the LoRA's stem → where in it the base model stands, best first
_PLACES: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    (".metadata.json", (("base_model",), ("civitai", "baseModel"))),
    (".civitai.info", (("baseModel",),)),
    (".cm-info.json", (("BaseModel",),)),
    (".json", (("sd version",), ("baseModel",), ("base_model",))),
)


def base_model(lora: Path) -> str:
    """The base model that a sidecar of Civitai's, A1111's, LoRA Manager's or Stability Matrix's kind states.

    "" without one; a sidecar that cannot be read states nothing.
    """
    for suffix, places in _PLACES:
        content = _object(lora.with_name(lora.stem + suffix))
        for place in places:
            value: Any = content
            for name in place:
                value = value.get(name) if isinstance(value, dict) else None
            if isinstance(value, str) and value.strip() and value.strip().lower() != "unknown":
                return " ".join(value.split())[:80]
    return ""


def _object(path: Path) -> dict[str, Any]:
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return {}
        value = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
