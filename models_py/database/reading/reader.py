"""Read a file: stage it, decide its columns, and say what was lost on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from models_py.base.errors import DataError
from models_py.database.connection import quoted
from models_py.database.reading.columns import Column, ReadingOptions, decide_columns, rounded_ids
from models_py.database.reading.expressions import is_known_sql, tight_sql, typed_sql
from models_py.database.reading.order_cells import fill_order_cells
from models_py.database.reading.rows import BLANK, exclude_rows
from models_py.database.reading.staging import Staged, require_zone
from models_py.sources.reading.numbers import STRAY_SHARE
from models_py.sources.reading.record import ColumnReading, Loss, Reading
from models_py.sources.reading.shapes import quoted_example

LIMIT = 0.05
"""Share of the lines, or of the amount, that may be lost before a command stops."""
MOST_WHOLE = 1e15


@dataclass
class FileReading:
    """A staged file with everything that was decided about it.

    Attributes
    ----------
    staged
        The file.
    record
        As it goes into the study.
    columns
        Of the file, with their counts and notes.
    whole
        Columns of numbers of which every one is whole.
    warnings
        Lines to say.
    """

    staged: Staged
    record: Reading
    columns: list[Column]
    whole: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)

    def expression(self, name: str) -> str:
        """Return SQL for the typed value of a column of the file."""
        staged = self.staged.column(name)
        is_text = self.staged.kind_of(staged) == "VARCHAR"
        proved = self.proved.get(name)
        if proved is not None:
            return f"try_cast({staged} as {proved})"
        if name in self.tight:
            return tight_sql(staged, self.record.columns[name].missing)
        typed = self.value(staged, self.record.columns[name])
        return f"cast({typed} as bigint)" if name in self.whole and is_text else typed

    @property
    def proved(self) -> dict[str, str]:
        """Types of columns of which every value is proved to be written as DuckDB writes it."""
        types = {}
        for column in self.columns:
            if column.is_whole or column.is_broken:
                types[column.name] = "bigint" if column.is_whole else "double"
            elif column.is_iso:
                types[column.name] = "date" if column.reading.type == "date" else "timestamp"
        return types

    @property
    def tight(self) -> set[str]:
        """Ids and words of which every value is proved to stand without blanks around it."""
        return {c.name for c in self.columns if c.is_tight and not c.reading.strip_point_zero}

    def value(self, staged: str, reading: ColumnReading) -> str:
        """Return SQL for the typed value of a staged column."""
        return typed_sql(staged, reading, self.record.time_zone, self.staged.kind_of(staged))

    @property
    def typed_columns(self) -> list[str]:
        """SQL of every column of the table that the file becomes, each with its name."""
        chosen = [f"{self.expression(name)} as {quoted(name)}" for name in self.record.columns]
        if self.record.numbered:
            chosen.insert(0, f"rowid + 1 as {quoted(self.record.numbered)}")
        for made, name in self.record.days_columns.items():
            day = f"cast({self.expression(name)} as date)"
            last = f"date '{self.record.last_date}'"
            chosen.append(f"date_diff('day', {day}, {last}) as {quoted(made)}")
        return chosen


def read_staged(
    staged: Staged,
    options: ReadingOptions,
    *,
    recorded: Reading | None = None,
    numbered: bool = False,
) -> FileReading:
    """Decide how a staged file is read, or read it as a record says.

    Parameters
    ----------
    staged
        The file.
    options
        What the user says of it.
    recorded
        How it, or another file of its kind, was read before: nothing is decided anew.
    numbered
        Whether the rows are numbered for want of an id.

    Raises
    ------
    DataError
        A column can be read in two ways, or not as the record says.
    """
    zone = recorded.time_zone if recorded else options.time_zone
    require_zone(staged.warehouse, zone)
    exclude_rows(staged, options.ids)
    fill_order_cells(staged, options.order_cells)
    if recorded is None:
        columns = decide_columns(staged, options)
    else:
        columns = _recorded_columns(staged, recorded, options)
    numbered_name = recorded.numbered if recorded else _free_name(staged.names) if numbered else ""
    readings = {c.name: _with_example(c) for c in columns}
    record = Reading(
        file=staged.source,
        kind=staged.kind,  # type: ignore[arg-type]
        encoding=staged.encoding,
        delimiter=staged.delimiter,
        quote=staged.quote,
        header_line=staged.header_line,
        sheet=staged.sheet,
        time_zone=zone,
        last_date=recorded.last_date if recorded else None,
        numbered=numbered_name,
        lines=staged.rows + len(staged.misshapen),
        columns=readings,
    )
    read = FileReading(staged, record, columns)
    _count_typed(read, recorded)
    losses = [*_row_losses(staged, record.lines), *_value_losses(read)]
    read.record = read.record.model_copy(update={"losses": losses})
    read.warnings += staged.notes
    read.warnings += [f"{c.name}: {c.note}" for c in columns if c.note]
    return read


def _free_name(names: Sequence[str]) -> str:
    taken = {name.lower() for name in names}
    return next(
        name for name in ("row", "row_number", "row_id", "row_of_file") if name not in taken
    )


def _with_example(column: Column) -> ColumnReading:
    example = next((value for value in column.sample if value.strip() not in column.missing), "")
    return column.reading.model_copy(update={"example": example.strip()[:60]})


def _recorded_columns(staged: Staged, recorded: Reading, options: ReadingOptions) -> list[Column]:
    # Columns that the record does not have are of no use to whoever reads by it.
    columns = []
    for place, (name, kind) in enumerate(zip(staged.names, staged.types, strict=True)):
        reading = recorded.columns.get(name, ColumnReading(type="text"))
        if kind == "VARCHAR" and reading.type == "as_is":
            reading = ColumnReading(type="text")
        elif name in options.ids and reading.type != "id":
            reading = ColumnReading(type="id", missing=reading.missing)
        columns.append(Column(name, f"c{place}", reading=reading))
    counted = [column for column in columns if column.reading.type != "as_is"]
    chosen = []
    for column in counted:
        value = f"cast({column.staged} as varchar)"
        known = is_known_sql(value, column.reading.missing)
        chosen.append(f"count(*) filter ({known}), arg_min({value}, rowid) filter ({known})")
    if counted:
        # In one pass: a file of many columns would be scanned as often as it has some.
        (result,) = staged.query(
            f"select {', '.join(chosen)} from temp.{staged.table} where {staged.kept_rows}"
        )
        for column, count, first in zip(counted, result[::2], result[1::2], strict=True):
            column.known, column.sample = int(count), [first] if first else []
    return columns


def _count_typed(read: FileReading, recorded: Reading | None) -> None:
    """Count what each typed column holds: what was not understood, whole numbers, the last date."""
    counted = [
        c
        for c in read.columns
        if c.reading.type in {"number", "date", "time", "truth"}
        and read.staged.kind_of(c.staged) == "VARCHAR"
    ]
    read.whole |= {c.name for c in counted if c.is_whole}
    counted = [c for c in counted if not (c.is_whole or c.is_broken)]
    if not counted:
        return
    now = f"timestamp '{datetime.now(UTC):%Y-%m-%d %H:%M:%S}'"
    chosen, values = [], []
    for place, column in enumerate(counted):
        value = f"v{place}"
        values.append(f"{read.expression(column.name)} as {value}")
        chosen.append(f"count({value})")
        if column.reading.type == "number":
            chosen.append(f"coalesce(bool_or({value} <> trunc({value})), true)")
            chosen.append(f"max(abs({value}))")
        elif column.reading.type == "truth":
            chosen += ["true", "null"]
        else:
            chosen += [f"max({value}) filter ({value} <= {now})", "null"]
    (result,) = read.staged.query(
        f"select {', '.join(chosen)} from (select {', '.join(values)}"
        f" from temp.{read.staged.table} where {read.staged.kept_rows})"
    )
    last: list[date] = []
    for place, column in enumerate(counted):
        known, second, third = result[3 * place : 3 * place + 3]
        column.strays = column.known - int(known)
        if column.reading.type == "number" and not second and (third or 0) < MOST_WHOLE:
            read.whole.add(column.name)
        if column.reading.type in {"date", "time"} and second is not None:
            last.append(second.date() if isinstance(second, datetime) else second)
        if recorded is not None and column.strays > STRAY_SHARE * column.known:
            _find_stray(read, column)
            assert column.stray is not None
            raise DataError(
                f"{read.staged.source}, column '{column.name}': {column.strays:,} values are no"
                f" {column.reading.type} as the study reads it, such as"
                f" {quoted_example(column.stray)}: see [reading] in the study file"
            )
    if read.record.last_date is None and last:
        read.record = read.record.model_copy(update={"last_date": max(last)})


def _find_stray(read: FileReading, column: Column) -> None:
    from models_py.sources.reading.shapes import Shape

    value = read.value(column.staged, column.reading)
    known = is_known_sql(column.staged, column.reading.missing)
    ((count, row, example),) = read.staged.query(
        f"select count(*), min(rowid), arg_min({column.staged}, rowid)"
        f" from temp.{read.staged.table}"
        f" where {known} and {value} is null and {read.staged.kept_rows}"
    )
    column.strays = int(count)
    column.stray = Shape("", int(count), read.staged.line(row), example) if count else None


def _row_losses(staged: Staged, lines: int) -> list[Loss]:
    losses = []
    by_reason: dict[str, list[int]] = {}
    for row, reason in sorted(staged.excluded.items()):
        if reason != BLANK:
            by_reason.setdefault(reason, []).append(row)
    for reason, rows in by_reason.items():
        (cells,) = staged.query(f"select * from temp.{staged.table} where rowid = {rows[0]}")
        shown = ", ".join(str(cell).strip() for cell in cells if cell)[:60]
        losses.append(
            Loss(
                reason=reason,
                lines=len(rows),
                share=len(rows) / lines,
                line=staged.line(rows[0]),
                example=shown,
                is_expected=True,
            )
        )
    by_problem: dict[str, list[int]] = {}
    for place, bad in enumerate(staged.misshapen):
        by_problem.setdefault(bad.problem, []).append(place)
    for problem, places in by_problem.items():
        first = staged.misshapen[places[0]]
        losses.append(
            Loss(
                reason=problem,
                lines=len(places),
                share=len(places) / lines,
                line=first.line,
                example=first.text.strip()[:60],
            )
        )
    return losses


_WANTED = {
    "number": "no number",
    "date": "no date",
    "time": "no time",
    "truth": "neither yes nor no",
}


def _value_losses(read: FileReading) -> list[Loss]:
    losses = []
    for column in read.columns:
        is_text = read.staged.kind_of(column.staged) == "VARCHAR"
        if column.reading.type not in _WANTED or column.strays <= 0 or not is_text:
            continue
        _find_stray(read, column)
        if column.stray is None:
            continue
        losses.append(
            Loss(
                reason=f"{_WANTED[column.reading.type]}: missing",
                kind="values",
                column=column.name,
                lines=column.strays,
                share=column.strays / read.record.lines,
                line=column.stray.line,
                example=column.stray.example.strip()[:60],
            )
        )
    return losses


def refuse_rounded_ids(read: FileReading, option: str, name: str) -> None:
    """Refuse ids that a spreadsheet has rounded.

    Raises
    ------
    DataError
        Naming the first.
    """
    first = rounded_ids(read.staged, name)
    if first is not None:
        raise DataError(
            f"{option} {name}: {first.count:,} ids such as {quoted_example(first)} were rounded by"
            " a spreadsheet, different ones look alike: export the file again with that column"
            " as text"
        )


def check_losses(losses: Sequence[Loss], lines: int, accepted: bool) -> None:
    """Refuse to go on where too much is lost.

    Raises
    ------
    DataError
        More than :data:`LIMIT` of the lines, or of the amount, and it was not accepted.
    """
    counted = [loss for loss in losses if loss.kind == "lines" and not loss.is_expected]
    lost = sum(loss.lines for loss in counted)
    amount = sum(loss.amount_share or 0.0 for loss in counted)
    if accepted or (lost <= LIMIT * lines and amount <= LIMIT):
        return
    reasons = "; ".join(
        f"{loss.lines:,} {loss.reason}"
        + (f" (such as line {loss.line:,})" if loss.line is not None else "")
        for loss in sorted(counted, key=lambda loss: -loss.lines)[:3]
    )
    of_amount = f" with {amount:.0%} of the amount" if amount else ""
    raise DataError(
        f"{lost:,} of {lines:,} lines ({lost / lines:.0%}){of_amount} would be left out: {reasons}."
        " Mend the file, or go on without them: --accept-losses"
    )
