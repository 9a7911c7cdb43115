"""What lies in the home beside the warehouse and belongs to its runs: models and reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from models_py.base import settings
from models_py.database.maintenance.leftovers import unfinished_folder


def folders_of_runs(run_ids: Sequence[str]) -> list[Path]:
    """Return the folders of models and reports that there are of some runs."""
    wanted, reports = set(run_ids), settings.reports_dir()
    models = settings.models_dir("_").parent
    parents = [models, *(sorted(reports.iterdir()) if reports.is_dir() else [])]
    return [
        folder
        for parent in parents
        if parent.is_dir() and not parent.is_symlink()
        for folder in sorted(parent.iterdir())
        if folder.name in wanted and folder.is_dir() and not folder.is_symlink()
    ]


def remove_folders_of_runs(run_ids: Sequence[str]) -> list[Path]:
    """Remove models and reports of runs that are gone; a kill leaves no half of a folder."""
    folders = folders_of_runs(run_ids)
    for folder in folders:
        with unfinished_folder(folder.parent, folder.name) as removed:
            folder.rename(removed / "content")
    return folders
