"""Backups: made, proven by restoring them on trial, kept for a while.

A backup is a folder with one DuckDB file, the files of runs that go, and a manifest that
holds every definition, how many rows each table has and what their hash is. The DuckDB file keeps
every type as it is, which parquet does not. Where what is saved fills most of the warehouse
the file is copied whole, byte by byte, and so is the trial; otherwise the tables are copied into a
new file.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from models_py.base import committed, settings
from models_py.base.errors import WarehouseError
from models_py.base.progress import Progress, Silent
from models_py.database import contract
from models_py.database.connection import Warehouse, quoted
from models_py.database.maintenance import (
    bytewise,
    fsync,
    home,
    leftovers,
    manifest,
    restore,
)
from models_py.database.maintenance.catalog import (
    TABLE,
    VIEW,
    Name,
    Ownership,
    Relation,
    count_rows,
    current_database,
    read_readers,
    read_relations,
    stored_bytes,
)
from models_py.database.maintenance.compaction import require_no_log
from models_py.database.maintenance.definitions import (
    INDEX,
    Definition,
    read_definitions,
    storage_version,
)
from models_py.database.maintenance.fingerprint import (
    Fingerprint,
    count_and_type,
    take_fingerprints,
)
from models_py.database.maintenance.manifest import (
    BY_FILE,
    BY_TABLES,
    DATABASE_NAME,
    MANIFEST_NAME,
    Backup,
)
from models_py.database.maintenance.naming import NamingRules
from models_py.database.maintenance.rehearsal import workable_order

# A whole copy carries the temporary tables along; from this share of core on it is worth it.
WHOLE_FILE_SHARE = 0.5

_FOLDER = re.compile(r"backup_[0-9]{8}_[0-9]{6}(_[0-9]+)?")


def core_relations(
    warehouse: Warehouse,
    ownership: Ownership,
    rules: NamingRules,
    skipped_schemas: Sequence[str] = (),
) -> list[Relation]:
    """Return what is proven untouched.

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


def saved_relations(
    warehouse: Warehouse,
    ownership: Ownership,
    rules: NamingRules,
    skipped_schemas: Sequence[str] = (),
    going: Collection[Name] = (),
) -> list[Relation]:
    """Return what a backup holds.

    That is the core, everything else whose name is not that of a temporary or backup table,
    what is about to be dropped whatever its name and schema, and what any of these reads.
    """
    skipped = {schema.casefold() for schema in skipped_schemas}
    relations = read_relations(warehouse)
    saved = {
        relation.name.key
        for relation in relations
        if relation.name.schema.casefold() not in skipped
        and (_is_core(relation.name, ownership, rules) or rules.judge(relation.name.name) is None)
    } | {name.key for name in going}
    readers = read_readers(warehouse)
    while True:
        read = {
            key
            for reader in readers
            if reader.relation is None or reader.relation.key in saved
            for key in reader.reads
        }
        if read <= saved:
            return [relation for relation in relations if relation.name.key in saved]
        saved |= read


def make_backup(
    warehouse: Warehouse,
    saved: Sequence[Relation],
    root: Path,
    now: datetime,
    progress: Progress | None = None,
    *,
    run_ids: Sequence[str] = (),
    key: bytes | None = None,
) -> Backup:
    """Copy relations into a new dated folder and prove the copy by restoring it on trial.

    The folder gets its name last: one that has it is whole. The warehouse must be open for
    writing, so that nobody changes it meanwhile.

    Parameters
    ----------
    warehouse
        The open warehouse.
    saved
        What to back up; macros, sequences and types come along.
    root
        Folder of all backups.
    now
        The time that the folder is named by (UTC).
    progress
        Shows each step.
    run_ids
        Runs whose models and reports are copied too.
    key
        Secret for an HMAC of the manifest.

    Raises
    ------
    WarehouseError
        Too little space, or what the trial brought back differs from the original.
    """
    progress = progress or Silent()
    warehouse.rows("checkpoint")
    require_no_log(warehouse.path)
    database, storage = current_database(warehouse), storage_version(warehouse)
    definitions, left_out = _workable(warehouse, saved, database, storage)
    tables = [made.name for made in definitions if made.kind == TABLE]
    method, needed = _method(warehouse, tables)
    files = _files_of(run_ids)
    way_out = ", or name another folder with --backup-dir"
    with _new_folder(root, now) as (unfinished, folder):
        # The trial needs the space a second time.
        needed = 2 * needed + sum(file.stat().st_size for file in files)
        fsync.require_space(root, needed, "the backup", way_out)
        progress.step(f"copying {len(tables)} tables")
        content = unfinished / "content"
        content.mkdir()
        copy = content / DATABASE_NAME
        known, contents = _copied(warehouse, method, definitions, copy, progress)
        fsync.sync_file(copy)
        _copy_files(files, content)
        backup = Backup(
            folder=content,
            number=1 + max((made.number for made in list_backups(root)), default=0),
            created_at=now.replace(microsecond=0),
            method=method,
            database=database,
            storage=storage,
            definitions=tuple(definitions),
            left_out=left_out,
            tables=contents,
            seen=_rows_seen(warehouse),
            runs=_runs(warehouse, tables),
            parts=(),
            is_keyed=key is not None,
        )
        backup = manifest.with_parts(backup, content, known)
        fsync.write_text(content / MANIFEST_NAME, manifest.manifest_text(backup, key))
        progress.step("proving the backup by restoring it on trial")
        _require_restorable(backup, unfinished / "trial", key, progress)
        fsync.sync_folder(content)
        committed.rename(content, folder, f"the backup lies in {folder}")
        fsync.sync_folder(root)
    return manifest.read_backup(folder)


def _workable(
    warehouse: Warehouse, saved: Sequence[Relation], database: str, storage: str
) -> tuple[list[Definition], dict[str, str]]:
    names = {relation.name.key for relation in saved}
    wanted = [made for made in read_definitions(warehouse).values() if _is_wanted(made, names)]
    order, reasons = workable_order(wanted, database, storage)
    lost = [made for made in reasons if made.kind == TABLE]
    if lost:
        raise WarehouseError(
            f"{lost[0].name} cannot be backed up so that it comes back: {reasons[lost[0]]}"
        )
    return order, {f"{made}: {made.body}": reason for made, reason in reasons.items()}


def _is_wanted(made: Definition, names: set[tuple[str, str]]) -> bool:
    if made.kind in (TABLE, VIEW):
        return made.name.key in names
    if made.kind == INDEX:
        return Name(made.name.schema, str(made.table)).key in names
    return True


def _method(warehouse: Warehouse, tables: Sequence[Name]) -> tuple[str, int]:
    held = stored_bytes(warehouse, tables)
    core_bytes, file_bytes = sum(held.values()), warehouse.path.stat().st_size
    if len(held) < len(tables) or core_bytes >= WHOLE_FILE_SHARE * file_bytes:
        return BY_FILE, file_bytes
    return BY_TABLES, round(core_bytes * 1.2)


def _files_of(run_ids: Sequence[str]) -> list[Path]:
    return [
        file for folder in home.folders_of_runs(run_ids) for file in manifest.files_under(folder)
    ]


def _copy_files(files: Sequence[Path], content: Path) -> None:
    for file in files:
        target = content / manifest.FILES_NAME / file.relative_to(settings.home())
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        fsync.sync_file(target)


@contextmanager
def _new_folder(root: Path, now: datetime) -> Iterator[tuple[Path, Path]]:
    try:
        root.mkdir(parents=True, exist_ok=True)
        leftovers.sweep_unfinished(root)
        folder = _free_name(root, now)
        with leftovers.unfinished_folder(root, folder.name) as unfinished:
            yield unfinished, folder
    except OSError as error:
        raise WarehouseError(f"cannot write the backup to {root}: {error.strerror}") from error


def _free_name(root: Path, now: datetime) -> Path:
    plain = root / f"backup_{now:%Y%m%d_%H%M%S}"
    folder, number = plain, 1
    while folder.exists():
        number += 1
        folder = plain.with_name(f"{plain.name}_{number}")
    return folder


def _copied(
    warehouse: Warehouse,
    method: str,
    definitions: Sequence[Definition],
    copy: Path,
    progress: Progress,
) -> tuple[dict[str, str], dict[Name, Fingerprint]]:
    """Make the copy; return its checksum where it is known, and the content of the tables."""
    tables = [made for made in definitions if made.kind == TABLE]
    names = [made.name for made in tables]
    if method == BY_TABLES:
        _copy_tables(warehouse, tables, copy, progress)
        progress.step("reading the warehouse")
        return {}, take_fingerprints(warehouse, current_database(warehouse), names, progress)
    # The bytes are those of the warehouse: no value need be read to prove it.
    digest = bytewise.copy_locked_file(warehouse.path, copy)
    return {DATABASE_NAME: digest}, count_and_type(warehouse, current_database(warehouse), names)


def _copy_tables(
    warehouse: Warehouse, tables: Sequence[Definition], copy: Path, progress: Progress
) -> None:
    source = current_database(warehouse)
    with restore.attached(warehouse, copy, storage=storage_version(warehouse)):
        for done, table in enumerate(tables):
            progress.advance(done, len(tables))
            name = table.name
            warehouse.rows(f"create schema if not exists {quoted(restore.ATTACHED, name.schema)}")
            # Values only: the manifest has the definitions.
            listed = ", ".join(quoted(column) for column in table.stored_columns)
            warehouse.rows(
                f"create table {quoted(restore.ATTACHED)}.{name.sql} as"
                f" select {listed} from {quoted(source)}.{name.sql}"
            )


def _require_restorable(
    backup: Backup, folder: Path, key: bytes | None, progress: Progress
) -> None:
    """Restore a backup into a scratch file by the very same way, and let it go."""
    folder.mkdir()
    try:
        restore.restore_new(
            folder / f"{backup.database}.duckdb",
            backup,
            restore.Asked(key=key, reads_files=True, brings_files=False, is_rehearsed=True),
            progress,
        )
    except WarehouseError as error:
        raise WarehouseError(f"the backup is not the same as the warehouse: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _rows_seen(warehouse: Warehouse) -> dict[Name, int]:
    tables = [relation.name for relation in read_relations(warehouse) if relation.kind == TABLE]
    return count_rows(warehouse, tables)


def _runs(warehouse: Warehouse, tables: Sequence[Name]) -> dict[str, str]:
    runs = Name(contract.SCHEMA, contract.runs.name)
    if runs not in tables:
        return {}
    return dict(warehouse.rows(f"select run_id, study from {runs.sql} order by run_id"))


def list_backups(root: Path) -> list[Backup]:
    """Return the finished backups of a folder, oldest first; damaged ones are left out."""
    results = []
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        if _FOLDER.fullmatch(folder.name) and (folder / DATABASE_NAME).is_file():
            try:
                results.append(manifest.read_backup(folder))
            except WarehouseError:
                continue
    return sorted(results, key=lambda made: (made.number, made.created_at, made.folder.name))


def surplus_backups(root: Path, keep: int, made_now: Path | None = None) -> list[Backup]:
    """Return the backups beyond the newest ``keep``; never the one made now."""
    known = list_backups(root)
    return [made for made in known[: max(len(known) - keep, 0)] if made.folder != made_now]


def remove_backup(backup: Backup) -> None:
    """Remove a backup; a kill in between leaves no half of one under its name."""
    folder = backup.folder
    with leftovers.unfinished_folder(folder.parent, folder.name) as removed:
        folder.rename(removed / "content")
