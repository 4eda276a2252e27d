"""Everything that touches torch, diffusers or transformers."""
