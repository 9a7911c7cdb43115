"""Nothing arises from the last bits: constants, spreads, features, profiles, charts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from models_py.base.errors import StudyError
from models_py.base.rounding import (
    constant_columns,
    is_constant,
    spreads_of,
    without_last_bits,
)
from models_py.describe.profiles import profile_segments
from models_py.features.matrix import FeatureMatrix
from models_py.features.selection import variance_inflation
from models_py.report.line_charts import drawn_range
from models_py.runs.reference import feature_values
from models_py.studies.study import Features

ROWS = 40
SIZES = st.floats(-1e12, 1e12).filter(lambda size: abs(size) > 1e-9)
BITS = st.lists(st.integers(-3, 3), min_size=ROWS, max_size=ROWS).filter(lambda b: len({*b}) > 1)


def off_by_bits(size: float, bits: list[int]) -> np.ndarray:
    """Return a value as sums in other orders would have it."""
    return size + np.array(bits) * np.spacing(abs(size))


@given(SIZES, BITS)
@settings(max_examples=60, deadline=None)
def test_a_constant_off_by_its_last_bits_is_constant(size: float, bits: list[int]) -> None:
    values = off_by_bits(size, bits)
    assert is_constant(values)
    assert constant_columns(np.column_stack([values, np.arange(ROWS)])).tolist() == [True, False]
    assert spreads_of(values[:, None])[0] == 1.0
    assert np.unique(without_last_bits(values)).size <= 2
    low, high = drawn_range(values)
    assert high - low >= 0.99


@given(
    SIZES,
    BITS,
    st.sampled_from(["standard", "robust", "minmax", "yeo_johnson", "none"]),
    st.sampled_from(["none", "auto", ["*"]]),
    st.sampled_from([0.0, 0.05]),
    st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_no_feature_arises_from_the_last_bits(
    size: float, bits: list[int], scale: Any, log1p: Any, winsorise: float, has_nulls: bool
) -> None:
    values = off_by_bits(size, bits)
    if has_nulls:
        values[::7] = np.nan
    frame = pd.DataFrame({"bits": values, "real": np.arange(ROWS) % 9})
    section = Features(include=["*"], scale=scale, log1p=log1p, winsorise=winsorise)
    matrix = FeatureMatrix(section).fit(frame)
    assert matrix.names_ == ["real"]
    (gone,) = matrix.dropped_
    assert gone.feature == "bits"
    assert "constant" in gone.reason
    with pytest.raises(StudyError, match="constant"):
        FeatureMatrix(section).fit(frame[["bits"]])


def test_a_transform_that_leaves_the_last_bits_alone_makes_no_feature() -> None:
    frame = pd.DataFrame(
        {"flat": 1e15 * (1 + np.arange(ROWS) * 1e-11), "real": np.arange(ROWS) % 9}
    )
    assert FeatureMatrix(Features(include=["*"])).fit(frame).names_ == ["flat", "real"]
    logged = FeatureMatrix(Features(include=["*"], log1p=["flat"])).fit(frame)
    assert logged.names_ == ["flat", "real"] or "logarithm" in logged.dropped_[0].reason


def test_a_real_spread_on_a_large_number_stays() -> None:
    moments = 1.7e12 + np.arange(ROWS) * 1000.0
    assert not is_constant(moments)
    assert FeatureMatrix(Features(include=["*"])).fit(pd.DataFrame({"at": moments})).names_


def test_no_trait_arises_from_the_last_bits() -> None:
    values = np.where(np.arange(ROWS) % 2 == 0, 0.3, 0.1 + 0.2)
    profiles = profile_segments(
        pd.DataFrame({"share": values, "visits": np.arange(ROWS) % 5}), np.arange(ROWS) % 2
    )
    share = profiles[profiles["feature"] == "share"]
    assert share["z"].abs().max() == 0
    assert share["importance"].max() == 0
    assert share["effect_size"].isna().all() or share["effect_size"].abs().max() == 0


def test_a_robust_spread_is_not_that_of_the_last_bits() -> None:
    values = np.where(np.arange(ROWS) % 2 == 0, 0.3, 0.1 + 0.2)
    values[:4] = [1.0, 2.0, 3.0, 4.0]
    matrix = FeatureMatrix(Features(include=["*"], scale="robust"))
    scaled = matrix.fit(pd.DataFrame({"a": values})).transform(pd.DataFrame({"a": values}))
    assert np.abs(scaled).max() < 100


def test_a_column_of_last_bits_inflates_nothing() -> None:
    values = np.where(np.arange(ROWS) % 2 == 0, 0.3, 0.1 + 0.2)
    real = np.arange(ROWS) % 2.0
    assert variance_inflation(np.column_stack([values, real])).max() < 1.5


def test_sums_in_another_order_are_no_drift() -> None:
    values = np.where(np.arange(ROWS) % 2 == 0, 0.3, 0.7)
    matrix = FeatureMatrix(Features(include=["*"])).fit(pd.DataFrame({"a": values}))
    now = pd.DataFrame({"a": values + np.spacing(values)})
    then = feature_values(matrix, pd.DataFrame({"a": values}))
    assert feature_values(matrix, now)["a"].tolist() == then["a"].tolist()
