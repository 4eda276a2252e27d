"""What is said about a grid while it is rendered, and afterwards."""

from ui.state.grid import GridState


def progress_words(state: GridState) -> str:
    """How far a grid is: "5 of 12 clips · step 3 of 8 · 1:21 left"."""
    if not state.cells:
        return ""
    count = len(state.cells)
    words = [f"{state.finished} of {count} clip{'s' * (count > 1)}"]
    if failed := sum(cell.status == "failed" for cell in state.cells):
        words.append(f"{failed} failed")
    if state.is_paused:
        words.append("waits for what else is rendered")
    elif state.is_going:
        words += [cell.words.lower() for cell in state.cells if cell.status == "rendering"]
        left = state.pace.seconds_left(state.cells)
        words += [] if left is None else [f"{_clock(left)} left"]
    elif shared := state.pace.taken_over:
        words.append(f"{shared} of {shared + state.pace.made} steps shared")
    return " · ".join(words)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
