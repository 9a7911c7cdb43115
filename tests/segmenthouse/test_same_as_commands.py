"""What a call on a frame finds is what the commands find, and goes where they look."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest

from models_py.base import settings
from models_py.commands import new_study, run_clustering
from segmenthouse import Segmenter, SegmenthouseError, segment


def test_a_polars_frame_is_found_the_same_in(found: Segmenter, frame: pd.DataFrame) -> None:
    again = segment(pl.from_pandas(frame), id="customer_id")
    assert again.labels_.tolist() == found.labels_.tolist()


def test_it_says_what_the_commands_say(
    found: Segmenter, frame: pd.DataFrame, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame.to_csv(home / "segments.csv", index=False)
    words = ["--input", str(home / "segments.csv"), "--id", "customer_id"]
    assert new_study.main([*words, "--output", str(home / "segments.toml")]) == 0
    capsys.readouterr()
    assert run_clustering.main(["--study", str(home / "segments.toml"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    with duckdb.connect(str(settings.warehouse_path()), read_only=True) as raw:
        rows = raw.execute("select customer_id, segment_id from results.segments_latest")
        labels = dict(rows.fetchall())
    assert [labels[key] for key in frame["customer_id"]] == found.labels_.tolist()
    assert {row["segment_id"]: row["name"] for row in said["segments"]} == found.names


def test_a_study_of_k_means_becomes_exact_sql(frame: pd.DataFrame, tmp_path: Path) -> None:
    file = tmp_path / "by_means.toml"
    file.write_text(
        'title = "Means"\ntable = "gold.other"\nentity = "customer_id"\n'
        'features = { include = ["spend", "visits"] }\n'
        'algorithms = { name = "kmeans", k = [2, 4] }\n',
        encoding="utf-8",
    )
    fitted = Segmenter(file, k=3).fit(frame)
    assert len(fitted.names) == 3
    answer = duckdb.sql(fitted.to_sql("frame")).df().set_index("customer_id")["segment_id"]
    assert answer[frame["customer_id"]].tolist() == fitted.predict(frame).tolist()


def test_results_go_to_a_warehouse_that_is_named(
    found: Segmenter, frame: pd.DataFrame, home: Path
) -> None:
    path = home / "shop.duckdb"
    fitted = segment(frame, id="customer_id", name="shop", warehouse=path)
    with duckdb.connect(str(path), read_only=True) as raw:
        sizes = raw.execute("select segment_id, count(*) from results.shop_latest group by 1")
        counted = dict(sizes.fetchall())
    assert counted == fitted.segments.set_index("segment_id")["size"].to_dict()
    assert (home / "data" / "models" / fitted.run_id_).is_dir()
    with pytest.raises(SegmenthouseError, match="is there already"):
        segment(frame, id="customer_id", name="shop", warehouse=path)
    refit = segment(frame, id="customer_id", name="shop", warehouse=path, force=True)
    assert refit.labels_.tolist() == found.labels_.tolist()


def test_the_report_is_a_folder_as_the_commands_write_it(found: Segmenter, tmp_path: Path) -> None:
    assert found.report(tmp_path) == tmp_path / "index.html"
    assert list(tmp_path.glob("summary_*.csv"))
