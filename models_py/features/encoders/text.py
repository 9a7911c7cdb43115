"""Rows as sentences, and sentences as points: a template and a sentence-embedding model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from models_py.base import settings
from models_py.base.arrays import FloatArray
from models_py.features.encoders.storage import SavedEncoderError
from models_py.base.errors import DataError
from models_py.features.encoders.base import Encoder
from models_py.features.encoders.embedding import CachedEmbedder, TextModel, find_model
from models_py.features.encoders.pca import PcaEncoder
from models_py.features.encoders.sentences import render_rows, template_columns
from models_py.features.encoders.settings import PcaSettings, TextSettings

if TYPE_CHECKING:
    import pandas as pd

FILE = "text.json"
PCA_FOLDER = "components"


class TextEncoder(Encoder):
    """Embeds each row's sentence; the components with most variance are the coordinates.

    It reads the rows themselves and not the scaled features.

    Attributes
    ----------
    fingerprint_
        Of the model that embedded the rows it was fitted on.
    """

    kind = TextSettings.kind
    settings_class = TextSettings
    file_names = (FILE, f"{PCA_FOLDER}/manifest.json", f"{PCA_FOLDER}/pca.npz")
    reads_rows = True
    fingerprint_: str
    _pca: PcaEncoder

    @property
    def columns_read(self) -> list[str]:
        """The columns of the template."""
        return template_columns(self.settings.template)

    def fit_rows(self, frame: pd.DataFrame, points: FloatArray, seed: int) -> Self:
        """Embed the rows' sentences and learn the components."""
        embedded = self._embed(frame)
        width = min(self.settings.components, *embedded.shape)
        self._pca = PcaEncoder(PcaSettings(components=int(width))).fit(embedded, seed)
        self.columns_ = points.shape[1]
        return self

    def transform_rows(self, frame: pd.DataFrame, points: FloatArray) -> FloatArray:
        """Return the components of the rows' sentences, shape (n, d)."""
        self._known_columns(points)
        return self._pca.transform(self._embed(frame))

    def _embed(self, frame: pd.DataFrame) -> FloatArray:
        chosen = self.settings
        texts = render_rows(frame, chosen.template, chosen.words, chosen.missing)
        model = TextModel(find_model(chosen.model))
        known = getattr(self, "fingerprint_", model.fingerprint)
        if known != model.fingerprint:
            raise SavedEncoderError(
                f"the text model {chosen.model} is another one than the run was fitted with;"
                " put that one back, or run the study again"
            )
        self.fingerprint_ = model.fingerprint
        embedder = CachedEmbedder(model, settings.embeddings_dir())
        return embedder.embed(texts, self.on_advance).astype(np.float64)

    def _fit(self, points: FloatArray, seed: int) -> None:  # noqa: ARG002
        raise DataError("encoder 'text' is fitted on rows, not on their scaled features")

    def _transform(self, points: FloatArray) -> FloatArray:  # noqa: ARG002
        raise DataError("encoder 'text' transforms rows, not their scaled features")

    def _write(self, folder: Path) -> None:
        content = {"fingerprint": self.fingerprint_}
        (folder / FILE).write_text(json.dumps(content) + "\n", encoding="utf-8")
        self._pca.save(folder / PCA_FOLDER)

    def _read(self, folder: Path) -> None:
        content: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
        self.fingerprint_ = content["fingerprint"]
        self._pca = PcaEncoder.load(folder / PCA_FOLDER)
