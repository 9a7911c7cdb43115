"""Where things lie, and the only reader of the environment in Python.

``SEGMENTHOUSE_HOME`` moves every output at once; ``warehouse/profiles.yml`` reads the
same name. Without it the home is the repository that holds this package.
``SEGMENTHOUSE_DEBUG=1`` shows the traceback of every error.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

HOME_VARIABLE = "SEGMENTHOUSE_HOME"
DEBUG_VARIABLE = "SEGMENTHOUSE_DEBUG"


def home() -> Path:
    """Return the folder under which data, models and reports are kept."""
    named = os.environ.get(HOME_VARIABLE)
    return Path(named).expanduser().resolve() if named else repository()


def shows_tracebacks() -> bool:
    """Tell whether errors come with their traceback: ``SEGMENTHOUSE_DEBUG`` is set, not to 0."""
    return os.environ.get(DEBUG_VARIABLE, "0") not in ("", "0")


def environment_of(other_home: Path) -> dict[str, str]:
    """Return this process's environment for a child whose home is another folder."""
    return {**os.environ, HOME_VARIABLE: str(other_home)}


def repository() -> Path:
    """Return the folder that holds ``models_py``, ``warehouse`` and ``sql``."""
    return Path(__file__).resolve().parents[2]


def warehouse_path() -> Path:
    """Return the DuckDB file that dbt builds and the jobs read."""
    return home() / "data" / "segmenthouse.duckdb"


def raw_dir(domain: str) -> Path:
    """Return the folder of a domain's raw files."""
    return home() / "data" / "raw" / domain


def models_dir(run_id: str) -> Path:
    """Return the folder of a run's fitted preprocessing, encoder and model."""
    return home() / "data" / "models" / run_id


def embeddings_dir() -> Path:
    """Return the folder of text embeddings that were computed before."""
    return home() / "data" / "embeddings"


def backups_dir() -> Path:
    """Return the folder of dated backups."""
    return home() / "data" / "backups"


def reports_dir() -> Path:
    """Return the folder of report pages."""
    return home() / "reports"


def logs_dir() -> Path:
    """Return the folder of tracebacks that a command kept to itself."""
    return home() / "logs"


def names_file() -> Path:
    """Return the file of names that a person gave to segments; it need not be there."""
    return home() / "data" / "names.toml"


def advice_file() -> Path:
    """Return the file of advice beside what is shipped; it need not be there."""
    return home() / "data" / "advice.toml"


def sql_dir() -> Path:
    """Return the folder of ready questions."""
    return repository() / "sql"


def dbt_project_dir() -> Path:
    """Return the dbt project."""
    return repository() / "warehouse"


def memory_bytes() -> int:
    """Return the machine's memory, or the container's limit where that is lower."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    control_group = Path("/sys/fs/cgroup/memory.max")
    if control_group.is_file():
        text = control_group.read_text().strip()
        limits.extend([int(text)] if text.isdigit() else [])
    return min(limits)


def core_count() -> int:
    """Return the cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else (os.cpu_count() or 1)


def use_keras_backend() -> None:
    """Choose JAX before Keras is imported; a backend that the user set is kept."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")


def free_bytes() -> int:
    """Memory that can be had without swapping; all of it where the system does not say."""
    counts = Path("/proc/meminfo")
    if counts.exists():
        lines = counts.read_text(encoding="ascii").splitlines()
        named = {name: rest.split()[0] for name, rest in (line.split(":") for line in lines)}
        if "MemAvailable" in named:
            return int(named["MemAvailable"]) * 1024
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return sys.maxsize
