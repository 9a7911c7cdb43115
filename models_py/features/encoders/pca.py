"""Principal components, by number or by explained share of the variance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from models_py.features.encoders import storage
from models_py.base.arrays import FloatArray
from models_py.base.errors import DataError
from models_py.features.encoders.base import Encoder
from models_py.features.encoders.settings import PcaSettings

FILE = "pca.npz"
FITTED = ("components_", "mean_", "explained_variance_ratio_")


class PcaEncoder(Encoder):
    """Projection on the directions of greatest variance.

    The entry of largest size of every component is positive, so that signs do not
    depend on the solver. The decomposition is exact: of the covariance where there are ten
    times more rows than columns, of the points themselves otherwise.

    Attributes
    ----------
    components_
        Directions as rows, shape (d, p).
    mean_
        Of the points fitted on, shape (p,).
    explained_variance_ratio_
        Share of the variance that each component explains, shape (d,).
    """

    kind = PcaSettings.kind
    settings_class = PcaSettings
    file_names = (FILE,)
    components_: FloatArray
    mean_: FloatArray
    explained_variance_ratio_: FloatArray

    def _inverse_transform(self, embedding: FloatArray) -> FloatArray:
        embedding = self._of_width(embedding, self.components_.shape[0], "components")
        points: FloatArray = embedding @ self.components_ + self.mean_
        return points

    def _fit(self, points: FloatArray, seed: int) -> None:
        from sklearn.decomposition import PCA

        rows, columns = points.shape
        if np.ptp(points, axis=0).max() == 0.0:
            raise DataError(
                "encoder 'pca': the rows are all alike, so that there is no variance to "
                "explain; use encoder 'none'"
            )
        solver = "covariance_eigh" if rows >= 10 * columns else "full"
        wanted = self._components(rows, columns)
        self._keep(vars(PCA(wanted, svd_solver=solver, random_state=seed).fit(points)))

    def fit_moments(self, mean: FloatArray, covariance: FloatArray, rows: int) -> PcaEncoder:
        """Learn the directions from the moments of rows that are not at hand.

        Parameters
        ----------
        mean, covariance
            Shapes (p,) and (p, p).
        rows
            How many they are of.
        """
        variances, directions = np.linalg.eigh(covariance)
        shares = variances[::-1] / variances.sum()
        wanted = self._components(rows, len(mean))
        if isinstance(wanted, float):
            wanted = int(np.searchsorted(np.cumsum(shares), wanted, side="right")) + 1
        components = directions[:, ::-1].T[:wanted]
        largest = np.abs(components).argmax(axis=1)
        signs = np.sign(components[np.arange(len(components)), largest])
        found = (components * signs[:, None], mean, shares[:wanted])
        self._keep(dict(zip(FITTED, found, strict=True)))
        self.columns_ = len(mean)
        return self

    def _keep(self, fitted: dict[str, Any]) -> None:
        for name in FITTED:
            setattr(self, name, np.asarray(fitted[name], dtype=np.float64))

    def _components(self, rows: int, columns: int) -> int | float | None:
        wanted: int | float = self.settings.components
        if isinstance(wanted, float):
            return wanted if wanted < 1.0 else None
        if wanted > min(rows, columns):
            raise DataError(
                f"encoder 'pca': {wanted} components of {rows} rows and {columns} columns "
                f"cannot be made; use at most {min(rows, columns)}, or a share such as 0.8"
            )
        return wanted

    def _transform(self, points: FloatArray) -> FloatArray:
        placed: FloatArray = points @ self.components_.T - self.mean_[None, :] @ self.components_.T
        return placed

    def _write(self, folder: Path) -> None:
        storage.write_arrays(folder / FILE, {name: getattr(self, name) for name in FITTED})

    def _read(self, folder: Path) -> None:
        self._keep(storage.read_arrays(folder / FILE))
