"""Progress of long work: a live line on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO


class Progress(Protocol):
    """What a job tells while it works."""

    def step(self, text: str) -> None:
        """Begin a named step; the step before it is done."""

    def advance(self, done: int, total: int) -> None:
        """Say how much of the current step is done."""


class Shown(Progress, Protocol):
    """A progress that takes itself away at the end."""

    def close(self) -> None:
        """Let the last step end."""


class Silent:
    """Says nothing; for programs and tests."""

    def step(self, text: str) -> None:
        """Ignore the step."""

    def advance(self, done: int, total: int) -> None:
        """Ignore the count."""

    def close(self) -> None:
        """Have nothing to take away."""


class PlainLines:
    """One line a step with the seconds it took; for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._open: tuple[str, float] | None = None

    def step(self, text: str) -> None:
        """Close the open step with its seconds and remember the next."""
        self.close()
        self._open = (text, time.perf_counter())

    def advance(self, done: int, total: int) -> None:
        """Keep quiet: a log wants one line a step."""

    def close(self) -> None:
        """Print the open step."""
        if self._open is not None:
            text, began = self._open
            print(f"{text} ({time.perf_counter() - began:.1f} s)", file=self._stream, flush=True)
            self._open = None


class LiveLine:
    """A spinner and a bar by rich, which vanish when the work is done."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            SpinnerColumn(),
            # A step may name values of the user's data: [bold] there is text, not a style.
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TimeElapsedColumn(),
            console=Console(file=stream),
            transient=True,
        )
        self._task = self._bar.add_task("starting", total=None)
        self._bar.start()

    def step(self, text: str) -> None:
        """Show the step."""
        self._bar.reset(self._task, description=text, total=None)

    def advance(self, done: int, total: int) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=done, total=total)

    def close(self) -> None:
        """Take the line away."""
        self._bar.stop()


@contextmanager
def show_progress(quiet: bool = False, stream: TextIO | None = None) -> Iterator[Progress]:
    """Yield the progress that fits the stream (standard error by default).

    Parameters
    ----------
    quiet
        Say nothing, as a program that reads the answer wants it.
    stream
        Where to tell; a terminal gets a live line, anything else plain lines.

    Raises
    ------
    Exception
        That of the work, with a note that names the step in which it happened.
    """
    shown = _Remembering(Silent() if quiet else _fitting(stream or sys.stderr))
    try:
        yield shown
    except Exception as error:
        if shown.current is not None:
            error.add_note(f"in the step '{shown.current}'")
        raise
    finally:
        shown.close()


def _fitting(stream: TextIO) -> Shown:
    return LiveLine(stream) if stream.isatty() else PlainLines(stream)


class _Remembering:
    """Passes everything on and knows the current step, for the line of an error."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self.current: str | None = None

    def step(self, text: str) -> None:
        self.current = text
        self._shown.step(text)

    def advance(self, done: int, total: int) -> None:
        self._shown.advance(done, total)

    def close(self) -> None:
        self._shown.close()
