"""The labels of a table on Spark: all of its rows, by the statement that scores for a saved run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from models_py.base import settings
from models_py.database.spark_tables import STUDIED
from models_py.runs.scoring_sql import scoring_sql
from models_py.runs.storage import load_run_models

if TYPE_CHECKING:
    import pandas as pd

    from models_py.database.spark_tables import SparkTable
    from models_py.runs.tables import RunTables


def label_all(whole: SparkTable, models: Path, run_id: str, tables: RunTables) -> str:
    """Give the rows outside the sample their segments, and every segment its size among all.

    Parameters
    ----------
    whole
        The table; its sample is drawn.
    models
        The folder that the run's models are saved in.
    run_id
        The run.
    tables
        The run's rows, made of the sample; their assignments and sizes are changed.

    Returns
    -------
    str
        How many rows were clustered and described, and how many hold no value to be scored by.
    """
    import pandas as pd

    labels = _labels(whole, models, run_id)
    scored = labels[labels["segment_id"].notna()].astype({"segment_id": "int64"})
    assignments = pd.concat([tables.rows["assignments"], scored.assign(is_outlier=False)])
    sizes = assignments.groupby("segment_id").size()
    segments = tables.rows["segments"]
    size = segments["segment_id"].map(sizes).astype("int64")
    tables.rows["assignments"] = assignments
    tables.rows["segments"] = segments.assign(size=size, share=size / len(assignments))
    unscored = len(labels) - len(scored)
    left_out = f"; {unscored:,} hold no value to be scored by" if unscored else ""
    return f"{whole.words}{left_out}"


def _labels(whole: SparkTable, models: Path, run_id: str) -> pd.DataFrame:
    from pyarrow import parquet

    folder = settings.spark_dir() / "labels" / run_id
    statement = scoring_sql(load_run_models(models, run_id), STUDIED, whole.types)
    try:
        whole.write_labels(statement, folder)
        labels: pd.DataFrame = parquet.read_table(folder).to_pandas()
        return labels
    finally:
        shutil.rmtree(folder, ignore_errors=True)
