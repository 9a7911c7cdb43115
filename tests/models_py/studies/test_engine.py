"""What a study whose table is on Spark may ask for, and what it is refused with."""

from __future__ import annotations

from typing import Any

import pytest
from planted_gold import planted_study

from models_py.base.errors import StudyError
from models_py.clustering.algorithms import ALGORITHMS, names_of
from models_py.database.spark_tables import FITTED_BY

ON_SPARK: dict[str, Any] = {
    "engine": "spark",
    "outliers": {"method": "none"},
    "algorithms": [{"name": "kmeans", "k": [2, 5]}],
}


def test_rows_are_read_from_the_sample() -> None:
    study = planted_study(**ON_SPARK)
    assert study.table == "gold.grocery_customers"
    assert study.schema_and_name == ("spark_sample", "planted")
    assert "spark" in study.extras
    assert planted_study().schema_and_name == ("gold", "grocery_customers")
    assert "spark" not in planted_study().extras


def test_every_algorithm_that_spark_is_said_to_run_is_fitted_there() -> None:
    able = names_of(lambda entry: entry.on_spark is not None)
    assert able == ("kmeans", "gaussian_mixture")
    assert {ALGORITHMS[name].assignment for name in able} == set(FITTED_BY)
    planted_study(**ON_SPARK | {"algorithms": [{"name": name, "k": 3} for name in able]})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"algorithms": [{"name": "ward", "k": 3}]}, "another algorithm than ward (kmeans, "),
        (
            {
                "algorithms": [
                    {"name": "gaussian_mixture", "k": 3, "parameters": {"covariance": "diag"}}
                ]
            },
            "other parameters (covariance = 'diag' is not 'full')",
        ),
        ({"outliers": {"method": "mahalanobis"}}, "outliers.method = 'none'"),
        ({"encoding": {"kind": "autoencoder"}}, "one encoding of kind none or pca"),
        ({"encoding": [{"kind": "pca"}, {"kind": "none"}]}, "one encoding of kind none or pca"),
        (
            {"features": {"include": ["*_share"], "scale": "robust"}},
            "features.scale = 'standard' or 'yeo_johnson' or 'none'",
        ),
        ({"partition_by": "life_stage"}, "no partition_by"),
        ({"stability": {"consensus_seeds": 5}}, "stability.consensus_seeds = 0"),
        ({"fit_at_least": {"basket_count": 3}}, "no fit_at_least"),
    ],
)
def test_what_spark_cannot_do_is_said_in_one_line(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(StudyError) as caught:
        planted_study(**ON_SPARK | changes)
    said = str(caught.value)
    assert "engine = 'spark' needs " in said
    assert words in said
    assert said.endswith("; or leave engine out")
    assert "\n" not in said


def test_all_that_has_to_change_is_said_at_once() -> None:
    with pytest.raises(StudyError, match=r"ward.*outliers\.method.*no order_by"):
        planted_study(engine="spark", order_by="customer_id")
