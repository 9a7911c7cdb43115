"""What is withheld of cells, segments, categories and columns, and with them of others."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings, strategies as st

from models_py.describe.effects import moments
from models_py.describe.profiles import profile_categories, profile_segments
from models_py.describe.withholding import (
    RARE,
    Withheld,
    rare_answers,
    rare_words,
    suppressed,
    withheld_of,
    withheld_segments,
    word_features,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=9), st.integers(1, 12))
def test_what_is_left_of_the_total_is_of_several_with_members_enough(
    sizes: list[int], least: int
) -> None:
    members = np.array(sizes)
    hidden = suppressed(members, least)
    shown = (members > 0) & ~hidden
    assert (members[shown] >= least).all()
    assert not hidden[members == 0].any()
    if hidden.any() and shown.any():
        assert hidden.sum() >= 2
        assert members[hidden].sum() >= least
        # The smallest are those that go with them.
        assert members[hidden].max() < members[shown].min()


def test_segments_of_each_partition_and_small_partitions_with_the_next() -> None:
    sizes = [np.array([90, 60, 3]), np.array([40, 20]), np.array([50, 9])]
    assert withheld_of(sizes, 5) == [Withheld(61), Withheld(5), Withheld(5)]
    sizes = [np.array([90, 60]), np.array([3]), np.array([20, 9])]
    assert withheld_of(sizes, 5) == [Withheld(5), Withheld(5, True), Withheld(21, True)]
    assert withheld_of([np.array([2, 1])], 5) == [Withheld(5, True)]
    partitions, ids, counts = ["a", "a", "a", "b", "b"], [1, 2, 3, 4, 5], [90, 60, 3, 40, 20]
    assert withheld_segments(partitions, ids, counts, 5) == {2, 3}


def test_rare_words_and_answers() -> None:
    words = pd.Series(["x"] * 20 + ["y"] * 8 + ["z"] * 3 + [None] * 9)
    assert rare_words(words, 5) == {"z", "y"}
    assert rare_words(words, 4) == {"z", "y"}
    assert rare_words(words, 3) == set()
    assert rare_words(words.iloc[:30], 5) == {"z", "y"}
    frame = pd.DataFrame({"home": words})
    assert word_features(frame, ["home"], 5) == {"home=z", "home=y"}
    values = np.array([[1, 1, 0.5]] * 3 + [[0, 1, 0.1]] * 20)
    assert rare_answers(values, ["is_odd", "all", "share"], 5) == {"is_odd"}
    assert rare_answers(values, ["is_odd", "all", "share"], 3) == set()


def test_the_importance_does_not_tell_the_withheld_means_apart() -> None:
    generator = np.random.default_rng(1)
    ids = np.repeat([1, 2, 3, 4], [80, 60, 40, 3])
    frame = pd.DataFrame(
        {"spend": np.where(ids == 4, 900.0, ids * 10 + generator.normal(size=183))}
    )
    profiles = profile_segments(frame, ids, small_segment=41, least_known=5)
    told = profiles.set_index("segment_id")
    assert told["mean"].notna().tolist() == [True, True, False, False]
    everybody = moments(frame.to_numpy() - frame.to_numpy().mean(axis=0))
    between = told["importance"].iloc[0] * everybody.squares[0]
    centered = told["mean"] - told["population_mean"]
    shown = np.array([80, 60]) @ centered.loc[[1, 2]] ** 2
    together = -(np.array([80, 60]) @ centered.loc[[1, 2]])
    assert np.isclose(between - shown, together**2 / 43)


def test_a_figure_of_too_few_known_values_is_withheld_with_another() -> None:
    ids = np.repeat([1, 2, 3], [40, 30, 20])
    income = np.arange(90.0)
    income[40:68] = np.nan
    frame = pd.DataFrame({"income": income, "age": np.arange(90.0)})
    profiles = profile_segments(frame, ids, small_segment=5, least_known=5)
    known = profiles.set_index(["feature", "segment_id"])["mean"].notna()
    assert known["age"].tolist() == [True, True, True]
    assert known["income"].tolist() == [True, False, False]
    income[:] = np.nan
    income[:3] = 7.0
    alone = profile_segments(frame.assign(income=income), ids, 5, 5).set_index("feature")
    assert alone.loc["income"].drop(columns="segment_id").isna().all(axis=None)


def test_categories_of_too_few_are_one() -> None:
    words = ["x"] * 20 + ["y"] * 10 + ["z"] * 3 + ["v"] * 7
    ids = np.array([1, 2] * 20)
    rows = profile_categories(pd.DataFrame({"home": words}), ids, least_named=5)
    assert set(rows["category"]) == {"x", "y", RARE}
    assert rows.groupby("segment_id")["share"].sum().tolist() == [1.0, 1.0]
    assert rows.loc[rows["category"] == RARE, "population_share"].tolist() == [0.25, 0.25]
    two = pd.DataFrame({"home": ["x"] * 37 + ["z"] * 3})
    assert profile_categories(two, ids, least_named=5).empty
