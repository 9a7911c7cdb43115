"""What is withheld cannot be got back: by subtraction from any table or file of a run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from report_house import customers, run, study, write_gold

from models_py.base import settings
from models_py.base.progress import Silent
from models_py.database import contract
from models_py.report.writing import write_report

LEAST = 5
FEW, ODD = 4, "island"
SECRETS = (ODD, "secret", "907.25", "99.5")
BY_ENTITY = {"assignments", "likely_moves", "outliers", "scores"}
"""Tables that name every entity, as gold does."""


@dataclass(frozen=True)
class House:
    """Two runs over customers of whom four are like no other, three live on an island."""

    path: Path
    run_id: str
    folder: Path
    gold: pd.DataFrame
    small: int
    withheld: set[int]

    def rows(self, table: str) -> pd.DataFrame:
        """Return the newest run's rows of a table."""
        with duckdb.connect(str(self.path), read_only=True) as database:
            return database.execute(
                f"select * from results.{table} where run_id = ?", [self.run_id]
            ).df()

    @property
    def members(self) -> pd.DataFrame:
        """The gold rows with their segment."""
        segments = self.rows("assignments").set_index("entity_id")["segment_id"]
        return self.gold.assign(segment_id=self.gold["customer_id"].map(segments))


def odd_customers() -> pd.DataFrame:
    frame = customers(150)
    frame.loc[frame.index[:FEW], ["basket_spend_mean", "visit_gap_mean_days"]] = [907.25, 99.5]
    frame.loc[frame.index[40:43], "region"] = ODD
    frame.loc[frame.index[60:62], "planted"] = "secret"
    frame["is_vip"] = frame.index.isin([30, 31])
    frame["income"] = np.where(frame.index.isin([0, 1, 2, 3, 50, 51]), 1.0, np.nan)
    frame["income"] = frame["income"] * np.arange(150) + 7000.0
    return frame


@pytest.fixture(scope="module")
def withheld(tmp_path_factory: pytest.TempPathFactory) -> House:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.HOME_VARIABLE, str(tmp_path_factory.mktemp("withheld")))
        frame = odd_customers()
        path = write_gold(settings.warehouse_path(), frame)
        included = ["baskets_per_week", "basket_spend_mean", "discount_share", "weekend_share"]
        recipe = study(
            label="planted",
            features={"include": [*included, "visit_gap_mean_days", "region", "is_vip"]},
            describe={"measures": ["spend_amount", "income", "recency_days"]},
            algorithms=[{"name": "kmeans", "k": 4}],
            outliers={"method": "none"},
            stability={"refits": 0},
            choose={"by": "silhouette"},
        )
        run(path, recipe)
        run_id = run(path, recipe).run_id
        page = write_report(run_id, path, Silent()).page
        house = House(path, run_id, page.parent, frame, 0, set())
        segments = house.rows("segments")
        (small,) = segments.loc[segments["size"] == FEW, "segment_id"]
        hidden = set(segments.loc[segments["is_withheld"], "segment_id"])
        yield House(path, run_id, page.parent, frame, int(small), hidden)


def test_another_segment_is_withheld_with_the_small_one(withheld: House) -> None:
    segments = withheld.rows("segments").set_index("segment_id")
    assert len(segments) == 4
    assert withheld.small in withheld.withheld
    assert len(withheld.withheld) == 2
    assert segments.loc[list(withheld.withheld), "size"].sum() >= LEAST
    told = {"run_id", "partition", "name", "description", "size", "share"}
    told |= {"is_small", "is_withheld", "stability", "is_stable"}
    assert (
        segments.loc[list(withheld.withheld)]
        .drop(columns=told, errors="ignore")
        .isna()
        .all(axis=None)
    )
    assert not segments.loc[list(withheld.withheld), "name"].str.contains("spend|gap").any()


@pytest.mark.parametrize("table", [t.name for t in contract.RUN_TABLES if t.name not in BY_ENTITY])
def test_no_table_has_a_figure_of_a_withheld_segment_or_names_what_is_rare(
    withheld: House, table: str
) -> None:
    rows = withheld.rows(table)
    texts = rows.select_dtypes(["object", "string"]).drop(columns="run_id").to_csv(index=False)
    assert not [word for word in SECRETS if word in texts]
    if "segment_id" in rows and table not in ("segments", "segment_actions"):
        own = rows[rows["segment_id"].isin(withheld.withheld)]
        keys = ["run_id", "partition", "segment_id", "other_segment_id", "feature"]
        of_all = ["population_mean", "importance", "is_model_feature"]
        assert own.drop(columns=[*keys, *of_all], errors="ignore").isna().all(axis=None)
    numbers = rows.select_dtypes("number").to_numpy(np.float64, na_value=np.nan)
    assert not np.isclose(numbers, 907.25).any()
    assert not np.isclose(numbers, 99.5).any()


def test_means_cannot_be_subtracted(withheld: House) -> None:
    rows = withheld.rows("segment_features")
    members = withheld.members
    for feature, own in rows[rows["population_mean"].notna()].groupby("feature"):
        column = members.get(feature)
        shown = own[own["mean"].notna()].set_index("segment_id")
        if column is None or len(shown) == len(own):
            continue
        # What a reader can compute: the sum of all less the sums of the segments that are told.
        counts = column.notna().groupby(members["segment_id"]).sum()
        left = set(counts.index[counts > 0]) - set(shown.index)
        assert len(left) >= 2, feature
        assert counts.loc[list(left)].sum() >= LEAST, feature
        rest = (
            own["population_mean"].iloc[0] * counts.sum()
            - (shown["mean"] * counts.loc[shown.index]).sum()
        )
        truth = column[members["segment_id"].isin(left)].sum()
        assert rest == pytest.approx(truth), feature
        # As two unknown means with a known sum of squares, the importance says they are one.
        known_sum, known_count = rest, counts.loc[list(left)].sum()
        center = own["population_mean"].iloc[0]
        total = ((column - center) ** 2).sum()
        between = (
            own["importance"].iloc[0] * total
            - (counts.loc[shown.index] * (shown["mean"] - center) ** 2).sum()
        )
        together = known_count * (known_sum / known_count - center) ** 2
        assert between == pytest.approx(together, rel=1e-6, abs=1e-6), feature
    spend = rows[rows["feature"] == "spend_amount"]
    assert spend["total_share"].notna().sum() == 2


def test_a_column_that_few_have_is_told_of_none_of_them(withheld: House) -> None:
    income = withheld.rows("segment_features").query("feature == 'income'")
    known = withheld.members.groupby("segment_id")["income"].count()
    told = income.loc[income["mean"].notna(), "segment_id"]
    assert (known.loc[told] >= LEAST).all()


def test_counts_cannot_be_subtracted(withheld: House) -> None:
    members = withheld.members
    categories = withheld.rows("segment_categories")
    sizes = members.groupby("segment_id").size()
    for (column, category), own in categories.groupby(["feature", "category"]):
        everybody = own["population_share"].iloc[0] * len(members)
        assert everybody >= LEAST - 1e-9, (column, category)
    shares = categories.groupby(["feature", "segment_id"])["share"].sum()
    assert shares.tolist() == pytest.approx([1.0] * len(shares))
    assert set(categories["segment_id"]) == set(sizes.index) - withheld.withheld
    labels = withheld.rows("segment_labels")
    assert labels["label"].nunique() >= 2
    assert not set(labels["segment_id"]) & withheld.withheld
    totals = labels.groupby("label")["entities"].sum()
    assert (totals >= LEAST).all()
    moves = withheld.rows("migrations")
    assert moves["entities"].sum() == len(members)
    touched = moves[moves["to_segment_id"].isin([0, *withheld.withheld])]
    assert touched["to_segment_id"].eq(0).all()
    assert touched["entities"].sum() == sizes.loc[list(withheld.withheld)].sum()
    selection = withheld.rows("feature_selection").set_index("feature")
    assert not [name for name in selection.index if ODD in name]
    assert selection.loc[["is_vip"], "variance"].isna().all()


def test_no_file_names_them(withheld: House) -> None:
    for path in [withheld.folder / "index.html", *withheld.folder.glob("*.csv")]:
        if path.name.startswith("assignments"):
            rows = pd.read_csv(path)
            own = rows[rows["segment_id"].isin(withheld.withheld)]
            assert own[["confidence", "silhouette", "is_outlier"]].isna().all(axis=None)
            continue
        text = path.read_text(encoding="utf-8")
        # Where something is drawn is no figure of anybody.
        text = re.sub(r' (?!data-tip|title|aria-label)[\w-]+="[^"]*"', "", text)
        assert not [word for word in SECRETS if word in text], path.name
    html = (withheld.folder / "index.html").read_text(encoding="utf-8")
    for segment_id in withheld.withheld:
        assert f'of-{segment_id}"' not in html
        card = html.split(f'id="segment-{segment_id}"')[1].split("</article>")[0]
        assert "Stands out" not in card
    summary = pd.read_csv(next(withheld.folder.glob("summary_*.csv"))).set_index("segment_id")
    for segment_id in withheld.withheld:
        told = summary.loc[segment_id].dropna().index.tolist()
        assert told == ["partition", "size", "share"]


def test_nothing_drawn_knows_their_values(withheld: House, tmp_path: Path) -> None:
    # Other values of theirs, the same page: then nothing on it is a figure of theirs.
    members = withheld.members
    own = members["segment_id"].isin(withheld.withheld)
    changed = withheld.gold.copy()
    numbers = ["basket_spend_mean", "visit_gap_mean_days", "spend_amount", "recency_days", "income"]
    changed.loc[own, numbers] = changed.loc[own, numbers] * 3 + 1000
    changed.loc[own, "region"] = "elsewhere"
    drawn = {}
    for name, frame in (("as_it_was", withheld.gold), ("changed", changed)):
        write_gold(withheld.path, frame)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(settings.HOME_VARIABLE, str(withheld.path.parents[1]))
            page = write_report(withheld.run_id, withheld.path, Silent(), tmp_path / name).page
        html = re.sub(r"Gold (holds|has)[^.]*\.", "", page.read_text(encoding="utf-8"))
        pictures = {p.name: p.read_bytes() for p in (page.parent / "figures").glob("*.png")}
        drawn[name] = (html, pictures)
    write_gold(withheld.path, withheld.gold)
    assert drawn["as_it_was"][0] == drawn["changed"][0]
    assert drawn["as_it_was"][1] == drawn["changed"][1]
    assert len(drawn["changed"][1]) >= 2
