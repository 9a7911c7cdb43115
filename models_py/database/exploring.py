"""A room to look around in: a copy of one run's rows that no writer waits for.

The warehouse file is copied without its lock. From the copy the rows of one run go into a database
in memory, which is then closed to files, network and settings and answers ``select`` alone.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_py.base.errors import DataError, WarehouseError, first_line_of
from models_py.base.sql_text import literal
from models_py.database import contract
from models_py.database.connection import open_warehouse, quoted, require_file, warehouse_errors
from models_py.database.results import utc_now

if TYPE_CHECKING:
    import pandas as pd

HEADERS = 3 * 4096
"""Bytes at the head of a DuckDB file that a checkpoint writes last."""

COPIES = 20
WAIT_SECONDS = 0.25
QUERY_SECONDS = 30.0
MOST_ROWS = 200_000
"""Rows that one answer may have; what a chart draws has far fewer."""

CUSTOMERS = "customers"
SEGMENT, BEFORE, OUTLIER = "_segment_id", "_segment_before", "_is_outlier"
OWN_COLUMNS = (SEGMENT, BEFORE, OUTLIER)


@dataclass(frozen=True)
class Snapshot:
    """A copy of the warehouse, with the time (UTC, without zone) at which it was taken."""

    path: Path
    taken_at: datetime


def take_snapshot(path: Path, folder: Path) -> Snapshot:
    """Copy the warehouse as it stands, whoever writes to it.

    DuckDB changes no block that its last checkpoint stands on before the next one has ended,
    which changes the head of the file: a copy over which the head stayed the same is whole. What
    was committed since lies in the write-ahead log, which is copied after it.

    Parameters
    ----------
    path
        The DuckDB file.
    folder
        Where the copy goes.

    Raises
    ------
    WarehouseError
        There is no such file, no space for the copy, or a checkpoint ended during every try.
    """
    require_file(path)
    target = folder / f"snapshot_{time.monotonic_ns()}.duckdb"
    for _ in range(COPIES):
        taken_at = utc_now()
        try:
            if _copy(path, target):
                return Snapshot(target, taken_at)
        except OSError as error:
            raise WarehouseError(
                f"{path} cannot be copied to {folder} ({error.strerror}): free some space there, or"
                " name another folder with TMPDIR"
            ) from error
        time.sleep(WAIT_SECONDS)
    raise WarehouseError(
        f"{path} changed while it was copied, {COPIES} times: try again when less is written"
    )


def _copy(path: Path, target: Path) -> bool:
    before = _state(path)
    shutil.copyfile(path, target)
    log, copied = _log_of(path), _log_of(target)
    copied.unlink(missing_ok=True)
    if log.is_file():
        shutil.copyfile(log, copied)
    return _state(path) == before and _opens(target)


def _state(path: Path) -> tuple[bytes, int, float]:
    with path.open("rb") as file:
        head = file.read(HEADERS)
    log = _log_of(path)
    status = log.stat() if log.is_file() else None
    return head, status.st_size if status else -1, status.st_mtime_ns if status else 0.0


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def _opens(path: Path) -> bool:
    # A log that was cut in the middle of a write is not read to its end.
    try:
        with open_warehouse(path, read_only=True):
            return True
    except WarehouseError:
        return False


@dataclass(frozen=True)
class RoomPlan:
    """What a room is to hold.

    Attributes
    ----------
    run_id, before_id
        The run, and another of its study to compare it with, or None.
    schema, table, entity
        The gold table that the run read, and the column that tells its rows apart.
    numbers, words, answers
        Its columns: those of numbers, of few words, and of yes and no.
    missing
        Column to the values that stand for none.
    rare, rare_word
        Column of words to those that too few rows have, and what these are called together.
    withheld, withheld_before
        Segments of either run whose members are not shown; of the run before they are one.
    """

    run_id: str
    before_id: str | None
    schema: str
    table: str
    entity: str
    numbers: tuple[str, ...]
    words: tuple[str, ...]
    answers: tuple[str, ...]
    missing: Mapping[str, Sequence[float | str]]
    rare: Mapping[str, Sequence[str]]
    rare_word: str
    withheld: frozenset[int]
    withheld_before: frozenset[int]

    @property
    def columns(self) -> list[str]:
        """All columns of gold that the room holds, but for the entity."""
        return [*self.numbers, *self.words, *self.answers]


@dataclass(frozen=True)
class Bins:
    """Bars of one width: where the first begins, the width, and how many there are."""

    low: float
    step: float
    count: int


class Room:
    """One run's customers in a database of their own, which answers ``select`` only.

    Attributes
    ----------
    plan, snapshot
        What it holds, and of when.
    rows
        How many customers it holds.
    """

    def __init__(self, plan: RoomPlan, snapshot: Snapshot) -> None:
        import duckdb

        self.plan, self.snapshot = plan, snapshot
        self._raw = duckdb.connect(":memory:", config={"python_enable_replacements": "false"})
        with warehouse_errors(snapshot.path):
            self._raw.execute("set temp_directory = ''")
            # Groups of three columns of bars still go into an array, without hashes.
            self._raw.execute("set perfect_ht_threshold = 20")
            self._raw.execute(f"attach {literal(str(snapshot.path))} as copy (read_only)")
            self._raw.execute(f"create table {CUSTOMERS} as {_select(plan)}")
            self._raw.execute("detach copy")
            self._raw.execute("set enable_external_access = false")
            self._raw.execute("set lock_configuration = true")
        self.rows = int(self.fetch(f"select count(*) from {CUSTOMERS}")[0][0])

    def prepare(self, bins: Mapping[str, Bins], words: Mapping[str, Sequence[str]]) -> None:
        """Keep beside each number its bar, in ``_bin_0`` and so on, and words as their places.

        Charts group by these, a million rows in a few hundredths of a second.

        Parameters
        ----------
        bins
            By column, in the order of the numbers given.
        words
            Every word by column.
        """
        places = []
        for place, (column, bars) in enumerate(bins.items()):
            places.append(f"{_bar_of(column, bars)} as _bin_{place}")
        kinds = [
            f"cast({quoted(column)} as enum({', '.join(map(literal, listed))})) as {quoted(column)}"
            for column, listed in words.items()
            if listed
        ]
        replaced = f" replace ({', '.join(kinds)})" if kinds else ""
        with warehouse_errors(self.snapshot.path):
            self._raw.execute(
                f"create or replace table {CUSTOMERS} as"
                f" select {', '.join([f'*{replaced}', *places])} from {CUSTOMERS}"
            )

    def close(self) -> None:
        """Let go of the rows."""
        self._raw.close()

    def arrow(self, sql: str) -> bytes:
        """Answer one ``select`` as a stream of Arrow.

        Raises
        ------
        DataError
            It is no single ``select``, is wrong, takes too long or has too many rows.
        """
        import pyarrow as pa

        with self._asked(sql) as cursor:
            table = cursor.execute(sql).to_arrow_table()
        if table.num_rows > MOST_ROWS:
            raise DataError(
                f"the answer has {table.num_rows:,} rows; ask for {MOST_ROWS:,} at most"
            )
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return bytes(sink.getvalue())

    def frame(self, sql: str) -> pd.DataFrame:
        """Answer one ``select`` as a data frame; raises as :meth:`arrow`."""
        with self._asked(sql) as cursor:
            frame: pd.DataFrame = cursor.execute(sql).df()
            return frame

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """Answer one ``select`` as rows; raises as :meth:`arrow`."""
        with self._asked(sql) as cursor:
            rows: list[tuple[Any, ...]] = cursor.execute(sql).fetchall()
            return rows

    @contextmanager
    def _asked(self, sql: str) -> Iterator[Any]:
        import duckdb

        with closing(self._raw.cursor()) as cursor:
            limit = threading.Timer(QUERY_SECONDS, cursor.interrupt)
            try:
                require_select(cursor, sql)
                limit.start()
                yield cursor
            except duckdb.InterruptException as error:
                raise DataError(f"the question took over {QUERY_SECONDS:g} s") from error
            except duckdb.Error as error:
                raise DataError(first_line_of(error)) from error
            finally:
                limit.cancel()


def require_select(raw: Any, sql: str) -> None:
    """Refuse what DuckDB's own parser does not take for one ``select``.

    Raises
    ------
    DataError
        It is another statement, several, or none.
    """
    import duckdb

    statements = raw.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise DataError("only one select statement is answered")


def _bar_of(column: str, bars: Bins) -> str:
    # A division may round over an edge: the bar is set right by the edges themselves.
    value = f"cast({quoted(column)} as double)"
    rough = f"floor(({value} - {bars.low!r}) / {bars.step!r})"
    edge = f"{bars.low!r}::double + {bars.step!r}::double * ({rough} + {{}})"
    bar = (
        f"({rough} + case when {value} < {edge.format(0)} then -1"
        f" when {value} >= {edge.format(1)} then 1 else 0 end)"
    )
    return f"cast(case when {bar} between 0 and {bars.count - 1} then {bar} end as utinyint)"


def _select(plan: RoomPlan) -> str:
    results = f"copy.{quoted(contract.SCHEMA)}.{quoted(contract.assignments.name)}"
    entity = f"cast(gold.{quoted(plan.entity)} as varchar)"
    columns = [
        f"gold.{quoted(plan.entity)}",
        *(f"{_known(plan, column)} as {quoted(column)}" for column in plan.numbers),
        *(f"{_word(plan, column)} as {quoted(column)}" for column in plan.words),
        *(f"gold.{quoted(column)}" for column in plan.answers),
        f"cast(now.segment_id as integer) as {SEGMENT}",
        f"cast({_segment_before(plan)} as integer) as {BEFORE}",
        f"now.is_outlier as {OUTLIER}",
    ]
    before = plan.before_id or ""
    return (
        f"select {', '.join(columns)} from copy.{quoted(plan.schema, plan.table)} as gold"
        f" join {results} as now on now.run_id = {literal(plan.run_id)}"
        f" and now.entity_id = {entity}"
        f" left join {results} as earlier on earlier.run_id = {literal(before)}"
        f" and earlier.entity_id = {entity}"
        f" where now.segment_id not in ({_listed(plan.withheld)})"
    )


def _listed(segment_ids: frozenset[int]) -> str:
    # No segment has the number -1.
    return ", ".join(str(segment_id) for segment_id in sorted(segment_ids | {-1}))


def _segment_before(plan: RoomPlan) -> str:
    return (
        f"case when earlier.segment_id in ({_listed(plan.withheld_before)}) then 0"
        " else earlier.segment_id end"
    )


def _known(plan: RoomPlan, column: str) -> str:
    value = f"gold.{quoted(column)}"
    numbers = [item for item in plan.missing.get(column, ()) if not isinstance(item, str)]
    if not numbers:
        return value
    listed = ", ".join(repr(float(number)) for number in numbers)
    return f"case when cast({value} as double) in ({listed}) then null else {value} end"


def _word(plan: RoomPlan, column: str) -> str:
    value = f"cast(gold.{quoted(column)} as varchar)"
    cases = [
        f" when {value} in ({', '.join(literal(str(word)) for word in words)}) then {then}"
        for words, then in (
            (plan.missing.get(column, ()), "null"),
            (plan.rare.get(column, ()), literal(plan.rare_word)),
        )
        if words
    ]
    return f"case{''.join(cases)} else {value} end" if cases else value
