"""A saved encoder's folder: what its manifest says, and objects written without pickle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from models_py.base import checksums

if TYPE_CHECKING:
    import numpy.typing as npt

ARRAYS, EARLIER = ".npz", ".skops"
"""Suffix of files of arrays, and the one that they had in runs saved before."""


class SavedEncoderError(checksums.SavedFilesError):
    """A saved encoder is missing, damaged, changed or of another kind."""

    again: ClassVar[str] = "save the encoder again"


@dataclass(frozen=True)
class Manifest:
    """What a saved encoder is, and the checksums of its files."""

    kind: str
    parameters: dict[str, Any]
    columns: int
    history: list[dict[str, float]]
    files: dict[str, str] = field(default_factory=dict)


def open_folder(folder: Path) -> None:
    """Make the folder; what it holds no longer counts as saved until the next manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / checksums.MANIFEST).unlink(missing_ok=True)


def write_manifest(folder: Path, manifest: Manifest, file_names: tuple[str, ...]) -> None:
    """Write the manifest with the checksums of these files, last of all files."""
    checksums.write_manifest(folder, asdict(manifest), file_names)


def read_manifest(folder: Path) -> Manifest:
    """Read and check the manifest itself.

    Raises
    ------
    SavedEncoderError
        When it is missing, unreadable, changed, or written by a later version.
    """
    content = checksums.read_manifest(folder, SavedEncoderError)
    return Manifest(**{name: content[name] for name in Manifest.__dataclass_fields__})


def check_files(folder: Path, manifest: Manifest, file_names: tuple[str, ...]) -> None:
    """Compare every file with its checksum.

    Raises
    ------
    SavedEncoderError
        When one is missing or was changed.
    """
    named = [name if name in manifest.files else _earlier(name) for name in file_names]
    known = {name: manifest.files.get(name, "") for name in named}
    checksums.check_files(folder, known, SavedEncoderError)


def _earlier(name: str) -> str:
    return name.removesuffix(ARRAYS) + EARLIER if name.endswith(ARRAYS) else name


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays by name, without pickle."""
    import numpy as np

    named: dict[str, Any] = dict(arrays)
    np.savez(path, **named)


def read_arrays(path: Path) -> dict[str, Any]:
    """Read what :func:`write_arrays` wrote; of runs saved before, the skops file in its place.

    Raises
    ------
    SavedEncoderError
        When a skops file holds types that are not known to be safe.
    """
    import numpy as np

    if not path.is_file():
        kept = _read_skops(path.with_suffix(EARLIER))
        return kept if isinstance(kept, dict) else vars(kept)
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _read_skops(path: Path) -> Any:
    # Its import looks at every class of scikit-learn, which takes seconds.
    import skops.io

    unknown = skops.io.get_untrusted_types(file=path)
    if unknown:
        raise SavedEncoderError(
            f"{path} holds types that are not trusted ({', '.join(unknown)}); "
            f"{SavedEncoderError.again}"
        )
    return skops.io.load(path)
