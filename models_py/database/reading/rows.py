"""Rows of a file that are no rows: descriptions, totals, remarks, headers written again."""

from __future__ import annotations

from collections.abc import Sequence

from models_py.base.sql_text import literal
from models_py.database.reading.expressions import begins_with_sql, number_sql
from models_py.database.reading.staging import Staged
from models_py.sources.reading.dates import date_shape
from models_py.sources.reading.numbers import DECIMALS, NumberShape, number_shape
from models_py.sources.reading.record import ColumnReading
from models_py.sources.reading.shapes import shape_of
from models_py.sources.reading.words import MISSING, TOTAL_LETTERS, TOTALS

FIRST_ROWS = 200
LAST_ROWS = 5
DESCRIPTION = "row that describes the columns"
TOTAL = "row of totals"
REMARK = "remark in the first column"
HEADER = "header written again"
BLANK = "blank row"
RULE = "line of dashes"


def exclude_rows(staged: Staged, ids: Sequence[str]) -> None:
    """Find rows that are none and leave them out of all that follows.

    Parameters
    ----------
    staged
        A file; :attr:`Staged.excluded` is filled.
    ids
        Columns with ids, in which a row of totals says so.
    """
    texts = [f"c{place}" for place, kind in enumerate(staged.types) if kind == "VARCHAR"]
    if not texts or len(texts) < len(staged.names):
        return
    _exclude_blank(staged)
    _exclude_headers(staged)
    first = staged.query(
        f"select rowid, * from temp.{staged.table} where {staged.kept_rows}"
        f" and rowid < {FIRST_ROWS + len(staged.excluded)} order by rowid limit {FIRST_ROWS}"
    )
    _exclude_descriptions(staged, first)
    if len(staged.names) > 1:
        _exclude_totals(staged, ids)
        _exclude_remarks(staged)


def _exclude_blank(staged: Staged) -> None:
    columns = ", ".join(f"c{place}" for place in range(len(staged.names)))
    if len(staged.names) == 1:
        return
    result = staged.query(
        f"select rowid from temp.{staged.table} where (c0 is null or (c0 < '!'"
        f" and regexp_full_match(c0, '\\s*'))) and trim(concat({columns})) = '' limit 100000"
    )
    staged.excluded.update({int(row): BLANK for (row,) in result})
    # The line that a console draws under its header, and a table of Markdown as well.
    result = staged.query(
        f"select rowid from temp.{staged.table} where (c0 is null or c0 = ''"
        f" or {begins_with_sql('c0', '-=+: ')}) and regexp_full_match(concat({columns}),"
        " '[-=+:_ ]*(--|==)[-=+:_ ]*') limit 1000"
    )
    staged.excluded.update({int(row): RULE for (row,) in result})


def _exclude_headers(staged: Staged) -> None:
    written = staged.dialect.header if staged.dialect is not None else staged.names
    table = f"temp.{staged.table}"
    begins = f"contains(c0, {literal(written[0])})" if written[0] else "true"
    # One column is quick to look at; most files have no second header.
    if not staged.query(f"select 1 from {table} where {begins} limit 1"):
        return
    same = " and ".join(
        f"coalesce(trim(c{place}), '') = {literal(cell)}"
        for place, cell in enumerate(written[: len(staged.names)])
    )
    result = staged.query(f"select rowid from {table} where {begins} and {same}")
    staged.excluded.update({int(row): HEADER for (row,) in result})


def _is_typed(value: str) -> bool:
    text = shape_of(value)
    return bool(number_shape(text) or date_shape(text))


def _exclude_descriptions(staged: Staged, first: Sequence[tuple[object, ...]]) -> None:
    """Leave out one or two rows of words over columns of numbers and dates."""
    for count in (2, 1):
        head, body = first[:count], first[count:]
        if len(body) < 3:
            continue
        likely = [
            place
            for place in range(1, len(staged.names) + 1)
            if any(_is_word(row[place]) for row in head)
            and _share_typed([row[place] for row in body[:5]]) >= 0.8
        ]
        if len(likely) < 2:
            continue
        typed = [
            place
            for place in range(1, len(staged.names) + 1)
            if _share_typed([row[place] for row in body]) >= 0.95
        ]
        if len(typed) < 2:
            continue
        words = [[_is_word(row[place]) for place in typed] for row in head]
        if all(sum(row) >= 2 and sum(row) >= 0.6 * len(row) for row in words):
            staged.excluded.update({int(str(row[0])): DESCRIPTION for row in head})
            return


def _share_typed(values: Sequence[object]) -> float:
    known = [str(v) for v in values if v is not None and str(v).strip().lower() not in MISSING]
    return sum(map(_is_typed, known)) / len(known) if known else 0.0


def _is_word(value: object) -> bool:
    text = str(value or "").strip()
    return bool(text) and text.lower() not in MISSING and not _is_typed(text)


def _exclude_totals(staged: Staged, ids: Sequence[str]) -> None:
    named = [staged.column(name) for name in ids if name in staged.names]
    looked = list(dict.fromkeys(["c0", *named]))
    pattern = literal(rf"(?i)\s*({TOTALS})\s*")
    # The first letter spares most values the pattern.
    condition = " or ".join(
        f"({begins_with_sql(column, TOTAL_LETTERS)} and regexp_full_match({column}, {pattern}))"
        for column in looked
    )
    if len(staged.names) > 2:
        # SAP writes * or nothing in front of it.
        marked = "(c0 is null or regexp_full_match(c0, '[\\s*=_#-]*'))"
        condition += f" or ({marked} and regexp_full_match(c1, {pattern}))"
    result = staged.query(
        f"select rowid, * from temp.{staged.table} where ({condition}) and {staged.kept_rows}"
        " limit 1000"
    )
    for row, *cells in result:
        # A customer may be called so: a row of totals lacks something or ends the file.
        lacks = any(cell is None or not cell.strip() for cell in cells)
        if lacks or row >= staged.rows - LAST_ROWS:
            staged.excluded[int(row)] = TOTAL
    _exclude_unnamed_total(staged, named)


def _exclude_unnamed_total(staged: Staged, ids: Sequence[str]) -> None:
    """Leave out a last row without an id that has the sum of a column above it."""
    if not ids:
        return
    last = staged.query(
        f"select rowid, * from temp.{staged.table} where {staged.kept_rows}"
        " order by rowid desc limit 1"
    )
    if not last:
        return
    row, *cells = last[0]
    if any(cells[int(column[1:])] for column in ids):
        return
    for place, cell in enumerate(cells):
        shape = number_shape(shape_of(cell)) if cell else None
        if shape and any(_is_sum(staged, int(row), place, way) for way in _ways_to_read(shape)):
            staged.excluded[int(row)] = TOTAL
            return


def _ways_to_read(shape: NumberShape) -> list[ColumnReading]:
    # The parts of a sum may have a decimal sign that the sum does without.
    signs = {
        (decimal, thousands)
        for known, thousands in shape.readings
        for decimal in ([known] if known else [sign for sign in DECIMALS if sign != thousands])
    }
    return [
        ColumnReading.model_validate(
            {"type": "number", "decimal": decimal, "thousands": thousands, "unit": shape.unit}
        )
        for decimal, thousands in sorted(signs)
    ]


def _is_sum(staged: Staged, row: int, place: int, reading: ColumnReading) -> bool:
    value = number_sql(f"c{place}", reading)
    ((total, count, said),) = staged.query(
        f"select sum(value) filter (row <> {row}), count(value), max(value) filter (row = {row})"
        f" from (select rowid as row, {value} as value from temp.{staged.table}"
        f" where {staged.kept_rows})"
    )
    if not total or said is None:
        return False
    return bool(count > 2 and abs(total - said) < 0.005 + 1e-9 * abs(total))


def _exclude_remarks(staged: Staged) -> None:
    """Leave out first and last rows of which the first cell alone has words."""
    others = ", ".join(f"c{place}" for place in range(1, len(staged.names)))
    if len(staged.names) < 3:
        return
    results = []
    for edge in ("rowid < 2", f"rowid >= {max(2, staged.rows - LAST_ROWS)}"):
        results += staged.query(
            f"select row, c0 from (select rowid as row, * from temp.{staged.table}"
            f" where {edge} and {staged.kept_rows} order by rowid limit {LAST_ROWS})"
            f" where c0 is not null and trim(concat({others})) = ''"
        )
    if len(results) <= max(1, staged.rows // 20):
        staged.excluded.update({int(row): REMARK for row, cell in results if _is_word(cell)})
