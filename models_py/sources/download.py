"""Downloads that go on where they stopped and never leave half a file under its final name.

Bytes go to ``NAME.part``; beside it ``NAME.part.json`` remembers which version of the file
they belong to, so that a later run asks the server for the rest only (RFC 9110, sections 14.2
and 13.1.5) and starts again where the file there has changed. Proxies and certificates are taken
from the environment as ``requests`` does.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models_py.base.errors import SourceError
from models_py.base.progress import Progress

if TYPE_CHECKING:
    import requests

# Bytes short of a piece are lost where the connection breaks, so pieces are small.
PIECE_BYTES = 16_384
LONGEST_PAUSE_SECONDS = 60.0
WORTH_RETRYING = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Patience:
    """How long a download waits and how often it tries again.

    Attributes
    ----------
    connect_seconds, read_seconds
        Longest silence allowed while connecting and between two pieces.
    attempts
        Tries in a row that bring nothing new before it gives up.
    pause_seconds
        Pause after the first such try; doubled after each further one.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    attempts: int = 4
    pause_seconds: float = 1.0


@dataclass(frozen=True)
class _Version:
    """What a server said of the file that a partial download belongs to."""

    address: str
    validator: str | None = None
    total: int | None = None


class _BrokenOffError(Exception):
    """A try ended early for a reason that may pass; carries the pause the server asks for."""

    def __init__(self, reason: str, pause_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.pause_seconds = pause_seconds


def part_of(target: Path) -> Path:
    """Return where the bytes of an unfinished download lie."""
    return target.with_name(target.name + ".part")


def forget_part(target: Path) -> None:
    """Remove what an unfinished download left."""
    part_of(target).unlink(missing_ok=True)
    _version_file(target).unlink(missing_ok=True)


def download(
    address: str,
    target: Path,
    *,
    signature: bytes,
    bytes_at_most: int,
    progress: Progress,
    patience: Patience | None = None,
) -> None:
    """Fetch one file, going on where an earlier try stopped.

    Parameters
    ----------
    address
        Where the file lies.
    target
        Final name; it appears only when the file is whole.
    signature
        First bytes of the right kind of file, which a web page does not have.
    bytes_at_most
        Size above which the answer cannot be the file.
    progress
        Shows the bytes that are there.
    patience
        Timeouts and retries.

    Raises
    ------
    SourceError
        If the server refuses, answers with something else, or keeps breaking off.
    """
    patience = patience or Patience()
    fruitless, furthest = 0, _size(part_of(target))
    with secure_session() as session:
        while True:
            try:
                _try_once(session, address, target, signature, bytes_at_most, progress, patience)
                break
            except _BrokenOffError as stop:
                reached = _size(part_of(target))
                fruitless = 0 if reached > furthest else fruitless + 1
                furthest = max(furthest, reached)
                if fruitless >= patience.attempts:
                    raise SourceError(_given_up(address, stop, target)) from stop
                pause = stop.pause_seconds
                if pause is None:
                    pause = patience.pause_seconds * 2 ** max(fruitless - 1, 0)
                time.sleep(min(pause, LONGEST_PAUSE_SECONDS))
    part_of(target).replace(target)
    forget_part(target)


def _given_up(address: str, stop: _BrokenOffError, target: Path) -> str:
    kept = _size(part_of(target))
    if kept:
        return f"{address}: {stop}; {kept:,} bytes are kept, run again to go on"
    return f"{address}: {stop}; run again, or download it by hand and use --from"


def secure_session() -> requests.Session:
    """Return a session that follows no redirect from https to http."""
    from urllib.parse import urljoin

    import requests

    class SecureSession(requests.Session):
        def get_redirect_target(self, resp: requests.Response) -> str | None:
            target = super().get_redirect_target(resp)
            if target is not None and resp.url.lower().startswith("https:"):
                onward = urljoin(resp.url, target)
                if not onward.lower().startswith("https:"):
                    raise SourceError(
                        f"{resp.url} sends on to {onward}, which is not encrypted: nothing was"
                        " fetched; get the file by hand and name its folder with --from"
                    )
            return target

    return SecureSession()


def _try_once(
    session: requests.Session,
    address: str,
    target: Path,
    signature: bytes,
    bytes_at_most: int,
    progress: Progress,
    patience: Patience,
) -> None:
    """Ask for what is missing and append it; raise _BrokenOffError where a retry may help."""
    import requests

    have, version = _resume_point(address, target)
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if version.validator:
            headers["If-Range"] = version.validator
    timeout = (patience.connect_seconds, patience.read_seconds)
    try:
        with session.get(address, headers=headers, stream=True, timeout=timeout) as response:
            start = _accept(response, address, have, version, target)
            if start is None:
                return
            total = _total_bytes(response, start)
            _refuse_too_large(address, total or 0, bytes_at_most)
            _remember(target, _Version(address, _validator(response), total))
            _append(response, address, target, start, total, signature, bytes_at_most, progress)
    except requests.exceptions.SSLError as error:
        raise SourceError(
            f"{address}: the server's certificate is not trusted ({_reason(error)}); "
            "behind a proxy set REQUESTS_CA_BUNDLE to its certificate file"
        ) from error
    except (
        requests.exceptions.ConnectionError,
        requests.exceptions.Timeout,
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError,
    ) as error:
        raise _BrokenOffError(_reason(error)) from error
    except requests.exceptions.RequestException as error:
        raise SourceError(f"{address}: {_reason(error)}") from error
    got = _size(part_of(target))
    if total is not None and got != total:
        forget_part(target)
        raise _BrokenOffError(f"sent {got:,} bytes where it announced {total:,}")


def _resume_point(address: str, target: Path) -> tuple[int, _Version]:
    """Return the bytes that are there and the version they belong to; none of another address."""
    have, fresh = _size(part_of(target)), _Version(address)
    try:
        version = _Version(**json.loads(_version_file(target).read_text()))
    except (OSError, ValueError, TypeError):
        version = None
    if have and (version is None or version.address != address):
        forget_part(target)
        return 0, fresh
    return have, version or fresh


def _accept(
    response: requests.Response, address: str, have: int, version: _Version, target: Path
) -> int | None:
    """Return the byte at which the answer starts, or None if nothing is missing."""
    status = response.status_code
    if status == 200:
        return 0
    span = response.headers.get("Content-Range", "")
    if status == 206 and have:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", span)
        known = {"*", str(version.total)} if version.total is not None else None
        if match and int(match[1]) == have and (known is None or match[2] in known):
            return have
    elif status == 416 and have:
        if span == f"bytes */{have}" and version.total in (None, have):
            return None
    elif status in WORTH_RETRYING:
        raise _BrokenOffError(f"the server answered {status}", _asked_pause(response))
    else:
        raise SourceError(
            f"{address}: the server answered {status} {response.reason or ''}".rstrip()
            + "; download it by hand and use --from"
        )
    forget_part(target)
    raise _BrokenOffError("the file there is not the one begun; starting over", 0.0)


def _append(
    response: requests.Response,
    address: str,
    target: Path,
    start: int,
    total: int | None,
    signature: bytes,
    bytes_at_most: int,
    progress: Progress,
) -> None:
    reached = start
    with part_of(target).open("ab" if start else "wb") as part:
        for piece in response.iter_content(PIECE_BYTES):
            if reached == 0 and not piece.startswith(signature):
                part.close()
                forget_part(target)
                raise SourceError(_wrong_kind(address, response, piece))
            part.write(piece)
            reached += len(piece)
            _refuse_too_large(address, reached, bytes_at_most)
            progress.advance(reached, total or bytes_at_most)
    if reached == 0:
        forget_part(target)
        raise SourceError(f"{address}: answered with nothing; download it by hand and use --from")


def _wrong_kind(address: str, response: requests.Response, piece: bytes) -> str:
    words = " ".join(piece[:60].decode("utf-8", "replace").split())
    kind = response.headers.get("Content-Type", "something else").split(";")[0]
    return (
        f"{address}: answered with {kind} (it begins {words!r}), not with the zip file; a login "
        "page or a proxy may stand between: download it by hand and use --from"
    )


def _refuse_too_large(address: str, size: int, bytes_at_most: int) -> None:
    if size > bytes_at_most:
        raise SourceError(
            f"{address}: {size:,} bytes or more are offered where the file has at most "
            f"{bytes_at_most:,}; this is another file"
        )


def _total_bytes(response: requests.Response, start: int) -> int | None:
    """Return the size of the whole file; None if unknown or compressed."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        return None
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdecimal() else None


def _validator(response: requests.Response) -> str | None:
    """Return what proves that a later answer is of the same version (never a weak tag)."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified")


def _asked_pause(response: requests.Response) -> float | None:
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isdecimal() else None


def _remember(target: Path, version: _Version) -> None:
    _version_file(target).write_text(json.dumps(asdict(version)))


def _version_file(target: Path) -> Path:
    return part_of(target).with_name(part_of(target).name + ".json")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _reason(error: BaseException) -> str:
    """Return the innermost cause in a few words, without object addresses."""
    inner: object = error
    while isinstance(inner, BaseException):
        deeper = getattr(inner, "reason", None) or next(
            (part for part in inner.args if isinstance(part, BaseException)), None
        )
        if not isinstance(deeper, BaseException):
            break
        inner = deeper
    text = str(inner).rsplit(">: ", 1)[-1]
    return " ".join(text.split()) or type(inner).__name__
