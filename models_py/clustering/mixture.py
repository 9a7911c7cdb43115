"""Gaussian mixtures over many k and shapes of covariance, with their evidence (BIC).

Growth: each pass is linear in rows and k, and quadratic in columns for full and tied
covariances; memory beyond the points does not grow with the rows but for the labels, since
every pass adds up moments block by block. Large tables are fitted on a sample first and
refined over all rows.

References
----------
Dempster, A., Laird, N., Rubin, D. (1977). Maximum likelihood from incomplete data via the
EM algorithm. JRSS B 39(1).
Biernacki, C., Celeux, G., Govaert, G. (2003). Choosing starting values for the EM algorithm
for getting the highest likelihood in multivariate Gaussian mixture models. CSDA 41.
Schwarz, G. (1978). Estimating the dimension of a model. Annals of Statistics 6(2).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError, near_match
from models_py.base.threads import in_threads, thread_count
from models_py.clustering.algorithms import TableShape
from models_py.clustering.candidate import Assignment, Candidate
from models_py.clustering.kmeans import kmeans_peak_bytes, kmeans_sweep
from models_py.clustering.rows import (
    CHUNK_ROWS,
    check_columns,
    check_distinct,
    check_ks,
    check_points,
    chunks,
    compact_labels,
)

Covariance = Literal["full", "diag", "tied", "spherical"]
COVARIANCES: tuple[Covariance, ...] = ("full", "diag", "tied", "spherical")

SHRINKAGE = 1e-6
"""Share of the mean column variance added to every variance, so that none becomes zero."""

SAMPLE_ROWS = 100_000
"""Rows on which a fit comes to rest before all rows refine it."""

TRIAL_ROWS = 3_000
"""Rows on which starts are compared."""

TRIAL_PASSES = 25
"""Passes at most before starts are compared."""

FEW_TRIAL_ROWS = 1_000
"""Rows of the trials where mixtures are one family of many."""

SURVIVORS = 2
"""Starts taken on from the trials, beside the one from k-means."""


@dataclass(frozen=True, eq=False)
class MixtureModel:
    """A fitted mixture that gives every row its most probable component.

    Attributes
    ----------
    weights
        Shape (k,): share of each component.
    means
        Shape (k, p).
    covariances
        Shape (k, p, p) for full and tied, (k, p) for diagonal and spherical ones.
    """

    weights: FloatArray
    means: FloatArray
    covariances: FloatArray

    def predict(self, points: FloatArray) -> IntArray:
        """Return the most probable component of every row, shape (n,)."""
        points = check_points(points)
        check_columns(points, self.means.shape[1])
        parts = in_threads(
            lambda part: self._log_densities(points[part]).argmax(axis=1),
            [(part,) for part in chunks(len(points))],
        )
        return np.concatenate(parts).astype(np.int64)

    def probabilities(self, points: FloatArray) -> FloatArray:
        """Return the probability of each component for every row, shape (n, k)."""
        from models_py.clustering.mixture_kernels import to_probabilities

        points = check_points(points)
        check_columns(points, self.means.shape[1])
        shares = self._log_densities(points)
        to_probabilities(shares)
        return shares

    def assignment(self) -> Assignment:
        """Return the rule by which `predict` decides."""
        state = {"weights": self.weights, "means": self.means, "covariances": self.covariances}
        return Assignment("most_probable", state)

    def log_likelihood(self, points: FloatArray) -> float:
        """Return the sum of the rows' log densities under the mixture."""
        return sum(self._passes(check_points(points), None))

    def _log_densities(self, points: FloatArray) -> FloatArray:
        """Return log(weight times density) of every row and component, shape (n, k)."""
        from models_py.clustering import mixture_kernels as kernels

        full = self.covariances.ndim == 3
        write = kernels.log_densities_full if full else kernels.log_densities_diagonal
        roots, offsets = self.roots()
        out = np.empty((len(points), len(self.weights)))
        write(points, self.means, roots, offsets, out)
        return out

    def roots(self) -> tuple[FloatArray, FloatArray]:
        """Return roots of the precisions and the constant part of each log density.

        Returns
        -------
        roots, offsets
            Shapes (k, p, p), or (k, p) for diagonal and spherical covariances, and (k,): a log
            density is ``offset - |root (x - mean)|² / 2``.
        """
        columns = self.means.shape[1]
        if self.covariances.ndim == 3:
            lower = np.linalg.cholesky(self.covariances)
            roots = np.tril(np.linalg.inv(lower))
            log_roots = np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
        else:
            roots = 1.0 / np.sqrt(self.covariances)
            log_roots = np.log(roots).sum(axis=1)
        with np.errstate(divide="ignore"):
            offsets = np.log(self.weights) + log_roots - 0.5 * columns * np.log(2.0 * np.pi)
        return roots, offsets

    def _passes(self, points: FloatArray, moments: _Moments | None) -> list[float]:
        """Return the log-likelihood of each block of rows, adding to the moments if given."""
        from models_py.clustering.mixture_kernels import to_probabilities

        likelihoods = []
        for part in chunks(len(points)):
            shares = self._log_densities(points[part])
            likelihoods.append(float(to_probabilities(shares)))
            if moments is not None:
                moments.add(points[part], self.means, shares)
        return likelihoods


class _Moments:
    """Weighted sizes, sums and squares of each component around given means."""

    def __init__(self, k: int, columns: int, full: bool) -> None:
        self.sizes = np.zeros(k)
        self.sums = np.zeros((k, columns))
        self.squares = np.zeros((k, columns, columns) if full else (k, columns))

    def add(self, points: FloatArray, means: FloatArray, shares: FloatArray) -> None:
        """Add rows with their shares (n, k)."""
        from models_py.clustering import mixture_kernels as kernels

        full = self.squares.ndim == 3
        add = kernels.add_moments_full if full else kernels.add_moments_diagonal
        add(points, means, shares, self.sizes, self.sums, self.squares)

    def model(self, means: FloatArray, shape: Covariance, floor: float) -> MixtureModel:
        """Return the likeliest mixture with these moments around ``means``."""
        sizes = self.sizes + 10 * np.finfo(np.float64).eps
        shift = self.sums / sizes[:, None]
        if self.squares.ndim == 3:
            lower = np.tril(self.squares)
            whole = lower + np.tril(lower, -1).transpose(0, 2, 1)
            scatter = whole - sizes[:, None, None] * shift[:, :, None] * shift[:, None, :]
            covariances = _full_covariances(scatter, sizes, shape, floor)
        else:
            variances = self.squares / sizes[:, None] - shift**2
            covariances = np.maximum(variances, 0.0) + floor
            if shape == "spherical":
                covariances[:] = covariances.mean(axis=1)[:, None]
        return MixtureModel(sizes / sizes.sum(), means + shift, covariances)


def _full_covariances(
    scatter: FloatArray, sizes: FloatArray, shape: Covariance, floor: float
) -> FloatArray:
    """Divide scatter matrices (k, p, p) by sizes, pooled when tied, and make them regular."""
    if shape == "tied":
        pooled = scatter.sum(axis=0) / sizes.sum()
        covariances = np.repeat(pooled[None], len(sizes), axis=0)
    else:
        covariances = scatter / sizes[:, None, None]
    identity = np.eye(scatter.shape[1])
    # Rounding can leave an eigenvalue below zero by more than the floor; raise it until sound.
    while True:
        raised = covariances + floor * identity
        try:
            np.linalg.cholesky(raised)
        except np.linalg.LinAlgError:
            floor *= 10.0
        else:
            return np.asarray(raised)


def mixture_peak_bytes(shape: TableShape, parameters: Mapping[str, object]) -> int:
    """Estimate the peak memory of Gaussian mixtures beyond the points.

    The k-means of the start; then labels, one block of probabilities and the moments for each
    thread. Beside both, a sample of the rows.
    """
    del parameters
    n, p, k = shape.rows, shape.columns, shape.clusters
    blocks = thread_count() * (min(n, CHUNK_ROWS) * k * 8 + 4 * k * p * p * 8)
    passes = n * 8 * (2 + shape.candidates) + blocks
    sample = 0 if n <= SAMPLE_ROWS else SAMPLE_ROWS * p * 8
    start = kmeans_peak_bytes(replace(shape, rows=min(n, SAMPLE_ROWS)), {})
    return max(start, passes) + sample


def gaussian_mixture_sweep(
    points: FloatArray,
    ks: Iterable[int],
    *,
    seed: int,
    covariance: Covariance | Sequence[Covariance] = "full",
    n_init: int = 10,
    max_iter: int = 500,
    tol: float = 1e-4,
) -> list[Candidate]:
    """Fit Gaussian mixtures for every shape of covariance and every k.

    Parameters
    ----------
    points
        Shape (n, p), finite.
    ks
        Numbers of components.
    seed
        Same seed, same labels, whatever the number of threads.
    covariance
        One of ``"full"``, ``"diag"``, ``"tied"``, ``"spherical"``, or several.
    n_init
        Starts for each fit: one from the best k-means, the others from random rows as wide
        as the data, of which the likeliest two after some passes come to rest (Biernacki
        et al. 2003). k-means alone cuts long groups in the wrong way.
    max_iter
        Passes at most, for the sample and for all rows.
    tol
        A fit ends when the mean log-likelihood of a row gains less.

    Returns
    -------
    list of Candidate
        For each covariance, one for each k, with ``bic`` and a `MixtureModel`. The BIC is
        that of all components; one that is the most probable of no row has no label.

    Raises
    ------
    DataError
        When a k exceeds the rows or distinct rows, values are not finite, or a covariance is
        unknown.
    """
    points = check_points(points)
    wanted = check_ks(ks, len(points))
    check_distinct(points, max(wanted))
    shapes = _check_covariance(covariance)
    fit = _Fitting(points, np.random.default_rng(seed), n_init, max_iter, tol)
    starts = [each.labels for each in kmeans_sweep(fit.sample, wanted, seed=seed)]
    return in_threads(fit.best, [(shape, start) for shape in shapes for start in starts])


def gaussian_mixtures_from(
    points: FloatArray,
    starts: Sequence[IntArray],
    *,
    seed: int,
    covariance: Sequence[Covariance],
    max_iter: int,
    tol: float,
    n_init: int = 10,
) -> list[Candidate]:
    """Fit mixtures as `gaussian_mixture_sweep` does, from clusterings that are there already.

    Starts are compared on fewer rows.

    Parameters
    ----------
    points
        Shape (n, p), at most `SAMPLE_ROWS` rows.
    starts
        Each of shape (n,): labels 0..k-1 all in use, in the place of the k-means.
    seed, covariance, max_iter, tol, n_init
        As for `gaussian_mixture_sweep`.
    """
    fit = _Fitting(points, np.random.default_rng(seed), n_init, max_iter, tol, FEW_TRIAL_ROWS)
    return in_threads(fit.best, [(shape, start) for shape in covariance for start in starts])


def _check_covariance(covariance: Covariance | Sequence[Covariance]) -> list[Covariance]:
    shapes = [covariance] if isinstance(covariance, str) else list(covariance)
    for shape in shapes:
        if shape not in COVARIANCES:
            raise DataError(
                f"covariance: '{shape}' is unknown, use one of {', '.join(COVARIANCES)}"
                + near_match(str(shape), COVARIANCES)
            )
    return shapes


class _Fitting:
    """EM over the same rows for many shapes and numbers of components."""

    def __init__(
        self,
        points: FloatArray,
        generator: np.random.Generator,
        n_init: int,
        max_iter: int,
        tol: float,
        trial_rows: int = TRIAL_ROWS,
    ) -> None:
        self._points = points
        self._max_iter = max_iter
        self._tol = tol
        mean_variance = float(np.mean(np.var(points, axis=0)))
        self._floor = max(SHRINKAGE * mean_variance, np.finfo(np.float64).tiny ** 0.5)
        self.sample = _drawn(points, SAMPLE_ROWS, generator)
        self._trial = _drawn(self.sample, trial_rows, generator)
        self._orders = [generator.permutation(len(self._trial)) for _ in range(n_init - 1)]

    def best(self, shape: Covariance, clusters: IntArray) -> Candidate:
        """Fit from all starts and return the likeliest mixture."""
        began = time.perf_counter()
        k = int(clusters.max()) + 1
        likelihood, model = max(
            (self._rest(start, shape) for start in self._starts(k, shape, clusters)),
            key=lambda fit: fit[0],
        )
        if len(self.sample) < len(self._points):
            model = self._climb(self._points, shape, model, self._max_iter)[1]
            likelihood = model.log_likelihood(self._points)
        bic = information(likelihood, k, self._points, shape)
        labels, kept = compact_labels(model.predict(self._points))
        parameters = {"k": k, "covariance": shape, "n_init": len(self._orders) + 1}
        kept_model = MixtureModel(model.weights[kept], model.means[kept], model.covariances[kept])
        seconds = time.perf_counter() - began
        return Candidate("gaussian_mixture", parameters, labels, seconds, bic=bic, model=kept_model)

    def _starts(self, k: int, shape: Covariance, clusters: IntArray) -> list[MixtureModel]:
        """Return the mixture of the clusters and the likeliest after short trials."""
        tried = [self._from_rows(order[:k], shape) for order in self._orders] if k > 1 else []
        short = [self._climb(self._trial, shape, start, TRIAL_PASSES) for start in tried]
        short.sort(key=lambda fit: fit[0], reverse=True)
        return [self._from_clusters(shape, clusters), *(model for _, model in short[:SURVIVORS])]

    def _rest(self, start: MixtureModel, shape: Covariance) -> tuple[float, MixtureModel]:
        """Let a start come to rest on the sample."""
        model = self._climb(self.sample, shape, start, self._max_iter)[1]
        return model.log_likelihood(self.sample), model

    def _from_clusters(self, shape: Covariance, labels: IntArray) -> MixtureModel:
        """Return the mixture whose components are the clusters with these labels."""
        sizes = np.bincount(labels).astype(np.float64)
        sums = [np.bincount(labels, column) for column in self.sample.T]
        centers = np.ascontiguousarray(np.array(sums).T / sizes[:, None])
        k, columns = centers.shape
        moments = _Moments(k, columns, shape in ("full", "tied"))
        for part in chunks(len(self.sample)):
            shares = np.zeros((part.stop - part.start, k))
            shares[np.arange(len(shares)), labels[part]] = 1.0
            moments.add(self.sample[part], centers, shares)
        return moments.model(centers, shape, self._floor)

    def _from_rows(self, rows: IntArray, shape: Covariance) -> MixtureModel:
        """Return the mixture of rows as means, each as wide as all the data."""
        k, columns = len(rows), self._trial.shape[1]
        moments = _Moments(1, columns, shape in ("full", "tied"))
        center = self._trial.mean(axis=0)[None]
        moments.add(self._trial, center, np.ones((len(self._trial), 1)))
        whole = moments.model(center, shape, self._floor).covariances
        covariances = np.repeat(whole, k, axis=0)
        return MixtureModel(np.full(k, 1.0 / k), self._trial[rows], covariances)

    def _climb(
        self, points: FloatArray, shape: Covariance, model: MixtureModel, passes: int
    ) -> tuple[float, MixtureModel]:
        """Repeat passes until the mean log-likelihood, which is returned too, gains no more."""
        before = -np.inf
        for _ in range(passes):
            k, columns = model.means.shape
            moments = _Moments(k, columns, model.covariances.ndim == 3)
            mean_likelihood = sum(model._passes(points, moments)) / len(points)
            model = moments.model(model.means, shape, self._floor)
            gain, before = mean_likelihood - before, mean_likelihood
            if gain < self._tol:
                break
        return before, model


def _drawn(points: FloatArray, size: int, generator: np.random.Generator) -> FloatArray:
    """Draw some of the rows in their order; all where there are no more."""
    if len(points) <= size:
        return points
    return points[np.sort(generator.choice(len(points), size, replace=False, shuffle=False))]


def information(likelihood: float, k: int, points: FloatArray, shape: Covariance) -> float:
    """Return the BIC of a mixture of k components from the log-likelihood of points (n, p)."""
    rows, columns = points.shape
    return -2.0 * likelihood + free_parameters(k, columns, shape) * float(np.log(rows))


def free_parameters(k: int, columns: int, shape: Covariance) -> int:
    """Count the free parameters of a mixture: weights, means and covariances."""
    square = columns * (columns + 1) // 2
    spread = {"full": k * square, "tied": square, "diag": k * columns, "spherical": k}[shape]
    return k - 1 + k * columns + spread
