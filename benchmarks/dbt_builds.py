"""dbt commands on a home of their own, and what their models took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

from models_py.base import settings


def dbt(home: Path, command: str, *words: str) -> float:
    """Run a dbt command from the project's folder; return its seconds."""
    start = time.perf_counter()
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "dbt"),
            command,
            *words,
            "--target-path",
            str(home / "target"),
            "--log-path",
            str(home / "target"),
        ],
        cwd=settings.dbt_project_dir(),
        env={
            **os.environ,
            settings.HOME_VARIABLE: str(home),
            # Where dbt finds the plugin that opens Spark.
            "PYTHONPATH": os.pathsep.join(
                [str(settings.repository()), str(settings.dbt_project_dir() / "plugins")]
            ),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stdout[-3000:])
    return time.perf_counter() - start


def model_seconds(home: Path) -> float:
    """Return the seconds between the first model's start and the last one's end."""
    results = json.loads((home / "target" / "run_results.json").read_text())["results"]
    moments = [
        datetime.fromisoformat(timing[edge].replace("Z", "+00:00"))
        for result in results
        if result["unique_id"].startswith("model.")
        for timing in result["timing"]
        for edge in ("started_at", "completed_at")
    ]
    return (max(moments) - min(moments)).total_seconds()
