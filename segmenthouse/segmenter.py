"""Segments of a frame, by the road of the commands, as a scikit-learn estimator."""

from __future__ import annotations

import json
import warnings
from html import escape
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from models_py.base import committed
from models_py.base.arrays import IntArray
from models_py.base.checksums import write_json
from models_py.base.errors import DataError, UsageError
from models_py.base.progress import show_progress
from models_py.commands.sharing import share_opened
from models_py.studies.study import Study
from segmenthouse.frames import arrow_rows, ids_as_text
from segmenthouse.workspace import KeptRun, Workspace

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from models_py.base.progress import Progress
    from models_py.database.connection import Warehouse
    from models_py.database.reading.loading import Loaded
    from models_py.report.facts import Facts

NOT_ASSIGNED = -1
"""Label of a row without a segment: left out as it was read, or by the study."""
STATE = "segmenter.json"


class Segmenter(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Find, explain and name the segments of a frame.

    Without a study one is drafted, as ``new_study`` does: what each column is, is guessed from
    its values, and those that tell no groups apart are left out; :attr:`study_` shows it.

    Parameters
    ----------
    study
        A shipped study's name, a study file, or a :class:`models_py.studies.study.Study`; its
        ``entity`` is then the id.
    id
        Column that tells the rows apart; the rows are numbered without it.
    label
        Column with known groups, to compare the segments with.
    k
        This number of segments only.
    seed
        For everything random; the study's own without it.
    name
        Of a drafted study, and of its table in the warehouse.
    warehouse
        A DuckDB file to write table and results to, beside the models in the home of the
        commands; without it nothing is kept but by :meth:`save`.
    force
        Replace the table that was loaded under the same name before.
    verbose
        Show progress.

    Attributes
    ----------
    labels_ : numpy.ndarray
        Shape (rows,): the segment ids, from 1 as in the tables, in the order of the frame; -1 for
        a row that the reading or the study left out.
    study_ : Study
        The recipe.
    run_id_ : str
        The run in ``results``.
    n_features_in_, feature_names_in_
        Columns of the frame.
    """

    def __init__(
        self,
        study: str | PathLike[str] | Study | None = None,
        *,
        id: str | None = None,  # noqa: A002
        label: str | None = None,
        k: int | None = None,
        seed: int | None = None,
        name: str = "segments",
        warehouse: str | PathLike[str] | None = None,
        force: bool = False,
        verbose: bool = False,
    ) -> None:
        self.study = study
        self.id = id
        self.label = label
        self.k = k
        self.seed = seed
        self.name = name
        self.warehouse = warehouse
        self.force = force
        self.verbose = verbose

    def fit(self, X: Any, y: object = None) -> Self:  # noqa: ARG002
        """Find the segments of a frame.

        Parameters
        ----------
        X
            One row per customer: pandas, Polars, Arrow, or an array.
        y
            Not used.

        Raises
        ------
        SegmenthouseError
            In one line: what, where, what to do.
        """
        rows = arrow_rows(X, least=2)
        workspace = _workspace(self.warehouse)
        with (
            workspace.entered(),
            show_progress(quiet=not self.verbose) as progress,
            warnings.catch_warnings(),
        ):
            # What a library warns its programmers of is nothing a user can mend.
            warnings.simplefilter("ignore")
            study, run_id = self._found(rows, workspace, progress)
        if workspace.temporary is None:
            share_opened()
        else:
            committed.take_opened()  # Nobody reads what goes with this object.
        self.study_, self.run_id_ = study, run_id
        self._run = KeptRun(run_id, workspace)
        self.feature_names_in_ = np.array(rows.column_names, dtype=object)
        self.n_features_in_ = rows.num_columns
        self._has_names = hasattr(X, "columns") or hasattr(X, "column_names")
        self.labels_ = self._labels(rows)
        if not self._has_names:
            del self.feature_names_in_
        return self

    def _found(self, rows: pa.Table, workspace: Workspace, progress: Progress) -> tuple[Study, str]:
        from models_py.database.own_data import make_warehouse
        from models_py.pipeline import run_study
        from models_py.studies.loading import with_k

        progress.step("reading the frame")
        make_warehouse(workspace.warehouse)
        study = _study_of(self.study)
        given = self.id if study is None else study.entity
        if given is not None and study is None:
            ids_as_text(rows, given)
        loaded = self._load(rows, workspace.warehouse, study, given)
        if study is None:
            progress.step("looking at the columns")
            study = self._drafted(workspace.warehouse, loaded)
        else:
            study = study.model_copy(
                update={
                    "table": f"gold.{study.name}",
                    "entity": loaded.entity,
                    "reading": loaded.record,
                }
            )
        if self.k is not None:
            study = with_k(study, self.k)
        seed = study.seed if self.seed is None else _seed(self.seed)
        finished = run_study(study, workspace.warehouse, seed, progress)
        if finished.waits_in is not None:
            raise UsageError(
                f"the run waits in {finished.waits_in}, since {finished.holder}; the next command"
                " that writes takes it in"
            )
        return study, finished.run_id

    def _load(self, rows: pa.Table, path: Path, study: Study | None, given: str | None) -> Loaded:
        from models_py.database.reading.columns import ReadingOptions
        from models_py.database.reading.loading import ROW_ID, load_customers
        from models_py.database.waiting import open_for_writing

        entity = given or ROW_ID
        if study is not None and entity not in rows.column_names:
            entity = ROW_ID
        with open_for_writing(path) as warehouse:
            loaded = load_customers(
                warehouse,
                rows,
                self.name if study is None else study.name,
                entity,
                ReadingOptions(ids=() if entity == ROW_ID else (entity,)),
                label=self.label if study is None else study.label,
                anew=self.force,
                recorded=None if study is None else study.reading,
            )
            _forget_earlier(warehouse, self.name if study is None else study.name)
        return loaded

    def _drafted(self, path: Path, loaded: Loaded) -> Study:
        from models_py.describe.drafted_study import DraftedTable, draft_of, study_text
        from models_py.studies.loading import parse_study

        source = "from a frame"
        table = DraftedTable(
            "gold", self.name, loaded.entity, self.name, source, self.label, loaded
        )
        draft = draft_of(path, table, "segmenthouse.segment")
        return parse_study(study_text(draft, table), self.name)

    def _labels(self, rows: pa.Table) -> IntArray:
        from models_py.database.results import read_assignments

        with self._run.opened() as warehouse:
            assigned = read_assignments(warehouse, self.run_id_)
        labels = dict(zip(assigned["entity_id"], assigned["segment_id"], strict=True))
        entity = self.study_.entity
        ids = (
            ids_as_text(rows, entity)
            if entity in rows.column_names
            else [str(number) for number in range(1, rows.num_rows + 1)]
        )
        return np.array([labels.get(text, NOT_ASSIGNED) for text in ids], dtype=np.int64)

    def predict(self, X: Any) -> IntArray:
        """Give rows their segments by the fitted run, as ``score_customers`` does.

        Parameters
        ----------
        X
            Rows with the columns that the run needs; an id is not needed.

        Returns
        -------
        numpy.ndarray
            Shape (rows,): segment ids; -1 where a row cannot be scored.
        """
        from models_py.runs.customers import Source, read_customers

        check_is_fitted(self)
        rows = arrow_rows(X)
        self._check_width(rows, X)
        reading = self.study_.reading
        if not (reading and reading.numbered):
            entity = self.study_.entity
            numbers = [str(number) for number in range(1, rows.num_rows + 1)]
            if entity in rows.column_names:
                rows = rows.drop_columns([entity])
            rows = rows.append_column(entity, [numbers])
        with self._run.workspace.entered(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = read_customers(Source("the frame", rows=rows), self._run.saved, None)
            scored = self._run.saved.score(frame)
        labels = np.full(rows.num_rows, NOT_ASSIGNED, dtype=np.int64)
        places = scored["entity_id"].astype("int64").to_numpy() - 1
        labels[places] = scored["segment_id"].fillna(NOT_ASSIGNED).to_numpy(dtype=np.int64)
        return labels

    def _check_width(self, rows: pa.Table, X: Any) -> None:
        is_named = hasattr(X, "columns") or hasattr(X, "column_names")
        if not is_named and rows.num_columns != self.n_features_in_:
            raise ValueError(
                f"X has {rows.num_columns} features, but Segmenter is expecting"
                f" {self.n_features_in_} features as input"
            )

    @property
    def segments(self) -> pd.DataFrame:
        """The segments, a row each: size, share, name, description, stability, rule."""
        return self._tables["summary"]

    @property
    def profiles(self) -> pd.DataFrame:
        """What each segment is like, a row a segment and feature."""
        return self._tables["profiles"]

    @property
    def candidates(self) -> pd.DataFrame:
        """Every candidate of the search with its figures."""
        return self._tables["metrics"]

    @property
    def rules(self) -> pd.DataFrame:
        """Each segment as a rule, in words and as SQL, with how often it is right."""
        named = ["segment_id", "name"]
        return self.segments[[*named, *(c for c in self.segments if str(c).startswith("rule_"))]]

    @property
    def names(self) -> dict[int, str]:
        """The segments' names by their ids."""
        return dict(self._known.names)

    @property
    def stability(self) -> pd.Series[float]:
        """How far each segment comes back in refits, 0..1, by its id."""
        return self.segments.set_index("segment_id")["stability"].astype(float)

    def report(self, path: str | PathLike[str]) -> Path:
        """Write the run's page to a file, or with pictures and CSV files to a folder.

        Parameters
        ----------
        path
            ``page.html``, or a folder.

        Returns
        -------
        pathlib.Path
            The page.
        """
        from models_py.report.writing import write_report, write_single_page

        target = Path(path)
        facts = self._known
        with self._run.workspace.entered(), show_progress(quiet=not self.verbose) as progress:
            if target.suffix.lower() in {".html", ".htm"}:
                write_single_page(facts, target, progress)
                return target
            return write_report(self.run_id_, self._run.workspace.warehouse, progress, target).page

    def to_sql(self, table: str | None = None, *, by: str = "model") -> str:
        """Return a statement that gives the rows of a table their segments.

        Parameters
        ----------
        table
            The table, as SQL writes it; the fitted rows' own without it.
        by
            ``"model"`` for the fitted chain itself, to the last digit, which mixtures and
            networks refuse; ``"rules"`` for the rules, which are right as often as they say.

        Raises
        ------
        DataError
            The chain is no arithmetic that SQL writes.
        UsageError
            ``by`` is something else.
        """
        from models_py.database.connection import quoted
        from models_py.runs.scoring_sql import scoring_sql

        schema, name = self.study_.schema_and_name
        source = table or quoted(schema, name)
        if by == "rules":
            return self._rules_sql(source)
        if by != "model":
            raise UsageError(f"by = {by!r}: 'model' or 'rules'")
        with self._run.opened() as warehouse:
            types = warehouse.columns(schema, name)
        try:
            return scoring_sql(self._run.saved, source, types, self.names)
        except DataError as error:
            reason = str(error).partition(";")[0]
            raise DataError(f"{reason}; use the rules, to_sql(by='rules'), or predict") from error

    def _rules_sql(self, source: str) -> str:
        from models_py.database.scoring import rules_statement

        sets = self._known.tables["rule_sets"]
        if sets.empty:
            raise DataError("the run has no rules: a single segment needs none")
        if len(sets) > 1:
            raise DataError("each partition has rules of its own: see rules")
        row = sets.iloc[0]
        return rules_statement(
            source, self.study_.entity, row["case_sql"], int(row["rows"]), float(row["accuracy"])
        )

    def save(self, folder: str | PathLike[str]) -> Path:
        """Keep the result as a home of the commands; :func:`load` reads it.

        No file of it is a pickle: the warehouse, and the models as a run keeps them.
        """
        check_is_fitted(self)
        target = Path(folder)
        self._run.workspace.copy_to(target)
        state = {
            "study": self.study_.name,
            "run_id": self.run_id_,
            "labels": self.labels_.tolist(),
            "columns": self.n_features_in_,
            "names": list(getattr(self, "feature_names_in_", [])),
        }
        write_json(target / STATE, state)
        return target

    @property
    def _known(self) -> Facts:
        check_is_fitted(self)
        return self._run.facts

    @property
    def _tables(self) -> dict[str, pd.DataFrame]:
        from models_py.report.writing import csv_tables

        return csv_tables(self._known)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "run_id_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _repr_html_(self) -> str:
        try:
            segments = self.segments
        except NotFittedError:
            return f"<pre>{escape(repr(self))}</pre>"
        rows = "".join(
            "<tr>"
            + "".join(
                f"<td style='text-align:left'>{escape(text)}</td>"
                for text in (
                    str(row["segment_id"]),
                    self.names[int(row["segment_id"])],
                    f"{row['size']:,}",
                    f"{row['share']:.1%}",
                    _stability(row["stability"]),
                    str(row["description"] or ""),
                )
            )
            + "</tr>"
            for row in segments.to_dict("records")
        )
        head = "".join(
            f"<th>{word}</th>"
            for word in ("segment", "name", "size", "share", "stability", "what stands out")
        )
        return (
            f"<p><b>{escape(self.study_.title)}</b>: {len(segments)} segments of"
            f" {self._known.run.rows_read:,} rows</p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )


def segment(
    frame: Any,
    id: str | None = None,  # noqa: A002
    *,
    study: str | PathLike[str] | Study | None = None,
    **settings: Any,
) -> Segmenter:
    """Find the segments of a frame and return the fitted :class:`Segmenter`.

    Parameters
    ----------
    frame
        One row per customer: pandas, Polars, Arrow, or an array.
    id
        Column that tells the rows apart; the rows are numbered without it.
    study
        A recipe; drafted from the frame without it.
    settings
        As :class:`Segmenter` takes them: ``label``, ``k``, ``seed``, ``name``, ``warehouse``,
        ``force``, ``verbose``.
    """
    return Segmenter(study, id=id, **settings).fit(frame)


def load(home: str | PathLike[str], *, study: str | None = None) -> Segmenter:
    """Open what :meth:`Segmenter.save` kept, or a study's newest run in a home of the commands.

    Parameters
    ----------
    home
        The folder.
    study
        Whose newest run; not needed for what was saved.

    Raises
    ------
    SegmenthouseError
        There is no such run, or a file was changed since it was written.
    """
    from models_py.base import settings
    from models_py.database.connection import open_warehouse
    from models_py.runs.finished_runs import find_run
    from models_py.runs.storage import load_run_models

    folder = Path(home).expanduser().resolve()
    workspace = Workspace.of_home(folder)
    state = _saved_state(folder) if study is None else {}
    name = study or state.get("study")
    if name is None:
        raise UsageError(f"{folder} was not written by save(): name its study, study=NAME")
    with workspace.entered(), open_warehouse(workspace.warehouse, read_only=True) as warehouse:
        run = find_run(warehouse, name, state.get("run_id"))
        saved = load_run_models(settings.models_dir(run.run_id), run.run_id)
    loaded = Segmenter()
    loaded.study_, loaded.run_id_ = saved.study, run.run_id
    loaded._run = KeptRun(run.run_id, workspace)
    loaded.labels_ = np.array(state.get("labels", _recorded_labels(loaded)), dtype=np.int64)
    loaded.n_features_in_ = int(state.get("columns", len(saved.columns)))
    if state.get("names", saved.columns):
        names = state.get("names", saved.columns)
        loaded.feature_names_in_ = np.array(names, dtype=object)
    return loaded


def _saved_state(folder: Path) -> dict[str, Any]:
    file = folder / STATE
    if not file.is_file():
        return {}
    try:
        state: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{file} is damaged: save the result again") from error
    return state


def _recorded_labels(segmenter: Segmenter) -> list[int]:
    # In the order of the ids as text, as the warehouse gives them.
    from models_py.database.results import read_assignments

    with segmenter._run.opened() as warehouse:
        return list(read_assignments(warehouse, segmenter.run_id_)["segment_id"])


def _workspace(warehouse: str | PathLike[str] | None) -> Workspace:
    if warehouse is None:
        return Workspace.fresh()
    return Workspace(Path(warehouse).expanduser().resolve())


def _study_of(given: str | PathLike[str] | Study | None) -> Study | None:
    from models_py.studies.loading import load_study

    if given is None or isinstance(given, Study):
        return given
    return load_study(str(given))


def _seed(given: int) -> int:
    if not 0 <= given < 2**32:
        raise UsageError(f"seed = {given}: a seed is a whole number from 0 to 4294967295")
    return given


def _forget_earlier(warehouse: Warehouse, name: str) -> None:
    from models_py.database.reading.replacing import forget_earlier

    forget_earlier(warehouse, name, is_log=False)


def _stability(value: object) -> str:
    return "" if value is None or value != value else f"{float(str(value)):.2f}"  # noqa: PLR0124
