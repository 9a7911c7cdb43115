"""What a spreadsheet would run is put behind an apostrophe."""

from __future__ import annotations

import pytest

import pandas as pd

from models_py.base.spreadsheet import spreadsheet_cell, spreadsheet_frame


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_becomes_a_text(text: str) -> None:
    assert spreadsheet_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", [-1, -1.5, None, "", "a=b", "1-2"])
def test_everything_else_stays(value: object) -> None:
    assert spreadsheet_cell(value) is value


def test_a_frame_has_the_cells_of_each() -> None:
    frame = pd.DataFrame(
        {"text": ["=1", "a"], "number": [-1, 2], "yes": [True, False], "mixed": ["+x", None]}
    )
    shown = spreadsheet_frame(frame)
    assert shown["text"].tolist() == ["'=1", "a"]
    assert shown["number"].tolist() == [-1, 2]
    assert shown["mixed"].tolist() == frame["mixed"].map(spreadsheet_cell).tolist()
    assert list(shown) == list(frame)
