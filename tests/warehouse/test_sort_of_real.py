"""The warehouse of the real Sort-of-Real weeks."""

from __future__ import annotations

from tests.warehouse.dbt_runs import Warehouse


def test_bronze_has_every_raw_row(sort_of_real: Warehouse) -> None:
    counted = sort_of_real.rows(
        "select count(*), count(distinct customer_id), count(distinct basket_id), "
        "count(distinct source_file) from bronze.grocery_sort_of_real_transactions"
    )

    assert counted == [(2_519_777, 4_862, 392_510, 94)]


def test_lines_without_a_customer_are_rejected(sort_of_real: Warehouse) -> None:
    rejected = sort_of_real.rejected()

    assert rejected["customer_missing"] == 492_320
    assert rejected["spend_zero"] == 4
    assert rejected["life_stage_undefined"] == 506
    assert rejected["basket_type_undefined"] == 3_734
    assert rejected["price_sensitivity_undefined"] == 5_604


def test_six_life_stages_and_every_customer(sort_of_real: Warehouse) -> None:
    matches = dict(
        sort_of_real.rows("select life_stage, count(*) from gold.grocery_customers group by 1")
    )

    assert matches == {
        "OT": 2_174, "YA": 623, "YF": 551, "XX": 506, "OA": 501, "PE": 343, "OF": 164,
    }  # fmt: skip


def test_what_the_source_cannot_give_is_null(sort_of_real: Warehouse) -> None:
    assert (
        sort_of_real.value(
            "select count(discount_share) + count(own_label_share) + count(age_band) "
            "+ count(department_produce_share) from gold.grocery_customers"
        )
        == 0
    )
    assert sort_of_real.value("select count(format_ls_share) from gold.grocery_customers") == 4_862


def test_stores_have_their_format(sort_of_real: Warehouse) -> None:
    formats = dict(
        sort_of_real.rows("select store_format, count(*) from gold.grocery_stores group by 1")
    )

    assert set(formats) == {"LS", "MS", "SS", "XLS"}
