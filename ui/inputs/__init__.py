"""Pictures in: the slots under the settings, and the small images in them."""
