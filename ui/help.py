"""What the Help menu says: every key by the place where it works, and what this program is."""

SHORTCUTS = (
    (
        "Everywhere",
        (
            ("Generate", "Ctrl+Enter"),
            ("Cancel", "Esc"),
            ("Live", "Ctrl+L"),
            ("Branch from the step on show", "B"),
            ("Keep the draft", "Ctrl+K"),
            ("Previous and next take", "Alt+Left, Alt+Right"),
            ("Grid of strengths", "Ctrl+G"),
            ("Export the clip", "Ctrl+S"),
            ("Open a recipe or clip", "Ctrl+O"),
            ("Save the recipe", "Ctrl+Shift+S"),
            ("Install files", "Ctrl+I"),
            ("Paste a picture for the model", "Ctrl+V"),
            ("Find LoRAs", "Ctrl+F"),
            ("Look through the library again", "F5"),
            ("Undo, redo", "Ctrl+Z, Ctrl+Shift+Z"),
            ("Settings", "Ctrl+,"),
            ("These keys", "F1"),
            ("Quit", "Ctrl+Q"),
        ),
    ),
    (
        "On a card",
        (
            ("Put it on the desk", "Enter or double-click"),
            ("List what of it applies to the model", "Space"),
        ),
    ),
    (
        "On a strip",
        (
            ("Mute", "M"),
            ("Solo", "S"),
            ("Compare with and without it", "A"),
            ("Unfold its curves", "C"),
            ("Let the faders follow them again", "F"),
            ("Move it", "Alt+Up, Alt+Down"),
            ("Remove it", "Delete"),
        ),
    ),
    (
        "On a fader",
        (
            ("By 0.05", "Arrow keys"),
            ("By 0.01", "Shift with arrow keys"),
            ("By 0.25", "Page Up, Page Down"),
            ("To either end", "Home, End"),
            ("To 1.00", "Double-click"),
            ("Type a number", "Enter or a digit"),
        ),
    ),
    (
        "On curves",
        (
            ("Add or remove a point", "Double-click"),
            ("Add, remove, hold", "Insert, Delete, H"),
            ("Choose a point", "Tab, [ and ]"),
            ("Move it", "Arrow keys"),
            ("Copy curves, paste Wan2GP's multipliers", "Ctrl+C, Ctrl+V"),
        ),
    ),
    (
        "In a comparison",
        (
            ("Wipe, side by side, difference", "1, 2, 3"),
            ("Move the divider", "Arrow keys"),
            ("Leave", "Esc"),
        ),
    ),
    (
        "In a grid",
        (
            ("Choose a clip", "Arrow keys"),
            ("Take its strengths", "Enter or double-click"),
            ("Play, pause", "Space"),
            ("Size", "+ and −"),
            ("Stop", "Esc"),
        ),
    ),
)
"""Headings with what one does and the keys that do it."""

ABOUT = """\
LoRA Alchemy 0.1.0

A mixing desk for Wan LoRAs: faders that play the picture while it is being denoised.

Apache License 2.0. Built with Qt (PySide6), PyTorch, diffusers, transformers and FFmpeg.
"""
