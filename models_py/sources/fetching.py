"""Taking a source's raw files in: download or copy, check all, then put all in place.

Everything is prepared in ``.incoming`` beside the final files and moved there by renaming, so
that no file is ever half there and nothing is taken in if one file is wrong.
"""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from models_py.base.checksums import sha256
from models_py.base.errors import SourceError
from models_py.base.locks import HeldError, hold
from models_py.base.numbers import listed
from models_py.base.plurals import plural
from models_py.base.progress import Progress
from models_py.sources.checking import Inspection, inspect_file, is_gzip
from models_py.sources.download import Patience, download
from models_py.sources.found_files import (
    CandidateFile,
    collect_candidate_files,
    match_tables,
    missing_weeks,
    other_form,
    refusal,
)
from models_py.sources.installed import installed_data_dir
from models_py.sources.registry import Source
from models_py.sources.workbook import require_reader

ZIP_SIGNATURE = b"PK"
PIECE_BYTES = 1_048_576
STAGING = ".incoming"

Action = Literal["downloaded", "copied", "kept", "installed"]


class ByHandError(SourceError):
    """The files can only be downloaded by a person; ``steps`` says how."""

    def __init__(self, source: Source, folder: Path) -> None:
        super().__init__(
            f"{source.domain}: its files are not in {folder} and no public server gives them "
            "without an account; download them by hand"
        )
        self.steps = source.steps


@dataclass(frozen=True)
class FetchedFile:
    """One raw file that is in place.

    Attributes
    ----------
    name, action, bytes, rows
        What it is called, how it came there, and its size; rows are None for plain text, and for
        a week that was there before.
    sha256
        Checksum, or None for a file inside an installed package.
    published
        Whether it is the publisher's own copy to the byte; None where that is not known.
    """

    name: str
    action: Action
    bytes: int
    rows: int | None
    sha256: str | None
    published: bool | None


@dataclass(frozen=True)
class Fetched:
    """Raw files of one source that are in place, and what is worth knowing of them."""

    source: Source
    folder: Path
    files: tuple[FetchedFile, ...]
    notes: tuple[str, ...]


def fetch(
    source: Source,
    folder: Path,
    *,
    origin: Path | None = None,
    force: bool = False,
    progress: Progress,
    patience: Patience | None = None,
) -> Fetched:
    """Bring the raw files of a source to where the warehouse reads them.

    Parameters
    ----------
    source
        What to fetch.
    folder
        Raw folder of the domain; made if missing.
    origin
        Folder, zip file or file of the user; None downloads, or checks what is there.
    force
        Fetch again what is there, and replace files that differ.
    progress
        Shows the steps.
    patience
        Timeouts and retries of a download.

    Raises
    ------
    SourceError
        If the files are missing, damaged, of another shape, or others are in their place.
    """
    with _disk_errors(folder):
        if source.package:
            return _check_package(source, progress)
        if origin is None and not force and is_there(source, folder):
            return _check_standing(source, folder, progress)
        if origin is None and source.address is None:
            raise ByHandError(source, folder)
        with _staging(folder) as staging:
            if origin is not None:
                return _take_in(source, origin, folder, staging, force, "copied", progress)
            archive = _download_archive(source, staging, progress, patience)
            return _take_in(source, archive, folder, staging, force, "downloaded", progress)


def is_there(source: Source, folder: Path) -> bool:
    """Return whether every table of a source that the warehouse needs has a file."""
    if source.package:
        return installed_data_dir(str(source.package)) is not None
    tables = {candidate_file.table for candidate_file in _standing(source, folder)}
    return all(table in tables or table.optional for table in source.tables)


def _standing(source: Source, folder: Path) -> list[CandidateFile]:
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [
        candidate_file
        for candidate_file in match_tables(source.tables, files)
        if candidate_file.name == candidate_file.path.name
    ]


def _check_standing(source: Source, folder: Path, progress: Progress) -> Fetched:
    candidate_files = _standing(source, folder)
    again = "--force" if source.address else "--from and --force"
    outcome = f"fetch again with {again}"
    inspections = _inspect(source, candidate_files, folder, progress, outcome)
    return _result(source, folder, candidate_files, inspections, ["kept"] * len(candidate_files))


def _check_package(source: Source, progress: Progress) -> Fetched:
    folder = installed_data_dir(str(source.package))
    if folder is None:
        package = str(source.package).replace("_", "-")
        raise SourceError(f"{source.name}: package {package} is missing: pip install {package}")
    candidate_files = [
        CandidateFile(table, folder / table.file, table.file) for table in source.tables
    ]
    lost = [
        f"{candidate_file.name}: not in {folder}"
        for candidate_file in candidate_files
        if not candidate_file.path.is_file()
    ]
    if lost:
        raise refusal(source, lost, folder, "install the package again")
    inspections = _inspect(source, candidate_files, folder, progress, "install the package again")
    return _result(
        source, folder, candidate_files, inspections, ["installed"] * len(candidate_files)
    )


def _download_archive(
    source: Source, staging: Path, progress: Progress, patience: Patience | None
) -> Path:
    address = str(source.address)
    for table in source.tables:
        if table.workbook:
            require_reader(table.workbook)
    archive = staging / f"{source.domain}.zip"
    progress.step(f"downloading {address}")
    download(
        address,
        archive,
        signature=ZIP_SIGNATURE,
        bytes_at_most=source.archive_bytes_at_most,
        progress=progress,
        patience=patience,
    )
    return archive


def _take_in(
    source: Source,
    origin: Path,
    folder: Path,
    staging: Path,
    force: bool,
    action: Action,
    progress: Progress,
) -> Fetched:
    """Check every file, then copy every file, then rename every file into place.

    A week that is there to the byte is left alone, and a table that is there need not come again.
    """
    standing = {candidate_file.table for candidate_file in _standing(source, folder)}
    candidate_files = collect_candidate_files(
        source, origin, staging, progress, standing if action == "copied" else ()
    )
    weeks_there = [
        candidate_file
        for candidate_file in candidate_files
        if candidate_file.table.many and _stands(candidate_file, folder)
    ]
    new_files = [c for c in candidate_files if c not in weeks_there]
    inspected = dict(zip(new_files, _inspect(source, new_files, origin, progress), strict=True))
    inspections = [inspected.get(c) or Inspection(c.name) for c in candidate_files]
    candidate_files = [_plain(candidate_file, staging) for candidate_file in candidate_files]
    if action == "downloaded":
        _demand_published(source, candidate_files)
    actions: list[Action] = [
        "kept" if o in weeks_there or _stands(o, folder) else action for o in candidate_files
    ]
    coming = [
        candidate_file
        for candidate_file, chosen in zip(candidate_files, actions, strict=True)
        if chosen != "kept"
    ]
    if not force:
        _demand_free_places(source, coming, folder)
    _place(coming, folder, staging, progress)
    placed = [
        CandidateFile(candidate_file.table, folder / candidate_file.name, candidate_file.name)
        for candidate_file in candidate_files
    ]
    return _result(source, folder, placed, inspections, actions)


def _inspect(
    source: Source,
    candidate_files: Sequence[CandidateFile],
    origin: Path,
    progress: Progress,
    outcome: str = "nothing was taken in",
) -> list[Inspection]:
    progress.step(f"checking {plural(len(candidate_files), 'file')}")
    inspections = []
    for done, candidate_file in enumerate(candidate_files, start=1):
        inspections.append(inspect_file(candidate_file.path, candidate_file.table))
        progress.advance(done, len(candidate_files))
    problems = [line for inspection in inspections for line in inspection.problems]
    if problems:
        raise refusal(source, problems, origin, outcome)
    return inspections


def _plain(candidate_file: CandidateFile, staging: Path) -> CandidateFile:
    """Unzip a table of one file, which the warehouse reads under its plain name."""
    if (
        candidate_file.table.many
        or candidate_file.table.kind != "csv"
        or not is_gzip(candidate_file.path)
    ):
        return candidate_file
    plain = staging / candidate_file.name
    with gzip.open(candidate_file.path, "rb") as stream, plain.open("wb") as target:
        shutil.copyfileobj(stream, target, PIECE_BYTES)
    return CandidateFile(candidate_file.table, plain, candidate_file.name)


def _demand_published(source: Source, candidate_files: Sequence[CandidateFile]) -> None:
    """Refuse a download that is not what the publisher is known to give."""
    problems = [
        f"{candidate_file.name}: its checksum is not that of the published file; if the publisher"
        f" changed it, download {source.address} by hand and use --from"
        for candidate_file in candidate_files
        if _is_published(candidate_file, sha256(candidate_file.path)) is False
    ]
    if problems:
        raise refusal(source, problems, str(source.address))


def _is_published(candidate_file: CandidateFile, checksum: str) -> bool | None:
    known = candidate_file.table.published_sha256
    return None if known is None else checksum == known


def _stands(candidate_file: CandidateFile, folder: Path) -> bool:
    """Return whether the same bytes are already in place."""
    target = folder / candidate_file.name
    if not target.is_file():
        return False
    if target.samefile(candidate_file.path):
        return True
    same_size = target.stat().st_size == candidate_file.path.stat().st_size
    return same_size and sha256(target) == sha256(candidate_file.path)


def _demand_free_places(source: Source, coming: Sequence[CandidateFile], folder: Path) -> None:
    taken = [
        f"{name}: another version is already in {folder}; --force replaces it"
        for candidate_file in coming
        for name in (
            candidate_file.name,
            *([other_form(candidate_file.name)] if candidate_file.table.many else []),
        )
        if (folder / name).exists()
    ]
    if taken:
        raise refusal(source, taken, folder)


def _place(
    coming: Sequence[CandidateFile], folder: Path, staging: Path, progress: Progress
) -> None:
    needed = sum(o.path.stat().st_size for o in coming if o.path.parent != staging)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise SourceError(f"{folder}: {needed:,} bytes are needed and {free:,} are free")
    ready = []
    progress.step(f"taking in {plural(len(coming), 'file')}")
    for done, candidate_file in enumerate(coming, start=1):
        ready.append((_staged(candidate_file, staging), candidate_file))
        progress.advance(done, len(coming))
    for path, candidate_file in ready:
        path.replace(folder / candidate_file.name)
        if candidate_file.table.many:
            (folder / other_form(candidate_file.name)).unlink(missing_ok=True)


def _staged(candidate_file: CandidateFile, staging: Path) -> Path:
    """Return the file in the staging folder, copied there if it lies elsewhere."""
    if candidate_file.path.parent == staging:
        return candidate_file.path
    copy = staging / candidate_file.name
    with candidate_file.path.open("rb") as stream, copy.open("wb") as target:
        shutil.copyfileobj(stream, target, PIECE_BYTES)
        _flush(target)
    if copy.stat().st_size != candidate_file.path.stat().st_size:
        raise SourceError(f"{candidate_file.path}: changed while it was copied; run again")
    return copy


def _flush(stream: IO[bytes]) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def _result(
    source: Source,
    folder: Path,
    candidate_files: Sequence[CandidateFile],
    inspections: Sequence[Inspection],
    actions: Sequence[Action],
) -> Fetched:
    notes = [line for inspection in inspections for line in inspection.notes]
    files = []
    for candidate_file, inspection, action in zip(
        candidate_files, inspections, actions, strict=True
    ):
        checksum = None if action == "installed" else sha256(candidate_file.path)
        published = None if checksum is None else _is_published(candidate_file, checksum)
        if published is False:
            notes.append(f"{candidate_file.name}: is not the published copy (its checksum differs)")
        size = candidate_file.path.stat().st_size
        files.append(
            FetchedFile(candidate_file.name, action, size, inspection.rows, checksum, published)
        )
    reasons = dict.fromkeys(file.table.unpinned for file in candidate_files if file.table.unpinned)
    for reason in reasons:
        of = dict.fromkeys(f.table.file for f in candidate_files if f.table.unpinned == reason)
        notes.append(f"{listed(list(of))}: no checksum is known to hold against: {reason}")
    notes.extend(_week_notes(candidate_files, folder))
    return Fetched(source, folder, tuple(files), tuple(notes))


def _week_notes(candidate_files: Sequence[CandidateFile], folder: Path) -> Iterator[str]:
    """Tell weeks that are missing in between, and files of another release beside these."""
    weekly = [candidate_file for candidate_file in candidate_files if candidate_file.table.many]
    if not weekly:
        return
    absent = missing_weeks(candidate_file.name for candidate_file in weekly)
    if absent:
        shown = ", ".join(absent[:8]) + (", ..." if len(absent) > 8 else "")
        yield f"{len(weekly)} weeks; {len(absent)} in between are missing: {shown}"
    names = {candidate_file.name for candidate_file in weekly}
    standing = match_tables(
        {candidate_file.table for candidate_file in weekly}, sorted(folder.iterdir())
    )
    others = [
        candidate_file.name for candidate_file in standing if candidate_file.name not in names
    ]
    if others:
        yield f"{len(others)} more files in {folder} are read too, from {others[0]} on"


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """Give an empty working folder beside the raw files, held by one process at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    staging = folder / STAGING
    with ExitStack() as held:
        try:
            held.enter_context(hold(folder.with_name(f".{folder.name}.fetching")))
        except HeldError as error:
            raise SourceError(
                f"{folder}: another fetch is filling it ({error}); wait for its end"
            ) from error
        staging.mkdir(exist_ok=True)
        _sweep(staging)
        try:
            yield staging
        finally:
            _sweep(staging)
            if not any(staging.iterdir()):
                staging.rmdir()


def _sweep(staging: Path) -> None:
    """Remove everything but the parts that a later download goes on from."""
    for path in staging.iterdir():
        if not path.name.endswith((".part", ".part.json")):
            path.unlink()


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        place = error.filename or folder
        raise SourceError(f"{place}: {error.strerror or error}") from error
