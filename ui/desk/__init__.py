"""The desk: one strip per LoRA, with the faders that play it."""
