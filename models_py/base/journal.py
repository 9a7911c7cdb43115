"""Which steps of a long work are finished, in a file that is replaced as a whole.

Whoever is killed leaves the file as it was: a second start reads which step was at work and what
was known before it, and goes on there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

FORMAT = 1
RESUMABLE = timedelta(hours=12)
"""Work that began earlier is not gone on with: its data are those of another day."""


@dataclass
class Journal:
    """Steps that are finished and the one at work.

    Attributes
    ----------
    path
        Where it lies.
    work_id
        Of this work and no other.
    about
        What the work is about: of other data it is other work.
    started_at
        UTC.
    steps
        Finished steps by name, in their order, each with what is to be said of it.
    at_work
        The step that began and did not finish; None between steps.
    before
        What was known before it began.
    began_at
        When it did, UTC.
    is_resumed
        Whether an earlier start was read.
    """

    path: Path
    work_id: str
    about: dict[str, Any]
    started_at: datetime
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    at_work: str | None = None
    before: dict[str, Any] = field(default_factory=dict)
    began_at: datetime | None = None
    is_resumed: bool = False

    def begin(self, step: str, before: Mapping[str, Any]) -> None:
        """Write that a step begins, with what is known before it."""
        self.at_work, self.before, self.began_at = step, dict(before), now()
        self._write(is_ended=False)

    def finish(self, step: str, said: Mapping[str, Any]) -> None:
        """Write that a step is finished."""
        self.steps[step] = dict(said)
        self.at_work, self.before, self.began_at = None, {}, None
        self._write(is_ended=False)

    def end(self) -> None:
        """Write that all is done: the next start is other work."""
        self._write(is_ended=True)

    def _write(self, *, is_ended: bool) -> None:
        content = {
            "format": FORMAT,
            "work_id": self.work_id,
            "about": self.about,
            "started_at": self.started_at.isoformat(),
            "is_ended": is_ended,
            "steps": self.steps,
            "at_work": self.at_work,
            "before": self.before,
            "began_at": None if self.began_at is None else self.began_at.isoformat(),
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_name(f".{self.path.name}.part")
        with unfinished.open("w", encoding="utf-8") as stream:
            stream.write(json.dumps(content, indent=2) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(unfinished, self.path)


def open_journal(path: Path, work_id: str, about: Mapping[str, Any], *, anew: bool) -> Journal:
    """Return the journal of a work that was cut short, or a new one.

    Parameters
    ----------
    path
        Where it lies, or is to lie; nothing is written yet.
    work_id
        Of a new one.
    about
        As JSON has it. What was cut short is gone on with where it is about the same, and began
        less than :data:`RESUMABLE` ago.
    anew
        Whether to begin anew whatever was cut short.
    """
    started = now()
    content = {} if anew else _read(path)
    earlier = content.get("started_at")
    if (
        content.get("format") == FORMAT
        and not content["is_ended"]
        and content["about"] == dict(about)
        and earlier is not None
        and abs(started - datetime.fromisoformat(earlier)) < RESUMABLE
    ):
        began = content["began_at"]
        return Journal(
            path,
            content["work_id"],
            content["about"],
            datetime.fromisoformat(earlier),
            content["steps"],
            content["at_work"],
            content["before"],
            None if began is None else datetime.fromisoformat(began),
            is_resumed=True,
        )
    return Journal(path, work_id, dict(about), started)


def now() -> datetime:
    """Return the time in UTC without its zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def _read(path: Path) -> dict[str, Any]:
    # What cannot be read is no reason not to begin anew.
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
