"""A saved run as an MLflow model: logged, registered, loaded again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_py import __version__
from models_py.base import settings
from models_py.base.errors import UsageError
from models_py.runs.saved import SavedRun
from models_py.runs.storage import load_run_models
from models_py.runs.tracking.store import RUN_ID, Store

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature

SERVED = Path(__file__).with_name("served_run.py")
NAME = "segments"


@dataclass(frozen=True)
class LoadedModel:
    """A registered model that scores.

    Attributes
    ----------
    uri
        As MLflow names it.
    saved
        The run's chain in it.
    predict
        MLflow's own call, which checks the signature.
    """

    uri: str
    saved: SavedRun
    predict: Any

    def score(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Give customers their segments; as :meth:`.saved.SavedRun.score`."""
        scored: pd.DataFrame = self.predict(model_input(self.saved, frame))
        return scored


def register(store: Store, tracked: str, study: str, run_id: str) -> str:
    """Log a run's saved chain as a model and register it; return the version.

    Parameters
    ----------
    store
        Open.
    tracked
        The MLflow run that it belongs to.
    study, run_id
        The registered model is named like the study.
    """
    import mlflow
    from mlflow.models import Model

    folder = settings.models_dir(run_id)
    saved = load_run_models(folder, run_id)
    client = store.client
    experiment = store.experiment_id(study)
    # Made first: MLflow would lay it into whatever experiment is the default.
    own = client.create_logged_model(experiment, name=NAME, source_run_id=tracked)
    logged = Model.log(
        artifact_path=None,
        flavor=mlflow.pyfunc,
        model_id=own.model_id,
        run_id=tracked,
        python_model=str(SERVED),
        artifacts={"run": str(folder)},
        signature=signature(saved),
        input_example=example(saved),
        pip_requirements=[f"segmenthouse=={__version__}"],
    )
    if not client.search_registered_models(f"name = '{study}'"):
        client.create_registered_model(study, description=saved.study.title)
    version = client.create_model_version(
        study,
        f"models:/{logged.model_id}",
        tracked,
        tags={RUN_ID: run_id},
        # A server asks for it beside the source, a file does not.
        model_id=logged.model_id,
    )
    return str(version.version)


def load_model(store: Store, named: str) -> LoadedModel:
    """Load a registered model.

    Parameters
    ----------
    store
        Open.
    named
        ``NAME@ALIAS`` or ``NAME/VERSION``, with or without ``models:/`` before it.

    Raises
    ------
    UsageError
        It is neither, or there is no such model.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    name = named.removeprefix("models:/")
    if name.count("@") + name.count("/") != 1:
        raise UsageError(
            f"--model {named}: write NAME@ALIAS, such as grocery_customers@champion, or"
            " NAME/VERSION"
        )
    try:
        loaded = mlflow.pyfunc.load_model(f"models:/{name}")
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        there = sorted(model.name for model in store.client.search_registered_models())
        raise UsageError(
            f"--model {named}: MLflow knows no such model (it knows: {', '.join(there) or 'none'});"
            " runs are tracked with python scripts/track_run.py"
        ) from error
    return LoadedModel(f"models:/{name}", loaded.unwrap_python_model().saved, loaded.predict)


def column_types(saved: SavedRun) -> dict[str, str]:
    """Return what MLflow takes each column for: ``double``, ``string``, or ``any`` as it is.

    A column that a sentence is written of stays as it is: a truth value is worded otherwise than
    its name.
    """
    parts = saved.partitions.values()
    recipes = [recipe for part in parts for recipe in part.matrix.recipes_]
    numbers = {recipe.column for recipe in recipes if recipe.kind == "numeric"}
    written = {name for part in parts if part.encoder for name in part.encoder.columns_read}
    types = {
        name: "any" if name in written else "double" if name in numbers else "string"
        for name in saved.columns
    }
    words = dict.fromkeys(filter(None, [saved.study.entity, saved.study.partition_by]), "string")
    return {saved.study.entity: "string", **types, **words}


def model_input(saved: SavedRun, frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows in the types of the signature: numbers as doubles, all others as words.

    Whole numbers become doubles, since in MLflow a column of them may hold no null.
    """
    import pandas as pd

    from models_py.features.recipes import as_words

    keys = (saved.study.entity, saved.study.partition_by)
    columns: dict[str, pd.Series[Any]] = {}
    for name, kind in column_types(saved).items():
        if kind == "double":
            columns[name] = frame[name].astype("float64")
        elif name in keys:
            columns[name] = frame[name].astype("string")
        else:
            columns[name] = frame[name] if kind == "any" else as_words(frame[name])
    return pd.DataFrame(columns, index=frame.index)


def signature(saved: SavedRun) -> ModelSignature:
    """Return what the model takes and gives."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import AnyType

    kinds = {"double": DataType.double, "string": DataType.string, "any": AnyType()}
    takes = [ColSpec(kinds[kind], name) for name, kind in column_types(saved).items()]
    gives = {
        "entity_id": DataType.string,
        "partition": DataType.string,
        "segment_id": DataType.long,
        "confidence": DataType.double,
        "method": DataType.string,
        "note": DataType.string,
    }
    return ModelSignature(Schema(takes), Schema([ColSpec(kind, n) for n, kind in gives.items()]))


def example(saved: SavedRun) -> pd.DataFrame:
    """Return one row to try the model with: nobody's, made of what stands in for a null."""
    import pandas as pd

    row: dict[str, object] = {saved.study.entity: "example"}
    row |= dict.fromkeys(saved.columns)
    for part in saved.partitions.values():
        for recipe in part.matrix.recipes_:
            if recipe.kind == "numeric":
                row[recipe.column] = float(recipe.fill)
            elif recipe.kind == "category":
                row[recipe.column] = recipe.fill_category or recipe.category or ""
            elif recipe.kind == "ordinal":
                row[recipe.column] = recipe.order[0]
    if saved.study.partition_by is not None:
        row[saved.study.partition_by] = next(iter(saved.partitions))
    return model_input(saved, pd.DataFrame([row]))
