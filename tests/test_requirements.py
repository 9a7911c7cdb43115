"""What the reference projects do, each with the command that shows it.

``QUICK`` runs here on planted customers; ``SHOWN_BY`` names the test that shows what needs a
domain, a network or another process.
"""

from __future__ import annotations

import importlib
import re
import shutil
import tomllib
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from tests.models_py.report.report_house import customers, write_gold

from models_py.base import settings
from models_py.base.invocation import VERBS

STUDY = """
title = "Planted customers"
table = "gold.grocery_customers"
entity = "customer_id"
label = "planted"
[features]
include = ["baskets_per_week", "basket_spend_mean", "discount_share", "weekend_share"]
[encoding]
kind = "pca"
[[algorithms]]
name = "gaussian_mixture"
k = [2, 4]
[choose]
by = "silhouette"
[stability]
refits = 2
[describe]
measures = ["spend_amount", "recency_days", "region"]
perplexity = 8
"""

Row = tuple[str, str, list[str], str]
QUICK: list[Row] = [
    ("A", "two segments", ["run_clustering", "--k", "2", "--no-report"], "2 segments of 360 rows"),
    ("A", "backups in place", ["cleanup_temp_tables", "--backup", "--yes"], "proven"),
    ("A", "integrity check", ["cleanup_temp_tables", "--check"], "the warehouse is whole"),
    ("C", "exploration before a run", ["run_clustering", "--explore"], "exploration/index.html"),
    ("C", "elbow", ["run_sql", "select k from results.model_search where is_elbow"], "\n3"),
    ("C", "true labels", ["run_sql", "known_labels"], "known_label"),
    ("C", "label of new rows", ["score_customers", "--output", "{home}/new.csv"], "360 customers"),
    ("C", "advice", ["run_sql", "segment_advice"], "standard deviations"),
    ("D", "memberships", ["run_sql", "select probability from results.memberships"], "probability"),
    ("D", "campaign, tiers, budget, playbooks", ["run_sql", "campaign_plan"], "budget"),
    ("D", "synthetic customers", ["run_sql", "synthetic_customers"], "spend_amount"),
    ("D", "drift of features", ["check_drift"], "PSI"),
    ("D", "embedding", ["score_customers", "--coordinates", "--output", "{home}/e.csv"], "360"),
    ("D", "the way back", ["promote_run", "--back"], "standing run"),
]

PAGE = {
    "class balance of the label": "The known answer, planted, is",
    "distributions of categories": 'id="figure-categories"',
    "means and deviations": ">deviation</th>",
    "key findings": "What the data say",
    "correlation with words": "lies between the categories",
    "variance of the features": 'id="figure-feature-variance"',
    "importance of the features": 'id="figure-feature-importance"',
    "perplexity of t-SNE": "Perplexity 8.",
    "elbow": 'id="figure-elbow"',
}
FILES = ("tsne.png", "boxes.png", "importance.png", "metrics_*.csv", "profiles_*.csv")

STUDIES = "tests/warehouse/test_shipped_studies.py"
BASKETS = "tests/warehouse/test_basket_features.py"
MODELS = "tests/models_py"
ENCODERS = f"{MODELS}/features/encoders"
SHOWN_BY = {
    "A: every core table in a backup": f"{MODELS}/database/maintenance/test_backup.py"
    "::test_core_is_what_somebody_owns",
    "A: a backup that differs is none": f"{MODELS}/database/maintenance/test_backup.py"
    "::test_a_copy_that_differs_is_no_backup",
    "A: names of returns": "tests/domains/test_every_study.py::test_what_is_told_is_true",
    "A: names of returns, with their sub-clusters": "tests/domains/test_online_retail.py"
    "::test_the_study_finds_stable_segments",
    "A: advice on returns": f"{MODELS}/describe/test_advice.py::test_each_situation_has_its_advice",
    "B: undefined baskets are left out before": "tests/warehouse/test_bad_input.py"
    "::test_undefined_baskets_can_be_left_out_before",
    "B: how many they are": f"{BASKETS}"
    "::test_counts_of_undefined_baskets_are_those_of_the_documentation",
    "B: 38 features of baskets": f"{BASKETS}::test_38_features_agree_with_pandas",
    "B: scaled with every row, the published groups": f"{BASKETS}"
    "::test_the_published_choice_has_the_groups_of_scikit_learn",
    "B: linkages and numbers, the published choice": f"{STUDIES}"
    "::test_the_published_choice_stands_beside_the_others",
    "B: clustering of baskets": f"{STUDIES}::test_baskets_are_clustered",
    "B: life stages are alike or not, and what is not stable is one": f"{STUDIES}"
    "::test_life_stages_are_compared_and_keep_what_comes_back",
    "B: life stages that are alike": f"{MODELS}/runs/test_tables.py"
    "::test_partitions_that_behave_differently_are_said_to",
    "B: silhouettes by the distance of the linkage": f"{MODELS}/segmentation/test_search.py"
    "::test_candidates_are_measured_by_the_distance_they_were_found_by",
    "B: cosine silhouettes are scikit-learn's": f"{MODELS}/segmentation/measures/test_silhouette.py"
    "::test_equal_to_scikit_learn_with_noise",
    "C: validation rows by label": f"{ENCODERS}/test_training.py"
    "::test_strata_have_their_share_aside",
    "C: validation rows by the study's own label": f"{MODELS}/segmentation/test_segmentation.py"
    "::test_a_label_draws_the_validation_rows_and_is_no_feature",
    "C: mean absolute error": f"{ENCODERS}/test_autoencoder.py"
    "::test_the_weights_kept_are_those_of_the_best_epoch",
    "C: the published preset": f"{ENCODERS}/test_encoder_catalog.py"
    "::test_the_preset_is_the_reference_layout",
    "C: predictions with id and label": "tests/domains/test_automobile.py"
    "::test_the_unlabelled_get_segment_label_and_confidence",
    "C: codes of words are no quantities": "tests/domains/test_automobile.py"
    "::test_words_coded_as_numbers_are_told_by_their_shares",
    "C: training history": f"{MODELS}/report/test_page.py::test_training_of_a_network_is_shown",
    "D: deep embedded clustering's own clusters": f"{ENCODERS}/test_dec.py"
    "::test_its_own_clusters_are_a_candidate",
    "D: its clusters score new rows": f"{MODELS}/runs/test_saved.py"
    "::test_the_clusters_of_an_encoder_score_new_rows",
    "D: memberships are the confidence": f"{MODELS}/runs/test_tables.py"
    "::test_memberships_of_a_mixture_add_up",
    "D: spread of a variational encoding": f"{MODELS}/runs/test_saved.py"
    "::test_the_spread_of_a_variational_encoding_is_kept",
    "D: principal components before a network": f"{ENCODERS}/test_autoencoder.py"
    "::test_principal_components_before_the_network",
    "D: retraining by drift, champion and challenger": "tests/scripts/test_promote_run.py"
    "::test_one_that_has_is_challenged_and_gives_way",
    "D: a worse one does not take over": "tests/scripts/test_promote_run.py"
    "::test_a_worse_one_does_not_take_over",
    "D: scheduled retraining": "tests/scripts/test_run_night.py"
    "::test_a_first_night_and_a_quiet_one",
    "D: a service": f"{MODELS}/runs/test_tracking.py::test_the_champion_is_served_over_http",
    "E: a model by its folder": f"{ENCODERS}/test_text.py::test_a_folder_with_a_graph_of_its_own",
    "E: what the sentences add": f"{MODELS}/describe/test_texts.py"
    "::test_sentences_are_told_beside_the_columns",
    "E: embeddings as a table": "tests/scripts/test_score_customers.py"
    "::test_coordinates_are_those_that_were_clustered",
    "E: insights, who says yes first": f"{MODELS}/describe/test_advice.py"
    "::test_the_segment_where_the_label_is_frequent_comes_first",
    "F: both methods in one run": "tests/domains/test_retail_org.py"
    "::test_both_methods_stand_in_one_run_and_the_single_customers_are_described",
    "F: the four insights": "tests/domains/test_retail_org.py"
    "::test_the_four_groups_have_their_advice",
    "G: samples of baskets by life stage": f"{BASKETS}"
    "::test_files_hold_the_baskets_of_each_life_stage",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two runs of planted customers, the second with its page."""
    folder = tmp_path_factory.mktemp("requirements")
    write_gold(folder / "data" / "segmenthouse.duckdb", customers())
    (folder / "planted.toml").write_text(STUDY)
    for more in (["--no-report"], []):
        assert _run(folder, ["run_clustering", *more]) == 0
    return folder


def _run(home: Path, command: list[str]) -> int:
    name, *words = [word.format(home=home) if "{home}" in word else word for word in command]
    main = importlib.import_module(f"models_py.commands.{name}").main
    takes_study = name != "cleanup_temp_tables" and words[:1] != ["--list-backups"]
    is_sql = any(" " in word for word in words)
    study = ["--study", str(home / "planted.toml")] if takes_study and not is_sql else []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "300")  # no cell wraps
        patch.setenv(settings.HOME_VARIABLE, str(home))
        code: int = main([*words, *study])
    return code


@pytest.mark.parametrize(
    ("section", "requirement", "command", "said"), QUICK, ids=[f"{q[0]} {q[1]}" for q in QUICK]
)
def test_a_command_shows_it(
    section: str,
    requirement: str,
    command: list[str],
    said: str,
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # What one command changes no other sees.
    own = shutil.copytree(home, tmp_path / "home")
    code = _run(own, command)
    printed = capsys.readouterr()
    assert code == 0, f"{section}, {requirement}: {printed.err}"
    assert said in printed.out, f"{section}, {requirement}"


def test_the_page_shows_it(home: Path) -> None:
    (page,) = [p for p in home.rglob("index.html") if p.parent.name != "exploration"][:1]
    html = page.read_text(encoding="utf-8")
    assert [what for what, said in PAGE.items() if said not in html] == []
    assert [name for name in FILES if not [*page.parent.rglob(name)]] == []


def test_true_labels_and_plans_are_those_of_gold(home: Path) -> None:
    frame = customers().set_index("customer_id")
    path = str(home / "data" / "segmenthouse.duckdb")
    with duckdb.connect(path, read_only=True) as database:
        database.execute("set variable gold = 'gold.grocery_customers'")
        database.execute("set variable \"column\" = 'planted'")
        database.execute("set variable rows = 2000")
        ask = {
            name: database.execute((settings.sql_dir() / f"{name}.sql").read_text()).df()
            for name in ("known_labels", "campaign_plan", "synthetic_customers")
        }
        owners = database.execute(
            "select entity_id, segment_id from results.assignments join results.runs using (run_id)"
            " where number = (select max(number) from results.runs where status = 'done')"
        ).df()
    labels = ask["known_labels"].set_index("entity_id")
    assert labels["known_label"].to_dict() == frame["planted"].to_dict()
    plan = ask["campaign_plan"].set_index("segment_id")
    assert plan["budget"].sum() == pytest.approx(10_000, abs=2)
    spend = frame["spend_amount"].groupby(owners.set_index("entity_id")["segment_id"])
    expected = spend.sum() / frame["spend_amount"].sum()
    assert plan["value_share"].to_dict() == pytest.approx(expected.to_dict(), abs=1e-3)
    worth = spend.mean() / frame["spend_amount"].mean()
    assert plan.loc[worth.idxmax(), "tier"] <= plan["tier"].min()
    made = ask["synthetic_customers"]
    assert made.groupby(["segment_id", "member"]).ngroups == pytest.approx(2_000, abs=2)
    values = pd.to_numeric(made.loc[made["feature"] == "basket_spend_mean", "value"])
    drawn = values.groupby(made["segment_id"]).median()
    real = frame["basket_spend_mean"].groupby(owners.set_index("entity_id")["segment_id"]).median()
    assert drawn.to_dict() == pytest.approx(real.to_dict(), rel=0.02)
    regions = made[made["feature"] == "region"].groupby("segment_id")["value"]
    assert set(regions.nunique()) == {3}


@pytest.mark.parametrize("test", SHOWN_BY.values(), ids=list(SHOWN_BY))
def test_another_test_shows_it(test: str) -> None:
    file, _, name = test.partition("::")
    text = (settings.repository() / file).read_text(encoding="utf-8")
    assert re.search(rf"^def {name}\(", text, re.MULTILINE), test


def test_a_container_has_what_it_is_told_to_install() -> None:
    text = (settings.repository() / "scripts" / "Dockerfile").read_text(encoding="utf-8")
    project = tomllib.loads((settings.repository() / "pyproject.toml").read_text("utf-8"))[
        "project"
    ]
    (extras,) = re.findall(r'"/source\[([\w,]+)\]"', text)
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    (entry,) = re.findall(r'ENTRYPOINT \["([\w-]+)"\]', text)
    assert entry in project["scripts"]
    (version,) = re.findall(r"FROM python:3\.(\d+)-slim", text)
    assert int(version) >= int(project["requires-python"].removeprefix(">=3."))
    (verb,) = re.findall(rf"{entry} (\w+) --study", text)
    assert verb in VERBS.values()
