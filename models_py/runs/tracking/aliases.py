"""Which registered version is the champion: it moves only where the gates are passed.

The gates are those of :mod:`models_py.runs.challenge` (stability, silhouette, identity, validity)
against the run of the champion, and no drift of the run since. A version that does not pass is
the challenger. A person may promote all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models_py.base.errors import SegmenthouseError
from models_py.runs.challenge import Challenge, compare_runs, recorded_challenge
from models_py.runs.tracking.recording import Tracked
from models_py.runs.tracking.store import RUN_ID, Store

CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True)
class AliasChoice:
    """Which alias a version has.

    Attributes
    ----------
    alias
        ``champion`` or ``challenger``.
    because
        Why, in words.
    champion_run_id
        The run that is the champion now.
    """

    alias: str
    because: str
    champion_run_id: str


def settle_alias(
    store: Store, path: Path, tracked: Tracked, verdict: Callable[[], str]
) -> AliasChoice:
    """Give a tracked run its alias.

    Parameters
    ----------
    store
        Open.
    path
        The warehouse.
    tracked
        The run.
    verdict
        Measures the run's drift, where it comes to that: ``keep``, ``watch`` or ``refit``.
    """
    champion = store.version_by_alias(tracked.study, CHAMPION)
    if champion is None:
        return _crown(store, tracked, "it is the first")
    standing = str(champion.tags.get(RUN_ID, ""))
    if standing == tracked.run_id:
        return AliasChoice(CHAMPION, "it was before", standing)
    passes, because = _judge(path, tracked.run_id, standing, verdict)
    if passes:
        return _crown(store, tracked, because)
    store.client.set_registered_model_alias(tracked.study, CHALLENGER, tracked.version)
    return AliasChoice(CHALLENGER, because, standing)


def crown(store: Store, study: str, run_id: str) -> bool:
    """Make a tracked run the champion, as a person said; tell whether it is tracked."""
    version = store.version_of(study, run_id)
    if version is None:
        return False
    _crown(store, Tracked(run_id, study, str(version.run_id), str(version.version)), "promoted")
    return True


def _crown(store: Store, tracked: Tracked, because: str) -> AliasChoice:
    store.client.set_registered_model_alias(tracked.study, CHAMPION, tracked.version)
    challenger = store.version_by_alias(tracked.study, CHALLENGER)
    if challenger is not None and str(challenger.version) == tracked.version:
        store.client.delete_registered_model_alias(tracked.study, CHALLENGER)
    return AliasChoice(CHAMPION, because, tracked.run_id)


def _judge(path: Path, run_id: str, standing: str, verdict: Callable[[], str]) -> tuple[bool, str]:
    try:
        challenge = recorded_challenge(path, run_id, standing) or compare_runs(
            path, run_id, standing
        )
        if not challenge.is_met:
            return False, f"too low beside run {standing}: {_too_low(challenge)}"
        if verdict() == "refit":
            return False, "its rows have drifted since: refit"
    except SegmenthouseError as error:
        # No comparison, no crown: the champion's run may be of another warehouse.
        return False, f"it cannot be compared with run {standing}: {error}"
    return True, f"as good as run {standing} in {', '.join(c.measure for c in challenge.checks)}"


def _too_low(challenge: Challenge) -> str:
    return ", ".join(
        f"{check.measure} {check.value:.3f} (at least {check.at_least:.3f})"
        for check in challenge.checks
        if not check.is_met
    )
