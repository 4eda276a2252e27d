"""Files measured without a model, beside the engine thread."""
