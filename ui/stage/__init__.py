"""The stage: the picture, the denoise timeline, the transport and the settings of a clip."""
