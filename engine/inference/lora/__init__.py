"""LoRA-family adapters: read from a file, attached beside the layers, never merged into them."""
