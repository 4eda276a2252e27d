"""One module per way a model is stored."""
