"""The manifest of a run's models: what they are, of which versions, and a checksum of each file."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from models_py.base.errors import SegmenthouseError

MANIFEST = "manifest.json"
FORMAT = 1
PACKAGES = ("segmenthouse", "numpy", "pandas", "scipy", "scikit-learn", "skops", "keras", "jax")
AGAIN = "run the study again with python scripts/run_clustering.py"


class SavedRunError(SegmenthouseError):
    """A run's saved models are missing, damaged, changed or of another run."""


def write_manifest(folder: Path, run_id: str, study: Mapping[str, Any]) -> None:
    """Write the manifest of all files in the folder, last of all.

    Parameters
    ----------
    folder
        Holds one folder a partition, numbered.
    run_id, study
        The run and its recipe.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    content: dict[str, Any] = {
        "format": FORMAT,
        "run_id": run_id,
        "study": study,
        "partitions": [path.name for path in sorted(folder.iterdir(), key=_number)],
        "versions": package_versions(),
        "files": {path.relative_to(folder).as_posix(): _sha256(path) for path in paths},
    }
    content["checksum"] = _checksum(content)
    write_json(folder / MANIFEST, content)


def read_manifest(folder: Path, run_id: str) -> dict[str, Any]:
    """Read and check the manifest itself.

    Raises
    ------
    SavedRunError
        It is missing, unreadable, changed, of another run or of another version's format.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SavedRunError(
            f"run {run_id} has no saved models ({path} is missing); {AGAIN}"
        ) from error
    except (OSError, ValueError) as error:
        raise SavedRunError(f"{path} is not readable JSON; {AGAIN}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise SavedRunError(f"{path} is no manifest of format {FORMAT}; {AGAIN}")
    if content.pop("checksum", None) != _checksum(content):
        raise SavedRunError(f"{path} was changed after saving; {AGAIN}")
    if content["run_id"] != run_id:
        raise SavedRunError(f"{path} is of run {content['run_id']}, not {run_id}; {AGAIN}")
    return content


def check_files(folder: Path, files: Mapping[str, str]) -> None:
    """Hold every file against its checksum.

    Raises
    ------
    SavedRunError
        A file is missing, was changed, was added, or lies outside the folder.
    """
    for name, checksum in files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise SavedRunError(f"{folder / MANIFEST} names a file outside its folder; {AGAIN}")
        if not path.is_file():
            raise SavedRunError(f"{path} is missing; {AGAIN}")
        if _sha256(path) != checksum:
            raise SavedRunError(f"{path} was changed after saving; {AGAIN}")
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    added = sorted(there - set(files) - {MANIFEST})
    if added:
        raise SavedRunError(f"{folder / added[0]} was added after saving; remove it")


def package_versions() -> dict[str, str]:
    """Return the version of Python and of each package that is installed."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def changed_versions(then: Mapping[str, str]) -> list[str]:
    """Return what is of another version now than then, in words."""
    now = package_versions()
    return [
        f"{name} {now.get(name, 'not installed')} (saved with {version})"
        for name, version in then.items()
        if now.get(name) != version
    ]


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON without what JSON does not have."""
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    path.write_text(text, encoding="utf-8")


def _number(path: Path) -> int:
    return int(path.name.rpartition("_")[2])


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
