"""The page of a run: complete, private, escaped, the same again."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from markupsafe import escape
from planted_gold import asked
from report_house import AWKWARD, Reported, customers, run, study, write_gold

from models_py.base import settings
from models_py.base.errors import DataError
from models_py.base.progress import Silent
from models_py.report.facts import read_facts
from models_py.base.numbers import plain, share
from models_py.report.sections.choosing import segment_tree
from models_py.report.writing import ReportError, find_run_id, write_report

FIGURES = (
    "sizes",
    "profile",
    "pca",
    "tsne",
    "mca",
    "shap",
    "swarm-1",
    "elbow",
    "silhouettes",
    "silhouette",
    "tree",
    "flows",
    "spending",
    "recency-frequency",
    "labels",
    "validity-spend-eta-squared",
    "categories",
    "missing",
    "distributions",
    "correlations",
    "outliers-by-segment",
)


class Outline(HTMLParser):
    """Opening and closing tags of a page, checked against each other."""

    EMPTY = frozenset({"meta", "link", "br", "hr", "img", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.unnamed: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in self.EMPTY:
            self.open.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        self.addresses += [str(given[name]) for name in ("src", "href") if given.get(name)]
        if given.get("role") == "img" and not given.get("aria-label"):
            self.unnamed.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outlined(html: str) -> Outline:
    outline = Outline()
    outline.feed(html)
    outline.close()
    assert outline.open == []
    return outline


@pytest.fixture
def house(home: Path) -> Path:
    """A warehouse with planted customers at the place where the home keeps it."""
    return write_gold(settings.warehouse_path(), customers(150))


@pytest.fixture(scope="module")
def bare_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a first run that measured no stability and looked for no outliers."""
    folder = tmp_path_factory.mktemp("bare_home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.HOME_VARIABLE, str(folder))
        path = write_gold(settings.warehouse_path(), customers(150))
        run(path, study(stability={"refits": 0}, outliers={"method": "none"}))
    return folder


@pytest.fixture
def bare(bare_home: Path, home: Path) -> tuple[Path, str]:
    """The warehouse and the run of that home, copied to one that a test may change."""
    shutil.copytree(bare_home, home, dirs_exist_ok=True)
    path = settings.warehouse_path()
    return path, find_run_id("planted", None, path)


def test_page_is_whole(explained: Reported) -> None:
    outline = outlined(explained.html)
    assert len(outline.ids) == len(set(outline.ids))
    assert {f"figure-{key}" for key in FIGURES} <= set(outline.ids)
    assert outline.unnamed == []
    inside = {address.removeprefix("#") for address in outline.addresses if address.startswith("#")}
    assert inside <= set(outline.ids)


def test_page_asks_for_nothing(explained: Reported) -> None:
    html = explained.html
    assert not re.search(r"https?://|@import|url\(|\bfetch\(|XMLHttpRequest", html)
    files = [address for address in outlined(html).addresses if not address.startswith("#")]
    assert len(files) == 4
    assert all((explained.page.parent / name).is_file() for name in files)


def test_no_id_is_anywhere_but_in_the_assignments(explained: Reported) -> None:
    with_ids = []
    for path in sorted(explained.page.parent.rglob("*.*")):
        content = path.read_bytes()
        if any(segment_id.encode() in content for segment_id in explained.ids):
            with_ids.append(path.name.split("_")[0])
    assert with_ids == ["assignments"]


def test_data_is_escaped(explained: Reported) -> None:
    assert AWKWARD not in explained.html
    assert "&lt;script&gt;alert" in explained.html


def test_summary_comes_first_and_in_plain_words(explained: Reported) -> None:
    first = explained.html.split("<main")[0].split("</style>")[1]
    text = " ".join(re.sub(r"<[^>]+>", " ", first).split())
    assert "350 customers fall into 3 segments." in text
    assert "All 3 segments came back when the search was repeated" in text
    assert "What to do first" in text
    assert "stands out by" in text
    for segment_id, name, share_of_all in asked(
        explained.warehouse,
        "select segment_id, name, share from results.segments where run_id = ?",
        [explained.run_id],
    ):
        row = first.split(f'<tr data-of="{segment_id}">')[1].split("</tr>")[0]
        assert escape(name) in row
        assert f">{share(share_of_all)}<" in row
    for jargon in ("silhouette", "k-means", "SHAP", "PCA", "Jaccard"):
        assert jargon not in text


def test_the_first_screen_tells_the_outcome_of_the_facts(explained: Reported) -> None:
    first = explained.html.split("<main")[0].split("</style>")[1]
    assert "commonest planted" in first
    ((segment_id, label, part),) = asked(
        explained.warehouse,
        "select segment_id, label, share from results.segment_labels where run_id = ?"
        " and segment_id = 1 order by share desc limit 1",
        [explained.run_id],
    )
    row = first.split(f'<tr data-of="{segment_id}">')[1].split("</tr>")[0]
    assert f"{label} {share(part)} (all " in row
    assert " stands out: " in first


def test_sections_without_content_are_one_list(bare: tuple[Path, str]) -> None:
    path, run_id = bare
    html = write_report(run_id, path, Silent()).page.read_text(encoding="utf-8")
    for key in ("validity", "changes", "outliers"):
        assert f'<section id="{key}">' not in html
        assert f'href="#{key}"' not in html
    listed = html.split('<section id="left-out">')[1].split("</section>")[0]
    assert "results.validity has no rows of this run" in listed
    assert "first run" in listed


def test_cards_tell_advice_and_what_stands_out(explained: Reported) -> None:
    rows = asked(
        explained.warehouse,
        "select segment_id, size from results.segments where run_id = ? order by 1",
        [explained.run_id],
    )
    for segment_id, size in rows:
        card = explained.html.split(f'id="segment-{segment_id}"')[1].split("</article>")[0]
        assert f"{size} customers" in card
        assert "Stands out" in card
        advice = asked(
            explained.warehouse,
            "select advice from results.segment_actions where run_id = ? and segment_id = ?",
            [explained.run_id, segment_id],
        )
        assert advice
        for (text,) in advice:
            assert escape(text) in card


def test_reasons_name_other_features_in_words(bare: tuple[Path, str]) -> None:
    path, run_id = bare
    with duckdb.connect(str(path)) as database:
        database.execute(
            "update results.feature_selection set is_kept = false, dropped_at = 'correlation',"
            " reason = 'correlates 0.91 with basket_spend_mean, and with the rest 0.2 on average'"
            " where feature = 'recency_days' or feature = 'own_label_share'"
        )
    html = write_report(run_id, path, Silent()).page.read_text(encoding="utf-8")
    assert "correlates 0.91 with average basket spend, and with the rest 0.2 on average" in html


def test_explanations_are_shown(explained: Reported) -> None:
    html = explained.html
    f1, right, case, rows = asked(
        explained.warehouse,
        "select surrogates.f1_weighted, surrogates.accuracy, case_sql, shap_rows"
        " from results.surrogates"
        " join results.rule_sets using (run_id) where run_id = ?",
        [explained.run_id],
    )[0]
    assert f"gives {right:.0%} of the customers their segment back" in html
    assert f"weighted F1 {f1:.2f}" in html
    assert f"come from {rows} customers" in html
    assert escape(case) in html
    assert "explain more than plain k-means for 1 of 1 outcomes and more than RFM" in html
    assert "these segments (3 groups)" in html


def test_known_labels_stand_beside_the_segments(explained: Reported) -> None:
    ((purity, rand),) = asked(
        explained.warehouse,
        "select purity, adjusted_rand from results.label_agreement where run_id = ?",
        [explained.run_id],
    )
    assert purity > 0.98
    assert f"is right for {share(purity)} of the customers" in explained.html
    assert f"Adjusted Rand index {plain(rand)}" in explained.html


def test_changes_are_those_of_the_migrations(explained: Reported) -> None:
    came, went = asked(
        explained.warehouse,
        "select sum(entities) filter (from_segment_id is null),"
        " sum(entities) filter (to_segment_id is null) from results.migrations where run_id = ?",
        [explained.run_id],
    )[0]
    assert (came, went) == (30, 10)
    assert f"{came} came, {went} went." in explained.html


def test_files_hold_the_tables(explained: Reported) -> None:
    folder = explained.page.parent
    files = {path.name.split("_")[0]: path for path in folder.glob("*.csv")}
    stamps = {path.stem.split("_")[1] for path in files.values()}
    assert sorted(files) == ["assignments", "metrics", "profiles", "summary"]
    metrics = pd.read_csv(files["metrics"])
    (chosen,) = metrics.loc[metrics["is_chosen"], "k"]
    assert chosen == len(pd.read_csv(files["summary"]))
    assert len(stamps) == 1
    assert explained.run_id.startswith(stamps.pop())
    assignments = pd.read_csv(files["assignments"])
    assert assignments["customer_id"].is_unique
    sizes = assignments["segment_id"].value_counts().to_dict()
    summary = pd.read_csv(files["summary"])
    assert dict(zip(summary["segment_id"], summary["size"], strict=True)) == sizes
    profiles = pd.read_csv(files["profiles"])
    weighted = profiles[profiles["feature"] == "spend_amount"].set_index("segment_id")["mean"]
    total = sum(weighted[item] * size for item, size in sizes.items()) / len(assignments)
    known = profiles.loc[profiles["feature"] == "spend_amount", "population_mean"].iloc[0]
    assert total == pytest.approx(known)


def test_pictures(explained: Reported) -> None:
    drawn = sorted((explained.page.parent / "figures").glob("*.png"))
    assert [path.stem for path in drawn] == [
        "boxes", "importance", "map", "profiles", "silhouettes", "sizes", "tsne",
    ]  # fmt: skip
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)


def test_rebuilt_page_is_the_same(explained: Reported, tmp_path: Path) -> None:
    again = write_report(explained.run_id, explained.warehouse, Silent(), tmp_path / "again")
    assert again.page.read_text(encoding="utf-8") == explained.html


def test_an_unknown_run(explained: Reported) -> None:
    with pytest.raises(DataError, match="there is no finished run 'none'"):
        read_facts("none", explained.warehouse)


def test_small_segments_tell_their_size_only(house: Path) -> None:
    frame = customers(150)
    few = frame.index[:4]
    frame.loc[few, ["basket_spend_mean", "visit_gap_mean_days"]] = [900.0, 99.0]
    frame.loc[few, "region"] = "island"
    write_gold(house, frame)
    recipe = study(
        algorithms=[{"name": "kmeans", "k": 4}],
        outliers={"method": "none"},
        choose={"by": "silhouette"},
    )
    finished = run(house, recipe)
    page = write_report(finished.run_id, house, Silent()).page
    html = page.read_text(encoding="utf-8")
    small = asked(house, "select segment_id, name from results.segments where size = 4")
    assert len(small) == 1
    segment_id, name = small[0]
    card = html.split(f'id="segment-{segment_id}"')[1].split("</article>")[0]
    assert "4 customers" in card
    assert "Too few to tell of them" in card
    assert "Stands out" not in card
    assert name not in html
    assert "900" not in re.sub(r"<svg.*?</svg>", "", html.split("<main")[1], flags=re.DOTALL)
    assert f'of-{segment_id}"' not in html
    profiles = pd.read_csv(next(page.parent.glob("profiles_*.csv")))
    assert segment_id not in set(profiles["segment_id"])
    summary = pd.read_csv(next(page.parent.glob("summary_*.csv"))).set_index("segment_id")
    assert summary.loc[segment_id].dropna().index.tolist() == ["partition", "size", "share"]


def test_without_models_and_with_other_gold_the_page_says_so(bare: tuple[Path, str]) -> None:
    path, run_id = bare
    shutil.rmtree(settings.models_dir(run_id))
    frame = customers(150)
    write_gold(path, frame.iloc[1:])
    html = write_report(run_id, path, Silent()).page.read_text(encoding="utf-8")
    assert "No maps of the features:" in html
    assert "1 row of the run are not in gold any more" in html
    write_gold(path, frame.assign(weekend_share=frame["weekend_share"] / 2))
    html = write_report(run_id, path, Silent()).page.read_text(encoding="utf-8")
    assert "Gold has changed since the run" in html


def test_what_is_empty_is_left_out_with_its_reason(bare: tuple[Path, str]) -> None:
    path, run_id = bare
    with duckdb.connect(str(path)) as database:
        database.execute("delete from results.shap_samples")
        database.execute("delete from results.segment_actions")
    html = write_report(run_id, path, Silent()).page.read_text(encoding="utf-8")
    for reason in (
        "this is the study&#39;s first run",
        "results.validity has no rows of this run",
        "No beeswarms:",
        "No advice:",
        "No outliers: the study does not look for them",
        "stability not measured",
    ):
        assert reason in html
    outlined(html)


def test_partitions_stand_side_by_side(house: Path) -> None:
    recipe = study(partition_by="region", algorithms=[{"name": "kmeans", "k": 3}])
    finished = run(house, recipe)
    page = write_report(finished.run_id, house, Silent()).page
    html = page.read_text(encoding="utf-8")
    outline = outlined(html)
    assert {"figure-resemblance", "figure-pca-0", "figure-pca-2", "figure-tree-1"} <= set(
        outline.ids
    )
    assert "looked at within 3 groups by region" in html
    assert "Regions behave" in html
    assert "No t-SNE map: every region was searched in coordinates of its own" in html
    assert (page.parent / "figures" / "resemblance.png").is_file()


def test_training_of_a_network_is_shown(house: Path) -> None:
    parameters = {"layers": [6, 2], "epochs": 4}
    finished = run(house, study(encoding={"kind": "autoencoder", "parameters": parameters}))
    page = write_report(finished.run_id, house, Silent()).page
    html = page.read_text(encoding="utf-8")
    assert (page.parent / "figures" / "training.png").is_file()
    assert "brought into other coordinates (autoencoder); groups were looked for by" in html
    assert 'id="figure-training-0-autoencoder"' in html
    assert "over 4 epochs" in html


def test_a_folder_that_cannot_be_written(bare: tuple[Path, str], tmp_path: Path) -> None:
    path, run_id = bare
    (tmp_path / "taken").write_text("")
    with pytest.raises(ReportError, match=r"cannot be written .*write_report.py"):
        write_report(run_id, path, Silent(), tmp_path / "taken" / "in")


def test_tree_joins_as_scipy_does(explained: Reported, monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy.cluster.hierarchy import linkage

    monkeypatch.setenv(settings.HOME_VARIABLE, str(explained.warehouse.parent.parent))
    saved = read_facts(explained.run_id, explained.warehouse).saved
    assert saved is not None
    part = saved.partitions["all"]
    result = segment_tree(part, [int(segment_id) for segment_id in part.segment_ids])
    whole = part.centers.repeat(part.reference.sizes, axis=0)
    expected = linkage(whole, "ward")[-(len(part.segment_ids) - 1) :]
    assert result[:, 2] == pytest.approx(expected[:, 2])
    assert result[:, 3].tolist() == expected[:, 3].tolist()


def test_incomplete_rows_are_told_apart_from_unusual_ones(house: Path) -> None:
    frame = customers(150)
    frame.loc[frame.index[:6], "visit_gap_mean_days"] = None
    write_gold(house, frame)
    features = {**study().features.model_dump(), "incomplete": "drop_after_scaling"}
    finished = run(
        house,
        study(
            features=features, outliers={"method": "none"}, algorithms=[{"name": "kmeans", "k": 3}]
        ),
    )

    html = write_report(finished.run_id, house, Silent()).page.read_text(encoding="utf-8")

    lead = re.search(r"([0-9]+) customers \([^)]*\) lack the value of a feature", html)
    assert lead is not None
    ((left_out,),) = asked(house, "select count(*) from results.assignments where is_outlier")
    assert int(lead[1]) == left_out >= 6
    assert "so unlike all others" not in html
    assert "Share of left-out customers in each segment" in html
    assert "customers with a gap were left out of the search" in html
