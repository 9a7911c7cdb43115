"""The page to look around in, served to this machine alone and to whoever has its token.

It binds to 127.0.0.1, answers requests that name that host and bear the token, and sends nothing
that would let the page ask for anything elsewhere.
"""

from __future__ import annotations

import hmac
import json
import secrets
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from models_py.base.errors import DataError, SegmenthouseError, UsageError, first_line_of
from models_py.database.exploring import Snapshot, take_snapshot
from models_py.report.explore import selections
from models_py.report.explore.describing import OpenRoom, list_runs, open_room

HOST = "127.0.0.1"
ROOMS = 2
"""Rooms that stay open: the one that is looked at and the one before."""

MOST_BYTES = 1_000_000
FOLDER = Path(__file__).parent
STYLE = FOLDER.parent / "templates" / "style.css"

JSON, ARROW, HTML = "application/json", "application/vnd.apache.arrow.stream", "text/html"


class Explorer:
    """The snapshot and the rooms that are open.

    Parameters
    ----------
    warehouse
        The DuckDB file.
    folder
        Where snapshots go; nobody else may read it.
    """

    def __init__(self, warehouse: Path, folder: Path) -> None:
        self.warehouse, self.folder = warehouse, folder
        self._lock = threading.Lock()
        self._rooms: OrderedDict[tuple[str, str | None], OpenRoom] = OrderedDict()
        self._snapshot: Snapshot | None = None
        self.refresh()

    def refresh(self) -> None:
        """Take a new snapshot, and let go of the rooms of the one before."""
        with self._lock:
            earlier, self._snapshot = self._snapshot, take_snapshot(self.warehouse, self.folder)
            while self._rooms:
                self._rooms.popitem()[1].room.close()
            if earlier is not None:
                for path in self.folder.glob(f"{earlier.path.name}*"):
                    path.unlink()

    @property
    def snapshot(self) -> Snapshot:
        """The newest."""
        assert self._snapshot is not None
        return self._snapshot

    def runs(self) -> list[dict[str, str]]:
        """Return the runs that can be looked at, the newest first."""
        return list_runs(self.snapshot)

    def room(self, run_id: str, before_id: str | None) -> OpenRoom:
        """Return the room of a run, opened where it is not open."""
        with self._lock:
            opened = self._rooms.pop((run_id, before_id), None)
            opened = opened or open_room(self.snapshot, run_id, before_id)
            self._rooms[run_id, before_id] = opened
            while len(self._rooms) > ROOMS:
                self._rooms.popitem(last=False)[1].room.close()
            return opened

    def close(self) -> None:
        """Let go of all rooms."""
        with self._lock:
            while self._rooms:
                self._rooms.popitem()[1].room.close()


Answer = tuple[str, bytes, dict[str, str]]


class ExploreServer(ThreadingHTTPServer):
    """Answers one explorer's page; :attr:`token` must come with every request."""

    daemon_threads = True

    def __init__(self, explorer: Explorer, port: int = 0) -> None:
        self.explorer, self.token = explorer, secrets.token_urlsafe(24)
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            raise UsageError(
                f"--port {port}: {HOST} has no such port free ({first_line_of(error)}); leave it"
                " out for any that is"
            ) from error

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet of a browser that left before its answer; tell of anything else."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{HOST}:{self.server_address[1]}/?token={self.token}"


class _Handler(BaseHTTPRequestHandler):
    server: ExploreServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet: a line a request would hide what the command says."""

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        given = parse_qs(asked.query).get("token", [""])[0]
        if asked.path == "/favicon.ico":
            self._send(HTTPStatus.NO_CONTENT, HTML, b"")
        elif self._may_ask(given):
            if asked.path == "/":
                nonce = secrets.token_urlsafe(12)
                self._send(HTTPStatus.OK, HTML, _page(nonce), _policy(nonce))
            else:
                self._refuse(HTTPStatus.NOT_FOUND, "there is no such page")

    def do_POST(self) -> None:
        given = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        size = self.headers.get("Content-Length") or ""
        if not size.isdigit() or int(size) > MOST_BYTES:
            self.close_connection = True
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the question is too long")
            return
        body = self.rfile.read(int(size))
        if not self._may_ask(given):
            return
        answer = _ANSWERS.get(self.path)
        if answer is None:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such question")
            return
        try:
            kind, content, headers = answer(self.server.explorer, _read_json(body))
        except SegmenthouseError as error:
            # That a run is of another version, or a selection gives no rule, is an answer too.
            may_be = self.path in _MAY_BE_NONE
            self._refuse(HTTPStatus.OK if may_be else HTTPStatus.BAD_REQUEST, str(error))
        except Exception as error:  # noqa: BLE001
            # A fault of this package is shown on the page: the others who ask are still answered.
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, first_line_of(error))
        else:
            self._send(HTTPStatus.OK, kind, content, headers)

    def _may_ask(self, given: str) -> bool:
        # A page elsewhere could send its reader here under a name of its own (DNS rebinding).
        host = (self.headers.get("Host") or "").rpartition(":")[0]
        if host in (HOST, "localhost") and hmac.compare_digest(
            given.encode(), self.server.token.encode()
        ):
            return True
        self._refuse(
            HTTPStatus.FORBIDDEN,
            "open the address that explore_segments.py printed: it has the token",
        )
        return False

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        self._send(status, JSON, json.dumps({"error": reason}).encode())

    def _send(
        self, status: HTTPStatus, kind: str, content: bytes, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        about = {
            "Content-Type": f"{kind}; charset=utf-8" if kind != ARROW else kind,
            "Content-Length": str(len(content)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            **(headers or {}),
        }
        for name, value in about.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _policy(nonce: str) -> dict[str, str]:
    allowed = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline';"
        " img-src data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )
    return {"Content-Security-Policy": allowed}


def _page(nonce: str) -> bytes:
    text = (FOLDER / "page.html").read_text(encoding="utf-8")
    parts = {
        "{{nonce}}": nonce,
        "{{style}}": STYLE.read_text(encoding="utf-8").partition("* { box-sizing")[0]
        + (FOLDER / "page.css").read_text(encoding="utf-8"),
        "{{library}}": (FOLDER / "vgplot.js").read_text(encoding="utf-8"),
        "{{script}}": (FOLDER / "page.js").read_text(encoding="utf-8"),
    }
    for place, content in parts.items():
        text = text.replace(place, content)
    return text.encode()


def _read_json(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError as error:
        raise DataError(f"the question is no JSON ({error})") from error
    if not isinstance(content, dict):
        raise DataError("the question is no JSON object")
    return content


def _as_json(content: object) -> Answer:
    return JSON, json.dumps(content).encode(), {}


def _file(name: str, kind: str, text: str) -> Answer:
    return kind, text.encode(), {"Content-Disposition": f'attachment; filename="{name}"'}


def _runs(explorer: Explorer, _: dict[str, Any]) -> Answer:
    return _as_json({"runs": explorer.runs()})


def _refreshed(explorer: Explorer, _: dict[str, Any]) -> Answer:
    explorer.refresh()
    return _as_json({"runs": explorer.runs()})


def _opened(explorer: Explorer, asked: dict[str, Any]) -> OpenRoom:
    run_id, before_id = asked.get("run_id"), asked.get("before_id")
    if not isinstance(run_id, str) or not isinstance(before_id, str | None):
        raise DataError("say of which run: run_id")
    return explorer.room(run_id, before_id or None)


def _about(explorer: Explorer, asked: dict[str, Any]) -> Answer:
    return _as_json(_opened(explorer, asked).about)


def _query(explorer: Explorer, asked: dict[str, Any]) -> Answer:
    return ARROW, _opened(explorer, asked).room.arrow(str(asked.get("sql", ""))), {}


def _rule(explorer: Explorer, asked: dict[str, Any]) -> Answer:
    opened = _opened(explorer, asked)
    clauses = selections.read_clauses(asked.get("clauses"), opened)
    return _as_json(selections.find_rule(opened, clauses))


def _customers(explorer: Explorer, asked: dict[str, Any]) -> Answer:
    opened = _opened(explorer, asked)
    clauses = selections.read_clauses(asked.get("clauses"), opened)
    text = selections.customers_csv(opened, clauses)
    return _file(f"{opened.study.name}_selection.csv", "text/csv", text)


def _study(explorer: Explorer, asked: dict[str, Any]) -> Answer:
    opened = _opened(explorer, asked)
    clauses = selections.read_clauses(asked.get("clauses"), opened)
    name, text = selections.draft_study(opened, clauses)
    return _file(name, "application/toml", text)


_ANSWERS: dict[str, Callable[[Explorer, dict[str, Any]], Answer]] = {
    "/runs": _runs,
    "/refresh": _refreshed,
    "/about": _about,
    "/query": _query,
    "/rule": _rule,
    "/customers": _customers,
    "/study": _study,
}
_MAY_BE_NONE = ("/about", "/rule", "/customers", "/study")
