"""Who is likely to be in another segment at the next run, learned from earlier moves.

A logistic regression over what the results know of an entity in a run: its segment, how sure it
is of it, how often it moved before and how long it has stayed. It is tried out of time: fitted
on all transitions but the newest, asked about the newest.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models_py.base.arrays import BoolArray, FloatArray, IntArray
from models_py.base.plurals import plural
from models_py.database.connection import WAIT_SECONDS, open_warehouse
from models_py.database.moves import read_paths, write_forecast
from models_py.runs.finished_runs import finished_run

if TYPE_CHECKING:
    import pandas as pd

FEWEST_RUNS = 3
"""Two transitions: one to learn from, one to try it on."""
FEWEST_ROWS = 10
"""Entities that moved, and entities that stayed, in what is learned from and what it is tried
on: with fewer an AUC is chance."""


@dataclass(frozen=True)
class MoveForecast:
    """How well the next move can be foretold.

    Attributes
    ----------
    transitions, rows
        What was learned from: pairs of runs, and entities in both of them.
    moved_share
        Of these rows.
    auc, auc_rows
        Area under the receiver operating characteristic on the newest transition by a model of
        the earlier ones, and its entities; nan where it was not measured.
    refused
        Why nothing is foretold; None where something is.
    """

    transitions: int
    rows: int
    moved_share: float = np.nan
    auc: float = np.nan
    auc_rows: int = 0
    refused: str | None = None


def forecast_moves(path: Path, run_id: str, wait_seconds: float = WAIT_SECONDS) -> MoveForecast:
    """Foretell the moves from a finished run to the next, and write them into the results.

    Parameters
    ----------
    path
        The DuckDB file.
    run_id
        A finished run; the study's runs before it are learned from.
    wait_seconds
        How long another process is waited for.

    Raises
    ------
    UsageError
        There is no such finished run.
    WarehouseLockedError
        Another process holds the file after the wait.
    """
    import pandas as pd

    with open_warehouse(path, read_only=True, wait_seconds=wait_seconds) as warehouse:
        run = finished_run(warehouse, run_id)
        paths = read_paths(warehouse, run.study, run_id)
    forecast, moves = foretell(paths)
    write_forecast(path, run_id, pd.DataFrame([asdict(forecast)]), moves, wait_seconds)
    return forecast


def foretell(paths: pd.DataFrame) -> tuple[MoveForecast, pd.DataFrame]:
    """Learn from the transitions between runs who moves, and foretell it for the newest run.

    Parameters
    ----------
    paths
        As :func:`models_py.database.moves.read_paths` returns them.

    Returns
    -------
    forecast : MoveForecast
        With the reason where there is too little to learn from.
    moves : pandas.DataFrame
        ``entity_id``, ``segment_id`` and ``likelihood`` of the newest run's entities; no row
        where it is refused.
    """
    import pandas as pd

    place = paths["place"].to_numpy(dtype=np.int64)
    newest = int(place.max())
    known = paths["is_moved"].notna().to_numpy()
    moved = paths["is_moved"].fillna(False).to_numpy(dtype=bool)
    is_tried, is_earlier = known & (place == newest - 1), known & (place < newest - 1)
    rows = int(known.sum())
    share = float(moved[known].mean()) if rows else np.nan
    refused = _refusal(newest, moved[is_earlier], moved[is_tried])
    if refused is not None:
        nobody = pd.DataFrame({"entity_id": [], "segment_id": [], "likelihood": []})
        kinds = {"entity_id": "str", "segment_id": "int64"}
        return MoveForecast(newest - 1, rows, share, refused=refused), nobody.astype(kinds)
    features = _features(paths)
    tried = _likelihoods(features, moved, is_earlier, is_tried)
    auc = _area_under_curve(tried, moved[is_tried])
    is_newest = place == newest
    moves = paths.loc[is_newest, ["entity_id", "segment_id"]].reset_index(drop=True)
    moves["likelihood"] = _likelihoods(features, moved, known, is_newest)
    return MoveForecast(newest - 1, rows, share, auc, int(is_tried.sum())), moves


def _refusal(runs: int, earlier: BoolArray, tried: BoolArray) -> str | None:
    if runs < FEWEST_RUNS:
        return f"{plural(runs, 'run')} so far, and {FEWEST_RUNS} are needed to learn from and try"
    for moved, when in ((earlier, "before the newest run"), (tried, "to the newest run")):
        changed, stayed = int(moved.sum()), int((~moved).sum())
        if min(changed, stayed) < FEWEST_ROWS:
            return (
                f"{changed:,} moved and {stayed:,} stayed {when}, and {FEWEST_ROWS} of each are"
                " needed"
            )
    return None


def _features(paths: pd.DataFrame) -> FloatArray:
    """Return what is known of each entity in a run, shape (rows, features)."""
    moves, steps, stayed = (
        paths[name].to_numpy(dtype=np.float64) for name in ("moves", "steps", "stayed")
    )
    sure = [
        _filled(paths[name].to_numpy(dtype=np.float64)) for name in ("confidence", "silhouette")
    ]
    figures = [
        *sure,
        paths["is_outlier"].to_numpy(dtype=np.float64),
        moves / (steps + 1.0),
        np.log1p(stayed),
        (steps == 0).astype(np.float64),
    ]
    columns = [_standardised(figure) for figure in figures]
    segments: IntArray = paths["segment_id"].to_numpy(dtype=np.int64)
    columns += [(segments == each).astype(np.float64) for each in np.unique(segments)]
    return np.column_stack(columns)


def _filled(values: FloatArray) -> FloatArray:
    known = ~np.isnan(values)
    return np.where(known, values, values[known].mean() if known.any() else 0.0)


def _standardised(values: FloatArray) -> FloatArray:
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)


def _likelihoods(
    features: FloatArray, moved: BoolArray, learned: BoolArray, asked: BoolArray
) -> FloatArray:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=1000).fit(features[learned], moved[learned])
    return np.asarray(model.predict_proba(features[asked])[:, 1], dtype=np.float64)


def _area_under_curve(likelihoods: FloatArray, moved: BoolArray) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(moved, likelihoods))
