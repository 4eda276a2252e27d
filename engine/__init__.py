"""The engine: a background thread that renders, and the bridge to it."""
