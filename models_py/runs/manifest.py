"""The manifest of a run's models: what they are, of which versions, and a checksum of each file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from models_py.base import checksums


class SavedRunError(checksums.SavedFilesError):
    """A run's saved models are missing, damaged, changed or of another run."""

    again: ClassVar[str] = "run the study again with python scripts/run_clustering.py"


def write_manifest(folder: Path, run_id: str, study: Mapping[str, Any]) -> None:
    """Write the manifest of all files in the folder, last of all.

    Parameters
    ----------
    folder
        Holds one folder a partition, numbered.
    run_id, study
        The run and its recipe.
    """
    partitions = [path.name for path in sorted(folder.iterdir(), key=_number)]
    content = {"run_id": run_id, "study": study, "partitions": partitions}
    checksums.write_manifest(folder, content, checksums.files_in(folder))


def read_manifest(folder: Path, run_id: str) -> dict[str, Any]:
    """Read a run's manifest and hold every file against it.

    Raises
    ------
    SavedRunError
        The manifest is missing, unreadable, changed, of another run or of another version's
        format; or a file is missing, was changed, was added, or lies outside the folder.
    """
    path, again = folder / checksums.MANIFEST, SavedRunError.again
    if not path.is_file():
        raise SavedRunError(f"run {run_id} has no saved models ({path} is missing); {again}")
    content = checksums.read_manifest(folder, SavedRunError)
    if content["run_id"] != run_id:
        raise SavedRunError(f"{path} is of run {content['run_id']}, not {run_id}; {again}")
    checksums.check_files(folder, content["files"], SavedRunError)
    added = sorted(set(checksums.files_in(folder)) - set(content["files"]))
    if added:
        raise SavedRunError(f"{folder / added[0]} was added after saving; remove it")
    return content


def changed_versions(then: Mapping[str, str]) -> list[str]:
    """Return what is of another version now than then, in words."""
    now = checksums.package_versions()
    return [
        f"{name} {now.get(name, 'not installed')} (saved with {version})"
        for name, version in then.items()
        if now.get(name) != version
    ]


def _number(path: Path) -> int:
    return int(path.name.rpartition("_")[2])
