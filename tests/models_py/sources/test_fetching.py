"""Raw files are taken in together, checked, or not at all."""

from __future__ import annotations

import gzip
import os
import random
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from file_server import IMPATIENT, FileServer, Served, zip_of
from small_workbook import write_workbook

from models_py.base.errors import SourceError
from models_py.base.locks import hold
from models_py.base.progress import Silent
from models_py.sources.fetching import ByHandError, Fetched, fetch, is_there
from models_py.sources.found_files import SourceProblemsError, missing_weeks
from models_py.sources.registry import Source, Table

CLIENTS = b"age;balance\n58;2143\n44;29\n"
LINES = b"WEEK,SPEND\n200607,3.44\n200607,1.05\n"
CALENDAR = b"week\n200607\n"

BANK = Source(
    domain="bank",
    name="server",
    title="Two clients",
    tables=(
        Table(
            "Clients.csv",
            ("age", "balance"),
            delimiter=";",
            numbers=("age", "balance"),
            published_rows=2,
            published_sha256=sha256(CLIENTS).hexdigest(),
        ),
        Table("names.txt", optional=True),
    ),
    next_commands=("dbt build --selector bank",),
)
WEEKLY = Source(
    domain="grocery",
    name="weekly",
    title="Lines by week",
    tables=(Table("lines_*.csv", ("WEEK", "SPEND"), many=True), Table("time.csv", ("week",))),
    next_commands=("dbt build",),
    steps=("ask for it",),
)


def take(source: Source, folder: Path, origin: Path | None = None, force: bool = False) -> Fetched:
    return fetch(source, folder, origin=origin, force=force, progress=Silent(), patience=IMPATIENT)


def actions(fetched: Fetched) -> dict[str, str]:
    return {file.name: file.action for file in fetched.files}


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def make(folder: Path, **files: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_bytes(content)
    return folder


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "raw"


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return tmp_path / "origin"


class TestDownload:
    def source(self, files: FileServer, served: Served) -> Source:
        return replace(BANK, address=files.serve("/bank.zip", served))

    def test_nested_zip(self, files: FileServer, raw: Path) -> None:
        inner = zip_of({"bank/Clients.csv": CLIENTS, "bank/names.txt": b"cite", "x.csv": b"1"})
        source = self.source(files, Served(zip_of({"bank.zip": inner})))
        fetched = take(source, raw)
        assert actions(fetched) == {"Clients.csv": "downloaded", "names.txt": "downloaded"}
        assert names_in(raw) == ["Clients.csv", "names.txt"]
        assert [file.published for file in fetched.files] == [True, None]
        assert fetched.notes == ()

    def test_second_time_asks_nobody(self, files: FileServer, raw: Path) -> None:
        source = self.source(files, Served(zip_of({"Clients.csv": CLIENTS})))
        take(source, raw)
        assert actions(take(source, raw)) == {"Clients.csv": "kept"}
        assert len(files.asked) == 1

    def test_force_asks_again(self, files: FileServer, raw: Path) -> None:
        source = self.source(files, Served(zip_of({"Clients.csv": CLIENTS})))
        make(raw, Clients__csv=b"age;balance\n1;1\n")
        assert actions(take(source, raw, force=True)) == {"Clients.csv": "downloaded"}
        assert (raw / "Clients.csv").read_bytes() == CLIENTS

    def test_broken_off_keeps_the_part_alone(self, files: FileServer, raw: Path) -> None:
        noise = random.Random(1).randbytes(100_000)
        content = zip_of({"noise": noise, "Clients.csv": CLIENTS})
        source = self.source(files, Served(content, cuts=[50_000, 0, 0]))
        with pytest.raises(SourceError, match="bytes are kept, run again"):
            take(source, raw)
        assert names_in(raw) == [".incoming"]
        kept = (raw / ".incoming" / "bank.zip.part").stat().st_size
        take(source, raw)
        assert files.asked[-1].span == f"bytes={kept}-"
        assert names_in(raw) == ["Clients.csv"]

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (zip_of({"Clients.csv": CLIENTS})[:-10], "not a whole, unencrypted zip file"),
            (zip_of({"other.csv": CLIENTS}), "Clients.csv: not in"),
            (zip_of({"Clients.csv": b"age;other\n1;2\n"}), "column 'balance' is missing"),
            (zip_of({"Clients.csv": b"age;balance\n1;2\n"}), "checksum is not that of the"),
            (b"<html>log in</html>", "not with the zip file"),
        ],
    )
    def test_wrong_file_leaves_nothing(
        self, files: FileServer, raw: Path, content: bytes, problem: str
    ) -> None:
        with pytest.raises(SourceError, match=problem):
            take(self.source(files, Served(content)), raw)
        assert names_in(raw) == []

    def test_announced_length_too_short(self, files: FileServer, raw: Path) -> None:
        content = zip_of({"Clients.csv": CLIENTS})
        source = self.source(files, Served(content, announced=len(content) - 20))
        with pytest.raises(SourceError, match="not a whole, unencrypted zip file"):
            take(source, raw)
        assert names_in(raw) == []

    def test_workbook_in_a_zip(self, files: FileServer, raw: Path, tmp_path: Path) -> None:
        pytest.importorskip("python_calamine")
        write_workbook(tmp_path / "book.xlsx", [["invoice", "units"], [536365, 6]])
        content = zip_of({"Online Orders.xlsx": (tmp_path / "book.xlsx").read_bytes()})
        orders = Table(
            "orders.parquet",
            ("invoice", "units"),
            numbers=("units",),
            workbook="Online Orders.xlsx",
        )
        take(replace(self.source(files, Served(content)), tables=(orders,)), raw)
        assert names_in(raw) == ["orders.parquet"]
        (row,) = pq.read_table(raw / "orders.parquet").to_pylist()
        assert row == {"invoice": "536365", "units": 6.0}


class TestCopy:
    def test_plain_file_and_a_note_on_another_copy(self, raw: Path, origin: Path) -> None:
        make(origin, Clients__csv=b"age;balance\n1;1\n", unrelated__txt=b"")
        fetched = take(BANK, raw, origin)
        assert actions(fetched) == {"Clients.csv": "copied"}
        assert fetched.files[0].published is False
        assert fetched.notes == (
            "Clients.csv: row count is 1, where the published copy has 2",
            "Clients.csv: is not the published copy (its checksum differs)",
        )

    def test_gzip_and_other_case_get_the_name_that_is_read(self, raw: Path, origin: Path) -> None:
        make(origin, clients__csv__gz=gzip.compress(CLIENTS))
        assert take(BANK, raw, origin).files[0].published is True
        assert (raw / "Clients.csv").read_bytes() == CLIENTS

    def test_single_file(self, raw: Path, origin: Path) -> None:
        take(BANK, raw, make(origin, Clients__csv=CLIENTS) / "Clients.csv")
        assert names_in(raw) == ["Clients.csv"]

    def test_weeks_keep_their_compression(self, raw: Path, origin: Path) -> None:
        packed = gzip.compress(LINES)
        make(origin, lines_200607__csv__gz=packed, LINES_200609__CSV=LINES, time__csv=CALENDAR)
        fetched = take(WEEKLY, raw, origin)
        assert names_in(raw) == ["lines_200607.csv.gz", "lines_200609.csv", "time.csv"]
        assert fetched.notes == ("2 weeks; 1 in between are missing: 200608",)
        assert sum(file.rows or 0 for file in fetched.files) == 5

    def test_weeks_spread_over_zip_files(self, raw: Path, origin: Path) -> None:
        first = zip_of({"part/lines_200607.csv": LINES, "part/time.csv": CALENDAR})
        make(origin, p1__zip=first, p2__zip=zip_of({"lines_200608.csv": LINES}))
        take(WEEKLY, raw, origin)
        assert names_in(raw) == ["lines_200607.csv", "lines_200608.csv", "time.csv"]

    def test_same_week_twice(self, raw: Path, origin: Path) -> None:
        make(origin, lines_200607__csv=LINES, lines_200607__csv__gz=gzip.compress(LINES))
        make(origin, time__csv=CALENDAR)
        with pytest.raises(SourceProblemsError, match=r"there twice, as .* keep one"):
            take(WEEKLY, raw, origin)
        assert names_in(raw) == []

    def test_one_bad_file_of_many_stops_all(self, raw: Path, origin: Path) -> None:
        make(
            origin,
            lines_200607__csv=LINES,
            lines_200608__csv=LINES[:-6],
            lines_200609__csv=b"",
            time__csv=CALENDAR,
        )
        with pytest.raises(SourceProblemsError) as raised:
            take(WEEKLY, raw, origin)
        assert str(raised.value) == f"grocery from {origin}: 2 problems; nothing was taken in"
        assert [line.split(":")[0] for line in raised.value.problems] == [
            "lines_200608.csv",
            "lines_200609.csv",
        ]
        assert names_in(raw) == []

    def test_other_version_in_place_needs_force(self, raw: Path, origin: Path) -> None:
        make(raw, Clients__csv=b"age;balance\n9;9\n")
        make(origin, Clients__csv=CLIENTS)
        with pytest.raises(SourceProblemsError, match="--force replaces it"):
            take(BANK, raw, origin)
        assert (raw / "Clients.csv").read_bytes() == b"age;balance\n9;9\n"
        assert actions(take(BANK, raw, origin, force=True)) == {"Clients.csv": "copied"}
        assert (raw / "Clients.csv").read_bytes() == CLIENTS

    def test_same_week_in_the_other_form_is_replaced_by_force(
        self, raw: Path, origin: Path
    ) -> None:
        make(raw, lines_200607__csv=LINES)
        make(origin, lines_200607__csv__gz=gzip.compress(LINES), time__csv=CALENDAR)
        with pytest.raises(SourceProblemsError, match=r"lines_200607\.csv: another version"):
            take(WEEKLY, raw, origin)
        take(WEEKLY, raw, origin, force=True)
        assert names_in(raw) == ["lines_200607.csv.gz", "time.csv"]

    def test_same_files_again_and_from_the_raw_folder_itself(self, raw: Path, origin: Path) -> None:
        make(origin, Clients__csv=CLIENTS)
        take(BANK, raw, origin)
        before = (raw / "Clients.csv").stat()
        assert actions(take(BANK, raw, origin)) == {"Clients.csv": "kept"}
        assert actions(take(BANK, raw, raw)) == {"Clients.csv": "kept"}
        assert (raw / "Clients.csv").stat().st_mtime_ns == before.st_mtime_ns

    def test_a_new_week_is_taken_in_alone(self, raw: Path, origin: Path) -> None:
        make(origin, lines_200607__csv=LINES, time__csv=CALENDAR)
        take(WEEKLY, raw, origin)
        (origin / "time.csv").unlink()
        make(origin, lines_200608__csv=LINES)
        taken = take(WEEKLY, raw, origin)
        assert actions(taken) == {"lines_200607.csv": "kept", "lines_200608.csv": "copied"}
        assert next(file.rows for file in taken.files) is None
        assert names_in(raw) == ["lines_200607.csv", "lines_200608.csv", "time.csv"]

    def test_nothing_of_the_source_is_nothing_new(self, raw: Path, origin: Path) -> None:
        make(raw, lines_200607__csv=LINES, time__csv=CALENDAR)
        make(origin, other__csv=LINES)
        with pytest.raises(SourceProblemsError, match="2 problems"):
            take(WEEKLY, raw, origin)

    def test_weeks_of_another_release_are_told(self, raw: Path, origin: Path) -> None:
        make(raw, lines_200001__csv=LINES)
        make(origin, lines_200607__csv=LINES, time__csv=CALENDAR)
        assert take(WEEKLY, raw, origin).notes == (
            f"1 more files in {raw} are read too, from lines_200001.csv on",
        )

    def test_files_one_folder_deeper(self, raw: Path, origin: Path) -> None:
        make(origin / "deeper", Clients__csv=CLIENTS)
        with pytest.raises(SourceProblemsError, match=f"it is in {origin}/deeper"):
            take(BANK, raw, origin)

    def test_missing_folder(self, raw: Path, origin: Path) -> None:
        with pytest.raises(SourceError, match="there is no such file or folder"):
            take(BANK, raw, origin)

    def test_leftovers_of_a_killed_fetch_go(self, raw: Path, origin: Path) -> None:
        make(raw / ".incoming", half__csv=b"a")
        take(BANK, raw, make(origin, Clients__csv=CLIENTS))
        assert names_in(raw) == ["Clients.csv"]

    def test_one_fetch_at_a_time(self, raw: Path, origin: Path) -> None:
        make(origin, Clients__csv=CLIENTS)
        raw.mkdir()
        with (
            hold(raw.with_name(f".{raw.name}.fetching")),
            pytest.raises(SourceError, match=f"another fetch is filling it .process {os.getpid()}"),
        ):
            take(BANK, raw, origin)

    def test_file_where_the_folder_should_be(self, tmp_path: Path, origin: Path) -> None:
        make(origin, Clients__csv=CLIENTS)
        (tmp_path / "taken").write_bytes(b"")
        with pytest.raises(SourceError, match="taken: "):
            take(BANK, tmp_path / "taken", origin)


class TestStanding:
    def test_by_hand(self, raw: Path) -> None:
        with pytest.raises(ByHandError, match="download them by hand") as raised:
            take(WEEKLY, raw)
        assert raised.value.steps == ("ask for it",)

    def test_checked_where_they_are(self, raw: Path) -> None:
        make(raw, lines_200607__csv=LINES, time__csv=CALENDAR)
        assert is_there(WEEKLY, raw)
        assert set(actions(take(WEEKLY, raw)).values()) == {"kept"}

    def test_damaged_in_place(self, raw: Path) -> None:
        make(raw, lines_200607__csv=LINES[:-6], time__csv=CALENDAR)
        with pytest.raises(SourceProblemsError, match="fetch again with --from and --force"):
            take(WEEKLY, raw)

    def test_package_that_is_missing(self, raw: Path) -> None:
        source = replace(BANK, package="no_such_package_here")
        assert not is_there(source, raw)
        with pytest.raises(SourceError, match="pip install no-such-package-here"):
            take(source, raw)


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        ([], []),
        (["t_200607.csv"], []),
        (["t_200651.csv", "t_200702.csv.gz"], ["200652", "200701"]),
    ],
)
def test_missing_weeks(names: list[str], missing: list[str]) -> None:
    assert missing_weeks(names) == missing
