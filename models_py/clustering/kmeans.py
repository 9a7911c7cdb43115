"""k-means, mini-batch and bisecting k-means over many k.

Growth: time is linear in rows, columns and k for each pass; memory is linear in rows.
The exact k-means here restarts on a sample, keeps the best, and refines it over growing
samples and at last all rows with Hamerly's bounds, which let most rows skip their distances.
Up to ``WHOLE_ROWS`` rows every restart sees the whole table.

References
----------
Arthur, D., Vassilvitskii, S. (2007). k-means++: the advantages of careful seeding. SODA.
Hamerly, G. (2010). Making k-means even faster. SDM.
Steinbach, M., Karypis, G., Kumar, V. (2000). A comparison of document clustering
techniques. KDD workshop on text mining (bisecting k-means).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.threads import in_threads, thread_count
from models_py.clustering.algorithms import TableShape
from models_py.clustering.candidate import Assignment, Candidate
from models_py.clustering.rows import (
    CHUNK_ROWS,
    check_columns,
    check_distinct,
    check_ks,
    check_points,
    chunks,
    compact_labels,
)

WHOLE_ROWS = 50_000
"""Tables up to this size are restarted on all rows and refined until no row moves."""

SAMPLE_ROWS = 20_000
"""Rows on which restarts are tried for larger tables."""

GROWTH = 8
"""How much larger each sample is than the one before, on the way to all rows."""

TRIAL_PASSES = 15
"""Passes after which restarts, and later swaps, are compared."""

SURVIVORS = 4
"""Restarts that come to rest, and that go from the smallest sample to the next."""

SWAPS = 6
"""Centers tried elsewhere in one round of swaps."""

SWAP_ROUNDS = 12
"""Rounds of swaps at most."""

PATIENCE = 2
"""Rounds of swaps without a gain after which they end."""

SAME_INERTIA = 1e-4
"""Share by which two inertias differ at most where they count as the same rest."""

REFINEMENT = 0.01
"""Larger tables are refined until centers move less than this share of ``tol``."""

Implementation = Literal["bounded", "scikit-learn"]


@dataclass(frozen=True, eq=False)
class KMeansModel:
    """Centers that give any row the segment of the nearest one.

    Attributes
    ----------
    centers
        Shape (k, p).
    inertia
        Sum of squared distances of the fitted rows to their centers, where known.
    """

    centers: FloatArray
    inertia: float | None = None

    def predict(self, points: FloatArray) -> IntArray:
        """Return the nearest center of every row, shape (n,)."""
        return nearest_center(points, self.centers)[0]

    def assignment(self) -> Assignment:
        """Return the rule by which `predict` decides."""
        return Assignment("nearest_center", {"centers": self.centers})


def nearest_center(points: FloatArray, centers: FloatArray) -> tuple[IntArray, FloatArray]:
    """Find the nearest center of every row.

    Parameters
    ----------
    points
        Shape (n, p).
    centers
        Shape (k, p).

    Returns
    -------
    labels, distances
        Number of the nearest center and the Euclidean distance to it, both (n,).

    Raises
    ------
    DataError
        When points and centers differ in their number of columns.
    """
    from models_py.clustering.kmeans_kernels import nearest_centers

    points = check_points(points)
    check_columns(points, centers.shape[1])
    labels = np.empty(points.shape[0], dtype=np.int64)
    distances = np.empty(points.shape[0])
    in_threads(
        nearest_centers,
        [(points[part], centers, labels[part], distances[part]) for part in chunks(len(points))],
    )
    return labels, distances


def kmeans_peak_bytes(shape: TableShape, parameters: Mapping[str, object]) -> int:
    """Estimate the peak memory of a k-means sweep beyond the points themselves.

    Labels and two bounds a row, a sample for the restarts (one set of bounds each), and
    sums of k centers for each block of rows.
    """
    n, p, k = shape.rows, shape.columns, shape.clusters
    starts = int(str(parameters.get("n_init", 10))) + 1
    restarted, copied = n, 0
    if n > WHOLE_ROWS:
        restarted, copied = SAMPLE_ROWS, (SAMPLE_ROWS + n // 4) * p * 8
    restarts = restarted * 8 * (starts + 3 * thread_count())
    sums = len(chunks(n)) * k * (p + 1) * 8
    return n * 8 * (3 + shape.candidates) + copied + restarts + sums


def kmeans_sweep(
    points: FloatArray,
    ks: Iterable[int],
    *,
    seed: int,
    n_init: int = 10,
    max_iter: int = 300,
    tol: float = 1e-4,
    implementation: Implementation = "bounded",
    random_state: int | None = None,
) -> list[Candidate]:
    """Run k-means for every k.

    Parameters
    ----------
    points
        Shape (n, p), finite.
    ks
        Numbers of clusters.
    seed
        Same seed, same labels, whatever the number of threads.
    n_init
        Restarts for each k; the one with the lowest inertia wins.
    max_iter
        Passes over the rows at most, for each restart and for the refinement.
    tol
        A restart ends when its centers move less than this share of the mean variance of
        the columns (squared). The selected candidate is then refined: until no row moves up to
        ``WHOLE_ROWS`` rows, else to a hundredth of that share.
    implementation
        ``"scikit-learn"`` gives the labels of ``sklearn.cluster.KMeans`` itself, for
        figures that were published with it.
    random_state
        A seed of this sweep's own in place of ``seed``, for figures of one study that were
        published with several.

    Returns
    -------
    list of Candidate
        One for each k, with a `KMeansModel`.

    Raises
    ------
    DataError
        When a k exceeds the rows or the distinct rows, or a value is not finite.
    """
    points = check_points(points)
    wanted = check_ks(ks, len(points))
    check_distinct(points, max(wanted))
    own: dict[str, object] = {} if random_state is None else {"random_state": random_state}
    seed = seed if random_state is None else random_state
    if implementation == "scikit-learn":
        candidates = [_sklearn_kmeans(points, k, seed, n_init, max_iter, tol) for k in wanted]
    else:
        candidates = _bounded_kmeans(points, wanted, seed, n_init, max_iter, tol)
    return [
        replace(candidate, parameters={**candidate.parameters, **own}) for candidate in candidates
    ]


def quick_kmeans(points: FloatArray, ks: Iterable[int], *, seed: int) -> list[Candidate]:
    """Run k-means for every k from three starts, and swap no centers.

    For the starts of other methods and for searches that try many: a few times as fast as
    `kmeans_sweep`, with an inertia that may lie some percent higher where k is large.

    Parameters
    ----------
    points
        Shape (n, p), finite, with as many distinct rows as the largest k.
    ks
        Numbers of clusters.
    seed
        Same seed, same labels.
    """
    points = check_points(points)
    return _bounded_kmeans(points, check_ks(ks, len(points)), seed, 3, 300, 1e-4, swap_rounds=0)


def _bounded_kmeans(
    points: FloatArray,
    wanted: list[int],
    seed: int,
    n_init: int,
    max_iter: int,
    tol: float,
    swap_rounds: int = SWAP_ROUNDS,
) -> list[Candidate]:
    generator = np.random.default_rng(seed)
    search = KMeansSearch(points, generator, n_init, max_iter, tol, swap_rounds)
    candidates: dict[int, Candidate] = {}
    for k in sorted(set(wanted)):
        candidates[k] = search.run(k)
    return [candidates[k] for k in wanted]


def _sklearn_kmeans(
    points: FloatArray, k: int, seed: int, n_init: int, max_iter: int, tol: float
) -> Candidate:
    from sklearn.cluster import KMeans

    began = time.perf_counter()
    fitted = KMeans(k, random_state=seed, n_init=n_init, max_iter=max_iter, tol=tol).fit(points)
    return Candidate(
        "kmeans",
        {"k": k, "n_init": n_init, "max_iter": max_iter, "implementation": "scikit-learn"},
        fitted.labels_.astype(np.int64),
        time.perf_counter() - began,
        model=KMeansModel(fitted.cluster_centers_, float(fitted.inertia_)),
    )


@dataclass
class _Fit:
    """One k-means that came to rest."""

    centers: FloatArray
    labels: IntArray
    inertia: float


class KMeansSearch:
    """k-means of the same rows for growing k; each k may start from the one before."""

    def __init__(
        self,
        points: FloatArray,
        generator: np.random.Generator,
        n_init: int,
        max_iter: int,
        tol: float,
        swap_rounds: int = SWAP_ROUNDS,
    ) -> None:
        self._generator = generator
        self._swap_rounds = swap_rounds
        self._n_init = n_init
        self._max_iter = max_iter
        self._stop = tol * float(np.mean(np.var(points, axis=0)))
        self._levels = _levels(points, generator)
        self._last: FloatArray | None = None

    def run(self, k: int) -> Candidate:
        """Find k clusters."""
        began = time.perf_counter()
        fit = self._refined(self._swapped(self._rested(self._restarts(k))))
        self._last = fit.centers
        labels, kept = compact_labels(fit.labels)
        model = KMeansModel(fit.centers[kept], fit.inertia)
        seconds = time.perf_counter() - began
        return Candidate("kmeans", {"k": k, "n_init": self._n_init}, labels, seconds, model=model)

    def _refined(self, fits: list[_Fit]) -> _Fit:
        """Take the best restarts to larger samples and the best of those to all rows."""
        stop = self._stop * REFINEMENT
        with ThreadPoolExecutor(thread_count()) as pool:
            if len(self._levels) == 1:
                return lloyd(self._levels[0], fits[0].centers, self._max_iter, 0.0, pool)
            for rows in self._levels[1:]:
                refined = [lloyd(rows, fit.centers, self._max_iter, stop, pool) for fit in fits]
                fits = [min(refined, key=lambda fit: fit.inertia)]
        return fits[0]

    def _draws(self, starts: int, k: int) -> FloatArray:
        """Draw the shares that greedy k-means++ needs for some starts."""
        trials = 2 + int(np.log(k))
        return np.sort(self._generator.random((starts, k, trials)), axis=2)

    def _swapped(self, fits: list[_Fit]) -> list[_Fit]:
        """Improve the best restart by putting a dispensable center where it helps more.

        Restarts of a large k all end in poor optima; a few swaps leave them. Where all
        restarts came to the same rest, it is taken for the best there is.
        """
        idle = 0
        for _ in range(self._swap_rounds if len(fits) > 1 else 0):
            best = fits[0]
            dispensable = np.argsort(_merge_costs(best), kind="stable")[:SWAPS]
            draws = self._draws(len(dispensable), len(best.centers))
            others = [np.delete(best.centers, center, axis=0) for center in dispensable]
            tried = in_threads(self._restart, list(zip(draws, others, strict=True)))
            fits = _distinct(fits + self._rested(tried))
            idle = idle + 1 if fits[0].inertia >= best.inertia * (1.0 - SAME_INERTIA) else 0
            if idle == PATIENCE:
                break
        return fits

    def _rested(self, fits: list[_Fit]) -> list[_Fit]:
        """Let the best of some short runs come to rest; the best first."""
        rows = self._levels[0]
        going = [(rows, fit.centers, self._max_iter, self._stop) for fit in _distinct(fits)]
        return _distinct(in_threads(_lloyd_alone, going))

    def _restarts(self, k: int) -> list[_Fit]:
        """Return what every restart found on the smallest sample after a few passes."""
        draws = self._draws(self._n_init + 1, k)
        nothing = np.empty((0, self._levels[0].shape[1]))
        begins = [(each, nothing) for each in draws[1:]]
        if self._last is not None:
            begins.append((draws[0], self._last))
        return in_threads(self._restart, begins)

    def _restart(self, shares: FloatArray, known: FloatArray) -> _Fit:
        """Spread centers, keeping those already known, and make a few passes on the sample."""
        from models_py.clustering.kmeans_kernels import spread_start

        rows = self._levels[0]
        centers = np.empty((len(shares), rows.shape[1]))
        centers[: len(known)] = known
        if spread_start(rows, centers, len(known), shares) < len(shares):
            # The sample has too few distinct rows; the table has enough.
            spread_start(self._levels[-1], centers, len(known), shares)
        return _lloyd_alone(rows, centers, min(self._max_iter, TRIAL_PASSES), self._stop)


def _merge_costs(fit: _Fit) -> FloatArray:
    """Return what inertia gains, at least, when each cluster joins another (Ward 1963)."""
    sizes = np.bincount(fit.labels, minlength=len(fit.centers)).astype(np.float64)
    gaps = np.sum((fit.centers[:, None, :] - fit.centers[None, :, :]) ** 2, axis=2)
    pairs = sizes[:, None] * sizes[None, :] / np.maximum(sizes[:, None] + sizes[None, :], 1.0)
    costs = pairs * gaps
    np.fill_diagonal(costs, np.inf)
    return np.asarray(costs.min(axis=1))


def _distinct(fits: list[_Fit]) -> list[_Fit]:
    """Return the best restarts that differ from each other, the best first."""
    kept: list[_Fit] = []
    for fit in sorted(fits, key=lambda fit: fit.inertia):
        if not kept or fit.inertia > kept[-1].inertia * (1.0 + SAME_INERTIA):
            kept.append(fit)
    return kept[:SURVIVORS]


def _levels(points: FloatArray, generator: np.random.Generator) -> list[FloatArray]:
    """Return samples of growing size, the last being all rows."""
    if len(points) <= WHOLE_ROWS:
        return [points]
    levels = []
    size = SAMPLE_ROWS
    while size * GROWTH <= len(points) * 2:
        drawn = generator.choice(len(points), size, replace=False, shuffle=False)
        levels.append(points[np.sort(drawn)])
        size *= GROWTH
    return [*levels, points]


def lloyd(
    points: FloatArray,
    start: FloatArray,
    max_iter: int,
    stop: float,
    pool: ThreadPoolExecutor | None = None,
) -> _Fit:
    """Move centers to the means of their rows until they rest.

    Parameters
    ----------
    points
        Shape (n, p).
    start
        Shape (k, p): starting centers.
    max_iter
        Passes at most.
    stop
        Squared movement of all centers below which the run ends; at 0 it ends when no
        row changes its cluster.
    pool
        Threads for the blocks of rows; without it blocks run one after another.
    """
    if len(points) <= CHUNK_ROWS and pool is not None:
        return _lloyd_alone(points, start, max_iter, stop)
    state = _LloydState(points, start, pool)
    for _ in range(max_iter):
        drifts = state.move_centers()
        if float(np.sum(drifts**2)) <= stop:
            break
        if state.reassign(drifts) == 0:
            break
    return state.finish()


def _lloyd_alone(points: FloatArray, start: FloatArray, max_iter: int, stop: float) -> _Fit:
    """Run `lloyd` on this thread, without a return to the interpreter between passes."""
    from models_py.clustering.kmeans_kernels import rest_in_one_block

    rows, k = len(points), len(start)
    centers, labels = start.copy(), np.empty(rows, dtype=np.int64)
    bounds = np.empty((2, rows))
    tallies = np.zeros(start.shape), np.zeros(k, dtype=np.int64)
    inertia = float(
        rest_in_one_block(points, centers, max_iter, stop, labels, bounds[0], bounds[1], *tallies)
    )
    if inertia < 0.0:
        return lloyd(points, start, max_iter, stop)
    return _Fit(centers, labels, inertia)


class _LloydState:
    """Labels, bounds and sums of one run of Lloyd's algorithm."""

    def __init__(
        self, points: FloatArray, start: FloatArray, pool: ThreadPoolExecutor | None
    ) -> None:
        rows, columns = points.shape
        self._points = points
        self._parts = chunks(rows)
        self._map = map if pool is None else pool.map
        self._labels = np.empty(rows, dtype=np.int64)
        self._upper = np.empty(rows)
        self._lower = np.empty(rows)
        self._centers = start.copy()
        self._sums = np.zeros((len(self._parts), start.shape[0], columns))
        self._counts = np.zeros((len(self._parts), start.shape[0]), dtype=np.int64)
        self._assign_all()

    def _assign_all(self) -> float:
        """Assign every row afresh and return the inertia."""
        from models_py.clustering.kmeans_kernels import assign_all

        self._sums[:] = 0.0
        self._counts[:] = 0

        def work(index: int) -> float:
            part = self._parts[index]
            return float(
                assign_all(
                    self._points[part],
                    self._centers,
                    self._labels[part],
                    self._upper[part],
                    self._lower[part],
                    self._sums[index],
                    self._counts[index],
                )
            )

        return sum(self._map(work, range(len(self._parts))))

    def move_centers(self) -> FloatArray:
        """Put each center on the mean of its rows and return how far each moved."""
        counts = self._counts.sum(axis=0)
        moved = self._sums.sum(axis=0) / np.maximum(counts, 1)[:, None]
        empty = np.flatnonzero(counts == 0)
        if empty.size:
            moved[empty] = self._points[self._far_rows(empty.size)]
        drifts = np.sqrt(np.sum((moved - self._centers) ** 2, axis=1))
        self._centers = moved
        return np.asarray(drifts)

    def _far_rows(self, wanted: int) -> IntArray:
        """Return distinct rows that lie furthest from their own centers."""
        gaps = np.sum((self._points - self._centers[self._labels]) ** 2, axis=1)
        far: list[int] = []
        for _ in range(wanted):
            row = int(np.argmax(gaps))
            far.append(row)
            to_row = np.sum((self._points - self._points[row]) ** 2, axis=1)
            gaps = np.minimum(gaps, to_row)
        return np.array(far, dtype=np.int64)

    def reassign(self, drifts: FloatArray) -> int:
        """Give rows to their nearest centers and return how many moved."""
        from models_py.clustering.kmeans_kernels import assign_moved

        half_gaps = _half_gaps(self._centers)

        def work(index: int) -> int:
            part = self._parts[index]
            return int(
                assign_moved(
                    self._points[part],
                    self._centers,
                    half_gaps,
                    drifts,
                    self._labels[part],
                    self._upper[part],
                    self._lower[part],
                    self._sums[index],
                    self._counts[index],
                )
            )

        return sum(self._map(work, range(len(self._parts))))

    def finish(self) -> _Fit:
        """Assign once more without bounds, so that labels and inertia fit the centers."""
        inertia = self._assign_all()
        return _Fit(self._centers, self._labels, inertia)


def _half_gaps(centers: FloatArray) -> FloatArray:
    """Return half the distance from each center to its nearest other one."""
    gaps = np.sqrt(np.sum((centers[:, None, :] - centers[None, :, :]) ** 2, axis=2))
    np.fill_diagonal(gaps, np.inf)
    return np.asarray(gaps.min(axis=1) / 2.0)
