"""What the dialog says of models, ways and downloads."""

from catalog.download import Progress, size_words
from catalog.hub import Repository, page_of
from catalog.shelf import Shelved, Way
from ui.shelf.order import Order


def way_title(way: Way, is_named: bool = False) -> str:
    """A way in a few words; with the model's name where it is not clear which."""
    what = (
        "Whole folder, as the authors publish it" if way.row else "Whole folder, as diffusers stores models"
    )
    if way.kind == "files":
        what = f"Single files, {way.numbers}" if way.numbers else "Single files"
    name = f"{way.row.title} · " if is_named and way.row else ""
    return f"{name}{what}"


def here_words(order: Order) -> str:
    """How much of a way is there already, "" when nothing."""
    if order.is_here:
        return "here"
    received = order.received
    return f"{100 * received // max(1, order.way.size)} % here" if received else ""


def needs_words(way: Way, memory: str = "") -> str:
    """What a way asks of memory."""
    largest = f"Its largest part has {size_words(way.heaviest)}; what does not fit into memory is streamed."
    return f"{largest} {memory}".strip()


def licence_words(sources: tuple[Repository, ...]) -> str:
    """Which licence each repository names, and which must be accepted before."""
    return "\n".join(f"{source.name}: {_licence(source)}" for source in sources)


def _licence(source: Repository) -> str:
    licence = source.licence or "names no licence; look at its page"
    return f"{licence}; accept it on the page first, and log in" if source.is_gated else licence


def takes_words(shelved: Shelved) -> str:
    """What a model is given."""
    must = " and ".join(shelved.row.inputs)
    may = ", ".join(shelved.row.optional_inputs)
    return f"Takes {must}" + (f"; may take {may}." if may else ".")


def progress_words(progress: Progress) -> str:
    """How far a download is, how fast, and how long it still takes."""
    done = f"{size_words(progress.done) or '0 bytes'} of {size_words(progress.total)}"
    if progress.is_checking:
        return f"Checking {progress.name} · {done}"
    speed = f"{size_words(int(progress.speed))}/s" if progress.speed else ""
    left = f"{duration_words(progress.seconds)} left" if progress.seconds else ""
    return " · ".join(filter(None, (done, speed, left)))


def duration_words(seconds: float) -> str:
    """A duration that nobody takes for exact."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def page(way: Way) -> str:
    """The page of the repository that the model itself comes from."""
    return page_of(way.repositories[0])
