"""Work shared among the cores that this process may use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from models_py.settings import core_count

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def thread_count() -> int:
    """Return how many threads share the work: one for each core."""
    return core_count()


def across_threads(
    task: Callable[[Piece], Result], pieces: Iterable[Piece], threads: int | None = None
) -> list[Result]:
    """Run a task on every piece on all cores; results in the order of the pieces.

    The task must let go of the interpreter lock (compiled kernels, BLAS) to gain anything.
    Pieces never depend on the number of threads, so neither does a result.
    """
    work = list(pieces)
    workers = min(threads or thread_count(), len(work))
    if workers <= 1:
        return [task(piece) for piece in work]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(task, work))


def in_threads(
    work: Callable[..., Result], arguments: Sequence[tuple[object, ...]]
) -> list[Result]:
    """Run ``work`` once per tuple of arguments on all cores; results in the order given."""
    return across_threads(lambda each: work(*each), arguments)
