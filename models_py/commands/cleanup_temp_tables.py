"""List and clear out temporary and backup tables; back up, restore, compact and check.

Without a mode nothing is changed: what could go is listed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_py.base import settings
from models_py.base.errors import UsageError, WarehouseError
from models_py.base.progress import Progress, show_progress
from models_py.commands.exit_codes import end
from models_py.commands.options import (
    add_json,
    add_wait,
    add_warehouse,
    check_wait,
    command_parser,
)

if TYPE_CHECKING:
    from models_py.database.connection import Warehouse
    from models_py.database.maintenance.catalog import Name, Ownership, Relation
    from models_py.database.maintenance.cleanup import Listing, Wanted
    from models_py.database.maintenance.fingerprint import Fingerprint
    from models_py.database.maintenance.integrity import Figure
    from models_py.database.maintenance.manifest import Backup
    from models_py.database.maintenance.naming import NamingRules

DONE, FAILED, WRONG_USAGE, FOUND, NOTHING_FOUND = 0, 1, 2, 3, 4
CLASS_NAMES = ("temp", "backup", "orphan", "runs")
EXAMPLES = """\
examples:
  python scripts/cleanup_temp_tables.py                          list what could go
  python scripts/cleanup_temp_tables.py --execute --compact      back up, ask, drop, shrink the file
  python scripts/cleanup_temp_tables.py --class runs --keep-runs 5 --execute
  python scripts/cleanup_temp_tables.py --restore data/backups/backup_20250131_120000
  python scripts/cleanup_temp_tables.py --check

exit codes: 0 done (or whole, for --check), 1 failed, 2 wrong usage, 3 something was found and
not dropped, 4 nothing was found
DATABASE_CLEANUP_INSTRUCTIONS.md goes through it step by step.
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = command_parser("cleanup_temp_tables.py", __doc__, EXAMPLES)
    _add_modes(parser.add_argument_group("modes").add_mutually_exclusive_group())
    parser.add_argument(
        "--check",
        action="store_true",
        help="count rows, customers, duplicates and dangling results; with --execute before"
        " and after",
    )
    _add_choices(parser.add_argument_group("what is listed"))
    _add_manner(parser.add_argument_group("how"))
    return parser


def _add_modes(group: Any) -> None:
    group.add_argument("--dry-run", action="store_true", help="list what could go (the default)")
    group.add_argument("--execute", action="store_true", help="back up, ask, and drop the list")
    group.add_argument("--backup", action="store_true", help="back up, drop nothing")
    group.add_argument("--restore", metavar="FOLDER", type=Path, help="bring a backup back")
    group.add_argument("--list-backups", action="store_true", help="list the backups there are")


def _add_choices(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--only", metavar="PATTERN", help="schema.name, with * and ?")
    group.add_argument(
        "--class",
        dest="classes",
        metavar="NAME",
        action="append",
        help="temp, backup, orphan or runs; may be repeated (default: temp and backup)",
    )
    group.add_argument("--older-than", metavar="DAYS", type=float, help="leave what is younger")
    group.add_argument(
        "--keep-runs", metavar="N", type=int, help="list the runs beyond a study's newest N"
    )
    group.add_argument("--rules", metavar="FILE", type=Path, help="further rules for names")
    group.add_argument("--show-protected", action="store_true", help="also name what is protected")
    group.add_argument("--manifest", metavar="FILE", type=Path, help="dbt's manifest.json")
    group.add_argument(
        "--without-manifest", action="store_true", help="go on although dbt's models are unknown"
    )


def _add_manner(group: argparse._ArgumentGroup) -> None:
    add_warehouse(group)
    group.add_argument("--yes", action="store_true", help="do not ask; for schedules")
    group.add_argument(
        "--compact", action="store_true", help="with --execute: rewrite the file without holes"
    )
    group.add_argument(
        "--no-backup", action="count", default=0, help="drop without a backup; must be said twice"
    )
    group.add_argument("--backup-dir", metavar="DIR", type=Path, help="folder of the backups")
    group.add_argument(
        "--skip-schema",
        metavar="NAME",
        action="append",
        default=[],
        help="leave a schema out of the backup (bronze can be built again)",
    )
    group.add_argument(
        "--keep-backups", metavar="N", type=int, help="remove all but the newest N backups"
    )
    group.add_argument("--overwrite", action="store_true", help="with --restore: replace tables")
    group.add_argument(
        "--allow-files",
        action="store_true",
        help="with --restore: let a view of the backup look at files and the network",
    )
    group.add_argument(
        "--key", metavar="FILE", type=Path, help="secret that proves who made a backup"
    )
    add_wait(group)
    add_json(group)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    asked = build_parser().parse_args(arguments)
    return end(lambda: _run(asked), as_json=asked.json)


def _run(asked: argparse.Namespace) -> int:
    _refuse_odd_words(asked)
    asked.path = (asked.warehouse or settings.warehouse_path()).expanduser()
    asked.backups = (asked.backup_dir or settings.backups_dir()).expanduser()
    if asked.execute:
        return _execute(asked)
    if asked.backup:
        return _back_up(asked)
    if asked.restore is not None:
        return _restore(asked)
    if asked.list_backups:
        return _list_backups(asked)
    return _check(asked) if asked.check else _dry_run(asked)


def _refuse_odd_words(asked: argparse.Namespace) -> None:
    for name in _class_names(asked):
        if name not in CLASS_NAMES:
            raise UsageError(f"--class must be one of {', '.join(CLASS_NAMES)}, not '{name}'")
    if asked.no_backup == 1:
        raise UsageError(
            "without a backup nothing that is dropped can come back: say --no-backup twice"
        )
    if asked.compact and not asked.execute:
        raise UsageError("--compact changes the file: say it with --execute")
    if asked.allow_files and asked.restore is None:
        raise UsageError("--allow-files belongs to --restore FOLDER")
    if asked.overwrite and asked.restore is None:
        raise UsageError("--overwrite belongs to --restore FOLDER")
    if asked.json and not asked.yes and (asked.execute or asked.overwrite):
        raise UsageError("--json cannot ask: add --yes")
    if asked.keep_backups is not None and asked.keep_backups < 1:
        raise UsageError(f"--keep-backups must be 1 or more, not {asked.keep_backups}")
    if asked.older_than is not None and asked.older_than < 0:
        raise UsageError(f"--older-than must be 0 or more days, not {asked.older_than:g}")
    check_wait(asked)


def _class_names(asked: argparse.Namespace) -> list[str]:
    return [name.strip() for some in asked.classes or [] for name in some.split(",")]


def _wanted(asked: argparse.Namespace) -> Wanted:
    from models_py.database.maintenance.cleanup import Wanted

    classes = _class_names(asked) or ["temp", "backup"]
    runs = ["runs"] if asked.keep_runs is not None and asked.classes is None else []
    return Wanted(
        classes=frozenset([*classes, *runs]),
        only=asked.only,
        older_than_days=asked.older_than,
        keep_runs=asked.keep_runs,
    )


def _rules(asked: argparse.Namespace) -> NamingRules:
    from models_py.database.maintenance.naming import load_rules

    return load_rules(asked.rules)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _find(asked: argparse.Namespace, warehouse: Warehouse) -> Listing:
    from models_py.database.maintenance.cleanup import find

    return find(
        warehouse,
        _wanted(asked),
        _rules(asked),
        now=_now(),
        manifest=asked.manifest,
        backups=asked.backups,
    )


def _read_listing(asked: argparse.Namespace) -> Listing:
    from models_py.database.connection import open_warehouse

    with open_warehouse(
        asked.path, read_only=True, wait_seconds=asked.wait, on_wait=_tell
    ) as warehouse:
        return _find(asked, warehouse)


def _dry_run(asked: argparse.Namespace) -> int:
    from models_py.commands import cleanup_output as output

    listing = _read_listing(asked)
    outcome = FOUND if listing.going else NOTHING_FOUND
    if asked.json:
        _print_json(asked, outcome, **output.listing_as_json(listing))
        return outcome
    output.print_listing(listing, asked.path, asked.show_protected)
    print("nothing was changed" + ("; to go on, add --execute" if listing.going else ""))
    return outcome


def _print_json(asked: argparse.Namespace, outcome: int, **facts: object) -> None:
    words = {DONE: "done", FAILED: "failed", FOUND: "found", NOTHING_FOUND: "nothing found"}
    answer = {"outcome": words[outcome], "warehouse": str(asked.path), **facts}
    print(json.dumps(answer, indent=2, default=str))


def _execute(asked: argparse.Namespace) -> int:
    from models_py.commands import cleanup_output as output
    from models_py.database.connection import require_file
    from models_py.database.locks import maintenance_lock
    from models_py.database.waiting import list_waiting, open_for_writing

    require_file(asked.path)
    with maintenance_lock(asked.path, asked.wait, _tell):
        if list_waiting(asked.path):
            # They would change the list between its being shown and the drops.
            with open_for_writing(asked.path, wait_seconds=asked.wait, on_wait=_tell):
                pass
        listing = _read_listing(asked)
        _require_manifest(asked, listing.ownership)
        if not asked.json:
            output.print_listing(listing, asked.path, asked.show_protected)
        if not listing.going and not asked.compact:
            return _nothing_to_drop(asked, listing)
        if not _agreed(asked, f"drop these {len(listing.going)}"):
            print("nothing was changed")
            return FOUND
        with show_progress(quiet=asked.json) as progress:
            facts = _clean(asked, listing, progress)
    outcome = FAILED if "error" in facts else DONE
    if asked.json:
        _print_json(asked, outcome, **output.listing_as_json(listing), **facts)
    else:
        output.print_done(facts)
        if "error" in facts:
            _tell(f"error: {facts['error']}")
    return outcome


def _nothing_to_drop(asked: argparse.Namespace, listing: Listing) -> int:
    from models_py.commands import cleanup_output as output

    if asked.json:
        _print_json(asked, NOTHING_FOUND, **output.listing_as_json(listing))
    else:
        print("nothing was changed")
    return NOTHING_FOUND


def _require_manifest(asked: argparse.Namespace, ownership: Ownership) -> None:
    if not ownership.has_manifest and not asked.without_manifest:
        raise WarehouseError(
            "dbt's manifest is not there, so nobody knows which tables its models own: make it"
            " with 'dbt parse --project-dir warehouse', name it with --manifest, or say"
            " --without-manifest"
        )


def _agreed(asked: argparse.Namespace, what: str) -> bool:
    if asked.yes:
        return True
    print(f"{what}? [y/N] ", end="", flush=True)
    answer = sys.stdin.readline().strip().lower()
    return answer in ("y", "yes")


def _clean(asked: argparse.Namespace, shown: Listing, progress: Progress) -> dict[str, Any]:
    from models_py.commands import cleanup_output as output
    from models_py.database.maintenance.compaction import compact

    before = asked.path.stat().st_size
    facts = _drop(asked, shown, progress)
    facts["bytes"] = {"before": before, "after_drops": asked.path.stat().st_size}
    if asked.compact:
        try:
            done = compact(asked.path, wait_seconds=asked.wait, on_wait=_tell, progress=progress)
            facts["bytes"]["after_compaction"] = done.bytes_after
        except WarehouseError as error:
            # The drops are done and must be reported; the file is as it was before the compaction.
            facts["error"] = f"the drops are done, but the file was not compacted: {error}"
    if asked.check:
        facts["check"]["after"] = output.figures_as_json(_figures(asked))
    kept = facts["backup"]["folder"] if facts["backup"] else None
    facts["removed_backups"] = _prune_backups(asked, Path(kept) if kept else None)
    return facts


def _drop(asked: argparse.Namespace, shown: Listing, progress: Progress) -> dict[str, Any]:
    """Back up and drop under one lock on the file, so that nobody comes in between."""
    from models_py.commands import cleanup_output as output
    from models_py.database.maintenance.backup import (
        core_relations,
        make_backup,
        saved_relations,
    )
    from models_py.database.maintenance.cleanup import drop_listed
    from models_py.database.maintenance.home import remove_folders_of_runs, remove_paths
    from models_py.database.maintenance.manifest import read_key
    from models_py.database.maintenance.integrity import check_warehouse
    from models_py.database.waiting import open_for_writing

    facts: dict[str, Any] = {"backup": None, "dropped": []}
    with open_for_writing(asked.path, wait_seconds=asked.wait, on_wait=_tell) as warehouse:
        listing = _find(asked, warehouse)
        _require_unchanged(shown, listing)
        core = core_relations(warehouse, listing.ownership, _rules(asked))
        if asked.check:
            figures = check_warehouse(warehouse, asked.manifest)
            facts["check"] = {"before": output.figures_as_json(figures)}
        if not listing.going:
            return facts
        run_ids = [finding.run_id for finding in listing.going if finding.run_id is not None]
        left = [finding.path for finding in listing.going if finding.path is not None]
        backup = None
        if not asked.no_backup:
            going = [finding.name for finding in listing.going if finding.name is not None]
            saved = saved_relations(
                warehouse, listing.ownership, _rules(asked), asked.skip_schema, going
            )
            backup = make_backup(
                warehouse,
                saved,
                asked.backups,
                _now(),
                progress,
                run_ids=[*run_ids, *(path.name for path in left)],
                key=read_key(asked.key),
            )
            facts["backup"] = output.backup_as_json(backup)
        proven = _proven(core, backup)
        gone = drop_listed(warehouse, listing, core, before=proven, progress=progress)
        facts["dropped"] = [finding.label for finding in gone if finding.path is None]
        removed = remove_folders_of_runs(run_ids, asked.path)
        facts["removed_folders"] = [str(folder) for folder in [*removed, *remove_paths(left)]]
        facts["core_tables"] = sum(relation.kind == "table" for relation in core)
    return facts


def _proven(core: Sequence[Relation], backup: Backup | None) -> dict[Name, Fingerprint] | None:
    """Return the content of the core as the backup read it a moment ago, if it read all of it."""
    tables = {relation.name for relation in core if relation.kind == "table"}
    read = {} if backup is None else _read_by(backup)
    if not tables <= read.keys():
        return None
    return {name: content for name, content in read.items() if name in tables}


def _read_by(backup: Backup) -> dict[Name, Fingerprint]:
    # A copy of the whole file is proven by its bytes, and no value was read.
    return {name: content for name, content in backup.tables.items() if content.content}


def _require_unchanged(shown: Listing, now: Listing) -> None:
    def said(listing: Listing) -> set[tuple[str, str, int | None]]:
        return {(finding.what, finding.label, finding.rows) for finding in listing.going}

    if said(shown) != said(now):
        raise WarehouseError(
            "the warehouse has changed since the list was shown: nothing was dropped, run it again"
        )


def _prune_backups(asked: argparse.Namespace, made_now: Path | None) -> list[str]:
    from models_py.database.maintenance.backup import remove_backup, surplus_backups

    if asked.keep_backups is None:
        return []
    surplus = surplus_backups(asked.backups, asked.keep_backups, made_now)
    for backup in surplus:
        remove_backup(backup)
    return [str(backup.folder) for backup in surplus]


def _back_up(asked: argparse.Namespace) -> int:
    from models_py.commands import cleanup_output as output
    from models_py.database.maintenance.backup import make_backup, saved_relations
    from models_py.database.maintenance.catalog import read_ownership
    from models_py.database.maintenance.manifest import read_key
    from models_py.database.connection import require_file
    from models_py.database.locks import maintenance_lock
    from models_py.database.waiting import open_for_writing

    require_file(asked.path)
    with (
        maintenance_lock(asked.path, asked.wait, _tell),
        open_for_writing(asked.path, wait_seconds=asked.wait, on_wait=_tell) as warehouse,
        show_progress(quiet=asked.json) as progress,
    ):
        ownership = read_ownership(warehouse, asked.manifest)
        saved = saved_relations(warehouse, ownership, _rules(asked), asked.skip_schema)
        backup = make_backup(
            warehouse, saved, asked.backups, _now(), progress, key=read_key(asked.key)
        )
        removed = _prune_backups(asked, backup.folder)
    facts = {"backup": output.backup_as_json(backup), "removed_backups": removed}
    if asked.json:
        _print_json(asked, DONE, **facts)
    else:
        output.print_done(facts)
    return DONE


def _restore(asked: argparse.Namespace) -> int:
    from models_py.commands import cleanup_output as output
    from models_py.database.maintenance.manifest import read_backup, read_key
    from models_py.database.maintenance.restore import Asked, restore_backup
    from models_py.database.locks import maintenance_lock

    backup = read_backup(asked.restore)
    if asked.overwrite and not _agreed(asked, f"replace tables of {asked.path}"):
        print("nothing was changed")
        return FOUND
    asked.path.parent.mkdir(parents=True, exist_ok=True)
    with (
        maintenance_lock(asked.path, asked.wait, _tell),
        show_progress(quiet=asked.json) as progress,
    ):
        restored = restore_backup(
            asked.path,
            backup,
            Asked(asked.only, asked.overwrite, read_key(asked.key), asked.allow_files),
            wait_seconds=asked.wait,
            progress=progress,
        )
    if asked.json:
        _print_json(asked, DONE, restored=output.restored_as_json(restored))
    else:
        output.print_restored(restored, asked.path)
    return DONE


def _list_backups(asked: argparse.Namespace) -> int:
    from models_py.commands import cleanup_output as output
    from models_py.database.maintenance.backup import list_backups

    backups: list[Backup] = list_backups(asked.backups)
    outcome = FOUND if backups else NOTHING_FOUND
    if asked.json:
        _print_json(asked, outcome, backups=[output.backup_as_json(backup) for backup in backups])
    else:
        output.print_backups(backups, asked.backups)
    return outcome


def _figures(asked: argparse.Namespace) -> list[Figure]:
    from models_py.database.connection import open_warehouse
    from models_py.database.maintenance.integrity import check_warehouse

    with open_warehouse(
        asked.path, read_only=True, wait_seconds=asked.wait, on_wait=_tell
    ) as warehouse:
        return check_warehouse(warehouse, asked.manifest)


def _check(asked: argparse.Namespace) -> int:
    from models_py.commands import cleanup_output as output
    from models_py.database.maintenance.home import held
    from models_py.database.maintenance.integrity import faults

    figures = _figures(asked)
    wrong = faults(figures)
    outcome = FAILED if wrong else DONE
    home = held(asked.path, asked.backups)
    if asked.json:
        shown = output.figures_as_json(figures)
        _print_json(asked, outcome, figures=shown, faults=wrong, home=output.home_as_json(home))
    else:
        output.print_figures(output.figures_as_json(figures))
        output.print_home(home)
        print("; ".join(wrong) if wrong else "the warehouse is whole")
    return outcome
