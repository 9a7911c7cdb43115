"""Everything that is known of a run: its rows in ``results``, its gold rows, its models."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models_py.base import settings
from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError, SegmenthouseError, first_line_of
from models_py.database import contract
from models_py.database.connection import WAIT_SECONDS, Warehouse, open_warehouse
from models_py.database.gold import read_columns
from models_py.database.purchases import purchase_log, read_spending
from models_py.database.history import read_history
from models_py.database.results import done_runs, read_run_rows, utc_now
from models_py.describe.names import Speech
from models_py.describe.withholding import withheld_segments
from models_py.report.drawing import PALETTE
from models_py.runs.storage import load_run_models
from models_py.runs.tables import study_speech
from models_py.segmentation.studied import read_studied
from models_py.studies.loading import study_from_json
from models_py.studies.study import Study

if TYPE_CHECKING:
    from concurrent.futures import Future

    import pandas as pd

    from models_py.report.maps import Projection
    from models_py.runs.saved import SavedRun

SMALL_SEGMENT = 5
"""Members under which only a segment's size is given, where the run did not mark small ones."""

MOST_CATEGORIES = 20
YES, NO = "true", "false"
READ = tuple(table for table in contract.RUN_TABLES if table.name != "scores")


@dataclass(frozen=True)
class RunRecord:
    """The run's row of ``results.runs``; times are UTC without zone."""

    run_id: str
    study: str
    started_at: datetime
    ended_at: datetime | None
    source_table: str
    entity_column: str
    rows_read: int
    data_fingerprint: str
    seed: int
    parameters: str
    versions: str
    previous_run_id: str | None
    chosen_because: str


@dataclass(frozen=True)
class Facts:
    """A run as its report sees it.

    Attributes
    ----------
    run, study
        The run's record and its recipe.
    tables
        The run's rows by table of the contract; empty where there are none.
    previous_segments
        ``segment_id``, ``partition``, ``name`` and ``size`` of the run before; empty for the
        first.
    history
        What became of the study's segments, run after run up to this one, as
        :func:`models_py.database.history.read_history` returns it.
    gold
        Gold columns of the study and ``_segment_id``, ``_partition``, ``_silhouette``,
        ``_is_outlier``: the rows of the run that are still in gold. The entity's own column is
        left out.
    categories
        Columns of words in gold for the same rows.
    is_gold_changed
        Whether gold holds other values now than the run read.
    spending
        What each segment spent by period, as :func:`read_spending` returns it; None where no
        purchases are known.
    saved
        The run's models; None where they cannot be read, then ``saved_problem`` says why.
    """

    run: RunRecord
    study: Study
    tables: dict[str, pd.DataFrame]
    previous_segments: pd.DataFrame
    history: pd.DataFrame
    gold: pd.DataFrame
    categories: pd.DataFrame
    is_gold_changed: bool
    spending: pd.DataFrame | None
    saved: SavedRun | None
    saved_problem: str

    @cached_property
    def segments(self) -> pd.DataFrame:
        """The run's segments by partition, the largest first."""
        rows = self.tables["segments"]
        ordered = rows.sort_values(
            ["partition", "size", "segment_id"], ascending=[True, False, True]
        )
        return ordered.reset_index(drop=True)

    @property
    def least(self) -> int:
        """Members under which a segment is not described, and a category is not named."""
        return int(getattr(self.study.describe, "small_segment", SMALL_SEGMENT))

    @cached_property
    def small(self) -> set[int]:
        """Segments with too few members to tell of them."""
        rows = self.segments
        marked = rows["is_small"].fillna(False) if "is_small" in rows else False
        return set(rows.loc[marked | (rows["size"] < self.least), "segment_id"].astype(int))

    @cached_property
    def withheld(self) -> set[int]:
        """Segments that show their size only: small ones, and those that stand in for them."""
        return self.small | _withheld(self.segments, self.least)

    @cached_property
    def withheld_before(self) -> set[int]:
        """The same of the run before."""
        return _withheld(self.previous_segments, self.least)

    @cached_property
    def names(self) -> dict[int, str]:
        """Each segment's name; a withheld one has none, since names say what stands out."""
        named = {int(row["segment_id"]): str(row["name"]) for row in records(self.segments)}
        others = dict.fromkeys(self.withheld, "segment not described")
        return named | others | dict.fromkeys(self.small, "small segment")

    @cached_property
    def partitions(self) -> dict[int, str]:
        """Each segment's partition."""
        return {int(row["segment_id"]): str(row["partition"]) for row in records(self.segments)}

    @cached_property
    def colours(self) -> dict[int, int]:
        """Each segment's colour, 1..12: of its number, so that it keeps it from run to run."""
        colours: dict[int, int] = {}
        for _, rows in self.segments.groupby("partition"):
            free = set(range(1, PALETTE + 1))
            for segment_id in sorted(rows["segment_id"].astype(int)):
                own = (segment_id - 1) % PALETTE + 1
                colours[segment_id] = own if own in free or not free else min(free)
                free.discard(colours[segment_id])
        return colours

    @cached_property
    def speech(self) -> Speech:
        """How the study's columns and rows are spoken of."""
        return study_speech(self.study, self.gold)

    @property
    def is_partitioned(self) -> bool:
        """Whether the study searched each of several values of a column for itself."""
        return bool(self.segments["partition"].nunique() > 1)

    @property
    def partition_words(self) -> str:
        """The column that the partitions are values of, in words."""
        return self.called(self.study.partition_by) if self.study.partition_by else ""

    @property
    def things(self) -> str:
        """What the rows are, in the plural: as the study says, or ``customers`` for their id."""
        return self.speech.who

    def called(self, column: object) -> str:
        """Return a column's name in the study's words; one of yes and no by its yes."""
        name = str(column)
        if self.speech.kinds.get(name) == "boolean":
            return self.speech.vocabulary.yes_or_no(name, True).words
        return self.speech.vocabulary.called(name)

    def word(self, column: str, word: str) -> str:
        """Return what a word of a column stands for; of yes and no what a row is called."""
        if word.lower() in (YES, NO):
            return self.speech.vocabulary.yes_or_no(column, word.lower() == YES).words
        return self.speech.vocabulary.word(column, word)

    def value(self, column: str, value: float) -> str:
        """Return a value of a column in the study's unit; a part of the rows as a share."""
        is_part = self.speech.kinds.get(column) == "boolean"
        return self.speech.vocabulary.value(column, value, is_part)

    def title(self, segment_id: int) -> str:
        """Return a segment's number and name, with its partition where there are several."""
        of = f"{self.partitions[segment_id]}: " if self.is_partitioned else ""
        return f"{segment_id} {of}{self.names[segment_id]}"

    @cached_property
    def described_gold(self) -> pd.DataFrame:
        """The gold rows that are drawn: without those of withheld segments."""
        return self.gold[~self.gold["_segment_id"].isin(self.withheld)]

    @cached_property
    def projection(self) -> Projection:
        """:attr:`described_gold` on two principal components, where nothing was partitioned."""
        from models_py.report.maps import principal_map

        assert self.saved is not None
        part = next(iter(self.saved.partitions.values()))
        return principal_map(part.matrix.transform(self.described_gold))

    @property
    def neighbours(self) -> tuple[IntArray, FloatArray] | None:
        """Places of drawn rows in :attr:`described_gold`, and where t-SNE lays them out.

        None where there are no models, several partitions, or too few rows.
        """
        if self._layout is None:
            return None
        drawn, placed = self._layout
        return drawn, placed.result()

    def begin_layout(self) -> None:
        """Let another thread lay the neighbours out while the rest is drawn."""
        _ = self._layout

    @cached_property
    def _layout(self) -> tuple[IntArray, Future[FloatArray]] | None:
        from concurrent.futures import ThreadPoolExecutor

        from models_py.report.maps import FEWEST_NEIGHBOURS, TSNE_ROWS, neighbour_map, sampled

        kept = self.described_gold
        if self.saved is None or self.is_partitioned or len(kept) < FEWEST_NEIGHBOURS:
            return None
        part = next(iter(self.saved.partitions.values()))
        drawn = sampled(len(kept), TSNE_ROWS, self.run.seed)
        points = part.encode(kept.iloc[drawn])
        pool = ThreadPoolExecutor(1)
        try:
            return drawn, pool.submit(
                neighbour_map, points, self.run.seed, self.study.describe.perplexity
            )
        finally:
            pool.shutdown(wait=False)

    def table(self, name: str) -> pd.DataFrame:
        """Return the run's rows of a table, without those of withheld segments."""
        rows = self.tables[name]
        if "segment_id" in rows and self.withheld:
            rows = rows[~rows["segment_id"].isin(self.withheld)]
        return rows


def read_facts(run_id: str, path: Path) -> Facts:
    """Read everything of a finished run.

    Parameters
    ----------
    run_id
        The run.
    path
        The DuckDB file.

    Raises
    ------
    SegmenthouseError
        There is no such run, or its gold table is gone; the message says what to do.
    """
    with open_warehouse(path, read_only=True, wait_seconds=WAIT_SECONDS) as warehouse:
        run = _read_run(warehouse, run_id)
        tables = {table.name: read_run_rows(warehouse, table, run_id) for table in READ}
        before = _segments_before(warehouse, run.previous_run_id)
        history = read_history(warehouse, run_id)
        study = _study_of(run)
        words = _read_words(warehouse, study)
        log = purchase_log(warehouse, study)
        spending = None if log is None else read_spending(warehouse, *log, run_id)
    read = read_studied(study, path)
    gold = _with_segments(read.frame, tables["assignments"], study.entity)
    if gold.empty:
        raise DataError(
            f"{study.table} holds none of the rows of run {run_id} any more: the page needs"
            " them; run the study again"
        )
    saved, problem = _load_models(run_id)
    return Facts(
        run=run,
        study=study,
        tables=tables,
        previous_segments=before,
        history=history,
        gold=gold.drop(columns=study.entity),
        categories=words.reindex(gold[study.entity]).reset_index(drop=True),
        is_gold_changed=read.fingerprint != run.data_fingerprint,
        spending=spending,
        saved=saved,
        saved_problem=problem,
    )


def explored_facts(study: Study, path: Path) -> Facts:
    """Read a study's table as it is before anything was clustered: one group, no figures.

    Parameters
    ----------
    study
        The recipe; its table, columns, label and words are what is looked at.
    path
        The DuckDB file.
    """
    import pandas as pd

    read = read_studied(study, path)
    with open_warehouse(path, read_only=True, wait_seconds=WAIT_SECONDS) as warehouse:
        words = _read_words(warehouse, study)
    now = utc_now()
    run = RunRecord(
        *("", study.name, now, now, study.table, study.entity, len(read.frame)),
        *(read.fingerprint, study.seed, study.model_dump_json(), "{}", None, ""),
    )
    tables = {table.name: pd.DataFrame(columns=list(table.columns.keys())) for table in READ}
    gold = read.frame.assign(_segment_id=0, _partition="all", _silhouette=np.nan, _is_outlier=False)
    return Facts(
        run=run,
        study=study,
        tables=tables,
        previous_segments=tables["segments"],
        gold=gold.drop(columns=study.entity),
        categories=words.reindex(gold[study.entity]).reset_index(drop=True),
        is_gold_changed=False,
        history=pd.DataFrame(),
        spending=None,
        saved=None,
        saved_problem="",
    )


def _read_run(warehouse: Warehouse, run_id: str) -> RunRecord:
    columns = list(RunRecord.__dataclass_fields__)
    matches = done_runs(warehouse, columns, run_id)
    if not matches:
        raise DataError(f"there is no finished run '{run_id}'; see python scripts/run_sql.py runs")
    return RunRecord(*matches[0])


def _segments_before(warehouse: Warehouse, run_id: str | None) -> pd.DataFrame:
    rows = read_run_rows(warehouse, contract.segments, run_id or "")
    return rows[["segment_id", "partition", "name", "size"]]


def _withheld(segments: pd.DataFrame, least: int) -> set[int]:
    partitions, ids, sizes = (
        segments[name].tolist() for name in ("partition", "segment_id", "size")
    )
    return withheld_segments(partitions, ids, sizes, least)


def _study_of(run: RunRecord) -> Study:
    try:
        return study_from_json(json.loads(run.parameters))
    except ValueError as error:
        raise DataError(
            f"run {run.run_id}: its study was written by another version"
            f" ({first_line_of(error)}); run the study again"
        ) from error


def _read_words(warehouse: Warehouse, study: Study) -> pd.DataFrame:
    """Read the columns of words of the study's table, by the entity's text."""
    schema, name = study.schema_and_name
    types = warehouse.columns(schema, name)
    columns = [c for c, kind in types.items() if kind == "VARCHAR" and c != study.entity]
    frame = read_columns(warehouse, schema, name, study.entity, columns)
    kept = [c for c in columns if 2 <= frame[c].nunique() <= MOST_CATEGORIES]
    return frame.drop_duplicates(study.entity).set_index(study.entity)[kept]


def _with_segments(gold: pd.DataFrame, assignments: pd.DataFrame, entity: str) -> pd.DataFrame:
    known = assignments[["entity_id", "partition", "segment_id", "is_outlier", "silhouette"]]
    known = known.rename(
        columns={name: f"_{name}" for name in known.columns if name != "entity_id"}
    )
    joined = gold.merge(known, left_on=entity, right_on="entity_id", how="inner")
    return joined.drop(columns="entity_id") if entity != "entity_id" else joined


def _load_models(run_id: str) -> tuple[SavedRun | None, str]:
    try:
        return load_run_models(settings.models_dir(run_id), run_id), ""
    except SegmenthouseError as error:
        return None, str(error)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as dictionaries; what is missing is None."""
    missing = frame.isna().to_numpy().T.tolist()
    columns = [
        [
            None if is_missing else value
            for value, is_missing in zip(column.tolist(), at, strict=True)
        ]
        for (_, column), at in zip(frame.items(), missing, strict=True)
    ]
    names = [str(name) for name in frame]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def number(row: dict[str, Any], name: str) -> float:
    """Return a figure of a row; nan where it is missing or the column is not there."""
    value = row.get(name)
    return float("nan") if value is None else float(value)


def is_given(frame: pd.DataFrame, *columns: str) -> bool:
    """Return whether the columns are there and hold at least one value each."""
    return not frame.empty and all(c in frame and bool(frame[c].notna().any()) for c in columns)


def known_numbers(column: pd.Series[Any]) -> FloatArray:
    """Return a column's finite values."""
    values: FloatArray = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return values[np.isfinite(values)]
