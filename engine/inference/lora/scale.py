"""The scale of a low-rank pair: alpha / rank, from the file and never from the user."""

import json
import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from catalog.models import Expert
from engine.errors import AdapterRefused


def adapter_config(metadata: Mapping[str, str], expert: Expert | None) -> dict[str, Any]:
    """The PEFT config that diffusers stores as `lora_adapter_metadata`, for one component; {} without."""
    try:
        stored = json.loads(metadata.get("lora_adapter_metadata", "{}"))
    except ValueError:
        return {}
    prefix = "transformer_2." if expert == "low" else "transformer."
    if not isinstance(stored, dict):
        return {}
    return {key.removeprefix(prefix): value for key, value in stored.items() if key.startswith(prefix)}


def pair_scale(rank: int, alpha: float | None, config: Mapping[str, Any], module: str) -> float:
    """alpha / rank; without an alpha tensor what the config says (rsLoRA: alpha / √rank), else 1."""
    if alpha is not None:
        return alpha / rank
    stated = _pattern(config.get("alpha_pattern"), module, config.get("lora_alpha"))
    if not isinstance(stated, int | float):
        return 1.0
    return float(stated) / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _pattern(patterns: object, module: str, default: object) -> object:
    """PEFT's rule: the first pattern that matches the end of the module's name."""
    if isinstance(patterns, dict):
        for pattern, value in patterns.items():
            if _compiled(pattern).match(module):
                return value
    return default


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """AdapterRefused for what is no expression, or one that a file could make us match for hours."""
    try:
        is_long = len(pattern) > _LONGEST or len(_REPEATED.findall(pattern)) > _MOST_REPEATED
        if is_long or _REPEATED_GROUP.search(pattern):
            raise re.error("too complicated")
        return re.compile(rf"(.*\.)?({pattern})$")
    except re.error as error:
        raise AdapterRefused(f"Its alpha_pattern “{pattern[:60]}” cannot be read: {error}.") from error


_LONGEST, _MOST_REPEATED = 256, 4
_REPEATED = re.compile(r"[*+?{]")
_REPEATED_GROUP = re.compile(r"\)[*+?{]")
