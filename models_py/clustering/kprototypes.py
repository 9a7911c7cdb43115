"""k-prototypes for rows with numeric and categorical columns.

Growth: time is linear in rows, columns and k for each pass; memory is that of the columns,
one label a row, and one count for each cluster, categorical column and level.

References
----------
Huang, Z. (1998). Extensions to the k-means algorithm for clustering large data sets with
categorical values. Data Mining and Knowledge Discovery 2(3), 283-304.
Cao, F., Liang, J., Bai, L. (2009). A new initialization method for categorical data
clustering. Expert Systems with Applications 36(7), 10223-10228.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.base.threads import in_threads, thread_count
from models_py.clustering.algorithms import TableShape
from models_py.clustering.candidate import Assignment, Candidate
from models_py.clustering.rows import check_distinct, check_ks, check_points, compact_labels

Codes = npt.NDArray[np.int32]
Start = Literal["huang", "cao"] | tuple[FloatArray, IntArray]

PATIENCE = 3
"""Passes without a gain after which a run ends: moves in turn may raise the cost for a while."""

UNKNOWN = -1
"""Code of a level that the fit did not see; it differs from every mode."""


class KPrototypes:
    """k-prototypes as Huang (1998) describes it, with Huang's or Cao's starts.

    The cost of a row in a cluster is its squared Euclidean distance to the means over the
    numeric columns plus ``gamma`` for each categorical column that differs from the mode.

    Parameters
    ----------
    k
        Number of clusters.
    init
        ``"huang"`` draws categorical modes by their frequencies, ``"cao"`` takes dense rows
        far from each other; either way numeric centers are drawn from a normal distribution
        around the mean. A pair (numeric (k, p), categorical codes (k, q)) is used as it is.
    n_init
        Starts; the one with the lowest cost wins. A given pair is one start.
    gamma
        Weight of a categorical difference; half the mean standard deviation of the numeric
        columns when None.
    max_iter
        Passes over the rows at most, for each start.
    seed
        Same seed, same result.

    Attributes
    ----------
    numeric_centers_
        Shape (k, p): means.
    categorical_modes_
        Shape (k, q): codes of the modes.
    labels_
        Shape (n,).
    cost_
        Sum of the costs of all rows.
    n_iter_
        Passes of the best start.
    gamma_
        Weight that was used.
    """

    def __init__(
        self,
        k: int,
        *,
        init: Start = "huang",
        n_init: int = 10,
        gamma: float | None = None,
        max_iter: int = 100,
        seed: int = 0,
    ) -> None:
        self.k = k
        self.init = init
        self.n_init = n_init
        self.gamma = gamma
        self.max_iter = max_iter
        self.seed = seed

    def fit(self, numeric: FloatArray, categorical: IntArray) -> KPrototypes:
        """Find k prototypes.

        Parameters
        ----------
        numeric
            Shape (n, p), finite.
        categorical
            Shape (n, q): codes 0, 1, ... of each column's levels.

        Raises
        ------
        DataError
            When the two differ in rows, k exceeds the rows or distinct rows, a value is not
            finite, a code is negative, or a given start does not fit.
        """
        numeric, codes = _check_mixed(numeric, categorical)
        check_ks([self.k], len(numeric))
        check_distinct(np.hstack((numeric, codes)), self.k)
        self.gamma_ = self.gamma if self.gamma is not None else default_gamma(numeric)
        levels = int(codes.max(initial=0)) + 1
        runs = in_threads(
            self._run, [(numeric, codes, *start, levels) for start in self._drawn(numeric, codes)]
        )
        best = min(runs, key=lambda run: run.cost)
        self.cost_, self.n_iter_, self.labels_ = best.cost, best.passes, best.labels
        self.numeric_centers_, self.categorical_modes_ = best.centers, best.modes
        return self

    def predict(self, numeric: FloatArray, categorical: IntArray) -> IntArray:
        """Return the cheapest cluster of every row, shape (n,).

        Parameters
        ----------
        numeric
            Shape (n, p).
        categorical
            Shape (n, q): codes as in the fit; -1 for a level that the fit did not see.

        Raises
        ------
        DataError
            When the columns are not those of the fit.
        """
        from models_py.clustering.kprototypes_kernels import assign_prototypes

        numeric, codes = _check_mixed(numeric, categorical, lowest=UNKNOWN)
        fitted = (self.numeric_centers_.shape[1], self.categorical_modes_.shape[1])
        if (numeric.shape[1], codes.shape[1]) != fitted:
            raise DataError(
                f"rows: {numeric.shape[1]} numeric and {codes.shape[1]} categorical columns, the "
                f"model was fitted on {fitted[0]} and {fitted[1]}; transform them as in the fit"
            )
        labels = np.empty(len(numeric), dtype=np.int64)
        prototypes = (self.numeric_centers_, self.categorical_modes_)
        assign_prototypes(numeric, codes, *prototypes, self.gamma_, labels)
        return labels

    def assignment(self) -> Assignment:
        """Return the rule by which `predict` decides."""
        return Assignment(
            "cheapest_prototype",
            {
                "centers": self.numeric_centers_,
                "modes": self.categorical_modes_.astype(np.int64),
                "gamma": np.array([self.gamma_]),
            },
        )

    def starts(self, numeric: FloatArray, categorical: IntArray) -> list[tuple[FloatArray, Codes]]:
        """Return the prototypes from which `fit` begins.

        Parameters
        ----------
        numeric, categorical
            As in `fit`.

        Returns
        -------
        list
            ``n_init`` pairs of numeric centers (k, p) and categorical codes (k, q).

        Raises
        ------
        DataError
            When ``init`` is unknown or a given start does not fit the rows.
        """
        return self._drawn(*_check_mixed(numeric, categorical))

    def _drawn(self, numeric: FloatArray, codes: Codes) -> list[tuple[FloatArray, Codes]]:
        if not isinstance(self.init, str):
            return [_given_start(self.init, self.k, numeric, codes)]
        generator = np.random.default_rng(self.seed)
        if self.init == "cao":
            modes = cao_modes(codes, self.k)
            return [(_numeric_start(numeric, self.k, generator), modes) for _ in range(self.n_init)]
        if self.init == "huang":
            return [
                (
                    _numeric_start(numeric, self.k, generator),
                    huang_modes(codes, self.k, generator),
                )
                for _ in range(self.n_init)
            ]
        raise DataError(f"init: '{self.init}' is no start of k-prototypes; use 'huang' or 'cao'")

    def _run(
        self, numeric: FloatArray, codes: Codes, centers: FloatArray, modes: Codes, levels: int
    ) -> _Rest:
        state = _State(numeric, codes, (centers, modes), self.gamma_, levels)
        best = state.rest(0)
        worse = 0
        for passes in range(1, self.max_iter + 1):
            moves = state.move_in_turn()
            rested = state.rest(passes)
            worse = 0 if rested.cost < best.cost else worse + 1
            best = min(best, rested, key=lambda rest: rest.cost)
            if moves == 0 or worse == PATIENCE:
                break
        return best


@dataclass
class _Rest:
    """Prototypes after some passes, with the labels and cost that they give."""

    cost: float
    passes: int
    labels: IntArray
    centers: FloatArray
    modes: Codes


class _State:
    """Membership and tallies of one run, whose prototypes follow every move."""

    def __init__(
        self,
        numeric: FloatArray,
        codes: Codes,
        start: tuple[FloatArray, Codes],
        gamma: float,
        levels: int,
    ) -> None:
        from models_py.clustering.kprototypes_kernels import assign_prototypes, tally

        self._rows = (numeric, codes)
        self._gamma = gamma
        self._labels = np.empty(len(numeric), dtype=np.int64)
        assign_prototypes(*self._rows, *start, gamma, self._labels)
        k = len(start[0])
        self._fill_empty(start, k)
        sums = np.zeros((k, numeric.shape[1]))
        sizes = np.zeros(k, dtype=np.int64)
        counts = np.zeros((k, codes.shape[1], levels), dtype=np.int64)
        tally(*self._rows, self._labels, sums, sizes, counts)
        self._tallies = (sums, sizes, counts)
        self._centers = sums / sizes[:, None]
        self._modes = counts.argmax(axis=2).astype(np.int32)

    def _fill_empty(self, start: tuple[FloatArray, Codes], k: int) -> None:
        """Give each cluster without rows the row that is furthest from its prototype."""
        sizes = np.bincount(self._labels, minlength=k)
        if sizes.all():
            return
        numeric, codes = self._rows
        costs = np.sum((numeric - start[0][self._labels]) ** 2, axis=1)
        costs += self._gamma * np.count_nonzero(codes != start[1][self._labels], axis=1)
        for cluster in np.flatnonzero(sizes == 0):
            row = int(np.argmax(np.where(sizes[self._labels] > 1, costs, -np.inf)))
            sizes[self._labels[row]] -= 1
            sizes[cluster] = 1
            self._labels[row] = cluster

    def move_in_turn(self) -> int:
        """Move rows one after another and return how many moved."""
        from models_py.clustering.kprototypes_kernels import move_in_turn

        prototypes = (self._centers, self._modes)
        return int(
            move_in_turn(*self._rows, self._gamma, self._labels, *self._tallies, *prototypes)
        )

    def rest(self, passes: int) -> _Rest:
        """Return the prototypes as they are, and the labels and cost that they give."""
        from models_py.clustering.kprototypes_kernels import assign_prototypes

        labels = np.empty_like(self._labels)
        prototypes = (self._centers.copy(), self._modes.copy())
        cost = float(assign_prototypes(*self._rows, *prototypes, self._gamma, labels))
        return _Rest(cost, passes, labels, *prototypes)


def default_gamma(numeric: FloatArray) -> float:
    """Return half the mean standard deviation of the numeric columns (Huang 1998)."""
    return 0.5 * float(np.mean(np.std(numeric, axis=0)))


def huang_modes(codes: Codes, k: int, generator: np.random.Generator) -> Codes:
    """Draw modes by the frequencies of levels, then move each to the nearest row.

    Parameters
    ----------
    codes
        Shape (n, q).
    k
        Modes to draw.
    generator
        Source of the draws.

    Returns
    -------
    array
        Shape (k, q); rows differ from each other where the data allow it.
    """
    rows, columns = codes.shape
    modes = np.empty((k, columns), dtype=np.int32)
    for column in range(columns):
        modes[:, column] = codes[generator.integers(0, rows, k), column]
    taken = np.zeros(rows, dtype=bool)
    for cluster in range(k):
        differing = np.count_nonzero(codes != modes[cluster], axis=1)
        free = np.where(taken, columns + 1, differing)
        nearest = codes[int(np.argmin(free if not taken.all() else differing))]
        modes[cluster] = nearest
        taken |= (codes == nearest).all(axis=1)
    return modes


def cao_modes(codes: Codes, k: int) -> Codes:
    """Take dense rows that differ from each other as modes (Cao, Liang and Bai 2009).

    The density of a row is the mean share of its levels. The first mode is the densest row;
    each next one has the largest density times difference to the nearest mode so far.

    Parameters
    ----------
    codes
        Shape (n, q).
    k
        Modes to take.

    Returns
    -------
    array
        Shape (k, q).
    """
    rows, columns = codes.shape
    density = np.zeros(rows)
    for column in range(columns):
        counts = np.bincount(codes[:, column])
        density += counts[codes[:, column]] / float(rows) / float(columns)
    chosen = [int(np.argmax(density))]
    apart = np.full(rows, np.inf)
    while len(chosen) < k:
        differing = np.count_nonzero(codes != codes[chosen[-1]], axis=1)
        apart = np.minimum(apart, differing * density)
        chosen.append(int(np.argmax(apart)))
    return codes[chosen].copy()


def kprototypes_peak_bytes(shape: TableShape, parameters: Mapping[str, object]) -> int:
    """Estimate the peak memory of a k-prototypes sweep beyond the columns given.

    Codes as the kernels take them and as floats beside the numbers, while distinct rows are
    counted; then labels of each start until the best is known, and tallies for each thread.
    """
    n, p, q, k = shape.rows, shape.columns, shape.categories, shape.clusters
    starts = int(str(parameters.get("n_init", 10)))
    counted = n * (14 * p + 20 * q + 48)
    run = n * (8 * (starts + thread_count()) + 8 * q + 16)
    tallies = k * (p * 8 * 3 + q * shape.levels * 8) * thread_count()
    return max(counted, run) + tallies + n * 8 * shape.candidates


def kprototypes_sweep(
    numeric: FloatArray,
    categorical: IntArray,
    ks: Iterable[int],
    *,
    seed: int,
    init: Literal["huang", "cao"] = "huang",
    n_init: int = 10,
    gamma: float | None = None,
    max_iter: int = 100,
) -> list[Candidate]:
    """Run k-prototypes for every k.

    Parameters
    ----------
    numeric
        Shape (n, p), finite.
    categorical
        Shape (n, q): codes 0, 1, ... of each column's levels.
    ks
        Numbers of clusters.
    seed
        Same seed, same labels, whatever the number of threads.
    init, n_init, gamma, max_iter
        As in `KPrototypes`.

    Returns
    -------
    list of Candidate
        One for each k, whose model's ``predict`` takes numeric and categorical columns.

    Raises
    ------
    DataError
        As in `KPrototypes.fit`.
    """
    numeric, codes = _check_mixed(numeric, categorical)
    wanted = check_ks(ks, len(numeric))
    check_distinct(np.hstack((numeric, codes)), max(wanted))
    candidates = []
    for k in wanted:
        began = time.perf_counter()
        model = KPrototypes(
            k, init=init, n_init=n_init, gamma=gamma, max_iter=max_iter, seed=seed
        ).fit(numeric, codes.astype(np.int64))
        labels, kept = compact_labels(model.labels_)
        model.labels_ = labels
        model.numeric_centers_ = model.numeric_centers_[kept]
        model.categorical_modes_ = model.categorical_modes_[kept]
        parameters = {"k": k, "init": init, "n_init": n_init, "gamma": model.gamma_}
        seconds = time.perf_counter() - began
        candidates.append(Candidate("kprototypes", parameters, labels, seconds, model=model))
    return candidates


def _check_mixed(
    numeric: FloatArray, categorical: IntArray, lowest: int = 0
) -> tuple[FloatArray, Codes]:
    """Return numeric and categorical columns as the kernels take them."""
    numeric = check_points(numeric)
    codes = np.asarray(categorical)
    if codes.ndim != 2 or codes.shape[0] != numeric.shape[0] or codes.shape[1] == 0:
        raise DataError(
            f"categorical: shape {codes.shape} does not go with {numeric.shape[0]} numeric rows; "
            "give one row of codes for each, with at least one column (else use kmeans)"
        )
    if not np.issubdtype(codes.dtype, np.integer):
        raise DataError(f"categorical: codes must be whole numbers, got {codes.dtype}; encode them")
    if codes.size and codes.min() < lowest:
        raise DataError(
            f"categorical: code {codes.min()} is below {lowest}; give missing values a level"
        )
    return numeric, np.ascontiguousarray(codes, dtype=np.int32)


def _numeric_start(numeric: FloatArray, k: int, generator: np.random.Generator) -> FloatArray:
    """Draw centers from a normal distribution around the mean."""
    spread = generator.standard_normal((k, numeric.shape[1])) * numeric.std(axis=0)
    return np.asarray(numeric.mean(axis=0) + spread)


def _given_start(
    start: tuple[FloatArray, IntArray], k: int, numeric: FloatArray, codes: Codes
) -> tuple[FloatArray, Codes]:
    """Check a start that the caller gives."""
    centers = np.ascontiguousarray(start[0], dtype=np.float64)
    modes = np.ascontiguousarray(start[1], dtype=np.int32)
    wanted = ((k, numeric.shape[1]), (k, codes.shape[1]))
    if (centers.shape, modes.shape) != wanted:
        raise DataError(
            f"init: shapes {centers.shape} and {modes.shape} do not fit the rows; "
            f"give {wanted[0]} and {wanted[1]}"
        )
    return centers, modes
