"""What the LoRAs behind strengths are called, also after their strips are gone."""

from PySide6.QtCore import QObject

from ui.state.mix import MixState


class LoraNames(QObject):
    """Remembers the name of every strip that was on the desk in this session."""

    def __init__(self, mix: MixState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._mix = mix
        self._names: dict[str, str] = {}
        mix.changed.connect(self._learn)
        self._learn()

    def __call__(self, adapter: str) -> str:
        """The name of the LoRA that was attached as `adapter`."""
        return self._names.get(adapter, "a LoRA that is gone")

    def _learn(self) -> None:
        self._names |= {strip.id: strip.name for strip in self._mix.strips}
