"""A file as a table of text: every row in its order, nothing typed, nothing lost unsaid."""

from __future__ import annotations

import csv
import itertools
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_py.database.connection import Warehouse, quoted
from models_py.base.sql_text import literal
from models_py.base.errors import DataError, UsageError, WarehouseError
from models_py.sources.reading.dialect import (
    BLANKS,
    Dialect,
    detect_dialect,
    header_place,
    squeezed,
    unique_names,
)
from models_py.sources.reading.encoding import (
    Encoded,
    broken_word,
    file_kind,
    inspect_encoding,
    read_start,
    write_plain,
)

if TYPE_CHECKING:
    import pyarrow as pa

MOST_MISSHAPEN = 0.2
"""Share of lines of another width past which the layout itself is taken for wrong."""
ROWS_AT_ONCE = 50_000
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Hints:
    """What is known of a file before it is looked at.

    Attributes
    ----------
    encoding, delimiter
        Of a text file, where the user or the record names them.
    sheet, recorded_sheet
        Of a workbook: as the user names it, and as the record does, which a workbook of one sheet
        need not have.
    names
        Columns that it must have: the row that holds them all is the header.
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str = ""
    recorded_sheet: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Misshapen:
    """A line that has more or fewer values than the header has names."""

    line: int
    text: str
    problem: str


@dataclass
class Staged:
    """A file in a temporary table, its columns called ``c0``, ``c1``, ... in the file's order.

    Attributes
    ----------
    warehouse
        Where the table is.
    source
        Name of the file or table, for messages.
    kind, encoding, delimiter, quote, header_line, sheet
        As the record has them.
    notes
        What is to be said of the file as a whole.
    table
        The temporary table.
    names
        Of the columns.
    types
        DuckDB's, of each column; all text for a text file.
    rows
        In the table.
    misshapen
        Lines that are not in the table.
    """

    warehouse: Warehouse
    source: str
    kind: str
    table: str
    names: list[str]
    types: list[str]
    rows: int
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    header_line: int = 1
    sheet: str = ""
    notes: list[str] = field(default_factory=list)
    skip: int = 1
    is_dense: bool = True
    text_file: Path | None = None
    dialect: Dialect | None = None
    misshapen: list[Misshapen] = field(default_factory=list)
    excluded: dict[int, str] = field(default_factory=dict)

    def column(self, name: str) -> str:
        """Return the staged column of a name."""
        return f"c{self.names.index(name)}"

    def kind_of(self, column: str) -> str:
        """Return DuckDB's type of a staged column."""
        return self.types[int(column[1:])]

    @property
    def kept_rows(self) -> str:
        """Condition that leaves out rows that are none, such as totals."""
        if not self.excluded:
            return "true"
        return f"rowid not in ({', '.join(map(str, sorted(self.excluded)))})"

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement and fetch its rows."""
        return self.warehouse.rows(sql)

    def lines(self, rows: Iterable[int]) -> dict[int, int]:
        """Return the line of the file on which each row begins."""
        wanted = set(rows)
        if self.is_dense or self.text_file is None or self.dialect is None:
            return {row: row + 1 + self.skip for row in wanted}
        return _scanned_lines(self.text_file, self.dialect, self.misshapen, wanted)

    def line(self, row: int) -> int:
        """Return the line of the file on which a row begins."""
        return self.lines([row])[row]


@contextmanager
def staged_file(
    warehouse: Warehouse,
    path: Path,
    hints: Hints = Hints(),
) -> Iterator[Staged]:
    """Stage a file of any kind for as long as the block lasts.

    Parameters
    ----------
    warehouse
        Where the temporary table is made; it may be open for reading only.
    path
        A text file (plain or gzipped), an Excel workbook or a parquet file.
    hints
        What is known of it.

    Raises
    ------
    DataError
        The file is empty, damaged or no table.
    UsageError
        A sheet is named that it has not.
    """
    kind = file_kind(path)
    if kind == "empty":
        raise DataError(f"{path} is empty")
    if path.suffix.lower() == ".parquet" and kind != "parquet":
        raise DataError(f"{path} cannot be read: it is no parquet file")
    table = f"reading_{next(_numbers)}"
    with tempfile.TemporaryDirectory(prefix="reading_") as folder:
        try:
            if kind == "parquet":
                source = f"read_parquet({literal(str(path))})"
                yield _stage_typed(warehouse, table, source, path.name, "parquet")
            elif kind == "workbook":
                yield _stage_workbook(warehouse, table, path, hints)
            else:
                yield _stage_text(warehouse, table, path, Path(folder), hints)
        finally:
            # The connection of a failed transaction takes no statement until it is rolled back.
            import contextlib

            with contextlib.suppress(WarehouseError):
                warehouse.rows(f"drop table if exists temp.{table}")


@contextmanager
def staged_table(warehouse: Warehouse, schema: str, name: str) -> Iterator[Staged]:
    """Stage a table of the warehouse for as long as the block lasts."""
    table = f"reading_{next(_numbers)}"
    warehouse.columns(schema, name)
    try:
        yield _stage_typed(warehouse, table, quoted(schema, name), f"{schema}.{name}", "table")
    finally:
        warehouse.rows(f"drop table if exists temp.{table}")


@contextmanager
def staged_rows(warehouse: Warehouse, rows: pa.Table, name: str) -> Iterator[Staged]:
    """Stage rows in memory for as long as the block lasts.

    Parameters
    ----------
    warehouse
        Where the temporary table is made.
    rows
        Of any types.
    name
        What messages call them.
    """
    table = f"reading_{next(_numbers)}"
    given = f"{table}_rows"
    warehouse.raw.register(given, rows)
    try:
        yield _stage_typed(warehouse, table, given, name, "table")
    finally:
        import contextlib

        warehouse.raw.unregister(given)
        with contextlib.suppress(WarehouseError):
            warehouse.rows(f"drop table if exists temp.{table}")


def _stage_typed(warehouse: Warehouse, table: str, source: str, name: str, kind: str) -> Staged:
    try:
        described = warehouse.rows(f"describe select * from {source}")
    except WarehouseError as error:
        raise DataError(f"{name} cannot be read: {error}") from error
    names = [str(row[0]) for row in described]
    types = [str(row[1]) for row in described]
    columns = []
    for place, (column, kind_of) in enumerate(zip(names, types, strict=True)):
        value = quoted(column)
        if kind_of == "TIMESTAMP WITH TIME ZONE":
            # Written out in UTC: what the machine's zone makes of it stays out of the data.
            value = f"strftime({value} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
            types[place] = "VARCHAR"
        elif kind_of == "DATE" or kind_of.startswith(("TIMESTAMP", "ENUM")):
            value, types[place] = f"cast({value} as varchar)", "VARCHAR"
        elif kind_of in {"FLOAT", "DOUBLE"}:
            # What programs write for no number is none.
            value = f"case when isnan({value}) then null else {value} end"
        columns.append(f"{value} as c{place}")
    warehouse.rows(f"create temp table {table} as select {', '.join(columns)} from {source}")
    ((rows,),) = warehouse.rows(f"select count(*) from temp.{table}")
    if not rows:
        raise DataError(f"{name} has no rows")
    return Staged(warehouse, name, kind, table, names, types, rows, skip=0, header_line=0)


def _stage_text(
    warehouse: Warehouse,
    table: str,
    path: Path,
    folder: Path,
    hints: Hints,
) -> Staged:
    encoded = inspect_encoding(path, hints.encoding)
    start = read_start(path, encoded)
    dialect = detect_dialect(start, path.name, hints.delimiter, hints.names)
    plain = path
    if not encoded.is_ready:
        plain = folder / "plain.csv"
        write_plain(path, encoded, plain)
    if dialect.delimiter == BLANKS:
        plain = _squeeze(plain, folder / "squeezed.csv")
    names = dialect.names
    _read_csv(warehouse, table, plain, dialect)
    ((rows,),) = warehouse.rows(f"select count(*) from temp.{table}")
    lines = _line_count(encoded, plain)
    staged = Staged(
        warehouse,
        path.name,
        "text",
        table,
        names,
        ["VARCHAR"] * len(names),
        rows,
        encoding=encoded.name,
        delimiter=dialect.delimiter,
        quote=dialect.quote,
        header_line=dialect.header_line,
        skip=dialect.skip,
        is_dense=rows == lines - dialect.skip,
        text_file=plain,
        dialect=dialect,
    )
    staged.notes += _encoding_notes(encoded, start)
    _take_rejects(staged)
    if not rows:
        raise DataError(f"{path} has no rows")
    if not staged.is_dense:
        _check_swallowed(staged)
    _drop_nameless(staged)
    return staged


def _encoding_notes(encoded: Encoded, start: str) -> list[str]:
    if encoded.example:
        return [f"read as {encoded.name}, such as '{encoded.example}': another one by --encoding"]
    broken = broken_word(start)
    if broken is None:
        return []
    return [
        f"'{broken[0]}' (line {broken[2]:,}) was '{broken[1]}' before the file was saved in a wrong"
        " encoding: words like it stay as they are"
    ]


def _squeeze(plain: Path, target: Path) -> Path:
    with (
        plain.open(encoding="utf-8", newline="") as lines,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        out.writelines(f"{squeezed(line.rstrip(chr(10)))}\n" for line in lines)
    return target


def _drop_nameless(staged: Staged) -> None:
    # A mark at the end of every line makes a last column without a name or a value.
    assert staged.dialect is not None
    while len(staged.names) > 1 and not staged.dialect.header[len(staged.names) - 1]:
        last = f"c{len(staged.names) - 1}"
        ((known,),) = staged.query(
            f"select count(*) from temp.{staged.table} where trim({last}) <> ''"
        )
        if known:
            return
        del staged.names[-1], staged.types[-1]


def _line_count(encoded: Encoded, plain: Path) -> int:
    ends = max(encoded.newlines, encoded.newlines + encoded.returns - encoded.pairs)
    with plain.open("rb") as stream:
        stream.seek(-1, 2)
        return ends + (stream.read(1) not in b"\r\n")


def _read_csv(warehouse: Warehouse, table: str, plain: Path, dialect: Dialect) -> None:
    columns = ", ".join(f"'c{place}': 'varchar'" for place in range(len(dialect.names)))
    escape = dialect.escape if dialect.quote else ""
    options = (
        f"auto_detect = false, header = false, skip = {dialect.skip}, columns = {{{columns}}},"
        f" delim = {literal(dialect.delimiter)}, quote = {literal(dialect.quote)},"
        f" escape = {literal(escape)}, nullstr = '', ignore_errors = true, store_rejects = true,"
        f" rejects_table = '{table}_errors', rejects_scan = '{table}_scans', rejects_limit = 0,"
        " max_line_size = 16000000"
    )
    source = f"read_csv({literal(str(plain))}, {options})"
    try:
        warehouse.rows(f"create temp table {table} as select * from {source}")
    except WarehouseError as error:
        lines = str(error).removeprefix(f"{warehouse.path.name}: ")
        raise DataError(f"{plain.name} cannot be read: {lines}") from error


def _take_rejects(staged: Staged) -> None:
    result = staged.query(
        f"select line, min(error_type::varchar), min(csv_line) from temp.{staged.table}_errors"
        " group by line order by line"
    )
    for suffix in ("errors", "scans"):
        staged.query(f"drop table if exists temp.{staged.table}_{suffix}")
    width = len(staged.names)
    for line, problem, text in result:
        if "UNQUOTED" in problem:
            raise DataError(
                f"{staged.source}, line {line:,}: a quotation mark is opened and not closed"
                f" ({_short(text)}): mend that line"
            )
        if not text.strip(f"{staged.delimiter} \t\r\n{staged.quote}"):
            continue
        one_line = text.strip("\r\n").replace("\r", " ").replace("\n", " ")
        cells = next(csv.reader([one_line], delimiter=staged.delimiter, quotechar=staged.quote))
        what = f"has {len(cells)} values where the header has {width} names"
        staged.misshapen.append(Misshapen(int(line), text, what))
    wrong = len(staged.misshapen)
    if wrong > MOST_MISSHAPEN * (staged.rows + wrong):
        first = staged.misshapen[0]
        raise DataError(
            f"{staged.source}, line {first.line:,}: {first.problem}, and so {wrong - 1:,} other"
            f" lines ({_short(first.text)}): a value with {staged.delimiter!r} in it needs quotes"
        )


def _check_swallowed(staged: Staged) -> None:
    """Refuse a value that holds whole lines: its quotation mark was never closed."""
    for place in range(len(staged.names)):
        result = staged.query(
            f"select min(rowid) from temp.{staged.table}"
            f" where regexp_matches(c{place}, {literal(_swallowed_pattern(staged))})"
        )
        if result[0][0] is not None:
            line = staged.line(result[0][0])
            raise DataError(
                f"{staged.source}, line {line:,}: a quotation mark is opened in column"
                f" '{staged.names[place]}' and closed only lines later: mend that line"
            )


def _swallowed_pattern(staged: Staged) -> str:
    import re

    mark = re.escape(staged.delimiter)
    needed = max(1, len(staged.names) - 1)
    return rf"\n(?:[^\n{mark}]*{mark}){{{needed}}}"


def _scanned_lines(
    path: Path, dialect: Dialect, misshapen: Sequence[Misshapen], wanted: set[int]
) -> dict[int, int]:
    """Find rows by reading the text again, which only blank lines or line breaks make needed."""
    left_out = {bad.line for bad in misshapen}
    results: dict[int, int] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for _ in range(dialect.skip):
            stream.readline()
        reader = csv.reader(
            stream, delimiter=dialect.delimiter, quotechar=dialect.quote or None,
            doublequote=dialect.escape != "\\",
            escapechar="\\" if dialect.escape == "\\" else None, skipinitialspace=True,
        )  # fmt: skip
        row, before = -1, dialect.skip
        for cells in reader:
            begins, before = before + 1, dialect.skip + reader.line_num
            if (not cells and len(dialect.names) > 1) or begins in left_out:
                continue
            row += 1
            if row in wanted:
                results[row] = begins
                if len(results) == len(wanted):
                    break
    return {row: results.get(row, row + 1 + dialect.skip) for row in wanted}


def _stage_workbook(warehouse: Warehouse, table: str, path: Path, hints: Hints) -> Staged:
    import pyarrow as pa

    sheet, rows, others = _sheet(path, hints)
    width = max(len(row) for row in rows)
    header = header_place(rows, hints.names)
    used = [p for p in range(width) if any(p < len(row) and row[p] for row in rows[header:])]
    names = unique_names([rows[header][p] or "" for p in used])
    data = rows[header + 1 :]
    if not data:
        raise DataError(f"{path} has no rows after its header on line {header + 1:,}")
    arrays = [pa.array([row[p] for row in data], type=pa.string()) for p in used]
    loaded = pa.Table.from_arrays(arrays, names=[f"c{place}" for place in range(len(used))])
    _register(warehouse, table, loaded)
    return Staged(
        warehouse,
        path.name,
        "workbook",
        table,
        names,
        ["VARCHAR"] * len(names),
        len(data),
        header_line=header + 1,
        skip=header + 1,
        sheet=sheet if others else "",
        notes=_other_sheets(sheet, others),
    )


Rows = list[list[str | None]]


def _sheet(path: Path, hints: Hints) -> tuple[str, Rows, dict[str, int]]:
    """Return name and rows of the sheet to read, and the rows of each other sheet."""
    import python_calamine

    try:
        opened = python_calamine.CalamineWorkbook.from_path(path)
        sheets: dict[str, Rows] = {
            name: [
                [_cell_text(cell) for cell in row]
                for row in opened.get_sheet_by_name(name).to_python(skip_empty_area=False)
            ]
            for name in opened.sheet_names
        }
    except (python_calamine.CalamineError, OSError) as error:
        raise DataError(
            f"{path} cannot be read: it is no whole Excel workbook ({error})"
        ) from error
    filled = {name: rows for name, rows in sheets.items() if any(any(row) for row in rows)}
    if not filled:
        raise DataError(f"{path} has no rows")
    if hints.sheet and hints.sheet not in filled:
        raise UsageError(
            f"--sheet {hints.sheet}: {path.name} has no such sheet with rows (it has:"
            f" {', '.join(filled)})"
        )
    recorded = hints.recorded_sheet if hints.recorded_sheet in filled else ""
    chosen = hints.sheet or recorded or next(iter(filled))
    if not (hints.sheet or recorded):
        _refuse_parts(path, {name: _header_of(rows, hints) for name, rows in filled.items()})
    others = {name: len(rows) for name, rows in filled.items() if name != chosen}
    return chosen, filled[chosen], others


def _header_of(rows: Rows, hints: Hints) -> list[str | None]:
    return rows[header_place(rows, hints.names)]


def _refuse_parts(path: Path, headers: dict[str, list[str | None]]) -> None:
    # The parts of one table: to read the first of them would leave the others out unsaid.
    first, *others = headers
    same = [name for name in others if headers[name] == headers[first] and any(headers[name])]
    if same:
        raise DataError(
            f"{path.name} has {len(same) + 1} sheets with the same columns: {first},"
            f" {', '.join(same)}; name one by --sheet, or put their rows into one"
        )


def _other_sheets(sheet: str, others: dict[str, int]) -> list[str]:
    if not others:
        return []
    more = ", ".join(f"{name} ({rows:,} rows)" for name, rows in others.items())
    return [f"sheet '{sheet}' is read; not read: {more}; another one by --sheet"]


def _register(warehouse: Warehouse, table: str, rows: pa.Table) -> None:
    warehouse.raw.register("reading_rows", rows)
    try:
        warehouse.rows(f"create temp table {table} as select * from reading_rows")
    finally:
        warehouse.raw.unregister("reading_rows")


def _cell_text(cell: object) -> str | None:
    import datetime as dt

    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, dt.datetime):
        text = cell.isoformat(sep=" ")
        return text.removesuffix(" 00:00:00")
    text = str(cell) if cell is not None else ""
    return text or None


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."


def require_zone(warehouse: Warehouse, zone: str) -> None:
    """Refuse a time zone that there is not.

    Raises
    ------
    UsageError
        With what a zone looks like.
    """
    if zone == "UTC":
        return
    matches = warehouse.rows("select count(*) from pg_timezone_names() where name = ?", [zone])
    if not matches[0][0]:
        raise UsageError(f"--time-zone {zone}: no such zone; give one such as Europe/Berlin or UTC")
