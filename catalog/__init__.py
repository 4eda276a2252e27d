"""LoRA files, models and recipes, and what is known about them, without torch."""
