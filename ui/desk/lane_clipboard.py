"""Curves on the clipboard, from strip to strip; text there is taken for Wan2GP's multipliers."""

import json
from dataclasses import replace

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication

from catalog.curve import BadCurve, Curve, from_json, to_json
from ui.state.automation import Automation
from ui.state.mix import MixState
from ui.state.strip import StripState

MIME = "application/x-lora-alchemy-curves"


def copy(strip: StripState) -> None:
    """Put a strip's curves on the clipboard; one without leaves it as it is."""
    curves = {"high": strip.high_curve, "low": strip.low_curve}
    said = {expert: to_json(curve) for expert, curve in curves.items() if curve is not None}
    if said:
        data = QMimeData()
        data.setData(MIME, json.dumps(said).encode())
        QGuiApplication.clipboard().setMimeData(data)


def paste(strip: StripState, mix: MixState, automation: Automation) -> None:
    """Give a strip the curves on the clipboard, or play the multipliers that are there."""
    curves = _taken()
    if curves is not None:
        high, low = curves
        if len(mix.experts) == 1:  # its one fader has one curve, wherever that came from
            high = low = high or low
        changed = replace(strip, high_curve=high, low_curve=low, per_step=(), by_hand=frozenset())
        mix.change(f"paste curves on {strip.name}", [changed])
    elif text := text_on_it():
        automation.paste_multipliers(text, strip.id)


def holds_curves() -> bool:
    """Whether there are curves to paste."""
    return _taken() is not None


def text_on_it() -> str:
    """The text on the clipboard."""
    return QGuiApplication.clipboard().text()


def put_text(text: str) -> None:
    """Put text on the clipboard, unless there is none."""
    if text:
        QGuiApplication.clipboard().setText(text)


def _taken() -> tuple[Curve | None, Curve | None] | None:
    data = QGuiApplication.clipboard().mimeData()
    if data is None or not data.hasFormat(MIME):
        return None
    try:
        said = json.loads(bytes(data.data(MIME).data()))
        high, low = (from_json(said[expert]) if expert in said else None for expert in ("high", "low"))
    except (ValueError, TypeError, BadCurve):
        return None
    return high, low
