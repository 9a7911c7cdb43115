"""Where the table stands in a file: sheets, rows above the header, columns aligned by blanks."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pytest

from models_py.base.errors import DataError, UsageError
from models_py.database.connection import Warehouse
from models_py.database.reading.columns import ReadingOptions
from models_py.database.reading.loading import Loaded, load_customers, load_log, read_frame
from models_py.database.reading.log import LogColumns
from tests.models_py.sources.small_workbook import write_workbook

HEADER: list[object] = ["client", "spend", "joined"]
CLIENTS: list[list[object]] = [[f"00{n}", 10.5 * n, dt.datetime(2024, 1, n)] for n in range(1, 8)]


def customers(file: Path, entity: str, **more: Any) -> tuple[Loaded, list[tuple[Any, ...]]]:
    warehouse = Warehouse(Path("memory"), duckdb.connect())
    try:
        loaded = load_customers(
            warehouse, file, "clients", entity, ReadingOptions(ids=(entity,), **more)
        )
        return loaded, warehouse.rows("select * from gold.clients")
    finally:
        warehouse.close()


def test_a_workbook_is_read_with_its_ids_numbers_and_dates(tmp_path: Path) -> None:
    write_workbook(tmp_path / "clients.xlsx", [["Clients", None, None], HEADER, *CLIENTS])
    loaded, rows = customers(tmp_path / "clients.xlsx", "client")
    assert [row[:2] for row in rows] == [(who, spend) for who, spend, _ in CLIENTS]
    assert rows[0][2] == dt.date(2024, 1, 1)
    assert loaded.record.columns["client"].type == "id"
    assert loaded.record.header_line == 2
    assert not loaded.record.sheet


def test_sheets_that_are_parts_of_a_table_are_not_left_out_unsaid(tmp_path: Path) -> None:
    book = tmp_path / "years.xlsx"
    write_workbook(book, [HEADER, *CLIENTS[:3]], [HEADER, *CLIENTS[3:]])
    with pytest.raises(DataError, match="2 sheets with the same columns: Orders, Sheet2; name one"):
        customers(book, "client")
    loaded, rows = customers(book, "client", sheet="Sheet2")
    assert len(rows) == 4
    assert loaded.record.sheet == "Sheet2"
    with pytest.raises(UsageError, match=r"--sheet Sheet9: .* has no such sheet"):
        customers(book, "client", sheet="Sheet9")


def test_sheets_that_are_not_read_are_said(tmp_path: Path) -> None:
    book = tmp_path / "book.xlsx"
    write_workbook(book, [HEADER, *CLIENTS], [["note"], ["made in spring"]])
    loaded, rows = customers(book, "client")
    assert len(rows) == 7
    assert loaded.warnings == [
        "sheet 'Orders' is read; not read: Sheet2 (2 rows); another one by --sheet"
    ]
    again = tmp_path / "later.xlsx"
    write_workbook(again, [HEADER, *CLIENTS[:2]])
    frame, _ = read_frame(again, ReadingOptions(ids=("client",)), recorded=loaded.record)
    assert len(frame) == 2


def test_the_row_that_holds_the_names_given_is_the_header(tmp_path: Path) -> None:
    file = tmp_path / "default.csv"
    rows = "".join(f"{n},{1000 * n},{20 + n}\n" for n in range(1, 9))
    file.write_text(f",X1,X2\nID,LIMIT BAL,AGE\n{rows}", encoding="utf-8")
    loaded, read = customers(file, "ID")
    assert loaded.record.header_line == 2
    assert read[0] == ("1", 1000, 21)
    book = tmp_path / "default.xlsx"
    write_workbook(
        book, [[None, "X1", "X2"], ["ID", "LIMIT BAL", "AGE"], *([n, n, n] for n in range(1, 6))]
    )
    assert customers(book, "ID")[0].record.header_line == 2


def test_columns_aligned_by_blanks_are_read(tmp_path: Path) -> None:
    file = tmp_path / "cdnow.txt"
    lines = [f" {n:05d} 199701{n:02d} {n % 3 + 1:2d} {n * 3.1:7.2f}" for n in range(1, 20)]
    file.write_text("\n".join([" cust  date   units  dollars", *lines, ""]), encoding="utf-8")
    warehouse = Warehouse(Path("memory"), duckdb.connect())
    columns = LogColumns(customer="cust", time="date", amount="dollars")
    options = ReadingOptions(ids=("cust",), times=("date",), numbers=("dollars",))
    loaded = load_log(warehouse, file, "shop", columns, options)
    rows = warehouse.rows("select customer, happened_at, amount from bronze.shop_log")
    warehouse.close()
    assert loaded.rows == 19
    assert rows[0] == ("00001", dt.datetime(1997, 1, 1), 3.1)
    assert rows[-1] == ("00019", dt.datetime(1997, 1, 19), 58.9)


def test_words_that_hold_blanks_are_not_parted(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text("id\nAnn Lee\nBo\nCy van Dyk\n", encoding="utf-8")
    assert [row[0] for row in customers(file, "id")[1]] == ["Ann Lee", "Bo", "Cy van Dyk"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["20240105101112", "20240306101112"], dt.datetime(2024, 1, 5, 10, 11, 12)),
        (["202401051011", "202403061011"], dt.datetime(2024, 1, 5, 10, 11)),
        (["2024-01", "2024-02"], dt.date(2024, 1, 1)),
        (["01/2024", "02/2024"], dt.date(2024, 1, 1)),
        (["Jan-24", "Feb-24"], dt.date(2024, 1, 1)),
        (["März 2024", "Mai 2024"], dt.date(2024, 3, 1)),
        (["1.5", "#DIV/0!"], 1.5),
        (["2024-W05", "2024-W11"], "2024-W05"),
        (["1-5", "6-10"], "1-5"),
        (["10/12", "8/10"], "10/12"),
    ],
)
def test_what_a_column_is_taken_for(tmp_path: Path, values: list[str], expected: object) -> None:
    file = tmp_path / "column.csv"
    rows = "".join(f"k{n};{value}\n" for n, value in enumerate(values * 10))
    file.write_text(f"id;value\n{rows}", encoding="utf-8")
    assert customers(file, "id")[1][0][1] == expected


def log(folder: Path, lines: list[str], **columns: Any) -> tuple[Loaded, list[tuple[Any, ...]]]:
    file = folder / "sales.csv"
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    named = LogColumns(**{"customer": "who", "time": "day", "amount": "amount", **columns})
    options = ReadingOptions(ids=named.ids, times=(named.time,), numbers=named.numbers)
    warehouse = Warehouse(Path("memory"), duckdb.connect())
    try:
        loaded = load_log(warehouse, file, "shop", named, options)
        return loaded, warehouse.rows(
            "select customer, sum(amount) from bronze.shop_log group by 1 order by 1"
        )
    finally:
        warehouse.close()


SPENT = [
    "who,day,amount",
    "A,2024-01-01,-5",
    "B,2024-01-03,-7",
    "A,2024-02-02,-3",
    "B,2024-03-01,2",
]


def test_purchases_with_a_minus_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"3 of 4 lines are below 0 .*--purchases-negative"):
        log(tmp_path, SPENT)
    assert log(tmp_path, SPENT, is_negative=True)[1] == [("A", 8.0), ("B", 5.0)]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ["a@x.test,2024-01-01,5,1,ok", "A@x.test,2024-01-02,5,2,ok"],
            "2 ids of 'who' differ only in case or leading zeros, such as 'A@x.test' and 'a@x",
        ),
        (
            ["007,2024-01-01,5,1,ok", "7,2024-01-02,5,2,ok", "70,2024-01-02,5,3,ok"],
            "2 ids of 'who' differ only in case or leading zeros, such as '007' and '7'",
        ),
        (
            ["A,2024-01-01,5,1,paid", "B,2024-01-02,5,2,Refunded", "B,2024-01-03,5,3,cancelled"],
            "'state' is 'Refunded' or 'cancelled' on 2 lines above 0, which count as sales",
        ),
        (
            ["A,2024-01-01,5,536365,ok", "B,2024-01-02,5,C536366,ok", "B,2024-01-03,5,536367,ok"],
            "--returns 'invoice=C*'",
        ),
        (
            ["A,2024-01-01,5,1,ok", "B,2024-01-02,5,2,ok"] * 2,
            "2 of 4 lines (50%) are copies of another in every column",
        ),
    ],
)
def test_what_a_log_hides_is_said(tmp_path: Path, lines: list[str], said: str) -> None:
    loaded, _ = log(tmp_path, ["who,day,amount,invoice,state", *lines])
    assert said in " ".join(loaded.warnings)


def test_a_plain_log_has_nothing_to_say(tmp_path: Path) -> None:
    lines = [
        "A,2024-01-01,5,536365,paid",
        "B,2024-01-02,-5,C536366,Refunded",
        "B,2024-01-03,5,7,paid",
    ]
    assert not log(tmp_path, ["who,day,amount,invoice,state", *lines])[0].warnings


def test_the_rows_of_a_file_without_ids_are_numbered_again(tmp_path: Path) -> None:
    file = tmp_path / "plain.csv"
    file.write_text("spend,visits\n" + "".join(f"{n},{n % 3}\n" for n in range(1, 9)))
    loaded, rows = customers(file, "row")
    assert [row[0] for row in rows] == list(range(1, 9))
    names: list[str] = []
    frame, _ = read_frame(
        file, ReadingOptions(ids=("row",)), recorded=loaded.record, check=names.extend
    )
    assert "row" in names
    assert list(frame["row"]) == list(range(1, 9))


@pytest.mark.parametrize(
    ("encoding", "words", "read_as"),
    [
        ("cp1252", ["Köln", "Évry", "¿qué?", "7½ Müller\u2019s", "30 €"], "cp1252"),
        ("cp1250", ["Łódź", "Gdańsk", "Świętochłowice"], "cp1250"),
        ("cp850", ["São Paulo", "Köln", "niño"], "cp850"),
        ("mac_roman", ["Straße", "Müller", "Bär"], "mac_roman"),
        ("cp1251", ["Москва", "Казань", "Омск"], "cp1251"),
        ("cp932", ["東京", "大阪", "名古屋"], "cp932"),
    ],
)
def test_an_encoding_is_judged_by_words_and_said(
    tmp_path: Path, encoding: str, words: list[str], read_as: str
) -> None:
    file = tmp_path / "towns.csv"
    rows = [f"k{n};plain words beside;{words[n % len(words)]}" for n in range(30)]
    if encoding in {"cp1251", "cp932"}:
        rows = [row.replace("plain words beside", words[0]) for row in rows]
    file.write_bytes("\n".join(["id;beside;town", *rows, ""]).encode(encoding))
    loaded, read = customers(file, "id")
    assert loaded.record.encoding == read_as
    assert {row[2] for row in read} == set(words)
    assert f"read as {read_as}, such as " in loaded.warnings[0]


def test_words_that_were_broken_before_are_said(tmp_path: Path) -> None:
    file = tmp_path / "towns.csv"
    file.write_text("id;town\n" + "".join(f"k{n};KÃ¶ln\n" for n in range(9)), encoding="utf-8")
    assert "'KÃ¶ln' (line 2) was 'Köln' before" in customers(file, "id")[0].warnings[0]


def test_drawn_lines_and_averages_are_no_customers(tmp_path: Path) -> None:
    file = tmp_path / "printed.txt"
    rows = "".join(f"| k{n} | {n} | {n % 3} |\n" for n in range(40))
    file.write_text(f"| id | spend | visits |\n|---|:---:|---|\n{rows}| Average | 20 | 1 |\n")
    loaded, read = customers(file, "id")
    assert len(read) == 40
    assert {loss.reason for loss in loaded.record.losses} == {"line of dashes", "row of totals"}


@pytest.mark.parametrize(
    ("spends", "total"),
    [
        (["10.50", "21.00", "31.50"], "63.00"),
        (["10,50", "21,00", "31,50"], "63,00"),
        (["10,5", "21", "31,5"], "63"),
        (["510,50", "621,00", "1.031,50"], "2.163,00"),
        (["$510.50", "$621.00", "$1,031.50"], "$2,163.00"),
        (["510,50 €", "621,00 €", "1 031,50 €"], "2 163,00 €"),
    ],
)
def test_a_last_sum_without_a_word_is_no_customer(
    tmp_path: Path, spends: list[str], total: str
) -> None:
    file = tmp_path / "clients.csv"
    lines = [f"K{place};north;{spend}\n" for place, spend in enumerate(spends)]
    file.write_text("".join(["client;region;spend\n", *lines, f";;{total}\n"]))
    loaded, rows = customers(file, "client")
    assert [row[0] for row in rows] == ["K0", "K1", "K2"]
    assert [(loss.reason, loss.line) for loss in loaded.record.losses] == [("row of totals", 5)]


def test_a_last_number_that_is_no_sum_is_no_total(tmp_path: Path) -> None:
    file = tmp_path / "clients.csv"
    file.write_text("client;region;spend\nK0;north;10,50\nK1;south;21,00\n;;31,00\n")
    with pytest.raises(DataError, match="line 4"):
        customers(file, "client")
