"""Loads a model, however it is stored."""

import torch

from catalog.models import ModelInfo
from engine.inference.checkpoints import assembled, diffusers_folder
from engine.inference.checkpoints.components import Components


def load(info: ModelInfo, device: torch.device) -> Components:
    """Load every component. Raises ModelFailed when a file is missing, damaged or of a kind unknown here."""
    if info.path.is_dir():
        return diffusers_folder.load(info, device)
    return assembled.load(info, device)
