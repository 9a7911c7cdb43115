"""How sure an answer is said to be, by what tells it apart from the next."""

from __future__ import annotations

import math

import pytest

from models_py.segmentation.calibration import MOST_CERTAIN, likely_right_at


def test_a_clearer_answer_is_surer_and_none_is_certain() -> None:
    shares = [likely_right_at(gap) for gap in (0.0, 5.0, 20.0, 50.0, 200.0, 1e6, math.inf)]
    assert shares == sorted(shares)
    assert shares[0] < 0.1
    assert 0.4 < shares[2] < 0.6
    assert shares[-1] == MOST_CERTAIN


def test_nothing_is_said_where_one_segment_is_the_answer() -> None:
    assert math.isnan(likely_right_at(float("nan")))


@pytest.mark.parametrize("gap", [-3.0, 0.5])
def test_a_gap_under_one_is_as_unsure_as_one(gap: float) -> None:
    assert likely_right_at(gap) == likely_right_at(1.0)
