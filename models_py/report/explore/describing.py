"""What the page to look around in needs to know of a run before it asks its first question."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from models_py.base import numbers
from models_py.base.errors import DataError, first_line_of
from models_py.base.patterns import matching
from models_py.database import contract
from models_py.database import exploring_questions as questions
from models_py.database.connection import Warehouse, open_warehouse
from models_py.database.exploring import OWN_COLUMNS, Bins, Room, RoomPlan, Snapshot
from models_py.database.gold import is_number_type
from models_py.database.results import done_runs, read_run_rows
from models_py.describe.withholding import (
    RARE,
    TOGETHER,
    suppressed,
    withheld_segments,
)
from models_py.report.drawing import PALETTE
from models_py.report.facts import MOST_CATEGORIES, records
from models_py.runs.tables import study_speech
from models_py.segmentation.studied import columns_read
from models_py.studies.loading import study_from_json
from models_py.studies.study import Study

BINS = 30
MOST_COLUMNS = 60
EDGES = (0.005, 0.995)
"""Quantiles between which a chart is drawn; the rows beyond are counted all the same."""


@dataclass(frozen=True)
class Column:
    """A column as the page draws it.

    Attributes
    ----------
    kind
        ``number``, ``share`` (a number that is a part of something) or ``word``.
    low, step, bins, bar
        Of a number: where the first bar begins, the width of a bar and how many there are; the
        column of the room that has each customer's bar.
    beyond
        Of a number: rows that lie outside of all bars.
    values
        Of words: each, the most frequent first, and None where some are not given; of yes and
        no ``True`` and ``False``.
    """

    name: str
    words: str
    unit: str
    kind: str
    low: float = 0.0
    step: float = 1.0
    bins: int = 0
    bar: str = ""
    beyond: int = 0
    values: tuple[str | bool | None, ...] = ()


@dataclass(frozen=True)
class OpenRoom:
    """A room with what the page says of it.

    Attributes
    ----------
    room
        The customers.
    study
        The run's recipe.
    about
        For the page, as JSON takes it.
    """

    room: Room
    study: Study
    about: dict[str, Any]


def list_runs(snapshot: Snapshot) -> list[dict[str, str]]:
    """Return the finished runs whose gold table is there, the newest first."""
    with open_warehouse(snapshot.path, read_only=True) as warehouse:
        there = set(warehouse.relations())
        rows = done_runs(warehouse, ["run_id", "study", "started_at", "source_table"])
    return [
        {"run_id": run_id, "study": study, "when": numbers.moment(started_at)}
        for run_id, study, started_at, source in reversed(rows)
        if source in there
    ]


def open_room(snapshot: Snapshot, run_id: str, before_id: str | None = None) -> OpenRoom:
    """Take one run's customers out of a snapshot.

    Parameters
    ----------
    snapshot
        The copy of the warehouse.
    run_id
        The run.
    before_id
        Another run of its study, to see who moved.

    Raises
    ------
    DataError
        There is no such run, or its study was written by another version.
    """
    with open_warehouse(snapshot.path, read_only=True) as warehouse:
        study = _study_of(warehouse, run_id)
        if before_id is not None and _study_of(warehouse, before_id).name != study.name:
            raise DataError(f"run {before_id} is of another study than run {run_id}")
        segments = read_run_rows(warehouse, contract.segments, run_id)
        before = read_run_rows(warehouse, contract.segments, before_id or "")
        plan = _plan(warehouse, study, (run_id, before_id), (segments, before))
    room = Room(plan, snapshot)
    if room.rows == 0:
        room.close()
        raise DataError(f"{study.table} holds none of the rows of run {run_id} any more")
    return OpenRoom(room, study, _about(room, study, segments, before))


def _study_of(warehouse: Warehouse, run_id: str) -> Study:
    rows = done_runs(warehouse, ["parameters"], run_id)
    if not rows:
        raise DataError(f"there is no finished run '{run_id}'; see python scripts/run_sql.py runs")
    try:
        return study_from_json(json.loads(rows[0][0]))
    except ValueError as error:
        raise DataError(
            f"run {run_id}: its study was written by another version ({first_line_of(error)})"
        ) from error


def _plan(
    warehouse: Warehouse,
    study: Study,
    run_ids: tuple[str, str | None],
    segments: tuple[Any, Any],
) -> RoomPlan:
    schema, name = study.schema_and_name
    types = warehouse.columns(schema, name)
    least = study.describe.small_segment
    read = [c for c in columns_read(study, types) if c not in OWN_COLUMNS]
    others = [c for c in types if c not in read and c != study.entity and types[c] == "VARCHAR"]
    missing = {
        column: tuple(values)
        for pattern, values in study.features.missing.items()
        for column in matching(pattern, types)
    }
    counted = {
        column: questions.gold_words(warehouse, study.schema_and_name, column, MOST_CATEGORIES + 1)
        for column in [*read, *others]
        if types[column] in ("VARCHAR", "BOOLEAN")
    }
    few = [c for c, counts in counted.items() if 2 <= len(counts) <= MOST_CATEGORIES]
    words = [c for c in few if types[c] == "VARCHAR"]
    answers = [c for c in few if types[c] == "BOOLEAN" and min(counted[c].values()) >= least]
    figures = [c for c in read if is_number_type(types[c])]
    drawn = {*words, *answers, *figures}
    chosen = [c for c in [*read, *others] if c in drawn][:MOST_COLUMNS]
    return RoomPlan(
        run_id=run_ids[0],
        before_id=run_ids[1],
        schema=schema,
        table=name,
        entity=study.entity,
        numbers=tuple(c for c in chosen if c in figures),
        words=tuple(c for c in chosen if c in words),
        answers=tuple(c for c in chosen if c in answers),
        missing=missing,
        rare={column: _rare(counted[column], least) for column in words},
        rare_word=RARE,
        withheld=frozenset(_withheld(segments[0], least)),
        withheld_before=frozenset(_withheld(segments[1], least)),
    )


def _rare(counts: dict[str, int], least: int) -> tuple[str, ...]:
    hidden = suppressed(np.array(list(counts.values()), dtype=np.int64), least)
    return tuple(word for word, is_hidden in zip(counts, hidden, strict=True) if is_hidden)


def _withheld(segments: Any, least: int) -> set[int]:
    partitions, ids, sizes = (
        segments[name].tolist() for name in ("partition", "segment_id", "size")
    )
    return withheld_segments(partitions, ids, sizes, least)


def _about(room: Room, study: Study, segments: Any, before: Any) -> dict[str, Any]:
    plan = room.plan
    sample = questions.first_customers(room, 1000)
    speech = study_speech(study, sample[plan.columns])
    columns = [_number(room, name, speech) for name in plan.numbers]
    columns += [_words(room, name, speech) for name in [*plan.words, *plan.answers]]
    columns = _prepared(room, columns)
    order = {name: place for place, name in enumerate(_by_importance(room, study))}
    columns.sort(key=lambda column: order.get(column.name, len(order)))
    shown = segments[~segments["segment_id"].isin(plan.withheld)]
    return {
        "run_id": plan.run_id,
        "before_id": plan.before_id,
        "study": study.name,
        "title": study.title,
        "things": speech.who,
        "entity": plan.entity,
        "table": study.table,
        "rows": room.rows,
        "left_out": int(segments["size"].sum()) - room.rows,
        "withheld": len(plan.withheld),
        "taken_at": room.snapshot.taken_at.isoformat() + "Z",
        "segments": _named(shown),
        "segments_before": _named(before[~before["segment_id"].isin(plan.withheld_before)])
        + ([{"segment_id": TOGETHER, "name": "not described"}] if plan.withheld_before else []),
        "columns": [asdict(c) for c in columns if c.bins or len(c.values) > 1],
        "moved": _moved(room) if plan.before_id else None,
    }


def _prepared(room: Room, columns: list[Column]) -> list[Column]:
    bins = {c.name: Bins(c.low, c.step, c.bins) for c in columns if c.bins}
    words = {
        c.name: [str(word) for word in c.values if word is not None]
        for c in columns
        if c.kind == "word"
    }
    room.prepare(bins, {name: words[name] for name in room.plan.words})
    bars = {name: f"_bin_{place}" for place, name in enumerate(bins)}
    return [replace(c, bar=bars.get(c.name, "")) for c in columns]


def _named(segments: Any) -> list[dict[str, Any]]:
    return [
        {
            "segment_id": int(row["segment_id"]),
            "name": str(row["name"]),
            "colour": (int(row["segment_id"]) - 1) % PALETTE + 1,
        }
        for row in records(segments.sort_values("segment_id"))
    ]


def _moved(room: Room) -> dict[str, int]:
    stayed, moved, came = questions.count_moves(room)
    return {"stayed": stayed, "moved": moved, "came": came}


def _by_importance(room: Room, study: Study) -> list[str]:
    """Return the columns by how much of their variance lies between segments, the most first."""
    with open_warehouse(room.snapshot.path, read_only=True) as warehouse:
        rows = read_run_rows(warehouse, contract.segment_features, room.plan.run_id)
    if rows.empty:
        return list(room.plan.numbers)
    rows = rows.assign(column=rows["feature"].str.partition("=")[0])
    strongest = rows.groupby("column")["importance"].max().sort_values(ascending=False)
    features = set(rows.loc[rows["is_model_feature"], "column"])
    names = [str(name) for name in strongest.index]
    first = [study.label] if study.label else []
    ordered = [*(n for n in names if n in features), *(n for n in names if n not in features)]
    return list(dict.fromkeys([*first, *ordered]))


def _number(room: Room, name: str, speech: Any) -> Column:
    low, high, least, most = questions.number_range(room, name, EDGES)
    vocabulary = speech.vocabulary
    named = {"name": name, "words": vocabulary.called(name), "unit": vocabulary.unit(name).strip()}
    kind = "share" if numbers.is_share(name) else "number"
    if low is None or high is None or least is None or most is None or least == most:
        return Column(**named, kind=kind)
    low, high = (low, high) if low < high else (least, most)
    is_whole = questions.is_whole(room, name)
    start, step, bins = nice_bins(low, high, BINS, 1.0 if is_whole else 0.0)
    beyond = questions.count_outside(room, name, start, start + bins * step)
    return Column(**named, kind=kind, low=start, step=step, bins=bins, beyond=beyond)


def nice_bins(
    low: float, high: float, most: int, least_step: float = 0.0
) -> tuple[float, float, int]:
    """Return where bars of a round width begin that hold all from ``low`` to ``high``.

    Returns
    -------
    start, step, bins
        The first edge, the width (1, 2 or 5 times a power of ten) and how many bars.

    Examples
    --------
    >>> nice_bins(0.0, 97.0, 30)
    (0.0, 5.0, 20)
    """
    rough = (high - low) / most
    power = 10.0 ** np.floor(np.log10(rough))
    step = float(next(m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9)))
    step = max(step, least_step)
    start = float(np.floor(low / step) * step)
    return start, step, int(np.floor((high - start) / step)) + 1


def _words(room: Room, name: str, speech: Any) -> Column:
    counted = questions.room_words(room, name)
    words = tuple(sorted(counted, key=lambda word: word is None))
    vocabulary = speech.vocabulary
    is_answer = name in room.plan.answers
    called = vocabulary.yes_or_no(name, True).words if is_answer else vocabulary.called(name)
    return Column(name, called, "", "word", values=words)
