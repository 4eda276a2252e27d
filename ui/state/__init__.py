"""What is on screen, as objects apart from the widgets that show it."""
