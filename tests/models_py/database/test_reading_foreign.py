"""Files as customers' owners have them: each read right, or refused with the reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from models_py.base.errors import DataError
from models_py.database.connection import Warehouse
from models_py.database.reading.columns import ReadingOptions
from models_py.database.reading.loading import Loaded, load_customers, load_log
from models_py.database.reading.log import Condition, LogColumns

COLUMNS = {
    "log_decimal_commas": ("Kunde", "Datum", "Betrag"),
    "log_german_dot_thousands": ("Kunde", "Datum", "Betrag"),
    "log_times_with_offset": ("Email", "Created at", "Total"),
}


@pytest.fixture
def foreign(shared_data: Path) -> Path:
    folder = shared_data / "foreign"
    if not folder.is_dir():
        pytest.skip(f"the files are not at {folder}")
    return folder


@contextmanager
def opened(zone: str | None = None) -> Iterator[Warehouse]:
    raw = duckdb.connect()
    if zone is not None:
        raw.execute(f"set timezone = '{zone}'")
    warehouse = Warehouse(Path("memory"), raw)
    try:
        yield warehouse
    finally:
        warehouse.close()


def log(file: Path, zone: str | None = None, **more: Any) -> tuple[Loaded, list[tuple[Any, ...]]]:
    """Load a log; return it with customer, lines, bought, came back, first and last time."""
    customer, time, amount = COLUMNS.get(file.stem, ("customer", "day", "amount"))
    given = {name: more.pop(name) for name in list(more) if name in LogColumns.__annotations__}
    amount_of = {} if "unit_price" in given or "amount" in given else {"amount": amount}
    columns = LogColumns(customer=customer, time=time, **{**amount_of, **given})
    accept = more.pop("accept_losses", False)
    options = ReadingOptions(
        ids=columns.ids, times=(columns.time,), numbers=columns.numbers, **more
    )
    with opened(zone) as warehouse:
        loaded = load_log(warehouse, file, "shop", columns, options, accept_losses=accept)
        rows = warehouse.rows(
            "select customer, count(*), sum(amount) filter (amount > 0),"
            " -sum(amount) filter (amount < 0), min(happened_at), max(happened_at)"
            " from bronze.shop_log where customer is not null group by customer order by customer"
        )
        return loaded, [
            (who, lines, bought and round(bought, 2), back and round(back, 2), first, last)
            for who, lines, bought, back, first, last in rows
        ]


def customers(file: Path, entity: str = "id", **more: Any) -> tuple[Loaded, list[tuple[Any, ...]]]:
    with opened() as warehouse:
        options = ReadingOptions(ids=(entity,), **more)
        loaded = load_customers(warehouse, file, "clients", entity, options)
        return loaded, warehouse.rows("select * from gold.clients")


def spent(rows: list[tuple[Any, ...]]) -> dict[str, float]:
    return {row[0]: row[2] for row in rows}


def day(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def period(rows: list[tuple[Any, ...]]) -> tuple[dt.datetime, dt.datetime]:
    return min(row[4] for row in rows), max(row[5] for row in rows)


FOUR = {"K1": 105.0, "K2": 70.25, "K3": 48.25, "K4": 106.2}
THREE = {"K1": 105.0, "K2": 70.25, "K3": 30.0}
TWO = {"K1": 105.0, "K2": 70.25}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("thousands_separator", {"K1": 1330.0, "K2": 2446.25, "K3": 48.25, "K4": 1195.2}),
        ("two_digit_year_day_first", FOUR),
        ("german_dot_thousands", {"K1": 1330.0, "K2": 2855.0, "K3": 482.0, "K4": 2051.0}),
        ("decimal_commas", {**FOUR, "K1": 1330.0}),
        ("decimal_commas_on_some_lines", {"K1": 105.5, "K2": 69.75, "K3": 48.0, "K4": 106.1}),
        ("dates_yyyymmdd", {**TWO, "K3": 48.25}),
        ("dates_with_month_names", {**TWO, "K3": 48.25}),
        ("times_am_pm", THREE),
        ("currency_signs", {**THREE, "K1": 1330.0}),
        ("times_with_offset", {"a@x.test": 105.0, "b@x.test": 70.25, "c@x.test": 30.0}),
        ("times_with_zone", TWO),
        ("ids_with_point_zero", {"12583": 30.0, "13047": 70.25, "17850": 105.0}),
        (
            "ids_of_twenty_digits",
            dict(zip([f"1234567890123456789{n}" for n in "1234"], FOUR.values(), strict=True)),
        ),
    ],
)
def test_a_log_is_read_with_every_line(
    name: str, expected: dict[str, float], foreign: Path
) -> None:
    file = foreign / f"log_{name}.csv"
    loaded, rows = log(file)
    assert spent(rows) == expected
    assert sum(row[1] for row in rows) == len(file.read_text().strip().splitlines()) - 1
    assert loaded.record.losses == []


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("two_digit_year_day_first", "2024-01-03", "2024-06-17"),
        ("decimal_commas", "2024-01-03", "2024-06-17"),
        ("dates_yyyymmdd", "2024-01-03", "2024-06-02"),
        ("dates_with_month_names", "2024-01-03", "2024-06-02"),
        ("times_am_pm", "2024-01-03T15:45", "2024-05-30T19:45"),
        ("times_with_offset", "2024-01-04T04:30", "2024-05-30T23:45"),
    ],
)
def test_the_dates_of_a_log_are_the_right_ones(
    name: str, first: str, last: str, foreign: Path
) -> None:
    _, rows = log(foreign / f"log_{name}.csv")
    assert period(rows) == (day(first), day(last))


@pytest.mark.parametrize("machine", ["UTC", "America/Los_Angeles", "Asia/Tokyo"])
def test_the_machine_s_zone_changes_nothing_and_the_shop_s_sets_the_day(
    machine: str, foreign: Path
) -> None:
    file = foreign / "log_times_with_zone.csv"
    loaded, rows = log(file, machine)
    assert period(rows) == (day("2024-01-21T18:30"), day("2024-06-01T07:30"))
    assert loaded.record.time_zone == "UTC"
    loaded, rows = log(file, machine, time_zone="America/Los_Angeles")
    # In June the offset of -08:00 is not that of the zone: the moment is kept, not the text.
    assert period(rows) == (day("2024-01-21T10:30"), day("2024-06-01T00:30"))
    assert rows[0][4] == day("2024-01-31T23:30")
    assert loaded.record.time_zone == "America/Los_Angeles"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "customer_ids_in_scientific_notation",
            "'4.90E+12' (line 2) were rounded by a spreadsheet",
        ),
        ("two_date_formats", "two formats: '2024-01-03' (line 2) and '09/03/2024' (line 3)"),
        ("spreadsheet_half_swapped_dates", "'02-01-2024' (line 2) and '1/19/2024' (line 3)"),
        ("lines_without_customer", "4 of 8 lines (50%) with 59% of the amount would be left out"),
        ("guest_and_null_as_customers", "2 no customer (such as line 7)"),
    ],
)
def test_a_log_is_refused_with_the_reason_and_leaves_no_table(
    name: str, said: str, foreign: Path
) -> None:
    columns = LogColumns("customer", "day", "amount")
    options = ReadingOptions(ids=("customer",), times=("day",), numbers=("amount",))
    with opened() as warehouse:
        with pytest.raises(DataError) as caught:
            load_log(warehouse, foreign / f"log_{name}.csv", "shop", columns, options)
        assert warehouse.relations() == []
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_losses_that_are_accepted_are_told_with_an_example(foreign: Path) -> None:
    loaded, rows = log(foreign / "log_lines_without_customer.csv", accept_losses=True)
    (loss,) = loaded.record.losses
    assert (loss.reason, loss.lines, loss.share, loss.line) == ("no customer", 4, 0.5, 3)
    assert (loss.amount, loss.example) == (245.75, ", 2024-01-04, 60.00")
    assert [row[0] for row in rows] == ["K1", "K2", "K3"]


def test_one_id_with_many_lines_is_said_and_null_is_no_customer(foreign: Path) -> None:
    loaded, rows = log(foreign / "log_guest_and_null_as_customers.csv", accept_losses=True)
    assert [row[0] for row in rows] == ["Guest", "K2", "K3"]
    assert "one id, 'Guest', has 3 of 8 lines (38%)" in loaded.warnings[0]
    where = Condition.parse("--where", "customer!=Guest,NULL")
    loaded, rows = log(foreign / "log_guest_and_null_as_customers.csv", where=where)
    assert [row[0] for row in rows if row[2]] == ["Guest", "K2", "K3"]
    assert [loss.is_expected for loss in loaded.record.losses] == [True]


def test_a_basket_over_many_customers_is_not_used(foreign: Path) -> None:
    loaded, rows = log(foreign / "log_basket_ids_in_scientific_notation.csv", basket="basket")
    assert loaded.log is not None
    assert not loaded.log.has_basket
    assert "'9.94E+14' (4 customers); a spreadsheet rounded the ids" in loaded.warnings[0]
    assert [row[1] for row in rows] == [3, 2, 2, 2]


@pytest.mark.parametrize("priced", [{"amount": "unit_price"}, {"unit_price": "unit_price"}])
def test_a_unit_price_is_multiplied(priced: dict[str, str], foreign: Path) -> None:
    file = foreign / "log_unit_price_and_quantity.csv"
    _, rows = log(file, quantity="quantity", product="sku", basket="invoice", **priced)
    assert [row[2] for row in rows] == [75.0, 22.3, 992.5, 3.75]
    assert [row[3] for row in rows] == [50.0, None, None, 9.9]


def test_a_quantity_beside_a_lone_amount_is_said(foreign: Path) -> None:
    file = foreign / "log_unit_price_and_quantity.csv"
    loaded, _ = log(file, amount="unit_price", product="sku", basket="invoice")
    assert "'quantity' stands beside --amount unit_price" in loaded.warnings[0]


def test_currencies_are_said_refused_or_converted(foreign: Path) -> None:
    file = foreign / "log_two_currencies.csv"
    loaded, _ = log(file)
    assert "'currency' has 2 values (EUR, JPY)" in loaded.warnings[0]
    with pytest.raises(DataError, match="2 currencies \\(EUR, JPY\\) cannot be added up"):
        log(file, currency="currency")
    _, rows = log(file, currency="currency", rates={"EUR": 1.0, "JPY": 0.01})
    assert spent(rows) == {"K1": 205.0, "K2": 70.25, "K3": 116.25}


def test_numbers_with_signs_keep_their_unit(foreign: Path) -> None:
    loaded, rows = customers(foreign / "customers_currency_and_percent.csv")
    assert rows[0] == ("C01", 120.5, 60000, 12)
    columns = loaded.record.columns
    assert (columns["income"].unit, columns["discount"].unit) == ("$", "%")


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("blank_behind_numbers", ("C01", 120.5, 3)),
        ("na_in_one_cell", ("C01", 58138, 4)),
        ("semicolon", ("0", 54.44, 5, "a")),
        ("semicolon_decimal_comma", ("0", 54.44, 5, "a")),
        ("space_after_comma", ("0", 54.44, 5, "a")),
        ("case_twins", ("0", 54.44, 5, "a")),
        ("T_F", ("0", 54.44, 5, True)),
        ("yes_no_scored_from_own_file", ("C01", 120.5, 3, True)),
        ("cp1252", ("C01", 120.5, "Köln")),
        ("bracket_column", ("0", 40.26, 6, "plus")),
        ("patterns", ("0", 35.17, 30, "m")),
        ("markup", ("0", "south", 49.13, 7)),
        ("sentinels", ("C01", 120.5, 34, 7)),
        ("codes_as_numbers", ("C01", 120.5, 1, 2016, 5551000, 101)),
        ("outcome_not_named_churn", ("C01", 24, 20000, 1, 1, 1, "Attrited")),
        ("description_row", ("C01", "Existing", 45, 12691, 1144)),
    ],
)
def test_customers_are_read(name: str, first: tuple[Any, ...], foreign: Path) -> None:
    _, rows = customers(foreign / f"customers_{name}.csv")
    assert rows[0] == first


def test_a_word_for_nothing_is_said(foreign: Path) -> None:
    loaded, _ = customers(foreign / "customers_na_in_one_cell.csv")
    assert loaded.missing == {"income": (1, ["NA"])}


def test_a_row_that_describes_the_columns_is_left_out_and_said(foreign: Path) -> None:
    loaded, rows = customers(foreign / "customers_description_row.csv")
    assert len(rows) == 6
    (loss,) = loaded.record.losses
    assert (loss.reason, loss.line) == ("row that describes the columns", 2)


def test_dates_written_as_numbers_become_days(foreign: Path) -> None:
    loaded, rows = customers(foreign / "customers_dates_as_numbers.csv")
    assert loaded.record.last_date == dt.date(2020, 12, 1)
    assert rows[0][2:5] == (dt.date(2020, 1, 31),) * 3
    assert rows[0][5:] == (305, 305, 305)
    assert list(loaded.record.days_columns) == [
        "joined_days",
        "first_sold_serial_days",
        "created_epoch_days",
    ]


def test_rows_can_be_numbered(foreign: Path) -> None:
    loaded, rows = customers(foreign / "customers_without_id.csv", "row")
    assert (loaded.entity, rows[0], rows[4]) == ("row", (1, 120.5, 3), (5, 95.0, 4))


def test_tabs_are_read(foreign: Path) -> None:
    loaded, rows = customers(foreign / "customers_tab.tsv")
    assert (loaded.record.delimiter, rows[0]) == ("\t", ("0", 54.44, 5, "a"))


@pytest.mark.parametrize("written", ["customers", "log"])
def test_every_file_of_the_folder_is_tried(written: str, foreign: Path) -> None:
    text = Path(__file__).read_text()
    names = [path.stem.removeprefix(f"{written}_") for path in foreign.glob(f"{written}_*")]
    assert names
    assert [name for name in names if name not in text] == []


def test_a_record_reads_the_file_again(foreign: Path) -> None:
    for file in sorted(foreign.glob("customers_*")):
        entity = "row" if "without_id" in file.name else "id"
        loaded, rows = customers(file, entity)
        with opened() as warehouse:
            again = load_customers(
                warehouse,
                file,
                "clients",
                loaded.entity,
                ReadingOptions(ids=(entity,)),
                recorded=loaded.record,
            )
            assert warehouse.rows("select * from gold.clients") == rows
        assert again == replace(loaded, warnings=again.warnings)
