"""Real dbt runs, each in a process of its own, and small Sort-of-Real files for them.

dbt takes seconds to import and to make the code that reads its own files, so its processes are
forked off a server that has run it once.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
from filelock import FileLock

from models_py.base import settings

PARSED, PARSED_BEFORE = "DBT_PARSED_PROJECTS", "DBT_PARSED_BEFORE"
"""Name the folders where parsed projects are kept for other homes: of this session, and of all."""

OF_A_HOME = "{{ env_var('SEGMENTHOUSE_HOME', '..') }}/data/segmenthouse.duckdb"
"""The file in the profile: one that differs would have dbt parse anew, and its plugin opens it."""

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.warehouse.dbt_server"])

LINE_COLUMNS = [
    "SHOP_WEEK", "SHOP_DATE", "SHOP_WEEKDAY", "SHOP_HOUR", "QUANTITY", "SPEND", "PROD_CODE",
    "PROD_CODE_10", "PROD_CODE_20", "PROD_CODE_30", "PROD_CODE_40", "CUST_CODE",
    "CUST_PRICE_SENSITIVITY", "CUST_LIFESTAGE", "BASKET_ID", "BASKET_SIZE",
    "BASKET_PRICE_SENSITIVITY", "BASKET_TYPE", "BASKET_DOMINANT_MISSION", "STORE_CODE",
    "STORE_FORMAT", "STORE_REGION",
]  # fmt: skip


@cache
def await_server() -> None:
    """Wait until the server is there: it parses, too, and may not wait for what waits for it."""
    process = FORKS.Process(target=os.getpid)
    process.start()
    process.join()


def run_in_this_process(words: list[str], home: str, folder: str, output: str) -> None:
    """Run a dbt command with its output in a file, and exit as it does."""
    from dbt.cli.main import cli

    os.environ[settings.HOME_VARIABLE] = home
    os.chdir(folder)
    with open(output, "w") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
        cli(words)


def profiles_of_any_home() -> Path:
    """Return the folder of a profile that is the same in every home, but for what it opens."""
    folder = Path(os.environ[PARSED])
    if not (folder / "profiles.yml").is_file():
        given = (settings.dbt_project_dir() / "profiles.yml").read_text()
        assert given.count(OF_A_HOME) == 1
        unfinished = folder / f"profiles.{os.getpid()}"
        unfinished.write_text(given.replace(OF_A_HOME, "segmenthouse.duckdb"))
        unfinished.replace(folder / "profiles.yml")
    return folder


@contextmanager
def parsed_project(
    target: Path, variables: dict[str, str], parse: Callable[[], object]
) -> Iterator[None]:
    """Let dbt find the project as it was parsed with these variables, whichever home did it.

    Parsing is most of what a small run takes. dbt itself sees whether a file is another now.
    """
    text = json.dumps(variables, sort_keys=True)
    versions = [version(name) for name in ("dbt-core", "dbt-adapters", "dbt-duckdb")]
    key = hashlib.sha256(" ".join([text, *versions]).encode()).hexdigest()[:16]
    # Folders are of this session alone.
    folder = Path(os.environ[PARSED if "/" in text else PARSED_BEFORE])
    kept, own = folder / f"{key}.msgpack", target / "partial_parse.msgpack"
    target.mkdir(parents=True, exist_ok=True)
    with FileLock(kept.with_suffix(".lock")):
        if kept.is_file():
            shutil.copyfile(kept, own)
        else:
            parse()
            _keep(own, kept)
    taken = own.stat().st_mtime_ns
    yield
    if own.stat().st_mtime_ns != taken:
        _keep(own, kept)


def _keep(own: Path, kept: Path) -> None:
    unfinished = kept.with_suffix(f".{os.getpid()}")
    shutil.copyfile(own, unfinished)
    unfinished.replace(kept)


@dataclass
class Run:
    """What a dbt command left: its exit code and all that it printed."""

    code: int
    text: str

    def lines_with(self, words: str) -> list[str]:
        """Return the printed lines that hold these words."""
        return [line for line in self.text.splitlines() if words in line]


@dataclass(frozen=True)
class Warehouse:
    """A home with its own warehouse, and the dbt variables that it is built with."""

    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    def dbt(self, *words: str, cwd: Path | None = None) -> Run:
        """Run a dbt command on this warehouse."""
        if cwd is not None:
            return self._run(words, cwd)
        await_server()
        with parsed_project(self.home / "target", self.variables, self._parse):
            return self._run(words)

    def _parse(self) -> None:
        parsed = self._run(["parse"])
        assert parsed.code == 0, parsed.text

    def _run(self, words: Sequence[str], folder: Path | None = None) -> Run:
        command = ["--no-use-colors", *words]
        command += ["--target-path", str(self.home / "target"), "--log-path", str(self.home)]
        if folder is None:
            command += ["--profiles-dir", str(profiles_of_any_home())]
        if self.variables:
            command += ["--vars", json.dumps(self.variables)]
        output = self.home / "output.txt"
        place = str(folder or settings.dbt_project_dir())
        process = FORKS.Process(
            target=run_in_this_process, args=(command, str(self.home), place, str(output))
        )
        process.start()
        process.join(timeout=600)
        assert process.exitcode is not None, f"dbt {words} has not ended"
        return Run(process.exitcode, output.read_text())

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        path = self.home / "data" / "segmenthouse.duckdb"
        with duckdb.connect(str(path), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def execute(self, statement: str) -> None:
        """Change the warehouse by a statement."""
        with duckdb.connect(str(self.home / "data" / "segmenthouse.duckdb")) as connection:
            connection.execute(statement)

    def value(self, query: str) -> Any:
        """Return the one value of a query."""
        ((result,),) = self.rows(query)
        return result

    def rejected(self) -> dict[str, int]:
        """Return the reasons with at least one row left out, and how many."""
        return dict(
            self.rows("select reason, row_count from silver.grocery_rejections where row_count > 0")
        )


@dataclass(frozen=True)
class Line:
    """One line of a Sort-of-Real file; what a test does not name has a sound value."""

    customer: str = "CUST1"
    basket: str = "B1"
    product: str = "PRD1"
    store: str = "STORE1"
    day: str = "20060412"
    hour: str = "10"
    quantity: str = "1"
    spend: str = "1.50"
    life_stage: str = "YA"
    basket_type: str = "Top Up"

    def values(self) -> list[str]:
        """Return the line as the file has it."""
        group = self.product.removeprefix("PRD")[-1]
        return [
            "200607", self.day, "4", self.hour, self.quantity, self.spend, self.product,
            f"CL{group}", f"DEP{group}", f"G{group}", f"D0000{group}", self.customer, "MM",
            self.life_stage, self.basket, "S", "MM", self.basket_type, "Mixed", self.store, "LS",
            "E01",
        ]  # fmt: skip


def sound_lines(customers: int = 12, baskets: int = 4) -> list[Line]:
    """Return lines of several customers of two life stages; each basket has two products."""
    lines = []
    for customer in range(customers):
        for basket in range(baskets):
            day = date(2006, 4, 10) + timedelta(days=(customer + 2 * basket) % 7)
            line = Line(
                customer=f"CUST{customer}",
                basket=f"B{customer}-{basket}",
                store=f"STORE{customer % 3}",
                day=f"{day:%Y%m%d}",
                hour=str(8 + (customer + basket) % 12),
                life_stage="YA" if customer % 2 else "PE",
            )
            lines.append(replace(line, product=f"PRD{1 + (customer + basket) % 9}"))
            lines.append(replace(line, product=f"PRD{1 + (customer + 4) % 9}a1", spend="2.25"))
    return list(dict.fromkeys(lines))


def write_files(
    folder: Path,
    lines: list[Line],
    columns: list[str] | None = None,
    delimiter: str = ",",
    zipped: bool = False,
) -> Path:
    """Write one week and time.csv into an emptied folder; return the path of the week."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    (folder / "time.csv").write_text("shop_week,date_from,date_to\n200607,20060410,20060416\n")
    path = folder / ("transactions_200607.csv.gz" if zipped else "transactions_200607.csv")
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns or LINE_COLUMNS)
    writer.writerows(line.values() for line in lines)
    written = text.getvalue().encode()
    path.write_bytes(gzip.compress(written) if zipped else written)
    return path
