from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.features.encoders.base import Encoder
from models_py.features.encoders.catalog import EncoderSpec, build_encoder, load_encoder
from models_py.features.encoders.keras_backend import import_keras

SMALL = {"layers": [8, 3], "epochs": 6}


def test_the_history_has_an_entry_for_every_epoch(trained: Encoder) -> None:
    assert [epoch["epoch"] for epoch in trained.history_] == [1, 2, 3, 4, 5, 6]
    first, last = trained.history_[0], trained.history_[-1]
    assert set(first) == {"epoch", "loss", "validation_loss", "learning_rate", "validation_mae"}
    assert last["validation_loss"] < first["validation_loss"]
    assert first["learning_rate"] == 0.001


def test_epochs_are_told_as_they_end(groups: tuple[FloatArray, IntArray]) -> None:
    encoder = build_encoder(EncoderSpec("autoencoder", SMALL))
    texts: list[dict[str, float]] = []
    encoder.on_epoch = texts.append
    encoder.fit(groups[0], seed=1)
    assert texts == encoder.history_


def test_the_same_seed_gives_the_same_embedding(
    groups: tuple[FloatArray, IntArray], trained: Encoder
) -> None:
    points, _ = groups
    again = build_encoder(EncoderSpec("autoencoder", SMALL)).fit(points, seed=1)
    other = build_encoder(EncoderSpec("autoencoder", SMALL)).fit(points, seed=2)
    np.testing.assert_array_equal(again.transform(points), trained.transform(points))
    assert again.history_ == trained.history_
    assert not np.allclose(other.transform(points), trained.transform(points))


def test_what_was_saved_transforms_alike(
    groups: tuple[FloatArray, IntArray], trained: Encoder, saved: Path
) -> None:
    points, _ = groups
    loaded = load_encoder(saved)
    assert loaded.settings == trained.settings
    assert loaded.history_ == trained.history_
    np.testing.assert_array_equal(loaded.transform(points), trained.transform(points))
    np.testing.assert_array_equal(loaded.reconstruct(points), trained.reconstruct(points))


def test_the_saved_network_gives_the_same_numbers_in_keras(
    groups: tuple[FloatArray, IntArray], trained: Encoder, saved: Path
) -> None:
    points, _ = groups
    keras = import_keras()
    network = keras.saving.load_model(saved / "network.keras")
    np.testing.assert_allclose(
        network.predict(points, verbose=0), trained.reconstruct(points), atol=1e-5
    )
    embedding = keras.Model(network.input, network.get_layer("embedding").output)
    np.testing.assert_allclose(
        embedding.predict(points, verbose=0), trained.transform(points), atol=1e-5
    )
    assert [layer.units for layer in network.layers if hasattr(layer, "units")] == [8, 3, 8, 6]
    assert network.get_layer("encode_1").kernel_initializer.__class__.__name__ == "GlorotUniform"


def test_the_weights_kept_are_those_of_the_best_epoch(
    groups: tuple[FloatArray, IntArray],
) -> None:
    points, _ = groups
    # So high a learning rate makes the loss jump about, so that the last epoch is not the best.
    encoder = build_encoder(
        EncoderSpec(
            "autoencoder",
            {**SMALL, "learning_rate": 0.3, "epochs": 12, "stop_patience": 3, "dropout": 0.0},
        )
    ).fit(points, seed=0)
    losses = [epoch["validation_loss"] for epoch in encoder.history_]
    best = int(np.argmin(losses))
    assert best < len(losses) - 1
    from models_py.features.encoders.training import split_rows

    _, validation = split_rows(600, 0.2, np.random.default_rng(0))
    error = encoder.reconstruction_error(points)[validation].mean()
    assert error == pytest.approx(losses[best], rel=1e-4)
    absolute = np.abs(encoder.reconstruct(points) - points)[validation].mean()
    assert encoder.history_[best]["validation_mae"] == pytest.approx(absolute, rel=1e-4)


@pytest.mark.parametrize("noise_kind", ["gaussian", "masking"])
def test_a_denoising_autoencoder_takes_noise_away(
    noise_kind: str, groups: tuple[FloatArray, IntArray]
) -> None:
    clean, _ = groups
    generator = np.random.default_rng(0)
    noisy = clean + 0.4 * generator.normal(size=clean.shape)
    if noise_kind == "masking":
        noisy = clean * (generator.random(clean.shape) >= 0.15)
    encoder = build_encoder(
        EncoderSpec(
            "denoising_autoencoder",
            {
                "layers": [24, 3],
                "embedding_activation": "linear",
                "dropout": 0.0,
                "noise": 0.15 if noise_kind == "masking" else 0.4,
                "noise_kind": noise_kind,
                "learning_rate": 0.005,
                "epochs": 60,
            },
        )
    ).fit(clean, seed=0)
    restored = encoder.reconstruct(noisy)
    assert np.mean((restored - clean) ** 2) < 0.7 * np.mean((noisy - clean) ** 2)


def test_every_part_can_be_set(groups: tuple[FloatArray, IntArray], tmp_path: Path) -> None:
    points, _ = groups
    encoder = build_encoder(
        EncoderSpec(
            "autoencoder",
            {
                "layers": [2],
                "activation": "tanh",
                "embedding_activation": "sigmoid",
                "output_activation": "linear",
                "loss": "huber",
                "batch_size": 1000,
                "epochs": 2,
                "validation_share": 0.5,
            },
        )
    ).fit(points, seed=0)
    embedding = encoder.transform(points)
    assert embedding.shape == (600, 2)
    assert embedding.min() > 0.0
    assert embedding.max() < 1.0
    encoder.save(tmp_path)
    np.testing.assert_array_equal(load_encoder(tmp_path).transform(points), embedding)


@pytest.mark.parametrize("kind", ["autoencoder", "variational_autoencoder", "dec"])
def test_principal_components_before_the_network(
    groups: tuple[FloatArray, IntArray], tmp_path: Path, kind: str
) -> None:
    points, _ = groups
    own = {"k": 4, "restarts": 1, "refine_epochs": 1} if kind == "dec" else {}
    settings = {"layers": [6, 2], "epochs": 2, "principal_components": 3, **own}
    encoder = build_encoder(EncoderSpec(kind, settings)).fit(points, seed=1)
    components = build_encoder(EncoderSpec("pca", {"components": 3})).fit(points, seed=1)
    del settings["principal_components"]
    alone = build_encoder(EncoderSpec(kind, settings)).fit(components.transform(points), seed=1)
    embedding = alone.transform(components.transform(points))
    np.testing.assert_array_equal(encoder.transform(points), embedding)
    assert encoder.columns_ == points.shape[1]
    encoder.save(tmp_path)
    loaded = load_encoder(tmp_path)
    np.testing.assert_array_equal(loaded.transform(points), embedding)
    if kind != "dec":
        restored = components.inverse_transform(alone.inverse_transform(embedding))
        np.testing.assert_array_equal(loaded.reconstruct(points), restored)
    if kind == "variational_autoencoder":
        spread = alone.spread(components.transform(points))
        np.testing.assert_array_equal(loaded.spread(points), spread)


def test_strata_are_those_of_the_rows(groups: tuple[FloatArray, IntArray]) -> None:
    points, truth = groups
    frame = pd.DataFrame({"answer": truth.astype(str)})
    frame.loc[:30, "answer"] = None
    stratified = EncoderSpec("autoencoder", {**SMALL, "stratify_by": "answer"})
    by_rows = build_encoder(stratified).fit_rows(frame, points, seed=1)
    plain = build_encoder(EncoderSpec("autoencoder", SMALL)).fit(points, seed=1)
    assert by_rows.history_ != plain.history_
    with pytest.raises(DataError, match="stratify_by = 'answer' is no column"):
        build_encoder(stratified).fit_rows(frame[[]], points, seed=1)
    with pytest.raises(DataError, match="stratify_by needs the rows"):
        build_encoder(stratified).fit(points, seed=1)
