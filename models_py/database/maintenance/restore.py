"""Bringing back what a backup holds, equal and whole, or nothing at all."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from models_py.base import committed, settings
from models_py.base.errors import WarehouseError
from models_py.base.plurals import plural
from models_py.base.progress import Progress, Silent
from models_py.database import contract
from models_py.base.sql_text import literal
from models_py.database.connection import (
    Warehouse,
    is_of_interrupt,
    open_warehouse,
    quoted,
)
from models_py.database.waiting import open_for_writing
from models_py.database.maintenance import fsync, leftovers, manifest
from models_py.database.maintenance.catalog import (
    TABLE,
    VIEW,
    Name,
    current_database,
    folded,
    read_relations,
)
from models_py.database.maintenance.definitions import (
    INDEX,
    MACRO,
    SCHEMA,
    SEQUENCE,
    TABLE_MACRO,
    TYPE,
    Definition,
    different,
    foreign_keys_to_oneself,
    make,
    read_definitions,
    read_macros,
    renamed,
)
from models_py.database.maintenance.fingerprint import (
    Fingerprint,
    count_and_type,
    differences,
    take_fingerprints,
)
from models_py.database.maintenance.manifest import BY_FILE, DATABASE_NAME, FILES_NAME, Backup
from models_py.database.maintenance.naming import matches
from models_py.database.maintenance.rehearsal import require_workable

ATTACHED = "segmenthouse_backup"
_BESIDE = (TYPE, SEQUENCE, MACRO, TABLE_MACRO)


@dataclass(frozen=True)
class Asked:
    """What the operator asks of a restore.

    Attributes
    ----------
    only
        Pattern of what to bring back: relations, macros, sequences, types, runs.
    overwrite
        Replace what differs from the backup.
    key
        The secret that the backup was made with.
    reads_files
        Let a view look at files and the network while it is made.
    brings_files
        Bring the models and reports of runs back too.
    is_rehearsed
        The definitions were made in an empty database a moment ago.
    """

    only: str | None = None
    overwrite: bool = False
    key: bytes | None = None
    reads_files: bool = False
    brings_files: bool = True
    is_rehearsed: bool = False


@dataclass(frozen=True)
class Restored:
    """What a restore did.

    Attributes
    ----------
    brought_back, same
        What was made again, and what was the same already.
    rows
        Of the tables and runs that were brought back.
    folders
        Folders of runs' models and reports that were brought back.
    """

    brought_back: tuple[str, ...]
    same: tuple[str, ...]
    rows: int
    folders: tuple[Path, ...] = ()


@dataclass(frozen=True)
class _Plan:
    """What is brought back: definitions, and the rows of single runs."""

    wanted: tuple[Definition, ...]
    needed: tuple[Definition, ...]
    run_ids: tuple[str, ...]


def restore_backup(
    path: Path,
    backup: Backup,
    asked: Asked | None = None,
    *,
    wait_seconds: float = 0.0,
    progress: Progress | None = None,
) -> Restored:
    """Bring what a backup holds back, all of it or none.

    What is in the warehouse and the same is left as it is. Where there is no warehouse file, a
    new one is made and gets its name when it is proven. The backup is proven whole and its
    definitions are put to DuckDB's parser before anything runs.

    Parameters
    ----------
    path
        The warehouse file.
    backup
        From :func:`models_py.database.maintenance.manifest.read_backup`.
    asked
        What and how; everything that is missing by default.
    wait_seconds
        How long to wait for the file.
    progress
        Shows each step.

    Raises
    ------
    WarehouseError
        The backup was changed; something is there with another content and ``overwrite`` was
        not said; nothing fits ``only``; or what was read back is not what the manifest says.
        Nothing is changed.
    """
    asked, progress = asked or Asked(), progress or Silent()
    path.parent.mkdir(parents=True, exist_ok=True)
    fsync.require_space(path.parent, backup.bytes, "the restore")
    if not path.exists():
        restored = restore_new(path, backup, asked, progress, f"{path} was made of the backup")
        committed.opened(path)
        return restored
    plan = _proven_plan(backup, asked, progress)
    with open_for_writing(path, wait_seconds=wait_seconds) as warehouse:
        return _restore_into(warehouse, backup, plan, asked, progress)


def restore_new(
    path: Path, backup: Backup, asked: Asked, progress: Progress, stays: str = ""
) -> Restored:
    """Make a new warehouse file from a backup; it gets its name when it is proven.

    ``stays`` is what an ending says of it from then on.
    """
    log = path.with_name(path.name + ".wal")
    if log.exists():
        raise WarehouseError(f"{log} belongs to the file that was there: move it away too")
    leftovers.sweep_unfinished(path.parent)
    # The file must have its final name in a folder of its own: views name the database by it.
    with leftovers.unfinished_folder(path.parent, path.name) as folder:
        fresh = folder / path.name
        is_copied = backup.method == BY_FILE and asked.only is None
        # A view that names its database is another one in a file of another name.
        is_copied = is_copied and folded(path.stem) == folded(backup.database)
        plan = _proven_plan(backup, asked, progress, fresh if is_copied else None)
        restored = _reduced(fresh, backup, plan, asked, progress) if is_copied else None
        if restored is None:
            fresh.unlink(missing_ok=True)
            _make_empty(fresh, backup.storage)
            with open_warehouse(fresh) as warehouse:
                restored = _restore_into(warehouse, backup, plan, asked, progress, is_new=True)
        if not asked.is_rehearsed:
            fsync.sync_file(fresh)
        if stays:
            committed.rename(fresh, path, stays)
        else:
            fresh.rename(path)
        fsync.sync_folder(path.parent)
    return restored


def _reduced(
    copy: Path, backup: Backup, plan: _Plan, asked: Asked, progress: Progress
) -> Restored | None:
    """Make a whole copy of the backed-up file into what the backup holds; None if it cannot be.

    What is not in the manifest goes, and macros are made from it. Everything else must be defined
    as the manifest says. The bytes are those of the backup, which the caller has proven.
    """
    with open_warehouse(copy) as warehouse:
        if not asked.reads_files:
            warehouse.rows("set enable_external_access = false")
        database = current_database(warehouse)
        progress.step("comparing the copy with the manifest")
        wanted = {made.key: made for made in plan.wanted}
        macros = [made for made in plan.wanted if made.kind in (MACRO, TABLE_MACRO)]
        there = read_definitions(warehouse, database, with_macros=False)
        surplus = [made for key, made in there.items() if key not in wanted]
        surplus += [made for made in read_macros(warehouse, database) if made.key not in wanted]
        if not _drop_all(warehouse, database, surplus):
            return None
        for made in macros:
            make(warehouse, database, made, replace_it=True)
        now = read_definitions(warehouse, database, with_macros=False)
        now |= {made.key: made for made in read_macros(warehouse, database)}
        _require_defined(backup, wanted, now)
        _require_tables(warehouse, backup, database)
        _require_rows(warehouse, database, backup)
        warehouse.rows("checkpoint")
        folders = _bring_files_back(backup, plan, asked)
    brought = tuple(_label(made) for made in plan.wanted if made.kind not in (SCHEMA, INDEX))
    return Restored(brought, (), backup.rows, folders)


def _drop_all(warehouse: Warehouse, database: str, surplus: Sequence[Definition]) -> bool:
    """Drop what nothing needs until nothing of it is left; return whether that came about."""
    tables = {made.name.key for made in surplus if made.kind == TABLE}
    left = [
        made
        for made in reversed(surplus)
        # It goes with its table.
        if made.kind != INDEX or Name(made.name.schema, str(made.table)).key not in tables
    ]
    while left:
        needed = []
        for made in left:
            schema = () if made.kind == SCHEMA else (made.name.schema,)
            try:
                warehouse.rows(f"drop {made.kind} {quoted(database, *schema, made.name.name)}")
            except WarehouseError as error:
                if is_of_interrupt(error):
                    raise
                needed.append(made)
        if len(needed) == len(left):
            return False
        left = needed
    return True


def _require_defined(
    backup: Backup,
    wanted: Mapping[tuple[str, str, str], Definition],
    now: Mapping[tuple[str, str, str], Definition],
) -> None:
    # A macro was made anew of what the manifest says.
    wrong = {
        key
        for key in different(wanted, now)
        if key not in now or key not in wanted or wanted[key].kind not in (MACRO, TABLE_MACRO)
    }
    if wrong:
        kind, schema, thing = min(wrong)
        raise WarehouseError(
            f"the {kind} {schema}.{thing} of {backup.folder / DATABASE_NAME} is not what the"
            " manifest says: nothing was changed"
        )


def _require_rows(warehouse: Warehouse, database: str, backup: Backup) -> None:
    """Refuse a copied file whose tables have other rows or columns than the manifest says."""
    there = count_and_type(warehouse, database, list(backup.tables))
    said = {name: replace(content, content="") for name, content in backup.tables.items()}
    wrong = differences(said, there)
    if wrong:
        raise WarehouseError(
            f"{backup.folder / DATABASE_NAME} is not what the manifest says"
            f" ({'; '.join(wrong[:3])}): nothing was changed"
        )


def _contents(
    warehouse: Warehouse, backup: Backup, names: Sequence[Name], progress: Progress
) -> Mapping[Name, Fingerprint]:
    """Return the content of some of a backup's tables; of a copied file it is read only now."""
    if backup.method != BY_FILE:
        return {name: backup.tables[name] for name in names}
    _require_rows(warehouse, ATTACHED, backup)
    return take_fingerprints(warehouse, ATTACHED, names, progress)


def _make_empty(path: Path, storage: str) -> None:
    import duckdb

    with duckdb.connect() as raw:
        raw.execute(f"attach {literal(str(path))} as fresh (storage_version {literal(storage)})")
        raw.execute("detach fresh")


def _proven_plan(
    backup: Backup, asked: Asked, progress: Progress, copied_to: Path | None = None
) -> _Plan:
    progress.step("proving the backup")
    manifest.require_whole(backup, asked.key, copied_to=copied_to)
    plan = _planned(backup, asked.only)
    if not asked.is_rehearsed:
        require_workable(
            backup.definitions, backup.database, backup.storage, reads_files=asked.reads_files
        )
    return plan


def _planned(backup: Backup, only: str | None) -> _Plan:
    if only is None:
        return _Plan(backup.definitions, (), ())
    named = {
        definition.key
        for definition in backup.definitions
        if definition.kind not in (SCHEMA, INDEX)
        and matches(only, definition.name.schema, definition.name.name)
    }
    wanted = tuple(
        definition
        for definition in backup.definitions
        if definition.key in named
        or (
            definition.kind == INDEX
            and (TABLE, *Name(definition.name.schema, str(definition.table)).key) in named
        )
    )
    runs = tuple(
        run_id
        for run_id, study in backup.runs.items()
        if any(matches(only, contract.SCHEMA, name) for name in (run_id, study))
    )
    if not wanted and not runs:
        raise WarehouseError(f"nothing of {backup.folder} fits '{only}'")
    return _Plan(wanted, _needed(backup.definitions, wanted), runs)


def _needed(
    definitions: Sequence[Definition], wanted: Sequence[Definition]
) -> tuple[Definition, ...]:
    """Return schemas, sequences, macros and types that what is wanted may need.

    A name that stands in a body as a word counts. What is there is left as it is.
    """
    schemas = {made.name.schema for made in wanted}
    words = {word for made in wanted for word in re.findall(r"\w+", made.body.casefold())}
    return tuple(
        made
        for made in definitions
        if made not in wanted
        and (
            (made.kind == SCHEMA and made.name.name in schemas)
            or (
                made.kind in _BESIDE and set(re.findall(r"\w+", made.name.name.casefold())) <= words
            )
        )
    )


@contextmanager
def attached(
    warehouse: Warehouse, file: Path, *, storage: str | None = None
) -> Iterator[Warehouse]:
    """Attach a database file as ``segmenthouse_backup`` for a while.

    What is asked of the yielded warehouse goes over the same connection; its errors name the
    attached file. With a ``storage`` version a new file is made, without it is only read.
    """
    other = Warehouse(file, warehouse.raw)
    kind = "(read_only)" if storage is None else f"(storage_version {literal(storage)})"
    other.rows(f"attach {literal(str(file))} as {quoted(ATTACHED)} {kind}")
    try:
        yield other
    finally:
        warehouse.rows(f"detach {quoted(ATTACHED)}")


def _restore_into(
    warehouse: Warehouse,
    backup: Backup,
    plan: _Plan,
    asked: Asked,
    progress: Progress,
    *,
    is_new: bool = False,
) -> Restored:
    database = current_database(warehouse)
    wanted = [renamed(warehouse, made, backup.database, database) for made in plan.wanted]
    with attached(warehouse, backup.folder / DATABASE_NAME) as source:
        _require_tables(source, backup, ATTACHED)
        progress.step("comparing with the warehouse")
        there = {} if is_new else read_definitions(warehouse)
        if not asked.reads_files:
            warehouse.rows("set enable_external_access = false")
        tables = [made.name for made in wanted if made.kind == TABLE]
        said = _contents(warehouse, backup, tables, progress)
        same = _same(warehouse, said, wanted, there, progress)
        same_runs = _same_runs(warehouse, plan.run_ids)
        changed = [made for made in wanted if made.key not in same]
        runs = [run_id for run_id in plan.run_ids if same_runs.get(run_id) is not True]
        taken = [str(made.name) for made in changed if made.key in there and made.kind != INDEX]
        taken += [f"run {run_id}" for run_id in runs if run_id in same_runs]
        if taken and not asked.overwrite:
            raise WarehouseError(
                f"{len(taken)} of the backup's relations are in the warehouse with another"
                f" content ({', '.join(taken[:5])}{', ...' if len(taken) > 5 else ''}):"
                " say --overwrite to replace them, or --only PATTERN to leave them out"
            )
        needed = [made for made in plan.needed if made.key not in there]
        folders = _bring_files_back(backup, plan, asked)
        progress.step(f"bringing {len(changed) + len(runs)} back")
        try:
            count = plural(len(changed) + len(runs), "relation")
            stays = "" if is_new else f"{count} brought back and committed"
            with warehouse.transaction(stays):
                _drop_changed(warehouse, changed, there)
                _make_again(warehouse, backup, [*needed, *changed], progress)
                rows = _bring_runs_back(warehouse, backup, runs)
                _require_equal(warehouse, backup, said, changed, progress)
            warehouse.rows("checkpoint")
        finally:
            warehouse.rows(f"use {quoted(database)}")
    brought = [_label(made) for made in [*needed, *changed] if made.kind not in (SCHEMA, INDEX)]
    left = [_label(made) for made in wanted if made.key in same and made.kind in (TABLE, VIEW)]
    rows += sum(backup.tables[made.name].rows for made in changed if made.kind == TABLE)
    return Restored(
        (*brought, *(f"run {run_id}" for run_id in runs)),
        (*left, *(f"run {run_id}" for run_id, is_same in same_runs.items() if is_same)),
        rows,
        folders,
    )


def _label(made: Definition) -> str:
    return str(made.name) if made.kind in (TABLE, VIEW) else str(made)


def _require_tables(source: Warehouse, backup: Backup, database: str) -> None:
    # A view under a table's name would run when it is read.
    there = {
        relation.name for relation in read_relations(source, database) if relation.kind == TABLE
    }
    for name in backup.tables:
        if name not in there:
            raise WarehouseError(f"{backup.folder / DATABASE_NAME} has no table {name}")


def _same(
    warehouse: Warehouse,
    said: Mapping[Name, Fingerprint],
    wanted: Sequence[Definition],
    there: Mapping[tuple[str, str, str], Definition],
    progress: Progress,
) -> set[tuple[str, str, str]]:
    """Return the keys of what is in the warehouse as it was; a sequence may have gone on."""
    equal = {
        made.key
        for made in wanted
        if made.is_same(there.get(made.key))
        or (made.key in there and made.kind in (SEQUENCE, SCHEMA))
    }
    indexes = {made.key: made for made in wanted if made.kind == INDEX}
    own = {key: made for key, made in there.items() if made.kind == INDEX}
    odd = {
        (TABLE, *Name(made.name.schema, str(made.table)).key)
        for key in different(indexes, own)
        for made in (indexes.get(key), own.get(key))
        if made is not None
    }
    tables = [made for made in wanted if made.kind == TABLE and made.key in equal - odd]
    names = [there[made.key].name for made in tables]
    now = take_fingerprints(warehouse, current_database(warehouse), names, progress)
    changed = {made.key for made in wanted if made.kind == TABLE} - {
        made.key for made in tables if now[there[made.key].name] == said[made.name]
    }
    # An index goes and comes with its table.
    going = {
        made.key
        for made in indexes.values()
        if (TABLE, *Name(made.name.schema, str(made.table)).key) in changed
    }
    return equal - changed - going


def _drop_changed(
    warehouse: Warehouse,
    changed: Sequence[Definition],
    there: Mapping[tuple[str, str, str], Definition],
) -> None:
    # The other way round than they are made: what depends on something goes before it.
    database = current_database(warehouse)
    going = [there[made.key] for made in reversed(changed) if made.key in there]
    for made in sorted(going, key=lambda finding: finding.kind != VIEW):
        if made.kind != INDEX:
            warehouse.rows(f"drop {made.kind} {quoted(database)}.{made.name.sql}")


def _make_again(
    warehouse: Warehouse, backup: Backup, definitions: Sequence[Definition], progress: Progress
) -> None:
    database = current_database(warehouse)
    order = {made.key: place for place, made in enumerate(backup.definitions)}
    for done, made in enumerate(sorted(definitions, key=lambda definition: order[definition.key])):
        progress.advance(done, len(definitions))
        make(warehouse, database, made)
        if made.kind == TABLE:
            _insert_rows(warehouse, made)


def _insert_rows(warehouse: Warehouse, table: Definition) -> None:
    database, name = current_database(warehouse), table.name
    target, origin = (f"{quoted(part)}.{name.sql}" for part in (database, ATTACHED))
    listed = ", ".join(quoted(column) for column in table.stored_columns)
    insert = f"insert into {target} ({listed}) select {listed} from {origin} as origin"
    keys = [
        (own, other)
        for keyed, own, other in foreign_keys_to_oneself(warehouse, database)
        if keyed == name
    ]
    if not keys:
        warehouse.rows(insert)
        return
    # A row goes in only after the row that it points to, and not in the same statement.
    points = " and ".join(_is_pointed_to(target, own, other) for own, other in keys)
    warehouse.rows(f"create or replace temp table waiting as select rowid as id from {origin}")
    while True:
        warehouse.rows(
            "create or replace temp table wave as select origin.rowid as id"
            f" from {origin} as origin join waiting on waiting.id = origin.rowid where {points}"
        )
        if not warehouse.rows("select 1 from wave limit 1"):
            break
        warehouse.rows(f"{insert} where origin.rowid in (select id from wave)")
        warehouse.rows("delete from waiting where id in (select id from wave)")
    left = int(warehouse.rows("select count(*) from waiting")[0][0])
    warehouse.rows("drop table wave")
    warehouse.rows("drop table waiting")
    if left:
        raise WarehouseError(
            f"{left:,} rows of {name} point to each other in a circle, which DuckDB cannot insert"
        )


def _is_pointed_to(target: str, own: Sequence[str], other: Sequence[str]) -> str:
    pairs = " and ".join(
        f"there.{quoted(there)} = origin.{quoted(here)}"
        for here, there in zip(own, other, strict=True)
    )
    empty = " or ".join(f"origin.{quoted(here)} is null" for here in own)
    return f"({empty} or exists (from {target} as there where {pairs}))"


def _require_equal(
    warehouse: Warehouse,
    backup: Backup,
    said: Mapping[Name, Fingerprint],
    changed: Sequence[Definition],
    progress: Progress,
) -> None:
    database = current_database(warehouse)
    was = {made.name: said[made.name] for made in changed if made.kind == TABLE}
    wrong = differences(was, take_fingerprints(warehouse, database, list(was), progress))
    now = read_definitions(warehouse, with_macros=False)
    wrong += [
        f"the {made} has another definition"
        for made in changed
        if made.kind not in (MACRO, TABLE_MACRO) and not made.is_same(now.get(made.key))
    ]
    if wrong:
        raise WarehouseError(
            f"what was read back is not what {backup.folder} says ({'; '.join(wrong[:3])}):"
            " nothing was changed"
        )


def _same_runs(warehouse: Warehouse, run_ids: Sequence[str]) -> dict[str, bool]:
    """Tell of the runs that are in the warehouse whether their rows are those of the backup."""
    there = set(warehouse.relations())
    runs = Name(contract.SCHEMA, contract.runs.name)
    if not run_ids or str(runs) not in there:
        return {}
    present = {run_id for (run_id,) in warehouse.rows(f"select run_id from {runs.sql}")}
    return {
        run_id: all(
            _rows_of_run(warehouse, current_database(warehouse), name, run_id)
            == _rows_of_run(warehouse, ATTACHED, name, run_id)
            for name in _run_tables(warehouse)
        )
        for run_id in run_ids
        if run_id in present
    }


def _run_tables(warehouse: Warehouse) -> list[Name]:
    """Return the tables with rows of runs that are in the backup."""
    there = {relation.name for relation in read_relations(warehouse, ATTACHED)}
    names = [Name(contract.SCHEMA, table.name) for table in (*contract.RUN_TABLES, contract.runs)]
    return [name for name in names if name in there]


def _columns_of(warehouse: Warehouse, database: str, name: Name) -> list[str]:
    records = warehouse.rows(
        f"select column_name from duckdb_columns() where database_name = {literal(database)}"
        f" and schema_name = {literal(name.schema)} and table_name = {literal(name.name)}"
        " order by column_index"
    )
    return [str(column) for (column,) in records]


def _shared_columns(warehouse: Warehouse, name: Name) -> str:
    own = _columns_of(warehouse, current_database(warehouse), name)
    other = set(_columns_of(warehouse, ATTACHED, name))
    return ", ".join(quoted(column) for column in own if column in other)


def _rows_of_run(
    warehouse: Warehouse, database: str, name: Name, run_id: str
) -> tuple[object, ...] | None:
    shared = _shared_columns(warehouse, name)
    if not shared:
        return None
    records = warehouse.rows(
        f"select count(*), sum(hash({shared}))::varchar from {quoted(database)}.{name.sql}"
        f" where run_id = {literal(run_id)}"
    )
    return tuple(records[0])


def _bring_runs_back(warehouse: Warehouse, backup: Backup, run_ids: Sequence[str]) -> int:
    if not run_ids:
        return 0
    database, rows = current_database(warehouse), 0
    there = set(warehouse.relations())
    by_name = {made.name: made for made in backup.definitions if made.kind == TABLE}
    schemas = [made for made in backup.definitions if made.name.name == contract.SCHEMA]
    for name in _run_tables(warehouse):
        if str(name) not in there:
            for made in [*schemas, by_name[name]]:
                make(warehouse, database, made)
        shared = _shared_columns(warehouse, name)
        target = f"{quoted(database)}.{name.sql}"
        for run_id in run_ids:
            of_run = f"where run_id = {literal(run_id)}"
            warehouse.rows(f"delete from {target} {of_run}")
            warehouse.rows(
                f"insert into {target} ({shared}) select {shared}"
                f" from {quoted(ATTACHED)}.{name.sql} {of_run}"
            )
            now = _rows_of_run(warehouse, database, name, run_id)
            if now is None or now != _rows_of_run(warehouse, ATTACHED, name, run_id):
                raise WarehouseError(f"run {run_id} did not come back whole: nothing was changed")
            rows += int(str(now[0]))
    return rows


def _bring_files_back(backup: Backup, plan: _Plan, asked: Asked) -> tuple[Path, ...]:
    """Copy models and reports of the runs that come back to where there are none.

    With the whole backup those of runs that nobody recorded come back too.
    """
    if not asked.brings_files:
        return ()
    wanted = set(plan.run_ids) if asked.only is not None else None
    by_folder: dict[Path, list[PurePosixPath]] = {}
    for part in backup.parts:
        path = PurePosixPath(part.path)
        if path.parts[0] != FILES_NAME:
            continue
        # files/data/models/<run>/... and files/reports/<study>/<run>/...
        if wanted is None or path.parts[3] in wanted:
            by_folder.setdefault(Path(*path.parts[1:4]), []).append(path)
    return tuple(
        folder
        for relative, paths in by_folder.items()
        if (folder := _bring_folder_back(backup, relative, paths)) is not None
    )


def _bring_folder_back(
    backup: Backup, relative: Path, paths: Sequence[PurePosixPath]
) -> Path | None:
    home = settings.home().resolve()
    folder = home / relative
    if not folder.parent.resolve().is_relative_to(home):
        raise WarehouseError(f"{folder} leads out of {home}: nothing was changed")
    if folder.exists():
        return None
    folder.parent.mkdir(parents=True, exist_ok=True)
    with leftovers.unfinished_folder(folder.parent, folder.name) as unfinished:
        for path in paths:
            target = unfinished / "content" / Path(*path.parts[1:]).relative_to(relative)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(backup.folder / path, target)
            fsync.sync_file(target)
        (unfinished / "content").rename(folder)
    fsync.sync_folder(folder.parent)
    return folder
