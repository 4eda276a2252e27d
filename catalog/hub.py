"""Asks the Hub what a repository holds, and for the bytes of its files."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from catalog.errors import HubError, NeedsLicence, NoNetwork, NotOnHub

SITE = "https://huggingface.co"
SECONDS = 15.0
"""How long a server may be silent; also how long a cancelled download may hang on it."""
_WRONG_TOKEN = "Invalid credentials in Authorization header"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of one revision: its path in the repository, its size in bytes, and what its content must be.

    `sha256` is what the Hub says of large files; of the others it only knows git's hash, `blob`.
    """

    repository: str
    revision: str
    path: str
    size: int
    sha256: str = ""
    blob: str = ""


@dataclass(frozen=True, slots=True)
class Repository:
    """The files of a repository as they are now, and the licence that its page names, "" when none."""

    name: str
    files: tuple[HubFile, ...] = ()
    licence: str = ""
    is_gated: bool = False

    def file(self, path: str) -> HubFile | None:
        """The file at that path."""
        return next((file for file in self.files if file.path == path), None)


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of a file from `start` on; the Hub may begin earlier than it was asked to."""

    start: int
    chunks: Iterator[bytes]


def is_name(text: str) -> bool:
    """Whether this can be the name of a repository, as owner/name."""
    return _NAME.fullmatch(text) is not None


def page_of(repository: str) -> str:
    """The address of a repository's page, for people."""
    return f"{SITE}/{repository}"


class Hub:
    """The Hub at `endpoint`, or at $HF_ENDPOINT, or the public one.

    What the user has logged in with is sent by huggingface_hub, to the Hub alone, and is kept nowhere here.
    """

    def __init__(self, endpoint: str | None = None, seconds: float = SECONDS) -> None:
        self._endpoint, self._seconds = endpoint, seconds

    def repository(self, name: str) -> Repository:
        """What a repository holds; HubError says why that cannot be told."""
        from huggingface_hub import HfApi  # a second of imports that only a download needs

        api = HfApi(endpoint=self._endpoint)
        found = _asked(name, lambda: api.model_info(name, files_metadata=True, timeout=self._seconds))
        revision = str(found.sha or "main")
        files = tuple(_file(name, revision, sibling) for sibling in found.siblings or ())
        return Repository(name, files, _licence(found), bool(found.gated))

    @contextmanager
    def open(self, file: HubFile, start: int = 0) -> Iterator[Answer]:
        """The bytes of a file from `start` on, or from 0 where the server knows no better. HubError also
        while they are read."""
        if start:
            with self._response(file, start) as response:
                if response.status_code == 200 or _begins_at(response, start):
                    begin = start if response.status_code == 206 else 0
                    yield Answer(begin, _chunks(file.repository, response.iter_bytes()))
                    return
        with self._response(file, 0) as response:
            yield Answer(0, _chunks(file.repository, response.iter_bytes()))

    @contextmanager
    def _response(self, file: HubFile, start: int) -> Iterator[Any]:
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

        url = hf_hub_url(file.repository, file.path, revision=file.revision, endpoint=self._endpoint)
        headers = build_hf_headers() | {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        session = get_session()
        request = session.build_request("GET", url, headers=headers, timeout=self._seconds)
        response = _asked(file.repository, lambda: session.send(request, stream=True, follow_redirects=True))
        try:
            if response.status_code != 416:  # nothing is left from `start` on: the caller begins anew
                _asked(file.repository, lambda: hf_raise_for_status(response))
            yield response
        finally:
            response.close()


def _file(repository: str, revision: str, sibling: Any) -> HubFile:
    sha256 = sibling.lfs.sha256 if sibling.lfs else ""
    return HubFile(
        repository, revision, sibling.rfilename, sibling.size or 0, sha256 or "", sibling.blob_id or ""
    )


def _licence(found: Any) -> str:
    card = found.card_data
    named = card.get("license_name") or card.get("license") if card else ""
    tags = (tag.removeprefix("license:") for tag in found.tags or () if tag.startswith("license:"))
    return str(named or next(tags, ""))


def _begins_at(response: Any, start: int) -> bool:
    said = str(response.headers.get("Content-Range", ""))
    return response.status_code == 206 and said.startswith(f"bytes {start}-")


def _chunks(repository: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    while (chunk := _asked(repository, lambda: next(chunks, None))) is not None:
        yield chunk


def _asked(repository: str, ask: Callable[[], Any]) -> Any:
    """The answer; whatever the network or the Hub do wrong becomes one sentence."""
    from huggingface_hub.errors import HFValidationError, HTTPError, OfflineModeIsEnabled

    try:
        return ask()
    except HFValidationError as error:
        raise NotOnHub(f"“{repository}” is no name of a repository.") from error
    except OfflineModeIsEnabled as error:
        raise NoNetwork("HF_HUB_OFFLINE is set, so nothing can be downloaded.", "Unset it.") from error
    except (HTTPError, OSError) as error:
        raise _sentence(repository, error) from error
    except ValueError as error:
        raise HubError(
            "The answer is not the Hub’s.", "Is there a login page between? Open any web page to see."
        ) from error


def _sentence(repository: str, error: Exception) -> HubError:
    from huggingface_hub.errors import DisabledRepoError, GatedRepoError

    response = getattr(error, "response", None)
    if response is None:
        return NoNetwork("The Hub cannot be reached, or the connection ended.")
    if isinstance(error, DisabledRepoError):
        return HubError(f"The Hub has closed {repository}.", "Look at its page for the reason.")
    if response.headers.get("X-Error-Message") == _WRONG_TOKEN:
        return NeedsLicence(
            "The Hub does not accept your login any more.", "Log in again with “hf auth login”."
        )
    if isinstance(error, GatedRepoError) or response.status_code in (401, 403):
        return NeedsLicence(
            f"{repository} is only for those who have accepted its licence, or does not exist.",
            f"Accept the licence at {page_of(repository)}, then log in with “hf auth login”.",
        )
    if response.status_code == 404:
        return NotOnHub(f"{repository}, or the file wanted of it, is not on the Hub.")
    if response.status_code == 429:
        return HubError("The Hub has been asked too often.", "Wait some minutes, then try again.")
    return HubError(f"The Hub answers with an error ({response.status_code}).")
