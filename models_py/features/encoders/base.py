"""The interface of every encoder: fit, transform, reconstruct, save, load."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from threadpoolctl import threadpool_limits

from models_py.features.encoders import storage
from models_py.base.arrays import FloatArray, finite_table
from models_py.base.errors import DataError
from models_py.features.encoders.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from models_py.clustering.candidate import Candidate

Epoch = dict[str, float]
"""One line of a training history: epoch, losses, learning rate."""


class Encoder(ABC):
    """Other coordinates for the same rows.

    Matrix products run on one thread, since their last digits depend on how many there are.

    Attributes
    ----------
    settings
        Checked parameters.
    columns_
        Features that it was fitted on.
    history_
        One entry an epoch where a network is trained, otherwise empty.
    on_epoch
        Called after each epoch with its entry; for progress.
    on_advance
        Called with how much of the work is done, and of how much; for progress.
    """

    kind: ClassVar[str]
    settings_class: ClassVar[type[Settings]]
    file_names: ClassVar[tuple[str, ...]] = ()
    reads_rows: ClassVar[bool] = False
    """Whether it is fitted on the rows themselves and not on their scaled features."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings: Any = self.settings_class() if settings is None else settings
        self.columns_: int = 0
        self.history_: list[Epoch] = []
        self.on_epoch: Callable[[Epoch], None] | None = None
        self.on_advance: Callable[[int, int], None] | None = None

    def fit(self, points: FloatArray, seed: int) -> Self:
        """Learn the coordinates from the points.

        Parameters
        ----------
        points
            Shape (n, p), finite.
        seed
            The same points and seed give the same encoder.

        Raises
        ------
        DataError
            When the points are empty, not finite or too few for the parameters.
        """
        points = finite_table(points, f"encoder '{self.kind}'", "encoding")
        self.history_ = []
        with threadpool_limits(1):
            self._fit(points, seed)
        self.columns_ = points.shape[1]
        return self

    def transform(self, points: FloatArray) -> FloatArray:
        """Return the embedding, shape (n, d).

        Raises
        ------
        DataError
            When nothing was fitted, or the columns are not those it was fitted on.
        """
        points = self._known_columns(points)
        with threadpool_limits(1):
            return self._transform(points)

    @property
    def columns_read(self) -> list[str]:
        """The columns of the rows that it reads beside the features."""
        return []

    def fit_rows(self, frame: pd.DataFrame, points: FloatArray, seed: int) -> Self:  # noqa: ARG002
        """Learn the coordinates from rows, given with their scaled features.

        Parameters
        ----------
        frame
            The columns of the study, n rows.
        points
            Shape (n, p): the same rows' scaled features.
        seed
            As for :meth:`fit`.
        """
        return self.fit(points, seed)

    def transform_rows(self, frame: pd.DataFrame, points: FloatArray) -> FloatArray:  # noqa: ARG002
        """Return the embedding of rows, given with their scaled features; shape (n, d)."""
        return self.transform(points)

    def own_candidate(self, embedding: FloatArray) -> Candidate | None:  # noqa: ARG002
        """Return the clusters that were learnt with the embedding; None where there are none.

        Parameters
        ----------
        embedding
            Shape (n, d): the rows to cluster.
        """
        return None

    def spread(self, points: FloatArray) -> FloatArray | None:  # noqa: ARG002
        """Return how uncertain each row's place in the embedding is, shape (n,).

        The standard deviation, averaged over the embedding's columns; None where the encoder
        gives every row one place.
        """
        return None

    def inverse_transform(self, embedding: FloatArray) -> FloatArray:
        """Return the points, shape (n, p), that an embedding (n, d) stands for.

        Raises
        ------
        DataError
            When the encoder has no way back.
        """
        self._check_fitted()
        with threadpool_limits(1):
            return self._inverse_transform(embedding)

    def reconstruct(self, points: FloatArray) -> FloatArray:
        """Return the points as they come back from their embedding, shape (n, p)."""
        return self.inverse_transform(self.transform(points))

    def reconstruction_error(self, points: FloatArray) -> FloatArray:
        """Return each row's mean squared difference from its reconstruction, shape (n,)."""
        difference = self.reconstruct(points) - np.asarray(points, dtype=np.float64)
        error: FloatArray = np.mean(difference * difference, axis=1)
        return error

    def save(self, folder: Path) -> None:
        """Write the fitted encoder into a folder, in formats that run no code on loading.

        Raises
        ------
        DataError
            When nothing was fitted.
        """
        self._check_fitted()
        storage.open_folder(folder)
        self._write(folder)
        storage.write_manifest(
            folder,
            storage.Manifest(
                kind=self.kind,
                parameters=self.settings.model_dump(mode="json"),
                columns=self.columns_,
                history=self.history_,
            ),
            self.files_of(self.settings),
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read an encoder that ``save`` wrote.

        Raises
        ------
        SavedEncoderError
            When a file is missing, was changed, or holds an encoder of another kind.
        """
        manifest = storage.read_manifest(folder)
        if manifest.kind != cls.kind:
            raise storage.SavedEncoderError(
                f"{folder}: holds an encoder of kind '{manifest.kind}', not '{cls.kind}'; "
                "load it with load_encoder"
            )
        settings: Any = cls.settings_class.model_validate(manifest.parameters)
        storage.check_files(folder, manifest, cls.files_of(settings))
        encoder = cls(settings)
        encoder.columns_ = manifest.columns
        encoder.history_ = manifest.history
        encoder._read(folder)
        return encoder

    @classmethod
    def files_of(cls, settings: Any) -> tuple[str, ...]:  # noqa: ARG003
        """Return the files that an encoder with these settings is saved in."""
        return cls.file_names

    @abstractmethod
    def _fit(self, points: FloatArray, seed: int) -> None: ...

    @abstractmethod
    def _transform(self, points: FloatArray) -> FloatArray: ...

    def _inverse_transform(self, embedding: FloatArray) -> FloatArray:  # noqa: ARG002
        raise DataError(
            f"encoder '{self.kind}' keeps no way back from its embedding; "
            "reconstruct with an encoder that does, such as 'pca'"
        )

    @abstractmethod
    def _write(self, folder: Path) -> None:
        """Write the files named by :meth:`files_of`."""

    @abstractmethod
    def _read(self, folder: Path) -> None:
        """Read the files named by :meth:`files_of`."""

    def _check_fitted(self) -> None:
        if not self.columns_:
            raise DataError(f"encoder '{self.kind}' is not fitted; call fit first")

    def _known_columns(self, points: FloatArray) -> FloatArray:
        self._check_fitted()
        return self._of_width(points, self.columns_, "columns")

    def _of_width(self, points: FloatArray, width: int, what: str) -> FloatArray:
        points = finite_table(points, f"encoder '{self.kind}'", "encoding")
        if points.shape[1] != width:
            raise DataError(
                f"encoder '{self.kind}' was fitted on {width} {what}, "
                f"got {points.shape[1]}; give the same in the same order"
            )
        return points
