"""Every example of the instructions page is run, in its order, and prints what the page says."""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from models_py.base import settings
from models_py.commands.cleanup_temp_tables import main
from models_py.database import contract
from models_py.database.maintenance.naming import load_rules

sys.path.insert(0, str(Path(__file__).parent / "models_py" / "database" / "maintenance"))
from maintained_warehouse import build

DASHBOARD = """
import duckdb, sys
connection = duckdb.connect("data/segmenthouse.duckdb")
print("open", flush=True)
sys.stdin.read()
"""
PAGE = settings.repository() / "DATABASE_CLEANUP_INSTRUCTIONS.md"
_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROGRESS = re.compile(r".* \(\d+\.\d s\)")
_CHANGING = [
    (r"backup_\d{8}_\d{6}(_\d+)?", "BACKUP"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "TIME"),
    (r"seen by the backup of \d{4}-\d\d-\d\d", "seen by the backup of DAY"),
    (r"-?[\d,]+ days", "N days"),
    (r'"age_days": -?[\d.]+', '"age_days": N'),
    (r'"bytes": \d+', '"bytes": N'),
    (r"[\d,.]+ MB", "N MB"),
    (r"process \d+ \(.*?\):", "process N (COMMAND):"),
    (r" +", " "),
]


@dataclass(frozen=True)
class Block:
    """A fenced block of the page."""

    language: str
    situation: str
    text: str

    @property
    def commands(self) -> list[str]:
        """The lines after a ``$``."""
        return [line[2:] for line in self.text.splitlines() if line.startswith("$ ")]

    @property
    def printed(self) -> str:
        """What the page says they print."""
        return "\n".join(line for line in self.text.splitlines() if not line.startswith("$ "))


def blocks() -> list[Block]:
    names = _BLOCK.findall(PAGE.read_text())
    return [Block(language, situation.strip(), text) for language, situation, text in names]


def same_each_time(text: str) -> str:
    """Take out of an output what differs from run to run."""
    for pattern, word in _CHANGING:
        text = re.sub(pattern, word, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


class Example:
    """A checkout of its own with the example warehouse, in which the commands are run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("models_py", "scripts"):
            # With what is compiled: each module would be compiled anew.
            shutil.copytree(settings.repository() / name, folder / name)
        self.database = build(folder, runs=4)
        (folder / "dashboard.py").write_text(DASHBOARD)
        (folder / "warehouse" / "target").mkdir(parents=True)
        (folder / "manifest.json").rename(folder / "warehouse" / "target" / "manifest.json")

    def run(self, command: str) -> tuple[int, str]:
        """Run a shell command and return its exit code and what it says, without progress."""
        for named in re.findall(r"data/backups/(backup_\w+)", command):
            command = command.replace(named, self.first_backup())
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        for name in (settings.HOME_VARIABLE, "PYTHONDONTWRITEBYTECODE"):
            environment.pop(name, None)
        done = subprocess.run(
            command.replace("python ", f"{shlex.quote(sys.executable)} "),
            shell=True,
            cwd=self.folder,
            env=environment,
            input="y\n",
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stderr.splitlines()
        texts = [line for line in said if not _PROGRESS.fullmatch(line)]
        printed = done.stdout.replace("? [y/N] ", "? [y/N] y\n")
        text = "\n".join([printed.rstrip("\n"), *texts]).strip("\n")
        text = text.replace(f"{self.folder}/", "").replace(sys.executable, "python")
        return done.returncode, text

    def first_backup(self) -> str:
        """The name of the oldest backup, which the page calls by a day of its own."""
        return min(item.name for item in (self.folder / "data" / "backups").iterdir())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Another process holds the file meanwhile."""
        with subprocess.Popen(
            [sys.executable, "dashboard.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self.folder,
            text=True,
        ) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "open\n"
            yield
            other.communicate("")

    @contextmanager
    def changed(self) -> Iterator[None]:
        """A core table was changed by mistake before."""
        with duckdb.connect(str(self.database)) as raw:
            raw.execute("update silver.shop_lines set spend = 0")
        yield

    @contextmanager
    def dropped(self) -> Iterator[None]:
        """A core table was dropped by mistake before."""
        with duckdb.connect(str(self.database)) as raw:
            raw.execute("drop table silver.shop_lines")
        yield

    def play(self, block: Block) -> str:
        """Run the commands of a block in its situation and return what the last one says."""
        situation = {
            "locked": self.locked,
            "changed": self.changed,
            "dropped": self.dropped,
        }.get(block.situation)
        said = ""
        with situation() if situation else nullcontext():
            for command in block.commands:
                code, said = self.run(command)
                assert code in (0, 1, 3, 4), f"{command}: {said}"
        return said


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Block, str]]:
    """Every console block of the page with what its commands said, played in order."""
    example = Example(tmp_path_factory.mktemp("example"))
    return [(block, example.play(block)) for block in blocks() if block.language == "console"]


def test_the_page_has_examples() -> None:
    languages = [block.language for block in blocks()]
    assert languages.count("console") >= 15
    assert set(languages) == {"console", "cron", "sh", "toml"}


def test_the_page_begins_with_ten_lines_that_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = blocks()[0]
    lines = quick.text.splitlines()
    assert quick.language == "sh"
    assert len(lines) == 10
    assert PAGE.read_text().splitlines().index("```sh") < 5
    assert max(map(len, lines)) < 110
    build(tmp_path, runs=6)
    monkeypatch.setenv(settings.HOME_VARIABLE, str(tmp_path))
    for line in lines[1:]:
        interpreter, script, *words = shlex.split(line, comments=True)
        assert (interpreter, script) == ("python", "scripts/cleanup_temp_tables.py")
        made = sorted((tmp_path / "data" / "backups").glob("backup_*"))
        words = [str(made[0]) if "backup_2025" in word else word for word in words]
        monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
        manifest = [] if "--help" in words else ["--manifest", str(tmp_path / "manifest.json")]
        try:
            code = main([*words, *manifest])
        except SystemExit as ended:
            code = int(ended.code or 0)
        assert code in (0, 3, 4), line


def test_every_example_prints_what_the_page_says(outputs: list[tuple[Block, str]]) -> None:
    for block, said in outputs:
        assert same_each_time(said) == same_each_time(block.printed), block.commands


def cron_lines() -> list[str]:
    """Return every line of a crontab that a page has; that of a night is run by its own test."""
    pages = [page for page in settings.repository().rglob("*.md") if ".venv" not in page.parts]
    five = re.compile(r"^(?:[\d*][\d*/,-]* +){5}\S.*$", re.MULTILINE)
    lines = [line for page in sorted(pages) for line in five.findall(page.read_text())]
    return [line for line in lines if "run_night" not in line]


def test_the_schedule_runs_in_the_environment_of_cron(tmp_path: Path) -> None:
    example = Example(tmp_path / "example")
    # An installed checkout's Python knows its packages; nothing else is given to it.
    python = example.folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(
        f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(example.folder))} exec"
        f' {shlex.quote(sys.executable)} "$@"\n'
    )
    python.chmod(0o755)
    place = ("/path/to/segmenthouse", shlex.quote(str(example.folder)))
    lines = cron_lines()
    page = [line for b in blocks() if b.language == "cron" for line in b.text.splitlines()]
    assert set(page) <= set(lines)
    assert len(lines) >= 3
    for line in [*lines, lines[0]]:
        *when, command = line.split(maxsplit=5)
        assert len(when) == 5
        assert "%" not in command  # cron ends the line there
        done = subprocess.run(
            ["env", "-i", "PATH=/usr/bin:/bin", "sh", "-c", command.replace(*place)],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((example.folder / "data" / "backups").iterdir())) == 1


def test_the_rules_of_the_page_are_rules(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(next(block.text for block in blocks() if block.language == "toml"))
    rules = load_rules(file)
    assert rules.judge("scratch_customers") is not None
    assert rules.protects("gold", "weather_old")


def test_the_page_names_every_results_table_and_layer() -> None:
    page = PAGE.read_text()
    for table in contract.ALL_TABLES:
        assert f"| `{table.name}` |" in page
    for layer in ("bronze", "silver", "gold", "results"):
        assert f"| `{layer}` |" in page


if __name__ == "__main__":
    # Write the outputs into the page; read them before committing.
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        played = Example(Path(folder) / "example")

        def written(match: re.Match[str]) -> str:
            block = Block(match[1], match[2].strip(), match[3])
            if block.language != "console":
                return match[0]
            commands = "".join(f"$ {command}\n" for command in block.commands)
            return f"```{match[1]}{match[2]}\n{commands}{played.play(block)}\n```"

        page = _BLOCK.sub(written, PAGE.read_text())
    PAGE.write_text(page)
