"""Planted logs hold what their settings say."""

from __future__ import annotations

import numpy as np
import pytest
from planted_logs import LogSettings, planted_log

from models_py.base.errors import DataError

SMALL = LogSettings(customers=300, segments=4, noise=0.1, categories=6)


def test_the_log_is_of_the_segments_and_the_same_for_a_seed() -> None:
    log, truth = planted_log(SMALL, 3)
    again, _ = planted_log(SMALL, 3)

    assert log.equals(again)
    assert set(truth) == {-1, 0, 1, 2, 3}
    assert list(truth.index) == sorted(log["customer"].unique())
    assert log["category"].nunique() == 6
    assert 0.0 < (log["amount"] < 0).mean() < 0.2
    assert (log.groupby("receipt")["customer"].nunique() == 1).all()


def test_segments_buy_apart_and_less_so_where_they_overlap() -> None:
    def apart(overlap: float) -> float:
        settings = LogSettings(customers=400, segments=4, noise=0.0, overlap=overlap)
        log, truth = planted_log(settings, 1)
        log["segment"] = log["customer"].map(truth)
        shares = log.groupby("segment")["category"].value_counts(normalize=True).unstack()
        return float(shares.fillna(0.0).std().mean())

    assert apart(0.0) > 2.0 * apart(0.8)
    assert np.isfinite(apart(0.8))


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(DataError, match="20 a segment"):
        planted_log(LogSettings(customers=50, segments=5), 0)
    with pytest.raises(DataError, match="noise"):
        planted_log(LogSettings(noise=1.5), 0)
