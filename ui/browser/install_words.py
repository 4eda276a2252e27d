"""What an installation is reported as."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog.install import InstallReport


def report_words(report: InstallReport) -> tuple[str, str, str, str]:
    """Kind, sentence, advice and details for the message bar."""
    counts = len(report.installed), len(report.duplicates), len(report.refused)
    match counts:
        case 0, 0, 0:
            advice = "Drop .safetensors files or a folder."
            return "look", "There was no LoRA file in what was dropped.", advice, ""
        case 1, 0, 0:
            return "info", f"“{report.installed[0].name}” installed.", "", ""
        case 0, 1, 0:
            dropped, known = report.duplicates[0]
            return "info", f"“{dropped.name}” is there already, as “{known.stem}”.", "", ""
        case 0, 0, 1:
            path, why = report.refused[0]
            return "refused", _ended(f"“{path.name}” is not installed: {why}"), "", _details(report)
        case _:
            return _summary(report, counts)


def _summary(report: InstallReport, counts: tuple[int, int, int]) -> tuple[str, str, str, str]:
    """Of several files: how many became what, and why the first was refused."""
    words = zip(counts, ("installed", "already there", "refused"), strict=True)
    said = ", ".join(f"{count} {word}" for count, word in words if count)
    if not report.refused:
        return "info", f"{said}.", "", _details(report)
    path, why = report.refused[0]
    kind = "look" if report.installed or report.duplicates else "refused"
    return kind, _ended(f"{said}. “{path.name}”: {why}"), "", _details(report)


def _details(report: InstallReport) -> str:
    lines = [f"installed: {entry.path.name}" for entry in report.installed]
    lines += [f"already there: {dropped.name} is {known.name}" for dropped, known in report.duplicates]
    lines += [f"refused: {path}: {why}" for path, why in report.refused]
    return "\n".join(lines) if len(lines) > 1 or report.refused else ""


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
