"""A saved run as MLflow serves it: MLflow copies this file and runs it, nothing is pickled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import pandas as pd
from mlflow.pyfunc import PythonModel

from models_py.runs.storage import load_run_models

if TYPE_CHECKING:
    from models_py.runs.saved import SavedRun


class ServedRun(PythonModel):  # type: ignore[misc]
    """Gives rows the segments of a run, by the run's own saved chain."""

    saved: SavedRun

    def load_context(self, context: Any) -> None:
        """Read and check the run's files, which lie in a folder of the run's name."""
        folder = Path(context.artifacts["run"])
        self.saved = load_run_models(folder, folder.name)

    # MLflow reads the types.
    def predict(self, model_input: pd.DataFrame) -> pd.DataFrame:
        """Score rows: the entity and the columns of the signature."""
        return self.saved.score(model_input)


mlflow.models.set_model(ServedRun())
