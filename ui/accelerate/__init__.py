"""Accelerator profiles: the button in the desk's header, its menu, and the choice between files."""
