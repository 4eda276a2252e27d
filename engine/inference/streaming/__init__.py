"""Models larger than the memory: blocks that stay on the device, and blocks that come when their turn is."""
