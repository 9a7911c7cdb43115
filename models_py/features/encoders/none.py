"""No encoding: the points as they are."""

from __future__ import annotations

from pathlib import Path

from models_py.base.arrays import FloatArray
from models_py.features.encoders.base import Encoder
from models_py.features.encoders.settings import IdentitySettings


class IdentityEncoder(Encoder):
    """Hands the points on."""

    kind = IdentitySettings.kind
    settings_class = IdentitySettings

    def _inverse_transform(self, embedding: FloatArray) -> FloatArray:
        return self._known_columns(embedding)

    def _fit(self, points: FloatArray, seed: int) -> None:
        """Learn nothing."""

    def _transform(self, points: FloatArray) -> FloatArray:
        return points

    def _write(self, folder: Path) -> None:
        """Write nothing: the manifest says all."""

    def _read(self, folder: Path) -> None:
        """Read nothing."""
