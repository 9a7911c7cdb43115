"""The command generate_grocery: weeks of made-up lines, the same to the byte."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from models_py.commands.generate_grocery import main
from models_py.database.grocery_generator import SEGMENTS, shop_week
from models_py.sources.checking import inspect_file
from models_py.sources.registry import SORT_OF_REAL_LINES


def made(folder: Path, *words: str) -> int:
    return main(["--customers", "400", "--weeks", "3", "--output", str(folder), *words])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_same_bytes_by_any_threads_and_in_any_order(tmp_path: Path) -> None:
    assert made(tmp_path / "a", "--threads", "1") == 0
    assert made(tmp_path / "b", "--threads", "3", "--first", "2") == 0
    assert made(tmp_path / "b", "--threads", "3", "--replace") == 0
    assert made(tmp_path / "c", "--seed", "1") == 0

    first = contents(tmp_path / "a")
    assert first == contents(tmp_path / "b")
    assert first.keys() == contents(tmp_path / "c").keys()
    weeks = [name for name in first if name.startswith("transactions_")]
    assert weeks == [f"transactions_20060{n}.parquet" for n in (7, 8, 9)]
    assert [n for n in weeks if first[n] == contents(tmp_path / "c")[n]] == []


def test_lines_are_those_of_the_layout_and_of_the_truth(tmp_path: Path) -> None:
    assert made(tmp_path, "--format", "csv") == 0

    for path in tmp_path.glob("transactions_*.csv"):
        assert inspect_file(path, SORT_OF_REAL_LINES).problems == []
    with duckdb.connect() as connection:
        connection.execute(f"create view lines as from '{tmp_path}/transactions_*.csv'")
        connection.execute(f"create view truth as from '{tmp_path}/true_segments.parquet'")
        ((customers, segments),) = connection.execute(
            "select count(distinct CUST_CODE), count(distinct segment) from truth"
        ).fetchall()
        ((unknown,),) = connection.execute(
            "select count(*) from lines anti join truth using (CUST_CODE) where CUST_CODE <> ''"
        ).fetchall()
        ((share, per_basket, shared, misplaced),) = connection.execute(
            "select count(*) filter (CUST_CODE is null) / count(*),"
            " count(*) / count(distinct BASKET_ID),"
            " (select count(*) from (select BASKET_ID from lines group by 1"
            "  having count(distinct STORE_CODE || SHOP_DATE || coalesce(CUST_CODE, '')) > 1)),"
            " count(*) filter (not isodow(strptime(SHOP_DATE::varchar, '%Y%m%d')) % 7 + 1"
            "  = SHOP_WEEKDAY) from lines"
        ).fetchall()
        top = connection.execute(
            "select segment, mode(PROD_CODE_40), avg(SHOP_HOUR) from lines"
            " inner join truth using (CUST_CODE) group by segment"
        ).fetchall()
    assert (customers, segments, unknown, shared, misplaced) == (400, len(SEGMENTS), 0, 0, 0)
    assert 0.1 < share < 0.3
    assert 4 < per_basket < 9
    hours = {segment: hour for segment, _, hour in top}
    assert hours["pensioners nearby"] + 5 < hours["evening top ups"]
    assert {segment: mode for segment, mode, _ in top}["household goods"] == "D00005"


def test_weeks_are_named_as_the_source_does() -> None:
    assert [shop_week(n) for n in (1, 46, 47, 98)] == [200607, 200652, 200701, 200752]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--first", "4"], "--first is 4; it can be 1 to 3"),
        (["--seed", "-1"], "--seed is -1"),
    ],
)
def test_numbers_out_of_bounds_are_refused(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert made(tmp_path / "none", *words) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_nothing_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert made(tmp_path, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    before = contents(tmp_path)

    assert made(tmp_path, "--format", "csv.gz", "--seed", "9") == 1
    assert "is there already" in capsys.readouterr().err
    assert contents(tmp_path) == before
    assert answer["lines"] > 5_000
    assert len(answer["files"]) == 3
