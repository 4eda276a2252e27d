"""Offers to continue runs that stopped before their clip was there."""

from functools import partial

from PySide6.QtCore import QDateTime, QLocale, QObject

from engine.messages import Unfinished
from ui.message_bar import Action, MessageBar
from ui.state.recipe_desk import RecipeDesk
from ui.state.run import RunState
from ui.state.take import Take

_WORDS = 48


class UnfinishedRuns(QObject):
    """Says in the message bar what can be continued, and continues it."""

    def __init__(
        self, run: RunState, recipes: RecipeDesk, bar: MessageBar, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._run, self._recipes, self._bar = run, recipes, bar
        self._said = ""
        run.stopped.connect(self._on_stopped)
        run.started.connect(self._on_started)

    def offer(self) -> None:
        """Offer what earlier sessions left."""
        left = self._run.unfinished()
        if not left:
            return
        newest, count = left[0], len(left)
        go_on = Action("Continue", "Bring its settings and LoRAs back and go on", partial(self.bring, newest))
        forget = Action(
            "Discard" if count == 1 else "Discard all",
            "Delete what was kept of it; finished clips stay",
            partial(self._discard, left),
        )
        sentence = f"A clip stopped at step {newest.step} of {newest.steps} before it was finished."
        advice = f"{words_of(newest)}."
        if count > 1:
            sentence = f"{count} clips stopped before they were finished."
            advice = (
                f"The newest, at step {newest.step} of {newest.steps}: {advice}"
                " The others are in the menu Run, Unfinished clips."
            )
        self._say(sentence, advice, (go_on, forget))

    def bring(self, unfinished: Unfinished) -> None:
        """Put a run's settings and LoRAs back and go on with it; not without one of its LoRAs."""
        self._recipes.show(unfinished.recipe, partial(self._run.resume, unfinished))

    def resume(self, unfinished: Unfinished) -> None:
        """Go on with a run of this session, with the desk as it is now."""
        if unfinished.recipe.model == self._run.model_name:
            self._run.resume(unfinished)
        else:
            self.bring(unfinished)

    def _discard(self, left: tuple[Unfinished, ...]) -> None:
        for unfinished in left:
            self._run.discard(unfinished)

    def _on_stopped(self, take: Take) -> None:
        if take.unfinished is not None:
            sentence = f"Stopped at step {take.unfinished.step} of {take.unfinished.steps}. Nothing is lost."
            tip = "Go on where it stopped, with the faders as they are now"
            self._say(sentence, "", (Action("Continue", tip, partial(self.resume, take.unfinished)),))

    def _on_started(self) -> None:
        if not self._run.is_drafting:
            self._bar.withdraw(self._said)

    def _say(self, sentence: str, advice: str, actions: tuple[Action, ...]) -> None:
        self._bar.withdraw(self._said)
        self._said = sentence
        self._bar.say("info", sentence, advice, actions=actions)


def words_of(unfinished: Unfinished) -> str:
    """A run in a few words: its prompt, and when it stopped."""
    prompt = unfinished.recipe.prompt
    short = prompt if len(prompt) <= _WORDS else f"{prompt[:_WORDS].rstrip()}…"
    moment = QDateTime.fromSecsSinceEpoch(int(unfinished.time))
    when = QLocale().toString(moment, QLocale.FormatType.ShortFormat)
    return f"“{short}”, {when}"
