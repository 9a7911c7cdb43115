"""Spectral clustering against scikit-learn's embedding of the same graph, and two rings."""

import numpy as np
import pytest
from sklearn.manifold import spectral_embedding as rival_embedding
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors

from models_py.clustering.spectral import spectral_embedding, spectral_sweep


def test_spectral_clustering_parts_rings():
    rng = np.random.default_rng(0)
    angle, truth = rng.uniform(0, 2 * np.pi, 400), np.repeat([0, 1], 200)
    radius = 1.0 + 2.0 * truth + 0.05 * rng.standard_normal(400)
    points = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    labels = spectral_sweep(points, [2], seed=0)[0].labels
    assert adjusted_rand_score(labels, truth) == pytest.approx(1.0)


@pytest.mark.parametrize("rows", [200, 900])
def test_eigenvectors_span_what_scikit_learns_do(rows):
    """Few rows take the dense solver, more the sparse one; the graph is built a second way."""
    generator = np.random.default_rng(rows)
    points = generator.standard_normal((rows, 2)) * [1.0, 3.0]
    apart, near = NearestNeighbors(n_neighbors=11).fit(points).kneighbors(points)
    scale = apart[:, -1]
    graph = np.zeros((rows, rows))
    for row in range(rows):
        for place in range(1, 11):
            other = near[row, place]
            tie = np.exp(-(apart[row, place] ** 2) / (scale[row] * scale[other])) + 1e-9
            graph[row, other] = graph[other, row] = max(tie, graph[row, other])
    rival = rival_embedding(graph, n_components=4, drop_first=False, random_state=0)
    # Theirs are divided by the root of the degrees; the space spanned is compared.
    rival = rival * np.sqrt(graph.sum(axis=1))[:, None]
    ours = spectral_embedding(points, 4)
    angles = np.linalg.svd(np.linalg.qr(ours)[0].T @ np.linalg.qr(rival)[0], compute_uv=False)
    assert angles == pytest.approx(np.ones(4), abs=1e-3)
