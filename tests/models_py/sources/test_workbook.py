"""Excel workbooks become parquet with the types that the warehouse reads."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from small_workbook import write_workbook

from models_py.base.errors import MissingExtraError, SourceError
from models_py.base.progress import Silent
from models_py.sources.registry import Table
from models_py.sources.workbook import workbook_to_parquet

TABLE = Table(
    "orders.parquet",
    ("invoice", "units", "at"),
    numbers=("units",),
    times=("at",),
    workbook="Orders.xlsx",
)
HEADER = ["invoice", "units", "at"]


def convert(folder: Path, rows: list[list[object]]) -> list[dict[str, object]]:
    write_workbook(folder / "Orders.xlsx", rows)
    target = folder / "orders.parquet"
    workbook_to_parquet(folder / "Orders.xlsx", target, TABLE, Silent())
    return pq.read_table(target).to_pylist()


def test_types_and_empty_cells(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    at = dt.datetime(2010, 12, 1, 8, 26)
    rows = convert(tmp_path, [HEADER, [536365, 6, at], ["C536379", -1.5, at], [1.5, None, None]])
    assert rows == [
        {"invoice": "536365", "units": 6.0, "at": at},
        {"invoice": "C536379", "units": -1.5, "at": at},
        {"invoice": "1.5", "units": None, "at": None},
    ]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (["2", "six", None], "Orders.xlsx, row 3, column 'units': 'six' is no number"),
        (["2", 6, "soon"], "Orders.xlsx, row 3, column 'at': 'soon' is no date"),
    ],
)
def test_wrong_cell_is_named(tmp_path: Path, row: list[object], problem: str) -> None:
    pytest.importorskip("python_calamine")
    with pytest.raises(SourceError) as raised:
        convert(tmp_path, [HEADER, [1, 1, None], row])
    assert str(raised.value) == problem


def test_other_header(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    with pytest.raises(SourceError, match="row 1: the header must read invoice,units,at; it reads"):
        convert(tmp_path, [["invoice", "amount", "at"], [1, 1, None]])


def test_damaged_workbook(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    path = tmp_path / "Orders.xlsx"
    write_workbook(path, [HEADER, [1, 1, None]])
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(SourceError, match=r"Orders.xlsx: is not a whole Excel workbook"):
        workbook_to_parquet(path, tmp_path / "orders.parquet", TABLE, Silent())


def test_reader_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(MissingExtraError, match="pip install python-calamine"):
        convert(tmp_path, [HEADER, [1, 1, None]])
