"""Where things lie, and the only reader of the environment in Python.

``SEGMENTHOUSE_HOME`` moves every output at once; ``warehouse/profiles.yml`` reads the
same name. Without it the home is the repository that holds this package, and the current folder
where the package is installed without one.
``SEGMENTHOUSE_DEBUG=1`` shows the traceback of every error; ``SEGMENTHOUSE_WAIT=600`` lets
``dbt build`` wait ten minutes for a process that holds the warehouse; ``SEGMENTHOUSE_SHARE=0``
leaves out the copy for readers; ``SEGMENTHOUSE_TRACKING_URI`` names the MLflow store in which
finished runs are tracked; ``SPARK_MASTER`` names the cluster of studies with ``engine = "spark"``.
``JAVA_HOME`` and ``SPARK_REMOTE`` are Spark's own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path, PurePosixPath

from models_py.base.errors import UsageError

HOME_VARIABLE = "SEGMENTHOUSE_HOME"
DEBUG_VARIABLE = "SEGMENTHOUSE_DEBUG"
WAIT_VARIABLE = "SEGMENTHOUSE_WAIT"
SHARE_VARIABLE = "SEGMENTHOUSE_SHARE"
TRACKING_VARIABLE = "SEGMENTHOUSE_TRACKING_URI"


_home_here: ContextVar[Path | None] = ContextVar("home", default=None)


def home() -> Path:
    """Return the folder under which data, models and reports are kept."""
    here = _home_here.get()
    if here is not None:
        return here
    named = os.environ.get(HOME_VARIABLE)
    if named:
        return Path(named).expanduser().resolve()
    return repository() if is_checkout() else Path.cwd()


@contextmanager
def home_at(folder: Path) -> Iterator[None]:
    """Keep data, models and reports under another folder for as long as the block lasts."""
    token = _home_here.set(folder)
    try:
        yield
    finally:
        _home_here.reset(token)


def shows_tracebacks() -> bool:
    """Tell whether errors come with their traceback: ``SEGMENTHOUSE_DEBUG`` is set, not to 0."""
    return os.environ.get(DEBUG_VARIABLE, "0") not in ("", "0")


def shares_copies() -> bool:
    """Tell whether commands that write keep a copy for readers: unless the variable is 0."""
    return os.environ.get(SHARE_VARIABLE, "1") not in ("", "0")


def tracking_is_asked() -> bool:
    """Tell whether every finished run is tracked: ``SEGMENTHOUSE_TRACKING_URI`` is set."""
    return bool(os.environ.get(TRACKING_VARIABLE))


def tracking_uri() -> str:
    """Return MLflow's store: the one named, else a SQLite file in the home."""
    return os.environ.get(TRACKING_VARIABLE) or f"sqlite:///{tracking_file().as_posix()}"


def tracking_file() -> Path:
    """Return the SQLite file of tracked runs; it need not be there."""
    return home() / "data" / "mlflow" / "mlflow.db"


def wait_seconds() -> float:
    """Return how long ``dbt build`` waits for a process that holds the warehouse; 0 by default.

    Raises
    ------
    UsageError
        ``SEGMENTHOUSE_WAIT`` is no number of seconds.
    """
    text = os.environ.get(WAIT_VARIABLE, "") or "0"
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:
        raise UsageError(f"{WAIT_VARIABLE}={text}: must be 0 or more seconds")
    return seconds


def java_home() -> str:
    """Return the folder of the Java that the user chose, or an empty string."""
    return os.environ.get("JAVA_HOME", "")


def spark_remote() -> str:
    """Return the address of a Spark Connect server that the user named, or an empty string."""
    return os.environ.get("SPARK_REMOTE", "")


def spark_master() -> str:
    """Return the master of the Spark cluster that the user named, or an empty string."""
    return os.environ.get("SPARK_MASTER", "")


def environment_of(home: Path, *, shares: bool = True) -> dict[str, str]:
    """Return this process's environment for a child with this home.

    Parameters
    ----------
    home
        Its folder.
    shares
        Whether the child keeps the copy for readers; this process still can.
    """
    return {**os.environ, HOME_VARIABLE: str(home)} | ({} if shares else {SHARE_VARIABLE: "0"})


def set_spark_python() -> None:
    """Let Spark's workers run this interpreter, unless the environment names another.

    Spark would take the first ``python3`` that is found, which need not have this package.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)


def repository() -> Path:
    """Return the folder that holds ``models_py``: the checkout, if there is one."""
    return Path(__file__).resolve().parents[2]


def is_checkout() -> bool:
    """Tell whether this package lies in its repository, not among installed packages."""
    return not (repository() / "models_py" / "warehouse").is_dir()


def brought_along(name: str) -> Path:
    """Return ``warehouse`` or ``sql``: in the checkout, or in the installed package.

    The wheel has them inside ``models_py``, as the build configuration says.
    """
    return (repository() if is_checkout() else repository() / "models_py") / name


def warehouse_path() -> Path:
    """Return the DuckDB file that dbt builds and the jobs read."""
    return home() / "data" / "segmenthouse.duckdb"


def spark_dir() -> Path:
    """Return the folder of Spark's tables, metastore and log, where no cluster is named."""
    return home() / "data" / "spark"


def raw_dir(domain: str) -> Path:
    """Return the folder of a domain's raw files."""
    return home() / "data" / "raw" / domain


def models_dir(run_id: str) -> Path:
    """Return the folder of a run's fitted preprocessing, encoder and model."""
    return home() / "data" / "models" / _inside(run_id)


def _inside(name: str) -> str:
    if name in ("", ".", "..") or any(letter in name for letter in "/\\\0"):
        raise UsageError(
            f"{name!r} leads out of its folder: a name has no slashes and no dots alone"
        )
    return name


def embeddings_dir() -> Path:
    """Return the folder of text embeddings that were computed before."""
    return home() / "data" / "embeddings"


def backups_dir() -> Path:
    """Return the folder of dated backups."""
    return home() / "data" / "backups"


def reports_dir() -> Path:
    """Return the folder of report pages."""
    return home() / "reports"


def report_dir(study: str, run_id: str) -> Path:
    """Return the folder of a run's report."""
    return reports_dir() / _inside(study) / _inside(run_id)


def study_files() -> list[Path]:
    """Return the study files that come with the package and those that lie in the home."""
    shipped = repository() / "models_py" / "studies" / "shipped"
    own = [*sorted(home().glob("*.toml")), *sorted((home() / "studies").glob("*.toml"))]
    return [*sorted(shipped.glob("*.toml")), *own]


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
    return brought_along("sql")


def dbt_project_dir() -> Path:
    """Return the dbt project."""
    return brought_along("warehouse")


def core_count() -> int:
    """Return the cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else (os.cpu_count() or 1)


def use_keras_backend() -> None:
    """Choose JAX before Keras is imported; a backend that the user set is kept."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")


def keep_mlflow_quiet() -> None:
    """Turn MLflow's telemetry off before it is imported; what else the user set is kept."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    # A server that is down is noticed in seconds, not after minutes of trying.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # A server's addresses would stand in standard output, which is the command's.
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING", "false")


def memory_bytes(root: Path = Path("/")) -> int:
    """Return the memory that this process can still take, in bytes.

    The smallest of what the machine has free without swapping, what is left of the process's
    limit of address space (RLIMIT_AS), and what is left to its control group and to each group
    above it (cgroup v1 and v2). Pages of files that can be dropped count as free.

    Parameters
    ----------
    root
        Folder that holds ``proc`` and ``sys``.
    """
    left = [*_free_memory(root), *_address_space_left(root), *_group_memory_left(root)]
    return max(min(left, default=sys.maxsize), 0)


def _free_memory(root: Path) -> list[int]:
    named = _figures(root / "proc/meminfo")
    if "MemAvailable" in named:
        return [named["MemAvailable"] * 1024]
    if hasattr(os, "sysconf"):
        return [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    return []


def _address_space_left(root: Path) -> list[int]:
    try:
        import resource
    except ImportError:  # not on Windows
        return []
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return []
    return [limit - _figures(root / "proc/self/status").get("VmSize", 0) * 1024]


def _group_memory_left(root: Path) -> list[int]:
    groups = root / "proc/self/cgroup"
    if not groups.is_file():
        return []
    left = []
    for line in groups.read_text(encoding="utf-8").splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0":
            mounts = [root / "sys/fs/cgroup", root / "sys/fs/cgroup/unified"]
            files = ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            mounts = [root / "sys/fs/cgroup/memory"]
            files = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        # A path that is not mounted here is that of the host: its root is this container's.
        own = PurePosixPath(path)
        folders = [mount / str(up).lstrip("/") for mount in mounts for up in (own, *own.parents)]
        left += [bytes_left for folder in folders for bytes_left in _left_in(folder, *files)]
    return left


def _left_in(folder: Path, limit: str, usage: str, droppable: str) -> list[int]:
    named = _figures(folder / limit), _figures(folder / usage)
    if not all("" in figures for figures in named):
        return []
    in_use = named[1][""] - _figures(folder / "memory.stat").get(droppable, 0)
    return [named[0][""] - max(in_use, 0)]


def _figures(path: Path) -> dict[str, int]:
    # Lines of "name figure" or "name: figure kB"; a lone figure has no name.
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError:
        return {}
    parts = [line.replace(":", " ").split() for line in lines]
    named = [(part[0], part[1]) if len(part) > 1 else ("", *part) for part in parts if part]
    return {name: int(figure) for name, figure in named if figure.isdigit()}
