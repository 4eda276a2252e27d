"""The two denoisers of a two-expert model."""

from typing import Literal

Expert = Literal["high", "low"]
"""The denoiser for the noisy beginning of a run, or for its end."""
