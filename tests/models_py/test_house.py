"""The house: imports run down its floors, and CONTRIBUTING.md names what is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from models_py.base import settings

PACKAGE = settings.repository() / "models_py"
CONTRIBUTING = settings.repository() / "CONTRIBUTING.md"
FLOORS = (
    "base",
    "clustering",
    "features",
    "sources",
    "studies",
    "database",
    "segmentation",
    "describe",
    "runs",
    "report",
    "pipeline",
    "commands",
)
"""From the ground up: a room imports those before it and none after it."""

MOST_ENTRIES = 13


def imported_rooms(source: str) -> set[str]:
    """Return the rooms that a module imports, wherever in it the import stands."""
    rooms: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "models_py":
            rooms |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("models_py."):
            rooms.add(str(node.module).split(".")[1])
        elif isinstance(node, ast.Import):
            rooms |= {a.name.split(".")[1] for a in node.names if a.name.startswith("models_py.")}
    return rooms


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def entries() -> list[str]:
    return sorted(
        entry.name
        for entry in PACKAGE.iterdir()
        if entry.name != "__pycache__" and (entry.is_dir() or entry.suffix == ".py")
    )


def test_a_room_imports_only_rooms_below_it() -> None:
    upward = [
        f"{file.relative_to(PACKAGE)} imports {room}"
        for file in PACKAGE.rglob("*.py")
        for room in imported_rooms(file.read_text(encoding="utf-8"))
        if room_of(file) in FLOORS and room in FLOORS[FLOORS.index(room_of(file)) + 1 :]
    ]
    assert upward == []


@pytest.mark.parametrize(
    "source",
    [
        "from models_py.commands.exit_codes import end",
        "def f():\n    from models_py.commands import run_sql",
        "import models_py.commands.run_sql",
        "from models_py import commands",
    ],
)
def test_every_form_of_import_is_seen(source: str) -> None:
    assert imported_rooms(source) == {"commands"}


def test_modules_import_each_other_in_no_circle() -> None:
    names = {
        ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts): file
        for file in PACKAGE.rglob("*.py")
        if file.name != "__init__.py"
    }
    reads = {name: imported_at_start(file, names) for name, file in names.items()}
    settled: set[str] = set()
    while free := {n for n, read in reads.items() if n not in settled and read <= settled}:
        settled |= free
    assert sorted(set(reads) - settled) == []


def imported_at_start(file: Path, names: dict[str, Path]) -> set[str]:
    """Return the package's modules that are imported while this one is."""
    read: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("models_py"):
            read |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return read & set(names)


def test_the_top_level_is_small_and_described() -> None:
    assert len(entries()) <= MOST_ENTRIES
    text = CONTRIBUTING.read_text(encoding="utf-8")
    rooms = [name for name in entries() if name != "__init__.py"]
    assert {name.removesuffix(".py") for name in rooms} == set(FLOORS)
    assert [name for name in rooms if not re.search(rf"^  {name}/? ", text, re.MULTILINE)] == []


def test_every_file_that_a_change_touches_is_there() -> None:
    lines = CONTRIBUTING.read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ") and "`" in line]
    named = {path for row in rows for path in re.findall(r"`([\w./*<>-]+/[\w./*<>-]*)`", row)}
    assert len(rows) >= 8
    assert len(named) >= 20
    gone = [path for path in named if not list(settings.repository().glob(_pattern(path)))]
    assert gone == []


def _pattern(path: str) -> str:
    # <name> stands for what the change brings: any file will do.
    return re.sub(r"<\w+>", "*", path).rstrip("/")


def test_the_public_face_stands_above_the_package() -> None:
    upward = [
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        if re.search(r"^\s*(from|import) segmenthouse\b", file.read_text("utf-8"), re.MULTILINE)
    ]
    assert upward == []
