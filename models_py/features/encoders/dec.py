"""Deep embedded clustering: an embedding and its clusters, learnt together."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from models_py.features.encoders import storage
from models_py.base.arrays import Float32Array, FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.clustering.candidate import Candidate
from models_py.clustering.rows import compact_labels
from models_py.clustering.student import StudentModel, log_assignment
from models_py.features.encoders.autoencoder import Autoencoder
from models_py.features.encoders.base import Encoder
from models_py.features.encoders.layers import Array, Dense, Weights, forward, weight_shapes
from models_py.features.encoders.network import NETWORK_FILE
from models_py.features.encoders.settings import DecSettings, Settings
from models_py.features.encoders.training import AdamLoop, Batch, Draw

CENTERS_FILE = "centers.npz"
CENTERS = "centers"


@dataclass(frozen=True)
class ClusteringLoss:
    """Divergence of each row's soft assignment from its target.

    Reads ``inputs`` and ``targets``, the target assignment of the rows, shape (n, k).
    """

    layers: tuple[Dense, ...]
    k: int
    freedom: float

    @property
    def shapes(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Name and shape of every weight, the cluster centers being the last."""
        return (*weight_shapes(self.layers), (CENTERS, (self.k, self.layers[-1].units)))

    def __call__(self, xp: Any, weights: Weights, batch: Batch) -> Array:
        """Return the losses of the rows, shape (n,)."""
        embedding = forward(xp, self.layers, weights, batch["inputs"])
        logs = log_assignment(xp, embedding, weights[CENTERS], self.freedom)
        targets = batch["targets"]
        return xp.sum(targets * (xp.log(xp.maximum(targets, 1e-12)) - logs), axis=1)


class DeepEmbeddedClustering(Autoencoder):
    """An autoencoder whose embedding is pulled towards k clusters; the decoder is dropped.

    Attributes
    ----------
    centers_
        Cluster centers in the embedding, shape (k, d).
    cluster_labels_
        Cluster of each row that it was fitted on, shape (n,).
    history_
        The epochs of the autoencoder (``stage`` 0), then those of the refinement
        (``stage`` 1, with the share of rows that ``changed`` cluster).

    References
    ----------
    Xie, Girshick and Farhadi (2016), "Unsupervised deep embedding for clustering analysis":
    k-means starts the centers, and the target assignment is taken anew at every epoch.
    """

    kind = DecSettings.kind
    settings_class: ClassVar[type[Settings]] = DecSettings
    file_names: ClassVar[tuple[str, ...]] = (NETWORK_FILE, CENTERS_FILE)
    centers_: FloatArray
    cluster_labels_: IntArray

    def soft_assignment(self, points: FloatArray) -> FloatArray:
        """Return how much each row belongs to each cluster; rows sum to 1, shape (n, k)."""
        return self._assignment(self.transform(points))

    def predict(self, points: FloatArray) -> IntArray:
        """Return each row's cluster, shape (n,)."""
        labels: IntArray = self.soft_assignment(points).argmax(axis=1).astype(np.int64)
        return labels

    def _inverse_transform(self, embedding: FloatArray) -> FloatArray:
        return Encoder._inverse_transform(self, embedding)

    def _fit(self, points: FloatArray, seed: int) -> None:
        self._train(points, seed)
        self.centers_ = self._first_centers(points, seed)
        self._refine(points, np.random.default_rng([seed, 1]))
        self.network_ = self._network(points.shape[1])

    def _note(self, epoch: dict[str, float]) -> None:
        super()._note({"stage": 0.0} | epoch)

    def _saved_layers(self, columns: int) -> tuple[Dense, ...]:
        return self._encoding_layers(columns)

    def _first_centers(self, points: FloatArray, seed: int) -> FloatArray:
        from sklearn.cluster import KMeans

        embedding = self._transform(points)
        distinct = np.unique(embedding, axis=0).shape[0]
        if distinct < self.settings.k:
            raise DataError(
                f"encoder 'dec': k = {self.settings.k} clusters need as many distinct rows, "
                f"the embedding has {distinct}; lower k"
            )
        kmeans = KMeans(self.settings.k, n_init=self.settings.restarts, random_state=seed)
        kmeans.fit(embedding)
        return np.asarray(kmeans.cluster_centers_, dtype=np.float64)

    def _refine(self, points: FloatArray, generator: np.random.Generator) -> None:
        """Train layers and centers until hardly a row changes its cluster."""
        chosen = self.settings
        layers = self._encoding_layers(points.shape[1])
        loop = AdamLoop(
            ClusteringLoss(layers, chosen.k, chosen.freedom),
            {**self.weights_, CENTERS: self.centers_},
            chosen.batch_size,
        )
        values = points.astype(np.float32)
        assignment = self._assignment(self._transform(points))
        for epoch in range(1, chosen.refine_epochs + 1):
            draw = _with_targets(values, target_assignment(assignment))
            order = generator.permutation(points.shape[0])
            lost = loop.run_epoch(draw, order, chosen.learning_rate, generator)
            self.weights_ = loop.weights
            self.centers_ = self.weights_.pop(CENTERS).astype(np.float64)
            before, assignment = assignment, self._assignment(self._transform(points))
            changed = float(np.mean(before.argmax(axis=1) != assignment.argmax(axis=1)))
            self._note({"epoch": float(epoch), "stage": 1.0, "loss": lost, "changed": changed})
            if changed < chosen.tolerance:
                break
        self.cluster_labels_ = assignment.argmax(axis=1).astype(np.int64)

    def _assignment(self, embedding: FloatArray) -> FloatArray:
        return StudentModel(self.centers_, self.settings.freedom).probabilities(embedding)

    def own_candidate(self, embedding: FloatArray) -> Candidate:
        """Return the clusters learnt with the embedding, of rows in it, shape (n, d)."""
        began = time.perf_counter()
        labels, kept = compact_labels(self._assignment(embedding).argmax(axis=1))
        return Candidate(
            "kmeans",
            {"k": int(kept.size), "centers": self.kind},
            labels,
            time.perf_counter() - began,
            model=StudentModel(self.centers_[kept], self.settings.freedom),
        )

    def _write(self, folder: Path) -> None:
        super()._write(folder)
        storage.write_arrays(
            folder / CENTERS_FILE, {"centers": self.centers_, "labels": self.cluster_labels_}
        )

    def _read(self, folder: Path) -> None:
        super()._read(folder)
        kept = storage.read_arrays(folder / CENTERS_FILE)
        self.centers_, self.cluster_labels_ = kept["centers"], kept["labels"]


def target_assignment(assignment: FloatArray) -> FloatArray:
    """Sharpen a soft assignment and even out the clusters' sizes, shape (n, k)."""
    weight = assignment**2 / assignment.sum(axis=0)
    target: FloatArray = weight / weight.sum(axis=1, keepdims=True)
    return target


def _with_targets(values: Float32Array, targets: FloatArray) -> Draw:
    narrow = targets.astype(np.float32)

    def draw(rows: IntArray, _: np.random.Generator) -> dict[str, Any]:
        return {"inputs": values[rows], "targets": narrow[rows]}

    return draw
