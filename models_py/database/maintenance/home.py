"""What lies in the home beside the warehouse: what belongs to its runs, and what to nobody."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models_py.base import settings
from models_py.database import contract
from models_py.database.connection import Warehouse
from models_py.database.locks import RUNS_SUFFIX, is_at_work
from models_py.database.maintenance.leftovers import STILL_SECONDS, unfinished, unfinished_folder

WAITING_SUFFIX = ".waiting"
"""Behind the warehouse's name: the folder of results that wait to be taken in."""

MODELS, REPORT, EMBEDDINGS, LEFTOVER = "models", "report", "embeddings", "leftover"
_RUN_ID = re.compile(r"\d{8}T\d{6,12}(?:-[0-9a-f]{4})?")
_PART = re.compile(r"\.(?P<name>.+)\.part-\d+")
_EMBEDDER = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Left:
    """A folder or file that belongs to no run that is recorded, or to none that stays.

    Attributes
    ----------
    what
        ``models``, ``report``, ``embeddings`` or ``leftover``.
    run_id
        The run that it is named after, if it is.
    """

    path: Path
    what: str
    reason: str
    run_id: str | None = None

    @property
    def bytes(self) -> int:
        """What it takes on the disk."""
        return bytes_of(self.path)

    @property
    def age_days(self) -> float:
        """Days since it was written."""
        return max(time.time() - self.path.stat().st_mtime, 0.0) / 86_400


@dataclass(frozen=True)
class Held:
    """How much of one kind the home holds."""

    kind: str
    count: int
    bytes: int


def bytes_of(path: Path) -> int:
    """Return the bytes of a file, or of all files under a folder; links count as none."""
    files = path.rglob("*") if path.is_dir() and not path.is_symlink() else [path]
    return sum(file.stat().st_size for file in files if file.is_file() and not file.is_symlink())


def folders_of_runs(run_ids: Sequence[str]) -> list[Path]:
    """Return the folders of models and reports that there are of some runs."""
    wanted = set(run_ids)
    return [folder for folder in _run_folders() if folder.name in wanted]


def remove_folders_of_runs(
    run_ids: Sequence[str], warehouse_path: Path | None = None
) -> list[Path]:
    """Remove models, reports and waiting rows of runs that are gone; a kill leaves no half."""
    waiting = [] if warehouse_path is None else _waiting_of(warehouse_path, set(run_ids))
    return remove_paths([*folders_of_runs(run_ids), *waiting])


def remove_paths(paths: Sequence[Path]) -> list[Path]:
    """Remove folders and files; a kill in between leaves no half of one under its name."""
    for path in paths:
        if path.is_dir():
            with unfinished_folder(path.parent, path.name) as removed:
                path.rename(removed / "content")
        else:
            path.unlink(missing_ok=True)
    return list(paths)


def left_behind(warehouse: Warehouse, going: Collection[str] = ()) -> list[Left]:
    """Return what lies in the home and belongs to no run of the warehouse.

    Only for the home's own warehouse: what another file's runs left is not known from it.

    Parameters
    ----------
    warehouse
        The open warehouse.
    going
        Runs that are about to go: embeddings that only they use are among what is left.
    """
    runs = f"{contract.SCHEMA}.{contract.runs.name}"
    if not _is_own(warehouse.path) or runs not in warehouse.relations():
        return []
    recorded = {
        str(run_id): str(state)
        for run_id, state in warehouse.rows(
            f"select run_id, status from {warehouse.quote(contract.SCHEMA, contract.runs.name)}"
        )
    }
    known = {*recorded, *_waiting_runs(warehouse.path)}
    return [
        *_unknown_folders(warehouse.path, known),
        *_leftovers(warehouse.path),
        *_signs(warehouse.path, recorded),
        *_unused_embeddings(warehouse.path, known - set(going), recorded),
    ]


def held(warehouse_path: Path, backups: Path) -> list[Held]:
    """Return what the home holds by kind: how many, and their bytes; kinds of none left out."""
    beside = warehouse_path.parent
    file, wal = warehouse_path, warehouse_path.with_name(f"{warehouse_path.name}.wal")
    reports = settings.reports_dir()
    leftovers = list(_leftovers(warehouse_path))
    kinds = {
        "warehouse": [path for path in (file, wal) if path.is_file()],
        "raw files": _files(settings.raw_dir("_").parent),
        "backups": [path for path in _folders(backups) if path.name.startswith("backup_")],
        "models of runs": [f for f in _run_folders() if not f.is_relative_to(reports)],
        "reports of runs": [f for f in _run_folders() if f.is_relative_to(reports)],
        "text embeddings": _files(settings.embeddings_dir()),
        "results that wait": _folders(beside / f"{warehouse_path.name}{WAITING_SUFFIX}"),
        "logs": _files(settings.logs_dir()),
        "leftovers of what was killed": [left.path for left in leftovers],
    }
    unfinished_ones = {left.path for left in leftovers}
    counted = {
        kind: [
            path for path in paths if kind.startswith("leftovers") or path not in unfinished_ones
        ]
        for kind, paths in kinds.items()
    }
    return [
        Held(kind, len(paths), sum(bytes_of(path) for path in paths))
        for kind, paths in counted.items()
        if paths
    ]


def _is_own(warehouse_path: Path) -> bool:
    own = settings.warehouse_path()
    return own.exists() and own.samefile(warehouse_path)


def _run_folders() -> list[Path]:
    reports = settings.reports_dir()
    parents = [settings.models_dir("_").parent, *_folders(reports)]
    return [
        folder
        for parent in parents
        for folder in _folders(parent)
        if not folder.name.startswith(".") and ".unfinished-" not in folder.name
    ]


def _folders(parent: Path) -> list[Path]:
    if not parent.is_dir() or parent.is_symlink():
        return []
    return [f for f in sorted(parent.iterdir()) if f.is_dir() and not f.is_symlink()]


def _files(parent: Path) -> list[Path]:
    return sorted(f for f in parent.rglob("*") if f.is_file()) if parent.is_dir() else []


def _waiting_runs(warehouse_path: Path) -> set[str]:
    # <run>, <run>.begun, <run>.<table>-<digits>
    root = warehouse_path.resolve().with_name(f"{warehouse_path.name}{WAITING_SUFFIX}")
    return {folder.name.partition(".")[0] for folder in _folders(root)}


def _waiting_of(warehouse_path: Path, run_ids: set[str]) -> list[Path]:
    root = warehouse_path.resolve().with_name(f"{warehouse_path.name}{WAITING_SUFFIX}")
    return [folder for folder in _folders(root) if folder.name.partition(".")[0] in run_ids]


def _unknown_folders(warehouse_path: Path, known: set[str]) -> Iterator[Left]:
    reports = settings.reports_dir()
    for folder in _run_folders():
        name = folder.name
        if _RUN_ID.fullmatch(name) and name not in known and not is_at_work(warehouse_path, name):
            what = REPORT if folder.is_relative_to(reports) else MODELS
            yield Left(folder, what, "of no run that is recorded", name)


def _leftovers(warehouse_path: Path) -> Iterator[Left]:
    models, reports = settings.models_dir("_").parent, settings.reports_dir()
    parents = [settings.backups_dir(), warehouse_path.parent, models, *_folders(reports)]
    for parent in dict.fromkeys(parents):
        for folder in unfinished(parent):
            yield Left(folder, LEFTOVER, "left by a backup or a restore that was killed")
    for folder in _folders(models):
        part = _PART.fullmatch(folder.name)
        if part is not None and not is_at_work(warehouse_path, part["name"]):
            yield Left(folder, LEFTOVER, "left by a run that was killed")
    for root in (reports, settings.embeddings_dir()):
        for file in _files(root):
            if _PART.fullmatch(file.name) and time.time() - file.stat().st_mtime > STILL_SECONDS:
                yield Left(file, LEFTOVER, "left by a command that was killed")


def _signs(warehouse_path: Path, recorded: dict[str, str]) -> Iterator[Left]:
    folder = warehouse_path.resolve().with_name(f"{warehouse_path.name}{RUNS_SUFFIX}")
    for file in _files(folder):
        run_id = file.name.removesuffix(".pid")
        if recorded.get(run_id) != contract.RUNNING and not is_at_work(warehouse_path, run_id):
            yield Left(file, LEFTOVER, "left by a run that was killed")


def _unused_embeddings(
    warehouse_path: Path, staying: set[str], recorded: dict[str, str]
) -> Iterator[Left]:
    # A run at work may be using them, and has no models yet that would tell.
    signs = warehouse_path.resolve().with_name(f"{warehouse_path.name}{RUNS_SUFFIX}")
    at_work = {file.name for file in _files(signs)} | {
        run_id for run_id, state in recorded.items() if state == contract.RUNNING
    }
    if any(is_at_work(warehouse_path, run_id) for run_id in at_work):
        return
    models = settings.models_dir("_").parent
    used = {
        fingerprint
        for folder in _folders(models)
        if folder.name in staying or not _RUN_ID.fullmatch(folder.name)
        for fingerprint in _embedders(folder)
    }
    for folder in _folders(settings.embeddings_dir()):
        if _EMBEDDER.fullmatch(folder.name) and folder.name not in used:
            yield Left(folder, EMBEDDINGS, "of a text model that no run that stays uses")


def _embedders(folder: Path) -> Iterator[str]:
    for file in folder.rglob("text.json"):
        try:
            yield str(json.loads(file.read_text(encoding="utf-8"))["fingerprint"])[:16]
        except (OSError, ValueError, KeyError, TypeError):
            # Damaged: the run cannot score, and its embeddings are computed again.
            continue
