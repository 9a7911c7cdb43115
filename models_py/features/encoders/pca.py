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

FILE = "pca.skops"


class PcaEncoder(Encoder):
    """Projection on the directions of greatest variance.

    The entry of largest size of every component is positive, so that signs do not
    depend on the solver. The decomposition is exact: of the covariance where there are ten
    times more rows than columns, of the points themselves otherwise.
    """

    kind = PcaSettings.kind
    settings_class = PcaSettings
    file_names = (FILE,)
    pca_: Any

    @property
    def explained_variance_ratio_(self) -> FloatArray:
        """Share of the variance that each component explains, shape (d,)."""
        self._check_fitted()
        return np.asarray(self.pca_.explained_variance_ratio_, dtype=np.float64)

    @property
    def components_(self) -> FloatArray:
        """Directions as rows, shape (d, p)."""
        self._check_fitted()
        return np.asarray(self.pca_.components_, dtype=np.float64)

    def _inverse_transform(self, embedding: FloatArray) -> FloatArray:
        embedding = self._of_width(embedding, self.components_.shape[0], "components")
        return np.asarray(self.pca_.inverse_transform(embedding), dtype=np.float64)

    def _fit(self, points: FloatArray, seed: int) -> None:
        from sklearn.decomposition import PCA

        rows, columns = points.shape
        if np.ptp(points, axis=0).max() == 0.0:
            raise DataError(
                "encoder 'pca': the rows are all alike, so that there is no variance to "
                "explain; use encoder 'none'"
            )
        solver = "covariance_eigh" if rows >= 10 * columns else "full"
        self.pca_ = PCA(self._components(rows, columns), svd_solver=solver, random_state=seed).fit(
            points
        )

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
        return np.asarray(self.pca_.transform(points), dtype=np.float64)

    def _write(self, folder: Path) -> None:
        storage.write_skops(folder / FILE, self.pca_)

    def _read(self, folder: Path) -> None:
        self.pca_ = storage.read_skops(folder / FILE)
