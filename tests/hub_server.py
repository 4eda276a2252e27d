"""A small Hub on this machine: what huggingface_hub asks for, and all that a network does wrong."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

LARGE = 1000
"""From this size on files are stored as LFS: their hash is SHA-256, and another server has their bytes."""
REVISION = "a" * 40


@dataclass
class FakeRepository:
    files: dict[str, bytes] = field(default_factory=dict)
    licence: str = "apache-2.0"
    status: int = 200
    code: str = ""
    message: str = ""
    is_gated: bool = False


@dataclass
class LocalHub:
    """Repositories by name, and what is to go wrong. `seen` are the headers of every request, by path."""

    repositories: dict[str, FakeRepository] = field(default_factory=dict)
    cut_after: int = 0
    """The next answers end after so many bytes; each takes one of `cuts`."""
    cuts: int = 0
    ignores_range: bool = False
    wrong_bytes: bool = False
    login_page: bool = False
    hold: threading.Event | None = None
    """Once the half of a file is sent, the server waits for it."""
    halfway: threading.Event = field(default_factory=threading.Event)
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    endpoint: str = ""
    store: str = ""

    def add(self, name: str, files: dict[str, bytes], **facts: object) -> FakeRepository:
        self.repositories[name] = FakeRepository(files, **facts)  # type: ignore[arg-type]
        return self.repositories[name]

    def asked_for(self, path: str) -> list[dict[str, str]]:
        """The headers of all requests for a path that ends so."""
        return [headers for _, seen, headers in self.seen if seen.endswith(path)]


@contextmanager
def local_hub() -> Iterator[LocalHub]:
    """A Hub and, on another port, the store that it sends large files from."""
    hub = LocalHub()
    servers = [_Server(hub, kind) for kind in ("hub", "store")]
    hub.endpoint, hub.store = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    threads = [threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield hub
    finally:
        if hub.hold:
            hub.hold.set()
        for server in servers:
            server.shutdown()
            server.server_close()


def git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, hub: LocalHub, kind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub, self.kind = hub, kind

    def handle_error(self, *_: object) -> None:
        """A client that goes away is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.hub.seen.append((self.server.kind, path, {k.lower(): v for k, v in self.headers.items()}))
        if self.server.hub.login_page:
            self._send(200, b"<html>Log in to this network</html>")
        elif path.startswith("/api/models/"):
            self._list(path.removeprefix("/api/models/"))
        else:
            self._file(path)

    def _list(self, name: str) -> None:
        found = self.server.hub.repositories.get(name)
        if found is None or found.status != 200:
            self._refuse(found)
            return
        facts = {
            "id": name,
            "modelId": name,
            "sha": REVISION,
            "gated": "manual" if found.is_gated else False,
            "private": False,
            "tags": [f"license:{found.licence}"] if found.licence else [],
            "cardData": {"license": found.licence} if found.licence else {},
            "siblings": [_sibling(path, content) for path, content in found.files.items()],
        }
        self._send(200, json.dumps(facts).encode(), ("Content-Type", "application/json"))

    def _file(self, path: str) -> None:
        name, _, rest = path.strip("/").partition("/resolve/")
        revision, _, inner = rest.partition("/")
        found = self.server.hub.repositories.get(name)
        if found is None or found.status != 200 or inner not in found.files or revision != REVISION:
            self._refuse(found)
            return
        content = found.files[inner]
        if self.server.kind == "hub" and len(content) >= LARGE:
            self._send(302, b"", ("Location", f"{self.server.hub.store}{self.path}"))
            return
        self._bytes(content)

    def _bytes(self, content: bytes) -> None:
        start = 0
        wanted = self.headers.get("Range", "")
        if wanted and not self.server.hub.ignores_range:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self._send(416, b"", ("Content-Range", f"bytes */{len(content)}"))
                return
        if self.server.hub.wrong_bytes:
            content = bytes(len(content))
        body = content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self._body(body)
        except OSError:
            self.close_connection = True

    def _body(self, body: bytes) -> None:
        if self.server.hub.cuts and len(body) > self.server.hub.cut_after:
            self.server.hub.cuts -= 1
            self.wfile.write(body[: self.server.hub.cut_after])
            self.close_connection = True
            return
        half = len(body) // 2
        self.wfile.write(body[:half])
        self.wfile.flush()
        if self.server.hub.hold and len(body) >= LARGE:
            self.server.hub.halfway.set()
            self.server.hub.hold.wait(60)
        self.wfile.write(body[half:])

    def _refuse(self, found: FakeRepository | None) -> None:
        status = found.status if found and found.status != 200 else 404
        code = found.code if found else "RepoNotFound"
        said = {"X-Error-Code": code, "X-Error-Message": found.message if found else ""}
        self._send(status, b"{}", *((key, value) for key, value in said.items() if value))

    def _send(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _sibling(path: str, content: bytes) -> dict[str, object]:
    facts: dict[str, object] = {"rfilename": path, "size": len(content), "blobId": git_hash(content)}
    if len(content) >= LARGE:
        sha256 = hashlib.sha256(content).hexdigest()
        facts["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 130}
    return facts
