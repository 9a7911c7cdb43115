"""Does a challenger take over from its study's standing run? Compared on the rows there are now.

A challenger is a finished run that does not answer for its study yet: scores, questions, views
and pages go by the standing run until the challenger is as good on every measure (:data:`SLACK`,
:data:`MIN_KEPT_SHARE`), or somebody says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models_py.base import settings
from models_py.base.arrays import IntArray
from models_py.base.errors import DataError
from models_py.database import contract, results
from models_py.database.connection import WAIT_SECONDS, Warehouse, open_warehouse
from models_py.database.waiting import open_for_writing
from models_py.runs.customers import find_source, read_customers
from models_py.runs.finished_runs import find_run, find_runs, finished_run
from models_py.runs.reference import mean_silhouettes
from models_py.runs.saved import SavedRun
from models_py.runs.storage import load_run_models

if TYPE_CHECKING:
    import pandas as pd

SLACK: Mapping[str, float] = {"stability": 0.05, "silhouette": 0.01, "validity": 0.01}
"""How much lower a challenger may be: refits and samples differ by as much without a reason."""

MIN_KEPT_SHARE = 0.5
"""With fewer entities that keep their segment the segments are others, which a person decides."""


@dataclass(frozen=True)
class Check:
    """One measure of a challenger beside the standing run's.

    Attributes
    ----------
    measure
        ``stability`` (mean Jaccard in refits, by size), ``silhouette`` (of the rows now, the mean
        over either run's features, so that neither is measured in its own), ``kept_share`` (of
        the entities in both runs) or ``validity_<outcome>`` where both runs have it.
    value, standing_value
        nan where not measured: that says nothing against the challenger.
    at_least
        What the challenger needs.
    """

    measure: str
    value: float
    standing_value: float
    at_least: float

    @property
    def is_met(self) -> bool:
        """Whether the measure lets the challenger take over."""
        return bool(np.isnan(self.value) or np.isnan(self.at_least) or self.value >= self.at_least)


@dataclass(frozen=True)
class Challenge:
    """A challenger held against the standing run."""

    study: str
    run_id: str
    standing_run_id: str
    checks: tuple[Check, ...]

    @property
    def is_met(self) -> bool:
        """Whether the challenger is to take over."""
        return all(check.is_met for check in self.checks)


def compare_with_standing(path: Path, run_id: str) -> Challenge:
    """Hold a finished run against its study's standing run; writes nothing.

    Raises
    ------
    UsageError
        There is no such finished run.
    DataError
        It is the standing run, or the rows cannot be scored.
    """
    with open_warehouse(path, read_only=True, wait_seconds=WAIT_SECONDS) as warehouse:
        standing = find_run(warehouse, finished_run(warehouse, run_id).study)
        if standing.run_id == run_id:
            raise DataError(f"run {run_id} is the standing run of {standing.study} already")
        return _compare(warehouse, run_id, standing.run_id)


def compare_runs(path: Path, run_id: str, other_run_id: str) -> Challenge:
    """Hold a finished run against another of its study, be that the standing one or not.

    Raises
    ------
    UsageError
        There is no such finished run.
    DataError
        The rows cannot be scored.
    """
    with open_warehouse(path, read_only=True, wait_seconds=WAIT_SECONDS) as warehouse:
        finished_run(warehouse, other_run_id)
        return _compare(warehouse, run_id, other_run_id)


def recorded_challenge(path: Path, run_id: str, standing_run_id: str) -> Challenge | None:
    """Return a comparison that was made before; None where there was none of these two."""
    with open_warehouse(path, read_only=True, wait_seconds=WAIT_SECONDS) as warehouse:
        study = finished_run(warehouse, run_id).study
        rows = results.read_run_rows(warehouse, contract.challenges, run_id)
    rows = rows[rows["standing_run_id"] == standing_run_id]
    names = ["measure", "value", "standing_value", "at_least"]
    known = [[measure, *map(float, figures)] for measure, *figures in rows[names].to_numpy()]
    checks = tuple(Check(*row) for row in known)
    return Challenge(study, run_id, standing_run_id, checks) if checks else None


def _compare(warehouse: Warehouse, run_id: str, standing_run_id: str) -> Challenge:
    challenger = finished_run(warehouse, run_id)
    ids = (run_id, standing_run_id)
    saved = [load_run_models(settings.models_dir(each), each) for each in ids]
    frame = _rows_now(warehouse, saved)
    assigned = [results.read_assignments(warehouse, each) for each in ids]
    stability = [_stability(warehouse, each) for each in ids]
    validity = [_validity(warehouse, each) for each in ids]
    checks = (
        _check("stability", *stability),
        _check("silhouette", *_silhouettes(saved[0], saved[1], frame)),
        Check("kept_share", _kept_share(*assigned), np.nan, MIN_KEPT_SHARE),
        *(
            _check(f"validity_{outcome}", validity[0][outcome], validity[1][outcome])
            for outcome in sorted(validity[0].keys() & validity[1].keys())
        ),
    )
    return Challenge(challenger.study, run_id, standing_run_id, checks)


def settle(path: Path, challenge: Challenge) -> bool:
    """Record a comparison, and let the challenger take over where it is met, in one transaction.

    Raises
    ------
    DataError
        Another run stands by now.
    """
    import pandas as pd

    rows = pd.DataFrame([asdict(check) | {"is_met": check.is_met} for check in challenge.checks])
    table = results.frame_rows(
        challenge.run_id, rows.assign(standing_run_id=challenge.standing_run_id)
    )
    said = "takes over" if challenge.is_met else "does not take over"
    with (
        open_for_writing(path, wait_seconds=WAIT_SECONDS) as warehouse,
        warehouse.transaction(f"run {challenge.run_id} {said}"),
    ):
        if results.latest_run(warehouse, challenge.study) != challenge.standing_run_id:
            raise DataError(
                f"another run of {challenge.study} stands by now: compare once more with"
                f" python scripts/promote_run.py {challenge.run_id} --if-better"
            )
        results.put_rows(warehouse, contract.challenges, challenge.run_id, table)
        if challenge.is_met:
            results.stand(warehouse, challenge.study, challenge.run_id)
    return challenge.is_met


def promote(path: Path, run_id: str) -> tuple[str, list[str]]:
    """Make a finished run its study's standing run; return the study and who was retired.

    Raises
    ------
    UsageError
        There is no such finished run.
    DataError
        It is the standing run.
    """
    with open_for_writing(path, wait_seconds=WAIT_SECONDS) as warehouse:
        run = finished_run(warehouse, run_id)
        if results.latest_run(warehouse, run.study) == run_id:
            raise DataError(f"run {run_id} is the standing run of {run.study} already")
        with warehouse.transaction(f"run {run_id} is the standing run of {run.study}"):
            return run.study, results.stand(warehouse, run.study, run_id)


def run_before_standing(path: Path, study: str) -> str:
    """Return the run that a study goes back to from its standing run.

    Raises
    ------
    DataError
        There is none.
    """
    with open_warehouse(path, read_only=True, wait_seconds=WAIT_SECONDS) as warehouse:
        runs = find_runs(warehouse, study)
        if len(runs) < 2:
            standing = find_run(warehouse, study).run_id
            raise DataError(
                f"study {study} has no run before its standing run {standing}; see them with"
                " python scripts/run_sql.py runs"
            )
    return runs[-2].run_id


def _rows_now(warehouse: Warehouse, saved: list[SavedRun]) -> pd.DataFrame:
    read = [read_customers(find_source(None, run), run, warehouse) for run in saved]
    extra = [name for name in read[1].columns if name not in read[0].columns]
    entity = saved[0].study.entity
    if not extra:
        return read[0]
    return read[0].merge(read[1][[entity, *extra]], on=entity, how="inner")


def _check(measure: str, value: float, standing_value: float) -> Check:
    slack = SLACK[measure.partition("_")[0]]
    return Check(measure, value, standing_value, standing_value - slack)


def _stability(warehouse: Warehouse, run_id: str) -> float:
    segments = results.read_run_rows(warehouse, contract.segments, run_id)
    known = segments[segments["stability"].notna()]
    if known.empty:
        return float("nan")
    return float(np.average(known["stability"], weights=known["size"]))


def _validity(warehouse: Warehouse, run_id: str) -> dict[str, float]:
    rows = results.read_run_rows(warehouse, contract.validity, run_id)
    if rows.empty:
        return {}
    own = rows[(rows["grouping"] == "segments") & rows["value"].notna()]
    means = own.groupby("outcome")["value"].mean()
    return {str(outcome): float(value) for outcome, value in means.items()}


def _kept_share(challenger: pd.DataFrame, standing: pd.DataFrame) -> float:
    both = challenger.merge(standing, on="entity_id", suffixes=("", "_standing"))
    if both.empty:
        return float("nan")
    return float((both["segment_id"] == both["segment_id_standing"]).mean())


def _silhouettes(
    challenger: SavedRun, standing: SavedRun, frame: pd.DataFrame
) -> tuple[float, float]:
    """Return the silhouette of either run's segments of the rows now."""
    scored = [run.score(frame) for run in (challenger, standing)]
    can = np.all([s["segment_id"].notna().to_numpy(dtype=bool) for s in scored], axis=0)
    if not can.any():
        raise DataError(f"no row of {challenger.study.table} can be scored by both runs")
    labels = [s["segment_id"][can].astype("int64").to_numpy() for s in scored]
    rows = frame[can]
    by_space = [
        [_silhouette(run, rows, run_labels) for run_labels in labels]
        for run in (challenger, standing)
    ]
    first, second = np.mean(by_space, axis=0)
    return float(first), float(second)


def _silhouette(run: SavedRun, frame: pd.DataFrame, labels: IntArray) -> float:
    """Return the silhouette in a run's features, the mean over its partitions by rows."""
    names = run.partition_names(frame)
    values, weights = [], []
    for name, part in run.partitions.items():
        is_own = (names == name).to_numpy(dtype=bool)
        if not is_own.any():
            continue
        groups = np.unique(labels[is_own], return_inverse=True)[1]
        exact, simplified = mean_silhouettes(part.matrix.transform(frame[is_own]), groups)
        values.append(simplified if np.isnan(exact) else exact)
        weights.append(int(is_own.sum()))
    is_known = ~np.isnan(values)
    if not is_known.any():
        return float("nan")
    return float(np.average(np.array(values)[is_known], weights=np.array(weights)[is_known]))
