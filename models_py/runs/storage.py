"""A run's fitted chain written to a folder and read back."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models_py.base.arrays import FloatArray
from models_py.base.checksums import write_json
from models_py.base.errors import SegmenthouseError, first_line_of
from models_py.clustering.distances import EUCLIDEAN
from models_py.clustering.rows import group_centers
from models_py.features.matrix import FeatureMatrix
from models_py.runs.assignment import FittedRule, coordinates_of, fit_rule, rule_of
from models_py.runs.manifest import SavedRunError, read_manifest, write_manifest
from models_py.runs.reference import (
    Figures,
    Reference,
    feature_reference,
    feature_values,
    mean_silhouettes,
    reconstruction_errors,
)
from models_py.runs.saved import SavedPartition, SavedRun
from models_py.segmentation.segmentation import Segmentation
from models_py.studies.loading import study_from_json
from models_py.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd

    from models_py.features.encoders.base import Encoder


def save_run_models(
    folder: Path,
    run_id: str,
    study: Study,
    frame: pd.DataFrame,
    segmentations: Sequence[Segmentation],
    segments: pd.DataFrame,
) -> None:
    """Write what scores new rows, all of it or nothing.

    Parameters
    ----------
    folder
        Where the run's models stand; one that is there is replaced.
    run_id, study
        The run and its recipe.
    frame
        The gold rows of the run, with a range index.
    segmentations
        One a partition.
    segments
        The run's rows of ``results.segments``: ``partition``, ``segment_id`` and, where the
        study has a label, ``majority_label``; each partition's in the order of its groups.

    Raises
    ------
    SavedRunError
        The folder cannot be written.
    """
    unfinished = folder.with_name(f".{folder.name}.part-{os.getpid()}")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for number, segmentation in enumerate(segmentations):
            rows = frame.iloc[segmentation.prepared.rows]
            is_own = segments["partition"] == segmentation.prepared.partition
            own = segments[is_own]
            _write_partition(unfinished / f"partition_{number}", segmentation, rows, own)
        write_manifest(unfinished, run_id, study.model_dump(mode="json"))
        remove_run_models(folder)
        os.replace(unfinished, folder)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise SavedRunError(
            f"{folder}: the models cannot be written ({error.strerror or error}); free space or"
            " mend its rights, and run again"
        ) from error
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def remove_run_models(folder: Path) -> None:
    """Remove a run's models where there are any."""
    shutil.rmtree(folder, ignore_errors=True)


def remove_failed_models(root: Path, failed: Iterable[str]) -> None:
    """Remove what killed processes left of runs that are recorded as failed.

    Parameters
    ----------
    root
        The folder that holds a folder a run.
    failed
        Their ids.
    """
    for run_id in failed:
        remove_run_models(root / run_id)
        for unfinished in root.glob(f".{run_id}.part-*"):
            remove_run_models(unfinished)


def load_run_models(folder: Path, run_id: str) -> SavedRun:
    """Read and check a run's models.

    Raises
    ------
    SavedRunError
        A file is missing, was changed, or does not belong to the others or to the run.
    """
    manifest = read_manifest(folder, run_id)
    try:
        study = study_from_json(manifest["study"])
        parts = [_read_partition(folder / name) for name in manifest["partitions"]]
    except SavedRunError:
        raise
    except (KeyError, TypeError, ValueError, OSError, SegmenthouseError) as error:
        raise SavedRunError(f"{folder}: {first_line_of(error)}; {SavedRunError.again}") from error
    return SavedRun(run_id, study, {part.name: part for part in parts}, manifest["versions"])


def _write_partition(
    folder: Path, segmentation: Segmentation, frame: pd.DataFrame, segments: pd.DataFrame
) -> None:
    folder.mkdir()
    prepared, choice = segmentation.prepared, segmentation.choice
    (folder / "matrix.json").write_text(prepared.matrix.to_json(), encoding="utf-8")
    if prepared.reconstruction is not None:
        prepared.reconstruction.save(folder / "reconstruction")
    encoder, algorithm = None, "one segment"
    if choice.position is not None:
        chosen = segmentation.candidates[choice.position]
        encoder, algorithm = prepared.encoders[chosen.space], chosen.candidate.algorithm
        encoder.save(folder / "encoder")
    rows, fitted = coordinates_of(segmentation), fit_rule(segmentation)
    _write_arrays(folder / "rule.npz", fitted.rule.arrays())
    reference = _reference(segmentation, encoder, frame, rows.points)
    _write_arrays(folder / "training.npz", reference.arrays())
    centers = group_centers(rows.points, segmentation.groups)
    _write_arrays(folder / "centers.npz", {"centers": centers})
    content = {
        "name": prepared.partition,
        "algorithm": algorithm,
        "rule": fitted.rule.kind,
        "agreement": fitted.agreement,
        "metric": segmentation.metric,
        "is_soft": segmentation.membership is not None,
        "has_encoder": encoder is not None,
        "has_reconstruction": prepared.reconstruction is not None,
        "segment_ids": segments["segment_id"].tolist(),
        "labels": _majority_labels(segments),
        "features": list(reference.features),
        "figures": reference.figures_json(),
    }
    write_json(folder / "partition.json", content)


def _majority_labels(segments: pd.DataFrame) -> list[str | None]:
    if "majority_label" not in segments:
        return []
    known = segments["majority_label"].astype(object)
    return list(known.where(known.notna(), None))


def _reference(
    segmentation: Segmentation, encoder: Encoder | None, frame: pd.DataFrame, points: FloatArray
) -> Reference:
    prepared, groups = segmentation.prepared, segmentation.groups
    values = feature_values(prepared.matrix, frame)
    errors = np.empty(0)
    if encoder is not None:
        common = prepared.common
        known = prepared.reconstruction
        seen = common if known is None else known.reconstruct(common)
        errors = reconstruction_errors(encoder, seen)
    figures = Figures(
        len(groups),
        *mean_silhouettes(points, groups, segmentation.metric, segmentation.silhouette),
        float(errors.mean()) if errors.size else np.nan,
    )
    return Reference(
        {str(n): feature_reference(values[n].to_numpy(dtype=np.float64)) for n in values},
        np.bincount(groups).astype(np.int64),
        np.quantile(errors, np.linspace(0, 1, 101)) if errors.size else errors,
        figures,
    )


def _read_partition(folder: Path) -> SavedPartition:
    from models_py.features.encoders.catalog import load_encoder

    content = json.loads((folder / "partition.json").read_text(encoding="utf-8"))
    matrix = FeatureMatrix.from_json((folder / "matrix.json").read_text(encoding="utf-8"))
    has = (content["has_reconstruction"], content["has_encoder"])
    reconstruction, encoder = (
        load_encoder(folder / name) if there else None
        for name, there in zip(("reconstruction", "encoder"), has, strict=True)
    )
    rule = rule_of(_named_now(content["rule"]), _read_arrays(folder / "rule.npz"))
    training = _read_arrays(folder / "training.npz")
    part = SavedPartition(
        name=content["name"],
        algorithm=content["algorithm"],
        segment_ids=np.array(content["segment_ids"], dtype=np.int64),
        centers=_read_centers(folder),
        matrix=matrix,
        reconstruction=reconstruction,
        encoder=encoder,
        fitted=FittedRule(rule, content["agreement"]),
        reference=Reference.from_arrays(content["features"], training, content["figures"]),
        labels=tuple(content.get("labels", ())),
        metric=content.get("metric", EUCLIDEAN),
        is_soft=content.get("is_soft", False),
    )
    _check_fit(folder, part)
    return part


def _check_fit(folder: Path, part: SavedPartition) -> None:
    # Files of two runs may each be sound and yet not go together.
    features, groups = len(part.matrix.names_), len(part.segment_ids)
    width = part.centers.shape[1]
    checks = {
        "the encoder takes other features": any(
            encoder is not None and encoder.columns_ != features
            for encoder in (part.reconstruction, part.encoder)
        ),
        "the rule takes other coordinates": part.fitted.rule.columns not in (None, width),
        "the rule has other segments": bool(part.fitted.rule.groups.max() >= groups),
        "the centers are of other segments": len(part.centers) != groups,
        "the labels are of other segments": len(part.labels) not in (0, groups),
        "the training data are of other features": list(part.reference.features)
        != part.matrix.names_,
    }
    for what, is_wrong in checks.items():
        if is_wrong:
            raise SavedRunError(f"{folder}: {what}; {SavedRunError.again}")


def _write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    named: dict[str, Any] = dict(arrays)
    np.savez(path, **named)


def _read_arrays(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as stored:
        return {_named_now(name): stored[name] for name in stored.files}


def _read_centers(folder: Path) -> FloatArray:
    path = folder / "centers.npz"
    centers = _read_arrays(path if path.is_file() else folder / "centres.npz")["centers"]
    return np.asarray(centers, dtype=np.float64)


def _named_now(name: str) -> str:
    # Runs saved before the spelling was one have the other.
    return name.replace("centre", "center")
