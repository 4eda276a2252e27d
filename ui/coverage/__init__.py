"""What of a LoRA file applies to the loaded model: a bar, a grid of blocks, and the full list."""
