"""Downloads against a server that cuts, stalls, lies, redirects and serves other files."""

from __future__ import annotations

import json
import random
import socket
from pathlib import Path

import pytest
import requests
from file_server import IMPATIENT, FileServer, Served

from models_py.base.errors import SourceError
from models_py.base.progress import Silent
from models_py.sources.download import download, part_of, secure_session

CONTENT = b"PK" + random.Random(1).randbytes(1_000_000)


def get(address: str, target: Path, bytes_at_most: int = 2_000_000) -> None:
    download(
        address,
        target,
        signature=b"PK",
        bytes_at_most=bytes_at_most,
        progress=Silent(),
        patience=IMPATIENT,
    )


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "file.zip"


def left_in(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def assert_whole(target: Path) -> None:
    assert target.read_bytes() == CONTENT
    assert left_in(target) == ["file.zip"]


@pytest.mark.parametrize("chunked", [False, True])
def test_whole_file_at_the_first_try(files: FileServer, target: Path, chunked: bool) -> None:
    get(files.serve("/f.zip", Served(CONTENT, chunked=chunked)), target)
    assert_whole(target)
    assert len(files.asked) == 1


@pytest.mark.parametrize("chunked", [False, True])
def test_cut_twice_goes_on_where_it_stopped(files: FileServer, target: Path, chunked: bool) -> None:
    served = Served(CONTENT, cuts=[400_000, 300_000], chunked=chunked)
    get(files.serve("/f.zip", served), target)
    assert_whole(target)
    spans = [asked.span for asked in files.asked]
    assert spans[0] is None
    begun = [int(span.removeprefix("bytes=").rstrip("-")) for span in spans[1:] if span]
    assert len(begun) == 2
    assert 0 < begun[0] < begun[1] < len(CONTENT)
    assert {asked.if_range for asked in files.asked[1:]} == {'"first"'}


def test_cut_without_ranges_starts_over(files: FileServer, target: Path) -> None:
    get(files.serve("/f.zip", Served(CONTENT, ranges=False, cuts=[400_000])), target)
    assert_whole(target)


def test_stall_times_out_and_goes_on(files: FileServer, target: Path) -> None:
    get(files.serve("/f.zip", Served(CONTENT, stalls=[300_000])), target)
    assert_whole(target)
    assert files.asked[1].span is not None


def test_changed_file_is_not_mixed(files: FileServer, target: Path) -> None:
    old = Served(b"PK" + b"o" * 1_000_000, cuts=[500_000] * 2 + [0] * 3)
    address = files.serve("/f.zip", old)
    with pytest.raises(SourceError, match="run again to go on"):
        get(address, target)
    assert part_of(target).stat().st_size > 0
    files.serve("/f.zip", Served(CONTENT, tag='"second"'))
    get(address, target)
    assert_whole(target)


def test_a_later_run_resumes(files: FileServer, target: Path) -> None:
    address = files.serve("/f.zip", Served(CONTENT, cuts=[600_000, 0, 0]))
    with pytest.raises(SourceError, match="bytes are kept, run again to go on"):
        get(address, target)
    assert not target.exists()
    kept = part_of(target).stat().st_size
    get(address, target)
    assert_whole(target)
    assert files.asked[-1].span == f"bytes={kept}-"


def test_part_of_another_address_is_thrown_away(files: FileServer, target: Path) -> None:
    part_of(target).write_bytes(b"PKother")
    Path(f"{part_of(target)}.json").write_text(json.dumps({"address": "http://elsewhere/"}))
    get(files.serve("/f.zip", Served(CONTENT)), target)
    assert_whole(target)
    assert files.asked[0].span is None


def test_part_with_a_damaged_memory_is_thrown_away(files: FileServer, target: Path) -> None:
    part_of(target).write_bytes(b"PKother")
    Path(f"{part_of(target)}.json").write_text("{")
    get(files.serve("/f.zip", Served(CONTENT)), target)
    assert_whole(target)


def test_part_that_is_whole_needs_no_bytes(files: FileServer, target: Path) -> None:
    address = files.serve("/f.zip", Served(CONTENT))
    part_of(target).write_bytes(CONTENT)
    memory = {"address": address, "validator": '"first"', "total": len(CONTENT)}
    Path(f"{part_of(target)}.json").write_text(json.dumps(memory))
    get(address, target)
    assert_whole(target)


def test_announced_length_too_long(files: FileServer, target: Path) -> None:
    address = files.serve("/f.zip", Served(CONTENT, announced=len(CONTENT) + 10))
    with pytest.raises(SourceError):
        get(address, target)
    assert not target.exists()
    assert len(files.asked) <= 8


def test_redirects_are_followed(files: FileServer, target: Path) -> None:
    files.serve("/real.zip", Served(CONTENT))
    files.serve("/second", Served(location="/real.zip"))
    get(files.serve("/first", Served(location=files.address + "/second")), target)
    assert_whole(target)


def test_redirects_in_a_ring(files: FileServer, target: Path) -> None:
    with pytest.raises(SourceError, match="redirects"):
        get(files.serve("/ring", Served(location="/ring")), target)
    assert left_in(target) == []


def test_web_page_instead_of_the_file(files: FileServer, target: Path) -> None:
    page = Served(b"<!doctype html><title>Sign in</title>", kind="text/html; charset=utf-8")
    with pytest.raises(SourceError, match=r"answered with text/html \(it begins '<!doctype html"):
        get(files.serve("/f.zip", page), target)
    assert left_in(target) == []
    assert len(files.asked) == 1


@pytest.mark.parametrize("chunked", [False, True])
def test_too_large(files: FileServer, target: Path, chunked: bool) -> None:
    address = files.serve("/f.zip", Served(CONTENT, chunked=chunked))
    with pytest.raises(SourceError, match="at most 500,000; this is another file"):
        get(address, target, bytes_at_most=500_000)
    assert not target.exists()


def test_busy_server_is_asked_again(files: FileServer, target: Path) -> None:
    get(files.serve("/f.zip", Served(CONTENT, refusals=[503])), target)
    assert_whole(target)


@pytest.mark.parametrize(("status", "asked"), [(404, 1), (403, 1), (503, 2)])
def test_refusals(files: FileServer, target: Path, status: int, asked: int) -> None:
    address = files.serve("/f.zip", Served(CONTENT, refusals=[status] * 9))
    with pytest.raises(SourceError, match=f"the server answered {status}"):
        get(address, target)
    assert len(files.asked) == asked
    assert left_in(target) == []


def test_nobody_answers(target: Path, files: FileServer) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(SourceError, match=r"Connection refused.*--from") as raised:
        get(f"http://127.0.0.1:{port}/f.zip", target)
    assert "\n" not in str(raised.value)


def test_empty_answer(files: FileServer, target: Path) -> None:
    with pytest.raises(SourceError, match="answered with nothing"):
        get(files.serve("/f.zip", Served(b"")), target)
    assert left_in(target) == []


def test_proxy_of_the_environment(
    files: FileServer, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.serve("/f.zip", Served(CONTENT))
    monkeypatch.setenv("HTTP_PROXY", files.address)
    monkeypatch.setenv("http_proxy", files.address)
    get("http://data.invalid/f.zip", target)
    assert_whole(target)
    assert files.asked[0].path == "http://data.invalid/f.zip"
    assert files.asked[0].host == "data.invalid"


def test_no_redirect_leads_from_https_to_http() -> None:
    answer = requests.Response()
    answer.status_code, answer.url = 302, "https://example.org/a/file.zip"
    with secure_session() as session:
        for onward in ("/b", "https://example.com/b", "//example.com/b"):
            answer.headers["location"] = onward
            assert session.get_redirect_target(answer) == onward
        for onward in ("http://example.org/a", "HTTP://example.org/a", "ftp://example.org/a"):
            answer.headers["location"] = onward
            with pytest.raises(SourceError, match="not encrypted"):
                session.get_redirect_target(answer)
