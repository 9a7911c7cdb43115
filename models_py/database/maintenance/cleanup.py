"""What can go from the warehouse, why, and its removal in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from pathlib import Path

from models_py.base import settings
from models_py.base.errors import UsageError, WarehouseError
from models_py.base.plurals import plural
from models_py.base.progress import Progress, Silent
from models_py.database import contract
from models_py.database.connection import Warehouse
from models_py.database.results import order_of_runs
from models_py.database.maintenance.backup import list_backups
from models_py.database.maintenance.catalog import (
    LAYERS,
    TABLE,
    VIEW,
    Name,
    Ownership,
    Reader,
    Relation,
    count_rows,
    current_database,
    read_ownership,
    read_readers,
    read_relations,
    stored_bytes,
)
from models_py.database.maintenance.fingerprint import Fingerprint, differences, take_fingerprints
from models_py.database.maintenance.home import left_behind
from models_py.database.maintenance.naming import BACKUP, TEMP, NamingRules, Verdict, matches

ORPHAN, RUNS = "orphan", "runs"
RUN = "run"
_DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class Wanted:
    """What the operator asks for.

    Attributes
    ----------
    classes
        Of ``temp``, ``backup``, ``orphan`` and ``runs``.
    only
        Pattern of ``schema.name``; for runs of the study or the run id.
    older_than_days
        Leave what is younger, or of unknown age.
    keep_runs
        Finished runs of each study that stay; the newest one always does.
    """

    classes: frozenset[str] = frozenset({TEMP, BACKUP})
    only: str | None = None
    older_than_days: float | None = None
    keep_runs: int | None = None

    def __post_init__(self) -> None:
        if RUNS in self.classes and self.keep_runs is None and self.older_than_days is None:
            raise UsageError("say which runs may go: --keep-runs N, --older-than DAYS or both")
        if self.keep_runs is not None and self.keep_runs < 1:
            raise UsageError(f"--keep-runs must be 1 or more, not {self.keep_runs}")


@dataclass(frozen=True)
class Finding:
    """A table, view or run that is listed.

    Attributes
    ----------
    kind
        Its class.
    what
        ``"table"``, ``"view"``, ``"run"``, ``"folder"`` or ``"file"``.
    label
        ``schema.name``, the run id and its study, or a path in the home.
    rows, bytes
        Exact rows; about how much of the file; None where it is unknown.
    age_days, age_from
        None where nothing tells; and what tells it.
    read_by
        Views, macros and foreign keys that read it.
    kept_because
        Why it stays all the same; None where it would be dropped.
    path
        Of a folder or file that belongs to no run.
    """

    kind: str
    what: str
    label: str
    reason: str
    name: Name | None = None
    run_id: str | None = None
    rows: int | None = None
    bytes: int | None = None
    age_days: float | None = None
    age_from: str = "unknown"
    read_by: tuple[str, ...] = ()
    kept_because: str | None = None
    path: Path | None = None

    @property
    def goes(self) -> bool:
        """Whether it would be dropped."""
        return self.kept_because is None


@dataclass(frozen=True)
class Listing:
    """Everything that was found, and what was left out of the list.

    Attributes
    ----------
    protected
        Relations whose name looks temporary but that somebody owns, with the owner.
    orphans_left
        How many orphans there are that were not asked for.
    """

    findings: tuple[Finding, ...]
    protected: tuple[tuple[Name, str], ...]
    orphans_left: int
    ownership: Ownership

    @property
    def going(self) -> tuple[Finding, ...]:
        """What would be dropped."""
        return tuple(finding for finding in self.findings if finding.goes)


def find(
    warehouse: Warehouse,
    wanted: Wanted,
    rules: NamingRules,
    *,
    now: datetime,
    manifest: Path | None = None,
    backups: Path | None = None,
) -> Listing:
    """List what can go; changes nothing.

    Parameters
    ----------
    warehouse
        The open warehouse; reading is enough.
    wanted
        What the operator asks for.
    rules
        What names mean.
    now
        The time that ages are counted to (UTC).
    manifest
        dbt's manifest; the repository's own by default.
    backups
        Folder of backups, which tell since when a table has been there.
    """
    ownership = read_ownership(warehouse, manifest)
    relations = read_relations(warehouse)
    named, protected, orphans = _candidates(relations, rules, ownership, now)
    asked = [item for item in [*named, *orphans] if item.kind in wanted.classes]
    results = [finding for finding in asked if _is_named_by(wanted.only, finding)]
    results = _with_age(results, _first_seen(backups, results), now)
    results = [_young_kept(candidate, wanted.older_than_days) for candidate in results]
    results = _read_ones_kept(results, read_readers(warehouse))
    results = _with_size(warehouse, results)
    runs = list(_old_runs(warehouse, wanted, now)) if RUNS in wanted.classes else []
    runs += _left_behind(warehouse, wanted, runs) if RUNS in wanted.classes else []
    left = 0 if ORPHAN in wanted.classes else len(orphans)
    return Listing((*results, *runs), tuple(protected), left, ownership)


def _candidates(
    relations: Sequence[Relation], rules: NamingRules, ownership: Ownership, now: datetime
) -> tuple[list[Finding], list[tuple[Name, str]], list[Finding]]:
    named: list[Finding] = []
    protected: list[tuple[Name, str]] = []
    orphans: list[Finding] = []
    for relation in relations:
        name = relation.name
        verdict = rules.judge(name.name)
        owner = ownership.owners.get(name.key)
        if owner is None and rules.protects(name.schema, name.name):
            owner = "the protection list"
        if owner is not None:
            protected.extend([(name, owner)] if verdict else [])
        elif verdict is not None:
            named.append(_named(relation, verdict, now))
        elif ownership.has_manifest and name.schema.casefold() in LAYERS:
            reason = "no dbt model makes it"
            orphans.append(Finding(ORPHAN, relation.kind, str(name), reason, name))
    return named, protected, orphans


def _named(relation: Relation, verdict: Verdict, now: datetime) -> Finding:
    name = relation.name
    result = Finding(verdict.kind, relation.kind, str(name), verdict.reason, name)
    if verdict.dated is None:
        return result
    age = _days(datetime.combine(verdict.dated, time()), now)
    return replace(result, age_days=age, age_from="the date in its name")


def _is_named_by(only: str | None, finding: Finding) -> bool:
    if only is None or finding.name is None:
        return True
    return matches(only, finding.name.schema, finding.name.name)


def _first_seen(backups: Path | None, findings: Sequence[Finding]) -> dict[Name, datetime]:
    """Return the time of the oldest backup since which each table was there, unchanged in size."""
    seen: dict[Name, datetime] = {}
    rows: dict[Name, int] = {}
    wanted = {candidate.name for candidate in findings if candidate.name is not None}
    for backup in list_backups(backups) if backups is not None else []:
        for name in wanted:
            count = backup.seen.get(name)
            if count is None:
                seen.pop(name, None)
            elif name not in seen or rows[name] != count:
                seen[name], rows[name] = backup.created_at, count
    return seen


def _with_age(
    findings: Sequence[Finding], seen: Mapping[Name, datetime], now: datetime
) -> list[Finding]:
    aged = []
    for finding in findings:
        since = seen.get(finding.name) if finding.name is not None else None
        if finding.age_days is None and since is not None:
            age_reason = f"seen by the backup of {since:%Y-%m-%d}"
            aged.append(replace(finding, age_days=_days(since, now), age_from=age_reason))
        else:
            aged.append(finding)
    return aged


def _days(since: datetime, now: datetime) -> float:
    return (now - since).total_seconds() / _DAY_SECONDS


def _young_kept(finding: Finding, older_than_days: float | None) -> Finding:
    if older_than_days is None:
        return finding
    if finding.age_days is None:
        return replace(finding, kept_because="its age is not known")
    if finding.age_days <= older_than_days:
        return replace(finding, kept_because=f"not older than {older_than_days:g} days")
    return finding


def _read_ones_kept(findings: Sequence[Finding], readers: Sequence[Reader]) -> list[Finding]:
    """Keep what something reads that stays; again and again, since a kept view reads too."""
    by_key: dict[tuple[str, str], list[Reader]] = defaultdict(list)
    for reader in readers:
        for key in reader.reads:
            by_key[key].append(reader)
    listed = {candidate.name.key: candidate for candidate in findings if candidate.name is not None}
    for key, entry in listed.items():
        listed[key] = replace(entry, read_by=tuple(reader.label for reader in by_key[key]))
    going = {key for key, item in listed.items() if item.goes}
    while True:
        staying = {key: _staying(by_key[key], going) for key in going}
        kept = {key: label for key, label in staying.items() if label is not None}
        if not kept:
            return list(listed.values())
        for key, label in kept.items():
            listed[key] = replace(listed[key], kept_because=f"{label} reads it")
        going -= kept.keys()


def _staying(readers: Sequence[Reader], going: set[tuple[str, str]]) -> str | None:
    for reader in readers:
        if reader.relation is None or reader.relation.key not in going:
            return reader.label
    return None


def _with_size(warehouse: Warehouse, findings: Sequence[Finding]) -> list[Finding]:
    tables = [
        candidate.name
        for candidate in findings
        if candidate.what == TABLE and candidate.name is not None
    ]
    rows = count_rows(warehouse, tables)
    held = stored_bytes(warehouse, tables, rows)
    return [
        replace(candidate, rows=rows[candidate.name], bytes=held.get(candidate.name))
        if candidate.name is not None and candidate.name in rows
        else candidate
        for candidate in findings
    ]


def _old_runs(warehouse: Warehouse, wanted: Wanted, now: datetime) -> Iterator[Finding]:
    runs = Name(contract.SCHEMA, contract.runs.name)
    if str(runs) not in warehouse.relations():
        return
    rows, held = _rows_of_runs(warehouse)
    newer_done: dict[str, int] = defaultdict(int)
    recorded = warehouse.rows(
        f"select run_id, study, status, started_at from {runs.sql}"
        f" order by {order_of_runs(warehouse)} desc"
    )
    for run_id, study, status, started_at in recorded:
        newer = newer_done[study]
        newer_done[study] += status == contract.DONE
        latest = status == contract.DONE and newer == 0
        age = _days(started_at, now)
        if latest or status == contract.RUNNING or newer < (wanted.keep_runs or 0):
            continue
        if wanted.older_than_days is not None and age <= wanted.older_than_days:
            continue
        if wanted.only is not None and not (
            matches(wanted.only, contract.SCHEMA, run_id)
            or matches(wanted.only, contract.SCHEMA, study)
        ):
            continue
        yield Finding(
            kind=RUNS,
            what=RUN,
            label=f"run {run_id} of {study}",
            reason=f"{status}; {plural(newer, 'newer finished run')}",
            run_id=run_id,
            rows=rows.get(run_id, 0),
            bytes=round(held.get(run_id, 0.0)),
            age_days=age,
            age_from="results.runs",
        )


def _left_behind(warehouse: Warehouse, wanted: Wanted, runs: Sequence[Finding]) -> list[Finding]:
    """Return what lies in the home and belongs to no run, or to none that stays."""
    going = [finding.run_id for finding in runs if finding.run_id is not None]
    results = [
        Finding(
            kind=RUNS,
            what="folder" if left.path.is_dir() else "file",
            label=str(left.path.relative_to(settings.home()))
            if left.path.is_relative_to(settings.home())
            else str(left.path),
            reason=left.reason,
            bytes=left.bytes,
            age_days=left.age_days,
            age_from="its files",
            path=left.path,
        )
        for left in left_behind(warehouse, going)
        if wanted.only is None or matches(wanted.only, contract.SCHEMA, left.path.name)
    ]
    return [_young_kept(finding, wanted.older_than_days) for finding in results]


def _rows_of_runs(warehouse: Warehouse) -> tuple[dict[str, int], dict[str, float]]:
    """Return rows of each run over the tables that hold its rows, and about their bytes."""
    rows: dict[str, int] = defaultdict(int)
    held: dict[str, float] = defaultdict(float)
    for table in run_tables(warehouse):
        counted = warehouse.rows(f"select run_id, count(*) from {table.sql} group by run_id")
        total = sum(count for _, count in counted)
        stored = stored_bytes(warehouse, [table])[table]
        for run_id, count in counted:
            rows[run_id] += count
            held[run_id] += stored * count / total
    return rows, held


def run_tables(warehouse: Warehouse) -> list[Name]:
    """Return the tables of the file that hold rows of runs, ``results.runs`` last."""
    there = set(warehouse.relations())
    tables = [Name(contract.SCHEMA, table.name) for table in (*contract.RUN_TABLES, contract.runs)]
    return [table for table in tables if str(table) in there]


def drop_listed(
    warehouse: Warehouse,
    listing: Listing,
    core: Sequence[Relation],
    *,
    before: Mapping[Name, Fingerprint] | None = None,
    progress: Progress | None = None,
) -> tuple[Finding, ...]:
    """Drop what the listing says goes, all of it or nothing.

    Before the transaction ends it is proven that the core tables are what they were (but for
    the rows of runs that go) and that nothing else is gone; otherwise everything is rolled
    back.

    Parameters
    ----------
    warehouse
        Open for writing.
    listing
        From :func:`find`, on this very connection.
    core
        What must be untouched.
    before
        Fingerprints of the core tables, where they were just taken.
    progress
        Shows each step.

    Raises
    ------
    WarehouseError
        The proof failed, or DuckDB refuses a drop.
    """
    progress = progress or Silent()
    going = listing.going
    run_ids = [finding.run_id for finding in going if finding.run_id is not None]
    without = dict.fromkeys(run_tables(warehouse), run_ids) if run_ids else {}
    tables = [relation.name for relation in core if relation.kind == TABLE]
    database = current_database(warehouse)
    if before is None or run_ids:
        progress.step("reading the core tables")
        before = take_fingerprints(warehouse, database, tables, progress, without)
    expected = {relation.name for relation in read_relations(warehouse)} - {
        finding.name for finding in going
    }
    progress.step(f"dropping {len(going)} and proving the core untouched")
    with warehouse.transaction(f"{plural(len(going), 'drop')} committed"):
        for finding in _drop_order(going, read_readers(warehouse)):
            warehouse.rows(f"drop {finding.what} {_sql(finding)}")
        for table in without:
            warehouse.rows(f"delete from {table.sql} where list_contains(?, run_id)", [run_ids])
        after = take_fingerprints(warehouse, database, tables, progress, without)
        wrong = differences(before, after)
        left = {relation.name for relation in read_relations(warehouse)}
        wrong += [f"{name} is gone or new" for name in sorted(expected ^ left)]
        if wrong:
            raise WarehouseError(f"nothing was dropped, the proof failed: {'; '.join(wrong[:5])}")
    warehouse.rows("checkpoint")
    return going


def _sql(finding: Finding) -> str:
    if finding.name is None:
        raise WarehouseError(f"{finding.label} is no relation")
    return finding.name.sql


def _drop_order(going: Sequence[Finding], readers: Sequence[Reader]) -> list[Finding]:
    # Views before tables, and a table before those that its foreign keys point to.
    depth = _depth_of_references(readers)
    relations = [finding for finding in going if finding.name is not None]
    return sorted(relations, key=lambda relation: (relation.what != VIEW, depth(relation.name)))


def _depth_of_references(readers: Sequence[Reader]) -> Callable[[Name | None], int]:
    sources: dict[tuple[str, str], list[Name]] = defaultdict(list)
    for reader in readers:
        if reader.label.startswith("foreign key") and reader.relation is not None:
            for key in reader.reads:
                sources[key].append(reader.relation)

    def depth(name: Name | None) -> int:
        return (
            0
            if name is None
            else 1 + max((depth(source) for source in sources[name.key]), default=-1)
        )

    return depth
