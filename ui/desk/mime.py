"""What a strip that is dragged is called."""

STRIP_MIME = "application/x-lora-alchemy-strip"
