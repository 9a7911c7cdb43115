"""Work shared among the cores that this process may use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

import numba

from models_py.base.arrays import blocks
from models_py.base.settings import core_count

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


def compiled(function: _Function) -> _Function:
    """Compile a kernel to machine code that runs without the interpreter's lock.

    The code is cached on disk. Only multiply-and-add may be fused, which keeps every distance
    symmetric to the last bit.
    """
    decorate = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
    return cast(_Function, decorate(function))


def row_ranges(rows: int, step: int) -> list[tuple[int, int]]:
    """Split 0..rows into half-open ranges of ``step`` rows; the last may be shorter."""
    return [(block.start, block.stop) for block in blocks(rows, step)]


_Function = TypeVar("_Function", bound=Callable[..., Any])
