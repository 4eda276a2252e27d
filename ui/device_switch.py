"""From one device to another while the window is open: what is under way ends first, the desk comes along."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from ui.message_bar import Action, MessageBar

if TYPE_CHECKING:
    from engine.bridge import EngineBridge
    from engine.messages import EngineReady, Failed, ModelLoaded
    from engine.worker import Session
    from ui.settings import Device, Settings
    from ui.state.run import RunState

NAMES: dict[Device, str] = {"auto": "the best device", "cpu": "the processor", "cuda": "the NVIDIA GPU"}
TIP = "Its steps are kept; it can be continued on the other device"


class DeviceSwitch(QObject):
    """Opens sessions on the device of the settings; where one cannot be had, the settings get the one before.

    `run` loads the model again by itself, after which the desk attaches its LoRAs.
    """

    def __init__(
        self,
        open_session: Callable[[Device], Session],
        bridge: EngineBridge,
        run: RunState,
        settings: Settings,
        bar: MessageBar,
    ) -> None:
        super().__init__(bar)
        self._open_session, self._bridge, self._run = open_session, bridge, run
        self._settings, self._bar = settings, bar
        self._now = settings.device
        self._wanted: Device | None = None
        self._back: Device | None = None
        """Where to return to if the model cannot be loaded on the device of now."""
        self._has_answered = self._is_opening = self._is_arriving = False
        self._said = ""
        bridge.engine_ready.connect(self._on_ready)
        bridge.engine_kept.connect(self._on_kept)
        bridge.model_loaded.connect(self._on_loaded)
        bridge.failed.connect(self._on_failed)
        run.state_changed.connect(self._go)

    def follow(self) -> None:
        """Go to the device that the settings say now, as soon as the engine is free."""
        device = self._settings.device
        if device == (self._wanted or self._now):
            return
        if self._is_opening or self._is_arriving:
            return  # `_on_loaded` looks again
        if device == self._now:
            self._withdraw()
            self._wanted = None
            self._run.keep_engine()
            return
        self._wanted = device
        self._run.leave_engine()
        self._go()
        if not self._is_opening and not self._run.is_drafting:
            self._say_when(device)

    def stop(self) -> None:
        """The window closes: the next start goes to the device of the settings."""
        self._wanted = None

    def _say_when(self, device: Device) -> None:
        stop = Action("Stop it now", TIP, self._run.cancel)
        is_clip = not self._run.is_free
        sentence = "The clip under way is finished first." if is_clip else "The engine starts up first."
        self._say(
            "info", sentence, f"Then rendering moves to {NAMES[device]}.", actions=(stop,) if is_clip else ()
        )

    def _go(self) -> None:
        can_go = self._has_answered and not self._is_opening and self._run.is_free
        if self._wanted is not None and can_go:
            self._is_opening = True
            self._withdraw()
            self._bridge.move(partial(self._open_session, self._wanted))

    # What became of it

    def _on_ready(self, _event: EngineReady) -> None:
        self._has_answered = True
        if self._is_opening and self._wanted is not None:
            self._is_opening, self._is_arriving = False, True
            self._back = None if self._wanted == self._back else self._now
            self._now, self._wanted = self._wanted, None
            self._run.enter_engine()
        self._go()

    def _on_kept(self, failed: Failed) -> None:
        self._is_opening, self._wanted = False, None
        self._settle_for(self._now)
        self._run.keep_engine()
        stays = f"Rendering stays with {self._run.device}." if self._run.device else ""
        self._say("refused", failed.title, f"{stays} {failed.advice}".strip(), failed.details)

    def _on_loaded(self, _event: ModelLoaded) -> None:
        if self._is_arriving:
            self._is_arriving, self._back = False, None
            self._say("info", f"Rendering goes on with {self._run.device}.")
            self.follow()  # somebody may have changed their mind meanwhile

    def _on_failed(self, failed: Failed) -> None:
        """The model cannot be loaded there: go back to where it could. Or the first engine did not start."""
        if self._run.is_engine_lost:
            self._has_answered = True
            self._go()
        if self._is_arriving and failed.run is None and failed.adapter is None and failed.file is None:
            self._is_arriving = False
            if self._back is not None:
                self._settle_for(self._back)
                self.follow()

    def _settle_for(self, device: Device) -> None:
        self._settings.device = device
        self._settings.save()

    # Saying

    def _say(
        self, kind: str, sentence: str, advice: str = "", details: str = "", actions: tuple[Action, ...] = ()
    ) -> None:
        self._withdraw()
        self._said = sentence
        self._bar.say(kind, sentence, advice, details, actions)

    def _withdraw(self) -> None:
        self._bar.withdraw(self._said)
