"""How far the answer of a study can be trusted: the figures that go with every answer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from models_py.database import contract, results
from models_py.database.connection import Warehouse
from models_py.describe.meanings import sureness
from models_py.runs.finished_runs import find_run

if TYPE_CHECKING:
    import pandas as pd

FACTS = ("started_at", "rows_read", "data_fingerprint", "chosen_because")


def trust_of(warehouse: Warehouse, study: str) -> dict[str, Any]:
    """Return the figures of trust of a study's standing run; None where one was not measured.

    Parameters
    ----------
    warehouse
        The warehouse, or its copy for readers.
    study
        The study's name.

    Returns
    -------
    dict
        The run; ``stability``, the mean Jaccard of its segments in refits by size, and the least;
        which segments are unstable; ``likely_right``, how often an answer with such evidence was
        the planted grouping, and the same in words; the mean ``confidence`` of the assignments;
        and ``validity``, what the segments tell of the next period, by outcome.

    Raises
    ------
    DataError
        The study never ran.
    """
    run_id = find_run(warehouse, study).run_id
    [facts] = results.done_runs(warehouse, FACTS, run_id)
    segments = results.read_run_rows(warehouse, contract.segments, run_id)
    measured = segments[segments["stability"].notna()]
    answers = results.read_run_rows(warehouse, contract.answers, run_id)
    likely = answers.loc[answers["rank"] == 0, "likely_right"]
    least = float(likely.min()) if likely.notna().all() and len(likely) else math.nan
    assigned = results.read_run_rows(warehouse, contract.assignments, run_id)
    return {
        "run_id": run_id,
        **dict(zip(FACTS, facts, strict=True)),
        "stability": _mean(measured["stability"], measured["size"]),
        "stability_least": _number(measured["stability"].min()),
        "unstable_segments": [
            int(row["segment_id"]) for row in measured.to_dict("records") if not row["is_stable"]
        ],
        "likely_right": _number(least),
        "sureness": sureness(least),
        "confidence": _number(assigned["confidence"].mean()),
        "validity": _validity(results.read_run_rows(warehouse, contract.validity, run_id)),
    }


def _validity(rows: pd.DataFrame) -> dict[str, float] | None:
    own = rows[(rows["grouping"] == "segments") & rows["value"].notna()]
    if own.empty:
        return None
    means = own.groupby("outcome")["value"].mean()
    return {str(outcome): float(value) for outcome, value in means.items()}


def _mean(values: pd.Series[Any], weights: pd.Series[Any]) -> float | None:
    return None if values.empty else float(np.average(values, weights=weights))


def _number(value: float) -> float | None:
    return None if value is None or math.isnan(value) else float(value)
