"""A module per kind of adapter: the tensors of one layer → what they add to it."""
