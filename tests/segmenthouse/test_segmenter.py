"""A call on a frame: the answers of the commands, from memory."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.metrics import adjusted_rand_score

import segmenthouse
from segmenthouse import Segmenter, SegmenthouseError, load, segment

PURE_PYTHON = """
import sys, time
began = time.process_time()
import segmenthouse
print(time.process_time() - began, sorted({"numpy", "sklearn", "duckdb"} & set(sys.modules)))
"""


def test_importing_it_imports_nothing_heavy() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PURE_PYTHON], capture_output=True, text=True, check=True
    )
    seconds, _, modules = ended.stdout.partition(" ")
    assert float(seconds) < 0.3
    assert modules.strip() == "[]"
    assert dir(segmenthouse) == segmenthouse.__all__
    with pytest.raises(AttributeError, match="no attribute 'clustr'"):
        _ = segmenthouse.clustr


def test_planted_kinds_come_back_in_the_order_of_the_frame(
    found: Segmenter, kinds: np.ndarray
) -> None:
    assert adjusted_rand_score(kinds, found.labels_) > 0.95
    assert set(found.labels_) == set(found.names) == set(found.segments["segment_id"])
    assert (found.stability > 0.75).all()


@pytest.mark.parametrize("convert", [pl.from_pandas, pa.Table.from_pandas])
def test_polars_and_arrow_are_read_as_pandas_is(
    found: Segmenter, frame: pd.DataFrame, convert: type
) -> None:
    other = convert(frame)
    assert found.predict(other).tolist() == found.predict(frame).tolist()


def test_rows_are_predicted_without_an_id_and_in_any_order(
    found: Segmenter, frame: pd.DataFrame
) -> None:
    assert (found.predict(frame) == found.labels_).mean() > 0.99
    shuffled = frame.drop(columns="customer_id").sample(frac=1, random_state=0)
    expected = found.predict(frame)[shuffled.index]
    assert found.predict(shuffled[["city", "visits", "spend"]]).tolist() == expected.tolist()


def test_profiles_and_rules_are_frames(found: Segmenter, frame: pd.DataFrame) -> None:
    spend = found.profiles.query("feature == 'spend'").set_index("segment_id")["mean"]
    of_first = frame.loc[found.labels_ == 1, "spend"].mean()
    assert spend[1] == pytest.approx(of_first)
    rule = found.rules.set_index("segment_id").loc[1]
    matched = duckdb.from_df(frame).filter(rule["rule_sql"]).df()["customer_id"]
    members = set(frame["customer_id"][found.labels_ == 1])
    assert len(members & set(matched)) / len(matched) == pytest.approx(rule["rule_precision"])
    assert found.candidates["is_chosen"].sum() == 1


def test_rules_are_one_statement(found: Segmenter, frame: pd.DataFrame) -> None:
    statement = found.to_sql("frame", by="rules")
    answer = duckdb.sql(statement).df().set_index("customer_id")["segment_id"]
    assert (answer[frame["customer_id"]].to_numpy() == found.labels_).mean() > 0.9
    answer = duckdb.sql(found.to_sql("frame")).df().set_index("customer_id")["segment_id"]
    assert answer[frame["customer_id"]].tolist() == found.predict(frame).tolist()
    with pytest.raises(SegmenthouseError, match="'model' or 'rules'"):
        found.to_sql(by="magic")


def test_the_page_is_one_file(found: Segmenter, tmp_path: Path) -> None:
    page = found.report(tmp_path / "page.html")
    text = page.read_text(encoding="utf-8")
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]
    assert all(name in text for name in found.names.values())
    assert "Beside this page" not in text


def test_it_shows_itself_in_a_notebook(found: Segmenter) -> None:
    shown = found._repr_html_()
    assert shown.count("<tr>") == len(found.names) + 1
    assert "240 rows" in shown
    assert Segmenter(name="a_b")._repr_html_() == "<pre>Segmenter(name=&#x27;a_b&#x27;)</pre>"


def test_what_is_saved_is_a_home_of_the_commands(
    found: Segmenter, frame: pd.DataFrame, tmp_path: Path
) -> None:
    folder = found.save(tmp_path / "kept")
    again = load(folder)
    assert again.labels_.tolist() == found.labels_.tolist()
    assert again.predict(frame).tolist() == found.predict(frame).tolist()
    assert again.names == found.names
    assert load(folder, study="segments").run_id_ == found.run_id_
    assert not [file for file in folder.rglob("*") if file.suffix in {".pkl", ".joblib"}]
    with pytest.raises(SegmenthouseError, match="is there already"):
        found.save(folder)
    manifest = next(folder.rglob("rule.npz"))
    manifest.write_bytes(manifest.read_bytes()[:-1] + b"x")
    with pytest.raises(SegmenthouseError, match="was changed"):
        load(folder)


def test_a_copy_carries_its_home(found: Segmenter, frame: pd.DataFrame) -> None:
    again = copy.deepcopy(found)
    assert again._run.workspace.warehouse != found._run.workspace.warehouse
    assert again.predict(frame).tolist() == found.predict(frame).tolist()
    assert again.names == found.names


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        ({"a": [1, 2]}, {"id": "b"}, "id 'b': the frame has no such column"),
        ({"a": [1, None]}, {"id": "a"}, "id 'a' is missing on 1 rows"),
        ({"a": ["x", "x"], "b": [1, 2]}, {"id": "a"}, "a study needs one row each"),
        ({"a": [1, "x"]}, {}, "cannot be read as Arrow"),
        ({"a": []}, {}, "the frame has 0 rows and 1 columns"),
        ({"a": [1, 2], "b": [1, 3]}, {"id": "a", "seed": -1}, "seed = -1"),
        ({"a": [1, 2]}, {"study": "no_such"}, "no study 'no_such'"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    rows: dict[str, list[object]], settings: dict[str, object], message: str
) -> None:
    with pytest.raises(SegmenthouseError, match=message) as raised:
        segment(pd.DataFrame(rows), **settings)
    assert "\n" not in str(raised.value)


def test_two_columns_of_one_name_are_refused() -> None:
    rows = pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"])
    with pytest.raises(SegmenthouseError, match="two columns 'a'"):
        segment(rows)
