"""What schedulers are called, and what a pill says of how a clip goes through the noise."""

from ui.state.run import RunState

_TITLES: dict[str | None, str] = {
    None: "This model's own",
    "unipc": "UniPC",
    "euler": "Euler",
    "dpm++": "DPM++ 2M",
    "lcm": "LCM",
}
SCHEDULER_TIPS: dict[str | None, str] = {
    None: "What the model was saved with",
    "unipc": "Looks back at the steps before and corrects itself; Wan's usual one",
    "euler": "The plain step, with which distilled LoRAs are run",
    "dpm++": "Looks back at the step before",
    "lcm": "Puts new noise on the picture after every step, the same for a seed every time",
}


def scheduler_title(name: str | None) -> str:
    """A scheduler as a person calls it; None is the model's own."""
    return _TITLES.get(name, str(name))


def sampling_text(run: RunState) -> str:
    """The pill: the scheduler unless it is the model's own, and the shift or that sigmas are given."""
    settings = run.settings
    way = f"shift {settings.shift:g}" if settings.sigmas is None else f"{len(settings.sigmas)} σ"
    return way if settings.scheduler is None else f"{scheduler_title(settings.scheduler)} · {way}"
