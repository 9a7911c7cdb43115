"""How the time and memory of a grocery build grow with its lines, and what a new week costs.

For each number of lines, ``scripts/generate_grocery.py``'s weeks are made (52, and one more), built
from nothing by ``dbt run`` in a home of its own, and built again with the new week. Of each build
the model time (first model's start to the last one's end), the processor time, the most memory
that dbt's process held and the most that DuckDB spilled beside the warehouse are measured. All of a
size is deleted before the next one.

Example::

    python benchmarks/scale.py --lines 3000000,10000000,30000000 --memory 12GB --json
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import yaml
from dbt_builds import model_seconds

from models_py.base import settings
from models_py.base.progress import Silent
from models_py.database.grocery_generator import generate

WEEKS = 52
LINES_A_CUSTOMER_AND_WEEK = 6.15
VARIABLES = json.dumps({"grocery_source": "sort_of_real"})


def profiles(home: Path, memory: str | None) -> Path:
    """Write the shipped profile with a limit of memory; return its folder."""
    given = yaml.safe_load((settings.dbt_project_dir() / "profiles.yml").read_text())
    if memory:
        given["segmenthouse"]["outputs"]["duckdb"]["settings"]["memory_limit"] = memory
    (home / "profiles.yml").write_text(yaml.safe_dump(given))
    return home


class Spill:
    """The most that lay in the folder of temporary files while a build ran."""

    def __init__(self, home: Path) -> None:
        self.most = 0
        self._folder = home / "data" / "segmenthouse.duckdb.tmp"
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch)

    def __enter__(self) -> Spill:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._done.wait(0.2):
            try:
                self.most = max(self.most, sum(p.stat().st_size for p in self._folder.iterdir()))
            except OSError:
                continue


def dbt(home: Path, *words: str) -> dict[str, float]:
    """Run dbt and return what it took."""
    command = [str(Path(sys.executable).parent / "dbt"), *words, "--vars", VARIABLES]
    command += ["--profiles-dir", str(home), "--target-path", str(home / "target")]
    command += ["--log-path", str(home)]
    began = time.perf_counter()
    with Spill(home) as spill, (home / "output.txt").open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=settings.dbt_project_dir(),
            env={**os.environ, settings.HOME_VARIABLE: str(home)},
            stdout=output,
        )
        _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit((home / "output.txt").read_text()[-3000:])
    return {
        "seconds": time.perf_counter() - began,
        "processor_seconds": used.ru_utime + used.ru_stime,
        "peak_memory_megabytes": used.ru_maxrss / 1e3,
        "peak_spill_megabytes": spill.most / 1e6,
    }


def build(home: Path) -> dict[str, float]:
    """Build every model of groceries and return what it took."""
    taken = dbt(home, "run", "--selector", "grocery")
    return {"model_seconds": model_seconds(home), **taken}


def measure(
    lines: int, memory: str | None, folder: Path | None, *, with_week: bool
) -> dict[str, object]:
    """Return what one size takes: making the lines, the full build, and a new week."""
    customers = max(round(lines / WEEKS / LINES_A_CUSTOMER_AND_WEEK), 1)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        home = profiles(Path(name), memory)
        raw = home / "data" / "raw" / "grocery"
        began = time.perf_counter()
        made = generate(raw, customers=customers, weeks=WEEKS, progress=Silent())
        generating = time.perf_counter() - began
        dbt(home, "seed", "--select", "path:seeds/grocery")
        full = build(home)
        warehouse = home / "data" / "segmenthouse.duckdb"
        size = warehouse.stat().st_size
        figures: dict[str, object] = {
            "lines": made.lines,
            "customers": customers,
            "generating_lines_a_second": made.lines / generating,
            "raw_megabytes": sum(path.stat().st_size for path in made.files) / 1e6,
            "warehouse_megabytes": size / 1e6,
            "full": full,
            "full_model_microseconds_a_line": full["model_seconds"] / made.lines * 1e6,
            "full_processor_microseconds_a_line": full["processor_seconds"] / made.lines * 1e6,
        }
        if not with_week:
            return figures
        week = generate(
            raw, customers=customers, weeks=WEEKS + 1, first=WEEKS + 1, progress=Silent()
        )
        new_week = build(home)
        return figures | {
            "new_week_lines": week.lines,
            "new_week": new_week,
            "new_week_share_of_full": new_week["model_seconds"] / full["model_seconds"],
        }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", default="3000000,10000000", help="sizes, parted by commas")
    parser.add_argument("--memory", help="DuckDB's limit, such as 12GB (default: its own)")
    parser.add_argument("--folder", type=Path, help="where the homes are made (default: temporary)")
    parser.add_argument("--full-only", action="store_true", help="leave the new week out")
    parser.add_argument("--json", action="store_true", help="print one JSON object a size")
    arguments = parser.parse_args()
    for lines in arguments.lines.split(","):
        figures = measure(
            int(lines), arguments.memory, arguments.folder, with_week=not arguments.full_only
        )
        if arguments.json:
            print(json.dumps(figures), flush=True)
            continue
        for key, value in figures.items():
            shown = value if isinstance(value, dict) else {"": value}
            for part, number in shown.items():
                print(f"{' '.join([key, part]).strip():<40} {number:,.4g}", flush=True)


if __name__ == "__main__":
    main()
