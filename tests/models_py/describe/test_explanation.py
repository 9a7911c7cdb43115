"""What a run tells of its segments, end to end on planted customers in a real warehouse."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from planted_gold import asked, gold_customers, planted_study, write_gold

from models_py.base import settings
from models_py.base.errors import StudyError
from models_py.base.progress import Silent
from models_py.pipeline import Finished, run_study

QUICK = {"algorithms": [{"name": "kmeans", "k": 3}], "stability": {"refits": 0}}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished]:
    path = write_gold(tmp_path_factory.mktemp("explained") / "own.duckdb", gold_customers())
    study = planted_study(**QUICK, describe={"measures": ["spend_amount", "life_stage"]})
    return path, run_study(study, path, 1, Silent())


def test_planted_groups_are_explained_out_of_fold(done: tuple[Path, Finished]) -> None:
    ((f1, rows, folds),) = asked(done[0], "select f1_weighted, rows, folds from results.surrogates")
    assert (rows, folds) == (240, 5)
    assert f1 > 0.97
    shap = "select count(*) from results.segment_features where (shap is not null) = ?"
    assert asked(done[0], f"{shap} and is_model_feature", [True]) == [(15,)]
    assert asked(done[0], f"{shap} and is_model_feature", [False]) == [(0,)]


def test_case_of_the_run_gives_the_assignments_in_sql(done: tuple[Path, Finished]) -> None:
    path, _ = done
    ((case_sql, accuracy, rows),) = asked(
        path, "select case_sql, accuracy, rows from results.rule_sets"
    )
    ((agreeing, counted),) = asked(
        path,
        "select count(*) filter (rule_segment = segment_id), count(*)"
        f" from (select customer_id, {case_sql} as rule_segment from gold.grocery_customers)"
        " inner join results.planted_latest using (customer_id)",
    )
    assert (counted, agreeing / counted) == (rows, pytest.approx(accuracy))
    assert accuracy > 0.9


def test_precision_and_recall_are_those_of_the_rule_in_sql(done: tuple[Path, Finished]) -> None:
    path, _ = done
    rules = asked(
        path,
        "select segment_id, rule_sql, rule_precision, rule_recall, rule_lift, share"
        " from results.segments",
    )
    assert len(rules) == 3
    for segment_id, rule_sql, precision, recall, lift, share in rules:
        ((hits, kept, members),) = asked(
            path,
            f"select count(*) filter (kept and segment_id = {segment_id}),"
            f" count(*) filter (kept), count(*) filter (segment_id = {segment_id})"
            f" from (select customer_id, {rule_sql} as kept from gold.grocery_customers)"
            " inner join results.planted_latest using (customer_id)",
        )
        assert precision == pytest.approx(hits / kept)
        assert recall == pytest.approx(hits / members)
        assert lift == pytest.approx(precision / share)


def test_categories_and_advice_are_there(done: tuple[Path, Finished]) -> None:
    shares = asked(
        done[0],
        "select segment_id, sum(share) from results.segment_categories group by all order by 1",
    )
    assert shares == [(1, pytest.approx(1)), (2, pytest.approx(1)), (3, pytest.approx(1))]
    advised = asked(done[0], "select distinct segment_id from results.segment_actions order by 1")
    assert advised == [(1,), (2,), (3,)]


def test_samples_name_nobody(done: tuple[Path, Finished]) -> None:
    columns = {row[0] for row in asked(done[0], "describe results.shap_samples")}
    assert columns == {
        "run_id", "partition", "segment_id", "sample", "feature", "value", "shap",
    }  # fmt: skip
    counted = asked(done[0], "select count(distinct sample), count(*) from results.shap_samples")
    assert counted == [(200, 200 * 3 * 5)]


def test_p_values_are_adjusted_over_the_whole_run(done: tuple[Path, Finished]) -> None:
    from scipy.stats import ttest_ind

    path, _ = done
    with duckdb.connect(str(path), read_only=True) as database:
        gold = database.execute(
            "select * from gold.grocery_customers inner join results.planted_latest"
            " using (customer_id)"
        ).df()
        table = database.execute("select * from results.segment_features").df()
    inside = gold["segment_id"] == 2
    plain = ttest_ind(
        gold.loc[inside, "basket_spend_mean"],
        gold.loc[~inside, "basket_spend_mean"],
        equal_var=False,
    ).pvalue
    row = table[(table["segment_id"] == 2) & (table["feature"] == "basket_spend_mean")].iloc[0]
    assert plain < row["p_adjusted"] < 1e-20


def test_names_of_a_persons_own_survive_a_refit(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_gold(settings.warehouse_path(), gold_customers())
    first = run_study(planted_study(**QUICK), path, 1, Silent())
    before = first.tables.rows["segments"].set_index("segment_id")["name"]
    settings.names_file().write_text('[planted]\n2 = "our best"\n[other]\n1 = "x"\n')
    second = run_study(planted_study(**QUICK), path, 2, Silent())
    after = second.tables.rows["segments"].set_index("segment_id")["name"]
    assert after.to_dict() == {**before.to_dict(), 2: "our best"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[planted]\none = 'x'", "'one': a segment id is a whole number"),
        ("[planted]\n1 = ''", "1: a name is a text"),
        ("[planted]\n1 = 'x'\n2 = 'x'", "2: 'x' stands twice"),
        ("planted = 3", "planted is a table"),
        ("[planted", "not readable as TOML"),
    ],
)
def test_a_wrong_names_file_stops_before_a_run_begins(home: Path, text: str, message: str) -> None:
    path = write_gold(settings.warehouse_path(), gold_customers())
    settings.names_file().write_text(text)
    with pytest.raises(StudyError, match=message):
        run_study(planted_study(**QUICK), path, 1, Silent())
    with duckdb.connect(str(path)) as database:
        assert (
            database.execute(
                "select * from duckdb_schemas() where schema_name = 'results'"
            ).fetchall()
            == []
        )


def test_without_lightgbm_the_run_goes_on_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    path = write_gold(tmp_path / "own.duckdb", gold_customers())
    finished = run_study(planted_study(**QUICK), path, 1, Silent())
    assert len(finished.skipped) == 1
    assert "pip install" in finished.skipped[0]
    assert asked(path, "select count(*) from results.surrogates") == [(0,)]
    assert asked(path, "select count(*) from results.segments where rule_sql is null") == [(0,)]


def test_single_customers_are_not_profiled(tmp_path: Path) -> None:
    customers = gold_customers()
    odd = customers.iloc[:3].copy()
    odd["customer_id"] = ["BULK1", "BULK2", "BULK3"]
    odd[["basket_spend_mean", "visit_gap_mean_days"]] = [900.0, 200.0]
    path = write_gold(tmp_path / "own.duckdb", pd.concat([customers, odd]))
    study = planted_study(
        algorithms=[{"name": "kmeans", "k": 4}],
        stability={"refits": 0},
        outliers={"method": "none"},
        choose={"by": "silhouette"},
    )
    rows = run_study(study, path, 1, Silent()).tables.rows
    segments = rows["segments"].set_index("segment_id")
    (small,) = segments.index[segments["is_small"]]
    assert segments.loc[small, "size"] == 3
    assert segments.loc[small, "name"] == "small group of customers"
    assert segments.loc[small, ["rule_sql", "rule_text", "surrogate_f1"]].isna().all()
    profile = rows["segment_features"]
    own = profile[profile["segment_id"] == small]
    hidden = ["mean", "median", "lower_quartile", "upper_quartile", "z", "effect_size", "shap"]
    assert own[hidden].isna().all(axis=None)
    assert small not in set(rows["shap_samples"]["segment_id"])
    advice = rows["segment_actions"]
    assert advice.loc[advice["segment_id"] == small, "action"].tolist() == ["small_segment"]
