"""What a spreadsheet would run is put behind an apostrophe."""

from __future__ import annotations

import pytest

from models_py.base.spreadsheet import spreadsheet_cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_becomes_a_text(text: str) -> None:
    assert spreadsheet_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", [-1, -1.5, None, "", "a=b", "1-2"])
def test_everything_else_stays(value: object) -> None:
    assert spreadsheet_cell(value) is value
