"""What a selection becomes: a list of customers, a rule in SQL with its precision, a study."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models_py.base import numbers
from models_py.base.errors import DataError
from models_py.base.spreadsheet import spreadsheet_cell
from models_py.base.sql_text import literal
from models_py.database import exploring_questions as questions
from models_py.database.connection import quoted
from models_py.database.exploring import OWN_COLUMNS, SEGMENT
from models_py.describe.rules import find_rules
from models_py.features.matrix import FeatureMatrix
from models_py.features.settings import Features
from models_py.report.explore.describing import OpenRoom
from models_py.runs.tables import study_speech
from models_py.studies.loading import check_study
from models_py.studies.writing import study_text

SEARCHED = 4_000
FEWEST = 400
"""Rows of either side that a rule is searched in, where there are as many."""


@dataclass(frozen=True)
class Clause:
    """One condition of a selection: a column between two numbers, or one of some values.

    Attributes
    ----------
    low, high
        From ``low`` on and under ``high``; None for a list of values.
    values
        None among them stands for null.
    """

    column: str
    low: float | None = None
    high: float | None = None
    values: tuple[str | int | None, ...] = ()

    @property
    def sql(self) -> str:
        """The clause as a condition on the room's customers."""
        column = quoted(self.column)
        if self.low is not None:
            return f"({column} >= {self.low!r} and {column} < {self.high!r})"
        known = [value for value in self.values if value is not None]
        listed = ", ".join(literal(v) if isinstance(v, str) else str(v).lower() for v in known)
        tests = [f"{column} in ({listed})"] if known else []
        tests += [f"{column} is null"] if len(known) < len(self.values) else []
        return f"({' or '.join(tests)})"

    @property
    def is_of_gold(self) -> bool:
        """Whether it is on a column of the gold table, not on segments."""
        return self.column not in OWN_COLUMNS


def read_clauses(content: object, opened: OpenRoom) -> list[Clause]:
    """Return the clauses that a page sent.

    Raises
    ------
    DataError
        They have another shape, or name a column that the room has not.
    """
    plan = opened.room.plan
    try:
        clauses = [_clause(item) for item in content]  # type: ignore[attr-defined]
    except (TypeError, KeyError, ValueError) as error:
        raise DataError(f"this is no selection ({error})") from error
    there = {*plan.columns, *OWN_COLUMNS}
    for clause in clauses:
        if clause.column not in there:
            raise DataError(f"there is no column '{clause.column}' here")
    return clauses


def _clause(item: dict[str, Any]) -> Clause:
    column = str(item["column"])
    if "values" in item:
        values = tuple(v if v is None or isinstance(v, int) else str(v) for v in item["values"])
        if not values:
            raise ValueError("no values")
        return Clause(column, values=values)
    low, high = float(item["low"]), float(item["high"])
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("a bound is no number")
    return Clause(column, low, high)


def condition(clauses: Sequence[Clause]) -> str:
    """Return all clauses as one condition; ``true`` for none."""
    return " and ".join(clause.sql for clause in clauses) or "true"


def customers_csv(opened: OpenRoom, clauses: Sequence[Clause]) -> str:
    """Return the selected customers with their segments, as a spreadsheet may open it."""
    plan = opened.room.plan
    rows = questions.customers_where(opened.room, SEGMENT, condition(clauses))
    names = {item["segment_id"]: item["name"] for item in opened.about["segments"]}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([plan.entity, "segment_id", "segment_name"])
    for entity, segment_id in rows:
        writer.writerow([spreadsheet_cell(entity), segment_id, spreadsheet_cell(names[segment_id])])
    return text.getvalue()


def find_rule(opened: OpenRoom, clauses: Sequence[Clause]) -> dict[str, Any]:
    """Return a rule on gold's columns for a selection, with its precision over all customers.

    Returns
    -------
    dict
        ``text`` and ``sql``; ``precision``, of the rule's customers those selected; ``recall``,
        of those selected the rule's; ``exact``, the selection itself as a condition on gold where
        it is one.

    Raises
    ------
    DataError
        All or too few customers are selected, or no rule tells them from the others.
    """
    room, plan, least = opened.room, opened.room.plan, opened.study.describe.small_segment
    selected = condition(clauses)
    count = questions.count_where(room, selected)
    for rows, said in ((count, "are selected"), (room.rows - count, "are not selected")):
        if rows < least:
            raise DataError(f"{rows} {opened.about['things']} {said}: too few for a rule")
    wanted = int(np.clip(SEARCHED * count / room.rows, FEWEST, SEARCHED - FEWEST))
    frame = questions.drawn_both_ways(room, selected, SEARCHED - wanted, wanted)
    flags = frame.pop("_is_selected").to_numpy(dtype=np.int64)
    features = Features(
        include=list(frame.columns),
        missing={c: list(v) for c, v in plan.missing.items() if c in frame},
    )
    matrix = FeatureMatrix(features).fit(frame)
    vocabulary = study_speech(opened.study, frame).vocabulary
    rules = find_rules(matrix.unscaled(frame), flags, matrix, 0, least, vocabulary)
    rule = next((rule for rule in rules.rules if rule.group == 1), None) if rules else None
    if rule is None:
        raise DataError("no rule tells these from the others")
    held, both = questions.count_both(room, rule.sql, selected)
    return {
        "text": rule.text,
        "sql": questions.rule_statement(room, rule.sql),
        "precision": both / held if held else 0.0,
        "recall": both / count,
        "rows": held,
        "selected": count,
        "exact": selected if clauses and all(c.is_of_gold for c in clauses) else None,
    }


def draft_study(opened: OpenRoom, clauses: Sequence[Clause]) -> tuple[str, str]:
    """Return the name and the text of a study over the selected customers alone.

    It is the run's own recipe with the selection as ``where``, ``at_least`` and ``under``.

    Raises
    ------
    DataError
        Nothing is selected, or by segments: gold, which a study reads, has none.
    """
    study = opened.study
    if not clauses:
        raise DataError("select some customers first: a study of all of them is there")
    if not all(clause.is_of_gold for clause in clauses):
        raise DataError(
            "a study reads gold, which has no segments: select by the charts of columns, or take"
            " the rule"
        )
    where, least, most = dict(study.where), dict(study.at_least), dict(study.under)
    for clause in clauses:
        if clause.low is not None and clause.high is not None:
            least[clause.column] = max(clause.low, least.get(clause.column, clause.low))
            most[clause.column] = min(clause.high, most.get(clause.column, clause.high))
        else:
            where[clause.column] = _words(clause, opened)
    count = questions.count_where(opened.room, condition(clauses))
    name = re.sub(r"\W", "_", study.name)[:50] + "_selection"
    limits = {"where": where, "at_least": least, "under": most}
    content = study.model_dump(mode="json", exclude_unset=True)
    changed = {
        **content,
        "name": name,
        "title": f"{study.title}, a selection",
        **{key: value for key, value in limits.items() if value},
    }
    drafted = check_study(changed, name)
    comment = (
        f"Drafted from run {opened.room.plan.run_id} of {study.name}:"
        f" {numbers.count(count)} of {numbers.count(opened.room.rows)} {opened.about['things']}.\n"
        f"Run it: python scripts/run_clustering.py --study {name}.toml"
    )
    return f"{name}.toml", study_text(drafted, comment)


def _words(clause: Clause, opened: OpenRoom) -> list[str]:
    plan = opened.room.plan
    words: list[str] = []
    for value in clause.values:
        if value is None:
            raise DataError(f"{clause.column}: a study's where cannot ask for what is not given")
        rare = plan.rare.get(clause.column, ())
        words += rare if value == plan.rare_word else [_as_text(value)]
    return words


def _as_text(value: str | int) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
