"""Profiles of segments, held against a computation by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models_py.describe.profiles import profile_segments

IDS = np.array([4, 4, 4, 7, 7])


def profile(frame: pd.DataFrame) -> pd.DataFrame:
    return profile_segments(frame, IDS).set_index(["segment_id", "feature"])


def test_figures_of_a_segment() -> None:
    spend = [1.0, 2.0, 6.0, 10.0, 11.0]
    row = profile(pd.DataFrame({"spend": spend})).loc[(4, "spend")]
    assert (row["mean"], row["median"], row["population_mean"]) == (3.0, 2.0, 6.0)
    assert (row["lower_quartile"], row["upper_quartile"]) == (1.5, 4.0)
    assert row["z"] == pytest.approx((3 - 6) / np.std(spend))
    between = 3 * (3 - 6) ** 2 + 2 * (10.5 - 6) ** 2
    assert row["importance"] == pytest.approx(between / np.sum((np.array(spend) - 6) ** 2))


def test_nulls_and_infinities_are_left_out_of_each_figure() -> None:
    frame = pd.DataFrame({"gap": [1.0, np.nan, 3.0, np.inf, 5.0]})
    profiles = profile(frame)
    assert profiles.loc[(4, "gap"), "mean"] == 2.0
    assert profiles.loc[(7, "gap"), "mean"] == 5.0
    assert profiles.loc[(4, "gap"), "population_mean"] == 3.0


def test_numbers_and_truth_values_of_every_type() -> None:
    frame = pd.DataFrame(
        {
            "whole": pd.array([1, None, 3, 5, 5], dtype="Int64"),
            "flag": [True, False, True, False, False],
            "unsure": pd.array([True, None, False, True, True], dtype="boolean"),
            "word": list("abcde"),
            "span": pd.to_timedelta(range(5), unit="D"),
            "day": pd.date_range("2024-01-01", periods=5),
            "null": np.nan,
        }
    )
    profiles = profile(frame)
    assert set(profiles.index.get_level_values("feature")) == {"whole", "flag", "unsure"}
    assert profiles.loc[(4, "whole"), "mean"] == 2.0
    assert profiles.loc[(4, "flag"), "mean"] == pytest.approx(2 / 3)
    assert profiles.loc[(4, "unsure"), "mean"] == 0.5


def test_a_constant_column_stands_out_nowhere() -> None:
    table = profile(pd.DataFrame({"same": [2.0] * 5}))
    assert table["z"].tolist() == table["importance"].tolist() == [0.0, 0.0]


def test_a_segment_without_a_value_has_no_mean_there() -> None:
    table = profile(pd.DataFrame({"gap": [1.0, 2.0, 3.0, np.nan, np.nan]}))
    assert np.isnan(table.loc[(7, "gap"), "mean"])
    assert table.loc[(7, "gap"), "z"] == 0.0


def test_words_alone_give_no_rows() -> None:
    table = profile_segments(pd.DataFrame({"word": list("abcde")}), IDS)
    assert table.empty
    assert {"segment_id", "feature", "z", "importance"} <= set(table.columns)
