"""Drift measures against hand-computed values and scipy, and the verdict on real runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st
from scipy.stats import ks_2samp
from tests.models_py.runs.planted_house import customers, run, saved, study

from models_py.base import settings
from models_py.runs.drift import (
    LIMITS,
    Drift,
    Limits,
    largest_distance,
    measure_drift,
    population_stability,
    share_distances,
    stability_by_chance,
)
from models_py.runs.reference import bin_counts, feature_reference
from models_py.runs.saved import SavedRun

THEN = datetime(2026, 1, 5)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    """A run on 1,200 customers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.HOME_VARIABLE, str(tmp_path_factory.mktemp("home")))
        return saved(run(study(), customers(1200)).run_id)


def drift_of(saved_run: SavedRun, frame: pd.DataFrame, days: float = 7.0) -> Drift:
    entities = list(customers(1200)["customer_id"])
    return measure_drift(saved_run, frame, entities, THEN, THEN + timedelta(days=days))


def test_psi_is_the_sum_that_its_definition_says() -> None:
    # (0.305 - 0.505) ln(0.305 / 0.505) + (0.695 - 0.495) ln(0.695 / 0.495), half a row added.
    then, now = np.array([50, 50]), np.array([30, 70])
    first, second = np.array([50.5, 50.5]) / 101, np.array([30.5, 70.5]) / 101
    expected = sum((b - a) * np.log(b / a) for a, b in zip(first, second, strict=True))
    assert population_stability(then, now) == pytest.approx(expected, rel=1e-12)
    assert population_stability(then, now) == pytest.approx(0.165918, abs=1e-6)


def test_psi_of_the_same_shares_is_zero_and_of_an_empty_bin_finite() -> None:
    counts = np.array([10, 0, 30, 5])
    assert population_stability(counts, counts) == 0.0
    assert 0 < population_stability(np.array([100, 0]), np.array([0, 100])) < 20


def test_psi_passes_its_chance_limit_as_rarely_as_told() -> None:
    generator = np.random.default_rng(5)
    shares = np.full(10, 0.1)
    beyond = 0
    for _ in range(4000):
        then, now = generator.multinomial(600, shares), generator.multinomial(300, shares)
        beyond += population_stability(then, now) > stability_by_chance(then, now)
    assert beyond <= 16


@given(st.integers(0, 10_000), st.integers(1, 400), st.integers(1, 400), st.booleans())
@hypothesis_settings(max_examples=60, deadline=None)
def test_distance_is_scipys(seed: int, before: int, after: int, is_rounded: bool) -> None:
    generator = np.random.default_rng(seed)
    then, now = generator.normal(0, 1, before), generator.normal(0.3, 1.2, after)
    if is_rounded:
        then, now = then.round(0), now.round(0)
    reference = feature_reference(np.append(then, np.nan))
    expected = ks_2samp(then, now).statistic
    assert largest_distance(reference, np.append(now, np.nan)) == pytest.approx(expected, abs=1e-12)


def test_a_long_distribution_is_kept_within_a_thousandth() -> None:
    generator = np.random.default_rng(2)
    then, now = generator.normal(0, 1, 60_000), generator.normal(0.2, 1, 20_000)
    reference = feature_reference(then)
    assert reference.values.size <= 5_000
    assert largest_distance(reference, now) == pytest.approx(
        ks_2samp(then, now).statistic, abs=4e-4
    )


def test_bins_hold_every_row_once() -> None:
    values = np.array([0.0, 1.0, 1.0, 2.0, np.nan])
    reference = feature_reference(values)
    assert list(reference.edges) == [0.5, 1.5]
    assert list(reference.counts) == [1, 2, 1, 1]
    assert list(bin_counts(np.array([-5.0, 9.0, np.nan, np.nan]), reference.edges)) == [1, 0, 1, 2]


def test_share_distances_by_hand() -> None:
    variation, shannon = share_distances(np.array([50, 50]), np.array([25, 75]))
    assert variation == pytest.approx(0.25)
    mixed = np.array([0.375, 0.625])
    divergence = [
        np.sum(shares * np.log2(shares / mixed)) for shares in (np.full(2, 0.5), [0.25, 0.75])
    ]
    assert shannon == pytest.approx(np.sqrt(np.mean(divergence)))
    assert share_distances(np.array([1, 0]), np.array([0, 9])) == (1.0, 1.0)


def test_limits() -> None:
    limits = Limits(0.1, 0.25)
    texts = [limits.verdict(value) for value in (0.09, 0.1, 0.2499, 0.25, np.nan)]
    assert texts == ["keep", "watch", "watch", "refit", "keep"]
    assert (LIMITS["psi"].watch, LIMITS["psi"].refit) == (0.1, 0.25)
    assert LIMITS["new_share"].refit == 0.2


def test_the_same_customers_are_no_drift(planted: SavedRun) -> None:
    drift = drift_of(planted, customers(1200))
    assert drift.verdict == "keep"
    assert drift.reasons == []
    assert max(feature.psi for feature in drift.features) == 0.0
    assert max(feature.ks for feature in drift.features) == 0.0
    assert drift.figures["segment_distance"] == 0.0
    assert drift.figures["silhouette_drop"] == pytest.approx(0.0, abs=1e-12)
    assert drift.figures["reconstruction_ratio"] == pytest.approx(1.0)


def test_another_sample_of_the_same_customers_is_no_drift(planted: SavedRun) -> None:
    drift = drift_of(planted, customers(1200).sample(300, random_state=3))
    assert drift.verdict == "watch"
    assert [reason.words for reason in drift.reasons] == ["75% of the run's customers are gone"]


def test_one_feature_that_moved_is_named_and_watched(planted: SavedRun) -> None:
    now = customers(1200).assign(weekend_share=lambda rows: rows["weekend_share"] * 0.5)
    drift = drift_of(planted, now)
    assert drift.features[0].feature == "weekend_share"
    assert drift.features[0].verdict == "refit"
    assert any("weekend_share (PSI" in reason.words for reason in drift.reasons)


def test_customers_of_another_kind_ask_for_a_refit(planted: SavedRun) -> None:
    now = customers(1200).assign(
        spend_amount=lambda rows: rows["spend_amount"] * 4,
        basket_amount=lambda rows: rows["basket_amount"] * 3,
        visits_count=lambda rows: rows["visits_count"] + 20,
    )
    drift = drift_of(planted, now)
    assert drift.verdict == "refit"
    assert drift.reasons[0].verdict == "refit"
    assert drift.figures["shifted_features_share"] >= 0.2


def test_more_than_a_fifth_of_new_customers_asks_for_a_refit(planted: SavedRun) -> None:
    now = customers(1200)
    now.loc[now.index[:250], "customer_id"] = [f"N{i}" for i in range(250)]
    drift = drift_of(planted, now)
    assert drift.figures["new_share"] == pytest.approx(250 / 1200)
    assert drift.verdict == "refit"
    assert "21% of the customers are new since the run" in [r.words for r in drift.reasons]


@pytest.mark.parametrize(("days", "verdict"), [(89, "keep"), (90, "watch"), (200, "refit")])
def test_age(planted: SavedRun, days: float, verdict: str) -> None:
    drift = drift_of(planted, customers(1200), days)
    assert drift.verdict == verdict
    assert verdict == "keep" or drift.reasons[0].words == f"the run is {days} days old"


def test_noise_in_every_feature_lowers_the_silhouette(planted: SavedRun) -> None:
    now = customers(1200)
    generator = np.random.default_rng(1)
    for column in ("spend_amount", "basket_amount", "fresh_share", "weekend_share"):
        now[column] = generator.permutation(now[column])
    drift = drift_of(planted, now)
    assert drift.figures["silhouette_drop"] > 0.25
    assert drift.figures["reconstruction_ratio"] > 1.2
    assert drift.verdict == "refit"


def test_values_that_are_missing_now_are_drift(planted: SavedRun) -> None:
    now = customers(1200).assign(spend_amount=np.nan)
    moved = {item.feature: item for item in drift_of(planted, now).features}
    assert moved["spend_amount"].psi > 0.25


def test_partitions_that_the_run_never_saw_are_told(home: Path) -> None:
    partitioned = saved(run(study(partition_by="region"), customers(1200)).run_id)
    now = customers(1200)
    now.loc[now.index[:120], "region"] = "west"
    drift = drift_of(partitioned, now)
    assert drift.figures["unknown_partition_share"] == pytest.approx(0.1)
    assert drift.verdict == "refit"
    assert {feature.partition for feature in drift.features} == {"north", "south"}
