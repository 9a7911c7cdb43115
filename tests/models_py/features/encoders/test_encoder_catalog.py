from __future__ import annotations

import re
import subprocess
import sys

import pytest

from models_py.base.errors import MissingExtraError, StudyError
from models_py.features.encoders.catalog import ENCODERS, EncoderSpec, build_encoder, check_encoder
from models_py.features.encoders.settings import AutoencoderSettings


@pytest.mark.parametrize("kind", ENCODERS)
def test_every_kind_is_built_by_its_name(kind: str) -> None:
    needed: dict[str, dict[str, object]] = {"dec": {"k": 3}, "text": {"template": "{job}"}}
    encoder = build_encoder(EncoderSpec(kind, needed.get(kind, {})))
    assert encoder.kind == kind
    assert encoder.history_ == []


@pytest.mark.parametrize(
    ("kind", "parameters", "text"),
    [
        ("pac", {}, "unknown encoder 'pac'; did you mean 'pca'?"),
        ("pca", {"component": 3}, "has no parameter 'component'; did you mean 'components'?"),
        ("none", {"k": 3}, "has no parameter 'k' (it takes: none)"),
        ("pca", {"components": 0}, "components = 0"),
        ("pca", {"components": 1.5}, "components = 1.5"),
        ("pca", {"components": True}, "components = True"),
        ("autoencoder", {"dropout": 1.0}, "dropout = 1.0: input should be less than 1"),
        ("autoencoder", {"layers": []}, "layers = []"),
        ("autoencoder", {"activation": "swoosh"}, "activation = 'swoosh'"),
        ("dec", {}, "parameter 'k' is missing; give it, such as k = 5"),
        ("text", {}, "parameter 'template' is missing; give it, such as template = '{job},"),
    ],
)
def test_a_bad_spec_is_told_in_one_line(
    kind: str, parameters: dict[str, object], text: str
) -> None:
    with pytest.raises(StudyError, match=re.escape(text)) as caught:
        check_encoder(kind, parameters)
    assert "\n" not in str(caught.value)


def test_the_preset_is_the_reference_layout() -> None:
    preset = AutoencoderSettings()
    assert preset.layers == (16, 12, 8)
    assert (preset.activation, preset.embedding_activation) == ("relu", "relu")
    assert (preset.dropout, preset.learning_rate, preset.batch_size) == (0.2, 0.001, 32)
    assert (preset.stop_patience, preset.halve_patience, preset.halve_factor) == (15, 5, 0.5)
    assert (preset.validation_share, preset.epochs) == (0.2, 100)
    assert (preset.loss, preset.minimum_learning_rate) == ("mse", 1e-6)


def test_one_is_a_component_and_one_point_nought_a_share() -> None:
    assert check_encoder("pca", {"components": 1}).model_dump() == {"components": 1}
    share = check_encoder("pca", {"components": 1.0}).model_dump()["components"]
    assert isinstance(share, float)


def test_checking_a_spec_imports_nothing_heavy() -> None:
    program = (
        "import sys; from models_py.features.encoders.catalog import check_encoder;"
        "check_encoder('autoencoder', {'epochs': 5});"
        "print([name for name in ('keras', 'jax', 'sklearn', 'skops') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_missing_extra_names_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    from models_py.features.encoders.keras_backend import import_keras

    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(MissingExtraError, match=re.escape('"segmenthouse[autoencoder]"')):
        import_keras()
