"""What a program may ask of the results: each answer comes with its figures of trust."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any

from models_py.base import settings
from models_py.base.errors import DataError, UsageError, WarehouseError, near_match
from models_py.commands.question_values import study_values
from models_py.commands.run_sql import find_question, ready_questions
from models_py.database.connection import open_warehouse
from models_py.database.questions import Answer, Question, ask
from models_py.database.results import done_runs
from models_py.database.share import share_file
from models_py.runs.finished_runs import find_run
from models_py.runs.trust import trust_of

MOST_ROWS = 1000


class AnswerTools:
    """Read-only questions to a warehouse, or to its copy for readers where there is one.

    Parameters
    ----------
    path
        The warehouse.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def list_studies(self) -> dict[str, Any]:
        """List the studies that have a finished run, each with its figures of trust."""
        with open_warehouse(self._file(), read_only=True) as warehouse:
            names = dict.fromkeys(str(name) for (name,) in done_runs(warehouse, ["study"]))
            studies = [{"study": n, "trust": _plain(trust_of(warehouse, n))} for n in names]
        return {"studies": studies}

    def list_runs(self) -> dict[str, Any]:
        """List every run: study, status, rows, and why it was selected or failed."""
        return {"rows": _rows(ask(find_question("runs"), self._file(), {}, MOST_ROWS))}

    def segments(self, study: str | None = None) -> dict[str, Any]:
        """Give the segments of a study's standing run: name, size, share, stability, traits.

        Without a study it is that of the newest run. Figures of small segments are withheld.
        """
        return self._answer("latest_segments", study, {})

    def segment_profile(self, segment_id: int, study: str | None = None) -> dict[str, Any]:
        """Give a segment's profile: each column's mean beside everybody's, strongest first."""
        return self._answer("segment_profile", study, {"segment_id": segment_id})

    def segment_rules(self, study: str | None = None) -> dict[str, Any]:
        """Give each segment as a rule, in words and as SQL, with its precision and recall."""
        return self._answer("segment_rules", study, {})

    def customer(self, entity_id: str, study: str | None = None) -> dict[str, Any]:
        """Give the segment of a customer now and in the runs before, with the confidence.

        The last row is the segment that stands.
        """
        answer = self._answer("customer_path", study, {"entity_id": entity_id})
        if not answer["rows"]:
            of = f"study {study}" if study else "the newest study"
            raise UsageError(f"no run of {of} has a row with the id {entity_id!r}")
        return answer

    def list_questions(self) -> dict[str, Any]:
        """List the ready questions, what each tells and which parameters it reads."""
        return {"questions": _rows(ready_questions())}

    def ask_question(
        self,
        name: str,
        study: str | None = None,
        parameters: dict[str, str | int | float] | None = None,
        limit: int = 100,
    ) -> dict[str, Any]:
        """Ask one of the ready questions that list_questions names; at most 1,000 rows."""
        return self._answer(name, study, dict(parameters or {}), limit)

    def _answer(
        self, name: str, study: str | None, values: dict[str, Any], limit: int = MOST_ROWS
    ) -> dict[str, Any]:
        if not 1 <= limit <= MOST_ROWS:
            raise UsageError(f"limit {limit}: must be a whole number from 1 to {MOST_ROWS}")
        question = _ready_question(name, values)
        try:
            return self._ask(question, study, values, limit, self._file())
        except (DataError, WarehouseError):
            # The copy holds gold and results; a few questions read what lies below.
            if self._file() == self.path:
                raise
            return self._ask(question, study, values, limit, self.path)

    def _ask(
        self, question: Question, study: str | None, values: dict[str, Any], limit: int, file: Path
    ) -> dict[str, Any]:
        with open_warehouse(file, read_only=True) as warehouse:
            runs = done_runs(warehouse, ["study"])
            if study is None and not runs:
                raise UsageError("nothing ran yet: python scripts/run_clustering.py runs a study")
            asked = str(runs[-1][0]) if study is None else find_run(warehouse, study).study
            trust = trust_of(warehouse, asked)
        reads_study = {"study", "gold", "entity", "column", "rejections"} & set(question.parameters)
        values = study_values(question, asked if reads_study else None, values, file)
        answer = ask(question, file, values, limit)
        empty = {"why_empty": question.why_empty} if not answer.rows and question.why_empty else {}
        return {
            "question": question.purpose,
            "study": asked,
            "rows": _rows(answer),
            "more": answer.more,
            "trust": _plain(trust),
            **empty,
        }

    def _file(self) -> Path:
        # Who reads the copy stops no writer of the warehouse.
        copy = share_file(self.path)
        return copy if copy.is_file() else self.path


def _ready_question(name: str, values: dict[str, Any]) -> Question:
    """Return a question of ``sql/``, never another file, with the parameters that it reads."""
    ready = {str(row[0]): str(row[2]) for row in ready_questions().rows}
    if name not in ready:
        raise UsageError(
            f"there is no ready question '{name}'{near_match(name, ready)}; list_questions has all"
        )
    parameters = [word for word in ready[name].split(", ") if word]
    for given in values:
        if given not in parameters:
            known = ", ".join(parameters) or "none"
            raise UsageError(f"question {name} reads no parameter '{given}' (it reads {known})")
    return find_question(str(settings.sql_dir() / f"{name}.sql"))


def _rows(answer: Answer) -> list[dict[str, Any]]:
    return [
        {name: _plain(value) for name, value in zip(answer.columns, row, strict=True)}
        for row in answer.rows
    ]


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | Decimal):
        return float(value) if isfinite(value) else None
    return value.isoformat() if isinstance(value, date) else str(value)
