"""Take databases drawn at random round: backed up, restored into a new file, and compared.

Example: nice -n 10 python benchmarks/backup.py --databases 1000 --json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from extras import need

need("hypothesis", extra="dev")

from generated_databases import build, databases, everything  # noqa: E402
from hypothesis import HealthCheck, Phase, given, seed, settings, strategies as st  # noqa: E402

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from models_py.database.connection import open_warehouse  # noqa: E402
from models_py.database.maintenance import backup as backups  # noqa: E402
from models_py.database.maintenance.catalog import read_relations  # noqa: E402
from models_py.database.maintenance.restore import restore_backup  # noqa: E402


def main() -> int:
    """Take databases round and print how many came back equal."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--databases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", help="where the databases are made")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    began, counted = time.process_time(), {"tried": 0, "equal": 0}
    wrong: list[str] = []

    @seed(asked.seed)
    @settings(
        max_examples=asked.databases,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(statements=databases(), share=st.sampled_from([0.0, 2.0]))
    def take_round(statements: list[str], share: float) -> None:
        counted["tried"] += 1
        if counted["tried"] % 50 == 0:
            print(counted, file=sys.stderr, flush=True)
        difference = go_round(statements, share, asked.folder)
        counted["equal"] += difference is None
        if difference is not None:
            wrong.append(difference)
            print(difference, file=sys.stderr, flush=True)

    take_round()
    answer = {
        **counted,
        "seed": asked.seed,
        "processor_seconds": round(time.process_time() - began, 1),
        "wrong": wrong,
    }
    print(json.dumps(answer, indent=1) if asked.json else answer)
    return 0 if counted["equal"] == counted["tried"] else 1


def go_round(statements: list[str], share: float, folder: str | None = None) -> str | None:
    """Back a database up and restore it into a new file; say what is not the same."""
    backups.WHOLE_FILE_SHARE = share
    with tempfile.TemporaryDirectory(prefix="round_", dir=folder) as made_in:
        path = Path(made_in) / "segmenthouse.duckdb"
        again = Path(made_in) / "again" / "segmenthouse.duckdb"
        build(path, statements)
        before = everything(path)
        try:
            with open_warehouse(path) as warehouse:
                made = backups.make_backup(
                    warehouse,
                    read_relations(warehouse),
                    Path(made_in) / "backups",
                    datetime(2025, 1, 1),
                )
            restore_backup(again, made)
        except Exception as error:  # noqa: BLE001
            return f"{type(error).__name__}: {error}: {statements}"
        after = everything(again)
    if made.left_out or after != before:
        parts = [part for part in {*before, *after} if before.get(part) != after.get(part)]
        return f"{parts} {dict(made.left_out)}: {statements}"
    return None


if __name__ == "__main__":
    sys.exit(main())
