"""What an installation is reported as."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog.install import InstallReport


def report_words(report: InstallReport) -> tuple[str, str, str, str]:
    """Kind, sentence, advice and details for the message bar."""
    counts = (
        (len(report.installed), "installed"),
        (len(report.duplicates), "already there"),
        (len(report.refused), "refused"),
    )
    parts = ", ".join(f"{count} {word}" for count, word in counts if count)
    if not parts:
        return (
            "look",
            "There was no LoRA file in what was dropped.",
            "Drop .safetensors files or a folder.",
            "",
        )
    kind = "info" if not report.refused else "look" if report.installed or report.duplicates else "refused"
    if report.refused:
        path, why = report.refused[0]
        parts += f". “{path.name}”: {why}"
    is_one_name = len(report.installed) == 1 and not report.duplicates and not report.refused
    sentence = f"“{report.installed[0].name}” installed." if is_one_name else _ended(parts)
    return kind, sentence, "", _details(report)


def _details(report: InstallReport) -> str:
    lines = [f"installed: {entry.path.name}" for entry in report.installed]
    lines += [f"already there: {dropped.name} is {known.name}" for dropped, known in report.duplicates]
    lines += [f"refused: {path}: {why}" for path, why in report.refused]
    return "\n".join(lines) if len(lines) > 1 or report.refused else ""


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
