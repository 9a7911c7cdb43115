"""Which files a folder, a zip file or a single file candidate_files for the tables of a source."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from models_py.base.errors import SourceError, near_match
from models_py.base.progress import Progress
from models_py.sources.archives import unpack_members
from models_py.sources.registry import Source, Table
from models_py.sources.workbook import workbook_to_parquet

WEEKS_A_YEAR = 52


class SourceProblemsError(SourceError):
    """Raw files cannot be taken in; ``problems`` has one line for each reason."""

    def __init__(self, problems: Sequence[str], where: str, outcome: str) -> None:
        several = f"{where}: {len(problems)} problems"
        super().__init__(f"{problems[0] if len(problems) == 1 else several}; {outcome}")
        self.problems = tuple(problems)


@dataclass(frozen=True)
class CandidateFile:
    """A file that stands for a table; ``name`` is how it will be called in the raw folder."""

    table: Table
    path: Path
    name: str


def collect_candidate_files(
    source: Source,
    origin: Path,
    scratch: Path,
    progress: Progress,
    standing: Collection[Table] = (),
) -> list[CandidateFile]:
    """Find the files of a source, also in zip files and as Excel workbooks.

    Parameters
    ----------
    source
        Whose tables are wanted.
    origin
        A folder, a zip file or a single file.
    scratch
        Empty folder for what has to be unpacked.
    progress
        Shows the steps.
    standing
        Tables that are in place already: they may be lacking where another comes.

    Raises
    ------
    SourceProblemsError
        If a table has no file, or one file is there in two forms.
    """
    if not origin.exists():
        raise SourceError(f"{origin}: there is no such file or folder")
    files = [origin] if origin.is_file() else sorted(p for p in origin.iterdir() if p.is_file())
    candidate_files = match_tables(source.tables, files)
    missing = [table for table in source.tables if not _has(candidate_files, table)]
    archives = [path for path in files if path.suffix.lower() == ".zip"]
    if missing and archives:
        unpacked = _unpack(archives, missing, scratch, progress)
        candidate_files += match_tables(missing, unpacked)
        files += unpacked
    candidate_files += _from_workbooks(missing, candidate_files, files, scratch, progress)
    needed = [t for t in source.tables if not (candidate_files and t in standing)]
    problems = [*_lacking(needed, origin, candidate_files, files), *_in_two_forms(candidate_files)]
    if problems:
        raise refusal(source, problems, origin)
    return candidate_files


def match_tables(tables: Iterable[Table], files: Iterable[Path]) -> list[CandidateFile]:
    """Return an candidate_file for every file whose name is that of a table."""
    candidate_files = []
    for path in files:
        for table in tables:
            if _fits(path.name, table):
                name = path.name.lower() if table.many else table.file
                candidate_files.append(CandidateFile(table, path, name))
    return candidate_files


def other_form(name: str) -> str:
    """Return the name of the same file gzipped, or not gzipped if it is."""
    return name.removesuffix(".gz") if name.endswith(".gz") else f"{name}.gz"


def missing_weeks(names: Iterable[str]) -> list[str]:
    """Return the weeks (YYYYWW, of 52 a year) absent between the first and the last file."""
    present = {int(week[1]) for name in names if (week := re.search(r"_(\d{6})\.", name))}
    if not present:
        return []
    first, last = min(present), max(present)
    weeks = (
        year * 100 + week
        for year in range(first // 100, last // 100 + 1)
        for week in range(1, WEEKS_A_YEAR + 1)
    )
    return [str(week) for week in weeks if first < week < last and week not in present]


def refusal(
    source: Source,
    problems: Sequence[str],
    origin: Path | str,
    outcome: str = "nothing was taken in",
) -> SourceProblemsError:
    """Return the error that lists why the files of a source are not taken in."""
    return SourceProblemsError(problems, f"{source.domain} from {origin}", outcome)


def _fits(name: str, table: Table) -> bool:
    bare = name.lower()
    if table.kind == "csv":
        bare = bare.removesuffix(".gz")
    return fnmatch.fnmatchcase(bare, table.file.lower())


def _has(candidate_files: Iterable[CandidateFile], table: Table) -> bool:
    return any(candidate_file.table is table for candidate_file in candidate_files)


def _unpack(
    archives: Sequence[Path], missing: Sequence[Table], scratch: Path, progress: Progress
) -> list[Path]:
    def allowed_bytes(name: str) -> int | None:
        for table in missing:
            if _fits(name, table) or _is_workbook(name, table):
                return table.bytes_at_most
        return None

    unpacked = []
    for archive in archives:
        progress.step(f"unpacking {archive.name}")
        unpacked += unpack_members(archive, allowed_bytes, scratch)
    return unpacked


def _is_workbook(name: str, table: Table) -> bool:
    return table.workbook is not None and name.lower() == table.workbook.lower()


def _from_workbooks(
    missing: Sequence[Table],
    candidate_files: Sequence[CandidateFile],
    files: Sequence[Path],
    scratch: Path,
    progress: Progress,
) -> list[CandidateFile]:
    converted = []
    for table in missing:
        workbooks = [path for path in files if _is_workbook(path.name, table)]
        if workbooks and not _has(candidate_files, table):
            progress.step(f"reading {workbooks[0].name}")
            target = scratch / table.file
            workbook_to_parquet(workbooks[0], target, table, progress)
            converted.append(CandidateFile(table, target, table.file))
    return converted


def _lacking(
    tables: Iterable[Table],
    origin: Path,
    candidate_files: Sequence[CandidateFile],
    files: Sequence[Path],
) -> list[str]:
    lines = []
    names = [path.name for path in files]
    for table in tables:
        if table.optional or _has(candidate_files, table):
            continue
        deeper = sorted(origin.glob(f"*/{table.file}*")) if origin.is_dir() else []
        hint = f"; it is in {deeper[0].parent}" if deeper else near_match(table.file, names)
        lines.append(f"{table.file}: not in {origin}{hint}")
    return lines


def _in_two_forms(candidate_files: Sequence[CandidateFile]) -> list[str]:
    lines = []
    by_name: dict[str, CandidateFile] = {}
    for candidate_file in candidate_files:
        bare = candidate_file.name.removesuffix(".gz")
        first = by_name.setdefault(bare, candidate_file)
        if first is not candidate_file:
            forms = f"{first.path.name} and {candidate_file.path.name}"
            lines.append(f"{bare}: there twice, as {forms}; keep one")
    return lines
