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


def test_a_text_that_would_be_a_column_of_single_words_stands_by_itself(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "low: visits per month 2.91 (all 7.39), courses per month 0.36 (all 1.22)"
    print_table(["size", "name", "description"], [["1", "basic", text]], {0}, width=30)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["size  name   description", "   1  basic  low: visits per"]
    print_table(["size", "name", "description"], [["1", "basic", f"{text}; {text}"]], {0}, width=30)
    assert capsys.readouterr().out.splitlines()[:2] == ["row 1", "size         1"]
