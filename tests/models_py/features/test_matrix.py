"""The feature matrix, held against scikit-learn's transformers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.preprocessing import MinMaxScaler, PowerTransformer, RobustScaler, StandardScaler

from models_py.base.errors import StudyError
from models_py.features.matrix import FeatureMatrix, check_patterns, feature_columns
from models_py.features.settings import Features

ROWS = 60


def section(**changes: Any) -> Features:
    return Features(include=["*"], **changes)


def fitted(frame: pd.DataFrame, max_missing_share: float = 1.0, **changes: Any) -> FeatureMatrix:
    return FeatureMatrix(section(**changes), max_missing_share).fit(frame)


def column(matrix: FeatureMatrix, frame: pd.DataFrame, name: str) -> np.ndarray:
    return matrix.transform(frame)[:, matrix.names_.index(name)]


def reasons(matrix: FeatureMatrix) -> dict[str, str]:
    return {dropped_feature.feature: dropped_feature.reason for dropped_feature in matrix.dropped_}


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def mixed(generator: np.random.Generator) -> pd.DataFrame:
    """One column of every kind that gold can give."""
    return pd.DataFrame(
        {
            "amount": generator.lognormal(3, 1, ROWS),
            "count": pd.array([1, None, 3, 7, 2, 9] * 10, dtype="Int64"),
            "price": pd.Series([Decimal("1.50"), None, Decimal(4)] * 20, dtype=object),
            "size": pd.Categorical(
                ["small", "large", None] * 20, categories=["small", "large", "x"]
            ),
            "channel": pd.Series(["web", "shop", "app", None] * 15, dtype="string"),
            "has_card": pd.Series([True, None, False, True, False] * 12, dtype=object),
            "is_new": np.arange(ROWS) % 7 == 0,
            "level": ["gold", "basic", "silver"] * 20,
        }
    )


@pytest.mark.parametrize(
    ("scale", "transformer"),
    [
        ("standard", StandardScaler()),
        ("robust", RobustScaler()),
        ("minmax", MinMaxScaler()),
        ("yeo_johnson", PowerTransformer(method="yeo-johnson")),
    ],
)
def test_scales_as_scikit_learn_does(
    generator: np.random.Generator, scale: str, transformer: Any
) -> None:
    frame = pd.DataFrame(
        {
            "amount": generator.lognormal(2, 1, 200),
            "balance": generator.normal(-3, 50, 200),
            "share": generator.beta(2, 5, 200),
        }
    )
    ours = fitted(frame, scale=scale).transform(frame)
    np.testing.assert_allclose(ours, transformer.fit_transform(frame), rtol=0, atol=1e-9)


def test_scale_none_leaves_values(mixed: pd.DataFrame) -> None:
    matrix = fitted(mixed[["amount"]], scale="none")
    np.testing.assert_array_equal(matrix.transform(mixed)[:, 0], mixed["amount"])


def test_power_for_one_column_only(generator: np.random.Generator) -> None:
    frame = pd.DataFrame({"a": generator.lognormal(size=80), "b": generator.normal(size=80)})
    matrix = fitted(frame, scale="minmax", power=["a"])
    power = PowerTransformer().fit_transform(frame[["a"]])[:, 0]
    np.testing.assert_allclose(column(matrix, frame, "a"), power, atol=1e-9)
    assert column(matrix, frame, "b").min() == 0.0


def test_every_kind_becomes_finite_columns(mixed: pd.DataFrame) -> None:
    order = {"level": ["basic", "silver", "gold"]}
    matrix = fitted(mixed, ordinal=order, category_weight="none")
    assert matrix.names_ == [
        "amount",
        "count",
        "price",
        "size=large",
        "size=small",
        "channel=app",
        "channel=shop",
        "channel=web",
        "has_card",
        "is_new",
        "level",
    ]
    transformed = matrix.transform(mixed)
    assert np.isfinite(transformed).all()
    assert transformed.flags.c_contiguous
    np.testing.assert_allclose(transformed.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(transformed.std(axis=0), 1)
    assert matrix.dropped_ == []


def test_a_category_weighs_half_a_number_whatever_its_levels(mixed: pd.DataFrame) -> None:
    order = {"level": ["basic", "silver", "gold"]}
    matrix = fitted(mixed, ordinal=order)
    variance = dict(zip(matrix.names_, matrix.transform(mixed).var(axis=0), strict=True))
    of_channel = [variance[f"channel={word}"] for word in ("app", "shop", "web")]
    of_size = [variance[f"size={word}"] for word in ("large", "small")]
    for block in (of_channel, of_size, [variance["has_card"]], [variance["is_new"]]):
        assert sum(block) == pytest.approx(0.5)
    assert [variance[name] for name in ("amount", "level")] == pytest.approx([1.0, 1.0])
    heavy = fitted(mixed, ordinal=order, category_weight=2.0)
    numbers, codes = heavy.numbers_and_codes(heavy.transform(mixed))
    assert numbers.shape[1] + 5 == len(heavy.names_)
    np.testing.assert_array_equal(codes, matrix.numbers_and_codes(matrix.transform(mixed))[1])


def test_truth_values_are_one_and_zero(mixed: pd.DataFrame) -> None:
    matrix = fitted(mixed[["is_new", "has_card"]], scale="none", impute="zero")
    np.testing.assert_array_equal(column(matrix, mixed, "is_new"), mixed["is_new"].astype(float))
    np.testing.assert_array_equal(
        column(matrix, mixed, "has_card"), [1 if v is True else 0 for v in mixed["has_card"]]
    )


def test_a_rare_truth_value_is_not_winsorised_away() -> None:
    frame = pd.DataFrame({"is_vip": [True] + [False] * 99})
    assert column(fitted(frame, scale="none", winsorise=0.05), frame, "is_vip").sum() == 1


def test_named_categorical_number_gets_categories() -> None:
    frame = pd.DataFrame({"region": [1.0, 2.0, np.nan, 2.0], "x": [1.0, 2.0, 3.0, 5.0]})
    matrix = fitted(frame, categorical=["region"], scale="none")
    assert matrix.names_ == ["region=1", "region=2", "x"]
    # The null takes the most frequent category.
    np.testing.assert_array_equal(column(matrix, frame, "region=2"), [0, 1, 1, 1])


@pytest.mark.parametrize(
    ("changes", "filled"),
    [
        ({"impute": "median"}, 3.0),
        ({"impute": "mean"}, 4.0),
        ({"impute": "zero"}, 0.0),
        ({"impute": "constant", "impute_constant": -1.5}, -1.5),
        ({"impute": "median", "impute_zero": ["cou*"]}, 0.0),
    ],
)
def test_imputation(changes: dict[str, Any], filled: float) -> None:
    frame = pd.DataFrame({"count": [1.0, 3.0, np.nan, 8.0], "other": [1.0, 2.0, 4.0, 4.0]})
    assert column(fitted(frame, scale="none", **changes), frame, "count")[2] == filled


def test_a_constant_fill_is_not_winsorised() -> None:
    frame = pd.DataFrame({"a": [np.nan, *range(100)]})
    changes: dict[str, Any] = {"impute": "constant", "impute_constant": -50.0, "winsorise": 0.1}
    assert fitted(frame, scale="none", **changes).transform(frame)[0, 0] == -50.0


def test_missing_category_and_indicator(mixed: pd.DataFrame) -> None:
    frame = mixed[["size", "channel", "count"]]
    matrix = fitted(frame, impute_category="missing", missing_indicator=True, scale="none")
    for name in ("size", "channel"):
        np.testing.assert_array_equal(
            column(matrix, frame, f"{name}=missing"), frame[name].isna().astype(float)
        )
        # The indicator repeats the category, and goes.
        assert reasons(matrix)[f"{name}_is_missing"] == f"the same as {name}=missing"
    np.testing.assert_array_equal(
        column(matrix, frame, "count_is_missing"), frame["count"].isna().astype(float)
    )


def test_drop_first() -> None:
    frame = pd.DataFrame({"channel": ["web", "shop", "app"] * 5})
    assert fitted(frame, one_hot_drop_first=True).names_ == ["channel=shop", "channel=web"]


def test_ordinal_keeps_the_order_given() -> None:
    frame = pd.DataFrame({"level": ["gold", "basic", None, "silver", "basic"]})
    matrix = fitted(frame, ordinal={"level": ["basic", "silver", "gold"]}, scale="none")
    np.testing.assert_array_equal(matrix.transform(frame)[:, 0], [2, 0, 0.5, 1, 0])


def test_ordinal_of_whole_numbers_with_a_null() -> None:
    frame = pd.DataFrame({"grade": [3.0, 1.0, np.nan, 2.0]})
    matrix = fitted(frame, ordinal={"grade": ["3", "2", "1"]}, scale="none")
    np.testing.assert_array_equal(matrix.transform(frame)[:, 0], [0, 2, 1, 1])


def test_ordinal_with_a_rank_for_what_is_missing() -> None:
    frame = pd.DataFrame({"level": ["gold", None, "basic", "basic"]})
    order = ["basic", "gold", "missing"]
    matrix = fitted(frame, ordinal={"level": order}, scale="none")
    assert matrix.transform(frame)[:, 0].tolist() == [1.0, 2.0, 0.0, 0.0]


def test_ordinal_filled_with_its_commonest_word() -> None:
    frame = pd.DataFrame({"level": ["c", None, "a", "a", "b", "c", "c", "a", "a"]})
    given = {"ordinal": {"level": ["a", "b", "c"]}, "scale": "none"}
    assert fitted(frame, **given).transform(frame)[1, 0] == 0.5
    commonest = fitted(frame, **given, impute_ordinal="most_frequent")
    assert commonest.transform(frame)[1, 0] == 0.0


def test_ordinal_without_a_value_of_the_column() -> None:
    frame = pd.DataFrame({"level": ["gold", "basic", "platinum"]})
    with pytest.raises(StudyError, match=r"features.ordinal.level lacks the value 'platinum'"):
        fitted(frame, ordinal={"level": ["basic", "gold"]})


def test_log1p_of_skewed_columns_only(generator: np.random.Generator) -> None:
    frame = pd.DataFrame(
        {
            "skewed": generator.lognormal(0, 1.5, 300),
            "even": generator.uniform(0, 1, 300),
            "signed": generator.lognormal(0, 1.5, 300) - 1.0,
        }
    )
    matrix = fitted(frame, log1p="auto", scale="none")
    assert [recipe.log1p for recipe in matrix.recipes_] == [True, False, False]
    np.testing.assert_allclose(column(matrix, frame, "skewed"), np.log1p(frame["skewed"]))
    named = fitted(frame, log1p=["ev*", "signed"], scale="none")
    assert [recipe.log1p for recipe in named.recipes_] == [False, True, False]


def test_winsorising_clips_both_ends() -> None:
    frame = pd.DataFrame({"a": np.arange(101.0)})
    clipped = fitted(frame, winsorise=0.05, scale="none").transform(frame)[:, 0]
    np.testing.assert_array_equal(clipped, np.clip(np.arange(101.0), 5, 95))


def test_unusable_columns_go_with_their_reason(generator: np.random.Generator) -> None:
    usable = generator.normal(size=ROWS)
    rare = np.zeros(ROWS)
    rare[0] = 5.0
    frame = pd.DataFrame(
        {
            "usable": usable,
            "null": np.full(ROWS, np.nan),
            "null_words": pd.Series([None] * ROWS, dtype=object),
            "mostly_null": [1.0, 2.0] + [np.nan] * (ROWS - 2),
            "constant": 3.0,
            "constant_word": "here",
            "constant_where_known": [4.0, np.nan] * 30,
            "infinite": [np.inf, -np.inf, *usable[2:]],
            "huge": [1e200, *usable[1:]],
            "copy": usable * 100,
            "day": pd.date_range("2024-01-01", periods=ROWS),
            "date": [dt.date(2024, 1, 1 + i % 28) for i in range(ROWS)],
            "time": [dt.time(i % 24) for i in range(ROWS)],
            "span": pd.to_timedelta(np.arange(ROWS), unit="D"),
            "list": [[i] for i in range(ROWS)],
            "array": [np.array([i, i]) for i in range(ROWS)],
            "empty": [{} for _ in range(ROWS)],
            "name": [f"n{i}" for i in range(ROWS)],
            "clipped": rare,
        }
    )
    matrix = fitted(frame, max_missing_share=0.6, winsorise=0.02)
    date = "a date or time is no feature; make a number of days of it in gold"
    assert matrix.names_ == ["usable"]
    assert reasons(matrix) == {
        "null": "every value is null",
        "null_words": "every value is null",
        "mostly_null": "97% of the values are null, over 60%",
        "constant": "constant (3)",
        "constant_word": "constant (here)",
        "constant_where_known": "constant after its missing values were filled (4)",
        "infinite": "2 infinite values",
        "huge": "values past 1e+100: their squares cannot be computed",
        "copy": "the same as usable",
        "day": date,
        "date": date,
        "time": date,
        "span": date,
        "list": "values of type list are no feature; make numbers in gold",
        "array": "values of type ndarray are no feature; make numbers in gold",
        "empty": "values of type dict are no feature; make numbers in gold",
        "name": "60 categories, over 50: an identifier?",
        "clipped": "constant after winsorising (0)",
    }
    assert {dropped_feature.step for dropped_feature in matrix.dropped_} == {"matrix"}


def test_constant_where_known_stays_as_its_indicator() -> None:
    frame = pd.DataFrame({"a": [4.0, np.nan] * 5})
    assert fitted(frame, missing_indicator=True).names_ == ["a_is_missing"]


def test_zeros_of_both_signs_are_the_same() -> None:
    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [-0.0, 1.0, 2.0]})
    assert reasons(fitted(frame, scale="none")) == {"b": "the same as a"}


def test_no_usable_column() -> None:
    frame = pd.DataFrame({"a": [1.0, 1.0], "b": [None, None]})
    with pytest.raises(StudyError, match=r"no usable feature is left of 2 columns \(first: a: con"):
        fitted(frame)
    with pytest.raises(StudyError, match="no column matches"):
        fitted(frame[[]])


def test_new_rows_are_treated_as_the_fitted_ones(mixed: pd.DataFrame) -> None:
    matrix = fitted(mixed, log1p="auto", winsorise=0.05, missing_indicator=True)
    whole = matrix.transform(mixed)
    np.testing.assert_array_equal(matrix.transform(mixed.iloc[[3]]), whole[[3]])
    np.testing.assert_array_equal(matrix.transform(mixed[::-1]), whole[::-1])


def test_unseen_words_nulls_and_infinities_in_new_rows(mixed: pd.DataFrame) -> None:
    matrix = fitted(mixed, ordinal={"level": ["basic", "silver", "gold"]}, scale="none")
    new = pd.DataFrame(
        {
            "amount": [np.inf, np.nan],
            "count": [None, None],
            "price": [None, None],
            "size": ["giant", None],
            "channel": ["fax", None],
            "has_card": [None, None],
            "is_new": [None, True],
            "level": ["platinum", None],
        }
    )
    transformed = matrix.transform(new)
    assert np.isfinite(transformed).all()
    of = {name: transformed[:, i] for i, name in enumerate(matrix.names_)}
    assert of["amount"][0] == of["amount"][1] == mixed["amount"].median()
    # An unseen word is none of the known; a null is the most frequent one.
    np.testing.assert_array_equal([of["size=large"], of["size=small"]], [[0, 1], [0, 0]])
    np.testing.assert_array_equal(of["level"], [1, 1])


def test_a_missing_column_in_new_rows(mixed: pd.DataFrame) -> None:
    matrix = fitted(mixed)
    with pytest.raises(StudyError, match="column 'count' is missing"):
        matrix.transform(mixed.drop(columns="count"))


def test_json_round_trip(mixed: pd.DataFrame) -> None:
    matrix = fitted(
        mixed,
        ordinal={"level": ["basic", "silver", "gold"]},
        power=["amount"],
        winsorise=0.05,
        missing_indicator=True,
    )
    again = FeatureMatrix.from_json(matrix.to_json())
    assert again.recipes_ == matrix.recipes_
    assert again.features == matrix.features
    np.testing.assert_array_equal(again.transform(mixed), matrix.transform(mixed))


def test_keep_some(mixed: pd.DataFrame) -> None:
    matrix = fitted(mixed)
    kept = matrix.keep(["is_new", "amount"])
    assert kept.names_ == ["amount", "is_new"]
    np.testing.assert_array_equal(kept.transform(mixed)[:, 0], column(matrix, mixed, "amount"))


@pytest.mark.parametrize("drop_first", [True, False])
def test_numbers_and_codes_tell_categories_apart(mixed: pd.DataFrame, drop_first: bool) -> None:
    frame = mixed[["amount", "channel", "is_new", "level"]]
    matrix = fitted(frame, one_hot_drop_first=drop_first)
    numbers, codes = matrix.numbers_and_codes(matrix.transform(frame))
    assert numbers.shape == (ROWS, 2)
    np.testing.assert_array_equal(numbers[:, 0], column(matrix, frame, "amount"))
    for place, name in enumerate(("channel", "level")):
        words = frame[name].fillna("app" if name == "channel" else "")
        pairs = pd.Series(codes[:, place]).groupby(words.to_numpy()).unique()
        assert all(len(result) == 1 for result in pairs)
        assert pairs.map(lambda result: result[0]).is_unique


def test_numbers_and_codes_of_smoothed_rows() -> None:
    frame = pd.DataFrame({"word": ["a", "b", "c"] * 4, "x": np.arange(12.0)})
    matrix = fitted(frame, scale="none")
    smoothed = np.array([[0.55, 0.6, 0.0, 1.0], [0.1, 0.2, 0.3, 1.0]])
    assert matrix.numbers_and_codes(smoothed)[1].ravel().tolist() == [2, 0]


def test_described_columns_are_what_a_reader_can_average(mixed: pd.DataFrame) -> None:
    matrix = fitted(mixed, ordinal={"level": ["basic", "silver", "gold"]})
    described = matrix.described(mixed)
    assert described["channel=web"].mean() == pytest.approx(1 / 3)
    assert described["level"].tolist()[:3] == [2.0, 0.0, 1.0]
    assert described["has_card"].mean() == pytest.approx(0.5)
    assert described["price"].max() == 4.0
    assert "amount" not in described


def test_words_that_were_given_an_order_stay_words(mixed: pd.DataFrame) -> None:
    matrix = fitted(mixed, ordinal={"level": ["basic", "silver", "gold"]})
    words = matrix.ordinal_words(mixed)
    assert list(words) == ["level=basic", "level=silver", "level=gold"]
    known = mixed["level"].notna()
    assert words[known].sum(axis=1).eq(1).all()
    assert words[~known].isna().all(axis=None)
    assert words["level=gold"].mean() == pytest.approx(mixed.loc[known, "level"].eq("gold").mean())


def test_columns_by_pattern() -> None:
    columns = ["id", "a_share", "b_share", "c", "word"]
    asked = Features(include=["*_share", "c"], exclude=["b*"], categorical=["word"])
    check_patterns(asked, columns)
    assert feature_columns(asked, columns) == ["a_share", "c"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"include": ["a_sharr"]}, r"features.include: no column matches 'a_sharr'.*'a_share'"),
        ({"exclude": ["zz*"]}, r"features.exclude: no column matches 'zz\*'"),
        ({"categorical": ["wrod"]}, r"features.categorical: .*did you mean 'word'"),
        ({"ordinal": {"wrod": ["x"]}}, r"features.ordinal: .*did you mean 'word'"),
        ({"log1p": ["cc"]}, "features.log1p: no column matches 'cc'"),
        ({"power": ["cc"]}, "features.power: no column matches 'cc'"),
        ({"impute_zero": ["cc"]}, "features.impute_zero: no column matches 'cc'"),
    ],
)
def test_a_pattern_without_a_column(changes: dict[str, Any], message: str) -> None:
    asked = Features(**{"include": ["*"], **changes})
    with pytest.raises(StudyError, match=message):
        check_patterns(asked, ["a_share", "word", "c"])


VALUES = st.floats(-1e6, 1e6) | st.just(np.nan)


@settings(max_examples=40, deadline=None)
@given(
    arrays.arrays(np.float64, (12, 3), elements=VALUES),
    st.sampled_from(["standard", "robust", "minmax", "yeo_johnson", "none"]),
    st.sampled_from(["auto", "none"]),
    st.booleans(),
)
def test_whatever_the_numbers_the_matrix_is_finite(
    values: np.ndarray, scale: str, log1p: str, indicator: bool
) -> None:
    frame = pd.DataFrame(values, columns=["a", "b", "c"])
    try:
        matrix = fitted(frame, scale=scale, log1p=log1p, missing_indicator=indicator)
    except StudyError:
        return
    transformed = matrix.transform(frame)
    assert np.isfinite(transformed).all()
    assert (np.ptp(transformed, axis=0) > 0).all()
    assert {dropped_feature.feature for dropped_feature in matrix.dropped_}.isdisjoint(
        matrix.names_
    )


def test_the_scaler_sees_every_known_value_of_incomplete_rows() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, 9.0, np.nan], "b": [1.0, 5.0, np.nan, 7.0]})
    matrix = fitted(frame, incomplete="drop_after_scaling")

    complete = ~matrix.incomplete_rows(frame)

    assert complete.tolist() == [True, True, False, False]
    expected = StandardScaler().fit_transform(frame)[complete]
    np.testing.assert_allclose(matrix.transform(frame)[complete], expected, rtol=1e-12)
    assert not fitted(frame).incomplete_rows(frame).any()
    again = FeatureMatrix.from_json(matrix.to_json())
    np.testing.assert_array_equal(again.incomplete_rows(frame), ~complete)
    # A column that is no feature leaves no row out.
    assert matrix.keep(["b"]).incomplete_rows(frame).tolist() == [False, False, True, False]


def test_parts_of_a_whole_are_roots_that_weigh_as_one_number(
    generator: np.random.Generator,
) -> None:
    shares = generator.dirichlet([2.0, 1.0, 0.5], ROWS)
    frame = pd.DataFrame(shares, columns=["a_share", "b_share", "c_share"])
    frame["amount"] = generator.normal(size=ROWS)
    matrix = fitted(frame, compositions={"kinds": ["*_share"]}, winsorise=0.1, log1p="auto")
    values = matrix.transform(frame)

    assert values[:, :3].var(axis=0).sum() == pytest.approx(1.0)
    assert values[:, 3].var() == pytest.approx(1.0)
    roots = np.sqrt(shares)
    apart = np.linalg.norm(roots[0] - roots[1])
    spread = np.sqrt(roots.var(axis=0).sum())
    assert np.linalg.norm(values[0, :3] - values[1, :3]) == pytest.approx(apart / spread)
    assert np.array_equal(FeatureMatrix.from_json(matrix.to_json()).transform(frame), values)


def test_a_part_of_a_whole_is_a_share() -> None:
    frame = pd.DataFrame({"a_share": [0.5, 1.5, 0.2]})
    with pytest.raises(StudyError, match=r"compositions\.kinds: column 'a_share' holds 0\.2 to"):
        fitted(frame, compositions={"kinds": ["*_share"]})
    with pytest.raises(StudyError, match=r"features\.compositions\.kinds: no column matches"):
        check_patterns(section(compositions={"kinds": ["b_*"]}), ["a_share"])
