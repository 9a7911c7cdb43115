"""The warehouse's files can be read in a window of ordinary width."""

from __future__ import annotations

from models_py.base import settings

WIDTH = 120


def test_no_line_of_a_yml_file_is_too_long() -> None:
    project = settings.dbt_project_dir()
    made = project / "target"
    files = [path for path in sorted(project.rglob("*.yml")) if made not in path.parents]
    assert files

    too_long = [
        f"{path.name}, line {number}: {len(line)} characters"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > WIDTH
    ]

    assert too_long == []
