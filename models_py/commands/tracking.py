"""A finished run in MLflow: tracked after a command wrote it, its alias moved with the answer."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models_py.base import settings
from models_py.base.errors import SegmenthouseError, first_line_of
from models_py.base.progress import Progress, Silent

FAILED = 1
CANDIDATES = "candidates"


@dataclass(frozen=True)
class TrackedRun:
    """A run in MLflow, as commands tell of it; ``alias`` is champion or challenger."""

    uri: str
    tracked_id: str
    model: str
    version: str
    alias: str
    because: str
    champion_run_id: str


@dataclass(frozen=True)
class Tracking:
    """What came of tracking a run: where it is, or why it is not."""

    tracked: TrackedRun | None = None
    problem: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "tracked": None if self.tracked is None else asdict(self.tracked),
            "tracking_problem": self.problem,
        }


def add_track(parser: Any) -> None:
    """Add ``--track``."""
    parser.add_argument(
        "--track",
        nargs="?",
        const="run",
        choices=("run", CANDIDATES),
        help="keep the run in MLflow, with 'candidates' each of them as a child run"
        f" (always, where {settings.TRACKING_VARIABLE} is set)",
    )


def wants_tracking(asked: str | None) -> bool:
    """Tell whether a finished run is to be tracked; refuse at once where MLflow is missing.

    Raises
    ------
    MissingExtraError
        With the command that installs it.
    """
    if asked is None and not settings.tracking_is_asked():
        return False
    from models_py.runs.tracking.store import check_installed

    check_installed()
    return True


def track(
    path: Path, run_id: str, *, candidates: bool = False, progress: Progress | None = None
) -> TrackedRun:
    """Write a finished run to MLflow, register its model and give it its alias.

    Parameters
    ----------
    path
        The warehouse.
    run_id
        The run; one that is tracked already is brought up to date.
    candidates
        Every candidate of the search as a child run, too.
    progress
        Shows each step.

    Raises
    ------
    SegmenthouseError
        In one line; the run's results stand all the same.
    """
    from models_py.commands.check_drift import drift_of
    from models_py.runs.tracking.aliases import settle_alias
    from models_py.runs.tracking.recording import record
    from models_py.runs.tracking.store import open_store

    steps = progress or Silent()
    steps.step("starting MLflow")
    with open_store() as store:
        steps.step("writing the run to MLflow")
        done = record(store, path, run_id, candidates=candidates)
        steps.step("asking whether it is the champion")
        choice = settle_alias(
            store, path, done, lambda: drift_of(path, done.study, run_id, None, Silent()).verdict
        )
        return TrackedRun(
            store.shown_uri,
            done.tracked_id,
            done.study,
            done.version,
            choice.alias,
            choice.because,
            choice.champion_run_id,
        )


def track_finished(path: Path, run_id: str, asked: str | None, progress: Progress) -> Tracking:
    """Track a run that a command has finished; whatever fails, the run is done all the same."""
    try:
        tracked = track(path, run_id, candidates=asked == CANDIDATES, progress=progress)
    except SegmenthouseError as error:
        return Tracking(problem=str(error))
    except Exception as error:  # noqa: BLE001
        return Tracking(problem=f"{type(error).__name__}: {first_line_of(error)}")
    return Tracking(tracked)


def say_not_tracked(run_id: str, tracking: Tracking) -> int:
    """Say what to do about a run that could not be tracked; return the exit code of that."""
    if tracking.problem is None:
        return 0
    print(
        f"error: run {run_id} is done and its results are there, but it is not tracked:"
        f" {tracking.problem}; track it with python scripts/track_run.py {run_id}",
        file=sys.stderr,
    )
    return FAILED


def print_tracked(tracked: TrackedRun) -> None:
    """Print where a run is tracked and what became of its alias."""
    print(
        f"\ntracked as version {tracked.version} of {tracked.model} in {tracked.uri}:"
        f" {tracked.alias}, {tracked.because}"
    )
    print("  python scripts/track_run.py --ui   shows it in a browser")


def follow_promotion(study: str, run_id: str) -> str | None:
    """Let the champion be the run that was promoted; return what to say, None without MLflow.

    A failure is said and changes nothing in the warehouse.
    """
    if not settings.tracking_is_asked() and not settings.tracking_file().is_file():
        return None
    from models_py.runs.tracking.aliases import crown
    from models_py.runs.tracking.store import open_store

    try:
        with open_store() as store:
            is_tracked = crown(store, study, run_id)
    except SegmenthouseError as error:
        print(
            f"note: MLflow's champion of {study} is as it was: {error}; say the same again with"
            f" python scripts/track_run.py {run_id} --champion",
            file=sys.stderr,
        )
        return None
    if not is_tracked:
        return (
            f"MLflow's champion of {study} is as it was: run {run_id} is not tracked; track it with"
            f" python scripts/track_run.py {run_id} --champion"
        )
    return f"it is MLflow's champion of {study}, too"
