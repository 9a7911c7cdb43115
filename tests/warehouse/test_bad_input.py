"""Damaged and odd files: one clear line or a counted rejection, and the last good gold stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.warehouse.dbt_runs import LINE_COLUMNS, Line, Run, Warehouse, sound_lines, write_files

BRONZE = ("--select", "bronze_grocery_sort_of_real_transactions")
# Unit tests bring their own rows: whatever the files hold, they show the same.
BUILD = ("build", "--exclude-resource-type", "unit_test")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A small warehouse of sound files, built and tested."""
    home = tmp_path_factory.mktemp("small")
    made = Warehouse(home, {"grocery_source": "sort_of_real"})
    (home / "data" / "raw").mkdir(parents=True)
    write_files(files_of(made), sound_lines())
    built = made.dbt(*BUILD)
    assert built.code == 0, built.text
    assert made.value("select count(*) from gold.grocery_customers") == 12
    return made


@pytest.fixture
def files(warehouse: Warehouse) -> Path:
    """The folder of the small warehouse's files."""
    return files_of(warehouse)


def files_of(warehouse: Warehouse) -> Path:
    return warehouse.home / "data" / "raw" / "grocery"


def assert_refused(warehouse: Warehouse, run: Run, *words: str) -> None:
    """The command failed with a line that holds all the words; the last good tables stay."""
    assert run.code == 1
    assert [line for line in run.text.splitlines() if all(word in line for word in words)], run.text
    assert warehouse.value("select count(*) > 0 from bronze.grocery_sort_of_real_transactions")
    assert warehouse.value("select count(*) > 0 from gold.grocery_customers")


def test_missing_files_name_the_command_that_gets_them(warehouse: Warehouse, files: Path) -> None:
    write_files(files, []).unlink()

    run = warehouse.dbt("run", *BRONZE)

    assert_refused(
        warehouse, run, str(files), "transactions_*.csv", "python scripts/fetch_data.py grocery"
    )


def test_empty_file(warehouse: Warehouse, files: Path) -> None:
    write_files(files, sound_lines()).write_bytes(b"")

    assert_refused(warehouse, warehouse.dbt("run", *BRONZE), "transactions_200607.csv", "is empty")


def test_wrong_delimiter(warehouse: Warehouse, files: Path) -> None:
    write_files(files, sound_lines(), delimiter=";")

    run = warehouse.dbt("run", *BRONZE)

    assert_refused(warehouse, run, "transactions_200607.csv, row 1", "parted by semicolons")


def test_renamed_column(warehouse: Warehouse, files: Path) -> None:
    columns = ["AMOUNT" if name == "SPEND" else name for name in LINE_COLUMNS]
    write_files(files, sound_lines(), columns=columns)

    run = warehouse.dbt("run", *BRONZE)

    assert_refused(warehouse, run, "row 1", "column SPEND is missing", "there is AMOUNT")


def test_line_cut_short(warehouse: Warehouse, files: Path) -> None:
    path = write_files(files, sound_lines())
    rows = path.read_text().splitlines()
    path.write_text("\n".join([*rows[:20], rows[20][:40]]))

    run = warehouse.dbt("run", *BRONZE)

    assert_refused(warehouse, run, "transactions_200607.csv, row 21", "column PROD_CODE_30", "cut")


def test_gzip_cut_short(warehouse: Warehouse, files: Path) -> None:
    path = write_files(files, sound_lines(), zipped=True)
    path.write_bytes(path.read_bytes()[:-20])

    run = warehouse.dbt("run", *BRONZE)

    assert_refused(warehouse, run, "transactions_200607.csv.gz", "cannot be read", "fetch it again")


def test_no_customer_at_all_keeps_the_last_gold(warehouse: Warehouse, files: Path) -> None:
    write_files(files, [replace(line, customer="") for line in sound_lines()])

    run = warehouse.dbt("run")

    assert_refused(warehouse, run, "no grocery line is left", "customer_missing")
    assert warehouse.rejected() == {"customer_missing": len(sound_lines())}


def test_bad_values_are_counted(warehouse: Warehouse, files: Path) -> None:
    bad = [
        Line(basket="X1", quantity="two"),
        Line(basket="X2", spend="nan"),
        Line(basket="X3", quantity="1.5"),
        Line(basket="X4", day="20061399"),
        Line(basket="X5", day="20060501"),
        Line(basket="X6", hour="25"),
        Line(basket="X7", spend="-1.00"),
        Line(basket="X8", quantity="0"),
        Line(basket="X9", spend="0"),
        Line(basket="X10"),
        Line(basket="X10"),
        Line(basket="X11", customer="CUST1"),
        Line(basket="X11", customer="CUST2", product="PRD2"),
        Line(basket="X12", customer="NOBODY", quantity="0"),
        Line(basket="X13", basket_type="XX"),
    ]
    write_files(files, [*sound_lines(), *bad])

    built = warehouse.dbt(*BUILD)

    assert built.code == 0, built.text
    assert warehouse.rejected() == {
        "number_unreadable": 3,
        "date_impossible": 3,
        "spend_negative": 1,
        "quantity_zero": 2,
        "spend_zero": 1,
        "line_repeated": 1,
        "basket_shared": 2,
        "no_line_left": 1,
        "basket_type_undefined": 1,
    }
    assert warehouse.rows("select * from silver.grocery_rejected_customers") == [
        ("NOBODY", "quantity_zero", 1)
    ]


def test_the_future_is_left_out_and_everything_reconciles(
    warehouse: Warehouse, files: Path
) -> None:
    write_files(files, sound_lines())
    until = {**warehouse.variables, "grocery_until": "2006-04-13"}

    built = replace(warehouse, variables=until).dbt(*BUILD)

    assert built.code == 0, built.text
    later = sum(line.day >= "20060413" for line in sound_lines())
    assert warehouse.rejected()["still_to_come"] == later > 0
    assert warehouse.value("select max(bought_on) from silver.grocery_baskets") < date(2006, 4, 13)


def test_one_customer_of_one_life_stage(warehouse: Warehouse, files: Path) -> None:
    write_files(files, [Line()])

    built = warehouse.dbt(*BUILD)

    assert built.code == 0, built.text
    matches = warehouse.rows(
        "select customer_id, life_stage, basket_count, visit_gap_mean_days, product_evenness, "
        "category_simpson, main_store_share, basket_spend_spread from gold.grocery_customers"
    )
    assert matches == [("CUST1", "YA", 1, None, None, 0.0, 1.0, 0.0)]
    samples = warehouse.home / "data" / "samples"
    assert len((samples / "grocery_ya.csv").read_text().splitlines()) == 2
    assert len((samples / "grocery_pe.csv").read_text().splitlines()) == 1


def test_undefined_baskets_can_be_left_out_before(warehouse: Warehouse, files: Path) -> None:
    undefined = [
        Line(basket="X1", basket_type="XX"),
        Line(basket="X1", basket_type="XX", product="PRD2"),
        Line(basket="X2", customer="NOBODY", life_stage="XX"),
    ]
    write_files(files, [*sound_lines(), *undefined])
    variables = {
        **warehouse.variables,
        "grocery_leave_out_undefined": "true",
        "lifestage_basket_sample_size": "20",
    }

    built = replace(warehouse, variables=variables).dbt(*BUILD)

    assert built.code == 0, built.text
    # 12 customers of two life stages have 4 baskets each; 20 of each stage are sampled.
    assert warehouse.rejected() == {
        "basket_undefined": 3,
        "undefined_left_out": 2,
        "no_line_left": 1,
        "basket_sample_full": 8,
    }
    assert warehouse.value("select count(*) from silver.grocery_baskets") == 48
    samples = warehouse.home / "data" / "samples"
    assert len((samples / "grocery_baskets_ya.csv").read_text().splitlines()) == 21
    assert len((samples / "grocery_baskets_of.csv").read_text().splitlines()) == 1
    drawn = warehouse.rows(
        f"select count(*), count(distinct basket_id) from '{samples}/grocery_baskets_pe.parquet'"
    )
    assert drawn == [(20, 20)]
