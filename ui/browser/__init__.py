"""The browser: the library's LoRA files as cards."""
