"""Effect sizes and tests, each against another implementation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from models_py.describe.effects import adjusted, effects, enrichment_p, moments
from models_py.describe.profiles import profile_categories, profile_segments

GENERATOR = np.random.default_rng(3)
ROWS = 300
IDS = GENERATOR.choice([2, 5, 9], ROWS, p=[0.6, 0.3, 0.1])
VALUES = GENERATOR.gamma(2.0, 3.0, (ROWS, 4)) + 1e6 * np.array([0, 0, 1, 0])
VALUES[GENERATOR.random(VALUES.shape) < 0.1] = np.nan
FRAME = pd.DataFrame(VALUES + (IDS == 5)[:, None] * [1.0, 0.0, 0.5, -2.0], columns=list("abcd"))
PROFILES = profile_segments(FRAME, IDS).set_index(["segment_id", "feature"])
CASES = [(segment, column) for segment in (2, 5, 9) for column in FRAME]


def halves(segment: int, column: str) -> tuple[np.ndarray, np.ndarray]:
    values = FRAME[column].to_numpy()
    known = ~np.isnan(values)
    return values[known & (segment == IDS)], values[known & (segment != IDS)]


@pytest.mark.parametrize(("segment", "column"), CASES)
def test_figures_equal_those_of_pandas(segment: int, column: str) -> None:
    result, members = PROFILES.loc[(segment, column)], FRAME.loc[segment == IDS, column]
    assert result["mean"] == pytest.approx(members.mean(), rel=1e-12)
    for name, share in (("lower_quartile", 0.25), ("median", 0.5), ("upper_quartile", 0.75)):
        assert result[name] == pytest.approx(members.quantile(share), rel=1e-12)
    assert result["known_count"] == members.count()


@pytest.mark.parametrize(("segment", "column"), CASES)
def test_p_is_that_of_welch_in_scipy(segment: int, column: str) -> None:
    expected = stats.ttest_ind(*halves(segment, column), equal_var=False).pvalue
    assert PROFILES.loc[(segment, column), "p"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("segment", "column"), CASES)
def test_effect_size_is_that_of_statsmodels(segment: int, column: str) -> None:
    from statsmodels.stats.meta_analysis import effectsize_smd

    inside, rest = halves(segment, column)
    size, variance = effectsize_smd(
        inside.mean(), inside.std(ddof=1), len(inside), rest.mean(), rest.std(ddof=1), len(rest)
    )
    result = PROFILES.loc[(segment, column)]
    # statsmodels takes the usual approximations of the factor and of the variance.
    assert result["effect_size"] == pytest.approx(size, rel=1e-4, abs=1e-9)
    assert result["effect_high"] - result["effect_low"] == pytest.approx(
        2 * 1.96 * variance**0.5, rel=5e-3
    )


def test_the_interval_holds_the_true_effect_as_often_as_it_says() -> None:
    generator, held = np.random.default_rng(1), []
    for _ in range(2000):
        drawn = generator.normal(size=(60, 1))
        drawn[:20] += 0.8
        inside = moments(drawn[:20])
        result = effects(inside, moments(drawn[20:]))
        held.append(result.low[0] <= 0.8 <= result.high[0])
    assert 0.93 < np.mean(held) < 0.97


def test_adjusted_is_benjamini_hochberg_by_hand() -> None:
    values = adjusted(np.array([0.01, np.nan, 0.04, 0.03, 0.5]))
    np.testing.assert_allclose(values, [0.04, np.nan, 0.04 * 4 / 3, 0.04 * 4 / 3, 0.5])
    assert np.isnan(adjusted(np.array([np.nan]))).all()


def test_enrichment_is_twice_the_smaller_tail_of_fisher() -> None:
    values = enrichment_p(np.array([8, 1]), np.array([10, 30]), 20, 60)
    for place, (inside, overall) in enumerate([(8, 10), (1, 30)]):
        table = [[inside, 20 - inside], [overall - inside, 40 - overall + inside]]
        tails = [stats.fisher_exact(table, side).pvalue for side in ("less", "greater")]
        assert values[place] == pytest.approx(min(1.0, 2 * min(tails)))


def test_nothing_is_told_where_it_is_undefined() -> None:
    frame = pd.DataFrame({"same": [0.1] * 6, "one": [1.0, *[np.nan] * 5]})
    profiles = profile_segments(frame, np.array([1, 1, 1, 2, 2, 2]))
    assert profiles[["effect_size", "effect_low", "p"]].isna().all(axis=None)
    assert (profiles["z"] == 0).all()


def test_shares_of_amounts_add_up_and_others_have_none() -> None:
    frame = pd.DataFrame(
        {
            "spend_amount": [1.0, 2.0, np.nan, 3.0, 4.0],
            "refund_amount": [1.0, -2.0, 0.0, 3.0, 4.0],
            "discount_share": [0.1, 0.2, 0.3, 0.4, 0.5],
        }
    )
    profiles = profile_segments(frame, np.array([1, 1, 1, 2, 2])).set_index(
        ["feature", "segment_id"]
    )
    assert profiles.loc["spend_amount", "total_share"].tolist() == pytest.approx([0.3, 0.7])
    assert profiles.loc[["refund_amount", "discount_share"], "total_share"].isna().all()


def test_categories_by_share_and_lift() -> None:
    frame = pd.DataFrame({"age": ["x", "x", "y", None, "y", "y"], "same": ["k"] * 6})
    profiles = profile_categories(frame, np.array([1, 1, 1, 1, 2, 2]))
    assert set(profiles["feature"]) == {"age"}
    profiles = profiles.set_index(["segment_id", "category"])
    assert profiles.loc[(1, "x"), ["share", "population_share", "lift"]].tolist() == pytest.approx(
        [0.5, 1 / 3, 1.5]
    )
    assert profiles.loc[(1, "not given"), "share"] == 0.25
    assert profiles.loc[(2, "x"), "lift"] == 0
    assert profiles.groupby("segment_id")["share"].sum().tolist() == pytest.approx([1.0, 1.0])


def test_a_small_segment_tells_nothing_of_its_members() -> None:
    spend = [1.0, 2.0, 3.0, 5.0, 7.0, 9.0, 900.0]
    frame = pd.DataFrame({"spend_amount": spend, "age": ["x", "y", "x", "x", "y", "z", "z"]})
    ids = np.array([1, 1, 1, 3, 3, 3, 2])
    frame = pd.concat([frame, frame.iloc[:3]], ignore_index=True)
    ids = np.append(ids, [1, 1, 1])
    profiles = profile_segments(frame, ids, small_segment=2).set_index("segment_id")
    hidden = profiles.loc[[2, 3]].drop(columns=["feature", "population_mean", "importance"])
    assert hidden.isna().all(axis=None)
    assert profiles.loc[1].notna().all()
    assert set(profile_categories(frame, ids, small_segment=4)["segment_id"]) == {1}


@pytest.mark.parametrize("members", [9_732, 7_597, 5_171])
def test_a_word_that_all_members_have_and_nobody_else_has_no_effect_size(members: int) -> None:
    # The moments of the rest come from a subtraction, which leaves a scatter of rounding alone.
    values = (np.arange(45_211) < members).astype(np.float64)[:, None]
    centered = values - values.mean(axis=0)
    inside = moments(centered[:members])
    result = effects(inside, moments(centered).without(inside))
    assert np.isnan(result.size).all()
    assert np.isnan(result.high).all()
