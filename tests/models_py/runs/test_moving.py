"""Who moves next: learned from moves that were planted, tried on moves that came later."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from models_py.database import contract, results
from models_py.database.connection import Warehouse, open_warehouse
from models_py.database.moves import read_paths
from models_py.database.own_data import make_warehouse
from models_py.runs.moving import FEWEST_ROWS, foretell, forecast_moves

ENTITIES = 400


def moving_customers(runs: int, seed: int = 1, shift: float = 6.0) -> list[pd.DataFrame]:
    """Assignments of each run: who is less sure of its segment moves sooner."""
    generator = np.random.default_rng(seed)
    ids = [f"C{number:04d}" for number in range(ENTITIES)]
    segment = generator.integers(1, 4, ENTITIES)
    sureness = generator.random(ENTITIES)
    frames = []
    for _ in range(runs):
        confidence = np.clip(sureness + generator.normal(0, 0.05, ENTITIES), 0, 1)
        frames.append(
            pd.DataFrame(
                {
                    "entity_id": ids,
                    "partition": "all",
                    "segment_id": segment.copy(),
                    "confidence": confidence,
                    "silhouette": np.nan,
                    "is_outlier": False,
                }
            )
        )
        moves = generator.random(ENTITIES) < 1 / (1 + np.exp(1.0 + shift * (sureness - 0.3)))
        segment = np.where(moves, segment % 3 + 1, segment)
    return frames


def write_runs(path: Path, frames: list[pd.DataFrame]) -> list[str]:
    make_warehouse(path)
    ids = []
    with open_warehouse(path) as warehouse:
        warehouse.rows("create schema gold")
        warehouse.rows("create table gold.t as select 'a' as id")
        for number, frame in enumerate(frames):
            ids.append(write_run(warehouse, f"run-{number}", frame))
    return ids


def write_run(warehouse: Warehouse, run_id: str, frame: pd.DataFrame) -> str:
    start = results.RunStart(run_id, "shop", results.utc_now(), 1, "gold.t", "id", "{}", "{}")
    results.begin_run(warehouse, start)
    registered = pd.DataFrame({"study": [], "segment_id": []}).astype({"segment_id": int})
    segments = frame.groupby("segment_id").size().reset_index(name="size")
    segments = segments.assign(partition="all", name="a segment", share=0.5)
    tables = {"assignments": frame, "segments": segments}
    results.finish_run(warehouse, run_id, {"rows_read": len(frame)}, tables, registered)
    return run_id


def test_likelihoods_are_learned_from_earlier_moves_and_hold_for_later_ones(tmp_path: Path) -> None:
    frames = moving_customers(6)
    *known, later = frames
    path = tmp_path / "own.duckdb"
    newest = write_runs(path, known)[-1]
    forecast = forecast_moves(path, newest)
    assert (forecast.transitions, forecast.refused) == (4, None)
    assert forecast.rows == 4 * ENTITIES
    assert 0.7 < forecast.auc < 1.0
    with open_warehouse(path, read_only=True) as warehouse:
        rows = results.read_run_rows(warehouse, contract.likely_moves, newest)
        (stored,) = results.read_run_rows(warehouse, contract.move_forecasts, newest).to_dict(
            "records"
        )
    assert stored["auc"] == forecast.auc
    assert len(rows) == ENTITIES
    both = rows.merge(later, on="entity_id", suffixes=("", "_later"))
    moved = both["segment_id"] != both["segment_id_later"]
    # What it says of the step that it never saw.
    assert roc_auc_score(moved, both["likelihood"]) > 0.7
    assert both["likelihood"].mean() == pytest.approx(moved.mean(), abs=0.06)


def test_the_figure_is_of_the_newest_step_by_those_before(tmp_path: Path) -> None:
    frames = moving_customers(4)
    path = tmp_path / "own.duckdb"
    newest = write_runs(path, frames)[-1]
    with open_warehouse(path, read_only=True) as warehouse:
        paths = read_paths(warehouse, "shop", newest)
    forecast, _ = foretell(paths)
    # Moves of the newest step that are told as others change the figure, and no likelihood of it.
    turned = paths.copy()
    is_newest_step = turned["place"] == 3
    turned.loc[is_newest_step, "is_moved"] = ~turned.loc[is_newest_step, "is_moved"].astype(bool)
    assert foretell(turned)[0].auc == pytest.approx(1 - forecast.auc)


def test_paths_count_moves_as_a_loop_does(tmp_path: Path) -> None:
    frames = moving_customers(5, seed=3)
    # One is away in the third run, one comes in the fourth.
    frames[2] = frames[2].iloc[1:]
    frames[:3] = [frame[frame["entity_id"] != "C0399"] for frame in frames[:3]]
    path = tmp_path / "own.duckdb"
    newest = write_runs(path, frames)[-1]
    with open_warehouse(path, read_only=True) as warehouse:
        rows = read_paths(warehouse, "shop", newest).set_index(["entity_id", "place"])
    assert len(rows) == sum(map(len, frames))
    for entity in ("C0000", "C0007", "C0123", "C0399"):
        seen: list[tuple[int, int]] = []
        at = {
            place: int(frame.set_index("entity_id")["segment_id"][entity])
            for place, frame in enumerate(frames, 1)
            if entity in set(frame["entity_id"])
        }
        for place, segment in at.items():
            seen.append((place, segment))
            changes = [b[0] for a, b in pairwise(seen) if a[1] != b[1]]
            row = rows.loc[(entity, place)]
            assert (row["moves"], row["steps"]) == (len(changes), len(seen) - 1)
            assert row["stayed"] == place - (changes[-1] if changes else seen[0][0])
            moved = at[place + 1] != segment if place + 1 in at else None
            assert (None if pd.isna(row["is_moved"]) else row["is_moved"]) == moved


@pytest.mark.parametrize(
    ("runs", "shift", "words"),
    [(1, 6.0, "1 run so far"), (2, 6.0, "2 runs so far, and 3 are needed")],
)
def test_too_few_runs_are_said_so(tmp_path: Path, runs: int, shift: float, words: str) -> None:
    path = tmp_path / "own.duckdb"
    newest = write_runs(path, moving_customers(runs, shift=shift))[-1]
    forecast = forecast_moves(path, newest)
    assert words in str(forecast.refused)
    with open_warehouse(path, read_only=True) as warehouse:
        assert results.read_run_rows(warehouse, contract.likely_moves, newest).empty
        rows = results.read_run_rows(warehouse, contract.move_forecasts, newest)
    assert rows["refused"].tolist() == [forecast.refused]


def test_too_few_moves_are_said_so(tmp_path: Path) -> None:
    frames = moving_customers(4)
    frames[3] = frames[2].assign(segment_id=frames[2]["segment_id"])
    path = tmp_path / "own.duckdb"
    forecast = forecast_moves(path, write_runs(path, frames)[-1])
    assert forecast.refused == (
        f"0 moved and {ENTITIES} stayed to the newest run, and {FEWEST_ROWS} of each are needed"
    )


def test_asked_again_the_rows_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "own.duckdb"
    newest = write_runs(path, moving_customers(4))[-1]
    assert forecast_moves(path, newest) == forecast_moves(path, newest)
    with open_warehouse(path, read_only=True) as warehouse:
        assert len(results.read_run_rows(warehouse, contract.likely_moves, newest)) == ENTITIES
        assert len(results.read_run_rows(warehouse, contract.move_forecasts, newest)) == 1
