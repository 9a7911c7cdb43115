"""Backups of the core tables: made, proven by reading back, kept for a while, restored.

A backup is a folder with one DuckDB file and a manifest that says how many rows each core
table has and what their hash is. The file keeps every type, constraint and comment as it is,
which parquet does not. Where the core fills most of the warehouse the file is copied whole,
which is fastest; otherwise the core tables are copied into a new file one by one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from models_py.base.errors import WarehouseError
from models_py.base.progress import Progress, Silent
from models_py.base.sql_text import literal
from models_py.database.connection import Warehouse, open_warehouse, quoted
from models_py.database.maintenance import definitions, fsync
from models_py.database.maintenance.catalog import (
    TABLE,
    VIEW,
    Name,
    Ownership,
    Relation,
    count_rows,
    current_database,
    read_relations,
    reads_among,
    stored_bytes,
)
from models_py.database.maintenance.fingerprint import (
    Fingerprint,
    differences,
    take_fingerprint,
    take_fingerprints,
)
from models_py.database.maintenance.naming import NamingRules, matches

BY_FILE, BY_TABLES = "file", "tables"
MANIFEST_NAME = "manifest.json"
DATABASE_NAME = "core.duckdb"
ATTACHED = "segmenthouse_backup"
FORMAT = 1
# A whole copy carries the temporary tables along; from this share of core on it is worth it.
WHOLE_FILE_SHARE = 0.5

_FOLDER = re.compile(r"backup_[0-9]{8}_[0-9]{6}(_[0-9]+)?")
_PARTIAL = re.compile(r"(?:backup_[0-9_]+)\.(?:partial|removed)-([0-9]+)")


@dataclass(frozen=True)
class Backup:
    """A finished backup.

    Attributes
    ----------
    created_at
        UTC, without zone.
    method
        ``"file"`` or ``"tables"``.
    tables
        The core tables and their content.
    views
        The core views and their definitions.
    seen
        Every table that was in the file at that time, with its rows.
    """

    folder: Path
    created_at: datetime
    method: str
    tables: Mapping[Name, Fingerprint]
    views: Mapping[Name, str]
    seen: Mapping[Name, int]

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables.values())

    @property
    def bytes(self) -> int:
        """Bytes of the backup's database file."""
        return (self.folder / DATABASE_NAME).stat().st_size


@dataclass(frozen=True)
class Restored:
    """What a restore did: relations brought back, and those that were the same already."""

    brought_back: tuple[Name, ...]
    same: tuple[Name, ...]
    rows: int


def core_relations(
    warehouse: Warehouse,
    ownership: Ownership,
    rules: NamingRules,
    skipped_schemas: Sequence[str] = (),
) -> list[Relation]:
    """Return what is backed up and proven untouched.

    That is everything that dbt's manifest, the results contract or the protection list owns;
    bronze too, since the raw files it came from may have changed since. Without a manifest
    it is everything whose name is not that of a temporary or backup table.
    """
    skipped = {schema.casefold() for schema in skipped_schemas}
    return [
        relation
        for relation in read_relations(warehouse)
        if relation.name.schema.casefold() not in skipped
        and _is_core(relation.name, ownership, rules)
    ]


def _is_core(name: Name, ownership: Ownership, rules: NamingRules) -> bool:
    if name.key in ownership.owners or rules.protects(name.schema, name.name):
        return True
    return not ownership.has_manifest and rules.judge(name.name) is None


def make_backup(
    warehouse: Warehouse,
    core: Sequence[Relation],
    root: Path,
    now: datetime,
    progress: Progress | None = None,
) -> Backup:
    """Copy the core relations into a new dated folder and prove the copy.

    The folder gets its name last: one that has it is whole. The warehouse must be open for
    writing, so that nobody changes it meanwhile.

    Parameters
    ----------
    warehouse
        The open warehouse.
    core
        What to back up.
    root
        Folder of all backups.
    now
        The time that the folder is named by (UTC).
    progress
        Shows each step.

    Raises
    ------
    WarehouseError
        Too little space, or the copy read back differs from the original.
    """
    progress = progress or Silent()
    warehouse.rows("checkpoint")
    tables = [relation.name for relation in core if relation.kind == TABLE]
    method, needed = _method(warehouse, tables)
    with _new_folder(root, now) as (partial, folder):
        way_out = ", or name another folder with --backup-dir"
        fsync.require_space(root, needed, "the backup", way_out)
        progress.step(f"copying {len(tables)} core tables")
        copy = partial / DATABASE_NAME
        _copy(warehouse, method, tables, copy, progress)
        fsync.sync_file(copy)
        progress.step("proving the backup")
        prints = _proven(warehouse, tables, copy, progress)
        backup = Backup(
            folder=folder,
            created_at=now.replace(microsecond=0),
            method=method,
            tables=prints,
            views=_core_views(warehouse, core),
            seen=_rows_seen(warehouse),
        )
        fsync.write_text(partial / MANIFEST_NAME, json.dumps(_as_json(backup), indent=1))
    return backup


def _method(warehouse: Warehouse, tables: Sequence[Name]) -> tuple[str, int]:
    held = stored_bytes(warehouse, tables)
    core_bytes, file_bytes = sum(held.values()), warehouse.path.stat().st_size
    if len(held) < len(tables) or core_bytes >= WHOLE_FILE_SHARE * file_bytes:
        return BY_FILE, file_bytes
    return BY_TABLES, round(core_bytes * 1.2)


@contextmanager
def _new_folder(root: Path, now: datetime) -> Iterator[tuple[Path, Path]]:
    try:
        root.mkdir(parents=True, exist_ok=True)
        sweep_unfinished(root)
        folder = _free_name(root, now)
        partial = folder.with_name(f"{folder.name}.partial-{os.getpid()}")
        partial.mkdir()
    except OSError as error:
        raise WarehouseError(f"cannot write the backup to {root}: {error.strerror}") from error
    try:
        yield partial, folder
        fsync.sync_folder(partial)
        partial.rename(folder)
        fsync.sync_folder(root)
    except OSError as error:
        raise WarehouseError(f"cannot write the backup to {root}: {error.strerror}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _free_name(root: Path, now: datetime) -> Path:
    plain = root / f"backup_{now:%Y%m%d_%H%M%S}"
    folder, number = plain, 1
    while folder.exists():
        number += 1
        folder = plain.with_name(f"{plain.name}_{number}")
    return folder


def sweep_unfinished(root: Path) -> int:
    """Remove what killed backups left behind; return how many folders."""
    swept = 0
    for folder in root.iterdir():
        match = _PARTIAL.fullmatch(folder.name)
        if match and not Path(f"/proc/{match[1]}").exists() and not _is_alive(int(match[1])):
            shutil.rmtree(folder, ignore_errors=True)
            swept += 1
    return swept


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _copy(
    warehouse: Warehouse, method: str, tables: Sequence[Name], copy: Path, progress: Progress
) -> None:
    if method == BY_FILE:
        fsync.copy_locked_file(warehouse.path, copy)
        return
    with attached(warehouse, copy, read_only=False):
        source = current_database(warehouse)
        definitions.copy_sequences(warehouse, source, ATTACHED)
        for done, name in enumerate(tables):
            progress.advance(done, len(tables))
            definitions.copy_table(warehouse, source, ATTACHED, name)


def _proven(
    warehouse: Warehouse, tables: Sequence[Name], copy: Path, progress: Progress
) -> dict[Name, Fingerprint]:
    source = current_database(warehouse)
    before = take_fingerprints(warehouse, source, tables, progress)
    with attached(warehouse, copy, read_only=True) as copied:
        after = take_fingerprints(copied, ATTACHED, tables, progress)
        wrong = differences(before, after)
        was = definitions.describe(warehouse, source)
        now = definitions.describe(warehouse, ATTACHED)
    wrong += [
        f"{name} has another definition"
        for name in tables
        if was.get(f"table {name}") != now.get(f"table {name}")
    ]
    if wrong:
        raise WarehouseError(f"the backup is not the same as the warehouse: {'; '.join(wrong[:5])}")
    return before


@contextmanager
def attached(warehouse: Warehouse, file: Path, *, read_only: bool) -> Iterator[Warehouse]:
    """Attach a database file as ``segmenthouse_backup`` for a while.

    What is asked of the yielded warehouse goes over the same connection; its errors name the
    attached file.
    """
    other = Warehouse(file, warehouse.raw)
    kind = "(read_only)" if read_only else ""
    other.rows(f"attach {literal(str(file))} as {quoted(ATTACHED)} {kind}")
    try:
        yield other
    finally:
        warehouse.rows(f"detach {quoted(ATTACHED)}")


def _core_views(warehouse: Warehouse, core: Sequence[Relation]) -> dict[Name, str]:
    wanted = {relation.name for relation in core if relation.kind == VIEW}
    result = definitions.views_of(warehouse, current_database(warehouse))
    return {name: sql for name, sql in result.items() if name in wanted}


def _rows_seen(warehouse: Warehouse) -> dict[Name, int]:
    tables = [relation.name for relation in read_relations(warehouse) if relation.kind == TABLE]
    return count_rows(warehouse, tables)


def _as_json(backup: Backup) -> dict[str, object]:
    import duckdb

    return {
        "format": FORMAT,
        "created_at": backup.created_at.isoformat(),
        "duckdb": duckdb.__version__,
        "method": backup.method,
        "tables": [
            {
                "schema": name.schema,
                "name": name.name,
                "rows": item.rows,
                "content": item.content,
                "columns": item.columns,
            }
            for name, item in backup.tables.items()
        ],
        "views": [
            {"schema": name.schema, "name": name.name, "sql": sql}
            for name, sql in backup.views.items()
        ],
        "seen": [[name.schema, name.name, rows] for name, rows in backup.seen.items()],
    }


def read_backup(folder: Path) -> Backup:
    """Read a backup's manifest.

    Raises
    ------
    WarehouseError
        The folder is no finished backup; says what is missing.
    """
    path = folder / MANIFEST_NAME
    if not _is_finished(folder):
        raise WarehouseError(
            f"{folder} is no finished backup: it needs {MANIFEST_NAME} and {DATABASE_NAME}"
            f"{_other_backups(folder.parent)}"
        )
    try:
        return _from_json(folder, json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise WarehouseError(f"{path} is damaged ({error}): take another backup") from error


def _is_finished(folder: Path) -> bool:
    return (folder / DATABASE_NAME).is_file() and (folder / MANIFEST_NAME).is_file()


def _from_json(folder: Path, content: dict[str, Any]) -> Backup:
    if content["format"] != FORMAT:
        raise WarehouseError(f"{folder} has the backup format {content['format']}, not {FORMAT}")
    return Backup(
        folder=folder,
        created_at=datetime.fromisoformat(content["created_at"]),
        method=content["method"],
        tables={
            Name(table["schema"], table["name"]): Fingerprint(
                table["rows"], table["content"], tuple((a, b) for a, b in table["columns"])
            )
            for table in content["tables"]
        },
        views={Name(view["schema"], view["name"]): view["sql"] for view in content["views"]},
        seen={Name(schema, name): rows for schema, name, rows in content["seen"]},
    )


def _other_backups(root: Path) -> str:
    backups = list_backups(root)
    return f" (the newest finished one is {backups[-1].folder})" if backups else ""


def list_backups(root: Path) -> list[Backup]:
    """Return the finished backups of a folder, oldest first; damaged ones are left out."""
    results = []
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        if _FOLDER.fullmatch(folder.name) and _is_finished(folder):
            try:
                results.append(read_backup(folder))
            except WarehouseError:
                continue
    return sorted(results, key=lambda candidate: (candidate.created_at, candidate.folder.name))


def surplus_backups(root: Path, keep: int, made_now: Path | None = None) -> list[Backup]:
    """Return the backups beyond the newest ``keep``; never the one made now."""
    known = list_backups(root)
    return [
        candidate
        for candidate in known[: max(len(known) - keep, 0)]
        if candidate.folder != made_now
    ]


def remove_backup(backup: Backup) -> None:
    """Remove a backup; a kill in between leaves no half of one under its name."""
    folder = backup.folder
    removed = folder.with_name(f"{folder.name}.removed-{os.getpid()}")
    folder.rename(removed)
    shutil.rmtree(removed)


def restore_backup(
    path: Path,
    backup: Backup,
    *,
    only: str | None = None,
    overwrite: bool = False,
    wait_seconds: float = 0.0,
    progress: Progress | None = None,
) -> Restored:
    """Bring the tables and views of a backup back, all of them or none.

    What is in the warehouse with the same content is left as it is. Where there is no
    warehouse file, a new one is made and gets its name when it is proven.

    Parameters
    ----------
    path
        The warehouse file.
    backup
        From :func:`read_backup`.
    only
        Pattern of the relations to bring back.
    overwrite
        Replace relations that differ from the backup.
    wait_seconds
        How long to wait for the file.
    progress
        Shows each step.

    Raises
    ------
    WarehouseError
        A relation is there with another content and ``overwrite`` was not said; nothing fits
        ``only``; or what was read back is not what the manifest says. Nothing is changed.
    """
    wanted = [
        name
        for name in (*backup.tables, *backup.views)
        if only is None or matches(only, name.schema, name.name)
    ]
    if not wanted:
        raise WarehouseError(f"no table of {backup.folder} fits '{only}'")
    path.parent.mkdir(parents=True, exist_ok=True)
    fsync.require_space(path.parent, backup.bytes, "the restore")
    if path.exists():
        with open_warehouse(path, wait_seconds=wait_seconds) as warehouse:
            return _restore_into(warehouse, backup, wanted, overwrite, progress or Silent())
    return _restore_new(path, backup, wanted, progress or Silent())


def _restore_new(
    path: Path, backup: Backup, wanted: Sequence[Name], progress: Progress
) -> Restored:
    import duckdb

    log = path.with_name(path.name + ".wal")
    if log.exists():
        raise WarehouseError(f"{log} belongs to the file that was there: move it away too")
    # The file must have its final name in a folder of its own: views name the database by it.
    folder = path.with_name(f"{path.name}.restoring")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    fresh = folder / path.name
    duckdb.connect(str(fresh)).close()
    with open_warehouse(fresh) as warehouse:
        restored = _restore_into(warehouse, backup, wanted, False, progress)
    fsync.sync_file(fresh)
    fresh.rename(path)
    fsync.sync_folder(path.parent)
    shutil.rmtree(folder)
    return restored


def _restore_into(
    warehouse: Warehouse,
    backup: Backup,
    wanted: Sequence[Name],
    overwrite: bool,
    progress: Progress,
) -> Restored:
    with attached(warehouse, backup.folder / DATABASE_NAME, read_only=True) as source:
        progress.step("proving the backup")
        _require_whole(source, backup, wanted, progress)
        progress.step("comparing with the warehouse")
        there = {relation.name.key: relation for relation in read_relations(warehouse)}
        same = [name for name in wanted if _is_same(warehouse, backup, name, there)]
        missing = [name for name in wanted if name not in same]
        taken = [name for name in missing if name.key in there]
        if taken and not overwrite:
            raise WarehouseError(
                f"{len(taken)} of the backup's relations are in the warehouse with another"
                f" content ({', '.join(map(str, taken[:5]))}{', ...' if len(taken) > 5 else ''}):"
                " say --overwrite to replace them, or --only PATTERN to leave them out"
            )
        progress.step(f"bringing {len(missing)} relations back")
        with warehouse.transaction():
            _bring_back(warehouse, backup, missing, there, progress)
    warehouse.rows("checkpoint")
    rows = sum(backup.tables[name].rows for name in missing if name in backup.tables)
    return Restored(tuple(missing), tuple(same), rows)


def _require_whole(
    source: Warehouse, backup: Backup, wanted: Sequence[Name], progress: Progress
) -> None:
    said = {name: backup.tables[name] for name in wanted if name in backup.tables}
    wrong = differences(said, take_fingerprints(source, ATTACHED, list(said), progress))
    if wrong:
        raise WarehouseError(
            f"{backup.folder} is not what its manifest says ({'; '.join(wrong[:3])}):"
            " take another backup"
        )


def _is_same(
    warehouse: Warehouse, backup: Backup, name: Name, there: Mapping[tuple[str, str], Relation]
) -> bool:
    result = there.get(name.key)
    if result is None or (result.kind == TABLE) != (name in backup.tables):
        return False
    database = current_database(warehouse)
    if result.kind == TABLE:
        return take_fingerprint(warehouse, database, result.name) == backup.tables[name]
    return definitions.views_of(warehouse, database)[result.name] == backup.views[name]


def _bring_back(
    warehouse: Warehouse,
    backup: Backup,
    names: Sequence[Name],
    there: Mapping[tuple[str, str], Relation],
    progress: Progress,
) -> None:
    database = current_database(warehouse)
    definitions.copy_sequences(warehouse, ATTACHED, database)
    for done, name in enumerate(names):
        progress.advance(done, len(names))
        result = there.get(name.key)
        if result is not None:
            warehouse.rows(f"drop {result.kind} {quoted(database)}.{result.name.sql}")
        if name in backup.tables:
            definitions.copy_table(warehouse, ATTACHED, database, name)
            if take_fingerprint(warehouse, database, name) != backup.tables[name]:
                raise WarehouseError(
                    f"{name} as read back is not the {name} of {backup.folder}: nothing was changed"
                )
    _bring_views_back(
        warehouse, {name: backup.views[name] for name in names if name in backup.views}
    )


def _bring_views_back(warehouse: Warehouse, views: Mapping[Name, str]) -> None:
    # A view can be made only after the views that it reads; a failed try would end the
    # transaction.
    left = dict(views)
    reads = {name: reads_among(warehouse, name, sql, views) for name, sql in views.items()}
    while left:
        ready = [name for name in left if not reads[name] & left.keys()] or list(left)
        for name in ready:
            sql = left.pop(name)
            definitions.create_view(warehouse, current_database(warehouse), name, sql)
