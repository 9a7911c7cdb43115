"""A house whose study had its first night, and what its nights said."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from planted_gold import asked

from models_py.base import settings
from models_py.commands import new_study, run_night
from models_py.report import pictures

PAGE = settings.repository() / "scripts" / "NIGHT.md"
ROWS = 240
Night = Callable[..., dict[str, Any]]


def clients(rows: int = ROWS, first: int = 0) -> str:
    """A file of clients in three groups, from this number on."""
    lines = ["client_id,spend,visits,orders,seen"]
    for number in range(first, first + rows):
        own = np.random.default_rng(number)
        kind = number % 3
        lines.append(
            f"c{number:05d},{own.normal((20, 60, 110)[kind], 5):.2f},"
            f"{own.poisson((3, 12, 25)[kind])},{own.poisson((30, 9, 18)[kind])},"
            f"2026-01-{1 + number % 28:02d}"
        )
    return "\n".join(lines) + "\n"


QUICK = """
[outliers]
method = "none"
[choose]
by = "silhouette"
[stability]
refits = 2
[[algorithms]]
name = "kmeans"
k = 3
"""
"""The sections of a recipe that takes seconds."""

STUDY = (
    """
title = "Clients"
table = "gold.clients"
entity = "client_id"
[features]
include = ["spend", "visits", "orders"]
"""
    + QUICK
)


@contextlib.contextmanager
def without_pictures() -> Iterator[None]:
    """Leave the PNG files out, which take a third of a night; a night as a process draws them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "draw_pictures", lambda facts, folder: [])
        yield


@pytest.fixture(scope="session")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with a study drafted from a file, a recipe that is quick, and one night behind it."""
    folder = tmp_path_factory.mktemp("first_night")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.HOME_VARIABLE, str(folder))
        patch.chdir(folder)
        (folder / "clients.csv").write_text(clients())
        with contextlib.redirect_stdout(io.StringIO()):
            assert new_study.main(["--input", "clients.csv", "--id", "client_id", "--json"]) == 0
        drafted = (folder / "clients.toml").read_text()
        (folder / "clients.toml").write_text(STUDY + drafted[drafted.index("[reading]") :])
        said = io.StringIO()
        with contextlib.redirect_stdout(said), without_pictures():
            run_night.main(["--study", "clients.toml", "--input", "clients.csv"])
        (folder / "first.json").write_text(said.getvalue())
        yield folder


@pytest.fixture
def house(home: Path, first_night: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That home, copied to one that a test may change."""
    shutil.copytree(first_night, home, dirs_exist_ok=True)
    monkeypatch.chdir(home)
    return home


@pytest.fixture
def first(house: Path) -> dict[str, Any]:
    """What the first night said."""
    said: dict[str, Any] = json.loads((house / "first.json").read_text())
    return said


@pytest.fixture
def night(house: Path, capsys: pytest.CaptureFixture[str]) -> Night:
    """Runs a night in this process and returns its line."""

    def run(*words: str, text: str | None = None) -> dict[str, Any]:
        if text is not None:
            (house / "clients.csv").write_text(text)
        with without_pictures():
            code = run_night.main(["--study", "clients.toml", "--input", "clients.csv", *words])
        captured = capsys.readouterr()
        (line,) = captured.out.splitlines()
        said: dict[str, Any] = json.loads(line) | {"stderr": captured.err}
        assert said["exit_code"] == code
        return said

    return run


def outcomes(said: dict[str, Any]) -> dict[str, str]:
    return {name: step["outcome"] for name, step in said["steps"].items()}


def counted(sql: str) -> Any:
    ((value,),) = asked(settings.warehouse_path(), sql)
    return value


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language on the page about nights."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
