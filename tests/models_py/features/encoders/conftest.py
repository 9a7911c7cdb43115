"""Rows with planted structure for the encoders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models_py.base.arrays import FloatArray, IntArray
from models_py.features.encoders.base import Encoder
from models_py.features.encoders.catalog import EncoderSpec, build_encoder


@pytest.fixture(scope="session")
def groups() -> tuple[FloatArray, IntArray]:
    """600 rows of 6 scaled columns in four well-parted groups, and the truth."""
    generator = np.random.default_rng(4)
    truth = generator.integers(0, 4, 600)
    centers = np.array([[4, 0, 0], [-4, 0, 1], [0, 4, -1], [0, -4, 0]], dtype=float)
    hidden = centers[truth] + 0.6 * generator.normal(size=(600, 3))
    points = hidden @ generator.normal(size=(3, 6)) + 0.1 * generator.normal(size=(600, 6))
    return (points - points.mean(axis=0)) / points.std(axis=0), truth


@pytest.fixture(scope="session")
def trained(groups: tuple[FloatArray, IntArray]) -> Encoder:
    """A small autoencoder, trained for a few epochs."""
    spec = EncoderSpec("autoencoder", {"epochs": 6, "layers": [8, 3]})
    return build_encoder(spec).fit(groups[0], seed=1)


@pytest.fixture(scope="session")
def saved(trained: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the trained autoencoder; copy it before changing anything."""
    folder = tmp_path_factory.mktemp("encoder")
    trained.save(folder)
    return folder
