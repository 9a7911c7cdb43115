"""A file server on this machine that misbehaves on demand."""

from __future__ import annotations

import io
import re
import threading
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from models_py.sources.download import Patience

IMPATIENT = Patience(connect_seconds=2.0, read_seconds=0.3, attempts=2, pause_seconds=0.0)


@dataclass
class Served:
    """One address: its bytes, and how the server fails at each request in turn."""

    content: bytes = b""
    tag: str | None = '"first"'
    ranges: bool = True
    announced: int | None = None
    chunked: bool = False
    kind: str = "application/zip"
    location: str | None = None
    refusals: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    stalls: list[int] = field(default_factory=list)


@dataclass
class Asked:
    """What a client asked for."""

    path: str
    span: str | None
    if_range: str | None
    host: str | None


class FileServer:
    """Serves :class:`Served` by path and keeps what was asked."""

    def __init__(self) -> None:
        self.served: dict[str, Served] = {}
        self.asked: list[Asked] = []
        self.closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def serve(self, path: str, served: Served) -> str:
        self.served[path] = served
        return self.address + path

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(files: FileServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep the test's output clean."""

        def do_GET(self) -> None:
            path = re.sub(r"^http://[^/]+", "", self.path)
            span, if_range = self.headers.get("Range"), self.headers.get("If-Range")
            files.asked.append(Asked(self.path, span, if_range, self.headers.get("Host")))
            self.close_connection = True
            served = files.served.get(path)
            if served is None:
                self._end(404)
            elif served.refusals:
                self._end(served.refusals.pop(0), {"Retry-After": "0"})
            elif served.location is not None:
                self._end(302, {"Location": served.location})
            else:
                self._give(served, span, if_range)

        def _end(self, status: int, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()

        def _give(self, served: Served, span: str | None, if_range: str | None) -> None:
            start = int(span.removeprefix("bytes=").rstrip("-")) if span else 0
            if not served.ranges or (if_range and if_range != served.tag):
                start = 0
            if start and start >= len(served.content):
                self._end(416, {"Content-Range": f"bytes */{len(served.content)}"})
                return
            body = served.content[start:]
            self.send_response(206 if start else 200)
            if start:
                last, total = len(served.content) - 1, len(served.content)
                self.send_header("Content-Range", f"bytes {start}-{last}/{total}")
            if served.tag:
                self.send_header("ETag", served.tag)
            self.send_header("Content-Type", served.kind)
            if served.chunked:
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self._chunks(served, body)
                return
            self.send_header("Content-Length", str(served.announced or len(body)))
            self.end_headers()
            self._send(served, body)

        def _send(self, served: Served, body: bytes) -> None:
            if served.cuts:
                body = body[: served.cuts.pop(0)]
            if served.stalls:
                self.wfile.write(body[: served.stalls.pop(0)])
                self.wfile.flush()
                files.closing.wait(10)
                return
            self.wfile.write(body)

        def _chunks(self, served: Served, body: bytes) -> None:
            cut = served.cuts.pop(0) if served.cuts else None
            sent = body[:cut]
            self.wfile.write(f"{len(sent):x}\r\n".encode() + sent + b"\r\n")
            if cut is None:
                self.wfile.write(b"0\r\n\r\n")

    return Handler


def zip_of(members: dict[str, bytes]) -> bytes:
    """Return a zip file with these members by path."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()
