"""How long the cleanup takes: a dry run over many tables, a backup against a plain copy.

Example: python benchmarks/cleanup.py --tables 2000 --gigabytes 0.2 --json
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import duckdb

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from models_py.database.maintenance import fsync  # noqa: E402
from models_py.database.maintenance.backup import make_backup  # noqa: E402
from models_py.database.maintenance.catalog import TABLE, Name, Relation  # noqa: E402
from models_py.database.connection import open_warehouse  # noqa: E402
from models_py.base.progress import Progress  # noqa: E402

SCRIPT = REPOSITORY / "scripts" / "cleanup_temp_tables.py"
PROOF = "proving the backup by restoring it on trial"
ROWS_A_TABLE = 1000
ROWS_A_STEP = 5_000_000


def main() -> int:
    """Run the measurements and print them."""
    asked = _parser().parse_args()
    answer: dict[str, object] = {"cores": os.cpu_count(), "duckdb": duckdb.__version__}
    with tempfile.TemporaryDirectory(prefix="cleanup_", dir=asked.folder) as folder:
        if asked.tables:
            answer["dry_run"] = measure_dry_run(Path(folder), asked.tables, asked.repeats)
        if asked.gigabytes:
            answer["backup"] = measure_backup(Path(folder), asked.gigabytes, asked.large)
    if asked.json:
        print(json.dumps(answer, indent=2))
        return 0
    for part in ("dry_run", "backup"):
        facts = answer.get(part)
        if isinstance(facts, dict):
            print(", ".join(f"{name} {value}" for name, value in facts.items()))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=int, default=2000, help="0 leaves the dry run out")
    parser.add_argument("--gigabytes", type=float, default=0.5, help="0 leaves the backup out")
    parser.add_argument("--large", type=Path, help="a file to grow and keep for the backup")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", help="where the databases are made")
    parser.add_argument("--json", action="store_true")
    return parser


def measure_dry_run(folder: Path, tables: int, repeats: int) -> dict[str, object]:
    """Time the whole command, the start of Python and of its packages included."""
    path = folder / "many.duckdb"
    with duckdb.connect(str(path)) as raw:
        raw.execute("create schema silver; begin")
        for number in range(tables):
            raw.execute(
                f"create table silver.tmp_{number} as select range as a, range * 2 as b,"
                f" 'x' || range as s, random() as r from range({ROWS_A_TABLE})"
            )
        raw.execute("commit")
    command = [sys.executable, str(SCRIPT), "--warehouse", str(path), "--json"]
    environment = {key: value for key, value in os.environ.items() if "BYTECODE" not in key}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    seconds = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        seconds.append(time.perf_counter() - began)
        listed = len(json.loads(done.stdout)["listed"])
        if listed != tables:
            raise RuntimeError(f"{listed} of {tables} tables were listed: {done.stderr}")
    # The first run writes Python's bytecode, as an installation does. Processor time is what is
    # left to compare on a machine that has other work.
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    began_spent = spent.ru_utime + spent.ru_stime
    subprocess.run(command, env=environment, capture_output=True, check=False)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "tables": tables,
        "processor_seconds": round(spent.ru_utime + spent.ru_stime - began_spent, 2),
        "seconds": round(statistics.median(seconds[1:]), 2),
        "first_seconds": round(seconds[0], 2),
    }


class Stopwatch:
    """Notes when each step of a backup began."""

    def __init__(self) -> None:
        self.began: list[tuple[str, float]] = []

    def step(self, text: str) -> None:
        """Note a step."""
        self.began.append((text, time.perf_counter()))

    def advance(self, done: int, total: int) -> None:
        """Keep quiet."""


def measure_backup(folder: Path, gigabytes: float, large: Path | None) -> dict[str, object]:
    """Time a backup with its proof beside a plain copy of the same file, both onto the disk."""
    path = large or folder / "large.duckdb"
    tables = build_large(path, gigabytes)
    load = round(os.getloadavg()[0], 1)
    copies = [_plain_copy(path, folder / "plain_copy") for _ in range(2)]
    watch: Progress = Stopwatch()
    fsync.sync_file(path)
    with open_warehouse(path) as warehouse:
        core = [Relation(name, TABLE) for name in tables]
        began, spent_before = time.perf_counter(), time.process_time()
        backup = make_backup(warehouse, core, folder / "backups", datetime(2025, 1, 1), watch)
        ended, spent = time.perf_counter(), time.process_time() - spent_before
    steps = dict(reversed(watch.began))  # type: ignore[attr-defined]
    copied = steps[PROOF] - began
    # Other work on the machine may come and go: before and after.
    copies += [_plain_copy(path, folder / "plain_copy") for _ in range(2)]
    plain = statistics.median(copies)
    return {
        "gigabytes": round(path.stat().st_size / 1e9, 2),
        "rows": backup.rows,
        "method": backup.method,
        "plain_copy_seconds": [round(seconds, 1) for seconds in copies],
        "backup_seconds": round(copied, 1),
        "proof_seconds": round(ended - began - copied, 1),
        "processor_seconds": round(spent, 1),
        "load_before_and_after": [load, round(os.getloadavg()[0], 1)],
        "backup_ratio": round(copied / plain, 2),
        "backup_and_proof_ratio": round((ended - began) / plain, 2),
    }


def build_large(path: Path, gigabytes: float) -> list[Name]:
    """Fill a file with tables like those of a shop until it has the size."""
    with duckdb.connect(str(path)) as raw:
        raw.execute("create schema if not exists silver; set preserve_insertion_order = false")
        there = raw.execute("select table_name from duckdb_tables() order by all").fetchall()
        names = [Name("silver", name) for (name,) in there]
        while path.stat().st_size < gigabytes * 1e9:
            name = Name("silver", f"lines_{len(names)}")
            raw.execute(
                f"create table {name.sql} as select range as line_id,"
                " (hash(range) % 100000)::integer as customer_id,"
                " md5(range::varchar) as product, random() as weight,"
                " (hash(range) % 100000) / 100 as spend,"
                " date '2020-01-01' + (range % 700)::integer as bought_on"
                f" from range({ROWS_A_STEP})"
            )
            raw.execute("checkpoint")
            names.append(name)
    return names


def _plain_copy(path: Path, target: Path) -> float:
    fsync.sync_file(path)
    began = time.perf_counter()
    shutil.copyfile(path, target)
    descriptor = os.open(target, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    seconds = time.perf_counter() - began
    target.unlink()
    return seconds


if __name__ == "__main__":
    sys.exit(main())
