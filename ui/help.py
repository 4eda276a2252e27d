"""What the Help menu says."""

SHORTCUTS = """\
Generate    Ctrl+Enter
Cancel    Esc
Live    Ctrl+L
Branch from the step on show    B
Keep the draft    Ctrl+K
Grid of strengths    Ctrl+G
Previous and next take    Alt+Left, Alt+Right
Export the clip    Ctrl+S
Open a recipe or clip    Ctrl+O
Save the recipe    Ctrl+Shift+S
Install files    Ctrl+I
Paste a picture for the model    Ctrl+V
Find LoRAs    Ctrl+F
Look through the library again    F5
Undo, redo    Ctrl+Z, Ctrl+Shift+Z
Settings    Ctrl+,

On a card: Enter or double-click puts it on the desk, Space lists what of it applies to the model.
On a strip: M mutes, S plays solo, A compares with and without it, C unfolds its curves,
F lets faders follow them again, Delete removes, Alt+Up and Alt+Down move.
In a comparison: 1 wipe, 2 side by side, 3 difference, arrow keys move the divider, Esc leaves.
In a grid: arrow keys choose a clip, Enter takes its strengths, Space plays, + and − for the size, Esc stops.
On a fader: arrow keys ±0.05, with Shift ±0.01, Page keys ±0.25, Home and End for the ends;
double-click for 1.00; Enter or a digit to type a number.
On curves: double-click adds or removes a point; Tab, [ and ] choose one, arrow keys move it, Insert adds,
Delete removes, H holds; Ctrl+C and Ctrl+V copy curves, or paste Wan2GP's multipliers.
"""

ABOUT = """\
LoRA Alchemy 0.1.0

A mixing desk for Wan LoRAs: faders that play the picture while it is being denoised.

Apache License 2.0. Built with Qt (PySide6), PyTorch, diffusers, transformers and FFmpeg.
"""
