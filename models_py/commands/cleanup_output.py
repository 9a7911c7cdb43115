"""How the cleanup command shows what it found and what it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from models_py.commands import table
from models_py.database.maintenance.cleanup import Finding, Listing
from models_py.database.maintenance.fsync import megabytes
from models_py.database.maintenance.home import Held
from models_py.database.maintenance.integrity import Figure
from models_py.database.maintenance.manifest import Backup
from models_py.database.maintenance.restore import Restored

_RIGHT = {"rows", "size", "value", "before", "after", "tables", "count"}


def print_listing(listing: Listing, path: Path, show_protected: bool) -> None:
    """Print what was found, with the reason and what would happen."""
    print(f"{shown(path)}, {megabytes(path.stat().st_size)}")
    if listing.findings:
        head = ["class", "what", "name", "rows", "size", "age", "reason", "would"]
        print_table(head, [_listed(finding) for finding in listing.findings])
    going = listing.going
    rows, held = (
        sum(finding.rows or 0 for finding in going),
        sum(finding.bytes or 0 for finding in going),
    )
    kept = len(listing.findings) - len(going)
    print(f"{len(going)} to drop ({rows:,} rows, about {megabytes(held)}), {kept} kept")
    if listing.protected:
        hint = "" if show_protected else " (--show-protected names them)"
        print(f"{len(listing.protected)} with such a name are protected and not listed{hint}")
    for name, owner in listing.protected if show_protected else ():
        print(f"  {printable(str(name))}: {owner}")
    if listing.orphans_left:
        print(f"{listing.orphans_left} that no dbt model makes are left (--class orphan)")
    if not listing.ownership.has_manifest:
        print("dbt's manifest is not there: what its models own is not known")


def _listed(finding: Finding) -> list[str]:
    return [
        finding.kind,
        finding.what,
        printable(finding.label),
        "" if finding.rows is None else f"{finding.rows:,}",
        "" if finding.bytes is None else megabytes(finding.bytes),
        "unknown"
        if finding.age_days is None
        else f"{finding.age_days:,.0f} days ({finding.age_from})",
        printable(finding.reason),
        "drop" if finding.goes else f"keep: {printable(str(finding.kept_because))}",
    ]


def shown(path: Path | str) -> str:
    """Return a path as seen from the current folder, where it lies in it."""
    here = Path.cwd()
    path = Path(path)
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def printable(text: str) -> str:
    """Return a text in which control characters are written out."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns; figures to the right."""
    table.print_table(head, rows, {place for place, name in enumerate(head) if name in _RIGHT})


def listing_as_json(listing: Listing) -> dict[str, Any]:
    """Return the listing for a program."""
    return {
        "listed": [_finding_as_json(finding) for finding in listing.findings],
        "protected_count": len(listing.protected),
        "orphans_left": listing.orphans_left,
        "has_manifest": listing.ownership.has_manifest,
    }


def _finding_as_json(finding: Finding) -> dict[str, Any]:
    return {
        "class": finding.kind,
        "what": finding.what,
        "schema": finding.name.schema if finding.name else None,
        "name": finding.name.name if finding.name else None,
        "run_id": finding.run_id,
        "path": None if finding.path is None else str(finding.path),
        "reason": finding.reason,
        "rows": finding.rows,
        "bytes": finding.bytes,
        "age_days": finding.age_days,
        "age_from": finding.age_from,
        "read_by": finding.read_by,
        "would": "drop" if finding.goes else "keep",
        "kept_because": finding.kept_because,
    }


def backup_as_json(backup: Backup) -> dict[str, Any]:
    """Return a backup's facts."""
    return {
        "folder": str(backup.folder),
        "created_at": backup.created_at.isoformat(),
        "tables": len(backup.tables),
        "views": len(backup.views),
        "rows": backup.rows,
        "bytes": backup.bytes,
        "method": backup.method,
        "left_out": dict(backup.left_out),
    }


def restored_as_json(restored: Restored) -> dict[str, Any]:
    """Return what a restore did."""
    return {
        "brought_back": list(restored.brought_back),
        "same": list(restored.same),
        "rows": restored.rows,
        "folders": [str(folder) for folder in restored.folders],
    }


def figures_as_json(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Return the figures of a check."""
    return [asdict(figure) for figure in figures]


def print_done(facts: Mapping[str, Any]) -> None:
    """Print what a backup or a cleanup did."""
    backup = facts.get("backup")
    if backup:
        print(
            f"backup {shown(backup['folder'])}: {backup['tables']} tables, {backup['views']} views,"
            f" {backup['rows']:,} rows, {megabytes(backup['bytes'])},"
            " proven by restoring it on trial"
        )
        for what, why in backup["left_out"].items():
            print(f"  left out, it cannot be made again: {printable(what)} ({printable(why)})")
    if "dropped" in facts:
        _print_dropped(facts)
    for folder in facts.get("removed_backups", ()):
        print(f"removed the old backup {shown(folder)}")
    if "check" in facts:
        print_side_by_side(facts["check"]["before"], facts["check"]["after"])


def _print_dropped(facts: Mapping[str, Any]) -> None:
    for label in facts["dropped"]:
        print(f"dropped {printable(label)}")
    for folder in facts.get("removed_folders", ()):
        print(f"removed {printable(shown(folder))}")
    if facts["dropped"]:
        print(f"{facts['core_tables']} core tables are proven untouched")
    held = facts["bytes"]
    print(f"the file had {megabytes(held['before'])}, now {megabytes(held['after_drops'])}", end="")
    if "after_compaction" in held:
        print(f", after compacting {megabytes(held['after_compaction'])}")
    else:
        print(" (what was dropped is used again by new tables; --compact shrinks the file)")


def print_restored(restored: Restored, path: Path) -> None:
    """Print what a restore did."""
    for name in restored.brought_back:
        print(f"brought back {printable(name)}")
    for folder in restored.folders:
        print(f"brought back {printable(shown(folder))}")
    print(
        f"{len(restored.brought_back)} brought back into {shown(path)} ({restored.rows:,} rows,"
        f" proven by reading back), {len(restored.same)} were the same already"
    )


def print_backups(backups: Sequence[Backup], root: Path) -> None:
    """Print the backups of a folder."""
    if not backups:
        print(f"there is no backup in {shown(root)}")
        return
    rows = [
        [
            shown(backup.folder),
            f"{backup.created_at:%Y-%m-%d %H:%M:%S}",
            f"{len(backup.tables):,}",
            f"{backup.rows:,}",
            megabytes(backup.bytes),
        ]
        for backup in backups
    ]
    print_table(["folder", "made (UTC)", "tables", "rows", "size"], rows)


def print_figures(figures: Sequence[Mapping[str, Any]]) -> None:
    """Print the figures of one check."""
    rows = [
        [figure["check"], figure["where"], f"{figure['value']:,}", figure["fault"] or ""]
        for figure in figures
    ]
    print_table(["check", "where", "value", "fault"], rows)


def home_as_json(home: Sequence[Held]) -> list[dict[str, Any]]:
    """Return what the home holds."""
    return [asdict(held) for held in home]


def print_home(home: Sequence[Held]) -> None:
    """Print what the home holds by kind."""
    rows = [[held.kind, f"{held.count:,}", megabytes(held.bytes)] for held in home]
    print_table(["the home holds", "count", "size"], rows)


def print_side_by_side(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> None:
    """Print the figures of two checks beside each other."""
    was = {(item["check"], item["where"]): item for item in before}
    now = {(item["check"], item["where"]): item for item in after}
    rows = []
    for key in dict.fromkeys([*was, *now]):
        first, second = was.get(key), now.get(key)
        fault = (second or first or {}).get("fault") or ""
        values = [f"{item['value']:,}" if item else "gone" for item in (first, second)]
        rows.append([*key, *values, fault])
    print_table(["check", "where", "before", "after", "fault"], rows)
