from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.checksums import MANIFEST
from models_py.features.encoders.autoencoder import Autoencoder
from models_py.features.encoders.base import Encoder
from models_py.features.encoders.catalog import load_encoder
from models_py.features.encoders.pca import PcaEncoder
from models_py.features.encoders.settings import AutoencoderSettings
from models_py.features.encoders.storage import SavedEncoderError


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "copy"))


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def edit_manifest(folder: Path, change: Callable[[dict[str, object]], object]) -> None:
    path = folder / MANIFEST
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a changed network": (lambda f: flip_a_byte(f / "network.keras"), "changed after saving"),
    "no network": (lambda f: (f / "network.keras").unlink(), "network.keras is missing"),
    "no manifest": (lambda f: (f / MANIFEST).unlink(), "manifest.json is missing"),
    "half a manifest": (lambda f: (f / MANIFEST).write_text("{"), "not readable JSON"),
    "another thing": (lambda f: (f / MANIFEST).write_text("[]"), "not a manifest"),
    "an edited parameter": (
        lambda f: edit_manifest(f, lambda content: content.update(columns=5)),
        "manifest.json was changed",
    ),
    "a later format": (
        lambda f: edit_manifest(f, lambda content: content.update(format=2)),
        "has format 2, this version reads 1",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_folder_is_refused_in_one_line(damage: str, copy: Path) -> None:
    spoil, result = DAMAGE[damage]
    spoil(copy)
    with pytest.raises(SavedEncoderError, match=result) as caught:
        load_encoder(copy)
    assert "\n" not in str(caught.value)


def test_an_encoder_of_another_kind_is_refused(saved: Path) -> None:
    with pytest.raises(SavedEncoderError, match="kind 'autoencoder', not 'pca'"):
        PcaEncoder.load(saved)


def test_a_network_of_another_layout_is_refused(trained: Encoder, tmp_path: Path) -> None:
    mixed = Autoencoder(AutoencoderSettings(layers=(4, 2)))
    mixed.columns_, mixed.network_ = 6, trained.network_  # type: ignore[attr-defined]
    mixed.save(tmp_path)
    with pytest.raises(SavedEncoderError, match="not the network of its manifest"):
        load_encoder(tmp_path)


def test_an_interrupted_save_does_not_count_as_saved(
    groups: tuple[FloatArray, IntArray], trained: Encoder, copy: Path
) -> None:
    class Interrupted(Autoencoder):
        def _write(self, folder: Path) -> None:
            raise KeyboardInterrupt

    broken = Interrupted(trained.settings)
    broken.columns_ = trained.columns_
    with pytest.raises(KeyboardInterrupt):
        broken.save(copy)
    with pytest.raises(SavedEncoderError, match="is missing"):
        load_encoder(copy)


def test_the_manifest_names_kind_parameters_and_versions(saved: Path) -> None:
    manifest = json.loads((saved / MANIFEST).read_text())
    assert manifest["kind"] == "autoencoder"
    assert manifest["parameters"]["layers"] == [8, 3]
    assert {"keras", "numpy", "skops"} <= set(manifest["versions"])
    assert set(manifest["files"]) == {"network.keras"}
    assert sorted(path.name for path in saved.iterdir()) == [MANIFEST, "network.keras"]
