"""Whole runs over a small planted gold layer in a real DuckDB file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from held_warehouse import held
from planted_gold import asked, gold_customers, planted_study, write_gold
from sklearn.metrics import adjusted_rand_score

from models_py.base import settings
from models_py.base.errors import (
    DataError,
    MemoryRefusedError,
    SegmenthouseError,
    StudyError,
    WarehouseError,
    WarehouseLockedError,
)
from models_py.base.progress import Silent
from models_py.database import contract
from models_py.database.locks import run_lock
from models_py.database.waiting import open_for_writing
from models_py.pipeline import Finished, run_study
from models_py.segmentation import studied
from models_py.segmentation.studied import segment_partitions
from models_py.studies.study import Study

ROWS = 240
KMEANS = [{"name": "kmeans", "k": 3}]
VARYING = ("run_id", "seconds", "first_run_id", "previous_run_id")


def run(path: Path, study: Study | None = None, seed: int = 1) -> Finished:
    return run_study(study or planted_study(), path, seed, Silent())


def quick(**changes: Any) -> Study:
    """One algorithm, no refits: for tests that ask about something else."""
    return planted_study(**{"algorithms": KMEANS, "stability": {"refits": 0}, **changes})


def rows_by_table(path: Path) -> dict[str, int]:
    names = [table.name for table in contract.RUN_TABLES]
    return {name: asked(path, f"select count(*) from results.{name}")[0][0] for name in names}


def stored(path: Path, table: str, run_id: str) -> pd.DataFrame:
    with duckdb.connect(str(path), read_only=True) as database:
        frame = database.execute(
            f"select * from results.{table} where run_id = ? order by all", [run_id]
        ).df()
    kept = frame.drop(columns=[name for name in VARYING if name in frame])
    return kept.sort_values(list(kept.columns), ignore_index=True)


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    return write_gold(tmp_path / "own.duckdb", gold_customers(ROWS))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished]:
    """A warehouse with one run of the whole study."""
    path = write_gold(tmp_path_factory.mktemp("done") / "own.duckdb", gold_customers(ROWS))
    return path, run(path)


def test_the_planted_groups_are_found(done: tuple[Path, Finished]) -> None:
    path, _ = done
    rows = asked(
        path,
        "select planted, segment_id from gold.grocery_customers"
        " inner join results.planted_latest using (customer_id)",
    )
    assert len(rows) == ROWS
    planted, segments = zip(*rows, strict=True)
    assert adjusted_rand_score(planted, segments) == 1.0


def test_the_run_says_what_was_done(done: tuple[Path, Finished]) -> None:
    path, finished = done
    ((study, status, ended, rows, fingerprint, seed, previous, error, because),) = asked(
        path,
        "select study, status, ended_at >= started_at, rows_read, data_fingerprint, seed,"
        " previous_run_id, error, chosen_because from results.runs",
    )
    assert (study, status, ended, rows, seed) == ("planted", "done", True, ROWS, 1)
    assert (previous, error, because) == (None, None, finished.reasons["all"])
    assert fingerprint.startswith(f"{ROWS}-")


def test_every_table_is_filled(done: tuple[Path, Finished]) -> None:
    path, _ = done
    counts = rows_by_table(path)
    assert counts["assignments"] == counts["outliers"] == ROWS
    assert counts["feature_selection"] == 6
    assert counts["model_search"] == 8
    assert counts["segments"] == 3
    assert counts["migrations"] == 0
    assert counts["partition_resemblance"] == 9
    dropped = asked(path, "select feature, dropped_at from results.feature_selection"
                    " where not is_kept")  # fmt: skip
    assert dropped == [("own_label_share", "matrix")]
    assert asked(path, "select count(*) from results.model_search where is_chosen") == [(1,)]


def test_outliers_are_flagged_and_assigned(done: tuple[Path, Finished]) -> None:
    path, _ = done
    flagged = asked(path, "select entity_id from results.assignments where is_outlier order by 1")
    assert len(flagged) == round(0.02 * ROWS)
    kept_out = asked(path, "select entity_id from results.outliers where not is_kept order by 1")
    assert flagged == kept_out


def test_segments_add_up(done: tuple[Path, Finished]) -> None:
    path, _ = done
    sizes = asked(
        path,
        "select segment_id, size, share from results.segments order by segment_id",
    )
    counted = asked(
        path,
        "select segment_id, count(*), count(*) / 240 from results.assignments"
        " group by segment_id order by segment_id",
    )
    assert sizes == counted
    ((measured, features),) = asked(
        path,
        "select count(*) filter (feature = 'spend_amount' and not is_model_feature),"
        " count(distinct feature) filter (is_model_feature) from results.segment_features",
    )
    assert (measured, features) == (3, 5)


def test_the_same_again(done: tuple[Path, Finished]) -> None:
    path, first = done
    second = run(path)
    assert second.previous_run_id == first.run_id
    for table in contract.RUN_TABLES:
        if table.name != "migrations":
            item, two = (stored(path, table.name, each.run_id) for each in (first, second))
            pd.testing.assert_frame_equal(item, two)
    moves = stored(path, "migrations", second.run_id)
    assert (moves["from_segment_id"] == moves["to_segment_id"]).all()
    assert moves["entities"].sum() == ROWS
    assert asked(path, "select count(*), max(segment_id) from results.segment_registry") == [(3, 3)]


def test_order_of_rows_and_of_columns_does_not_matter(
    tmp_path: Path, done: tuple[Path, Finished]
) -> None:
    path, first = done
    shuffled = gold_customers(ROWS).sample(frac=1, random_state=3)
    other = write_gold(tmp_path / "other.duckdb", shuffled[shuffled.columns[::-1]])
    second = run(other)
    item = stored(path, "assignments", first.run_id)
    pd.testing.assert_frame_equal(
        item[["entity_id", "segment_id"]],
        stored(other, "assignments", second.run_id)[["entity_id", "segment_id"]],
    )
    fingerprints = [
        asked(p, "select min(data_fingerprint) from results.runs") for p in (path, other)
    ]
    assert fingerprints[0] != fingerprints[1]


@pytest.mark.parametrize(
    ("key_type", "first_id"),
    [("bigint", 1), ("hugeint", 2**70), ("integer", -120), ("date", None), ("uuid", None)],
)
def test_the_view_carries_the_entitys_own_type(
    tmp_path: Path, key_type: str, first_id: int | None
) -> None:
    customers = gold_customers(ROWS)
    match key_type:
        case "date":
            keys = pd.date_range("2020-01-01", periods=ROWS).strftime("%Y-%m-%d").tolist()
        case "uuid":
            keys = [f"00000000-0000-0000-0000-{i:012d}" for i in range(ROWS)]
        case _:
            assert first_id is not None
            keys = [str(first_id + i) for i in range(ROWS)]
    customers["customer_id"] = keys
    path = write_gold(tmp_path / "own.duckdb", customers, key_type)
    run(path, quick())
    ((joined, kinds),) = asked(
        path,
        "select count(*), min(typeof(latest.customer_id)) from gold.grocery_customers as gold_rows"
        " inner join results.planted_latest as latest"
        " on gold_rows.customer_id = latest.customer_id",
    )
    assert (joined, kinds) == (ROWS, key_type.upper())
    assert sorted(r[0] for r in asked(path, "select entity_id from results.assignments")) == sorted(
        keys
    )


def test_segments_keep_their_ids_as_customers_come_and_go(gold: Path) -> None:
    first = run(gold, quick())
    names = dict(asked(gold, "select segment_id, name from results.segments"))
    customers = gold_customers(ROWS)
    changed = pd.concat([customers.iloc[5:], customers.iloc[-5:].assign(
        customer_id=[f"N{i}" for i in range(5)], recency_days=1, weekend_share=0.75
    )])  # fmt: skip
    write_gold(gold, changed)
    second = run(gold, quick(), seed=99)
    assert second.previous_run_id == first.run_id
    latest = asked(gold, "select distinct segment_id, segment_name from results.planted_latest")
    assert dict(latest) == names
    moved = asked(gold, "select from_segment_id, to_segment_id, entities from results.migrations")
    assert sum(count for _, _, count in moved) == ROWS + 5
    assert sum(count for before, _, count in moved if before is None) == 5
    assert sum(count for _, after, count in moved if after is None) == 5


def test_partitions_are_searched_each_for_itself(gold: Path) -> None:
    finished = run(gold, quick(partition_by="life_stage", features={"include": ["*"]}))
    assert list(finished.reasons) == ["OA", "XX", "YF"]
    ((rows, partitions, segments),) = asked(
        gold,
        "select count(*), count(distinct partition), count(distinct segment_id)"
        " from results.assignments",
    )
    assert (rows, partitions, segments) == (ROWS, 3, 9)
    wrong = asked(
        gold,
        "select count(*) from results.planted_latest inner join gold.grocery_customers"
        " using (customer_id) where partition <> life_stage",
    )
    assert wrong == [(0,)]
    # The same group in two life stages resembles itself more than another group does.
    pairs = asked(
        gold,
        "with grouped as (select distinct segment_id, planted from results.planted_latest"
        " inner join gold.grocery_customers using (customer_id))"
        " select one.planted = other.planted, min(correlation), max(correlation)"
        " from results.partition_resemblance as pair"
        " inner join grouped as one on pair.segment_id = one.segment_id"
        " inner join grouped as other on pair.other_segment_id = other.segment_id"
        " group by all order by 1",
    )
    assert pairs[1][1] > 0.9 > pairs[0][2]
    chosen = "; ".join(f"{name}: {reason}" for name, reason in finished.reasons.items())
    assert asked(gold, "select chosen_because from results.runs") == [(chosen,)]


def test_a_null_partition_has_a_name(tmp_path: Path) -> None:
    customers = gold_customers(ROWS)
    customers["life_stage"] = customers["life_stage"].where(customers["life_stage"] != "XX")
    path = write_gold(tmp_path / "own.duckdb", customers)
    assert "not given" in run(path, quick(partition_by="life_stage")).reasons


def test_ids_labels_and_partitions_are_no_features(gold: Path) -> None:
    run(gold, quick(features={"include": ["*"]}, partition_by="life_stage", label="planted"))
    used = {name for (name,) in asked(gold, "select feature from results.feature_selection")}
    assert {"basket_count", "weekend_share"} < used
    assert not any(name.startswith(("customer_id", "life_stage", "planted")) for name in used)


def test_where_and_at_least_narrow_the_rows(gold: Path) -> None:
    narrow = quick(where={"planted": ["big", "fresh"]}, at_least={"weekend_share": 0.2})
    finished = run(gold, narrow)
    ((expected,),) = asked(
        gold,
        "select count(*) from gold.grocery_customers"
        " where planted in ('big', 'fresh') and weekend_share >= 0.2",
    )
    assert finished.rows_read == expected < 120


def test_rows_beyond_the_memory_are_refused_before_they_are_read(
    gold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = quick(where={"planted": ["big", "fresh"]})
    ((rows,),) = asked(
        gold, "select count(*) from gold.grocery_customers where planted in ('big', 'fresh')"
    )
    columns = len(studied.read_studied(study, gold).frame.columns)
    needed = rows * (studied.BYTES_A_ROW + columns * studied.BYTES_A_VALUE)
    monkeypatch.setattr(studied, "memory_bytes", lambda: needed)
    message = rf"clustering {rows} rows of {columns} columns needs about .* engine = 'spark'"
    with pytest.raises(MemoryRefusedError, match=message):
        run(gold, study)
    ((error,),) = asked(gold, "select error from results.runs where status = 'failed'")
    assert error.startswith("clustering ")

    monkeypatch.setattr(studied, "memory_bytes", lambda: 2 * needed)
    studied.read_studied(study, gold, check=studied.check_size)


def test_one_segment_is_an_answer(gold: Path) -> None:
    finished = run(gold, planted_study(choose={"by": "rule", "min_share": 0.9}))
    assert finished.reasons["all"].startswith("one segment")
    ((size, share, stability, is_stable, silhouette),) = asked(
        gold, "select size, share, stability, is_stable, silhouette from results.segments"
    )
    assert (size, share, stability, is_stable, silhouette) == (ROWS, 1.0, None, None, None)
    assert asked(gold, "select count(*) from results.model_search where is_chosen") == [(0,)]


@pytest.mark.parametrize(
    ("features", "algorithm"),
    [
        (["planted", "basket_spend_mean", "weekend_share"], "kprototypes"),
        (["planted"], "kmeans"),
    ],
)
def test_words_as_features(gold: Path, features: list[str], algorithm: str) -> None:
    run(
        gold,
        quick(
            features={"include": features},
            encoding={"kind": "none"},
            outliers={"method": "none"},
            algorithms=[{"name": algorithm, "k": 3}],
        ),
    )
    rows = asked(
        gold,
        "select planted, segment_id from gold.grocery_customers"
        " inner join results.planted_latest using (customer_id)",
    )
    assert adjusted_rand_score(*zip(*rows, strict=True)) == 1.0
    (means,) = zip(
        *asked(
            gold,
            "select mean from results.segment_features where feature = 'planted=big'"
            " and is_model_feature order by mean",
        ),
        strict=True,
    )
    assert means == (0.0, 0.0, 1.0)
    names = {name for (name,) in asked(gold, "select name from results.segments")}
    assert any("big planted" in name for name in names)


def test_density_methods_assign_noise_too(gold: Path) -> None:
    algorithms = [
        {"name": "hdbscan", "parameters": {"min_cluster_size": [8, 20]}},
        {"name": "dbscan"},
    ]
    finished = run(gold, planted_study(algorithms=algorithms, choose={"by": "common_silhouette"}))
    tried = asked(
        gold, "select algorithm, count(*) from results.model_search group by 1 order by 1"
    )
    assert tried == [("dbscan", 1), ("hdbscan", 2)]
    assert finished.tables.rows["segments"]["size"].sum() == ROWS


def failed_runs(path: Path) -> list[str]:
    return [row[0] for row in asked(path, "select error from results.runs where status = 'failed'")]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"table": "gold.grocery_custmers"}, "no table gold.grocery_custmers; did you mean 'gold."),
        ({"entity": "customerid"}, "entity = 'customerid': gold.grocery_customers has no such"),
        ({"label": "plantd"}, "label = 'plantd': gold.grocery_customers has no such column; did"),
        ({"partition_by": "stage"}, "study planted: partition_by = 'stage'"),
        (
            {"features": {"include": ["basket_spnd_mean"]}},
            "study planted: gold.grocery_customers: features.include: no column matches"
            " 'basket_spnd_mean'; did you mean 'basket_spend_mean'?",
        ),
        ({"where": {"stage": ["YF"]}}, "gold.grocery_customers has no column 'stage'"),
        ({"where": {"life_stage": ["ZZ"]}}, "gold.grocery_customers has no rows for the study"),
        ({"at_least": {"planted": 3.0}}, "at_least.planted: gold.grocery_customers holds VARCHAR"),
        (
            {"describe": {"measures": ["spend_amout"]}},
            "describe.measures: no column of gold.grocery_customers matches 'spend_amout'; did",
        ),
        ({"features": {"include": ["customer_id", "planted", "own_label_share"],
                       "exclude": ["planted"]}}, "no usable feature is left of 1 columns"),
        ({"algorithms": [{"name": "ward", "k": [2, 500]}]}, "ward: k up to 500 needs more than"),
        ({"algorithms": [{"name": "kprototypes", "k": 3}]}, "kprototypes needs numeric and categ"),
        ({"selection": {"min_variance": 0.9}}, "no feature passes the selection"),
        (
            {"encoding": {"kind": "pca", "parameters": {"components": 50}}},
            "components",
        ),
    ],
)  # fmt: skip
def test_bad_input_fails_the_run_with_one_line(
    gold: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(SegmenthouseError) as failed:
        run(gold, quick(**changes))
    text = str(failed.value)
    assert message in text
    assert "\n" not in text
    assert failed_runs(gold) == [text]
    assert set(rows_by_table(gold).values()) == {0}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"encoding": {"kind": "pca", "parameters": {"component": 3}}},
            r"study planted: encoding\[0\]: encoder 'pca': has no parameter 'component'; did you",
        ),
        (
            {"encoding": [{"kind": "none"}, {"kind": "dec"}]},
            r"study planted: encoding\[1\]: encoder 'dec': parameter 'k' is missing",
        ),
        (
            {"outliers": {"reconstruct": "pca", "reconstruct_parameters": {"components": -1}}},
            r"study planted: outliers.reconstruct_parameters: encoder 'pca': components = -1",
        ),
    ],
)
def test_wrong_encoder_parameters_begin_no_run(
    gold: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(StudyError, match=message):
        run(gold, quick(**changes))
    assert asked(gold, "select count(*) from duckdb_tables() where schema_name = 'results'") == [
        (0,)
    ]


def twice(customers: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([customers, customers.iloc[[3, 3]]])


def without_an_id(customers: pd.DataFrame) -> pd.DataFrame:
    return customers.assign(customer_id=customers["customer_id"].where(customers.index > 1))


def alike(customers: pd.DataFrame) -> pd.DataFrame:
    numbers = customers.select_dtypes("number").columns
    return customers.assign(**dict.fromkeys(numbers, 1.0))


def of_two_kinds(customers: pd.DataFrame) -> pd.DataFrame:
    kind = np.arange(len(customers)) % 2
    numbers = customers.select_dtypes("number").columns
    return customers.assign(**{name: kind for name in numbers if name != "own_label_share"})


@pytest.mark.parametrize(
    ("change", "study", "message"),
    [
        (twice, quick(), "customer_id has 'C0003' more than once (2 rows too many)"),
        (without_an_id, quick(), "gold.grocery_customers.customer_id is null on 2 rows"),
        (alike, quick(), "no usable feature is left"),
        (of_two_kinds, quick(outliers={"method": "none"}), "3 clusters need 3 distinct rows"),
        (lambda frame: frame.head(0), quick(), "gold.grocery_customers has no rows for the study"),
        (lambda frame: frame.head(1), quick(), "1 row cannot be segmented: at least 2 are needed"),
        (
            lambda frame: frame.head(3),
            quick(outliers={"method": "isolation_forest", "contamination": 0.5}),
            "outliers: isolation_forest leaves 1 of 3 rows",
        ),
        (
            lambda frame: frame.assign(life_stage=["PE"] * 3 + ["YF"] * (len(frame) - 3)),
            quick(partition_by="life_stage", outliers={"method": "none"}),
            "PE: kmeans: k up to 3 needs more than 3 rows",
        ),
        (
            lambda frame: frame.assign(life_stage=["PE"] + ["YF"] * (len(frame) - 1)),
            quick(partition_by="life_stage"),
            "PE: 1 row cannot be segmented",
        ),
    ],
)
def test_rows_that_cannot_be_segmented(
    tmp_path: Path, change: Any, study: Study, message: str
) -> None:
    path = write_gold(tmp_path / "own.duckdb", change(gold_customers(ROWS)))
    with pytest.raises(SegmenthouseError) as failed:
        run(path, study)
    assert message in str(failed.value)
    assert failed_runs(path) == [str(failed.value)]
    assert set(rows_by_table(path).values()) == {0}


def test_a_write_that_fails_leaves_the_last_run_as_it_was(gold: Path) -> None:
    run(gold, quick())
    before, latest = rows_by_table(gold), asked(gold, "from results.planted_latest order by all")
    registry = asked(gold, "from results.segment_registry")
    # Written after five other tables.
    with duckdb.connect(str(gold)) as database:
        for change in (
            "add column checked_by varchar default 'nobody'",
            "alter column checked_by set not null",
            "alter column checked_by drop default",
        ):
            database.execute(f"alter table results.partition_resemblance {change}")
    with pytest.raises(WarehouseError, match="checked_by"):
        run(gold, quick(algorithms=[{"name": "kmeans", "k": 5}]))
    assert rows_by_table(gold) == before
    assert asked(gold, "from results.planted_latest order by all") == latest
    assert asked(gold, "from results.segment_registry") == registry
    assert len(failed_runs(gold)) == 1
    assert asked(gold, "select count(*) from results.runs where status = 'running'") == [(0,)]


class Interrupting(Silent):
    """Stops the run as Ctrl-C does, at the step that is named."""

    def __init__(self, at: str) -> None:
        self.at = at

    def step(self, text: str) -> None:
        if text.startswith(self.at):
            raise KeyboardInterrupt


@pytest.mark.parametrize("at", ["preparing", "matching"])
def test_an_interrupted_run_is_recorded(gold: Path, at: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_study(quick(), gold, 1, Interrupting(at))
    assert failed_runs(gold) == ["KeyboardInterrupt"]
    assert set(rows_by_table(gold).values()) == {0}


BEGIN = """
import os, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from planted_gold import planted_study
from models_py.pipeline import run_study
from models_py.base.progress import Silent

class Dying(Silent):
    def step(self, text):
        if text.startswith("preparing"):
            os.kill(os.getpid(), 9)

run_study(planted_study(), Path({path!r}), 1, Dying())
"""


def test_the_next_run_finds_a_killed_one(gold: Path) -> None:
    tests = str(Path(__file__).resolve().parents[1])
    script = BEGIN.format(tests=tests, path=str(gold))
    repository = Path(tests).parent
    killed = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        cwd=repository,
        capture_output=True,
        timeout=120,
    )
    assert killed.returncode == -9, killed.stderr.decode()
    assert asked(gold, "select status from results.runs") == [("running",)]
    run(gold, quick())
    statuses = asked(gold, "select status, error from results.runs order by run_id")
    assert [status for status, _ in statuses] == ["failed", "done"]
    assert statuses[0][1].endswith("ended without finishing it")


def test_a_living_run_is_left_alone(gold: Path) -> None:
    run_id = run(gold, quick()).run_id
    with duckdb.connect(str(gold)) as database:
        database.execute("update results.runs set status = 'running', ended_at = null")
    with run_lock(gold, run_id):
        run(gold, quick())
    assert asked(gold, "select status from results.runs order by run_id") == [
        ("running",),
        ("done",),
    ]


HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"


def test_a_locked_file_names_its_holder(gold: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(gold)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(WarehouseLockedError, match=f"in use by process {holder.pid} "):
            run_study(quick(), gold, 1, Silent(), wait_seconds=0.1)
        holder.communicate(b"\n", timeout=60)
    assert asked(gold, "select count(*) from duckdb_tables() where schema_name = 'results'") == [
        (0,)
    ]


class Held(Silent):
    """Lets another process open the file at a step, and keep it until the end."""

    def __init__(self, path: Path, at: str, manner: str) -> None:
        self.path, self.at, self.manner = path, at, manner
        self.open = ExitStack()

    def step(self, text: str) -> None:
        if text.startswith(self.at):
            self.open.enter_context(held(self.path, self.manner))


CHANGED = quick(algorithms=[{"name": "kmeans", "k": 4}], outliers={"method": "none"})


@pytest.fixture(scope="module")
def one_and_two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Finished]:
    """A warehouse after one run and after the next, which nobody held up."""
    one = tmp_path_factory.mktemp("runs") / "one.duckdb"
    write_gold(one, gold_customers(ROWS))
    run(one, quick(outliers={"method": "none"}))
    two = Path(shutil.copy(one, one.with_name("two.duckdb")))
    return one, two, run(two, CHANGED)


@pytest.mark.parametrize(("at", "manner"), [("reading", "read"), ("matching", "write")])
def test_a_finished_run_waits_for_whoever_holds_the_file(
    one_and_two: tuple[Path, Path, Finished], tmp_path: Path, at: str, manner: str
) -> None:
    one, free, expected = one_and_two
    gold = Path(shutil.copy(one, tmp_path))
    progress = Held(gold, at, manner)
    with progress.open:
        waits = run_study(CHANGED, gold, 1, progress, wait_seconds=0)
    assert waits.waits_in is not None
    assert waits.holder is not None
    assert "is in use by process" in waits.holder
    with open_for_writing(gold):
        pass
    assert asked(gold, "select status, number from results.runs order by number") == [
        ("done", 1),
        ("done", 2),
    ]
    for table in contract.RUN_TABLES:
        pd.testing.assert_frame_equal(
            stored(gold, table.name, waits.run_id), stored(free, table.name, expected.run_id)
        )
    assert settings.models_dir(waits.run_id).is_dir()


def test_a_failure_while_the_file_is_held_is_recorded_too(gold: Path) -> None:
    progress = Held(gold, "reading", "read")
    with progress.open, pytest.raises(DataError):
        run_study(quick(at_least={"basket_count": 10**9}), gold, 1, progress, wait_seconds=0)
    with open_for_writing(gold):
        pass
    ((status, error),) = asked(gold, "select status, error from results.runs")
    assert status == "failed"
    assert "has no rows for the study" in error


def test_no_warehouse(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="there is no warehouse at"):
        run(tmp_path / "none.duckdb")


def test_an_entity_named_as_a_column_of_the_view(tmp_path: Path) -> None:
    customers = gold_customers(ROWS)
    path = write_gold(tmp_path / "own.duckdb", customers)
    with duckdb.connect(str(path)) as database:
        database.execute(
            "create table gold.odd as"
            " select * rename (customer_id as segment_id) from gold.grocery_customers"
        )
    with pytest.raises(
        StudyError, match="entity = 'segment_id': the results have a column of that"
    ):
        run(path, quick(table="gold.odd", entity="segment_id"))


def test_names_that_need_quoting(tmp_path: Path) -> None:
    path = write_gold(tmp_path / "own.duckdb", gold_customers(ROWS))
    with duckdb.connect(str(path)) as database:
        database.execute(
            'create table gold."odd ""table" as select * rename (customer_id as "the id",'
            ' weekend_share as "week end; --") from gold.grocery_customers'
        )
    features = {"include": ["baskets_per_week", "week end; --", "basket_spend_mean"]}
    run(path, quick(name="odd-one", table='gold.odd "table', entity="the id", features=features))
    with duckdb.connect(str(path), read_only=True) as database:
        view = '"odd-one_latest"'
        assert database.execute(f'select count("the id") from results.{view}').fetchone() == (ROWS,)


def test_partitions_without_a_database() -> None:
    study = quick(partition_by="life_stage")
    parts = segment_partitions(study, gold_customers(ROWS), 1, Silent())
    rows = np.concatenate([part.prepared.rows for part in parts])
    assert sorted(rows.tolist()) == list(range(ROWS))


def test_errors_of_a_partition_keep_their_class() -> None:
    customers = gold_customers(ROWS)
    customers.loc[customers["life_stage"] == "OA", "basket_spend_mean"] = 1.0
    study = quick(partition_by="life_stage", features={"include": ["basket_spend_mean"]})
    with pytest.raises(StudyError, match=r"^OA: no usable feature is left"):
        segment_partitions(study, customers, 1, Silent())
    with pytest.raises(DataError, match=r"^OA: 1 row cannot"):
        segment_partitions(study, customers.head(1), 1, Silent())


def test_the_process_of_a_run_is_recorded(done: tuple[Path, Finished]) -> None:
    path, _ = done
    assert asked(path, "select distinct process_id from results.runs") == [(os.getpid(),)]


def test_what_a_killed_run_left_of_its_models_goes_with_the_next_run(gold: Path) -> None:
    first = run(gold, quick())
    with duckdb.connect(str(gold)) as raw:
        raw.execute("update results.runs set status = 'failed'")
    left = settings.models_dir(first.run_id)
    assert left.is_dir()
    second = run(gold, quick())
    assert not left.exists()
    assert settings.models_dir(second.run_id).is_dir()


def test_incomplete_rows_are_recorded_as_left_out_and_assigned(tmp_path: Path) -> None:
    frame = gold_customers(ROWS)
    frame.loc[frame.index[:12], "visit_gap_mean_days"] = np.nan
    path = write_gold(tmp_path / "own.duckdb", frame)
    features = {**planted_study().features.model_dump(), "incomplete": "drop_after_scaling"}

    finished = run(path, quick(features=features, outliers={"method": "none"}))

    left_out = asked(
        path,
        "select count(*), min(method) from results.outliers where not is_kept"
        f" and run_id = '{finished.run_id}'",
    )
    assert left_out == [(12, "incomplete")]
    assigned = asked(
        path,
        "select count(*), count(segment_id), count(*) filter (is_outlier) from results.assignments"
        f" where run_id = '{finished.run_id}'",
    )
    assert assigned == [(ROWS, ROWS, 12)]
