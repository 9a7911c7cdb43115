"""A saved encoder's folder: a manifest with checksums beside the files it vouches for."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from models_py.base.errors import SegmenthouseError

MANIFEST = "manifest.json"
FORMAT = 1
PACKAGES = ("segmenthouse", "numpy", "scikit-learn", "skops", "keras", "jax")


class SavedEncoderError(SegmenthouseError):
    """A saved encoder is missing, damaged, changed or of another kind."""


@dataclass(frozen=True)
class Manifest:
    """What a saved encoder is, and the checksums of its files.

    The checksums find damage and careless edits; they are no signature.
    """

    kind: str
    parameters: dict[str, Any]
    columns: int
    history: list[dict[str, float]]
    versions: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT


def open_folder(folder: Path) -> None:
    """Make the folder; what it holds no longer counts as saved until the next manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)


def write_manifest(folder: Path, manifest: Manifest, file_names: tuple[str, ...]) -> None:
    """Add versions and checksums and write the manifest, last of all files."""
    content = asdict(manifest) | {
        "versions": _versions(),
        "files": {name: _sha256_of_file(folder / name) for name in file_names},
    }
    content["checksum"] = _sha256_of_content(content)
    unfinished = folder / f"{MANIFEST}.part"
    unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    os.replace(unfinished, folder / MANIFEST)


def read_manifest(folder: Path) -> Manifest:
    """Read and check the manifest itself.

    Raises
    ------
    SavedEncoderError
        When it is missing, unreadable, changed, or written by a later version.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SavedEncoderError(f"{path} is missing; save the encoder again") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise SavedEncoderError(f"{path} is not readable JSON; save the encoder again") from error
    if not isinstance(content, dict):
        raise SavedEncoderError(f"{path} is not a manifest; save the encoder again")
    if content.get("format") != FORMAT:
        raise SavedEncoderError(
            f"{path} has format {content.get('format')!r}, this version reads {FORMAT}; "
            "save the encoder again with this version"
        )
    if content.pop("checksum", None) != _sha256_of_content(content):
        raise SavedEncoderError(f"{path} was changed after saving; save the encoder again")
    return Manifest(**content)


def check_files(folder: Path, manifest: Manifest, file_names: tuple[str, ...]) -> None:
    """Compare every file with its checksum.

    Raises
    ------
    SavedEncoderError
        When one is missing or was changed.
    """
    for name in file_names:
        path = folder / name
        if not path.is_file():
            raise SavedEncoderError(f"{path} is missing; save the encoder again")
        if _sha256_of_file(path) != manifest.files.get(name):
            raise SavedEncoderError(f"{path} was changed after saving; save the encoder again")


def write_skops(path: Path, thing: object) -> None:
    """Write numpy or scikit-learn objects without pickle."""
    import skops.io

    skops.io.dump(thing, path)


def read_skops(path: Path) -> Any:
    """Read what ``write_skops`` wrote.

    Raises
    ------
    SavedEncoderError
        When it holds types that are not known to be safe.
    """
    import skops.io

    unknown = skops.io.get_untrusted_types(file=path)
    if unknown:
        raise SavedEncoderError(
            f"{path} holds types that are not trusted ({', '.join(unknown)}); "
            "save the encoder again"
        )
    return skops.io.load(path)


def _versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _sha256_of_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sha256_of_content(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
