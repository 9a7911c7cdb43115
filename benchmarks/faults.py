"""Kill, stop, starve and mislead the commands that write, and count what was lost.

Each kill is a SIGKILL to a real process that works on a real database file. Half of the moments
are drawn from the whole time that the command takes, half from the moments at which it was seen
to change a file. Afterwards the file is opened and compared, value by value, with what it was.

SIGKILL ends the process, not the machine: what the system holds in its cache still gets to the
disk. A power cut is not tried here.

Other faults: ``sigint`` and ``sigterm`` at such moments; ``filesize``, a limit on how far a file
may grow; ``disk``, a small disk of its own that gets full; ``reader``, another process that opens
the file at such a moment and never leaves; ``clock``, one that is up to 25 years off at every look.
After these the command has to say the truth, too: exit code 0 only when all is done, no traceback,
and "nothing was written" only when nothing was.

Examples: python benchmarks/faults.py --kills 40 --json
          python benchmarks/faults.py --fault disk --fault reader --kills 20
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import duckdb

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

import fault_kinds  # noqa: E402

from models_py.database import contract, results  # noqa: E402
from models_py.database.dbt import DBT  # noqa: E402
from models_py.database.waiting import list_waiting, open_for_writing  # noqa: E402
from models_py.database.maintenance import manifest  # noqa: E402
from models_py.database.maintenance.backup import list_backups  # noqa: E402
from models_py.database.maintenance.manifest import DATABASE_NAME  # noqa: E402
from models_py.database.maintenance.restore import ATTACHED, attached  # noqa: E402
from models_py.database.maintenance.catalog import TABLE, Name, read_relations  # noqa: E402
from models_py.database.connection import Warehouse, open_warehouse  # noqa: E402
from models_py.database.maintenance.fingerprint import Fingerprint, take_fingerprints  # noqa: E402
from models_py.base.errors import WarehouseError  # noqa: E402

OPERATIONS = ("cleanup", "compaction", "restore", "run_clustering", "dbt_build")
TRIED = {
    "kill": ("cleanup", "compaction", "restore", "run_clustering"),
    "reader": ("cleanup", "restore", "run_clustering"),
    "clock": ("cleanup", "run_clustering"),
}
"""What a fault is tried on; any other on all but the compaction."""
DATABASE = Path("data") / "segmenthouse.duckdb"
RECOVER_EVERY = 10
FULL_FROM_THE_START = 0.3
TEMPORARY = 12
CLUSTERED_ROWS = 300
STUDY = """\
title = "Shop customers"
description = "A small study for the fault table."
table = "gold.shop_customers"
entity = "customer_id"

[features]
include = ["visits", "spend", "gap_days", "discount_share"]

[outliers]
method = "none"

[stability]
refits = 2

[[encoding]]
kind = "none"

[[algorithms]]
name = "kmeans"
k = [2, 3]
"""

Prints = dict[Name, Fingerprint]


@dataclass
class Tally:
    """What the kills of one operation did.

    ``losses`` counts kills after which a value, row or table was not what it must be,
    ``unusable`` kills after which the file could not be opened, ``untrue`` those after which the
    command said what was not so.
    """

    operation: str
    fault: str = "kill"
    kills: int = 0
    losses: int = 0
    unusable: int = 0
    untrue: int = 0
    recovered: int = 0
    finished_first: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Ground:
    """A template of a home that is copied for each kill, and what its tables hold."""

    home: Path
    command: list[str]
    before: Prints
    after: Prints
    seconds: float
    changes: int
    largest: int
    written: int


def main() -> int:
    """Run the kills and print the table."""
    asked = _parser().parse_args()
    # Where a shell's background ignores Ctrl-C, the commands that are tried would, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    tallies = []
    with tempfile.TemporaryDirectory(prefix="faults_", dir=asked.folder) as folder:
        for fault in asked.fault or ["kill"]:
            if fault == "disk" and not fault_kinds.can_mount(Path(folder)):
                print("disk: left out, this user may not mount one", file=sys.stderr)
                continue
            possible = TRIED.get(fault, tuple(o for o in OPERATIONS if o != "compaction"))
            operations = [name for name in asked.operation or possible if name in possible]
            for operation, share in zip(operations, _shares(asked.kills, operations), strict=True):
                tallies.append(_try_operation(operation, share, asked, Path(folder), fault))
    _show(tallies, asked)
    return 1 if any(tally.losses or tally.unusable or tally.untrue for tally in tallies) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--kills", type=int, default=40, help="over all operations of a fault (default 40)"
    )
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the largest core table")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2, help="processes killed side by side")
    parser.add_argument("--operation", action="append", choices=OPERATIONS)
    parser.add_argument(
        "--fault", action="append", choices=fault_kinds.FAULTS, help="default: kill"
    )
    parser.add_argument("--folder", help="where the databases are made")
    parser.add_argument("--json", action="store_true")
    return parser


def _shares(kills: int, operations: list[str]) -> list[int]:
    return [
        kills // len(operations) + (at < kills % len(operations)) for at in range(len(operations))
    ]


def _show(tallies: list[Tally], asked: argparse.Namespace) -> None:
    total = Tally("all")
    for item in tallies:
        for name in (
            "kills", "losses", "unusable", "untrue", "recovered", "finished_first", "seconds",
        ):  # fmt: skip
            setattr(total, name, getattr(total, name) + getattr(item, name))
    if asked.json:
        answer = {"seed": asked.seed, "operations": [asdict(tally) for tally in [*tallies, total]]}
        print(json.dumps(answer, indent=2))
        return
    print("| fault | command | times | losses | unusable files | untrue endings | run again |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for item in [*tallies, total]:
        fault = "" if item is total else item.fault
        print(
            f"| {fault} | {item.operation} | {item.kills:,} | {item.losses} | {item.unusable}"
            f" | {item.untrue} | {item.recovered} |"
        )
    for fault in (fault for tally in tallies for fault in tally.faults):
        print(fault)


_GROUNDS: dict[str, Ground] = {}


def _try_operation(
    operation: str, kills: int, asked: argparse.Namespace, folder: Path, fault: str
) -> Tally:
    began = time.perf_counter()
    tally = Tally(operation, fault)
    if operation not in _GROUNDS:
        _GROUNDS[operation] = _prepare(operation, asked.rows, folder / operation)
    ground = _GROUNDS[operation]
    named = operation if fault == "kill" else f"{operation} {fault}"
    moments = random.Random(f"{asked.seed} {named}")
    with ThreadPoolExecutor(asked.workers) as pool:
        while tally.kills < kills:
            wanted = kills - tally.kills
            draws = [(moments.random(), moments.random()) for _ in range(wanted)]
            jobs = [
                (
                    ground,
                    operation,
                    fault,
                    draw,
                    folder / f"{operation}_{fault}_{at}",
                    at % RECOVER_EVERY == 0,
                )
                for at, draw in enumerate(draws)
            ]
            for outcome in pool.map(lambda job: _try_once(*job), jobs):
                _count(tally, outcome)
            if tally.kills == 0 and tally.finished_first > 20 * kills:
                raise WarehouseError(f"{operation} always ended before it could be killed")
    tally.seconds = round(time.perf_counter() - began, 1)
    print(json.dumps(asdict(tally)), file=sys.stderr, flush=True)
    return tally


@dataclass(frozen=True)
class Outcome:
    """What one kill did."""

    killed: bool
    lost: str | None = None
    unusable: str | None = None
    recovered: bool = False
    untrue: str | None = None


def _count(tally: Tally, outcome: Outcome) -> None:
    if not outcome.killed:
        tally.finished_first += 1
        return
    tally.kills += 1
    tally.losses += outcome.lost is not None
    tally.unusable += outcome.unusable is not None
    tally.untrue += outcome.untrue is not None
    tally.recovered += outcome.recovered
    found = (outcome.lost, outcome.unusable, outcome.untrue)
    tally.faults += [fault for fault in found if fault is not None]


def _try_once(
    ground: Ground,
    operation: str,
    fault: str,
    draw: tuple[float, float],
    home: Path,
    recover: bool,
) -> Outcome:
    if fault == "kill":
        return _kill_once(ground, operation, draw, home, recover)
    _reset(ground.home, home)
    with contextlib.ExitStack() as around:
        around.callback(shutil.rmtree, home, ignore_errors=True)
        if fault == "disk":
            # Full from the start, or filled by somebody else at a moment.
            is_small = draw[1] < FULL_FROM_THE_START
            spare = int(draw[0] * (ground.written + 2**20)) if is_small else fault_kinds.ROOM
            around.enter_context(fault_kinds.small_disk(home, spare))
        ended = _meet(ground, fault, draw, home)
        if fault == "disk":
            fault_kinds.free_again(home)
        untrue = _untruth(ground, operation, home, ended)
        outcome = _judge(ground, operation, home, recover and fault != "clock")
    return replace(outcome, untrue=untrue and f"{operation} {fault}: {untrue}")


def _meet(
    ground: Ground,
    fault: str,
    draw: tuple[float, float],
    home: Path,
) -> fault_kinds.Ended:
    """Run the command once and let it meet the fault."""
    if fault == "filesize":
        largest = int(draw[0] * 1.2 * ground.largest)
        return fault_kinds.run(ground.command, home, largest=largest)
    if fault == "clock":
        command = fault_kinds.with_jumping_clock(ground.command, str(draw))
        return fault_kinds.run(command, home)
    if fault == "disk" and draw[1] < FULL_FROM_THE_START:
        return fault_kinds.run(ground.command, home)

    def interfere(process: subprocess.Popen[bytes]) -> None:
        _wait_for_moment(process, ground, draw, home)
        if fault == "disk":
            fault_kinds.fill(home)
        elif fault != "reader":
            process.send_signal(fault_kinds.SIGNALS[fault])
        else:
            reading.enter_context(fault_kinds.reader_of(home / DATABASE))

    with contextlib.ExitStack() as reading:
        return fault_kinds.run(ground.command, home, while_running=interfere)


def _untruth(ground: Ground, operation: str, home: Path, ended: fault_kinds.Ended) -> str | None:
    """Return what the command said that is not so; None where all is true."""
    last = (ended.output.strip().splitlines() or [""])[-1]
    if "Traceback" in ended.output and operation != "dbt_build":
        return f"a traceback: {ended.output}"
    if operation == "run_clustering":
        return _untruth_of_run(home, ended, last)
    now = read_prints(home / DATABASE)
    if ended.code == 0 and now != ground.after:
        return f"exit code 0, and not all is done: {last}"
    if "nothing was written" in ended.output and now != ground.before:
        what = "all" if now == ground.after else "a part"
        return f"{what} was written: {ended.output}"
    told = ("committed", "brought back", "dropped", "a commit was under way")
    is_silent = operation != "dbt_build" and not any(word in ended.output for word in told)
    if ended.code != 0 and now == ground.after != ground.before and is_silent:
        return f"all is done, and it does not say so: {last}"
    return None


def _untruth_of_run(home: Path, ended: fault_kinds.Ended, last: str) -> str | None:
    with open_for_writing(home / DATABASE) as warehouse:
        done = len(warehouse.rows("select 1 from results.runs where status = 'done'"))
    if list_waiting(home / DATABASE):
        return "something waits for ever"
    if (done > 1) == (ended.code in (0, 3)) or "is done and its results" in ended.output:
        return None
    return f"exit code {ended.code}, and {done - 1} runs are done: {last}"


def _kill_once(
    ground: Ground, operation: str, draw: tuple[float, float], home: Path, recover: bool
) -> Outcome:
    _reset(ground.home, home)
    process = _start(ground.command, home)
    try:
        _wait_for_moment(process, ground, draw, home)
        if process.poll() is not None:
            return Outcome(killed=False)
        process.send_signal(signal.SIGKILL)
        process.wait()
        return _judge(ground, operation, home, recover)
    finally:
        _end_group(process)
        shutil.rmtree(home, ignore_errors=True)


def _reset(template: Path, home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(template, home)


def _start(command: list[str], home: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "SEGMENTHOUSE_HOME": str(home), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=home,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _end_group(process: subprocess.Popen[bytes]) -> None:
    # A backup copies the file in a process of its own, which outlives a kill for a moment.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _wait_for_moment(
    process: subprocess.Popen[bytes], ground: Ground, draw: tuple[float, float], home: Path
) -> None:
    which, where = draw
    if which < 0.5:
        time.sleep(where * ground.seconds)
        return
    wanted = 1 + int(where * ground.changes)
    for seen, _ in enumerate(_changes(process, home), 1):
        if seen >= wanted:
            time.sleep((which - 0.5) * 0.04)
            return


def _changes(process: subprocess.Popen[bytes], home: Path) -> Iterator[None]:
    """Yield each time that a file of the home is seen to have changed."""
    last = _state(home)
    while process.poll() is None:
        now = _state(home)
        if now != last:
            last = now
            yield
        time.sleep(0.001)


def _state(home: Path) -> list[tuple[str, int, int, int]]:
    results = []
    for folder in (home / "data", home / "data" / "backups"):
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        for entry in entries:
            try:
                status = entry.stat()
            except OSError:
                continue
            results.append((entry.path, status.st_ino, status.st_size, status.st_mtime_ns))
    return results


def _prepare(operation: str, rows: int, home: Path) -> Ground:
    """Make the home that is copied for each kill, and let the command run once to its end."""
    build_warehouse(home, rows)
    command = _PREPARE[operation](home)
    before = read_prints(home / DATABASE)
    trial = home.with_name(f"{operation}_trial")
    _reset(home, trial)
    began = time.perf_counter()
    process = _start(command, trial)
    changes = sum(1 for _ in _changes(process, trial))
    if process.wait() != 0:
        raise WarehouseError(f"{operation} does not run: {' '.join(command)}")
    seconds = time.perf_counter() - began
    after = read_prints(trial / DATABASE)
    largest = fault_kinds.largest_file(trial)
    written = max(fault_kinds.total_size(trial) - fault_kinds.total_size(home), 0)
    shutil.rmtree(trial)
    return Ground(home, command, before, after, seconds, changes, largest, written)


def build_warehouse(home: Path, rows: int) -> None:
    """Make a small real warehouse: core tables in four schemas, temporary ones, a run."""
    (home / "data").mkdir(parents=True)
    (home / "study.toml").write_text(STUDY)
    with duckdb.connect(str(home / DATABASE)) as raw:
        raw.execute("create schema bronze; create schema silver; create schema gold")
        raw.execute(
            "create table bronze.shop_lines as select range as line_id,"
            f" range % {CLUSTERED_ROWS} as customer_id, md5(range::varchar) as product,"
            f" (hash(range) % 10000) / 100 as spend from range({rows})"
        )
        raw.execute("create table silver.shop_lines as from bronze.shop_lines where spend > 1")
        raw.execute(
            "create table gold.shop_customers as select customer_id,"
            " count(*) % 7 + customer_id % 3 * 10 as visits, sum(spend) as spend,"
            " (hash(customer_id) % 97) / 9 as gap_days, (hash(customer_id + 1) % 89) / 89"
            " as discount_share from silver.shop_lines group by customer_id"
        )
        raw.execute("create view gold.shop_best as from gold.shop_customers where spend > 100")
        for number in range(TEMPORARY):
            raw.execute(
                f"create table silver.tmp_lines_{number} as"
                f" from bronze.shop_lines limit {rows // TEMPORARY}"
            )
    _write_manifest(home)


def _write_manifest(home: Path) -> None:
    nodes = {
        f"model.shop.{schema}_{name}": {
            "resource_type": "model",
            "schema": schema,
            "name": f"{schema}_{name}",
            "alias": name,
            "config": {"materialized": kind},
        }
        for schema, name, kind in [
            ("bronze", "shop_lines", "table"),
            ("silver", "shop_lines", "table"),
            ("gold", "shop_customers", "table"),
            ("gold", "shop_best", "view"),
        ]
    }
    manifest = {"nodes": nodes, "sources": {}, "disabled": {}}
    (home / "manifest.json").write_text(json.dumps(manifest))


def _cleanup_command(*words: str) -> list[str]:
    script = str(REPOSITORY / "scripts" / "cleanup_temp_tables.py")
    return [script, "--manifest", "manifest.json", *words]


def _cleanup(_: Path) -> list[str]:
    return _cleanup_command("--execute", "--yes")


def _compaction(home: Path) -> list[str]:
    with duckdb.connect(str(home / DATABASE)) as raw:
        for number in range(TEMPORARY):
            raw.execute(f"drop table silver.tmp_lines_{number}")
    return _cleanup_command("--execute", "--yes", "--compact")


def _restore(home: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, *_cleanup_command("--backup", "--json")],
        cwd=home,
        env={**os.environ, "SEGMENTHOUSE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    folder = Path(json.loads(done.stdout)["backup"]["folder"]).relative_to(home)
    with duckdb.connect(str(home / DATABASE)) as raw:
        raw.execute("delete from bronze.shop_lines where line_id % 2 = 0")
        raw.execute("update silver.shop_lines set spend = 0 where customer_id < 9")
        raw.execute("drop table gold.shop_customers")
    return _cleanup_command("--restore", str(folder), "--overwrite", "--yes")


def _run_clustering(home: Path) -> list[str]:
    script = str(REPOSITORY / "scripts" / "run_clustering.py")
    command = [script, "--study", "study.toml", "--no-report", "--wait", "1"]
    environment = {**os.environ, "SEGMENTHOUSE_HOME": str(home)}
    subprocess.run(
        [sys.executable, *command],
        cwd=home,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return command


def _dbt_build(home: Path) -> list[str]:
    project = home / "project"
    for name, text in _PROJECT.items():
        file = project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    macro = Path("macros") / "materializations.sql"
    (project / "macros").mkdir()
    shutil.copy(REPOSITORY / "warehouse" / macro, project / macro)
    words = ["--quiet", "build", "--project-dir", "project", "--profiles-dir", "project"]
    first, second = (["-c", DBT, *words, "--vars", f"step: {step}"] for step in (1, 2))
    environment = {**os.environ, "SEGMENTHOUSE_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
    subprocess.run([sys.executable, *first], cwd=home, env=environment, check=True)
    return second


_PROJECT = {
    "dbt_project.yml": (
        "name: shop\nversion: '1.0.0'\nprofile: shop\nmodels:\n  +materialized: table\n"
        "flags:\n  send_anonymous_usage_stats: false\n"
    ),
    "profiles.yml": (
        "shop:\n  target: duckdb\n  outputs:\n    duckdb:\n      type: duckdb\n"
        "      path: data/segmenthouse.duckdb\n      threads: 2\n      plugins:\n"
        "        - module: models_py.sources.dbt_plugin\n"
        "        - module: models_py.database.dbt_opening\n"
    ),
    "models/lines.sql": (
        "select range as line_id, range * {{ var('step') }} as spend,"
        " md5((range * {{ var('step') }})::varchar) as product from range(50000)"
    ),
    "models/customers.sql": (
        "select line_id % 300 as customer_id, sum(spend) as spend, count(*) as visits,"
        " {{ var('step') }} as step from {{ ref('lines') }} group by all"
    ),
    "models/best.sql": "select * from {{ ref('customers') }} where spend > 100",
}


_PREPARE: dict[str, Callable[[Path], list[str]]] = {
    "cleanup": _cleanup,
    "compaction": _compaction,
    "restore": _restore,
    "run_clustering": _run_clustering,
    "dbt_build": _dbt_build,
}


def read_prints(path: Path) -> Prints:
    """Return the fingerprint of every table of a file."""
    with open_warehouse(path, wait_seconds=10) as warehouse:
        return _prints(warehouse)


def _prints(warehouse: Warehouse) -> Prints:
    tables = [relation.name for relation in read_relations(warehouse) if relation.kind == TABLE]
    return take_fingerprints(warehouse, warehouse.path.stem, tables)


def _judge(ground: Ground, operation: str, home: Path, recover: bool) -> Outcome:
    path = home / DATABASE
    try:
        now = read_prints(path)
        lost = _JUDGES[operation](ground, home, now)
    except WarehouseError as error:
        return Outcome(killed=True, unusable=f"{operation}: {error}")
    if lost is None and recover:
        lost = _run_again(ground, operation, home)
        return Outcome(killed=True, lost=lost, recovered=lost is None)
    return Outcome(killed=True, lost=lost)


def _run_again(ground: Ground, operation: str, home: Path) -> str | None:
    # 4 is the cleanup's "nothing found": the kill came after the drops.
    process = _start(ground.command, home)
    if process.wait() not in (0, 4):
        return f"{operation}: the next run ended with {process.returncode}"
    now = read_prints(home / DATABASE)
    if operation == "run_clustering":
        return _judge_run(ground, home, now)
    left = sorted(item.name for item in (home / "data").iterdir())
    odd = [name for name in left if "compacting" in name or "restoring" in name]
    odd += [file.name for file in (home / "data").glob("backups/*.unfinished-*")]
    if odd:
        return f"{operation}: the next run left {odd} behind"
    return None if now == ground.after else f"{operation}: the next run did not finish the work"


def _all_or_nothing(ground: Ground, home: Path, now: Prints) -> str | None:
    if now in (ground.before, ground.after):
        return _judge_backups(home)
    return f"tables are neither as before nor as after: {sorted(map(str, now))}"


def _each_all_or_nothing(ground: Ground, home: Path, now: Prints) -> str | None:  # noqa: ARG001
    # dbt commits model by model.
    wrong = [
        str(name)
        for name in ground.before.keys() | ground.after.keys()
        if now.get(name) not in (ground.before.get(name), ground.after.get(name))
    ]
    return f"dbt_build: neither as before nor as after: {sorted(wrong)}" if wrong else None


def _judge_backups(home: Path) -> str | None:
    # A folder that has its final name must be a whole backup.
    for backup in list_backups(home / "data" / "backups"):
        manifest.require_whole(backup)
        with (
            open_warehouse(home / DATABASE) as warehouse,
            attached(warehouse, backup.folder / DATABASE_NAME),
        ):
            held = take_fingerprints(warehouse, ATTACHED, list(backup.tables))
        if backup.method == manifest.BY_FILE:
            held = {name: replace(content, content="") for name, content in held.items()}
        if held != dict(backup.tables):
            return f"{backup.folder.name} does not hold what its manifest says"
    return None


def _judge_run(ground: Ground, home: Path, now: Prints) -> str | None:
    # Earlier tables and runs must be as they were, the killed run whole or not there.
    per_run = {Name(contract.SCHEMA, table.name) for table in contract.RUN_TABLES}
    registry = Name(contract.SCHEMA, contract.segment_registry.name)
    runs = Name(contract.SCHEMA, contract.runs.name)
    for name, was in ground.before.items():
        if name not in {*per_run, registry, runs} and now.get(name) != was:
            return f"run_clustering: {name} changed"
    with open_for_writing(home / DATABASE) as warehouse:
        with warehouse.transaction():
            results.mark_dead_runs(warehouse)
        states = dict(warehouse.rows(f"select run_id, status from {runs.sql} order by number"))
        if contract.RUNNING in states.values():
            return "run_clustering: a dead run is not marked failed"
        first, *later = states
        without = dict.fromkeys(per_run, later)
        kept = take_fingerprints(warehouse, warehouse.path.stem, sorted(per_run), None, without)
        if any(kept[name] != ground.before[name] for name in per_run):
            return f"run_clustering: rows of the earlier run {first} changed"
        return _judge_later_runs(warehouse, per_run, states, later)


def _judge_later_runs(
    warehouse: Warehouse, per_run: set[Name], states: dict[str, str], later: list[str]
) -> str | None:
    for run_id in later:
        counts = {
            name.name: warehouse.rows(
                f"select count(*) from {name.sql} where run_id = ?", [run_id]
            )[0][0]
            for name in per_run
        }
        if states[run_id] == contract.FAILED and any(counts.values()):
            return f"run_clustering: the failed run {run_id} left rows {counts}"
        if states[run_id] == contract.DONE and counts["assignments"] != CLUSTERED_ROWS:
            return f"run_clustering: the run {run_id} is done with rows {counts}"
    return None


_JUDGES: dict[str, Callable[[Ground, Path, Prints], str | None]] = {
    "cleanup": _all_or_nothing,
    "compaction": _all_or_nothing,
    "restore": _all_or_nothing,
    "run_clustering": _judge_run,
    "dbt_build": _each_all_or_nothing,
}


if __name__ == "__main__":
    sys.exit(main())
