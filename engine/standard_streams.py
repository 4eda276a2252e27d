"""Standard output and error may be closed, cut off or full, or lack a character: no clip is lost over that."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast


@contextmanager
def forgiving() -> Iterator[None]:
    """Whatever is written meanwhile raises nothing; where nobody listens any more it is dropped."""
    before = sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        # None where a program was started with the stream closed
        sys.stderr = cast(TextIO, _Forgiving(sys.stderr or nowhere))
        sys.stdout = cast(TextIO, _Forgiving(sys.stdout or nowhere))
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            sys.stdout, sys.stderr = before


class _Forgiving:
    """A stream that stops writing, rather than its program, when it cannot."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except UnicodeEncodeError:
            known = self._stream.encoding or "ascii"
            return self._stream.write(text.encode(known, "backslashreplace").decode(known))
        except OSError as error:
            self._give_up(error)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """Lead the stream to nowhere, with what it still holds, or Python complains about that at its end."""
        with suppress(OSError), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())
        if self is sys.stdout and error.errno not in (errno.EPIPE, errno.EINVAL):  # EINVAL: a pipe on Windows
            sys.stderr.write(f"Standard output cannot be written: {error.strerror}.\n")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
