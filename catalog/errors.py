"""What can be wrong with a file, a recipe or a folder, said to the user."""

from catalog.plain_text import plain


class ExpectedError(Exception):
    """A failure that is no bug: the message is one sentence for the user, `advice` says what to do.

    A sentence may quote names from files of unknown origin; it is one line of plain text all the same.
    """

    advice = ""

    def __init__(self, sentence: str, advice: str | None = None) -> None:
        super().__init__(plain(sentence))
        if advice is not None:
            self.advice = advice


class CatalogError(ExpectedError):
    """An expected failure around files, recipes and folders."""


class UnreadableFile(CatalogError):
    """A file that is not what its name says: truncated, a web page, a pickle, …"""

    advice = "Download the file again from its source, as .safetensors."


class BadRecipe(CatalogError):
    """A recipe with a wrong field; the sentence names the field and what is allowed."""

    advice = "Correct the field and try again."


class ModelNotFound(CatalogError):
    """A model name or folder that leads nowhere, or a folder that is not a Wan model."""

    advice = "Use “demo”, or the path of a diffusers folder or of a .wanmodel.json."


class LoraNotFound(CatalogError):
    """A LoRA file that a recipe names and nobody has."""

    advice = "Put the file beside the recipe or drop it on the window."


class HubError(CatalogError):
    """The Hub, where models are downloaded from, does not give what was asked for."""

    advice = "Try again later."


class NoNetwork(HubError):
    """The Hub cannot be reached, or the connection ended early; what has come is kept."""

    advice = "Check the connection, and try again: a download goes on where it stopped."


class NeedsLicence(HubError):
    """A repository that wants its licence accepted first."""


class NotOnHub(HubError):
    """A repository or a file that is not there."""

    advice = "Check the name; repositories are renamed at times."


class DownloadFailed(CatalogError):
    """A download that the disk or its own content stops."""

    advice = "Try again."
