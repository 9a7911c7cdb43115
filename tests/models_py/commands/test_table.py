from __future__ import annotations

import pytest

from models_py.commands.table import print_table


def test_columns_are_as_wide_as_their_widest_cell(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["name", "rows"], [["a", "12345"], ["\u5317\u4eac\u5317", "1"]], {1}, is_ruled=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["name     rows", "------  -----", "a       12345"]
    # Three letters of two places each are as wide as six others.
    assert lines[3] == "\u5317\u4eac\u5317      1"


def test_a_table_without_rows_is_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["name", "rows"], [])
    assert capsys.readouterr().out == "name  rows\n"
