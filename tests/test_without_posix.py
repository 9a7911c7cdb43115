"""From a file to a page and a copy for readers where nothing of POSIX is there, as on Windows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from models_py.base import settings

BLOCKED = ("fcntl", "resource", "pwd", "grp", "termios", "tty", "syslog", "readline")
GONE = {
    "os": (
        "fork", "forkpty", "killpg", "getuid", "geteuid", "getgid", "chown", "getpgid", "setsid",
        "sched_getaffinity", "sysconf", "posix_fadvise", "posix_fallocate", "getloadavg", "mkfifo",
    ),
    "signal": ("SIGHUP", "SIGKILL", "SIGALRM", "SIGUSR1", "setitimer", "alarm", "pthread_kill"),
}  # fmt: skip
COMMANDS = """
import os, signal, sys
sys.modules.update(dict.fromkeys({blocked}))
for module, names in {gone}.items():
    for name in names:
        vars(sys.modules[module]).pop(name, None)
def no_link(*given, **named):
    raise OSError("a right is not held")
os.symlink = no_link
from models_py.commands import cleanup_temp_tables, new_study, run_clustering, run_sql
from models_py.commands.exit_codes import run_script
for command, words in (
    (new_study, ["--input", "clients.csv", "--id", "client_id"]),
    (run_clustering, ["--study", "clients.toml"]),
    (run_sql, ["latest_segments"]),
    (cleanup_temp_tables, ["--backup", "--yes"]),
    (cleanup_temp_tables, ["--check"]),
):
    code = run_script(lambda: command.main(words))
    assert code == 0, (command.__name__, code)
"""


def test_the_commands_need_nothing_of_posix(tmp_path: Path) -> None:
    draw = np.random.default_rng(5)
    kinds = draw.integers(0, 3, 120)
    lines = [
        f"c{n:03d},{draw.normal((10, 50, 90)[kind], 5):.2f},{draw.poisson((3, 10, 20)[kind])}"
        for n, kind in enumerate(kinds)
    ]
    (tmp_path / "clients.csv").write_text("\n".join(["client_id,spend,visits", *lines]) + "\n")
    known = {"PYTHONPATH": str(settings.repository()), settings.SHARE_VARIABLE: "1"}
    ended = subprocess.run(
        [sys.executable, "-c", COMMANDS.format(blocked=BLOCKED, gone=GONE)],
        cwd=tmp_path,
        env=settings.environment_of(tmp_path) | known,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "data" / "share" / settings.warehouse_path().name).is_file()
    assert list(tmp_path.glob("reports/clients/*/index.html"))
