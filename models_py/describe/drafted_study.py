"""A first study of a table of the warehouse: its columns looked at, judged and put into words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from models_py.base.errors import DataError
from models_py.database.own_data import check_id, column_facts, require_columns, row_count
from models_py.database.waiting import open_for_writing
from models_py.describe.drafted_words import draft_words
from models_py.segmentation.relevance import JUDGED_ROWS, column_relevance, skewed_columns
from models_py.segmentation.studied import read_studied
from models_py.sources.reading.record import toml_lines
from models_py.studies.drafting import LEAST_JUDGED, Draft, choose_features, draft_study
from models_py.studies.loading import parse_study
from models_py.studies.log_drafting import draft_log_features, draft_log_study
from models_py.studies.roles import guess_roles
from models_py.studies.sentinels import days_of_no_date

if TYPE_CHECKING:
    from models_py.database.reading.loading import Loaded


@dataclass(frozen=True)
class DraftedTable:
    """The table that a study is drafted of.

    Attributes
    ----------
    schema, table, entity
        Where its rows are, and the column that tells them apart.
    name
        Of the study.
    source
        Where the rows came from, in words.
    label
        Column with known groups, if there is one.
    loaded
        The file that it was loaded from; None where it was there.
    is_log
        Whether it was made of a log of transactions.
    """

    schema: str
    table: str
    entity: str
    name: str
    source: str
    label: str | None = None
    loaded: Loaded | None = None
    is_log: bool = False


def draft_of(path: Path, of: DraftedTable, run_with: str, wait_seconds: float = 0.0) -> Draft:
    """Guess what each column is, and choose those that tell groups apart.

    Parameters
    ----------
    path
        The DuckDB file.
    of
        The table.
    run_with
        The command that runs the study.
    wait_seconds
        How long another process is waited for.

    Raises
    ------
    DataError
        The entity does not tell the rows apart, or no column can be a feature.
    """
    with open_for_writing(path, wait_seconds=wait_seconds) as warehouse:
        if of.loaded is None or of.is_log:
            # A file's ids were looked at while it was loaded.
            check_id(warehouse, of.schema, of.table, of.entity)
        if of.label is not None:
            require_columns(warehouse, of.schema, of.table, {"--label": of.label})
        facts = column_facts(warehouse, of.schema, of.table, of.entity, of.label)
        rows = row_count(warehouse, of.schema, of.table)
    guesses = guess_roles(facts, of.label, _no_dates(of.loaded))
    if all(guess.role == "left out" for guess in guesses):
        reason = guesses[0].reason if guesses else "there is none beside the id"
        raise DataError(f"no column of {of.schema}.{of.table} can be a feature: {reason}")
    draft = Draft(
        name=of.name,
        title=of.name.replace("_", " ").capitalize(),
        table=f"{of.schema}.{of.table}",
        entity=of.entity,
        label=of.label,
        source=of.source,
        rows=rows,
        guesses=guesses,
        run_with=run_with,
    )
    return draft_log_features(draft) if of.is_log else _with_features(draft, path)


def study_text(draft: Draft, of: DraftedTable) -> str:
    """Return the text of the study file: the draft, what is called what, how the file was read."""
    text = draft_log_study(draft) if of.is_log else f"{draft_study(draft)}\n{_words(draft, of)}\n"
    if of.loaded is not None:
        text += "\n# How the file was read; what is corrected here holds when it is read again.\n"
        text += "\n".join(toml_lines(of.loaded.record)) + "\n"
    return text


def _no_dates(loaded: Loaded | None) -> dict[str, frozenset[float]]:
    if loaded is None or loaded.record.last_date is None:
        return {}
    codes = days_of_no_date(loaded.record.last_date)
    return dict.fromkeys(loaded.record.days_columns, codes)


def _with_features(draft: Draft, path: Path) -> Draft:
    """Return the draft with the columns that tell groups apart, by the rows themselves."""
    numbers = [guess.name for guess in draft.guesses if guess.role == "number"]
    study = parse_study(draft_study(draft), draft.name)
    frame = read_studied(study, path, JUDGED_ROWS).frame
    draft = replace(draft, skewed=skewed_columns(frame, numbers, study.features.winsorise))
    if draft.rows < LEAST_JUDGED:
        return draft
    study = parse_study(draft_study(draft), draft.name)
    return choose_features(draft, column_relevance(study, frame, study.seed))


def _words(draft: Draft, of: DraftedTable) -> str:
    roles = {guess.name: guess.role for guess in draft.guesses if guess.role != "left out"}
    if of.loaded is None:
        return draft_words(draft.entity, roles, measures=draft.measures)
    record = of.loaded.record
    units = {name: column.unit for name, column in record.columns.items() if column.unit}
    return draft_words(draft.entity, roles, record.days_columns, units, draft.measures)
