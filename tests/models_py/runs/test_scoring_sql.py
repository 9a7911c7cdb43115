"""One SQL statement scores as the Python chain does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st
from tests.models_py.runs.planted_house import FEATURES, customers, run, saved, study

from models_py.base import settings
from models_py.base.errors import DataError
from models_py.features.matrix import FeatureMatrix
from models_py.database.scoring import feature, number
from models_py.features.settings import Features
from models_py.runs.scoring_sql import scoring_sql

TYPES = {"customer_id": "VARCHAR", "region": "VARCHAR"}


def scored_in_sql(database: duckdb.DuckDBPyConnection, sql: str) -> pd.DataFrame:
    return database.execute(sql).df().sort_values("customer_id").reset_index(drop=True)


def column_types(database: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    return dict(
        database.execute(
            "select column_name, data_type from duckdb_columns() where table_name = ?", [table]
        ).fetchall()
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"encoding": [{"kind": "none"}]},
        {"features": {"include": FEATURES, "scale": "yeo_johnson", "missing_indicator": True}},
        {"features": {"include": FEATURES, "scale": "robust", "impute_category": "missing"}},
        {"outliers": {"reconstruct": "pca", "reconstruct_parameters": {"components": 3}}},
        {"choose": {"by": "rule", "min_share": 0.9}},
        {"partition_by": "region"},
        {"features": {"include": FEATURES, "missing": {"*_count": [3], "fav*": ["app"]}}},
        {"algorithm": "gaussian_mixture"},
        {"algorithms": [{"name": "bisecting_kmeans", "k": 5}]},
        {
            "algorithms": [
                {"name": "gaussian_mixture", "k": 4, "parameters": {"covariance": "diag"}}
            ],
            "encoding": [{"kind": "none"}],
            "partition_by": "region",
        },
        {"algorithm": "mixed_mixture", "encoding": [{"kind": "none"}]},
        {
            "algorithms": [{"name": "mixed_mixture", "k": 3, "parameters": {"covariance": "own"}}],
            "encoding": [{"kind": "none"}],
            "features": {"include": FEATURES, "missing_indicator": True},
        },
    ],
    ids=[
        "pca",
        "none",
        "yeo_johnson",
        "robust",
        "reconstructed",
        "one_segment",
        "partitions",
        "missing",
        "mixture",
        "bisecting",
        "diagonal_mixture",
        "mixed_mixture",
        "mixed_mixture_own",
    ],
)
def test_labels_and_confidences_are_pythons(home: Path, changes: dict[str, Any]) -> None:
    loaded = saved(run(study(**changes), customers()).run_id)
    fresh = customers(3000, seed=8)
    fresh.loc[:20, ["spend_amount", "days_since_visit"]] = np.nan
    fresh.loc[30:40, "favourite_channel"] = "fax"
    fresh.loc[50:52, "spend_amount"] = [np.inf, -np.inf, 1e200]
    fresh = fresh.astype(dict.fromkeys(fresh.select_dtypes("bool"), "boolean"))
    fresh.loc[60, loaded.columns] = None
    fresh.loc[60, "region"] = "north"
    expected = loaded.score(fresh).sort_values("entity_id").reset_index(drop=True)
    with duckdb.connect() as database:
        database.register("given", fresh)
        database.execute('create table "new ""ones""" as select * from given')
        types = column_types(database, 'new "ones"')
        got = scored_in_sql(database, scoring_sql(loaded, '"new ""ones"""', types))
    assert list(got.columns) == ["customer_id", "partition", "segment_id", "confidence"]
    assert list(got["customer_id"]) == list(expected["entity_id"])
    assert list(got["segment_id"].astype("Int64")) == list(expected["segment_id"])
    assert got["segment_id"].isna().sum() == 4
    np.testing.assert_allclose(got["confidence"], expected["confidence"], rtol=0, atol=1e-9)


def test_a_partition_that_the_run_never_saw_has_no_segment(home: Path) -> None:
    loaded = saved(run(study(partition_by="region"), customers()).run_id)
    fresh = customers(30, seed=4)
    fresh.loc[0, "region"] = "west"
    fresh.loc[1, "region"] = None
    with duckdb.connect() as database:
        database.register("given", fresh)
        database.execute("create table fresh as select * from given")
        types = column_types(database, "fresh")
        got = scored_in_sql(database, scoring_sql(loaded, "fresh", types))
    assert len(got) == 30
    assert list(got[got["segment_id"].isna()]["partition"]) == ["west", "not given"]


def test_a_chain_that_is_not_linear_says_why(home: Path) -> None:
    loaded = saved(run(study(algorithm="kprototypes"), customers(overlap=0.9)).run_id)
    types = dict.fromkeys([*loaded.columns, "customer_id"], "DOUBLE")
    with pytest.raises(DataError, match="kprototypes labels rows by the cheapest prototype"):
        scoring_sql(loaded, "t", types)


def test_a_missing_column_is_named(home: Path) -> None:
    loaded = saved(run(study(), customers()).run_id)
    with pytest.raises(DataError, match="no column 'customer_id'"):
        scoring_sql(loaded, "t", {})
    assert settings.models_dir(loaded.run_id).is_dir()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
@hypothesis_settings(max_examples=20, deadline=None)
def test_numbers_read_back_to_the_last_bit(values: list[float]) -> None:
    text = ", ".join(f"{number(value)}, typeof({number(value)})" for value in values)
    with duckdb.connect() as database:
        row = database.execute(f"select {text}").fetchone()
    assert row is not None
    assert set(row[1::2]) == {"DOUBLE"}
    assert np.array(row[::2]).tobytes() == np.array(values).tobytes()


COLUMNS: dict[str, tuple[str, st.SearchStrategy[Any]]] = {
    "amount": ("double", st.floats(-1e6, 1e6) | st.sampled_from([np.nan, np.inf, -np.inf])),
    "visits": ("integer", st.integers(-5, 5000)),
    "price": ("decimal(9, 2)", st.decimals(-999, 999, places=2)),
    "is_member": ("boolean", st.booleans()),
    "channel": ("varchar", st.sampled_from(["web", "o'clock", 'say "hi"', "", "Straße", "1"])),
    "grade": ("varchar", st.sampled_from(["low", "mid", "high", "other"])),
    "store": ("integer", st.integers(1, 4)),
    "rate": ("double", st.sampled_from([1.0, 1.5, 2.0])),
    "flag": ("boolean", st.booleans()),
}
WIDE = FeatureMatrix(
    Features(
        include=["*"],
        categorical=["store", "rate", "flag"],
        ordinal={"grade": ["low", "mid", "high"]},
        missing={"visits": [-1, 0], "rate": [1.5], "channel": ["1", ""], "grade": ["mid"]},
        log1p=["visits"],
        power=["amount", "price"],
        missing_indicator=True,
        winsorise=0.01,
    )
)


@pytest.fixture(scope="module")
def fitted() -> FeatureMatrix:
    generator = np.random.default_rng(1)
    rows = 300
    frame = pd.DataFrame(
        {
            "amount": generator.normal(50, 30, rows),
            "visits": generator.poisson(20, rows).astype(float),
            "price": generator.gamma(2, 20, rows).round(2) - 5,
            "is_member": generator.random(rows) < 0.5,
            "channel": generator.choice(["web", "o'clock", 'say "hi"', "", "Straße", "1"], rows),
            "grade": generator.choice(["low", "mid", "high"], rows),
            "store": generator.integers(1, 4, rows),
            "rate": generator.choice([1.0, 1.5, 2.0], rows),
            "flag": generator.random(rows) < 0.4,
        }
    )
    for column in ("amount", "visits", "price", "channel", "grade", "rate"):
        frame.loc[generator.random(rows) < 0.1, column] = None
    return WIDE.fit(frame)


@given(st.data())
@hypothesis_settings(max_examples=25, deadline=None)
def test_every_kind_of_feature_is_the_matrixs(fitted: FeatureMatrix, data: st.DataObject) -> None:
    rows = data.draw(
        st.lists(
            st.tuples(*(st.none() | values for _, values in COLUMNS.values())),
            min_size=1,
            max_size=20,
        )
    )
    with duckdb.connect() as database:
        text = ", ".join(f"{name} {kind}" for name, (kind, _) in COLUMNS.items())
        database.execute(f"create table given (place integer, {text})")
        places = ", ".join("?" * (len(COLUMNS) + 1))
        database.executemany(
            f"insert into given values ({places})", [[i, *row] for i, row in enumerate(rows)]
        )
        types = column_types(database, "given")
        made = ", ".join(feature(recipe, types[recipe.column]) for recipe in fitted.recipes_)
        got = np.array(database.execute(f"select {made} from given order by place").fetchall())
        frame = database.execute("select * from given order by place").df()
    np.testing.assert_allclose(got, fitted.transform(frame), rtol=1e-9, atol=1e-9)
