"""A folder of saved files: a manifest, written last, vouches for each of them by its checksum.

The checksums find damage and careless edits; they are no signature.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar

from models_py.base.errors import SegmenthouseError

MANIFEST = "manifest.json"
FORMAT = 1
PACKAGES = (
    *("segmenthouse", "duckdb", "numpy", "pandas", "scipy", "scikit-learn", "numba", "skops"),
    *("keras", "jax", "lightgbm", "onnxruntime"),
)
"""What figures may depend on; those that are installed are recorded."""

VECTORS = ("avx512f", "avx2", "asimd", "sse4_2")
"""Vector instructions, the widest first."""


class SavedFilesError(SegmenthouseError):
    """Saved files are missing, damaged or changed; a subclass says how to get them again."""

    again: ClassVar[str] = "save them again"


def write_manifest(folder: Path, content: Mapping[str, Any], names: Iterable[str]) -> None:
    """Write the manifest of a folder, last of all its files and all at once.

    Parameters
    ----------
    folder
        Where the files are.
    content
        What else the manifest says, as JSON has it.
    names
        The files it vouches for, as paths inside the folder.
    """
    stated: dict[str, Any] = {
        "format": FORMAT,
        **content,
        "versions": package_versions(),
        "files": {name: sha256(folder / name) for name in names},
    }
    stated["checksum"] = _checksum(stated)
    unfinished = folder / f"{MANIFEST}.part"
    write_json(unfinished, stated)
    os.replace(unfinished, folder / MANIFEST)


def read_manifest(folder: Path, error: type[SavedFilesError]) -> dict[str, Any]:
    """Read and check the manifest itself.

    Parameters
    ----------
    folder
        Where it lies.
    error
        What is raised when it is missing, unreadable, changed, or written by a later version.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise error(f"{path} is missing; {error.again}") from missing
    except (OSError, ValueError) as unreadable:
        raise error(f"{path} is not readable JSON; {error.again}") from unreadable
    if not isinstance(content, dict):
        raise error(f"{path} is not a manifest; {error.again}")
    if content.get("format") != FORMAT:
        raise error(
            f"{path} has format {content.get('format')!r}, this version reads {FORMAT};"
            f" {error.again} with this version"
        )
    if content.pop("checksum", None) != _checksum(content):
        raise error(f"{path} was changed after saving; {error.again}")
    return content


def check_files(folder: Path, files: Mapping[str, str], error: type[SavedFilesError]) -> None:
    """Compare every file with its checksum.

    Parameters
    ----------
    folder
        Where the files are.
    files
        Path inside the folder to checksum.
    error
        What is raised when one is missing, was changed, or lies outside the folder.
    """
    for name, checksum in files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise error(f"{folder / MANIFEST} names a file outside its folder; {error.again}")
        if not path.is_file():
            raise error(f"{path} is missing; {error.again}")
        if sha256(path) != checksum:
            raise error(f"{path} was changed after saving; {error.again}")


def files_in(folder: Path) -> list[str]:
    """Return every file of a folder but its manifest, as sorted paths inside it."""
    names = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return sorted(name for name in names if name != MANIFEST)


def package_versions() -> dict[str, str]:
    """Return the version of Python and of each package that is installed."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    versions["processor"] = processor_kind()
    return versions


def processor_kind() -> str:
    """Return what of the processor networks and sums may depend on: its family and vector width.

    Examples
    --------
    >>> processor_kind()  # doctest: +SKIP
    'x86_64 with avx512f'
    """
    try:
        words = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        words = set()
    widest = next((name for name in VECTORS if name in words), None)
    return platform.machine() + (f" with {widest}" if widest else "")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON without what JSON does not have."""
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    path.write_text(text, encoding="utf-8")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
