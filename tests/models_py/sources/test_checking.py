"""What is said of raw files that are empty, cut, renamed or of another shape."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models_py.sources.checking import inspect_file
from models_py.sources.registry import SOURCES, Table

TABLE = Table("sales.csv", ("SHOP", "AMOUNT", "REGION"), numbers=("AMOUNT",))
GOOD = b"SHOP,AMOUNT,REGION\ns1,2.5,N\ns2,,S\n"


def inspect(folder: Path, content: bytes, name: str = "sales.csv", table: Table = TABLE):
    path = folder / name
    path.write_bytes(content)
    return inspect_file(path, table)


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        b"\xef\xbb\xbf" + GOOD,
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"SHOP,AMOUNT,REGION", b"shop,Amount,REGION"),
        b"REGION,EXTRA,SHOP,AMOUNT\nN,1,s1,2.5\nS,,s2,-1e3\n",
        b'SHOP,AMOUNT,REGION\n"s,1",2,N\n"s\n2",3,S\n',
    ],
)
def test_good_files(tmp_path: Path, content: bytes) -> None:
    seen = inspect(tmp_path, content)
    assert (seen.rows, seen.problems, seen.notes) == (2, [], [])


def test_gzipped_file(tmp_path: Path) -> None:
    assert inspect(tmp_path, gzip.compress(GOOD, mtime=0), "sales.csv.gz").rows == 2


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "sales.csv: is empty (0 bytes)"),
        (b"SHOP,AMOUNT,REGION\n", "sales.csv: has a header and no rows"),
        (b"SHOP,AMOUNT,REGION", "sales.csv: has a header and no rows"),
        (
            GOOD.replace(b",", b";"),
            "sales.csv: row 1: columns are parted by semicolons, not by the expected commas",
        ),
        (
            GOOD.replace(b"AMOUNT", b"VALUE"),
            "sales.csv: row 1: column 'AMOUNT' is missing; column 2 is called 'VALUE'",
        ),
        (
            b"SHOP,REGION\ns1,N\n",
            "sales.csv: row 1: column 'AMOUNT' is missing",
        ),
        (
            b"SHOP,AMOUNT,AMOUNT,REGION\ns1,1,1,N\n",
            "sales.csv: row 1: column 'amount' is there 2 times",
        ),
        (
            GOOD[:-3],
            "sales.csv: row 3 has 2 of 3 columns and ends before column 'REGION': it was cut, or "
            "a line break stands inside a value",
        ),
        (GOOD + b"s3,1,2,N\n", "sales.csv: row 4 has 4 columns where 3 are expected"),
        (GOOD + b"s\xff,1,N\n", "sales.csv: row 4, column 'SHOP': not UTF-8 text"),
        (
            b"<!DOCTYPE html><html>\n",
            "sales.csv: row 1 begins a web page, not a table; download the file itself",
        ),
        (
            GOOD.decode().encode("utf-16"),
            "sales.csv: row 1 is not UTF-8 text: this is no CSV file, or one saved in another "
            "encoding",
        ),
        (
            gzip.compress(GOOD, mtime=0),
            "sales.csv: is gzipped but its name does not end in .gz; add it",
        ),
    ],
)
def test_problem_names_file_row_and_column(tmp_path: Path, content: bytes, problem: str) -> None:
    assert inspect(tmp_path, content).problems == [problem]


def test_quote_that_is_never_closed(tmp_path: Path) -> None:
    seen = inspect(tmp_path, GOOD + b's3,1,"N\n' + b"s4,1,N\n" * 300_000)
    assert seen.problems == ["sales.csv: a quote opened after row 3 is never closed"]


def test_problem_far_down_has_its_row(tmp_path: Path) -> None:
    seen = inspect(tmp_path, b"SHOP,AMOUNT,REGION\n" + b"s1,1,N\n" * 300_000 + b"s2,2\n")
    assert "row 300002 has 2 of 3 columns" in seen.problems[0]


def test_text_in_a_number_is_told_and_counted(tmp_path: Path) -> None:
    seen = inspect(tmp_path, GOOD + b"s3,two,N\ns4,1;5,S\ns5,.5,S\n")
    assert seen.problems == []
    assert seen.rows == 5
    assert seen.notes == [
        "sales.csv: 2 values that should be numbers are not",
        "sales.csv: row 4, column 'AMOUNT': 'two' is not a number",
    ]


def test_cut_after_text_in_a_number_is_still_found(tmp_path: Path) -> None:
    assert "row 5 has 1 of 3" in inspect(tmp_path, GOOD + b"s3,two,N\ns4\n").problems[0]


def test_missing_line_break_at_the_end_is_told(tmp_path: Path) -> None:
    seen = inspect(tmp_path, GOOD[:-1])
    assert seen.problems == []
    assert "row 3: the last line has no line break" in seen.notes[0]


def test_open_quote_in_the_last_row_is_told(tmp_path: Path) -> None:
    assert "odd number of quotation marks" in inspect(tmp_path, GOOD + b's3,1,"N\n').notes[0]


@pytest.mark.parametrize("cut", [12, 40, -9, -4])
def test_cut_gzip(tmp_path: Path, cut: int) -> None:
    packed = gzip.compress(b"SHOP,AMOUNT,REGION\n" + b"s1,1,N\n" * 1_000, mtime=0)
    (problem,) = inspect(tmp_path, packed[:cut], "sales.csv.gz").problems
    assert problem.startswith("sales.csv.gz: ")
    assert "copy or download it again" in problem


def test_gzip_with_a_changed_byte(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(GOOD, mtime=0))
    packed[-6] ^= 0xFF
    (problem,) = inspect(tmp_path, bytes(packed), "sales.csv.gz").problems
    assert "CRC check failed" in problem


def test_name_says_gzip_and_content_does_not(tmp_path: Path) -> None:
    (problem,) = inspect(tmp_path, GOOD, "sales.csv.gz").problems
    assert problem == "sales.csv.gz: is not gzipped although its name ends in .gz; take it off"


def test_exact_header(tmp_path: Path) -> None:
    exact = Table("sales.csv", TABLE.columns, exact=True)
    (problem,) = inspect(tmp_path, b"SHOP,REGION,AMOUNT\ns1,N,1\n", table=exact).problems
    assert problem == "sales.csv: row 1: the header must read SHOP,AMOUNT,REGION"


def test_larger_than_it_can_be(tmp_path: Path) -> None:
    small = Table("sales.csv", TABLE.columns, bytes_at_most=10)
    assert "more than the 10 expected" in inspect(tmp_path, GOOD, table=small).problems[0]


def test_parquet(tmp_path: Path) -> None:
    table = Table("sales.parquet", ("shop", "amount"), published_rows=2)
    path = tmp_path / "sales.parquet"
    pq.write_table(pa.table({"shop": ["s1"], "price": [1.0]}), path)
    assert inspect_file(path, table).problems == [
        "sales.parquet: row 1: column 'amount' is missing; column 2 is called 'price'"
    ]
    pq.write_table(pa.table({"shop": ["s1"], "amount": [1.0]}), path)
    seen = inspect_file(path, table)
    assert (seen.rows, seen.problems) == (1, [])
    assert seen.notes == ["sales.parquet: row count is 1, where the published copy has 2"]
    pq.write_table(pa.table({"shop": pa.array([], pa.string()), "amount": []}), path)
    assert inspect_file(path, table).problems == ["sales.parquet: has columns and no rows"]


def test_cut_parquet(tmp_path: Path) -> None:
    path = tmp_path / "sales.parquet"
    pq.write_table(pa.table({"shop": ["s1"], "amount": [1.0]}), path)
    path.write_bytes(path.read_bytes()[:-20])
    (problem,) = inspect_file(path, Table("sales.parquet", ("shop",))).problems
    assert problem.startswith("sales.parquet: is not a whole parquet file (")


def test_real_files_have_nothing_to_say(shared_data: Path) -> None:
    rows = {}
    for source in SOURCES:
        for table in source.tables if source.domain != "grocery" else ():
            seen = inspect_file(shared_data / source.domain / table.file, table)
            assert [*seen.problems, *seen.notes] == []
            rows[table.file] = seen.rows
    assert rows["bank-full.csv"] == 45_211
    assert rows["online_retail.parquet"] == 541_909
    assert (rows["Train.csv"], rows["Test.csv"]) == (8_068, 2_627)
    assert rows["sales_orders.parquet"] == 4_000
