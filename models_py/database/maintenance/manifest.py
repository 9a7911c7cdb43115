"""A backup's manifest: what it holds, and the checksums by which any change to it shows.

The manifest carries a checksum over itself and one of each file beside it. They find damage and
careless edits. Against somebody who writes a new checksum too there is a key: with it the
manifest carries an HMAC that only its owner can make.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from models_py.base.errors import WarehouseError
from models_py.database.maintenance.catalog import TABLE, VIEW, Name
from models_py.database.maintenance.definitions import Definition, as_json
from models_py.database.maintenance.fingerprint import Fingerprint

MANIFEST_NAME = "manifest.json"
DATABASE_NAME = "core.duckdb"
FILES_NAME = "files"
BY_FILE, BY_TABLES = "file", "tables"
"""How the database of a backup was made: a copy of the whole file, or table by table."""
FORMAT = 2
SHORTEST_KEY = 16
AGAIN = "take another backup"

_FILE_OF_A_RUN = re.compile(r"files/(?:data/models/[^/]+|reports/[^/]+/[^/]+)/.+", re.DOTALL)


@dataclass(frozen=True)
class Part:
    """A file of a backup: its path in the folder, its size and its SHA-256."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Backup:
    """A finished backup.

    Attributes
    ----------
    number
        Counts the backups of a folder; the newest has the highest, whatever the clock said.
    created_at
        UTC, without zone.
    method
        ``"file"`` or ``"tables"``.
    database, storage
        The name by which DuckDB knew the warehouse, and the version of its file's format.
    definitions
        Everything that can be made again, in an order in which it can be.
    left_out
        What cannot be made again, such as a view whose table is gone, and why.
    tables
        The tables and their content.
    seen
        Every table that was in the file at that time, with its rows.
    runs
        The study of each run that is in it.
    parts
        The files beside the manifest.
    is_keyed
        Whether it carries an HMAC.
    """

    folder: Path
    number: int
    created_at: datetime
    method: str
    database: str
    storage: str
    definitions: tuple[Definition, ...]
    left_out: Mapping[str, str]
    tables: Mapping[Name, Fingerprint]
    seen: Mapping[Name, int]
    runs: Mapping[str, str]
    parts: tuple[Part, ...]
    is_keyed: bool = False

    @property
    def views(self) -> list[Name]:
        """The views."""
        return [made.name for made in self.definitions if made.kind == VIEW]

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(content.rows for content in self.tables.values())

    @property
    def bytes(self) -> int:
        """Bytes of all its files."""
        return sum(part.bytes for part in self.parts)


def read_key(path: Path | None) -> bytes | None:
    """Return the key in a file.

    Raises
    ------
    WarehouseError
        The file cannot be read, or is too short to be a secret.
    """
    if path is None:
        return None
    try:
        key = path.read_bytes()
    except OSError as error:
        raise WarehouseError(f"cannot read the key {path}: {error.strerror}") from error
    if len(key) < SHORTEST_KEY:
        raise WarehouseError(
            f"the key {path} has {len(key)} bytes, fewer than {SHORTEST_KEY}: make one with"
            " 'head -c 32 /dev/urandom > FILE'"
        )
    return key


def manifest_text(backup: Backup, key: bytes | None = None) -> str:
    """Return the manifest with its checksum and, with a key, its HMAC."""
    content = _as_json(backup)
    content["checksum"] = hashlib.sha256(_canonical(content)).hexdigest()
    if key is not None:
        content["hmac"] = hmac.new(key, _canonical(content), hashlib.sha256).hexdigest()
    return json.dumps(content, indent=1)


def _canonical(content: Mapping[str, Any]) -> bytes:
    signed = {name: value for name, value in content.items() if name not in ("checksum", "hmac")}
    return json.dumps(signed, sort_keys=True, separators=(",", ":")).encode("ascii")


def _as_json(backup: Backup) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "number": backup.number,
        "created_at": backup.created_at.isoformat(),
        "method": backup.method,
        "database": backup.database,
        "storage": backup.storage,
        "definitions": [as_json(made) for made in backup.definitions],
        "left_out": dict(backup.left_out),
        "tables": [
            {
                "schema": name.schema,
                "name": name.name,
                "rows": content.rows,
                "content": content.content,
                "columns": content.columns,
            }
            for name, content in backup.tables.items()
        ],
        "seen": [[name.schema, name.name, rows] for name, rows in backup.seen.items()],
        "runs": dict(backup.runs),
        "parts": [[part.path, part.bytes, part.sha256] for part in backup.parts],
    }


def read_backup(folder: Path) -> Backup:
    """Read a backup's manifest and check it against its own checksum.

    Raises
    ------
    WarehouseError
        The folder is no finished backup, or its manifest was changed; says what is wrong.
    """
    path = folder / MANIFEST_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise WarehouseError(
            f"{folder} is no finished backup: it needs {MANIFEST_NAME} and {DATABASE_NAME}"
        ) from error
    except (ValueError, RecursionError, OSError) as error:
        raise WarehouseError(f"{path} is damaged ({error}): {AGAIN}") from error
    if isinstance(content, dict) and content.get("format") == 1:
        raise WarehouseError(
            f"{folder} is of an earlier version: open its {DATABASE_NAME} with any DuckDB"
        )
    try:
        return _checked(folder, content)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise WarehouseError(f"{path} is damaged ({reason}): {AGAIN}") from error


def _checked(folder: Path, content: dict[str, Any]) -> Backup:
    if content["format"] != FORMAT:
        raise WarehouseError(f"{folder} has the backup format {content['format']}, not {FORMAT}")
    if content["checksum"] != hashlib.sha256(_canonical(content)).hexdigest():
        raise WarehouseError(f"{folder / MANIFEST_NAME} was changed since it was written: {AGAIN}")
    names = ("database", "storage", "method", "created_at")
    if not all(isinstance(content[name], str) and content[name] for name in names):
        raise TypeError("an empty text")
    backup = Backup(
        folder=folder,
        number=_count(content["number"]),
        created_at=datetime.fromisoformat(content["created_at"]),
        method=content["method"],
        database=content["database"],
        storage=content["storage"],
        definitions=tuple(_definition(made) for made in content["definitions"]),
        left_out={_text(what): _text(why) for what, why in content["left_out"].items()},
        tables={
            Name(_text(table["schema"]), _text(table["name"])): Fingerprint(
                _count(table["rows"]),
                _text(table["content"]),
                tuple((_text(column), _text(kind)) for column, kind in table["columns"]),
            )
            for table in content["tables"]
        },
        seen={
            Name(_text(schema), _text(name)): _count(rows) for schema, name, rows in content["seen"]
        },
        runs={_text(run_id): _text(study) for run_id, study in content["runs"].items()},
        parts=tuple(
            Part(_text(path), _count(size), _text(digest))
            for path, size, digest in content["parts"]
        ),
        is_keyed="hmac" in content,
    )
    _require_consistent(backup)
    return backup


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r} is no count")
    return value


def _definition(made: Mapping[str, Any]) -> Definition:
    optional = [made[name] for name in ("table", "comment") if made[name] is not None]
    if not isinstance(made["is_unique"], bool) or not all(isinstance(v, str) for v in optional):
        raise TypeError(f"no definition: {made['kind']!r}")
    return Definition(
        kind=_text(made["kind"]),
        name=Name(_text(made["schema"]), _text(made["name"])),
        body=_text(made["body"]),
        columns=tuple(_text(column) for column in made["columns"]),
        table=made["table"],
        is_unique=made["is_unique"],
        comment=made["comment"],
        column_comments=tuple(
            (_text(column), _text(said)) for column, said in made["column_comments"]
        ),
    )


def _require_consistent(backup: Backup) -> None:
    keys = [made.key for made in backup.definitions]
    defined = {made.name for made in backup.definitions if made.kind == TABLE}
    paths = [part.path for part in backup.parts]
    if len(set(keys)) != len(keys) or len(set(paths)) != len(paths):
        raise ValueError("something is in it twice")
    if defined != set(backup.tables):
        raise ValueError("a table without its definition or its content")
    if backup.method not in (BY_FILE, BY_TABLES):
        raise ValueError(f"the method {backup.method!r}")
    if DATABASE_NAME not in paths:
        raise ValueError(f"{DATABASE_NAME} is not among its parts")
    for path in paths:
        pieces = PurePosixPath(path).parts
        plain = "/".join(pieces) == path and ".." not in pieces and "\\" not in path
        if path != DATABASE_NAME and not (plain and _FILE_OF_A_RUN.fullmatch(path)):
            raise ValueError(f"the part {path!r} leads elsewhere")


def require_whole(
    backup: Backup, key: bytes | None = None, *, copied_to: Path | None = None
) -> None:
    """Refuse a backup of which anything was changed, taken away or added.

    Parameters
    ----------
    backup
        From :func:`read_backup`.
    key
        The one that it was made with, where it was made with one.
    copied_to
        Where the database is copied to, and read back from.

    Raises
    ------
    WarehouseError
        Says which file, and what is wrong with it.
    """
    _require_key(backup, key)
    said = {part.path: part for part in backup.parts}
    there = {
        str(file.relative_to(backup.folder).as_posix()): file for file in files_under(backup.folder)
    }
    there.pop(MANIFEST_NAME, None)
    for path in sorted({*said, *there}):
        if path not in there:
            raise WarehouseError(f"{backup.folder} lacks its {path}: {AGAIN}")
        if path not in said:
            raise WarehouseError(
                f"{backup.folder} holds {path}, which its manifest does not know: {AGAIN}"
            )
        is_copied = copied_to is not None and path == DATABASE_NAME
        if not _is_part(backup.folder, said[path], copied_to if is_copied else None):
            raise WarehouseError(
                f"{backup.folder / path} was changed since it was backed up: {AGAIN}"
            )


def _is_part(folder: Path, said: Part, copied_to: Path | None) -> bool:
    file = folder / said.path
    if file.stat().st_size != said.bytes:
        return False
    if copied_to is None:
        return part_of(folder, said.path) == said
    # Where the copy is right, what it was made of is too.
    shutil.copyfile(file, copied_to)
    return part_of(copied_to.parent, copied_to.name).sha256 == said.sha256


def _require_key(backup: Backup, key: bytes | None) -> None:
    if key is None and backup.is_keyed:
        raise WarehouseError(f"{backup.folder} was made with a key: name it with --key FILE")
    if key is None:
        return
    if not backup.is_keyed:
        raise WarehouseError(f"{backup.folder} was made without a key, so none can prove it")
    content = json.loads((backup.folder / MANIFEST_NAME).read_text(encoding="utf-8"))
    expected = hmac.new(key, _canonical(content), hashlib.sha256).hexdigest()
    if (
        not hmac.compare_digest(expected, str(content.get("hmac")))
        or _checked(backup.folder, content) != backup
    ):
        raise WarehouseError(
            f"{backup.folder / MANIFEST_NAME} was not made with this key: it was changed, or the"
            " key is another"
        )


def files_under(folder: Path) -> Iterator[Path]:
    """Return every file under a folder.

    Raises
    ------
    WarehouseError
        There is a link or a special file, which may lead anywhere.
    """
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise WarehouseError(f"{path} is a link or no plain file: {AGAIN}")
        if path.is_dir():
            yield from files_under(path)
        else:
            yield path


def part_of(folder: Path, path: str) -> Part:
    """Read a file of a backup and return its size and checksum."""
    with (folder / path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Part(path, file.tell(), digest)


def with_parts(backup: Backup, folder: Path, known: Mapping[str, str] | None = None) -> Backup:
    """Return a backup with the checksums of the files that lie in a folder.

    ``known`` are the checksums of what was copied into it, by path.
    """
    known = known or {}
    paths = [file.relative_to(folder).as_posix() for file in files_under(folder)]
    parts = [
        Part(path, (folder / path).stat().st_size, known[path])
        if path in known
        else part_of(folder, path)
        for path in paths
    ]
    return replace(backup, parts=tuple(parts))
